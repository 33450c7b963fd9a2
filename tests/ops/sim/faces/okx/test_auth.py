"""OKX signatures: the shared vectors are accepted with their own keys, and nothing else is."""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from engine.model.clock import ManualClock
from ops.sim.credentials import HMAC, Credentials
from ops.sim.face import HttpRequest
from ops.sim.faces.okx.auth import Gate
from ops.sim.faces.okx.errors import Failure
from ops.sim.faults import Faults
from ops.sim.floor import Clients, Floor
from tests.ops.sim.faces.okx.client import Trader, a_trader, order
from tests.ops.sim.recordings import SHARED
from tests.ops.sim.wire import run

VECTORS = SHARED / "venues" / "vectors" / "okx.json"  # without them these tests are skipped
CASES: dict[str, dict[str, Any]] = {
    case["id"]: case for case in json.loads(VECTORS.read_text())["cases"]
} if VECTORS.exists() else {}
REST = [case for case in CASES.values() if case["method"] != "WS"]
LOGINS = [case for case in CASES.values() if case["method"] == "WS"]


def gate(case: dict[str, Any]) -> Gate:
    """Return the door of a venue that issued the vector's key, at the vector's time."""
    given = case["inputs"]
    at_ms = given.get("timestamp_ms") or int(given["timestamp_s"]) * 1000
    clock = ManualClock(unix_ns=at_ms * 1_000_000)
    floor = Floor("okx", [], clock, Faults([], seed=1, start_mono_ns=0), Clients(1, [], {}))
    floor.credentials[given["apiKey"]] = Credentials(
        "vector", HMAC, given["apiKey"], given["secret"], given["password"])
    return Gate(floor)


def request(case: dict[str, Any]) -> HttpRequest:
    url = urlsplit(case["url"])
    headers = {name.lower(): value for name, value in case["headers"].items()}
    headers.pop("x-simulated-trading", None)
    body = (case["body"] or "").encode()
    return HttpRequest(case["method"], url.path, url.query, {}, headers, body, "127.0.0.1")


@pytest.mark.parametrize("case", REST, ids=lambda case: case["id"])
def test_a_vector_is_accepted_and_one_byte_more_or_less_is_not(case: dict[str, Any]) -> None:
    door, right = gate(case), request(case)
    assert door.request(right) == "vector"
    sign = right.headers["ok-access-sign"]
    other = "A" if sign[0] != "A" else "B"
    wrong = [
        right._replace(body=right.body + b" "), right._replace(raw_query=right.raw_query + "&a=1"),
        right._replace(path=right.path + "x"), right._replace(method="PUT"),
        right._replace(headers={**right.headers, "ok-access-sign": other + sign[1:]}),
    ]
    for each in wrong:
        refused = door.request(each)
        assert isinstance(refused, Failure)
        assert refused.code == "50113"


@pytest.mark.parametrize("case", [case for case in REST if case["id"] == "demo-limit"])
def test_the_demo_vector_is_signed_well_and_meant_for_another_environment(
    case: dict[str, Any]
) -> None:
    made = request(case)
    demo = made._replace(headers={**made.headers, "x-simulated-trading": "1"})
    refused = gate(case).request(demo)
    assert isinstance(refused, Failure)
    assert refused.code == "50101"


@pytest.mark.parametrize("case", LOGINS, ids=lambda case: case["id"])
def test_a_login_vector_is_accepted_and_a_changed_one_is_not(case: dict[str, Any]) -> None:
    door, arg = gate(case), json.loads(case["body"])["args"][0]
    assert door.login(arg) == "vector"
    for change, code in (({"sign": "A" + arg["sign"][1:]}, "60007"),
                         ({"timestamp": str(int(arg["timestamp"]) + 1)}, "60007"),
                         ({"timestamp": str(int(arg["timestamp"]) + 31)}, "60006"),
                         ({"timestamp": "2025-10-09T08:55:23.456Z"}, "60004"),
                         ({"passphrase": "other"}, "60024"), ({"apiKey": "x"}, "60005"),
                         ({"apiKey": "00000000-0000-4000-8000-000000000000"}, "60032")):
        refused = door.login(arg | change)
        assert isinstance(refused, Failure)
        assert refused.code == code


@pytest.mark.parametrize(("headers", "code"), [
    ({"OK-ACCESS-KEY": ""}, "50103"), ({"OK-ACCESS-PASSPHRASE": ""}, "50104"),
    ({"OK-ACCESS-SIGN": ""}, "50106"), ({"OK-ACCESS-TIMESTAMP": ""}, "50107"),
    ({"OK-ACCESS-KEY": "mine"}, "50111"),
    ({"OK-ACCESS-KEY": "00000000-0000-4000-8000-000000000000"}, "50119"),
    ({"OK-ACCESS-PASSPHRASE": "other"}, "50105"), ({"OK-ACCESS-SIGN": "AAAA"}, "50113"),
    ({"OK-ACCESS-TIMESTAMP": "1760000123456"}, "50112"),
    ({"OK-ACCESS-TIMESTAMP": "2025-13-41T08:55:23.456Z"}, "50112"),
    ({"OK-ACCESS-TIMESTAMP": "2020-12-08T09:08:57.715Z"}, "50102"),
    ({"x-simulated-trading": "1"}, "50101"),
])
def test_each_header_that_is_wrong_has_its_own_code_and_status_401(
    headers: dict[str, str], code: str
) -> None:
    async def body() -> None:
        async with a_trader() as trader:
            status, answer = await trader.call("GET", "account/balance", headers=headers)
            assert (status, answer["code"]) == (401, code)
            assert answer["msg"]

    run(body)


@pytest.mark.parametrize(("off_s", "status"), [(-29, 200), (29, 200), (-31, 401), (31, 401)])
def test_a_timestamp_may_be_thirty_seconds_off(off_s: float, status: int) -> None:
    async def body() -> None:
        async with a_trader() as trader:
            target = "/api/v5/account/balance"
            headers = trader.headers("GET", target, "", off_s)
            assert (await trader.call("GET", "account/balance", headers=headers))[0] == status

    run(body)


def test_a_key_of_the_other_region_does_not_exist() -> None:
    async def body() -> None:
        async with a_trader() as trader, a_trader(name="okx-us") as other:
            us = Trader(other.venue)
            us.venue = trader.venue
            _, answer = await us.call("GET", "account/balance")
            assert answer["code"] == "50119"

    run(body)


@pytest.mark.parametrize(("raw", "kind", "code"), [
    ("{", "application/json", "50002"), ("", "application/json", "50000"),
    ("7", "application/json", "50002"), ("[1]", "application/json", "50002"),
    ("{}", "text/plain", "50006"), ("[" * 100_000, "application/json", "50002"),
])
def test_a_body_that_cannot_be_read_is_refused_as_documented(
    raw: str, kind: str, code: str
) -> None:
    async def body() -> None:
        async with a_trader() as trader:
            status, answer = await trader.call("POST", "trade/order", raw=raw, kind=kind)
            assert (status, answer["code"]) == (400, code)
            assert (await trader.place())["sCode"] == "0"

    run(body)


def test_other_methods_and_unknown_paths_are_refused() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            for method, verb in (("DELETE", "trade/order"), ("POST", "account/balance"),
                                 ("GET", "trade/batch-orders"), ("POST", "public/time")):
                status, answer = await trader.call(method, verb, {} if method == "POST" else None)
                assert (status, answer["code"]) == (405, "50115")
            status, answer = await trader.call("GET", "trade/nothing")
            assert (status, answer["code"]) == (404, "404")

    run(body)


@pytest.mark.parametrize(("deadline", "code"), [("1", "50036"), ("soon", "51000")])
def test_an_order_after_its_exp_time_is_not_taken(deadline: str, code: str) -> None:
    async def body() -> None:
        async with a_trader() as trader:
            _, answer = await trader.call(
                "POST", "trade/order", order(), headers={"expTime": deadline})
            assert answer["code"] == code
            assert trader.floor.exchange.open_orders("main") == []
            later = str(trader.floor.now_ns() // 1_000_000 + 5000)
            _, answer = await trader.call(
                "POST", "trade/order", order(), headers={"expTime": later})
            assert answer["code"] == "0"

    run(body)
