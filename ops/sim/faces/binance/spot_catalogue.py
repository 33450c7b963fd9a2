"""exchangeInfo of Binance spot: symbols with the filters in force.

Source: shared/venues/binance.md and binance-spot-api-docs:filters.md, rest-api.md @ a5e0bc3.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from ops.sim.exchange.fees import PPM
from ops.sim.exchange.filters import Filters, Mode
from ops.sim.faces.binance.numbers import Numbers
from ops.sim.faces.binance.spot_orders import TYPES
from ops.sim.faces.binance.spot_reports import Row
from ops.sim.faces.binance.spot_trading import AMENDS_MAX
from ops.sim.floor import Floor
from ops.sim.listing import Line

PRICE_MAX: Final = "1000000.00000000"
NOTIONAL_MAX: Final = "9000000000.00000000"  # beyond what size and band allow together
STATUSES: Final = {
    Mode.OPEN: "TRADING", Mode.HALTED: "HALT", Mode.CANCEL_ONLY: "CANCEL_ONLY",
    Mode.POST_ONLY: "TRADING", Mode.LIMIT_ONLY: "TRADING",
}


class Catalogue:
    """Writes rows of exchangeInfo; ``stp`` is (default, allowed)."""

    def __init__(
        self, floor: Floor, lines: Mapping[str, Line], numbers: Numbers,
        stp: tuple[str, tuple[str, ...]], *, notional: str, band: str,
    ) -> None:
        self._floor, self._lines, self._stp = floor, lines, stp
        self.numbers = numbers
        self._notional, self._band = notional, band

    def status(self, native: str) -> str:
        """Return whether a symbol trades now."""
        return STATUSES[self._floor.filters(native).mode]

    def row(self, native: str) -> Row:
        """Return a symbol's row."""
        line = self._lines[native]
        own = self._notional == "NOTIONAL"  # .com has what .US lacks
        default, allowed = self._stp
        return {
            "symbol": native, "status": self.status(native), "baseAsset": line.pair.base,
            "baseAssetPrecision": 8, "quoteAsset": line.pair.quote, "quotePrecision": 8,
            "quoteAssetPrecision": 8, "baseCommissionPrecision": 8, "quoteCommissionPrecision": 8,
            "orderTypes": list(TYPES), "icebergAllowed": False, "ocoAllowed": False,
            "otoAllowed": False, "opoAllowed": False, "quoteOrderQtyMarketAllowed": True,
            "allowTrailingStop": False, "cancelReplaceAllowed": True, "amendAllowed": own,
            "pegInstructionsAllowed": False, "isSpotTradingAllowed": True,
            "isMarginTradingAllowed": False, "filters": self.filters(native),
            "permissions": [], "permissionSets": [["SPOT"]],
            "defaultSelfTradePreventionMode": default,
            "allowedSelfTradePreventionModes": list(allowed),
        }

    def filters(self, native: str) -> Sequence[Row]:
        """Return the limits in force."""
        numbers, now = self.numbers, self._floor.filters(native)
        rows: list[Row] = [
            {"filterType": "PRICE_FILTER", "minPrice": numbers.price(native, now.price_min),
             "maxPrice": numbers.price(native, now.price_max) if now.price_max else PRICE_MAX,
             "tickSize": numbers.price(native, now.tick)},
            {"filterType": "LOT_SIZE", "minQty": numbers.size(native, now.size_min),
             "maxQty": numbers.size(native, now.size_max),
             "stepSize": numbers.size(native, now.lot)},
            {"filterType": "MARKET_LOT_SIZE", "minQty": numbers.size(native, 0),
             "maxQty": numbers.size(native, now.market_size_max or now.size_max),
             "stepSize": numbers.size(native, 0)},
            *self._bands(now), self._value(native, now),
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": now.open_orders_max},
        ]
        if self._notional == "NOTIONAL":
            rows.append({"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": AMENDS_MAX})
        return rows

    def _bands(self, now: Filters) -> Sequence[Row]:
        if not (now.band_up_ppm and now.band_down_ppm):
            return []
        up, down = f"{1 + now.band_up_ppm / PPM:g}", f"{1 - now.band_down_ppm / PPM:g}"
        head: Row = {"filterType": self._band, "avgPriceMins": 5}
        if self._band == "PERCENT_PRICE":
            return [head | {"multiplierUp": up, "multiplierDown": down}]
        return [head | {"bidMultiplierUp": up, "bidMultiplierDown": down,
                        "askMultiplierUp": up, "askMultiplierDown": down}]

    def _value(self, native: str, now: Filters) -> Row:
        least: Row = {"filterType": self._notional,
                      "minNotional": self.numbers.value(native, now.notional_min),
                      "avgPriceMins": 5}
        if self._notional == "MIN_NOTIONAL":
            return least | {"applyToMarket": True}
        return least | {"applyMinToMarket": True, "maxNotional": NOTIONAL_MAX,
                        "applyMaxToMarket": False}
