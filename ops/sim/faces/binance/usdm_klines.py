"""Candles of USD-M, from one minute to one day, of the day that the tape remembers.

Source: developers.binance.com/docs/derivatives/usds-margined-futures (Kline/Candlestick Data and
Streams), read 2026-11-21.  A stretch without trades is a flat candle at the last price.
"""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from ops.sim.face import Outlet, Topic
from ops.sim.faces.binance.door import Ask
from ops.sim.faces.binance.errors import BAD_INTERVAL, MANDATORY, Refused
from ops.sim.faces.binance.usdm_market import Market
from ops.sim.faces.binance.usdm_request import Reader
from ops.sim.faces.binance.usdm_tape import MINUTE_MS, Span
from ops.sim.floor import Floor
from ops.sim.listing import Line

MINUTES: Final = {
    "1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "2h": 120, "4h": 240, "6h": 360,
    "8h": 480, "12h": 720, "1d": 1440}
STREAMS: Final = {f"kline_{word}": minutes for word, minutes in MINUTES.items()}
ROWS_DEFAULT: Final = 500
ROWS_MAX: Final = 1500
WEIGHTS: Final = ((1000, 10), (499, 5), (99, 2))  # above so many rows


def klines_weight(values: Mapping[str, str]) -> int:
    """Return what a request for candles costs."""
    limit = values.get("limit", str(ROWS_DEFAULT))
    rows = int(limit) if limit.isascii() and limit.isdigit() else ROWS_DEFAULT
    return next((weight for above, weight in WEIGHTS if rows > above), 1)


class Klines:
    """Makes candles of the tapes' minutes."""

    def __init__(
        self, floor: Floor, outlet: Outlet, lines: dict[str, Line], market: Market, reader: Reader,
    ) -> None:
        self._floor, self._outlet, self._lines = floor, outlet, lines
        self._market, self._reader = market, reader
        self._told: dict[Topic, int] = {}  # the candle that a stream told last, by its first minute

    def rows(self, ask: Ask) -> object:
        """Return candles, oldest first."""
        params = ask.params
        line = self._lines[self._reader.symbol(params)]
        minutes = params.choice("interval", MINUTES, BAD_INTERVAL)
        if minutes is None:
            raise Refused(MANDATORY, "interval")
        start_ms, end_ms = params.whole("startTime"), params.whole("endTime")
        limit = params.whole("limit", least=1, most=ROWS_MAX) or ROWS_DEFAULT
        params.done()
        candles = [
            candle for candle in self._candles(line, minutes)
            if (start_ms or 0) <= candle.minute * MINUTE_MS
            and (end_ms is None or candle.minute * MINUTE_MS <= end_ms)
        ]
        kept = candles[-limit:] if start_ms is None else candles[:limit]
        return [self._row(line, candle, minutes) for candle in kept]

    def _candles(self, line: Line, minutes: int) -> list[Span]:
        """Return every candle since the first trade, flat ones included."""
        now = self._floor.now_ns() // 1_000_000 // MINUTE_MS
        candles = list[Span]()
        for span in self._market.tapes[line.native].spans:
            first = span.minute - span.minute % minutes
            if candles and candles[-1].minute == first:
                candles[-1].add(span)
                continue
            self._fill(candles, first, minutes)
            candles.append(span.of(first))
        self._fill(candles, now - now % minutes + minutes, minutes)
        return candles

    @staticmethod
    def _fill(candles: list[Span], until: int, minutes: int) -> None:
        """Add flat candles up to a minute."""
        if candles:
            last, oldest = candles[-1], until - ROWS_MAX * minutes
            first = max(last.minute + minutes, oldest)
            candles.extend(last.flat(minute) for minute in range(first, until, minutes))

    def _row(self, line: Line, candle: Span, minutes: int) -> list[object]:
        value = self._market.value
        return [
            candle.minute * MINUTE_MS, line.price(candle.open), line.price(candle.high),
            line.price(candle.low), line.price(candle.last), line.size(candle.volume),
            (candle.minute + minutes) * MINUTE_MS - 1, value(line, candle.value), candle.count,
            line.size(candle.bought), value(line, candle.bought_value), "0",
        ]

    # --- streams -------------------------------------------------------------------------------

    def second(self) -> None:
        """Publish the candle that is open, and once more the one that just closed."""
        for line in self._lines.values():
            for kind, minutes in STREAMS.items():
                topic = (kind, line.native)
                if self._outlet.wanted(topic):
                    self._publish(line, topic, minutes)
                else:
                    self._told.pop(topic, None)

    def _publish(self, line: Line, topic: Topic, minutes: int) -> None:
        candles = self._candles(line, minutes)
        if not candles:
            return
        told = self._told.get(topic)
        for candle in candles[-2:-1]:
            if candle.minute == told:
                self._outlet.publish(topic, self._event(line, topic, candle, closed=True))
        self._outlet.publish(topic, self._event(line, topic, candles[-1], closed=False))
        self._told[topic] = candles[-1].minute

    def _event(self, line: Line, topic: Topic, candle: Span, *, closed: bool) -> bytes:
        interval = topic[0].removeprefix("kline_")
        row: list[Any] = self._row(line, candle, MINUTES[interval])
        return orjson.dumps({
            "e": "kline", "E": self._floor.now_ns() // 1_000_000, "s": line.native, "k": {
                "t": row[0], "T": row[6], "s": line.native, "i": interval, "f": candle.first_id,
                "L": candle.last_id, "o": row[1], "c": row[4], "h": row[2], "l": row[3],
                "v": row[5], "n": row[8], "x": closed, "q": row[7], "V": row[9], "Q": row[10],
                "B": "0",
            }})
