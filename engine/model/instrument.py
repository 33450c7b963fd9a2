"""Pairs and instruments: what a venue lists, under one name everywhere.

Names follow the ccxt unified convention: ``BTC/USDT`` is spot, ``BTC/USDT:USDT`` the linear
perpetual settled in USDT.  A *group* is all instruments of one base and quote, whatever their
kind: those are the ones whose books are compared.
"""

from enum import IntEnum

import msgspec


class Kind(IntEnum):
    """What one unit of the instrument is; equal to ``shm.layout.InstrumentKind``."""

    SPOT = 1
    PERPETUAL = 2


class Pair(msgspec.Struct, frozen=True, order=True):
    """A unified name taken apart."""

    base: str
    quote: str
    settle: str = ""  # empty for spot

    @classmethod
    def parse(cls, name: str) -> "Pair":
        """Take ``BTC/USDT`` or ``BTC/USDT:USDT`` apart; raise ValueError otherwise."""
        head, _, settle = name.partition(":")
        base, slash, quote = head.partition("/")
        if not (slash and base and quote) or (":" in name and not settle):
            raise ValueError(
                f"{name!r} is not a symbol; right would be BTC/USDT, "
                "or BTC/USDT:USDT for a perpetual"
            )
        return cls(base, quote, settle)

    @property
    def name(self) -> str:
        """Return the unified name."""
        return f"{self.base}/{self.quote}" + (f":{self.settle}" if self.settle else "")

    @property
    def group(self) -> str:
        """Return base and quote alone: the name shared by spot and perpetual."""
        return f"{self.base}/{self.quote}"

    @property
    def kind(self) -> Kind:
        """Return what is traded."""
        return Kind.PERPETUAL if self.settle else Kind.SPOT


class Instrument(msgspec.Struct, frozen=True):
    """One pair at one venue, as every process of a run knows it.

    ``index`` counts over the whole engine, ``local_index`` within the venue; both follow the
    config's order, so every process derives the same table from the same config.  What only
    the venue knows (its spelling, tick, lot, fees, status) stands in the instruments segment,
    written by the feed.
    """

    index: int
    local_index: int
    venue: str  # the venue's name in the config
    venue_index: int
    pair: Pair
    group_index: int
    price_decimals: int  # one price quantum is 10**-price_decimals
    size_decimals: int

    @property
    def name(self) -> str:
        """Return the unified name of the pair."""
        return self.pair.name
