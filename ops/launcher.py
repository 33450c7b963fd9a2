"""The launcher: holds the lock, runs control as its child, leaves nothing behind.

It adopts what control leaves when that is killed (PR_SET_CHILD_SUBREAPER), so that no process of
an engine can be lost; when the launcher itself is killed, control sees itself orphaned, stops
everything and cleans up, still holding the lock that it inherited.
"""

import os
import select
import signal
from collections.abc import Callable
from typing import Final

import msgspec

from engine.config import Config
from engine.control.protocol import KILL_FILE, STANDING_FILE
from engine.model.clock import Clock
from engine.model.errors import AlreadyRunning, LayoutMismatch, LockInvalid, SegmentInvalid
from engine.runtime import machine, spawn
from engine.runtime.lock import EngineLock
from engine.runtime.process import CONFIG_FILE
from engine.runtime.template import warm_marker
from shm.board import ControlView
from shm.segment import RunFolder, Segment

CONTROL_MODULE: Final = "engine.control.process"
CANNOT_START: Final = 4  # control's exit code for: trying again would not help
CONTROL_ENDED: Final = {5: "files of the running engine were deleted by somebody"}
KEPT: Final = (KILL_FILE, STANDING_FILE)  # what stands until an operator takes it back
STOPPED: Final = (0, -signal.SIGTERM, -signal.SIGKILL)  # how control ends when we stop it
REFRESH_MS: Final = 250
STOP_S: Final = 2.2  # for control to stop everything; then it is killed
ORPHANS_LEAVE_S: Final = 0.4  # for children whose control is dead; then they are killed
KILLED_GONE_S: Final = 2.0


class Launcher:
    """One engine in the foreground, from lock to clean folder."""

    def __init__(
        self, *, config: Config, lock: EngineLock, clock: Clock, refresh: Callable[[], None],
        say: Callable[[str], None], seconds: float | None = None, module: str = CONTROL_MODULE,
    ) -> None:
        """Take the held lock; ``seconds`` ends the run by itself; ``refresh`` draws the screen."""
        self._config, self._lock, self._run, self._clock = config, lock, lock.run, clock
        self._refresh, self._say, self._module = refresh, say, module
        self._end_ns = None if seconds is None else clock.mono_ns() + int(seconds * 1e9)
        self._asked = 0  # how often we were told to stop
        self._deaths_ns: list[int] = []
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def run(self) -> int:
        """Run until stopped; return 0, or 1 when the engine could not be kept running."""
        machine.adopt_orphans()
        os.set_inheritable(self._lock.descriptor, True)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask)
        if not warm_marker().exists():
            self._say("the first start compiles for this machine, which takes about a minute")
        try:
            exit_code = self._keep_running()
            return exit_code if self._lock.held() else 1
        finally:
            self._end_orphans()
            try:
                if self._lock.held():  # else the folder may be another engine's
                    self._run.remove()
            finally:
                self._lock.release()

    def _ask(self, _number: int, _frame: object) -> None:
        self._asked += 1

    def _keep_lock(self) -> bool:
        """Take the lock again when its file was deleted; return False when another engine has."""
        if not self._lock.held():
            deleted = self._lock
            try:
                self._lock = EngineLock.take(self._run)
            except (AlreadyRunning, LockInvalid) as error:
                self._say(f"our lock was deleted, and then {error}; stopping")
                return False
            os.set_inheritable(self._lock.descriptor, True)
            deleted.release()
            self._say(f"{self._run.lock_path} was deleted by somebody; locked again")
        return True

    def _note_end(self, now: int) -> None:
        if self._end_ns is not None and now >= self._end_ns:
            self._asked = max(self._asked, 1)

    def _keep_running(self) -> int:
        while True:
            self._fresh_folder()
            control = spawn.Process(spawn.start(
                spawn.command(self._module, str(self._run.path), str(self._lock.descriptor)),
                own_session=True))
            exit_code = self._watch(control)
            self._end_orphans()
            self._note_end(self._clock.mono_ns())  # a control that dies at once is never watched
            if exit_code == 0:
                return 0
            limits = self._config.supervision
            since_ns = self._clock.mono_ns() - int(limits.restart_window_s * 1e9)
            self._deaths_ns = [at_ns for at_ns in self._deaths_ns if at_ns > since_ns]
            if self._asked:  # it ended by our signal, and was not dying again and again anyway
                return 0 if exit_code in STOPPED and not self._deaths_ns else 1
            if exit_code == CANNOT_START:
                return 1
            self._deaths_ns.append(self._clock.mono_ns())
            if len(self._deaths_ns) > limits.restarts_max:
                self._say(f"control died more than {limits.restarts_max} times within"
                          f" {limits.restart_window_s:g} s; giving up")
                return 1
            why = CONTROL_ENDED.get(exit_code, f"control ended with {exit_code}")
            self._say(f"{why}; starting the engine again")
            if not self._keep_lock():
                return 1

    def _fresh_folder(self) -> None:
        """Empty the folder of a dead engine, but keep what only an operator takes back."""
        for pid in spawn.processes_of(self._run.path):
            spawn.kill(pid, KILLED_GONE_S)
        paths = [self._run.file(name) for name in KEPT]
        kept = {path: path.read_bytes() for path in paths if path.is_file()}
        if os.path.lexists(self._run.path):
            self._say(f"removing what a dead engine left in {self._run.path}")
            self._run.remove()
        self._run.create()
        for path, content in kept.items():
            path.write_bytes(content)
        if self._run.file(KILL_FILE) in kept:
            self._say("the kill word still holds; take it back with: trypto-engine reset")
        if self._run.file(STANDING_FILE) in kept:
            self._say("pauses or a halt still hold; see: trypto-engine status")
        new = self._run.file(f"{CONFIG_FILE}.new")  # who attaches meanwhile sees all of it or none
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(self._config))
        new.rename(self._run.file(CONFIG_FILE))

    def _watch(self, control: spawn.Process) -> int:
        """Wait for control to end; end it when we are told to, or when it hangs."""
        poller = select.poll()
        poller.register(control.pidfd, select.POLLIN)
        poller.register(self._wake_read, select.POLLIN)
        silence = Silence(self._run, self._config, self._clock)
        stop_by_ns: int | None = None
        while True:
            events = dict(poller.poll(REFRESH_MS))
            if control.pidfd in events:
                return control.reap()
            if self._wake_read in events:
                os.read(self._wake_read, 512)
            now = self._clock.mono_ns()
            self._note_end(now)
            if not self._asked and not self._keep_lock():
                self._asked = 1
            if self._asked and stop_by_ns is None:
                control.send(signal.SIGTERM)
                stop_by_ns = now + int(STOP_S * 1e9)
            if stop_by_ns is not None and (self._asked > 1 or now >= stop_by_ns):
                control.send(signal.SIGKILL)
            elif stop_by_ns is None and silence.is_too_long():
                self._say("control hangs; killing it")
                control.send(signal.SIGKILL)
            self._refresh()

    def _end_orphans(self) -> None:
        """Wait for every process of ours; kill what does not leave by itself."""
        deadline_ns = self._clock.mono_ns() + int(ORPHANS_LEAVE_S * 1e9)
        poller = select.poll()
        while self._reap():
            if self._clock.mono_ns() >= deadline_ns or self._asked > 1:
                for pid in spawn.children_of(os.getpid()):
                    spawn.kill(pid, KILLED_GONE_S)
            poller.poll(10)

    def _reap(self) -> bool:
        """Take the exit codes of the dead; return whether anybody is alive."""
        while True:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True


class Silence:
    """How long control's own heartbeat has stood still while we watched."""

    def __init__(self, run: RunFolder, config: Config, clock: Clock) -> None:
        self._run, self._clock, self._limits = run, clock, config.supervision
        self._view: ControlView | None = None
        self._heartbeat = self._silent_ns = 0
        self._looked_ns = clock.mono_ns()

    def is_too_long(self) -> bool:
        """Look once; return whether control hangs."""
        now = self._clock.mono_ns()
        watched_ns = min(now - self._looked_ns, 2 * REFRESH_MS * 1_000_000)
        self._looked_ns = now
        if self._view is None:
            try:
                self._view = ControlView(Segment.attach(self._run, "control").words)
            except (SegmentInvalid, LayoutMismatch):
                self._silent_ns += watched_ns  # not there yet, or of other code: it cannot work
                return self._silent_ns > self._limits.start_max_s * 1e9
        row = self._view.processes[0]
        heartbeat = row["heartbeat_mono_ns"]
        if heartbeat != self._heartbeat:
            self._heartbeat, self._silent_ns = heartbeat, 0
        else:
            self._silent_ns += watched_ns
        starting = row["ready_mono_ns"] == 0
        limit_ns = self._limits.start_max_s * 1e9 if starting else self._limits.silence_max_ms * 1e6
        return self._silent_ns > limit_ns
