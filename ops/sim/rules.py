"""What a simulated venue demands of orders, and charges: filters and fees of each line.

The catalogue a face serves and the filters its matching engine applies are both read from here.
Fees are the entry tiers that feeds/venues/* assume.
"""

from decimal import Decimal
from typing import Final, NamedTuple

from ops.sim.exchange.fees import FeeIn, Fees
from ops.sim.exchange.filters import Filters
from ops.sim.exchange.orders import ClientIds
from ops.sim.exchange.symbols import Asset, Symbol, perpetual, spot
from ops.sim.listing import PRICES, UNKNOWN_PRICE, Line

MONEY_DECIMALS: Final = 18  # of every asset: price and size decimals together never exceed it
RECORDED_DECIMALS: Final = 8  # at least, of sizes whose recording may turn out finer than listed
MARGIN_PPM: Final = 50_000  # 20 x
SIZE_MAX_USD: Final = 500_000_000.0


class House(NamedTuple):
    """A venue's own rules; money in USD, by the first prices of listing.py."""

    maker_ppm: int
    taker_ppm: int
    taken: FeeIn
    client_ids: ClientIds
    notional_min_usd: float  # 0: the venue bounds the size instead
    size_min_usd: float
    band_ppm: int  # farthest limit price from the reference; 0: unbounded
    open_orders_max: int  # per account and symbol


_UNIQUE: Final = ClientIds.UNIQUE_OPEN
HOUSES: Final = {
    "binance": House(1000, 1000, FeeIn.RECEIVED, _UNIQUE, 5, 0, 4_000_000, 200),
    "binance-us": House(1000, 1000, FeeIn.RECEIVED, _UNIQUE, 5, 0, 4_000_000, 200),
    "binance-usdm": House(200, 500, FeeIn.QUOTE, _UNIQUE, 5, 0, 50_000, 200),
    "okx": House(800, 1000, FeeIn.RECEIVED, _UNIQUE, 0, 1, 0, 500),
    "okx-us": House(5000, 5000, FeeIn.RECEIVED, _UNIQUE, 0, 1, 0, 500),
    "kraken": House(2500, 4000, FeeIn.QUOTE, _UNIQUE, 0.5, 4, 0, 80),
    "coinbase": House(6000, 12000, FeeIn.QUOTE, ClientIds.UNIQUE_EVER, 1, 0, 0, 500),
    "coinbase-exchange": House(4000, 6000, FeeIn.QUOTE, ClientIds.UNIQUE_EVER, 1, 0, 0, 500),
}
BAND_BY_SIDE: Final = frozenset({"binance-usdm"})
TRADES_PER_SYMBOL: Final = frozenset({"binance", "binance-us", "binance-usdm"})


def fees_of(venue: str) -> Fees:
    """Return what the venue charges a new account."""
    house = HOUSES[venue]
    return Fees(house.maker_ppm, house.taker_ppm, house.taken)


def symbol_of(line: Line) -> Symbol:
    """Return the matching engine's symbol; its quanta are the line's, or finer."""
    decimals = {
        "price_decimals": max(line.price_decimals, line.tick_decimals),
        "size_decimals": max(line.size_decimals, line.lot_decimals),
    }
    if line.recorded:
        size = max(RECORDED_DECIMALS, decimals["size_decimals"])
        decimals = {"price_decimals": MONEY_DECIMALS - size, "size_decimals": size}
    if line.pair.settle:
        settle = Asset(line.pair.settle, MONEY_DECIMALS)
        return perpetual(line.native, settle, margin_ppm=MARGIN_PPM, **decimals)
    return spot(line.native, Asset(line.pair.base, MONEY_DECIMALS),
                Asset(line.pair.quote, MONEY_DECIMALS), **decimals)


def filters_of(line: Line, symbol: Symbol) -> Filters:
    """Return the limits of a line's orders, in the symbol's quanta."""
    house = HOUSES[line.venue]
    tick = 10 ** (symbol.price_decimals - line.tick_decimals)
    lot = 10 ** (symbol.size_decimals - line.lot_decimals)
    base, quote = _usd(line.pair.base), _usd(line.pair.quote)
    unit = Decimal(10) ** symbol.size_decimals
    size_min = int(_rounded(house.size_min_usd, base) * unit)
    return Filters(
        tick=tick, lot=lot, price_min=tick, size_min=max(lot, size_min // lot * lot),
        size_max=int(_rounded(SIZE_MAX_USD, base) * unit) // lot * lot,
        notional_min=_money(house.notional_min_usd, quote),
        band_up_ppm=house.band_ppm, band_down_ppm=min(house.band_ppm, 800_000),
        band_by_side=line.venue in BAND_BY_SIDE,
        open_orders_max=house.open_orders_max,
    )


def _usd(asset: str) -> Decimal:
    return Decimal(repr(PRICES.get(asset, UNKNOWN_PRICE)))


def _rounded(usd: float, price: Decimal) -> Decimal:
    """Return what that many USD are, of one significant digit, as venues like their limits."""
    return Decimal(f"{Decimal(repr(usd)) / price:.0e}")


def _money(usd: float, price: Decimal) -> int:
    return int(_rounded(usd, price) * Decimal(10) ** MONEY_DECIMALS)
