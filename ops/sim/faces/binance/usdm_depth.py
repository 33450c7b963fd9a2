"""USD-M's other books: diffs every 250 or 500 ms, and the best 5, 10 or 20 levels in full.

Source: developers.binance.com/docs/derivatives/usds-margined-futures (Diff. Book Depth Streams,
Partial Book Depth Streams), read 2026-11-21.  Each speed links its own diffs by ``pu``.
"""

from typing import Final

import orjson

from ops.sim.book import ASK, BID
from ops.sim.face import Outlet, Topic
from ops.sim.faces.binance.public import Pending
from ops.sim.floor import Floor
from ops.sim.listing import Line

SPEEDS_MS: Final = {"depth 250ms": 250, "depth 500ms": 500}
PARTS: Final = {f"depth{levels}": levels for levels in (5, 10, 20)}
PART_SPEEDS: Final = {"": 250, "@250ms": 250, "@500ms": 500, "@100ms": 100}
PARTS_MS: Final = {f"{part} {ms}ms": ms for part in PARTS for ms in (100, 250, 500)}
STREAMS: Final = {  # what follows "<symbol>@", and the channel it is
    "depth": "depth 250ms", "depth@250ms": "depth 250ms", "depth@500ms": "depth 500ms",
    "depth@100ms": "depth",
    **{part + suffix: f"{part} {ms}ms" for part in PARTS for suffix, ms in PART_SPEEDS.items()},
}


class _Waiting:
    """What one stream of one line has yet to send."""

    def __init__(self, sent_id: int) -> None:
        self.pending: Pending = ({}, {})
        self.first_id = 0
        self.sent_id = sent_id
        self.sent_ms = 0


class Depths:
    """Publishes them."""

    def __init__(self, floor: Floor, outlet: Outlet) -> None:
        self._floor, self._outlet = floor, outlet
        self._waiting: dict[Topic, _Waiting] = {}

    def add(self, line: Line, first_id: int, pending: Pending, sent_id: int) -> None:
        """Take a batch of changes in, ``sent_id`` being the last before it; send what is due."""
        for channel in (*SPEEDS_MS, *PARTS_MS):
            topic = (channel, line.native)
            if not self._outlet.wanted(topic):
                self._waiting.pop(topic, None)
                continue
            waiting = self._waiting.setdefault(topic, _Waiting(sent_id))
            waiting.first_id = waiting.first_id or first_id
            for side in (BID, ASK):
                waiting.pending[side].update(pending[side])
            due_ms = waiting.sent_ms + (SPEEDS_MS.get(channel) or PARTS_MS[channel])
            if self._now_ms() >= due_ms:
                self._send(line, topic, waiting)

    def flush(self, line: Line) -> None:
        """Send all that waits."""
        for channel in (*SPEEDS_MS, *PARTS_MS):
            waiting = self._waiting.get((channel, line.native))
            if waiting is not None and waiting.first_id:
                self._send(line, (channel, line.native), waiting)

    def _now_ms(self) -> int:
        return self._floor.now_ns() // 1_000_000

    def _send(self, line: Line, topic: Topic, waiting: _Waiting) -> None:
        now_ms, part = self._now_ms(), PARTS.get(topic[0].partition(" ")[0])
        bids, asks = (
            [(line.price(price), line.size(size)) for price, size in (
                line.book.top(side, part) if part else waiting.pending[side].items())]
            for side in (BID, ASK))
        self._outlet.publish(topic, orjson.dumps({
            "e": "depthUpdate", "E": now_ms, "T": now_ms - 1, "s": line.native,
            "U": waiting.first_id, "u": line.last_id, "pu": waiting.sent_id, "b": bids, "a": asks,
        }))
        waiting.sent_id, waiting.sent_ms, waiting.first_id = line.last_id, now_ms, 0
        for side in (BID, ASK):
            waiting.pending[side].clear()
