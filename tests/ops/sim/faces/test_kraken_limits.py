"""Kraken's counters, timers and bad days: what a client is told when it is too fast or too late."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from ops.sim.faces.kraken import limits
from ops.sim.faces.kraken.limits import CANCEL_STEPS, Counters, penalty
from tests.ops.sim.faces.kraken_client import Trader, reports
from tests.ops.sim.faces.kraken_patience import unlimited
from tests.ops.sim.wire import Venue, a_venue, run

SECOND = 10**9


class Clocks:
    """A floor's clocks, stopped, and moved on by hand."""

    def __init__(self, trader: Trader) -> None:
        self.skipped_ns = 0
        floor = trader.face.floor
        mono_ns, unix_ns = floor.mono_ns(), floor.now_ns()
        floor.mono_ns = lambda: mono_ns + self.skipped_ns  # type: ignore[method-assign]
        floor.now_ns = lambda: unix_ns + self.skipped_ns  # type: ignore[method-assign]

    def skip(self, seconds: float) -> None:
        """Move on."""
        self.skipped_ns += int(seconds * SECOND)


async def set_fault(venue: Venue, **fields: Any) -> None:
    status, _ = await venue.call("POST", "/fault", {"venue": "kraken"} | fields)
    assert status == 200
    venue.world.servers["kraken"].tick()


@pytest.mark.parametrize(("age_s", "cost"), [
    (0, 8), (4.9, 8), (5, 6), (9, 6), (10, 5), (15, 4), (45, 2), (90, 1), (299, 1), (300, 0)])
def test_a_fresh_cancel_costs_most(age_s: float, cost: int) -> None:
    assert penalty(CANCEL_STEPS, int(age_s * SECOND)) == cost


def test_private_calls_count_by_method_and_decay() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            trader = Trader(venue)
            clocks = Clocks(trader)
            for _ in range(8):
                await trader.result("TradesHistory")
            for _ in range(4):
                await trader.result("Balance")
            assert await trader.error("Balance") == "EAPI:Rate limit exceeded"
            assert (await trader.add())["error"] == []
            assert (await Trader(venue, "other").post("Balance"))["error"] == []
            clocks.skip(2.1)
            await trader.result("Balance")
            assert await trader.error("Balance") == "EAPI:Rate limit exceeded"

    run(body)


def test_orders_count_per_pair_and_cancels_are_never_refused() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD", "ETH/USD") as venue:
            trader = Trader(venue)
            socket, clocks = await trader.connect(), Clocks(trader)
            await socket.ask("subscribe", channel="executions", ratecounter=True)
            made = [(await socket.add())["result"]["order_id"] for _ in range(12)]
            frames = await socket.ask("cancel_order", order_id=made)
            assert all(frame["success"] for frame in frames if "method" in frame)
            counters = [row["ratecounter"] for row in reports(frames)]
            assert counters == [12 + 8 * count for count in range(1, 13)]
            taken = [await socket.add() for _ in range(18)]
            assert [each["success"] for each in taken] == [True] * 17 + [False]
            assert taken[-1]["error"] == "EOrder:Rate limit exceeded"
            last = taken[0]["result"]["order_id"]
            (row,) = reports(await socket.ask("cancel_order", order_id=[last]))[-1:]
            assert (row["exec_type"], row["ratecounter"]) == ("canceled", 125)
            assert (await socket.add(symbol="ETH/USD", order_qty=1.0, limit_price=100.0))[
                "success"]
            clocks.skip(10)
            assert (await socket.add())["success"]

    run(body)


def test_more_than_80_orders_of_a_pair_are_refused() -> None:
    async def body() -> None:
        with unlimited():
            async with a_venue("kraken", "BTC/USD") as venue:
                socket = await Trader(venue).connect()
                answers = [await socket.add(order_qty=0.001) for _ in range(81)]
                assert [each["success"] for each in answers] == [True] * 80 + [False]
                assert answers[-1]["error"] == "EOrder:Orders limit exceeded"

    run(body)


def test_public_requests_are_counted_per_ip() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            clocks = Clocks(Trader(venue))
            answers = [(await venue.get("/0/public/Time"))[1]["error"] for _ in range(22)]
            assert answers == [[]] * 20 + [["EGeneral:Too many requests"]] * 2
            clocks.skip(1)
            answers = [(await venue.get("/0/public/Time"))[1]["error"] for _ in range(2)]
            assert answers == [[], ["EGeneral:Too many requests"]]

    run(body)


def test_too_many_connections_ban_the_ip_for_rest_too() -> None:
    counters = Counters()
    assert all(counters.connect("1.2.3.4", second * SECOND) for second in range(150))
    assert not counters.connect("1.2.3.4", 200 * SECOND)
    assert counters.banned_s("1.2.3.4", 201 * SECOND) == 599
    assert counters.connect("4.3.2.1", 200 * SECOND)
    assert not counters.connect("1.2.3.4", 799 * SECOND)
    assert counters.connect("1.2.3.4", 801 * SECOND)

    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            trader = Trader(venue)
            now_ns = trader.face.floor.mono_ns()
            while trader.face.counters.connect("127.0.0.1", now_ns):
                pass
            status, text = await venue.get("/0/public/Time")
            assert (status, text) == (429, "error code: 1015")
            assert (await trader.send("Balance", b"nonce=1", "1"))[0] == 429
            client = await venue.connect()
            await asyncio.wait_for(client.closed.wait(), 2)
            assert client.take() == []

    run(body)


def test_too_many_messages_are_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MESSAGES_PER_S", 3)

    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            client = await venue.connect()
            client.ask(*[{"method": "ping"}] * 4)
            await client.settle()
            _, *pongs, last = client.take()
            assert [pong["method"] for pong in pongs] == ["pong"] * 3
            assert last == {"Error": "Exceeded msg rate"}

    run(body)


def test_the_dead_mans_switch_cancels_everything_unless_renewed() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            trader = Trader(venue)
            socket, clocks = await trader.connect(), Clocks(trader)
            await socket.ask("subscribe", channel="executions")
            txid = await trader.added()
            await socket.frames()
            times = await trader.result("CancelAllOrdersAfter", timeout="60")
            assert times.keys() == {"currentTime", "triggerTime"}
            clocks.skip(50)
            trader.face.tick()
            answer = await socket.answer("cancel_all_orders_after", timeout=60)
            assert answer["result"].keys() == {"currentTime", "triggerTime"}
            clocks.skip(50)
            trader.face.tick()
            assert txid in (await trader.result("OpenOrders"))["open"]
            clocks.skip(11)
            trader.face.tick()
            (row,) = reports(await socket.frames())
            assert (row["order_id"], row["exec_type"]) == (txid, "canceled")
            txid = await trader.added()
            await trader.result("CancelAllOrdersAfter", timeout="5")
            assert (await trader.result("CancelAllOrdersAfter", timeout="0"))[
                "triggerTime"] == "0"
            clocks.skip(6)
            trader.face.tick()
            assert txid in (await trader.result("OpenOrders"))["open"]
            for bad in ("-1", "86400", "x", ""):
                assert await trader.error("CancelAllOrdersAfter", timeout=bad) == (
                    "EGeneral:Invalid arguments:timeout")

    run(body)


def test_an_order_with_a_date_expires_and_in_a_halted_market_only_later() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            trader = Trader(venue)
            socket, clocks = await trader.connect(), Clocks(trader)
            await socket.ask("subscribe", channel="executions")
            txid = await trader.added(timeinforce="GTD", expiretm="+30")
            assert (await trader.result("OpenOrders"))["open"][txid]["expiretm"] > 0
            await set_fault(venue, kind="halt", start_s=0, end_s=40)
            assert (await trader.add())["error"] == ["EService:Unavailable"]
            assert await trader.error("CancelOrder", txid=txid) == "EService:Unavailable"
            _, pairs = await venue.get("/0/public/AssetPairs")
            assert pairs["result"]["XXBTZUSD"]["status"] == "maintenance"
            await socket.frames()
            clocks.skip(31)
            venue.world.servers["kraken"].tick()
            assert reports(await socket.frames()) == []
            assert (await trader.result("OpenOrders"))["open"][txid]["status"] == "open"
            clocks.skip(20)
            venue.world.servers["kraken"].tick()
            trader.face.tick()
            (row,) = reports(await socket.frames())
            assert (row["exec_type"], row["order_status"]) == ("expired", "expired")
            closed = (await trader.result("ClosedOrders"))["closed"][txid]
            assert (closed["status"], closed["reason"]) == ("expired", "Order expired")

    run(body)


def test_limits_that_change_show_in_the_catalogue_and_in_refusals() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            trader = Trader(venue)
            await set_fault(venue, kind="filters", start_s=0, end_s=40)
            _, pairs = await venue.get("/0/public/AssetPairs")
            assert pairs["result"]["XXBTZUSD"]["tick_size"] == "1"
            assert (await trader.add(price="1000.5"))["error"] == [
                "EOrder:Tick size check failed"]
            assert (await trader.add(price="1001"))["error"] == []

    run(body)


@pytest.mark.parametrize(("kind", "status", "body_of"), [
    ("http_429", 429, "error code: 1015"), ("http_500", 520, "error code: 520"),
    ("maintenance", 200, {"error": ["EService:Unavailable"]}),
])
def test_bad_days_look_like_krakens(kind: str, status: int, body_of: object) -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            trader = Trader(venue)
            await set_fault(venue, kind=kind, start_s=0, end_s=60)
            assert await trader.send("Balance", b"nonce=1", "1") == (status, body_of)

    run(body)


def test_an_order_whose_answer_was_lost_is_found_by_its_client_id() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            trader = Trader(venue)
            await set_fault(venue, kind="answer_5xx", count=1)
            path = b"pair=XBTUSD&type=buy&ordertype=limit&volume=0.01&price=1000&cl_ord_id=look"
            answer = await trader.send("AddOrder", b"nonce=2&" + path, "2")
            assert answer == (502, "error code: 502")
            (row,) = (await trader.result("OpenOrders", cl_ord_id="look"))["open"].values()
            assert row["status"] == "open"

    run(body)


def sequences(frames: list[Any]) -> list[int]:
    return [frame["sequence"] for frame in frames if "sequence" in frame]


def kinds(frames: list[Any]) -> list[str]:
    return [row["exec_type"] for row in reports(frames)]


def test_a_fill_that_is_never_told_leaves_no_hole_but_a_new_subscription_shows_it() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            trader = Trader(venue)
            socket = await trader.connect()
            await socket.ask("subscribe", channel="executions")
            await set_fault(venue, kind="fill_lost")
            frames = await socket.ask("add_order", symbol="BTC/USD", side="buy",
                                      order_type="market", order_qty=0.001)
            assert (kinds(frames), sequences(frames)) == (["pending_new", "new"], [2, 3])
            _, snapshot = await socket.ask("subscribe", channel="executions", snap_trades=True)
            assert snapshot["sequence"] == 1
            (txid,) = {row["order_id"] for row in snapshot["data"]}
            assert txid == frames[0]["data"][0]["order_id"]

    run(body)


def test_a_lost_frame_leaves_a_hole_in_the_sequence() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            socket = await Trader(venue).connect()
            await socket.ask("subscribe", channel="executions")
            await set_fault(venue, kind="drop", count=1)
            first, second = await socket.ask("add_order", symbol="BTC/USD", side="buy",
                                             order_type="limit", order_qty=0.01, limit_price=1000)
            assert (first["sequence"], second["success"]) == (3, True)

    run(body)


def test_a_fill_may_be_told_before_its_order_and_twice_in_unbroken_sequence() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            socket = await Trader(venue).connect()
            await socket.ask("subscribe", channel="executions")
            market = {"symbol": "BTC/USD", "side": "buy", "order_type": "market",
                      "order_qty": 0.0001}
            await set_fault(venue, kind="fill_before_ack", count=1)
            frames = await socket.ask("add_order", **market)
            while len(sequences(frames)) < 4:
                frames += await socket.frames()
            assert kinds(frames) == ["trade", "filled", "pending_new", "new"]
            assert sequences(frames) == [2, 3, 4, 5]
            await set_fault(venue, kind="fill_duplicate", count=1)
            frames = await socket.ask("add_order", **market)
            assert kinds(frames).count("trade") == 2
            assert sequences(frames) == list(range(6, 6 + len(sequences(frames))))

    run(body)


def test_a_venue_that_comes_back_without_its_orders_uses_their_ids_again() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            trader = Trader(venue)
            socket = await trader.connect()
            await socket.ask("subscribe", channel="executions")
            txid = await trader.added(userref=5)
            await set_fault(venue, kind="id_reuse", count=1)
            await asyncio.wait_for(socket.client.closed.wait(), 5)
            assert await trader.error("QueryOrders", txid=txid) == "EQuery:Unknown order"
            assert await trader.added() == txid
            row = (await trader.result("QueryOrders", txid=txid))[txid]
            assert (row["userref"], row["status"]) == (0, "open")

    run(body)


def test_revoked_keys_open_nothing_and_neither_do_their_tokens() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            trader = Trader(venue)
            socket = await trader.connect()
            await set_fault(venue, kind="keys_revoked")
            assert await trader.error("Balance") == "EAPI:Invalid key"
            assert (await socket.add())["error"] == "ESession:Invalid session"
            await venue.call("DELETE", "/fault/kraken")
            venue.world.servers["kraken"].tick()
            assert (await socket.add())["success"]

    run(body)


def test_queries_that_lag_do_not_find_what_can_be_cancelled_all_the_same() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            trader = Trader(venue)
            socket = await trader.connect()
            await set_fault(venue, kind="query_lag", ms=3_600_000)
            await socket.ask("subscribe", channel="executions")
            txid = await trader.added(userref=6)
            await trader.added("market", volume="0.001")
            assert kinds(await socket.frames())[:2] == ["pending_new", "new"]
            assert await trader.result("OpenOrders") == {"open": {}}
            assert (await trader.result("TradesHistory"))["count"] == 0
            assert await trader.error("QueryOrders", txid=txid) == "EQuery:Unknown order"
            assert await trader.result("CancelOrder", txid=6) == {"count": 1}

    run(body)


@pytest.mark.parametrize("mode", ["cancel_only", "post_only"])
def test_a_market_in_a_lesser_mode_says_so(mode: str) -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            trader = Trader(venue)
            txid = await trader.added()
            await set_fault(venue, kind=mode)
            assert (await trader.add())["error"] == [f"EService:Market in {mode} mode"]
            answer = await trader.add(oflags="post")
            assert (answer["error"] == []) == (mode == "post_only")
            assert await trader.result("CancelOrder", txid=txid) == {"count": 1}
            _, pairs = await venue.get("/0/public/AssetPairs")
            assert pairs["result"]["XXBTZUSD"]["status"] == mode

    run(body)


def test_a_clock_that_runs_ahead_shows_and_deadlines_go_by_it() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            trader = Trader(venue)
            _, before = await venue.get("/0/public/Time")
            at = datetime.fromtimestamp(before["result"]["unixtime"] + 20, UTC)
            deadline = f"{at:%Y-%m-%dT%H:%M:%SZ}"
            assert (await trader.add(deadline=deadline))["error"] == []
            await set_fault(venue, kind="clock_skew", ms=60_000)
            _, after = await venue.get("/0/public/Time")
            assert after["result"]["unixtime"] - before["result"]["unixtime"] >= 60
            assert (await trader.add(deadline=deadline))["error"] == [
                "EService:Deadline elapsed"]

    run(body)
