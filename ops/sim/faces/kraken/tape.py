"""What a line's tape tells: the day with its prints, and the latest quotes."""

from collections import deque
from typing import Final, NamedTuple

from ops.sim.day import Day, Deal, average
from ops.sim.face import Print
from ops.sim.faces.kraken.instruments import long_price
from ops.sim.floor import Floor
from ops.sim.listing import Line

SPREADS_MAX: Final = 200


class Spread(NamedTuple):
    """A quote and when it became one, in the line's own quanta."""

    at_ns: int
    bid: int
    ask: int


class Summary(NamedTuple):
    """The day's figures as REST and v1 print them; today and 24 hours are told alike."""

    last: list[str]  # price and size of the last trade
    volume: list[str]
    average: list[str]
    trades: list[int]
    low: list[str]
    high: list[str]
    open: str


class Tape:
    """One line's tape."""

    def __init__(self, line: Line, floor: Floor) -> None:
        self._line, self._floor = line, floor
        self.day = Day(line, floor)
        self.spreads: deque[Spread] = deque(maxlen=SPREADS_MAX)

    def traded(self, each: Print) -> Deal:
        """Take in a print."""
        return self.day.add(each, self._floor.now_ns())

    def quoted(self, bid: int, ask: int) -> None:
        """Take in a new best bid or ask."""
        self.spreads.append(Spread(self._floor.now_ns(), bid, ask))

    def summary(self) -> Summary:
        """Return the day in text."""
        line, deal = self._line, self.day.last()
        figures = self.day.figures(self._floor.now_ns())

        def price(ticks: int) -> str:
            return long_price(line, ticks)

        return Summary(
            [price(figures.last), line.size(deal.size if deal else 0)],
            [line.size(figures.volume)] * 2, [price(average(figures))] * 2, [figures.trades] * 2,
            [price(figures.low)] * 2, [price(figures.high)] * 2, price(figures.open))
