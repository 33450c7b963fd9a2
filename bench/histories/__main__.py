"""``python -m bench.histories``: run seeds of simulated worlds and print what they show."""

import argparse
import hashlib
import sys
import time

from bench.histories.campaign import NETWORKS, caught, lived, network_of
from bench.histories.mutants import MUTANTS


def main() -> int:
    """Return 0 when no history shows an error, or every mutant was caught."""
    parser = argparse.ArgumentParser(prog="python -m bench.histories", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, metavar="N")
    parser.add_argument("--first", type=int, default=0, metavar="N")
    parser.add_argument("--mutants", action="store_true", help="plant the known bugs instead")
    options = parser.parse_args()
    return _mutants(options.seeds) if options.mutants else _histories(options)


def _histories(options: argparse.Namespace) -> int:
    started, bad, orders, fills, halts, records = time.monotonic(), 0, 0, 0, 0, 0
    for seed in range(options.first, options.first + options.seeds):
        world = lived(seed)
        orders += len(world.state.orders)
        fills += sum(len(venue.fills) for venue in world.venues.values())
        halts += bool(world.halts)
        records += len(world.stored)
        if errors := world.errors():
            bad += 1
            print(f"seed {seed} ({network_of(seed)}): {errors[:3]}", flush=True)
    elapsed = time.monotonic() - started
    digest = hashlib.sha256(b"".join(
        each.payload for each in lived(options.first).stored)).hexdigest()[:16]
    again = hashlib.sha256(b"".join(
        each.payload for each in lived(options.first).stored)).hexdigest()[:16]
    print(f"{options.seeds} seeds over {len(NETWORKS)} networks in {elapsed:.0f} s:"
          f" {orders} orders, {fills} fills, {records} records, {halts} histories halted for a"
          f" person; {bad} with errors; seed {options.first} twice: {digest} {again}")
    return 1 if bad or digest != again else 0


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
