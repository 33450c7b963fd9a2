"""The WebSocket API of the simulated USD-M, and who is let in anywhere."""

from typing import Any

import pytest

from ops.sim.credentials import HMAC, Credentials
from ops.sim.faces.binance.auth import verify
from tests.ops.sim.faces.binance_usdm_client import NAME, Trader, a_trader, call, ws_request
from tests.ops.sim.wire import Client, run

PATH = "/ws-fapi/v1"
ORDER: dict[str, Any] = {
    "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC",
    "quantity": "0.0100", "price": "63000"}


async def one(client: Client, request: object) -> Any:
    (answer,) = await call(client, request)
    return answer


def test_orders_are_placed_changed_queried_and_cancelled_with_signed_requests() -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            client = await trader.venue.connect(PATH)
            placed = await one(client, ws_request(trader, "order.place", "a", **ORDER))
            assert (placed["id"], placed["status"]) == ("a", 200)
            assert [(row["rateLimitType"], row["limit"]) for row in placed["rateLimits"]] == [
                ("REQUEST_WEIGHT", 2400), ("ORDERS", 1200), ("ORDERS", 300)]
            result = placed["result"]
            assert (result["status"], result["cumQty"], result["executedQty"]) == (
                "NEW", "0.0000", "0.0000")
            named = {"symbol": "BTCUSDT", "orderId": result["orderId"]}
            changed = await one(client, ws_request(
                trader, "order.modify", **named, side="BUY", quantity="0.02", price="63001"))
            assert changed["result"]["origQty"] == "0.0200"
            found = await one(client, ws_request(trader, "order.status", **named))
            assert found["result"]["price"] == "63001.0"
            gone = await one(client, ws_request(trader, "order.cancel", **named))
            assert gone["result"]["status"] == "CANCELED"
            again = await one(client, ws_request(trader, "order.cancel", 7, **named))
            assert (again["id"], again["status"], again["error"]) == (
                7, 400, {"code": -2011, "msg": "Unknown order sent."})
            assert trader.truth().orders[0].status == "cancelled"

    run(body)


def test_a_session_that_logged_on_needs_no_key() -> None:
    async def body() -> None:
        async with a_trader(kind="ed25519") as (trader, clock):
            client = await trader.venue.connect(PATH)
            before = await one(client, {"id": 1, "method": "session.status"})
            assert before["result"]["apiKey"] is None
            logon = await one(client, ws_request(trader, "session.logon"))
            assert set(logon["result"]) == {
                "apiKey", "authorizedSince", "connectedSince", "returnRateLimits", "serverTime"}
            assert logon["result"]["apiKey"] == trader.key.key
            stamp = {"timestamp": trader.face.now_ms()}
            placed = await one(
                client, {"id": 2, "method": "order.place", "params": ORDER | stamp})
            assert placed["status"] == 200
            for method in ("account.position", "v2/account.position", "account.balance",
                           "v2/account.balance", "account.status", "v2/account.status"):
                answer = await one(client, {"id": 3, "method": method, "params": stamp})
                assert answer["status"] == 200, method
            unstamped = await one(client, {"id": 4, "method": "account.balance", "params": {}})
            assert unstamped["error"]["code"] == -1102
            clock.advance(6)
            late = await one(client, {"id": 4, "method": "account.balance", "params": stamp})
            assert late["error"]["code"] == -1021
            out = await one(client, {"id": 5, "method": "session.logout"})
            assert out["result"]["apiKey"] is None
            stamp = {"timestamp": trader.face.now_ms()}
            denied = await one(client, {"id": 6, "method": "account.balance", "params": stamp})
            assert denied["error"]["code"] == -1102
            hmac = Trader(trader.venue)
            refused = await one(client, ws_request(hmac, "session.logon"))
            assert refused["error"]["code"] == -4056

    run(body)


def test_market_and_listen_key_methods_answer_as_rest_does() -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            client = await trader.venue.connect(PATH + "?returnRateLimits=false")
            params = {"symbol": "BTCUSDT"}
            depth = await one(client, {"id": 1, "method": "depth", "params": params | {"limit": 5}})
            assert "rateLimits" not in depth
            assert set(depth["result"]) == {"lastUpdateId", "E", "T", "bids", "asks"}
            assert len(depth["result"]["bids"]) == 5
            book = await one(client, {
                "id": 1, "method": "ticker.book",
                "params": params | {"returnRateLimits": True}})
            assert book["result"]["bidPrice"] == depth["result"]["bids"][0][0]
            assert book["rateLimits"][0]["count"] > 0
            price = await one(client, {"id": 1, "method": "ticker.price", "params": params})
            assert set(price["result"]) == {"symbol", "price", "time"}
            key = {"apiKey": trader.key.key}
            start = await one(client, {
                "id": 1, "method": "userDataStream.start", "params": key})
            assert len(start["result"]["listenKey"]) >= 60
            ping = await one(client, {"id": 1, "method": "userDataStream.ping", "params": key})
            assert ping["result"] == start["result"]
            stop = await one(client, {"id": 1, "method": "userDataStream.stop", "params": key})
            assert stop["result"] == {}
            late = await one(client, {"id": 1, "method": "userDataStream.ping", "params": key})
            assert late["error"]["code"] == -1125

    run(body)


@pytest.mark.parametrize(("request_text", "code"), [
    (b"no json", -1135), (b"[]", -1135), (b"\xff", -1135), (b'{"id":1}', -1102),
    (b'{"id":1,"method":"order.dance"}', -1020), (b'{"id":[],"method":"depth"}', -1130),
    (b'{"id":1,"method":"depth","params":[1]}', -1130),
    (b'{"id":1,"method":"depth","params":{"symbol":"NOPE"}}', -1121),
    (b'{"id":1,"method":"depth","params":{"symbol":{"a":1}}}', -1121),
    (b'{"id":1,"method":"depth","params":{"symbol":"BTCUSDT","limit":7}}', -4021),
    (b'{"id":1,"method":"depth","params":{"symbol":"BTCUSDT","color":7}}', -1104),
    (b'{"id":1,"method":"account.balance","params":{"timestamp":1}}', -1102),
    (b'{"id":1,"method":"account.balance","params":{"apiKey":"a b","timestamp":1}}', -2014),
    (b'{"id":1,"method":"account.balance","params":{"apiKey":"ab","timestamp":1}}', -2015),
    (b'{"id":1,"method":["order.place"],"params":{}}', -1020),
])
def test_bad_requests_get_the_documented_error_and_the_connection_stays(
    request_text: bytes, code: int
) -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            client = await trader.venue.connect(PATH)
            answer = await one(client, request_text)
            assert answer["error"]["code"] == code
            assert answer["status"] in (400, 401)
            alive = await one(client, {"id": 2, "method": "session.status"})
            assert alive["status"] == 200

    run(body)


def test_order_entry_over_websocket_is_bounded_by_weight_not_by_messages() -> None:
    async def body() -> None:
        async with a_trader() as (trader, clock):
            clock.begin_minute()
            client = await trader.venue.connect(PATH)
            answers = await call(client, *[
                ws_request(trader, "order.place", n, **ORDER) for n in range(40)])
            assert [answer["status"] for answer in answers] == [200] * 40
            status = {"id": 1, "method": "session.status"}
            answers = await call(client, *[status] * 1200)
            assert answers[-1]["status"] == 429
            assert answers[-1]["error"]["code"] == -1003
            assert set(answers[-1]["error"]["data"]) == {"serverTime", "retryAfter"}
            banned = await call(client, *[status] * 20)
            assert banned[-1]["status"] == 418

    run(body)


# --- who is let in ---------------------------------------------------------------------------


def test_the_documented_signature_is_accepted_and_any_other_is_not() -> None:
    key = Credentials(
        "main", HMAC, "dbefbc809e3e83c283a984c3a1459732ea7db1360ca80c5c2c8867408d28cc83",
        "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9")
    payload = (b"symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC"
               b"&recvWindow=5000&timestamp=1591702613943")
    signature = "3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9"
    assert verify(key, payload, signature)
    assert verify(key, payload, signature.upper())
    assert not verify(key, payload.replace(b"9000", b"9001"), signature)
    assert not verify(key, payload, signature[:-1] + "8")


@pytest.mark.parametrize("kind", ["hmac", "ed25519"])
def test_a_request_is_refused_without_key_signature_or_time(kind: str) -> None:
    async def body() -> None:
        async with a_trader(kind=kind) as (trader, _):
            path, now_ms = "v3/balance", trader.face.now_ms()
            assert (await trader.ask("GET", path)).status == 200
            for params, code in (
                ({"timestamp": now_ms - 6_000}, -1021), ({"timestamp": now_ms + 2_000}, -1021),
                ({"timestamp": now_ms - 6_000, "recvWindow": 100_000}, -1131),
                ({"timestamp": "now"}, -1100), ({"timestamp": ""}, -1102),
                ({"recvWindow": "wide"}, -1100), ({"colour": "red"}, -1104),
            ):
                assert (await trader.ask("GET", path, **params)).code == (400, code), params
            late = await trader.ask(
                "GET", path, timestamp=now_ms - 6_000, recvWindow=10_000)
            assert late.status == 200
            query = f"timestamp={now_ms}"
            key = trader.key.key
            for text, used, both in (
                (query, key, (400, -1102)), (query + "&signature=abc", key, (400, -1022)),
                (query + "&signature=%FF", key, (400, -1022)),
                (query + "&signature=abc", None, (401, -2014)),
                (query + "&signature=abc", "nobody", (401, -2015)),
            ):
                assert (await trader.raw("GET", path, text, used)).code == both

    run(body)


def test_weight_and_orders_are_counted_told_and_bounded() -> None:
    async def body() -> None:
        async with a_trader() as (trader, clock):
            clock.begin_minute()
            reply = await trader.ask("GET", "v1/income")
            assert reply.headers["x-mbx-used-weight-1m"] == "30"
            placed = await trader.order(side="BUY", quantity="0.0100", price="63000")
            assert placed.headers["x-mbx-used-weight-1m"] == "30"
            assert placed.headers["x-mbx-order-count-1m"] == "1"
            assert placed.headers["x-mbx-order-count-10s"] == "1"
            _, catalogue = await trader.venue.get("/fapi/v1/exchangeInfo")
            assert [(row["rateLimitType"], row["limit"]) for row in catalogue["rateLimits"]] == [
                ("REQUEST_WEIGHT", 2400), ("ORDERS", 1200), ("ORDERS", 300)]
            for _ in range(300):
                reply = await trader.order(side="BUY", quantity="0", price="63000")
            assert reply.code == (429, -1015)
            assert int(reply.headers["Retry-After"]) <= 10
            clock.advance(10)
            assert (await trader.order(side="BUY", quantity="0", price="63000")).status == 400
            clock.begin_minute()
            for _ in range(81):
                reply = await trader.ask("GET", "v1/income")
            assert reply.code == (429, -1003)
            assert 0 < int(reply.headers["Retry-After"]) <= 60
            for _ in range(11):
                reply = await trader.ask("GET", "v1/income")
            assert reply.code == (418, -1003)
            assert int(reply.headers["Retry-After"]) == 120
            clock.advance(121)
            assert (await trader.ask("GET", "v1/income")).status == 200

    run(body)


@pytest.mark.parametrize(("kind", "status", "code"), [
    ("http_429", 429, -1003), ("http_418", 418, -1003), ("http_500", 500, -1001),
    ("maintenance", 503, -1016),
])
def test_what_faults_refuse_is_said_in_the_venues_words(kind: str, status: int, code: int) -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            await trader.venue.call("POST", "/fault", {"venue": NAME, "kind": kind})
            reply = await trader.ask("GET", "v3/balance")
            assert reply.code == (status, code)
            assert ("Retry-After" in reply.headers) == (status in (429, 418))

    run(body)
