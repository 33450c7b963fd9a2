"""What ``start --capture`` makes of its options: venues, symbols, quanta, fees and thresholds."""

import argparse
from pathlib import Path

import pytest

from engine.config import Config, instruments
from engine.model.errors import ConfigInvalid
from engine.runtime.lock import EngineLock
from ops import books, start
from shm.segment import RunFolder
from tests.engine.test_config import GOOD
from tests.ops.sim.recordings import small_binance


def wanted(*words: str) -> Config:
    parser = argparse.ArgumentParser()
    start.add_arguments(parser)
    return start.wanted_config(parser.parse_args([*words]))


def test_a_recording_brings_its_own_venue_symbols_and_quanta(tmp_path: Path) -> None:
    path = small_binance(tmp_path / "binance.spot.x.jsonl.gz")
    config = wanted("--capture", str(path), "--speed", "3")
    assert [(it.venue, it.name, it.price_decimals, it.size_decimals)
            for it in instruments(config)] == [("binance", "AB/USDT", 2, 4)]
    assert config.venues["binance"].taker_fee_ppm is None
    assert config.sim is not None
    assert (config.sim.captures, config.sim.speed, config.sim.loop) == ([str(path)], 3.0, True)
    assert config.detector.edge_min_ppm == wanted().detector.edge_min_ppm
    assert config.detector.notional_max == {"USDT": wanted().detector.notional_max["USDT"]}


def test_fees_and_the_threshold_of_a_recording_are_options(tmp_path: Path) -> None:
    path = small_binance(tmp_path / "binance.spot.x.jsonl.gz")
    config = wanted("--capture", str(path), "--fee-ppm", "0", "--edge-ppm", "500")
    assert config.venues["binance"].taker_fee_ppm == 0
    assert config.detector.edge_min_ppm == config.execution.edge_min_ppm == 500


def test_a_fee_without_a_recording_is_refused_with_what_is_right() -> None:
    with pytest.raises(ConfigInvalid, match="taker-fee-ppm in each"):
        wanted("--fee-ppm", "0")
    assert wanted("--edge-ppm", "7").detector.edge_min_ppm == 7
    most = wanted().detector.edge_max_ppm
    with pytest.raises(ConfigInvalid, match=f"edge-max-ppm = {most}; right would be at most that"):
        wanted("--edge-ppm", str(most + 1))


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "inf", "1e300", "1e-9"])
def test_a_speed_that_no_config_may_have_is_wrong_usage(
    speed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        wanted("--speed", speed)
    assert "argument --speed: " in capsys.readouterr().err


def test_a_display_that_cannot_open_leaves_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        assert RunFolder.of("demo").lock_path.exists()
        raise OSError("no terminal")

    monkeypatch.setenv("TRYPTO_SHM", str(tmp_path))
    monkeypatch.setattr(start, "open_display", fails)
    parser = argparse.ArgumentParser()
    start.add_arguments(parser)
    with pytest.raises(OSError, match="no terminal"):
        start.run(parser.parse_args(["--name", "demo"]))
    assert [*tmp_path.iterdir()] == []


def test_no_option_alone_goes_live_and_none_confirms_what_is_not_live(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paper = tmp_path / "paper.toml"
    paper.write_text('mode = "paper"\n' + GOOD)
    with pytest.raises(ConfigInvalid, match="live takes both"):
        wanted("--config", str(paper), "--mode", "live", "--live", "0123456789ab")
    with pytest.raises(ConfigInvalid, match="nothing goes live here: the mode is 'paper'"):
        wanted("--config", str(paper), "--live", "0123456789ab")
    with pytest.raises(ConfigInvalid, match="on simulated venues"):
        wanted("--live", "0123456789ab")
    account = '[accounts.{}]\nkey = "env:A"\nsecret = "env:B"\nfingerprint = "0123456789ab"\n'
    live = tmp_path / "live.toml"
    live.write_text('mode = "live"\n' + GOOD + account.format("binance")
                    + account.format("binance-usdm"))
    assert wanted("--config", str(live), "--mode", "paper").mode == "paper"
    monkeypatch.setenv("TRYPTO_SHM", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(books, "hand_over", lambda *_, told: len(told) and 2)
    monkeypatch.setattr(EngineLock, "take", lambda _: pytest.fail("an engine was started"))
    parser = argparse.ArgumentParser()
    start.add_arguments(parser)
    assert start.run(parser.parse_args(["--config", str(live)])) == 2
