"""The supervisor: ``judge`` decides about one child and is pure; ``Supervisor`` acts on it.

Death is seen by pidfd in the event loop, at once.  A hang is a heartbeat that stands still, and
counts only time that control itself was awake for: when the whole box was frozen, nobody hung.
A dead process's epoch is bumped before anything else, so that nobody trusts what it left.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Final

from engine.control.roles import TEMPLATE, Role
from engine.control.starter import Starter
from engine.runtime.context import Context
from engine.runtime.spawn import Process
from shm.board import Row
from shm.counters import ControlCounter, ControlHistogram
from shm.layout import PROCESS, ProcessState

TICK_NS: Final = 100_000_000  # how often the supervisor looks
STDERR_KEPT: Final = 4_096  # bytes of a child's last words
STDERR_READS: Final = 16  # per wake-up: as much as a pipe holds
VERDICT_SIZE: Final = PROCESS["verdict"].itemsize


class Verdict(Enum):
    """What to do about one child."""

    LEAVE = "leave it alone"
    KILL = "kill it: it hangs"
    RESTART = "start it again"
    GIVE_UP = "leave it dead and wake a person"


def judge(
    role: Role, *, exited: bool, ready: bool, silent_ns: int, deaths_ns: Sequence[int], now_ns: int
) -> Verdict:
    """Decide about one child.  Pure: the caller looks at the world before and acts on it after.

    silent_ns  how long its heartbeat has stood still while we watched
    deaths_ns  when it died, this death included
    """
    if not exited:
        limit_ns = role.silence_max_ns if ready else role.start_max_ns
        return Verdict.KILL if silent_ns > limit_ns else Verdict.LEAVE
    recent = sum(now_ns - at_ns < role.restart_window_ns for at_ns in deaths_ns)
    return Verdict.RESTART if recent <= role.restarts_max else Verdict.GIVE_UP


def backoff_ns(role: Role, *, deaths_ns: Sequence[int], now_ns: int) -> int:
    """Return how long to wait before the restart: doubles with each death in the window."""
    recent = sum(now_ns - at_ns < role.restart_window_ns for at_ns in deaths_ns)
    return min(role.backoff_min_ns << min(max(recent - 1, 0), 30), role.backoff_max_ns)


def cause_of(exit_code: int, stderr: str) -> str:
    """Say in words why a process ended: its signal, or its exit code and its last words."""
    if exit_code < 0:
        return f"killed by {signal.Signals(-exit_code).name}"
    last = next((line for line in reversed(stderr.splitlines()) if line.strip()), "")
    return f"exit code {exit_code}" + (f": {last}" if last else "")


def fit(text: str, size: int) -> str:
    """Cut a text to ``size`` bytes of UTF-8, at a character."""
    return text.encode()[:size].decode(errors="ignore")


class Child:
    """One row of the process table and the process behind it."""

    def __init__(self, role: Role, row: Row) -> None:
        self.role, self.row = role, row
        self.process: Process | None = None
        self.deaths_ns: list[int] = []
        self.due_ns: int | None = None  # when to start (again); None: it runs, or never again
        self.started_ns = self.died_ns = 0
        self.heartbeat = self.silent_ns = 0
        self.hung = self.was_ready = self.given_up = False
        self.stderr = b""


class Supervisor:
    """Start the children, watch them, start them again; all on the event loop's thread."""

    def __init__(
        self, context: Context, children: Sequence[Child], starter: Starter,
        given_up: Callable[[Child, str], None],
    ) -> None:
        self._context, self.children, self._starter = context, children, starter
        self._given_up = given_up
        starter.tell(self._born)
        self._looked_ns = context.clock.mono_ns()
        self._stopping = False
        self._all_gone = asyncio.Event()

    def start(self) -> None:
        """Start all children."""
        for child in self.children:
            self._start(child)

    def turn(self) -> None:
        """Look at every child once and act; call it every TICK_NS."""
        now = self._context.clock.mono_ns()
        # an interval in which we ourselves slept proves nothing about others
        watched_ns = min(now - self._looked_ns, 2 * TICK_NS)
        self._looked_ns = now
        for child in self.children:
            if child.process is None:
                if child.due_ns is not None and now >= child.due_ns and not self._stopping:
                    self._start(child)
                continue
            heartbeat = child.row["heartbeat_mono_ns"]
            child.silent_ns = 0 if heartbeat != child.heartbeat else child.silent_ns + watched_ns
            child.heartbeat = heartbeat
            self._note_ready(child)
            verdict = judge(
                child.role, exited=False, ready=child.was_ready, silent_ns=child.silent_ns,
                deaths_ns=child.deaths_ns, now_ns=now)
            if verdict is Verdict.KILL and not child.hung:
                child.hung = True
                self._context.counters.count(ControlCounter.HANGS)
                self._context.log.error(
                    "hung", child=child.role.name, silent_ms=child.silent_ns // 1_000_000)
                child.process.send(signal.SIGKILL)

    def revive(self) -> list[str]:
        """Give every process a new restart budget and start those that were given up."""
        revived = []
        for child in self.children:
            child.deaths_ns.clear()
            if child.given_up:
                child.given_up = False
                child.due_ns = self._context.clock.mono_ns()
                revived.append(child.role.name)
        return revived

    async def stop(self, timeout_s: float) -> None:
        """Ask all children to leave; kill those that do not within ``timeout_s``."""
        self._stopping = True
        for child in self.children:
            if child.process is not None:
                child.process.send(signal.SIGTERM)
        self._note_if_all_gone()
        try:
            async with asyncio.timeout(timeout_s):
                await self._all_gone.wait()
        except TimeoutError:
            for child in self.children:
                if child.process is not None:
                    self._context.log.warning("killed, did not leave", child=child.role.name)
                    child.process.send(signal.SIGKILL)
            await self._all_gone.wait()

    def _start(self, child: Child) -> None:
        child.row["state"], child.row["ready_mono_ns"] = ProcessState.STARTING, 0
        child.due_ns, child.started_ns = None, self._context.clock.mono_ns()
        child.silent_ns, child.hung, child.was_ready, child.stderr = 0, False, False, b""
        self._starter.start(child.role)

    def _born(self, name: str, process: Process) -> None:
        """Watch a process that has just come to life."""
        child = next(child for child in self.children if child.role.name == name)
        loop, now = asyncio.get_running_loop(), self._context.clock.mono_ns()
        child.process, child.row["pid"] = process, process.pid
        os.set_blocking(process.stderr, False)
        loop.add_reader(process.stderr, self._hear, child)
        loop.add_reader(process.pidfd, self._died, child)
        self._context.counters.count(ControlCounter.STARTS)
        if child.died_ns:
            self._context.counters.record(ControlHistogram.DEATH_TO_START, now - child.died_ns)
        self._context.log.info("started", child=name, pid=process.pid)
        if self._stopping:
            process.send(signal.SIGTERM)

    def _note_ready(self, child: Child) -> None:
        if not child.was_ready and child.row["state"] == ProcessState.READY:
            child.was_ready = True
            self._context.counters.record(
                ControlHistogram.START_TO_READY, child.row["ready_mono_ns"] - child.started_ns)

    def _hear(self, child: Child) -> None:
        """Keep the end of what a child says on stderr; its last line becomes the verdict."""
        assert child.process is not None
        descriptor = child.process.stderr
        for _ in range(STDERR_READS):
            try:
                said = os.read(descriptor, STDERR_KEPT)
            except BlockingIOError:
                return
            if not said:  # closed: the process ends, or has closed it itself
                asyncio.get_running_loop().remove_reader(descriptor)
                return
            child.stderr = (child.stderr + said)[-STDERR_KEPT:]

    def _died(self, child: Child) -> None:
        """Act on a death: first the epoch, so that nobody trusts what the dead one left."""
        child.row["epoch"] = child.row["epoch"] + 1
        now, process = self._context.clock.mono_ns(), child.process
        assert process is not None
        loop = asyncio.get_running_loop()
        loop.remove_reader(process.pidfd)
        self._hear(child)
        loop.remove_reader(process.stderr)
        exit_code = process.reap()
        child.process, child.died_ns = None, now
        row, stderr = child.row, child.stderr.decode(errors="replace")
        row["exit_code"], row["state"] = exit_code, ProcessState.GONE
        cause = cause_of(exit_code, stderr)
        if child.hung:
            cause = f"hung: no heartbeat for {child.silent_ns / 1e9:.1f} s"
        row.set_text("verdict", fit(cause, VERDICT_SIZE))
        if self._stopping:
            self._note_if_all_gone()
            return
        if child.role.name == TEMPLATE:
            self._starter.template_died(
                [each.process.pid for each in self.children if each.process is not None])
        self._context.counters.count(ControlCounter.DEATHS)
        self._context.log.warning(
            "died", child=child.role.name, cause=cause, epoch=row["epoch"], stderr=stderr[-1000:])
        self._after_death(child, cause, now)

    def _after_death(self, child: Child, cause: str, now: int) -> None:
        window = child.role.restart_window_ns
        child.deaths_ns = [at for at in child.deaths_ns if now - at < window] + [now]
        verdict = judge(child.role, exited=True, ready=False, silent_ns=0,
                        deaths_ns=child.deaths_ns, now_ns=now)
        if verdict is Verdict.RESTART:
            child.row["restarts"] = child.row["restarts"] + 1
            wait_ns = backoff_ns(child.role, deaths_ns=child.deaths_ns, now_ns=now)
            child.due_ns = now + wait_ns
            asyncio.get_running_loop().call_later(wait_ns / 1e9, self.turn)
            return
        child.given_up = True
        child.row["state"] = ProcessState.GIVEN_UP
        deaths = len(child.deaths_ns)
        child.row.set_text("verdict", fit(f"gave up after {deaths} deaths: {cause}", VERDICT_SIZE))
        self._context.counters.count(ControlCounter.GIVEN_UP)
        self._given_up(child, cause)

    def _note_if_all_gone(self) -> None:
        if all(child.process is None for child in self.children):
            self._all_gone.set()
