"""OKX order entry over REST: what is taken, what becomes of it, and what is refused by name."""

import time
from typing import Any

import pytest

from tests.ops.sim.faces.okx.client import Trader, a_trader, order, pushes
from tests.ops.sim.wire import run

ORDERS = {"channel": "orders", "instType": "SPOT"}


def test_a_resting_order_is_pushed_queried_listed_and_cancelled() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            stream = await trader.stream(ORDERS)
            stream.take()
            row = await trader.place(clOrdId="b15", tag="mine")
            assert (row["sCode"], row["clOrdId"], row["tag"]) == ("0", "b15", "mine")
            await stream.settle()
            (push,) = pushes(stream, "orders")
            assert push["arg"]["uid"].isdigit()
            assert push["data"][0].items() >= {
                "ordId": row["ordId"], "state": "live", "px": "50000", "sz": "0.01",
                "accFillSz": "0", "fillSz": "0", "tradeId": "", "execType": "", "avgPx": "0",
                "cTime": row["ts"], "tdMode": "cash", "stpMode": "cancel_maker",
                "cancelSource": "", "tag": "mine"}.items()
            assert (await trader.query(row["ordId"]))["avgPx"] == ""
            assert [each["ordId"] for each in await trader.get("trade/orders-pending")] == [
                row["ordId"]]
            answer = await trader.post(
                "trade/cancel-order", {"instId": "BTC-USDT", "clOrdId": "b15"})
            (done,) = answer["data"]
            assert int(row["ts"]) <= int(done.pop("ts")) <= time.time() * 1000
            assert done == {
                "clOrdId": "b15", "ordId": row["ordId"], "sCode": "0", "sMsg": ""}
            assert answer["inTime"].isdigit()
            assert len(answer["outTime"]) == 16
            await stream.settle()
            (push,) = pushes(stream, "orders")
            assert (push["data"][0]["state"], push["data"][0]["cancelSource"]) == ("canceled", "1")
            assert await trader.get("trade/orders-pending") == []
            assert [each["state"] for each in await trader.get(
                "trade/orders-history", instType="SPOT")] == ["canceled"]
            assert await trader.get("trade/orders-history-archive", instType="SPOT") == []

    run(body)


def test_a_market_buy_spends_quote_by_default_and_tells_its_fills_and_fees() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            stream = await trader.stream(ORDERS, {"channel": "balance_and_position"})
            stream.take()
            row = await trader.place("buy", "market", sz="250", clOrdId="m1")
            await stream.settle()
            frames = stream.take()
            told = [f["data"][0] for f in frames if f["arg"]["channel"] == "orders"]
            assert (told[0]["state"], told[-1]["state"]) == ("live", "filled")
            assert all(each["execType"] == "T" for each in told[1:])
            final = await trader.query(row["ordId"])
            assert final.items() >= {
                "state": "filled", "sz": "250", "tgtCcy": "quote_ccy", "px": "",
                "ordType": "market", "feeCcy": "BTC", "tradeId": told[-1]["tradeId"]}.items()
            spent = float(final["accFillSz"]) * float(final["avgPx"])
            assert 249 < spent <= 250.0001
            assert float(final["fee"]) == pytest.approx(-float(final["accFillSz"]) * 0.001)
            quick = [f["data"][0] for f in frames
                     if f["arg"]["channel"] == "balance_and_position"]
            assert {each["balData"][0]["ccy"] for each in quick} == {"BTC", "USDT"}
            assert {each["eventType"] for each in quick} == {"filled"}
            fills = await trader.get("trade/fills", instType="SPOT", ordId=row["ordId"])
            assert {each["tradeId"] for each in fills} == {each["tradeId"] for each in told[1:]}
            assert {each["feeRate"] for each in fills} == {"-0.001"}

    run(body)


def test_an_order_fills_as_maker_when_another_account_takes_it() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            other = Trader(trader.venue, "other")
            bid, ask = trader.touch()
            between = str((float(bid) + float(ask)) / 2)[:7]
            row = await trader.place("sell", "post_only", px=between)
            stream = await trader.stream({"channel": "orders", "instType": "ANY"})
            stream.take()
            await other.place("buy", "ioc", px=between, sz="0.004")
            await stream.settle()
            (push,) = pushes(stream, "orders")
            assert push["data"][0].items() >= {
                "ordId": row["ordId"], "state": "partially_filled", "fillSz": "0.004",
                "accFillSz": "0.004", "execType": "M", "fillFeeCcy": "USDT",
                "feeCcy": "USDT", "rebateCcy": "BTC"}.items()
            fee = float(push["data"][0]["fillFee"])
            assert fee == pytest.approx(-0.004 * float(between) * 0.0008)

    run(body)


@pytest.mark.parametrize(("kind", "fields", "source"), [
    ("post_only", {"px": "70000"}, "31"),
    ("fok", {"px": "50000"}, "13"),
    ("ioc", {"px": "50000"}, "14"),
])
def test_what_cannot_rest_is_accepted_and_cancelled_with_its_source(
    kind: str, fields: dict[str, Any], source: str
) -> None:
    async def body() -> None:
        async with a_trader() as trader:
            stream = await trader.stream(ORDERS)
            stream.take()
            row = await trader.place("buy", kind, **fields)
            assert row["sCode"] == "0"
            await stream.settle()
            states = [push["data"][0]["state"] for push in pushes(stream, "orders")]
            assert states == (["canceled"] if kind == "post_only" else ["live", "canceled"])
            final = await trader.query(row["ordId"])
            assert (final["state"], final["cancelSource"], final["accFillSz"]) == (
                "canceled", source, "0")

    run(body)


@pytest.mark.parametrize(("fields", "code"), [
    ({"instId": "NO-PE"}, "51001"), ({"tdMode": "cross"}, "51010"), ({"tdMode": "x"}, "51000"),
    ({"side": "long"}, "51000"), ({"ordType": "optimal_limit_ioc"}, "51000"),
    ({"sz": "0"}, "51000"), ({"sz": "-1"}, "51000"), ({"sz": "1e3"}, "51000"),
    ({"sz": "0.000000001"}, "51121"), ({"sz": "0.00000001"}, "51020"),
    ({"sz": "1000000"}, "51005"), ({"px": None}, "51204"), ({"px": "50000.01"}, "51150"),
    ({"px": "nan"}, "51000"), ({"clOrdId": "a-b"}, "51000"), ({"clOrdId": "a" * 33}, "51000"),
    ({"tag": "x" * 17}, "51000"), ({"stpMode": "none"}, "51000"),
    ({"ordType": "fok", "stpMode": "cancel_both"}, "54036"), ({"reduceOnly": True}, "51139"),
    ({"tradeQuoteCcy": "EUR"}, "51000"), ({"ordType": "market", "tgtCcy": "usd"}, "51000"),
    ({"ordType": "market", "sz": "1000001"}, "51201"), ({"banAmend": "maybe"}, "51000"),
    ({"attachAlgoOrds": [{"tpTriggerPx": "1"}]}, "51000"),
    ({"ordType": "market", "slippagePct": "0.01234"}, "51000"),
])
def test_a_bad_order_gets_its_own_code_in_its_row(fields: dict[str, Any], code: str) -> None:
    async def body() -> None:
        async with a_trader() as trader:
            answer = await trader.post("trade/order", order(**fields))
            assert (answer["code"], answer["msg"]) == ("1", "All operations failed")
            (row,) = answer["data"]
            assert (row["sCode"], row["ordId"]) == (code, "")
            assert row["sMsg"]

    run(body)


@pytest.mark.parametrize("name", ["instId", "tdMode", "side", "ordType", "sz"])
def test_a_missing_parameter_refuses_the_whole_request(name: str) -> None:
    async def body() -> None:
        async with a_trader() as trader:
            wanting = {key: value for key, value in order().items() if key != name}
            status, answer = await trader.call("POST", "trade/order", wanting)
            assert (status, answer["code"]) == (400, "50014")
            assert answer["msg"] == f"Parameter {name} can not be empty"

    run(body)


def test_an_order_beyond_the_balance_is_refused_and_a_market_order_shrinks_unless_banned() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            row = await trader.place("sell", sz="1000", px="80000")
            assert (row["sCode"], row["subCode"]) == ("51008", "1000")
            assert "Insufficient BTC balance" in row["sMsg"]
            spare = trader.floor.exchange.balance("main", "BTC")[0] // 10**10
            keep = await trader.place("sell", sz=f"{(spare - 50_000) / 1e8:.8f}", px="90000")
            assert keep["sCode"] == "0"
            row = await trader.place("sell", "market", sz="2", banAmend=True)
            assert row["sCode"] == "51008"
            row = await trader.place("sell", "market", sz="2")
            assert row["sCode"] == "0"
            final = await trader.query(row["ordId"])
            assert (final["sz"], final["accFillSz"]) == ("0.0005", "0.0005")

    run(body)


def test_a_client_id_is_taken_while_its_order_is_open_and_free_afterwards() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            first = await trader.place(clOrdId="x1")
            assert (await trader.place(clOrdId="x1"))["sCode"] == "51016"
            await trader.post("trade/cancel-order", {"instId": "BTC-USDT",
                                                     "ordId": first["ordId"]})
            second = await trader.place(clOrdId="x1")
            assert second["sCode"] == "0"
            (row,) = await trader.get("trade/order", instId="BTC-USDT", clOrdId="x1")
            assert row["ordId"] == second["ordId"]

    run(body)


def test_an_order_of_another_account_does_not_exist() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            row = await trader.place()
            other = Trader(trader.venue, "other")
            named = {"instId": "BTC-USDT", "ordId": row["ordId"]}
            answer = await other.post("trade/cancel-order", named)
            assert answer["data"][0]["sCode"] == "51400"
            _, answer = await other.call("GET", "trade/order", query=named)
            assert answer["code"] == "51603"
            assert (await trader.query(row["ordId"]))["state"] == "live"

    run(body)


def test_the_us_region_trades_in_dollars_at_its_own_fees() -> None:
    async def body() -> None:
        async with a_trader("BTC/USD", name="okx-us") as trader:
            stream = await trader.stream({"channel": "orders", "instType": "SPOT",
                                          "instId": "BTC-USD"})
            stream.take()
            row = await trader.place("buy", "market", instId="BTC-USD", sz="0.01",
                                     tgtCcy="base_ccy", tradeQuoteCcy="USD")
            assert row["sCode"] == "0"
            await stream.settle()
            last = pushes(stream, "orders")[-1]["data"][0]
            assert (last["state"], last["accFillSz"], last["feeCcy"]) == ("filled", "0.01", "BTC")
            assert last["fee"] == "-0.00005"
            assert last["tradeQuoteCcy"] == "USD"

    run(body)
