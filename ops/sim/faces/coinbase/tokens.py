"""JSON Web Tokens, as Coinbase checks them: whose key, whether still good, whether for this call.

Source: shared/venues/coinbase.md "Auth", 2026-11-21.  ES256 (raw r||s) and EdDSA; the header has
``kid`` and a ``nonce``, the claims ``sub`` (the same key), ``iss``, ``nbf``, ``exp`` at most 120 s
later and, for REST, ``uri``: method, host and path, without scheme and query.  ccxt's older claim
set (``aud``, ``iat``, issuer "coinbase-cloud", a list ``uris``) passes too.  A token may be used
again while it lasts: ccxt does that over WebSocket.
"""

import base64
import binascii
from collections.abc import Callable, Collection, Iterable
from enum import Enum
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ops.sim.credentials import Credentials

LIFE_MAX_S: Final = 120
TOKEN_SIZE_MAX: Final = 4096  # bytes; ours have some 600
ISSUERS: Final = ("cdp", "coinbase-cloud")
REAL_HOST: Final = "api.coinbase.com"
ES256: Final = "ES256"
EDDSA: Final = "EdDSA"
PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey


class Denial(Enum):
    """Why a token does not pass."""

    UNAUTHORIZED = "unauthorized"
    EXPIRED = "request timestamp expired"


class Tokens:
    """Who a token speaks for."""

    def __init__(
        self, credentials: Iterable[Credentials], in_force: Callable[[str], bool]
    ) -> None:
        """Know the public halves of the keys that were issued, and ask which are ``in_force``."""
        self._in_force = in_force
        self._keys = {each.key: (each.account, public_key(each.secret)) for each in credentials}

    def account(
        self, token: str, now_ns: int, uris: Collection[str] | None = None
    ) -> str | Denial:
        """Return the account of a good token; ``uris`` are the ones it may be for, None: any."""
        parts = token.split(".")
        if len(parts) != 3 or len(token) > TOKEN_SIZE_MAX or not token.isascii():
            return Denial.UNAUTHORIZED
        header, claims = _json(parts[0]), _json(parts[1])
        owner = self._keys.get(str(header.get("kid")))
        if owner is None or not self._in_force(str(header["kid"])):
            return Denial.UNAUTHORIZED
        if not header.get("nonce") or not isinstance(header["nonce"], str):
            return Denial.UNAUTHORIZED
        account, key = owner
        signed = f"{parts[0]}.{parts[1]}".encode()
        if not _verified(key, header.get("alg"), signed, _bytes(parts[2])):
            return Denial.UNAUTHORIZED
        if claims.get("sub") != header["kid"] or claims.get("iss") not in ISSUERS:
            return Denial.UNAUTHORIZED
        if uris is not None and not _asked(claims) & set(uris):
            return Denial.UNAUTHORIZED
        return account if _in_time(claims, now_ns) else Denial.EXPIRED


def public_key(secret: str) -> PublicKey:
    """Return the public half of a PEM or of the base64 of an Ed25519 seed (32 or 64 bytes)."""
    if not secret.startswith("-----BEGIN"):
        seed = base64.b64decode(secret)[:32]
        return ed25519.Ed25519PrivateKey.from_private_bytes(seed).public_key()
    key = load_pem_private_key(secret.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey)
    return key.public_key()


def _verified(key: PublicKey, alg: object, signed: bytes, signature: bytes) -> bool:
    if len(signature) != 64:
        return False
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, signed)
            return alg == EDDSA
        r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
        key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return alg == ES256


def _asked(claims: dict[str, Any]) -> set[str]:
    uris = claims.get("uris")
    named = uris if isinstance(uris, list) else [claims.get("uri")]
    return {each for each in named if isinstance(each, str)}


def _in_time(claims: dict[str, Any], now_ns: int) -> bool:
    begin_s, end_s = claims.get("nbf"), claims.get("exp")
    return (
        isinstance(begin_s, int) and isinstance(end_s, int) and end_s - begin_s <= LIFE_MAX_S
        and begin_s * 10**9 <= now_ns < end_s * 10**9
    )


def _bytes(part: str) -> bytes:
    """Decode base64url without padding; empty if it is not."""
    if "=" in part:
        return b""
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        return b""


def _json(part: str) -> dict[str, Any]:
    try:
        parsed = orjson.loads(_bytes(part))
    except orjson.JSONDecodeError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
