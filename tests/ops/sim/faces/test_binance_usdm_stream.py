"""The user stream of the simulated USD-M: what is told, to whom, and for how long."""

from decimal import Decimal
from typing import Any

from engine.model.fault import Fault, Kind
from tests.ops.sim.faces.binance_usdm_client import BTC, NAME, Trader, a_trader
from tests.ops.sim.wire import Client, plain, run

ORDER = {  # developers.binance.com, Event: Order Update; AP and cr are a trailing stop's
    "s", "c", "S", "o", "f", "q", "p", "ap", "sp", "x", "X", "i", "l", "z", "L", "T", "t", "b",
    "a", "m", "R", "wt", "ot", "ps", "cp", "pP", "si", "ss", "rp", "V", "pm", "gtd", "er"}
LITE = {"e", "E", "T", "s", "q", "p", "m", "c", "S", "L", "l", "t", "i"}


async def told(client: Client, kind: str = "") -> list[Any]:
    await client.settle()
    return [frame for frame in client.take() if frame["e"] == kind or not kind]


def test_orders_fills_and_positions_are_told_in_the_documented_shape() -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            stream = await trader.listen()
            placed = await trader.order(
                side="BUY", quantity="0.0100", price="63000", newClientOrderId="mine")
            named = {"symbol": "BTCUSDT", "orderId": placed.body["orderId"]}
            await trader.ask(
                "PUT", "v1/order", **named, side="BUY", quantity="0.0200", price="63001")
            await trader.ask("DELETE", "v1/order", **named)
            frames = await told(stream)
            assert [(f["o"]["x"], f["o"]["X"], f["o"]["c"], f["o"]["q"]) for f in frames] == [
                ("NEW", "NEW", "mine", "0.0100"), ("AMENDMENT", "NEW", "mine", "0.0200"),
                ("CANCELED", "CANCELED", "mine", "0.0200")]
            assert all(set(frame) == {"e", "E", "T", "o"} for frame in frames)
            assert all(set(frame["o"]) == ORDER for frame in frames)
            bought = await trader.order(side="BUY", type="MARKET", quantity="0.1000")
            frames = await told(stream)
            trades = [f["o"] for f in frames if f["e"] == "ORDER_TRADE_UPDATE"
                      and f["o"]["x"] == "TRADE"]
            assert {frozenset(trade) for trade in trades} == {frozenset(ORDER | {"n", "N"})}
            assert [trade["X"] for trade in trades[:-1]] == [
                "PARTIALLY_FILLED"] * (len(trades) - 1)
            assert (trades[-1]["X"], trades[-1]["z"]) == ("FILLED", "0.1000")
            assert trades[-1]["ap"] == bought.body["avgPrice"]
            lite = [frame for frame in frames if frame["e"] == "TRADE_LITE"]
            assert [each["t"] for each in lite] == [trade["t"] for trade in trades]
            assert all(set(each) == LITE for each in lite)
            (account,) = [frame for frame in frames if frame["e"] == "ACCOUNT_UPDATE"]
            assert account["a"]["m"] == "ORDER"
            (wallet,), (position,) = account["a"]["B"], account["a"]["P"]
            assert set(wallet) == {"a", "wb", "cw", "bc"}
            assert set(position) == {
                "s", "pa", "ep", "bep", "cr", "up", "mt", "iw", "ps"}
            assert (position["pa"], position["ep"]) == ("0.1000", bought.body["avgPrice"])
            assert Decimal(wallet["wb"]) == sum(map(Decimal, trader.truth().balances["USDT"]))

    run(body)


def test_why_an_order_ended_is_numbered() -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            stream = await trader.listen()
            bid, ask = trader.touch()
            middle = f"{(bid + ask) / 2:.1f}"
            await trader.order(side="BUY", quantity="0.0100", price=middle, timeInForce="IOC")
            await trader.order(side="SELL", quantity="0.0010", price=middle)
            await trader.order(
                side="BUY", quantity="0.0010", price=middle,
                selfTradePreventionMode="EXPIRE_TAKER")
            await trader.ask("DELETE", "v1/allOpenOrders", symbol="BTCUSDT")
            await trader.order(side="BUY", type="MARKET", quantity="0.0010")
            await trader.order(
                side="SELL", quantity="0.0010", price=f"{ask + 500:.1f}", reduceOnly="true")
            await trader.order(side="SELL", type="MARKET", quantity="0.0010")
            ended = [(f["o"]["X"], f["o"]["er"]) for f in await told(stream, "ORDER_TRADE_UPDATE")
                     if f["o"]["x"] in ("EXPIRED", "CANCELED")]
            assert ended == [
                ("EXPIRED", "2"), ("EXPIRED_IN_MATCH", "1"), ("CANCELED", "0"), ("EXPIRED", "4")]

    run(body)


def test_a_client_hears_what_it_asked_for_and_only_of_itself() -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            other = Trader(trader.venue, "other")
            orders = await trader.listen("ORDER_TRADE_UPDATE")
            money = await trader.listen("ACCOUNT_UPDATE/ACCOUNT_CONFIG_UPDATE")
            theirs = await other.listen()
            await trader.order(side="BUY", type="MARKET", quantity="0.0010")
            await trader.ask("POST", "v1/leverage", symbol="BTCUSDT", leverage=7)
            assert {frame["e"] for frame in await told(orders)} == {"ORDER_TRADE_UPDATE"}
            frames = await told(money)
            assert [frame["e"] for frame in frames] == [
                "ACCOUNT_UPDATE", "ACCOUNT_CONFIG_UPDATE"]
            assert frames[-1]["ac"] == {"s": "BTCUSDT", "l": 7}
            assert await told(theirs) == []

    run(body)


def test_one_connection_may_hold_the_keys_of_two_accounts() -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            other = Trader(trader.venue, "other")
            keys = [(await each.raw("POST", "v1/listenKey", "", each.key.key)).body["listenKey"]
                    for each in (trader, other)]
            client = await trader.venue.connect(
                f"/private/stream?listenKey={keys[0]}&events=ORDER_TRADE_UPDATE"
                f"&listenKey={keys[1]}&events=ACCOUNT_UPDATE")
            await client.settle()
            for each in (trader, other):
                await each.order(side="BUY", type="MARKET", quantity="0.0010")
            await client.settle()
            frames = [(frame["stream"], frame["data"]["e"]) for frame in client.take()]
            assert set(frames) == {
                (keys[0], "ORDER_TRADE_UPDATE"), (keys[1], "ACCOUNT_UPDATE")}

    run(body)


def test_a_listen_key_lives_an_hour_from_its_last_renewal() -> None:
    async def body() -> None:
        async with a_trader() as (trader, clock):
            async def call(verb: str, query: str = "") -> Any:
                return (await trader.raw(verb, "v1/listenKey", query, trader.key.key)).body

            def beat() -> None:
                trader.venue.world.servers[NAME].beat(1)

            key = (await call("POST"))["listenKey"]
            assert (await call("POST")) == {"listenKey": key}
            assert (await call("PUT", "listenKey=other"))["code"] == -1125
            client = await trader.listen()
            clock.advance(3500)
            assert (await call("PUT")) == {"listenKey": key}
            clock.advance(3500)
            beat()
            await trader.order(side="BUY", quantity="0.0100", price="63000")
            assert len(await told(client)) == 1
            clock.advance(200)
            beat()
            (frame,) = await told(client)
            assert (frame["e"], frame["listenKey"]) == ("listenKeyExpired", key)
            await trader.order(side="BUY", quantity="0.0100", price="63000")
            assert await told(client) == []
            assert (await call("PUT"))["code"] == -1125
            new = (await call("POST"))["listenKey"]
            assert new != key
            client.ask({"method": "SUBSCRIBE", "params": [new], "id": 1})
            await client.settle()
            assert client.take() == [{"result": None, "id": 1}]
            await trader.order(side="BUY", quantity="0.0100", price="63000")
            assert len(await told(client)) == 1
            assert (await call("DELETE")) == {}
            beat()
            (frame,) = await told(client)
            assert frame["e"] == "listenKeyExpired"
            assert (await call("DELETE"))["code"] == -1125

    run(body)


def test_unknown_keys_and_the_old_root_stay_silent() -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            key = (await trader.raw("POST", "v1/listenKey", "", trader.key.key)).body["listenKey"]
            clients = [await trader.venue.connect(path) for path in (
                "/private/ws?listenKey=nobodys", f"/ws/{key}", f"/public/ws/{key}",
                f"/private/ws?listenKey={key}&events=NOTHING")]
            path = await trader.venue.connect(f"/private/ws/{key}")
            for client in (*clients, path):
                await client.settle()
            await trader.order(side="BUY", type="MARKET", quantity="0.0010")
            for client in clients:
                assert await told(client) == []
            assert await told(path)

    run(body)


def test_a_lost_fill_can_be_found_by_asking() -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            stream = await trader.listen("ORDER_TRADE_UPDATE")
            trader.venue.world.faults.add(Fault(NAME, Kind.FILL_LOST, count=1))
            await trader.order(side="BUY", type="MARKET", quantity="0.0010")
            assert [f["o"]["x"] for f in await told(stream)] == ["NEW"]
            (fill,) = (await trader.ask("GET", "v1/userTrades", symbol="BTCUSDT")).body
            assert plain(fill["qty"]) == "0.001"

    run(body)


def test_a_connection_ends_after_a_day() -> None:
    async def body() -> None:
        async with a_trader(BTC) as (trader, clock):
            client = await trader.venue.connect("/public/ws/btcusdt@depth@100ms")
            clock.advance(86_400)
            trader.venue.world.servers[NAME].beat(1)
            await client.closed.wait()

    run(body)
