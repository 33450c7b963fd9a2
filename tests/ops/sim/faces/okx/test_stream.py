"""The OKX WebSocket door: login, channels, order entry, and what each refuses."""

from typing import Any

import pytest

from engine.model.fault import Fault, Kind
from ops.sim.book import ASK
from tests.ops.sim.faces.okx.client import PRIVATE, Trader, a_trader, order
from tests.ops.sim.faces.okx.scene import Scene
from tests.ops.sim.wire import run

CODE = 100_000


def entry(op: str, *args: Any, **more: Any) -> dict[str, Any]:
    return {"id": "1512", "op": op, "args": list(args)} | more


def coded(**fields: Any) -> dict[str, Any]:
    return order(**({"instId": None, "instIdCode": CODE} | fields))


def test_a_login_is_answered_once_and_a_wrong_one_is_closed_with_4001() -> None:
    scene = Scene()
    client, stranger = scene.listen(), scene.listen()
    client.ask(scene.login())
    (answer,) = client.take()
    assert answer == {"event": "login", "code": "0", "msg": "", "connId": "a0000001"}
    client.ask(scene.login())
    assert client.take()[0]["code"] == "60031"
    wrong = scene.login()
    wrong["args"][0]["sign"] = "AAAA"
    stranger.ask(wrong)
    assert stranger.take()[0].items() >= {"event": "error", "code": "60007"}.items()
    assert (stranger.closed, stranger.account) == (4001, "")


def test_orders_are_entered_amended_and_cancelled_by_code_with_the_requests_id() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            client = await trader.stream({"channel": "orders", "instType": "ANY"})
            client.take()
            client.ask(entry("order", coded(clOrdId="a1")))
            await client.settle()
            push, answer = client.take()
            (row,) = answer["data"]
            assert list(answer) == ["id", "op", "data", "code", "msg", "inTime", "outTime"]
            assert list(row) == ["clOrdId", "ordId", "tag", "ts", "sCode", "sMsg", "subCode"]
            assert (answer["id"], answer["op"], answer["code"]) == ("1512", "order", "0")
            assert push["data"][0]["ordId"] == row["ordId"]
            client.ask(entry("amend-order", {
                "instIdCode": CODE, "clOrdId": "a1", "newSz": "0.02", "reqId": "r1"}))
            await client.settle()
            push, answer = client.take()
            assert push["data"][0].items() >= {
                "sz": "0.02", "reqId": "r1", "amendResult": "0", "amendSource": "1",
                "state": "live"}.items()
            assert answer["data"][0].items() >= {"reqId": "r1", "sCode": "0"}.items()
            client.ask(entry("cancel-order", {"instIdCode": CODE, "ordId": row["ordId"]}))
            await client.settle()
            push, answer = client.take()
            assert (push["data"][0]["state"], push["data"][0]["reqId"]) == ("canceled", "")
            assert list(answer["data"][0]) == ["clOrdId", "ordId", "ts", "sCode", "sMsg"]

    run(body)


def test_batches_answer_row_by_row_and_say_how_much_went_well() -> None:
    scene = Scene()
    client = scene.listen()
    client.follow()
    client.ask(entry("batch-orders", coded(clOrdId="a"), coded(clOrdId="b", sz="0")))
    (answer,) = client.take()
    assert answer["code"] == "2"
    assert [row["sCode"] for row in answer["data"]] == ["0", "51000"]
    client.ask(entry("batch-amend-orders", {"instIdCode": CODE, "clOrdId": "a", "newPx": "49000"}))
    client.ask(entry("batch-cancel-orders", *[
        {"instIdCode": CODE, "clOrdId": each} for each in ("a", "a", "nobody")]))
    amended, cancelled = client.take()
    assert amended["code"] == "0"
    assert [row["sCode"] for row in cancelled["data"]] == ["0", "51400", "51400"]


@pytest.mark.parametrize(("request_", "code"), [
    (entry("order", order()), "50014"),  # instId is not taken
    (entry("order", coded(instIdCode=7)), "51001"),
    (entry("order", coded(instIdCode="100000")), "51001"),
    (entry("order", coded(sz="8", px="200000")), "51008"),
    (entry("amend-order", {"instIdCode": CODE, "ordId": "5", "newSz": "1"}), "51503"),
    (entry("amend-order", {"instIdCode": CODE, "newSz": "1"}), "51003"),
    (entry("cancel-order", {"instIdCode": CODE, "ordId": "x"}), "51000"),
])
def test_an_entry_that_fails_says_so_in_its_row(request_: dict[str, Any], code: str) -> None:
    scene = Scene()
    client = scene.listen()
    client.follow()
    client.ask(request_)
    (answer,) = client.take()
    assert (answer["code"], answer["msg"]) == ("1", "")
    assert answer["data"][0]["sCode"] == code


@pytest.mark.parametrize("request_", [
    entry("order"), entry("order", coded(), coded()), entry("order", 7),
    {"op": "order", "args": [coded()]}, entry("order", coded(), id="a-b"),
    entry("batch-orders", *[coded() for _ in range(21)]),
])
def test_a_malformed_entry_is_60013(request_: dict[str, Any]) -> None:
    scene = Scene()
    client = scene.listen()
    client.follow()
    client.ask(request_)
    (answer,) = client.take()
    assert (answer["code"], answer["msg"], answer["data"]) == ("60013", "Invalid args", [])


def test_a_late_entry_is_not_carried_out() -> None:
    scene = Scene()
    client = scene.listen()
    client.follow()
    now_ms = scene.floor.now_ns() // 1_000_000
    client.ask(entry("order", coded(), expTime=str(now_ms - 1)))
    client.ask(entry("order", coded(), expTime=str(now_ms + 1000)))
    late, good = client.take()
    assert (late["code"], good["code"]) == ("50036", "0")


@pytest.mark.parametrize(("path", "request_", "code"), [
    ("private", entry("order", coded()), "60011"),
    ("private", {"op": "subscribe", "args": [{"channel": "account"}]}, "60011"),
    ("public", {"op": "subscribe", "args": [{"channel": "account"}]}, "60018"),
    ("public", entry("order", coded()), "60018"),
    ("public", {"op": "subscribe", "args": [{"channel": "trades-all", "instId": "BTC-USDT"}]},
     "60018"),
    ("business", {"op": "subscribe", "args": [{"channel": "books", "instId": "BTC-USDT"}]},
     "60018"),
    ("private", {"op": "subscribe", "args": [{"channel": "orders", "instType": "SPOT"}],
                 "id": "a-b"}, "60033"),
])
def test_what_needs_a_login_or_another_path_says_so(
    path: str, request_: dict[str, Any], code: str
) -> None:
    scene = Scene()
    client = scene.listen(path)
    client.ask(request_)
    (answer,) = client.take()
    assert (answer["event"], answer["code"]) == ("error", code)


@pytest.mark.parametrize(("arg", "code"), [
    ({"channel": "fills", "instId": "BTC-USDT"}, "64003"),
    ({"channel": "orders"}, "60018"), ({"channel": "orders", "instType": "SPOT",
                                        "instId": "NO-PE"}, "60018"),
    ({"channel": "account", "ccy": "NOPE"}, "60018"), ({"channel": "nothing"}, "60018"),
])
def test_private_channels_that_are_not_for_us_are_refused(arg: dict[str, str], code: str) -> None:
    scene = Scene()
    client = scene.listen()
    client.follow()
    client.ask({"op": "subscribe", "args": [arg]})
    assert client.take()[0]["code"] == code


def test_counted_channels_tell_their_connections_and_refuse_the_thirty_first() -> None:
    scene = Scene()
    arg = {"channel": "orders", "instType": "SPOT"}
    clients = [scene.listen() for _ in range(31)]
    for number, client in enumerate(clients, start=1):
        client.ask(scene.login())
        client.ask({"op": "subscribe", "args": [arg, arg | {"instId": "BTC-USDT"}]})
        _, ack, event, *rest = client.take()
        assert ack["event"] == "subscribe"
        full = number == 31
        assert event["event"] == ("channel-conn-count-error" if full else "channel-conn-count")
        assert event["connCount"] == str(min(number, 30))
        assert len(rest) == 2
    assert clients[30].topics == {}
    clients[0].topics.clear()  # it left
    clients[30].ask({"op": "subscribe", "args": [arg]})
    assert clients[30].take()[1]["event"] == "channel-conn-count"


def test_an_order_is_pushed_to_every_subscription_that_covers_it_with_its_own_arg() -> None:
    scene = Scene()
    client, other = scene.listen(), scene.listen()
    client.follow({"channel": "orders", "instType": "ANY"},
                  {"channel": "orders", "instType": "SPOT", "instId": "BTC-USDT"})
    other.ask(scene.login("other"))
    other.ask({"op": "subscribe", "args": [{"channel": "orders", "instType": "ANY"}]})
    other.take()
    scene.place()
    args = [frame["arg"] for frame in client.take()]
    assert [{k: v for k, v in arg.items() if k != "uid"} for arg in args] == [
        {"channel": "orders", "instType": "SPOT", "instId": "BTC-USDT"},
        {"channel": "orders", "instType": "ANY"}] or len(args) == 2
    assert other.take() == []
    client.ask({"op": "unsubscribe", "args": [{"channel": "orders", "instType": "ANY"}]})
    client.take()
    scene.place()
    assert len(client.take()) == 1


def test_balances_come_as_snapshot_as_changes_and_again_every_five_seconds() -> None:
    scene = Scene()
    client, quiet = scene.listen(), scene.listen()
    client.ask(scene.login())
    client.ask({"op": "subscribe", "args": [{"channel": "account"}]})
    _, _, _, first = client.take()
    quiet.follow({"channel": "account", "ccy": "USDT",
                  "extraParams": '{"updateInterval": "0"}'})
    assert (first["eventType"], first["curPage"], first["lastPage"]) == ("snapshot", 1, True)
    held = {row["ccy"]: row for row in first["data"][0]["details"]}
    assert set(held) == {"BTC", "USDT"}
    scene.place(sz="0.01", px="50000")
    (push,) = client.take()
    (row,) = push["data"][0]["details"]
    assert (push["eventType"], row["ccy"], row["ordFrozen"]) == ("event_update", "USDT", "500")
    assert row["cashBal"] == held["USDT"]["cashBal"]
    assert len(quiet.take()) == 1
    scene.wait(5.0)
    assert [frame["eventType"] for frame in client.take()] == ["interval_update"]
    assert quiet.take() == []


def test_quick_balances_tell_cash_and_trades_and_nothing_of_what_is_frozen() -> None:
    scene = Scene()
    client = scene.listen()
    client.ask(scene.login())
    client.ask({"op": "subscribe", "args": [{"channel": "balance_and_position"}]})
    first = client.take()[-1]
    assert first["data"][0]["eventType"] == "snapshot"
    scene.place()
    assert client.take() == []
    scene.place(sz="0.01", px="64001")
    frames = [frame["data"][0] for frame in client.take()]
    assert {frame["balData"][0]["ccy"] for frame in frames} == {"BTC", "USDT"}
    assert all(len(frame["trades"]) == 1 for frame in frames)


def test_who_is_silent_for_thirty_seconds_is_closed_and_a_ping_keeps_the_connection() -> None:
    scene = Scene()
    stranger, idle, alive = scene.listen(), scene.listen(), scene.listen()
    idle.follow()
    alive.follow()
    for _ in range(3):
        scene.wait(15.0)
        stranger.ask(b"ping")
        alive.ask(b"ping")
    assert (stranger.closed, idle.closed, alive.closed) == (4004, 4004, None)
    assert alive.frames[-1] == b"pong"


def test_the_481st_request_of_an_hour_is_too_much() -> None:
    scene = Scene()
    client = scene.listen("public")
    request = {"op": "unsubscribe", "args": [{"channel": "tickers", "instId": "BTC-USDT"}]}
    for _ in range(480):
        client.ask(request)
    assert {frame["event"] for frame in client.take()} == {"unsubscribe"}
    client.ask(request)
    assert client.take()[0]["code"] == "60014"
    scene.clock.advance(3601 * 10**9)
    client.ask(request)
    assert client.take()[0]["event"] == "unsubscribe"


def test_a_fourth_connection_within_a_second_is_closed() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            clients = [await trader.venue.connect(PRIVATE) for _ in range(4)]
            await clients[3].closed.wait()
            await clients[0].settle()

    run(body)


def test_channels_longer_than_64_kb_close_the_connection() -> None:
    scene = Scene()
    client = scene.listen()
    client.follow()
    for number in range(33):
        client.ask({"op": "subscribe", "args": [{
            "channel": "account", "ccy": "BTC", "extraParams": f"{number}" * 2000}]})
    assert client.closed is None  # the same topic, again and again
    for number in range(33):
        client.ask({"op": "subscribe", "args": [{
            "channel": "orders", "instType": "SPOT", "note": "n" * 4000,
            "instId": None if number % 2 else "BTC-USDT"}]})
        client.topics.clear()
    assert client.closed == 1009


def test_maintenance_is_announced_a_minute_ahead_in_notice_status_and_channel() -> None:
    scene = Scene(Fault("okx", Kind.MAINTENANCE, start_s=100, end_s=130))
    client = scene.listen("public")
    client.ask({"op": "subscribe", "args": [{"channel": "status"}]})
    client.take()
    assert scene.get("system/status") == []
    scene.wait(25.0)
    client.ask(b"ping")
    scene.wait(20.0)
    notice = [frame for frame in client.take() if frame != b"pong"]
    assert {frame.get("code") for frame in notice} == {"64008", None}
    assert [frame["data"][0]["state"] for frame in notice if "data" in frame] == ["scheduled"]
    (row,) = scene.get("system/status")
    assert (row["state"], row["serviceType"]) == ("scheduled", "5")
    wait_s = (int(row["begin"]) - scene.floor.now_ns() // 1_000_000) / 1000
    assert 50 < wait_s <= 61


def test_the_top_of_the_book_and_the_instruments_have_their_own_channels() -> None:
    scene = Scene()
    client = scene.listen("public")
    client.ask({"op": "subscribe", "args": [
        {"channel": "books5", "instId": "BTC-USDT"}, {"channel": "instruments",
                                                      "instType": "SPOT"}]})
    _, few, _, listed = client.take()
    assert few["data"][0]["asks"][0][:2] == ["64001", "1"]
    assert "action" not in few
    assert listed["data"][0]["instIdCode"] == CODE
    scene.move((ASK, 640_020, 5))
    assert client.take()[0]["data"][0]["asks"][1][:2] == ["64002", "0.00000005"]
    scene.faults.add(Fault("okx", Kind.HALT))
    scene.floor.tick()
    (push,) = client.take()
    assert (push["arg"]["channel"], push["data"][0]["state"]) == ("instruments", "suspend")


def test_a_quiet_book_repeats_itself_once_a_minute_without_a_change() -> None:
    scene = Scene()
    client = scene.listen("public")
    client.ask({"op": "subscribe", "args": [{"channel": "books", "instId": "BTC-USDT"}]})
    last = client.take()[-1]["data"][0]["seqId"]
    for _ in range(5):
        scene.wait(12.5)
        client.ask(b"ping")
    (update,) = [frame for frame in client.take() if frame != b"pong"]
    row = update["data"][0]
    assert (row["asks"], row["bids"], row["prevSeqId"], row["seqId"]) == ([], [], last, last)


def test_every_fill_of_a_line_is_told_on_the_business_path() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            client = await trader.venue.connect("/ws/v5/business")
            client.ask({"op": "subscribe", "args": [
                {"channel": "trades-all", "instId": "BTC-USDT"}]})
            await client.settle()
            client.take()
            row = await Trader(trader.venue).place("buy", "market", sz="300")
            await client.settle()
            told = {frame["data"][0]["tradeId"] for frame in client.take()}
            fills = await trader.get("trade/fills", ordId=row["ordId"])
            assert told == {fill["tradeId"] for fill in fills}

    run(body)
