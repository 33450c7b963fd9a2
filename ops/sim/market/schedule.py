"""When a line's messages come: on its venue's clock with quotes between, or in bursts.

The mean rate is kept whatever the bursts are: pauses grow or shrink with how far the messages
sent so far are ahead of their number or behind it.
"""

import math
from random import Random
from typing import Final

from ops.sim.market.draws import PAUSES, SIZE
from ops.sim.market.habits import Habit

NS: Final = 1_000_000_000
JITTER_NS: Final = 500_000  # mean lateness of a diff on a clock
DRIFT: Final = 0.05  # how far a line's own clock is off, from one diff to the next
BURST_NS: Final = 40_000  # mean distance within a burst
CORRECTION: Final = 0.5  # of the lead or backlog is made up for in one pause
SHARE_MIN: Final = 0.05
SHARE_POWER: Final = 1.2  # COIN-M's diffs of 11 ms hold 9.8 levels, USD-M's of 52 ms hold 66
LEAD_MAX: Final = 10  # messages ahead of the rate: then no more bursts
PAUSE_MIN: Final = 0.05  # of the mean gap


class Schedule:
    """One line's times.  ``next_ns`` is asked after each message."""

    __slots__ = ("_beat_ns", "_bursts", "_due_ns", "_gap_ns", "_is_clocked", "_is_common",
                 "_pause_ns", "_quotes", "_random", "_waiting", "is_quote")

    def __init__(self, habit: Habit, gap_s: float, random: Random) -> None:
        self._random, self._gap_ns = random, gap_s * NS
        self._is_clocked, self._is_common = habit.clock_s > 0, habit.is_common
        self._quotes = habit.quotes * share(habit, gap_s)
        self._bursts = habit.bursts
        self._pause_ns = self._gap_ns / (1 - habit.bursts)
        self._beat_ns = habit.clock_s * NS if gap_s > habit.clock_s else self._gap_ns
        self._due_ns = -self._gap_ns * (1.0 if habit.is_common else random.random())
        self._waiting: list[int] = []  # quotes before the next diff, the nearest last
        self.is_quote = False  # whether the next message is a quote alone

    def next_ns(self, now_ns: int, *, is_behind: bool) -> int:
        """Return when the line moves next; ``is_behind``: at once, if the venue sends in bursts."""
        if self._is_clocked:
            return self._on_clock(now_ns)
        random = self._random.random
        pause = PAUSES[int(random() * SIZE)]
        self._due_ns += self._gap_ns
        may_burst = self._due_ns - now_ns < LEAD_MAX * self._gap_ns
        if may_burst and (is_behind or random() < self._bursts):
            return now_ns + 1 + int(pause * BURST_NS)
        mean_ns = self._pause_ns + CORRECTION * (self._due_ns - now_ns)
        return now_ns + 1 + int(pause * max(mean_ns, PAUSE_MIN * self._gap_ns))

    def _on_clock(self, now_ns: int) -> int:
        random = self._random.random
        if not self.is_quote and not self._waiting:  # that was a diff
            self._due_ns += self._gap_ns * (1 + DRIFT * (2 * random() - 1))
            beat_ns = self._due_ns
            if self._is_common:
                beat_ns = math.ceil(beat_ns / self._beat_ns - 0.5) * self._beat_ns
            count = int(PAUSES[int(random() * SIZE)] * self._quotes + 0.5) if self._quotes else 0
            late_ns = min(PAUSES[int(random() * SIZE)] * JITTER_NS, self._gap_ns / 4)
            diff_ns = max(now_ns + 1, int(beat_ns + late_ns))
            if not count:
                return diff_ns
            self._waiting = sorted(
                (now_ns + 1 + int(random() * (diff_ns - now_ns)) for _ in range(count)),
                reverse=True)
            self._waiting.insert(0, diff_ns)
        next_ns = self._waiting.pop()
        self.is_quote = bool(self._waiting)
        return max(now_ns, next_ns)


def share(habit: Habit, gap_s: float) -> float:
    """Return the part of the recorded changes that gather in ``gap_s``: 1 from the clock's own on.

    Quicker messages carry less each: a little less than in proportion, since of several changes
    of one level a diff tells only the last.
    """
    if not habit.clock_s:
        return 1.0
    part: float = (gap_s / habit.clock_s) ** SHARE_POWER
    return min(1.0, max(SHARE_MIN, part))
