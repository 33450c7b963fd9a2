"""What happens in one run, from its seed alone: faults of venues and deaths of processes, in time.

Every kind of fault has its turn: run n begins with the n-th kind, others join it by chance.
"""

from random import Random
from typing import Final

import msgspec

from engine.model import fault as f
from engine.model.fault import Fault, Kind

LENGTH_S: Final = 3.0
OTHERS_MAX: Final = 3  # faults beside the one whose turn it is
KILLS_MAX: Final = 3
# no venue page has words for a trade taken back: the account halts with the exact difference
# (tests/exec/gateways/test_mishaps.py), and only a person ends that
KINDS: Final = tuple(each for each in Kind if each is not Kind.BUST)
FAILPOINTS: Final = ("after_intent", "after_send", "after_fill", "after_cancel")
WEIGHTS: Final = {"exec": 8, "launcher": 1, "control": 1, "template": 1}  # others: 2


class Deed(msgspec.Struct, frozen=True):
    """One thing to do at one moment: exactly one of the three."""

    at_s: float
    fault: Fault | None = None
    kill: float = -1.0  # which share of the processes' weights: who is alive then decides the name
    failpoint: str = ""  # name:nth, the process ends itself there


def schedule(seed: int, venues: tuple[str, ...]) -> list[Deed]:
    """Return the deeds of a run by time."""
    draw = Random(f"faults {seed}")  # noqa: S311  (reproducible)
    kinds = [KINDS[seed % len(KINDS)], *draw.choices(KINDS, k=draw.randint(0, OTHERS_MAX))]
    deeds = [Deed(draw.uniform(0.0, LENGTH_S * 0.6), fault=_fault(kind, draw, venues))
             for kind in kinds]
    deeds += [Deed(draw.uniform(0.0, LENGTH_S), kill=draw.random())
              for _ in range(draw.randint(0, KILLS_MAX))]
    if draw.random() < 0.5:
        point = f"{draw.choice(FAILPOINTS)}:{draw.randint(1, 6)}"
        deeds.append(Deed(draw.uniform(0.0, LENGTH_S * 0.5), failpoint=point))
    return sorted(deeds, key=lambda each: each.at_s)


def victim(share: float, names: list[str]) -> str:
    """Return the process that a share of all weights falls on."""
    weights = [WEIGHTS.get(name, 2) for name in names]
    left = share * sum(weights)
    for name, weight in zip(names, weights, strict=True):
        left -= weight
        if left < 0:
            return name
    return names[-1]


def _fault(kind: Kind, draw: Random, venues: tuple[str, ...]) -> Fault:
    venue = draw.choice([*venues, "*"])
    ms = draw.choice((20.0, 200.0, 800.0, 2_500.0))
    if kind in f.ONCE:
        return f.checked(Fault(venue, kind))
    if kind in f.STANDING:
        return f.checked(Fault(venue, kind, ms=draw.choice((300.0, 2_000.0, 6_000.0))))
    if kind in f.FRAME | f.BOOK_REQUEST | f.SHOWN:
        return f.checked(Fault(venue, kind, draw.choice((0.005, 0.05)), ms=ms))
    if kind in f.REQUEST:
        return f.checked(Fault(venue, kind, draw.choice((0.1, 0.5)), ms=ms))
    return f.checked(Fault(venue, kind, draw.choice((0.1, 0.3, 0.8)), ms=ms))
