"""Which world a seed is, and how long it lives."""

from typing import Final

from bench.histories.venue import MS, Network
from bench.histories.world import World
from exec.core.core import Core

NETWORKS: Final = {
    "clean": Network(),
    "answers": Network(lost_answer=150, answer_5xx=100, lost_over=100, failed_listing=500),
    "requests": Network(unsent=50, lost_request=150, late_request=100),
    "fills": Network(lost_fill=150, late_fill=200, twice_fill=200, lost_over=200,
                     failed_listing=300),
    "venue": Network(lost_fill=50, late_fill=50, overfill=60),
    "everything": Network(30, 60, 40, 80, 60, 80, 100, 100, 80, 200, 200),
}
ORDERS: Final = ("together", "riskier-first")
CRASHES: Final = (0, 3, 8)
LIFE_NS: Final = 15_000 * MS


def network_of(seed: int) -> str:
    """Return the name of a seed's network."""
    return [*NETWORKS][seed % len(NETWORKS)]


def lived(seed: int, core: type[Core] = Core) -> World:
    """Return the world of a seed after its life, and after all faults have stopped."""
    turn = seed // len(NETWORKS)
    world = World(seed, NETWORKS[network_of(seed)], core=core, order=ORDERS[turn % len(ORDERS)],
                  crashes=CRASHES[turn % len(CRASHES)])
    world.run(LIFE_NS, trade=True)
    world.calm()
    return world


def caught(mutant: type[Core], seeds: int) -> tuple[int, str] | None:
    """Return the first seed that shows a planted bug, and how; None if none does."""
    for seed in range(seeds):
        try:
            errors = lived(seed, mutant).errors()
        except AssertionError as error:
            return seed, str(error)[:100]
        if errors:
            return seed, errors[0]
    return None
