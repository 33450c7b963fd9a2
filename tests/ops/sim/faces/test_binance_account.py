"""What Binance spot and .US tell of an account, and how listen keys live."""

from typing import Any

import pytest

from ops.sim.exchange.fees import PPM
from ops.sim.faces.binance.numbers import fixed
from tests.ops.sim.faces.binance_client import Trader, a_trader, best
from tests.ops.sim.wire import run

HOUR = 3600 * 10**9


def test_the_account_shows_rates_rights_and_balances_with_eight_decimals() -> None:
    async def body() -> None:
        async with a_trader("binance", "BTC/USDT", "ETH/BTC") as trader:
            account = (await trader.ask("GET", "/account")).body
            assert account["commissionRates"] == {
                "maker": "0.00100000", "taker": "0.00100000", "buyer": "0.00000000",
                "seller": "0.00000000"}
            assert (account["makerCommission"], account["accountType"]) == (10, "SPOT")
            assert account["permissions"] == ["SPOT"]
            truth = trader.venue.world.account_truth("binance", "main")
            assert truth is not None
            told = {row["asset"]: (row["free"], row["locked"]) for row in account["balances"]}
            assert told.keys() == truth.balances.keys() == {"BTC", "ETH", "USDT"}
            assert told["USDT"] == ("1000000.00000000", "0.00000000")
            lean = (await trader.ask("GET", "/account", omitZeroBalances="true")).body
            assert len(lean["balances"]) == 3
            rates = (await trader.ask("GET", "/account/commission", symbol="BTCUSDT")).body
            assert rates["standardCommission"]["taker"] == "0.00100000"
            assert rates["symbol"] == "BTCUSDT"
            tested = await trader.ask(
                "POST", "/order/test", symbol="BTCUSDT", side="BUY", type="MARKET",
                quantity="0.01", computeCommissionRates="true")
            assert tested.body["standardCommissionForOrder"] == {
                "maker": "0.00100000", "taker": "0.00100000"}

    run(body)


async def _history(trader: Trader) -> list[dict[str, Any]]:
    """Make three resting orders, end one, and two trades."""
    low = f"{best(trader)[0] * 0.9:.1f}"
    orders = [(await trader.limit("BUY", low, "0.01")).body for _ in range(3)]
    await trader.ask("DELETE", "/order", symbol="BTCUSDT", orderId=orders[1]["orderId"])
    taken = [(await trader.order(side=side, type="MARKET", quantity="0.01")).body
             for side in ("BUY", "SELL")]
    return orders + taken


def test_orders_are_listed_from_an_id_in_a_time_or_the_newest() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            made = await _history(trader)
            ids = [each["orderId"] for each in made]
            now_ms = trader.venue.world.servers["binance"].face.now_ms()
            for params, wanted in (
                ({}, ids), ({"limit": 2}, ids[-2:]), ({"orderId": ids[2]}, ids[2:]),
                ({"orderId": ids[2], "limit": 1}, ids[2:3]),
                ({"startTime": now_ms - 60_000}, ids), ({"startTime": now_ms + 60_000}, []),
                ({"endTime": now_ms - 60_000}, []),
                ({"endTime": now_ms + 10, "limit": 1}, ids[-1:]),
                ({"startTime": now_ms - 60_000, "limit": 1}, ids[:1]),
            ):
                reply = await trader.ask("GET", "/allOrders", symbol="BTCUSDT", **params)
                assert [each["orderId"] for each in reply.body] == wanted, params
            for params, code in (
                ({"startTime": 1, "endTime": 86_400_002}, -1127), ({"limit": 0}, -1130),
                ({"limit": "x"}, -1100), ({"symbol": "NOPE"}, -1121),
            ):
                reply = await trader.ask("GET", "/allOrders", **({"symbol": "BTCUSDT"} | params))
                assert reply.body["code"] == code
            rows = (await trader.ask("GET", "/allOrders", symbol="BTCUSDT")).body
            assert [row["status"] for row in rows] == [
                "NEW", "CANCELED", "NEW", "FILLED", "FILLED"]

    run(body)


def test_trades_are_listed_by_order_from_an_id_in_a_time_or_the_newest() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            made = await _history(trader)
            fills = [each for order in made[-2:] for each in order["fills"]]
            ids = [each["tradeId"] for each in fills]
            bought = [each["tradeId"] for each in made[-2]["fills"]]
            now_ms = trader.venue.world.servers["binance"].face.now_ms()
            for params, wanted in (
                ({}, ids), ({"limit": 1}, ids[-1:]), ({"fromId": ids[-1]}, ids[-1:]),
                ({"orderId": made[-2]["orderId"]}, bought),
                ({"startTime": now_ms - 60_000, "endTime": now_ms + 1}, ids),
                ({"endTime": now_ms - 60_000}, []),
            ):
                reply = await trader.ask("GET", "/myTrades", symbol="BTCUSDT", **params)
                assert [each["id"] for each in reply.body] == wanted, params
            mixed = await trader.ask(
                "GET", "/myTrades", symbol="BTCUSDT", fromId=1, startTime=now_ms)
            assert mixed.body["code"] == -1128
            row = (await trader.ask("GET", "/myTrades", symbol="BTCUSDT")).body[0]
            assert row.keys() == {
                "symbol", "id", "orderId", "orderListId", "price", "qty", "quoteQty",
                "commission", "commissionAsset", "time", "isBuyer", "isMaker", "isBestMatch"}
            assert (row["isBuyer"], row["isMaker"]) == (True, False)
            assert float(row["quoteQty"]) == pytest.approx(
                float(row["price"]) * float(row["qty"]))

    run(body)


def test_times_come_in_microseconds_where_they_are_wanted() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            rest = "/api/v3/time"
            for unit, digits in (("MICROSECOND", 16), ("millisecond", 13)):
                reply = await trader.raw("GET", rest, "", {"X-MBX-TIME-UNIT": unit})
                assert len(str(reply.body["serverTime"])) == digits
            wrong = await trader.raw("GET", rest, "", {"X-MBX-TIME-UNIT": "YEAR"})
            assert wrong.body["code"] == -1194
            client = await trader.connect("?timeUnit=MICROSECOND")
            await trader.sign_and_call(client, "userDataStream.subscribe.signature")
            await trader.order(side="BUY", type="MARKET", quantity="0.01")
            await client.settle()
            told = [frame["event"] for frame in client.take()]
            assert {len(str(each["E"])) for each in told} == {16}

    run(body)


def test_the_accounts_of_a_venue_do_not_see_each_other() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            other = Trader(trader.venue, trader._http, "other")  # noqa: SLF001
            order = (await trader.limit("BUY", f"{best(trader)[0] * 0.9:.1f}", "0.01")).body
            stream = await other.listen()
            for method in ("GET", "DELETE"):
                reply = await other.ask(
                    method, "/order", symbol="BTCUSDT", orderId=order["orderId"])
                assert reply.body["code"] in (-2013, -2011)
            assert (await other.ask("GET", "/openOrders")).body == []
            await trader.order(side="BUY", type="MARKET", quantity="0.01")
            await stream.settle()
            assert not stream.frames

    run(body)


def test_the_us_market_has_listen_keys_that_live_an_hour() -> None:
    async def body() -> None:
        async with a_trader("binance-us", "BTC/USD") as trader:
            headers = {"X-MBX-APIKEY": trader.key.key}
            path = "/api/v3/userDataStream"
            nobody = await trader.raw("POST", path, "", {})
            assert nobody.body["code"] == -2014
            key = (await trader.raw("POST", path, "", headers)).body["listenKey"]
            assert (await trader.raw("POST", path, "", headers)).body["listenKey"] == key
            raw = await trader.venue.connect(f"/ws/{key}")
            combined = await trader.venue.connect(f"/stream?streams={key}")
            await raw.settle()
            await combined.settle()
            await trader.order("BTCUSD", side="BUY", type="MARKET", quantity="0.01")
            await raw.settle()
            await combined.settle()
            told, wrapped = raw.take(), combined.take()
            assert [each["e"] for each in told] == [
                "executionReport", *["executionReport"] * (len(told) - 2),
                "outboundAccountPosition"]
            assert wrapped == [{"stream": key, "data": each} for each in told]
            assert (await trader.raw("PUT", path, f"listenKey={key}", headers)).body == {}
            unknown = await trader.raw("PUT", path, "listenKey=no", headers)
            assert unknown.body == {"code": -1125, "msg": "This listenKey does not exist."}
            gone = await trader.raw("DELETE", path, f"listenKey={key}", headers)
            assert (gone.status, gone.body) == (200, {})
            server = trader.venue.world.servers["binance-us"]
            server.beat(1)
            await raw.closed.wait()

    run(body)


def test_a_listen_key_that_is_not_renewed_ends_and_says_so() -> None:
    async def body() -> None:
        async with a_trader("binance-us", "BTC/USD") as trader:
            headers = {"X-MBX-APIKEY": trader.key.key}
            reply = await trader.raw("POST", "/api/v3/userDataStream", "", headers)
            key = reply.body["listenKey"]
            stream = await trader.venue.connect(f"/ws/{key}")
            await stream.settle()
            server = trader.venue.world.servers["binance-us"]
            now_ns = server.face.floor.mono_ns()
            server.face.floor.mono_ns = lambda: now_ns + HOUR + 1  # type: ignore[method-assign]
            server.beat(1)
            await stream.closed.wait()
            (event,) = stream.take()
            assert (event["e"], event["listenKey"]) == ("listenKeyExpired", key)

    run(body)


def test_binance_com_has_no_listen_keys_any_more() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            headers = {"X-MBX-APIKEY": trader.key.key}
            for method in ("POST", "PUT", "DELETE"):
                reply = await trader.raw(method, "/api/v3/userDataStream", "", headers)
                assert reply.status == 410

    run(body)


@pytest.mark.parametrize(("quanta", "decimals", "wire", "text"), [
    (150, 2, 8, "1.50000000"), (15, 0, 4, "15.0000"), (7, 0, 0, "7"),
    (1_234_567_890_123, 12, 8, "1.234567890123"), (10**18, 18, 8, "1.00000000"),
    (10**9, 18, 8, "0.000000001"), (1000, 6, 8, "0.00100000"),
])
def test_numbers_have_the_wires_decimals_or_more_if_they_need_them(
    quanta: int, decimals: int, wire: int, text: str
) -> None:
    assert fixed(quanta, decimals, wire) == text
    assert PPM == 10**6
