"""Two lanes, one signal: tells the first copy from the second, and knows what never came.

Sequence numbers count up by one within a run.  A window of the newest ``WINDOW`` numbers is
remembered; a number that leaves it unseen is lost, one that comes from before it can no longer
be told from a repetition and is not acted on.
"""

from enum import Enum
from typing import Final

WINDOW: Final = 1_024  # a power of two: as many as the signals ring holds


class Sight(Enum):
    """What a sequence number is to us."""

    NEW = "new"
    DUPLICATE = "duplicate"
    FORGOTTEN = "forgotten"


class Once:
    """Say NEW exactly once for each number after ``start``."""

    def __init__(self, start: int) -> None:
        """Begin after ``start``: numbers up to it are somebody else's, dealt with or lost."""
        self._start = self.newest = start
        self._seen = bytearray(WINDOW)  # number n at n % WINDOW, for the newest WINDOW numbers
        self._new = 0

    def see(self, sequence: int) -> Sight:
        """Note a sequence number and say what it is."""
        if sequence <= max(self.newest - WINDOW, self._start):
            return Sight.FORGOTTEN
        if sequence >= self.newest + WINDOW:
            self._seen = bytearray(WINDOW)
        else:
            for number in range(self.newest + 1, sequence + 1):
                self._seen[number % WINDOW] = 0
        self.newest = max(self.newest, sequence)
        if self._seen[sequence % WINDOW]:
            return Sight.DUPLICATE
        self._seen[sequence % WINDOW] = 1
        self._new += 1
        return Sight.NEW

    @property
    def missing(self) -> int:
        """Return how many numbers of the window have not come yet."""
        return min(self.newest - self._start, WINDOW) - self._seen.count(1)

    @property
    def lost(self) -> int:
        """Return how many numbers left the window unseen."""
        left = max(self.newest - WINDOW - self._start, 0)
        return left - (self._new - self._seen.count(1))
