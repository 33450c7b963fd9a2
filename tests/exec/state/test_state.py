"""exec.state: the same records make the same state, to the last quantum, however they come."""

import random

import msgspec
import pytest

from exec import records as r
from exec.state.entries import money
from exec.state.orders import State as OrderState
from exec.state.positions import Position, change
from exec.state.state import State

BTC = ("a", "BTC/USDT")
PERP = ("p", "BTC/USDT:USDT")


def fresh() -> State:
    state = State()
    state.apply(r.Opened(r.SCHEMA, "e", "paper", 1_700_000_000, 1, "c", 1), 0)
    state.apply(r.Listed(*BTC, "BTCUSDT", "BTC", "USDT", "", 2, 5), 0)
    state.apply(r.Listed(*PERP, "BTCUSDT", "BTC", "USDT", "USDT", 1, 3), 0)
    return state


def intent(
    order: int, *, size: int = 100, side: int = 1, place: tuple[str, str] = BTC
) -> r.Intended:
    return r.Intended(
        order,
        0,
        0,
        *place,
        side,
        6_000_000,
        size,
        r.Tif.IOC,
        False,
        False,
        f"c{order}",
        1,
        2,
        "enter",
    )


def fill(order: int, trade: str, size: int, **changes: object) -> r.Filled:
    found = r.Filled(order, *BTC, trade, 1, 6_000_000, size, "0.06", "USDT", True, 5, "stream")
    return msgspec.structs.replace(found, **changes)


def test_every_record_survives_its_own_encoding() -> None:
    leg = r.Leg(*BTC, 1, 5, 6, 7)
    records: list[r.Record] = [
        r.Opened(1, "e", "live", 1, 2, "c", 3),
        r.Closed("asked"),
        r.Listed(*BTC, "n", "B", "U", "", 2, 5),
        r.Decided(2**62, 1, 1, 2, (r.LegSeen(*BTC, 1, 2, 3, 4),), 5, "edge", 6, 7, 8),
        r.Planned(1, 2, 3, 1, (leg,), "unwind", (leg,), 9, 11),
        r.PlanClosed(1, "done", 0, -5),
        intent(1),
        r.Sent(1, "ws"),
        r.Unsent(1, "x"),
        r.Acknowledged(1, "v"),
        r.Rejected(1, "-1", "no"),
        fill(1, "t", 5),
        r.Busted(*BTC, "t", "e"),
        r.Ended(1, "expired", 5, "e"),
        r.CancelAsked(1, "w"),
        r.CancelRefused(1, "-2011", "x"),
        r.Doubted(1, "w"),
        r.Proven(1, r.Found.ABSENT, "", 0, "e"),
        r.Odd(1, "acknowledged", "x"),
        r.Posted("a", "BTC", "-0.1", "deposit", "ref"),
        r.Counted("a", "BTC", "1", "0.5", "q"),
        r.Held(*PERP, -5, "q"),
        r.StateChanged(1, 2, "w", "me"),
        r.BreakerMoved("a", "closed", "open", "w"),
        r.Commanded("id", "kill", "{}", ""),
        r.Foreign(*BTC, "v", "c", "t"),
    ]
    assert [r.decode(r.encode(each)) for each in records] == records
    kinds = [r.kind_of(each) for each in records]
    assert kinds == [*range(1, 27)]


def test_a_fill_moves_base_quote_and_fee_exactly() -> None:
    state = fresh()
    state.apply(intent(7), 1)
    order = state.orders[7]
    state.apply(fill(7, "1", 40), 2)
    assert state.holdings == {("a", "BTC"): money("0.0004"), ("a", "USDT"): money("-24.06")}
    assert order.state == OrderState.OPEN
    state.apply(fill(7, "2", 60, fee="0.0000000007", fee_asset="BNB"), 3)
    assert state.orders[7].state == OrderState.FILLED
    assert state.holdings["a", "BNB"] == -700_000_000_000_000
    assert state.live == {}


def test_a_trade_is_booked_once_whoever_tells_of_it() -> None:
    state = fresh()
    state.apply(intent(7), 1)
    for source in ("stream", "answer", "query"):
        state.apply(fill(7, "1", 40, source=source), 2)
    assert (state.orders[7].booked, state.holdings["a", "BTC"]) == (40, money("0.0004"))


def test_an_order_that_ended_lives_until_every_fill_the_venue_told_of_is_booked() -> None:
    state = fresh()
    state.apply(intent(7), 1)
    state.apply(r.Ended(7, "expired", 60, "answer"), 2)
    assert (state.orders[7].state, state.orders[7].remaining) == (OrderState.EXPIRED, 60)
    assert 7 in state.live
    state.apply(fill(7, "1", 60), 3)
    assert (state.orders[7].remaining, state.live) == (0, {})


def test_a_late_fill_of_a_settled_order_is_booked_and_counts() -> None:
    state = fresh()
    state.apply(intent(7), 1)
    state.apply(r.Ended(7, "cancelled", 0, "stream"), 2)
    assert state.live == {}
    state.apply(fill(7, "9", 100), 10**18)
    assert state.orders[7].state is OrderState.FILLED
    assert state.holdings["a", "BTC"] == money("0.001")


def test_an_overfill_is_booked_in_full_and_odd() -> None:
    state = fresh()
    state.apply(intent(7), 1)
    state.apply(fill(7, "1", 101), 2)
    assert (state.orders[7].booked, state.orders[7].odd) == (101, 1)
    assert state.holdings["a", "BTC"] == money("0.00101")


def test_a_bust_takes_back_exactly_what_its_trade_did_and_can_be_told_twice() -> None:
    state = fresh()
    state.apply(intent(7), 1)
    state.apply(fill(7, "1", 100), 2)
    for _ in range(2):
        state.apply(r.Busted(*BTC, "1", "e"), 3)
    assert set(state.holdings.values()) == {0}
    assert (state.orders[7].state, state.orders[7].booked) == (OrderState.CANCELLED, 0)


def test_money_is_exact_to_the_last_of_thirty_digits() -> None:
    assert money("1000000.123456789012345678901234") == 1_000_000_123456789012345678901234
    with pytest.raises(ValueError, match="24 decimals"):
        money("1.1234567890123456789012345")


def test_a_strangers_trade_moves_money_and_no_order() -> None:
    state = fresh()
    state.apply(fill(0, "1", 100), 2)
    assert state.holdings["a", "BTC"] == money("0.001")
    assert state.orders == {}


def test_order_ids_of_the_venue_are_forgotten_with_each_life() -> None:
    state = fresh()
    state.apply(intent(7), 1)
    state.apply(r.Acknowledged(7, "1"), 2)
    found = state.order_of("a", venue_order="1")
    assert found is not None
    assert found.intent.order == 7
    state.apply(r.Opened(1, "e", "paper", 1, 2, "c", 1), 3)
    assert state.order_of("a", venue_order="1") is None
    assert state.order_of("a", client_id="c7") is found


@pytest.mark.parametrize("seed", range(20))
def test_a_perpetual_realises_what_its_trades_leave(seed: int) -> None:
    """Flat again, realised is the sum of what was sold less what was bought."""
    draw, position, cash = random.Random(seed), Position(), 0
    for _ in range(50):
        size = draw.choice([-3, -2, -1, 1, 2, 3])
        value = size * draw.randint(90, 110) * 6
        change(position, size, value)
        cash -= value
    if position.size:
        value = -position.size * 600
        change(position, -position.size, value)
        cash -= value
    assert (position.size, position.cost, position.realised) == (0, 0, cash)


def test_a_perpetual_settles_its_profit_alone() -> None:
    state = fresh()
    for trade, side, price in (("1", 1, 600_000), ("2", -1, 610_000)):
        state.apply(
            fill(0, trade, 10, venue="p", symbol=PERP[1], side=side, price=price, fee="0"), 1
        )
    assert state.holdings == {("p", "USDT"): money("10")}


def random_history(seed: int) -> list[r.Record]:
    draw = random.Random(seed)
    history: list[r.Record] = [
        intent(order, size=draw.randint(1, 100), side=draw.choice([1, -1]))
        for order in range(1, 40)
    ]
    for _ in range(400):
        order, which = draw.randint(1, 39), draw.randint(0, 10)
        choices: list[r.Record] = [
            r.Sent(order, "ws"),
            r.Acknowledged(order, f"v{order}"),
            r.Rejected(order, "1", "x"),
            fill(order, str(draw.randint(1, 300)), draw.randint(1, 50)),
            r.Ended(order, "expired", 5, "e"),
            r.CancelAsked(order, "w"),
            r.CancelRefused(order, "1", "x"),
            r.Doubted(order, "w"),
            r.Proven(order, draw.choice([1, 2, 3]), "", draw.randint(0, 9), "e"),
            r.Unsent(order, "w"),
            r.Busted(*BTC, str(draw.randint(1, 300)), "e"),
        ]
        history.append(choices[which])
    return history


@pytest.mark.parametrize("seed", range(10))
def test_a_replay_stands_where_the_living_stood_and_money_follows_trades(seed: int) -> None:
    history = random_history(seed)
    state, again = fresh(), fresh()
    for number, record in enumerate(history):
        state.apply(record, number)
        again.apply(r.decode(r.encode(record)), number)
    assert state.digest() == again.digest()
    base = sum(trade.side * trade.size for trade in state.trades.values())
    assert state.holdings[("a", "BTC")] == base * 10**19
    quote = -sum(
        trade.side * trade.size * trade.price * 10**17 + trade.fee
        for trade in state.trades.values()
    )
    assert state.holdings[("a", "USDT")] == quote
    for number, order in state.orders.items():
        booked = sum(trade.size for trade in state.trades.values() if trade.order == number)
        assert order.booked == booked
        assert (number in state.live) == (not order.settled)
    again.apply(r.Sent(1, "ws"), 0)
    assert state.digest() != again.digest()
