"""``trypto-engine replay`` on small frames of our own: the object it prints and what it refuses."""

import gzip
import json
from pathlib import Path

import pytest

from ops.cli import main

WS = "wss://stream.binance.com:9443/stream"
REST = "https://api.binance.com/api/v3/depth?symbol=ABCUSDT&limit=1000"


def change(first: int, last: int, bids: list[list[str]], asks: list[list[str]]) -> object:
    return {"e": "depthUpdate", "E": 1, "s": "ABCUSDT", "U": first, "u": last, "b": bids, "a": asks}


def captured(folder: Path) -> Path:
    """Write a session: two changes, the REST book, one more change, a print, then a gap."""
    messages: list[tuple[str, object]] = [
        (WS, change(99, 100, [["9.00", "5.0"]], [])),
        (WS, change(101, 102, [["10.10", "0.500"]], [])),
        (REST, {"lastUpdateId": 100, "bids": [["10.00", "1.0"]], "asks": [["11.00", "2.0"]]}),
        (WS, change(103, 103, [["10.00", "0"]], [["10.50", "3.25"]])),
        (WS, {"e": "trade", "E": 1, "s": "ABCUSDT", "t": 7, "p": "10.50", "q": "1.50", "T": 1,
              "m": False}),
        (WS, change(110, 111, [["10.20", "9"]], [])),
    ]
    path = folder / "binance.spot.own.jsonl.gz"
    with gzip.open(path, "wt") as file:
        for at, (url, body) in enumerate(messages):
            channel = "ws" if url == WS else "http"
            file.write(json.dumps({"t": at, "ch": channel, "dir": "in", "url": url,
                                   "m": json.dumps(body)}) + "\n")
    return path


def test_the_object_has_every_number_and_exact_levels(
    tmp_path: Path, capfd: pytest.CaptureFixture[str],
) -> None:
    assert main(["replay", "--json", str(captured(tmp_path))]) == 0
    assert json.loads(capfd.readouterr().out) == {
        "captures": ["binance.spot.own.jsonl.gz"],
        "symbols": {"binance.spot:ABCUSDT": {
            "symbol": "ABC/USDT", "updates_applied": 2, "snapshots_applied": 1, "gaps": 1,
            "resyncs": 0, "checksums_verified": 0, "checksums_failed": 0, "trades": 1,
            "trade_volume": "1.5", "last_update_id": 103, "live_at_end": False,
            "bids": [["10.1", "0.5"]], "asks": [["10.5", "3.25"], ["11", "2"]],
        }},
    }


def test_depth_cuts_what_is_printed_and_the_table_says_what_is_not_live(
    tmp_path: Path, capfd: pytest.CaptureFixture[str],
) -> None:
    path = str(captured(tmp_path))
    assert main(["replay", "--json", "--depth", "1", path]) == 0
    assert json.loads(capfd.readouterr().out)["symbols"]["binance.spot:ABCUSDT"]["asks"] == [
        ["10.5", "3.25"]]
    assert main(["replay", path]) == 0
    head, row = capfd.readouterr().out.splitlines()
    assert head.split() == ["book", "symbol", "updates", "snapshots", "gaps", "checksums",
                            "trades", "bid", "ask", "live"]
    assert row.endswith("NO")


@pytest.mark.parametrize(("arguments", "message"), [
    (["nowhere/binance.spot.x.jsonl.gz"], "no such file"),
    (["notes.txt"], "not the name of a capture"),
    (["--depth", "0", "x"], "right would be 1 to 16384"),
    (["--depth", "many", "x"], "right would be 1 to 16384"),
])
def test_bad_input_is_exit_code_2_and_one_message_without_traceback(
    arguments: list[str], message: str, capfd: pytest.CaptureFixture[str],
) -> None:
    assert main(["replay", *arguments]) == 2
    error = capfd.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_a_capture_cut_short_is_refused_with_its_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str],
) -> None:
    path = captured(tmp_path)
    path.write_bytes(path.read_bytes()[:-20])
    assert main(["replay", str(path)]) == 2
    assert "binance.spot.own.jsonl.gz: line" in capfd.readouterr().err
