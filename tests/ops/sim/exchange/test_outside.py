"""Clients' orders among the outside flow: places in the queue, prints, levels that cross."""

from ops.sim.exchange.events import Fill, LevelChanged, Traded
from ops.sim.exchange.ledger import HOUSE
from ops.sim.exchange.orders import BUY, SELL, Status
from tests.ops.sim.exchange.venue import Venue


def test_an_order_matches_the_outside_book_and_the_house_is_its_counterparty() -> None:
    venue = Venue()
    ann = venue.client("ann", usd=1000, coin=0)
    venue.level(SELL, 100, 4)
    venue.level(SELL, 101, 4)
    order = venue.buy(ann, 6, 101)
    assert [(fill.price, fill.size) for fill in venue.of(Fill)] == [(100, 4), (101, 2)]
    assert order.status is Status.FILLED
    assert venue.depth(SELL) == [(101, 2)]
    assert venue.exchange.ledger.free(HOUSE, "USD") == 602
    assert venue.exchange.balances(ann) == {"USD": (398, 0), "COIN": (6, 0)}


def test_an_order_waits_behind_what_was_at_its_price_before_it() -> None:
    venue = Venue()
    ann = venue.client("ann")
    venue.level(BUY, 100, 10)
    order = venue.buy(ann, 5, 100)
    venue.level(BUY, 100, 30)  # these joined behind
    venue.trade(SELL, 100, 10)
    assert order.filled == 0
    venue.trade(SELL, 100, 3)
    assert order.filled == 3
    venue.trade(SELL, 100, 4)
    assert order.status is Status.FILLED
    assert venue.depth(BUY) == [(100, 18)]


def test_outside_size_that_leaves_without_a_trade_leaves_from_the_back() -> None:
    venue = Venue()
    ann = venue.client("ann")
    venue.level(BUY, 100, 10)
    order = venue.buy(ann, 5, 100)
    venue.level(BUY, 100, 20)
    venue.level(BUY, 100, 12)
    assert order.ahead == 10
    venue.level(BUY, 100, 4)
    assert order.ahead == 4
    venue.level(BUY, 100, 0)
    assert order.ahead == 0
    assert venue.depth(BUY) == [(100, 5)]


def test_a_level_told_again_after_its_print_moves_nobody_twice() -> None:
    venue = Venue()
    ann = venue.client("ann")
    venue.level(BUY, 100, 10)
    order = venue.buy(ann, 5, 100)
    venue.trade(SELL, 100, 6)
    venue.level(BUY, 100, 4)
    assert (order.ahead, order.filled) == (4, 0)
    assert venue.depth(BUY) == [(100, 9)]


def test_a_print_through_an_orders_price_fills_it_first_whatever_stood_before_it() -> None:
    venue = Venue()
    ann = venue.client("ann")
    venue.level(SELL, 100, 50)
    order = venue.sell(ann, 5, 100)
    venue.trade(BUY, 101, 7)
    assert (order.status, order.value) == (Status.FILLED, 500)
    assert [(trade.price, trade.size) for trade in venue.of(Traded)] == [(100, 5), (101, 2)]


def test_a_print_through_several_prices_fills_the_best_first() -> None:
    venue = Venue()
    ann = venue.client("ann")
    dear, cheap = venue.sell(ann, 5, 100), venue.sell(ann, 5, 99)
    venue.trade(BUY, 101, 7)
    assert (cheap.filled, dear.filled) == (5, 2)


def test_a_print_short_of_an_orders_price_leaves_it_alone() -> None:
    venue = Venue()
    ann = venue.client("ann")
    order = venue.sell(ann, 5, 101)
    venue.trade(BUY, 100, 7)
    assert order.filled == 0


def test_a_print_trades_in_full_even_where_the_book_is_behind() -> None:
    venue = Venue()
    venue.client("ann")
    venue.level(SELL, 100, 2)
    venue.trade(BUY, 100, 9)
    assert sum(trade.size for trade in venue.of(Traded)) == 9
    assert venue.depth(SELL) == []


def test_an_outside_level_that_crosses_an_order_fills_it_and_the_rest_stays() -> None:
    venue = Venue()
    ann, bob = venue.client("ann"), venue.client("bob")
    cheap, dear = venue.sell(ann, 3, 100), venue.sell(bob, 3, 101)
    venue.level(BUY, 101, 10)
    assert [(fill.order_id, fill.price) for fill in venue.of(Fill)] == [
        (cheap.id, 100), (dear.id, 101)]
    assert venue.depth(BUY) == [(101, 4)]
    assert venue.depth(SELL) == []


def test_a_large_order_absorbs_the_level_that_crosses_it() -> None:
    venue = Venue()
    ann = venue.client("ann")
    order = venue.sell(ann, 30, 100)
    venue.level(BUY, 101, 10)
    assert (order.filled, venue.depth(BUY), venue.depth(SELL)) == (10, [], [(100, 20)])


def test_outside_levels_that_a_newer_one_crosses_are_withdrawn_without_a_trade() -> None:
    venue = Venue()
    for price in (100, 101, 102):
        venue.level(SELL, price, 5)
    venue.events.clear()
    venue.level(BUY, 101, 7)
    assert (venue.depth(BUY), venue.depth(SELL)) == ([(101, 7)], [(102, 5)])
    assert [(event.price, event.size) for event in venue.of(LevelChanged)] == [(100, 0), (101, 0)]
    assert not venue.of(Traded)


def test_a_level_shows_outside_flow_and_clients_together() -> None:
    venue = Venue()
    ann = venue.client("ann")
    venue.buy(ann, 5, 100)
    assert venue.exchange.set_level(1, "COIN/USD", BUY, 100, 7) == 12
