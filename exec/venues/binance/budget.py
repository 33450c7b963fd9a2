"""How much the venue says is used: headers over REST, rows over the WebSocket API.

Source: shared/venues/binance.md (Rate limits), 2026-11-21: X-MBX-USED-WEIGHT-1M per IP,
X-MBX-ORDER-COUNT-10S per account; ``rateLimits`` [{rateLimitType, interval, intervalNum, ...}].
"""

from collections.abc import Mapping, Sequence
from typing import Final

from exec.core.ports import Budget
from exec.venues.binance.numbers import whole
from exec.venues.binance.rows import Rate

_HEADERS: Final = {"REQUEST_WEIGHT": "x-mbx-used-weight-", "ORDERS": "x-mbx-order-count-"}
_LETTERS: Final = {"SECOND": "s", "MINUTE": "m", "HOUR": "h", "DAY": "d"}


class Budgets:
    """Keeps the limits; they stand in the rows alone."""

    def __init__(self, venue: str, limits: Mapping[str, int]) -> None:
        """``limits`` by header, as the venue's page gives them until a row says otherwise."""
        self._venue, self._limits = venue, dict(limits)

    def of_headers(self, headers: Mapping[str, str]) -> list[Budget]:
        """Return the tightest limit that an answer's headers tell of."""
        told = []
        for name, limit in self._limits.items():
            used = whole(headers.get(name, ""))
            if used is not None:
                told.append((used, limit))
        return self._tightest(told)

    def of_rates(self, rates: Sequence[Rate]) -> list[Budget]:
        """Return the tightest limit that an answer's rows tell of."""
        for rate in rates:
            header, letter = _HEADERS.get(rate.kind), _LETTERS.get(rate.interval)
            if header and letter:
                self._limits[f"{header}{rate.number}{letter}"] = rate.limit
        return self._tightest([(rate.count, rate.limit) for rate in rates])

    def barred(self, barred_ns: int) -> list[Budget]:
        """Return that nothing may be sent for so long."""
        return [Budget(self._venue, 0, 0, barred_ns)] if barred_ns else []

    def _tightest(self, told: Sequence[tuple[int, int]]) -> list[Budget]:
        if not told:
            return []
        used, limit = min(told, key=lambda each: each[1] - each[0])
        return [Budget(self._venue, used, limit, 0)]
