"""``python -m bench.histories``: run seeds of simulated worlds and print what they show."""

import argparse
import hashlib
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Final, NamedTuple

from bench.histories.audited import audit_of, hash_of
from bench.histories.campaign import NETWORKS, caught, lived, network_of
from bench.histories.mutants import MUTANTS

TWICE_EVERY: Final = 50  # so many seeds share one that is lived twice
CHUNK: Final = 25  # seeds that a worker takes at a time


class Told(NamedTuple):
    """What one seed showed."""

    seed: int
    sizes: Counter[str]
    figures: Counter[str]
    errors: list[str]
    hash: str
    again: str  # of a second life, "" where there was none


def main() -> int:
    """Return 0 when no history shows an error, or every mutant was caught."""
    parser = argparse.ArgumentParser(prog="python -m bench.histories", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, metavar="N")
    parser.add_argument("--first", type=int, default=0, metavar="N")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes")
    parser.add_argument("--mutants", action="store_true", help="plant the known bugs instead")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.seeds)
    return _mutants(options.seeds) if options.mutants else _histories(seeds, options.jobs)


def tell(seed: int) -> Told:
    """Live a seed, let it be judged by the world and by the auditor, and note its hash.

    What a venue sees that may never be (a send without its intent, a hedge too many) ends the life.
    """
    try:
        world = lived(seed)
    except AssertionError as error:
        return Told(seed, Counter(), Counter(), [str(error)], "", "")
    found = audit_of(world)
    again = hash_of(lived(seed)) if seed % TWICE_EVERY == 0 else ""
    return Told(seed, Counter(found.sizes), Counter(found.figures),
                [*world.errors(), *found.violations], hash_of(world), again)


def _told(seeds: range, jobs: int) -> Iterator[Told]:
    if jobs < 2:
        yield from map(tell, seeds)
        return
    with ProcessPoolExecutor(jobs) as workers:
        yield from workers.map(tell, seeds, chunksize=CHUNK)


def _histories(seeds: range, jobs: int) -> int:
    started = time.monotonic()
    bad, twice, unequal = 0, 0, 0
    sizes: Counter[str] = Counter()
    figures: Counter[str] = Counter()
    whole = hashlib.sha256()
    for told in _told(seeds, jobs):
        sizes.update(told.sizes)
        figures.update(told.figures)
        whole.update(told.hash.encode())
        twice += bool(told.again)
        unequal += bool(told.again) and told.again != told.hash
        if told.errors:
            bad += 1
            print(f"seed {told.seed} ({network_of(told.seed)}): {told.errors[:3]}", flush=True)
    elapsed = time.monotonic() - started
    print(f"{len(seeds)} seeds over {len(NETWORKS)} networks in {elapsed:.0f} s"
          f" ({len(seeds) / elapsed:.2f} a second, {jobs} jobs); {bad} with errors")
    print(_list(sizes.items()))
    print(_list((name, figures[name]) for name in figures))
    print(f"lived twice: {twice} seeds, {twice - unequal} with the same hash of records and state;"
          f" all seeds together: {whole.hexdigest()[:16]}")
    return 1 if bad or unequal or any(figures.values()) else 0


def _list(numbers: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in numbers)


def _mutants(seeds: int) -> int:
    missed = 0
    for mutant in MUTANTS:
        found = caught(mutant, seeds)
        missed += found is None
        how = "NOT CAUGHT" if found is None else f"caught by seed {found[0]}: {found[1]}"
        print(f"{mutant.__name__:24} {how}", flush=True)
    print(f"{len(MUTANTS) - missed} of {len(MUTANTS)} caught")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
