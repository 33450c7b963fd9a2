"""What a process is given: its name, run, config, clock, log, and its own lines of memory."""

import gc
import os
from typing import Final

from engine.config import Config
from engine.model.clock import Clock
from engine.runtime.log import Logger
from shm.board import ControlView, beat
from shm.counters import CounterBlock
from shm.layout import ProcessState
from shm.segment import RunFolder

_RSS_EVERY_NS: Final = 1_000_000_000
_PAGE_SIZE: Final = os.sysconf("SC_PAGE_SIZE")


class Context:
    """One process's place in the run; the only thing an entry ``main(context) -> int`` gets."""

    def __init__(
        self, *, name: str, index: int, run: RunFolder, config: Config, clock: Clock,
        log: Logger, run_id: int, control: ControlView, counters: CounterBlock,
    ) -> None:
        """Take row ``index`` of the process table, which names us."""
        self.name, self.index, self.run, self.config = name, index, run, config
        self.clock, self.log, self.control, self.counters = clock, log, control, counters
        self.run_id = run_id
        self.process = control.processes[index]
        self.epoch = self.process["epoch"]
        self._leaving = False
        self._rss_mono_ns = 0

    def enter(self, *, cpu: int) -> None:
        """Say in the process table who we are; ``cpu`` is the core we are pinned to, or -1."""
        row = self.process
        row["own_epoch"], row["own_pid"], row["cpu"] = self.epoch, os.getpid(), cpu
        row["ready_mono_ns"] = 0
        row["state"] = ProcessState.STARTING
        self.beat()

    def beat(self, progress: int = 1) -> None:
        """Prove life: control kills a process whose heartbeat stands still."""
        now = self.clock.mono_ns()
        beat(self.process.words, self.process.base, now, progress)
        if now - self._rss_mono_ns >= _RSS_EVERY_NS:
            self._rss_mono_ns = now
            self.process["rss_bytes"] = rss_bytes()

    def ready(self) -> None:
        """Say that everything is compiled, mapped and warm; collect garbage a last time."""
        gc.collect()
        gc.freeze()
        self.beat()
        self.process["ready_mono_ns"] = self.clock.mono_ns()
        self.process["state"] = ProcessState.READY
        self.log.info("ready", epoch=self.epoch)

    def leave(self) -> bool:
        """Note that this process is to leave; return False when it knew already."""
        first, self._leaving = not self._leaving, True
        return first

    @property
    def stopping(self) -> bool:
        """Return whether to leave: a signal came, or control stops the engine."""
        return self._leaving or self.control.engine["stop"] != 0


def rss_bytes() -> int:
    """Return this process's resident memory."""
    with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123  (half the time of Path)
        return int(statm.read().split()[1]) * _PAGE_SIZE
