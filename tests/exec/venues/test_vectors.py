"""Whole requests against those that independent clients made: bodies, paths, headers, tokens."""

import base64
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from engine.model.quanta import to_quanta
from exec import records as r
from exec.gateways.codec import ORDERS, REST, USER, Listing, Request
from exec.signing.coinbase import CoinbaseSigner
from exec.signing.okx import OkxSigner
from exec.venues.coinbase.codec import CoinbaseCodec
from exec.venues.okx.codec import OkxCodec
from tests.shared import SHARED

NS_PER_MS, NS_PER_S = 10**6, 10**9
LISTINGS = (
    Listing("BTC/USDT", "BTC-USDT", "BTC", "USDT", "", 1, 8, "101"),
    Listing("ETH/USDT", "ETH-USDT", "ETH", "USDT", "", 2, 6, "102"),
    Listing("BTC/USD", "BTC-USD", "BTC", "USD", "", 2, 8),
    Listing("ETH/USD", "ETH-USD", "ETH", "USD", "", 2, 8))
OKX_TIFS = {"limit": r.Tif.GTC, "post_only": r.Tif.GTC, "ioc": r.Tif.IOC}


def cases(venue: str, *names: str) -> list[Any]:
    path = SHARED / "venues" / "vectors" / f"{venue}.json"
    if not path.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"{path} is not here"))]
    found = {each["id"]: each for each in json.loads(path.read_bytes())["cases"]}
    return [pytest.param(found[name], id=name) for name in names]


def intent(
    native: str, side: str, price: str, size: str, tif: r.Tif, client_id: str, *,
    post_only: bool = False, deadline_unix_ns: int = 0,
) -> r.Intended:
    listing = next(each for each in LISTINGS if each.native == native)
    return r.Intended(
        1, 0, 0, "v", listing.symbol, 1 if side.lower() == "buy" else -1,
        to_quanta(price, listing.price_decimals), to_quanta(size, listing.size_decimals), tif,
        post_only, False, client_id, 1, deadline_unix_ns, "enter")


# --- OKX -----------------------------------------------------------------------------------------


def okx(case: dict[str, Any]) -> OkxCodec:
    inputs = case["inputs"]
    demo = "x-simulated-trading" in (case["headers"] or {})
    return OkxCodec(
        OkxSigner(inputs["apiKey"], inputs["secret"], inputs["password"], demo=demo), LISTINGS)


def same(request: Request, case: dict[str, Any]) -> None:
    url = urlsplit(case["url"])
    assert request.method == case["method"]
    assert request.path == url.path + (f"?{url.query}" if url.query else "")
    assert request.text.decode() == (case["body"] or "")
    headers = {**request.headers}
    headers.pop("expTime", None)  # which is not signed
    assert headers == {"Content-Type": "application/json"} | case["headers"]


@pytest.mark.parametrize(
    "case", cases("okx", "limit", "post-only", "ioc", "us-limit", "demo-limit"))
def test_an_okx_order_is_the_vector_byte_for_byte(case: dict[str, Any]) -> None:
    body, now_ns = json.loads(case["body"]), case["inputs"]["timestamp_ms"] * NS_PER_MS
    order = intent(
        body["instId"], body["side"], body["px"], body["sz"], OKX_TIFS[body["ordType"]],
        body["clOrdId"], post_only=body["ordType"] == "post_only",
        deadline_unix_ns=now_ns + 5 * NS_PER_S)
    request = okx(case).place(order, now_ns, rest=True)
    same(request, case)
    assert request.headers["expTime"] == str(case["inputs"]["timestamp_ms"] + 5_000)


@pytest.mark.parametrize("case", cases("okx", "cancel-ordid", "cancel-clordid"))
def test_an_okx_cancel_is_the_vector_byte_for_byte(case: dict[str, Any]) -> None:
    body, now_ns = json.loads(case["body"]), case["inputs"]["timestamp_ms"] * NS_PER_MS
    order = intent(body["instId"], "buy", "1", "1", r.Tif.GTC, body.get("clOrdId", "t1x1"))
    same(okx(case).cancel(order, body.get("ordId", ""), now_ns, rest=True), case)


@pytest.mark.parametrize("case", cases("okx", "balance", "us-balance"))
def test_an_okx_question_for_balances_is_the_vector(case: dict[str, Any]) -> None:
    same(okx(case).survey(0, case["inputs"]["timestamp_ms"] * NS_PER_MS)[0], case)


@pytest.mark.parametrize("case", cases("okx", "ws-login", "us-ws-login"))
@pytest.mark.parametrize("channel", [ORDERS, USER])
def test_an_okx_login_is_the_vector(case: dict[str, Any], channel: str) -> None:
    (login,) = okx(case).opening(channel, int(case["inputs"]["timestamp_s"]) * NS_PER_S + 9)
    assert json.loads(login.text) == json.loads(case["body"])


def test_an_okx_order_over_websocket_is_as_the_page_shows() -> None:
    codec = OkxCodec(OkxSigner("k", "s", "p"), LISTINGS)
    order = intent("BTC-USDT", "buy", "30000", "0.001", r.Tif.GTC, "t1x1",
                   deadline_unix_ns=1_695_190_491_421_999_999)
    request = codec.place(order, 1, rest=False)
    assert json.loads(request.text) == {
        "id": "pt1x1", "op": "order", "expTime": "1695190491421", "args": [{
            "side": "buy", "instIdCode": 101, "tdMode": "cash", "ordType": "limit",
            "px": "30000", "sz": "0.001", "clOrdId": "t1x1"}]}
    cancels = [codec.cancel(order, number, 1, rest=False) for number in ("", "77")]
    assert len({each.id for each in cancels}) == 2
    assert [json.loads(each.text)["args"] for each in cancels] == [
        [{"instIdCode": 101, "clOrdId": "t1x1"}], [{"instIdCode": 101, "ordId": "77"}]]
    assert all(len(each.id) <= 32 and each.id.isalnum() for each in (request, *cancels))


# --- Coinbase ------------------------------------------------------------------------------------


def coinbase(case: dict[str, Any]) -> CoinbaseCodec:
    inputs = case["inputs"]
    secret = inputs.get("private_key") or inputs["private_key_base64"]
    nonce = case["signing"]["header_nonce"]["example"]
    return CoinbaseCodec(CoinbaseSigner(inputs["key_name"], secret), LISTINGS, lambda: nonce)


def now_of(case: dict[str, Any]) -> int:
    seconds: int = case["inputs"]["timestamp_s"]
    return (seconds + 1) * NS_PER_S + 123  # tokens begin a second ago


def unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def claims(token: str, case: dict[str, Any]) -> dict[str, Any]:
    """Return a token's claims after its header and signature were found good."""
    header, body, signature = token.split(".")
    found = json.loads(unpadded(header))
    signing = case["signing"]
    assert found.pop("nonce") == signing["header_nonce"]["example"]
    assert found == signing["expected_header_without_nonce"]
    key = serialization.load_pem_public_key(case["inputs"]["public_key_pem"].encode())
    signed, raw = f"{header}.{body}".encode(), unpadded(signature)
    if isinstance(key, ed25519.Ed25519PublicKey):
        key.verify(raw, signed)
    else:
        assert isinstance(key, ec.EllipticCurvePublicKey)
        r_s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
        key.verify(encode_dss_signature(*r_s), signed, ec.ECDSA(hashes.SHA256()))
    there: dict[str, Any] = json.loads(unpadded(body))
    return there


def alike(request: Request, case: dict[str, Any]) -> None:
    theirs = case["request"]
    assert (request.channel, request.method) == (REST, theirs["method"])
    assert request.path.partition("?")[0] == theirs["path"]
    token = request.headers["Authorization"].removeprefix("Bearer ")
    assert claims(token, case) == case["signing"]["expected_claims"]


@pytest.mark.parametrize(
    "case", cases("coinbase", "sdk_limit_gtc_buy_post_only", "sdk_limit_ioc_sell"))
def test_a_coinbase_order_is_the_vectors(case: dict[str, Any]) -> None:
    body = json.loads(case["request"]["body"])
    ((kind, terms),) = body["order_configuration"].items()
    order = intent(
        body["product_id"], body["side"], terms["limit_price"], terms["base_size"],
        r.Tif.IOC if kind == "sor_limit_ioc" else r.Tif.GTC, body["client_order_id"],
        post_only=terms.get("post_only", False), deadline_unix_ns=now_of(case) + 120 * NS_PER_S)
    request = coinbase(case).place(order, now_of(case), rest=False)
    alike(request, case)
    ours = json.loads(request.text)
    price = ours["order_configuration"][kind].pop("limit_price")
    assert float(price) == float(terms.pop("limit_price"))  # 3456.70 there, 3456.7 here
    assert ours == body


@pytest.mark.parametrize("case", cases("coinbase", "ccxt_limit_buy"))
def test_a_coinbase_order_is_ccxts_byte_for_byte(case: dict[str, Any]) -> None:
    body = json.loads(case["request"]["body"])
    terms = body["order_configuration"]["limit_limit_gtc"]
    order = intent(body["product_id"], "buy", terms["limit_price"], terms["base_size"], r.Tif.GTC,
                   body["client_order_id"])
    signer = CoinbaseSigner(case["inputs"]["key_name"], case["inputs"]["private_key"])
    request = CoinbaseCodec(signer, LISTINGS, lambda: "1").place(order, 1, rest=True)
    assert request.text.decode() == case["request"]["body"]


@pytest.mark.parametrize("case", cases("coinbase", "sdk_limit_ioc_sell"))
def test_a_coinbase_orders_token_ends_with_its_deadline(case: dict[str, Any]) -> None:
    now_ns = now_of(case)
    for life_ns, life_s in ((5 * NS_PER_S, 6), (0, 2), (10**12, 120), (NS_PER_S // 2, 2)):
        order = intent("BTC-USD", "buy", "1", "1", r.Tif.IOC, "t1x1",
                       deadline_unix_ns=now_ns + life_ns)
        request = coinbase(case).place(order, now_ns, rest=False)
        found = claims(request.headers["Authorization"].removeprefix("Bearer "), case)
        assert found["exp"] - found["nbf"] == life_s


@pytest.mark.parametrize("case", cases("coinbase", "sdk_cancel", "sdk_eddsa_cancel"))
def test_a_coinbase_cancel_is_the_vector(case: dict[str, Any]) -> None:
    body = json.loads(case["request"]["body"])
    order = intent("BTC-USD", "buy", "1", "1", r.Tif.GTC, "t1x1")
    request = coinbase(case).cancel(order, body["order_ids"][0], now_of(case), rest=False)
    alike(request, case)
    assert json.loads(request.text) == body


@pytest.mark.parametrize("case", cases(
    "coinbase", "sdk_get_order", "sdk_open_orders", "sdk_fills", "sdk_accounts"))
def test_coinbase_questions_carry_the_vectors_tokens(case: dict[str, Any]) -> None:
    codec, now_ns = coinbase(case), now_of(case)
    order = intent("BTC-USD", "buy", "1", "1", r.Tif.GTC, "t1x1")
    accounts, fills = codec.survey(now_ns, now_ns)
    asked = {
        "sdk_get_order": codec.query(order, case["request"]["path"].rpartition("/")[2], now_ns)[0],
        "sdk_open_orders": codec.cancel_all(now_ns)[0], "sdk_fills": fills,
        "sdk_accounts": accounts}
    alike(asked[case["id"]], case)


@pytest.mark.parametrize("case", cases("coinbase", "sdk_ws_subscribe_jwt"))
def test_coinbase_subscriptions_carry_tokens_without_a_path(case: dict[str, Any]) -> None:
    for request in coinbase(case).opening(USER, now_of(case)):
        body = json.loads(request.text)
        assert claims(body.pop("jwt"), case) == case["signing"]["expected_claims"]
        assert body in ({"type": "subscribe", "channel": "heartbeats"},
                        {"type": "subscribe", "channel": "user"})
