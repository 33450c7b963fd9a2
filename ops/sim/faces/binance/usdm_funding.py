"""Mark prices and funding of USD-M: every eight hours longs pay shorts, or shorts longs.

Mark, index and rate are the invented market's, and the rate that is told all along is the one
that will be charged (shared/venues/binance.md, Funding).  On a recording the mark price is the
middle of the book, and the rate is drawn from the contract and the funding time, around the usual
0.01 %, so that a run with the same clock pays the same.
Settled at 00:00, 08:00 and 16:00 UTC.
"""

from collections import deque
from collections.abc import Iterable
from random import Random
from typing import Final, NamedTuple

from ops.sim.faces.binance.usdm_text import Numbers, shown
from ops.sim.floor import Floor

EVERY_S: Final = 28_800.0
USUAL_PPM: Final = 100
SPREAD_PPM: Final = 60.0
CAP_PPM: Final = 3_000
SETTLED_MAX: Final = 1_000  # remembered per contract


class Settled(NamedTuple):
    """One funding that was charged."""

    native: str
    time_ms: int
    rate_ppm: int
    mark: int


class Funding:
    """Knows the rates, and charges them when their time has come."""

    def __init__(self, floor: Floor, natives: Iterable[str]) -> None:
        self._floor = floor
        self.settled = {native: deque[Settled](maxlen=SETTLED_MAX) for native in natives}
        self.every_s = EVERY_S
        self._every_ms = int(EVERY_S * 1000)
        self._due_ms = self.next_ms()

    def every(self, seconds: float) -> None:
        """Charge every so many seconds from now on: for tests that cannot wait eight hours."""
        self.every_s, self._every_ms = seconds, int(seconds * 1000)
        self._due_ms = self.next_ms()

    def next_ms(self) -> int:
        """Return when funding is charged next, Unix ms."""
        now_ms = self._floor.now_ns() // 1_000_000
        return (now_ms // self._every_ms + 1) * self._every_ms

    def rate_ppm(self, native: str, at_ms: int | None = None) -> int:
        """Return the rate of a funding time, by default of the next one."""
        if told := self._floor.funding(native):
            return max(-CAP_PPM, min(CAP_PPM, told.rate_ppm))
        number = (self.next_ms() if at_ms is None else at_ms) // self._every_ms
        drawn = Random(f"{native}:{number}").gauss(USUAL_PPM, SPREAD_PPM)  # noqa: S311
        return max(-CAP_PPM, min(CAP_PPM, round(drawn)))

    def mark(self, native: str) -> int:
        """Return the mark price in the contract's price quanta, 0 while there is none."""
        return self._floor.mark(native)

    def tick(self) -> None:
        """Charge what is due; contracts without a position are only noted."""
        now_ms, due_ms = self._floor.now_ns() // 1_000_000, self._due_ms
        if now_ms < due_ms:
            if due_ms - now_ms > self._every_ms:  # the clock was set back
                self._due_ms = self.next_ms()
            return
        exchange = self._floor.exchange
        for native, settled in self.settled.items():
            rate_ppm = self.rate_ppm(native, due_ms)
            settled.append(Settled(native, due_ms, rate_ppm, self.mark(native)))
            if any(exchange.position(account, native).size
                   for account in exchange.accounts.by_name):
                self._floor.fund(native, rate_ppm)
        self._due_ms = self.next_ms()

    def row(self, native: str, numbers: Numbers) -> dict[str, object]:
        """Return what premiumIndex and the mark price stream tell of a contract."""
        mark, told = self.mark(native), self._floor.funding(native)
        return {
            "mark": numbers.mark(mark), "index": numbers.mark(told.index if told else mark),
            "rate": shown(self.rate_ppm(native), 6, 8), "next": self.next_ms(),
        }

