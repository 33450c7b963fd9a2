"""ccxt with a key: orders, fills and balances, asked for and streamed, equal the venue's ledger."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any, Final

import ccxt
import pytest

from tests.clients.proofs import VENUES, declare, proves
from tests.clients.stage import Stage, a_stage, keys_of, run
from tests.clients.test_ccxt_streams import Follower, begin
from tests.clients.trader import ACCOUNT, Trader

AMOUNT: Final = 0.002  # BTC
ROUNDS: Final = {"kraken": 8}  # its fresh cancels are dear; elsewhere 16
# ccxt's own waits, three seconds between private calls on Kraken, are left out where the venue's
# limits allow; Coinbase's thirty calls a second do not
PACE: Final[dict[str, dict[str, Any]]] = {
    venue: {"enableRateLimit": False} for venue in VENUES if venue != "coinbase"}
BALANCE: Final = {"coinbase": {"v3": True}}  # ccxt's default there is the old app's: totals alone
STREAMS: Final = ("watch_orders", "watch_my_trades", "watch_balance")
BY_SYMBOL: Final = {  # Kraken's later updates of an order have no symbol to be found by
    (watch, venue) for watch in STREAMS[:2] for venue in VENUES
    if (watch, venue) != ("watch_orders", "kraken")}
LACKING: Final = {"coinbase": ("watch_my_trades", "watch_balance")}


class Streams:
    """What the private streams brought."""

    def __init__(self, trader: Trader) -> None:
        self.orders: dict[str, dict[str, Any]] = {}
        self.trades: dict[str, dict[str, Any]] = {}
        self.balances: dict[str, Any] = {}
        client, name = trader.client, trader.stage.name
        takes: dict[str, Callable[[Any], None]] = {
            "watch_orders": self._orders, "watch_my_trades": self._trades,
            "watch_balance": self._balances}
        self.followers = [
            Follower(getattr(client, watch), takes[watch],
                     *([trader.symbol] if (watch, name) in BY_SYMBOL else []))
            for watch in STREAMS if watch not in LACKING.get(name, ())]

    def _orders(self, orders: list[dict[str, Any]]) -> None:
        self.orders |= {order["id"]: dict(order) for order in orders}

    def _trades(self, trades: list[dict[str, Any]]) -> None:
        self.trades |= {trade["id"]: trade for trade in trades}

    def _balances(self, balances: dict[str, Any]) -> None:
        self.balances = balances

    async def begin(self, stage: Stage) -> None:
        """Wait until the venue knows of every stream."""
        server, before = stage.world.servers[stage.name], -1

        def private() -> int:
            return sum(topic[0].startswith("@") for connection in server.connections
                       for topic in connection.topics)

        while not private() or private() != before:
            before = private()
            await asyncio.sleep(0.2)
            for follower in self.followers:
                follower.check()

    async def end(self) -> None:
        """Stop following."""
        for follower in self.followers:
            await follower.stop()


async def every_order(trader: Trader) -> list[dict[str, Any]]:
    """Return all orders of the account by the calls that the client has."""
    client, symbol = trader.client, trader.symbol
    if client.has["fetchOrders"]:
        found: list[dict[str, Any]] = await client.fetch_orders(symbol)
        return found
    found = await client.fetch_open_orders(symbol) + await client.fetch_closed_orders(symbol)
    if client.has["fetchCanceledOrders"]:
        found += await client.fetch_canceled_orders(symbol)
    return found


async def one_of_each_kind(trader: Trader) -> None:
    """Rest and cancel, take at the market, take and go, rest without taking."""
    resting = await trader.place("limit", "buy", 0.98)
    trader.check_order(await trader.client.fetch_order(resting["id"], trader.symbol))
    (listed,) = await trader.client.fetch_open_orders(trader.symbol)
    trader.check_order(listed)
    await trader.client.cancel_order(resting["id"], trader.symbol)
    trader.check_order(await trader.client.fetch_order(resting["id"], trader.symbol))
    await trader.place("market", "buy")
    await trader.place("market", "sell")
    await trader.place("limit", "buy", 1.002, timeInForce="IOC")
    await trader.place("limit", "buy", 0.98, timeInForce="IOC")
    await trader.place("limit", "sell", 1.02, postOnly=True)


async def trade_at_random(trader: Trader, rounds: int) -> None:
    """Rest near the touch, take, cancel, while the market goes on and fills some."""
    random = Random(trader.stage.name)
    for number in range(rounds):
        side = random.choice(("buy", "sell"))
        distance = random.choice((-0.0002, 0.0, 0.0005, 0.002)) * (1 if side == "sell" else -1)
        await trader.place("limit", side, 1 + distance)
        trader.stage.venue.step(1.0)
        await asyncio.sleep(0.02)
        if number % 4 == 3 and (resting := open_ids(trader)):
            await trader.client.cancel_order(random.choice(resting), trader.symbol)


def open_ids(trader: Trader) -> list[str]:
    orders = trader.truth().orders
    return [name for name, age in trader.ages.items() if orders[age].status == "open"]


declare("ccxt.pro", {
    "watch_orders": "the last word on every order",
    "watch_my_trades": "order, side, price, size, taker or maker, fee and its asset of every fill",
    "watch_balance": "free and used of every asset that moved",
}, *VENUES, lacking=LACKING)


@proves("ccxt", {
    "create_order": "limit, market, IOC, post-only: side, price, size and client id in the ledger",
    "cancel_order": "the ledger's status, and what the client asks of it afterwards",
    "fetch_order": "status, filled, remaining, price, average",
    "fetch_open_orders": "status, filled, remaining, price of all",
    "fetch_my_trades": "order, side, price, size, taker or maker, fee and its asset of every fill",
    "fetch_balance": "free, used and total of every asset, to the last digit",
}, *VENUES)
def test_orders_fills_and_balances_equal_the_ledger(venue: str) -> None:
    async def body() -> None:
        async with a_stage(venue, account=ACCOUNT, **PACE.get(venue, {})) as stage:
            trader = Trader(stage, AMOUNT)
            await trader.client.load_markets()
            trader.check_balances(await trader.client.fetch_balance(BALANCE.get(venue, {})))
            streams = Streams(trader)
            await streams.begin(stage)
            await one_of_each_kind(trader)
            await trade_at_random(trader, ROUNDS.get(venue, 16))
            trader.check_balances(await trader.client.fetch_balance(BALANCE.get(venue, {})))
            for order in await every_order(trader):
                trader.check_order(order)
            trader.check_fills(await trader.client.fetch_my_trades(trader.symbol))
            assert {each["id"] for each in await trader.client.fetch_open_orders(
                trader.symbol)} == set(open_ids(trader))
            await asyncio.sleep(0.3)
            for order in streams.orders.values():
                trader.check_order(order, streamed=True)
            assert streams.orders.keys() == trader.ages.keys()
            if "watch_my_trades" not in LACKING.get(venue, ()):
                trader.check_fills(list(streams.trades.values()), streamed=True)
                trader.check_balances(streams.balances, every=False)
            await streams.end()

    run(body)


@proves("ccxt.pro", {
    "create_order_ws": "side, price, size and client id in the ledger, over the order socket",
    "cancel_order_ws": "the ledger's status",
}, "binance", "binance-usdm", "okx", "kraken")
def test_orders_go_over_the_socket_too(venue: str) -> None:
    async def body() -> None:
        async with a_stage(venue, account=ACCOUNT, **PACE.get(venue, {})) as stage:
            trader = Trader(stage, AMOUNT)
            await trader.client.load_markets()
            trader.over_socket = True
            resting = await trader.place("limit", "buy", 0.98)
            assert trader.truth().orders[-1].status == "open"
            symbol = [] if venue == "kraken" else [trader.symbol]
            await trader.client.cancel_order_ws(resting["id"], *symbol)
            assert trader.truth().orders[-1].status == "cancelled"
            await trader.place("limit", "buy", 1.002, timeInForce="IOC")
            assert trader.truth().orders[-1].status == "filled"
            trader.check_fills(await trader.client.fetch_my_trades(trader.symbol))

    run(body)


# not Coinbase: ccxt signs the url, from which it strips https:// alone; nor Binance spot, which
# it knows by /stream in the url
@pytest.mark.parametrize("venue", ["binance-usdm", "okx", "kraken"])
def test_plain_sockets_with_other_urls_serve_as_well(venue: str) -> None:
    async def body() -> None:
        async with a_stage(venue, account=ACCOUNT, tls=False, **PACE.get(venue, {})) as stage:
            trader = Trader(stage, AMOUNT)
            await trader.client.load_markets()
            book = Follower(trader.client.watch_order_book, lambda _book: None, trader.symbol)
            await begin(stage, book)
            resting = await trader.place("limit", "buy", 0.98)
            trader.check_order(await trader.client.fetch_order(resting["id"], trader.symbol))
            await book.stop()

    run(body)


@proves("ccxt", {
    "cancel_all_orders": "nothing open in the ledger",
    "cancel_orders": "nothing open in the ledger",
}, *VENUES, lacking={venue: ("cancel_all_orders",) if venue in ("okx", "coinbase")
                     else ("cancel_orders",) for venue in VENUES})
def test_all_orders_are_cancelled_at_once(venue: str) -> None:
    async def body() -> None:
        async with a_stage(venue, account=ACCOUNT, **PACE.get(venue, {})) as stage:
            trader = Trader(stage, AMOUNT)
            await trader.client.load_markets()
            for factor in (0.97, 0.98, 0.99):
                await trader.place("limit", "buy", factor)
            assert len(open_ids(trader)) == 3
            if trader.client.has["cancelAllOrders"]:
                await trader.client.cancel_all_orders(trader.symbol)
            else:
                await trader.client.cancel_orders(open_ids(trader), trader.symbol)
            assert open_ids(trader) == []
            assert await trader.client.fetch_open_orders(trader.symbol) == []

    run(body)


@proves("ccxt", {
    "exceptions": "a wrong secret, too little money, an unknown order, a post-only order that "
    "would take: the client's own class for each"}, *VENUES)
def test_refusals_are_understood(venue: str) -> None:
    async def body() -> None:
        async with a_stage(venue, account=ACCOUNT, **PACE.get(venue, {})) as stage:
            trader = Trader(stage, AMOUNT)
            client, symbol = trader.client, trader.symbol
            await client.load_markets()
            with pytest.raises(ccxt.InsufficientFunds):
                await client.create_order(symbol, "limit", "buy", 400.0, trader.price(0.99))
            unknown = ccxt.BadRequest if venue == "coinbase" else ccxt.OrderNotFound
            with pytest.raises(unknown):
                await client.cancel_order(UNKNOWN[venue], symbol)
            if venue == "okx":  # takes it and ends it
                await trader.place("limit", "buy", 1.01, postOnly=True)
                assert trader.truth().orders[-1].status in ("cancelled", "expired")
            else:
                unnamed = venue in ("coinbase", "kraken")  # by ccxt, which knows not their words
                would_take = ccxt.ExchangeError if unnamed else ccxt.InvalidOrder
                with pytest.raises(would_take):
                    await client.create_order(
                        symbol, "limit", "buy", AMOUNT, trader.price(1.01), {"postOnly": True})
            assert not trader.truth().fills
            client.secret = keys_of(stage.world, venue, "other")["secret"]
            refused = ccxt.ExchangeError if venue == "kraken" else ccxt.AuthenticationError
            with pytest.raises(refused, match=SIGNATURE[venue]):
                await client.fetch_balance()

    run(body)


UNKNOWN: Final = {
    "binance": "999", "binance-usdm": "999", "okx": "999", "kraken": "OAAAAA-AAAAA-AAAAAA",
    "coinbase": "00000000-0000-4000-8000-000000000000"}
SIGNATURE: Final = {  # what the venue says to a wrong one
    "binance": "-1022", "binance-usdm": "-1022", "okx": "50113",
    "kraken": "EAPI:Invalid signature", "coinbase": "Unauthorized"}
