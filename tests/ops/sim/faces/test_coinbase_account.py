"""Coinbase accounts, history and limits over REST: pages, filters, figures, refusals."""

from typing import Any

import pytest

from engine.model.fault import Fault, Kind
from tests.ops.sim.coinbase_trader import ROOT, Trader, frozen, unlimited
from tests.ops.sim.wire import a_venue, run

FAR_BELOW = "30000"
ORDER_KEYS = {  # shared/venues/coinbase.md and the samples it names
    "order_id", "product_id", "user_id", "order_configuration", "side", "client_order_id",
    "status", "time_in_force", "created_time", "completion_percentage", "filled_size",
    "average_filled_price", "fee", "number_of_fills", "filled_value", "pending_cancel",
    "size_in_quote", "total_fees", "size_inclusive_of_fees", "total_value_after_fees",
    "trigger_status", "order_type", "reject_reason", "settled", "product_type", "reject_message",
    "cancel_message", "order_placement_source", "outstanding_hold_amount", "is_liquidation",
    "last_fill_time", "edit_history", "leverage", "margin_type", "retail_portfolio_id",
}
FILL_KEYS = {
    "entry_id", "trade_id", "order_id", "trade_time", "trade_type", "price", "size", "commission",
    "product_id", "sequence_timestamp", "liquidity_indicator", "size_in_quote", "user_id", "side",
    "retail_portfolio_id",
}
WALLET_KEYS = {
    "uuid", "name", "currency", "available_balance", "default", "active", "created_at",
    "updated_at", "deleted_at", "type", "ready", "hold", "retail_portfolio_id",
}


async def pages(trader: Trader, path: str, field: str, query: str) -> list[list[dict[str, Any]]]:
    """Follow the cursor to the end."""
    found, cursor = [], ""
    while True:
        body = await trader.get(path, f"?{query}&cursor={cursor}")
        found.append(body[field])
        cursor = body["cursor"]
        if not cursor:
            return found


def test_wallets_tell_what_is_free_and_what_is_held_page_by_page() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD", "ETH/USD", "SOL/BTC") as venue:
            trader = Trader(venue)
            await trader.placed("BUY", "limit_limit_gtc", base_size="1", limit_price=FAR_BELOW)
            found = await pages(trader, "/accounts", "accounts", "limit=3")
            assert [len(page) for page in found] == [3, 1]
            wallets = {each["currency"]: each for page in found for each in page}
            assert all(set(each) >= WALLET_KEYS for each in wallets.values())
            assert wallets["USD"]["hold"] == {"value": "30360", "currency": "USD"}
            assert wallets["USD"]["available_balance"]["value"] == "969640"
            assert wallets["USD"]["type"] == "ACCOUNT_TYPE_FIAT"
            one = await trader.get(f"/accounts/{wallets['BTC']['uuid']}")
            assert one["account"]["available_balance"] == wallets["BTC"]["available_balance"]
            assert (await trader.call("GET", "/accounts/nobody"))[0] == 404
            assert (await trader.call("GET", "/accounts", query="?limit=251"))[0] == 400

    run(body)


def test_the_old_apps_wallets_tell_one_amount() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD", "ETH/USD") as venue:
            trader, path = Trader(venue), "/v2/accounts"
            await trader.placed("BUY", "limit_limit_gtc", base_size="1", limit_price=FAR_BELOW)
            first = await trader.plain(path, "?limit=2")
            after = first["pagination"]["next_starting_after"]
            then = await trader.plain(path, f"?limit=2&starting_after={after}")
            assert then["pagination"]["next_starting_after"] is None
            amounts = {each["balance"]["currency"]: each["balance"]["amount"]
                       for each in (*first["data"], *then["data"])}
            assert amounts["USD"] == "1000000"
            assert len(amounts) == 3
            assert await venue.get(path) == (401, "")

    run(body)


def test_orders_are_filtered_and_paged_newest_first() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD", "ETH/USD") as venue:
            trader = Trader(venue)
            unlimited(venue)
            ids = [await trader.placed(
                "BUY", "limit_limit_gtc", product, base_size="1", limit_price="1000")
                for product in ("BTC-USD", "ETH-USD", "BTC-USD")]
            ids.append(await trader.placed("SELL", "market_market_ioc", base_size="0.01"))
            await trader.cancel(ids[0])
            path = "/orders/historical/batch"
            found = await pages(trader, path, "orders", "limit=3")
            assert [[each["order_id"] for each in page] for page in found] == [
                ids[:0:-1], ids[:1]]
            assert all(set(each) >= ORDER_KEYS for page in found for each in page)
            for query, expected in {
                "order_status=OPEN": [ids[2], ids[1]],
                "order_status=CANCELLED&order_status=FILLED": [ids[3], ids[0]],
                "product_ids=ETH-USD": [ids[1]], "order_side=SELL": [ids[3]],
                "product_id=ETH-USD": ids[::-1],  # singular: ignored without a word
                "order_types=MARKET": [ids[3]], "time_in_forces=IMMEDIATE_OR_CANCEL": [ids[3]],
                f"order_ids={ids[2]}&order_ids={ids[0]}": [ids[2], ids[0]],
                "start_date=2099-01-01T00:00:00Z": [], "end_date=2020-01-01T00:00:00Z": [],
                "product_type=FUTURE": [], "asset_filters=ETH": [ids[1]],
            }.items():
                body = await trader.get(path, f"?{query}")
                assert [each["order_id"] for each in body["orders"]] == expected, query
            for query in ("order_status=OPEN&order_status=FILLED", "order_status=SOON", "limit=0",
                          "cursor=x", "start_date=yesterday"):
                assert (await trader.call("GET", path, query=f"?{query}"))[0] == 400, query

    run(body)


def test_fills_are_filtered_and_paged_newest_first() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD", "ETH/USD") as venue:
            trader = Trader(venue)
            first = await trader.placed("SELL", "market_market_ioc", base_size="0.001")
            await trader.placed("SELL", "market_market_ioc", "ETH-USD", base_size="0.01")
            await trader.placed("SELL", "market_market_ioc", base_size="0.001")
            path = "/orders/historical/fills"
            found = [each for page in await pages(trader, path, "fills", "limit=1")
                     for each in page]
            assert [each["product_id"] for each in found] == ["BTC-USD", "ETH-USD", "BTC-USD"]
            assert all(set(each) == FILL_KEYS for each in found)
            (fill,) = (await trader.get(path, f"?order_ids={first}"))["fills"]
            assert fill == found[-1]
            (fill,) = (await trader.get(path, f"?trade_ids={fill['trade_id']}"))["fills"]
            assert fill == found[-1]
            (fill,) = (await trader.get(path, "?product_ids=ETH-USD"))["fills"]
            assert fill == found[1]
            since = found[0]["sequence_timestamp"]
            body = await trader.get(path, f"?start_sequence_timestamp={since}")
            assert body["fills"] == found[:1]

    run(body)


def test_strangers_orders_are_not_found() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            main, other = Trader(venue), Trader(venue, "other")
            order_id = await main.placed(
                "BUY", "limit_limit_gtc", base_size="1", limit_price=FAR_BELOW)
            status, answer = await other.call("GET", f"/orders/historical/{order_id}")
            assert status == 404
            assert answer["message"] == "order with this orderID was not found"
            (result,) = await other.cancel(order_id)
            assert result["failure_reason"] == "UNKNOWN_CANCEL_ORDER"
            assert (await main.order(order_id))["status"] == "OPEN"

    run(body)


def test_a_batch_of_cancels_is_bounded() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            trader = Trader(venue)
            for order_ids in ([], ["x"] * 101, "x", [1]):
                status, answer = await trader.call(
                    "POST", "/orders/batch_cancel", {"order_ids": order_ids})
                assert (status, answer["error"]) == (400, "INVALID_ARGUMENT")

    run(body)


def test_fees_permissions_portfolios_and_best_prices() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            trader = Trader(venue)
            await trader.placed("SELL", "market_market_ioc", base_size="0.01")
            summary = await trader.get("/transaction_summary", "?product_type=SPOT")
            tier = summary["fee_tier"]
            assert (tier["taker_fee_rate"], tier["maker_fee_rate"]) == ("0.012", "0.006")
            assert summary["total_fees"] == pytest.approx(summary["total_volume"] * 0.012)
            permissions = await trader.get("/key_permissions")
            portfolios = (await trader.get("/portfolios"))["portfolios"]
            assert [each["uuid"] for each in portfolios] == [permissions["portfolio_uuid"]]
            body = await trader.get("/best_bid_ask", "?product_ids=BTC-USD")
            bids, asks = venue.truth("BTC-USD")
            (book,) = body["pricebooks"]
            assert float(book["bids"][0]["price"]) == max(map(float, bids))
            assert float(book["asks"][0]["price"]) == min(map(float, asks))
            assert (await trader.call("GET", "/best_bid_ask", query="?product_ids=A-B"))[0] == 400
            _, listed = await venue.get(f"{ROOT}/market/products/BTC-USD")
            assert await trader.get("/products/BTC-USD") == listed

    run(body)


def test_users_have_thirty_calls_a_second_and_addresses_ten() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            trader, other, clock = Trader(venue), Trader(venue, "other"), frozen(venue)
            calls = [await trader.call("GET", "/key_permissions") for _ in range(31)]
            assert [status for status, _ in calls] == [200] * 30 + [429]
            assert calls[-1][1] == {"errors": [
                {"id": "rate_limit_exceeded", "message": "Too many requests"}]}
            assert {name: text for name, text in trader.headers.items() if "ratelimit" in name} == {
                "x-ratelimit-limit": "30", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}
            assert (await other.call("GET", "/key_permissions"))[0] == 200
            assert other.headers["x-ratelimit-remaining"] == "29"
            public = [(await venue.get(f"{ROOT}/time"))[0] for _ in range(11)]
            assert public == [200] * 10 + [429]
            clock.advance(10**9)
            assert (await trader.call("GET", "/key_permissions"))[0] == 200
            assert (await venue.get(f"{ROOT}/time"))[0] == 200

    run(body)


def test_what_faults_refuse_is_said_in_the_venues_words() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            trader = Trader(venue)
            for kind, expected, words in (
                (Kind.HTTP_429, 429, "rate_limit_exceeded"),
                (Kind.HTTP_500, 500, "internal_server_error"),
            ):
                venue.world.faults.add(Fault("coinbase", kind, count=1))
                status, answer = await trader.call("GET", "/accounts")
                assert (status, answer["errors"][0]["id"]) == (expected, words)
            venue.world.faults.add(Fault("coinbase", Kind.MAINTENANCE))
            status, answer = await trader.call("GET", "/accounts")
            assert (status, answer["message"]) == (503, "under maintenance")

    run(body)


@pytest.mark.parametrize(("method", "path", "expected"), [
    ("GET", "/orders", 405), ("DELETE", "/orders", 405), ("POST", "/accounts", 405),
    ("GET", "/nothing", 404), ("GET", "/products/NO-PE", 404), ("GET", "/products/", 404),
    ("GET", "/orders/historical/nothing", 404), ("POST", "/market/products", 405),
    ("GET", "/market/products/BTC-USD/nothing", 404),
])
def test_other_paths_and_methods_do_not_exist(method: str, path: str, expected: int) -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            assert (await Trader(venue).call(method, path))[0] == expected

    run(body)
