"""A real engine that trades on the outside world, and whatever kills it."""

import hashlib
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Final

from bench.auditor.evidence import Portfolio, ledger_of
from bench.auditor.journal import Damaged, Entry, entries_of
from bench.fault_campaign.outside import SYMBOLS, Outside
from bench.fault_campaign.shown import shown
from engine.control.protocol import AnyRequest
from engine.model.errors import EngineError
from engine.runtime import spawn
from engine.runtime.books_folder import BooksFolder, latest
from ops.client import ask
from shm.board import ControlView
from shm.layout import EngineState, ProcessState
from shm.segment import RunFolder, Segment

NAME: Final = "faults"
PATIENCE_S: Final = 300.0  # a cold first start compiles
POLL_S: Final = 0.005
STOP_S: Final = 5.0
PROFILE: Final = "aggressive"  # its limits on rates and numbers are audited
LAUNCHER: Final = "launcher"
FAILPOINT: Final = "TRYPTO_FAILPOINT"
LAST_WORDS: Final = 25
CONFIG: Final = """
name = "{name}"
mode = "live"
{venues}
{accounts}
[detector]
edge-min-ppm = 20
edge-max-ppm = 1000000
notional-max.USDT = 400.0
notional-min.USDT = 30.0
book-age-ms-max = 2000.0
expiry-ms = 250.0
repeat-ms = 400.0
[execution]
edge-min-ppm = 1
durability = "{durability}"
order = "{order}"
plan-deadline-ms = 15000.0
attempts-max = 40
answer-ms-max = 1000.0
request-life-ms = 3000.0
proof-margin-ms = 1000.0
query-ms-max = 1000.0
survey-s = 3.0
breaker-failures-max = 20
breaker-open-s = 1.0
cool-down-s = 1.0
[risk]
profile = "{profile}"
loss-day-max = 1000000.0
loss-hour-max = 1000000.0
losses-in-row-max = 100000
[supervision]
restarts-max = 1000
backoff-max-ms = 200.0
[storage]
folder = "{storage}"
"""


class NotBack(Exception):
    """The engine did not do what was waited for."""


class Engine:
    """One engine and its books, from its first start to its last stop."""

    def __init__(self, folder: Path, outside: Outside, *, seed: int) -> None:
        """Write its config and keys, all for one outside world."""
        self._folder, self.storage = folder, folder / "books"
        (folder / "keys").mkdir(parents=True, mode=0o700)
        (folder / "shm").mkdir()
        urls = outside.remote.endpoints
        keys = {venue: outside.key(venue) for venue in outside.venues}
        parts = [f"{venue}={keys[venue].key}" for venue in sorted(keys)]
        self.account = hashlib.sha256("\n".join(["", *parts]).encode()).hexdigest()[:12]
        self.secrets = tuple(each.secret for each in keys.values())
        venues = accounts = ""
        for venue, key in keys.items():
            for part in ("key", "secret", "passphrase"):
                path = folder / "keys" / f"{venue}.{part}"
                path.write_text(getattr(key, part))
                path.chmod(0o600)
            ws, rest = urls[venue]["ws"], urls[venue]["rest"]
            host = "/".join(ws.split("/")[:3])
            quoted = ", ".join(f'"{symbol}"' for symbol in SYMBOLS[venue])
            venues += (f"[venues.{venue}]\nsymbols = [{quoted}]\ntaker-fee-ppm = 0\n"
                       f'ws-url = "{ws}"\nrest-url = "{rest}"\n')
            where = folder / "keys"
            passphrase = f'passphrase = "file:{where}/{venue}.passphrase"\n' if (
                key.passphrase) else ""
            accounts += (
                f'[accounts.{venue}]\nkey = "file:{where}/{venue}.key"\n'
                f'secret = "file:{where}/{venue}.secret"\n{passphrase}'
                f'fingerprint = "{hashlib.sha256(key.key.encode()).hexdigest()[:12]}"\n'
                f'orders-url = "{host}"\nuser-url = "{host}"\nrest-url = "{rest}"\n')
        (folder / "engine.toml").write_text(CONFIG.format(
            name=NAME, profile=PROFILE, venues=venues, accounts=accounts, storage=self.storage,
            durability=("process", "power")[seed % 2],
            order=("together", "riskier-first")[seed // 2 % 2]))
        self._failpoint = folder / "failpoint"
        self._environment = os.environ | {
            FAILPOINT: str(self._failpoint),
            "TRYPTO_SHM": str(folder / "shm"), "PYTHONPATH": spawn.ROOT,
            "XDG_STATE_HOME": str(folder / "state")}
        self.run = RunFolder(folder / "shm" / f"trypto-{os.getuid()}" / NAME)
        self._launcher: subprocess.Popen[bytes] | None = None
        self._board: ControlView | None = None
        self._run_id = 0
        self.starts = 0

    # --- life ----------------------------------------------------------------------------------

    def arm(self, failpoint: str) -> None:
        """Let execution end itself at a named point: ``name:nth`` (exec/failpoint.py)."""
        new = self._failpoint.with_suffix(".new")
        new.write_text(failpoint)
        new.rename(self._failpoint)

    def disarm(self) -> bool:
        """Take that back; return whether it had not been reached."""
        waiting = self._failpoint.exists()
        self._failpoint.unlink(missing_ok=True)
        return waiting

    def start(self) -> None:
        """Start it; return once every process is ready."""
        self.starts += 1
        with (self._folder / "output").open("ab") as output:
            self._launcher = subprocess.Popen(  # noqa: S603  (our own interpreter and module)
                spawn.command("ops.cli", "start", "--plain", "--config",
                              str(self._folder / "engine.toml"), "--live", self.account),
                env=self._environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True)
        self.until_ready()

    def until_ready(self) -> None:
        """Wait until every process of the newest run is ready."""
        self.until("the engine ready", self.is_ready)

    def until(self, what: str, reached: object, patience_s: float = PATIENCE_S) -> None:
        """Poll until ``reached()``; raise NotBack where that takes too long."""
        assert callable(reached)
        deadline = time.monotonic() + patience_s
        while not reached():
            if time.monotonic() > deadline:
                raise NotBack(f"not within {patience_s:g} s: {what}\n{self.last_words()}")
            if self._launcher is not None and self._launcher.poll() is not None:
                raise NotBack(f"the launcher left before: {what}\n{self.last_words()}")
            time.sleep(POLL_S)

    def is_ready(self) -> bool:
        """Return whether every process is READY in its present life."""
        board = self._attached()
        if board is None or board.engine["state"] not in (
                EngineState.RUNNING, EngineState.HALTED):
            return False
        rows = [board.processes[index] for index in range(board.engine["process_count"])]
        return all(row["state"] == ProcessState.READY and row["own_epoch"] == row["epoch"]
                   for row in rows)

    def _attached(self) -> ControlView | None:
        try:
            segment = Segment.attach(self.run, "control")
        except EngineError:
            self._board = None
            return None
        if self._board is None or segment.run != self._run_id:
            self._run_id, self._board = segment.run, ControlView(segment.words)
        return self._board

    def pids(self) -> dict[str, int]:
        """Return every process of the table, and the launcher."""
        board, found = self._attached(), {}
        if board is not None:
            rows = [board.processes[index] for index in range(board.engine["process_count"])]
            found = {row.text("name"): int(row["pid"]) for row in rows if row["pid"] > 1}
        if self._launcher is not None and self._launcher.poll() is None:
            found[LAUNCHER] = self._launcher.pid
        return found

    def kill(self, name: str) -> bool:
        """Kill -9 a process by its name; return whether there was one.

        A dead launcher is started again by ``revive``: nobody else would.
        """
        pid = self.pids().get(name)
        if pid is None:
            return False
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        if name == LAUNCHER and self._launcher is not None:
            self._launcher.wait()
        return True

    def revive(self) -> None:
        """Start it again where its launcher died; wait until it is ready."""
        if self._launcher is not None and self._launcher.poll() is not None:
            deadline = time.monotonic() + STOP_S
            while spawn.processes_of(self.run.path) and time.monotonic() < deadline:
                time.sleep(POLL_S)
            self.start()
        self.until_ready()

    def say(self, request: AnyRequest) -> None:
        """Say something over the control socket, until it was heard."""
        for _ in range(5):
            try:
                ask(self.run, request)
            except EngineError:
                time.sleep(0.2)
                continue
            return
        raise NotBack(f"nobody answers {request}")

    def stop(self) -> None:
        """Stop it, and make sure that nothing is left."""
        if self._launcher is None:
            return
        if self._launcher.poll() is None:
            self._launcher.send_signal(signal.SIGINT)
            try:
                self._launcher.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._launcher.kill()
                self._launcher.wait()
        for pid in spawn.processes_of(self.run.path):
            spawn.kill(pid, STOP_S)
        self._launcher = None

    # --- what it leaves ------------------------------------------------------------------------

    def books(self) -> BooksFolder | None:
        """Return where its books are."""
        return latest(NAME, str(self.storage))

    def entries(self) -> list[Entry]:
        """Return its journal, as far as it is written."""
        books = self.books()
        if books is None:
            raise Damaged("no books were opened yet")
        return list(entries_of(books.journal))

    def ledger(self) -> dict[str, list[dict[str, object]]] | None:
        """Return the ledger's rows, None where no process writes one."""
        books = self.books()
        return ledger_of(books.ledger) if books is not None and books.ledger.exists() else None

    def portfolio(self) -> Portfolio | None:
        """Return what the portfolio segment shows, None where nobody publishes it."""
        return shown(self.run)

    def last_words(self) -> str:
        """Return the ends of its output and logs."""
        files = [self._folder / "output", *sorted((self._folder / "state").rglob("*.log"))]
        return "\n".join(
            "\n".join([f"--- {each.name}",
                       *each.read_text(errors="replace").splitlines()[-LAST_WORDS:]])
            for each in files if each.exists())
