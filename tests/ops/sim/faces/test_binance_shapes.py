"""Binance spot's messages have the keys, types and number formats of the documented samples.

Samples: shared/venues/binance.md and binance-spot-api-docs @ a5e0bc3, rest-api.md,
user-data-stream.md; read 2026-11-21.
"""

import json
import re
from typing import Any

import pytest

from tests.ops.sim.faces.binance_client import Trader, a_trader, best
from tests.ops.sim.wire import run

FULL = """{"symbol":"BTCUSDT","orderId":28,"orderListId":-1,
"clientOrderId":"6gCrw2kRUAF9CvJDGP16IP","transactTime":1507725176595,"price":"0.00000000","origQty":"10.00000000",
"executedQty":"10.00000000","origQuoteOrderQty":"0.00000000","cummulativeQuoteQty":"10.00000000",
"status":"FILLED","timeInForce":"GTC","type":"MARKET","side":"SELL","workingTime":1507725176595,
"selfTradePreventionMode":"NONE","fills":[{"price":"4000.00000000","qty":"1.00000000",
"commission":"4.00000000","commissionAsset":"USDT","tradeId":56}]}"""
CANCEL = """{"symbol":"LTCBTC","origClientOrderId":"myOrder1","orderId":4,"orderListId":-1,
"clientOrderId":"cancelMyOrder1","transactTime":1684804350068,"price":"2.00000000",
"origQty":"1.00000000","executedQty":"0.00000000","origQuoteOrderQty":"0.00000000",
"cummulativeQuoteQty":"0.00000000","status":"CANCELED","timeInForce":"GTC","type":"LIMIT",
"side":"BUY","selfTradePreventionMode":"NONE"}"""
ORDER = """{"symbol":"LTCBTC","orderId":1,"orderListId":-1,"clientOrderId":"myOrder1",
"price":"0.10000000","origQty":"1.00000000","executedQty":"0.00000000",
"cummulativeQuoteQty":"0.00000000","status":"NEW","timeInForce":"GTC","type":"LIMIT","side":"BUY",
"stopPrice":"0.00000000","icebergQty":"0.00000000","time":1499827319559,
"updateTime":1499827319559,"isWorking":true,"workingTime":1499827319559,
"origQuoteOrderQty":"0.00000000","selfTradePreventionMode":"NONE"}"""
AMENDED = """{"transactTime":1741926410255,"executionId":75,"amendedOrder":{"symbol":"BTCUSDT",
"orderId":33,"orderListId":-1,"origClientOrderId":"5xrgbMyg6z36NzBn2pbT8H",
"clientOrderId":"PFaq6hIHxqFENGfdtn4J6Q","price":"6.00000000","qty":"5.00000000",
"executedQty":"0.00000000","preventedQty":"0.00000000","quoteOrderQty":"0.00000000",
"cumulativeQuoteQty":"0.00000000","status":"NEW","timeInForce":"GTC","type":"LIMIT","side":"SELL",
"workingTime":1741926410242,"selfTradePreventionMode":"NONE"}}"""
REPORT = """{"e":"executionReport","E":1499405658658,"s":"ETHBTC","c":"mUvoqJxFIILMdfAW5iGSOW",
"S":"BUY","o":"LIMIT","f":"GTC","q":"1.00000000","p":"0.10264410","P":"0.00000000",
"F":"0.00000000","g":-1,"C":"","x":"NEW","X":"NEW","r":"NONE","i":4293153,"l":"0.00000000",
"z":"0.00000000","L":"0.00000000","n":"0","N":null,"T":1499405658657,"t":-1,"I":8641984,"w":true,
"m":false,"M":false,"O":1499405658657,"Z":"0.00000000","Y":"0.00000000","Q":"0.00000000",
"W":1499405658657,"V":"NONE"}"""
POSITION = """{"e":"outboundAccountPosition","E":1564034571105,"u":1564034571073,
"B":[{"a":"ETH","f":"10000.00000000","l":"0.00000000"}]}"""
TRADE = """{"symbol":"BNBBTC","id":28457,"orderId":100234,"orderListId":-1,"price":"4.00000100",
"qty":"12.00000000","quoteQty":"48.00001200","commission":"10.10000000","commissionAsset":"BNB",
"time":1499865549590,"isBuyer":true,"isMaker":false,"isBestMatch":true}"""
COUNTS = """[{"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":50,"count":0},
{"rateLimitType":"ORDERS","interval":"DAY","intervalNum":1,"limit":160000,"count":0}]"""
PRINT = """{"id":28457,"price":"4.00000100","qty":"12.00000000","quoteQty":"48.00001200",
"time":1499865549590,"isBuyerMaker":true,"isBestMatch":true}"""
SUM = """{"a":26129,"p":"0.01633102","q":"4.70443515","f":27781,"l":27781,"T":1498793709153,
"m":true,"M":true}"""


def shape(value: Any) -> Any:
    """Return keys and types; of numbers in text how many decimals they have."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    if isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?", value):
        return f"number with {len(value.partition('.')[2])} decimals"
    if isinstance(value, int) and not isinstance(value, bool):
        return "time in ms" if len(str(value)) == 13 else "whole number"
    return type(value).__name__


async def collect(trader: Trader) -> dict[str, Any]:
    """Do a bit of everything and keep one message of each kind."""
    stream = await trader.listen()
    low = f"{best(trader)[0] * 0.9:.1f}"
    rest = (await trader.limit("BUY", low, "0.02")).body
    by = {"symbol": "BTCUSDT", "orderId": rest["orderId"]}
    kept: dict[str, Any] = {"order": (await trader.ask("GET", "/order", **by)).body}
    kept["amended"] = (
        await trader.ask("PUT", "/order/amend/keepPriority", newQty="0.01", **by)).body
    kept["cancel"] = (await trader.ask("DELETE", "/order", **by)).body
    kept["full"] = (await trader.order(side="SELL", type="MARKET", quantity="0.01")).body
    kept["trade"] = (await trader.ask("GET", "/myTrades", symbol="BTCUSDT")).body[0]
    kept["counts"] = (await trader.ask("GET", "/rateLimit/order")).body
    trader.venue.step(10.0)
    for name, path in (("print", "/trades"), ("sum", "/aggTrades")):
        reply = await trader.ask("GET", path, signed=False, symbol="BTCUSDT")
        kept[name] = reply.body[0]
    await stream.settle()
    events = [frame["event"] for frame in stream.take()]
    kept["report"] = next(each for each in events if each.get("x") == "NEW")
    kept["position"] = next(each for each in events if each["e"] == "outboundAccountPosition")
    return kept


@pytest.mark.parametrize("name", [
    "full", "cancel", "order", "amended", "report", "position", "trade", "counts", "print", "sum"])
def test_a_message_has_the_shape_of_the_documented_sample(name: str) -> None:
    samples = {"full": FULL, "cancel": CANCEL, "order": ORDER, "amended": AMENDED,
               "report": REPORT, "position": POSITION, "trade": TRADE, "counts": COUNTS,
               "print": PRINT, "sum": SUM}

    async def body() -> None:
        async with a_trader() as trader:
            got = (await collect(trader))[name]
            assert shape(got) == shape(json.loads(samples[name]))

    run(body)


def test_a_catalogue_row_has_every_documented_key() -> None:
    keys = {
        "symbol", "status", "baseAsset", "baseAssetPrecision", "quoteAsset", "quotePrecision",
        "quoteAssetPrecision", "baseCommissionPrecision", "quoteCommissionPrecision", "orderTypes",
        "icebergAllowed", "ocoAllowed", "otoAllowed", "opoAllowed", "quoteOrderQtyMarketAllowed",
        "allowTrailingStop", "cancelReplaceAllowed", "amendAllowed", "pegInstructionsAllowed",
        "isSpotTradingAllowed", "isMarginTradingAllowed", "filters", "permissions",
        "permissionSets", "defaultSelfTradePreventionMode", "allowedSelfTradePreventionModes"}

    async def body() -> None:
        async with a_trader() as trader:
            info = (await trader.ask("GET", "/exchangeInfo", signed=False)).body
            assert info.keys() == {
                "timezone", "serverTime", "rateLimits", "exchangeFilters", "symbols"}
            assert info["symbols"][0].keys() == keys

    run(body)
