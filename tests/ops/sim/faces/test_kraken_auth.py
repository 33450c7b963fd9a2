"""Who may ask Kraken: signatures by the shared vectors, nonces that rise, tokens that lapse."""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from ops.sim.credentials import HMAC, Credentials
from ops.sim.face import HttpRequest
from ops.sim.faces.kraken.answers import Declined
from ops.sim.faces.kraken.auth import TOKEN_LIFE_S, Keyring, Nonces
from ops.sim.faces.kraken.params import body_of
from tests.ops.sim.faces.kraken_client import NONCES, Socket, Trader
from tests.ops.sim.recordings import SHARED
from tests.ops.sim.wire import a_venue, run

VECTORS = SHARED / "venues" / "vectors" / "kraken.json"
CASES = json.loads(VECTORS.read_text())["cases"] if VECTORS.exists() else []


def request_of(case: dict[str, Any], **changed: Any) -> HttpRequest:
    headers = {name.lower(): value for name, value in case["headers"].items()}
    headers.setdefault("api-key", "documented")
    fields = {
        "method": case["method"], "path": urlsplit(case["url"]).path, "raw_query": "",
        "query": {}, "headers": headers, "body": case["body"].encode(), "ip": "127.0.0.1",
    }
    return HttpRequest(**fields | changed)


def check(request: HttpRequest, case: dict[str, Any], nonce: str) -> Credentials:
    key = request.headers["api-key"]
    holder = Credentials("main", HMAC, key, case["inputs"]["secret"])
    return Keyring().check({key: holder}, request, nonce)


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_every_shared_vector_is_accepted_and_one_changed_byte_is_not(case: dict[str, Any]) -> None:
    request = request_of(case)
    nonce = body_of(request)["nonce"]
    assert nonce == case["inputs"]["nonce"]
    assert check(request, case, nonce).account == "main"
    sign = request.headers["api-sign"]
    changed = (
        request._replace(body=request.body[:-1] + bytes([request.body[-1] ^ 1])),
        request._replace(path=request.path + "s"),
        request._replace(headers={
            **request.headers, "api-sign": sign[:-3] + ("A" if sign[-3] != "A" else "B") + "=="}),
    )
    for wrong in changed:
        with pytest.raises(Declined, match="EAPI:Invalid signature"):
            check(wrong, case, nonce)


def test_a_nonce_rises_or_lies_unused_within_the_window() -> None:
    nonces = Nonces()
    assert [nonces.take(n) for n in (5, 6, 6, 5, 7)] == [True, True, False, False, True]
    nonces.window = 3
    assert [nonces.take(n) for n in (12, 10, 10, 9, 8, 13)] == [
        True, True, False, True, False, True]


def test_keys_signatures_and_nonces_are_refused_with_http_200() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            trader, nonce = Trader(venue), str(next(NONCES))
            text = f"nonce={nonce}".encode()
            for arguments, error in (
                ({"key": "who"}, "EAPI:Invalid key"),
                ({"sign": "bm8="}, "EAPI:Invalid signature"),
                ({"sign": "n\xf6"}, "EAPI:Invalid signature"),
            ):
                assert await trader.send("Balance", text, nonce, **arguments) == (
                    200, {"error": [error]})
            assert (await trader.send("Balance", text, nonce))[1]["error"] == []
            again = await trader.send("Balance", text, nonce)
            assert again == (200, {"error": ["EAPI:Invalid nonce"]})
            for bad in ("", "-1", "1.5", str(2**64), "x"):
                _, answer = await trader.send("Balance", f"nonce={bad}".encode(), bad)
                assert answer == {"error": ["EAPI:Invalid nonce"]}
            assert await trader.error("Dance") == "EGeneral:Unknown method"
            _, answer = await venue.get("/0/private/Balance")
            assert answer == {"error": ["EGeneral:Unknown method"]}

    run(body)


@pytest.mark.parametrize("text", [b"{", b"[1]", b'"x"', b"\xff", b'{"nonce":NaN}', b"[" * 5000])
def test_a_body_that_is_no_json_object_is_refused(text: bytes) -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            _, answer = await Trader(venue).send("AddOrder", text, "1", kind="json")
            assert answer == {"error": ["EGeneral:Invalid arguments"]}
            assert (await venue.get("/0/public/Time"))[1]["error"] == []

    run(body)


def test_a_json_body_is_signed_as_it_stands_and_its_numbers_are_exact() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            trader, nonce = Trader(venue), str(next(NONCES))
            text = json.dumps({
                "nonce": nonce, "pair": "XXBTZUSD", "type": "buy", "ordertype": "limit"})
            text = text[:-1] + ', "volume": 0.12345678, "price": 29500.1}'
            _, answer = await trader.send("AddOrder", text.encode(), nonce, kind="json")
            assert answer["result"]["descr"]["order"] == (
                "buy 0.12345678 XBTUSD @ limit 29500.1")

    run(body)


def test_a_token_must_be_used_within_15_minutes_and_then_lives_with_its_subscription() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            trader = Trader(venue)
            one, other = await trader.connect(), await trader.connect()
            assert one.token != other.token
            assert (await trader.result("GetWebSocketsToken"))["expires"] == TOKEN_LIFE_S == 900
            assert (await one.ask("subscribe", channel="executions"))[0]["success"]
            floor, skipped_ns = trader.face.floor, (TOKEN_LIFE_S + 1) * 10**9
            now_ns = floor.mono_ns
            floor.mono_ns = lambda: now_ns() + skipped_ns  # type: ignore[method-assign]
            assert (await one.add())["success"]
            assert (await other.add())["error"] == "ESession:Invalid session"
            await one.ask("unsubscribe", channel="executions")
            assert (await one.add())["error"] == "ESession:Invalid session"
            stranger = Socket(one.client, "nobody's")
            assert (await stranger.add())["error"] == "ESession:Invalid session"
            one.client.ask({"method": "add_order", "params": {}})
            (answer,) = await one.frames()
            assert (answer["success"], answer["error"]) == (False, "Token(s) not found")

    run(body)
