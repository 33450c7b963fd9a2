"""Kraken's counters: of private REST calls per key, of orders per account and pair, per IP.

The tier is Intermediate.  Source: shared/venues/kraken.md (Rate limits, Keepalive), 2026-11-21.
Public REST is given as "about one request a second": a burst of 20 is our reading.  Cancels are
never refused for their cost; what they add stops at the threshold (our reading too).
"""

from typing import Final

from ops.sim.limits import Decaying, Sliding

TRADING_MAX: Final = 125
TRADING_PER_S: Final = 2.34
PRIVATE_MAX: Final = 20
PRIVATE_PER_S: Final = 0.5
PUBLIC_MAX: Final = 20
PUBLIC_PER_S: Final = 1.0
CONNECTS_MAX: Final = 150  # per IP in any ten minutes
BAN_S: Final = 600
MESSAGES_PER_S: Final = 100  # per connection; Kraken's own limit is not told
IPS_MAX: Final = 10_000

CALL_COSTS: Final = {
    "Ledgers": 2, "QueryLedgers": 2, "TradesHistory": 2, "QueryTrades": 2,
    **dict.fromkeys((
        "AddOrder", "AddOrderBatch", "AmendOrder", "EditOrder", "CancelOrder",
        "CancelOrderBatch", "CancelAll", "CancelAllOrdersAfter"), 0),
}
Steps = tuple[tuple[int, int], ...]  # (younger than so many seconds, costs so much)
AMEND_STEPS: Final[Steps] = ((5, 3), (10, 2), (15, 1))
EDIT_STEPS: Final[Steps] = ((5, 6), (10, 5), (15, 4), (45, 2), (90, 1))
CANCEL_STEPS: Final[Steps] = ((5, 8), (10, 6), (15, 5), (45, 4), (90, 2), (300, 1))


def penalty(steps: Steps, age_ns: int) -> int:
    """Return what touching an order of that age costs."""
    return next((cost for age_s, cost in steps if age_ns < age_s * 10**9), 0)


class Counters:
    """Every counter of the venue."""

    def __init__(self) -> None:
        self._calls: dict[str, Decaying] = {}  # by API key: as many as the venue issued
        self._trading: dict[tuple[str, str], Decaying] = {}  # by account and symbol
        self._public: dict[str, Decaying] = {}  # by IP
        self._connects: dict[str, Sliding] = {}
        self._banned_until_ns: dict[str, int] = {}

    def call(self, key: str, method: str, now_ns: int) -> bool:
        """Count a private REST call; return whether it may go on."""
        counter = self._calls.setdefault(key, Decaying(PRIVATE_MAX, PRIVATE_PER_S))
        return counter.take(now_ns, CALL_COSTS.get(method, 1))

    def trading(self, account: str, symbol: str) -> Decaying:
        """Return the matching engine's counter of one account and symbol."""
        return self._trading.setdefault(
            (account, symbol), Decaying(TRADING_MAX, TRADING_PER_S))

    def public(self, ip: str, now_ns: int) -> bool:
        """Count a public REST call."""
        if ip not in self._public and len(self._public) >= IPS_MAX:
            self._public.pop(next(iter(self._public)))
        counter = self._public.setdefault(ip, Decaying(PUBLIC_MAX, PUBLIC_PER_S))
        return counter.take(now_ns)

    def connect(self, ip: str, now_ns: int) -> bool:
        """Count a connection; return whether the IP may connect."""
        if self.banned_s(ip, now_ns):
            return False
        if ip not in self._connects and len(self._connects) >= IPS_MAX:
            self._connects.pop(next(iter(self._connects)))
        allowed = self._connects.setdefault(ip, Sliding(CONNECTS_MAX, BAN_S)).take(now_ns)
        if not allowed:
            self._banned_until_ns[ip] = now_ns + BAN_S * 10**9
        return allowed

    def banned_s(self, ip: str, now_ns: int) -> int:
        """Return for how many seconds an IP is still banned, 0 if it is not."""
        until_ns = self._banned_until_ns.get(ip, 0)
        if until_ns <= now_ns:
            self._banned_until_ns.pop(ip, None)
            return 0
        return -(-(until_ns - now_ns) // 10**9)


def messages() -> Sliding:
    """Return the limit of one connection's messages."""
    return Sliding(MESSAGES_PER_S, 1.0)
