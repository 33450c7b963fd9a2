"""One line as Kraken names and prints it.

Kraken prints a number with all decimals of its pair.  Ours are exact: where the matching engine's
arithmetic needs more decimals than Kraken would round to (costs, fees, balances), more are
printed, so that what a client adds up equals the truth ledger.
"""

from collections.abc import Iterable
from typing import Final

import orjson

from engine.model.quanta import from_quanta, plain
from ops.sim.exchange.filters import Filters
from ops.sim.exchange.symbols import Symbol
from ops.sim.faces.kraken import names
from ops.sim.floor import Floor
from ops.sim.listing import PRICES, UNKNOWN_PRICE, Line
from ops.sim.rules import MONEY_DECIMALS

COST_DECIMALS: Final = 5
PRICE_DECIMALS_MIN: Final = 5  # of prices in REST texts
MONEY_UNIT: Final = 10**MONEY_DECIMALS
ASSET_DECIMALS: Final = 10  # of coins; of money:
CURRENCY_DECIMALS: Final = 4


def padded(quanta: int, decimals: int, least: int) -> str:
    """Write quanta exactly, with at least ``least`` decimals."""
    text = plain(from_quanta(quanta, decimals))
    whole, _, fraction = text.partition(".")
    fraction = fraction.ljust(least, "0")
    return f"{whole}.{fraction}" if fraction else whole


def money(amount: int, least: int = COST_DECIMALS) -> str:
    """Write an amount of any asset."""
    return padded(amount, MONEY_DECIMALS, least)


def balance_decimals(asset: str) -> int:
    """Return how many decimals Kraken keeps of an asset."""
    return CURRENCY_DECIMALS if asset in names.MONEY else ASSET_DECIMALS


def long_price(line: Line, price: int) -> str:
    """Write a price in the line's own quanta with five decimals or more, as REST and v1 do."""
    whole, _, fraction = line.price(price).partition(".")
    return f"{whole}.{fraction.ljust(PRICE_DECIMALS_MIN, '0')}"


def number(text: str) -> orjson.Fragment:
    """Put a decimal text into JSON as a number, digit by digit."""
    return orjson.Fragment(text)


class Instrument:
    """A line with its names, its symbol and its forms of numbers."""

    def __init__(self, line: Line, floor: Floor) -> None:
        self.line, self._floor = line, floor
        self.native = line.native
        base, quote = line.pair.base, line.pair.quote
        self.base, self.quote = base, quote
        self.altname, self.key = names.altname(base, quote), names.key(base, quote)
        self.wsname = f"{names.short(base)}/{names.short(quote)}"

    @property
    def symbol(self) -> Symbol:
        """Return the matching engine's symbol."""
        return self._floor.exchange.listed[self.native].symbol

    @property
    def filters(self) -> Filters:
        """Return the limits in force."""
        return self._floor.filters(self.native)

    def price(self, quanta: int, least: int | None = None) -> str:
        """Write a price in the symbol's quanta, by default with all decimals of the pair."""
        digits = self.line.tick_decimals if least is None else least
        return padded(quanta, self.symbol.price_decimals, digits)

    def long_price(self, quanta: int) -> str:
        """Write a price as REST does, with five decimals or more."""
        return self.price(quanta, max(PRICE_DECIMALS_MIN, self.line.tick_decimals))

    def size(self, quanta: int) -> str:
        """Write a size in the symbol's quanta."""
        return padded(quanta, self.symbol.size_decimals, self.line.lot_decimals)

    def tick(self) -> str:
        """Write the price step in force."""
        return plain(self.price(self.filters.tick))

    def size_min(self) -> str:
        """Write the least size in force, without trailing zeros."""
        return plain(self.size(self.filters.size_min))

    def average(self, value: int, filled: int) -> int:
        """Return the price, in the symbol's quanta, at which ``filled`` came to ``value``."""
        return value // (filled * self.symbol.quote_factor) if filled else 0


def by_name(instruments: Iterable[Instrument]) -> dict[str, Instrument]:
    """Return every spelling that REST understands."""
    return {
        name: each for each in instruments
        for name in (each.key, each.altname, each.wsname, each.native)
    }


def usd_rate(asset: str, floor: Floor) -> int:
    """Return what one unit of an asset is worth in USD, in money quanta."""
    if asset == "USD":
        return MONEY_UNIT
    native = f"{asset}/USD"
    listed = floor.exchange.listed.get(native)
    if listed is not None and (mid := floor.mid(native)):
        return mid * MONEY_UNIT // int(10**listed.symbol.price_decimals)
    return round(PRICES.get(asset, UNKNOWN_PRICE) * 1e6) * (MONEY_UNIT // 10**6)


def in_usd(asset: str, amount: int, floor: Floor) -> int:
    """Return what an amount is worth in USD, in money quanta."""
    return amount * usd_rate(asset, floor) // MONEY_UNIT
