"""engine.runtime.context and loop: a process enters, beats, is ready and leaves when told to."""

import asyncio
import os
import signal
from pathlib import Path

import msgspec
import pytest

from engine.config import load
from engine.control import segments
from engine.model.clock import SystemClock
from engine.runtime import loop, process
from engine.runtime.context import Context
from engine.runtime.spawn import ROOT
from shm.board import ControlView
from shm.layout import ProcessState
from shm.segment import RunFolder, Segment


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    config = load(Path(ROOT) / "configs" / "demo.toml")
    logs = msgspec.structs.replace(config.logs, folder=str(tmp_path / "log"))
    config = msgspec.structs.replace(config, logs=logs)
    folder = RunFolder(tmp_path / "trypto-1" / "demo")
    folder.create()
    folder.file(process.CONFIG_FILE).write_bytes(msgspec.json.encode(config))
    segments.create(folder, config, run_id=7, clock=SystemClock())
    return folder


@pytest.fixture
def context(run: RunFolder) -> Context:
    entered, writer = process.enter("feed:okx", run.path)
    writer.close()
    return entered


@pytest.fixture
def board(run: RunFolder) -> ControlView:
    return ControlView(Segment.attach(run, "control", writable=True).words)


def test_a_process_stands_in_its_row_from_its_first_beat(
    context: Context, board: ControlView
) -> None:
    row = board.processes[board.processes.index_of("feed:okx")]
    assert (row["own_pid"], row["own_epoch"], row["state"]) == (
        os.getpid(), row["epoch"], ProcessState.STARTING)
    before = row["progress"], row["heartbeat_mono_ns"]
    context.beat(5)
    assert row["progress"] == before[0] + 5
    assert row["heartbeat_mono_ns"] > before[1]
    assert row["rss_bytes"] > 1 << 20
    context.ready()
    assert row["state"] == ProcessState.READY
    assert row["ready_mono_ns"] > 0
    assert context.run_id == 7


def test_a_worker_is_cancelled_once_when_the_engine_stops_and_may_clean_up(
    context: Context, board: ControlView
) -> None:
    seen: list[str] = []

    async def worker(_context: Context) -> int:
        board.engine["stop"] = 1
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.3)  # longer than a beat: a second cancel would end it here
            seen.append("cleaned up")
        return 1

    assert loop.run(context, worker) == 0
    assert seen == ["cleaned up"]


def test_a_signal_ends_a_worker_like_a_stop(context: Context) -> None:
    async def worker(_context: Context) -> int:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()
        return 1

    assert loop.run(context, worker) == 0
    assert context.stopping


def test_a_worker_that_returns_by_itself_gives_the_exit_code(context: Context) -> None:
    async def worker(_context: Context) -> int:
        return 5

    assert loop.run(context, worker) == 5


def test_what_a_worker_raises_is_not_taken_for_a_stop(context: Context) -> None:
    async def worker(_context: Context) -> int:
        raise ValueError("of no use")

    with pytest.raises(ValueError, match="of no use"):
        loop.run(context, worker)


def test_a_stranger_to_the_process_table_is_told_so_and_leaves(
    run: RunFolder, capfd: pytest.CaptureFixture[str]
) -> None:
    assert process.run("feed:nyse", run.path, "feeds.process:main") == 1
    assert "feed:nyse" in capfd.readouterr().err
