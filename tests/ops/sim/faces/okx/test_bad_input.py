"""OKX under nonsense and under faults: each gets the documented answer, and the venue stays up."""

import json
from random import Random
from typing import Any

import aiohttp
import pytest

from engine.config import Sim
from engine.model.fault import Fault, Kind
from tests.ops.sim.faces.okx.client import PRIVATE, a_trader, order
from tests.ops.sim.faces.okx.scene import Scene
from tests.ops.sim.wire import run

ODD: list[Any] = [None, True, -1, 1e400, 10**30, "", "x" * 100, "-", "1e9", "NaN", [], {}, [[]],
                  {"a": 1}, "0", "٣", "\u0000"]


@pytest.mark.parametrize("op", [
    "order", "batch-orders", "cancel-order", "batch-cancel-orders", "amend-order", "subscribe",
    "unsubscribe", "login", "mass-cancel", "", None, 7,
])
def test_no_value_in_any_field_of_any_request_breaks_the_stream(op: Any) -> None:
    scene, chance = Scene(), Random(7)
    client = scene.listen()
    client.follow()
    good = order() | {"instIdCode": 100_000, "ordId": "1", "clOrdId": "c", "channel": "orders",
                      "instType": "SPOT", "newSz": "1", "newPx": "5", "tgtCcy": "base_ccy"}
    for number in range(300):
        arg = dict(good)
        for name in chance.sample(sorted(arg), 3):
            arg[name] = chance.choice(ODD)
        args: Any = [arg] * chance.choice([1, 2, 21]) if number % 10 else chance.choice(ODD)
        request = {"id": "1" if number % 7 else chance.choice(ODD), "op": op, "args": args}
        client.ask(json.dumps(request).replace("Infinity", "1e400").encode())
        scene.clock.advance(10**8)
        answers = client.take()
        assert answers
        assert all("code" in each or "event" in each for each in answers)
        if client.closed is not None:
            client = scene.listen()
            client.follow()
    assert scene.place()["sCode"] == "0"


@pytest.mark.parametrize("verb", [
    "trade/order", "trade/batch-orders", "trade/cancel-order", "trade/cancel-batch-orders",
    "trade/amend-order", "trade/amend-batch-orders", "trade/cancel-all-after",
])
def test_no_value_in_any_field_of_a_body_breaks_the_rest_door(verb: str) -> None:
    scene, chance = Scene(), Random(8)
    good = order() | {"ordId": "1", "clOrdId": "c", "newSz": "1", "newPx": "5", "timeOut": "60",
                      "tag": "t", "stpMode": "cancel_both", "expTime": "1"}
    for _ in range(200):
        body = dict(good)
        for name in chance.sample(sorted(body), 3):
            body[name] = chance.choice(ODD[:3] + ODD[4:])  # 1e400 is no JSON
        scene.clock.advance(10**9)
        many = "batch" in verb
        status, answer = scene.call("POST", verb, [body] if many else body)
        assert status in (200, 400, 401, 405, 429)
        assert answer["code"].isdigit()
    scene.clock.advance(3 * 10**9)
    assert scene.place()["sCode"] == "0"


def test_an_oversized_frame_closes_its_connection_and_no_other() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            rude, polite = await trader.venue.connect(PRIVATE), await trader.stream()
            rude.ask(b'{"op":"subscribe","args":["' + b"x" * (2 << 20) + b'"]}')
            await rude.closed.wait()
            polite.ask(b"ping")
            await polite.settle()
            assert polite.frames[-1] == b"pong"

    run(body)


def test_an_oversized_body_is_refused_and_the_next_request_served() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            url = trader.venue.world.endpoints()["okx"]["rest"] + "/api/v5/trade/order"
            async with aiohttp.ClientSession() as session, session.post(
                    url, data=b"x" * (2 << 20)) as answer:
                assert answer.status == 413
            assert (await trader.place())["sCode"] == "0"

    run(body)


@pytest.mark.parametrize(("kind", "status", "code"), [
    (Kind.HTTP_429, 429, "50011"), (Kind.HTTP_500, 500, "50026"),
    (Kind.MAINTENANCE, 503, "50001"),
])
def test_what_faults_refuse_is_refused_in_the_venues_words(
    kind: Kind, status: int, code: str
) -> None:
    async def body() -> None:
        async with a_trader() as trader:
            trader.floor.faults.add(Fault("okx", kind))
            got, answer = await trader.call("POST", "trade/order", order())
            assert (got, answer["code"]) == (status, code)
            trader.floor.faults.clear("okx")
            assert await trader.get("trade/orders-pending") == []

    run(body)


def test_a_query_may_lag_while_orders_are_entered_filled_and_cancelled() -> None:
    scene = Scene(Fault("okx", Kind.QUERY_LAG, ms=2_000, end_s=30))
    client = scene.listen()
    client.follow({"channel": "orders", "instType": "SPOT"})
    scene.wait(0.1)
    row = scene.place("buy", "limit", px="64001", sz="1.5")
    assert [frame["data"][0]["state"] for frame in client.take()] == ["live", "partially_filled"]
    named = {"instId": "BTC-USDT", "ordId": row["ordId"]}
    assert scene.call("GET", "trade/order", query=named)[1]["code"] == "51603"
    assert scene.get("trade/orders-pending") == scene.get("trade/fills") == []
    assert scene.post("trade/cancel-order", named)["code"] == "0"
    scene.wait(2.0)
    assert scene.get("trade/order", **named)[0]["state"] == "canceled"


def test_a_revoked_key_ends_its_connections_and_its_requests() -> None:
    scene = Scene(Fault("okx", Kind.KEYS_REVOKED, start_s=5, end_s=30))
    client, public = scene.listen(), scene.listen("public")
    client.follow({"channel": "orders", "instType": "SPOT"})
    scene.wait(5.0)
    assert (client.closed, public.closed) == (4007, None)
    status, answer = scene.call("GET", "account/balance")
    assert (status, answer["code"]) == (401, "50119")
    client = scene.listen()
    client.ask(scene.login())
    assert client.take()[0]["code"] == "60032"


def test_an_order_whose_answer_is_an_error_was_carried_out() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            trader.floor.faults.add(Fault("okx", Kind.ANSWER_5XX, count=1))
            status, answer = await trader.call("POST", "trade/order", order(clOrdId="lost"))
            assert (status, answer["code"]) == (503, "50001")
            (row,) = await trader.get("trade/order", instId="BTC-USDT", clOrdId="lost")
            assert row["state"] == "live"

    run(body)


def test_a_fill_may_come_twice_or_before_the_acceptance() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            stream = await trader.stream({"channel": "orders", "instType": "SPOT"})
            stream.take()
            trader.floor.faults.add(Fault("okx", Kind.FILL_DUPLICATE, count=1))
            await trader.place("buy", "market", sz="100")
            await stream.settle()
            states = [frame["data"][0]["state"] for frame in stream.take()]
            assert states == ["live", "filled", "filled"]
            trader.floor.faults.add(Fault("okx", Kind.FILL_BEFORE_ACK, count=1))
            await trader.place("buy", "market", sz="100")
            await stream.settle()
            states = [frame["data"][0]["state"] for frame in stream.take()]
            assert states == ["filled", "live"]

    run(body)


def test_a_skewed_clock_makes_well_meant_timestamps_too_old() -> None:
    async def body() -> None:
        sim = Sim(faults=["okx:clock_skew:1.0"])
        async with a_trader(sim=sim) as trader:
            headers = trader.headers("GET", "/api/v5/account/balance", "")
            trader.floor.faults.clear("okx")
            trader.floor.faults.add(Fault("okx", Kind.CLOCK_SKEW, ms=60_000))
            trader.floor.tick()
            _, answer = await trader.call("GET", "account/balance", headers=headers)
            assert answer["code"] == "50102"

    run(body)
