"""The liquidity that we took: gone for us until the venue's own book shows that it is gone.

The live book goes on showing what our paper order took.  So each level remembers how much of it is
ours already.  When the level shrinks, what left is shared pro rata between what we took and what we
did not, rounded against us; what is added to it is new; a level that leaves the book is forgotten.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

LEVELS_MAX: Final = 4_096  # per side of one book; the oldest is forgotten first

Levels = Sequence[tuple[int, int]]  # (price, size), best first


class _Taken(msgspec.Struct):
    size: int
    shown: int  # by the venue, when we looked last


class Consumed:
    """What we took of one side of one book; ``side`` as of who takes it: +1 took asks."""

    def __init__(self, side: int) -> None:
        self._side = side
        self._taken: dict[int, _Taken] = {}

    def __bool__(self) -> bool:
        """Return whether anything is gone for us that the book still shows."""
        return bool(self._taken)

    def left(self, levels: Levels) -> list[tuple[int, int]]:
        """Return levels without what we took; ``look`` at them first."""
        found = []
        for price, size in levels:
            taken = self._taken.get(price)
            rest = size - taken.size if taken is not None else size
            if rest > 0:
                found.append((price, rest))
        return found

    def take(self, price: int, size: int, shown: int) -> None:
        """Note that we took ``size`` of a level which shows ``shown``."""
        taken = self._taken.setdefault(price, _Taken(0, shown))
        taken.size, taken.shown = taken.size + size, shown
        if len(self._taken) > LEVELS_MAX:
            del self._taken[next(iter(self._taken))]

    def look(self, levels: Levels) -> None:
        """Compare with what the book shows now; beyond its last level nothing is known."""
        if not self._taken:
            return
        shown = dict(levels)
        last = levels[-1][0] if levels else None
        for price, taken in [*self._taken.items()]:
            size = shown.get(price, 0)
            if not size and last is not None and (price - last) * self._side > 0:
                continue
            if size < taken.shown:
                taken.size = -(-taken.size * size // taken.shown)
            taken.shown = size
            if not taken.size:
                del self._taken[price]

    def words(self) -> list[tuple[int, int, int]]:
        """Return all of it in order, for a hash."""
        return sorted((price, each.size, each.shown) for price, each in self._taken.items())
