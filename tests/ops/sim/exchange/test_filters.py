"""Filters: each limit refuses by its own name, with the two numbers it compared."""

from typing import Any

import pytest

from ops.sim.exchange.filters import Filters, Mode, Reason, Refusal
from ops.sim.exchange.orders import BUY, SELL, Kind, Order, Status
from tests.ops.sim.exchange.venue import COIN, Venue

FILTERS = Filters(
    tick=5, lot=2, price_min=10, price_max=1000, band_down_ppm=200_000, band_up_ppm=100_000,
    size_min=4, size_max=100, market_size_max=50, notional_min=500, notional_max=9000,
    open_orders_max=2,
)
LIMITS = [  # size, price, what is refused; the last trade was at 100
    (10, 101, Refusal(Reason.TICK, 101, 5)),
    (10, 5, Refusal(Reason.PRICE_MIN, 5, 10)),
    (10, 1005, Refusal(Reason.PRICE_MAX, 1005, 1000)),
    (10, 115, Refusal(Reason.BAND, 115, 110)),
    (10, 75, Refusal(Reason.BAND, 75, 80)),
    (11, 100, Refusal(Reason.LOT, 11, 2)),
    (2, 100, Refusal(Reason.SIZE_MIN, 2, 4)),
    (102, 80, Refusal(Reason.SIZE_MAX, 102, 100)),
    (4, 100, Refusal(Reason.NOTIONAL_MIN, 400, 500)),
    (98, 100, Refusal(Reason.NOTIONAL_MAX, 9800, 9000)),
]
ALLOWED = [(10, 110), (10, 80), (100, 80), (6, 100), (90, 100)]


def traded_at_100(filters: Filters = FILTERS) -> Venue:
    venue = Venue(filters=filters)
    venue.client("ann")
    venue.trade(BUY, 100, 1)
    return venue


@pytest.mark.parametrize(("size", "price", "refusal"), LIMITS)
def test_each_limit_refuses_by_name(size: int, price: int, refusal: Refusal) -> None:
    assert traded_at_100().refused("ann", BUY, size, price) == refusal


@pytest.mark.parametrize(("size", "price"), ALLOWED)
def test_what_is_on_a_limit_is_taken(size: int, price: int) -> None:
    assert isinstance(traded_at_100().ask("ann", BUY, size, price), Order)


def test_market_orders_have_their_own_largest_size_and_are_valued_at_the_reference() -> None:
    venue = traded_at_100()
    assert venue.refused("ann", SELL, 52) == Refusal(Reason.SIZE_MAX, 52, 50)
    assert venue.refused("ann", SELL, 4) == Refusal(Reason.NOTIONAL_MIN, 400, 500)
    assert venue.refused("ann", BUY, 0, quote=9001) == Refusal(Reason.NOTIONAL_MAX, 9001, 9000)


def test_open_orders_are_counted_per_account_and_orders_that_never_rest_are_not() -> None:
    venue = traded_at_100()
    venue.client("bob")
    venue.buy("ann", 10, 100)
    venue.buy("ann", 10, 100)
    assert venue.refused("ann", BUY, 10, 100) == Refusal(Reason.OPEN_ORDERS, 3, 2)
    venue.buy("ann", 10, kind=Kind.MARKET)
    venue.buy("bob", 10, 100)
    venue.exchange.cancel_all(1, "ann")
    venue.buy("ann", 10, 100)


def test_a_band_follows_the_mark_where_there_is_one() -> None:
    venue = traded_at_100()
    venue.exchange.set_mark("COIN/USD", 200)
    assert venue.refused("ann", BUY, 10, 100) == Refusal(Reason.BAND, 100, 160)


def test_a_band_may_bound_each_side_in_its_bad_direction_alone() -> None:
    venue = Venue(filters=Filters(
        band_down_ppm=200_000, band_up_ppm=100_000, band_by_side=True))
    ann = venue.client("ann")
    venue.exchange.set_mark(COIN, 100)
    assert venue.reason(ann, BUY, 1, 111) is Reason.BAND
    assert venue.reason(ann, SELL, 1, 79) is Reason.BAND
    assert venue.buy(ann, 1, 10).status is venue.sell(ann, 1, 900).status is Status.OPEN


def test_without_a_reference_there_is_no_band() -> None:
    venue = Venue(filters=FILTERS)
    venue.client("ann")
    venue.buy("ann", 10, 500)


@pytest.mark.parametrize(("mode", "options", "taken"), [
    (Mode.POST_ONLY, {"post_only": True}, True), (Mode.POST_ONLY, {}, False),
    (Mode.LIMIT_ONLY, {}, True), (Mode.LIMIT_ONLY, {"kind": Kind.MARKET, "price": 0}, False),
    (Mode.CANCEL_ONLY, {"post_only": True}, False),
])
def test_a_mode_takes_what_it_says(mode: Mode, options: dict[str, object], taken: bool) -> None:
    venue = traded_at_100(Filters(mode=mode))
    asked: dict[str, Any] = {"side": BUY, "size": 1, "price": 100} | options
    answer = venue.ask("ann", **asked)
    assert isinstance(answer, Order) == taken


def test_filters_may_change_under_resting_orders() -> None:
    venue = traded_at_100(Filters())
    order = venue.buy("ann", 3, 99)
    venue.exchange.set_filters("COIN/USD", FILTERS)
    refusal = venue.exchange.amend(1, "ann", order_id=order.id, size=2)
    assert refusal == Refusal(Reason.TICK, 99, 5)
    assert isinstance(venue.exchange.cancel(1, "ann", order_id=order.id), Order)
