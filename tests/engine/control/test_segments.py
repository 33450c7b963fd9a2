"""engine.control.segments: what a run needs is there before it starts."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine.config import load
from engine.control import segments
from engine.model.clock import ManualClock
from engine.model.errors import NoSpace
from engine.runtime.spawn import ROOT
from shm.board import ControlView, InstrumentTable
from shm.layout import TRADE
from shm.ring import RecordRing, WordRing
from shm.segment import RunFolder, Segment

CONFIG = load(Path(ROOT) / "configs" / "demo.toml")
CLOCK = ManualClock(mono_ns=1, unix_ns=2)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "run" / "test")
    folder.create()
    return folder


def test_others_find_names_flags_epochs_and_empty_rings(run: RunFolder) -> None:
    segments.create(run, CONFIG, run_id=7, clock=CLOCK)
    control = ControlView(Segment.attach(run, "control").words)
    kraken = control.venues[3]
    assert kraken.text("name") == "kraken"
    assert kraken["enabled"] == 1
    assert control.processes[kraken["process"]].text("name") == "feed:kraken"
    assert control.processes[kraken["process"]]["epoch"] == 1
    table = InstrumentTable(
        Segment.attach(run, "instruments").words, control.engine["instrument_count"])
    first = table[kraken["first_instrument"]]
    assert (first.text("name"), first.text("venue_name"), first["local_index"]) == (
        "BTC/USD", "kraken", 0)
    assert control.strategies[0].text("name") == "cross"
    assert WordRing(Segment.attach(run, "updates.okx").words).head == 0
    trades = RecordRing(Segment.attach(run, "trades.okx").words, TRADE)
    assert trades.capacity == CONFIG.books.trades
    assert Segment.attach(run, "books.okx").depth == CONFIG.books.depth
    assert Segment.attach(run, "signals").run == 7


def test_what_lies_in_the_folder_is_for_its_owner_alone(run: RunFolder) -> None:
    segments.create(run, CONFIG, run_id=7, clock=CLOCK)
    assert run.path.stat().st_mode & 0o777 == 0o700
    assert {each.stat().st_mode & 0o777 for each in run.path.iterdir()} == {0o600}


def test_too_small_a_file_system_is_told_with_both_numbers_before_anything_is_made(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = SimpleNamespace(f_bavail=16, f_frsize=4096)
    monkeypatch.setattr(os, "statvfs", lambda _path: facts)
    with pytest.raises(NoSpace, match="bytes needed, 65536 free") as caught:
        segments.create(run, CONFIG, run_id=7, clock=CLOCK)
    assert caught.value.needed_bytes > 65_536
    assert not [*run.path.iterdir()]
