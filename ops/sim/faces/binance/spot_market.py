"""Public questions about Binance spot's market: catalogue, depth, trades, prices.

Source: binance-spot-api-docs:rest-api.md (Market data endpoints) @ a5e0bc3, 2026-11-21.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import orjson

from ops.sim.day import DEALS_MAX, Day, Deal
from ops.sim.face import BUY, Print, strings
from ops.sim.faces.binance.door import Ask
from ops.sim.faces.binance.errors import (
    BAD_COMBINATION,
    BAD_SYMBOL,
    ILLEGAL,
    INVALID,
    Problem,
    Refused,
)
from ops.sim.faces.binance.limits import Limits
from ops.sim.faces.binance.params import Params
from ops.sim.faces.binance.public import Aggregate
from ops.sim.faces.binance.spot_catalogue import Catalogue
from ops.sim.faces.binance.spot_day import Tickers
from ops.sim.faces.binance.spot_reports import Row
from ops.sim.floor import Floor
from ops.sim.listing import Line

DEPTH: Final = 100
DEPTH_MAX: Final = 5000
ROWS: Final = 500
ROWS_MAX: Final = 1000
KEPT: Final = 1000  # aggregates per symbol
STATUSES: Final = ("TRADING", "HALT", "BREAK", "CANCEL_ONLY")
PERMISSIONS: Final = ("SPOT", "MARGIN", "LEVERAGED")
BAD_TICKER: Final = Problem(-1139, "Invalid ticker type.")
BAD_STATUS: Final = Problem(-1122, "Invalid symbolStatus.")
OTHER_STATUS: Final = Problem(
    -1220, "The symbol's status does not match the requested symbolStatus.")


class Tape:
    """What was traded in each symbol: its day, and the newest aggregates with their times."""

    def __init__(self, floor: Floor, lines: Mapping[str, Line]) -> None:
        self._floor = floor
        self.days = {native: Day(line, floor) for native, line in lines.items()}
        self.sums = {native: deque[tuple[int, Aggregate]](maxlen=KEPT) for native in lines}

    def add(self, native: str, prints: Sequence[Print], sums: Sequence[Aggregate]) -> None:
        """Remember."""
        now_ns = self._floor.now_ns()
        for each in prints:
            self.days[native].add(each, now_ns)
        self.sums[native].extend((now_ns, each) for each in sums)


class MarketQueries:
    """Answers from the books and the tape."""

    def __init__(
        self, floor: Floor, lines: dict[str, Line], catalogue: Catalogue, limits: Limits,
        tape: Tape, depth: Callable[[Line, int], bytes], tickers: Tickers,
    ) -> None:
        self._floor, self._lines, self._catalogue = floor, lines, catalogue
        self._limits, self._tape, self._depth, self._tickers = limits, tape, depth, tickers

    # --- the venue -----------------------------------------------------------------------------

    def ping(self, ask: Ask) -> object:
        """Return nothing."""
        ask.params.done()
        return {}

    def time(self, ask: Ask) -> object:
        """Return the venue's clock."""
        ask.params.done()
        return {"serverTime": self._floor.now_ns() // ask.unit}

    def exchange_info(self, ask: Ask) -> object:
        """Return limits and the rows of all symbols, or of those asked for."""
        params = ask.params
        symbols = self._symbols(params)
        wanted, status = self._permissions(params), params.text("symbolStatus")
        sets = params.flag("showPermissionSets")
        params.done()
        if symbols is not None and (wanted or status):
            raise Refused(BAD_COMBINATION)
        if status is not None and status not in STATUSES:
            raise Refused(BAD_STATUS)
        rows = [self._catalogue.row(native) for native in symbols or self._lines
                if status in (None, self._catalogue.status(native))]
        if wanted and "SPOT" not in wanted:
            rows = []
        if sets is False:
            rows = [{name: value for name, value in row.items() if name != "permissionSets"}
                    for row in rows]
        return {
            "timezone": "UTC", "serverTime": self._floor.now_ns() // ask.unit,
            "rateLimits": [limit.row() for limit in self._limits.rows], "exchangeFilters": [],
            "symbols": rows,
        }

    def _permissions(self, params: Params) -> list[str] | None:
        text = params.text("permissions")
        if text is None:
            return None
        names = _json_strings(text) if text.startswith("[") else [text]
        if names is None or not all(name in PERMISSIONS for name in names):
            raise Refused(INVALID, "permissions")
        return names

    def filters(self, ask: Ask) -> object:
        """Return the filters that bind an account on a symbol."""
        line = self._line(ask.params)
        ask.params.done()
        return {"exchangeFilters": [], "symbolFilters": self._catalogue.filters(line.native),
                "assetFilters": []}

    # --- one symbol ----------------------------------------------------------------------------

    def depth(self, ask: Ask) -> object:
        """Return the book."""
        line = self._line(ask.params)
        limit = ask.params.whole("limit", least=1) or DEPTH
        self._in_status(ask.params, line)
        ask.params.done()
        return self._depth(line, min(limit, DEPTH_MAX))

    def trades(self, ask: Ask) -> object:
        """Return the newest trades, or those from an id on."""
        line, first = self._line(ask.params), ask.params.whole("fromId")
        limit = self._limit(ask.params)
        ask.params.done()
        day = self._tape.days[line.native]
        rows = day.latest(limit) if first is None else day.latest(
            DEALS_MAX, lambda deal: deal.trade_id >= first)[:limit]
        return [self._trade(line, each, ask.unit) for each in rows]

    def aggregates(self, ask: Ask) -> object:
        """Return the newest aggregates, or those from an id on, or in a time."""
        params = ask.params
        line, first = self._line(params), params.whole("fromId")
        start, end = params.whole("startTime"), params.whole("endTime")
        limit = self._limit(params)
        params.done()
        if first is not None and (start is not None or end is not None):
            raise Refused(BAD_COMBINATION)
        rows = [(at_ns, each) for at_ns, each in self._tape.sums[line.native]
                if each.id >= (first or 0) and (start or 0) <= at_ns // 1_000_000
                and (end is None or at_ns // 1_000_000 <= end)]
        rows = rows[-limit:] if first is None and start is None else rows[:limit]
        return [{
            "a": each.id, "p": line.price(each.price), "q": line.size(each.size),
            "f": each.first_id, "l": each.last_id, "T": at_ns // ask.unit,
            "m": each.side != BUY, "M": True,
        } for at_ns, each in rows]

    def _trade(self, line: Line, each: Deal, unit: int) -> Row:
        symbol = self._floor.exchange.listed[line.native].symbol
        price = each.price * 10 ** (symbol.price_decimals - line.price_decimals)
        size = each.size * 10 ** (symbol.size_decimals - line.size_decimals)
        return {
            "id": each.trade_id, "price": line.price(each.price), "qty": line.size(each.size),
            "quoteQty": self._catalogue.numbers.value_of(line.native, price, size),
            "time": each.unix_ns // unit, "isBuyerMaker": not each.taker_buys, "isBestMatch": True,
        }

    # --- one symbol, several, or all -----------------------------------------------------------

    def prices(self, ask: Ask) -> object:
        """Return the price of the last trade; of symbols without one, the middle of the book."""
        return self._each(ask, lambda line: {"symbol": line.native, "price": self._last(line)})

    def days(self, ask: Ask) -> object:
        """Return the last 24 hours."""
        mini = ask.params.choice("type", {"FULL": False, "MINI": True}, BAD_TICKER) or False
        return self._each(ask, lambda line: self._tickers.row(line, mini=mini))

    def quotes(self, ask: Ask) -> object:
        """Return the best prices and what is there."""
        return self._each(ask, _quote)

    def _last(self, line: Line) -> str:
        if deal := self._tape.days[line.native].last():
            return line.price(deal.price)
        touch = line.book.touch()
        return line.price((touch.bid + touch.ask) // 2 if touch.bid and touch.ask else 0)

    def _each(self, ask: Ask, write: Callable[[Line], Row]) -> object:
        single = "symbol" in ask.params.values
        symbols, status = self._symbols(ask.params), ask.params.text("symbolStatus")
        ask.params.done()
        if status is not None and status not in STATUSES:
            raise Refused(BAD_STATUS)
        natives = [native for native in symbols or self._lines
                   if status in (None, self._catalogue.status(native))]
        if not single:
            return [write(self._lines[native]) for native in natives]
        if not natives:
            raise Refused(OTHER_STATUS)
        return write(self._lines[natives[0]])

    # --- parameters ----------------------------------------------------------------------------

    def _line(self, params: Params) -> Line:
        line = self._lines.get(params.required("symbol"))
        if line is None:
            raise Refused(BAD_SYMBOL)
        return line

    def _in_status(self, params: Params, line: Line) -> None:
        status = params.text("symbolStatus")
        if status is not None and status not in STATUSES:
            raise Refused(BAD_STATUS)
        if status not in (None, self._catalogue.status(line.native)):
            raise Refused(OTHER_STATUS)

    def _symbols(self, params: Params) -> list[str] | None:
        """Return the symbols of ``symbol`` or ``symbols``, None for all."""
        one, many = params.text("symbol"), params.text("symbols")
        if one is not None and many is not None:
            raise Refused(BAD_COMBINATION)
        names = [one] if one is not None else None
        if many is not None:
            names = _json_strings(many)
            if not names:
                raise Refused(ILLEGAL, "symbols", r'^\["[A-Z0-9-_.]{1,20}"(,"...")*\]$')
        if any(name not in self._lines for name in names or ()):
            raise Refused(BAD_SYMBOL)
        return names

    @staticmethod
    def _limit(params: Params) -> int:
        return min(params.whole("limit", least=1) or ROWS, ROWS_MAX)


def _quote(line: Line) -> Row:
    touch = line.book.touch()
    return {
        "symbol": line.native,
        "bidPrice": line.price(touch.bid), "bidQty": line.size(touch.bid_size),
        "askPrice": line.price(touch.ask), "askQty": line.size(touch.ask_size),
    }


def _json_strings(text: str) -> list[str] | None:
    try:
        return strings(orjson.loads(text))
    except orjson.JSONDecodeError:
        return None
