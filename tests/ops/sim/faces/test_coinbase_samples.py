"""Every sample message of the venue page has its like: its keys, its types, its forms of text."""

import re
from typing import Any

from tests.ops.sim.coinbase_trader import ROOT, Trader
from tests.ops.sim.wire import a_venue, run

DECIMAL = re.compile(r"-?\d+(\.\d+)?")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")

ACK = {"channel": "subscriptions", "client_id": "", "timestamp": "2024-10-04T07:13:08.600625889Z",
       "sequence_num": 1, "events": [{"subscriptions": {"market_trades": ["ETH-USDT"]}}]}
BOOK = {"channel": "l2_data", "client_id": "", "timestamp": "2026-04-07T14:30:00.123456Z",
        "sequence_num": 0, "events": [{"type": "snapshot", "product_id": "BTC-USD", "updates": [
            {"side": "bid", "event_time": "2026-04-07T14:30:00.123456Z",
             "price_level": "68900.00", "new_quantity": "1.50000000"}]}]}
TRADES = {"channel": "market_trades", "client_id": "",
          "timestamp": "2024-10-04T07:13:31.158696693Z", "sequence_num": 2,
          "events": [{"type": "update", "trades": [
              {"product_id": "ETH-USDT", "trade_id": "22381691", "price": "2375.56",
               "size": "0.5", "time": "2024-10-04T07:13:31.088388Z", "side": "BUY"}]}]}
TICKER = {"channel": "ticker", "timestamp": "2023-02-09T20:30:37.167359596Z", "sequence_num": 0,
          "events": [{"type": "snapshot", "tickers": [
              {"type": "ticker", "product_id": "ETH-USDT", "price": "21932.98",
               "best_bid": "21931.98", "best_bid_quantity": "8000.21", "best_ask": "21933.98",
               "best_ask_quantity": "8038.07770938", "volume_24_h": "16038.28770938"}]}]}
HEARTBEAT = {"channel": "heartbeats", "client_id": "",
             "timestamp": "2026-04-07T14:30:00.123456Z", "sequence_num": 1,
             "events": [{"current_time": "any form", "heartbeat_counter": 66987}]}
USER = {"channel": "user", "client_id": "", "timestamp": "2023-02-09T20:33:57.609931463Z",
        "sequence_num": 0, "events": [{"type": "snapshot", "orders": [
            {"order_id": "YYY", "client_order_id": "XXX", "product_id": "BTC-USD",
             "order_side": "BUY", "order_type": "Limit", "status": "FILLED",
             "limit_price": "50000", "avg_price": "50000", "cumulative_quantity": "0.01",
             "leaves_quantity": "0", "filled_value": "500", "number_of_fills": "1",
             "total_fees": "2", "time_in_force": "GOOD_UNTIL_CANCELLED", "post_only": "false",
             "cancel_reason": "", "reject_reason": "", "outstanding_hold_amount": "0",
             "creation_time": "2024-06-21T18:29:13.909347Z",
             "end_time": "0001-01-01T00:00:00Z"}]}]}
PRODUCT = {"product_id": "BTC-USD", "price": "68923.67", "base_increment": "0.00000001",
           "quote_increment": "0.01", "price_increment": "0.01", "quote_min_size": "1",
           "quote_max_size": "150000000", "base_min_size": "0.00000001",
           "base_max_size": "3400", "status": "online", "cancel_only": False,
           "limit_only": False, "post_only": False, "trading_disabled": False,
           "auction_mode": False, "is_disabled": False, "view_only": False,
           "product_type": "SPOT", "quote_currency_id": "USD", "base_currency_id": "BTC",
           "alias": "", "alias_to": [], "product_venue": "CBE"}
PRICEBOOK = {"pricebook": {"product_id": "BTC-USD",
                           "bids": [{"price": "68923.66", "size": "0.17189468"}],
                           "asks": [{"price": "68923.67", "size": "0.16987193"}],
                           "time": "2026-04-07T00:28:59.662782Z"},
             "last": "68923.665", "mid_market": "68923.665", "spread_bps": "0.001450880372",
             "spread_absolute": "0.01"}
TIME_OF_DAY = {"iso": "2026-04-07T14:30:00Z", "epochSeconds": "1", "epochMillis": "1000"}
PLACED = {"success": True, "success_response": {
    "order_id": "11111-...", "product_id": "BTC-USD", "side": "BUY",
    "client_order_id": "0000-..."}}
REFUSED = {"success": False, "error_response": {
    "error": "UNKNOWN_FAILURE_REASON", "message": "", "error_details": "",
    "preview_failure_reason": "PREVIEW_STOP_PRICE_ABOVE_LAST_TRADE_PRICE"},
    "order_configuration": {}}
CANCELLED = {"results": [{"success": True, "failure_reason": "UNKNOWN_CANCEL_FAILURE_REASON",
                          "order_id": "0000-00000"}]}
FILL = {"entry_id": "id", "trade_id": "id", "order_id": "id",
        "trade_time": "2024-01-15T10:30:00Z", "trade_type": "FILL", "price": "45123.45",
        "size": "0.005", "commission": "1.14", "product_id": "BTC-USD",
        "liquidity_indicator": "MAKER", "size_in_quote": False, "side": "BUY"}


def check(sample: Any, ours: Any, where: str) -> None:
    """Compare all that the sample has; ours may have more keys."""
    assert type(sample) is type(ours), where
    if isinstance(sample, dict):
        for key, value in sample.items():
            assert key in ours, f"{where}.{key}"
            check(value, ours[key], f"{where}.{key}")
    elif isinstance(sample, list) and sample:
        check(sample[0], ours[0], f"{where}[0]")
    elif isinstance(sample, str):
        for form in (DECIMAL, TIME):
            if form.fullmatch(sample):
                assert form.fullmatch(ours), f"{where}: {ours}"


def test_stream_messages_have_the_samples_keys_and_forms() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            trader = Trader(venue)
            client = await venue.connect()
            await trader.placed("BUY", "limit_limit_gtc", base_size="1", limit_price="30000")
            for channel in ("market_trades", "level2", "ticker"):
                client.ask({"type": "subscribe", "channel": channel, "product_ids": ["BTC-USD"]})
            client.ask({"type": "subscribe", "channel": "heartbeats"},
                       {"type": "subscribe", "channel": "user", "jwt": trader.token()})
            await client.settle()
            venue.step(5.0)
            venue.world.servers["coinbase"].beat(1)
            await trader.placed("SELL", "market_market_ioc", base_size="0.01")
            await client.settle()
            frames, met = client.take(), set[str]()
            samples = {each["channel"]: each for each in (
                BOOK, TRADES, TICKER, HEARTBEAT, USER)}
            for frame in frames:
                channel = frame["channel"]
                met.add(channel)
                if channel == "subscriptions":
                    if "market_trades" in frame["events"][0]["subscriptions"]:
                        check(ACK, frame, channel)
                else:
                    check(samples[channel], frame, channel)
            assert met == {*samples, "subscriptions"}

    run(body)


def test_rest_answers_have_the_samples_keys_and_forms() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            trader = Trader(venue)
            _, product = await venue.get(f"{ROOT}/market/products/BTC-USD")
            _, book = await venue.get(f"{ROOT}/market/product_book?product_id=BTC-USD&limit=1")
            _, time = await venue.get(f"{ROOT}/time")
            placed = await trader.place("SELL", "market_market_ioc", base_size="0.01")
            refused = await trader.place("SELL", "market_market_ioc", base_size="0")
            fills = (await trader.get("/orders/historical/fills"))["fills"]
            resting = await trader.placed(
                "BUY", "limit_limit_gtc", base_size="1", limit_price="30000")
            _, cancelled = await trader.call(
                "POST", "/orders/batch_cancel", {"order_ids": [resting]})
            for sample, ours, name in (
                (PRODUCT, product, "product"), (PRICEBOOK, book, "book"),
                (TIME_OF_DAY, time, "time"), (PLACED, placed, "placed"),
                (REFUSED, refused, "refused"), (CANCELLED, cancelled, "cancelled"),
                (FILL, fills[0], "fill"),
            ):
                check(sample, ours, name)

    run(body)
