"""How often a venue lets us act, and how long to wait after a failure; nothing here sleeps."""

from random import Random

NS_PER_S = 1_000_000_000


class Budget:
    """A bucket of tokens that says how long to wait for the next one."""

    __slots__ = ("_burst_ns", "_interval_ns", "_next_mono_ns")

    def __init__(self, *, per_second: float, burst: int = 1) -> None:
        """Fill at ``per_second``, up to ``burst`` tokens; the bucket starts full."""
        assert per_second > 0
        assert burst >= 1
        self._interval_ns = round(NS_PER_S / per_second)
        self._burst_ns = (burst - 1) * self._interval_ns
        self._next_mono_ns = 0

    def take(self, now_mono_ns: int) -> int:
        """Take a token and return 0, or take nothing and return the ns until there is one."""
        at = max(self._next_mono_ns, now_mono_ns - self._burst_ns)
        if at > now_mono_ns:
            return at - now_mono_ns
        self._next_mono_ns = at + self._interval_ns
        return 0

    def hold(self, until_mono_ns: int) -> None:
        """Give out nothing before ``until_mono_ns``: the venue said so."""
        self._next_mono_ns = max(self._next_mono_ns, until_mono_ns)


class Backoff:
    """Exponential back-off with full jitter: any delay up to a bound that doubles."""

    __slots__ = ("_bound_ns", "_max_ns", "_min_ns", "_random")

    def __init__(self, random: Random, *, min_ns: int, max_ns: int) -> None:
        """Draw the first delay from 0 to ``min_ns``; the bound doubles up to ``max_ns``."""
        assert 0 < min_ns <= max_ns
        self._random, self._min_ns, self._max_ns = random, min_ns, max_ns
        self._bound_ns = min_ns

    def next_ns(self) -> int:
        """Return how long to wait before the next try."""
        delay_ns = self._random.randrange(self._bound_ns + 1)
        self._bound_ns = min(2 * self._bound_ns, self._max_ns)
        return delay_ns

    def reset(self) -> None:
        """Forget the failures: it works again."""
        self._bound_ns = self._min_ns
