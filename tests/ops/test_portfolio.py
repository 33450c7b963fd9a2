"""The portfolio as people and programs get it: exact, with its age, doubted where it must be."""

import argparse
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.control.protocol import KILL_FILE, STANDING_FILE
from exec import records as r
from ops import balances, orders, portfolio_text, positions
from ops.attach import Engine, attach
from ops.portfolio import OLD_NS
from shm.layout import ProcessState, TradingState
from shm.portfolio_layout import ORDERS_MAX, OrderState, OrderTif
from tests.ops.traded import BTC, Traded
from tests.ops.world import SECOND_NS, World

VERBS = (orders, positions, balances)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


@pytest.fixture
def traded(world: World) -> Traded:
    return Traded(world)


@pytest.fixture
def engine(world: World) -> Engine:
    return attach("demo", clock=world.clock)


@pytest.fixture
def verbs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portfolio_text, "attach", lambda name: attach(name, clock=world.clock))


def asked(**options: object) -> argparse.Namespace:
    return argparse.Namespace(**{"name": "demo", "json": False, "all": False, **options})


def test_before_execution_told_anything_there_is_no_portfolio(engine: Engine) -> None:
    assert engine.portfolio() is None
    assert engine.doubt(None) == "execution has told nothing yet"
    assert engine.trading.state is TradingState.ACTIVE


def test_attach_gives_orders_balances_and_positions_with_exact_numbers(
    engine: Engine, traded: Traded
) -> None:
    traded.day()
    traded.tell(unready={"okx": "login: refused: twice", "kraken": ""})
    found = engine.portfolio()
    assert found is not None
    doubtful, filled = found.orders[0], next(each for each in found.orders if each.number == 11)
    assert (doubtful.number, doubtful.state, doubtful.live) == (14, OrderState.UNKNOWN, True)
    assert (filled.filled, filled.size, filled.price) == (
        Decimal("0.01"), Decimal("0.01"), Decimal(60_000))
    assert (filled.state, filled.live, filled.tif) == (OrderState.FILLED, False, OrderTif.IOC)
    assert (filled.strategy, filled.purpose, filled.client_id) == ("cross", "enter", "tabcx11")
    assert (found.order_count, found.live_count, found.unknown_count) == (5, 1, 1)
    assert (found.fill_count, found.plan_count, found.open_plans) == (3, 2, 1)
    assert found.profit_day == Decimal("12.34")
    held = {each.asset: each for each in found.balances if each.venue == "okx"}
    assert held["BTC"].total == Decimal("1.5125")
    assert held["XYZ"].value == 0
    (position,) = found.positions
    assert (position.size, position.cost) == (Decimal("0.1"), Decimal(60_000))
    assert position.unrealised == -54_000
    assert found.unready == {"okx": "login: refused: twice"}
    assert (found.mode, found.account, found.life) == ("live", "0123456789ab", 3)


def test_counts_are_of_all_orders_and_rows_of_those_that_had_room(
    engine: Engine, traded: Traded
) -> None:
    for number in range(1, ORDERS_MAX + 6):
        traded.order(number)
    traded.tell()
    found = engine.portfolio()
    assert found is not None
    assert (found.order_count, found.live_count) == (ORDERS_MAX + 5, ORDERS_MAX + 5)
    assert len(found.orders) == ORDERS_MAX
    assert "5 live ones have no room here" in orders.text_of(found, found.orders)[1]


@pytest.mark.parametrize(("state", "silence_s", "words"), [
    (ProcessState.READY, 0, ""),
    (ProcessState.GONE, 0, "execution is GONE; what it told last is 0.0 s old"),
    (ProcessState.GIVEN_UP, 0, "execution is GIVEN_UP"),
    (ProcessState.STARTING, 0, "execution is STARTING"),
    (ProcessState.READY, 8, "execution has shown no life for 8.0 s"),
])
def test_a_dead_or_silent_execution_makes_its_last_word_doubtful(
    world: World, engine: Engine, traded: Traded, state: ProcessState, silence_s: int, words: str,
) -> None:
    traded.tell()
    world.clock.advance(silence_s * SECOND_NS)
    world.control.processes[world.process("exec")]["state"] = state
    assert engine.doubt(engine.portfolio()).startswith(words)
    assert bool(engine.doubt(engine.portfolio())) == bool(words)


def test_an_old_copy_of_a_living_execution_is_doubtful_too(
    world: World, engine: Engine, traded: Traded
) -> None:
    traded.tell()
    world.clock.advance(OLD_NS + SECOND_NS)
    world.beat()
    assert engine.doubt(engine.portfolio()) == (
        "execution is alive, but what it told last is 4.0 s old")


def test_the_stricter_of_two_trading_states_counts_with_who_and_why(
    world: World, engine: Engine, traded: Traded
) -> None:
    traded.apply(r.StateChanged(1, 3, "loss limit, day: 7 of 5", "engine"))
    traded.tell(TradingState.RESTRICTED)
    word = engine.trading
    assert (word.state, word.who, word.why) == (
        TradingState.RESTRICTED, "engine", "loss limit, day: 7 of 5")
    world.control.engine["trading_state"] = TradingState.HALTED
    world.run.file(STANDING_FILE).write_text('{"halt_reason": "feed:okx: died too often"}')
    word = engine.trading
    assert (word.state, word.who, word.why) == (
        TradingState.HALTED, "control", "feed:okx: died too often")
    world.control.engine["trading_state"] = TradingState.EMERGENCY
    world.control.engine["kill"] = 1
    world.run.file(KILL_FILE).write_text("looks wrong")
    assert (engine.trading.who, engine.trading.why) == ("kill word", "looks wrong")
    traded.apply(r.StateChanged(3, 5, "control demands it", "engine"))
    traded.tell(TradingState.EMERGENCY)
    assert engine.trading.why == "looks wrong"
    assert engine.trading_state is TradingState.EMERGENCY


def test_a_reason_left_in_no_file_or_a_broken_one_is_empty(world: World, engine: Engine) -> None:
    world.control.engine["trading_state"] = TradingState.HALTED
    assert (engine.trading.who, engine.trading.why) == ("control", "")
    world.run.file(STANDING_FILE).write_text("{")
    assert engine.trading.why == ""


@pytest.mark.usefixtures("verbs")
@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_says_whose_and_how_old_its_answer_is(
    verb: object, world: World, traded: Traded, capsys: pytest.CaptureFixture[str]
) -> None:
    traded.day()
    traded.tell(TradingState.CAUTIOUS)
    world.clock.advance(SECOND_NS // 2)
    assert verb.run(asked()) == 0  # type: ignore[attr-defined]
    assert capsys.readouterr().out.startswith(
        "demo: live, account 0123456789ab, trading cautious, 0.5 s old\n")


@pytest.mark.usefixtures("verbs")
@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_warns_first_when_execution_is_gone_and_answers_all_the_same(
    verb: object, world: World, traded: Traded, capsys: pytest.CaptureFixture[str]
) -> None:
    traded.day()
    traded.tell()
    world.control.processes[world.process("exec")]["state"] = ProcessState.GONE
    assert verb.run(asked()) == 1  # type: ignore[attr-defined]
    first, second, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith("BEWARE: execution is GONE")
    assert second.startswith("demo: live")
    assert len(rest) >= 3
    assert verb.run(asked(json=True)) == 1  # type: ignore[attr-defined]
    assert json.loads(capsys.readouterr().out)["doubt"].startswith("execution is GONE")


@pytest.mark.usefixtures("verbs")
@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_says_when_there_is_nothing_yet(
    verb: object, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verb.run(asked()) == 1  # type: ignore[attr-defined]
    assert capsys.readouterr().err == "demo: execution has told nothing yet\n"


@pytest.mark.usefixtures("verbs")
def test_orders_lists_the_live_and_with_all_the_newest_that_ended(
    traded: Traded, capsys: pytest.CaptureFixture[str]
) -> None:
    traded.day()
    traded.tell()
    orders.run(asked())
    live = capsys.readouterr().out
    assert "1 live, 1 of them in doubt; 5 since the books began" in live
    assert [line.split()[0] for line in live.splitlines()[4:]] == ["14"]
    orders.run(asked(all=True))
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[4:]]
    assert [row[0] for row in rows] == ["14", "15", "13", "12", "11"]
    assert rows[3][3:] == ["okx", "BTC/USDT", "buy", "60000", "0.01", "0.0025", "expired", "ioc",
                           "enter", "cross", "tabcx12"]


@pytest.mark.usefixtures("verbs")
def test_a_program_gets_exact_decimal_strings(
    traded: Traded, capsys: pytest.CaptureFixture[str]
) -> None:
    traded.day()
    traded.tell()
    whole: dict[str, Any] = {}
    for verb in VERBS:
        verb.run(asked(json=True, all=True))
        whole |= json.loads(capsys.readouterr().out)
    assert whole["orders"][3]["filled"] == "0.0025"
    assert whole["orders"][0] | {"born_unix_ns": 0, "changed_unix_ns": 0} == {
        "number": 14, "plan": 1, "venue": "okx", "symbol": "BTC/USDT", "side": "buy",
        "price": "60000", "size": "0.01", "filled": "0", "state": "unknown", "live": True,
        "tif": "ioc", "purpose": "enter", "strategy": "cross", "client_id": "tabcx14",
        "venue_order": "", "born_unix_ns": 0, "changed_unix_ns": 0}
    assert whole["profit"] == "12.34"
    assert whole["positions"][0]["size"] == "0.1"
    held = {each["asset"]: each for each in whole["balances"] if each["venue"] == "okx"}
    assert Decimal(held["USDT"]["total"]) == Decimal("250000.5") - Decimal(750) - Decimal("0.12")
    assert Decimal(held["USDT"]["free"]) == Decimal(held["USDT"]["total"]) - 600
    assert (whole["order_count"], whole["position_count"], whole["balance_count"]) == (5, 1, 4)


@pytest.mark.usefixtures("verbs")
def test_a_balance_without_a_rate_is_worth_a_question_mark(
    traded: Traded, capsys: pytest.CaptureFixture[str]
) -> None:
    traded.day()
    traded.tell()
    balances.run(asked())
    line = next(line for line in capsys.readouterr().out.splitlines() if " XYZ " in line)
    assert line.split() == ["okx", "XYZ", "7", "0", "7", "?", "0.0", "s", "ago"]


def test_an_order_of_another_place_keeps_the_numbers_of_its_own(
    engine: Engine, traded: Traded
) -> None:
    traded.order(1, place=BTC)
    traded.order(2, place=("binance-usdm", "BTC/USDT:USDT"))
    traded.tell()
    found = engine.portfolio()
    assert found is not None
    assert [each.price for each in found.orders] == [Decimal(600_000), Decimal(60_000)]
    assert [each.size for each in found.orders] == [Decimal(1), Decimal("0.01")]
