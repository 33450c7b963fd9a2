"""Queries and surveys, begun as the venue's REST budget allows, each once at a time.

Every REST request spends its weight; a question begins only while there is credit, so that the
core's asking again and again cannot keep a slow venue barred for ever.  Requests are made, and
signed, when their question begins.
"""

from collections.abc import Callable
from typing import Final

from exec.gateways.pending import Group

WAITING_MAX: Final = 10_000  # questions; the core asks again for what is dropped
MILLION: Final = 1_000_000


class Questions:
    """What is to be asked, by what it is about."""

    def __init__(
        self, begin: Callable[[Group], None], *, per_s: float, burst: int, gap_ns: int = 0
    ) -> None:
        """``begin`` asks a group's questions; ``burst`` weights are saved up at most.

        The same question begins once in ``gap_ns``; sooner it waits.
        """
        self._begin, self._rate_ppm, self._burst = begin, int(per_s * MILLION), burst * MILLION
        self._credit, self._at_ns, self._gap_ns = self._burst, 0, gap_ns
        self._begun_ns: dict[str, int] = {}  # of those younger than the gap
        self._waiting: dict[str, Group] = {}
        self._begun: dict[str, Group] = {}

    def ask(self, group: Group) -> None:
        """Let a question be asked, unless the same one waits or is being answered."""
        key = group.client_id or group.purpose
        begun = self._begun.get(key)
        if key in self._waiting or (begun is not None and begun.waiting):
            return
        if len(self._waiting) < WAITING_MAX:
            self._waiting[key] = group

    def spend(self, weight: int) -> None:
        """Note a REST request that leaves; credit may go below nothing."""
        self._credit -= weight * MILLION

    def turn(self, now_ns: int, *, barred: bool) -> None:
        """Begin what there is credit for."""
        gained = (now_ns - self._at_ns) * self._rate_ppm // 1_000_000_000
        if gained > 0:
            self._credit, self._at_ns = min(self._burst, self._credit + gained), now_ns
        for key in [each for each, group in self._begun.items() if not group.waiting]:
            del self._begun[key]
        for key in [each for each, at in self._begun_ns.items() if now_ns - at >= self._gap_ns]:
            del self._begun_ns[key]
        for key in [each for each in self._waiting if each not in self._begun_ns]:
            if self._credit <= 0 or barred:
                return
            group = self._begun[key] = self._waiting.pop(key)
            if self._gap_ns:
                self._begun_ns[key] = now_ns
            self._begin(group)
