"""Signed REST requests: a form whose nonce rises, below /0/private.

Source: shared/venues/kraken.md (Private: REST signing, Rate limits), 2026-11-21.
"""

from collections.abc import Callable
from typing import Final

from exec.gateways.codec import REST, Request
from exec.signing.kraken import KrakenSigner
from exec.venues.kraken.counter import Counter

PREFIX: Final = "/0/private/"
FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
FREE: Final = frozenset({"AddOrder", "CancelOrder", "CancelAll", "CancelAllOrdersAfter"})
HEAVY: Final = frozenset({"TradesHistory", "QueryTrades", "Ledgers"})  # two calls' worth
Nonce = Callable[[int], int]  # told the Unix ns, returns a number above all before, in any life


class Rest:
    """Makes the requests of one key; they must leave in the order in which they were made."""

    def __init__(self, signer: KrakenSigner, nonce: Nonce, counter: Counter) -> None:
        self._signer, self._nonce, self.counter = signer, nonce, counter

    def post(
        self, method: str, now_unix_ns: int, *, purpose: str, fields: str = "",
        client_id: str = "", number: str = "",
    ) -> Request:
        """Return a request; ``fields`` are encoded already, ``number`` comes back with it."""
        weight = 0 if method in FREE else 2 if method in HEAVY else 1
        self.counter.spend(weight, now_unix_ns)
        nonce, path = self._nonce(now_unix_ns), PREFIX + method
        body = f"nonce={nonce}&{fields}" if fields else f"nonce={nonce}"
        return Request(
            channel=REST, purpose=purpose, client_id=client_id, id=number, text=body.encode(),
            method="POST", path=path, headers=FORM | self._signer.headers(path, nonce, body),
            weight=max(1, weight))


def method_of(request: Request) -> str:
    """Return the method that a request calls."""
    return request.path.removeprefix(PREFIX)
