"""engine.runtime.log: lines reach the file, secrets do not, and nobody waits."""

import io
import json
import os
import threading
from pathlib import Path

import pytest

from engine.config import Logs
from engine.model.clock import ManualClock
from engine.runtime import log
from engine.runtime.log import QUEUE_MAX, RotatedFile, Writer, open_log, redact, text_of

CLOCK = ManualClock(unix_ns=1_700_000_000_000_000_000)


def lines_of(folder: Path, name: str = "exec.jsonl") -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def test_a_line_carries_process_run_time_and_facts(tmp_path: Path) -> None:
    logger, writer = open_log(
        process="feed:okx", run=7, engine="test", logs=Logs(folder=str(tmp_path)), clock=CLOCK)
    logger.info("gap", expected=5, received=7)
    logger.debug("not at this level")
    writer.close()
    assert lines_of(tmp_path, "feed-okx.jsonl") == [{
        "unix_ns": CLOCK.unix_ns(), "level": "info", "process": "feed:okx", "run": 7,
        "expected": 5, "received": 7, "event": "gap"}]
    assert (tmp_path / "feed-okx.jsonl").stat().st_mode & 0o777 == 0o600


def test_an_exception_stands_in_the_line(tmp_path: Path) -> None:
    logger, writer = open_log(
        process="exec", run=7, engine="test", logs=Logs(folder=str(tmp_path)), clock=CLOCK)
    try:
        raise ValueError("of no use")
    except ValueError:
        logger.exception("crashed")
    writer.close()
    (line,) = lines_of(tmp_path)
    assert line["event"] == "crashed"
    assert "ValueError: of no use" in str(line["exception"])


def test_no_value_under_a_secret_name_is_written(tmp_path: Path) -> None:
    logger, writer = open_log(
        process="exec", run=7, engine="test", logs=Logs(folder=str(tmp_path)), clock=CLOCK)
    logger.info("signed", api_key="CANARY", nested={"Password": "CANARY", "deep": {
        "X-Signature": "CANARY"}}, symbol="BTC/USDT")
    writer.close()
    text = (tmp_path / "exec.jsonl").read_text()
    assert "CANARY" not in text
    assert text.count("[redacted]") == 3
    assert "BTC/USDT" in text


def test_redacting_leaves_the_callers_table_alone() -> None:
    headers = {"token": "abc"}
    redact({"headers": headers})
    assert headers == {"token": "abc"}


def test_what_a_hostile_venue_sends_cannot_move_the_cursor() -> None:
    text = text_of({"unix_ns": 0, "level": "info", "process": "exec", "event": "refused",
                    "reason": "\x1b[2J\nfake line"})
    assert "\x1b" not in text
    assert text.count("\n") == 1


def test_a_full_disk_drops_lines_counts_them_and_stops_nobody(tmp_path: Path) -> None:
    class Full(RotatedFile):
        broken = True

        def write(self, lines: bytes) -> None:
            if self.broken:
                raise OSError(28, "No space left on device")
            super().write(lines)

    file = Full(tmp_path / "x.jsonl", size_max=1 << 20, files_max=2)
    writer = Writer(file, None)
    writer.put(b'{"event":"lost"}\n', "")
    while writer.dropped < 1:
        os.sched_yield()
    file.broken = False
    writer.put(b'{"event":"kept"}\n', "")
    writer.close()
    assert lines_of(tmp_path, "x.jsonl") == [
        {"event": "log lines dropped", "total": 1}, {"event": "kept"}]


def test_a_writer_that_does_not_keep_up_costs_lines_and_no_time(
    monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading.Thread, "start", lambda _self: None)  # it never runs
    writer = Writer(None, None)
    for _ in range(QUEUE_MAX + 5):
        writer.put(b"", "")
    assert writer.dropped == 5


def test_files_rotate_by_size_and_the_oldest_goes(tmp_path: Path) -> None:
    file = RotatedFile(tmp_path / "x", size_max=10, files_max=3)
    for number in range(5):
        file.write(b"%d23456789\n" % number)
    file.close()
    found = {each.name: each.read_bytes()[:1] for each in tmp_path.iterdir()}
    assert found == {"x": b"4", "x.1": b"3", "x.2": b"2"}


def test_one_file_is_begun_anew_when_only_one_may_be_kept(tmp_path: Path) -> None:
    file = RotatedFile(tmp_path / "x", size_max=10, files_max=1)
    for number in range(3):
        file.write(b"%d23456789\n" % number)
    file.close()
    assert [each.read_bytes()[:1] for each in tmp_path.iterdir()] == [b"2"]


def test_a_folder_that_cannot_be_written_does_not_stop_a_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    console = io.StringIO()
    monkeypatch.setenv(log.CONSOLE_VARIABLE, "1")
    monkeypatch.setattr("sys.stderr", console)
    _, writer = open_log(process="exec", run=7, engine="test",
                         logs=Logs(folder=str(tmp_path / "file" / "below")), clock=CLOCK)
    writer.close()
    assert "no log file" in console.getvalue()
