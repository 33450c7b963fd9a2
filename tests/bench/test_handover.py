"""The handover bench runs small in every test run."""

import pytest

from bench.handover import main


def test_every_strategy_is_timed_at_both_paces(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRYPTO_BENCH", "smoke")
    assert main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[1].split()[0] for line in lines[1:]] == [
        "spin", "spin", "yield", "yield", "park", "park",
    ]
    assert all("n=200" in line for line in lines[1:])
