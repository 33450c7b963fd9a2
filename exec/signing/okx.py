"""OKX.  Source: shared/venues/okx.md, 2026-11-21.

Signed is timestamp + METHOD + path with query + body, the bytes as sent; the WebSocket login signs
a fixed path with the time in whole seconds.
"""

from exec.signing.keyed import Hmac

LOGIN_PATH = "/users/self/verify"


class OkxSigner:
    """One API key with its passphrase."""

    def __init__(self, key: str, secret: str, passphrase: str, *, demo: bool = False) -> None:
        """Take key, secret and passphrase; ``demo`` marks requests for the venue's demo market."""
        self.key, self._passphrase = key, passphrase
        self._hmac = Hmac(secret.encode())
        self._always = {"OK-ACCESS-KEY": key, "OK-ACCESS-PASSPHRASE": passphrase}
        if demo:
            self._always["x-simulated-trading"] = "1"

    def headers(self, timestamp_iso: str, method: str, path: str, body: str = "") -> dict[str, str]:
        """Return the headers of a REST request; ``path`` with its query, the time ISO with ms."""
        text = f"{timestamp_iso}{method}{path}{body}".encode()
        return {
            **self._always, "OK-ACCESS-TIMESTAMP": timestamp_iso,
            "OK-ACCESS-SIGN": self._hmac.base64(text),
        }

    def login(self, unix_s: int) -> dict[str, str]:
        """Return the argument of the WebSocket login."""
        text = f"{unix_s}GET{LOGIN_PATH}".encode()
        return {
            "apiKey": self.key, "passphrase": self._passphrase, "timestamp": str(unix_s),
            "sign": self._hmac.base64(text),
        }

    def __repr__(self) -> str:
        """Tell the venue alone."""
        return "OkxSigner(...)"
