"""What closed plans made: in all, on this UTC day, within the last hour, and losses in a row.

The same windows as ``exec.core.situations.losses``, which limits what may be lost; kept as running
sums, so that looking costs what came or went since the last look.
"""

from collections.abc import Sequence
from typing import NamedTuple

from exec.core.situations import DAY_NS, HOUR_NS

Outcome = tuple[int, int, int]  # (unix_ns, strategy, profit) of a plan


class Earned(NamedTuple):
    """Profits in millionths of the reference currency; negative: losses."""

    whole: int
    day: int
    hour: int
    losses_in_row: int  # plans; those that made nothing break no row


class _Window:
    """The sum of the outcomes from a moment on, the moment rising."""

    def __init__(self) -> None:
        self.total = self._first = 0

    def advance(self, outcomes: Sequence[Outcome], seen: int, since_ns: int) -> int:
        """Take in what came since ``seen``, let go what is before ``since_ns``; return the sum."""
        self.total += sum(profit for _, _, profit in outcomes[seen:])
        while self._first < len(outcomes) and outcomes[self._first][0] < since_ns:
            self.total -= outcomes[self._first][2]
            self._first += 1
        return self.total


class Earnings:
    """Follows a growing list of outcomes, in the order of their times."""

    def __init__(self) -> None:
        """Start before the first of them."""
        self._day, self._hour = _Window(), _Window()
        self._seen = self._whole = self._in_row = 0

    def look(self, outcomes: Sequence[Outcome], unix_ns: int) -> Earned:
        """Return what was made as of now; a clock that was set back forgets nothing anew."""
        for _, _, profit in outcomes[self._seen :]:
            self._whole += profit
            if profit:
                self._in_row = self._in_row + 1 if profit < 0 else 0
        day = self._day.advance(outcomes, self._seen, unix_ns // DAY_NS * DAY_NS)
        hour = self._hour.advance(outcomes, self._seen, unix_ns - HOUR_NS)
        self._seen = len(outcomes)
        return Earned(self._whole, day, hour, self._in_row)
