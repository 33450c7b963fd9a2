"""Orders at the simulated USD-M, over real sockets, against what the matching engine holds."""

from typing import Any

import pytest

from tests.ops.sim.faces.binance_usdm_client import BTC, NAME, Trader
from tests.ops.sim.wire import a_venue, plain, run


def test_a_limit_order_rests_is_queried_by_both_ids_and_cancelled() -> None:
    async def body() -> None:
        async with a_venue(NAME, BTC) as venue:
            trader = Trader(venue)
            bid, _ = trader.touch()
            price = f"{bid - 100:.1f}"
            placed = await trader.order(
                side="BUY", quantity="0.0100", price=price, newClientOrderId="first:1")
            assert placed.status == 200
            assert placed.body["status"] == "NEW"
            assert placed.body["clientOrderId"] == "first:1"
            assert (placed.body["price"], placed.body["origQty"]) == (price, "0.0100")
            order_id = placed.body["orderId"]
            for name, value in (("orderId", order_id), ("origClientOrderId", "first:1")):
                for path in ("v1/order", "v1/openOrder"):
                    found = await trader.ask("GET", path, symbol="BTCUSDT", **{name: value})
                    assert found.body["orderId"] == order_id
                    assert found.body["time"] <= found.body["updateTime"]
            open_orders = await trader.ask("GET", "v1/openOrders")
            assert [row["orderId"] for row in open_orders.body] == [order_id]
            bids, _ = venue.truth("BTCUSDT")
            assert plain(price) in bids
            gone = await trader.ask("DELETE", "v1/order", symbol="BTCUSDT", orderId=order_id)
            assert (gone.body["status"], gone.body["clientOrderId"]) == ("CANCELED", "first:1")
            again = await trader.ask("DELETE", "v1/order", symbol="BTCUSDT", orderId=order_id)
            assert again.code == (400, -2011)
            missing = await trader.ask("GET", "v1/openOrder", symbol="BTCUSDT", orderId=order_id)
            assert missing.code == (400, -2013)
            history = await trader.ask("GET", "v1/allOrders", symbol="BTCUSDT")
            assert [row["status"] for row in history.body] == ["CANCELED"]

    run(body)


def test_a_market_order_opens_a_position_and_a_reduce_only_one_closes_it() -> None:
    async def body() -> None:
        async with a_venue(NAME, BTC) as venue:
            trader = Trader(venue)
            before = trader.truth().balances["USDT"][0]
            bought = await trader.order(side="BUY", type="MARKET", quantity="0.0500")
            assert (bought.body["status"], bought.body["executedQty"]) == ("FILLED", "0.0500")
            (row,) = (await trader.ask("GET", "v3/positionRisk")).body
            assert row["positionAmt"] == "0.0500"
            assert float(row["entryPrice"]) == pytest.approx(float(bought.body["avgPrice"]))
            too_much = await trader.order(
                side="SELL", type="MARKET", quantity="0.0600", reduceOnly="true")
            assert too_much.code == (400, -2022)
            closed = await trader.order(
                side="SELL", type="MARKET", quantity="0.0500", reduceOnly="true")
            assert (closed.body["status"], closed.body["reduceOnly"]) == ("FILLED", True)
            assert (await trader.ask("GET", "v3/positionRisk")).body == []
            trades = (await trader.ask("GET", "v1/userTrades", symbol="BTCUSDT")).body
            assert sum(float(each["qty"]) for each in trades) == pytest.approx(0.1)
            paid = sum(float(each["commission"]) - float(each["realizedPnl"]) for each in trades)
            after = trader.truth().balances["USDT"][0]
            assert float(before) - float(after) == pytest.approx(paid)
            (wallet,) = (await trader.ask("GET", "v3/balance")).body
            assert plain(wallet["balance"]) == after

    run(body)


@pytest.mark.parametrize(("change", "code"), [
    ({"symbol": "NOPE"}, -1121), ({"symbol": ""}, -1102), ({"side": "LONG"}, -1117),
    ({"type": "STOP_MARKET"}, -4120), ({"type": "ICEBERG"}, -1116),
    ({"timeInForce": "DAY"}, -1115), ({"timeInForce": ""}, -1105),
    ({"quantity": "0"}, -4003), ({"quantity": "-1"}, -4003), ({"quantity": "many"}, -1100),
    ({"quantity": "0.00001"}, -1111), ({"quantity": "0.0001", "price": "40000"}, -4024),
    ({"price": "0"}, -4001), ({"price": "63000.55"}, -1111), ({"price": "90000"}, -4016),
    ({"quantity": "9000000"}, -4005), ({"quantity": "0.0001", "price": "1"}, -4024),
    ({"quantity": "5000"}, -2019), ({"positionSide": "LONG"}, -4061),
    ({"positionSide": "UP"}, -4060), ({"reduceOnly": "maybe"}, -1130),
    ({"reduceOnly": "true"}, -2022), ({"newClientOrderId": "white space"}, -4015),
    ({"newClientOrderId": "x" * 37}, -4015), ({"newOrderRespType": "FULL"}, -1136),
    ({"priceMatch": "BEST"}, -5037), ({"priceMatch": "QUEUE"}, -1106),
    ({"selfTradePreventionMode": "DECREMENT"}, -5039), ({"stopPrice": "1"}, -1106),
    ({"timeInForce": "GTD"}, -1102), ({"timeInForce": "GTD", "goodTillDate": 5}, -5040),
    ({"goodTillDate": 5}, -1106), ({"colour": "red"}, -1104), ({"closePosition": "true"}, -1106),
    ({"side": "SELL", "timeInForce": "GTX", "price": "62500"}, -5022),
    ({"side": "SELL", "timeInForce": "FOK", "price": "66000"}, -5021),
])
def test_what_is_wrong_with_an_order_is_said_in_the_venues_code(
    change: dict[str, Any], code: int
) -> None:
    async def body() -> None:
        async with a_venue(NAME, BTC) as venue:
            trader = Trader(venue)
            order = {"side": "BUY", "quantity": "0.0100", "price": "63000"} | change
            reply = await trader.order(**order)
            assert reply.code == (400, code), reply.body
            assert trader.truth().orders == []

    run(body)
