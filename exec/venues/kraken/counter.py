"""The counter of private REST calls, kept as Kraken keeps it, so that questions wait in time.

Calls about orders do not count.  Source: shared/venues/kraken.md (Rate limits), 2026-11-21; the
tier is the account's: Starter 15 and 0.33, Intermediate 20 and 0.5, Pro 20 and 1.
"""

from typing import NamedTuple

SECOND_NS = 1_000_000_000


class Tier(NamedTuple):
    """What the counter may reach, and what it loses each second."""

    calls_max: float = 20.0
    per_s: float = 0.5


class Counter:
    """One key's counter; times are Unix ns, one that goes back gains nothing."""

    def __init__(self, tier: Tier) -> None:
        self._tier, self._level, self._at_ns = tier, 0.0, 0

    def room(self, now_unix_ns: int) -> float:
        """Return how much may be asked now."""
        elapsed_ns = max(0, now_unix_ns - self._at_ns)
        self._level = max(0.0, self._level - elapsed_ns / SECOND_NS * self._tier.per_s)
        self._at_ns = now_unix_ns
        return self._tier.calls_max - self._level

    def spend(self, cost: int, now_unix_ns: int) -> None:
        """Count a call that is about to leave."""
        self.room(now_unix_ns)
        self._level += cost

    def fill(self, now_unix_ns: int) -> None:
        """Believe the venue that nothing may be asked."""
        self._level += max(0.0, self.room(now_unix_ns))
