"""What holds a perpetual to its index: a premium that comes and goes, and funding that follows.

The rate is the running estimate for the next settlement, as Binance words it: P + clamp(I - P,
-0.05 %, 0.05 %) with P the average premium and I = 0.01 %, per eight hours, at 00:00, 08:00 and
16:00 UTC.  Source of the fields: shared/venues/binance.md, "Funding", 2026-11-21.
"""

import math
from random import Random
from typing import Final

import msgspec

from ops.sim.listing import Line
from ops.sim.market.draws import NORMALS, SIZE
from ops.sim.market.values import GRID_S, Fair

NS: Final = 1_000_000_000
INTERVAL_NS: Final = 8 * 3600 * NS
PREMIUM_MEAN: Final = 1e-4
PREMIUM_DEVIATION: Final = 4e-4  # in the long run
PREMIUM_BACK_S: Final = 120.0  # it drifts back to its mean
MARK_S: Final = 30.0  # the mark price follows the premium's average over so long
AVERAGE_S: Final = 1800.0  # and funding its average over so long, to be seen to move
INTEREST: Final = 1e-4
BAND: Final = 5e-4
RATE_MAX: Final = 0.02


class Funding(msgspec.Struct, frozen=True):
    """What a perpetual's holders look at.  Prices are ticks of its line."""

    mark: int
    index: int
    rate_ppb: int  # of the position's value at mark, paid by longs to shorts; 100_000 = 0.01 %
    next_unix_ns: int  # when it is paid

    @property
    def rate_ppm(self) -> int:
        """Return the rate in whole parts per million."""
        return round(self.rate_ppb / 1000)


class Basis:
    """One perpetual's premium over its index."""

    __slots__ = ("_fair", "_line", "_random", "average", "premium", "smooth")

    def __init__(self, line: Line, fair: Fair, random: Random) -> None:
        self._line, self._fair, self._random = line, fair, random
        self.premium = PREMIUM_MEAN + PREMIUM_DEVIATION * random.gauss(0, 1)
        self.smooth = self.average = self.premium

    def tick(self) -> None:
        """Move by one step of the grid."""
        normal = NORMALS[int(self._random.random() * SIZE)]
        self.premium += (PREMIUM_MEAN - self.premium) * (GRID_S / PREMIUM_BACK_S) + normal * _STEP
        self.smooth += (self.premium - self.smooth) * (GRID_S / MARK_S)
        self.average += (self.premium - self.average) * (GRID_S / AVERAGE_S)

    def funding(self, unix_ns: int) -> Funding:
        """Return mark, index and rate of now, and the next full eight hours after ``unix_ns``."""
        index = math.exp(self._fair.log) * 10**self._line.price_decimals
        rate = self.average + min(BAND, max(-BAND, INTEREST - self.average))
        rate = min(RATE_MAX, max(-RATE_MAX, rate))
        return Funding(
            max(1, round(index * (1 + self.smooth))), max(1, round(index)),
            round(rate * 1e8) * 10,  # Binance shows eight decimals
            (unix_ns // INTERVAL_NS + 1) * INTERVAL_NS)


_STEP: Final = PREMIUM_DEVIATION * math.sqrt(2 * GRID_S / PREMIUM_BACK_S)
