"""Public REST: time, products, prints, books, candles.  The same calls serve clients with a key.

Source: shared/venues/coinbase.md "Endpoints", "Symbols", "Order book", 2026-11-21.
"""

from collections.abc import Mapping
from typing import Any, Final

from engine.model.quanta import from_quanta, plain
from ops.sim.book import ASK, BID
from ops.sim.day import Day, Deal
from ops.sim.exchange.filters import Mode
from ops.sim.face import Answer, Query, count, digits, iso, to_json
from ops.sim.faces.coinbase import candles
from ops.sim.faces.coinbase.app import FIAT
from ops.sim.faces.coinbase.reasons import invalid, refused
from ops.sim.floor import Floor
from ops.sim.listing import Line
from ops.sim.truth import money

LEVELS_MAX: Final = 1_000_000  # of a book: all there are
DEALS_PAGE: Final = 100
QUOTE_MAX: Final = "150000000"
FLAGS: Final = {
    Mode.POST_ONLY: "post_only", Mode.LIMIT_ONLY: "limit_only", Mode.CANCEL_ONLY: "cancel_only",
    Mode.HALTED: "trading_disabled"}
LAST_TIME: Final = 1 << 33  # Unix s


class Market:
    """What anybody may know of the products."""

    def __init__(self, floor: Floor, lines: Mapping[str, Line], days: Mapping[str, Day]) -> None:
        self._floor, self._lines, self._days = floor, lines, days

    def answer(self, what: str, query: Query) -> Answer:
        """Answer a path below /market, or the same one without it."""
        if what == "products":
            return self._products(query)
        if what == "product_book":
            return self._book(query)
        root, _, rest = what.partition("/")
        name, _, part = rest.partition("/")
        line = self._lines.get(name)
        if root != "products" or line is None or part not in ("", "ticker", "candles"):
            return refused("NOT_FOUND", "valid product_id is required", 404)
        if part == "candles":
            return candles.answer(line, self._days[name], query, self._floor.now_ns())
        return self._ticker(line, query) if part else to_json(self.product(line))

    def time(self) -> Answer:
        """Tell the venue's time."""
        now_ns = self._floor.now_ns()
        return to_json({"iso": iso(now_ns), "epochSeconds": str(now_ns // 1_000_000_000),
                        "epochMillis": str(now_ns // 1_000_000)})

    def best(self, query: Query) -> Answer:
        """Tell the best levels of the products asked for, of all without a list."""
        asked = _names(query)
        if unknown := [name for name in asked if name not in self._lines]:
            return invalid(f"{unknown[0]} is not a valid product")
        return to_json({"pricebooks": [self._pricebook(self._lines[name], 1)
                                       for name in asked or self._lines]})

    def product(self, line: Line) -> dict[str, Any]:
        """Return a product with the limits in force."""
        filters, symbol = (self._floor.filters(line.native),
                           self._floor.exchange.listed[line.native].symbol)
        day = self._days[line.native].figures(self._floor.now_ns())
        tick = plain(from_quanta(filters.tick, symbol.price_decimals))
        base, quote = line.pair.base, line.pair.quote
        flags = dict.fromkeys(
            ("cancel_only", "limit_only", "post_only", "trading_disabled", "auction_mode",
             "is_disabled", "view_only", "watched", "new", "is_alpha_testing"), False)
        if filters.mode is not Mode.OPEN:
            flags[FLAGS[filters.mode]] = True
        return {
            "product_id": line.native, "price": line.price(day.last),
            "price_percentage_change_24h": percent(day.last, day.open),
            "volume_24h": line.plain_size(day.volume), "volume_percentage_change_24h": "0",
            "base_increment": plain(from_quanta(filters.lot, symbol.size_decimals)),
            "quote_increment": tick, "price_increment": tick,
            "quote_min_size": money(filters.notional_min),
            "quote_max_size": money(filters.notional_max) if filters.notional_max else QUOTE_MAX,
            "base_min_size": plain(from_quanta(filters.size_min, symbol.size_decimals)),
            "base_max_size": plain(from_quanta(filters.size_max, symbol.size_decimals)),
            "base_name": FIAT.get(base, base), "quote_name": FIAT.get(quote, quote),
            "status": "online", "product_type": "SPOT",
            "quote_currency_id": quote, "base_currency_id": base,
            "fcm_trading_session_details": None, "mid_market_price": "",
            "alias": "", "alias_to": [],
            "base_display_symbol": base, "quote_display_symbol": quote,
            "display_name": line.native, "product_venue": "CBE",
            "approximate_quote_24h_volume": self._days[line.native].turnover(day),
            "new_at": "2023-01-01T00:00:00Z", "best_bid_price": "", "best_ask_price": "",
        } | flags

    def _products(self, query: Query) -> Answer:
        limit = count(query.get("limit"), default=len(self._lines) or 1, most=1000)
        offset = query.get("offset", "0")
        if limit is None or not digits(offset):
            return invalid("valid limit and offset are required")
        asked = _names(query)
        lines = [line for line in self._lines.values() if not asked or line.native in asked]
        if query.get("product_type", "SPOT") not in ("SPOT", "UNKNOWN_PRODUCT_TYPE"):
            lines = []
        rows = [self.product(line) for line in lines[int(offset) :][:limit]]
        return to_json({"products": rows, "num_products": len(rows)})

    def _ticker(self, line: Line, query: Query) -> Answer:
        """Tell the latest prints of ``start`` to ``end`` (Unix s), newest first."""
        limit = count(query.get("limit"), default=DEALS_PAGE, most=1000)
        start, end = query.get("start", "0"), query.get("end", str(LAST_TIME))
        if limit is None or not (digits(start) and digits(end)):
            return invalid("valid limit, start and end are required")
        deals = self._days[line.native].latest(
            limit, lambda deal: int(start) <= deal.unix_ns / 1e9 < int(end))
        touch = line.book.touch()
        return to_json({
            "trades": [deal_row(line, deal) | {"bid": "", "ask": "", "exchange": "coinbase"}
                       for deal in reversed(deals)],
            "best_bid": line.price(touch.bid), "best_ask": line.price(touch.ask)})

    def _book(self, query: Query) -> Answer:
        line = self._lines.get(query.get("product_id", ""))
        limit = count(query.get("limit"), default=LEVELS_MAX, most=LEVELS_MAX)
        if line is None or limit is None:
            return invalid("valid product_id and limit are required")
        touch = line.book.touch()
        spread, twice = touch.ask - touch.bid, touch.ask + touch.bid
        mid = plain(from_quanta(twice * 5, line.price_decimals + 1))
        basis_points = spread * 2 * 10**4 * 10**12 // twice if twice else 0
        return to_json({
            "pricebook": self._pricebook(line, limit),
            "last": line.price(self._days[line.native].figures(self._floor.now_ns()).last),
            "mid_market": mid, "spread_bps": plain(from_quanta(basis_points, 12)),
            "spread_absolute": line.plain_price(spread)})

    def _pricebook(self, line: Line, limit: int) -> dict[str, Any]:
        return {"product_id": line.native} | {
            name: [{"price": line.price(price), "size": line.plain_size(size)}
                   for price, size in line.book.top(side, limit)]
            for name, side in (("bids", BID), ("asks", ASK))
        } | {"time": iso(self._floor.now_ns())}


def deal_row(line: Line, deal: Deal) -> dict[str, str]:
    """Return a print as streams and REST tell it; ``side`` is the maker's."""
    return {
        "product_id": line.native, "trade_id": str(deal.trade_id), "price": line.price(deal.price),
        "size": line.plain_size(deal.size), "time": iso(deal.unix_ns),
        "side": "SELL" if deal.taker_buys else "BUY",
    }


def percent(now: int, before: int) -> str:
    """Return a change in per cent."""
    return f"{100 * (now - before) / before:.8f}" if before else "0"


def _names(query: Query) -> list[str]:
    return [name for name in query.get("product_ids", "").split(",") if name]
