"""Kraken's order flow over REST: place, query, amend, edit, cancel, and what is refused."""

from typing import Any

import pytest

from engine.config import Sim
from tests.ops.sim.faces.kraken_client import Trader
from tests.ops.sim.faces.kraken_patience import unlimited
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


def test_either_id_finds_an_order_and_a_client_id_is_unique_while_open() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            trader = Trader(venue)
            for name in (UUID, UUID.replace("-", ""), "arb-20251009-00010"):
                txid = await trader.added(cl_ord_id=name)
                row = (await trader.result("QueryOrders", cl_ord_id=name))[txid]
                assert (row["cl_ord_id"], row["userref"]) == (name, None)
                assert await trader.error("AddOrder", pair="XBTUSD", type="buy", volume="0.01",
                                          ordertype="limit", price="1000", cl_ord_id=name
                                          ) == "EOrder:Duplicate cl_ord_id"
                assert list((await trader.result("OpenOrders", cl_ord_id=name))["open"]) == [txid]
                assert await trader.result("CancelOrder", cl_ord_id=name) == {"count": 1}
                again = await trader.added(cl_ord_id=name)
                assert again != txid
            assert await trader.result("CancelAll") == {"count": 3}

    run(body)


@pytest.mark.parametrize(("fields", "status", "reason"), [
    ({"timeinforce": "IOC", "volume": "900"}, "canceled", "Immediate or cancel order"),
    ({"timeinforce": "FOK", "volume": "900"}, "canceled", "Fill or kill order"),
    ({"timeinforce": "IOC"}, "closed", None),
    ({"timeinforce": "FOK"}, "closed", None),
])
def test_orders_that_do_not_rest_end_at_once(
    fields: dict[str, str], status: str, reason: str | None
) -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD", sim=Sim(balances={"USD": 1e12})) as venue:
            trader = Trader(venue)
            _, ask = trader.touch()
            txid = await trader.added(price=f"{ask * 1.001:.1f}", **fields)
            row = (await trader.result("ClosedOrders"))["closed"][txid]
            assert (row["status"], row["reason"]) == (status, reason)
            assert (float(row["vol_exec"]) == 0) == (fields["timeinforce"] == "FOK"
                                                     and status == "canceled")

    run(body)


def test_post_only_rests_or_is_refused_and_self_trades_are_prevented() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            trader = Trader(venue)
            bid, ask = trader.touch()
            answer = await trader.add(price=f"{ask:.1f}", oflags="post")
            assert answer["error"] == ["EOrder:Post only order"]
            inside = f"{ask - 0.1:.1f}"
            assert ask - bid > 0.15
            resting = await trader.added(type="sell", price=inside, oflags="post")
            row = (await trader.result("OpenOrders"))["open"][resting]
            assert row["oflags"] == "fciq,post"
            taker = await trader.added(price=inside)
            rows = await trader.result("QueryOrders", txid=f"{resting},{taker}")
            assert (rows[resting]["status"], rows[taker]["status"]) == ("open", "canceled")
            assert rows[taker]["reason"] == "Self trade prevention"
            taker = await trader.added(price=inside, stptype="cancel-oldest")
            rows = await trader.result("QueryOrders", txid=f"{resting},{taker}")
            assert (rows[resting]["status"], rows[taker]["status"]) == ("canceled", "open")
            maker = await trader.added(type="sell", price=inside, stptype="cancel-both")
            rows = await trader.result("QueryOrders", txid=f"{maker},{taker}")
            assert {row["status"] for row in rows.values()} == {"canceled"}

    run(body)


def test_an_amend_keeps_the_id_and_an_edit_does_not() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            trader = Trader(venue)
            txid = await trader.added(userref=4)
            amended = await trader.result(
                "AmendOrder", txid=txid, order_qty="0.02", limit_price="1001.5")
            assert amended["amend_id"].startswith("T")
            row = (await trader.result("OpenOrders"))["open"][txid]
            assert (row["vol"], row["descr"]["price"], row["misc"]) == (
                "0.02000000", "1001.5", "amended")
            edited = await trader.result(
                "EditOrder", txid=txid, pair="XBTUSD", volume="0.03", price="1002", oflags="post")
            assert edited == {
                "descr": {"order": "buy 0.03000000 XBTUSD @ limit 1002.0"},
                "txid": edited["txid"], "originaltxid": txid, "volume": "0.03000000",
                "price": "1002.0", "orders_cancelled": 1, "status": "ok"}
            (row,) = (await trader.result("OpenOrders", userref=4))["open"].values()
            assert row["oflags"] == "fciq,post"
            for method, fields, error in (
                ("AmendOrder", {"txid": txid, "order_qty": "1"}, "EOrder:Unknown order"),
                ("AmendOrder", {"txid": "x", "order_qty": "1"}, "EOrder:Invalid order"),
                ("AmendOrder", {"order_qty": "1"}, "EGeneral:Invalid arguments"),
                ("AmendOrder", {"txid": edited["txid"]}, "EGeneral:Invalid arguments"),
                ("AmendOrder", {"txid": edited["txid"], "limit_price": "70000",
                                "post_only": "true"}, "EOrder:Post only order"),
                ("EditOrder", {"txid": txid, "pair": "XBTUSD", "price": "5"},
                 "EOrder:Unknown order"),
                ("EditOrder", {"txid": edited["txid"], "pair": "XBTUSD", "price": "70000",
                               "volume": "900"}, "EOrder:Insufficient funds"),
            ):
                assert await trader.error(method, **fields) == error
            assert list((await trader.result("OpenOrders"))["open"]) == [edited["txid"]]

    run(body)


def test_an_amend_below_what_is_filled_cancels_the_rest() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            trader, other = Trader(venue), Trader(venue, "other")
            _, ask = trader.touch()
            inside = f"{ask - 0.1:.1f}"
            txid = await trader.added(price=inside, volume="0.5")
            await other.added(type="sell", price=inside, volume="0.2")
            assert (await trader.result("OpenOrders"))["open"][txid]["vol_exec"] == "0.20000000"
            await trader.result("AmendOrder", txid=txid, order_qty="0.1")
            row = (await trader.result("ClosedOrders"))["closed"][txid]
            assert (row["status"], row["vol_exec"]) == ("canceled", "0.20000000")

    run(body)


def test_the_fee_is_taken_in_the_currency_the_flag_names() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            trader = Trader(venue)
            before = await trader.result("Balance")
            await trader.added("market", volume="0.01", oflags="fcib")
            between = await trader.result("Balance")
            assert float(between["XXBT"]) - float(before["XXBT"]) == pytest.approx(0.01 * 0.996)
            txid = await trader.added("market", volume="0.01")
            after = await trader.result("Balance")
            assert float(after["XXBT"]) - float(between["XXBT"]) == pytest.approx(0.01)
            row = (await trader.result("QueryOrders", txid=txid))[txid]
            assert row["oflags"] == "fciq"
            ledger = (await trader.result("Ledgers", asset="XXBT", type="trade"))["ledger"]
            assert {entry["fee"] for entry in ledger.values()} == {"0.0000000000", "0.0000400000"}

    run(body)


def test_batches_are_placed_and_cancelled_in_json() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            trader = Trader(venue)
            row = {"type": "buy", "ordertype": "limit", "volume": "0.01", "price": "1000"}
            orders = [row, row | {"volume": "900", "price": "60000"}, row | {"userref": 8}]
            answer = await trader.post_json("AddOrderBatch", pair="XBTUSD", orders=orders)
            first, failed, third = answer["result"]["orders"]
            assert first["descr"] == {"order": "buy 0.01000000 XBTUSD @ limit 1000.0"}
            assert failed == {"error": "EOrder:Insufficient funds"}
            answer = await trader.post_json(
                "AddOrderBatch", pair="XBTUSD", orders=[row, row | {"price": "x"}])
            assert answer == {"error": ["EGeneral:Invalid arguments:price"]}
            answer = await trader.post_json("AddOrderBatch", pair="XBTUSD", orders=[row])
            assert answer == {"error": ["EGeneral:Invalid arguments:orders"]}
            answer = await trader.post_json(
                "CancelOrderBatch", orders=[first["txid"], third["txid"], "nonsense"])
            assert answer["result"] == {"count": 2}
            answer = await trader.post_json("CancelOrderBatch", orders=[first["txid"]])
            assert answer == {"error": ["EOrder:Unknown order"]}
            await trader.added(userref=8)
            await trader.added(userref=8)
            assert await trader.result("CancelOrder", txid=8) == {"count": 2}
            checked = await trader.result("AddOrder", pair="XBTUSD", validate="true", **row)
            assert checked == {"descr": {"order": "buy 0.01000000 XBTUSD @ limit 1000.0"}}
            assert await trader.result("OpenOrders") == {"open": {}}

    run(body)


def test_pages_of_history_begin_with_the_newest_and_merge_takers_fills() -> None:
    async def body() -> None:
        with unlimited():
            async with a_venue("kraken", "BTC/USD") as venue:
                trader = Trader(venue)
                txids = [await trader.added() for _ in range(53)]
                await trader.result("CancelAll")
                page = await trader.result("ClosedOrders")
                assert (len(page["closed"]), page["count"]) == (50, 53)
                rest = await trader.result("ClosedOrders", ofs=50, without_count="true")
                assert {*page["closed"], *rest["closed"]} == {*txids}
                assert "count" not in rest
                big = await trader.added("market", volume="1")
                merged = await trader.result("TradesHistory")
                single = await trader.result("TradesHistory", consolidate_taker="false",
                                             ledgers="true")
                assert (merged["count"], single["count"] > 1) == (1, True)
                (row,) = merged["trades"].values()
                assert (row["ordertxid"], row["vol"]) == (big, "1.00000000")
                assert sum(float(each["vol"]) for each in single["trades"].values()) == (
                    pytest.approx(1))
                some = list(single["trades"])[:3]
                asked = await trader.result("QueryTrades", txid=",".join(some), ledgers="true")
                assert asked == {name: single["trades"][name] for name in some}
                entries = asked[some[0]]["ledgers"]
                ledger = await trader.result("QueryLedgers", id=",".join(entries))
                assert {each["refid"] for each in ledger.values()} == {some[0]}
                newest = str(row["time"])
                assert (await trader.result("TradesHistory", start=newest))["count"] == 0
                assert (await trader.result("TradesHistory", end=newest))["count"] == 1
                assert await trader.error("TradesHistory", start="\u00b2") == (
                    "EGeneral:Invalid arguments:start")

    run(body)


def test_fees_and_worth_are_told() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            trader = Trader(venue)
            volume = await trader.result("TradeVolume", pair="XBTUSD")
            assert (volume["currency"], volume["fees"]["XXBTZUSD"]["fee"],
                    volume["fees_maker"]["XXBTZUSD"]["fee"]) == ("ZUSD", "0.4000", "0.2500")
            worth = await trader.result("TradeBalance", asset="ZUSD")
            assert 1.9e6 < float(worth["eb"]) == float(worth["mf"]) < 2.1e6
            in_coins = await trader.result("TradeBalance", asset="XBT")
            assert 25 < float(in_coins["eb"]) < 40
            assert await trader.error("TradeBalance", asset="NOPE") == "EQuery:Unknown asset"

    run(body)


def test_public_answers_are_keyed_as_kraken_keys_them() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD", "ETH/BTC", "DOGE/USD") as venue:
            trader = Trader(venue)
            await trader.added("market", volume="0.01")

            async def get(path: str) -> Any:
                _, answer = await venue.get("/0/public/" + path)
                assert answer["error"] == []
                return answer["result"]

            pairs = await get("AssetPairs")
            assert list(pairs) == ["XXBTZUSD", "XETHXXBT", "XDGUSD"]
            row = pairs["XXBTZUSD"]
            assert (row["altname"], row["wsname"], row["base"], row["quote"], row["status"]) == (
                "XBTUSD", "XBT/USD", "XXBT", "ZUSD", "online")
            assert row["fees"][0] == [0, 0.4]
            assert row["fees_maker"][0] == [0, 0.25]
            assert (row["tick_size"], row["costmin"]) == ("0.1", "0.5")
            assets = await get("Assets")
            assert assets["XXBT"] == {"aclass": "currency", "altname": "XBT", "decimals": 10,
                                      "display_decimals": 5, "status": "enabled"}
            trades = await get("Trades?pair=XBTUSD")
            last = trades["XXBTZUSD"][-1]
            assert (last[3:6], isinstance(last[6], int)) == (["b", "m", ""], True)
            assert (await get(f"Trades?pair=XBTUSD&since={trades['last']}"))["XXBTZUSD"] == []
            ticker = (await get("Ticker?pair=XXBTZUSD"))["XXBTZUSD"]
            assert ticker["c"] == last[:2]
            assert set(ticker) == set("abcvptlho")
            assert len((await get("Spread?pair=XBTUSD"))["XXBTZUSD"]) <= 200
            assert (await get("Time"))["unixtime"] > 1_700_000_000
            assert (await get("SystemStatus"))["status"] == "online"
            asks = (await get("Depth?pair=XBTUSD&count=1"))["XXBTZUSD"]["asks"]
            assert len(asks[0][0].partition(".")[2]) == 5

    run(body)
