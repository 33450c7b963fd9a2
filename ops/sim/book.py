"""The reference book: two sorted price lists and their sizes, in whole ticks and lots."""

from bisect import bisect_left, insort
from collections.abc import Iterable
from itertools import islice
from typing import Final, NamedTuple

BID: Final = 0
ASK: Final = 1


class Change(NamedTuple):
    """The absolute new size of one level; size 0 removes it."""

    side: int
    price: int
    size: int


class Touch(NamedTuple):
    """Best prices and their sizes; 0 where a side is empty."""

    bid: int
    bid_size: int
    ask: int
    ask_size: int


_new: Final = tuple.__new__  # a Touch in half the time that its own constructor takes


class Book:
    """One book.  Prices ascend on both sides: the best bid is the last, the best ask the first."""

    __slots__ = ("prices", "sizes")

    def __init__(self) -> None:
        self.prices: tuple[list[int], list[int]] = ([], [])
        self.sizes: tuple[dict[int, int], dict[int, int]] = ({}, {})

    def copy(self) -> "Book":
        """Return another book with the same levels."""
        book = Book()
        book.prices = (self.prices[BID].copy(), self.prices[ASK].copy())
        book.sizes = (self.sizes[BID].copy(), self.sizes[ASK].copy())
        return book

    def set(self, side: int, price: int, size: int) -> None:
        """Give a level its new size; removing an unknown level is harmless."""
        prices, sizes = self.prices[side], self.sizes[side]
        if size:
            if price not in sizes:
                insort(prices, price)
            sizes[price] = size
        elif sizes.pop(price, 0):
            del prices[bisect_left(prices, price)]

    def apply(self, changes: Iterable[Change]) -> None:
        """Set several levels in order."""
        for side, price, size in changes:
            self.set(side, price, size)

    def clear(self) -> None:
        """Forget everything."""
        for side in (BID, ASK):
            self.prices[side].clear()
            self.sizes[side].clear()

    def truncate(self, depth: int) -> list[Change]:
        """Forget all but the best ``depth`` levels per side; return what is gone, as deletions."""
        gone = list[Change]()
        for side in (BID, ASK):
            prices, sizes = self.prices[side], self.sizes[side]
            surplus = len(prices) - depth
            if surplus > 0:
                cut = slice(0, surplus) if side == BID else slice(depth, None)
                for price in prices[cut]:
                    del sizes[price]
                    gone.append(Change(side, price, 0))
                del prices[cut]
        return gone

    def top(self, side: int, count: int) -> list[tuple[int, int]]:
        """Return the best ``count`` levels as (price, size), best first."""
        prices, sizes = self.prices[side], self.sizes[side]
        best_first = reversed(prices) if side == BID else iter(prices)
        return [(price, sizes[price]) for price in islice(best_first, count)]

    def touch(self) -> Touch:
        """Return best prices and sizes."""
        (bids, asks), (bid_sizes, ask_sizes) = self.prices, self.sizes
        bid, ask = (bids[-1] if bids else 0), (asks[0] if asks else 0)
        return _new(Touch, (bid, bid_sizes.get(bid, 0), ask, ask_sizes.get(ask, 0)))
