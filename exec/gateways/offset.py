"""How far the venue's clock is from ours, as an interval that samples narrow down.

A sample says that the venue's clock showed a time, known to a resolution, at some instant between
our question and its answer.  Samples are intersected; what they allow widens again with drift.
"""

from typing import Final

DRIFT_PPM: Final = 500  # of two clocks against one another, generously
SECOND_NS: Final = 1_000_000_000


class Offset:
    """The venue's clock minus ours, in ns: somewhere from ``low_ns`` to ``high_ns``."""

    def __init__(self) -> None:
        self.low_ns = self.high_ns = 0
        self.samples = 0
        self._at_ns = 0

    def add(self, venue_unix_ns: int, resolution_ns: int, asked_ns: int, came_ns: int) -> None:
        """Take a sample: our wall clock when we asked and when the answer came.

        One that contradicts all before it shows a clock that was set: it counts alone.
        """
        low = venue_unix_ns - came_ns
        high = venue_unix_ns + resolution_ns - asked_ns
        if low > high:
            return  # our clock was set back between question and answer
        drift = abs(came_ns - self._at_ns) * DRIFT_PPM // 1_000_000
        if self.samples and low <= self.high_ns + drift and high >= self.low_ns - drift:
            low, high = max(low, self.low_ns - drift), min(high, self.high_ns + drift)
        self.low_ns, self.high_ns, self._at_ns = low, high, came_ns
        self.samples += 1

    def beyond(self, bound_ns: int) -> int:
        """Return the least offset that samples allow if that is beyond the bound, else 0."""
        if self.low_ns > bound_ns:
            return self.low_ns
        return self.high_ns if self.high_ns < -bound_ns else 0
