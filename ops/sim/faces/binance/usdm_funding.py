"""Mark prices and funding of USD-M: every eight hours longs pay shorts, or shorts longs.

The invented market says what a contract's mark, index and rate are; a recording has none, so its
mark is the middle of the book and its rate the interest alone.  The rate told is the running
estimate, and what it is at the funding time is charged (shared/venues/binance.md, Funding).
Settled at 00:00, 08:00 and 16:00 UTC; rates are whole ppm.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final, NamedTuple

from ops.sim.faces.binance.usdm_text import Numbers, shown
from ops.sim.floor import Floor

EVERY_S: Final = 28_800.0
INTEREST_PPM: Final = 100
SETTLED_MAX: Final = 1_000  # remembered per contract


class Settled(NamedTuple):
    """One funding that was charged."""

    native: str
    time_ms: int
    rate_ppm: int
    mark: int


class Told(NamedTuple):
    """What premiumIndex and the mark price streams tell of a contract."""

    mark_price: str
    index_price: str
    rate: str
    next_ms: int


class Fundings:
    """Knows the rates, and charges them when their time has come."""

    def __init__(self, floor: Floor, natives: Iterable[str]) -> None:
        self._floor = floor
        self.settled = {native: deque[Settled](maxlen=SETTLED_MAX) for native in natives}
        self.every_s = EVERY_S
        self._due_ms = self.next_ms()

    def every(self, seconds: float) -> None:
        """Charge every so many seconds from now on: for tests that cannot wait eight hours."""
        self.every_s = seconds
        self._due_ms = self.next_ms()

    def next_ms(self) -> int:
        """Return when funding is charged next, Unix ms."""
        every_ms = int(self.every_s * 1000)
        return (self._floor.now_ns() // 1_000_000 // every_ms + 1) * every_ms

    def rate_ppm(self, native: str) -> int:
        """Return the running estimate of the next rate."""
        told = self._floor.funding(native)
        return told.rate_ppm if told else INTEREST_PPM

    def tick(self) -> None:
        """Charge what is due; contracts without a position are only noted."""
        due_ms = self._due_ms
        if self._floor.now_ns() // 1_000_000 < due_ms:
            self._due_ms = min(due_ms, self.next_ms())  # the clock may have been set back
            return
        exchange = self._floor.exchange
        for native, settled in self.settled.items():
            rate_ppm = self.rate_ppm(native)
            settled.append(Settled(native, due_ms, rate_ppm, self._floor.mark(native)))
            if any(exchange.position(account, native).size
                   for account in exchange.accounts.by_name):
                self._floor.fund(native, rate_ppm)
        self._due_ms = self.next_ms()

    def told(self, native: str, numbers: Numbers) -> Told:
        """Return a contract's prices and rate of now."""
        mark, told = self._floor.mark(native), self._floor.funding(native)
        index = mark * told.index // told.mark if told else mark
        return Told(numbers.mark(mark), numbers.mark(index),
                    shown(self.rate_ppm(native), 6, 8), self.next_ms())
