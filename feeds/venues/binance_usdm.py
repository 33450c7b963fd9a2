"""Binance USD-M perpetuals: like spot, but linked by ``pu`` and split over two endpoints.

Facts from ``venues/binance.md``, read 2026-11-21.  Different from spot: the first kept diff has
``U <= lastUpdateId <= u``, then ``pu`` equals the previous ``u`` (``U`` and ``u`` themselves jump).
Since 2026-03-06 books and quotes come from ``/public``, prints and mark prices from ``/market``;
the old root still acknowledges everything but keeps silent on some streams.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from engine.model.errors import UnknownInstrument
from engine.model.instrument import Pair
from feeds.venue import KeepAlive, Limits, Link
from feeds.venues import binance
from feeds.venues import binance_wire as wire


def subscribe(symbols: Sequence[str]) -> Iterator[bytes]:
    """Yield the frames that ask for books of ``symbols``."""
    return wire.requests(("depth@100ms",), symbols)


def subscribe_prints(symbols: Sequence[str]) -> Iterator[bytes]:
    """Yield the frames that ask for prints of ``symbols``, at the endpoint of their own."""
    return wire.requests(("aggTrade",), symbols)


def native(name: str) -> str:
    """Return "BTCUSDT" for "BTC/USDT:USDT"; raise UnknownInstrument for anything not linear."""
    pair = Pair.parse(name)
    if pair.settle != pair.quote:
        raise UnknownInstrument(f"{name}: linear perpetuals only, for instance BTC/USDT:USDT")
    return pair.base + pair.quote


VENUE: Final = replace(
    binance.VENUE,
    name="binance-usdm",
    market="binance.usdm",
    ws_url="wss://fstream.binance.com/public/stream",
    prints_url="wss://fstream.binance.com/market/stream",
    rest_url="https://fapi.binance.com",
    link=Link.PREVIOUS_IS_LAST,
    splice_overlap=0,
    limits=Limits(
        symbols_per_connection=100,  # 200 streams, the older and smaller of two published bounds
        connects_per_minute=60,
        sends_per_second=8,  # 10, and pongs count
        snapshots_per_second=1.0,  # weight 20 each of 2400 a minute; half is left to others
        lifetime_s=86_400.0,
    ),
    keep_alive=KeepAlive(silence_max_s=30.0),  # the venue pings every 3 minutes: we ping too
    taker_fee_ppm=500,  # VIP 0 by general knowledge, not in the sheet
    maker_fee_ppm=200,
    subscribe=subscribe,
    subscribe_prints=subscribe_prints,
    native=native,
    snapshot_path=lambda symbol: f"/fapi/v1/depth?symbol={symbol}&limit=1000",
    snapshot_levels=1000,
    catalogue_path=lambda _symbols: "/fapi/v1/exchangeInfo",
)
