"""What a process is given: its name, run, config, clock, log, and its own lines of memory."""

import gc
import os
from typing import TYPE_CHECKING, Final

import structlog

from engine.config import Config
from engine.model.clock import Clock
from shm.atomics import Words
from shm.layout import ENGINE, PROCESS, ProcessState, word_of

if TYPE_CHECKING:
    from shm.board import ControlView
    from shm.counters import CounterBlock
    from shm.segment import RunFolder

_STATE: Final = word_of(PROCESS, "state")
_HEARTBEAT: Final = word_of(PROCESS, "heartbeat_mono_ns")
_PROGRESS: Final = word_of(PROCESS, "progress")
_READY: Final = word_of(PROCESS, "ready_mono_ns")
_OWN_EPOCH: Final = word_of(PROCESS, "own_epoch")
_OWN_PID: Final = word_of(PROCESS, "own_pid")
_RSS: Final = word_of(PROCESS, "rss_bytes")
_CPU: Final = word_of(PROCESS, "cpu")
_STOP: Final = word_of(ENGINE, "stop")
_RSS_EVERY_NS: Final = 1_000_000_000
_PAGE_SIZE: Final = os.sysconf("SC_PAGE_SIZE")


class Context:
    """One process's place in the run; the only thing an entry ``main(context) -> int`` gets.

    An aligned word is stored by one instruction, and each of these words has one writer, so
    plain stores suffice here: nobody derives the state of another word from them.
    """

    def __init__(
        self, *, name: str, row: int, run: "RunFolder", config: Config, clock: Clock,
        log: structlog.typing.FilteringBoundLogger, control: "ControlView",
        counters: "CounterBlock", engine_words: Words, process_words: Words,
    ) -> None:
        """Take the row of the process table at ``row``: ``process_words`` are its words."""
        self.name, self.row, self.run, self.config = name, row, run, config
        self.clock, self.log, self.control, self.counters = clock, log, control, counters
        self.epoch = int(process_words[word_of(PROCESS, "epoch")])
        self._engine, self._process = engine_words, process_words
        self._leaving = False
        self._rss_mono_ns = 0

    def enter(self, *, cpu: int) -> None:
        """Say in the process table who we are; ``cpu`` is the core we are pinned to, or -1."""
        words = self._process
        words[_OWN_EPOCH], words[_OWN_PID], words[_CPU] = self.epoch, os.getpid(), cpu
        words[_READY] = 0
        words[_STATE] = ProcessState.STARTING
        self.beat()

    def beat(self, progress: int = 1) -> None:
        """Prove life: control kills a process whose heartbeat stands still."""
        now = self.clock.mono_ns()
        words = self._process
        words[_HEARTBEAT] = now
        words[_PROGRESS] += progress
        if now - self._rss_mono_ns >= _RSS_EVERY_NS:
            self._rss_mono_ns = now
            words[_RSS] = rss_bytes()

    def ready(self) -> None:
        """Say that everything is compiled, mapped and warm; collect garbage a last time."""
        gc.collect()
        gc.freeze()
        self.beat()
        self._process[_READY] = self.clock.mono_ns()
        self._process[_STATE] = ProcessState.READY
        self.log.info("ready", epoch=self.epoch)

    def leave(self) -> None:
        """Note that this process has been told to leave; signal handlers call it."""
        self._leaving = True
        self._process[_STATE] = ProcessState.STOPPING

    @property
    def stopping(self) -> bool:
        """Return whether to leave: a signal came, or control stops the engine."""
        return self._leaving or self._engine[_STOP] != 0


def rss_bytes() -> int:
    """Return this process's resident memory."""
    with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123  (half the time of Path)
        return int(statm.read().split()[1]) * _PAGE_SIZE
