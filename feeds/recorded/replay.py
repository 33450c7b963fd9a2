"""Recorded frames through the very code that live frames take; no network, no waiting.

Several captures are merged on their receive times; of equal times the capture named first goes
first, then the order of its lines.  After each event that changed what readers see, ``after``
is called: a detector that scans then has seen every state, each exactly once, and two runs over
the same files are the same run.  The parts of a splice (the REST book, then the changes kept
for it) are BOOK events of a book that is not LIVE yet; the STATE event after them says that it
is.  Silence is not judged: a recording's pauses are its recorder's.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

from engine.model.clock import ManualClock
from engine.model.errors import CaptureInvalid
from engine.model.instrument import Instrument, Pair
from feeds.book.publish import Memory, Publisher
from feeds.catalog import Listed
from feeds.core import Core
from feeds.port import Books
from feeds.recorded.capture import Capture, Line
from feeds.recorded.survey import Numbers, Surveyed, Symbol, decimals, survey, unread
from feeds.venue import Delta, Link, Quote, Snapshot, Trade, Venue
from shm.layout import BookFault, BookState, UpdateKind

LEVELS_MAX: Final = 16_384  # per side, as the config's default
_SOCKETS_MAX: Final = 1_000  # per capture; numbers the sockets of one market apart


class Happened(NamedTuple):
    """One event that readers can see now."""

    market: str  # "binance.spot"
    native: str
    kind: UpdateKind
    t: int  # receive time of its line, unix ns
    line: int  # 0-based, in ``capture``
    capture: Capture


After = Callable[[Happened], None]


class Tally:
    """What one symbol's replay added up to."""

    def __init__(self) -> None:
        self.updates = 0
        self.trades = 0
        self.trade_volume = Decimal(0)


class Market:
    """One market of a replay: its instruments in the order of the survey, its books, its core."""

    def __init__(self, surveyed: Surveyed, listed: Sequence[Listed], depth: int) -> None:
        self.venue = surveyed.venue
        self.name = surveyed.market
        self.captures = surveyed.captures
        self.listed = listed
        self.tallies = {it.native: Tally() for it in listed}
        self.memory = Memory.plain(depth, len(listed))
        self.books = Publisher(
            self.venue, [it.instrument for it in listed], self.memory, levels_max=LEVELS_MAX,
            timed=False,
        )
        self._clock = ManualClock()
        self._seen = _Seen(self, self.books)
        self.core = Core(self.venue, listed, self._seen, _Recorded(), self._clock)
        self._open: dict[int, Capture] = {}
        self._ended: set[int] = set()

    def take(self, capture: Capture, number: int, line: Line, after: After | None) -> None:
        """Let the core have line ``number`` of ``capture``."""
        self._clock.set(mono_ns=line.t, unix_ns=line.t)
        self._seen.now(capture, number, line.t, after)
        if line.ch == "http":
            native = capture.snapshot_symbol(line.url) if line.dir == "in" else ""
            if native:
                self.core.snapshot(native, line.m.encode(), line.t, line.t)
            return
        connection = self.captures.index(capture) * _SOCKETS_MAX + line.c
        if line.ev == "connect" or connection not in self._open:
            self._reopen(capture, connection)
        if line.dir == "in":
            self.core.frame(connection, line.m.encode(), line.t, line.t)

    def end(self, capture: Capture) -> None:
        """Note that ``capture`` is over; its sockets stay open until another one begins."""
        self._ended.add(id(capture))

    def _reopen(self, capture: Capture, connection: int) -> None:
        for other, owner in list(self._open.items()):
            if other == connection or id(owner) in self._ended:
                del self._open[other]
                self.core.closed(other)
        self._open[connection] = capture
        self.core.opened(connection, self.tallies)


class Replay:
    """Captures and the markets that they hold; ``run`` plays them once from end to end.

    All instruments of one base and quote have the quanta with which most of their numbers can be
    read, see ``feeds.recorded.survey``; ``unread`` counts the others, by market and native symbol.
    """

    def __init__(self, paths: Sequence[str | Path], depth: int = 50) -> None:
        """Survey ``paths``; raise CaptureInvalid for what cannot be replayed together.

        ``depth`` levels per side are published, as they are to shared memory.
        """
        surveyed = survey(paths)
        _refuse_two_protocols(surveyed)
        listed = _list(surveyed)
        self.markets = [Market(*pair, depth) for pair in zip(surveyed, listed, strict=True)]
        self.unread = {
            f"{market.market}:{it.native}": count
            for market, lines in zip(surveyed, listed, strict=True) for it in lines
            if (count := _unread(market.symbols[it.native], it.instrument))
        }
        self._order = {Path(path): at for at, path in enumerate(paths)}

    def run(self, after: After | None = None) -> None:
        """Play all captures, merged on receive time, calling ``after`` as the module says."""
        streams = sorted(
            ((self._order[capture.path], market, capture)
             for market in self.markets for capture in market.captures),
            key=lambda stream: stream[0],
        )
        lines = [_stamped(market, capture) for _, market, capture in streams]
        for market, capture, number, line in heapq.merge(*lines, key=lambda item: item[3].t):
            market.take(capture, number, line, after)


def _stamped(market: Market, capture: Capture) -> Iterator[tuple[Market, Capture, int, Line]]:
    for number, line in enumerate(capture.lines()):
        yield market, capture, number, line
    market.end(capture)


class _Recorded:
    """The port of a replay: what was asked for then is in the recording, or nowhere."""

    def send(self, connection: int, frame: bytes) -> None:
        """Do nothing: the venue's answer, if any, is recorded."""

    def want_snapshot(self, native: str) -> None:
        """Do nothing: the recorder asked when it did."""

    def drop(self, connection: int, reason: str) -> None:
        """Do nothing: the recorder's connection went on."""

    def rotate(self, connection: int, reason: str) -> None:
        """Do nothing: the recorder's connection went on."""

    def changed(self, native: str, state: BookState, fault: BookFault, reason: str) -> None:
        """Do nothing: counts and the final state tell it."""


class _Seen:
    """Books that count, and tell of each event once it can be seen."""

    def __init__(self, market: Market, books: Books) -> None:
        self._market, self._books = market, books
        self._natives = list(market.tallies)
        self._tallies = list(market.tallies.values())
        self._capture: Capture = market.captures[0]
        self._line = self._t = 0
        self._after: After | None = None
        self.truncate, self.is_short = books.truncate, books.is_short

    def now(self, capture: Capture, line: int, t: int, after: After | None) -> None:
        """Say which line the next events come from."""
        self._capture, self._line, self._t, self._after = capture, line, t, after

    def load(self, local: int, snapshot: Snapshot, recv_unix_ns: int, recv_mono_ns: int) -> int:
        """Load, then tell."""
        fault = self._books.load(local, snapshot, recv_unix_ns, recv_mono_ns)
        self._tell(local, UpdateKind.BOOK, fault)
        return fault

    def apply(self, local: int, change: Delta, recv_unix_ns: int, recv_mono_ns: int) -> int:
        """Apply, count, then tell."""
        fault = self._books.apply(local, change, recv_unix_ns, recv_mono_ns)
        self._tallies[local].updates += not fault
        self._tell(local, UpdateKind.BOOK, fault)
        return fault

    def quote(self, local: int, quote: Quote, recv_unix_ns: int, recv_mono_ns: int) -> int:
        """Publish, then tell."""
        fault = self._books.quote(local, quote, recv_unix_ns, recv_mono_ns)
        self._tell(local, UpdateKind.QUOTE, fault)
        return fault

    def trade(self, local: int, trade: Trade, recv_unix_ns: int, recv_mono_ns: int) -> int:
        """Publish, count, then tell."""
        fault = self._books.trade(local, trade, recv_unix_ns, recv_mono_ns)
        if not fault:
            self._tallies[local].trades += 1
            self._tallies[local].trade_volume += Decimal(trade.size)
        self._tell(local, UpdateKind.TRADE, fault)
        return fault

    def state(self, local: int, state: int, fault: int, now_mono_ns: int) -> None:
        """Write the state word, then tell."""
        self._books.state(local, state, fault, now_mono_ns)
        self._tell(local, UpdateKind.STATE, 0)

    def _tell(self, local: int, kind: UpdateKind, fault: int) -> None:
        if self._after is not None and not fault:
            self._after(Happened(
                self._market.name, self._natives[local], kind, self._t, self._line, self._capture,
            ))


def last_update_id(venue: Venue, last_id: int) -> int | str | None:
    """Return an id as the venue writes it: a number, else the message's time, None without any."""
    if venue.link in (Link.FIRST_IS_NEXT, Link.PREVIOUS_IS_LAST):
        return last_id
    if not last_id:
        return None
    seconds, ns = divmod(last_id, 1_000_000_000)
    fraction = f"{ns // 1000:06d}" if ns % 1000 == 0 else f"{ns:09d}"
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{fraction}Z"


def _list(markets: Sequence[Surveyed]) -> list[list[Listed]]:
    """Give every symbol its place in the table, its group, and quanta common to that."""
    groups: dict[str, list[Symbol]] = {}
    for market in markets:
        for symbol in market.symbols.values():
            groups.setdefault(_pair(symbol).group, []).append(symbol)
    quanta = {
        group: (decimals(_together(it.prices for it in symbols)),
                decimals(_together(it.sizes for it in symbols)))
        for group, symbols in groups.items()
    }
    group_indices = {group: at for at, group in enumerate(groups)}
    index, table = 0, []
    for venue_index, market in enumerate(markets):
        listed = []
        for local_index, symbol in enumerate(market.symbols.values()):
            pair = _pair(symbol)
            listed.append(Listed(Instrument(
                index=index, local_index=local_index, venue=market.venue.name,
                venue_index=venue_index, pair=pair, group_index=group_indices[pair.group],
                price_decimals=quanta[pair.group][0], size_decimals=quanta[pair.group][1],
            ), symbol.native))
            index += 1
        table.append(listed)
    return table


def _unread(symbol: Symbol, instrument: Instrument) -> int:
    return (unread(symbol.prices, instrument.price_decimals)
            + unread(symbol.sizes, instrument.size_decimals))


def _together(all_numbers: Iterable[Numbers]) -> Numbers:
    total: Numbers = Counter()
    for numbers in all_numbers:
        total.update(numbers)
    return total


def _pair(symbol: Symbol) -> Pair:
    """Take a unified name apart; what has none (options of a recording) keeps its native one."""
    return Pair.parse(symbol.name) if symbol.name else Pair(base=symbol.native, quote="")


def _refuse_two_protocols(markets: Sequence[Surveyed]) -> None:
    taken: set[tuple[str, str]] = set()
    for market in markets:
        for key in ((market.market, native) for native in market.symbols):
            if key in taken:
                raise CaptureInvalid(
                    f"{market.captures[0].path}: {key[0]}:{key[1]} is also in a capture of "
                    "another protocol; right would be to replay them one at a time"
                )
            taken.add(key)
