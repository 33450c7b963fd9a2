"""Fees of every kind, to the last quantum."""

import pytest

from ops.sim.exchange.events import Fill
from ops.sim.exchange.fees import FeeIn, Fees
from ops.sim.exchange.ledger import FEES
from ops.sim.exchange.orders import BUY, SELL
from ops.sim.exchange.symbols import Asset, spot
from tests.ops.sim.exchange.venue import Venue

# The asset a taker pays 1 % in, buying or selling 1000 at 10.
PAID_IN = [
    (FeeIn.QUOTE, BUY, ("USD", 100)), (FeeIn.QUOTE, SELL, ("USD", 100)),
    (FeeIn.BASE, BUY, ("COIN", 10)), (FeeIn.BASE, SELL, ("COIN", 10)),
    (FeeIn.RECEIVED, BUY, ("COIN", 10)), (FeeIn.RECEIVED, SELL, ("USD", 100)),
]


@pytest.mark.parametrize(("taken", "side", "paid"), PAID_IN)
def test_a_fee_is_taken_in_the_asset_the_policy_names(
    taken: FeeIn, side: int, paid: tuple[str, int]
) -> None:
    venue = Venue()
    usd, coin = 20_000, 2_000
    ann = venue.client("ann", usd=usd, coin=coin, fees=Fees(0, 10_000, taken))
    venue.level(-side, 10, 1000)
    venue.order(ann, side, 1000, 10)
    fill = venue.of(Fill)[0]
    assert (fill.fee_asset, fill.fee) == paid
    fees = {"USD": 0, "COIN": 0, paid[0]: paid[1]}
    assert venue.exchange.balances(ann) == {
        "USD": (usd - side * 10_000 - fees["USD"], 0),
        "COIN": (coin + side * 1000 - fees["COIN"], 0),
    }
    assert venue.exchange.ledger.free(FEES, paid[0]) == paid[1]


@pytest.mark.parametrize(("held", "paid"), [(5, ("BNB", 5)), (4, ("COIN", 10))])
def test_a_third_asset_pays_unless_there_is_too_little_of_it(
    held: int, paid: tuple[str, int]
) -> None:
    venue = Venue()
    ann = venue.client("ann", fees=Fees(0, 10_000, FeeIn.THIRD, "BNB"))
    venue.exchange.set_rate("BNB", "USD", 1, 20)
    venue.exchange.deposit(0, ann, "BNB", held)
    venue.level(SELL, 10, 1000)
    venue.buy(ann, 1000, 10)
    fill = venue.of(Fill)[0]
    assert (fill.fee_asset, fill.fee) == paid


def test_a_maker_with_a_rebate_is_paid_by_the_venue() -> None:
    venue = Venue()
    ann, bob = venue.client("ann", usd=0, fees=Fees(-5000, 5000)), venue.client("bob")
    venue.sell(ann, 10, 100)
    venue.buy(bob, 10, 100)
    assert venue.exchange.balance(ann, "USD") == (1005, 0)
    assert venue.exchange.ledger.free(FEES, "USD") == -5
    assert [fill.fee for fill in venue.of(Fill)] == [0, -5]


def test_a_resting_order_holds_the_worst_fee_until_it_fills_as_maker() -> None:
    venue = Venue()
    ann = venue.client("ann", usd=1005, fees=Fees(1000, 5000))
    venue.buy(ann, 10, 100)
    assert venue.exchange.balance(ann, "USD") == (0, 1005)
    venue.level(SELL, 100, 4)
    assert venue.exchange.balance(ann, "USD") == (2, 603)  # 400 paid, no fee: 0.4 rounds to 0
    venue.level(SELL, 100, 6)
    assert venue.exchange.balance(ann, "USD") == (5, 0)


def test_new_fees_are_for_new_orders() -> None:
    venue = Venue()
    ann = venue.client("ann", usd=1000)
    venue.buy(ann, 10, 100)
    venue.exchange.set_fees(ann, Fees(10_000, 10_000))
    venue.level(SELL, 100, 10)
    assert venue.of(Fill)[0].fee == 0


def test_decimals_that_would_round_a_product_are_refused_when_listed() -> None:
    with pytest.raises(ValueError, match="USD needs at least 7 decimals"):
        spot("BTC/USD", Asset("BTC", 8), Asset("USD", 6), price_decimals=2, size_decimals=5)
    with pytest.raises(ValueError, match="BTC needs at least 5 decimals"):
        spot("BTC/USD", Asset("BTC", 4), Asset("USD", 8), price_decimals=2, size_decimals=5)
    symbol = spot("BTC/USD", Asset("BTC", 8), Asset("USD", 8), price_decimals=2, size_decimals=5)
    assert symbol.value(6_400_000, 1) == 64_000_000  # 64,000.00 x 0.00001 = 0.64
    assert symbol.amount(1) == 1000
