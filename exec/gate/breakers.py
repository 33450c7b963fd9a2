"""Circuit breakers: closed, open after failures in a row, half-open with exactly one probe.

A failure is of the venue or the way there: no answer, a 5xx, a ban, a refused key.  An order that
the venue refused for what it was (no funds, too small) shows that the venue answers: it counts
as no failure, and as a probe it closes the breaker.
"""

from enum import StrEnum
from typing import Final

import msgspec


class Breaker(StrEnum):
    """Where a breaker stands."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


_OPEN: Final = Breaker.OPEN
_HALF_OPEN: Final = Breaker.HALF_OPEN

class Circuit(msgspec.Struct):
    """One breaker.  Methods that note something return the new place, None if nothing moved.

    While it is half-open the probe's own fate alone moves it; 0 is the number of no order.
    """

    failures_max: int
    open_ns: int  # how long it stays open before a probe is let through
    place: Breaker = Breaker.CLOSED
    failures: int = 0
    opened_ns: int = 0
    probe: int = 0  # the order that is it

    def failed(self, now_ns: int, order: int = 0) -> Breaker | None:
        """Note that the venue, or the way there, failed an order."""
        if self.place is Breaker.HALF_OPEN and order != self.probe:
            return None
        self.failures += 1
        self.probe = 0
        if self.place is Breaker.OPEN:
            return None
        if self.place is Breaker.HALF_OPEN or self.failures >= self.failures_max:
            self.place, self.opened_ns = Breaker.OPEN, now_ns
            return self.place
        return None

    def succeeded(self, order: int = 0) -> Breaker | None:
        """Note that the venue did what it was asked for; of a probe it closes the breaker."""
        if self.place is not _HALF_OPEN:
            self.failures = 0
            return None
        return self._close() if order and order == self.probe else None

    def answered(self, order: int = 0) -> Breaker | None:
        """Note a refusal for what the order was: failures in a row stay as many as they were."""
        probed = self.place is Breaker.HALF_OPEN and bool(order) and order == self.probe
        return self._close() if probed else None

    def _close(self) -> Breaker:
        self.place, self.failures, self.probe = Breaker.CLOSED, 0, 0
        return self.place

    def close(self) -> Breaker | None:
        """Close it on an operator's word."""
        moved = self.place is not Breaker.CLOSED
        self._close()
        return self.place if moved else None

    def turn(self, now_ns: int) -> Breaker | None:
        """Let time pass: an open breaker becomes half-open."""
        if self.place is Breaker.OPEN and now_ns - self.opened_ns >= self.open_ns:
            self.place, self.probe = Breaker.HALF_OPEN, 0
            return self.place
        return None

    def admits(self) -> Breaker:
        """Return the place as a gate sees it: half-open with its probe under way is open."""
        return _OPEN if self.probe and self.place is _HALF_OPEN else self.place

    def begin(self, order: int) -> None:
        """Note an order that is about to leave: half-open, the first one is the probe."""
        if self.place is _HALF_OPEN and not self.probe:
            self.probe = order

    def unsent(self, order: int) -> None:
        """Note that not a byte of an order left: it was no probe."""
        if order == self.probe:
            self.probe = 0
