"""What a line's tape remembers: the last trades and quotes, and the day's figures.

Nothing is older than the simulator, so the day and the last 24 hours are the same here.
"""

from collections import deque
from typing import Final, NamedTuple

from ops.sim.face import Print
from ops.sim.listing import Line

TRADES_MAX: Final = 1_000  # that REST gives at most
SPREADS_MAX: Final = 200


class Trade(NamedTuple):
    """A public trade and when it was."""

    at_ns: int
    print: Print


class Spread(NamedTuple):
    """A quote and when it became one."""

    at_ns: int
    bid: int
    ask: int


class Past:
    """One line's tape, in the line's own quanta."""

    def __init__(self, line: Line) -> None:
        self.trades: deque[Trade] = deque(maxlen=TRADES_MAX)
        self.spreads: deque[Spread] = deque(maxlen=SPREADS_MAX)
        self._line = line
        self._last = self._open = self._low = self._high = 0
        self.last_size = 1
        self.count = self.volume = self.value = 0

    def traded(self, at_ns: int, each: Print) -> None:
        """Take in one trade."""
        if not self.count:
            self._open = self._low = self._high = each.price
        self.trades.append(Trade(at_ns, each))
        self._last, self.last_size = each.price, each.size
        self._low, self._high = min(self._low, each.price), max(self._high, each.price)
        self.count += 1
        self.volume += each.size
        self.value += each.size * each.price

    @property
    def last(self) -> int:
        """Return the last price; before the first trade, the best bid."""
        return self._last or self._line.book.touch().bid

    @property
    def open(self) -> int:
        """Return the first price."""
        return self._open or self.last

    @property
    def low(self) -> int:
        """Return the lowest price."""
        return self._low or self.last

    @property
    def high(self) -> int:
        """Return the highest price."""
        return self._high or self.last

    @property
    def average(self) -> int:
        """Return the volume-weighted price."""
        return self.value // self.volume if self.volume else self.last
