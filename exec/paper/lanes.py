"""Time on the way: what is sent arrives later, in order on each lane, and not before it is asked.

A lane is one connection: what leaves first arrives first, whatever the jitter.  Nothing happens by
itself: ``take`` hands out what is due, one by one.
"""

import heapq
from collections.abc import Callable
from enum import IntEnum
from random import Random
from typing import Final

import msgspec

WAITING_MAX: Final = 200_000  # on the way at once; more means that nobody turns


class Lane(IntEnum):
    """The connections of one account."""

    ORDERS = 0  # places and cancels, to the venue
    QUESTIONS = 1  # queries and surveys, to the venue
    ANSWERS = 2  # accepted, refused: back
    STREAM = 3  # fills and ends: back
    WORD = 4  # what was asked for: back


class Latency(msgspec.Struct, frozen=True):
    """How long what takes, one way, in ns; each drawn evenly from ``jitter_ns`` around its mean."""

    order_ns: int
    ack_ns: int
    cancel_ns: int
    jitter_ns: int = 0

    @classmethod
    def even(cls, mean_ns: int, jitter_ns: int) -> "Latency":
        """Return the same for everything."""
        return cls(mean_ns, mean_ns, mean_ns, jitter_ns)


class Lanes:
    """What is on its way."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._waiting: list[tuple[int, int, Callable[[], None]]] = []
        self._serial = 0
        self._last_ns = dict.fromkeys(Lane, 0)

    def __len__(self) -> int:
        """Return how much is on its way."""
        return len(self._waiting)

    @property
    def next_ns(self) -> int | None:
        """Return when the next arrives, monotonic."""
        return self._waiting[0][0] if self._waiting else None

    def delay(self, mean_ns: int, jitter_ns: int) -> int:
        """Draw one delay."""
        drawn = self._random.randint(-jitter_ns, jitter_ns) if jitter_ns else 0
        return max(0, mean_ns + drawn)

    def send(self, lane: Lane, at_ns: int, action: Callable[[], None]) -> None:
        """Let something arrive at a time, behind what left before it.

        Raises OverflowError where more is on its way than WAITING_MAX.
        """
        if len(self._waiting) >= WAITING_MAX:
            raise OverflowError(f"{WAITING_MAX} messages are on their way")
        due_ns = self._last_ns[lane] = max(at_ns, self._last_ns[lane])
        self._serial += 1
        heapq.heappush(self._waiting, (due_ns, self._serial, action))

    def take(self, now_ns: int) -> Callable[[], None] | None:
        """Return what arrives next, if it is due."""
        if self._waiting and self._waiting[0][0] <= now_ns:
            return heapq.heappop(self._waiting)[2]
        return None
