"""Binance spot's 24-hour figures, asked for and streamed once a second.

Source: shared/venues/binance.md, 2026-11-21 (Trades, ticker); the names of the fields from ccxt
4.5.90 (pro/binance.py, parse_ws_ticker; binance.py, parse_ticker).
"""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from ops.sim.day import DAY_NS, Day, average
from ops.sim.face import Outlet
from ops.sim.faces.binance.numbers import fixed
from ops.sim.floor import Floor
from ops.sim.listing import Line

MS: Final = 1_000_000
TICKER: Final = "ticker"
MINI: Final = "miniTicker"
MINI_ALL: Final = "!miniTicker@arr"
_NAMES: Final = {
    "priceChange": "p", "priceChangePercent": "P", "weightedAvgPrice": "w",
    "prevClosePrice": "x", "lastPrice": "c", "lastQty": "Q", "bidPrice": "b", "bidQty": "B",
    "askPrice": "a", "askQty": "A", "openPrice": "o", "highPrice": "h", "lowPrice": "l",
    "volume": "v", "quoteVolume": "q", "openTime": "O", "closeTime": "C", "firstId": "F",
    "lastId": "L", "count": "n",
}


_NOT_MINI: Final = frozenset({
    "priceChange", "priceChangePercent", "weightedAvgPrice", "prevClosePrice", "lastQty",
    "bidPrice", "bidQty", "askPrice", "askQty"})


class Tickers:
    """Tells the days of all symbols."""

    def __init__(
        self, floor: Floor, lines: Mapping[str, Line], days: Mapping[str, Day], outlet: Outlet,
    ) -> None:
        self._floor, self._lines, self._days, self._outlet = floor, lines, days, outlet

    def row(self, line: Line, *, mini: bool = False) -> dict[str, Any]:
        """Return a symbol's row of ``ticker/24hr``, of type FULL or MINI."""
        event = self._event(line)
        return {"symbol": line.native} | {
            name: event[short] for name, short in _NAMES.items()
            if not (mini and name in _NOT_MINI)}

    def send(self) -> None:
        """Publish the tickers of every symbol that is listened to."""
        for native, line in self._lines.items():
            if self._outlet.wanted((TICKER, native)):
                self._outlet.publish((TICKER, native), orjson.dumps(self._event(line)))
            if self._outlet.wanted((MINI, native)):
                self._outlet.publish((MINI, native), orjson.dumps(self._mini(line)))
        if self._outlet.wanted((MINI_ALL, "")):
            rows = [self._mini(line) for line in self._lines.values()]
            self._outlet.publish((MINI_ALL, ""), orjson.dumps(rows))

    def _mini(self, line: Line) -> dict[str, Any]:
        event = self._event(line)
        return {"e": "24hrMiniTicker"} | {name: event[name] for name in "Escohlvq"}

    def _event(self, line: Line) -> dict[str, Any]:
        now_ns, day, touch = self._floor.now_ns(), self._days[line.native], line.book.touch()
        of_day, deal = day.figures(now_ns), day.last()
        change = of_day.last - of_day.open
        percent = 100 * change / of_day.open if of_day.open else 0.0
        return {
            "e": "24hrTicker", "E": now_ns // MS, "s": line.native, "p": line.price(change),
            "P": f"{percent:.3f}", "w": line.price(average(of_day)), "x": line.price(of_day.open),
            "c": line.price(of_day.last), "Q": line.size(deal.size if deal else 0),
            "b": line.price(touch.bid), "B": line.size(touch.bid_size),
            "a": line.price(touch.ask), "A": line.size(touch.ask_size),
            "o": line.price(of_day.open), "h": line.price(of_day.high),
            "l": line.price(of_day.low), "v": line.size(of_day.volume),
            "q": fixed(of_day.turnover, line.price_decimals + line.size_decimals),
            "O": (now_ns - DAY_NS) // MS, "C": now_ns // MS,
            "F": of_day.first_id, "L": of_day.last_id, "n": of_day.trades,
        }
