"""Kraken's v2 order entry and private channels, over real sockets."""

import json
import re
from typing import Any

import pytest

from ops.sim.faces.kraken import limits
from tests.ops.sim.faces.kraken_client import Socket, Trader, reports
from tests.ops.sim.wire import Venue, a_venue, run

UUID = "6d1b345e-2821-40e2-ad83-4ecb18a06876"
# recorded and documented messages (shared/venues/kraken.md; wire samples of 2024 to 2026)
PENDING = b"""{"order_id":"OVN7VD-7VYHS-APBKHA","symbol":"BTC/USD","order_qty":0.00010000,
"cum_cost":0.00000,"time_in_force":"GTC","exec_type":"pending_new","side":"buy",
"order_type":"limit","cl_ord_id":"b17c7bb34d000200","limit_price_type":"static",
"limit_price":80000.0,"stop_price":0.0,"order_status":"pending_new","fee_usd_equiv":0.0000,
"fee_ccy_pref":"fciq","timestamp":"2026-01-22T06:06:19.833306Z"}"""
NEW = b"""{"timestamp":"2026-01-22T06:06:19.833306Z","order_status":"new","exec_type":"new",
"cl_ord_id":"b17c7bb34d000200","order_id":"OVN7VD-7VYHS-APBKHA"}"""
AMENDED = b"""{"timestamp":"2026-01-22T06:06:27.552281Z","exec_type":"amended",
"order_status":"new","cum_qty":0.00000000,"reason":"User requested","amended":true,
"order_qty":0.00010000,"limit_price":81818.0,"limit_price_type":"static",
"cl_ord_id":"b17c7bb34d000200","order_id":"OVN7VD-7VYHS-APBKHA"}"""
CANCELED = b"""{"timestamp":"2026-01-22T06:06:36.039852Z","order_status":"canceled",
"exec_type":"canceled","cum_qty":0.00000000,"cum_cost":0.00000,"fee_usd_equiv":0.0000,
"avg_price":0.0,"cl_ord_id":"b17c7bb34d000200","cancel_reason":"User requested",
"reason":"User requested","order_id":"OVN7VD-7VYHS-APBKHA"}"""
TRADE = b"""{"order_id":"O7IBL5-O2V6X-EEXY4U","order_userref":0,"exec_id":"TJE7HC-DKBTI-5BFVKE",
"exec_type":"trade","trade_id":365573,"symbol":"KAR/USD","side":"buy","last_qty":105.02014889,
"last_price":0.121,"liquidity_ind":"t","cost":12.70744,"order_status":"filled",
"order_type":"limit","timestamp":"2024-05-18T05:41:33.480251Z","fee_usd_equiv":0.05083,
"fees":[{"asset":"USD","qty":0.05083}]}"""
HOLDING = b"""{"asset":"BTC","asset_class":"currency","balance":1.2,
"wallets":[{"type":"spot","id":"main","balance":1.2}]}"""
LEDGER = b"""{"ledger_id":"ADKKFF-WEA5A-CNUBHG","ref_id":"AGBWUJRU-LAREZ-W3UFAN",
"timestamp":"2023-09-22T10:23:42.925034Z","type":"deposit","asset":"BTC",
"asset_class":"currency","category":"deposit","wallet_type":"spot","wallet_id":"main",
"amount":0.01,"fee":0.0,"balance":0.02}"""
SHAPES = {
    "id": re.compile(r"[A-Z][A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{6}|AGBWUJRU-LAREZ-W3UFAN"),
    "time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"),
}


class Number(str):
    """A JSON number with a fraction, as it stood in the text."""


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    if isinstance(value, str) and not isinstance(value, Number):
        return next((name for name, form in SHAPES.items() if form.fullmatch(value)), "text")
    return type(value).__name__


def parse(text: bytes) -> Any:
    return json.loads(text, parse_float=Number)


async def follow(venue: Venue, **options: Any) -> tuple[Trader, Socket, list[Any]]:
    trader = Trader(venue)
    socket = await trader.connect()
    frames = await socket.ask("subscribe", channel="executions", **options)
    return trader, socket, frames


def test_an_orders_life_is_told_in_recorded_shapes() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            _, socket, (ack, snapshot) = await follow(venue, snap_orders=True, snap_trades=True)
            assert ack["result"] == {"channel": "executions", "maxratecount": 125,
                                     "snap_orders": True, "snap_trades": True}
            assert snapshot == {"channel": "executions", "type": "snapshot", "data": [],
                                "sequence": 1}
            name = "b17c7bb34d000200"
            for method, params in (
                ("add_order", {"symbol": "BTC/USD", "side": "buy", "order_type": "limit",
                               "order_qty": 0.01, "limit_price": 1000.0, "cl_ord_id": name}),
                ("amend_order", {"cl_ord_id": name, "limit_price": 1001.5, "order_qty": 0.01}),
                ("cancel_order", {"cl_ord_id": [name]}),
            ):
                socket.client.ask({"method": method, "params": params | {"token": socket.token}})
            await socket.client.settle()
            raw = [parse(frame) for frame in socket.client.frames]
            answers = [frame for frame in raw if "method" in frame]
            assert [answer["success"] for answer in answers] == [True] * 3
            order_id = answers[0]["result"]["order_id"]
            assert answers[0]["result"] == {"order_id": order_id, "cl_ord_id": name}
            assert answers[1]["result"].keys() == {"amend_id", "cl_ord_id"}
            assert answers[2]["result"] == {"cl_ord_id": name}
            rows = reports(raw)
            for row, sample in zip(rows, (PENDING, NEW, AMENDED, CANCELED), strict=True):
                assert shape(row) == shape(parse(sample))
                assert list(row) == list(parse(sample))
                assert row["order_id"] == order_id
            assert (rows[0]["order_qty"], rows[2]["limit_price"]) == ("0.01000000", "1001.5")
            assert [frame["sequence"] for frame in raw if "sequence" in frame] == [2, 3, 4, 5]

    run(body)


def test_a_market_order_is_told_as_trades_then_filled_and_the_balances_move() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            trader, socket, _ = await follow(venue)
            ack, snapshot = await socket.ask("subscribe", channel="balances")
            assert ack["result"] == {"channel": "balances", "snapshot": True}
            assert shape(snapshot["data"][0]) == shape(json.loads(HOLDING))
            socket.client.ask({"method": "add_order", "params": {
                "symbol": "BTC/USD", "side": "sell", "order_type": "market", "order_qty": 0.02,
                "order_userref": 5, "token": socket.token}})
            await socket.client.settle()
            raw = [parse(frame) for frame in socket.client.frames]
            answer = next(frame for frame in raw if "method" in frame)
            rows = reports(raw)
            assert [row["exec_type"] for row in rows] == [
                "pending_new", "new", *["trade"] * (len(rows) - 3), "filled"]
            assert answer["result"] == {
                "order_id": rows[0]["order_id"], "order_userref": 5}
            extra = {"cum_qty", "cum_cost", "avg_price"}
            sample = shape(parse(TRADE))
            for trade in rows[2:-1]:
                told = shape(trade)
                assert {key: told[key] for key in told.keys() - extra} == sample
            assert rows[-1]["cum_qty"] == "0.02000000"
            moved = [frame for frame in raw if frame.get("channel") == "balances"]
            for frame in moved:
                for row in frame["data"]:
                    assert shape(row) == shape(parse(LEDGER))
            last = {row["asset"]: row for frame in moved for row in frame["data"]}
            balance = await trader.result("Balance")
            assert float(last["BTC"]["balance"]) == float(balance["XXBT"])
            assert float(last["USD"]["balance"]) == float(balance["ZUSD"])
            assert [frame["sequence"] for frame in moved] == list(range(2, 2 + len(moved)))

    run(body)


def test_a_snapshot_shows_open_orders_and_the_last_trades() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            trader = Trader(venue)
            txid = await trader.added(userref=9)
            done = await trader.added("market", volume="0.001", type="sell")
            _, socket, (_, snapshot) = await follow(venue, snap_trades=True)
            order, *trades = snapshot["data"]
            assert (order["order_id"], order["order_userref"], order["exec_type"]) == (
                txid, 9, "new")
            assert {row["order_id"] for row in trades} == {done}
            assert {(row["exec_type"], row["order_status"]) for row in trades} == {
                ("trade", "filled")}
            _, snapshot = await socket.ask("subscribe", channel="executions")
            assert [row["order_id"] for row in snapshot["data"]] == [txid]
            (ack,) = await socket.ask("subscribe", channel="executions", snap_orders=False)
            assert ack["result"]["snap_orders"] is False

    run(body)


def test_followers_choose_status_changes_and_the_rate_counter(
    monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TRADING_PER_S", 0.0)

    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            _, few, _ = await follow(venue, order_status=False)
            _, counted, (ack, _) = await follow(venue, ratecounter=True)
            assert ack["result"]["ratecounter"] is True
            order_id = (await few.add())["result"]["order_id"]
            await few.answer("amend_order", order_id=order_id, order_qty=0.02)
            frames = await few.ask("cancel_order", order_id=[order_id])
            assert [row["exec_type"] for row in reports(frames)] == ["canceled"]
            rows = reports(await counted.frames())
            assert [row["exec_type"] for row in rows] == [
                "pending_new", "new", "amended", "canceled"]
            assert [row["ratecounter"] for row in rows] == [1, 1, 5, 13]

    run(body)


def test_one_accounts_orders_are_nobody_elses_business() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            _, mine, _ = await follow(venue)
            other = Trader(venue, "other")
            theirs = await other.connect()
            await theirs.ask("subscribe", channel="executions")
            order_id = (await mine.add(cl_ord_id=UUID))["result"]["order_id"]
            assert reports(await theirs.frames()) == []
            answer = await theirs.answer("cancel_order", order_id=[order_id])
            assert answer["error"] == "EOrder:Unknown order"
            assert await other.error("QueryOrders", txid=order_id) == "EQuery:Unknown order"
            assert await other.error("CancelOrder", cl_ord_id=UUID) == "EOrder:Unknown order"

    run(body)


@pytest.mark.parametrize(("params", "error"), [
    ({"symbol": "XBT/USD"}, "Currency pair not supported XBT/USD"),
    ({"price": 1.0}, "Unsupported field: 'price' for the given msg type: add order"),
    ({"order_qty": "0.01"}, "Order_qty field must be a number_float"),
    ({"limit_price": True}, "Limit_price field must be a number_float"),
    ({"side": 1}, "Side field must be a string"),
    ({"post_only": "true"}, "Post_only field must be a boolean"),
    ({"order_userref": "1"}, "Order_userref field must be a number_integer"),
    ({"order_qty": 1e-300}, "EGeneral:Invalid arguments:order_qty"),
    ({"order_qty": 10**40}, "EGeneral:Invalid arguments:order_qty"),
    ({"order_type": "iceberg"}, "EGeneral:Invalid arguments:order_type"),
    ({"triggers": {"price": 1}}, "EGeneral:Invalid arguments:triggers"),
    ({"limit_price": 1000.05},
     "EOrder:Invalid price:XBTUSD price can only be specified up to 1 decimals."),
    ({"order_qty": 1e-5}, "EOrder:Order minimum not met"),
    ({"order_qty": 1000, "limit_price": 60000}, "EOrder:Insufficient funds"),
    ({"no_mpp": True}, "EGeneral:Invalid arguments:no_mpp order option is only available when "
                       "ordertype = market"),
    ({"margin": True}, "EOrder:Cannot open position"),
    ({"stp_type": "cancel-newest"}, "EGeneral:Invalid arguments:stp_type"),
    ({"time_in_force": "gtd", "expire_time": "2020-01-01T00:00:00Z"},
     "EGeneral:Invalid arguments:expiretm"),
    ({"deadline": "2020-01-01T00:00:00.000Z"}, "EService:Deadline elapsed"),
])
def test_bad_requests_are_refused_by_name(params: dict[str, Any], error: str) -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            socket = await Trader(venue).connect()
            answer = await socket.add(**params)
            assert (answer["success"], answer["error"], "result" in answer) == (
                False, error, False)

    run(body)


def test_odd_frames_are_answered_and_the_connection_lives() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            client = await venue.connect()
            odd = [
                b'{"method":1.5,"req_id":1}', b'{"method":"ping","req_id":1.5}',
                b'{"method":"ping","req_id":99999999999999999999999}', b'{"method":"\\ud800"}',
                b'{"method":"add_order","params":[]}', b'{"method":["ping"]}',
                b'{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD"],'
                b'"depth":10.0}}',
                b'{"method":"subscribe","params":{"channel":{},"symbol":["BTC/USD"]}}',
                b'{"method":"subscribe","params":{"channel":"level3","symbol":["BTC/USD"]}}',
                b'{"method":"ping","params":{}}', b"[" * 60_000, b"\xff\xfe", b"",
                b'{"method":"subscribe","params":{"channel":"executions","token":7}}',
            ]
            client.ask(*odd, {"method": "ping", "req_id": 8})
            await client.settle()
            status, *answers, pong = client.take()
            assert status["channel"] == "status"
            assert len(answers) == len(odd)
            assert all(answer["success"] is False and answer["error"] for answer in answers)
            assert (pong["method"], pong["req_id"]) == ("pong", 8)
            assert answers[8]["error"] == "Token(s) not found"

    run(body)


def test_each_named_order_gets_its_own_answer_and_batches_count() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            trader = Trader(venue)
            socket = await trader.connect()
            orders = [{"side": "buy", "order_type": "limit", "order_qty": 0.01,
                       "limit_price": 1000 + index, "order_userref": 3} for index in range(4)]
            orders[2] |= {"order_qty": 900, "limit_price": 60000}
            answer = await socket.answer("batch_add", symbol="BTC/USD", orders=orders)
            good = [row["order_id"] for row in answer["result"] if "order_id" in row]
            assert len(good) == 3
            assert answer["result"][2] == {
                "error": "EOrder:Insufficient funds", "success": False, "order_userref": 3}
            frames = await socket.ask("cancel_order", order_id=[good[0], "OAAAAA-AAAAA-AAAAAB"])
            assert [frame["success"] for frame in frames] == [True, False]
            assert frames[1]["error"] == "EOrder:Unknown order"
            frames = await socket.ask("cancel_order", order_userref=[3])
            assert {frame["result"]["order_id"] for frame in frames} == set(good[1:])
            answer = await socket.answer("batch_add", symbol="BTC/USD", orders=orders[:2])
            made = [row["order_id"] for row in answer["result"]]
            answer = await socket.answer("batch_cancel", orders=[*made, good[0]])
            assert (answer["success"], answer["orders_cancelled"]) == (True, 2)
            answer = await socket.answer("batch_cancel", orders=made)
            assert answer["error"] == "EOrder:Unknown order"
            for count in (1, 16):
                answer = await socket.answer(
                    "batch_add", symbol="BTC/USD", orders=orders[:1] * count)
                assert answer["error"] == "EGeneral:Invalid arguments:orders"
            await socket.add()
            assert (await socket.answer("cancel_all"))["result"] == {"count": 1}
            assert (await socket.answer("cancel_all"))["result"] == {"count": 0}

    run(body)


def test_an_edit_makes_a_new_order_and_a_cash_order_spends_its_amount() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            trader = Trader(venue)
            socket = await trader.connect()
            old = (await socket.add())["result"]["order_id"]
            answer = await socket.answer(
                "edit_order", order_id=old, symbol="BTC/USD", limit_price=1002.5, order_qty=0.02)
            new = answer["result"]["order_id"]
            assert answer["result"] == {"order_id": new, "original_order_id": old}
            (row,) = (await trader.result("OpenOrders"))["open"].items()
            assert (row[0], row[1]["descr"]["price"], row[1]["vol"]) == (
                new, "1002.5", "0.02000000")
            answer = await socket.answer(
                "edit_order", order_id=new, limit_price=60000.0, order_qty=900.0)
            assert answer["error"] == "EOrder:Insufficient funds"
            assert new in (await trader.result("OpenOrders"))["open"]
            answer = await socket.add(order_type="market", cash_order_qty=100.0)
            done = (await trader.result(
                "QueryOrders", txid=answer["result"]["order_id"]))
            (bought,) = done.values()
            assert 99.9 < float(bought["cost"]) <= 100
            assert bought["oflags"] == "fciq,viqc"
            answer = await socket.add(validate=True)
            assert "order_id" not in answer["result"]

    run(body)


def test_the_instrument_channel_lists_pairs_and_tells_of_new_limits() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD", "ETH/USD") as venue:
            client = await venue.connect()
            client.ask({"method": "subscribe", "params": {"channel": "instrument"}})
            await client.settle()
            _, ack, snapshot = [parse(frame) for frame in client.frames]
            client.take()
            assert ack["result"] == {"channel": "instrument", "snapshot": True}
            assert {asset["id"] for asset in snapshot["data"]["assets"]} == {"BTC", "ETH", "USD"}
            pair = snapshot["data"]["pairs"][0]
            assert {key: pair[key] for key in (
                "symbol", "status", "qty_precision", "qty_increment", "price_precision",
                "price_increment", "cost_min")} == {
                "symbol": "BTC/USD", "status": "online", "qty_precision": 8,
                "qty_increment": "0.00000001", "price_precision": 1, "price_increment": "0.1",
                "cost_min": "0.50"}
            await venue.call("POST", "/fault", {
                "venue": "kraken", "kind": "halt", "symbol": "ETH/USD", "start_s": 0, "end_s": 60})
            venue.world.servers["kraken"].tick()
            await client.settle()
            (update,) = client.take()
            assert [(row["symbol"], row["status"]) for row in update["data"]["pairs"]] == [
                ("ETH/USD", "maintenance")]

    run(body)
