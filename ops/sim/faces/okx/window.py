"""The 400 levels per side that clients of ``books`` hold of a deeper book.

A level that falls out of them is deleted, one that comes in is told like a change.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from typing import Final

from ops.sim.book import BID, Book

DEPTH: Final = 400


class Window:
    """One side of one book, as clients see it."""

    def __init__(self, side: int) -> None:
        self._side = side
        self._shown: set[int] | None = None  # None: all of the side
        self._edge = 0  # the worst price shown

    def begin(self, book: Book) -> None:
        """Stand where a snapshot of now stands."""
        prices = book.prices[self._side]
        self._shown = None
        if len(prices) > DEPTH:
            self._shown = set(prices[-DEPTH:] if self._side == BID else prices[:DEPTH])
            self._edge = self._worst(prices)

    def changes(self, book: Book, pending: Mapping[int, int]) -> Mapping[int, int]:
        """Return what clients must be told of the changes ``pending``: price -> size."""
        prices, shown = book.prices[self._side], self._shown
        if shown is None:
            if len(prices) <= DEPTH:
                return pending
            shown = set(prices) | pending.keys()
            self._edge = prices[0] if self._side == BID else prices[-1]
        told = self._moved(book, shown)
        for price, size in pending.items():
            if price >= self._edge if self._side == BID else price <= self._edge:
                told[price] = size
                (shown.add if size else shown.discard)(price)
            elif price in shown:
                told[price] = 0
                shown.remove(price)
        self._shown = shown if len(prices) > DEPTH else None
        return told

    def _worst(self, prices: list[int]) -> int:
        few = len(prices) <= DEPTH
        if self._side == BID:
            return prices[0 if few else -DEPTH] if prices else 0
        return prices[-1 if few else DEPTH - 1] if prices else 0

    def _moved(self, book: Book, shown: set[int]) -> dict[int, int]:
        """Bring the edge to where it is now; return what fell out and what came in."""
        prices, sizes = book.prices[self._side], book.sizes[self._side]
        before, now = self._edge, self._worst(prices)
        self._edge = now
        low, high = min(before, now), max(before, now)
        between = prices[bisect_left(prices, low) : bisect_right(prices, high)]
        told: dict[int, int] = {}
        for price in between:
            is_in = price >= now if self._side == BID else price <= now
            if is_in and price not in shown:
                told[price] = sizes[price]
                shown.add(price)
            elif not is_in and price in shown:
                told[price] = 0
                shown.remove(price)
        return told
