"""A venue of our own with every sequencing rule, a server that keeps the truth, and a bad network.

The protocol: one JSON object per frame, ``{"kind": "change", "symbol": "A", ...}``; times and
numbers are steps of the server.  Nothing is random but what a seeded ``Random`` decides.
"""

from collections.abc import Callable, Iterator, Sequence
from random import Random

import msgspec

from engine.model.clock import ManualClock
from engine.model.errors import DecodeError
from engine.model.instrument import Instrument, Pair
from feeds.catalog import Listed
from feeds.core import Core
from feeds.venue import (
    NO_CHECKSUM,
    NO_LEVELS,
    Alive,
    BookLost,
    Checksum,
    Delta,
    Event,
    Frame,
    Goodbye,
    KeepAlive,
    LevelText,
    Limits,
    Link,
    Numbered,
    Quote,
    Rejected,
    Reply,
    Snapshot,
    SnapshotFrom,
    Subscribed,
    Trade,
    Venue,
)
from shm.layout import BookFault, BookState
from tests.feeds.plain_books import PlainBook, PlainBooks

MS = 1_000_000
SECOND = 1_000 * MS


class Message(msgspec.Struct, omit_defaults=True):
    """One frame of the protocol."""

    kind: str
    symbol: str = ""
    bids: msgspec.Raw = NO_LEVELS
    asks: msgspec.Raw = NO_LEVELS
    first: int = 0
    last: int = 0
    previous: int = 0
    at: int = 0
    checksum: int = NO_CHECKSUM
    number: int = -1  # of the connection; -1: not counted
    text: str = ""
    depth: int = 0


_parse = msgspec.json.Decoder(Message).decode


def decode(frame: Frame) -> Sequence[Event]:
    """Return the events in ``frame``, its number first."""
    try:
        it = _parse(frame)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DecodeError(str(error)) from None
    events: list[Event] = [Numbered(it.number)] if it.number >= 0 else []
    make: dict[str, Callable[[], Event]] = {
        "change": lambda: Delta(
            it.symbol, it.bids, it.asks, it.first, it.last, it.previous, it.at, it.checksum),
        "snapshot": lambda: Snapshot(it.symbol, it.bids, it.asks, it.last, 0, it.at, it.checksum),
        "quote": lambda: Quote(it.symbol, "1", "1", "2", "1", it.last, it.at),
        "trade": lambda: Trade(it.symbol, "1", "0.5", 1, it.last, it.at),
        "ack": lambda: Subscribed(it.symbol, "book", it.depth),
        "refused": lambda: Rejected(it.text, it.symbol),
        "lost": lambda: BookLost(it.symbol, it.text),
        "ping": lambda: Reply(it.text.encode()),
        "goodbye": lambda: Goodbye(it.text),
        "alive": Alive,
    }
    if it.kind not in make:
        raise DecodeError(f"unknown kind {it.kind!r}")
    return [*events, make[it.kind]()]


def decode_snapshot(symbol: str, body: bytes) -> Snapshot:
    """Return the book of a REST answer."""
    for event in decode(body):
        if isinstance(event, Snapshot):
            event.symbol = symbol
            return event
    raise DecodeError("no snapshot")


def resubscribe(symbol: str) -> Iterator[bytes]:
    """Yield what asks the server for a new snapshot in the stream."""
    yield b"again " + symbol.encode()


def venue(
    link: Link, *, rest: bool = False, checksum: Checksum = Checksum.NONE, overlap: int = 1,
    truncate_depth: int = 0, pong: bytes | None = None,
) -> Venue:
    """Return a venue with these rules."""
    return Venue(
        name="synthetic", market="synthetic.spot", ws_url="", rest_url="",
        level_text=LevelText.PAIRS, link=link,
        snapshot_from=SnapshotFrom.REST if rest else SnapshotFrom.STREAM,
        limits=Limits(10, 10, 10, 10.0), keep_alive=KeepAlive(silence_max_s=5.0, pong=pong),
        taker_fee_ppm=0, maker_fee_ppm=0, subscribe=lambda _symbols: iter(()),
        resubscribe=resubscribe, decode=decode, native=lambda pair: pair.partition("/")[0],
        decode_snapshot=decode_snapshot if rest else None, checksum=checksum,
        splice_overlap=overlap, truncate_depth=truncate_depth,
    )


def listed(*natives: str) -> list[Listed]:
    """Return instruments "A/USD", ... with two decimals each."""
    return [
        Listed(Instrument(at, at, "synthetic", 0, Pair(native, "USD"), at, 2, 2), native)
        for at, native in enumerate(natives)
    ]


class Notes:
    """A port that writes everything down."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, bytes]] = []
        self.wanted: list[str] = []
        self.dropped: list[tuple[int, str]] = []
        self.rotated: list[tuple[int, str]] = []
        self.changes: list[tuple[str, BookState, BookFault, str]] = []

    def send(self, connection: int, frame: bytes) -> None:
        """Write it down."""
        self.sent.append((connection, frame))

    def want_snapshot(self, native: str) -> None:
        """Write it down."""
        self.wanted.append(native)

    def drop(self, connection: int, reason: str) -> None:
        """Write it down."""
        self.dropped.append((connection, reason))

    def rotate(self, connection: int, reason: str) -> None:
        """Write it down."""
        self.rotated.append((connection, reason))

    def changed(self, native: str, state: BookState, fault: BookFault, reason: str) -> None:
        """Write it down."""
        self.changes.append((native, state, fault, reason))


class Bench:
    """A core with plain books, a port that takes notes and a clock that stands still."""

    def __init__(self, rules: Venue, *natives: str) -> None:
        self.clock = ManualClock(mono_ns=SECOND)
        self.notes = Notes()
        self.books = PlainBooks(rules, len(natives))
        self.core = Core(rules, listed(*natives), self.books, self.notes, self.clock)
        self.natives = natives

    def send(self, connection: int = 1, **fields: object) -> None:
        """Let the core receive one frame; levels are given as Python lists."""
        self.raw(frame(**fields), connection)

    def raw(self, data: bytes, connection: int = 1) -> None:
        """Let the core receive ``data``."""
        self.core.frame(connection, data, self.clock.unix_ns(), self.clock.mono_ns())

    def rest(self, symbol: str, **fields: object) -> None:
        """Let the core receive a REST book."""
        body = frame(kind="snapshot", **fields)
        self.core.snapshot(symbol, body, self.clock.unix_ns(), self.clock.mono_ns())

    def wait(self, ns: int) -> None:
        """Let time pass, with a tick every 100 ms and one at the end."""
        for step in range(0, ns, 100 * MS):
            self.clock.advance(min(100 * MS, ns - step))
            self.core.tick(self.clock.mono_ns())

    def book(self, symbol: str) -> PlainBook:
        """Return what readers would see."""
        return self.books.books[self.natives.index(symbol)]

    def state(self, symbol: str) -> BookState:
        """Return the state word that readers see; it must be what the core itself believes."""
        assert self.core.sync(symbol).state == self.book(symbol).state
        return self.book(symbol).state


def frame(**fields: object) -> bytes:
    """Return one frame; ``bids`` and ``asks`` are lists of [price, size] text."""
    return msgspec.json.encode(fields)


class Server:
    """The truth of one symbol: every state it ever had, by step, and the frames that tell it."""

    def __init__(self, rules: Venue, symbol: str, random: Random) -> None:
        self.rules, self.symbol, self.random = rules, symbol, random
        self.truth = PlainBooks(rules, 1)
        self.step = 1_000
        self.states: dict[int, tuple[list[tuple[str, str]], list[tuple[str, str]]]] = {}
        self._remember()

    def change(self) -> Message:
        """Change some levels and return the frame that says so; bids stay below asks."""
        previous, width = self.step, self.random.randint(1, 4)
        self.step += width
        bids = [[f"{self.random.randint(90, 99)}.00", self._size()] for _ in range(width)]
        asks = [[f"{self.random.randint(101, 110)}.00", self._size()] for _ in range(width)]
        message = Message(
            "change", self.symbol, _raw(bids), _raw(asks), previous + 1, self.step, previous,
            at=self.step,
        )
        self._apply(message)
        return message

    def snapshot(self) -> Message:
        """Return the frame, or REST body, with the whole book as it is now."""
        bids, asks = self.truth.books[0].top(1_000)
        message = Message("snapshot", self.symbol, _raw(bids), _raw(asks), last=self.step,
                          at=self.step)
        return self._signed(message)

    def _apply(self, message: Message) -> None:
        delta = Delta(message.symbol, message.bids, message.asks)
        assert self.truth.apply(0, delta, 0, 0) == BookFault.NONE
        self._remember()
        self._signed(message)

    def _signed(self, message: Message) -> Message:
        if self.rules.checksum is not Checksum.NONE:
            message.checksum = self.truth.checksum(0)
        return message

    def _remember(self) -> None:
        self.states[self.step] = self.truth.books[0].top(1_000)

    def _size(self) -> str:
        return self.random.choice(("0.00", "1.00", "2.50", "7.25"))


def _raw(rows: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(rows))
