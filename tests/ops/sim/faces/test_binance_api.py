"""Binance spot's WebSocket API: sessions, requests, user streams, and what is refused."""

import json
import random
from typing import Any
from urllib.parse import quote

import pytest

from tests.ops.sim.faces.binance_client import a_trader, best, events
from tests.ops.sim.wire import run


def test_orders_are_placed_asked_for_and_cancelled_by_signed_requests() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            client = await trader.connect()
            low = f"{best(trader)[0] * 0.9:.1f}"
            wanted = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC",
                      "price": low, "quantity": "0.01"}
            placed = await trader.sign_and_call(client, "order.place", **wanted)
            assert placed["status"] == 200
            assert [row["rateLimitType"] for row in placed["rateLimits"]] == [
                "ORDERS", "ORDERS", "REQUEST_WEIGHT"]
            assert placed["rateLimits"][0]["count"] == 1
            by = {"symbol": "BTCUSDT", "orderId": placed["result"]["orderId"]}
            assert (await trader.sign_and_call(client, "order.test", **wanted))["result"] == {}
            asked = await trader.sign_and_call(client, "order.status", **by)
            rest = await trader.ask("GET", "/order", **by)
            assert asked["result"] == rest.body
            listed = await trader.sign_and_call(client, "openOrders.status")
            assert listed["result"] == [rest.body]
            replaced = await trader.sign_and_call(
                client, "order.cancelReplace", cancelReplaceMode="STOP_ON_FAILURE",
                cancelOrderId=by["orderId"], **wanted)
            assert replaced["result"]["newOrderResult"] == "SUCCESS"
            number = replaced["result"]["newOrderResponse"]["orderId"]
            gone = await trader.sign_and_call(
                client, "order.cancel", symbol="BTCUSDT", orderId=str(number),
                returnRateLimits=False)
            assert gone["result"]["status"] == "CANCELED"
            assert "rateLimits" not in gone
            for method in ("account.status", "account.rateLimits.orders", "v3/account.status"):
                assert (await trader.sign_and_call(client, method))["status"] == 200
            for method in ("allOrders", "myTrades", "account.commission"):
                reply = await trader.sign_and_call(client, method, symbol="BTCUSDT")
                assert reply["status"] == 200
            again = await trader.sign_and_call(client, "order.cancel", **by)
            assert (again["status"], again["error"]) == (
                400, {"code": -2011, "msg": "Unknown order sent."})
            none = await trader.sign_and_call(client, "openOrders.cancelAll", symbol="BTCUSDT")
            assert none["error"]["code"] == -2011

    run(body)


def test_a_session_that_logged_on_needs_neither_key_nor_signature() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            client = await trader.connect()
            now = {"timestamp": trader.venue.world.servers["binance"].face.now_ms()}
            status = (await trader.call(client, "session.status"))["result"]
            assert (status["apiKey"], status["authorizedSince"]) == (None, None)
            hmac = await trader.sign_and_call(client, "session.logon")
            assert hmac["error"]["code"] == -4056
            unproved = await trader.call(client, "account.status", **now)
            assert unproved["error"]["code"] == -1102
            key = trader.ed25519()
            logon = await trader.call(client, "session.logon", **trader.signed({}, key))
            assert logon["result"]["apiKey"] == key.key
            assert logon["result"]["userDataStream"] is False
            assert (await trader.call(client, "account.status", **now))["status"] == 200
            late = await trader.call(client, "account.status", timestamp=1)
            assert late["error"]["code"] == -1021
            missing = await trader.call(client, "account.status")
            assert missing["error"]["code"] == -1102
            placed = await trader.call(
                client, "order.place", symbol="BTCUSDT", side="BUY", type="MARKET",
                quantity="0.01", **now)
            assert placed["result"]["status"] == "FILLED"
            out = await trader.call(client, "session.logout")
            assert out["result"]["apiKey"] is None
            assert (await trader.call(client, "account.status", **now))["status"] == 400

    run(body)


def test_a_user_stream_is_one_per_account_and_ends_with_an_event() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            client = await trader.connect()
            assert (await trader.call(client, "userDataStream.subscribe"))["status"] == 401
            await trader.call(
                client, "session.logon", **trader.signed({}, trader.ed25519()))
            begun = await trader.call(client, "userDataStream.subscribe")
            assert begun["result"] == {"subscriptionId": 0}
            twice = await trader.sign_and_call(client, "userDataStream.subscribe.signature")
            assert twice["error"]["code"] == -2035
            assert (await trader.call(client, "session.status"))["result"]["userDataStream"]
            await trader.call(client, "session.logout")
            (ended,) = client.take()
            assert (ended["subscriptionId"], ended["event"]["e"]) == (0, "eventStreamTerminated")
            other = await trader.sign_and_call(client, "userDataStream.subscribe.signature")
            assert other["result"] == {"subscriptionId": 1}
            listed = await trader.call(client, "session.subscriptions")
            assert listed["result"] == [{"subscriptionId": 1}]
            await trader.order(side="BUY", type="MARKET", quantity="0.01")
            await client.settle()
            frames = client.take()
            assert {frame["subscriptionId"] for frame in frames} == {1}
            missing = await trader.call(client, "userDataStream.unsubscribe", subscriptionId=0)
            assert missing["error"]["code"] == -2036
            assert (await trader.call(client, "userDataStream.unsubscribe"))["result"] == {}
            assert [each["e"] for each in events(client)] == ["eventStreamTerminated"]
            await trader.order(side="BUY", type="MARKET", quantity="0.01")
            await client.settle()
            assert not client.frames

    run(body)


def test_public_methods_answer_what_rest_answers() -> None:
    async def body() -> None:
        async with a_trader("binance", "BTC/USDT", "ETH/USDT") as trader:
            trader.venue.step(5.0)
            client = await trader.connect("?returnRateLimits=false")
            for method, path, params in (
                ("ping", "/ping", {}), ("depth", "/depth", {"symbol": "BTCUSDT", "limit": 5}),
                ("trades.recent", "/trades", {"symbol": "BTCUSDT", "limit": 3}),
                ("trades.aggregate", "/aggTrades", {"symbol": "BTCUSDT"}),
                ("ticker.price", "/ticker/price", {}),
                ("ticker.book", "/ticker/bookTicker", {"symbol": "ETHUSDT"}),
            ):
                over_ws = await trader.call(client, method, **params)
                over_rest = await trader.ask("GET", path, signed=False, **params)
                assert over_ws.keys() == {"id", "status", "result"}
                assert over_ws["result"] == over_rest.body, method
            info = await trader.call(client, "exchangeInfo", symbols=["BTCUSDT", "ETHUSDT"])
            assert len(info["result"]["symbols"]) == 2
            loud = await trader.call(client, "time", returnRateLimits=True)
            assert loud["rateLimits"][0]["rateLimitType"] == "REQUEST_WEIGHT"

    run(body)


@pytest.mark.parametrize(("text", "number", "status", "code"), [
    (b"not json", None, 400, -1135),
    (b"[1]", None, 400, -1135),
    (b'{"id":1}', 1, 400, -1135),
    (b'{"id":1,"method":5}', 1, 400, -1135),
    (b'{"id":1,"method":"ping","params":[1]}', 1, 400, -1135),
    (b'{"id":[1],"method":"ping"}', [1], 400, -1135),
    (b'{"id":1,"method":"ping","colour":1}', 1, 400, -1103),
    (b'{"id":"a","method":"fly"}', "a", 400, -1020),
    (b'{"id":1,"method":"ping","params":{"x":1}}', 1, 400, -1104),
    (b'{"id":1,"method":"userDataStream.start"}', 1, 410, -1020),
    (b'{"id":1,"method":"order.place","params":{"symbol":"BTCUSDT"}}', 1, 400, -1102),
    (b'{"id":1,"method":"order.place","params":{"apiKey":"x y","signature":"0"}}', 1, 401, -2014),
    (b'{"id":1,"method":"depth","params":{"symbol":null}}', 1, 400, -1102),
    (b"\xff\xfe", None, 400, -1135),
])
def test_bad_requests_get_the_venues_error_and_the_connection_lives(
    text: bytes, number: Any, status: int, code: int
) -> None:
    async def body() -> None:
        async with a_trader() as trader:
            client = await trader.connect()
            client.ask(text)
            await client.settle()
            (answer,) = client.take()
            assert (answer["id"], answer["status"], answer["error"]["code"]) == (
                number, status, code)
            assert (await trader.call(client, "ping"))["result"] == {}

    run(body)


def test_the_api_takes_more_messages_a_second_than_streams_do() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            client = await trader.connect()
            client.ask(*[{"id": n, "method": "ping"} for n in range(50)])
            await client.settle()
            assert [json.loads(frame)["id"] for frame in client.frames] == list(range(50))

    run(body)


def test_no_garbage_takes_the_venue_down() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            chance = random.Random(3)
            api, streams = await trader.connect(), await trader.venue.connect("/ws")
            good = json.dumps({"id": 1, "method": "order.place", "params": trader.signed({
                "symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"})})
            for _ in range(300):
                text = bytearray(good.encode())
                for _ in range(chance.randrange(1, 4)):
                    text[chance.randrange(len(text))] = chance.randrange(256)
                api.ask(bytes(text))
            api.ask(b'{"id":1e99,"method":"ping"}', b'{"id":1,"params":{"a":[{}]},"method":"ping"}',
                    b"[" * 5_000, b'{"id":123456789012345678901234567890,"method":"ping"}')
            await api.settle()
            answers = api.take()
            assert len(answers) == 304
            assert all(each["status"] == 200 or each["error"]["code"] < 0 for each in answers)
            streams.ask(*[bytes(chance.randrange(256) for _ in range(50)) for _ in range(4)])
            await streams.settle()
            assert {each["code"] for each in streams.take()} == {3}
            key = {"X-MBX-APIKEY": trader.key.key}
            for number in range(100):
                query = "".join(chance.choices("&=%AB0symboltimestampsignature[]\"'", k=40))
                reply = await trader.raw(
                    chance.choice(["GET", "POST", "PUT", "DELETE"]), "/api/v3/order",
                    quote(query, safe="&=%[]"), key, body=number % 2 == 0)
                assert reply.status in (400, 401, 404), query
            huge = await trader.raw("POST", "/api/v3/order", "a" * (2 << 20), key, body=True)
            assert huge.status == 413
            api.ask(b'{"id":"' + b"a" * (2 << 20) + b'"}')
            await api.closed.wait()
            assert (await trader.ask("GET", "/account")).status == 200

    run(body)


def test_a_session_ends_with_its_key_and_begins_again_with_a_good_one() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            client = await trader.connect()
            logon = trader.signed({}, trader.ed25519())
            assert (await trader.call(client, "session.logon", **logon))["status"] == 200
            server = trader.venue.world.servers["binance"]
            await trader.venue.call("POST", "/fault", {"venue": "binance", "kind": "keys_revoked"})
            server.tick()
            client.ask({"id": 1, "method": "ping"})
            await client.settle()
            (revoked,) = client.take()
            assert (revoked["id"], revoked["status"], revoked["error"]["code"]) == (
                None, 401, -2015)
            refused = await trader.sign_and_call(client, "account.status")
            assert refused["error"]["code"] == -2015
            await trader.venue.call("DELETE", "/fault/binance")
            server.tick()
            assert (await trader.call(client, "session.status"))["result"]["apiKey"] is None
            assert (await trader.sign_and_call(client, "account.status"))["status"] == 200

    run(body)


def test_a_query_that_lags_does_not_keep_an_order_from_being_cancelled() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            stream = await trader.listen()
            await trader.venue.call("POST", "/fault", {
                "venue": "binance", "kind": "query_lag", "ms": 60_000})
            trader.venue.world.servers["binance"].tick()
            low = f"{best(trader)[0] * 0.9:.1f}"
            order = (await trader.limit("BUY", low, "0.01")).body
            by = {"symbol": "BTCUSDT", "orderId": order["orderId"]}
            assert (await trader.ask("GET", "/order", **by)).body["code"] == -2013
            assert (await trader.ask("GET", "/openOrders")).body == []
            filled = (await trader.order(side="BUY", type="MARKET", quantity="0.01")).body
            assert filled["status"] == "FILLED"
            gone = await trader.ask("DELETE", "/order", **by)
            assert gone.body["status"] == "CANCELED"
            await stream.settle()
            assert {"NEW", "TRADE", "CANCELED"} <= {each.get("x") for each in events(stream)}

    run(body)
