"""A real engine for a benchmark: started by the command that users type, in a folder of its own.

    with Started(config, "--capture", path) as engine:
        engine.until("running", engine.is_running)
        records = engine.new_signals()

Its segments lie below /dev/shm beside those of any other engine, its logs in a temporary folder;
both are gone afterwards, whatever happened.
"""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from engine.model.clock import SystemClock
from engine.model.errors import EngineError
from engine.runtime import spawn
from ops.attach import Engine
from shm.layout import SIGNAL, EngineState
from shm.ring import RecordRing
from shm.segment import RunFolder, Segment

NAME: Final = "bench"
PATIENCE_S: Final = 180.0  # a cold first start compiles
POLL_S: Final = 0.002
STOP_S: Final = 10.0
LAST_WORDS: Final = 10  # lines of the engine's own output that are shown when it failed


class NotReached(Exception):
    """The engine did not do what the benchmark waits for."""


class Started:
    """One engine, from start to clean folder; the ``with`` block is its life."""

    def __init__(self, config: str, *options: str) -> None:
        """Take the config as TOML, its name left out, and further options of ``start``."""
        self._segments = tempfile.TemporaryDirectory(dir="/dev/shm", prefix="b")
        self._files = tempfile.TemporaryDirectory(prefix="trypto-bench-")
        self.folder, shm = Path(self._files.name), Path(self._segments.name)
        (self.folder / "config.toml").write_text(f'name = "{NAME}"\n{config}')
        self._options = options
        self._environment = os.environ | {
            "TRYPTO_SHM": str(shm), "PYTHONPATH": spawn.ROOT,
            "XDG_STATE_HOME": str(self.folder / "state")}
        self.run = RunFolder(shm / f"trypto-{os.getuid()}" / NAME)
        self._launcher: subprocess.Popen[bytes] | None = None
        self._view: Engine | None = None
        self._signals: RecordRing | None = None
        self._cursor = self.lost = 0  # signals read, and those that the ring had dropped before

    def __enter__(self) -> Self:
        """Start it and return once it can be looked at."""
        with (self.folder / "output").open("wb") as output:
            self._launcher = subprocess.Popen(  # noqa: S603  (our own interpreter and module)
                spawn.command("ops.cli", "start", "--plain", "--config",
                              str(self.folder / "config.toml"), *self._options),
                env=self._environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True)
        try:
            self.until("an engine", self._attached)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it and remove what is left of it."""
        self._end()

    @property
    def view(self) -> Engine:
        """Return the engine as ``attach`` sees it."""
        assert self._view is not None
        return self._view

    def until(
        self, what: str, reached: Callable[[], bool], *, patience_s: float = PATIENCE_S
    ) -> None:
        """Poll until ``reached()``; raise NotReached when that takes too long or it has left."""
        assert self._launcher is not None
        deadline = time.monotonic() + patience_s
        while not reached():
            if self._launcher.poll() is not None:
                raise NotReached(f"the engine left before: {what}\n{self.last_words()}")
            if time.monotonic() > deadline:
                raise NotReached(f"not within {patience_s:g} s: {what}\n{self.last_words()}")
            time.sleep(POLL_S)

    def is_running(self) -> bool:
        """Return whether every process is ready."""
        return self.view.state is EngineState.RUNNING

    def new_signals(self) -> NDArray[np.void]:
        """Return the signals made since the last call, oldest first; ``lost`` counts the others."""
        assert self._signals is not None
        self._cursor, lost, records = self._signals.read(self._cursor, self._signals.capacity)
        self.lost += lost
        return records

    def last_words(self) -> str:
        """Return the end of what the engine has printed."""
        lines = (self.folder / "output").read_text(errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-LAST_WORDS:])

    def _attached(self) -> bool:
        try:
            self._view = Engine(self.run, SystemClock())
            self._signals = RecordRing(Segment.attach(self.run, "signals").words, SIGNAL)
        except EngineError:
            return False
        return True

    def _end(self) -> None:
        if self._launcher is not None:
            self._launcher.send_signal(signal.SIGINT)
            try:
                self._launcher.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._launcher.kill()
                self._launcher.wait()
        for pid in spawn.processes_of(self.run.path):
            spawn.kill(pid, STOP_S)
        self._segments.cleanup()
        self._files.cleanup()
