"""Order entry at Binance spot over real sockets: what is asked, answered, told and remembered."""

from typing import Any

import pytest

from ops.sim.exchange.filters import Reason, Refusal
from ops.sim.exchange.orders import Request
from ops.sim.faces.binance.spot_reasons import Words
from tests.ops.sim.faces.binance_client import Trader, a_trader, best, events
from tests.ops.sim.wire import run


def test_a_resting_order_is_answered_told_queried_and_cancelled() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            stream = await trader.listen()
            bid, _ = best(trader)
            price = f"{bid * 0.9:.1f}"
            placed = await trader.limit("BUY", price, "0.01", newClientOrderId="mine-1")
            assert placed.status == 200, placed.body
            assert placed.body.items() >= {
                "symbol": "BTCUSDT", "orderListId": -1, "clientOrderId": "mine-1",
                "price": price + "0000000", "origQty": "0.01000000", "executedQty": "0.00000000",
                "origQuoteOrderQty": "0.00000000", "cummulativeQuoteQty": "0.00000000",
                "status": "NEW", "timeInForce": "GTC", "type": "LIMIT", "side": "BUY",
                "selfTradePreventionMode": "EXPIRE_MAKER", "fills": []}.items()
            order_id = placed.body["orderId"]
            for by in ({"orderId": order_id}, {"origClientOrderId": "mine-1"}):
                asked = await trader.ask("GET", "/order", symbol="BTCUSDT", **by)
                assert asked.body["status"] == "NEW"
            listed = await trader.ask("GET", "/openOrders", symbol="BTCUSDT")
            assert [each["orderId"] for each in listed.body] == [order_id]
            gone = await trader.ask("DELETE", "/order", symbol="BTCUSDT",
                                    origClientOrderId="mine-1", newClientOrderId="cancel-1")
            assert gone.body.items() >= {
                "origClientOrderId": "mine-1", "clientOrderId": "cancel-1",
                "status": "CANCELED"}.items()
            await stream.settle()
            told = events(stream)
            reports = [each for each in told if each["e"] == "executionReport"]
            assert [(each["x"], each["X"], each["c"], each["C"]) for each in reports] == [
                ("NEW", "NEW", "mine-1", ""), ("CANCELED", "CANCELED", "cancel-1", "mine-1")]
            money = [each for each in told if each["e"] == "outboundAccountPosition"]
            assert [row["a"] for each in money for row in each["B"]] == ["BTC", "USDT"] * 2
            assert float(money[0]["B"][1]["l"]) == pytest.approx(float(price) * 0.01)

    run(body)


def test_a_market_order_fills_and_answer_stream_trades_and_money_agree() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            stream = await trader.listen()
            before = await money(trader)
            filled = await trader.order(side="BUY", type="MARKET", quantity="0.02")
            assert filled.status == 200, filled.body
            assert filled.body["status"] == "FILLED"
            fills = filled.body["fills"]
            assert sum(float(each["qty"]) for each in fills) == pytest.approx(0.02)
            assert {each["commissionAsset"] for each in fills} == {"BTC"}
            await stream.settle()
            told = [each for each in events(stream) if each.get("x") == "TRADE"]
            assert [(each["t"], each["L"], each["l"], each["n"]) for each in told] == [
                (each["tradeId"], each["price"], each["qty"], each["commission"])
                for each in fills]
            assert told[-1]["X"] == "FILLED"
            trades = await trader.ask("GET", "/myTrades", symbol="BTCUSDT")
            assert [each["id"] for each in trades.body] == [each["tradeId"] for each in fills]
            after = await money(trader)
            spent = sum(float(each["price"]) * float(each["qty"]) for each in fills)
            paid = sum(float(each["commission"]) for each in fills)
            assert before["USDT"] - after["USDT"] == pytest.approx(spent)
            assert after["BTC"] - before["BTC"] == pytest.approx(0.02 - paid)

    run(body)


async def money(trader: Trader) -> dict[str, float]:
    account: Any = (await trader.ask("GET", "/account")).body
    return {each["asset"]: float(each["free"]) for each in account["balances"]}


@pytest.mark.parametrize(("params", "status", "code", "text"), [
    ({"symbol": "NOPE"}, 400, -1121, "Invalid symbol."),
    ({"symbol": ""}, 400, -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or "
     "malformed."),
    ({"side": "LONG"}, 400, -1117, "Invalid side."),
    ({"type": "ODD"}, 400, -1116, "Invalid orderType."),
    ({"timeInForce": "GTX"}, 400, -1115, "Invalid timeInForce."),
    ({"timeInForce": None}, 400, -1102, "Mandatory parameter 'timeInForce' was not sent, was "
     "empty/null, or malformed."),
    ({"price": None}, 400, -1102, "Mandatory parameter 'price' was not sent, was empty/null, or "
     "malformed."),
    ({"quantity": None}, 400, -1102, "Mandatory parameter 'quantity' was not sent, was empty/null"
     ", or malformed."),
    ({"price": "1e4"}, 400, -1100, "Illegal characters found in parameter 'price'; legal range is "
     "'^([0-9]{1,20})(\\.[0-9]{1,20})?$'."),
    ({"price": "-1"}, 400, -1100, "Illegal characters found in parameter 'price'; legal range is "
     "'^([0-9]{1,20})(\\.[0-9]{1,20})?$'."),
    ({"price": "50000.123456789"}, 400, -1111, "Parameter 'price' has too much precision."),
    ({"price": "0"}, 400, -1013, "Invalid price."),
    ({"quantity": "0.0"}, 400, -1013, "Invalid quantity."),
    ({"price": "60000.01"}, 400, -1013, "Filter failure: PRICE_FILTER"),
    ({"quantity": "0.00001"}, 400, -1013, "Filter failure: LOT_SIZE"),
    ({"quantity": "99999999"}, 400, -1013, "Filter failure: LOT_SIZE"),
    ({"price": "900000.0"}, 400, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
    ({"price": "1000.0"}, 400, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
    ({"price": "40000.0", "quantity": "0.0001"}, 400, -1013, "Filter failure: NOTIONAL"),
    ({"quantity": "5000"}, 400, -2010, "Account has insufficient balance for requested action."),
    ({"quoteOrderQty": "10"}, 400, -1106, "Parameter 'quoteOrderQty' sent when not required."),
    ({"stopPrice": "10"}, 400, -1106, "Parameter 'stopPrice' sent when not required."),
    ({"icebergQty": "0.1"}, 400, -2010, "Iceberg orders are not supported for this symbol."),
    ({"trailingDelta": "10"}, 400, -2010,
     "Trailing stop orders are not supported for this symbol."),
    ({"type": "STOP_LOSS_LIMIT", "stopPrice": "1"}, 400, -2010,
     "Stop loss limit orders are not supported for this symbol."),
    ({"type": "LIMIT_MAKER"}, 400, -1106, "Parameter 'timeInForce' sent when not required."),
    ({"type": "LIMIT_MAKER", "timeInForce": None, "price": "90000.0"}, 400, -2010,
     "Order would immediately match and take."),
    ({"newClientOrderId": "a b"}, 400, -1100, "Illegal characters found in parameter "
     "'newClientOrderId'; legal range is '^[a-zA-Z0-9-_]{1,36}$'."),
    ({"newClientOrderId": "x" * 37}, 400, -1100, "Illegal characters found in parameter "
     "'newClientOrderId'; legal range is '^[a-zA-Z0-9-_]{1,36}$'."),
    ({"newClientOrderId": ""}, 400, -1105, "Parameter 'newClientOrderId' was empty."),
    ({"newOrderRespType": "ALL"}, 400, -1130,
     "Data sent for parameter 'newOrderRespType' is not valid."),
    ({"selfTradePreventionMode": "MAYBE"}, 400, -1130,
     "Data sent for parameter 'selfTradePreventionMode' is not valid."),
    ({"strategyType": "7"}, 400, -1134, "`strategyType` was less than 1000000."),
    ({"colour": "blue"}, 400, -1104,
     "Not all sent parameters were read; read '8' parameter(s) but was sent '9'."),
])
def test_a_wrong_order_is_refused_in_the_venues_words_and_changes_nothing(
    params: dict[str, Any], status: int, code: int, text: str
) -> None:
    async def body() -> None:
        async with a_trader() as trader:
            before = trader.venue.world.account_truth("binance", "main")
            wanted = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": "50000.0",
                      "quantity": "0.01", "symbol": "BTCUSDT"} | params
            wanted = {name: value for name, value in wanted.items() if value is not None}
            reply = await trader.ask("POST", "/order", **wanted)
            assert (reply.status, reply.body) == (status, {"code": code, "msg": text})
            tested = await trader.ask("POST", "/order/test", **wanted)
            money_alone = (code == -2010 and "balance" in text) or "match and take" in text
            assert tested.body == ({} if money_alone else {"code": code, "msg": text})
            assert trader.venue.world.account_truth("binance", "main") == before

    run(body)


@pytest.mark.parametrize(("params", "text"), [
    ({"quantity": "0.1", "price": "1"}, "Parameter 'price' sent when not required."),
    ({"quantity": "0.1", "timeInForce": "GTC"}, "Parameter 'timeInForce' sent when not required."),
    ({"quantity": "0.1", "quoteOrderQty": "9"},
     "Parameter 'quoteOrderQty' sent when not required."),
    ({}, "Param 'quantity' or 'quoteOrderQty' must be sent, but both were empty/null!"),
    ({"quoteOrderQty": "4.99"}, "Filter failure: NOTIONAL"),
    ({"quantity": "0.00001"}, "Filter failure: LOT_SIZE"),
    ({"quantity": "99999999"}, "Filter failure: MARKET_LOT_SIZE"),
    ({"quoteOrderQty": "90000000"}, "Account has insufficient balance for requested action."),
])
def test_a_wrong_market_order_is_refused(params: dict[str, Any], text: str) -> None:
    async def body() -> None:
        async with a_trader() as trader:
            reply = await trader.order(side="BUY", type="MARKET", **params)
            assert (reply.status, reply.body["msg"]) == (400, text)

    run(body)


def test_a_market_order_by_quote_spends_almost_all_of_it_in_whole_lots() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            for side in ("BUY", "SELL"):
                reply = await trader.order(side=side, type="MARKET", quoteOrderQty="1000")
                assert reply.body["status"] == "FILLED"
                assert reply.body["origQuoteOrderQty"] == "1000.00000000"
                assert 990 < float(reply.body["cummulativeQuoteQty"]) <= 1000
                assert reply.body["price"] == "0.00000000"

    run(body)


def test_ioc_and_fok_orders_expire_and_say_why() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            stream = await trader.listen()
            bid, ask = best(trader)
            low = f"{bid * 0.9:.1f}"
            ioc = await trader.limit("BUY", low, "0.01", timeInForce="IOC")
            fok = await trader.limit("BUY", f"{ask:.1f}", "5000", timeInForce="FOK")
            assert fok.body["code"] == -2010  # nobody has that much money
            fok = await trader.limit("BUY", low, "0.01", timeInForce="FOK")
            for reply, reason in ((ioc, "UNFILLED_IOC_QUANTITY_EXPIRED"),
                                  (fok, "UNFILLED_FOK_ORDER_EXPIRED")):
                assert (reply.body["status"], reply.body["fills"]) == ("EXPIRED", [])
                row = await trader.ask(
                    "GET", "/order", symbol="BTCUSDT", orderId=reply.body["orderId"])
                assert (row.body["status"], row.body["expiryReason"]) == ("EXPIRED", reason)
            await stream.settle()
            told = [(each["x"], each["X"], each.get("eR")) for each in events(stream)
                    if each["e"] == "executionReport"]
            assert told == [
                ("NEW", "NEW", None), ("EXPIRED", "EXPIRED", "UNFILLED_IOC_QUANTITY_EXPIRED"),
                ("NEW", "NEW", None), ("EXPIRED", "EXPIRED", "UNFILLED_FOK_ORDER_EXPIRED")]

    run(body)


def test_the_answer_has_the_wanted_form_and_each_type_its_own_default() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            low = f"{best(trader)[0] * 0.9:.1f}"
            ack = {"symbol", "orderId", "orderListId", "clientOrderId", "transactTime"}
            result = ack | {
                "price", "origQty", "executedQty", "origQuoteOrderQty", "cummulativeQuoteQty",
                "status", "timeInForce", "type", "side", "workingTime",
                "selfTradePreventionMode"}
            for form, keys in (("ACK", ack), ("RESULT", result), ("FULL", result | {"fills"})):
                reply = await trader.limit("BUY", low, "0.01", newOrderRespType=form)
                assert set(reply.body) == keys
            maker = await trader.order(
                side="BUY", type="LIMIT_MAKER", price=low, quantity="0.01", strategyId=7,
                strategyType=1_000_001)
            assert set(maker.body) == ack
            row = await trader.ask(
                "GET", "/order", symbol="BTCUSDT", orderId=maker.body["orderId"])
            assert set(row.body) == result - {"transactTime"} | {
                "stopPrice", "icebergQty", "time", "updateTime", "isWorking", "strategyId",
                "strategyType"}
            assert (row.body["type"], row.body["timeInForce"]) == ("LIMIT_MAKER", "GTC")

    run(body)


def test_a_client_id_is_taken_while_its_order_is_open_and_free_again_after() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            low = f"{best(trader)[0] * 0.9:.1f}"
            first = await trader.limit("BUY", low, "0.01", newClientOrderId="again")
            twice = await trader.limit("BUY", low, "0.01", newClientOrderId="again")
            assert twice.body == {"code": -2010, "msg": "Duplicate order sent."}
            await trader.ask("DELETE", "/order", symbol="BTCUSDT", origClientOrderId="again")
            third = await trader.limit("BUY", low, "0.01", newClientOrderId="again")
            assert third.body["orderId"] > first.body["orderId"]
            found = await trader.ask(
                "GET", "/order", symbol="BTCUSDT", origClientOrderId="again")
            assert found.body["orderId"] == third.body["orderId"]

    run(body)


def test_a_cancel_finds_its_order_or_says_that_it_is_unknown() -> None:
    async def body() -> None:
        async with a_trader("binance", "BTC/USDT", "ETH/USDT") as trader:
            low = f"{best(trader)[0] * 0.9:.1f}"
            placed = (await trader.limit("BUY", low, "0.01", newClientOrderId="mine")).body
            order_id, unknown = placed["orderId"], {"code": -2011, "msg": "Unknown order sent."}
            for params, answer in (
                ({"symbol": "ETHUSDT", "orderId": order_id}, unknown),
                ({"symbol": "BTCUSDT", "orderId": 1}, unknown),
                ({"symbol": "BTCUSDT", "origClientOrderId": "other"}, unknown),
                ({"symbol": "BTCUSDT"}, {"code": -1102, "msg": "Param 'origClientOrderId' or "
                 "'orderId' must be sent, but both were empty/null!"}),
                ({"symbol": "BTCUSDT", "orderId": order_id, "origClientOrderId": "other"},
                 {"code": -2039, "msg": "Client order ID is not correct for this order ID."}),
                ({"symbol": "BTCUSDT", "orderId": order_id, "cancelRestrictions": "NEVER"},
                 {"code": -1145, "msg": "Invalid cancelRestrictions"}),
                ({"symbol": "BTCUSDT", "orderId": order_id,
                  "cancelRestrictions": "ONLY_PARTIALLY_FILLED"},
                 {"code": -2011, "msg": "Order was not canceled due to cancel restrictions."}),
            ):
                reply = await trader.ask("DELETE", "/order", **params)
                assert (reply.status, reply.body) == (400, answer)
            gone = await trader.ask("DELETE", "/order", symbol="BTCUSDT", orderId=order_id,
                                    origClientOrderId="mine", cancelRestrictions="ONLY_NEW")
            assert gone.body["status"] == "CANCELED"
            again = await trader.ask("DELETE", "/order", symbol="BTCUSDT", orderId=order_id)
            assert again.body == unknown
            missing = await trader.ask("GET", "/order", symbol="BTCUSDT", orderId=5)
            assert missing.body == {"code": -2013, "msg": "Order does not exist."}

    run(body)


def test_cancel_all_takes_one_symbols_orders_and_needs_one() -> None:
    async def body() -> None:
        async with a_trader("binance", "BTC/USDT", "ETH/USDT") as trader:
            low = f"{best(trader)[0] * 0.9:.1f}"
            eth = f"{best(trader, 'ETHUSDT')[0] * 0.9:.2f}"
            ids = [(await trader.limit("BUY", low, "0.01")).body["orderId"] for _ in range(3)]
            kept = (await trader.limit("BUY", eth, "0.1", "ETHUSDT")).body["orderId"]
            gone = await trader.ask("DELETE", "/openOrders", symbol="BTCUSDT")
            assert [each["orderId"] for each in gone.body] == ids
            assert {each["status"] for each in gone.body} == {"CANCELED"}
            assert len({each["clientOrderId"] for each in gone.body}) == 1
            none = await trader.ask("DELETE", "/openOrders", symbol="BTCUSDT")
            assert (none.status, none.body["code"]) == (400, -2011)
            left = await trader.ask("GET", "/openOrders")
            assert [each["orderId"] for each in left.body] == [kept]

    run(body)


@pytest.mark.parametrize(("mode", "cancel", "price", "status", "code", "outcome"), [
    ("STOP_ON_FAILURE", True, 0.8, 200, None, ("SUCCESS", "SUCCESS")),
    ("STOP_ON_FAILURE", False, 0.8, 400, -2022, ("FAILURE", "NOT_ATTEMPTED")),
    ("STOP_ON_FAILURE", True, 1.2, 409, -2021, ("SUCCESS", "FAILURE")),
    ("ALLOW_FAILURE", False, 0.8, 409, -2021, ("FAILURE", "SUCCESS")),
    ("ALLOW_FAILURE", False, 1.2, 400, -2022, ("FAILURE", "FAILURE")),
    ("ALLOW_FAILURE", True, 1.2, 409, -2021, ("SUCCESS", "FAILURE")),
])
def test_cancel_replace_tells_both_outcomes(
    mode: str, cancel: bool, price: float, status: int, code: int | None,
    outcome: tuple[str, str],
) -> None:
    async def body() -> None:
        async with a_trader() as trader:
            bid, _ = best(trader)
            old = (await trader.limit("BUY", f"{bid * 0.9:.1f}", "0.01")).body
            reply = await trader.ask(
                "POST", "/order/cancelReplace", symbol="BTCUSDT", side="BUY", type="LIMIT_MAKER",
                price=f"{bid * price:.1f}", quantity="0.01", cancelReplaceMode=mode,
                cancelOrderId=old["orderId"] if cancel else 1)
            assert (reply.status, reply.body.get("code")) == (status, code)
            data = reply.body["data"] if code else reply.body
            assert (data["cancelResult"], data["newOrderResult"]) == outcome
            if outcome[0] == "SUCCESS":
                assert data["cancelResponse"]["origClientOrderId"] == old["clientOrderId"]
            else:
                assert data["cancelResponse"] == {"code": -2011, "msg": "Unknown order sent."}
            if outcome[1] == "FAILURE":
                assert data["newOrderResponse"] == {
                    "code": -2010, "msg": "Order would immediately match and take."}
            open_ids = [each["orderId"] for each in (await trader.ask("GET", "/openOrders")).body]
            assert (old["orderId"] in open_ids) == (outcome[0] == "FAILURE")
            assert len(open_ids) == (outcome[0] == "FAILURE") + (outcome[1] == "SUCCESS")

    run(body)


def test_an_order_is_made_smaller_in_place_under_a_new_client_id() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            stream = await trader.listen()
            low = f"{best(trader)[0] * 0.9:.1f}"
            order = (await trader.limit("BUY", low, "0.03", newClientOrderId="old")).body
            by = {"symbol": "BTCUSDT", "orderId": order["orderId"]}
            for quantity, text in (
                ("0.03", "The requested action would change no state; rejecting."),
                ("0.04", "Order amend (quantity increase) is not supported."),
                ("0.0000001", "Filter failure: LOT_SIZE"),
            ):
                no = await trader.ask("PUT", "/order/amend/keepPriority", newQty=quantity, **by)
                assert (no.status, no.body["msg"]) == (400, text)
            less = await trader.ask(
                "PUT", "/order/amend/keepPriority", newQty="0.02", newClientOrderId="new", **by)
            assert less.status == 200, less.body
            amended = less.body["amendedOrder"]
            assert (amended["origClientOrderId"], amended["clientOrderId"]) == ("old", "new")
            assert (amended["qty"], amended["status"]) == ("0.02000000", "NEW")
            row = await trader.ask("GET", "/order", symbol="BTCUSDT", origClientOrderId="new")
            assert row.body["origQty"] == "0.02000000"
            lost = await trader.ask("GET", "/order", symbol="BTCUSDT", origClientOrderId="old")
            assert lost.body["code"] == -2013
            free = await trader.limit("BUY", low, "0.01", newClientOrderId="old")
            assert free.status == 200
            history = await trader.ask("GET", "/order/amendments", **by)
            assert [(each["origClientOrderId"], each["newClientOrderId"], each["origQty"],
                     each["newQty"], each["executionId"]) for each in history.body] == [
                ("old", "new", "0.03000000", "0.02000000", less.body["executionId"])]
            await stream.settle()
            replaced = [each for each in events(stream) if each.get("x") == "REPLACED"]
            assert [(each["c"], each["C"], each["q"], each["I"]) for each in replaced] == [
                ("new", "old", "0.02000000", less.body["executionId"])]

    run(body)


@pytest.mark.parametrize(("mode", "taker", "maker"), [
    ("EXPIRE_MAKER", "NEW", "EXPIRED_IN_MATCH"),
    ("EXPIRE_TAKER", "EXPIRED_IN_MATCH", "NEW"),
    ("EXPIRE_BOTH", "EXPIRED_IN_MATCH", "EXPIRED_IN_MATCH"),
    ("DECREMENT", "NEW", "EXPIRED_IN_MATCH"),
    ("TRANSFER", "NEW", "EXPIRED_IN_MATCH"),
    ("NONE", "PARTIALLY_FILLED", "FILLED"),
])
def test_an_account_that_meets_itself_is_kept_apart_as_it_wished(
    mode: str, taker: str, maker: str
) -> None:
    async def body() -> None:
        async with a_trader() as trader:
            stream = await trader.listen()
            bid, ask = best(trader)
            price = f"{(bid + ask) / 2:.1f}"  # alone between the market's sides
            resting = (await trader.limit("BUY", price, "0.01")).body
            met = (await trader.limit(
                "SELL", price, "0.03", selfTradePreventionMode=mode)).body
            assert met["status"] == taker
            rows = {}
            for order in (resting, met):
                row = await trader.ask(
                    "GET", "/order", symbol="BTCUSDT", orderId=order["orderId"])
                rows[order["orderId"]] = row.body
            assert rows[resting["orderId"]]["status"] == maker
            await stream.settle()
            told = [each for each in events(stream) if each.get("x") == "TRADE_PREVENTION"]
            if mode == "NONE":
                assert not told
                assert "preventedMatches" not in met
                return
            assert [each["makerOrderId"] for each in met["preventedMatches"]] == [
                resting["orderId"]]
            for each in told:
                row = rows[each["i"]]
                assert row["preventedQuantity"] == each["A"] == each["B"]
                assert row["preventedMatchId"] == each["v"] == 0
                assert each["X"] == row["status"]
                assert {each["i"], each["U"]} == set(rows)
            touched = {order for order, row in rows.items() if "preventedQuantity" in row}
            assert {each["i"] for each in told} == touched
            found = await trader.ask(
                "GET", "/myPreventedMatches", symbol="BTCUSDT", orderId=resting["orderId"])
            assert [(each["takerOrderId"], each["selfTradePreventionMode"])
                    for each in found.body] == [(met["orderId"], mode)]

    run(body)


def test_a_halted_symbol_takes_nothing_and_says_so_in_the_catalogue() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            low = f"{best(trader)[0] * 0.9:.1f}"
            order = (await trader.limit("BUY", low, "0.01")).body
            await trader.venue.call("POST", "/fault", {
                "venue": "binance", "kind": "halt", "symbol": "BTCUSDT"})
            trader.venue.world.servers["binance"].tick()
            _, info = await trader.venue.get("/api/v3/exchangeInfo?symbol=BTCUSDT")
            assert info["symbols"][0]["status"] == "HALT"
            refused = await trader.limit("BUY", low, "0.01")
            assert refused.body == {"code": -1013, "msg": "Market is closed."}
            kept = await trader.ask("DELETE", "/order", symbol="BTCUSDT", orderId=order["orderId"])
            assert kept.body == {"code": -2011, "msg": "Market is closed."}
            await trader.venue.call("DELETE", "/fault/binance")
            trader.venue.world.servers["binance"].tick()
            assert (await trader.limit("BUY", low, "0.01")).status == 200

    run(body)


def test_every_reason_of_the_matching_engine_has_the_venues_words() -> None:
    words = Words(notional="NOTIONAL", band="PERCENT_PRICE_BY_SIDE")
    request = Request(account="main", symbol="BTCUSDT", side=1, price=1, size=1)
    for reason in Reason:
        refused = words.refused(Refusal(reason), request)
        assert refused.code in (-1013, -1014, -1121, -2010), reason
        assert "{" not in refused.text


def test_an_order_whose_answer_is_a_503_was_placed_all_the_same() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            low = f"{best(trader)[0] * 0.9:.1f}"
            await trader.venue.call("POST", "/fault", {
                "venue": "binance", "kind": "answer_5xx", "count": 1})
            unknown = await trader.limit("BUY", low, "0.01", newClientOrderId="where")
            assert (unknown.status, unknown.body["code"]) == (503, -1007)
            found = await trader.ask(
                "GET", "/order", symbol="BTCUSDT", origClientOrderId="where")
            assert found.body["status"] == "NEW"

    run(body)


def test_a_cancel_that_a_fill_outruns_is_an_unknown_order() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            bid, ask = best(trader)
            order = (await trader.limit("BUY", f"{(bid + ask) / 2:.1f}", "0.01")).body
            await trader.venue.call("POST", "/fault", {
                "venue": "binance", "kind": "cancel_fill_race", "count": 1})
            late = await trader.ask(
                "DELETE", "/order", symbol="BTCUSDT", orderId=order["orderId"])
            assert late.body == {"code": -2011, "msg": "Unknown order sent."}
            found = await trader.ask(
                "GET", "/order", symbol="BTCUSDT", orderId=order["orderId"])
            assert found.body["status"] == "FILLED"

    run(body)


def test_orders_that_a_restart_of_the_venue_lost_are_told_as_expired() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            stream = await trader.listen()
            low = f"{best(trader)[0] * 0.9:.1f}"
            first = (await trader.limit("BUY", low, "0.01", strategyId=5)).body
            trader.venue.world.servers["binance"].face.floor.restart()
            await stream.settle()
            lost = [each for each in events(stream) if each.get("x") == "EXPIRED"]
            assert [(each["i"], each["eR"]) for each in lost] == [
                (first["orderId"], "EXCHANGE_CANCELED")]
            again = (await trader.limit("BUY", low, "0.01")).body
            assert again["orderId"] == first["orderId"]  # ids begin anew
            row = await trader.ask("GET", "/order", symbol="BTCUSDT", orderId=again["orderId"])
            assert "strategyId" not in row.body

    run(body)
