"""OKX's rate limits: sliding windows per address, per user, per user and instrument.

Source: shared/venues/okx.md, Rate limits and the tables of operations, 2026-11-21.  REST and
WebSocket share the counters of order entry; batches of more than one count by order, in counters
of their own.
"""

from collections.abc import Hashable
from typing import Final, NamedTuple

from ops.sim.face import Query
from ops.sim.faces.okx.errors import Failure, failure
from ops.sim.floor import Floor
from ops.sim.limits import Sliding

WINDOWS_MAX: Final = 4096  # counters kept; the oldest goes first
CONNECTS: Final = (3, 1.0)  # per address
CONTROLS: Final = (480, 3600.0)  # logins, subscriptions and their ends, per connection
SUB_ACCOUNT: Final = (1000, 2.0)  # new and amended orders of one account


class Rate(NamedTuple):
    """So many requests in a window, counted per the query parameter ``by`` too."""

    most: int
    window_s: float = 2.0
    by: str = ""


PUBLIC: Final = {  # per address
    "public/time": Rate(10), "public/instruments": Rate(20, by="instType"),
    "system/status": Rate(1, 5.0), "market/tickers": Rate(20), "market/ticker": Rate(20),
    "market/books": Rate(40), "market/books-full": Rate(10), "market/trades": Rate(100),
    "market/history-trades": Rate(20), "public/funding-rate": Rate(10, by="instId"),
    "public/funding-rate-history": Rate(10, by="instId"),
}
PRIVATE: Final = {  # per account
    "account/instruments": Rate(20, by="instType"), "account/balance": Rate(10),
    "account/positions": Rate(10), "account/config": Rate(5), "account/trade-fee": Rate(5),
    "asset/currencies": Rate(6, 1.0), "asset/balances": Rate(6, 1.0),
    "trade/order": Rate(60, by="instId"), "trade/orders-pending": Rate(60),
    "trade/orders-history": Rate(40), "trade/orders-history-archive": Rate(20),
    "trade/fills": Rate(60), "trade/fills-history": Rate(10),
    "trade/cancel-all-after": Rate(1, 1.0, by="tag"),
}
SINGLE: Final = Rate(60)  # place, amend and cancel each, per account and instrument
BATCH: Final = Rate(300)  # orders


class Limits:
    """All counters of one venue."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._windows: dict[Hashable, Sliding] = {}

    def connect(self, ip: str) -> bool:
        """Count a connection; return whether it may stay."""
        return self._take(("connect", ip), *CONNECTS)

    def control(self, connection_id: int) -> bool:
        """Count a login, subscribe or unsubscribe request."""
        return self._take(("control", connection_id), *CONTROLS)

    def public(self, verb: str, query: Query, ip: str) -> bool:
        """Count a public REST request."""
        rate = PUBLIC.get(verb)
        return rate is None or self._read(("ip", ip, verb), rate, query)

    def private(self, verb: str, query: Query, account: str) -> bool:
        """Count a private REST request that enters no order."""
        rate = PRIVATE.get(verb)
        return rate is None or self._read((account, verb), rate, query)

    def entry(self, operation: str, account: str, native: str, *, batch: bool) -> Failure | None:
        """Count one order placed, amended or cancelled; return what refuses it."""
        rate = BATCH if batch else SINGLE
        if native not in self._floor.exchange.listed:
            native = ""
        if not self._take(
                (account, operation, batch, native), rate.most, rate.window_s):
            return failure("50011")
        if operation != "cancel" and not self._take((account, "new and amended"), *SUB_ACCOUNT):
            return failure("50061")
        return None

    def _read(self, key: tuple[Hashable, ...], rate: Rate, query: Query) -> bool:
        part = query.get(rate.by, "")[:32] if rate.by else ""
        return self._take((*key, part), rate.most, rate.window_s)

    def _take(self, key: Hashable, count: int, window_s: float) -> bool:
        window = self._windows.get(key)
        if window is None:
            if len(self._windows) >= WINDOWS_MAX:
                del self._windows[next(iter(self._windows))]
            window = self._windows[key] = Sliding(count, window_s)
        return window.take(self._floor.mono_ns())
