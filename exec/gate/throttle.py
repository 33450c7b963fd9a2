"""A token bucket per venue: orders leave a share of it to cancels; the venue's word overrides."""

import msgspec

SECOND_NS = 1_000_000_000
MILLION = 1_000_000


class Throttle(msgspec.Struct):
    """``rate_per_s`` requests, up to ``burst`` saved up; times are monotonic ns.

    Where the venue told of a smaller budget than ``burst``, that one is shared with cancels: the
    share is of what there really is, and of a full bucket at least one order may leave.
    """

    rate_per_s: int
    burst: int
    reserve_ppm: int  # of the bucket, for cancels alone
    saved: int = -1  # in millionths of a token; -1: full
    at_ns: int = 0
    barred_until_ns: int = 0  # the venue said so: Retry-After, a ban
    limit: int = 0  # the venue's own budget, as it told of it last; 0: it never did

    def left(self, now_ns: int) -> int:
        """Return how many orders may leave now."""
        whole = self._whole()
        reserve = min(whole * self.reserve_ppm // MILLION, whole - MILLION)
        saved = self._fill(now_ns)
        free = saved - reserve if reserve > 0 else saved
        return free // MILLION if free > 0 else 0

    def take(self, now_ns: int, count: int = 1) -> None:
        """Note requests that leave."""
        self.saved = max(0, self._fill(now_ns) - count * MILLION)

    def bar(self, until_ns: int) -> None:
        """Let nothing leave until then."""
        self.barred_until_ns = max(self.barred_until_ns, until_ns)

    def used(self, now_ns: int, used: int, limit: int) -> None:
        """Take the venue's own count: what it says is left is all there is."""
        self.limit = limit
        self._fill(now_ns)
        self.saved = min(self.saved, max(0, limit - used) * MILLION)

    def _whole(self) -> int:
        return (min(self.burst, self.limit) if self.limit else self.burst) * MILLION

    def _fill(self, now_ns: int) -> int:
        if self.saved < 0:
            self.saved, self.at_ns = self._whole(), now_ns
        gained = (now_ns - self.at_ns) * self.rate_per_s // (SECOND_NS // MILLION)
        if gained > 0:
            self.saved, self.at_ns = min(self._whole(), self.saved + gained), now_ns
        return 0 if now_ns < self.barred_until_ns else self.saved
