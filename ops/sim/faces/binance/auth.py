"""Who a Binance request comes from: API key, signature, timestamp and receive window.

REST signs the query string and the body as sent, one after the other; the WebSocket API signs
the sorted parameters, not percent-encoded.  HMAC signatures are hex of any case; those of Ed25519
and RSA keys base64.  Source: shared/venues/binance.md and binance-spot-api-docs:rest-api.md,
web-socket-api.md @ a5e0bc3, 2026-11-21.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ops.sim.credentials import HMAC, Credentials
from ops.sim.face import HttpRequest
from ops.sim.faces.binance.errors import (
    AHEAD,
    BAD_KEY,
    BAD_KEY_FORMAT,
    BAD_SIGNATURE,
    BAD_WINDOW,
    ILLEGAL,
    MANDATORY,
    OUTSIDE_WINDOW,
    Refused,
)
from ops.sim.floor import Floor

WINDOW_MS: Final = 5000
WINDOW_MS_MAX: Final = 60_000
AHEAD_US: Final = 1_000_000
MICROSECONDS: Final = 10**15  # a timestamp from here on is in us
KEY: Final = re.compile(r"[A-Za-z0-9]{1,128}")
STAMP: Final = re.compile(r"[0-9]{1,18}")
WINDOW: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,3})?")
SIGNATURE: Final = re.compile(r"(?:^|&)signature=([^&]*)")


class Auth:
    """Knows the keys of one venue's clients."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def key(self, key: str | None) -> Credentials:
        """Return whose API key this is; refuse one that is malformed or unknown."""
        if not key or not KEY.fullmatch(key):
            raise Refused(BAD_KEY_FORMAT)
        found = self._floor.credentials.get(key)
        if found is None:
            raise Refused(BAD_KEY)
        return found

    def rest(self, request: HttpRequest, values: Mapping[str, str]) -> Credentials:
        """Return who signed a REST request with these decoded parameters, within its window."""
        found = self.key(request.headers.get("x-mbx-apikey"))
        body = request.body.decode("utf-8", "replace")
        texts = (request.raw_query, body)
        signatures = [match[1] for text in texts for match in SIGNATURE.finditer(text)]
        payload = "".join(SIGNATURE.sub("", text).removeprefix("&") for text in texts)
        if signatures and not payload.isascii():  # percent-encoding comes before signing
            raise Refused(BAD_SIGNATURE)
        signature = unquote(signatures[0]) if signatures else ""
        self._check(found, values, payload, signature)
        return found

    def ws(self, values: Mapping[str, str]) -> Credentials:
        """Return who signed the parameters of a WebSocket API request, within its window."""
        if not values.get("apiKey"):
            raise Refused(MANDATORY, "apiKey")
        found = self.key(values["apiKey"])
        payload = "&".join(f"{name}={values[name]}" for name in sorted(values)
                           if name != "signature")
        self._check(found, values, payload, values.get("signature", ""))
        return found

    def _check(
        self, found: Credentials, values: Mapping[str, str], payload: str, signature: str
    ) -> None:
        for name, value in (("timestamp", values.get("timestamp")), ("signature", signature)):
            if not value:
                raise Refused(MANDATORY, name)
        if not verify(found, payload.encode(), signature):
            raise Refused(BAD_SIGNATURE)
        self.in_time(values)

    def in_time(self, values: Mapping[str, str]) -> None:
        """Refuse a request that was sent too long ago, or more than 1 s in the future."""
        stamp, window = values.get("timestamp", ""), values.get("recvWindow", str(WINDOW_MS))
        if not STAMP.fullmatch(stamp):
            raise Refused(ILLEGAL, "timestamp", "^[0-9]{1,20}$")
        if not WINDOW.fullmatch(window):
            raise Refused(ILLEGAL, "recvWindow", "^[0-9]{1,5}(\\.[0-9]{1,3})?$")
        if Decimal(window) > WINDOW_MS_MAX:
            raise Refused(BAD_WINDOW)
        at_us = int(stamp) if int(stamp) >= MICROSECONDS else int(stamp) * 1000
        late_us = self._floor.now_ns() // 1000 - at_us
        if late_us <= -AHEAD_US:
            raise Refused(AHEAD)
        if late_us > Decimal(window) * 1000:
            raise Refused(OUTSIDE_WINDOW)


def verify(credentials: Credentials, payload: bytes, signature: str) -> bool:
    """Return whether ``signature`` is that key's under ``payload``."""
    secret = credentials.secret.encode()
    if credentials.kind == HMAC:
        expected = hmac.new(secret, payload, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected.encode(), signature.lower().encode())
    try:
        given = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):  # ValueError: not ASCII
        return False
    private = _private(secret)
    try:
        if isinstance(private, ed25519.Ed25519PrivateKey):
            private.public_key().verify(given, payload)
        elif isinstance(private, rsa.RSAPrivateKey):
            private.public_key().verify(given, payload, padding.PKCS1v15(), hashes.SHA256())
        else:
            return False
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=64)  # parsing takes longer than verifying
def _private(pem: bytes) -> PrivateKeyTypes:
    return load_pem_private_key(pem, None)
