"""Rate limits as venues count them: fixed windows, sliding ones, and counters that decay."""

from collections import deque


class Window:
    """At most ``limit`` units in each aligned window, as Binance counts weight and orders."""

    def __init__(self, limit: int, window_s: float) -> None:
        self.limit, self.window_ns = limit, int(window_s * 1e9)
        self.used, self._number = 0, -1

    def take(self, now_ns: int, units: int = 1) -> bool:
        """Count ``units``, refused ones too; return whether the limit still holds."""
        number = now_ns // self.window_ns
        if number != self._number:
            self._number, self.used = number, 0
        self.used += units
        return self.used <= self.limit

    def left_ns(self, now_ns: int) -> int:
        """Return how long the present window still lasts."""
        return self.window_ns - now_ns % self.window_ns


class Sliding:
    """At most ``limit`` requests within any ``window_s``, as OKX counts per user and endpoint."""

    def __init__(self, limit: int, window_s: float) -> None:
        self.limit, self.window_ns = limit, int(window_s * 1e9)
        self._taken_ns: deque[int] = deque(maxlen=limit)

    def take(self, now_ns: int) -> bool:
        """Count one request, unless it is refused; return whether it was within the limit."""
        taken = self._taken_ns
        if len(taken) == self.limit and now_ns - taken[0] < self.window_ns:
            return False
        taken.append(now_ns)
        return True


class Decaying:
    """A counter that falls by ``per_s`` and may not pass ``limit``, as Kraken's."""

    def __init__(self, limit: float, per_s: float) -> None:
        self.limit, self.per_s = limit, per_s
        self.value, self._at_ns = 0.0, 0

    def take(self, now_ns: int, units: float = 1.0) -> bool:
        """Add ``units``, unless that would pass the limit; return whether it did not."""
        if self.level(now_ns) + units > self.limit:
            return False
        self.value += units
        return True

    def charge(self, now_ns: int, units: float) -> None:
        """Add ``units`` for what is never refused, up to the limit."""
        self.value = min(self.limit, self.level(now_ns) + units)

    def level(self, now_ns: int) -> float:
        """Return what is left of the counter now."""
        elapsed_s = max(0, now_ns - self._at_ns) / 1e9
        self.value, self._at_ns = max(0.0, self.value - elapsed_s * self.per_s), now_ns
        return self.value
