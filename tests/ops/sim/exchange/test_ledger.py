"""The ledger and the registry: they balance, they remember, and they do not grow for ever."""

import pytest

from ops.sim.exchange.ledger import EXTERNAL, FREE, LOCKED, Cause, Ledger
from ops.sim.exchange.orders import BUY, ClientIds
from tests.ops.sim.exchange.venue import Venue


def test_a_transaction_that_does_not_balance_is_our_own_bug() -> None:
    ledger = Ledger(keep=10)
    with pytest.raises(AssertionError, match="does not balance"):
        ledger.post(0, Cause.TRANSFER, 0, (("ann", "USD", FREE, 5), (EXTERNAL, "USD", FREE, -4)))
    with pytest.raises(AssertionError, match="does not balance"):
        ledger.post(0, Cause.TRADE, 0, (("ann", "USD", FREE, 5), ("bob", "COIN", FREE, -5)))


def test_old_transactions_fold_into_the_opening_balances() -> None:
    ledger = Ledger(keep=3)
    for number in range(1, 11):
        ledger.post(number, Cause.TRANSFER, 0, (
            ("ann", "USD", FREE, number), (EXTERNAL, "USD", FREE, -number)))
    ledger.post(11, Cause.LOCK, 1, (("ann", "USD", FREE, -5), ("ann", "USD", LOCKED, 5)))
    assert [kept.id for kept in ledger.transactions()] == [9, 10, 11]
    assert ledger.purse("ann", "USD") == [50, 5, 0]
    assert ledger.replayed() == dict(ledger.purses())


@pytest.mark.parametrize("policy", ClientIds)
def test_ended_orders_and_fills_are_forgotten_oldest_first(policy: ClientIds) -> None:
    venue = Venue(keep=4, client_ids=policy)
    ann, bob = venue.client("ann"), venue.client("bob")
    resting = venue.buy(ann, 1, 50, client_id="rests")
    sold = [venue.sell(ann, 1, 100, client_id=str(number)) for number in range(6)]
    venue.buy(bob, 6, 100)
    find = venue.exchange.order
    assert [find(ann, order_id=order.id) is not None for order in sold] == [False] * 3 + [True] * 3
    assert find(ann, client_id="rests") is resting
    assert venue.exchange.orders(ann) == [resting, *sold[3:]]
    assert venue.exchange.orders(ann, "X/Y") == []
    assert find(ann, client_id="0") is None
    assert len(venue.exchange.fills_since(ann)) == 4
    reused = venue.ask(ann, BUY, 1, 50, client_id="0")
    assert isinstance(reused, type(resting)) == (policy is ClientIds.UNIQUE_OPEN)


def test_fills_since_gives_what_came_after_an_id_of_one_symbol_or_all() -> None:
    venue = Venue()
    ann, bob = venue.client("ann"), venue.client("bob")
    for _ in range(4):
        venue.sell(ann, 1, 100)
        venue.buy(bob, 1, 100)
    fills = venue.exchange.fills_since(ann)
    assert [fill.account for fill in fills] == ["ann"] * 4
    assert venue.exchange.fills_since(ann, fills[1].trade_id) == fills[2:]
    assert venue.exchange.fills_since(ann, 0, "X/Y") == []
