"""Who signed a request: REST headers and the WebSocket login, each fault by its own code.

Source: shared/venues/okx.md, Private, 2026-11-21.  A REST timestamp is ISO with milliseconds, a
login's is in seconds; both may be 30 s off.
"""

import base64
import hashlib
import hmac
import re
from datetime import UTC, datetime
from typing import Any, Final

from ops.sim.credentials import Credentials
from ops.sim.face import HttpRequest
from ops.sim.faces.okx.errors import Failure, failure
from ops.sim.floor import Floor

DRIFT_MS_MAX: Final = 30_000
UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ISO: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
HEADERS: Final = (
    ("ok-access-key", "50103"), ("ok-access-passphrase", "50104"),
    ("ok-access-sign", "50106"), ("ok-access-timestamp", "50107"),
)


def sign(secret: str, text: bytes) -> str:
    """Return the base64 HMAC-SHA256 of what a request is signed over."""
    return base64.b64encode(hmac.digest(secret.encode(), text, hashlib.sha256)).decode()


class Gate:
    """Lets in who proves to hold a key of this venue."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def request(self, request: HttpRequest) -> str | Failure:
        """Return the account that signed a REST request."""
        headers = request.headers
        for name, code in HEADERS:
            if not headers.get(name):
                return failure(code)
        holder = self._holder(headers["ok-access-key"], "50111", "50119")
        if isinstance(holder, Failure):
            return holder
        if headers.get("x-simulated-trading") == "1":
            return failure("50101")
        at_ms = _iso_ms(headers["ok-access-timestamp"])
        if at_ms is None:
            return failure("50112")
        if abs(at_ms - self._now_ms()) > DRIFT_MS_MAX:
            return failure("50102")
        if not same(headers["ok-access-passphrase"], holder.passphrase):
            return failure("50105")
        if not same(headers["ok-access-sign"], sign(holder.secret, signed_text(request))):
            return failure("50113")
        return holder.account

    def login(self, arg: dict[str, Any]) -> str | Failure:
        """Return the account that a WebSocket login proves."""
        key, passphrase, at, signature = (
            str(arg.get(name, "")) for name in ("apiKey", "passphrase", "timestamp", "sign"))
        holder = self._holder(key, "60005", "60032")
        if isinstance(holder, Failure):
            return holder
        if not re.fullmatch(r"\d{10}(\.\d{1,3})?", at):
            return failure("60004")
        if abs(int(float(at) * 1000) - self._now_ms()) > DRIFT_MS_MAX:
            return failure("60006")
        if not same(passphrase, holder.passphrase):
            return failure("60024")
        text = f"{at}GET/users/self/verify".encode()
        return holder.account if same(signature, sign(holder.secret, text)) else failure("60007")

    def _holder(self, key: str, malformed: str, unknown: str) -> Credentials | Failure:
        if not UUID.fullmatch(key):
            return failure(malformed)
        return self._floor.credentials.get(key) or failure(unknown)

    def _now_ms(self) -> int:
        return self._floor.now_ns() // 1_000_000


def signed_text(request: HttpRequest) -> bytes:
    """Return what a REST request is signed over: time, method, path with query, and the body."""
    target = request.path + ("?" if request.raw_query else "") + request.raw_query
    at = request.headers["ok-access-timestamp"]
    return f"{at}{request.method}{target}".encode() + request.body


def same(given: str, wanted: str) -> bool:
    """Compare without telling by the time taken how much was right."""
    return hmac.compare_digest(given.encode(), wanted.encode())


def _iso_ms(text: str) -> int | None:
    if not ISO.fullmatch(text):
        return None
    try:
        at = datetime.fromisoformat(text[:-5] + "+00:00")
    except ValueError:
        return None
    return int(at.astimezone(UTC).timestamp()) * 1000 + int(text[-4:-1])
