"""``python -m bench.fault_campaign``: seeded faults and kills, then calm, then the auditor."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence

from bench.auditor.audit import ELSEWHERE
from bench.fault_campaign.campaign import RUNS_PER_LIFE, Life, Verdict
from bench.fault_campaign.engine import NotBack
from bench.harness import machine, parameter
from engine.model.fault import Kind


class Told:
    """The sums of a campaign."""

    def __init__(self) -> None:
        self.runs = self.bad = self.halts = self.stuck = self.lives = 0
        self.kills: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.struck: Counter[str] = Counter()
        self.figures: Counter[str] = Counter()
        self.settled_s: list[float] = []
        self.unjudged: set[str] = set()

    def take_life(self, life: Life, last: Verdict | None) -> None:
        """Add a life that is over, with the figures of its last audit, which hold for all of it."""
        self.lives += 1
        self.kills.update(life.kills)
        self.kills["exec at a named point"] += life.points
        self.faults.update(life.faults)
        self.struck.update(life.outside.struck())
        if last is not None:
            self.figures.update(last.figures)

    def take(self, verdict: Verdict) -> None:
        """Add a run."""
        self.runs += 1
        self.bad += bool(verdict.wrongs)
        self.halts += bool(verdict.halted)
        if verdict.halted:
            print(f"run {verdict.seed} halted for a person: {verdict.halted}", flush=True)
        self.settled_s.append(verdict.settled_s)
        self.unjudged.update(verdict.unjudged)
        if verdict.wrongs:
            print(f"run {verdict.seed}: {len(verdict.wrongs)} violations", flush=True)
            for wrong in verdict.wrongs[:8]:
                print(f"   {wrong}", flush=True)

    def print(self, took_s: float) -> None:
        """Print all figures."""
        print(f"{self.runs} runs in {self.lives} lives of an engine, {took_s:.0f} s;"
              f" {self.bad} with violations, {self.halts} ended halted for a person,"
              f" {self.stuck} lives that did not come back")
        print("killed: " + _list(self.kills.items()))
        print(f"faults put: {_list(self.faults.items())}; not put:"
              f" {', '.join(kind for kind in Kind if kind not in self.faults) or 'none'}")
        print("struck: " + _list(self.struck.items()))
        waits = sorted(self.settled_s)
        if waits:
            print(f"settled after calm: median {waits[len(waits) // 2]:.1f} s, worst"
                  f" {waits[-1]:.1f} s")
        sizes = {name.removeprefix("audited "): count for name, count in self.figures.items()
                 if name.startswith("audited ")}
        print("audited: " + _list(sizes.items()))
        print(f"not judged in every run: {', '.join(sorted(self.unjudged)) or 'none'}; elsewhere:"
              f" {', '.join(ELSEWHERE)}")
        for name, count in self.figures.items():
            if name not in sizes and not name.startswith("audited "):
                print(f"{count:>6,} {name}")


def campaign(runs: int, seed: int, minutes: float = 0.0) -> Told:
    """Live so many runs, or as many as the minutes allow."""
    told, begun = Told(), time.monotonic()
    life: Life | None = None
    last: Verdict | None = None
    lived = 0
    try:
        for number in range(seed, seed + runs):
            if minutes and time.monotonic() - begun > minutes * 60:
                break
            if life is None:
                life, last, lived = Life(number), None, 0
            try:
                last = life.run(number)
            except NotBack as failure:
                told.stuck += 1
                told.bad += 1
                print(f"run {number}: {failure}", flush=True)
                lived = RUNS_PER_LIFE
            else:
                told.take(last)
                lived += 1
            if lived >= RUNS_PER_LIFE or (last is not None and (last.halted or last.wrongs)):
                told.take_life(life, last)
                life.end()
                life = None
        if life is not None:
            told.take_life(life, last)
    finally:
        if life is not None:
            life.end()
    return told


def _list(numbers: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in numbers) or "none"


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 when no run showed a violation and every engine came back."""
    parser = argparse.ArgumentParser(prog="python -m bench.fault_campaign", description=__doc__)
    parser.add_argument("--runs", type=int, default=parameter("runs", smoke=3, full=2_000))
    parser.add_argument("--seed", type=int, default=0, help="of the first run")
    parser.add_argument("--minutes", type=float, default=0.0, help="stop after so long; 0: never")
    options = parser.parse_args(arguments)
    print(machine())
    begun = time.monotonic()
    told = campaign(options.runs, options.seed, options.minutes)
    told.print(time.monotonic() - begun)
    return 1 if told.bad or told.stuck else 0


if __name__ == "__main__":
    sys.exit(main())
