"""What OKX tells of accounts: balances, fees, configuration, histories by page and age."""

from typing import Any

import pytest

from engine.model.fault import Fault, Kind
from ops.sim.book import ASK
from tests.ops.sim.faces.okx.client import Row
from tests.ops.sim.faces.okx.scene import Scene

HOUR_S = 3600
ORDER_KEYS = {  # of the documentation's sample of GET trade/order
    "accFillSz", "algoClOrdId", "algoId", "attachAlgoClOrdId", "attachAlgoOrds", "avgPx", "cTime",
    "cancelSource", "cancelSourceReason", "category", "ccy", "clOrdId", "fee", "feeCcy", "fillPx",
    "fillSz", "fillTime", "instId", "instType", "isTpLimit", "lever", "linkedAlgoOrd", "ordId",
    "ordType", "pnl", "posSide", "px", "pxType", "pxUsd", "pxVol", "quickMgnType", "rebate",
    "rebateCcy", "reduceOnly", "side", "slOrdPx", "slTriggerPx", "slTriggerPxType", "source",
    "state", "stpId", "stpMode", "sz", "tag", "tdMode", "tgtCcy", "tpOrdPx", "tpTriggerPx",
    "tpTriggerPxType", "tradeId", "tradeQuoteCcy", "uTime",
}
PUSH_ONLY = {  # of the sample of the orders channel, less those above
    "amendResult", "amendSource", "code", "msg", "execType", "fillFee", "fillFeeCcy",
    "fillNotionalUsd", "fillPnl", "fillPxVol", "fillPxUsd", "fillMarkVol", "fillFwdPx",
    "fillMarkPx", "fillIdxPx", "notionalUsd", "reqId", "lastPx",
}
FILL_KEYS = {
    "side", "fillSz", "fillPx", "fillPxVol", "fillFwdPx", "fee", "fillPnl", "ordId", "feeRate",
    "instType", "fillPxUsd", "instId", "clOrdId", "posSide", "billId", "subType", "fillMarkVol",
    "tag", "fillTime", "execType", "fillIdxPx", "tradeId", "fillMarkPx", "feeCcy", "ts",
    "tradeQuoteCcy",
}


def ids(rows: list[Row], name: str = "ordId") -> list[str]:
    return [row[name] for row in rows]


def test_rows_have_the_documented_keys_and_only_texts() -> None:
    scene = Scene()
    client = scene.listen()
    client.follow({"channel": "orders", "instType": "SPOT"})
    row = scene.place(sz="0.01", px="64001")
    (queried,) = scene.get("trade/order", instId="BTC-USDT", ordId=row["ordId"])
    assert set(queried) == ORDER_KEYS
    pushed = client.take()[-1]["data"][0]
    assert set(pushed) == ORDER_KEYS - {"cancelSourceReason"} | PUSH_ONLY
    (fill,) = scene.get("trade/fills")
    assert set(fill) == FILL_KEYS
    for each in (queried, pushed, fill):
        odd = {name for name, value in each.items() if not isinstance(value, str)}
        assert odd <= {"attachAlgoOrds", "linkedAlgoOrd"}


def test_balances_tell_what_is_free_frozen_and_worth() -> None:
    scene = Scene()
    scene.place(sz="0.5", px="50000")
    (everything,) = scene.get("account/balance")
    held = {row["ccy"]: row for row in everything["details"]}
    usdt = held["USDT"]
    assert (usdt["frozenBal"], usdt["ordFrozen"]) == ("25000", "25000")
    assert float(usdt["availBal"]) + 25000 == float(usdt["cashBal"]) == float(usdt["eq"])
    btc = held["BTC"]
    assert float(btc["eqUsd"]) == pytest.approx(float(btc["eq"]) * 64000.5)
    worth = sum(float(row["eqUsd"]) for row in held.values())
    assert float(everything["totalEq"]) == pytest.approx(worth)
    (some,) = scene.get("account/balance", ccy="BTC,ETH")
    assert ids(some["details"], "ccy") == ["BTC"]


def test_fees_configuration_positions_and_instruments_are_the_accounts() -> None:
    scene, us = Scene(), Scene(name="okx-us")
    (fees,) = scene.get("account/trade-fee", instType="SPOT", instId="BTC-USDT")
    assert (fees["level"], fees["maker"], fees["taker"]) == ("Lv1", "-0.0008", "-0.001")
    assert us.get("account/trade-fee", instType="SPOT")[0]["taker"] == "-0.005"
    (config,) = scene.get("account/config")
    assert (config["acctLv"], config["perm"]) == ("1", "read_only,trade")
    assert scene.get("account/positions") == []
    (row,) = scene.get("account/instruments", instType="SPOT")
    assert row.items() >= {
        "instIdCode": 100_000, "tickSz": "0.1", "lotSz": "0.00000001", "minSz": "0.00002",
        "state": "live", "tradeQuoteCcyList": ["USDT"], "upcChg": []}.items()
    assert ids(scene.get("asset/currencies"), "ccy") == ["BTC", "USDT"]
    assert scene.get("asset/balances") == []


def test_the_catalogue_tells_the_filters_in_force_and_orders_are_judged_by_them() -> None:
    scene = Scene(Fault("okx", Kind.FILTERS))
    scene.floor.tick()
    (row,) = scene.get("public/instruments", instType="SPOT")
    assert (row["tickSz"], row["lotSz"]) == ("1", "0.0000001")
    assert scene.place(px="50000.5")["sCode"] == "51150"
    assert scene.place(sz="0.00100001")["sCode"] == "51121"


def test_a_halted_instrument_is_suspended_and_takes_neither_orders_nor_cancels() -> None:
    scene = Scene()
    row = scene.place()
    scene.faults.add(Fault("okx", Kind.HALT))
    scene.floor.tick()
    assert scene.get("public/instruments", instType="SPOT")[0]["state"] == "suspend"
    assert scene.place()["sCode"] == "51022"
    answer = scene.post("trade/cancel-order", {"instId": "BTC-USDT", "ordId": row["ordId"]})
    assert answer["data"][0]["sCode"] == "51022"


def test_pages_go_back_by_after_and_forward_by_before() -> None:
    scene = Scene()
    placed = [scene.place(clOrdId=f"n{number}")["ordId"] for number in range(5)]
    newest_first = placed[::-1]
    pending = "trade/orders-pending"
    assert ids(scene.get(pending)) == newest_first
    assert ids(scene.get(pending, limit="2")) == newest_first[:2]
    assert ids(scene.get(pending, limit="2", after=newest_first[1])) == newest_first[2:4]
    assert ids(scene.get(pending, before=newest_first[2])) == newest_first[:2]
    assert scene.get(pending, state="partially_filled") == []
    assert scene.get(pending, ordType="post_only,ioc") == []
    assert len(scene.get(pending, ordType="limit", instType="SPOT", state="live")) == 5
    assert scene.get(pending, instType="SWAP") == []
    for _ in range(99):
        scene.clock.advance(10**8)
        scene.place()
    assert len(scene.get(pending, limit="100")) == 100


@pytest.mark.parametrize(("verb", "query", "code"), [
    ("trade/orders-pending", {"limit": "x"}, "51000"),
    ("trade/orders-pending", {"state": "odd"}, "51000"),
    ("trade/orders-pending", {"after": "-1"}, "51000"),
    ("trade/orders-pending", {"instType": "COIN"}, "51000"),
    ("trade/orders-history", {}, "50014"), ("trade/fills-history", {}, "50014"),
    ("trade/order", {"ordId": "1"}, "50014"), ("trade/order", {"instId": "BTC-USDT"}, "51003"),
    ("trade/order", {"instId": "BTC-USDT", "ordId": "9"}, "51603"),
    ("trade/order", {"instId": "NO-PE", "ordId": "9"}, "51001"),
    ("account/trade-fee", {}, "51000"), ("account/instruments", {}, "51000"),
    ("account/balance", {"ccy": ",".join(["BTC"] * 21)}, "51000"),
    ("account/positions", {"instType": "COIN"}, "51000"),
])
def test_questions_that_make_no_sense_are_refused(
    verb: str, query: dict[str, str], code: str
) -> None:
    _, answer = Scene().call("GET", verb, query=query)
    assert answer["code"] == code


def test_histories_forget_with_age_and_unfilled_cancels_after_two_hours() -> None:
    scene = Scene()
    empty, filled = scene.place(), scene.place(sz="0.01", px="64001")
    scene.post("trade/cancel-order", {"instId": "BTC-USDT", "ordId": empty["ordId"]})
    history = "trade/orders-history"

    def known(verb: str, name: str = "ordId") -> list[str]:
        return ids(scene.get(verb, instType="SPOT"), name)

    assert known(history) == [filled["ordId"], empty["ordId"]]
    assert known(f"{history}-archive") == [filled["ordId"]]
    scene.clock.advance(2 * HOUR_S * 10**9)
    assert known(history) == [filled["ordId"]]
    scene.clock.advance(71 * HOUR_S * 10**9)
    assert known("trade/fills") == []
    assert known("trade/fills-history") == [filled["ordId"]]
    scene.clock.advance(5 * 24 * HOUR_S * 10**9)
    assert known(history) == []
    assert known(f"{history}-archive") == [filled["ordId"]]


def test_fills_are_paged_by_bill_and_bounded_by_time() -> None:
    scene = Scene()
    for _ in range(3):
        scene.clock.advance(10**9)
        scene.place(sz="0.01", px="64001")
    rows = scene.get("trade/fills")
    bills = ids(rows, "billId")
    assert bills == sorted(bills, key=int, reverse=True)
    assert ids(scene.get("trade/fills", after=bills[0]), "billId") == bills[1:]
    assert ids(scene.get("trade/fills", before=bills[2]), "billId") == bills[:2]
    assert ids(scene.get("trade/fills", begin=rows[1]["ts"], end=rows[1]["ts"]), "billId") == [
        bills[1]]
    assert ids(scene.get("trade/fills", ordId=rows[2]["ordId"]), "billId") == [bills[2]]


def test_an_order_tells_its_mean_price_last_fill_and_all_of_its_fee() -> None:
    scene = Scene()
    scene.move((ASK, 640_020, 10**8))
    row = scene.place(sz="1.5", px="64002")
    (order,) = scene.get("trade/order", instId="BTC-USDT", ordId=row["ordId"])
    assert (order["state"], order["accFillSz"], order["fillSz"], order["fillPx"]) == (
        "filled", "1.5", "0.5", "64002")
    assert order["avgPx"] == "64001.333333333"
    assert (order["fee"], order["feeCcy"]) == ("-0.0015", "BTC")


def test_the_us_region_trades_spot_alone() -> None:
    scene = Scene(name="okx-us")
    assert scene.place(instId="BTC-USD-SWAP")["sCode"] == "51155"
    _, answer = scene.call("GET", "trade/orders-history", query={"instType": "SWAP"})
    assert answer["code"] == "51155"
    assert Scene().place(instId="BTC-USD-SWAP")["sCode"] == "51001"


def count_until_refused(scene: Scene, act: Any) -> int:
    done = 0
    while done < 2000 and act():
        done += 1
    return done


def test_order_entry_has_a_window_of_two_seconds_per_operation_and_instrument() -> None:
    scene = Scene()

    def place() -> bool:
        status, answer = scene.call("POST", "trade/order", {
            "instId": "BTC-USDT", "tdMode": "cash", "side": "buy", "ordType": "limit",
            "px": "50000", "sz": "0.001"})
        assert (status, answer["code"]) in ((200, "0"), (429, "50011"))
        return status == 200

    assert count_until_refused(scene, place) == 60
    client = scene.listen()  # a second passes
    client.follow()
    client.ask({"id": "1", "op": "order", "args": [{"instIdCode": 100_000}]})
    assert client.take()[0]["code"] == "60014"  # both doors share the window
    named = {"instId": "BTC-USDT", "ordId": "1"}
    assert scene.post("trade/cancel-order", named)["data"][0]["sCode"] == "51400"
    scene.clock.advance(1_000_000_001)
    assert place()


def test_batches_count_orders_in_a_window_of_their_own_and_the_account_has_another() -> None:
    scene = Scene()
    body = {"instId": "BTC-USDT", "tdMode": "cash", "side": "buy", "ordType": "limit",
            "px": "50000", "sz": "0.001"}

    def refused(verb: str, rows: list[Row]) -> list[str]:
        return [row["sCode"] for row in scene.post(verb, rows)["data"]]

    for _ in range(15):
        assert set(refused("trade/batch-orders", [body] * 20)) == {"0"}
    assert set(refused("trade/batch-orders", [body] * 2)) == {"50011"}
    answer = scene.post("trade/batch-orders", [body])  # one alone counts as a single order
    assert answer["code"] == "0"
    assert scene.place(instId="BTC-USDT")["sCode"] == "0"


@pytest.mark.parametrize(("verb", "code", "status"), [
    ("trade/batch-orders", "51111", 200), ("trade/cancel-batch-orders", "51406", 400),
    ("trade/amend-batch-orders", "51501", 400),
])
def test_more_than_twenty_at_once_are_refused(verb: str, code: str, status: int) -> None:
    answer = Scene().call("POST", verb, [{"instId": "BTC-USDT", "ordId": "1"}] * 21)
    assert (answer[0], answer[1]["code"]) == (status, code)


@pytest.mark.parametrize(("verb", "query", "most"), [
    ("public/time", {}, 10), ("account/balance", {}, 10), ("account/trade-fee",
                                                           {"instType": "SPOT"}, 5),
    ("market/ticker", {"instId": "BTC-USDT"}, 20), ("system/status", {}, 1),
])
def test_each_question_has_its_own_window(verb: str, query: dict[str, str], most: int) -> None:
    scene = Scene()
    asked = count_until_refused(scene, lambda: scene.call("GET", verb, query=query)[0] == 200)
    assert asked == most
    status, answer = scene.call("GET", verb, query=query)
    assert (status, answer) == (429, {"code": "50011", "msg": "Too Many Requests", "data": []})
    scene.clock.advance(5 * 10**9)
    assert scene.call("GET", verb, query=query)[0] == 200
