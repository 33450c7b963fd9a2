"""Real processes on real segments, with the test in the place of control and of the feeds."""

import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

from engine.config import Config, Logs, Storage, Supervision
from engine.control import roles, segments
from engine.model.clock import SystemClock
from engine.runtime import spawn
from engine.runtime.process import CONFIG_FILE
from shm.bell import ring_bell
from shm.board import ControlView, InstrumentTable, Row
from shm.book import BookSegment, set_state
from shm.counters import CounterBlock
from shm.layout import (
    FATE,
    SIGNAL,
    Bell,
    BookFault,
    BookState,
    EngineState,
    Fate,
    InstrumentStatus,
    ProcessState,
    UpdateKind,
    Veto,
)
from shm.ring import RecordRing, WordRing
from shm.segment import RunFolder
from tests.engine.detect.world import Levels, make_config, publish_levels

PATIENCE_S: Final = 30.0  # how long until a wait is a failure
START_S: Final = 180.0  # the same for a start, which may compile
ALIVE_NS: Final = 2**62  # a feed that beat then is alive for ever
RUN_ID: Final = 7
mono_ns: Final = SystemClock.mono_ns


def until(what: str, reached: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    """Wait for a truth; fail by its name when it does not come."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if found := reached():
            return found
        time.sleep(0.005)
    pytest.fail(f"not reached: {what}")


class Decided(NamedTuple):
    """What execution did with a signal."""

    sequence: int
    fate: Fate
    veto: Veto
    number: int
    limit: int


class Stage:
    """Two venues, a and b, that list BTC/USDT; every flag allows, no process runs yet."""

    def __init__(self, root: Path, *, silence_ms: float = 60_000.0, expiry_ms: float = 250.0,
                 repeat_ms: float = 600_000.0, book_age_ms_max: float = 600_000.0,
                 mode: Literal["dry_run", "paper"] = "dry_run") -> None:
        config = make_config({"a": ["BTC/USDT"], "b": ["BTC/USDT"]}, repeat_ms=repeat_ms,
                             book_age_ms_max=book_age_ms_max)
        self.config: Config = replace(
            config, mode=mode, logs=Logs(folder=str(root / "log")),
            storage=Storage(folder=str(root / "books")),
            detector=replace(config.detector, expiry_ms=expiry_ms),
            wait=replace(config.wait, strategy="park"),
            supervision=Supervision(silence_max_ms=silence_ms))
        self.root, self.run = root, RunFolder(root / "trypto" / "t")
        self.run.create()
        self.run.file(CONFIG_FILE).write_bytes(msgspec.json.encode(self.config))
        made = segments.create(self.run, self.config, run_id=RUN_ID, clock=SystemClock())
        self.control = ControlView(made["control"].words)
        self.control.engine["state"] = EngineState.RUNNING
        self.rows = InstrumentTable(made["instruments"].words, 2)
        self.books = [BookSegment(made[f"books.{venue}"].words, self.config.books.depth, 1)
                      for venue in "ab"]
        self._updates = [WordRing(made[f"updates.{venue}"].words) for venue in "ab"]
        self._counters = made["counters"].words
        self._signals = RecordRing(made["signals"].words, SIGNAL)
        self._fates = RecordRing(made["fates"].words, FATE)
        self._processes: dict[str, spawn.Process] = {}
        self._windows_lost = 0
        for index, venue in enumerate("ab"):
            row = self.rows[index]
            row["status"], row["tick"], row["lot"] = InstrumentStatus.TRADING, 1, 1
            self.row(f"feed:{venue}")["heartbeat_mono_ns"] = ALIVE_NS
            self.books[index].adopt(segments.FIRST_EPOCH, mono_ns())
            self.state(index, BookState.LIVE)

    # ------------------------------------------------------------ in the place of control
    def row(self, name: str) -> Row:
        """Return a process's row of the process table."""
        return self.control.processes[self.control.processes.index_of(name)]

    def start(self, name: str, entry: str = "") -> None:
        """Start a process and wait until it is READY."""
        entry = entry or roles.ENTRIES[name]
        line = spawn.command("engine.runtime.process", name, str(self.run.path), entry)
        pid = spawn.start(line)
        self._processes[name] = spawn.Process(pid)
        row = self.row(name)
        row["pid"] = pid
        until(f"{name} ready", lambda: (row["state"], row["own_pid"]) == (ProcessState.READY, pid),
              START_S)

    def kill(self, name: str) -> None:
        """Kill -9, then do what control does first: bump the epoch."""
        process = self._processes.pop(name)
        process.send(signal.SIGKILL)
        process.reap()
        if name == "detector":
            self._windows_lost += self.windows_open
        self.row(name)["epoch"] += 1
        self.row(name)["state"] = ProcessState.GONE

    def stop(self, name: str) -> int:
        """Stop a process by SIGSTOP; return a time at which it had stopped."""
        pid = self._processes[name].pid
        self._processes[name].send(signal.SIGSTOP)
        os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)
        return mono_ns()

    def go_on(self, name: str) -> None:
        """Let a stopped process run."""
        self._processes[name].send(signal.SIGCONT)

    def leave(self, name: str) -> int:
        """Ask a process to leave; return its exit code."""
        process = self._processes.pop(name)
        process.send(signal.SIGTERM)
        return process.reap()

    def close(self) -> None:
        """End what still runs."""
        for name in [*self._processes]:
            self.kill(name)

    # ------------------------------------------------------------ in the place of the feeds
    def state(self, index: int, state: BookState) -> None:
        """Set the state of a book and tell the detector."""
        set_state(self.books[index].words, 0, state, BookFault.NONE, mono_ns())
        self._tell(index, UpdateKind.STATE)

    def book(self, index: int, bids: Levels, asks: Levels) -> int:
        """Publish a book as received now; return that time."""
        now_ns = mono_ns()
        publish_levels(self.books[index], 0, bids, asks, now_ns=now_ns)
        self._tell(index, UpdateKind.BOOK)
        return now_ns

    def _tell(self, index: int, kind: UpdateKind) -> None:
        self._updates[index].push(index << 8 | kind)
        ring_bell(self.control.words, self.control.bell(Bell.DETECTOR))

    def cross(self) -> None:
        """Let b bid above a's ask, both near enough to one another for the gate."""
        self.book(0, [(9_990, 50)], [(10_000, 50)])
        self.book(1, [(10_020, 70)], [(10_030, 70)])

    def calm(self) -> None:
        """End the cross, and wait until the detector has seen it."""
        self.book(1, [(9_990, 70)], [(10_010, 70)])
        until("windows closed", lambda: not self.windows_open)

    # ------------------------------------------------------------ what came of it
    @property
    def windows_open(self) -> int:
        """Return how many windows are open; those of a killed detector nobody closes."""
        opened = self.count("detector", "windows_opened") - self._windows_lost
        return opened - self.count("detector", "windows_closed")

    def made(self, count: int) -> None:
        """Wait until exactly so many signals were made."""
        until(f"signal {count}", lambda: len(self.signals()) >= count)
        assert len(self.signals()) == count

    def decided(self, count: int) -> "Decided":
        """Wait until exactly so many signals have a fate; return the newest."""
        until(f"fate {count}", lambda: len(self.fates()) >= count)
        fates = self.fates()
        assert len(fates) == count
        sequence, fate, veto, number, limit = (int(fates[name][-1]) for name in Decided._fields)
        return Decided(sequence, Fate(fate), Veto(veto), number, limit)

    def count(self, process: str, name: str) -> int:
        """Return a counter of a process."""
        block = CounterBlock(self._counters, self.control.processes.index_of(process))
        return next(each.value for each in block.readings(process)
                    if each.metric.name.lower() == name)

    def signals(self) -> NDArray[np.void]:
        """Return every signal made so far, oldest first."""
        return self._signals.read(0, self._signals.capacity)[2]

    def fates(self) -> NDArray[np.void]:
        """Return the fate of every signal acted on so far, oldest first."""
        return self._fates.read(0, self._fates.capacity)[2]

    def lines(self, process: str) -> list[dict[str, Any]]:
        """Return what a process has logged so far."""
        path = self.root / "log" / f"{process}.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()]


@contextmanager
def staged(**settings: Any) -> Iterator[Stage]:
    """Set a stage in a folder of its own; the path of a local socket is bounded, so a short one."""
    root = Path(tempfile.mkdtemp(prefix="t"))
    stage = Stage(root, **settings)
    try:
        yield stage
    finally:
        stage.close()
        shutil.rmtree(root)
