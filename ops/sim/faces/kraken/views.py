"""What subscribers of one depth hold of a book, and what they must apply to follow it.

A level pushed out by a better one is never deleted by message: each side is cut to the depth by
whoever follows it.  One that comes in is told like a change.
"""

from collections.abc import Sequence

from ops.sim.book import ASK, BID, Change
from ops.sim.face import Topic
from ops.sim.listing import Line

Levels = list[tuple[int, int]]
Prices = tuple[frozenset[int], frozenset[int]] | None  # None: every level there is


class Views:
    """The prices that followers of each topic know."""

    def __init__(self) -> None:
        self._views: dict[Topic, Prices] = {}

    def begin(self, topic: Topic, line: Line, depth: int) -> None:
        """Note that everyone who follows the topic has the book as it is."""
        self._views[topic] = _prices(line, depth)

    def join(self, topic: Topic, line: Line, depth: int) -> None:
        """Note that somebody has the book as it is; the others are as far already."""
        self._views.setdefault(topic, _prices(line, depth))

    def drop(self, topic: Topic) -> None:
        """Forget a topic that nobody follows."""
        self._views.pop(topic, None)

    def rows(
        self, topic: Topic, line: Line, depth: int, changes: Sequence[Change]
    ) -> tuple[Levels, Levels]:
        """Return the bids and asks to apply after ``changes``; size 0 removes."""
        now = _prices(line, depth)
        before = self._views.get(topic, now)
        self._views[topic] = now
        rows: tuple[Levels, Levels] = ([], [])
        for side, price, size in changes:
            if now is None or before is None or price in now[side] or price in before[side]:
                stays = price in line.book.sizes[side]
                rows[side].append((price, size if stays else 0))
        if before is None:
            return rows  # whoever had every level needs no more than the changes
        now = now or (frozenset(line.book.sizes[BID]), frozenset(line.book.sizes[ASK]))
        for side in (BID, ASK):
            sizes, told = line.book.sizes[side], {price for price, _ in rows[side]}
            came_in = sorted(now[side] - before[side] - told, reverse=side == BID)
            rows[side].extend((price, sizes[price]) for price in came_in)
            gone = {price for price in before[side] - now[side] - told if price not in sizes}
            rows[side].extend((price, 0) for price in gone)
        return rows


def _prices(line: Line, depth: int) -> Prices:
    bids, asks = line.book.prices
    if not line.recorded and len(bids) <= depth and len(asks) <= depth:
        return None  # a recording's book is cut without telling: its prices must be compared
    return frozenset(bids[-depth:]), frozenset(asks[:depth])
