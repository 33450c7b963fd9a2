"""Boards: fields by name, numbers atomically, each row where the layout says."""

from pathlib import Path

import numpy as np
import pytest

from shm.board import ControlView, InstrumentTable, Row, beat
from shm.layout import (
    BELLS,
    CONTROL,
    PROCESS,
    PROCESSES_MAX,
    STRATEGIES_MAX,
    VENUES_MAX,
    Bell,
    EngineState,
    ProcessState,
)
from shm.segment import RunFolder, Segment


@pytest.fixture
def view() -> ControlView:
    return ControlView(np.zeros(ControlView.SIZE // 8, np.int64))


def test_what_is_stored_by_name_stands_where_the_layout_says(view: ControlView) -> None:
    view.engine["state"] = EngineState.RUNNING
    view.processes[PROCESSES_MAX - 1]["epoch"] = 7
    view.venues[VENUES_MAX - 1]["enabled"] = 1
    view.strategies[STRATEGIES_MAX - 1]["enabled"] = 2
    view.words[view.bell(Bell.EXEC)] = 9
    view.processes[0].set_text("verdict", "gave up")
    whole = view.words.view(CONTROL)[0]
    assert whole["engine"]["state"] == EngineState.RUNNING
    assert whole["processes"][-1]["epoch"] == 7
    assert whole["venues"][-1]["enabled"] == 1
    assert whole["strategies"][-1]["enabled"] == 2
    assert whole["bells"][Bell.EXEC]["rings"] == 9
    assert whole["processes"][0]["verdict"] == b"gave up"


def test_a_row_reads_back_what_it_was_told(view: ControlView) -> None:
    row = view.processes[3]
    row["state"] = ProcessState.READY
    row.set_text("name", "feed:binance")
    assert row["state"] == ProcessState.READY
    assert row.text("name") == "feed:binance"
    assert view.processes.index_of("feed:binance") == 3


def test_a_heartbeat_adds_progress_and_stamps(view: ControlView) -> None:
    base = view.processes.base(2)
    beat(view.words, base, 1_000, 5)
    beat(view.words, base, 2_000, 1)
    row = view.processes[2]
    assert (row["progress"], row["heartbeat_mono_ns"]) == (6, 2_000)


def test_a_field_or_row_that_is_not_there_is_an_error_and_no_other_memory(
    view: ControlView,
) -> None:
    with pytest.raises(KeyError):
        view.engine["halted"]
    with pytest.raises(KeyError):
        view.engine["halted"] = 1
    with pytest.raises(KeyError):
        view.processes.index_of("nobody")
    for rows, count in ((view.processes, PROCESSES_MAX), (view.bells, BELLS)):
        assert len(rows) == count
        for index in (-1, count):
            with pytest.raises(IndexError):
                rows.base(index)


def test_text_that_does_not_fit_is_refused_and_never_cut(view: ControlView) -> None:
    view.processes[0].set_text("name", "x" * 32)
    with pytest.raises(ValueError, match="longer than 32 bytes"):
        view.processes[0].set_text("name", "x" * 33)
    assert view.processes[0].text("name") == "x" * 32


def test_words_too_few_for_a_board_are_refused() -> None:
    with pytest.raises(ValueError, match="less than"):
        ControlView(np.zeros(ControlView.SIZE // 8 - 1, np.int64))
    with pytest.raises(ValueError, match="less than 3 rows"):
        InstrumentTable(np.zeros(InstrumentTable.size(2) // 8, np.int64), 3)


def test_a_tool_that_attached_read_only_sees_the_board_live(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "trypto-0" / "run")
    folder.create()
    segment = Segment.create(folder, "control", "control", ControlView.SIZE, 1, 1)
    segment.publish()
    owner, tool = ControlView(segment.words), ControlView(Segment.attach(folder, "control").words)
    owner.engine["paused"] = 1
    owner.venues[0].set_text("name", "kraken")
    assert tool.engine["paused"] == 1
    assert tool.venues.index_of("kraken") == 0


def test_instruments_are_rows_by_index() -> None:
    table = InstrumentTable(np.zeros(InstrumentTable.size(2) // 8, np.int64), 2)
    table[1].set_text("name", "BTC/USDT:USDT")
    table[1]["tick"] = 10
    assert table.records["tick"].tolist() == [0, 10]
    assert table.records["name"][1] == b"BTC/USDT:USDT"


def test_a_row_at_any_base_is_the_record_there() -> None:
    words = np.arange(64, dtype=np.int64)
    assert Row(words, 32, PROCESS)["pid"] == 32 + 4
