"""REST books and catalogues as all Binance markets write them.

Facts from ``venues/binance.md``, read 2026-11-21.  Numbers are strings; a reader meets both
NOTIONAL and the older MIN_NOTIONAL.
"""

from collections.abc import Sequence

import msgspec

from feeds.envelope import NS_PER_MS, Id, Millis, decoder
from feeds.venue import Listing, Snapshot


class _Depth(msgspec.Struct, gc=False):
    lastUpdateId: Id  # noqa: N815 (the venue's spelling)
    bids: msgspec.Raw
    asks: msgspec.Raw
    T: Millis = 0  # USD-M alone


class _Filter(msgspec.Struct, rename="camel"):
    filter_type: str
    tick_size: str = "0"
    step_size: str = "0"
    min_qty: str = "0"
    min_notional: str = ""  # NOTIONAL, and the older MIN_NOTIONAL
    notional: str = "0"  # MIN_NOTIONAL of USD-M


class _Symbol(msgspec.Struct, rename="camel"):
    symbol: str
    status: str
    base_asset: str
    quote_asset: str
    filters: list[_Filter]
    contract_type: str = ""  # empty on spot
    margin_asset: str = ""


class _Catalogue(msgspec.Struct):
    symbols: list[_Symbol]


_parse_depth = decoder(_Depth)
_parse_catalogue = decoder(_Catalogue)


def decode_snapshot(symbol: str, body: bytes) -> Snapshot:
    """Return the book in the answer to a depth request; it names no symbol itself."""
    book = _parse_depth(body)
    return Snapshot(symbol, book.bids, book.asks, book.lastUpdateId, venue_ns=book.T * NS_PER_MS)


def decode_catalogue(body: bytes) -> Sequence[Listing]:
    """Return the spot symbols and perpetuals of an exchangeInfo; dated futures are left out."""
    symbols = _parse_catalogue(body).symbols
    return [_listing(it) for it in symbols if it.contract_type in ("", "PERPETUAL")]


def _listing(it: _Symbol) -> Listing:
    rules = {rule.filter_type: rule for rule in it.filters}
    empty = _Filter("")
    lot = rules.get("LOT_SIZE", empty)
    notional = rules.get("NOTIONAL") or rules.get("MIN_NOTIONAL", empty)
    settle = f":{it.margin_asset}" if it.contract_type else ""
    return Listing(
        native=it.symbol, pair=f"{it.base_asset}/{it.quote_asset}{settle}",
        tick=rules.get("PRICE_FILTER", empty).tick_size, lot=lot.step_size, size_min=lot.min_qty,
        notional_min=notional.min_notional or notional.notional, trading=it.status == "TRADING",
    )
