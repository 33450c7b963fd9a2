"""Circuit breakers: closed, open after failures in a row, half-open with one probe at a time."""

from enum import StrEnum

import msgspec


class Breaker(StrEnum):
    """Where a breaker stands."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Circuit(msgspec.Struct):
    """One breaker.  ``moved`` methods return the new place, or None where nothing moved."""

    failures_max: int
    open_ns: int  # how long it stays open before a probe is let through
    place: Breaker = Breaker.CLOSED
    failures: int = 0
    opened_ns: int = 0
    probing: bool = False

    def failed(self, now_ns: int) -> Breaker | None:
        """Note a failure: a rejection, a doubt, a lost connection."""
        self.failures += 1
        self.probing = False
        if self.place is Breaker.OPEN:
            return None
        if self.place is Breaker.HALF_OPEN or self.failures >= self.failures_max:
            self.place, self.opened_ns = Breaker.OPEN, now_ns
            return self.place
        return None

    def succeeded(self) -> Breaker | None:
        """Note a success; a probe's success closes the breaker."""
        self.failures, self.probing = 0, False
        if self.place is not Breaker.HALF_OPEN:
            return None
        self.place = Breaker.CLOSED
        return self.place

    def close(self) -> Breaker | None:
        """Close it on an operator's word."""
        moved = self.place is not Breaker.CLOSED
        self.place, self.failures, self.probing = Breaker.CLOSED, 0, False
        return self.place if moved else None

    def turn(self, now_ns: int) -> Breaker | None:
        """Let time pass: an open breaker becomes half-open."""
        if self.place is Breaker.OPEN and now_ns - self.opened_ns >= self.open_ns:
            self.place = Breaker.HALF_OPEN
            return self.place
        return None

    def admits(self) -> Breaker:
        """Return the place as a gate sees it: half-open with its probe under way is open."""
        return Breaker.OPEN if self.place is Breaker.HALF_OPEN and self.probing else self.place

    def probe(self) -> None:
        """Note that the one probe is under way."""
        self.probing = self.place is Breaker.HALF_OPEN
