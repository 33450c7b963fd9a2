"""What leaves for Kraken: equal to what an independent client signs, and to the page's samples."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from exec.gateways.codec import ORDERS, REST, USER, Request
from exec.gateways.keys import ApiKey
from exec.records import Tif
from exec.venues.kraken import KrakenCodec, Nonces
from exec.venues.registry import codec_of
from tests.exec.venues.kraken.making import (
    NOW_NS,
    codec,
    nack,
    ok,
    opened,
    order,
    refused,
)
from tests.shared import SHARED

PATH = SHARED / "venues" / "vectors" / "kraken.json"
UUID, HEX = "6d1b345e-2821-40e2-ad83-4ecb18a06876", "6d1b345e282140e2ad834ecb18a06876"
TXID = "OUF4EM-FRGI2-MQMWZD"


def asked(made: KrakenCodec, case: str) -> Request:
    """Return the request that a vector is of."""
    rest = {"rest": True}
    if case == "limit":
        return made.place(order(client_id=UUID), NOW_NS, **rest)
    if case == "post-only":
        wanted = order(client_id=HEX, side=-1, price=1_224_690, post_only=True)
        return made.place(wanted, NOW_NS, **rest)
    if case == "cancel-txid":
        return made.cancel(order(), TXID, NOW_NS, **rest)
    if case == "cancel-clordid":
        return made.cancel(order(client_id=UUID), "", NOW_NS, **rest)
    (request,) = {
        "cancel-all": lambda: made.cancel_all(NOW_NS),
        "cancel-all-after": lambda: made.arm(60_000, NOW_NS),
        "ws-token": lambda: made.opening(USER, NOW_NS),
    }[case]()
    return request


def vectors(*names: str) -> list[Any]:
    if not PATH.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"{PATH} is not here"))]
    cases = {each["id"]: each for each in json.loads(PATH.read_bytes())["cases"]}
    return [pytest.param(cases[name], id=name) for name in names]


def maker(case: dict[str, Any]) -> KrakenCodec:
    inputs = case["inputs"]
    return codec([int(inputs["nonce"])], key=inputs["apiKey"], secret=inputs["secret"])


@pytest.mark.parametrize("case", vectors(
    "cancel-txid", "cancel-clordid", "cancel-all", "cancel-all-after", "ws-token"))
def test_requests_equal_an_independent_clients_byte_for_byte(case: dict[str, Any]) -> None:
    request = asked(maker(case), case["id"])
    assert (request.channel, request.method) == (REST, case["method"])
    assert request.path == urlsplit(case["url"]).path
    assert request.text == case["body"].encode()
    assert request.headers == case["headers"]


@pytest.mark.parametrize("case", vectors("limit", "post-only"))
def test_orders_begin_as_an_independent_clients_and_add_fee_currency_and_deadline(
    case: dict[str, Any]
) -> None:
    request = asked(maker(case), case["id"])
    flags = "%2Cfciq" if case["id"] == "post-only" else "&oflags=fciq"
    more = f"{flags}&deadline=2026-05-05T10%3A00%3A05.000Z"
    assert request.text == case["body"].encode() + more.encode()


@pytest.mark.parametrize("case", vectors("open-orders", "balance", "my-trades"))
def test_a_survey_asks_what_an_independent_client_asks(case: dict[str, Any]) -> None:
    made = maker(case)
    (first,) = made.survey(NOW_NS, NOW_NS)
    answers = {
        "TradesHistory": '{"trades":{},"count":0}', "OpenOrders": '{"open":{}}',
        "BalanceEx": "{}",
    }
    seen, request = dict[str, Request](), first
    while True:
        method = urlsplit(request.path).path.rpartition("/")[2]
        seen[method] = request
        if method == "BalanceEx":
            break
        (request,) = made.answer(request, ok(answers[method]), NOW_NS).requests
    method = urlsplit(case["url"]).path.rpartition("/")[2]
    assert list(seen) == ["TradesHistory", "OpenOrders", "BalanceEx"]
    fields = parse_qs(seen[method].text.decode())
    fields.pop("nonce")
    mine = {"start": [str(NOW_NS // 10**9 - 1)], "consolidate_taker": ["false"]}
    assert fields == (mine if method == "TradesHistory" else {})


def test_an_order_over_websocket_has_every_field_of_the_page() -> None:
    made = opened()
    request = made.place(order(tif=Tif.IOC, post_only=False), NOW_NS, rest=False)
    assert (request.channel, request.purpose, request.client_id) == (ORDERS, "place", "tskq8mox1")
    assert b'"order_qty":0.0125,"limit_price":61234.5,' in request.text
    assert json.loads(request.text) == {
        "method": "add_order", "req_id": int(request.id), "params": {
            "order_type": "limit", "side": "buy", "order_qty": 0.0125, "symbol": "BTC/USD",
            "limit_price": 61234.5, "time_in_force": "ioc", "cl_ord_id": "tskq8mox1",
            "fee_preference": "quote", "deadline": "2026-05-05T10:00:05.000Z",
            "token": "T-orders"}}
    post = json.loads(made.place(order(post_only=True, side=-1), NOW_NS, rest=False).text)
    assert (post["params"]["post_only"], post["params"]["side"]) == (True, "sell")


def test_a_pair_without_a_rest_name_goes_by_its_short_one() -> None:
    request = codec().place(order(symbol="DOGE/USD", price=1_234_500, size=10**9), NOW_NS,
                            rest=True)
    assert b"&pair=XDGUSD&" in request.text
    assert b"&volume=10&" in request.text
    assert b"&price=0.12345&" in request.text


def test_without_a_token_orders_and_cancels_go_by_rest() -> None:
    made = codec()
    assert made.place(order(), NOW_NS, rest=False).channel == REST
    assert made.cancel(order(), "", NOW_NS, rest=False).channel == REST


def test_cancels_name_the_venues_id_where_it_is_known() -> None:
    made = opened()
    one = json.loads(made.cancel(order(), TXID, NOW_NS, rest=False).text)
    assert (one["method"], one["params"]) == (
        "cancel_order", {"order_id": [TXID], "token": "T-orders"})
    other = json.loads(made.cancel(order(), "", NOW_NS, rest=False).text)
    assert other["params"] == {"cl_ord_id": ["tskq8mox1"], "token": "T-orders"}


def test_everything_is_cancelled_both_ways_and_the_switch_goes_over_a_standing_socket() -> None:
    made = opened()
    socket, rest = made.cancel_all(NOW_NS)
    assert json.loads(socket.text)["method"] == "cancel_all"
    assert rest.path == "/0/private/CancelAll"
    (arm,) = made.arm(59_001, NOW_NS)
    assert json.loads(arm.text)["params"] == {"timeout": 60, "token": "T-orders"}
    (arm,) = codec().arm(0, NOW_NS)
    assert arm.text.endswith(b"&timeout=0")
    (arm,) = codec().arm(10**9, NOW_NS)
    assert arm.text.endswith(b"&timeout=86399")


def test_each_connection_has_its_own_token_and_is_live_when_all_is_acknowledged() -> None:
    made = codec()
    (ask,) = made.opening(USER, NOW_NS)
    executions, balances = made.answer(ask, ok('{"token":"A","expires":900}'), NOW_NS).requests
    assert json.loads(executions.text)["params"] == {
        "channel": "executions", "snap_orders": True, "snap_trades": False,
        "order_status": True, "ratecounter": True, "token": "A"}
    first = f'{{"method":"subscribe","success":true,"req_id":{executions.id},"result":{{"channel":'
    assert not made.frame(USER, (first + '"executions","maxratecount":125}}').encode(), NOW_NS).live
    second = first.replace(f'"req_id":{executions.id}', f'"req_id":{balances.id}')
    assert made.frame(USER, (second + '"balances"}}').encode(), NOW_NS).live == (USER,)


def test_a_token_that_does_not_come_is_asked_for_again_and_so_are_subscriptions() -> None:
    made = codec()
    (ask,) = made.opening(USER, NOW_NS)
    assert not made.keep(NOW_NS + 10**9)
    (again,) = made.keep(NOW_NS + 6 * 10**9)
    assert again.path == ask.path
    got_ns = NOW_NS + 7 * 10**9
    made.answer(again, ok('{"token":"A","expires":900}'), got_ns)
    assert not made.keep(got_ns + 10**9)
    assert [each.purpose for each in made.keep(got_ns + 6 * 10**9)] == ["subscribe"] * 2
    (old,) = made.keep(got_ns + 13 * 60 * 10**9)
    assert old.purpose == "login"


def test_a_refused_token_is_replaced_and_orders_go_by_rest_until_the_new_one_is_there() -> None:
    made = opened()
    sent = made.place(order(), NOW_NS, rest=False)
    said = made.frame(ORDERS, nack(sent, "ESession:Invalid session"), NOW_NS)
    assert [each.purpose for each in said.requests] == ["login"]
    assert made.place(order(), NOW_NS, rest=False).channel == REST
    again = made.frame(ORDERS, nack(sent, "ESession:Invalid session"), NOW_NS)
    assert not again.requests
    made.answer(said.requests[0], ok('{"token":"B","expires":900}'), NOW_NS)
    assert b'"token":"B"' in made.place(order(), NOW_NS, rest=False).text


def test_a_refused_login_says_what_is_missing() -> None:
    made = codec()
    (ask,) = made.opening(USER, NOW_NS)
    (report,) = made.answer(ask, refused("EAPI:Invalid key"), NOW_NS).reports
    assert "EAPI:Invalid key" in repr(report)


def test_the_venues_clock_is_read_to_the_second() -> None:
    made = codec()
    told = ok('{"unixtime":1777975200,"rfc1123":"Tue, 05 May 26 10:00:00 +0000"}')
    assert made.clock(told.body) == (NOW_NS, 10**9)
    assert made.clock(refused("EService:Unavailable").body) == (0, 0)


def test_nonces_rise_with_the_clock_against_it_and_over_a_restart() -> None:
    kept = [0]

    def owner(reserved: int) -> None:
        kept.append(reserved)

    first = Nonces(kept[-1], owner)
    given = [first(NOW_NS), first(NOW_NS), first(NOW_NS - 10**12), first(NOW_NS + 10**9)]
    assert given == sorted(set(given))
    assert given[0] == NOW_NS // 1000
    second = Nonces(kept[-1], owner)
    assert second(NOW_NS - 10**15) > given[-1]
    assert len(kept) == 3


def test_a_full_disk_stops_no_cancel_for_want_of_a_written_nonce() -> None:
    full, kept = [True], list[int]()

    def owner(reserved: int) -> None:
        if full[0]:
            raise OSError(28, "No space left on device")
        kept.append(reserved)

    nonces = Nonces(0, owner)
    given = [nonces(NOW_NS), nonces(NOW_NS)]
    assert given == sorted(set(given))
    full[0] = False
    assert nonces(NOW_NS) > given[-1]
    assert kept  # written down as soon as there is room


def test_a_nonce_file_that_a_power_cut_emptied_stops_no_start(tmp_path: Path) -> None:
    key = ApiKey("name", b64encode(b"secret").decode())
    (tmp_path / f"kraken-{key.fingerprint}.nonce").touch()
    assert codec_of("kraken", key, [], tmp_path).cancel_all(NOW_NS)
