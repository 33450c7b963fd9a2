"""Public streams of USD-M that leave on a clock: mark prices and tickers; and who streams where.

Source: developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams,
read 2026-11-21.  Nobody is liquidated, so ``forceOrder`` streams are silent.
"""

from collections.abc import Callable, Mapping
from typing import Final

import orjson

from ops.sim.exchange.filters import Filters
from ops.sim.face import Outlet, Topic
from ops.sim.faces.binance.usdm_depth import SPEEDS_MS
from ops.sim.faces.binance.usdm_depth import STREAMS as DEPTHS
from ops.sim.faces.binance.usdm_funding import Fundings
from ops.sim.faces.binance.usdm_klines import STREAMS as KLINES
from ops.sim.faces.binance.usdm_market import DELIVERY_MS, ONBOARD_MS, Market, changes, status_of
from ops.sim.faces.binance.usdm_text import Rows
from ops.sim.floor import Floor
from ops.sim.listing import Line

MARK_EVERY_S: Final = 3
PUBLIC: Final = {"bookTicker": "bookTicker", "trade": "trade", **DEPTHS}
MARKET: Final = {
    "aggTrade", "forceOrder", "markPrice", "markPrice@1s", "ticker", "miniTicker", *KLINES}
ALL_PUBLIC: Final = {"!bookTicker"}
ALL_MARKET: Final = {
    "!markPrice@arr", "!markPrice@arr@1s", "!ticker@arr", "!miniTicker@arr", "!contractInfo",
    "!forceOrder@arr"}


def topic_of(name: str, path: str, lines: Mapping[str, Line]) -> Topic | None:
    """Return the topic of a stream name at a path; None for one that stays silent.

    The old root delivers what /public does, and prints (binance.md, Endpoints).
    """
    market, split = path.startswith("/market"), path.startswith(("/public", "/market"))
    if name in ALL_PUBLIC | ALL_MARKET:
        return (name, "") if split and market == (name in ALL_MARKET) else None
    symbol, _, stream = name.partition("@")
    line = lines.get(symbol.upper()) if symbol == symbol.lower() else None
    if line is None:
        return None
    if stream in MARKET:
        wanted = market if split else stream == "aggTrade"
        return (stream, line.native) if wanted else None
    kind = None if market else PUBLIC.get(stream)
    if kind is None:
        return None
    if line.recorded and kind in SPEEDS_MS:  # a recording has one speed
        kind = "depth"
    return kind, line.native


class Streams:
    """Writes and publishes them."""

    def __init__(
        self, floor: Floor, outlet: Outlet, lines: dict[str, Line], market: Market,
        funding: Fundings, rows: Rows,
    ) -> None:
        self._floor, self._outlet, self._lines = floor, outlet, lines
        self._market, self._funding, self._rows = market, funding, rows

    def _now_ms(self) -> int:
        return self._floor.now_ns() // 1_000_000

    def second(self, number: int) -> None:
        """Publish what is due at this second."""
        self._publish("markPrice@1s", "!markPrice@arr@1s", self._mark)
        if number % MARK_EVERY_S == 0:
            self._publish("markPrice", "!markPrice@arr", self._mark)
        self._publish("ticker", "!ticker@arr", self._ticker)
        self._publish("miniTicker", "!miniTicker@arr", self._mini)

    def _publish(
        self, kind: str, everything: str, event: Callable[[Line], dict[str, object]]
    ) -> None:
        for line in self._lines.values():
            if self._outlet.wanted((kind, line.native)):
                self._outlet.publish((kind, line.native), orjson.dumps(event(line)))
        if self._outlet.wanted((everything, "")):
            events = [event(line) for line in self._lines.values()]
            self._outlet.publish((everything, ""), orjson.dumps(events))

    def _mark(self, line: Line) -> dict[str, object]:
        told = self._funding.told(line.native, self._rows.numbers[line.native])
        return {
            "e": "markPriceUpdate", "E": self._now_ms(), "s": line.native, "p": told.mark_price,
            "i": told.index_price, "P": told.index_price, "r": told.rate, "T": told.next_ms,
        }

    def _ticker(self, line: Line) -> dict[str, object]:
        span, now_ms = self._market.day(line), self._now_ms()
        change, percent, average = changes(line, span)
        return self._mini(line) | {
            "e": "24hrTicker", "p": change, "P": percent, "w": average,
            "Q": line.size(span.last_size), "O": now_ms - 86_400_000, "C": now_ms,
            "F": span.first_id, "L": span.last_id, "n": span.count,
        }

    def _mini(self, line: Line) -> dict[str, object]:
        span = self._market.day(line)
        return {
            "e": "24hrMiniTicker", "E": self._now_ms(), "s": line.native,
            "c": line.price(span.last), "o": line.price(span.open), "h": line.price(span.high),
            "l": line.price(span.low), "v": line.size(span.volume),
            "q": self._market.value(line, span.value),
        }

    def relisted(self, line: Line, filters: Filters) -> None:
        """Tell of a contract's new status."""
        if self._outlet.wanted(("!contractInfo", "")):
            self._outlet.publish(("!contractInfo", ""), orjson.dumps({
                "e": "contractInfo", "E": self._now_ms(), "s": line.native, "ps": line.native,
                "ct": "PERPETUAL", "dt": DELIVERY_MS, "ot": ONBOARD_MS,
                "cs": status_of(filters)}))
