"""How much a client may ask of a Binance market: weight, raw requests, orders, and bans.

Weight and raw requests count per IP; orders per account, in the windows that exchangeInfo names.
Who goes on after a 429 is banned: 418, twice as long each time, from 2 min to 3 days.
Source: shared/venues/binance.md and binance-spot-api-docs:rest-api.md (LIMITS) @ a5e0bc3.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from ops.sim.faces.binance.errors import (
    BANNED,
    TOO_MANY_ORDERS,
    TOO_MANY_REQUESTS,
    TOO_MUCH_WEIGHT,
    Problem,
    Refused,
)
from ops.sim.limits import Window

NS: Final = 1_000_000_000
IGNORED_MAX: Final = 10  # requests after a 429 before the ban
BAN_S: Final = 120
BAN_S_MAX: Final = 3 * 86_400
ATTEMPTS_MAX: Final = 300  # connections
ATTEMPTS_S: Final = 300.0
IPS_MAX: Final = 1_000  # remembered; the oldest is forgotten first
SECONDS: Final = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86_400}


class Limit(NamedTuple):
    """One row of exchangeInfo's rateLimits."""

    kind: str  # REQUEST_WEIGHT, RAW_REQUESTS or ORDERS
    interval: str
    number: int
    limit: int

    @property
    def letters(self) -> str:
        """Return the window as in headers: 1m."""
        return f"{self.number}{self.interval[0].lower()}"

    @property
    def words(self) -> str:
        """Return the window as in texts: 1 MINUTE."""
        return f"{self.number} {self.interval}"

    def row(self) -> dict[str, object]:
        """Return the row."""
        return {"rateLimitType": self.kind, "interval": self.interval,
                "intervalNum": self.number, "limit": self.limit}

    def window(self) -> Window:
        """Return a counter of it."""
        return Window(self.limit, SECONDS[self.interval] * self.number)


class _Usage:
    """What one IP used."""

    def __init__(self, limits: Sequence[Limit]) -> None:
        self.windows = [(limit, limit.window()) for limit in limits]
        self.attempts = Window(ATTEMPTS_MAX, ATTEMPTS_S)  # connections
        self.ignored = 0  # requests since it was told to stop
        self.bans, self.banned_until_ns = 0, 0


class Limits:
    """The counters of one market."""

    def __init__(
        self, rows: Sequence[Limit], weight: Problem = TOO_MUCH_WEIGHT, banned: Problem = BANNED
    ) -> None:
        """Refuse too much in the words of ``weight`` and ``banned``: they differ by market."""
        self.rows = rows
        self._weight, self._ban = weight, banned
        self._by_ip = [row for row in rows if row.kind != "ORDERS"]
        self._by_account = [row for row in rows if row.kind == "ORDERS"]
        self._usages: dict[str, _Usage] = {}
        self._orders: dict[str, list[tuple[Limit, Window]]] = {}

    # --- per IP --------------------------------------------------------------------------------

    def request(self, now_ns: int, unix_ms: int, ip: str, weight: int) -> None:
        """Count a request of ``weight``; refuse it with 429, or 418 while the IP is banned."""
        usage = self._usage(ip)
        if now_ns < usage.banned_until_ns:
            raise self._banned(now_ns, unix_ms, usage)
        for limit, window in usage.windows:
            if window.take(now_ns, weight if limit.kind == "REQUEST_WEIGHT" else 1):
                continue
            usage.ignored += 1
            if usage.ignored > IGNORED_MAX:
                usage.banned_until_ns = now_ns + NS * min(BAN_S << usage.bans, BAN_S_MAX)
                usage.bans, usage.ignored = min(usage.bans + 1, 16), 0
                raise self._banned(now_ns, unix_ms, usage)
            problem = self._weight if limit.kind == "REQUEST_WEIGHT" else TOO_MANY_REQUESTS
            raise Refused(problem, limit.limit, limit.words,
                          headers=self.weights(now_ns, ip) | _retry(window.left_ns(now_ns)))
        usage.ignored = 0

    def attempt(self, now_ns: int, ip: str) -> bool:
        """Count a connection; return whether there were not too many."""
        return self._usage(ip).attempts.take(now_ns)

    def give_back(self, now_ns: int, ip: str, weight: int) -> None:
        """Take back the weight of a request that turned out to cost nothing."""
        for limit, window in self._usage(ip).windows:
            if limit.kind == "REQUEST_WEIGHT":
                window.used = max(0, _used(window, now_ns) - weight)

    def weights(self, now_ns: int, ip: str) -> dict[str, str]:
        """Return the headers that tell the weight used."""
        used = [(limit, window) for limit, window in self._usage(ip).windows
                if limit.kind == "REQUEST_WEIGHT"]
        headers = {f"x-mbx-used-weight-{limit.letters}": str(_used(window, now_ns))
                   for limit, window in used}
        return {"x-mbx-used-weight": next(iter(headers.values()))} | headers

    def _usage(self, ip: str) -> _Usage:
        usage = self._usages.get(ip)
        if usage is None:
            if len(self._usages) >= IPS_MAX:
                del self._usages[next(iter(self._usages))]
            usage = self._usages[ip] = _Usage(self._by_ip)
        return usage

    def _banned(self, now_ns: int, unix_ms: int, usage: _Usage) -> Refused:
        left_ns = usage.banned_until_ns - now_ns
        until_ms = unix_ms + left_ns // 1_000_000
        return Refused(self._ban, until_ms, headers=_retry(left_ns))

    # --- per account ---------------------------------------------------------------------------

    def order(self, now_ns: int, account: str, *, told: bool = True) -> None:
        """Count a new order; refuse it with 429, and with Retry-After where the venue says it."""
        for limit, window in self._counts(account):
            if window.take(now_ns):
                continue
            headers = _retry(window.left_ns(now_ns)) if told else {}
            raise Refused(TOO_MANY_ORDERS, limit.limit, limit.words, headers=headers)

    def filled(self, now_ns: int, account: str, units: int = 1) -> None:
        """Take unfilled orders off the count: an order had its first fill."""
        for _, window in self._counts(account):
            window.used = max(0, _used(window, now_ns) - units)

    def orders(self, now_ns: int, account: str) -> dict[str, str]:
        """Return the headers that tell the orders counted."""
        return {f"x-mbx-order-count-{limit.letters}": str(_used(window, now_ns))
                for limit, window in self._counts(account)}

    def order_rows(self, now_ns: int, account: str) -> list[dict[str, object]]:
        """Return the rows of rateLimit/order."""
        return [limit.row() | {"count": _used(window, now_ns)}
                for limit, window in self._counts(account)]

    def weight_rows(self, now_ns: int, ip: str) -> list[dict[str, object]]:
        """Return the rows of weight that answers over WebSocket carry."""
        return [limit.row() | {"count": _used(window, now_ns)}
                for limit, window in self._usage(ip).windows if limit.kind == "REQUEST_WEIGHT"]

    def _counts(self, account: str) -> list[tuple[Limit, Window]]:
        counts = self._orders.get(account)
        if counts is None:
            counts = self._orders[account] = [(row, row.window()) for row in self._by_account]
        return counts


def _used(window: Window, now_ns: int) -> int:
    window.take(now_ns, 0)
    return window.used


def _retry(left_ns: int) -> dict[str, str]:
    return {"Retry-After": str(-(-left_ns // NS))}
