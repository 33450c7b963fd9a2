"""Runs: a schedule, calm, and the audit of all that the engine's life left so far."""

import os
import tempfile
import time
import tomllib
from collections import Counter
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from bench.auditor.audit import Audit, audit
from bench.auditor.evidence import Evidence
from bench.auditor.facts import StateChanged
from bench.auditor.fold import HALTED
from bench.auditor.journal import Damaged
from bench.fault_campaign.engine import LAUNCHER, PROFILE, Engine, NotBack
from bench.fault_campaign.outside import Outside
from bench.fault_campaign.schedule import LENGTH_S, Deed, schedule, victim
from engine.control.protocol import Pause, Resume
from engine.model.errors import EngineError
from engine.runtime import spawn

WORLDS: Final = (
    ("binance", "okx", "binance-usdm"), ("binance", "kraken", "coinbase"),
    ("okx", "coinbase", "binance-usdm"), ("kraken", "okx", "binance"),
)
RUNS_PER_LIFE: Final = 20
CALM_S: Final = 45.0  # within which everything must have come right
LIMITS: Final = tomllib.loads(
    (Path(spawn.ROOT) / "configs" / "risk" / f"{PROFILE}.toml").read_text())
LOOK_S: Final = 0.5
LOOKS: Final = 2


class Verdict(msgspec.Struct):
    """What became of one run."""

    seed: int
    wrongs: list[str]
    settled_s: float
    halted: str  # why, if it did for a person
    figures: dict[str, int]
    unjudged: list[str] = []  # invariants that nothing given could show


class Life:
    """One outside world and one engine on it, for several runs."""

    def __init__(self, seed: int) -> None:
        """Begin both."""
        self._folder = tempfile.TemporaryDirectory(prefix="f", ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        self.kills: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.points = 0  # failpoints that were reached
        self.outside = Outside(folder / "outside", WORLDS[seed % len(WORLDS)], seed)
        try:
            self.outside.start(os.environ | {"PYTHONPATH": spawn.ROOT})
            self.engine = Engine(folder / "engine", self.outside, seed=seed)
            self.engine.start()
        except BaseException:
            self.end()
            raise

    def run(self, seed: int) -> Verdict:
        """Live one schedule, then calm; return what the auditor found."""
        begun = time.monotonic()
        draw = Random(f"names {seed}")  # noqa: S311
        for deed in schedule(seed, self.outside.venues):
            time.sleep(max(0.0, begun + deed.at_s - time.monotonic()))
            self._do(deed, draw)
        time.sleep(max(0.0, begun + LENGTH_S - time.monotonic()))
        return self._calm(seed)

    def _do(self, deed: Deed, draw: Random) -> None:
        if deed.fault is not None:
            self.faults[deed.fault.kind] += 1
            self.outside.inject(deed.fault)
        elif deed.failpoint:
            self.engine.arm(deed.failpoint)
            self.points += 1
        else:
            names = sorted(self.engine.pids())
            if not names:
                return
            name = victim(deed.kill, names)
            self.kills[name.partition(":")[0]] += self.engine.kill(name)
            if name == LAUNCHER:
                self.engine.revive()

    def _calm(self, seed: int) -> Verdict:
        """Lift all faults, pause signals, and wait until every invariant holds."""
        self.outside.lift()
        self.points -= self.engine.disarm()
        self.engine.revive()
        self.engine.say(Pause())
        begun = time.monotonic()
        passed = 0  # in a row: what was held back may come between two looks
        while True:
            found, halted = self._audit()
            passed = passed + 1 if found is not None and found.passed else 0
            took = time.monotonic() - begun
            if passed == LOOKS or took > CALM_S:
                break
            time.sleep(LOOK_S)
        self.engine.say(Resume())
        if found is None:
            return Verdict(seed, ["the journal could not be read"], took, halted, {})
        return Verdict(seed, found.violations, took, halted, {**found.figures, **{
            f"audited {name}": count for name, count in found.sizes.items()}}, found.unjudged)

    def _audit(self) -> tuple[Audit | None, str]:
        try:
            entries = self.engine.entries()
            found = audit(entries, Evidence(
                venues=self.outside.truth(), ledger=self.engine.ledger(),
                portfolio=self.engine.portfolio(), secrets=self.engine.secrets,
                orders_per_s_max=LIMITS["orders-per-s-max"],
                open_orders_max=LIMITS["open-orders-max"]))
        except (Damaged, EngineError, NotBack):
            return None, ""
        moves = [each.fact for each in entries if isinstance(each.fact, StateChanged)]
        return found, moves[-1].why if moves and found.state >= HALTED else ""

    def end(self) -> None:
        """End both and remove everything."""
        engine = getattr(self, "engine", None)
        if engine is not None:
            engine.stop()
        self.outside.stop()
        self._folder.cleanup()
