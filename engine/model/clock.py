"""The only module that reads time in Python: ``mono_ns`` measures, ``unix_ns`` stamps."""

import time
from typing import Protocol


class Clock(Protocol):
    """Two readings of time; injected wherever time matters, so that tests own it."""

    def mono_ns(self) -> int:
        """Return CLOCK_MONOTONIC in ns: for ages, deadlines and durations."""
        ...

    def unix_ns(self) -> int:
        """Return CLOCK_REALTIME in ns: for what leaves the box and for records."""
        ...


class SystemClock:
    """The machine's own clocks."""

    mono_ns = staticmethod(time.monotonic_ns)
    unix_ns = staticmethod(time.time_ns)


class ManualClock:
    """A clock that moves only when told to: for tests and replay."""

    def __init__(self, *, mono_ns: int = 0, unix_ns: int = 0) -> None:
        self._mono_ns, self._unix_ns = mono_ns, unix_ns

    def mono_ns(self) -> int:
        """Return the set monotonic time."""
        return self._mono_ns

    def unix_ns(self) -> int:
        """Return the set wall time."""
        return self._unix_ns

    def set(self, *, mono_ns: int, unix_ns: int) -> None:
        """Move both clocks to the given times."""
        self._mono_ns, self._unix_ns = mono_ns, unix_ns

    def advance(self, ns: int) -> None:
        """Move both clocks forward."""
        self._mono_ns += ns
        self._unix_ns += ns
