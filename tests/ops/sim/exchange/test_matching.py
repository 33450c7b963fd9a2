"""Price, then time: against a naive twin; and what prevents self-trades."""

from random import Random

import pytest

from ops.sim.exchange.events import Accepted, Ended, Event, Fill, LevelChanged, Prevented, Traded
from ops.sim.exchange.orders import BUY, SELL, Order, Status, Stp, Tif, Why
from tests.ops.sim.exchange.plain_exchange import PlainExchange
from tests.ops.sim.exchange.venue import COIN, Venue


@pytest.mark.parametrize("seed", range(6))
def test_fills_and_books_equal_those_of_a_naive_twin(seed: int) -> None:
    random, venue, plain = Random(seed), Venue(keep=100_000), PlainExchange()
    names = [venue.client(name) for name in ("ann", "bob", "cat")]
    exchange = venue.exchange
    for _ in range(1500):
        deed, side = random.random(), random.choice((BUY, SELL))
        price, size = 100 + random.randint(-6, 6), random.randint(1, 20)
        mine = [order for name in names for order in exchange.open_orders(name)]
        if deed < 0.45:
            tif = random.choice((Tif.GTC, Tif.GTC, Tif.IOC))
            order = venue.order(random.choice(names), side, size, price, tif=tif)
            plain.limit(order.id, order.account, side, price, size, stays=tif is Tif.GTC)
        elif deed < 0.55:
            exchange.print_trade(1, COIN, side, price, size)
            plain.printed(side, price, size)
        elif deed < 0.75:
            size = random.choice((0, size))
            exchange.set_level(1, COIN, side, price, size)
            plain.outside(side, price, size)
        elif deed < 0.85 and mine:
            order = random.choice(mine)
            exchange.cancel(1, order.account, order_id=order.id)
            plain.cancel(order.id)
        elif mine:
            order = random.choice(mine)
            size = order.filled + random.randint(1, 20)
            price = random.choice((price, order.price))
            keeps = price == order.price and size <= order.size
            exchange.amend(1, order.account, order_id=order.id, price=price, size=size)
            if keeps:
                plain.shrink(order.id, size - order.filled)
            else:
                plain.cancel(order.id)
                done = sum(row[3] for row in plain.fills if order.id in row[:2])
                plain.limit(order.id, order.account, order.side, price, size - done)
        assert venue.depth(BUY) == plain.depth(BUY)
        assert venue.depth(SELL) == plain.depth(SELL)
    venue.check()
    assert _fills_of(venue.events) == _merged(plain.fills)


def _fills_of(events: list[Event]) -> list[tuple[int, int, int, int]]:
    """Return (taker, maker, price, size), 0 being the outside; outside chunks are merged."""
    trades = [event for event in events if isinstance(event, Traded)]
    by_trade: dict[int, list[Fill]] = {trade.trade_id: [] for trade in trades}
    for event in events:
        if isinstance(event, Fill):
            by_trade[event.trade_id].append(event)
    rows = []
    for trade in trades:
        taker = sum(fill.order_id for fill in by_trade[trade.trade_id] if fill.taker)
        maker = sum(fill.order_id for fill in by_trade[trade.trade_id] if not fill.taker)
        rows.append((taker, maker, trade.price, trade.size))
    return _merged(rows)


def _merged(rows: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
    merged: list[tuple[int, int, int, int]] = []
    for row in rows:
        if merged and merged[-1][:3] == row[:3]:
            merged[-1] = (*row[:3], merged[-1][3] + row[3])
        else:
            merged.append(row)
    return merged


def test_the_better_price_fills_first_and_then_the_older_order() -> None:
    venue = Venue()
    ann, bob, cat, dan = (venue.client(name) for name in ("ann", "bob", "cat", "dan"))
    late_but_better = [venue.sell(ann, 5, 101), venue.sell(bob, 5, 101), venue.sell(cat, 5, 100)]
    taker = venue.buy(dan, 12, 101)
    fills = [(fill.order_id, fill.price, fill.size) for fill in venue.of(Fill) if not fill.taker]
    first, second, best = (order.id for order in late_but_better)
    assert fills == [(best, 100, 5), (first, 101, 5), (second, 101, 2)]
    assert (taker.status, taker.filled, taker.value) == (Status.FILLED, 12, 5 * 100 + 7 * 101)


def test_the_taker_pays_the_makers_price_and_gets_back_the_rest() -> None:
    venue = Venue()
    ann, bob = venue.client("ann"), venue.client("bob", usd=1000)
    venue.sell(ann, 5, 100)
    venue.buy(bob, 5, 200)
    assert venue.exchange.balance(bob, "USD") == (500, 0)


def test_an_ioc_takes_what_there_is_and_the_rest_expires() -> None:
    venue = Venue()
    ann, bob = venue.client("ann"), venue.client("bob")
    venue.sell(ann, 3, 100)
    order = venue.buy(bob, 5, 100, tif=Tif.IOC)
    assert (order.status, order.why, order.filled) == (Status.EXPIRED, Why.IOC, 3)
    assert venue.depth(BUY) == []


@pytest.mark.parametrize(("size", "filled"), [(8, 8), (9, 0)])
def test_a_fok_fills_whole_or_not_at_all(size: int, filled: int) -> None:
    venue = Venue()
    ann, bob = venue.client("ann"), venue.client("bob")
    venue.sell(ann, 3, 100)
    venue.level(SELL, 101, 5)
    venue.level(SELL, 102, 50)
    order = venue.buy(bob, size, 101, tif=Tif.FOK)
    assert order.filled == filled
    assert order.status is (Status.FILLED if filled else Status.EXPIRED)
    assert len(venue.of(Fill)) == (3 if filled else 0)


def test_a_fok_does_not_count_the_accounts_own_orders_where_it_may_not_trade_with_them() -> None:
    for stp in Stp:
        venue = Venue()
        ann, bob = venue.client("ann"), venue.client("bob")
        venue.sell(bob, 3, 100)
        mine = venue.sell(ann, 3, 100)
        order = venue.buy(ann, 6, 100, tif=Tif.FOK, stp=stp)
        assert order.filled == (6 if stp is Stp.NONE else 0)
        assert mine.status is (Status.FILLED if stp is Stp.NONE else Status.OPEN)


# What happens to (maker of 5, taker of 8), with 10 of somebody else's behind the maker.
PREVENTED = {
    Stp.NONE: (Status.FILLED, Status.FILLED, 8, 5),
    Stp.EXPIRE_TAKER: (Status.OPEN, Status.EXPIRED, 0, 0),
    Stp.EXPIRE_MAKER: (Status.EXPIRED, Status.FILLED, 8, 0),
    Stp.EXPIRE_BOTH: (Status.EXPIRED, Status.EXPIRED, 0, 0),
    Stp.DECREMENT: (Status.EXPIRED, Status.FILLED, 3, 0),
}


@pytest.mark.parametrize("stp", Stp)
def test_each_mode_of_self_trade_prevention_does_what_it_says(stp: Stp) -> None:
    venue = Venue()
    ann, bob = venue.client("ann"), venue.client("bob")
    mine = venue.sell(ann, 5, 100)
    venue.sell(bob, 10, 100)
    taker = venue.buy(ann, 8, 100, stp=stp)
    assert (mine.status, taker.status, taker.filled, mine.filled) == PREVENTED[stp]
    shrunk = [event.size for event in venue.of(Prevented)]
    assert shrunk == ([] if stp is Stp.NONE else [5 if stp is Stp.DECREMENT else 0])
    whys = {event.order.why for event in venue.of(Ended)}
    assert whys == (set() if stp is Stp.NONE else {Why.SELF_TRADE})


def test_decrement_leaves_the_larger_of_the_two_resting_with_the_difference() -> None:
    venue = Venue()
    ann = venue.client("ann")
    mine = venue.sell(ann, 9, 100)
    taker = venue.buy(ann, 4, 100, stp=Stp.DECREMENT)
    assert (taker.status, taker.why, taker.filled) == (Status.EXPIRED, Why.SELF_TRADE, 0)
    assert (mine.status, mine.remaining) == (Status.OPEN, 5)
    assert venue.depth(SELL) == [(100, 5)]


@pytest.mark.parametrize("stp", [stp for stp in Stp if stp is not Stp.NONE])
@pytest.mark.parametrize("seed", range(3))
def test_prevention_never_lets_an_account_trade_with_itself(stp: Stp, seed: int) -> None:
    random, venue = Random(seed), Venue(keep=100_000)
    names = [venue.client(name) for name in ("ann", "bob")]
    for _ in range(400):
        venue.order(random.choice(names), random.choice((BUY, SELL)), random.randint(1, 9),
                    100 + random.randint(-3, 3), tif=random.choice((*Tif, Tif.GTC)), stp=stp)
    sides: dict[int, list[str]] = {}
    for fill in venue.of(Fill):
        sides.setdefault(fill.trade_id, []).append(fill.account)
    assert sides, "nothing traded"
    assert all(sorted(accounts) == ["ann", "bob"] for accounts in sides.values())


def test_events_come_in_the_order_things_happened() -> None:
    venue = Venue()
    ann, bob = venue.client("ann"), venue.client("bob")
    maker = venue.sell(ann, 5, 100)
    venue.events.clear()
    taker = venue.buy(bob, 8, 100, tif=Tif.IOC)
    kinds = [type(event).__name__ for event in venue.events]
    assert kinds == ["Accepted", "Traded", "Fill", "Fill", "Ended", "LevelChanged",
                     *["BalanceChanged"] * 4]
    told: list[Order] = [event.order for event in venue.of(Accepted)]
    assert told == [taker]
    assert [fill.order_id for fill in venue.of(Fill)] == [taker.id, maker.id]
    assert venue.of(LevelChanged)[0].size == 0
