"""Binance spot, Binance.US and USD-M.  Source: shared/venues/binance.md, 2026-11-21.

REST signs the query or form text as it is sent and puts ``signature`` last; the WebSocket API signs
its parameters sorted by name, and an Ed25519 session that logged on signs nothing more.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping
from urllib.parse import quote

from exec.signing.keyed import Hmac, ed25519_signer


class BinanceSigner:
    """One API key: HMAC-SHA256, or Ed25519 where the secret is a PEM text."""

    def __init__(self, key: str, secret: str) -> None:
        """Take the key and its secret; raise KeyInvalid for a secret that cannot sign."""
        self.key = key
        self._sign: Callable[[bytes], str]
        self.ed25519 = secret.lstrip().startswith("-----BEGIN")
        if self.ed25519:
            self._sign = _in_base64(ed25519_signer(secret))
        else:
            self._sign = Hmac(secret.encode()).hex

    def query(self, text: str) -> str:
        """Return an encoded query or form text with its signature appended."""
        return f"{text}&signature={quote(self.signature(text), safe='')}"

    def signature(self, text: str) -> str:
        """Return the signature of a text: hexadecimal for HMAC, base64 for Ed25519."""
        return self._sign(text.encode())

    def parameters(self, values: Mapping[str, str | int | bool]) -> dict[str, str | int | bool]:
        """Return WebSocket parameters, sorted, with the API key and the signature."""
        whole = dict(sorted({**values, "apiKey": self.key}.items()))
        text = "&".join(f"{name}={_wire(value)}" for name, value in whole.items())
        return {**whole, "signature": self.signature(text)}

    def __repr__(self) -> str:
        """Tell the venue alone."""
        return "BinanceSigner(...)"


def _wire(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _in_base64(sign: Callable[[bytes], bytes]) -> Callable[[bytes], str]:
    return lambda message: b64encode(sign(message)).decode()
