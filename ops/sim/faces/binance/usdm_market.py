"""The public REST side of USD-M.

Source: developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api, read
2026-11-21.
"""

from collections.abc import Callable, Mapping
from typing import Final

from engine.model.quanta import from_quanta
from ops.sim.exchange.filters import Filters, Mode
from ops.sim.exchange.symbols import Symbol
from ops.sim.face import BUY
from ops.sim.faces.binance.door import Ask
from ops.sim.faces.binance.errors import Refused
from ops.sim.faces.binance.limits import Limits
from ops.sim.faces.binance.params import Params
from ops.sim.faces.binance.usdm_errors import DEPTH_LIMIT
from ops.sim.faces.binance.usdm_funding import EVERY_S, Fundings
from ops.sim.faces.binance.usdm_request import Reader
from ops.sim.faces.binance.usdm_tape import Span, Tape, Trade
from ops.sim.faces.binance.usdm_text import Rows, rate, shown
from ops.sim.floor import Floor
from ops.sim.listing import Line

DEPTH_WEIGHTS: Final = {"5": 2, "10": 2, "20": 2, "50": 2, "100": 5, "500": 10, "1000": 20}
DEPTH_DEFAULT: Final = "500"
DELIVERY_MS: Final = 4_133_404_800_000  # 2100-12-25: never
ONBOARD_MS: Final = 1_569_398_400_000
STATUSES: Final = {Mode.OPEN: "TRADING", Mode.HALTED: "SETTLING"}
ROWS_MAX: Final = 1_000
PRICE_MAX: Final = "1000000"  # told where the band alone bounds prices
FUNDINGS_MAX: Final = 1_000
INTEREST: Final = "0.00010000"


def depth_weight(values: Mapping[str, str]) -> int:
    """Return what a snapshot costs."""
    return DEPTH_WEIGHTS.get(values.get("limit", DEPTH_DEFAULT), 1)


def status_of(filters: Filters) -> str:
    """Return a contract's status as the catalogue names it."""
    return STATUSES.get(filters.mode, "TRADING")


class Market:
    """Answers public requests."""

    def __init__(
        self, floor: Floor, lines: dict[str, Line], reader: Reader, rows: Rows, limits: Limits,
        funding: Fundings,
    ) -> None:
        self._floor, self._lines, self._reader, self._rows = floor, lines, reader, rows
        self._limits, self._funding = limits, funding
        self.tapes = {native: Tape() for native in lines}

    def _now_ms(self) -> int:
        return self._floor.now_ns() // 1_000_000

    def ping(self, ask: Ask) -> object:
        """Answer."""
        ask.params.done()
        return {}

    def time(self, ask: Ask) -> object:
        """Return the venue's clock."""
        ask.params.done()
        return {"serverTime": self._now_ms()}

    # --- catalogue -----------------------------------------------------------------------------

    def catalogue(self, ask: Ask) -> object:
        """Return the limits of requests and every contract with its filters, whichever is named."""
        ask.params.text("symbol")
        ask.params.done()
        return {
            "timezone": "UTC", "serverTime": self._now_ms(), "futuresType": "U_MARGINED",
            "rateLimits": [row.row() for row in self._limits.rows], "exchangeFilters": [],
            "assets": [{"asset": asset, "marginAvailable": True, "autoAssetExchange": "-10000"}
                       for asset in sorted(self._floor.exchange.assets)],
            "symbols": [self._contract(line) for line in self._lines.values()],
        }

    def _contract(self, line: Line) -> dict[str, object]:
        filters = self._floor.filters(line.native)
        symbol = self._floor.exchange.listed[line.native].symbol
        required = shown(symbol.margin_ppm, 4, 4)
        return {
            "symbol": line.native, "pair": line.native, "contractType": "PERPETUAL",
            "deliveryDate": DELIVERY_MS, "onboardDate": ONBOARD_MS, "status": status_of(filters),
            "maintMarginPercent": shown(symbol.margin_ppm // 2, 4, 4),
            "requiredMarginPercent": required, "baseAsset": line.pair.base,
            "quoteAsset": line.pair.quote, "marginAsset": line.pair.settle,
            "pricePrecision": line.tick_decimals, "quantityPrecision": line.lot_decimals,
            "baseAssetPrecision": 8, "quotePrecision": 8, "underlyingType": "COIN",
            "underlyingSubType": [], "settlePlan": 0, "triggerProtect": "0.0500",
            "liquidationFee": "0.012500", "marketTakeBound": "0.05", "maxMoveOrderLimit": 10000,
            "filters": self._filters(line, filters, symbol),
            "orderTypes": ["LIMIT", "MARKET"],
            "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
        }

    def _filters(self, line: Line, filters: Filters, symbol: Symbol) -> list[dict[str, object]]:
        numbers = self._rows.numbers[line.native]
        lots = {"minQty": numbers.size(filters.size_min), "stepSize": numbers.size(filters.lot)}
        market_max = filters.market_size_max or filters.size_max
        return [
            {"filterType": "PRICE_FILTER", "minPrice": numbers.price(filters.price_min),
             "maxPrice": numbers.price(filters.price_max) if filters.price_max else PRICE_MAX,
             "tickSize": numbers.price(filters.tick)},
            {"filterType": "LOT_SIZE", "maxQty": numbers.size(filters.size_max), **lots},
            {"filterType": "MARKET_LOT_SIZE", "maxQty": numbers.size(market_max), **lots},
            {"filterType": "MAX_NUM_ORDERS", "limit": filters.open_orders_max},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 0},
            {"filterType": "MIN_NOTIONAL", "notional": shown(filters.notional_min, 18, 0)},
            {"filterType": "PERCENT_PRICE", "multiplierDecimal": "4",
             "multiplierUp": rate(1_000_000 + filters.band_up_ppm, 4),
             "multiplierDown": rate(1_000_000 - filters.band_down_ppm, 4)},
        ]

    # --- book ----------------------------------------------------------------------------------

    def depth_limit(self, params: Params) -> tuple[Line, int]:
        """Read a depth request."""
        native = self._reader.symbol(params)
        limit = params.text("limit") or DEPTH_DEFAULT
        if limit not in DEPTH_WEIGHTS:
            raise Refused(DEPTH_LIMIT, limit)
        params.done()
        return self._lines[native], int(limit)

    def quotes(self, ask: Ask) -> object:
        """Return the best bid and offer of a contract, or of all."""
        return self._each(ask, self._quote)

    def _quote(self, line: Line) -> dict[str, object]:
        touch = line.book.touch()
        return {
            "symbol": line.native, "bidPrice": line.price(touch.bid),
            "bidQty": line.size(touch.bid_size), "askPrice": line.price(touch.ask),
            "askQty": line.size(touch.ask_size), "time": self._now_ms(),
            "lastUpdateId": line.last_id,
        }

    def _each(self, ask: Ask, row: Callable[[Line], dict[str, object]]) -> object:
        native = self._reader.optional_symbol(ask.params)
        ask.params.done()
        if native:
            return row(self._lines[native])
        return [row(line) for line in self._lines.values()]

    # --- trades --------------------------------------------------------------------------------

    def trades(self, ask: Ask) -> object:
        """Return the newest prints, oldest first."""
        line, limit = self._lines[self._reader.symbol(ask.params)], _limit(ask.params)
        ask.params.done()
        return [self._trade(line, each) for each in self._recent(line, 0)[-limit:]]

    def old_trades(self, ask: Ask) -> object:
        """Return prints from an id on, or the newest."""
        line, limit = self._lines[self._reader.symbol(ask.params)], _limit(ask.params)
        from_id = ask.params.whole("fromId")
        ask.params.done()
        found = self._recent(line, from_id or 0)
        kept = found[-limit:] if from_id is None else found[:limit]
        return [self._trade(line, each) for each in kept]

    def _recent(self, line: Line, from_id: int) -> list[Trade]:
        return [each for each in self.tapes[line.native].recent if each.trade_id >= from_id]

    @staticmethod
    def value(line: Line, ticks_times_lots: int) -> str:
        """Write price times size."""
        return from_quanta(ticks_times_lots, line.price_decimals + line.size_decimals)

    def _trade(self, line: Line, each: Trade) -> dict[str, object]:
        return {
            "id": each.trade_id, "price": line.price(each.price), "qty": line.size(each.size),
            "quoteQty": self.value(line, each.price * each.size), "time": each.time_ms,
            "isBuyerMaker": each.buyer_made, "isRPITrade": False,
        }

    def aggregates(self, ask: Ask) -> object:
        """Return what takers did at one price each, from an id or a time on, or the newest."""
        params = ask.params
        line, limit, from_id = (
            self._lines[self._reader.symbol(params)], _limit(params), params.whole("fromId"))
        start_ms, end_ms = params.whole("startTime"), params.whole("endTime")
        params.done()
        found = [each for each in self.tapes[line.native].totals
                 if each.sum.id >= (from_id or 0)
                 and (start_ms or 0) <= each.time_ms <= (end_ms or each.time_ms)]
        newest = from_id is None and start_ms is None
        return [{
            "a": each.sum.id, "p": line.price(each.sum.price), "q": line.size(each.sum.size),
            "f": each.sum.first_id, "l": each.sum.last_id, "T": each.time_ms,
            "m": each.sum.side != BUY,
        } for each in (found[-limit:] if newest else found[:limit])]

    # --- tickers -------------------------------------------------------------------------------

    def prices(self, ask: Ask) -> object:
        """Return the last price of a contract, or of all."""
        return self._each(ask, lambda line: {
            "symbol": line.native, "price": line.price(self.last(line)),
            "time": self._now_ms()})

    def last(self, line: Line) -> int:
        """Return the last price in ticks: of the last print, else the best bid."""
        recent = self.tapes[line.native].recent
        return recent[-1].price if recent else line.book.touch().bid

    def day(self, line: Line) -> Span:
        """Return the last 24 hours; a day without trades stands at the last price."""
        now_ms, last = self._now_ms(), self.last(line)
        return self.tapes[line.native].day(now_ms) or Span(
            now_ms // 60_000, last, last, last, last, 0, 0, 0, 0, 0, 0)

    def tickers(self, ask: Ask) -> object:
        """Return the last 24 hours of a contract, or of all."""
        return self._each(ask, self._ticker)

    def _ticker(self, line: Line) -> dict[str, object]:
        span, now_ms = self.day(line), self._now_ms()
        change, percent, average = changes(line, span)
        return {
            "symbol": line.native, "priceChange": change, "priceChangePercent": percent,
            "weightedAvgPrice": average, "lastPrice": line.price(span.last),
            "lastQty": line.size(span.last_size), "openPrice": line.price(span.open),
            "highPrice": line.price(span.high), "lowPrice": line.price(span.low),
            "volume": line.size(span.volume), "quoteVolume": self.value(line, span.value),
            "openTime": now_ms - 86_400_000, "closeTime": now_ms, "firstId": span.first_id,
            "lastId": span.last_id, "count": span.count,
        }

    # --- funding -------------------------------------------------------------------------------

    def premiums(self, ask: Ask) -> object:
        """Return mark price and funding of a contract, or of all."""
        return self._each(ask, self._premium)

    def _premium(self, line: Line) -> dict[str, object]:
        told = self._funding.told(line.native, self._rows.numbers[line.native])
        return {
            "symbol": line.native, "markPrice": told.mark_price, "indexPrice": told.index_price,
            "estimatedSettlePrice": told.index_price, "lastFundingRate": told.rate,
            "interestRate": INTEREST, "nextFundingTime": told.next_ms, "time": self._now_ms(),
        }

    def fundings(self, ask: Ask) -> object:
        """Return what was charged, oldest first."""
        params = ask.params
        native = self._reader.optional_symbol(params)
        start_ms, end_ms = params.whole("startTime"), params.whole("endTime")
        limit = params.whole("limit", least=1, most=FUNDINGS_MAX) or 100
        params.done()
        settled = [each for name in ([native] if native else self._lines)
                   for each in self._funding.settled[name]
                   if (start_ms or 0) <= each.time_ms <= (end_ms or each.time_ms)]
        settled.sort(key=lambda each: each.time_ms)
        kept = settled[-limit:] if start_ms is None else settled[:limit]
        return [{
            "symbol": each.native, "fundingRate": shown(each.rate_ppm, 6, 8),
            "fundingTime": each.time_ms,
            "markPrice": self._rows.numbers[each.native].mark(each.mark),
        } for each in kept]

    def funding_intervals(self, ask: Ask) -> object:
        """Return the contracts whose interval is not eight hours."""
        every_s = self._funding.every_s
        if every_s == EVERY_S:
            return []
        return [{
            "symbol": native, "adjustedFundingRateCap": "0.02000000",
            "adjustedFundingRateFloor": "-0.02000000",
            "fundingIntervalHours": max(1, round(every_s / 3600)), "disclaimer": False,
        } for native in self._lines]

    def open_interest(self, ask: Ask) -> object:
        """Return how many contracts are held."""
        native = self._reader.symbol(ask.params)
        ask.params.done()
        exchange = self._floor.exchange
        held = [exchange.position(account, native).size for account in exchange.accounts.by_name]
        if house := exchange.settlement.perpetuals.house.get(native):
            held.append(house.size)
        return {
            "symbol": native, "time": self._now_ms(),
            "openInterest": self._rows.numbers[native].size(
                sum(size for size in held if size > 0)),
        }


def _limit(params: Params) -> int:
    return params.whole("limit", least=1, most=ROWS_MAX) or 500


def changes(line: Line, span: Span) -> tuple[str, str, str]:
    """Return a day's price change, that in percent, and the average price."""
    percent = (span.last - span.open) * 100_000 // span.open if span.open else 0
    average = span.value // span.volume if span.volume else span.last
    change = from_quanta(span.last - span.open, line.price_decimals) + line.price_pad
    return change, from_quanta(percent, 3), line.price(average)
