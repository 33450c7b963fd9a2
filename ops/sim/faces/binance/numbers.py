"""How Binance spot writes the matching engine's numbers: eight decimals, or four on .US quotes.

Numbers finer than that, which only a recording can bring, are written in full: what clients add
up must equal what the venue has.
"""

from collections.abc import Mapping
from typing import Final

from engine.model.quanta import from_quanta
from ops.sim.floor import Floor
from ops.sim.listing import WIRES, Line
from ops.sim.rules import MONEY_DECIMALS

WIRE_DECIMALS: Final = 8


def fixed(quanta: int, decimals: int, wire: int = WIRE_DECIMALS) -> str:
    """Write ``quanta`` of ``10**-decimals`` with ``wire`` decimals, or more if it needs them."""
    text = from_quanta(quanta, decimals)
    if decimals <= wire:
        return text + ("" if decimals or not wire else ".") + "0" * (wire - decimals)
    cut = len(text) - (decimals - wire)
    return text[:cut] + text[cut:].rstrip("0")


class Numbers:
    """Writes prices, sizes and amounts of one venue's symbols."""

    def __init__(self, floor: Floor, lines: Mapping[str, Line]) -> None:
        listed = floor.exchange.listed
        self._symbols = {native: listed[native].symbol for native in lines}
        self._price_wire = {
            native: WIRE_DECIMALS if line.recorded else WIRES[line.venue].price_wire
            or WIRE_DECIMALS for native, line in lines.items()}

    def price(self, native: str, quanta: int) -> str:
        """Write a price."""
        return fixed(quanta, self._symbols[native].price_decimals, self._price_wire[native])

    def size(self, native: str, quanta: int) -> str:
        """Write a size."""
        return fixed(quanta, self._symbols[native].size_decimals)

    def value(self, native: str, quanta: int) -> str:
        """Write an amount of the symbol's quote asset."""
        return fixed(quanta, MONEY_DECIMALS, self._price_wire[native])

    def value_of(self, native: str, price: int, size: int) -> str:
        """Write what ``size`` is worth at ``price``."""
        return self.value(native, self._symbols[native].value(price, size))

    @staticmethod
    def money(quanta: int) -> str:
        """Write an amount of any asset."""
        return fixed(quanta, MONEY_DECIMALS)
