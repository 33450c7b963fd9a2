"""Coinbase order entry over REST, and what the user channel tells of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.model.clock import SystemClock
from engine.model.fault import Fault, Kind
from tests.ops.sim.coinbase_trader import Trader, rows
from tests.ops.sim.wire import Venue, a_venue, run

FAR_BELOW = "30000"


def best(venue: Venue, side: str) -> str:
    bids, asks = venue.truth("BTC-USD")
    return max(bids, key=float) if side == "bid" else min(asks, key=float)


def reason(answer: Any) -> str:
    """Read the reason as the venue page says to."""
    error = answer["error_response"]
    known = [error[name] for name in ("preview_failure_reason", "new_order_failure_reason", "error")
             if not error[name].startswith("UNKNOWN_")]
    return str(known[0])


def later(seconds: float) -> str:
    now = datetime.fromtimestamp(SystemClock().unix_ns() / 1e9, UTC)
    return (now + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def test_a_resting_order_is_told_found_and_cancelled() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            trader = Trader(venue)
            client = await trader.stream()
            order_id = await trader.placed(
                "BUY", "limit_limit_gtc", base_size="0.5", limit_price=FAR_BELOW, post_only=True)
            assert venue.truth("BTC-USD")[0][FAR_BELOW] == "0.5"
            order = await trader.order(order_id)
            assert order["status"] == "OPEN"
            assert order["order_configuration"] == {"limit_limit_gtc": {
                "base_size": "0.5", "limit_price": FAR_BELOW, "post_only": True}}
            assert order["outstanding_hold_amount"] == "15180"  # 1.2 % taker fee on top
            body = await trader.get("/orders/historical/batch", "?order_status=OPEN")
            assert [each["order_id"] for each in body["orders"]] == [order_id]
            assert await trader.cancel(order_id, order_id, "no-such-order") == [
                {"success": True, "failure_reason": "UNKNOWN_CANCEL_FAILURE_REASON",
                 "order_id": order_id},
                {"success": False, "failure_reason": "DUPLICATE_CANCEL_REQUEST",
                 "order_id": order_id},
                {"success": False, "failure_reason": "UNKNOWN_CANCEL_ORDER",
                 "order_id": "no-such-order"}]
            await client.settle()
            told = rows(client.take())
            assert [each["status"] for each in told] == ["PENDING", "OPEN", "CANCELLED"]
            assert {each["order_id"] for each in told} == {order_id}
            assert [each["leaves_quantity"] for each in told] == ["0.5", "0.5", "0"]
            assert told[-1]["cancel_reason"] == "User requested cancel"
            assert FAR_BELOW not in venue.truth("BTC-USD")[0]

    run(body)


def test_a_taker_fills_pays_its_fee_and_has_fills() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            trader = Trader(venue)
            client = await trader.stream("BTC-USD")
            ask = best(venue, "ask")
            order_id = await trader.placed(
                "BUY", "sor_limit_ioc", base_size="0.00010000", limit_price=ask)
            order = await trader.order(order_id)
            assert (order["status"], order["filled_size"]) == ("FILLED", "0.0001")
            assert order["average_filled_price"] == ask
            value = float(ask) * 1e-4
            assert float(order["filled_value"]) == pytest.approx(value)
            assert float(order["total_fees"]) == pytest.approx(value * 0.012)
            query = f"?order_ids={order_id}"
            fills = (await trader.get("/orders/historical/fills", query))["fills"]
            assert [(each["price"], each["size"], each["liquidity_indicator"])
                    for each in fills] == [(ask, "0.0001", "TAKER")]
            assert fills[0]["commission"] == order["total_fees"]
            await client.settle()
            told = rows(client.take())
            assert [each["status"] for each in told] == ["PENDING", "FILLED"]
            assert told[-1]["cumulative_quantity"] == "0.0001"
            assert told[-1]["leaves_quantity"] == "0"
            assert told[-1]["total_fees"] == order["total_fees"]

    run(body)


def test_a_market_order_spends_its_quote_size_with_the_fee() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            trader = Trader(venue)
            order_id = await trader.placed("BUY", "market_market_ioc", quote_size="2500")
            order = await trader.order(order_id)
            assert order["status"] == "FILLED"
            assert order["size_in_quote"] is True
            assert 2499 < float(order["total_value_after_fees"]) <= 2500
            fills = (await trader.get("/orders/historical/fills"))["fills"]
            assert all(each["size_in_quote"] for each in fills)
            bought = sum(float(each["size"]) / float(each["price"]) for each in fills)
            assert bought == pytest.approx(float(order["filled_size"]))
            sold = await trader.placed("SELL", "market_market_ioc", base_size="0.01")
            assert (await trader.order(sold))["filled_size"] == "0.01"

    run(body)


def test_a_client_order_id_used_again_brings_the_same_order() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            trader, other = Trader(venue), Trader(venue, "other")
            limits = {"base_size": "1", "limit_price": FAR_BELOW}
            first = await trader.placed("BUY", "limit_limit_gtc", client_id="mine", **limits)
            again = await trader.place("SELL", "market_market_ioc", client_id="mine",
                                       base_size="1")
            assert again["success_response"] == {
                "order_id": first, "product_id": "BTC-USD", "side": "BUY",
                "client_order_id": "mine"}
            await trader.cancel(first)
            assert await trader.placed(
                "BUY", "limit_limit_gtc", client_id="mine", **limits) == first
            assert await other.placed(
                "BUY", "limit_limit_gtc", client_id="mine", **limits) != first
            truth = venue.world.account_truth("coinbase", "main")
            assert truth is not None
            assert len(truth.orders) == 1

    run(body)


@pytest.mark.parametrize(("side", "kind", "options", "expected"), [
    ("BUY", "limit_limit_gtc", {"base_size": "1", "limit_price": "90000", "post_only": True},
     "PREVIEW_INVALID_LIMIT_PRICE_POST_ONLY"),
    ("BUY", "limit_limit_gtc", {"base_size": "1", "limit_price": "30000.01"},
     "PREVIEW_INVALID_PRICE_PRECISION"),
    ("BUY", "limit_limit_gtc", {"base_size": "1.000000001", "limit_price": "30000"},
     "PREVIEW_INVALID_SIZE_PRECISION"),
    ("BUY", "limit_limit_gtc", {"base_size": "0.00000001", "limit_price": "30000"},
     "PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL"),
    ("BUY", "limit_limit_gtc", {"base_size": "0", "limit_price": "30000"},
     "PREVIEW_INVALID_BASE_SIZE_TOO_SMALL"),
    ("BUY", "limit_limit_gtc", {"base_size": "1", "limit_price": "0"},
     "PREVIEW_INVALID_LIMIT_PRICE"),
    ("BUY", "limit_limit_gtc", {"base_size": "100000", "limit_price": "30000"},
     "PREVIEW_INVALID_BASE_SIZE_TOO_LARGE"),
    ("BUY", "limit_limit_gtc", {"base_size": "100", "limit_price": "30000"},
     "PREVIEW_INSUFFICIENT_FUND"),
    ("BUY", "market_market_ioc", {"quote_size": "0.5"}, "PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL"),
    ("BUY", "market_market_ioc", {"quote_size": "10.05"}, "PREVIEW_INVALID_QUOTE_SIZE_PRECISION"),
    ("SELL", "market_market_ioc", {"quote_size": "10"}, "PREVIEW_INVALID_ORDER_CONFIG"),
    ("BUY", "market_market_fok", {"quote_size": "10"}, "PREVIEW_INVALID_ORDER_CONFIG"),
    ("BUY", "limit_limit_fok", {"base_size": "1", "limit_price": "30000", "post_only": True},
     "PREVIEW_INVALID_ORDER_CONFIG"),
    ("DOWN", "limit_limit_gtc", {"base_size": "1", "limit_price": "30000"},
     "PREVIEW_INVALID_SIDE"),
    ("BUY", "limit_limit_gtd", {"base_size": "1", "limit_price": "30000"},
     "PREVIEW_INVALID_END_TIME"),
    ("BUY", "limit_limit_gtd",
     {"base_size": "1", "limit_price": "30000", "end_time": "2020-01-01T00:00:00Z"},
     "PREVIEW_END_TIME_IS_IN_THE_PAST"),
])
def test_a_refusal_names_its_reason_and_changes_nothing(
    side: str, kind: str, options: dict[str, Any], expected: str
) -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            trader = Trader(venue)
            before = venue.world.account_truth("coinbase", "main")
            answer = await trader.place(side, kind, **options)
            assert answer["success"] is False
            assert answer["order_configuration"] == {kind: options}
            assert reason(answer) == expected
            status, seen = await trader.call("POST", "/orders/preview", {
                "product_id": "BTC-USD", "side": side, "order_configuration": {kind: options}})
            assert (status, seen["errs"]) == (200, [expected])
            assert venue.world.account_truth("coinbase", "main") == before

    run(body)


@pytest.mark.parametrize("body", [
    b"", b"[", b"[1]", {}, {"client_order_id": ""}, {"client_order_id": "a"},
    {"client_order_id": "a", "product_id": "BTC-USD", "side": "BUY", "order_configuration": {}},
    {"client_order_id": "a", "product_id": "BTC-USD", "side": "BUY",
     "order_configuration": {"limit_limit_gtc": 1}},
    {"client_order_id": "a", "product_id": "BTC-USD", "side": "BUY",
     "order_configuration": {"limit_limit_gtc": {"base_size": 1, "limit_price": "1"}}},
    {"client_order_id": "a", "product_id": "BTC-USD", "side": "BUY",
     "order_configuration": {"limit_limit_gtc": {"base_size": "NaN", "limit_price": "1"}}},
    {"client_order_id": "a", "product_id": "BTC-USD", "side": "BUY",
     "order_configuration": {"market_market_ioc": {}}},
    {"client_order_id": "a", "product_id": "BTC-USD", "side": "BUY", "order_configuration": {
        "limit_limit_gtc": {"base_size": "1", "limit_price": "1"}, "sor_limit_ioc": {}}},
])
def test_what_cannot_be_read_is_a_bad_request(body: object) -> None:
    async def run_it() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            status, answer = await Trader(venue).call("POST", "/orders", body)
            assert (status, answer["error"]) == (400, "INVALID_ARGUMENT")

    run(run_it)


def test_an_unknown_product_is_refused() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            answer = await Trader(venue).place(
                "BUY", "limit_limit_gtc", "NO-PE", base_size="1", limit_price="1")
            assert reason(answer) == "PREVIEW_INVALID_PRODUCT_ID"

    run(body)


def test_fok_fills_all_or_nothing() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            trader, ask = Trader(venue), best(venue, "ask")
            shown = venue.truth("BTC-USD")[1][ask]
            too_much = f"{float(shown) + 1:.8f}"
            missed = await trader.order(await trader.placed(
                "BUY", "limit_limit_fok", base_size=too_much, limit_price=ask))
            assert (missed["status"], missed["filled_size"]) == ("CANCELLED", "0")
            assert missed["time_in_force"] == "FILL_OR_KILL"
            hit = await trader.order(await trader.placed(
                "BUY", "limit_limit_fok", base_size="0.001", limit_price=ask))
            assert hit["status"] == "FILLED"

    run(body)


def test_a_dated_order_expires_and_says_so() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            trader = Trader(venue)
            client = await trader.stream()
            end = later(0.4)
            order_id = await trader.placed(
                "BUY", "limit_limit_gtd", base_size="1", limit_price=FAR_BELOW, end_time=end)
            assert (await trader.order(order_id))["time_in_force"] == "GOOD_UNTIL_DATE_TIME"
            told = rows(client.take())
            while len(told) < 3:  # the test's deadline bounds it
                await client.settle()
                told += rows(client.take())
            assert [each["status"] for each in told] == ["PENDING", "OPEN", "EXPIRED"]
            assert told[0]["end_time"][:21] == end[:21]
            expired = await trader.get("/orders/historical/batch", "?order_status=EXPIRED")
            assert [each["order_id"] for each in expired["orders"]] == [order_id]

    run(body)


def test_an_edit_moves_the_order_and_leaves_a_trace() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            trader = Trader(venue)
            order_id = await trader.placed(
                "BUY", "limit_limit_gtc", base_size="1", limit_price=FAR_BELOW)
            edit = {"order_id": order_id, "price": "30001", "size": "2"}
            _, seen = await trader.call("POST", "/orders/edit_preview", edit)
            assert (seen["errors"], seen["base_size"]) == ([], "2")
            assert FAR_BELOW in venue.truth("BTC-USD")[0]  # a preview moves nothing
            assert await trader.call("POST", "/orders/edit", edit) == (
                200, {"success": True, "errors": []})
            assert venue.truth("BTC-USD")[0]["30001"] == "2"
            order = await trader.order(order_id)
            assert order["order_configuration"]["limit_limit_gtc"]["limit_price"] == "30001"
            assert [(each["price"], each["size"]) for each in order["edit_history"]] == [
                ("30001", "2")]

    run(body)


@pytest.mark.parametrize(("edit", "expected"), [
    ({"price": "30000", "size": "1"}, "EDIT_REQUEST_EQUAL_TO_ORIGINAL_REQUEST"),
    ({"price": "30000.01"}, "INVALID_EDITED_PRICE"),
    ({"size": "0.0000000001"}, "INVALID_EDITED_SIZE"),
    ({"size": "1000"}, "COMMANDER_REJECTED_EDIT_ORDER"),
    ({"order_id": "00000000-0000-4000-8000-000000000000", "size": "1"}, "ORDER_NOT_FOUND"),
])
def test_a_bad_edit_is_refused_by_name(edit: dict[str, str], expected: str) -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            trader = Trader(venue)
            order_id = await trader.placed(
                "BUY", "limit_limit_gtc", base_size="1", limit_price=FAR_BELOW)
            for path in ("/orders/edit", "/orders/edit_preview"):
                status, answer = await trader.call("POST", path, {"order_id": order_id} | edit)
                assert status == 200
                assert answer["errors"][0]["edit_failure_reason"] == expected

    run(body)


def test_orders_of_one_user_never_trade() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            trader = Trader(venue)
            bid, ask = best(venue, "bid"), best(venue, "ask")
            middle = f"{(float(bid) + float(ask)) / 2:.1f}"
            maker = await trader.placed(
                "BUY", "limit_limit_gtc", base_size="1", limit_price=middle)
            client = await trader.stream()
            taker = await trader.placed(
                "SELL", "sor_limit_ioc", base_size="0.25", limit_price=middle)
            assert (await trader.order(maker))["filled_size"] == "0"
            assert (await trader.order(taker))["status"] == "CANCELLED"
            assert (await trader.get("/orders/historical/fills"))["fills"] == []
            await client.settle()
            told = {each["order_id"]: each for each in rows(client.take())}
            assert told[maker]["leaves_quantity"] == "0.75"
            assert told[taker]["cancel_reason"] == "Self trade prevention"

    run(body)


def test_a_halted_product_says_so_and_takes_nothing() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            trader = Trader(venue)
            order_id = await trader.placed(
                "BUY", "limit_limit_gtc", base_size="1", limit_price=FAR_BELOW)
            venue.world.faults.add(Fault("coinbase", Kind.HALT))
            venue.world.servers["coinbase"].face.floor.tick()
            _, product = await venue.get("/api/v3/brokerage/market/products/BTC-USD")
            assert product["trading_disabled"] is True
            answer = await trader.place(
                "BUY", "limit_limit_gtc", base_size="1", limit_price=FAR_BELOW)
            assert answer["error_response"]["new_order_failure_reason"] == "TRADING_DISABLED"
            (result,) = await trader.cancel(order_id)
            assert result["failure_reason"] == "COMMANDER_REJECTED_CANCEL_ORDER"

    run(body)


def test_a_lost_answer_leaves_an_order_that_the_same_id_finds() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            trader = Trader(venue)
            venue.world.faults.add(Fault("coinbase", Kind.ANSWER_5XX, count=1))
            order = {"client_order_id": "once", "product_id": "BTC-USD", "side": "BUY",
                     "order_configuration": {"limit_limit_gtc": {
                         "base_size": "1", "limit_price": FAR_BELOW}}}
            status, _ = await trader.call("POST", "/orders", order)
            assert status == 503
            status, answer = await trader.call("POST", "/orders", order)
            assert (status, answer["success"]) == (200, True)
            body = await trader.get("/orders/historical/batch", "?order_status=OPEN")
            assert len(body["orders"]) == 1

    run(body)


def test_a_cancel_that_loses_the_race_finds_the_order_filled() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            trader = Trader(venue)
            bid = best(venue, "bid")
            order_id = await trader.placed(
                "BUY", "limit_limit_gtc", base_size="0.5", limit_price=bid)
            venue.world.faults.add(Fault("coinbase", Kind.CANCEL_FILL_RACE, count=1))
            (result,) = await trader.cancel(order_id)
            assert (result["success"], result["failure_reason"]) == (
                False, "ORDER_IS_FULLY_FILLED")
            assert (await trader.order(order_id))["status"] == "FILLED"

    run(body)


def test_a_taker_that_met_its_own_order_tells_what_is_left_of_both() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            trader = Trader(venue)
            bid, ask = best(venue, "bid"), best(venue, "ask")
            middle = f"{(float(bid) + float(ask)) / 2:.1f}"
            maker = await trader.placed(
                "BUY", "limit_limit_gtc", base_size="0.25", limit_price=middle)
            client = await trader.stream()
            taker = await trader.placed(
                "SELL", "limit_limit_gtc", base_size="1", limit_price=middle)
            await client.settle()
            told = {each["order_id"]: each for each in rows(client.take())}
            assert (told[maker]["status"], told[maker]["leaves_quantity"]) == ("CANCELLED", "0")
            assert (told[taker]["status"], told[taker]["leaves_quantity"]) == ("OPEN", "0.75")

    run(body)


def test_queries_that_lag_hide_what_the_venue_knows() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            trader, floor = Trader(venue), venue.world.servers["coinbase"].face.floor
            client = await trader.stream()
            venue.world.faults.add(Fault("coinbase", Kind.QUERY_LAG, ms=60_000))
            floor.tick()
            limits = {"base_size": "0.001", "limit_price": best(venue, "ask")}
            filled = await trader.placed("BUY", "sor_limit_ioc", **limits)
            resting = await trader.placed(
                "BUY", "limit_limit_gtc", client_id="mine", base_size="1", limit_price=FAR_BELOW)
            await client.settle()
            told = rows(client.take())
            assert [each["order_id"] for each in told] == [filled] * 2 + [resting] * 2
            assert (await trader.call("GET", f"/orders/historical/{filled}"))[0] == 404
            assert (await trader.get("/orders/historical/batch"))["orders"] == []
            assert (await trader.get("/orders/historical/fills"))["fills"] == []
            assert await trader.placed(
                "BUY", "limit_limit_gtc", client_id="mine", base_size="1",
                limit_price=FAR_BELOW) == resting
            assert (await trader.cancel(resting))[0]["success"] is True

    run(body)
