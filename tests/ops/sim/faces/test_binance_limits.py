"""How Binance counts weight and orders, and what becomes of who goes on too long."""

from collections.abc import Callable
from typing import Any

import pytest

from ops.sim.faces.binance import Binance
from ops.sim.faces.binance.errors import Refused
from ops.sim.faces.binance.limits import Limit, Limits
from ops.sim.faces.binance.spot_table import COM, US
from tests.ops.sim.faces.binance_client import Trader, a_trader, best
from tests.ops.sim.wire import run

SECOND = 10**9
WEIGHT = Limit("REQUEST_WEIGHT", "MINUTE", 1, 10)
ORDERS = Limit("ORDERS", "SECOND", 10, 3)


def refusal(action: Callable[[], None]) -> Refused:
    with pytest.raises(Refused) as refused:
        action()
    return refused.value


def refused_at(limits: Limits, now_ns: int) -> Refused:
    return refusal(lambda: limits.request(now_ns, 5_000, "ip", 1))


def test_weight_over_the_limit_is_refused_until_the_minute_is_over() -> None:
    limits = Limits([WEIGHT])
    limits.request(0, 0, "ip", 10)
    assert limits.weights(0, "ip")["x-mbx-used-weight-1m"] == "10"
    no = refusal(lambda: limits.request(15 * SECOND, 0, "ip", 1))
    assert (no.status, no.code, no.headers["Retry-After"]) == (429, -1003, "45")
    assert no.text.startswith("Too much request weight used; current limit is 10 request weight "
                              "per 1 MINUTE.")
    limits.request(15 * SECOND, 0, "another ip", 10)
    limits.request(60 * SECOND, 0, "ip", 10)


def test_who_goes_on_after_a_429_is_banned_longer_each_time() -> None:
    limits = Limits([WEIGHT])
    now_ns, bans = 0, []
    for _ in range(14):
        limits.request(now_ns, 0, "ip", 10)
        for _ in range(10):
            assert refused_at(limits, now_ns).status == 429
        no = refused_at(limits, now_ns)
        assert (no.status, no.code) == (418, -1003)
        bans.append(int(no.headers["Retry-After"]))
        assert str(5_000 + bans[-1] * 1000) in no.text
        now_ns += bans[-1] * SECOND - 1
        assert refused_at(limits, now_ns).status == 418
        now_ns += 120 * SECOND
    assert bans[:3] == [120, 240, 480]
    assert bans[-1] == 3 * 86_400


def test_orders_count_per_account_and_fills_give_them_back() -> None:
    limits = Limits([ORDERS])
    for _ in range(3):
        limits.order(0, "main")
    no = refusal(lambda: limits.order(4 * SECOND, "main"))
    assert (no.status, no.code, no.headers) == (429, -1015, {"Retry-After": "6"})
    assert no.text == "Too many new orders; current limit is 3 orders per 10 SECOND."
    assert refusal(lambda: limits.order(0, "main", told=False)).headers == {}
    limits.order(0, "other")
    limits.filled(4 * SECOND, "main", 5)
    assert limits.orders(4 * SECOND, "main") == {"x-mbx-order-count-10s": "0"}
    limits.order(4 * SECOND, "main")
    assert limits.order_rows(4 * SECOND, "main")[0]["count"] == 1


def test_addresses_beyond_a_thousand_push_the_oldest_out() -> None:
    limits = Limits([WEIGHT])
    limits.request(0, 0, "first", 10)
    for number in range(1_000):
        limits.request(0, 0, str(number), 1)
    assert limits.weights(0, "first")["x-mbx-used-weight-1m"] == "0"


@pytest.fixture
def tight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Binance, "figures", COM._replace(limits=(
        Limit("REQUEST_WEIGHT", "MINUTE", 1, 100), Limit("ORDERS", "SECOND", 10, 3),
        Limit("ORDERS", "DAY", 1, 10))))


def test_every_answer_tells_the_weight_and_what_succeeds_may_be_free() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            used = 0
            for path, params, weight in (
                ("/ping", {}, 1), ("/depth", {"symbol": "BTCUSDT"}, 5),
                ("/depth", {"symbol": "BTCUSDT", "limit": 500}, 25),
                ("/depth", {"symbol": "BTCUSDT", "limit": 1000}, 50),
                ("/depth", {"symbol": "BTCUSDT", "limit": 5000}, 250),
                ("/exchangeInfo", {}, 20), ("/ticker/price", {"symbol": "BTCUSDT"}, 2),
                ("/ticker/bookTicker", {}, 4), ("/ticker/24hr", {"symbol": "BTCUSDT"}, 2),
                ("/ticker/24hr", {}, 80), ("/ticker/24hr", {"symbols": '["BTCUSDT"]'}, 2),
                ("/depth", {"symbol": "NOPE"}, 5),
            ):
                reply = await trader.ask("GET", path, signed=False, **params)
                used += weight
                assert reply.headers["x-mbx-used-weight-1m"] == str(used), path
            low = f"{best(trader)[0] * 0.9:.1f}"
            placed = await trader.limit("BUY", low, "0.01")
            assert placed.headers["x-mbx-used-weight-1m"] == str(used)
            assert placed.headers["x-mbx-order-count-10s"] == "1"
            assert placed.headers["x-mbx-order-count-1d"] == "1"
            failed = await trader.limit("BUY", "1", "0.01")
            assert failed.headers["x-mbx-used-weight-1m"] == str(used + 1)
            for path, params, weight in (
                ("/openOrders", {}, 80), ("/openOrders", {"symbol": "BTCUSDT"}, 6),
                ("/account", {}, 20), ("/myTrades", {"symbol": "BTCUSDT"}, 20),
                ("/myTrades", {"symbol": "BTCUSDT", "orderId": 1}, 5),
                ("/rateLimit/order", {}, 40),
            ):
                before = int((await trader.ask("GET", "/ping", signed=False)).headers[
                    "x-mbx-used-weight-1m"])
                reply = await trader.ask("GET", path, **params)
                assert reply.headers["x-mbx-used-weight-1m"] == str(before + weight), path

    run(body)


@pytest.mark.usefixtures("tight")
def test_too_many_requests_are_429_and_then_418_on_rest_and_api_alike() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            client = await trader.connect()
            first = await trader.ask("GET", "/depth", signed=False, symbol="BTCUSDT", limit=500)
            assert first.headers["x-mbx-used-weight-1m"] == "27"  # the connection cost 2
            statuses = [(await trader.ask("GET", "/exchangeInfo", signed=False)).status
                        for _ in range(8)]
            assert statuses == [200] * 3 + [429] * 5
            over = await trader.call(client, "ping")
            assert (over["status"], over["error"]["code"]) == (429, -1003)
            data = over["error"]["data"]
            assert 0 < data["retryAfter"] - data["serverTime"] <= 60_000
            statuses = [(await trader.ask("GET", "/ping", signed=False)).status for _ in range(6)]
            assert statuses == [429] * 4 + [418] * 2
            banned = await trader.ask("GET", "/ping", signed=False)
            assert 100 < int(banned.headers["Retry-After"]) <= 120
            assert "IP banned until" in banned.body["msg"]
            client.ask({"id": 9, "method": "ping"})
            await client.closed.wait()
            assert client.take()[-1]["status"] == 418

    run(body)


@pytest.mark.usefixtures("tight")
def test_too_many_unfilled_orders_are_refused_and_filled_ones_do_not_count() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            low = f"{best(trader)[0] * 0.9:.1f}"
            for _ in range(5):
                assert (await trader.order(
                    side="BUY", type="MARKET", quantity="0.001")).status == 200
            for _ in range(3):
                placed = await trader.limit("BUY", low, "0.01")
                assert placed.status == 200
            over = await trader.limit("BUY", low, "0.01")
            assert (over.status, over.body) == (429, {
                "code": -1015,
                "msg": "Too many new orders; current limit is 3 orders per 10 SECOND."})
            assert int(over.headers["Retry-After"]) <= 10
            await _replace_over_the_limit(trader, placed.body["orderId"], low)

    run(body)


async def _replace_over_the_limit(trader: Trader, order_id: int, low: str) -> None:
    """Let a cancel-replace cancel all the same."""
    wanted: dict[str, Any] = {
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": low,
        "quantity": "0.01", "cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrderId": order_id}
    no = await trader.ask("POST", "/order/cancelReplace", **wanted)
    assert (no.status, no.body["code"]) == (429, -1015)
    half = await trader.ask(
        "POST", "/order/cancelReplace", orderRateLimitExceededMode="CANCEL_ONLY", **wanted)
    assert (half.status, half.body["code"]) == (429, -2021)
    assert half.body["data"]["cancelResult"] == "SUCCESS"
    assert half.body["data"]["newOrderResponse"]["code"] == -1015


def test_both_houses_name_their_limits_in_the_catalogue() -> None:
    async def body() -> None:
        for name, symbol, figures in (
            ("binance", "BTC/USDT", COM), ("binance-us", "BTC/USD", US),
        ):
            async with a_trader(name, symbol) as trader:
                info = (await trader.ask("GET", "/exchangeInfo", signed=False)).body
                assert info["rateLimits"] == [limit.row() for limit in figures.limits]
                kinds = {row["filterType"] for row in info["symbols"][0]["filters"]}
                assert {figures.notional, figures.band, "PRICE_FILTER", "LOT_SIZE",
                        "MARKET_LOT_SIZE", "MAX_NUM_ORDERS"} <= kinds

    run(body)
