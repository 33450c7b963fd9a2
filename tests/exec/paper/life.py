"""A life of execution in one thread: core, journal on disk, and gateways upon hand-made books."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from bench.histories.world import SETTINGS
from exec import records as r
from exec.core import ports as p
from exec.core.core import Core, Signal
from exec.core.recovery import begin, replay
from exec.gate.checks import Refusal
from exec.gateways.dry import DryGateway
from exec.gateways.paper import PaperGateway
from exec.journal.reader import files_of, read
from exec.journal.writer import Journal
from exec.state.state import State
from shm.layout import Strategy
from tests.exec.paper.scene import BTC, MS, Scene

BOOT: Final = 1
Made = PaperGateway | DryGateway


class Life:
    """One process's life on a journal; ``end`` is its death, whatever was under way."""

    def __init__(
        self, scene: Scene, folder: Path, make: Callable[[str, State], Made], *,
        mode: str = "paper", venues: tuple[str, ...] = ("a", "b"),
    ) -> None:
        self.scene = scene
        self.state = replay(read(folder, boot=BOOT) if folder.exists() and files_of(folder) else ())
        self.journal = Journal(folder, scene.clock, boot=BOOT)
        self.gateways = {venue: make(venue, self.state) for venue in venues}
        self.halts: list[str] = []
        settings = msgspec.structs.replace(SETTINGS, mode=mode)
        begin(self, self.state, settings, scene.listed, unix_ns=scene.clock.unix_ns(), pid=1)
        gateways: dict[str, p.Gateway] = {**self.gateways}
        self.core = Core(self, self.state, gateways, scene.books, scene.flags, scene.clock,
                         settings, lambda _number, act: act())
        self.run(100 * MS)

    @property
    def next_sequence(self) -> int:
        return self.journal.next_sequence

    def append(self, record: r.Record) -> int:
        number = self.journal.append(r.kind_of(record), r.encode(record))
        self.state.apply(record, self.scene.clock.unix_ns())
        if isinstance(record, r.StateChanged):
            self.halts.append(record.why)
        return number

    def run(self, ns: int, step_ns: int = MS) -> None:
        """Let time pass, turn by turn."""
        for _ in range(ns // step_ns):
            self.scene.pass_ns(step_ns)
            for gateway in self.gateways.values():
                gateway.turn(self.core.on_report)
            self.core.on_timer()

    def cross(self, number: int = 1, size: int = 40, *, ask: int = 10_000, bid: int = 10_100
              ) -> Refusal | None:
        """Signal that a sells cheaper than b buys."""
        now_ns = self.scene.clock.mono_ns()
        legs = (r.LegSeen("a", BTC, 1, ask, size, 1), r.LegSeen("b", BTC, -1, bid, size, 1))
        return self.core.on_signal(Signal(
            1, number, Strategy.CROSS, 1, now_ns, now_ns + 100 * MS, legs, 100, 1))

    def outcomes(self) -> list[str]:
        return [each.closed.outcome for each in self.state.plans.values() if each.closed]

    def states(self) -> list[Any]:
        return [each.state.name for each in self.state.orders.values()]

    def end(self) -> None:
        self.journal.close()
