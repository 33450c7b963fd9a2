"""Secrets stay where they were put: a live engine is started with canaries for keys, and searched.

Its venues are the local servers, which know none of these keys: each request is signed, sent and
refused.
"""

import base64
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.runtime import spawn
from ops import cli
from shm.segment import RunFolder

PATIENCE_S = 90.0  # a cold machine compiles first
IN_FILES = ("canary-file-name", "canary-file-secret",
            base64.b64encode(b"canary-kraken-secret").decode(), "canary-kraken-name")
IN_ENVIRONMENT = ("canary-environment-name", "canary-environment-secret",
                  "canary-environment-passphrase")
CONFIG = """\
name = "canary"
mode = "live"
{venues}
[detector]
edge-min-ppm = 1
edge-max-ppm = 10000
notional-max.USDT = 1000.0
notional-min.USDT = 0.0
book-age-ms-max = 100.0
[execution]
edge-min-ppm = 0
"""


def venue(
    served: dict[str, Any], name: str, key: str, secret: str, fingerprint: str, more: str = ""
) -> str:
    ws, rest = served[name]["ws"], served[name]["rest"]
    host = "/".join(ws.split("/")[:3])
    return f"""
[venues.{name}]
symbols = ["BTC/USDT"]
ws-url = "{ws}"
rest-url = "{rest}"
[accounts.{name}]
key = "{key}"
secret = "{secret}"
fingerprint = "{fingerprint}"
orders-url = "{host}"
user-url = "{host}"
rest-url = "{rest}"
{more}"""


def printed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def config(folder: Path, served: dict[str, Any]) -> Path:
    """Write a config and the files that it names; it holds no secret itself."""
    for number, text in enumerate(IN_FILES):
        (folder / str(number)).write_text(text)
        (folder / str(number)).chmod(0o600)
    path = folder / "canary.toml"
    path.write_text(CONFIG.format(venues="".join((
        venue(served, "binance", f"file:{folder}/0", f"file:{folder}/1", printed(IN_FILES[0])),
        venue(served, "kraken", f"file:{folder}/3", f"file:{folder}/2", printed(IN_FILES[3])),
        venue(served, "okx", "env:CANARY_NAME", "env:CANARY_SECRET", printed(IN_ENVIRONMENT[0]),
              'passphrase = "env:CANARY_PASS"')))))
    return path


def until(what: str, reached: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def searched(
    place: str, found: bytes, canaries: tuple[str, ...] = IN_FILES + IN_ENVIRONMENT
) -> None:
    for canary in canaries:
        plain = canary.encode()
        for form in (plain, base64.b64encode(plain), plain.hex().encode()):
            assert form not in found, f"{canary} in {place}"


@pytest.fixture
def shm() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(dir="/dev/shm", prefix="canary"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def environment(
    tmp_path: Path, shm: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    monkeypatch.setenv("TRYPTO_SHM", str(shm))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    secret = dict(zip(("CANARY_NAME", "CANARY_SECRET", "CANARY_PASS"), IN_ENVIRONMENT, strict=True))
    return os.environ | secret | {"PYTHONPATH": spawn.ROOT}


def test_no_secret_is_in_logs_journal_ledger_memory_command_lines_or_crashes(
    tmp_path: Path, environment: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    keys, state, shown = tmp_path / "keys", tmp_path / "state", tmp_path / "shown"
    keys.mkdir()
    ours = [sys.executable, "-P", "-m", "ops.cli"]
    served = tmp_path / "sim" / "endpoints.json"
    with shown.open("wb") as out:
        venues = subprocess.Popen(
            [*ours, "sim", "--folder", str(served.parent)], env=environment, stdout=out, stderr=out)
        try:
            until("the venues are up", served.is_file)
            path = config(keys, msgspec.json.decode(served.read_bytes()))
            line = [*ours, "start", "--plain", "--config", str(path)]
            asked = subprocess.run(
                line, env=environment, stderr=subprocess.PIPE, check=False).stderr
            account = asked.decode().partition("right would be --live ")[2][:12]
            engine = subprocess.Popen(
                [*line, "--live", account], env=environment, stdout=out, stderr=out)
            try:
                live_and_die(state)
                assert engine.wait(PATIENCE_S) == 0
            finally:
                engine.kill()
                engine.wait()
        finally:
            venues.kill()
            venues.wait()
    printed_here = capfd.readouterr()
    searched("what commands printed",
             asked + (printed_here.out + printed_here.err).encode() + shown.read_bytes())
    kept = [path for path in state.rglob("*") if path.is_file()]
    assert {".jsonl", ".sqlite3"} <= {path.suffix for path in kept}
    assert any("journal" in path.parts for path in kept)
    for path in kept:
        searched(str(path), path.read_bytes())


def live_and_die(state: Path) -> None:
    """Let every venue refuse a signed request, crash execution, look at all processes, stop."""
    run = RunFolder.of("canary")
    log = state / "trypto-engine" / "canary" / "log" / "exec.jsonl"
    refused = (b"binance lacks", b"kraken lacks", b"okx lacks")
    until("each venue was asked", lambda: log.is_file() and all(
        each in lacks(log.read_bytes()) for each in refused))
    for number in (signal.SIGABRT, signal.SIGSEGV):
        (pid,) = execution(run)
        os.kill(pid, number)
        until("execution is back", partial(is_back, run, pid))
    assert cli.main(["place", "binance", "BTC/USDT", "buy", "0.01", "60000"]) == 1
    assert cli.main(["kill", "a canary"]) == 0
    cli.main(["status"])
    pids = spawn.processes_of(run.path)
    assert {"exec", "guard", "ledger", "detector"} <= {name_of(pid) for pid in pids}
    for pid in pids:
        about = Path(f"/proc/{pid}")
        searched(f"command line of {pid}", (about / "cmdline").read_bytes())
        searched(f"environment of {pid}", (about / "environ").read_bytes(), IN_FILES)
        (limit,) = [each for each in (about / "limits").read_text().splitlines()
                    if each.startswith("Max core file size")]
        assert limit.split()[4:6] == ["0", "0"], pid
    for path in run.path.rglob("*"):
        if path.is_file():
            searched(str(path), path.read_bytes())
    assert cli.main(["stop"]) == 0


def lacks(log: bytes) -> bytes:
    """Return "VENUE lacks" for each venue whose gateway said that it is not ready."""
    lines = [msgspec.json.decode(line) for line in log.splitlines() if b'"readiness"' in line]
    return b" ".join(f"{line['venue']} lacks".encode() for line in lines)


def is_back(run: RunFolder, dead: int) -> bool:
    """Tell whether another execution lives."""
    return execution(run) not in ([], [dead])


def execution(run: RunFolder) -> list[int]:
    """Return the pids of execution."""
    return [pid for pid in spawn.processes_of(run.path) if name_of(pid) == "exec"]


def name_of(pid: int) -> str:
    """Return the name that a process of ours gave itself."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
