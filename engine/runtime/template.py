"""A warm process to fork the others from: importing and compiling is paid once per run.

    control ── request, stderr ──▶ template ── fork ──▶ (gone at once) ── fork ──▶ feed:kraken
       ▲                              │                                               │
       └────────────── pid ───────────┘        adopted by control, which is a subreaper ─┘

Started cold, each process needs over a second of processor time before its first line; forked,
some milliseconds, and the pages are shared.  The process in between dies at once, so that
control becomes the parent: it waits for the new process and the kernel tells that process when
control dies, exactly as if control had started it.  The template has one thread and no log, so
that forking it is safe.
"""

import contextlib
import faulthandler
import gc
import importlib
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from engine.config import Config
from engine.model.clock import SystemClock
from engine.runtime import machine, process
from engine.runtime.context import rss_bytes
from engine.runtime.spawn import PARENT_VARIABLE
from shm.board import ControlView, Row, beat
from shm.counters import CounterBlock, TemplateCounter, TemplateHistogram
from shm.layout import ProcessState
from shm.segment import RunFolder, Segment

NAME: Final = "template"
BEAT_MS: Final = 100
MESSAGE_SIZE_MAX: Final = 4_096
_ADOPTED_TRIES: Final = 1_000  # of 1 ms

mono_ns: Final = SystemClock.mono_ns
parse: Final = msgspec.json.Decoder(list[str]).decode

Warm = Callable[[Config], object]


class Client:
    """Control's end: ask for processes, learn their pids; requests wait while it warms up."""

    def __init__(self) -> None:
        self.socket, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.setblocking(False)
        self._theirs.set_inheritable(True)
        self.inherited = self._theirs.fileno()

    def started(self) -> None:
        """Close the template's end here: when the template dies, we read the end."""
        self._theirs.close()

    def ask(self, name: str, entry: str, stderr: int) -> None:
        """Ask for a process that writes its last words to ``stderr``."""
        socket.send_fds(self.socket, [msgspec.json.encode([name, entry])], [stderr])

    def pids(self) -> list[tuple[str, int]]:
        """Return (name, pid) of what was started since the last call."""
        found: list[tuple[str, int]] = []
        while True:
            try:
                body = self.socket.recv(MESSAGE_SIZE_MAX)
            except (BlockingIOError, ConnectionResetError):
                return found
            if not body:  # the template is dead
                return found
            name, pid = parse(body)
            found.append((name, int(pid)))

    def close(self) -> None:
        """Close our end: the template leaves."""
        self.socket.close()


def warm_marker() -> Path:
    """Return the file that stands beside machine code which is complete."""
    return Path(os.environ["NUMBA_CACHE_DIR"]) / "warm"  # set by shm.jit when it is not set


def main(arguments: list[str]) -> int:
    """Import, warm up, then fork on request until told to leave."""
    folder, descriptor, modules = arguments
    faulthandler.enable()
    machine.no_core_dumps()
    machine.quiet_collector()
    machine.name_process(NAME)
    if not machine.die_with_parent(signal.SIGTERM, int(os.environ[PARENT_VARIABLE])):
        return process.ORPHANED
    run, config = RunFolder(Path(folder)), process.read_config(Path(folder))
    view = ControlView(Segment.attach(run, "control", writable=True).words)
    index = view.processes.index_of(NAME)
    row, counters = view.processes[index], CounterBlock(
        Segment.attach(run, "counters", writable=True).words, index)
    row["own_epoch"], row["own_pid"], row["cpu"] = row["epoch"], os.getpid(), machine.NO_CORE
    _beat(row)
    warms = [module.warm for module in map(importlib.import_module, modules.split(","))
             if hasattr(module, "warm")]
    if not warm_marker().exists():
        _compile((warms[:1], warms[1:]), config, row)  # detector and execution share theirs
    for warm in warms:
        warm(config)
        _beat(row)
    with contextlib.suppress(OSError):  # a full disk: the next start compiles again
        warm_marker().touch()
    gc.collect()
    gc.freeze()
    row["rss_bytes"] = rss_bytes()
    row["ready_mono_ns"], row["state"] = mono_ns(), ProcessState.READY
    with socket.socket(fileno=int(descriptor)) as ours:
        poller = select.poll()
        poller.register(ours, select.POLLIN)
        while view.engine["stop"] == 0:
            _beat(row)
            if poller.poll(BEAT_MS):
                # SEQPACKET: one request per message, never a part of one
                body, descriptors, _, _ = socket.recv_fds(ours, MESSAGE_SIZE_MAX, 1)
                if not body:
                    return 0
                since_ns = mono_ns()
                name, entry = parse(body)
                pid = _fork_twice([name, folder, entry], ours, descriptors[0])
                os.close(descriptors[0])
                ours.send(msgspec.json.encode([name, str(pid)]))
                counters.count(TemplateCounter.FORKS)
                counters.record(TemplateHistogram.FORK, mono_ns() - since_ns)
    return 0


def _compile(groups: Sequence[Sequence[Warm]], config: Config, row: Row) -> None:
    """Compile each group in a process of its own, all at once; the code lies on disk afterwards.

    That takes as long as the longest, and the compiler's memory goes with the processes.  What
    fails there fails again, and is told, where the code is needed.
    """
    ours = os.getpid()
    for group in groups:
        if os.fork() == 0:
            try:
                if machine.die_with_parent(signal.SIGKILL, ours):
                    for warm in group:
                        warm(config)
            finally:
                os._exit(0)  # never back into the template's frames
    for _ in groups:
        os.wait()
        _beat(row)


def _beat(row: Row) -> None:
    beat(row.words, row.base, mono_ns(), 1)


def _fork_twice(arguments: list[str], ours: socket.socket, stderr: int) -> int:
    """Start a process whose parent will be control; return its pid once that is so."""
    reading, writing = os.pipe()
    between = os.fork()
    if between:
        os.close(writing)
        pid = int(os.read(reading, 32))
        os.close(reading)
        os.waitpid(between, 0)
        return pid
    exit_code = 1
    try:
        pid = os.fork()
        if pid:
            os.write(writing, str(pid).encode())
            os._exit(0)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for descriptor in (reading, writing, ours.fileno()):
            os.close(descriptor)
        os.dup2(stderr, 2)
        os.close(stderr)
        exit_code = _be_adopted(arguments)
    finally:
        sys.stderr.flush()
        os._exit(exit_code)  # never back into the template's frames


def _be_adopted(arguments: list[str]) -> int:
    """Wait until control is our parent, then be the process that was asked for."""
    for _ in range(_ADOPTED_TRIES):
        if os.getppid() == int(os.environ[PARENT_VARIABLE]):
            return process.main(arguments)
        time.sleep(0.001)
    return process.ORPHANED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
