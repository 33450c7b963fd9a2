"""OKX amendments, self-trade prevention, the dead-man switch, and limits over all orders."""

from typing import Any

import pytest

from ops.sim.book import ASK, BID
from ops.sim.exchange.orders import Order
from ops.sim.faces.okx.limits import Limits
from ops.sim.faces.okx.tickets import Ticket, Tickets
from tests.ops.sim.faces.okx.client import Row
from tests.ops.sim.faces.okx.scene import SECOND, Scene

CHANNEL = {"channel": "orders", "instType": "SPOT"}


def amend(scene: Scene, **fields: Any) -> Row:
    row: Row = scene.post("trade/amend-order", {"instId": "BTC-USDT"} | fields)["data"][0]
    return row


def states(client: Any) -> list[tuple[str, str]]:
    return [(row["state"], row["cancelSource"])
            for frame in client.take() if "data" in frame for row in frame["data"]]


def partly_filled(scene: Scene) -> Row:
    """Rest 0.01 below the market and let 0.004 of it be taken."""
    row = scene.place("buy", px="64000.5", sz="0.01")
    scene.place("sell", "ioc", account="other", px="64000.5", sz="0.004")
    return row


def test_price_and_size_are_amended_and_the_request_id_comes_once() -> None:
    scene = Scene()
    client = scene.listen()
    client.follow(CHANNEL)
    row = scene.place(clOrdId="a1")
    scene.clock.advance(SECOND)
    done = amend(scene, clOrdId="a1", newPx="51000", newSz="0.03", reqId="r7")
    ended = str(int(row["ts"]) + 1000)  # when the amendment was carried out
    assert done == {"clOrdId": "a1", "ordId": row["ordId"], "ts": ended, "reqId": "r7",
                    "sCode": "0", "sMsg": "", "subCode": ""}
    _, push = (frame["data"][0] for frame in client.take())
    assert (push["px"], push["sz"], push["reqId"], push["amendResult"]) == (
        "51000", "0.03", "r7", "0")
    scene.place("sell", "ioc", account="other", px="51000", sz="1.01")
    fills = [frame["data"][0] for frame in client.take()]
    assert [fill["reqId"] for fill in fills] == [""] * len(fills)


@pytest.mark.parametrize(("fields", "code"), [
    ({}, "51500"), ({"newSz": "0"}, "51000"), ({"newSz": "0.000000001"}, "51121"),
    ({"newPx": "50000.01"}, "51150"), ({"newSz": "0.02", "reqId": "a-b"}, "51000"),
    ({"newSz": "0.02", "cxlOnFail": "perhaps"}, "51000"), ({"newSz": "80000"}, "51005"),
    ({"newPx": "x"}, "51000"), ({"newSz": "8", "newPx": "200000"}, "51008"),
])
def test_a_bad_amendment_leaves_the_order_as_it_was(fields: Row, code: str) -> None:
    scene = Scene()
    row = scene.place()
    assert amend(scene, ordId=row["ordId"], **fields)["sCode"] == code
    (after,) = scene.get("trade/orders-pending")
    assert (after["px"], after["sz"]) == ("50000", "0.01")
    assert amend(scene, ordId=row["ordId"], newSz="0.02")["sCode"] == "0"


def test_a_failed_amendment_cancels_the_order_if_that_was_asked_for() -> None:
    scene = Scene()
    row = scene.place()
    failed = amend(scene, ordId=row["ordId"], newSz="80000", cxlOnFail=True)
    assert failed["sCode"] == "51005"
    assert scene.get("trade/orders-pending") == []


def test_a_post_only_order_is_not_amended_into_the_market_and_an_ended_one_not_at_all() -> None:
    scene = Scene()
    row = scene.place(kind="post_only")
    assert amend(scene, ordId=row["ordId"], newPx="64001")["sCode"] == "51511"
    scene.post("trade/cancel-order", {"instId": "BTC-USDT", "ordId": row["ordId"]})
    assert amend(scene, ordId=row["ordId"], newPx="49000")["sCode"] == "51503"


def test_a_size_of_no_more_than_what_filled_ends_the_order_as_filled() -> None:
    scene = Scene()
    client = scene.listen()
    client.follow(CHANNEL)
    row = partly_filled(scene)
    client.take()
    assert amend(scene, ordId=row["ordId"], newSz="0.004")["sCode"] == "0"
    assert states(client) == [("filled", "")]
    (order,) = scene.get("trade/orders-history", instType="SPOT", state="filled")
    assert (order["sz"], order["accFillSz"]) == ("0.004", "0.004")
    assert scene.floor.exchange.balance("main", "USDT")[1] == 0


@pytest.mark.parametrize(("mode", "told"), [
    ("cancel_maker", [("canceled", "32"), ("filled", "")]),
    ("cancel_taker", [("canceled", "32")]),
    ("cancel_both", [("canceled", "32"), ("canceled", "32")]),
])
def test_an_account_never_trades_with_itself(mode: str, told: list[tuple[str, str]]) -> None:
    scene = Scene()
    scene.place("sell", px="64000.5", sz="0.01")
    client = scene.listen()
    client.follow(CHANNEL)
    row = scene.place("buy", px="64001", sz="0.01", stpMode=mode)
    assert [each for each in states(client) if each[0] != "live"] == told
    (order,) = scene.get("trade/order", instId="BTC-USDT", ordId=row["ordId"])
    assert order["stpMode"] == mode


def test_the_switch_ends_all_orders_unless_it_is_renewed() -> None:
    scene = Scene()
    client = scene.listen()
    client.follow(CHANNEL)
    scene.place()
    scene.place(account="other")
    (row,) = scene.post("trade/cancel-all-after", {"timeOut": 10})["data"]
    assert int(row["triggerTime"]) == int(row["ts"]) + 10
    scene.wait(8.0)
    assert scene.post("trade/cancel-all-after", {"timeOut": "10"})["code"] == "0"
    scene.wait(9.0)
    assert len(scene.get("trade/orders-pending")) == 1
    client.take()
    scene.wait(1.1)
    assert states(client) == [("canceled", "20")]
    assert len(scene.floor.exchange.open_orders("other")) == 1


def test_the_switch_is_turned_off_and_may_be_for_one_tag() -> None:
    scene = Scene()
    scene.place(tag="a")
    kept = scene.place(tag="b")
    scene.post("trade/cancel-all-after", {"timeOut": "10", "tag": "a"})
    scene.post("trade/cancel-all-after", {"timeOut": "10", "tag": "b"})
    scene.wait(2.0)
    (row,) = scene.post("trade/cancel-all-after", {"timeOut": "0", "tag": "b"})["data"]
    assert (row["triggerTime"], row["tag"]) == ("0", "b")
    scene.wait(20.0)
    assert [each["ordId"] for each in scene.get("trade/orders-pending")] == [kept["ordId"]]


@pytest.mark.parametrize(("body", "code"), [
    ({}, "50014"), ({"timeOut": "9"}, "51000"), ({"timeOut": "121"}, "51000"),
    ({"timeOut": "x"}, "51000"), ({"timeOut": "10", "tag": "a-b"}, "51000"), ([], "51000"),
])
def test_a_switch_that_cannot_be_is_refused(body: Any, code: str) -> None:
    assert Scene().post("trade/cancel-all-after", body)["code"] == code


def test_there_are_twenty_tagged_switches_and_each_may_be_wound_once_a_second() -> None:
    scene = Scene()
    for number in range(20):
        answer = scene.post("trade/cancel-all-after", {"timeOut": "60", "tag": f"t{number}"})
        assert answer["code"] == "0"
    over = scene.post("trade/cancel-all-after", {"timeOut": "60", "tag": "more"})
    assert over["code"] == "51071"
    again = scene.post("trade/cancel-all-after", {"timeOut": "60", "tag": "t0"})
    assert again["code"] == "50011"


def test_an_account_makes_a_thousand_orders_and_amendments_in_two_seconds_at_most() -> None:
    scene = Scene()
    limits, codes = Limits(scene.floor), list[str]()
    for operation in ("place", "amend"):
        for batch, count in ((False, 60), (True, 300)):
            for native in ("BTC-USDT", ""):
                for _ in range(count):
                    over = limits.entry(operation, "main", native, batch=batch)
                    codes.append(over.code if over else "")
    assert codes.count("") == 1000
    assert set(codes[1000:]) == {"50061"}
    assert limits.entry("cancel", "main", "BTC-USDT", batch=False) is None


def test_an_instrument_takes_five_hundred_open_orders() -> None:
    scene = Scene()
    bodies = [{"instId": "BTC-USDT", "tdMode": "cash", "side": "buy", "ordType": "limit",
               "px": "50000", "sz": "0.001"}] * 20
    for number in range(25):
        if number == 12:
            scene.clock.advance(3 * 10**9)
        assert scene.post("trade/batch-orders", bodies)["code"] == "0"
    row = scene.place()
    assert row["sCode"] == "51174"
    assert "500" in row["sMsg"]
    assert isinstance(scene.floor.exchange.open_orders("main")[0], Order)


def test_a_market_sell_may_be_sized_in_quote() -> None:
    scene = Scene()
    row = scene.place("sell", "market", sz="640", tgtCcy="quote_ccy")
    (order,) = scene.get("trade/order", instId="BTC-USDT", ordId=row["ordId"])
    assert (order["state"], order["sz"], order["tgtCcy"]) == ("filled", "640", "quote_ccy")
    assert float(order["accFillSz"]) * 64000 == pytest.approx(640)


def test_a_market_order_that_finds_too_little_is_cancelled_by_the_system() -> None:
    scene = Scene()
    row = scene.place("buy", "market", sz="2", tgtCcy="base_ccy")
    (order,) = scene.get("trade/order", instId="BTC-USDT", ordId=row["ordId"])
    assert (order["state"], order["accFillSz"], order["cancelSource"]) == ("canceled", "1", "0")
    assert scene.place("buy", "market", sz="100")["sCode"] == "51140"


@pytest.mark.parametrize(("side", "fields"), [
    ("buy", {"sz": "1.5", "tgtCcy": "base_ccy"}), ("sell", {"sz": "96000", "tgtCcy": "quote_ccy"}),
])
def test_a_market_order_with_a_slippage_stops_there_and_says_why(side: str, fields: Row) -> None:
    scene = Scene()
    scene.move((ASK, 645_000, 10**8), (BID, 635_000, 10**8))
    row = scene.place(side, "market", slippagePct="0.001", **fields)
    (order,) = scene.get("trade/order", instId="BTC-USDT", ordId=row["ordId"])
    assert order.items() >= {"ordType": "market", "px": "", "sz": fields["sz"], "accFillSz": "1",
                             "state": "canceled", "cancelSource": "27"}.items()
    far = scene.place(side, "market", slippagePct="0.05", **fields)
    (order,) = scene.get("trade/order", instId="BTC-USDT", ordId=far["ordId"])
    assert order["accFillSz"] == "1"  # of the next level, all there is


def test_tickets_of_orders_that_ended_are_forgotten_and_those_of_open_ones_kept() -> None:
    scene = Scene()
    exchange = scene.floor.exchange
    tickets = Tickets(exchange, keep=3)
    placed = [scene.place(tag=f"t{number}") for number in range(6)]
    orders = [exchange.order("main", order_id=int(row["ordId"])) for row in placed]
    for number, order in enumerate(orders):
        assert order is not None
        tickets.issue(Ticket(tag=f"t{number}"))
        if number in (1, 2):
            scene.floor.cancel("main", order_id=order.id)
        tickets.accept(order)
    tags = [tickets.of(order).tag for order in orders if order is not None]
    assert tags[:1] + tags[3:] == ["t0", "t3", "t4", "t5"]
    assert "" in tags[1:3]
