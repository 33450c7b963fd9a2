"""What is traded: assets and symbols, with the decimals that make every product exact.

A price counts quanta of ``10**-price_decimals``, a size quanta of ``10**-size_decimals``, money
quanta of its asset.  The quote asset has at least as many decimals as price and size together,
so price times size is always a whole number of its quanta: only fees, funding and average
entries ever round, and always towards zero.
"""

import msgspec


class Asset(msgspec.Struct, frozen=True):
    """A currency; one quantum of it is 10**-decimals."""

    name: str
    decimals: int


class Symbol(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument: spot, or a linear perpetual settled in its quote asset."""

    name: str
    base: str  # of a perpetual: the symbol's own name, as its contracts are what is held
    quote: str
    price_decimals: int
    size_decimals: int
    base_factor: int  # base quanta in one size quantum
    quote_factor: int  # quote quanta in one price quantum times one size quantum
    margin_ppm: int = 0  # initial margin of a perpetual; 0 is spot

    @property
    def perpetual(self) -> bool:
        """Return whether positions are held instead of the base asset."""
        return self.margin_ppm > 0

    def amount(self, size: int) -> int:
        """Return ``size`` in quanta of the base asset."""
        return size * self.base_factor

    def value(self, price: int, size: int) -> int:
        """Return price times size in quanta of the quote asset, exactly."""
        return price * size * self.quote_factor


def spot(
    name: str, base: Asset, quote: Asset, *, price_decimals: int, size_decimals: int
) -> Symbol:
    """List a spot symbol; raise ValueError if its products would not be whole quanta."""
    if base.decimals < size_decimals:
        raise ValueError(f"{name}: {base.name} needs at least {size_decimals} decimals")
    return Symbol(
        name=name, base=base.name, quote=quote.name,
        price_decimals=price_decimals, size_decimals=size_decimals,
        base_factor=10 ** (base.decimals - size_decimals),
        quote_factor=_quote_factor(name, quote, price_decimals + size_decimals),
    )


def perpetual(
    name: str, settle: Asset, *, price_decimals: int, size_decimals: int, margin_ppm: int
) -> Symbol:
    """List a linear perpetual with an initial margin of ``margin_ppm``; raise as ``spot`` does."""
    if margin_ppm <= 0:
        raise ValueError(f"{name}: a perpetual needs an initial margin above 0")
    return Symbol(
        name=name, base=name, quote=settle.name, margin_ppm=margin_ppm,
        price_decimals=price_decimals, size_decimals=size_decimals, base_factor=1,
        quote_factor=_quote_factor(name, settle, price_decimals + size_decimals),
    )


def _quote_factor(name: str, quote: Asset, decimals: int) -> int:
    if quote.decimals < decimals:
        raise ValueError(f"{name}: {quote.name} needs at least {decimals} decimals")
    factor: int = 10 ** (quote.decimals - decimals)
    return factor
