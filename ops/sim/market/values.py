"""What currencies are worth: a common factor, a walk and jumps of each, volatility regimes.

A pair is worth its base over its quote, so triangles close by themselves: BTC/USDT, ETH/USDT and
ETH/BTC cannot contradict each other here, only at a venue that sees one of them late.  Values
move on a fixed grid of virtual time, so the seed alone decides them.
"""

import math
from collections.abc import Iterable
from random import Random
from typing import Final, NamedTuple

from engine.model.instrument import Pair
from ops.sim.listing import PRICES, UNKNOWN_PRICE
from ops.sim.market.draws import NORMALS, SIZE

GRID_NS: Final = 10_000_000
GRID_S: Final = GRID_NS / 1e9
WALK_PER_ROOT_S: Final = 0.6e-4  # of the factor and of each currency: 0.6 bp after a second
JUMPS_PER_S: Final = 0.1  # of each currency
FACTOR_JUMPS_PER_S: Final = 0.03  # of all together
JUMP_MEAN: Final = 12e-4
JUMP_MAX: Final = 80e-4
HOME_S: Final = 600.0  # values drift back to where they began, so that days of running stay sane
STEADY: Final = {  # how much of all that movement a currency takes part in; others: all of it
    "USD": 0.0, "USDT": 0.02, "USDC": 0.02, "DAI": 0.02, "EUR": 0.1, "GBP": 0.1,
}


class Regime(NamedTuple):
    """How wild it is, and for how long on average."""

    factor: float  # of walks and of how often jumps come
    stay_s: float


REGIMES: Final = (Regime(0.5, 60.0), Regime(1.0, 60.0), Regime(3.0, 15.0))


class Currency:
    """One currency's own logarithm of value in USD, beside the common factor."""

    __slots__ = ("log", "part")

    def __init__(self, price: float, part: float) -> None:
        self.log, self.part = math.log(price), part


class Fair:
    """The fair price of one pair, as a logarithm of quote units."""

    __slots__ = ("base", "log", "quote")

    def __init__(self, base: Currency, quote: Currency) -> None:
        self.base, self.quote = base, quote
        self.log = base.log - quote.log


class Values:
    """All currencies, and the fair prices that follow from them."""

    def __init__(self, pairs: Iterable[Pair], random: Random) -> None:
        self._random = random
        listed = list(pairs)
        bases = {pair.base for pair in listed}
        self._currencies: dict[str, Currency] = {}
        self.fairs: dict[str, Fair] = {}
        for pair in listed:
            for name in (pair.base, pair.quote):
                price = PRICES.get(name, UNKNOWN_PRICE if name in bases else 1.0)
                part = STEADY.get(name, 1.0)
                self._currencies.setdefault(name, Currency(price, part))
            both = self._currencies[pair.base], self._currencies[pair.quote]
            self.fairs.setdefault(pair.group, Fair(*both))
        self._moving = [each for each in self._currencies.values() if each.part]
        self._homes = [each.log for each in self._moving]
        self._factor = 0.0
        self.regime = 1  # the place in REGIMES
        self._stay_s = REGIMES[1].stay_s

    def tick(self) -> None:
        """Move everything by one step of the grid."""
        random = self._random.random
        self._stay_s -= GRID_S
        if self._stay_s <= 0:
            self.regime = (self.regime + (1 if random() < 0.5 else 2)) % len(REGIMES)
            self._stay_s = self._random.expovariate(1 / REGIMES[self.regime].stay_s)
        wild = REGIMES[self.regime].factor
        walk = wild * WALK_PER_ROOT_S * math.sqrt(GRID_S)
        back = GRID_S / HOME_S
        self._factor += walk * NORMALS[int(random() * SIZE)] - self._factor * back
        if random() < wild * FACTOR_JUMPS_PER_S * GRID_S:
            self._factor += self._jump()
        chance = wild * JUMPS_PER_S * GRID_S
        for each, home in zip(self._moving, self._homes, strict=True):
            step = walk * NORMALS[int(random() * SIZE)]
            if random() < chance:
                step += self._jump()
            each.log += each.part * step + (home - each.log) * back
        for fair in self.fairs.values():
            base, quote = fair.base, fair.quote
            fair.log = base.log - quote.log + self._factor * (base.part - quote.part)

    def _jump(self) -> float:
        size = min(JUMP_MAX, self._random.expovariate(1 / JUMP_MEAN))
        return size if self._random.random() < 0.5 else -size
