"""ops.start, ops.launcher and control together, over workers that only beat."""

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.control.protocol import Status, encode
from engine.model.errors import ConnectionLost
from engine.runtime import spawn
from engine.runtime.lock import EngineLock
from ops import cli, client
from shm.segment import RunFolder

PATIENCE_S = 40.0  # how long until a wait is a failure; nothing here measures time

CONFIG = """\
name = "t"
[venues.binance]
symbols = ["BTC/USDT", "ETH/USDT"]
[venues.kraken]
symbols = ["BTC/USD"]
[detector]
edge-min-ppm = 1
edge-max-ppm = 10000
notional-max.USDT = 1000.0
notional-max.USD = 1000.0
notional-min.USDT = 0.0
notional-min.USD = 0.0
book-age-ms-max = 100
[execution]
edge-min-ppm = 0
[supervision]
restarts-max = 3
backoff-min-ms = 5.0
backoff-max-ms = 20.0
silence-max-ms = {silence_ms}
"""
NAMES = ["control", "template", "feed:binance", "feed:kraken", "detector", "exec", "ledger"]


def until(what: str, reached: Callable[[], Any]) -> Any:
    """Wait for a truth; fail by its name when it does not come."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if found := reached():
            return found
        time.sleep(0.02)
    pytest.fail(f"not reached: {what}")


class _Engine:
    """A started engine in a folder of its own, standing in for /dev/shm."""

    def __init__(self, root: Path) -> None:
        self.root, self.orders = root, root / "orders"
        self.shm = root / "shm"
        self.orders.mkdir()
        self.shm.mkdir()
        self.config = root / "c.toml"
        self.config.write_text(CONFIG.format(silence_ms=20_000))
        self.started: list[subprocess.Popen[str]] = []

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "TRYPTO_SHM": str(self.shm), "XDG_STATE_HOME": str(self.root / "state"),
            "TRYPTO_DUMMIES": str(self.orders), "PYTHONPATH": spawn.ROOT,
        }

    @property
    def folder(self) -> Path:
        return self.shm / f"trypto-{os.getuid()}" / "t"

    def start(self, *options: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.ops.dummy_engine", "start", "--config",
             str(self.config), *options],
            env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.started.append(process)
        return process

    def call(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run a verb in this process: starting another for each would take the most time."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = cli.main([*words])
        return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())

    def status(self) -> dict[str, Any]:
        try:
            reply = client.ask(RunFolder(self.folder), Status(), timeout_s=0.5)
        except ConnectionLost:
            return {}
        found: dict[str, Any] = json.loads(encode(reply))
        return found

    def rows(self) -> dict[str, dict[str, Any]]:
        return {each["name"]: each for each in self.status().get("processes", [])}

    def pid(self, name: str) -> int:
        return int(self.rows()[name]["pid"])

    def order(self, name: str, what: str) -> None:
        (self.orders / name).write_text(what)

    def until_running(self) -> dict[str, Any]:
        status = until("running", lambda: (
            found if (found := self.status()).get("state") == "running" else None))
        assert isinstance(status, dict)
        return status

    def assert_nothing_left(self) -> None:
        assert [*self.shm.iterdir()] == []
        assert spawn.processes_of(self.folder) == []


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Engine]:
    root = Path(tempfile.mkdtemp(prefix="t"))  # short: a local socket's path is bounded
    found = _Engine(root)
    monkeypatch.setenv("TRYPTO_SHM", str(found.shm))
    yield found
    for process in found.started:
        process.kill()
        process.communicate()
    for pid in spawn.processes_of(found.folder):
        spawn.kill(pid, PATIENCE_S)
    shutil.rmtree(root)


def test_an_engine_runs_obeys_and_leaves_nothing(engine: _Engine) -> None:
    launcher = engine.start()
    status = engine.until_running()
    assert [each["name"] for each in status["processes"]] == NAMES
    assert {each["state"] for each in status["processes"]} == {"ready"}
    assert status["trading_state"] == "active"
    assert [(each["name"], each["books"], each["books_live"]) for each in status["venues"]] == [
        ("binance", 2, 0), ("kraken", 1, 0)]
    # pause and resume: a venue, a symbol, a strategy, everything; safe to repeat
    for target in ("kraken", "BTC/USDT", "cross"):
        assert engine.call("pause", target).returncode == 0
        assert engine.call("pause", target).returncode == 0
    assert engine.call("pause").returncode == 0
    status = engine.status()
    assert [each["enabled"] for each in status["venues"]] == [True, False]
    assert status["paused_symbols"] == ["BTC/USDT"]
    assert status["strategies"] == [{"name": "cross", "enabled": False}]
    assert status["paused"]
    for words in (["kraken"], ["BTC/USDT"], ["cross"], []):
        assert engine.call("resume", *words).returncode == 0
    status = engine.status()
    assert [each["enabled"] for each in status["venues"]] == [True, True]
    assert (status["paused_symbols"], status["paused"]) == ([], False)
    refused = engine.call("pause", "krakn")
    assert refused.returncode == 1
    assert "'krakn' is no venue, symbol or strategy of this engine: binance, kraken" in (
        refused.stderr)
    # a second engine of the name is refused and harms nothing
    second = engine.call("start", "--config", str(engine.config))
    assert second.returncode == 1
    assert f"pid {launcher.pid}, folder {engine.folder}" in second.stderr
    assert "Traceback" not in second.stderr
    assert engine.rows()["control"]["state"] == "ready"
    # the kill word, and back
    assert engine.call("kill", "no reason is too long for it " * 20).returncode == 0
    assert len(engine.status()["kill_reason"]) == 200
    assert engine.call("reset", "long reasons fit as well " * 20).returncode == 0
    assert engine.call("kill", "a test").returncode == 0
    status = engine.status()
    assert (status["killed"], status["trading_state"], status["kill_reason"]) == (
        True, "emergency", "a test")
    told = engine.call("status")
    assert told.returncode == 1
    assert "KILLED: a test" in told.stdout
    assert json.loads(engine.call("status", "--json").stdout)["killed"]
    assert engine.call("reset", "it was a test").returncode == 0
    assert engine.status()["trading_state"] == "active"
    assert not (engine.folder / "kill").exists()
    assert "stopped in" in engine.call("stop").stdout
    assert launcher.wait(PATIENCE_S) == 0
    engine.assert_nothing_left()


def test_the_kill_file_and_the_signal_kill_as_well(engine: _Engine) -> None:
    engine.start()
    engine.until_running()
    (engine.folder / "kill").write_text("by file")
    until("killed", lambda: engine.status()["killed"])
    assert engine.status()["kill_reason"] == "by file"
    engine.call("reset", "again")
    os.kill(engine.pid("control"), signal.SIGUSR1)
    until("killed", lambda: engine.status()["killed"])
    assert engine.status()["kill_reason"] == "SIGUSR1"


def test_a_deleted_control_socket_is_bound_again(engine: _Engine) -> None:
    engine.start()
    engine.until_running()
    (engine.folder / "control.ipc").unlink()
    until("reachable", lambda: engine.status().get("state") == "running")


@pytest.mark.parametrize("name", ["books.kraken", "exec.bell", "config.json", "."])
def test_an_engine_whose_files_were_deleted_starts_again_in_a_fresh_folder_and_stays_killed(
    engine: _Engine, name: str
) -> None:
    launcher = engine.start("--plain")
    before = engine.until_running()
    assert engine.call("pause", "kraken").returncode == 0
    assert engine.call("kill", "this must hold").returncode == 0
    if name == ".":
        shutil.rmtree(engine.folder)
    else:
        (engine.folder / name).unlink()
    until("another run", lambda: engine.status().get("run", before["run"]) != before["run"])
    status = until("killed still", lambda: (
        found if (found := engine.status()).get("killed") else None))
    assert status["kill_reason"] == "this must hold"
    assert [each["enabled"] for each in status["venues"]] == [True, False]
    until("all there", (engine.folder / name).exists)
    launcher.send_signal(signal.SIGINT)
    assert launcher.wait(PATIENCE_S) == 0
    assert "files of the running engine were deleted" in launcher.communicate()[1]
    engine.assert_nothing_left()


def test_a_deleted_lock_is_taken_again(engine: _Engine) -> None:
    launcher = engine.start("--plain")
    before = engine.until_running()
    lock = RunFolder(engine.folder).lock_path
    lock.unlink()
    until("locked again", lock.exists)
    second = engine.call("start", "--config", str(engine.config))
    assert (second.returncode, "runs already" in second.stderr) == (1, True)
    assert engine.status()["run"] == before["run"]
    launcher.send_signal(signal.SIGINT)
    assert launcher.wait(PATIENCE_S) == 0
    engine.assert_nothing_left()


def test_who_lost_its_lock_to_another_engine_leaves_that_one_alone(engine: _Engine) -> None:
    launcher = engine.start("--plain")
    engine.until_running()
    run = RunFolder(engine.folder)
    run.lock_path.unlink()
    os.kill(launcher.pid, signal.SIGSTOP)  # too late to lock again
    other = EngineLock.take(run)
    os.kill(launcher.pid, signal.SIGCONT)
    assert launcher.wait(PATIENCE_S) == 1
    assert "our lock was deleted, and then an engine named 't' runs already" in (
        launcher.communicate()[1])
    assert engine.folder.exists()
    assert other.held()
    run.remove()
    other.release()


@pytest.mark.parametrize("name", ["feed:kraken", "exec", "template"])
def test_a_killed_child_comes_back_with_a_new_epoch_and_the_others_stay(
    engine: _Engine, name: str
) -> None:
    engine.start()
    engine.until_running()
    before = engine.rows()
    os.kill(before[name]["pid"], signal.SIGKILL)
    until("restarted", lambda: engine.rows()[name]["restarts"] == 1)
    until("ready", lambda: engine.rows()[name]["state"] == "ready")
    after = engine.rows()
    assert after[name]["epoch"] == before[name]["epoch"] + 1
    assert after[name]["verdict"] == "killed by SIGKILL"
    assert after[name]["pid"] != before[name]["pid"]
    others = set(NAMES) - {name}
    assert {each: after[each]["pid"] for each in others} == {
        each: before[each]["pid"] for each in others}


def test_a_killed_template_still_brings_back_a_child_that_died_with_it(engine: _Engine) -> None:
    engine.start()
    engine.until_running()
    rows = engine.rows()
    for name in ("template", "detector"):
        os.kill(rows[name]["pid"], signal.SIGKILL)
    until("both back", lambda: [engine.rows()[name]["state"] for name in ("template", "detector")]
          == ["ready", "ready"] and engine.rows()["detector"]["restarts"] == 1)


@pytest.mark.parametrize(("order", "verdict"), [
    ("raise", "exit code 1: RuntimeError: as ordered"),
    ("refuse", "exit code 1: SegmentInvalid: as ordered"),
])
def test_a_crash_loop_ends_in_a_halt_that_says_why_and_a_reset_tries_again(
    engine: _Engine, order: str, verdict: str
) -> None:
    engine.order("feed:binance", order)
    engine.start()
    until("halted", lambda: engine.status().get("state") == "halted")
    status = engine.status()
    row = engine.rows()["feed:binance"]
    assert row["state"] == "given_up"
    assert row["verdict"] == f"gave up after 4 deaths: {verdict}"[:64]
    assert row["restarts"] == 3
    assert status["trading_state"] == "halted"
    assert status["halt_reason"] == f"feed:binance: {verdict}"
    assert engine.rows()["feed:kraken"]["state"] == "ready"
    engine.order("feed:binance", "")
    assert engine.call("reset", "mended").returncode == 0
    engine.until_running()
    assert engine.status()["trading_state"] == "active"


def test_a_child_that_stops_beating_is_killed_and_comes_back(engine: _Engine) -> None:
    engine.config.write_text(CONFIG.format(silence_ms=3_000))
    engine.start()
    engine.until_running()
    os.kill(engine.pid("feed:kraken"), signal.SIGSTOP)
    until("restarted", lambda: engine.rows()["feed:kraken"]["restarts"] == 1)
    assert engine.rows()["feed:kraken"]["verdict"].startswith("hung: no heartbeat for ")


def test_a_child_deaf_to_the_stop_is_killed_and_the_stop_succeeds(engine: _Engine) -> None:
    engine.order("exec", "deaf")
    launcher = engine.start()
    engine.until_running()
    assert engine.call("stop").returncode == 0
    assert launcher.wait(PATIENCE_S) == 0
    engine.assert_nothing_left()


def test_a_killed_control_is_started_again_with_all_its_children(engine: _Engine) -> None:
    launcher = engine.start()
    before = engine.until_running()
    assert engine.call("kill", "this must hold").returncode == 0
    os.kill(engine.pid("control"), signal.SIGKILL)
    until("a new run", lambda: engine.status().get("run", before["run"]) != before["run"])
    status = until("killed still", lambda: (
        found if (found := engine.status()).get("killed") else None))
    assert status["kill_reason"] == "this must hold"
    old = {each["pid"] for each in before["processes"]}
    assert not old & set(spawn.processes_of(engine.folder))
    launcher.send_signal(signal.SIGINT)
    assert launcher.wait(PATIENCE_S) == 0
    engine.assert_nothing_left()


def test_pauses_outlive_control_until_they_are_taken_back(engine: _Engine) -> None:
    engine.start()
    before = engine.until_running()
    for words in ([], ["kraken"], ["BTC/USDT"], ["cross"], ["binance"]):
        assert engine.call("pause", *words).returncode == 0
    assert engine.call("resume", "binance").returncode == 0
    os.kill(engine.pid("control"), signal.SIGKILL)
    until("a new run", lambda: engine.status().get("run", before["run"]) != before["run"])
    status = engine.until_running()
    assert status["paused"]
    assert [each["enabled"] for each in status["venues"]] == [True, False]
    assert status["paused_symbols"] == ["BTC/USDT"]
    assert status["strategies"] == [{"name": "cross", "enabled": False}]
    for words in ([], ["kraken"], ["BTC/USDT"], ["cross"]):
        assert (engine.folder / "standing.json").exists()
        assert engine.call("resume", *words).returncode == 0
    assert not (engine.folder / "standing.json").exists()
    engine.call("pause")
    assert engine.call("stop").returncode == 0
    engine.assert_nothing_left()


def test_a_halt_outlives_control_until_a_reset(engine: _Engine) -> None:
    engine.order("feed:binance", "raise")
    engine.start()
    until("halted", lambda: engine.status().get("state") == "halted")
    before = engine.status()
    engine.order("feed:binance", "")  # the next control could keep all its children
    os.kill(engine.pid("control"), signal.SIGKILL)
    until("a new run", lambda: engine.status().get("run", before["run"]) != before["run"])
    until("all ready", lambda: {each["state"] for each in engine.rows().values()} == {"ready"})
    status = engine.status()
    assert (status["state"], status["trading_state"]) == ("halted", "halted")
    assert status["halt_reason"] == before["halt_reason"]
    assert engine.call("reset", "mended").returncode == 0
    before = engine.until_running()
    assert before["trading_state"] == "active"
    assert not (engine.folder / "standing.json").exists()
    # what stood before and cannot be read is taken for a halt
    (engine.folder / "standing.json").write_text("{")
    os.kill(engine.pid("control"), signal.SIGKILL)
    until("a new run", lambda: engine.status().get("run", before["run"]) != before["run"])
    assert engine.status()["halt_reason"].startswith("what stood before is unknown: ")
    assert engine.status()["trading_state"] == "halted"


def test_a_killed_launcher_leaves_nothing(engine: _Engine) -> None:
    launcher = engine.start()
    engine.until_running()
    launcher.kill()
    until("nothing left", lambda: not [*engine.shm.iterdir()])
    until("nobody left", lambda: not spawn.processes_of(engine.folder))


def test_everything_killed_at_once_is_cleaned_by_the_next_start(engine: _Engine) -> None:
    launcher = engine.start()
    engine.until_running()
    pids = spawn.processes_of(engine.folder)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)  # so that nobody cleans up before it is its turn
    launcher.kill()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    until("all dead", lambda: not spawn.processes_of(engine.folder))
    assert (engine.folder / "control").exists()
    engine.start()
    engine.until_running()
    assert engine.call("stop").returncode == 0
    engine.assert_nothing_left()


def test_a_time_limit_ends_the_run(engine: _Engine) -> None:
    launcher = engine.start("--for", "0.5")
    assert launcher.wait(PATIENCE_S) == 0
    engine.assert_nothing_left()


def without_room(engine: _Engine, options: str) -> "subprocess.CompletedProcess[str]":
    """Start in a small file system of its own; what is left there is said on stdout."""
    if subprocess.run(["unshare", "-Urm", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no user namespaces here")
    return subprocess.run(
        ["unshare", "-Urm", "sh", "-c",
         f'mount -t tmpfs -o {options} tmpfs {engine.shm} && "$@"; code=$?;'
         f" ls -A {engine.shm}; exit $code", "sh",
         sys.executable, "-P", "-m", "ops.cli", "start", "--config", str(engine.config)],
        env=engine.environment, capture_output=True, text=True, check=False, timeout=PATIENCE_S)


def test_a_folder_too_small_is_one_line_and_leaves_nothing(engine: _Engine) -> None:
    text = engine.config.read_text() + "[books]\nlevels-max = 1048576\ntrades = 1048576\n"
    engine.config.write_text(text)
    done = without_room(engine, "size=64k")
    assert done.returncode == 1
    assert "bytes needed, " in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_file_system_without_room_for_more_files_is_one_line_and_leaves_nothing(
    engine: _Engine
) -> None:
    done = without_room(engine, "size=64m,nr_inodes=7")
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert "starting the engine again" not in done.stderr
    assert done.stdout == ""


def test_whatever_lies_in_the_way_of_the_folder_is_one_line_and_lies_there_still(
    engine: _Engine
) -> None:
    parent = engine.folder.parent
    parent.touch()
    done = engine.call("start", "--config", str(engine.config))
    assert (done.returncode, done.stderr) == (
        1, f"trypto-engine start: {parent} is not a folder of user {os.getuid()}; remove it\n")
    assert [*engine.shm.iterdir()] == [parent]
