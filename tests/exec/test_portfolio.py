"""exec.portfolio: what is shown is what the state holds, exact, the live and the dearest first."""

from decimal import Decimal

import msgspec
import numpy as np
import pytest

from engine.model.clock import ManualClock
from exec import records as r
from exec.core.ports import Quote
from exec.portfolio import CHANGED_EVERY_NS, EVERY_NS, Portfolio, fitted, number, unready_lines
from exec.state.orders import State as OrderState
from exec.state.outcomes import Outcomes
from exec.state.state import State
from shm.layout import WORD, TradingState
from shm.portfolio import SIZE, PortfolioSegment
from shm.portfolio_layout import BALANCES_MAX, ORDERS_MAX, OrderTif
from shm.portfolio_layout import OrderState as Shown
from tests.exec.state.test_state import BTC, PERP, fill, fresh, intent

HOUR_NS = 3_600_000_000_000
MIDNIGHT_NS = 20_000 * 24 * HOUR_NS


class Rates:
    """Books of which only the rates are asked for."""

    def __init__(self) -> None:
        self.rates = {"USDT": 1_000_000, "BTC": 60_000_000_000}

    def rate(self, asset: str) -> int:
        return self.rates.get(asset, 0)

    def quote(self, _venue: str, _symbol: str) -> Quote:
        raise AssertionError("a portfolio asks for rates alone")

    def middle(self, _venues: tuple[str, ...], _symbol: str) -> int:
        raise AssertionError("a portfolio asks for rates alone")

    def walk(self, _venue: str, _symbol: str, _side: int, _size: int) -> tuple[int, int, int]:
        raise AssertionError("a portfolio asks for rates alone")

    def rules(self, _venue: str, _symbol: str) -> tuple[int, int, int, int]:
        raise AssertionError("a portfolio asks for rates alone")

    def taker_fee_ppm(self, _venue: str, _symbol: str) -> int:
        raise AssertionError("a portfolio asks for rates alone")


class Desk:
    """A state, its writer and a reader."""

    def __init__(self) -> None:
        self.state, self.books = fresh(), Rates()
        self.clock = ManualClock(mono_ns=10**12, unix_ns=MIDNIGHT_NS + 12 * HOUR_NS)
        self.words = np.zeros(SIZE // WORD, np.int64)
        self.portfolio = Portfolio(PortfolioSegment(self.words), self.state, self.books,
                                   self.clock, "0123456789ab", "paper", fee_reserve_ppm=1_000)

    def apply(self, *records: r.Record) -> None:
        for record in records:
            self.state.apply(record, self.clock.unix_ns())

    def seen(self, trading: TradingState = TradingState.ACTIVE, **unready: str) -> np.void:
        self.portfolio.publish(trading=trading, unready=unready)
        version, found = PortfolioSegment(self.words).read()
        assert version
        return found


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_the_states_and_times_in_force_are_named_to_readers_as_execution_numbers_them() -> None:
    assert {each.name: int(each) for each in Shown} == {
        each.name: int(each) for each in OrderState}
    assert {each.name: int(each) for each in OrderTif} == {each.name: int(each) for each in r.Tif}


def test_the_head_counts_and_names_what_there_is(desk: Desk) -> None:
    desk.apply(intent(1), intent(2), r.Doubted(2, "no answer"), r.Sent(1, "ws"),
               fill(1, "t1", 40), r.StateChanged(1, 2, "loss limit, hour", "engine"))
    head = desk.seen(TradingState.CAUTIOUS, b="no user stream")["head"]
    assert (head["mode"], head["account"]) == (b"paper", b"0123456789ab")
    assert (head["orders"], head["live_orders"], head["unknown_orders"], head["fills"]) == (
        2, 2, 1, 1)
    assert head["trading_state"] == TradingState.CAUTIOUS
    assert head["why"] == b"engine: loss limit, hour"
    assert head["unready"] == b"b: no user stream"
    assert (head["records"], head["life"]) == (desk.state.records, 1)
    assert head["mono_ns"] == desk.clock.mono_ns()
    assert head["gross_micro"] == 160 * 600_000  # 0.0016 BTC may still fill at 60,000


def test_prices_sizes_and_balances_are_exact_decimal_text(desk: Desk) -> None:
    desk.apply(r.Counted("a", "USDT", "123456789.000000000000000001", "0.1", "rest"),
               intent(1, size=100), fill(1, "t1", 1))
    found = desk.seen()
    row, balance = found["orders"][0], found["balances"][0]
    assert (row["price"], row["size"], row["filled"]) == (b"60000", b"0.001", b"0.00001")
    assert balance["asset"] == b"USDT"
    paid = Decimal("0.6") + Decimal("0.06")
    assert Decimal(balance["total"].decode()) == Decimal("123456789.100000000000000001") - paid
    assert Decimal(balance["reserved"].decode()) == Decimal("59.4") * Decimal("1.001")


def test_balances_are_the_venues_word_moved_by_what_was_booked_since(desk: Desk) -> None:
    desk.apply(intent(1, size=100), fill(1, "t1", 50), r.Counted("a", "BTC", "2", "0", "rest"))
    assert [each["total"] for each in desk.seen()["balances"][:2]] == [b"2", b"-30.06"]
    desk.apply(fill(1, "t2", 50))
    first = desk.seen()["balances"][0]
    assert first["total"] == b"2.0005"
    assert first["value_micro"] == 120_030_000_000
    assert first["counted_unix_ns"] == desk.clock.unix_ns()


def test_equity_is_what_balances_are_worth_and_what_open_positions_gained(desk: Desk) -> None:
    desk.apply(r.Counted("a", "BTC", "1", "0", "rest"), r.Counted("a", "XYZ", "5", "0", "rest"),
               intent(1, size=100, place=PERP),
               fill(1, "t1", 100, venue="p", symbol=PERP[1], price=590_000, fee="0"))
    found = desk.seen()
    position = found["positions"][0]
    assert (position["size"], position["cost"], position["realised"]) == (b"0.1", b"5900", b"0")
    assert position["value_micro"] == 6_000_000_000
    assert found["head"]["equity_micro"] == 60_000_000_000 + 100_000_000
    assert found["head"]["positions"] == 1


def test_an_unknown_rate_makes_no_profit_of_a_position(desk: Desk) -> None:
    desk.apply(intent(1, size=100, place=PERP),
               fill(1, "t1", 100, venue="p", symbol=PERP[1], price=590_000, fee="0"))
    desk.books.rates["BTC"] = 0
    assert desk.seen()["head"]["equity_micro"] == 0


def settled(desk: Desk, order: int) -> None:
    desk.apply(intent(order), r.Rejected(order, "-1", "no"))


def test_live_orders_come_first_doubts_before_all_then_the_newest_settled(desk: Desk) -> None:
    for order in range(1, ORDERS_MAX + 50):
        settled(desk, order)
    desk.apply(intent(1_001), intent(1_002), intent(1_003), r.Doubted(1_001, "lost"))
    found = desk.seen()
    assert found["head"]["orders"] == ORDERS_MAX + 49 + 3  # all there are, not those shown
    numbers = found["orders"]["number"].tolist()
    assert numbers[:5] == [1_001, 1_003, 1_002, ORDERS_MAX + 49, ORDERS_MAX + 48]
    assert len({*numbers}) == ORDERS_MAX


def test_more_live_orders_than_rows_are_counted_and_no_doubt_is_left_out(desk: Desk) -> None:
    desk.apply(*(intent(order) for order in range(1, ORDERS_MAX + 10)), r.Doubted(1, "lost"))
    found = desk.seen()
    assert (found["head"]["live_orders"], found["head"]["orders"]) == (137, 137)
    assert found["orders"]["number"].tolist()[:2] == [1, ORDERS_MAX + 9]


def test_a_settled_order_is_shown_anew_when_a_late_fill_comes(desk: Desk) -> None:
    desk.apply(intent(1), r.Acknowledged(1, "v1"), r.Ended(1, "cancelled", 0, "stream"))
    assert desk.seen()["orders"][0]["filled"] == b"0"
    desk.apply(fill(1, "late", 30))
    row = desk.seen()["orders"][0]
    assert (row["filled"], row["state"]) == (b"0.0003", desk.state.orders[1].state)


def test_rows_are_those_of_a_writer_that_never_wrote_before(desk: Desk) -> None:
    """What is kept from copy to copy changes nothing in what is shown."""
    for step in range(1, 60):
        desk.apply(intent(step), r.Sent(step, "ws"))
        if step % 2:
            desk.apply(fill(step, f"t{step}", step))
        if step % 3 == 0:
            desk.apply(r.Ended(step - 1, "cancelled", desk.state.orders[step - 1].booked, "x"))
        kept = desk.seen()
        fresh_one = PortfolioSegment(np.zeros(SIZE // WORD, np.int64))
        Portfolio(fresh_one, desk.state, desk.books, desk.clock, "0123456789ab", "paper",
                  fee_reserve_ppm=1_000).publish(trading=TradingState.ACTIVE, unready={})
        version, made = fresh_one.read()
        assert version == 1
        assert kept["orders"].tolist() == made["orders"].tolist()
        assert kept["balances"].tolist() == made["balances"].tolist()


def test_more_balances_than_rows_are_counted_and_the_dearest_are_shown(desk: Desk) -> None:
    desk.apply(*(r.Counted(f"v{at}", "USDT", str(at), "0", "rest")
                 for at in range(1, BALANCES_MAX + 21)))
    found = desk.seen()
    assert found["head"]["balances"] == BALANCES_MAX + 20
    values = found["balances"]["value_micro"].tolist()
    assert values == sorted(values, reverse=True)
    assert values[-1] == 21_000_000


def test_a_plan_s_order_names_its_strategy_and_an_operators_says_so(desk: Desk) -> None:
    leg = r.Leg(*BTC, 1, 5, 6, 7)
    desk.apply(r.Planned(1, 2, 3, 0, (leg,), "unwind", (leg,), 9, 11),
               msgspec.structs.replace(intent(2), plan=1), intent(3))
    rows = desk.seen()["orders"]
    assert {int(row["number"]): row["strategy"] for row in rows[:2]} == {
        2: b"cross", 3: b"operator"}


def test_it_publishes_on_change_ten_times_a_second_and_once_a_second_without(desk: Desk) -> None:
    def turn(trading: TradingState = TradingState.ACTIVE, why: str = "") -> bool:
        return desk.portfolio.turn(trading=trading, unready={"a": why})

    assert turn()
    desk.apply(intent(1))
    assert not turn()
    desk.clock.advance(CHANGED_EVERY_NS)
    assert turn()
    desk.clock.advance(CHANGED_EVERY_NS)
    assert not turn()
    assert turn(why="login")
    desk.clock.advance(CHANGED_EVERY_NS)
    assert turn(TradingState.HALTED, "login")
    desk.clock.advance(EVERY_NS - 1)
    assert not turn(TradingState.HALTED, "login")
    desk.clock.advance(1)
    assert turn(TradingState.HALTED, "login")


def test_texts_are_cut_between_characters_and_numbers_in_their_fraction() -> None:
    assert fitted("äöü", 5) == "äö".encode()
    assert fitted("short", 48) == b"short"
    assert number(1234567890123, 8, 10) == b"12345.6789"
    assert number(10_000_000_001, 6, 6) == b"10000"
    assert number(-150, 2, 32) == b"-1.5"
    assert Decimal(number(123456789 * 10**40, 2, 32).decode()) == Decimal("1.23456789E+46")


def test_every_venue_that_is_not_ready_gets_its_share_of_the_text() -> None:
    lines = unready_lines({f"venue{at}": "x" * 200 for at in range(9)} | {"ready": ""})
    assert len(lines) <= 256
    assert [line.partition(b":")[0] for line in lines.split(b"\n")] == [
        f"venue{at}".encode() for at in range(9)]
    assert unready_lines({"a": "two\nlines"}) == b"a: two lines"
    assert unready_lines({"a": ""}) == b""


def test_profits_are_of_this_utc_day_and_of_the_last_hour() -> None:
    outcomes = Outcomes()
    for at, profit in ((MIDNIGHT_NS - HOUR_NS // 2, 1), (MIDNIGHT_NS, 20)):
        outcomes.add(at, profit)
    assert outcomes.earned(MIDNIGHT_NS + 1) == (21, 21 - 1, 21, 0)
    for profit in (-300, 0, -4_000):
        outcomes.add(MIDNIGHT_NS + HOUR_NS + HOUR_NS // 60, profit)
    now = MIDNIGHT_NS + HOUR_NS + HOUR_NS // 60
    assert outcomes.earned(now) == (-4279, -4280, -4300, 2)
    assert outcomes.earned(MIDNIGHT_NS + 24 * HOUR_NS) == (-4279, 0, 0, 2)


def test_a_state_made_by_replay_earns_what_the_living_one_earned(desk: Desk) -> None:
    leg = r.Leg(*BTC, 1, 5, 6, 7)
    records: list[r.Record] = [r.Planned(1, 2, 3, 0, (leg,), "unwind", (leg,), 9, 11),
                               r.PlanClosed(1, "done", 0, -1_500_000)]
    desk.apply(*records)
    head = desk.seen()["head"]
    assert (head["profit_micro"], head["profit_day_micro"], head["losses_in_row"]) == (
        -1_500_000, -1_500_000, 1)
    desk.state = State()
    desk.apply(*records)
    desk.portfolio = Portfolio(PortfolioSegment(desk.words), desk.state, desk.books, desk.clock,
                               "0123456789ab", "paper")
    again = desk.seen()["head"]
    assert [again[name] for name in head.dtype.names if "profit" in name] == [-1_500_000] * 3
