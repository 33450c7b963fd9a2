"""Binance spot's other books: diffs once a second, and the best 5, 10 or 20 levels in full.

Source: binance-spot-api-docs:web-socket-streams.md @ a5e0bc3, 2026-11-21.
"""

from collections import defaultdict
from typing import Final, Protocol

from ops.sim.book import ASK, BID
from ops.sim.face import Outlet
from ops.sim.faces.binance.public import Pending
from ops.sim.listing import Line

SLOW: Final = 10  # batches, or ticks of the clock, of 100 ms in one of the slow streams
SLOW_DIFFS: Final = "depth 1s"
PARTS: Final = (5, 10, 20)
FAST_PARTS: Final = {levels: f"depth{levels}" for levels in PARTS}
SLOW_PARTS: Final = {levels: f"depth{levels} 1s" for levels in PARTS}
STREAMS: Final = {  # what follows "<symbol>@", and the channel it is
    "depth": SLOW_DIFFS, "depth@1000ms": SLOW_DIFFS, "depth@100ms": "depth",
    "bookTicker": "bookTicker", "trade": "trade", "aggTrade": "aggTrade",
    "ticker": "ticker", "miniTicker": "miniTicker",
    **{f"depth{levels}@100ms": channel for levels, channel in FAST_PARTS.items()},
    **{f"depth{levels}": channel for levels, channel in SLOW_PARTS.items()},
    **{f"depth{levels}@1000ms": channel for levels, channel in SLOW_PARTS.items()},
}


class Writes(Protocol):
    """What writes books and diffs."""

    def diff(self, line: Line, first_id: int, pending: Pending) -> bytes:
        """Write changes."""

    def depth(self, line: Line, limit: int) -> bytes:
        """Write the best levels."""


class _Waiting:
    """What a line's slow streams have yet to send."""

    def __init__(self) -> None:
        self.pending: Pending = ({}, {})
        self.first_id = 0
        self.batches = 0


class Depths:
    """Publishes them."""

    def __init__(self, outlet: Outlet, writes: Writes) -> None:
        self._outlet, self._writes = outlet, writes
        self._waiting: defaultdict[str, _Waiting] = defaultdict(_Waiting)

    def add(self, line: Line, first_id: int, pending: Pending) -> None:
        """Take a batch of changes in; send what is due."""
        waiting = self._waiting[line.native]
        waiting.first_id = waiting.first_id or first_id
        if self._outlet.wanted((SLOW_DIFFS, line.native)):
            for side in (BID, ASK):
                waiting.pending[side].update(pending[side])
        else:
            waiting.first_id = 0
        self._parts(line, FAST_PARTS)
        waiting.batches += 1
        if waiting.batches >= SLOW:
            self.send(line)

    def send(self, line: Line) -> None:
        """Send what waits for the second's end."""
        waiting = self._waiting[line.native]
        if not waiting.batches:
            return
        if waiting.first_id:
            topic = (SLOW_DIFFS, line.native)
            self._outlet.publish(
                topic, self._writes.diff(line, waiting.first_id, waiting.pending))
        for side in (BID, ASK):
            waiting.pending[side].clear()
        waiting.first_id = waiting.batches = 0
        self._parts(line, SLOW_PARTS)

    def _parts(self, line: Line, channels: dict[int, str]) -> None:
        for levels, channel in channels.items():
            if self._outlet.wanted((channel, line.native)):
                self._outlet.publish((channel, line.native), self._writes.depth(line, levels))
