"""How one line sees its fair price: late, with a bias of its own, and now and then quite off."""

import math
from random import Random
from typing import Final

from ops.sim.listing import Line
from ops.sim.market.draws import NORMALS, SIZE
from ops.sim.market.habits import Habit
from ops.sim.market.perpetuals import Basis
from ops.sim.market.values import Fair

NS: Final = 1_000_000_000
BIAS: Final = 0.2e-4  # deviation of a line's own opinion in the long run
BIAS_S: Final = 5.0  # how long it sticks to it
STRAIN_MIN: Final = 4e-4
STRAIN_MAX: Final = 25e-4
STRAIN_S: Final = 0.5  # it is gone by two thirds after so long
SLOW: Final = 4.0  # times the venue's lag, while it is slow


class Venue:
    """What the lines of one venue share: its lag, which grows for moments."""

    __slots__ = ("_lag_s", "lag_s", "slow_until_ns")

    def __init__(self, habit: Habit) -> None:
        self.lag_s = self._lag_s = habit.lag_s
        self.slow_until_ns = 0

    def slow_down(self, until_ns: int) -> None:
        """See prices later than usual until then."""
        self.lag_s, self.slow_until_ns = self._lag_s * SLOW, until_ns

    def recover(self, now_ns: int) -> None:
        """Be as quick as usual again when the time has come."""
        if self.slow_until_ns and now_ns >= self.slow_until_ns:
            self.lag_s, self.slow_until_ns = self._lag_s, 0


class View:
    """One line's idea of the price."""

    __slots__ = ("_at_ns", "_basis", "_bias", "_fair", "_log", "_random", "_scale", "_strain",
                 "venue")

    def __init__(
        self, line: Line, venue: Venue, fair: Fair, basis: Basis | None, random: Random,
    ) -> None:
        self.venue, self._fair, self._basis, self._random = venue, fair, basis, random
        self._log = fair.log + (basis.premium if basis else 0.0)
        self._bias = random.gauss(0, BIAS)
        self._strain = 0.0
        self._at_ns = 0
        self._scale: float = 10.0**line.price_decimals

    def strain(self) -> None:
        """Be off by 4 to 25 basis points for a moment: triangles and venues disagree."""
        random = self._random.random
        size = STRAIN_MIN + random() * (STRAIN_MAX - STRAIN_MIN)
        self._strain = size if random() < 0.5 else -size

    def middle(self, now_ns: int) -> float:
        """Return the price this line moves around now, in ticks."""
        elapsed_s = (now_ns - self._at_ns) / NS
        self._at_ns = now_ns
        seen = self._fair.log
        if self._basis is not None:
            seen += self._basis.premium
        if self._strain:
            self._strain *= math.exp(-elapsed_s / STRAIN_S)
            seen += self._strain
            if -1e-5 < self._strain < 1e-5:
                self._strain = 0.0
        self._log = seen + (self._log - seen) * math.exp(-elapsed_s / self.venue.lag_s)
        normal = NORMALS[int(self._random.random() * SIZE)]
        step = min(1.0, elapsed_s / BIAS_S)
        self._bias += normal * (BIAS * math.sqrt(2 * step)) - self._bias * step
        return math.exp(self._log + self._bias) * self._scale
