"""Order entry at Binance spot over real sockets: what is asked, answered, told and remembered."""

from typing import Any

import pytest

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
