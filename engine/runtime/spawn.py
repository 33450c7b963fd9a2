"""Starting, finding and ending processes of an engine; no other module starts one."""

import os
import select
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import engine
from engine.runtime.machine import THREAD_ENVIRONMENT

PARENT_VARIABLE: Final = "TRYPTO_PARENT"  # the pid that must be the parent of a process of ours
ROOT: Final = str(Path(engine.__file__).resolve().parent.parent)


def command(module: str, *arguments: str) -> list[str]:
    """Return the command line of a module of ours; ``-P`` keeps the working folder out of it."""
    return [sys.executable, "-P", "-m", module, *arguments]


def environment() -> dict[str, str]:
    """Return the environment of a child: our sources, our pid, one thread per library."""
    inherited = os.environ.get("PYTHONPATH", "")
    return os.environ | THREAD_ENVIRONMENT | {
        "PYTHONPATH": os.pathsep.join(filter(None, (ROOT, inherited))),
        PARENT_VARIABLE: str(os.getpid()),
    }


class Process:
    """A child of ours by its descriptor: a pid may be somebody else's tomorrow, this may not."""

    def __init__(self, pid: int, stderr: int = -1) -> None:
        """Take a child that has not been waited for, and the reading end of its stderr."""
        self.pid, self.pidfd, self.stderr = pid, os.pidfd_open(pid), stderr

    def send(self, signal_number: int) -> None:
        """Send a signal; nothing happens when the child is dead already."""
        try:
            signal.pidfd_send_signal(self.pidfd, signal_number)
        except ProcessLookupError:
            return

    def reap(self) -> int:
        """Wait for the end; return the exit code, negative for a signal.  Call it once."""
        _, status = os.waitpid(self.pid, 0)
        os.close(self.pidfd)
        if self.stderr >= 0:
            os.close(self.stderr)
        return os.waitstatus_to_exitcode(status)


def start(line: list[str], *, stderr: int = -1, own_session: bool = False) -> int:
    """Start a process, return its pid; with ``own_session`` Ctrl-C does not reach it.

    It inherits descriptors marked inheritable, and ``stderr`` in the place of ours.
    """
    actions: list[tuple[int, int, str, int, int] | tuple[int, int, int]] = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
    ]
    if stderr >= 0:
        actions.append((os.POSIX_SPAWN_DUP2, stderr, 2))
    return os.posix_spawn(
        line[0], line, environment(), file_actions=actions, setsid=own_session)


def children_of(parent: int) -> list[int]:
    """Return the pids of the living children of ``parent``."""
    found = []
    for pid in _pids():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if fields[0] != "Z" and int(fields[1]) == parent:
            found.append(pid)
    return found


def processes_of(folder: Path) -> list[int]:
    """Return the pids of this user's processes of the engine whose run folder this is."""
    found = []
    for pid in _pids():
        entry = Path(f"/proc/{pid}")
        try:
            if entry.stat().st_uid != os.getuid():
                continue
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if b"-P" in words and b"-m" in words and str(folder).encode() in words:
            found.append(pid)
    return found


def _pids() -> Iterator[int]:
    return (int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit())


def kill(pid: int, timeout_s: float) -> bool:
    """Kill one process and wait until it is gone; return whether it is."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        poller = select.poll()
        poller.register(descriptor, select.POLLIN)
        return bool(poller.poll(timeout_s * 1000))
    except ProcessLookupError:
        return True
    finally:
        os.close(descriptor)
