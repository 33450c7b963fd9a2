"""Requests that execution answers: handed on, answered once, given up in time, bounded."""

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
import uvloop

from engine.control.protocol import (
    AnyReply,
    CancelAll,
    Done,
    Refused,
    Reset,
    Unanswered,
    decode_to_execution,
    encode,
)
from engine.control.relay import DEADLINE_NS, WAITING_MAX, HandOn, Relay
from engine.runtime.guarded import GuardedRouter
from engine.runtime.wire import Router
from shm.layout import ProcessState
from shm.segment import RunFolder

DEADLINE_S = 20.0  # a test that hangs fails; no test depends on how fast it is


class Stage:
    """A relay, and execution's end of it that answers what a test says."""

    def __init__(self, folder: Path) -> None:
        self.now_ns = 0
        self.row = {"state": ProcessState.READY}
        rows = type("Rows", (), {
            "index_of": lambda _, name: 0, "__getitem__": lambda _, at: self.row})
        context: Any = SimpleNamespace(
            clock=SimpleNamespace(mono_ns=lambda: self.now_ns), run=RunFolder(folder),
            control=SimpleNamespace(processes=rows()), log=structlog.get_logger())
        self.path = folder / "exec.ipc"
        self.relay = Relay(context)
        self.told: list[AnyReply] = []

    def ask(self, asked: HandOn) -> None:
        self.relay.ask(asked, self.told.append)

    async def until(self, true: Callable[[], object]) -> None:
        while not true():
            await asyncio.sleep(0.005)


@pytest.fixture
def folder() -> Iterator[Path]:
    root = Path(tempfile.mkdtemp(prefix="t"))  # short: a local socket's path is bounded
    yield root
    shutil.rmtree(root)


def run(body: Callable[[], Any]) -> None:
    uvloop.run(asyncio.wait_for(body(), DEADLINE_S))


def test_what_execution_answers_is_told_once(folder: Path) -> None:
    async def body() -> None:
        stage = Stage(folder)
        asked: list[object] = []

        def serve() -> None:
            while (received := router.receive()) is not None:
                asked.append(decode_to_execution(received[1]))
                router.reply(received[0], encode(Done("did it")))

        router = GuardedRouter(stage.path, serve, lambda: None)
        stage.ask(HandOn(CancelAll("okx")))
        await stage.until(lambda: stage.told)
        stage.relay.turn()
        assert stage.told == [Done("did it")]
        assert asked == [CancelAll("okx")]
        stage.ask(HandOn(Reset("why"), lambda reply: Refused(f"whole: {reply.text}")))  # type: ignore[union-attr]
        await stage.until(lambda: len(stage.told) == 2)
        assert stage.told[1] == Refused("whole: did it")
        router.close()

    run(body)


def test_execution_that_hangs_holds_nobody_up_and_a_late_answer_is_nobodys(folder: Path) -> None:
    async def body() -> None:
        stage = Stage(folder)
        router = Router(stage.path)
        stage.ask(HandOn(CancelAll()))
        received: list[tuple[bytes, bytes]] = []

        def came() -> bool:
            if (found := router.receive()) is not None:
                received.append(found)
            return bool(received)

        await stage.until(came)
        stage.relay.turn()
        assert stage.told == []
        stage.now_ns = DEADLINE_NS
        stage.relay.turn()
        assert isinstance(stage.told[0], Unanswered)
        assert "nobody knows whether CancelAll took effect" in stage.told[0].text
        router.reply(received[0][0], encode(Done("late")))
        await asyncio.sleep(0.05)
        stage.relay.turn()
        assert len(stage.told) == 1
        router.close()

    run(body)


def test_execution_that_is_dead_is_told_at_once_but_a_reset_waits_for_it(folder: Path) -> None:
    async def body() -> None:
        stage = Stage(folder)
        stage.row["state"] = ProcessState.GONE
        stage.ask(HandOn(CancelAll()))
        assert isinstance(stage.told[0], Unanswered)
        assert "execution is gone, CancelAll was not handed on" in stage.told[0].text
        stage.ask(HandOn(Reset("why")))
        assert len(stage.told) == 1
        stage.relay.close()
        assert len(stage.told) == 2

    run(body)


def test_no_more_wait_than_can_be_kept_apart(folder: Path) -> None:
    async def body() -> None:
        stage = Stage(folder)
        for _ in range(WAITING_MAX):
            stage.ask(HandOn(CancelAll()))
        assert stage.told == []
        before = len([*Path("/proc/self/fd").iterdir()])
        stage.ask(HandOn(CancelAll()))
        assert isinstance(stage.told[0], Refused)
        assert len([*Path("/proc/self/fd").iterdir()]) == before
        stage.now_ns = DEADLINE_NS
        stage.relay.turn()
        assert len(stage.told) == WAITING_MAX + 1

    run(body)


def test_a_socket_whose_path_leads_elsewhere_is_bound_again(folder: Path) -> None:
    async def body() -> None:
        lost: list[int] = []
        path = folder / "x.ipc"
        router = GuardedRouter(path, lambda: None, lambda: lost.append(1))

        async def probed() -> None:
            router.probe()
            for _ in range(20):
                assert router.receive() is None
                await asyncio.sleep(0.005)

        await probed()
        await probed()
        assert lost == []
        path.unlink()
        await probed()
        await probed()
        await probed()
        assert lost == [1]
        assert path.exists()
        router.close()

    run(body)
