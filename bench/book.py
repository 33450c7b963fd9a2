"""From a frame to a published book: decode, parse, apply and publish, one core, one process.

    frame ─▶ msgspec: envelope ─▶ one kernel: levels, book, 50 levels in a slot, ring, bell

Measured: everything between the bytes of a frame and the release of the slot's index.  Left out:
the socket, TLS and the judgement of sequence numbers (``feeds/sync.py``), except in the line
"through the core", which is what a live feed runs.  No reader competes for the cache lines.
Closed loop: each message is timed alone, as if it found the feed idle.  "At its best round" takes
of every message the fastest of all rounds: what remains of a time where other programs share
the cores.
"""

import gc
import hashlib
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.harness import Target, machine, parameter, report
from bench.messages import Messages, messages, snapshot_of
from engine.model.clock import SystemClock
from engine.model.instrument import Instrument, Pair
from engine.model.quanta import from_quanta, plain
from feeds.book.publish import Memory, Publisher
from feeds.catalog import Listed
from feeds.core import Core
from feeds.venues.binance import VENUE
from shm.layout import BookFault, BookState

DEPTH = 50  # levels per side in shared memory
TARGET = Target("mean", 8.0)
_NAMES = {"BTCUSDT": "BTC/USDT", "ETHUSDT": "ETH/USDT"}


class Books:
    """The books of the stream, loaded and live."""

    def __init__(self, stream: Messages) -> None:
        self.local = {symbol: local for local, symbol in enumerate(stream.snapshots)}
        instruments = [
            Instrument(
                index=local, local_index=local, venue="binance", venue_index=0,
                pair=Pair.parse(_NAMES[symbol]), group_index=local, price_decimals=8,
                size_decimals=8)
            for symbol, local in self.local.items()
        ]
        self.listed = [
            Listed(it, symbol) for it, symbol in zip(instruments, self.local, strict=True)]
        self.memory = Memory.plain(DEPTH, len(instruments))
        self.publisher = Publisher(VENUE, instruments, self.memory, levels_max=16_384)
        for symbol, local in self.local.items():
            fault = self.publisher.load(local, snapshot_of(stream, symbol), 0, 0)
            assert fault == BookFault.NONE, fault

    def digest(self) -> str:
        """Return a short SHA-1 over the top 50 of all books, as the captures' index defines it."""
        found = []
        for book in self.publisher.books:
            bid, bid_size, ask, ask_size = (column.tolist() for column in book.top(50))
            sides = ((bid, bid_size), (ask, ask_size))
            text = "|".join(
                ",".join(
                    f"{plain(from_quanta(price, 8))}:{plain(from_quanta(size, 8))}"
                    for price, size in zip(*side, strict=True))
                for side in sides)
            found.append(hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()[:8])
        return "+".join(found)


def time_each(act: Callable[[bytes], object], frames: Sequence[bytes]) -> NDArray[np.int64]:
    """Call ``act`` once per frame; return how long each call took, in ns."""
    took = np.empty(len(frames), np.int64)
    clock = time.perf_counter_ns
    gc.collect()
    gc.disable()
    try:
        for at, frame in enumerate(frames):
            start = clock()
            act(frame)
            took[at] = clock() - start
    finally:
        gc.enable()
    return took


def depth_messages(stream: Messages, rounds: int) -> None:
    """Time the recorded diffs; every round begins with fresh books."""
    took = []
    for _ in range(rounds):
        books = Books(stream)
        took.append(time_each(depth_action(books), stream.depth))
        digest = books.digest()
    ns = np.concatenate(took)
    report(
        "depth: decode to publish", ns, target=TARGET, levels=f"{stream.levels_mean:.1f}",
        messages_per_s=f"{1e9 / ns.mean():,.0f}", books=digest)
    report("  each at its best round", np.min(took, axis=0))


def depth_action(books: Books) -> Callable[[bytes], None]:
    """Return what takes a depth frame from bytes to a published book."""
    decode: Callable[[bytes], Sequence[Any]] = VENUE.decode
    apply, local = books.publisher.apply, books.local

    def act(frame: bytes) -> None:
        (change,) = decode(frame)
        apply(local[change.symbol], change, 0, 0)

    return act


def decode_alone(stream: Messages) -> None:
    """Time the envelope alone: the part that is not ours."""
    report("depth: decode alone", time_each(VENUE.decode, stream.depth))


def through_core(stream: Messages, rounds: int) -> None:
    """Time the recorded diffs as a live feed takes them: sequence rules and state included."""
    took = []
    for _ in range(rounds):
        books = Books(stream)
        core = Core(VENUE, books.listed, books.publisher, _Quiet(), SystemClock())
        core.opened(0, list(books.local))
        core.frame(0, b'{"result":null,"id":1}', 0, 0)
        for symbol, body in stream.snapshots.items():
            core.snapshot(symbol, body, 0, 0)
        assert all(core.sync(symbol).state is BookState.LIVE for symbol in books.local)
        took.append(time_each(lambda frame, core=core: core.frame(0, frame, 0, 0), stream.depth))  # type: ignore[misc]
        assert all(core.sync(symbol).state is BookState.LIVE for symbol in books.local)
        digest = books.digest()
    report("depth: through the core", np.concatenate(took), books=digest)
    report("  each at its best round", np.min(took, axis=0))


class _Quiet:
    """A port into nowhere."""

    def send(self, connection: int, frame: bytes) -> None:
        """Do nothing."""

    def want_snapshot(self, native: str) -> None:
        """Do nothing."""

    def drop(self, connection: int, reason: str) -> None:
        """Do nothing."""

    def rotate(self, connection: int, reason: str) -> None:
        """Do nothing."""

    def changed(self, native: str, state: BookState, fault: BookFault, reason: str) -> None:
        """Do nothing."""


def one_level(stream: Messages, turns: int) -> None:
    """Time the smallest message: one level comes, changes and goes, next to the best bid."""
    books = Books(stream)
    symbol = next(iter(books.local))
    best = int(books.publisher.books[0].top(1)[0][0]) - 1_000_000
    price = from_quanta(best, 8)
    frames = [
        (f'{{"stream":"{symbol.lower()}@depth@100ms","data":{{"e":"depthUpdate",'
         f'"E":1723161255208,"s":"{symbol}","U":1,"u":1,"b":[["{price}","{size}"]],"a":[]}}}}'
         ).encode()
        for size in ("1.00000000", "0.50000000", "0.00000000")
    ]
    took = time_each(depth_action(books), [frames[turn % 3] for turn in range(turns)])
    report("one level: decode to publish", took, books=books.digest())


def quotes(stream: Messages) -> None:
    """Time the recorded best bids and offers, most of a feed's messages."""
    books = Books(stream)
    decode: Callable[[bytes], Sequence[Any]] = VENUE.decode
    quote, local = books.publisher.quote, books.local

    def act(frame: bytes) -> None:
        (event,) = decode(frame)
        quote(local[event.symbol], event, 0, 0)

    took = time_each(act, stream.quotes)
    _, last = books.memory.books.read_quote(0)
    assert int(books.memory.books.records["status"]["quotes"].sum()) == len(stream.quotes)
    report("quote: decode to publish", took, last=f"{last['bid_price']}/{last['ask_price']}")


def main() -> None:
    """Print one line per kind of message."""
    stream = messages()
    rounds = parameter("rounds", smoke=1, full=10)
    print(machine())
    print(f"{stream.source}: {len(stream.depth)} depth messages, {len(stream.quotes)} quotes")
    time_each(depth_action(Books(stream)), stream.depth)  # pages, caches and branch predictors
    depth_messages(stream, rounds)
    decode_alone(stream)
    through_core(stream, rounds)
    one_level(stream, parameter("turns", smoke=300, full=100_000))
    quotes(stream)


if __name__ == "__main__":
    main()
