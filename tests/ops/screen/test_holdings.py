"""What execution does, on the screen: it fits, trouble is seen, money has its sign and colour."""

from decimal import Decimal
from pathlib import Path

import pytest
from rich.text import Text

from exec import records as r
from ops.attach import attach
from ops.screen import monitor
from ops.screen.holdings import big, short, signed
from ops.screen.plain import figures_of, state_of
from ops.screen.sample import Sample, Sampler
from ops.screen.section import ALL, Section, beside, fill
from ops.screen.text import Column
from ops.screen.view import TWO_PANES, render
from shm.counters import ExecCounter, ExecHistogram
from shm.layout import Fate, ProcessState, TradingState, Veto
from tests.ops.screen.test_view import fill as fill_books
from tests.ops.traded import Traded
from tests.ops.world import SECOND_NS, World

SIZES = [(80, 24), (80, 25), (80, 60), (100, 30), (132, 43), (TWO_PANES, 40), (300, 90), (40, 10),
         (20, 3)]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


@pytest.fixture
def traded(world: World) -> Traded:
    fill_books(world)
    return Traded(world)


def sampled(world: World) -> Sample:
    return Sampler(attach("demo", clock=world.clock)).take()


def shown(world: World, width: int = 80, height: int = 24, draw: object = render) -> str:
    lines: list[Text] = draw(sampled(world), width, height, "")  # type: ignore[operator]
    assert len(lines) <= height
    assert all(line.cell_len <= width for line in lines)
    return "\n".join(line.plain for line in lines)


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("draw", [render, monitor.render])
def test_it_fits_every_terminal_before_and_after_trading(
    world: World, traded: Traded, width: int, height: int, draw: object
) -> None:
    shown(world, width, height, draw)
    traded.tell()
    shown(world, width, height, draw)
    traded.day()
    for number in range(100, 220):
        traded.order(number)
    traded.tell(TradingState.HALTED, {"okx": "no user stream" * 30, "kraken": "login"})
    shown(world, width, height, draw)


def test_80_by_24_shows_money_orders_venues_and_signals_and_cuts_no_number(
    world: World, traded: Traded
) -> None:
    traded.day()
    traded.tell()
    screen = shown(world)
    for word in ("P&L today +12.34", "total +12.34", "unhedged 750.00", "1 live, 1 in doubt",
                 "fills 3", "plans 2: 1 open", "account 0123456789ab", "venues are simulated",
                 "trading ACTIVE", "#14 enter", "UNKNOWN", "60000.00", "ready", "coinbase",
                 "BTC/USDT", "#12", "would send"):
        assert word in screen, word
    assert "…" not in screen


def test_an_order_filled_in_part_says_how_far(world: World, traded: Traded) -> None:
    traded.day()
    traded.tell()
    assert "25% EXPIRED" in shown(world, 80, 40)


def test_a_wide_screen_has_the_market_at_the_left_and_execution_at_the_right(
    world: World, traded: Traded
) -> None:
    traded.day()
    traded.tell()
    venues = next(line for line in shown(world, 200, 50).splitlines() if "venues  " in line)
    assert venues.rindex("orders  ") > 100 > venues.index("book p99")
    screen = shown(world, 200, 50)
    assert all(word in screen for word in ("positions", "balances", "every book", "processes",
                                           "BTC 1.512", "XYZ 7.000"))


def test_what_venues_rejected_is_counted_where_there_is_room(
    world: World, traded: Traded
) -> None:
    traded.tell()
    world.counters("exec").count(ExecCounter.REJECTS, 7)
    assert "rejected 7" in shown(world, 100)


def test_a_state_that_forbids_trading_says_who_set_it_and_why(
    world: World, traded: Traded
) -> None:
    traded.apply(r.StateChanged(1, 4, "plan 7: no venue took its hedge in time", "engine"))
    traded.tell(TradingState.HALTED)
    first, second, *_ = shown(world, 120).splitlines()
    assert "trading HALTED" in first
    assert "venues are simulated" in second
    assert "by engine: plan 7: no venue took its hedge in time" in second


def test_a_venue_that_takes_no_orders_now_says_why(world: World, traded: Traded) -> None:
    traded.tell(unready={"okx": "login", "kraken": "not connected yet"})
    rows = {line.split()[0]: line for line in shown(world).splitlines() if line.strip()}
    assert rows["okx"].endswith("login")
    assert rows["kraken"].endswith("not connecte")
    assert rows["binance"].endswith("ready")
    assert "no orders to kraken now: not connected yet" in shown(
        world, draw=monitor.render)


def test_a_dead_execution_is_said_above_all_and_in_place_of_its_counts(
    world: World, traded: Traded
) -> None:
    traded.day()
    traded.tell()
    world.clock.advance(SECOND_NS)
    world.beat()
    world.control.processes[world.process("exec")]["state"] = ProcessState.GONE
    words = "execution is GONE; what it told last is 1.0 s old"
    assert shown(world, 132).count(words) == 2
    assert "1 live" not in shown(world, 132)


def test_what_was_sent_and_why_not_stand_beside_the_signals(
    world: World, traded: Traded
) -> None:
    traded.tell()
    world.signal(101, 0, 3, price=6_338_870, size=100_000, net_edge_ppm=250, fate=Fate.SENT)
    for number, veto in ((102, Veto.ORDER_NOTIONAL), (103, Veto.VENUE_UNREADY)):
        world.signal(number, 0, 3, price=6_338_870, size=100_000, net_edge_ppm=250,
                     fate=Fate.REFUSED, veto=veto)
    rows = {line.split()[0]: line for line in shown(world, 80, 60).splitlines() if "#10" in line}
    assert rows["#101"].endswith("sent")
    assert rows["#102"].endswith("order notional")
    assert rows["#103"].endswith("venue unready")


def test_how_long_orders_take_stands_with_the_other_hops(world: World, traded: Traded) -> None:
    traded.tell()
    for hop in (ExecHistogram.SIGNAL_TO_ORDER, ExecHistogram.ORDER_TO_ACK, ExecHistogram.GATE):
        world.counters("exec").record(hop, 60_000)
    screen = shown(world, 80, 60)
    assert all(label in screen for label in ("signal → order sent", "order → acknowledged", "gate"))


def test_the_monitor_lists_every_balance_position_and_order_that_has_room(
    world: World, traded: Traded
) -> None:
    assert "execution has told nothing yet" in shown(world, draw=monitor.render)
    traded.day()
    traded.tell()
    screen = shown(world, 100, 40, monitor.render)
    for word in ("#11 enter", "#15 enter", "XYZ", "249250", "-54,000.00", "positions"):
        assert word in screen, word


def test_lines_in_place_of_a_screen_tell_orders_and_profit(world: World, traded: Traded) -> None:
    traded.day()
    traded.tell(unready={"okx": "login"})
    sample = sampled(world)
    assert "no orders to okx" in state_of(sample)
    assert "5 orders: 1 live, 1 in doubt, 3 fills, P&L today +12.34" in figures_of(sample)
    world.control.processes[world.process("exec")]["state"] = ProcessState.GONE
    assert "execution is GONE" in state_of(sampled(world))


def test_gain_is_green_loss_is_red_and_both_have_their_sign() -> None:
    assert signed(Decimal("1234.5")) == ("+1,234.50", "green")
    assert signed(Decimal("-0.01")) == ("-0.01", "bold red")
    assert signed(Decimal(0)) == ("+0.00", "dim")
    assert signed(Decimal(-12_345_678)) == ("-12,345,678", "bold red")


@pytest.mark.parametrize("number", [
    "0", "0.00001", "-0.5", "1.234567", "99.99", "-99.99", "100", "9999.99", "-12345.678",
    "99999.9", "123456.7", "99999999"])
def test_a_short_amount_has_at_most_eight_characters_and_is_near(number: str) -> None:
    made = short(Decimal(number))
    assert len(made) <= 8
    assert abs(Decimal(made) - Decimal(number)) <= max(abs(Decimal(number)) / 1000, Decimal("5e-6"))


def test_money_shows_its_cents_where_they_matter() -> None:
    assert (big(Decimal("1234.567")), big(Decimal("1234567.89"))) == ("1,234.57", "1,234,568")


def test_a_section_without_room_for_its_least_is_left_out() -> None:
    one = Section([Column("one", 5)], [["a"], ["b"]], "none", least=ALL)
    two = Section([Column("two", 8)], [["c"]] * 9, "none", least=3)
    assert [line.plain for line in fill([two, one], [one, two], 20, 3)] == ["one", "a", "b"]
    assert [line.plain for line in fill([two, one], [one, two], 20, 7)] == [
        "two 3/9", "c", "c", "c", "one", "a", "b"]


def test_panes_stand_side_by_side_whichever_is_longer() -> None:
    left, right = [Text("ab"), Text("cdefg")], [Text("1"), Text("2"), Text("3")]
    assert [line.plain for line in beside(left, right, 4)] == ["ab    1", "cdef  2", "      3"]
