"""Binance spot's 24-hour figures, asked for and streamed once a second.

Source: shared/venues/binance.md, 2026-11-21 (Trades, ticker); the names of the fields from ccxt
4.5.90 (pro/binance.py, parse_ws_ticker; binance.py, parse_ticker).
"""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from ops.sim.day import DAY_NS, Day, average
from ops.sim.face import Outlet
from ops.sim.floor import Floor
from ops.sim.listing import Line

MS: Final = 1_000_000
TICKER: Final = "ticker"
MINI: Final = "miniTicker"
_NAMES: Final = {
    "priceChange": "p", "priceChangePercent": "P", "weightedAvgPrice": "w",
    "prevClosePrice": "x", "lastPrice": "c", "lastQty": "Q", "bidPrice": "b", "bidQty": "B",
    "askPrice": "a", "askQty": "A", "openPrice": "o", "highPrice": "h", "lowPrice": "l",
    "volume": "v", "quoteVolume": "q", "openTime": "O", "closeTime": "C", "firstId": "F",
    "lastId": "L", "count": "n",
}


class Tickers:
    """Tells the days of all symbols."""

    def __init__(
        self, floor: Floor, lines: Mapping[str, Line], days: Mapping[str, Day], outlet: Outlet,
    ) -> None:
        self._floor, self._lines, self._days, self._outlet = floor, lines, days, outlet

    def row(self, line: Line) -> dict[str, Any]:
        """Return a symbol's row of ``ticker/24hr``."""
        event = self._event(line)
        return {"symbol": line.native} | {name: event[short] for name, short in _NAMES.items()}

    def send(self) -> None:
        """Publish the tickers of every symbol that is listened to."""
        for native, line in self._lines.items():
            for channel in (TICKER, MINI):
                if not self._outlet.wanted((channel, native)):
                    continue
                event = self._event(line)
                if channel == MINI:
                    short = {name: event[name] for name in "Escohlvq"}
                    event = {"e": "24hrMiniTicker"} | short
                self._outlet.publish((channel, native), orjson.dumps(event))

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
            "q": day.turnover(of_day), "O": (now_ns - DAY_NS) // MS, "C": now_ns // MS,
            "F": of_day.first_id, "L": of_day.last_id, "n": of_day.trades,
        }
