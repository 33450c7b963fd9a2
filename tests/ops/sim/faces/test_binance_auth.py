"""Signatures, timestamps and keys of Binance, with the venue sheet's vectors where they are."""

import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from engine.model.clock import ManualClock
from ops.sim.credentials import ED25519, HMAC, Credentials
from ops.sim.face import HttpRequest
from ops.sim.faces.binance.auth import Auth, verify
from ops.sim.faces.binance.errors import Refused
from ops.sim.faces.binance.params import decoded
from ops.sim.faces.binance.spot_api import _text
from ops.sim.faults import Faults
from ops.sim.floor import Clients, Floor
from ops.sim.listing import invented_line
from tests.ops.sim.faces.binance_client import a_trader
from tests.ops.sim.wire import run
from tests.shared import SHARED

VECTORS = SHARED / "venues" / "vectors" / "binance.json"


def cases() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        json.loads(VECTORS.read_text())["cases"] if VECTORS.exists() else [])
    return found


def an_auth(key: Credentials, now_ms: int) -> Auth:
    clock = ManualClock(unix_ns=now_ms * 1_000_000)
    line = invented_line("binance", "BTC/USDT")
    floor = Floor("binance", [line], clock, Faults([], seed=1, start_mono_ns=0),
                  Clients(1, ["main"], {}))
    floor.credentials[key.key] = key
    return Auth(floor)


def prove(case: dict[str, Any], old: str = "", new: str = "") -> Credentials:
    """Let the simulator judge a vector, with a text in it replaced."""
    inputs = case["inputs"]
    kind = HMAC if inputs["key_type"].startswith("HMAC") else ED25519
    key = Credentials("main", kind, inputs["apiKey"], inputs["secret"])
    auth = an_auth(key, inputs["timestamp_ms"] + 5)
    if case["method"] == "WS":
        params = json.loads(case["body"])["params"]
        values = {name: _text(value) for name, value in params.items()}
        return auth.ws({name: value.replace(old, new) if old else value
                        for name, value in values.items()})
    url = urlsplit(case["url"])
    query, body = url.query, case["body"] or ""
    if old:
        query, body = query.replace(old, new, 1), body.replace(old, new, 1)
    headers = {name.lower(): value for name, value in case["headers"].items()}
    request = HttpRequest(case["method"], url.path, query, dict(parse_qsl(query)), headers,
                          body.encode(), "")
    return auth.rest(request, decoded(query, body.encode()))


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["id"])
def test_a_vectors_request_is_signed_with_its_key_and_no_other_text(case: dict[str, Any]) -> None:
    assert prove(case).key == case["inputs"]["apiKey"]
    stamp = str(case["inputs"]["timestamp_ms"])
    with pytest.raises(Refused) as refused:
        prove(case, stamp, stamp[:-1] + str((int(stamp[-1]) + 1) % 10))
    assert refused.value.code == -1022


def test_the_documented_signature_is_that_of_its_string_in_any_letter_case() -> None:
    key = Credentials("main", HMAC, "key", "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6"
                      "A7H5fATj0j")
    text = (b"symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1"
            b"&recvWindow=5000&timestamp=1499827319559")
    signature = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
    assert verify(key, text, signature)
    assert verify(key, text, signature.upper())
    assert not verify(key, text + b"0", signature)


def test_a_query_and_a_body_are_signed_one_after_the_other_without_a_joint() -> None:
    key = Credentials("main", HMAC, "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91du"
                      "Eh8A", "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j")
    query = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC"
    body = (b"quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559&signature="
            b"0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77")
    request = HttpRequest(
        "POST", "/api/v3/order", query, {}, {"x-mbx-apikey": key.key}, body, "")
    found = an_auth(key, 1499827319559).rest(request, decoded(query, body))
    assert found is key  # example 3 of the .US page


def test_an_rsa_key_signs_with_pkcs1_and_sha256() -> None:
    private = rsa.generate_private_key(65537, 2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()).decode()
    key = Credentials("main", "rsa", "key", pem)
    signature = base64.b64encode(private.sign(b"a=1", padding.PKCS1v15(), hashes.SHA256()))
    assert verify(key, b"a=1", signature.decode())
    assert not verify(key, b"a=2", signature.decode())
    assert not verify(key, b"a=1", "not base64 at all")


@pytest.mark.parametrize(("late_ms", "window", "code"), [
    (0, None, 0), (5000, None, 0), (5001, None, -1021), (-999, None, 0), (-1000, None, -1021),
    (60_000, "60000", 0), (2, "1.999", -1021), (0, "60000.001", -1131), (0, "60001", -1131),
    (0, "1.2345", -1100), (0, "soon", -1100),
])
def test_a_request_counts_within_its_window_and_less_than_a_second_ahead(
    late_ms: int, window: str | None, code: int
) -> None:
    auth = an_auth(Credentials("main", HMAC, "key", "secret"), 1_760_000_000_000)
    for stamp in (1_760_000_000_000 - late_ms, (1_760_000_000_000 - late_ms) * 1000):
        values = {"timestamp": str(stamp)} | ({"recvWindow": window} if window else {})
        if not code:
            auth.in_time(values)
            continue
        with pytest.raises(Refused) as refused:
            auth.in_time(values)
        assert refused.value.code == code


def test_what_is_wrong_with_a_request_is_said_as_the_venue_says_it() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            key = {"X-MBX-APIKEY": trader.key.key}
            path = "/api/v3/account"
            for text, headers, status, code, words in (
                ("", {}, 401, -2014, "API-key format invalid."),
                ("", {"X-MBX-APIKEY": "with space"}, 401, -2014, "API-key format invalid."),
                ("", {"X-MBX-APIKEY": "nobody"}, 401, -2015,
                 "Invalid API-key, IP, or permissions for action."),
                ("", key, 400, -1102, "Mandatory parameter 'timestamp' was not sent, was "
                 "empty/null, or malformed."),
                ("timestamp=1", key, 400, -1102, "Mandatory parameter 'signature' was not sent, "
                 "was empty/null, or malformed."),
                ("timestamp=1&signature=00", key, 400, -1022,
                 "Signature for this request is not valid."),
                ("timestamp=1&timestamp=1&signature=00", key, 400, -1101,
                 "Duplicate values for a parameter detected."),
            ):
                reply = await trader.raw("GET", path, text, headers)
                assert (reply.status, reply.body) == (status, {"code": code, "msg": words}), text
            old = await trader.ask("GET", "/account", timestamp=1_600_000_000_000)
            assert old.body == {
                "code": -1021, "msg": "Timestamp for this request is outside of the recvWindow."}

    run(body)


def test_text_that_is_not_percent_encoded_is_not_validly_signed() -> None:
    key = Credentials("main", HMAC, "key", "secret")
    body = "symbol=é&timestamp=1760000000000"
    signature = hmac.new(b"secret", body.encode(), hashlib.sha256).hexdigest()
    text = f"{body}&signature={signature}".encode()
    request = HttpRequest("POST", "/api/v3/order", "", {}, {"x-mbx-apikey": "key"}, text, "")
    with pytest.raises(Refused) as refused:
        an_auth(key, 1_760_000_000_000).rest(request, decoded("", text))
    assert refused.value.code == -1022


def test_an_ed25519_key_signs_rest_requests_in_query_and_body() -> None:
    async def body() -> None:
        async with a_trader() as trader:
            key = trader.ed25519()
            assert (await trader.ask("GET", "/account", key=key)).status == 200
            placed = await trader.ask(
                "POST", "/order", key=key, body=True, symbol="BTCUSDT", side="BUY",
                type="MARKET", quantity="0.01")
            assert placed.body["status"] == "FILLED"
            wrong = await trader.raw(
                "GET", "/api/v3/account", "timestamp=1&signature=AAAA",
                {"X-MBX-APIKEY": key.key})
            assert wrong.body["code"] == -1022

    run(body)
