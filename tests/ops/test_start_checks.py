"""ops.start: what this machine cannot do is refused by key and remedy before anything is made."""

import json
import os
from pathlib import Path

import pytest

from engine.config.shipped import shipped
from ops import cli


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "shm").mkdir()
    monkeypatch.setenv("TRYPTO_SHM", str(tmp_path / "shm"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


@pytest.mark.parametrize(("old", "new", "message"), [
    ("[detector]", "[detector]\ncpu = 1023", "detector.cpu: found 1023; right would be a core"),
    ("[venues.kraken]", "[venues.kraken]\ncpu = 1023", "venues.kraken.cpu: found 1023; right"),
    ("[logs]", "[logs]\nfolder = '/proc/nope'", "/proc/nope: No such file or directory; logs go"
     " there: right would be logs.folder"),
    ("[logs]", "[storage]\nfolder = '/proc/nope'\n[logs]", "/proc/nope: No such file or directory;"
     " journal and ledger go there: right would be storage.folder"),
])
def test_what_this_machine_cannot_do_is_one_line_and_leaves_nothing(
    home: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, message: str
) -> None:
    config = home / "c.toml"
    config.write_text(shipped("demo.toml").read_text().replace(old, new))
    assert cli.main(["start", "--config", str(config)]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert [*(home / "shm").iterdir()] == []


def test_a_recording_in_a_protocol_without_a_server_is_told_before_anything_starts(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture = home / "kraken.spot.20210405.jsonl"
    line = {"t": 1, "ch": "ws", "dir": "in", "url": "wss://ws.kraken.com", "m": "{}"}
    capture.write_text(json.dumps(line) + "\n")
    config = home / "c.toml"
    config.write_text(shipped("demo.toml").read_text().replace(
        'market = "synthetic"', f'market = "captures"\ncaptures = ["{capture}"]'))
    assert cli.main(["start", "--config", str(config)]) == 2
    assert f"{capture}: the protocol of wss://ws.kraken.com is not served" in (
        capsys.readouterr().err)
    assert [*(home / "shm").iterdir()] == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_log_folder_of_somebody_else_is_told(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = home / "state" / "trypto-engine" / "demo" / "log"
    folder.mkdir(parents=True)
    folder.chmod(0o500)
    assert cli.main(["start"]) == 2
    assert f"{folder}: no permission to write" in capsys.readouterr().err
