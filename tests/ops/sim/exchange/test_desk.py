"""Requests: what is refused and what an amendment keeps."""

from typing import Any

import pytest

from ops.sim.exchange.events import Amended, Rejected
from ops.sim.exchange.fees import Fees
from ops.sim.exchange.filters import Filters, Mode, Reason, Refusal
from ops.sim.exchange.orders import (
    BUY,
    IDS_PER_EPOCH,
    SELL,
    ClientIds,
    Kind,
    Order,
    Status,
    Tif,
    Why,
)
from tests.ops.sim.exchange.venue import COIN, PERP, Venue


def test_a_post_only_order_never_takes() -> None:
    venue = Venue()
    ann, bob = venue.client("ann"), venue.client("bob")
    venue.sell(ann, 5, 100)
    venue.level(SELL, 101, 5)
    assert venue.refused(bob, BUY, 1, 100, post_only=True) == Refusal(Reason.WOULD_TAKE, 100, 100)
    assert venue.buy(bob, 1, 99, post_only=True).status is Status.OPEN


def test_a_post_only_order_that_may_end_is_taken_and_ended_without_a_trade() -> None:
    venue = Venue()
    ann, bob = venue.client("ann"), venue.client("bob")
    venue.sell(ann, 1, 100)
    order = venue.buy(bob, 1, 100, post_only=True, post_only_ends=True)
    assert (order.status, order.why, order.filled) == (Status.EXPIRED, Why.WOULD_TAKE, 0)
    assert order.reserved == 0
    assert venue.buy(bob, 1, 99, post_only=True, post_only_ends=True).status is Status.OPEN


@pytest.mark.parametrize("policy", ClientIds)
def test_a_client_id_is_free_again_only_where_the_venue_says_so(policy: ClientIds) -> None:
    venue = Venue(client_ids=policy)
    ann, bob = venue.client("ann"), venue.client("bob")
    first = venue.buy(ann, 1, 90, client_id="a")
    assert venue.refused(ann, BUY, 1, 90, client_id="a") == Refusal(
        Reason.DUPLICATE_CLIENT_ID, first.id)
    venue.buy(bob, 1, 90, client_id="a")  # another account's ids are its own
    venue.exchange.cancel(1, ann, client_id="a")
    if policy is ClientIds.UNIQUE_OPEN:
        again = venue.buy(ann, 1, 90, client_id="a")
        assert venue.exchange.order(ann, client_id="a") is again
    else:
        assert venue.reason(ann, BUY, 1, 90, client_id="a") is Reason.DUPLICATE_CLIENT_ID


def test_order_ids_rise_and_an_epoch_keeps_restarts_apart() -> None:
    first, second = Venue(epoch=1), Venue(epoch=2)
    ids = [venue.buy(venue.client("ann"), 1, 90).id for venue in (first, second)]
    assert ids == [IDS_PER_EPOCH + 1, 2 * IDS_PER_EPOCH + 1]
    assert first.buy("ann", 1, 90).id == IDS_PER_EPOCH + 2


def test_less_size_at_the_same_price_keeps_the_place_and_all_else_loses_it() -> None:
    venue = Venue()
    ann, bob, cat = (venue.client(name) for name in ("ann", "bob", "cat"))
    first, second = venue.sell(ann, 5, 100), venue.sell(bob, 5, 100)
    venue.exchange.amend(1, ann, order_id=first.id, size=3)
    venue.buy(cat, 1, 100)
    assert (first.filled, second.filled) == (1, 0)
    venue.exchange.amend(1, ann, order_id=first.id, size=9)
    venue.buy(cat, 1, 100)
    venue.check()
    assert (first.filled, second.filled) == (1, 1)
    assert [event.kept_priority for event in venue.of(Amended)] == [True, False]
    assert venue.exchange.balance(ann, "COIN")[1] == first.remaining == 8


def test_less_size_loses_the_place_at_a_venue_that_queues_every_amendment_anew() -> None:
    venue = Venue()
    ann, bob, cat = (venue.client(name) for name in ("ann", "bob", "cat"))
    first, second = venue.sell(ann, 5, 100), venue.sell(bob, 5, 100)
    venue.exchange.amend(1, ann, order_id=first.id, size=3, keeps_place=False)
    venue.check()
    venue.buy(cat, 1, 100)
    assert (first.filled, second.filled) == (0, 1)
    assert [event.kept_priority for event in venue.of(Amended)] == [False]


def test_an_amended_price_may_take() -> None:
    venue = Venue()
    ann, bob = venue.client("ann"), venue.client("bob")
    venue.sell(ann, 2, 105)
    order = venue.buy(bob, 5, 100)
    venue.exchange.amend(1, bob, order_id=order.id, price=105)
    venue.check()
    assert (order.filled, order.remaining, venue.depth(BUY)) == (2, 3, [(105, 3)])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"size": 2}, Reason.SIZE_MIN),  # as much is filled already
        ({"price": 103}, Reason.WOULD_TAKE),
        ({"size": 1000}, Reason.FUNDS),
    ],
)
def test_a_refused_amendment_leaves_the_order_as_it_was(
    change: dict[str, Any], reason: Reason
) -> None:
    venue = Venue()
    ann, bob = venue.client("ann", usd=1000), venue.client("bob")
    order = venue.buy(ann, 5, 100, post_only=True)
    venue.sell(bob, 2, 100)
    venue.sell(bob, 2, 103)
    answer = venue.exchange.amend(1, ann, order_id=order.id, **change)
    venue.check()
    assert isinstance(answer, Refusal)
    assert answer.reason is reason
    assert (order.price, order.size, order.status) == (100, 5, Status.OPEN)
    assert venue.depth(BUY) == [(100, 3)]


def test_an_amendment_needs_only_the_money_that_it_adds() -> None:
    venue = Venue()
    ann = venue.client("ann", usd=1000)
    order = venue.buy(ann, 8, 100)
    assert venue.exchange.amend(1, ann, order_id=order.id, size=10) is order
    venue.check()
    assert venue.exchange.balance(ann, "USD") == (0, 1000)
    assert venue.exchange.amend(1, ann, order_id=order.id, size=11) == Refusal(
        Reason.FUNDS, 100, 0)


def test_cancelling_gives_back_what_was_locked_and_again_is_refused_by_name() -> None:
    venue = Venue()
    ann, bob = venue.client("ann", usd=1000, fees=Fees(2000, 3000)), venue.client("bob")
    order = venue.buy(ann, 5, 100)
    assert venue.exchange.balance(ann, "USD") == (499, 501)  # 0.3 % of 500 is 1.5, rounded down
    assert venue.exchange.cancel(1, bob, order_id=order.id) == Refusal(
        Reason.UNKNOWN_ORDER, order.id)
    venue.exchange.cancel(1, ann, order_id=order.id)
    assert venue.exchange.balance(ann, "USD") == (1000, 0)
    assert venue.exchange.cancel(1, ann, order_id=order.id) == Refusal(
        Reason.ORDER_ENDED, order.id)


def test_cancel_all_takes_one_accounts_orders_of_one_symbol_or_of_all() -> None:
    venue = Venue()
    ann, bob = venue.client("ann"), venue.client("bob")
    spot, perp = venue.buy(ann, 1, 90), venue.buy(ann, 1, 90, symbol=PERP)
    others = venue.buy(bob, 1, 90)
    assert venue.exchange.cancel_all(1, ann, COIN, why=Why.WITHDRAWN) == [spot]
    assert spot.why is Why.WITHDRAWN
    assert venue.exchange.cancel_all(1, ann) == [perp]
    assert others.status is Status.OPEN


def test_a_market_order_without_liquidity_expires_and_needs_no_money_for_it() -> None:
    venue = Venue()
    ann = venue.client("ann", usd=300)
    venue.level(SELL, 100, 3)
    order = venue.buy(ann, 50)
    assert (order.status, order.why, order.filled) == (Status.EXPIRED, Why.NO_LIQUIDITY, 3)
    assert venue.exchange.balance(ann, "USD") == (0, 0)


def test_a_market_order_is_refused_if_its_way_through_the_book_costs_too_much() -> None:
    venue = Venue()
    ann = venue.client("ann", usd=301)
    venue.level(SELL, 100, 2)
    venue.level(SELL, 102, 2)
    assert venue.refused(ann, BUY, 3) == Refusal(Reason.FUNDS, 302, 301)


@pytest.mark.parametrize(("quote", "size"), [(301, 2), (302, 3), (303, 3), (5000, 4)])
def test_a_market_order_by_quote_buys_the_lots_it_pays_for(quote: int, size: int) -> None:
    venue = Venue()
    ann = venue.client("ann", usd=5000)
    venue.level(SELL, 100, 2)
    venue.level(SELL, 102, 2)
    assert venue.buy(ann, 0, quote=quote).filled == size


def test_a_market_order_by_quote_buys_whole_lots() -> None:
    venue = Venue(filters=Filters(lot=5))
    venue.level(SELL, 10, 100)
    assert venue.buy(venue.client("ann"), 0, quote=199).filled == 15


def test_a_market_order_by_quote_that_pays_for_no_lot_is_refused() -> None:
    venue = Venue()
    ann = venue.client("ann")
    assert venue.reason(ann, BUY, 0, quote=50) is Reason.NO_LIQUIDITY
    venue.level(SELL, 100, 2)
    assert venue.refused(ann, BUY, 0, quote=50) == Refusal(Reason.SIZE_MIN, 0, 1)


def test_what_cannot_be_paid_or_delivered_is_refused_with_both_numbers() -> None:
    venue = Venue()
    ann = venue.client("ann", usd=500, coin=4, fees=Fees(0, 2000))
    assert venue.refused(ann, BUY, 5, 100) == Refusal(Reason.FUNDS, 501, 500)
    assert venue.refused(ann, SELL, 5, 100) == Refusal(Reason.FUNDS, 5, 4)
    assert [event.refusal.reason for event in venue.of(Rejected)] == [Reason.FUNDS] * 2


def test_unknown_names_are_refused_by_name() -> None:
    venue = Venue()
    ann = venue.client("ann")
    assert venue.reason("nobody", BUY, 1, 100) is Reason.UNKNOWN_ACCOUNT
    assert venue.reason(ann, BUY, 1, 100, symbol="X/Y") is Reason.UNKNOWN_SYMBOL
    with pytest.raises(ValueError, match="cannot name"):
        venue.exchange.open_account("*house")


def test_a_halted_symbol_takes_nothing_back_and_a_cancel_only_one_does() -> None:
    venue = Venue()
    ann = venue.client("ann")
    order = venue.buy(ann, 1, 90)
    venue.exchange.set_filters(COIN, Filters(mode=Mode.HALTED))
    assert venue.reason(ann, BUY, 1, 90) is Reason.MODE
    assert venue.exchange.cancel(1, ann, order_id=order.id) == Refusal(Reason.MODE)
    assert venue.exchange.cancel_all(1, ann) == []
    venue.exchange.set_filters(COIN, Filters(mode=Mode.CANCEL_ONLY))
    assert venue.reason(ann, BUY, 1, 90) is Reason.MODE
    assert isinstance(venue.exchange.cancel(1, ann, order_id=order.id), Order)


def test_transfers_are_refused_for_unknown_assets_wrong_amounts_and_missing_money() -> None:
    venue = Venue()
    ann, exchange = venue.client("ann", usd=100), venue.exchange
    venue.buy(ann, 1, 40)
    assert exchange.withdraw(1, ann, "USD", 61) == Refusal(Reason.FUNDS, 61, 60)
    assert exchange.withdraw(1, ann, "USD", 60) is None
    assert exchange.deposit(1, ann, "USD", 0) == Refusal(Reason.AMOUNT, 0)
    assert exchange.deposit(1, ann, PERP, 5) == Refusal(Reason.UNKNOWN_ASSET)
    assert exchange.deposit(1, "nobody", "USD", 5) == Refusal(Reason.UNKNOWN_ACCOUNT)
    venue.check()


@pytest.mark.parametrize("options", [
    {"tif": Tif.IOC, "post_only": True}, {"tif": Tif.FOK, "post_only": True}, {"quote": 5},
    {"kind": Kind.MARKET}, {"size": 0}, {"size": -1}, {"side": 0}, {"price": -5},
])
def test_options_that_do_not_go_together_are_refused(options: dict[str, object]) -> None:
    venue = Venue()
    venue.client("ann")
    asked: dict[str, Any] = {"side": BUY, "size": 1, "price": 100, "kind": Kind.LIMIT} | options
    assert venue.reason("ann", **asked) is Reason.SHAPE
