"""exec.signing against requests that an independent implementation signed."""

import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from engine.model.errors import KeyInvalid
from exec.signing.binance import BinanceSigner
from exec.signing.coinbase import CoinbaseSigner
from exec.signing.keyed import Hmac
from exec.signing.kraken import KrakenSigner
from exec.signing.okx import OkxSigner
from tests.shared import SHARED


def cases(venue: str, scheme: str = "") -> list[Any]:
    path = SHARED / "venues" / "vectors" / f"{venue}.json"
    if not path.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"{path} is not here"))]
    return [pytest.param(each, id=each["id"]) for each in json.loads(path.read_bytes())["cases"]
            if each.get("scheme", "").startswith(scheme)]


@pytest.mark.parametrize("case", cases("binance"))
def test_binance_requests_are_signed_as_by_others(case: dict[str, Any]) -> None:
    inputs = case["inputs"]
    signer = BinanceSigner(inputs["apiKey"], inputs["secret"])
    assert signer.signature(case["string_to_sign"]) == case["signature"]
    if case["method"] == "WS":
        sent = json.loads(case["body"])["params"]
        asked = {name: value for name, value in sent.items() if name not in ("apiKey", "signature")}
        assert signer.parameters(asked) == sent
    else:
        sent_text = case["body"] or urlsplit(case["url"]).query
        assert signer.query(case["string_to_sign"]) == sent_text


@pytest.mark.parametrize("case", cases("okx"))
def test_okx_requests_are_signed_as_by_others(case: dict[str, Any]) -> None:
    inputs = case["inputs"]
    demo = "x-simulated-trading" in case["headers"]
    signer = OkxSigner(inputs["apiKey"], inputs["secret"], inputs["password"], demo=demo)
    if case["method"] == "WS":
        assert signer.login(int(inputs["timestamp_s"])) == json.loads(case["body"])["args"][0]
        return
    url = urlsplit(case["url"])
    path = url.path + (f"?{url.query}" if url.query else "")
    headers = signer.headers(inputs["timestamp_iso"], case["method"], path, case["body"] or "")
    assert headers == {
        name: value for name, value in case["headers"].items() if name != "Content-Type"}


@pytest.mark.parametrize("case", cases("kraken"))
def test_kraken_requests_are_signed_as_by_others(case: dict[str, Any]) -> None:
    inputs = case["inputs"]
    signer = KrakenSigner(inputs["apiKey"], inputs["secret"])
    path = urlsplit(case["url"]).path
    headers = signer.headers(path, int(inputs["nonce"]), case["body"])
    assert headers["API-Sign"] == case["signature"]


@pytest.mark.parametrize("case", cases("coinbase", "cdp_jwt"))
def test_coinbase_tokens_say_and_prove_what_others_do(case: dict[str, Any]) -> None:
    inputs, signing, request = case["inputs"], case["signing"], case["request"]
    signer = CoinbaseSigner(inputs["key_name"], inputs["private_key"])
    claims = signing["expected_claims"]
    if request["method"] == "WS":
        token = signer.token(inputs["timestamp_s"], "n")
    else:
        headers = signer.headers(
            inputs["timestamp_s"], "n", request["method"], request["host"], request["path"])
        token = headers["Authorization"].removeprefix("Bearer ")
    head, body, signature = token.split(".")
    header = json.loads(unpadded(head))
    assert header.pop("nonce") == "n"
    assert header == signing["expected_header_without_nonce"]
    ours = json.loads(unpadded(body))
    older = {"aud", "iat"} & claims.keys()  # ccxt's claim set; ours is the official SDK's
    if older:
        claims = {**claims, "iss": "cdp"}
    assert ours == {name: value for name, value in claims.items() if name not in older}
    verify(inputs["public_key_pem"], f"{head}.{body}".encode(), unpadded(signature))
    theirs = signing["sample_token"].rpartition(".")
    verify(inputs["public_key_pem"], theirs[0].encode(), unpadded(theirs[2]))


def unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def verify(public_pem: str, message: bytes, signature: bytes) -> None:
    key = serialization.load_pem_public_key(public_pem.encode())
    if isinstance(key, ed25519.Ed25519PublicKey):
        key.verify(signature, message)
        return
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert len(signature) == 64
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    key.verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize("size", [1, 63, 64, 65, 200])
def test_the_kept_states_give_what_the_standard_library_gives(size: int) -> None:
    secret = bytes(range(size % 256)) or b"x"
    for algorithm in (hashlib.sha256, hashlib.sha512):
        ours = Hmac(secret, algorithm)
        for message in (b"", b"a", b"b" * 1000):
            assert ours.digest(message) == hmac.digest(secret, message, algorithm)


@pytest.mark.parametrize("make", [
    lambda: BinanceSigner("k", ""), lambda: KrakenSigner("k", "not base64!"),
    lambda: CoinbaseSigner("k", "aGVsbG8="), lambda: OkxSigner("k", "", "p"),
    lambda: BinanceSigner("k", "-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----"),
])
def test_a_secret_that_cannot_sign_is_refused_without_being_shown(make: Any) -> None:
    with pytest.raises(KeyInvalid) as caught:
        make()
    for secret in ("not base64!", "aGVsbG8=", "nonsense"):
        assert secret not in str(caught.value)


def test_a_signer_does_not_tell_its_secret() -> None:
    for signer in (BinanceSigner("key-1", "secret-1"), OkxSigner("key-1", "secret-1", "pass-1"),
                   KrakenSigner("key-1", base64.b64encode(b"secret-1").decode())):
        assert "1" not in repr(signer)
