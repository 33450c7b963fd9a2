"""Kill -9 random processes of a running demo engine, and see whether it comes back whole.

    victim ──SIGKILL──► noticed (its epoch moves) ──► READY again ──► books LIVE, and true

``python -m bench.kill_campaign`` kills 200 times, the launcher and control among the victims.
After each kill: the process is back, every book of the engine is LIVE and equals the local
servers' to the published depth (``bench.sim_truth``), no other process was lost.  At the end:
no process and no file is left.  Prints how long each step took, seen from outside by polling
shared memory; exit status 1 when anything did not come back.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Final

from bench.harness import machine, parameter, report
from bench.sim_truth import Untrue, compare
from engine.config import Config, load
from engine.model.clock import SystemClock
from engine.model.errors import EngineError
from engine.runtime import spawn
from shm.board import ControlView
from shm.book import BookSegment, is_live
from shm.layout import EngineState, ProcessState
from shm.segment import RunFolder, Segment

NAME: Final = "campaign"
PATIENCE_S: Final = 300.0  # a cold first start compiles, perhaps on a busy box
POLL_S: Final = 0.000_2
WORDS_MAX: Final = 40  # lines of a log to show after a failure
LAUNCHER: Final = "launcher"  # nobody starts it again: everything must be gone

mono_ns: Final = SystemClock.mono_ns

# a simulated world that begins anew is another account: who keeps its books begins anew, too
FOLLOW: Final = {"sim": {"exec", "ledger", "guard"}}

class NotBack(Exception):
    """Something did not come back."""


class View:
    """A run's board and books, seen from outside."""

    def __init__(self, run: RunFolder, config: Config) -> None:
        """Attach; raise EngineError while there is nothing to attach to."""
        segment = Segment.attach(run, "control")
        self.run_id, self.board = segment.run, ControlView(segment.words)
        self.books = [
            BookSegment(Segment.attach(run, f"books.{venue}").words, config.books.depth,
                        len(wanted.symbols))
            for venue, wanted in config.venues.items()
        ]

    def pids(self) -> dict[str, int]:
        """Return the processes of the table."""
        rows = [self.board.processes[index] for index in range(self.board.engine["process_count"])]
        return {row.text("name"): row["pid"] for row in rows}

    def is_ready(self, name: str) -> bool:
        """Return whether the present life of that process is READY."""
        row = self.board.processes[self.board.processes.index_of(name)]
        return row["state"] == ProcessState.READY and row["own_epoch"] == row["epoch"]

    def is_whole(self) -> bool:
        """Return whether everything is READY and every book LIVE."""
        if self.board.engine["state"] != EngineState.RUNNING:
            return False
        for index, books in enumerate(self.books):
            epoch = self.board.processes[self.board.venues[index]["process"]]["epoch"]
            if not all(is_live(books.words, books.base(local), epoch)
                       for local in range(books.count)):
                return False
        return all(self.is_ready(name) for name in self.pids())


class Campaign:
    """One engine of its own and the figures of what was done to it."""

    def __init__(self, shm: Path, seed: int) -> None:
        self._environment = os.environ | {
            "TRYPTO_SHM": str(shm), "PYTHONPATH": spawn.ROOT, "XDG_STATE_HOME": str(shm / "state")}
        self._shm, self._random = shm, random.Random(seed)  # noqa: S311  (reproducible)
        self._run = RunFolder(shm / f"trypto-{os.getuid()}" / NAME)
        self._config = load(Path(spawn.ROOT) / "configs" / "demo.toml")
        self._launcher: subprocess.Popen[bytes] | None = None
        self.compared = 0  # levels found equal to the servers'
        self.took_ns: dict[tuple[str, str], list[int]] = defaultdict(list)

    def start(self) -> View:
        """Start the engine; return it whole."""
        self._launcher = subprocess.Popen(  # noqa: S603  (our own interpreter and module)
            spawn.command("ops.cli", "start", "--plain", "--name", NAME), env=self._environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        return self._until_whole(old_run=0)

    def _wait(self, what: str, reached: object) -> int:
        """Poll until ``reached()``; return when that was, in ns."""
        assert callable(reached)
        since_ns = mono_ns()
        while not reached():
            if mono_ns() - since_ns > PATIENCE_S * 1e9:
                raise NotBack(f"not within {PATIENCE_S:g} s: {what}")
            time.sleep(POLL_S)
        return mono_ns()

    def _until_whole(self, old_run: int) -> View:
        found: list[View] = []

        def attached() -> bool:
            try:
                view = View(self._run, self._config)
            except EngineError:
                return False
            found[:] = [view]
            return view.run_id != old_run

        self._wait("another run", attached)
        self._wait("the engine whole", found[0].is_whole)
        return found[0]

    def kill_one(self, view: View) -> View:
        """Kill a random process; return the engine when it is whole again."""
        assert self._launcher is not None
        rows = view.board.processes
        before = view.pids()
        epochs = {name: rows[rows.index_of(name)]["epoch"] for name in before}
        victim = self._random.choice([*before, LAUNCHER])
        kind = victim.partition(":")[0]
        killed_ns = mono_ns()
        os.kill(before.get(victim, self._launcher.pid), signal.SIGKILL)
        if victim == LAUNCHER:
            self._launcher.wait()
            self._note(kind, "all gone", killed_ns, self._wait("nothing left", self._is_clean))
            return self.start()
        if victim == "control":
            view = self._until_whole(old_run=view.run_id)
            self._note(kind, "books live", killed_ns, mono_ns())
            return view
        row, epoch = rows[rows.index_of(victim)], epochs[victim]  # control may be quicker than us
        self._note(kind, "noticed", killed_ns,
                   self._wait(f"{victim} noticed", lambda: row["epoch"] != epoch))
        self._note(kind, "ready", killed_ns,
                   self._wait(f"{victim} ready", lambda: view.is_ready(victim)))
        self._note(kind, "books live", killed_ns, self._wait("the books live", view.is_whole))
        followers = FOLLOW.get(victim, set())
        for name in followers:
            self._wait(f"{name} ready", lambda name=name: view.is_ready(name))
        lost = {name for name, pid in view.pids().items()
                if name != victim and name not in followers and before[name] != pid}
        if lost:
            raise NotBack(f"killing {victim} also cost {', '.join(sorted(lost))}")
        return view

    def compare(self, view: View) -> None:
        """Compare every book with the servers'; raise NotBack for one that is not theirs."""
        try:
            self.compared += compare(self._run.path, self._config, view.books)
        except (Untrue, OSError) as error:
            raise NotBack(f"not the venues' books: {error}") from error
        self._wait("the books live after a pause", view.is_whole)

    def _note(self, kind: str, step: str, since_ns: int, until_ns: int) -> None:
        self.took_ns[kind, step].append(until_ns - since_ns)

    def _is_clean(self) -> bool:
        folder = self._run.path
        return not (folder.exists() or self._run.lock_path.exists()
                    or spawn.processes_of(folder))

    def stop(self) -> None:
        """Stop the engine; raise NotBack when it leaves anything."""
        assert self._launcher is not None
        asked_ns = mono_ns()
        self._launcher.send_signal(signal.SIGINT)
        self._launcher.wait(PATIENCE_S)
        self._note("stop", "all gone", asked_ns, mono_ns())
        if not self._is_clean():
            raise NotBack(f"a stop left something in {self._shm}")

    def last_words(self) -> str:
        """Return the ends of all logs: after a failure they are about to be removed."""
        files = sorted((self._shm / "state").rglob("*.jsonl"))
        return "\n".join(
            "\n".join([f"--- {it.name}", *it.read_text(errors="replace").splitlines()[-WORDS_MAX:]])
            for it in files)

    def abandon(self) -> None:
        """End whatever is left, after a failure."""
        if self._launcher is not None:
            self._launcher.kill()
            self._launcher.wait()
        for pid in spawn.processes_of(self._run.path):
            spawn.kill(pid, PATIENCE_S)


def main(arguments: list[str] | None = None) -> int:
    """Run the campaign; return 0 when everything came back each time and nothing is left."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=parameter("kills", smoke=6, full=200))
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    print(machine())
    with tempfile.TemporaryDirectory(prefix="k", ignore_cleanup_errors=True) as folder:
        campaign = Campaign(Path(folder), options.seed)
        done = 0
        try:
            view = campaign.start()
            campaign.compare(view)
            for done in range(1, options.kills + 1):  # noqa: B007  (told after the loop)
                view = campaign.kill_one(view)
                campaign.compare(view)
            campaign.stop()
        except NotBack as failure:
            print(f"FAILED at kill {done} of seed {options.seed}: {failure}")
            print(campaign.last_words())
            return 1
        finally:
            campaign.abandon()
    for (kind, step), took_ns in sorted(campaign.took_ns.items()):
        report(f"kill -9 {kind}: {step}" if kind != "stop" else f"stop: {step}", took_ns)
    print(f"{done} kills, each process back, all books live again, nothing left")
    print(f"{campaign.compared} levels compared with the servers', all equal")
    return 0


if __name__ == "__main__":
    sys.exit(main())
