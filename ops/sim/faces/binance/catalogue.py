"""One row of Binance's exchangeInfo.  Source: shared/venues/binance.md, 2026-11-21."""

from engine.model.instrument import Kind
from ops.sim.listing import Line


def catalogue_row(line: Line) -> dict[str, object]:
    """Return one symbol's row of exchangeInfo, with the filters that bound its orders."""
    perpetual = line.pair.kind is Kind.PERPETUAL
    tick, lot = line.tick + line.price_pad, line.lot + line.size_pad
    notional = ("MIN_NOTIONAL", "notional") if perpetual else ("NOTIONAL", "minNotional")
    row: dict[str, object] = {
        "symbol": line.native, "status": "TRADING", "baseAsset": line.pair.base,
        "quoteAsset": line.pair.quote, "orderTypes": ["LIMIT", "MARKET"],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000",
             "tickSize": tick},
            {"filterType": "LOT_SIZE", "minQty": lot, "maxQty": "9000.00000000",
             "stepSize": lot},
            {"filterType": "MARKET_LOT_SIZE", "minQty": "0.00000000",
             "maxQty": "100.00000000", "stepSize": "0.00000000"},
            {"filterType": notional[0], notional[1]: "5.00000000"},
        ],
    }
    if perpetual:
        return row | {
            "pair": line.native, "contractType": "PERPETUAL", "marginAsset": line.pair.settle,
            "pricePrecision": line.tick_decimals, "quantityPrecision": line.lot_decimals,
        }
    return row | {
        "baseAssetPrecision": 8, "quotePrecision": 8, "quoteAssetPrecision": 8,
        "isSpotTradingAllowed": True, "quoteOrderQtyMarketAllowed": True,
        "permissions": [], "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["NONE", "EXPIRE_MAKER"],
    }
