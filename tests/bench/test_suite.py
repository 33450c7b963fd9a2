"""The suite: its table, its JSON, and the exit status of a benchmark that fails."""

import json
from pathlib import Path

import pytest

import bench.__main__ as suite
from bench.__main__ import BENCHES, Bench, Run, main, table
from bench.harness import Row


def test_a_smoke_run_prints_the_table_and_writes_every_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["scan", "torn_reads", "--smoke", "--json", str(tmp_path / "rows.json")]) == 0
    said = capsys.readouterr().out
    assert "depth walk, 50 levels a side" in said
    assert "p99 <= 5: " in said
    assert "torn reads: book" in said
    assert "torn 0: met" in said
    told = json.loads((tmp_path / "rows.json").read_bytes())
    assert [run["name"] for run in told["runs"]] == ["scan", "torn_reads"]
    assert all(run["exit_code"] == 0 and run["rows"] for run in told["runs"])
    assert told["runs"][0]["rows"][0]["n"] == 500
    assert told["machine"] in said


def test_a_benchmark_that_fails_fails_the_suite_with_its_last_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(suite, "BENCHES", BENCHES | {"gone": Bench("bench.gone", "not there")})
    assert main(["gone"]) == 1
    assert "No module named bench.gone" in capsys.readouterr().out


def test_a_missed_target_is_told_beside_its_row() -> None:
    us = dict.fromkeys(("mean", "p50", "p99", "p99.9", "max"), 9.0)
    rows = [Row("slow", 3, us, {"gap_us": "20"}, target="p50 <= 8", met=False),
            Row("torn", facts={"reads": "7"}, target="torn 0")]
    head, slow, _, torn = table([Run("x", 1.0, 0, rows)]).splitlines()
    assert head.split() == ["µs", "n", "mean", "p50", "p99", "p99.9", "max", "target"]
    assert slow.startswith("slow, every 20 µs")
    assert slow.endswith("9.000  p50 <= 8: MISSED")
    assert torn.split() == ["torn", "reads=7", "torn", "0:", "met"]


def test_an_unknown_name_is_refused_with_those_that_there_are(
    capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["wires"])
    assert "there are book, scan, handover" in capsys.readouterr().err
    assert main(["--list"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in listed] == list(BENCHES)
