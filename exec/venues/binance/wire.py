"""Requests signed and written, over REST and over the WebSocket API.

REST: timestamp first, recvWindow and signature last; POST and PUT carry their parameters as a
form, the others in the query.  A WebSocket request's parameters are sorted by name; a connection
that logged on with an Ed25519 key signs nothing more.
Source: shared/venues/binance.md (Private), 2026-11-21.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec

from exec.gateways.codec import REST, Request
from exec.signing.binance import BinanceSigner
from exec.venues.binance.numbers import MS_NS

WINDOW_MS_MAX: Final = 60_000
Value = str | int | bool
_R = TypeVar("_R", bound=Request)


class Wire:
    """Writes the requests of one account; times are Unix ns, ours."""

    def __init__(self, signer: BinanceSigner, window_ms: int) -> None:
        """``window_ms`` is how late the venue may serve what is not an order."""
        assert 0 < window_ms <= WINDOW_MS_MAX
        self.signer, self.window_ms = signer, window_ms
        self._key = {"X-MBX-APIKEY": signer.key}
        self._form = self._key | {"Content-Type": "application/x-www-form-urlencoded"}

    def rest(
        self, kind: type[_R], method: str, path: str, fields: str, now_unix_ns: int,
        *, window_ms: int = 0, **more: Any,
    ) -> _R:
        """Return a signed REST request; ``fields`` is percent-encoded, "&name=value" each."""
        window_ms = window_ms or self.window_ms
        signed = self.signer.query(
            f"timestamp={now_unix_ns // MS_NS}{fields}&recvWindow={window_ms}")
        if method in ("POST", "PUT"):
            return kind(channel=REST, method=method, path=path, text=signed.encode(),
                        headers=self._form, **more)
        return kind(channel=REST, method=method, path=f"{path}?{signed}", headers=self._key, **more)

    def keyed(self, kind: type[_R], method: str, path: str, purpose: str, **more: Any) -> _R:
        """Return a REST request that only names the key: those about listen keys."""
        return kind(channel=REST, purpose=purpose, method=method, path=path, headers=self._key,
                    **more)

    def signed(self, number: str, method: str, values: Mapping[str, Value]) -> bytes:
        """Return a signed frame of the WebSocket API."""
        params = self.signer.parameters(values)
        return msgspec.json.encode({"id": number, "method": method, "params": params})

    def session(self, number: str, method: str, values: Mapping[str, Value]) -> bytes:
        """Return a frame for a connection that has logged on, or signed where the key cannot."""
        if not self.signer.ed25519:
            return self.signed(number, method, values)
        params = dict(sorted(values.items()))
        return msgspec.json.encode({"id": number, "method": method, "params": params})


def until(deadline_unix_ns: int, now_unix_ns: int) -> tuple[int, int]:
    """Return timestamp and recvWindow, in ms, that let an order in until its deadline, not later.

    One whose deadline has passed is dated back, so that the venue refuses it (-1021).
    """
    deadline_ms = deadline_unix_ns // MS_NS
    timestamp_ms = min(now_unix_ns // MS_NS, deadline_ms - 1)
    return timestamp_ms, min(deadline_ms - timestamp_ms, WINDOW_MS_MAX)
