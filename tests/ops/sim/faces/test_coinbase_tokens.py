"""Coinbase tokens: the shared vectors pass, and nothing that differs from them by a byte."""

import json
from typing import Any

import pytest

from engine.model.fault import Fault, Kind
from ops.sim.credentials import ES256, Credentials, credentials
from ops.sim.faces.coinbase.names import number_of, uuid_named, uuid_of
from ops.sim.faces.coinbase.tokens import Denial, Tokens
from tests.ops.sim.coinbase_trader import ROOT, Trader, encoded, token
from tests.ops.sim.wire import a_venue, run
from tests.shared import SHARED

VECTORS = SHARED / "venues" / "vectors" / "coinbase.json"
CASES = [each for each in json.loads(VECTORS.read_text())["cases"]
         if each["scheme"].startswith("cdp_jwt")] if VECTORS.exists() else []
SECOND = 10**9
NOW_S = 1_800_000_000
KEYS = [each for account in ("main", "other") for each in credentials("coinbase", account, 1)]
URI = "GET api.coinbase.com/api/v3/brokerage/accounts"


def known(keys: list[Credentials]) -> Tokens:
    """Return a venue's view of keys that are all in force."""
    return Tokens(keys, lambda _key: True)


def given(case: dict[str, Any]) -> tuple[Tokens, str, int, list[str] | None]:
    """Return the venue's view of a case: its keys, the token, its time, and what it is for."""
    inputs, request = case["inputs"], case["request"]
    keys = known([Credentials("vector", "any", inputs["key_name"], inputs["private_key"])])
    at_ns = inputs["timestamp_s"] * SECOND
    if request["method"] == "WS":
        return keys, case["signing"]["sample_token"], at_ns, None
    uris = [f"{request['method']} {request['host']}{request['path']}"]
    return keys, request["headers"]["Authorization"].removeprefix("Bearer "), at_ns, uris


@pytest.mark.skipif(not CASES, reason="the shared vectors are not here")
@pytest.mark.parametrize("case", CASES, ids=[each["id"] for each in CASES])
def test_a_vector_passes_and_no_changed_byte_does(case: dict[str, Any]) -> None:
    keys, text, at_ns, uris = given(case)
    assert keys.account(text, at_ns, uris) == "vector"
    for index in range(0, len(text), 7):
        wrong = "A" if text[index] != "A" else "B"
        changed = text[:index] + wrong + text[index + 1 :]
        assert keys.account(changed, at_ns, uris) is Denial.UNAUTHORIZED
    assert keys.account(text, at_ns - SECOND, uris) is Denial.EXPIRED
    assert keys.account(text, at_ns + 119 * SECOND, uris) == "vector"
    assert keys.account(text, at_ns + 120 * SECOND, uris) is Denial.EXPIRED
    assert keys.account(text, at_ns, ["GET api.coinbase.com/other"]) is Denial.UNAUTHORIZED


@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{key.account}-{key.kind}")
def test_every_issued_key_signs_for_its_account(key: Credentials) -> None:
    assert known(KEYS).account(token(key, NOW_S, URI), NOW_S * SECOND, [URI]) == key.account


@pytest.mark.parametrize("claims", [
    {"sub": "somebody"}, {"iss": "me"}, {"uri": URI + "?limit=1"}, {"uri": URI + "/"},
    {"uri": None}, {"uri": 7}, {"iss": None},
])
def test_a_wrong_claim_is_unauthorized(claims: dict[str, Any]) -> None:
    text = token(KEYS[0], NOW_S, **({"uri": URI} | claims))
    assert known(KEYS).account(text, NOW_S * SECOND, [URI]) is Denial.UNAUTHORIZED


@pytest.mark.parametrize("claims", [
    {"exp": NOW_S + 121}, {"nbf": NOW_S + 1}, {"exp": NOW_S}, {"nbf": "now"}, {"exp": None},
    {"exp": [1]},
])
def test_a_token_out_of_its_time_is_expired(claims: dict[str, Any]) -> None:
    text = token(KEYS[0], NOW_S, URI, **claims)
    assert known(KEYS).account(text, NOW_S * SECOND, [URI]) is Denial.EXPIRED


@pytest.mark.parametrize("text", [
    "", ".", "..", "a.b.c", "é.é.é", "x" * 10_000, f"{encoded(b'[]')}.{encoded(b'[]')}.AAAA",
    f"{encoded(b'{}')}.{encoded(b'{}')}.{encoded(b'0' * 64)}",
])
def test_what_is_no_token_is_unauthorized(text: str) -> None:
    assert known(KEYS).account(text, NOW_S * SECOND) is Denial.UNAUTHORIZED


def test_one_algorithm_does_not_pass_for_the_other() -> None:
    key = next(each for each in KEYS if each.kind == ES256)
    header = {"alg": "EdDSA", "typ": "JWT", "kid": key.key, "nonce": "1"}
    _, body, signature = token(key, NOW_S, URI).split(".")
    text = f"{encoded(json.dumps(header).encode())}.{body}.{signature}"
    assert known(KEYS).account(text, NOW_S * SECOND, [URI]) is Denial.UNAUTHORIZED


def test_a_token_without_a_nonce_is_unauthorized() -> None:
    key, text = KEYS[0], token(KEYS[0], NOW_S, URI)
    header = encoded(json.dumps({"alg": "ES256", "typ": "JWT", "kid": key.key}).encode())
    text = f"{header}.{text.split('.', 1)[1]}"
    assert known(KEYS).account(text, NOW_S * SECOND, [URI]) is Denial.UNAUTHORIZED


def test_private_calls_want_a_token_for_exactly_this_call() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            trader = Trader(venue)
            mine = trader.token(f"GET {trader.host()}{ROOT}/accounts")
            assert (await trader.call("GET", "/accounts", bearer=mine))[0] == 200
            for bearer in ("nonsense", trader.token(), trader.token(f"GET {ROOT}/accounts"),
                           trader.token("GET evil.example/api/v3/brokerage/accounts"),
                           trader.token(f"POST api.coinbase.com{ROOT}/accounts")):
                assert await trader.call("GET", "/accounts", bearer=bearer) == (401, "")
            status, answer = await trader.call("GET", "/accounts", bearer=trader.token(
                f"GET api.coinbase.com{ROOT}/accounts", nbf=1, exp=121))
            assert status == 401
            assert answer["errors"][0] == {
                "id": "authentication_error", "message": "request timestamp expired"}
            for path in ("/accounts", "/products", "/orders/historical/batch", "/nothing"):
                assert await venue.get(ROOT + path) == (401, "")
            status, answer = await trader.call("GET", "/products/BTC-USD", query="?a=1")
            assert (status, answer["product_id"]) == (200, "BTC-USD")

    run(body)


def test_revoked_keys_are_unauthorized_while_they_are() -> None:
    async def body() -> None:
        async with a_venue("coinbase", "BTC/USD") as venue:
            trader, floor = Trader(venue), venue.world.servers["coinbase"].face.floor
            venue.world.faults.add(Fault("coinbase", Kind.KEYS_REVOKED))
            floor.tick()
            assert await trader.call("GET", "/accounts") == (401, "")
            client = await trader.stream()
            assert client.take() == [{"type": "error", "message": "authentication failure"}]
            venue.world.faults.clear("coinbase")
            floor.tick()
            assert (await trader.call("GET", "/accounts"))[0] == 200

    run(body)


def test_numbers_and_uuids_stand_for_one_another() -> None:
    numbers = [1, 2, 3, 10**10, 4_700_000_000_000_001, 2**60 - 1]
    texts = [uuid_of(number) for number in numbers]
    assert [number_of(text) for text in texts] == numbers
    assert len(set(texts)) == len(texts)
    assert {text[14] for text in texts} == {"4"}
    strangers = ["", "7", uuid_named("order"), texts[0][:-1] + "0", texts[0][1:] + "0"]
    assert [number_of(each) for each in strangers if each not in texts] == [0] * 5
