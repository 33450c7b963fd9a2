"""The catalogues of Coinbase: Advanced Trade's products, the Exchange's products, one spelling.

Source: shared/venues/coinbase.md, read 2026-11-21.
"""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

import msgspec

from engine.model.errors import UnknownInstrument
from engine.model.instrument import Kind, Pair
from feeds.envelope import Number, decoder
from feeds.venue import Listing


class _State(msgspec.Struct, gc=False):
    """What bars trading, in both products' words."""

    status: str
    trading_disabled: bool = False
    cancel_only: bool = False
    auction_mode: bool = False
    is_disabled: bool = False
    view_only: bool = False

    @property
    def trading(self) -> bool:
        """Return whether a taker's order would be accepted."""
        return self.status == "online" and not (
            self.trading_disabled or self.cancel_only or self.auction_mode or self.is_disabled
            or self.view_only
        )


class _Product(_State, gc=False, kw_only=True):
    product_id: str
    base_currency_id: str
    quote_currency_id: str
    base_increment: Number
    quote_increment: Number
    price_increment: Number = ""
    base_min_size: Number = "0"
    quote_min_size: Number = "0"


class _Products(msgspec.Struct, gc=False):
    products: list[_Product]


class _ExchangeProduct(_State, gc=False, kw_only=True):
    id: str  # the venue's word
    base_currency: str
    quote_currency: str
    base_increment: Number
    quote_increment: Number
    base_min_size: Number = "0"  # gone since; 2021 had it
    min_market_funds: Number = "0"


_parse: Final = decoder(_Products)
_parse_exchange: Final = decoder(list[_ExchangeProduct])


def catalogue_path(symbols: Sequence[str]) -> str:
    """Return path and query of Advanced Trade's public list, restricted to ``symbols``."""
    wanted = [("product_type", "SPOT"), *(("product_ids", symbol) for symbol in symbols)]
    return f"/api/v3/brokerage/market/products?{urlencode(wanted)}"


def decode_catalogue(body: bytes) -> Sequence[Listing]:
    """Return Advanced Trade's products."""
    return [
        Listing(
            native=product.product_id,
            pair=f"{product.base_currency_id}/{product.quote_currency_id}",
            tick=product.price_increment or product.quote_increment, lot=product.base_increment,
            size_min=product.base_min_size, notional_min=product.quote_min_size,
            trading=product.trading,
        )
        for product in _parse(body).products
    ]


def decode_exchange_catalogue(body: bytes) -> Sequence[Listing]:
    """Return the Exchange's products."""
    return [
        Listing(
            native=product.id, pair=f"{product.base_currency}/{product.quote_currency}",
            tick=product.quote_increment, lot=product.base_increment,
            size_min=product.base_min_size, notional_min=product.min_market_funds,
            trading=product.trading,
        )
        for product in _parse_exchange(body)
    ]


def native(name: str) -> str:
    """Return ``BTC-USD`` for ``BTC/USD``; raise UnknownInstrument for what is not spot."""
    pair = Pair.parse(name)
    if pair.kind is not Kind.SPOT:
        raise UnknownInstrument(f"coinbase: {name} is not spot")
    return f"{pair.base}-{pair.quote}"
