"""Coinbase Advanced Trade: a token per request.  Source: shared/venues/coinbase.md, 2026-11-21.

The JSON Web Token names method, host and path without the query; the body is not signed.  It
lives 120 s, or less where a request must not be served later than that.
A WebSocket subscription carries one without a path.
"""

from base64 import urlsafe_b64encode
from typing import Final

import orjson

from exec.signing.keyed import ed25519_signer, es256_signer

LIFE_S: Final = 120


class CoinbaseSigner:
    """One CDP key: ES256 where the secret is a P-256 PEM text, EdDSA where it is base64."""

    def __init__(self, key: str, secret: str) -> None:
        """Take the key's name and its secret; raise KeyInvalid for a secret that cannot sign."""
        self.key = key
        pem = secret.lstrip().startswith("-----BEGIN")
        self._sign = es256_signer(secret) if pem else ed25519_signer(secret)
        self._algorithm = "ES256" if pem else "EdDSA"

    def token(self, unix_s: int, nonce: str, *, uri: str = "", life_s: int = LIFE_S) -> str:
        """Return a token; ``uri`` is "METHOD host/path", empty for the WebSocket.

        ``nonce`` is fresh for each token: any text that was not used before.
        """
        header = {"alg": self._algorithm, "kid": self.key, "nonce": nonce, "typ": "JWT"}
        claims: dict[str, str | int] = {
            "sub": self.key, "iss": "cdp", "nbf": unix_s, "exp": unix_s + life_s}
        if uri:
            claims["uri"] = uri
        text = _encode(orjson.dumps(header)) + b"." + _encode(orjson.dumps(claims))
        return (text + b"." + _encode(self._sign(text))).decode()

    def headers(
        self, unix_s: int, nonce: str, method: str, host: str, path: str, *, life_s: int = LIFE_S
    ) -> dict[str, str]:
        """Return the headers of a REST request; ``path`` without its query."""
        token = self.token(unix_s, nonce, uri=f"{method} {host}{path}", life_s=life_s)
        return {"Authorization": f"Bearer {token}"}

    def __repr__(self) -> str:
        """Tell the venue alone."""
        return "CoinbaseSigner(...)"


def _encode(part: bytes) -> bytes:
    return urlsafe_b64encode(part).rstrip(b"=")
