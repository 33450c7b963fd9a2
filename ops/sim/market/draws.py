"""Chance as tables: one ``random()`` and a look-up per draw, whatever the distribution.

A table holds SIZE values in proportion to how often they occur; its holder writes
``table[int(random() * SIZE)]``.  Tables are made once, so any shape costs the same.
"""

import math
from collections.abc import Mapping, Sequence
from random import Random
from statistics import NormalDist
from typing import Final, TypeVar

SIZE: Final = 1024
_SHARES: Final = tuple((place + 0.5) / SIZE for place in range(SIZE))
_P90: Final = NormalDist().inv_cdf(0.9)
_Value = TypeVar("_Value")

NORMALS: Final = tuple(NormalDist().inv_cdf(share) for share in _SHARES)
PAUSES: Final = tuple(-math.log(1 - share) for share in _SHARES)  # exponential, mean 1


def lognormal(median: float, p90: float) -> tuple[float, ...]:
    """Return a lognormal distribution through its median and its 90th percentile."""
    sigma = math.log(p90 / median) / _P90
    return tuple(median * math.exp(sigma * normal) for normal in NORMALS)


def through(knots: Sequence[tuple[float, float]]) -> tuple[float, ...]:
    """Return the distribution whose share below each knot is given: (share, value), ascending.

    Between knots it is even in the logarithm of the value.  The first share is 0, the last 1.
    """
    found: list[float] = []
    for share in _SHARES:
        upper = next(place for place, (until, _) in enumerate(knots) if share <= until)
        (low, least), (high, most) = knots[upper - 1], knots[upper]
        found.append(least * (most / least) ** ((share - low) / (high - low)))
    return tuple(found)


def shuffled(shares: Mapping[_Value, float], random: Random) -> list[_Value]:
    """Return each value as often as its share of the sum of all shares says."""
    whole, found, until = sum(shares.values()), list[_Value](), 0.0
    for value, share in shares.items():
        until += share / whole
        found.extend([value] * (round(until * SIZE) - len(found)))
    random.shuffle(found)
    return found
