"""Public streams of USD-M that leave on a clock: mark prices, tickers, partial books.

Source: developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams,
read 2026-11-21.  Nobody is liquidated, so ``forceOrder`` streams are silent.
"""

from collections.abc import Callable, Iterable
from typing import Final

import orjson

from ops.sim.book import ASK, BID
from ops.sim.exchange.filters import Filters
from ops.sim.face import Outlet, Topic
from ops.sim.faces.binance.usdm_funding import Funding
from ops.sim.faces.binance.usdm_market import DELIVERY_MS, ONBOARD_MS, Market, changes, status_of
from ops.sim.faces.binance.usdm_text import Rows
from ops.sim.floor import Floor
from ops.sim.listing import Line

MARK_EVERY_S: Final = 3
PARTIAL: Final = {"depth5": 5, "depth10": 10, "depth20": 20}
PUBLIC: Final = {"depth", "bookTicker", "trade", *PARTIAL}
TIMED: Final = {"markPrice", "markPrice@1s", "ticker", "miniTicker"}
MARKET: Final = {"aggTrade", "forceOrder", *TIMED}
ALL_PUBLIC: Final = {"!bookTicker"}
ALL_MARKET: Final = {
    "!markPrice@arr", "!markPrice@arr@1s", "!ticker@arr", "!miniTicker@arr", "!contractInfo",
    "!forceOrder@arr"}
SPEEDS: Final = {"", "100ms", "250ms", "500ms"}


def topic_of(name: str, path: str, natives: Iterable[str]) -> Topic | None:
    """Return the topic of a stream name at a path; None for one that stays silent.

    The old root delivers what /public does, and prints (binance.md, Endpoints).
    """
    market, split = path.startswith("/market"), path.startswith(("/public", "/market"))
    if name in ALL_PUBLIC | ALL_MARKET:
        return (name, "") if split and market == (name in ALL_MARKET) else None
    symbol, _, stream = name.partition("@")
    if symbol != symbol.lower() or symbol.upper() not in natives:
        return None
    kind, _, speed = stream.partition("@")
    if stream in TIMED | {"aggTrade", "forceOrder"}:
        wanted = market if split else stream == "aggTrade"
        return (stream, symbol.upper()) if wanted else None
    if kind not in PUBLIC or market or speed not in SPEEDS or (speed and "depth" not in kind):
        return None
    return kind, symbol.upper()


class Streams:
    """Writes and publishes them."""

    def __init__(
        self, floor: Floor, outlet: Outlet, lines: dict[str, Line], market: Market,
        funding: Funding, rows: Rows,
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
        row = self._funding.row(line.native, self._rows.numbers[line.native])
        return {
            "e": "markPriceUpdate", "E": self._now_ms(), "s": line.native, "p": row["mark"],
            "i": row["index"], "P": row["index"], "r": row["rate"], "T": row["next"],
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

    def partial(self, line: Line, ids: tuple[int, int, int]) -> None:
        """Publish the top of a book whose diff has the ids first, last and previous last."""
        first, last, previous = ids
        for kind, levels in PARTIAL.items():
            if not self._outlet.wanted((kind, line.native)):
                continue
            now_ms = self._now_ms()
            bids, asks = (
                [(line.price(price), line.size(size))
                 for price, size in line.book.top(side, levels)]
                for side in (BID, ASK))
            self._outlet.publish((kind, line.native), orjson.dumps({
                "e": "depthUpdate", "E": now_ms, "T": now_ms, "s": line.native, "U": first,
                "u": last, "pu": previous, "b": bids, "a": asks}))

    def relisted(self, line: Line, filters: Filters) -> None:
        """Tell of a contract's new status."""
        if self._outlet.wanted(("!contractInfo", "")):
            self._outlet.publish(("!contractInfo", ""), orjson.dumps({
                "e": "contractInfo", "E": self._now_ms(), "s": line.native, "ps": line.native,
                "ct": "PERPETUAL", "dt": DELIVERY_MS, "ot": ONBOARD_MS,
                "cs": status_of(filters)}))
