"""What a line's venue tells of its trading: the latest prints, and the figures of 24 hours.

The day is kept in minutes, so that a run of any length holds a bounded number of them.  A line
that begins to count in finer ticks or lots (a recording's may) starts its day anew.
"""

from collections import deque
from collections.abc import Callable
from functools import reduce
from typing import Final, NamedTuple

from engine.model.quanta import from_quanta, plain
from ops.sim.book import Touch
from ops.sim.face import BUY, SELL, Print
from ops.sim.floor import Floor
from ops.sim.listing import Line

DEALS_MAX: Final = 1000  # of a line, as many as any venue answers at once
MINUTE_NS: Final = 60_000_000_000
DAY_NS: Final = 24 * 60 * MINUTE_NS


class Deal(NamedTuple):
    """One print with its id and time; ``side`` is the taker's, in ticks and lots."""

    trade_id: int
    side: int
    price: int
    size: int
    unix_ns: int

    @property
    def taker_buys(self) -> bool:
        """Return whether the buyer took."""
        return self.side == BUY


class Figures(NamedTuple):
    """24 hours in ticks and lots; ``turnover`` is the sum of ticks times lots."""

    open: int
    high: int
    low: int
    last: int
    volume: int
    turnover: int
    trades: int
    first_id: int
    last_id: int
    begin_ns: int  # unix


class Day:
    """The trading of one line."""

    def __init__(self, line: Line, floor: Floor) -> None:
        """Begin with one trade at the touch: no venue's market opens on the day a client comes."""
        self._line = line
        self._steps = (line.price_decimals, line.size_decimals)
        self._deals: deque[Deal] = deque(maxlen=DEALS_MAX)
        self._minutes: deque[Figures] = deque()
        self._closed: Figures | None = None  # all minutes but the newest, None: to be summed up
        touch = line.book.touch()
        if touch.bid_size or touch.ask_size:
            trade_id = floor.exchange.number_trade(line.native)
            self.add(opening(touch)._replace(trade_id=trade_id), floor.now_ns())

    def add(self, each: Print, unix_ns: int) -> Deal:
        """Book a print."""
        self._forget(unix_ns)
        trade_id = each.trade_id
        deal = Deal(trade_id, each.side, each.price, each.size, unix_ns)
        self._deals.append(deal)
        begin_ns = unix_ns - unix_ns % MINUTE_NS
        price, turnover = each.price, each.price * each.size
        of_one = Figures(
            price, price, price, price, each.size, turnover, 1, trade_id, trade_id, begin_ns)
        if self._minutes and self._minutes[-1].begin_ns >= begin_ns:
            of_one = both(self._minutes.pop(), of_one)
        else:
            self._closed = None
        self._minutes.append(of_one)
        return deal

    def latest(self, count: int, wanted: Callable[[Deal], bool] = lambda _deal: True) -> list[Deal]:
        """Return the newest ``count`` deals that are wanted, oldest first."""
        self._forget(None)
        return [deal for deal in self._deals if wanted(deal)][-count:]

    def last(self) -> Deal | None:
        """Return the newest deal, None before the first."""
        self._forget(None)
        return self._deals[-1] if self._deals else None

    def figures(self, unix_ns: int) -> Figures:
        """Return the last 24 hours; where nothing was traded, the last price or the best bid."""
        self._forget(unix_ns)
        if not self._minutes:
            price = self._deals[-1].price if self._deals else self._line.book.touch().bid
            return Figures(price, price, price, price, 0, 0, 0, -1, -1, unix_ns - DAY_NS)
        total = self._minutes[-1]
        if len(self._minutes) > 1:
            if self._closed is None:
                self._closed = reduce(both, list(self._minutes)[:-1])
            total = both(self._closed, total)
        return total._replace(begin_ns=unix_ns - DAY_NS)

    def minutes(self, unix_ns: int) -> list[Figures]:
        """Return the last 24 hours minute by minute, oldest first; those without trades lack."""
        self._forget(unix_ns)
        return list(self._minutes)

    def turnover(self, figures: Figures) -> str:
        """Return what was traded, in quote units, as text without trailing zeros."""
        decimals = self._line.price_decimals + self._line.size_decimals
        return plain(from_quanta(figures.turnover, decimals))

    def _forget(self, unix_ns: int | None) -> None:
        """Drop what is older than a day, or was counted in coarser steps."""
        steps = (self._line.price_decimals, self._line.size_decimals)
        if steps != self._steps:
            self._steps = steps
            self._deals.clear()
            self._minutes.clear()
            self._closed = None
        while unix_ns and self._minutes and self._minutes[0].begin_ns <= unix_ns - DAY_NS:
            self._minutes.popleft()
            self._closed = None


def opening(touch: Touch) -> Print:
    """Return the trade that a market opens with: somebody took a little at the touch."""
    if touch.ask_size:
        return Print(BUY, touch.ask, max(1, touch.ask_size // 2))
    return Print(SELL, touch.bid, max(1, touch.bid_size // 2))


def average(figures: Figures) -> int:
    """Return the mean price by volume, in ticks; the last price where nothing was traded."""
    return figures.turnover // figures.volume if figures.volume else figures.last


def both(first: Figures, then: Figures) -> Figures:
    """Return the figures of two spans of time, one after the other."""
    return Figures(
        first.open, max(first.high, then.high), min(first.low, then.low), then.last,
        first.volume + then.volume, first.turnover + then.turnover, first.trades + then.trades,
        first.first_id, then.last_id, first.begin_ns)
