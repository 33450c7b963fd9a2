"""The 400 levels per side that clients of ``books`` hold of a deeper book.

A level that falls out of them is deleted, one that comes in is told like a change.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from ops.sim.book import BID, Book

DEPTH: Final = 400


class Window:
    """One side of one book, as clients see it."""

    def __init__(self, side: int) -> None:
        self._side = side
        self._shown: frozenset[int] | None = None  # None: all of the side

    def begin(self, book: Book) -> None:
        """Stand where a snapshot of now stands."""
        prices = book.prices[self._side]
        self._shown = self._best(prices) if len(prices) > DEPTH else None

    def changes(self, book: Book, pending: Mapping[int, int]) -> Mapping[int, int]:
        """Return what clients must be told of the changes ``pending``: price -> size."""
        prices, sizes, before = book.prices[self._side], book.sizes[self._side], self._shown
        if before is None and len(prices) <= DEPTH:
            return pending
        now = self._best(prices)
        if before is None:
            before = frozenset(prices) | pending.keys()
        told = dict.fromkeys(before - now, 0)
        told |= {price: sizes[price] for price in now - before}
        told |= {price: size for price, size in pending.items() if price in now}
        self._shown = now if len(prices) > DEPTH else None
        return told

    def _best(self, prices: Sequence[int]) -> frozenset[int]:
        return frozenset(prices[-DEPTH:] if self._side == BID else prices[:DEPTH])
