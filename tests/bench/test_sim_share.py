"""The share bench runs, small, on the default config."""

import pytest

from bench import sim_share
from bench.sim_share import main


def test_a_short_run_of_the_default_engine_tells_every_process_share(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRYPTO_BENCH", "smoke")
    monkeypatch.setattr(sim_share, "SHARE_MAX", float("inf"))  # other tests share the cores
    assert main([]) == 0
    said = capsys.readouterr().out
    for name in ("control=", "sim=", "feed_binance=", "detector=", "exec=", "frames_per_s="):
        assert name in said
