"""Positions: average entry, profit, margin, funding, and who pays what a client cannot."""

from fractions import Fraction
from random import Random
from typing import Any

import pytest

from ops.sim.exchange.events import Covered, Ended, Fill, Funded
from ops.sim.exchange.fees import Fees
from ops.sim.exchange.filters import Filters, Reason, Refusal
from ops.sim.exchange.ledger import INSURANCE
from ops.sim.exchange.orders import BUY, SELL, Status, Tif, Why
from ops.sim.exchange.positions import Position
from tests.ops.sim.exchange.venue import PERP, Venue


def perpetual_venue(
    usd: int = 10_000, filters: Filters | None = None
) -> tuple[Venue, str]:
    venue = Venue(filters=filters)
    return venue, venue.client("ann", usd=usd, coin=0)


def trade(venue: Venue, name: str, side: int, size: int, price: int) -> None:
    venue.level(-side, price, size, PERP)
    assert venue.order(name, side, size, price, symbol=PERP, tif=Tif.IOC).filled == size


def test_a_long_and_a_short_average_their_entries_and_realise_when_they_close() -> None:
    for side in (BUY, SELL):
        venue, ann = perpetual_venue()
        trade(venue, ann, side, 10, 100)
        trade(venue, ann, side, 10, 100 + 2 * side)
        position = venue.exchange.position(ann, PERP)
        assert Fraction(position.cost, position.size) == 100 + side
        trade(venue, ann, -side, 5, 100 + 7 * side)
        assert (position.size, position.realised) == (15 * side, 30)
        assert venue.of(Fill)[-1].pnl == 30
        trade(venue, ann, -side, 25, 100 + 7 * side)  # closes all and turns around
        assert (position.size, position.cost, position.realised) == (
            -10 * side, -10 * (100 + 7 * side) * side, 120)
        assert sum(venue.exchange.balance(ann, "USD")) == 10_000 + 120


def test_partial_closes_realise_to_the_last_quantum_what_was_paid_and_received() -> None:
    random = Random(4)
    for _ in range(200):
        position, cash = Position(), 0
        for _ in range(30):
            side, size, unit = random.choice((1, -1)), random.randint(1, 9), random.randint(1, 99)
            position.fill(side, size, unit)
            cash -= side * size * unit
        if position.size:
            unit = random.randint(1, 99)
            cash += position.size * unit
            position.fill(-1 if position.size > 0 else 1, abs(position.size), unit)
        assert (position.size, position.cost, position.realised) == (0, 0, cash)


def test_an_order_holds_initial_margin_and_is_refused_without_it() -> None:
    venue, ann = perpetual_venue(usd=1000)
    assert venue.refused(ann, BUY, 101, 100, symbol=PERP) == Refusal(Reason.MARGIN, 1010, 1000)
    venue.buy(ann, 60, 100, symbol=PERP)
    assert venue.exchange.balance(ann, "USD") == (400, 600)
    assert venue.reason(ann, BUY, 50, 100, symbol=PERP) is Reason.MARGIN


def test_a_position_holds_margin_and_closing_it_needs_none() -> None:
    venue, ann = perpetual_venue(usd=1000)
    trade(venue, ann, BUY, 100, 100)
    assert venue.exchange.balance(ann, "USD") == (0, 1000)
    order = venue.sell(ann, 100, 110, symbol=PERP)
    assert order.reserved == 0
    assert venue.reason(ann, SELL, 1, 110, symbol=PERP) is Reason.MARGIN  # would open a short
    venue.level(BUY, 110, 100, PERP)
    assert venue.exchange.balance(ann, "USD") == (2000, 0)


def test_open_losses_at_the_mark_count_against_new_orders_and_open_gains_do_not() -> None:
    venue, ann = perpetual_venue(usd=2000)
    trade(venue, ann, BUY, 100, 100)
    venue.exchange.set_mark(PERP, 95)
    assert venue.refused(ann, BUY, 60, 90, symbol=PERP) == Refusal(Reason.MARGIN, 540, 500)
    assert venue.exchange.withdraw(1, ann, "USD", 501) == Refusal(Reason.FUNDS, 501, 500)
    venue.exchange.set_mark(PERP, 150)
    assert venue.refused(ann, BUY, 112, 90, symbol=PERP) == Refusal(Reason.MARGIN, 1008, 1000)


def test_longs_pay_shorts_and_the_house_bears_the_rounding() -> None:
    venue, ann = perpetual_venue()
    bob = venue.client("bob", coin=0)
    trade(venue, ann, BUY, 33, 100)
    trade(venue, bob, SELL, 11, 100)
    venue.exchange.fund(2, PERP, 1000)
    venue.check()
    paid = [(event.account, event.amount) for event in venue.of(Funded)]
    assert paid == [("ann", -3), ("bob", 1)]
    venue.exchange.fund(3, PERP, -1000)
    assert venue.exchange.position(ann, PERP).funding == 0


def test_reduce_only_orders_never_open() -> None:
    venue, ann = perpetual_venue()
    trade(venue, ann, BUY, 10, 100)
    venue.level(BUY, 100, 50, PERP)
    reduce: dict[str, Any] = {"symbol": PERP, "reduce_only": True}
    assert venue.refused(ann, SELL, 11, **reduce) == Refusal(Reason.REDUCE_ONLY, 11, 10)
    assert venue.reason(ann, BUY, 1, **reduce) is Reason.REDUCE_ONLY
    assert venue.sell(ann, 10, **reduce).status is Status.FILLED
    assert venue.exchange.position(ann, PERP).size == 0


def test_a_resting_reduce_only_order_holds_nothing_and_closes_the_position() -> None:
    venue, ann = perpetual_venue()
    trade(venue, ann, BUY, 10, 100)
    free = venue.exchange.balance(ann, "USD")[0]
    resting = venue.sell(ann, 10, 120, symbol=PERP, reduce_only=True)
    assert venue.exchange.balance(ann, "USD")[0] == free
    assert venue.reason(ann, SELL, 1, 130, symbol=PERP, reduce_only=True) is Reason.REDUCE_ONLY
    venue.trade(BUY, 120, 10, PERP)
    assert resting.status is Status.FILLED
    assert venue.exchange.position(ann, PERP).size == 0


@pytest.mark.parametrize("print_it", [True, False])
def test_one_sweep_over_two_orders_never_lets_the_reduce_only_one_reverse_a_position(
    print_it: bool
) -> None:
    venue, ann = perpetual_venue()
    bob = venue.client("bob", coin=0)
    trade(venue, ann, BUY, 10, 100)
    reducing = venue.sell(ann, 10, 120, symbol=PERP, reduce_only=True)
    first = venue.sell(ann, 6, 110, symbol=PERP)
    if print_it:
        venue.trade(BUY, 120, 30, PERP)
    else:
        venue.buy(bob, 30, 120, symbol=PERP)
    assert first.status is Status.FILLED
    assert (reducing.filled, reducing.status, reducing.why) == (
        4, Status.EXPIRED, Why.REDUCE_ONLY)
    assert venue.exchange.position(ann, PERP).size == 0


def test_reduce_only_orders_end_when_the_position_they_would_close_is_gone() -> None:
    venue, ann = perpetual_venue()
    trade(venue, ann, BUY, 10, 100)
    older = venue.sell(ann, 4, 120, symbol=PERP, reduce_only=True)
    newer = venue.sell(ann, 6, 121, symbol=PERP, reduce_only=True)
    trade(venue, ann, SELL, 5, 100)
    assert (older.status, newer.why) == (Status.OPEN, Why.REDUCE_ONLY)
    trade(venue, ann, SELL, 5, 100)
    assert older.why is Why.REDUCE_ONLY


def test_what_only_reduces_may_be_worth_less_than_the_least() -> None:
    venue, ann = perpetual_venue(filters=Filters(notional_min=500))
    trade(venue, ann, BUY, 10, 100)
    assert venue.reason(ann, SELL, 4, 120, symbol=PERP) is Reason.NOTIONAL_MIN
    assert venue.sell(ann, 4, 120, symbol=PERP, reduce_only=True).status is Status.OPEN


def test_another_margin_is_held_for_the_position_at_once_and_for_later_orders() -> None:
    venue, ann = perpetual_venue(usd=1000)
    trade(venue, ann, BUY, 10, 100)
    early = venue.buy(ann, 10, 50, symbol=PERP)
    assert (venue.exchange.position(ann, PERP).margin, early.reserved) == (100, 50)
    assert venue.exchange.set_margin(1, ann, PERP, 500_000) is None
    venue.check()
    late = venue.buy(ann, 10, 50, symbol=PERP)
    assert venue.exchange.position(ann, PERP).margin == 500
    assert (early.reserved, late.reserved) == (50, 250)
    refusal = venue.exchange.set_margin(1, ann, PERP, 1_000_000)
    assert refusal == Refusal(Reason.MARGIN, 500, 200)
    assert venue.exchange.position(ann, PERP).margin == 500


def test_a_loss_beyond_the_balance_takes_orders_and_margins_and_then_the_insurance() -> None:
    venue, ann = perpetual_venue(usd=1000)
    trade(venue, ann, BUY, 90, 100)
    resting = venue.buy(ann, 1, 100)  # spot, holds the last 100 with the one below
    assert venue.exchange.balance(ann, "USD") == (0, 1000)
    trade(venue, ann, SELL, 90, 80)
    assert venue.of(Ended)[-1].order is resting
    assert resting.why is Why.MARGIN
    assert venue.exchange.balance(ann, "USD") == (0, 0)
    assert venue.of(Covered)[0].amount == 800
    assert venue.exchange.ledger.free(INSURANCE, "USD") == -800


def test_a_better_price_than_asked_for_never_costs_another_order_its_money() -> None:
    venue, ann = perpetual_venue(usd=1000)
    resting = venue.buy(ann, 1, 100)
    venue.level(BUY, 110, 90, PERP)
    venue.sell(ann, 90, 100, symbol=PERP)  # margin of 990 wanted, 900 there
    assert resting.status is Status.OPEN
    assert venue.exchange.position(ann, PERP).margin == 900


def test_fees_of_perpetuals_are_taken_in_the_settlement_asset() -> None:
    venue = Venue()
    ann = venue.client("ann", usd=10_000, coin=0, fees=Fees(0, 1000))
    trade(venue, ann, BUY, 50, 100)
    assert (venue.of(Fill)[0].fee, venue.of(Fill)[0].fee_asset) == (5, "USD")
    assert sum(venue.exchange.balance(ann, "USD")) == 9995
