"""Messages to measure with: a recorded Binance stream where there is one, else a seeded likeness.

The recording is ``../shared/captures/binance.spot.20240808`` (or below TRYPTO_SHARED): BTCUSDT and
ETHUSDT, 6,880 messages of depth@100ms and 52,117 of bookTicker in 345 s.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from feeds.recorded.capture import Capture
from feeds.venue import Delta, Quote, Snapshot
from feeds.venues.binance import VENUE

ROOT: Final = Path(__file__).resolve().parent.parent
SHARED: Final = Path(os.environ.get("TRYPTO_SHARED") or ROOT.parent / "shared")
NAME: Final = "binance.spot.20240808.jsonl.gz"
SYMBOLS: Final = ("BTCUSDT", "ETHUSDT")


class Messages(NamedTuple):
    """One stream, spliced: what each book begins with, and every frame that follows it."""

    source: str
    snapshots: dict[str, bytes]  # REST bodies by symbol
    depth: list[bytes]  # frames after the snapshots, in receive order, none stale
    quotes: list[bytes]

    @property
    def levels_mean(self) -> float:
        """Return the mean number of levels in a depth message."""
        pairs = sum(frame.count(b'","') - frame.count(b'":"') for frame in self.depth)
        return pairs / len(self.depth)


def messages() -> Messages:
    """Return the recorded stream, or its likeness where ``shared`` is not there."""
    path = SHARED / "captures" / NAME
    return _recorded(path) if path.is_file() else _likeness(np.random.default_rng(seed=2), 2_000)


def _recorded(path: Path) -> Messages:
    snapshots: dict[str, bytes] = {}
    frames: list[bytes] = []
    capture = Capture(path)
    for line in capture.lines():
        symbol = capture.snapshot_symbol(line.url) if line.ch == "http" else ""
        if symbol:
            snapshots.setdefault(symbol, line.m.encode())
        elif line.ch == "ws" and line.dir == "in":
            frames.append(line.m.encode())
    return _spliced(path.name, snapshots, frames)


def _spliced(source: str, snapshots: dict[str, bytes], frames: Sequence[bytes]) -> Messages:
    """Drop what the snapshots already contain."""
    assert VENUE.decode_snapshot is not None
    last_ids = {
        symbol: VENUE.decode_snapshot(symbol, body).last_id for symbol, body in snapshots.items()}
    depth, quotes = [], []
    for frame in frames:
        for event in VENUE.decode(frame):
            if isinstance(event, Quote):
                quotes.append(frame)
            elif isinstance(event, Delta) and event.last_id > last_ids[event.symbol]:
                depth.append(frame)
    return Messages(source, snapshots, depth, quotes)


def _likeness(random: np.random.Generator, count: int) -> Messages:
    """Invent a stream with the recorded one's shape: 33 levels a message, sorted, a third gone."""
    snapshots, frames = {}, []
    for symbol in SYMBOLS:
        bids = [_level(600_000 - step, random) for step in range(1_000)]
        asks = [_level(600_001 + step, random) for step in range(1_000)]
        snapshots[symbol] = (
            f'{{"lastUpdateId":1,"bids":[{",".join(bids)}],"asks":[{",".join(asks)}]}}'.encode())
    for number in range(count):
        symbol = SYMBOLS[number % 2]
        first_id = 2 + number // 2
        steps = np.sort(random.choice(1_000, 34, replace=False)).tolist()
        bids = [_level(600_000 - step, random) for step in steps[::2]]
        asks = [_level(600_001 + step, random) for step in steps[1::2]]
        stream = symbol.lower()
        frames.append((
            f'{{"stream":"{stream}@depth@100ms","data":{{"e":"depthUpdate","E":1723161255208,'
            f'"s":"{symbol}","U":{first_id},"u":{first_id},"b":[{",".join(bids)}],'
            f'"a":[{",".join(asks)}]}}}}').encode())
        frames.append((
            f'{{"stream":"{stream}@bookTicker","data":{{"u":{first_id},"s":"{symbol}",'
            f'"b":"6000.00000000","B":"1.00000000","a":"6000.01000000","A":"2.00000000"}}}}'
        ).encode())
    return _spliced("seeded likeness", snapshots, frames)


def _level(price_cents: int, random: np.random.Generator) -> str:
    size = 0 if random.random() < 1 / 3 else int(random.integers(1, 10**9))
    return f'["{price_cents / 100:.8f}","{size / 10**8:.8f}"]'


def snapshot_of(stream: Messages, symbol: str) -> Snapshot:
    """Decode what the book of ``symbol`` begins with."""
    assert VENUE.decode_snapshot is not None
    return VENUE.decode_snapshot(symbol, stream.snapshots[symbol])
