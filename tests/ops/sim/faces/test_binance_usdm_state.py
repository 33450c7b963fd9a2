"""After hundreds of random operations a client of USD-M knows what the matching engine knows."""

from collections import Counter
from random import Random
from typing import Any

from ops.sim.exchange.audit import audit
from ops.sim.truth import AccountTruth
from tests.ops.sim.faces.binance_usdm_client import (
    BTC,
    Follower,
    Trader,
    a_trader,
    call,
    ws_request,
)
from tests.ops.sim.wire import Client, plain, run

OPERATIONS = 240
STATUSES = {
    "NEW": "open", "PARTIALLY_FILLED": "open", "FILLED": "filled", "CANCELED": "cancelled",
    "EXPIRED": "expired", "EXPIRED_IN_MATCH": "expired"}


def compare(seen: Follower, truth: AccountTruth) -> None:
    """Check that the user stream alone told all there is."""
    assert {i: (o["c"], o["s"], o["S"].lower(), plain(o["p"]), plain(o["q"]), plain(o["z"]),
                STATUSES[o["X"]]) for i, o in seen.orders.items()} == {
        row.id: (row.client_id, row.symbol, row.side, row.price, row.size, row.filled, row.status)
        for row in truth.orders}
    told = Counter((o["t"], o["i"], plain(o["L"]), plain(o["l"]), plain(o["n"]), not o["m"])
                   for fills in seen.fills.values() for o in fills)
    assert told == Counter((f.trade_id, f.order_id, f.price, f.size, f.fee, f.taker)
                           for f in truth.fills)
    assert {name: size for name, size in seen.positions.items() if size != "0"} == truth.positions


async def ask_everything(trader: Trader, seen: Follower) -> None:
    """Check that queries say the same as the engine."""
    truth = trader.truth()
    rows = (await trader.ask("GET", "v1/allOrders", symbol="BTCUSDT", limit=1000)).body
    assert [(row["orderId"], plain(row["executedQty"]), STATUSES[row["status"]])
            for row in rows] == [(row.id, row.filled, row.status) for row in truth.orders]
    fills = (await trader.ask("GET", "v1/userTrades", symbol="BTCUSDT", limit=1000)).body
    assert [(row["id"], row["orderId"], plain(row["qty"]), plain(row["commission"]))
            for row in fills] == [
        (fill.trade_id, fill.order_id, fill.size, fill.fee) for fill in truth.fills]
    opened = (await trader.ask("GET", "v1/openOrders")).body
    assert [row["orderId"] for row in opened] == [
        row.id for row in truth.orders if row.status == "open"]
    (wallet,) = (await trader.ask("GET", "v3/balance")).body
    free, locked = trader.exchange.balance(trader.account, "USDT")
    assert plain(wallet["balance"]) == seen.wallets["USDT"]
    assert round(float(wallet["balance"]) * 1e6) == round((free + locked) / 1e12)
    positions = (await trader.ask("GET", "v2/positionRisk")).body
    assert {row["symbol"]: plain(row["positionAmt"]) for row in positions
            if plain(row["positionAmt"]) != "0"} == truth.positions


class Monkey:
    """Asks for anything a client may ask for."""

    def __init__(self, trader: Trader, api: Client, random: Random) -> None:
        self.trader, self.api, self.random = trader, api, random
        self.done = Counter[str]()

    def order(self) -> dict[str, Any]:
        random, (bid, ask) = self.random, self.trader.touch()
        order: dict[str, Any] = {
            "symbol": "BTCUSDT", "side": random.choice(("BUY", "SELL")),
            "quantity": f"{random.randint(1, 3000) / 10_000:.4f}",
            "newOrderRespType": "RESULT"}
        if random.random() < 0.3:
            order["reduceOnly"] = "true"
        if random.random() < 0.3:
            order["selfTradePreventionMode"] = random.choice(
                ("NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"))
        if random.random() < 0.2:
            return order | {"type": "MARKET"}
        tif = random.choice(("GTC", "GTC", "GTC", "GTX", "IOC", "FOK"))
        price = f"{random.uniform(bid - 15, ask + 15):.1f}"
        return order | {"type": "LIMIT", "timeInForce": tif, "price": price}

    def one(self) -> dict[str, Any] | None:
        """Choose an open order."""
        opened = self.trader.exchange.open_orders(self.trader.account)
        if not opened:
            return None
        order = self.random.choice(opened)
        return {"symbol": "BTCUSDT", "orderId": order.id,
                "side": "BUY" if order.side > 0 else "SELL"}

    async def act(self) -> None:
        """Do one thing."""
        random, choice, found = self.random, self.random.random(), self.one()
        if choice < 0.03:
            await self.trader.ask("DELETE", "v1/allOpenOrders", symbol="BTCUSDT")
        elif choice < 0.06:
            await self.trader.ask(
                "POST", "v1/leverage", symbol="BTCUSDT", leverage=random.choice((5, 10, 20)))
        elif choice < 0.25 and found:
            del found["side"]
            await self.send("order.cancel", **found)
        elif choice < 0.4 and found:
            bid, ask = self.trader.touch()
            await self.send(
                "order.modify", **found, quantity=f"{random.randint(1, 3000) / 10_000:.4f}",
                price=f"{random.uniform(bid - 15, ask + 15):.1f}")
        elif choice < 0.5:
            reply = await self.trader.ask("POST", "v1/order", **self.order())
            self.done[f"REST {reply.body.get('code', 'accepted')}"] += 1
        else:
            await self.send("order.place", **self.order())

    async def send(self, method: str, **params: Any) -> None:
        (answer,) = await call(self.api, ws_request(self.trader, method, **params))
        self.done[f"{method} {answer.get('error', {}).get('code', 'accepted')}"] += 1
        assert answer["status"] in (200, 400), answer


def test_the_stream_and_the_queries_equal_the_truth_after_hundreds_of_operations() -> None:
    async def body() -> None:
        async with a_trader(BTC) as (main, clock):
            random = Random(11)
            traders = [main, Trader(main.venue, "other")]
            monkeys, streams, seen = [], [], [Follower(), Follower()]
            for trader in traders:
                streams.append(await trader.listen())
                monkeys.append(Monkey(
                    trader, await main.venue.connect("/ws-fapi/v1?returnRateLimits=false"),
                    random))
            for number in range(OPERATIONS):
                await random.choice(monkeys).act()
                if number % 4 == 0:
                    main.venue.step(0.3)
                if number % 40 == 0:
                    clock.advance(11)
                    main.face.tick()
                    audit(main.exchange)
            for trader, stream, follower in zip(traders, streams, seen, strict=True):
                await stream.settle()
                follower.take(stream)
                compare(follower, trader.truth())
                clock.advance(60)
                await ask_everything(trader, follower)
                assert len(follower.fills) > 40
            audit(main.exchange)
            ended = {order["X"] for each in seen for order in each.orders.values()}
            assert ended >= {"FILLED", "CANCELED", "EXPIRED"}
            for deed in ("order.place", "order.modify", "order.cancel"):
                done = sum((each.done for each in monkeys), Counter())
                assert done[f"{deed} accepted"] > 10, done

    run(body)
