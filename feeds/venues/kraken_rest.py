"""Kraken's catalogue (REST AssetPairs) and its spellings: BTC/USD in v2 is XBT/USD in REST and v1.

Source: shared/venues/kraken.md, read 2026-11-21.  The whole list is asked for, since one unknown
pair in the query would make Kraken refuse all of it.
"""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from engine.model.errors import DecodeError, UnknownInstrument
from engine.model.instrument import Kind, Pair
from engine.model.quanta import from_quanta
from feeds.envelope import Number, decoder
from feeds.venue import Listing

_UNIFIED: Final = {"XBT": "BTC", "XDG": "DOGE"}
_OLD: Final = {new: old for old, new in _UNIFIED.items()}


class _Pair(msgspec.Struct, gc=False):
    lot_decimals: Annotated[int, Meta(ge=0, le=18)]
    pair_decimals: Annotated[int, Meta(ge=0, le=18)]
    ordermin: Number
    status: str
    wsname: str = ""  # absent from pairs that have no stream
    tick_size: Number = ""
    costmin: Number = "0"


class _Catalogue(msgspec.Struct, gc=False):
    error: list[str]
    result: dict[str, _Pair] = {}


_parse = decoder(_Catalogue)


def decode_catalogue(body: bytes) -> Sequence[Listing]:
    """Return every streamed pair of AssetPairs; raise DecodeError when Kraken answers an error."""
    catalogue = _parse(body)
    if catalogue.error:
        raise DecodeError("AssetPairs: " + ", ".join(catalogue.error))
    return [_listing(pair) for pair in catalogue.result.values() if pair.wsname.count("/") == 1]


def _listing(pair: _Pair) -> Listing:
    name = respell(pair.wsname, _UNIFIED)
    return Listing(
        native=name, pair=name, tick=pair.tick_size or from_quanta(1, pair.pair_decimals),
        lot=from_quanta(1, pair.lot_decimals), size_min=pair.ordermin, notional_min=pair.costmin,
        trading=pair.status == "online",
    )


def respell(name: str, spelling: dict[str, str]) -> str:
    """Return ``name`` with each asset written as in ``spelling`` where it stands there."""
    return "/".join(spelling.get(asset, asset) for asset in name.split("/"))


def native(name: str) -> str:
    """Return the spelling of v2, which is the unified one; raise UnknownInstrument otherwise."""
    if Pair.parse(name).kind is not Kind.SPOT:
        raise UnknownInstrument(f"kraken: {name} is not spot; perpetuals are another market")
    return name


def native_v1(name: str) -> str:
    """Return the spelling of v1 and REST: ``XBT/USD``."""
    return respell(native(name), _OLD)
