"""How far subscribers of one depth see into a book, and what they must apply to follow it.

A level pushed out by a better one is never deleted by message: each side is cut to the depth by
whoever follows it, so only levels within the depth as it is now matter.  One that comes in is
told like a change.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Final

from ops.sim.book import ASK, BID, Change
from ops.sim.face import Topic
from ops.sim.listing import Line

Levels = list[tuple[int, int]]
Edges = tuple[int, int]  # the worst bid and ask within a depth
NO_EDGES: Final[Edges] = (0, 1 << 62)  # all prices are within


class Views:
    """The edges that followers of each topic know."""

    def __init__(self) -> None:
        self._edges: dict[Topic, Edges] = {}

    def begin(self, topic: Topic, line: Line, depth: int) -> None:
        """Note that everyone who follows the topic has the book as it is."""
        self._edges[topic] = edges(line, depth)

    def join(self, topic: Topic, line: Line, depth: int) -> None:
        """Note that somebody has the book as it is; the others are as far already."""
        self._edges.setdefault(topic, edges(line, depth))

    def drop(self, topic: Topic) -> None:
        """Forget a topic that nobody follows."""
        self._edges.pop(topic, None)

    def rows(
        self, topic: Topic, line: Line, depth: int, changes: Sequence[Change]
    ) -> tuple[Levels, Levels]:
        """Return the bids and asks to apply after ``changes``; size 0 removes."""
        now = edges(line, depth)
        before = self._edges.get(topic, now)
        self._edges[topic] = now
        rows: tuple[Levels, Levels] = ([], [])
        for side, price, size in changes:
            if price >= now[BID] if side == BID else price <= now[ASK]:
                stays = price in line.book.sizes[side]
                rows[side].append((price, size if stays else 0))
        for side in (BID, ASK):
            if before[side] != now[side]:
                rows[side].extend(_came_in(line, side, before[side], now[side], rows[side]))
        return rows


def edges(line: Line, depth: int) -> Edges:
    """Return the worst prices among the best ``depth`` of each side."""
    bids, asks = line.book.prices
    return (bids[-depth] if len(bids) >= depth else NO_EDGES[BID],
            asks[depth - 1] if len(asks) >= depth else NO_EDGES[ASK])


def _came_in(
    line: Line, side: int, before: int, now: int, told: Iterable[tuple[int, int]]
) -> Levels:
    """Return the levels beyond the edge of before that are within the depth now, best first."""
    prices, sizes = line.book.prices[side], line.book.sizes[side]
    known = {price for price, _ in told}
    found = (prices[bisect_left(prices, now) : bisect_left(prices, before)][::-1] if side == BID
             else prices[bisect_right(prices, before) : bisect_right(prices, now)])
    return [(price, sizes[price]) for price in found if price not in known]
