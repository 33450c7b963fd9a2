"""A client that only listens and asks knows what the venue knows, whatever was done."""

import random
from decimal import Decimal
from typing import Any

import pytest

from ops.sim.faces.binance import Binance
from ops.sim.faces.binance.limits import Limit
from ops.sim.faces.binance.spot_table import COM
from ops.sim.truth import AccountTruth
from tests.ops.sim.faces.binance_client import Trader, a_trader, best, events
from tests.ops.sim.wire import Client, plain, run

SYMBOLS = {"BTCUSDT": (1, 3), "ETHBTC": (6, 1)}  # decimals of prices and sizes that are used
STATUS = {"NEW": "open", "PARTIALLY_FILLED": "open", "FILLED": "filled",
          "CANCELED": "cancelled", "EXPIRED": "expired", "EXPIRED_IN_MATCH": "expired"}


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Binance, "figures", COM._replace(limits=(
        Limit("REQUEST_WEIGHT", "MINUTE", 1, 10**9), Limit("ORDERS", "DAY", 1, 10**9))))


class Mirror:
    """What executionReport and outboundAccountPosition add up to."""

    def __init__(self, balances: dict[str, tuple[str, str]]) -> None:
        self.balances = dict(balances)
        self.orders: dict[int, dict[str, Any]] = {}
        self.fills: list[dict[str, Any]] = []
        self._last_execution = 0

    def take(self, client: Client) -> None:
        for event in events(client):
            if event["e"] == "outboundAccountPosition":
                for row in event["B"]:
                    self.balances[row["a"]] = (plain(row["f"]), plain(row["l"]))
                continue
            assert event["I"] > self._last_execution
            self._last_execution = event["I"]
            order = self.orders.setdefault(event["i"], {"created": event["c"]})
            order |= event | {"client_id": event["C"] or event["c"]}
            if event["x"] == "REPLACED":
                order["client_id"] = event["c"]
            if event["x"] == "TRADE":
                self.fills.append(event)

    def equals(self, truth: AccountTruth) -> None:
        assert self.balances == truth.balances
        told = [(i, o["client_id"], o["s"], o["S"].lower(), plain(o["p"]), plain(o["q"]),
                 plain(o["z"]), STATUS[o["X"]]) for i, o in sorted(self.orders.items())]
        assert told == [(o.id, o.client_id, o.symbol, o.side, o.price, o.size, o.filled,
                         o.status) for o in truth.orders]
        assert [(f["t"], f["i"], f["s"], plain(f["L"]), plain(f["l"]), not f["m"], plain(f["n"]),
                 f["N"]) for f in self.fills] == [
            (f.trade_id, f.order_id, f.symbol, f.price, f.size, f.taker, f.fee, f.fee_asset)
            for f in truth.fills]


class Monkey:
    """Does any one thing that a client can do; refusals are part of it."""

    def __init__(self, trader: Trader, api: Client, chance: random.Random) -> None:
        self._trader, self._api, self._chance = trader, api, chance
        self.answers: dict[str, int] = {}

    async def act(self) -> None:
        chance = self._chance
        symbol = chance.choice(list(SYMBOLS))
        verb = chance.choice(["limit", "limit", "limit", "market", "cancel", "amend", "replace",
                              "all"])
        if verb == "all" and chance.random() < 0.8:
            verb = "limit"
        open_orders = (await self._trader.ask("GET", "/openOrders", symbol=symbol)).body
        order = chance.choice(open_orders) if open_orders else {"orderId": 1, "origQty": "1"}
        method, rest, params = self._request(verb, symbol, order)
        if chance.random() < 0.5:
            answer = await self._trader.sign_and_call(self._api, method, **params)
            ok = answer["status"] == 200
        else:
            name, path = rest.split(" ")
            ok = (await self._trader.ask(name, path, **params)).status == 200
        self.answers[f"{verb} {ok}"] = self.answers.get(f"{verb} {ok}", 0) + 1

    def _request(
        self, verb: str, symbol: str, order: dict[str, Any]
    ) -> tuple[str, str, dict[str, Any]]:
        by = {"symbol": symbol, "orderId": order["orderId"]}
        if verb == "cancel":
            return "order.cancel", "DELETE /order", by
        if verb == "all":
            return "openOrders.cancelAll", "DELETE /openOrders", {"symbol": symbol}
        if verb == "amend":
            half = Decimal(order["origQty"]) / 2
            size = f"{half.quantize(Decimal(10) ** -SYMBOLS[symbol][1])}"
            return ("order.amend.keepPriority", "PUT /order/amend/keepPriority",
                    by | {"newQty": size})
        if verb == "replace":
            return ("order.cancelReplace", "POST /order/cancelReplace", self._order(symbol) | {
                "cancelOrderId": order["orderId"], "cancelReplaceMode": "ALLOW_FAILURE"})
        wanted = self._order(symbol, market=verb == "market")
        return "order.place", "POST /order", wanted

    def _order(self, symbol: str, *, market: bool = False) -> dict[str, Any]:
        chance, (price_decimals, size_decimals) = self._chance, SYMBOLS[symbol]
        bid, ask = best(self._trader, symbol)
        size = chance.uniform(0.001, 0.2) if symbol == "BTCUSDT" else chance.uniform(0.1, 9)
        order: dict[str, Any] = {
            "symbol": symbol, "side": chance.choice(["BUY", "SELL"]),
            "quantity": f"{size:.{size_decimals}f}",
            "selfTradePreventionMode": chance.choice(COM.stp[1])}
        if market:
            return order | {"type": "MARKET"}
        price = f"{chance.uniform(bid * 0.9995, ask * 1.0005):.{price_decimals}f}"
        kind = chance.choice(["GTC", "GTC", "IOC", "FOK", "LIMIT_MAKER"])
        if kind == "LIMIT_MAKER":
            return order | {"type": kind, "price": price}
        return order | {"type": "LIMIT", "timeInForce": kind, "price": price}


def test_events_and_queries_equal_the_truth_after_hundreds_of_random_operations() -> None:
    async def body() -> None:
        async with a_trader("binance", "BTC/USDT", "ETH/BTC") as trader:
            truth = trader.venue.world.account_truth("binance", "main")
            assert truth is not None
            stream, api = await trader.listen(), await trader.connect()
            mirror = Mirror(truth.balances)
            monkey = Monkey(trader, api, random.Random(5))
            for number in range(400):
                await monkey.act()
                if number % 5 == 0:
                    trader.venue.step(0.3)  # the market fills what rests
                if number % 50 == 49:
                    await stream.settle()
                    mirror.take(stream)
                    after = trader.venue.world.account_truth("binance", "main")
                    assert after is not None
                    mirror.equals(after)
            for verb in ("limit", "market", "cancel", "amend", "replace"):
                assert monkey.answers.get(f"{verb} True", 0) > 5, monkey.answers
            assert any(event["m"] for event in mirror.fills)
            assert {o["X"] for o in mirror.orders.values()} >= {
                "FILLED", "CANCELED", "EXPIRED", "EXPIRED_IN_MATCH"}
            await _queries_equal(trader, mirror)

    run(body)


async def _queries_equal(trader: Trader, mirror: Mirror) -> None:
    """Compare what the account answers with what its stream added up to."""
    for symbol in SYMBOLS:
        rows = (await trader.ask("GET", "/allOrders", symbol=symbol, limit=1000)).body
        told = [order for _, order in sorted(mirror.orders.items()) if order["s"] == symbol]
        assert [(row["orderId"], row["clientOrderId"], row["status"], row["executedQty"],
                 row["cummulativeQuoteQty"]) for row in rows] == [
            (order["i"], order["client_id"], order["X"], order["z"], order["Z"])
            for order in told]
        trades = (await trader.ask("GET", "/myTrades", symbol=symbol, limit=1000)).body
        fills = [fill for fill in mirror.fills if fill["s"] == symbol]
        assert [(row["id"], row["qty"], row["commission"]) for row in trades] == [
            (fill["t"], fill["l"], fill["n"]) for fill in fills]
    account = (await trader.ask("GET", "/account")).body
    assert {row["asset"]: (plain(row["free"]), plain(row["locked"]))
            for row in account["balances"]} == mirror.balances
