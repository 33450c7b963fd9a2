"""Kraken's order flow over REST: place, query, amend, edit, cancel, and what is refused."""

from typing import Any

import pytest

from tests.ops.sim.faces.kraken_client import Trader
from tests.ops.sim.wire import a_venue, run

UUID = "6d1b345e-2821-40e2-ad83-4ecb18a06876"


def test_a_limit_order_rests_is_queried_and_cancelled() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            trader = Trader(venue)
            answer = await trader.add(volume="0.5", price="29500", userref=31)
            assert answer["result"]["descr"] == {
                "order": "buy 0.50000000 XBTUSD @ limit 29500.0"}
            (txid,) = answer["result"]["txid"]
            row = (await trader.result("OpenOrders"))["open"][txid]
            assert row == (await trader.result("QueryOrders", txid=txid))[txid]
            assert isinstance(row.pop("opentm"), float)
            assert row == {
                "refid": None, "userref": 31, "status": "open", "starttm": 0, "expiretm": 0,
                "descr": {"pair": "XBTUSD", "type": "buy", "ordertype": "limit",
                          "price": "29500.0", "price2": "0", "leverage": "none",
                          "order": "buy 0.50000000 XBTUSD @ limit 29500.0", "close": ""},
                "vol": "0.50000000", "vol_exec": "0.00000000", "cost": "0.00000",
                "fee": "0.00000", "price": "0.00000", "stopprice": "0.00000",
                "limitprice": "0.00000", "misc": "", "oflags": "fciq",
            }
            held = await trader.result("BalanceEx")
            assert float(held["ZUSD"]["hold_trade"]) == 0.5 * 29500 * 1.004
            assert await trader.result("CancelOrder", txid=txid) == {"count": 1}
            assert await trader.error("CancelOrder", txid=txid) == "EOrder:Unknown order"
            closed = (await trader.result("ClosedOrders"))["closed"][txid]
            assert (closed["status"], closed["reason"]) == ("canceled", "User requested")

    run(body)


def test_a_market_order_fills_and_its_trade_adds_up() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            trader = Trader(venue)
            before = await trader.result("Balance")
            txid = await trader.added("market", volume="0.001")
            row = (await trader.result("QueryOrders", txid=txid, trades="true"))[txid]
            assert (row["status"], row["vol_exec"], row["reason"]) == ("closed", "0.00100000", None)
            trade = (await trader.result("TradesHistory"))["trades"][row["trades"][0]]
            assert (trade["ordertxid"], trade["pair"], trade["maker"]) == (
                txid, "XXBTZUSD", False)
            after = await trader.result("Balance")
            spent = float(before["ZUSD"]) - float(after["ZUSD"])
            assert spent == pytest.approx(float(row["cost"]) * 1.004)
            assert float(row["fee"]) == pytest.approx(float(row["cost"]) * 0.004)

    run(body)


@pytest.mark.parametrize(("fields", "error"), [
    ({"pair": "NOPE"}, "EQuery:Unknown asset pair"),
    ({"type": "hold"}, "EGeneral:Invalid arguments:type"),
    ({"ordertype": "stop-loss"}, "EGeneral:Invalid arguments:ordertype"),
    ({"price": ""}, "EGeneral:Invalid arguments:price"),
    ({"price": "1e3"}, "EGeneral:Invalid arguments:price"),
    ({"price": "1000.05"},
     "EOrder:Invalid price:XBTUSD price can only be specified up to 1 decimals."),
    ({"volume": "-1"}, "EGeneral:Invalid arguments:volume"),
    ({"volume": "0.000000001"}, "EGeneral:Invalid arguments:volume"),
    ({"volume": "0.00001"}, "EOrder:Order minimum not met"),
    ({"volume": "0.0001", "price": "1"}, "EOrder:Cost minimum not met"),
    ({"volume": "1000", "price": "60000"}, "EOrder:Insufficient funds"),
    ({"oflags": "post,fast"}, "EGeneral:Invalid arguments:oflags"),
    ({"oflags": "post", "timeinforce": "IOC"}, "EGeneral:Invalid arguments"),
    ({"timeinforce": "GTD"}, "EGeneral:Invalid arguments:expiretm"),
    ({"timeinforce": "DAY"}, "EGeneral:Invalid arguments:timeinforce"),
    ({"cl_ord_id": "x" * 19}, "EGeneral:Invalid arguments:cl_ord_id"),
    ({"cl_ord_id": UUID, "userref": "1"}, "EGeneral:Invalid arguments:cl_ord_id"),
    ({"userref": "2147483648"}, "EGeneral:Invalid arguments:userref"),
    ({"stptype": "cancel-all"}, "EGeneral:Invalid arguments:stptype"),
    ({"deadline": "2020-01-01T00:00:00Z"}, "EService:Deadline elapsed"),
    ({"deadline": "soon"}, "EGeneral:Invalid arguments:deadline"),
    ({"deadline": "2099-01-01T00:00:00Z"}, "EGeneral:Invalid arguments:deadline"),
    ({"leverage": "2:1"}, "EOrder:Cannot open position"),
    ({"reduce_only": "true"}, "EOrder:Reduce only:No position exists"),
    ({"displayvol": "0.01"}, "EGeneral:Invalid arguments:displayvol"),
])
def test_bad_orders_are_refused_by_name(fields: dict[str, Any], error: str) -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            trader = Trader(venue)
            assert (await trader.add(**fields))["error"] == [error]
            assert await trader.result("OpenOrders") == {"open": {}}

    run(body)
