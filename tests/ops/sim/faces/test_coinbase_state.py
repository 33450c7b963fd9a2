"""A client's view of its account after hundreds of random operations, and the venue's truth."""

import asyncio
import random
from decimal import Decimal
from typing import Any

import pytest
import uvloop

from engine.model.quanta import from_quanta
from ops.sim.exchange.orders import Order
from ops.sim.exchange.symbols import Symbol
from ops.sim.faces.coinbase.names import number_of
from tests.ops.sim.coinbase_trader import Trader, rows, unlimited
from tests.ops.sim.wire import Venue, a_venue, plain

OPERATIONS = 120  # of each of two accounts
TEST_S_MAX = 60.0  # then it hangs
PRODUCTS = ("BTC-USD", "ETH-USD", "ETH-BTC")


class Gambler:
    """Places, edits and cancels at random; remembers nothing but what it is told."""

    def __init__(self, venue: Venue, account: str, seed: int) -> None:
        self.venue, self.trader = venue, Trader(venue, account)
        self.random = random.Random(seed)
        self.orders: dict[str, dict[str, Any]] = {}  # the newest row of each, by order id

    def hear(self, frames: list[Any]) -> None:
        for row in rows(frames):
            self.orders[row["order_id"]] = row

    def price(self, product: str) -> str:
        bids, asks = self.venue.truth(product)
        prices = sorted({*bids, *asks}, key=Decimal)
        near = len(bids) + self.random.randint(-4, 4)
        return prices[max(0, min(near, len(prices) - 1))]

    def size(self, product: str) -> str:
        size = Decimal(self.random.randint(1, 400)) / 1000
        return str(size * (10 if product.startswith("ETH") else 1))

    async def act(self) -> None:
        choice, product = self.random.random(), self.random.choice(PRODUCTS)
        side = self.random.choice(("BUY", "SELL"))
        open_ones = [each for each in self.orders.values() if each["status"] == "OPEN"]
        if choice < 0.5 or not open_ones:
            await self.trader.place(
                side, "limit_limit_gtc", product, base_size=self.size(product),
                limit_price=self.price(product), post_only=self.random.random() < 0.3)
        elif choice < 0.6:
            kind = self.random.choice(("sor_limit_ioc", "limit_limit_fok"))
            await self.trader.place(
                side, kind, product, base_size=self.size(product),
                limit_price=self.price(product))
        elif choice < 0.7:
            quote = "0.5" if product == "ETH-BTC" else "2000"
            sized = {"quote_size": quote} if side == "BUY" else {"base_size": self.size(product)}
            await self.trader.place(side, "market_market_ioc", product, **sized)
        elif choice < 0.8:
            order = self.random.choice(open_ones)
            await self.trader.call("POST", "/orders/edit", {
                "order_id": order["order_id"], "size": self.size(order["product_id"]),
                "price": self.price(order["product_id"])})
        else:
            await self.trader.cancel(self.random.choice(open_ones)["order_id"])

    async def check(self) -> None:
        """Compare events and queries with the truth."""
        truth = self.venue.world.account_truth("coinbase", self.trader.account)
        assert truth is not None
        told = {
            (number_of(row["order_id"]), row["client_order_id"], row["product_id"],
             row["order_side"].lower(), plain(row["cumulative_quantity"]),
             {"OPEN": "open", "FILLED": "filled", "CANCELLED": "ended"}[row["status"]])
            for row in self.orders.values()}
        assert told == {
            (each.id, each.client_id, each.symbol, each.side, each.filled,
             "ended" if each.status in ("cancelled", "expired") else each.status)
            for each in truth.orders}
        limits = {(number_of(row["order_id"]), row["limit_price"], row["leaves_quantity"])
                  for row in self.orders.values() if row["status"] == "OPEN"}
        exchange = self.venue.world.servers["coinbase"].face.floor.exchange
        assert limits == {
            (each.id, *told_of(each, exchange.listed[each.symbol].symbol))
            for each in exchange.open_orders(self.trader.account)}
        await self.check_queries(truth)

    async def check_queries(self, truth: Any) -> None:
        fills = (await self.trader.get("/orders/historical/fills", "?limit=3000"))["fills"]
        assert len(fills) == len(truth.fills)
        for row, fill in zip(fills, reversed(truth.fills), strict=True):
            size = Decimal(row["size"])
            if row["size_in_quote"]:
                size /= Decimal(row["price"])
            assert (number_of(row["trade_id"]), number_of(row["order_id"]), row["price"],
                    size, row["commission"], row["liquidity_indicator"] == "TAKER") == (
                fill.trade_id, fill.order_id, fill.price, Decimal(fill.size), fill.fee, fill.taker)
        wallets = (await self.trader.get("/accounts", "?limit=250"))["accounts"]
        assert {each["currency"]: (each["available_balance"]["value"], each["hold"]["value"])
                for each in wallets} == truth.balances
        orders = (await self.trader.get("/orders/historical/batch"))["orders"]
        fees: dict[str, Decimal] = {}
        for row in fills:
            fees[row["order_id"]] = fees.get(row["order_id"], Decimal()) + Decimal(
                row["commission"])
        for row in orders:
            seen = self.orders[row["order_id"]]
            assert (row["status"], row["filled_size"], row["filled_value"], row["total_fees"]) == (
                seen["status"], seen["cumulative_quantity"], seen["filled_value"],
                seen["total_fees"])
            assert Decimal(row["total_fees"]) == fees.get(row["order_id"], Decimal())


def told_of(order: Order, symbol: Symbol) -> tuple[str, str]:
    """Return price and remainder of an open order."""
    return (plain(from_quanta(order.price, symbol.price_decimals)),
            plain(from_quanta(order.remaining, symbol.size_decimals)))


@pytest.mark.parametrize("seed", [1, 2])
def test_what_two_clients_know_is_the_truth(seed: int) -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD", "ETH/USD", "ETH/BTC") as venue:
            unlimited(venue)
            gamblers = [Gambler(venue, "main", seed), Gambler(venue, "other", seed + 100)]
            streams = [await each.trader.stream() for each in gamblers]
            for turn in range(OPERATIONS):
                for gambler in gamblers:
                    await gambler.act()
                if turn % 4 == 0:
                    venue.step(0.2)
                for gambler, stream in zip(gamblers, streams, strict=True):
                    await stream.settle()
                    gambler.hear(stream.take())
            for gambler in gamblers:
                await gambler.check()
                assert len(gambler.orders) > 50
                assert any(Decimal(each["cumulative_quantity"]) for each in
                           gambler.orders.values())

    uvloop.run(asyncio.wait_for(body(), TEST_S_MAX))
