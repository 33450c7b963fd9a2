"""A token bucket per venue: orders leave a share of it to cancels; the venue's word overrides."""

import msgspec

SECOND_NS = 1_000_000_000


class Throttle(msgspec.Struct):
    """``rate_per_s`` requests, up to ``burst`` saved up; times are monotonic ns."""

    rate_per_s: int
    burst: int
    reserve_ppm: int  # of the burst, for cancels alone
    saved: int = -1  # in millionths of a token; -1: full
    at_ns: int = 0
    barred_until_ns: int = 0  # the venue said so: Retry-After, a ban

    def left(self, now_ns: int) -> int:
        """Return how many orders may leave now."""
        reserve = self.burst * self.reserve_ppm
        return max(0, self._fill(now_ns) - reserve) // 1_000_000

    def take(self, now_ns: int, count: int = 1) -> None:
        """Note requests that leave."""
        self.saved = max(0, self._fill(now_ns) - count * 1_000_000)

    def bar(self, until_ns: int) -> None:
        """Let nothing leave until then."""
        self.barred_until_ns = max(self.barred_until_ns, until_ns)

    def used(self, now_ns: int, used: int, limit: int) -> None:
        """Take the venue's own count: what it says is left is all there is."""
        self._fill(now_ns)
        self.saved = min(self.saved, max(0, limit - used) * 1_000_000)

    def _fill(self, now_ns: int) -> int:
        whole = self.burst * 1_000_000
        if self.saved < 0:
            self.saved, self.at_ns = whole, now_ns
        gained = (now_ns - self.at_ns) * self.rate_per_s // (SECOND_NS // 1_000_000)
        if gained > 0:
            self.saved = min(whole, self.saved + gained)
            self.at_ns = now_ns
        return 0 if now_ns < self.barred_until_ns else self.saved
