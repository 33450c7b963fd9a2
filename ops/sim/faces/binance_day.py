"""Binance's prints and 24-hour figures, in REST and in the streams.

Source: shared/venues/binance.md, 2026-11-21; the names of the 24-hour fields from ccxt 4.5.90
(pro/binance.py, parse_ws_ticker; binance.py, parse_ticker).  USD-M leaves out what spot adds:
best prices, and the flag that means nothing.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from ops.sim.book import Touch
from ops.sim.day import DAY_NS, Day, Deal, average
from ops.sim.face import Query, count
from ops.sim.listing import Line

MS: Final = 1_000_000
DEALS_DEFAULT: Final = 500
DEALS_MOST: Final = 1000


def wanted(query: Query) -> Callable[[Deal], bool] | None:
    """Read fromId, startTime and endTime (ms); None if one is no number."""
    bounds = [query.get(name, default) for name, default in (
        ("fromId", "0"), ("startTime", "0"), ("endTime", str(2**62 // MS)))]
    if not all(text.isascii() and text.isdigit() for text in bounds):
        return None
    first_id, start_ms, end_ms = map(int, bounds)
    return lambda deal: (
        deal.trade_id >= first_id and start_ms <= deal.unix_ns // MS <= end_ms)


def deals_count(query: Query) -> int | None:
    """Read the limit of a list of prints; None if it is out of bounds."""
    return count(query.get("limit"), default=DEALS_DEFAULT, most=DEALS_MOST)


def trade_row(line: Line, deal: Deal, *, perpetual: bool) -> dict[str, Any]:
    """Return one row of ``trades``."""
    price, size = line.price(deal.price), line.size(deal.size)
    row: dict[str, Any] = {
        "id": deal.trade_id, "price": price, "qty": size,
        "quoteQty": str(Decimal(price) * Decimal(size)), "time": deal.unix_ns // MS,
        "isBuyerMaker": not deal.taker_buys,
    }
    return row if perpetual else row | {"isBestMatch": True}


def aggregate_row(line: Line, deal: Deal, *, perpetual: bool) -> dict[str, Any]:
    """Return one row of ``aggTrades``."""
    row: dict[str, Any] = {
        "a": deal.trade_id, "p": line.price(deal.price), "q": line.size(deal.size),
        "f": deal.trade_id, "l": deal.trade_id, "T": deal.unix_ns // MS, "m": not deal.taker_buys,
    }
    return row if perpetual else row | {"M": True}


def day_row(line: Line, day: Day, unix_ns: int, *, perpetual: bool) -> dict[str, Any]:
    """Return a symbol's row of ``ticker/24hr``."""
    event = ticker_event(line, day, unix_ns, perpetual=perpetual)
    names = {
        "priceChange": "p", "priceChangePercent": "P", "weightedAvgPrice": "w",
        "prevClosePrice": "x", "lastPrice": "c", "lastQty": "Q", "bidPrice": "b", "bidQty": "B",
        "askPrice": "a", "askQty": "A", "openPrice": "o", "highPrice": "h", "lowPrice": "l",
        "volume": "v", "quoteVolume": "q", "openTime": "O", "closeTime": "C", "firstId": "F",
        "lastId": "L", "count": "n",
    }
    return {"symbol": line.native} | {
        name: event[short] for name, short in names.items() if short in event}


def ticker_event(line: Line, day: Day, unix_ns: int, *, perpetual: bool) -> dict[str, Any]:
    """Return what the stream ``ticker`` sends every second."""
    of_day, deal = day.figures(unix_ns), day.last()
    change = of_day.last - of_day.open
    percent = 100 * change / of_day.open if of_day.open else 0.0
    spot_only: dict[str, Any] = {}
    if not perpetual:
        spot_only = {"x": line.price(of_day.open)} | _best(line, line.book.touch())
    return {
        "e": "24hrTicker", "E": unix_ns // MS, "s": line.native, "p": line.price(change),
        "P": f"{percent:.3f}", "w": line.price(average(of_day)), "c": line.price(of_day.last),
        "Q": line.size(deal.size if deal else 0), "o": line.price(of_day.open),
        "h": line.price(of_day.high), "l": line.price(of_day.low), "v": line.size(of_day.volume),
        "q": day.turnover(of_day), "O": (unix_ns - DAY_NS) // MS, "C": unix_ns // MS,
        "F": of_day.first_id, "L": of_day.last_id, "n": of_day.trades,
    } | spot_only


def mini_event(line: Line, day: Day, unix_ns: int) -> dict[str, Any]:
    """Return what the stream ``miniTicker`` sends every second."""
    whole = ticker_event(line, day, unix_ns, perpetual=True)
    return {"e": "24hrMiniTicker"} | {name: whole[name] for name in "EscohlvqE"}


def _best(line: Line, touch: Touch) -> dict[str, str]:
    return {"b": line.price(touch.bid), "B": line.size(touch.bid_size),
            "a": line.price(touch.ask), "A": line.size(touch.ask_size)}
