"""What plans made: this UTC day's and the last hour's losses, and how many in a row.

Results are summed by the minute, so a day takes 1,440 numbers whatever was traded in it; a minute
of the last hour counts until all of it is past.
"""

from bisect import bisect_left
from typing import Final, NamedTuple

MINUTE_NS: Final = 60_000_000_000
HOUR: Final = 60  # minutes
DAY: Final = 24 * HOUR
KEPT_MAX: Final = 2 * DAY  # minutes with results


class Earned(NamedTuple):
    """Profits in millionths of the reference currency; negative: losses."""

    whole: int
    day: int  # of UTC: Unix time has no other seconds
    hour: int
    losses_in_row: int  # strategies' plans; those that made nothing break no row


class Losses(NamedTuple):
    """What limits compare: losses, positive, 0 for a time that won."""

    day: int
    hour: int
    in_row: int


class Outcomes:
    """Results of plans in the order of their ends."""

    def __init__(self) -> None:
        self._minutes: list[int] = []  # since the Unix epoch, rising
        self._totals: list[int] = []  # of everything until that minute's end
        self._gone = self._in_row = 0  # what was made before the first of them; losses in a row
        self._known = -1, Earned(0, 0, 0, 0)  # what was told last, and in which minute

    def add(self, unix_ns: int, profit_micro: int, *, in_row: bool = True) -> None:
        """Take in a result; what a clock that was set back calls the future happens now.

        ``in_row`` is False for what an operator did: it is part of no strategy's row.
        """
        minute, total = unix_ns // MINUTE_NS, self._total + profit_micro
        while self._minutes and self._minutes[-1] >= minute:
            self._minutes.pop()
            self._totals.pop()
        self._minutes.append(minute)
        self._totals.append(total)
        if len(self._minutes) > 2 * KEPT_MAX:
            self._gone = self._totals[-KEPT_MAX - 1]
            del self._minutes[:-KEPT_MAX], self._totals[:-KEPT_MAX]
        self._known = -1, self._known[1]
        if profit_micro and in_row:
            self._in_row = self._in_row + 1 if profit_micro < 0 else 0

    def begin_row(self) -> None:
        """Count losses in a row from none again: an operator looked at those there were."""
        self._known, self._in_row = (-1, self._known[1]), 0

    def __len__(self) -> int:
        """Return how many minutes are kept."""
        return len(self._minutes)

    @property
    def _total(self) -> int:
        return self._totals[-1] if self._totals else self._gone

    def earned(self, unix_ns: int) -> Earned:
        """Return what was made as of now."""
        minute = unix_ns // MINUTE_NS
        if self._known[0] != minute:
            self._known = minute, Earned(
                self._total, self._since(minute - minute % DAY), self._since(minute - HOUR),
                self._in_row)
        return self._known[1]

    def losses(self, unix_ns: int) -> Losses:
        """Return what was lost as of now."""
        _, day, hour, in_row = self.earned(unix_ns)
        return Losses(max(0, -day), max(0, -hour), in_row)

    def _since(self, minute: int) -> int:
        at = bisect_left(self._minutes, minute)
        return self._total - (self._totals[at - 1] if at else self._gone)
