"""status: everything control said, for people in columns and for programs as one JSON object."""

import argparse
import json
from pathlib import Path

import msgspec
import pytest

from engine.control.protocol import (
    ProcessStatus,
    StatusReply,
    StrategyStatus,
    VenueStatus,
    decode_reply,
)
from exec import records as r
from ops import client, status
from shm.layout import ProcessState, TradingState
from shm.segment import RunFolder
from tests.ops.traded import Traded
from tests.ops.world import World

REPLY = StatusReply(
    name="demo", folder="shm/trypto-0/demo", mode="dry_run", run=1, state="running",
    trading_state="active", killed=False, kill_reason="", halt_reason="", paused=False,
    paused_symbols=[], uptime_s=12.3,
    processes=[ProcessStatus(
        name="feed:okx", pid=4711, state="ready", epoch=2, restarts=1, exit_code=-9,
        verdict="killed by SIGKILL", heartbeat_age_ms=40.2, progress=7, rss_bytes=150 << 20,
        cpu=-1)],
    venues=[VenueStatus(name="okx", enabled=True, books=3, books_live=2)],
    strategies=[StrategyStatus(name="cross", enabled=False)], requests_refused=0,
)


def answer(monkeypatch: pytest.MonkeyPatch, reply: object) -> None:
    monkeypatch.setattr(client, "engine_of", lambda name: RunFolder(Path(name or "demo")))
    monkeypatch.setattr(client, "ask", lambda _run, _request: reply)


def test_a_person_sees_processes_venues_and_strategies_with_units() -> None:
    head, *rest = status.text_of(REPLY).splitlines()
    assert head.startswith("demo: running, trading active, dry_run, up 12 s")
    process = next(line for line in rest if line.startswith("feed:okx"))
    assert process.split() == ["feed:okx", "4711", "ready", "1", "40", "150", "-", "killed", "by",
                               "SIGKILL"]
    assert any(line.split() == ["okx", "yes", "2/3"] for line in rest)
    assert any(line.split() == ["cross", "paused"] for line in rest)
    assert any("rss MiB" in line and "beat ms" in line for line in rest)


def test_everything_that_is_paused_stands_in_one_line() -> None:
    paused = msgspec.structs.replace(
        REPLY, paused_symbols=["BTC/USDT"],
        venues=[msgspec.structs.replace(REPLY.venues[0], enabled=False)])
    assert "paused: okx, cross, BTC/USDT; " in status.text_of(paused)
    assert "paused: everything, cross; " in status.text_of(
        msgspec.structs.replace(REPLY, paused=True))


def test_a_program_gets_the_whole_reply_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(monkeypatch, REPLY)
    assert status.run(argparse.Namespace(name="demo", json=True)) == 0
    assert decode_reply(capsys.readouterr().out.encode()) == REPLY


@pytest.mark.parametrize(("change", "words"), [
    ({"killed": True, "kill_reason": "too hot"}, "KILLED: too hot"),
    ({"state": "halted", "halt_reason": "feed:okx died 20 times"}, "HALTED: feed:okx died"),
])
def test_a_killed_or_halted_engine_is_said_in_words_and_by_the_exit_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    change: dict[str, object], words: str,
) -> None:
    answer(monkeypatch, msgspec.structs.replace(REPLY, **change))
    assert status.run(argparse.Namespace(name=None, json=False)) == 1
    assert words in capsys.readouterr().out


@pytest.fixture
def traded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Traded:
    world = World(tmp_path, monkeypatch)
    monkeypatch.setattr(status, "SystemClock", lambda: world.clock)
    monkeypatch.setattr(client, "ask", lambda _run, _request: REPLY)
    made = Traded(world)
    made.day()
    return made


def test_what_execution_told_stands_below_the_head(
    traded: Traded, capsys: pytest.CaptureFixture[str]
) -> None:
    traded.tell(unready={"kraken": "login refused"})
    status.run(argparse.Namespace(name="demo", json=False))
    printed = capsys.readouterr().out
    assert "account 0123456789ab: orders 5, 1 live, 1 in doubt; 3 fills; plans 2, 1 open" in printed
    assert "P&L today 12.34, total 12.34; unhedged 750.00" in printed
    assert "no orders to kraken now: login refused" in printed


def test_the_trading_state_is_the_stricter_with_who_and_why(
    traded: Traded, capsys: pytest.CaptureFixture[str]
) -> None:
    traded.apply(r.StateChanged(1, 4, "drift at okx", "engine"))
    traded.tell(TradingState.HALTED)
    status.run(argparse.Namespace(name="demo", json=False))
    assert "running, trading halted (engine: drift at okx), dry_run" in capsys.readouterr().out
    status.run(argparse.Namespace(name="demo", json=True))
    whole = json.loads(capsys.readouterr().out)
    assert (whole["trading_state"], whole["state"]) == ("halted", "running")
    execution = whole["execution"]
    assert (execution["who"], execution["why"], execution["doubt"]) == (
        "engine", "drift at okx", "")
    assert (execution["order_count"], execution["profit_day"]) == (5, "12.34")


def test_a_dead_execution_is_told_with_its_last_word(
    traded: Traded, capsys: pytest.CaptureFixture[str]
) -> None:
    traded.tell()
    control = traded.world.control
    control.processes[traded.world.process("exec")]["state"] = ProcessState.GONE
    status.run(argparse.Namespace(name="demo", json=False))
    assert "BEWARE: execution is GONE; what it told last is 0.0 s old" in capsys.readouterr().out
