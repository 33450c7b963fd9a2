"""bench.kill_campaign in its short form: processes of a real engine die and come back."""

import re

import pytest

from bench.kill_campaign import main


def test_six_random_processes_killed_come_back_and_nothing_is_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRYPTO_BENCH", "smoke")
    code = main([])
    said = capsys.readouterr().out
    assert code == 0, said
    assert "6 kills, each process back, all books live again, nothing left" in said
    found = re.search(r"(\d+) levels compared with the servers', all equal", said)
    assert found
    assert int(found[1]) > 7 * 1_000  # at the start and after each kill
