"""Kraken spot.  Source: shared/venues/kraken.md, 2026-11-21.

API-Sign is HMAC-SHA512, under the decoded secret, of path + SHA-256(nonce + body).  WebSocket v2
carries a token instead, which one signed request fetches.
"""

import hashlib

from exec.signing.keyed import Hmac, from_base64


class KrakenSigner:
    """One API key; the secret is base64."""

    def __init__(self, key: str, secret: str) -> None:
        """Take key and secret; raise KeyInvalid unless it is base64."""
        self.key = key
        self._hmac = Hmac(from_base64(secret), hashlib.sha512)

    def headers(self, path: str, nonce: int, body: str) -> dict[str, str]:
        """Return the headers of a request whose body, form or JSON, names the same nonce."""
        digest = hashlib.sha256(f"{nonce}{body}".encode()).digest()
        return {"API-Key": self.key, "API-Sign": self._hmac.base64(path.encode() + digest)}

    def __repr__(self) -> str:
        """Tell the venue alone."""
        return "KrakenSigner(...)"
