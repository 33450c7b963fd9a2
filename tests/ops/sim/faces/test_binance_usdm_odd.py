"""Whatever a client sends, USD-M answers in its own words and keeps standing."""

import json
from random import Random
from typing import Any
from urllib.parse import quote

from ops.sim.exchange.audit import audit
from ops.sim.face import HttpRequest
from tests.ops.sim.faces.binance_usdm_client import Trader, a_trader, call, sign, ws_request
from tests.ops.sim.wire import run

ODD: tuple[Any, ...] = (
    "", "0", "-1", "1", "1e5", "NaN", "Infinity", "9" * 30, "0." + "0" * 25 + "1", "true", "null",
    "BTCUSDT", "btcusdt", "BUY", "SELL", "LIMIT", "MARKET", "GTC", "GTX", "63000", "0.01", "[]",
    "[1]", '["x"]', "{}", '[{"symbol":1}]', '[{"symbol":"BTCUSDT","side":"BUY"}]', "%", "é", "💥",
    "\x00", "a" * 5000, "'; DROP TABLE orders", "253402300799000")
NAMES = (
    "symbol", "side", "type", "quantity", "price", "timeInForce", "orderId", "origClientOrderId",
    "newClientOrderId", "limit", "fromId", "startTime", "endTime", "leverage", "marginType",
    "dualSidePosition", "multiAssetsMargin", "countdownTime", "batchOrders", "orderIdList",
    "origClientOrderIdList", "listenKey", "priceMatch", "goodTillDate", "reduceOnly", "incomeType",
    "page", "recvWindow", "selfTradePreventionMode", "closePosition", "stopPrice", "colour")
NEW = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "0.01",
       "price": "63000", "timeInForce": "GTC"}
GOOD: dict[str, dict[str, str]] = {  # what each kind of request needs
    "POST order": NEW, "POST order/test": NEW, "order.place": NEW,
    "PUT order": {"symbol": "BTCUSDT", "side": "BUY", "quantity": "0.02", "price": "63001",
                  "orderId": ""},
    "DELETE order": {"symbol": "BTCUSDT", "orderId": ""},
    "POST leverage": {"symbol": "BTCUSDT", "leverage": "5"},
    "POST countdownCancelAll": {"symbol": "BTCUSDT", "countdownTime": "9000"},
    "GET klines": {"symbol": "BTCUSDT", "interval": "1m"},
}
GOOD |= {"order.modify": GOOD["PUT order"], "order.cancel": GOOD["DELETE order"],
         "order.status": GOOD["DELETE order"], "GET order": GOOD["DELETE order"],
         "GET openOrder": GOOD["DELETE order"]}
ALL = {"symbol": "BTCUSDT"}


def some(random: Random, trader: Trader, kind: str) -> dict[str, Any]:
    """Choose parameters: mostly those that are needed, and a few odd ones."""
    chosen: dict[str, Any] = dict(GOOD.get(kind, ALL))
    resting = [order.id for order in trader.exchange.open_orders(trader.account)]
    if "orderId" in chosen:
        chosen["orderId"] = str(random.choice(resting or [1]))
    for name in random.sample(sorted(chosen), random.random() < 0.2):
        del chosen[name]
    for _ in range(random.choice((0, 1, 1, 1, 3))):
        known = random.random() < 0.6
        name = random.choice(sorted(chosen) or NAMES) if known else random.choice(NAMES)
        chosen[name] = random.choice(ODD)
    return chosen


def ask(trader: Trader, verb: str, path: str, params: dict[str, Any]) -> Any:
    """Make a signed request at the face."""
    query = "&".join(f"{name}={quote(str(value))}" for name, value in params.items())
    query += f"&timestamp={trader.face.now_ms()}"
    query = (query + "&signature=" + sign(trader.key, query)).removeprefix("&")
    return trader.face.request(HttpRequest(
        verb, path, query, {}, {"x-mbx-apikey": trader.key.key}, b"", "127.0.0.1"))


def test_odd_parameters_get_an_error_of_the_venue_on_every_route() -> None:
    async def body() -> None:
        async with a_trader() as (trader, clock):
            random = Random(5)
            routes = sorted(trader.face._door._routes)  # noqa: SLF001  all there are
            assert len(routes) > 45
            routes += [route for route in routes if route.endswith("/v1/order")] * 6
            statuses = set()
            for number in range(4_000):
                verb, path = random.choice(routes).split()
                kind = f"{verb} {path.split('/', 3)[-1]}"
                answer = ask(trader, verb, path, some(random, trader, kind))
                parsed = json.loads(answer.body)
                statuses.add(answer.status)
                if answer.status != 200:
                    assert answer.status in (400, 401), (verb, path, answer)
                    assert set(parsed) == {"code", "msg"}, parsed
                if number % 20 == 0:
                    clock.advance(60)
                if number % 500 == 0:
                    trader.face.tick()
                    audit(trader.exchange)
            assert statuses == {200, 400}
            assert len(trader.truth().orders) > 50
            audit(trader.exchange)
            assert (await trader.ask("GET", "v3/account")).status == 200

    run(body)


def test_odd_websocket_requests_get_an_error_and_leave_the_connection() -> None:
    async def body() -> None:
        async with a_trader() as (trader, clock):
            random = Random(6)
            methods = sorted(trader.face._api._methods)  # noqa: SLF001  all there are
            client = await trader.venue.connect("/ws-fapi/v1?returnRateLimits=false")
            for _ in range(25):
                requests = []
                for method in random.choices(methods, k=8):
                    params = {
                        name: json.loads(value) if value[:1] in "[{" and value else value
                        for name, value in some(random, trader, method).items()
                        if name != "recvWindow"}
                    requests.append(
                        ws_request(trader, method, random.choice(("a", 1, None)), **params))
                for answer in await call(client, *requests):
                    assert answer["status"] in (200, 400, 401), answer
                clock.advance(30)
            audit(trader.exchange)
            (alive,) = await call(client, {"id": 1, "method": "session.status"})
            assert alive["status"] == 200

    run(body)


def test_odd_stream_requests_are_answered_or_ignored() -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            for path in ("/public/ws", "/market/stream", "/private/ws", "/", "/nowhere",
                         "/private/stream?listenKey=&events=&streams=/", "/ws/%%%/@/é@",
                         "/stream?streams=", "/private/ws/" + "x" * 900):
                client = await trader.venue.connect(path)
                client.ask(
                    b"{", b"[]", {"method": "SUBSCRIBE", "params": ["", "@", "x@y@z", "!"]},
                    {"method": "SUBSCRIBE", "params": [1], "id": 2}, {"method": 7, "id": 3})
                await client.settle()
                assert len(client.take()) == 5
            assert (await trader.ask("GET", "v3/account")).status == 200

    run(body)


def test_a_body_that_is_too_large_or_not_text_is_refused_and_the_venue_stays() -> None:
    async def body() -> None:
        async with a_trader() as (trader, _):
            for text in ("x" * (2 << 20), "\udcff=1", "=&=&&", "symbol=%FF%FE"):
                answer = trader.face.request(HttpRequest(
                    "POST", "/fapi/v1/order", "", {}, {"x-mbx-apikey": trader.key.key},
                    text.encode("utf-8", "surrogateescape"), "127.0.0.1"))
                assert answer.status == 400
            assert (await trader.ask("GET", "v3/account")).status == 200

    run(body)
