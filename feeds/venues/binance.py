"""Binance.com spot: REST book spliced with diffs every 100 ms; best quotes and prints at once.

Facts from ``venues/binance.md``, read 2026-11-21.  The splice, in the venue's own steps: buffer
the diffs (1), fetch the book (2), drop diffs with ``u <= lastUpdateId`` (3), the first kept one
has ``U <= lastUpdateId + 1 <= u`` (4), then each ``U`` is the previous ``u`` plus one (5).
"""

from collections.abc import Iterator, Sequence
from typing import Final

from engine.model.errors import UnknownInstrument
from engine.model.instrument import Pair
from feeds.venue import KeepAlive, LevelText, Limits, Link, SnapshotFrom, Venue
from feeds.venues import binance_rest as rest
from feeds.venues import binance_wire as wire


def subscribe(symbols: Sequence[str]) -> Iterator[bytes]:
    """Yield the frames that ask for books and prints of ``symbols``."""
    return wire.requests(("depth@100ms", "trade"), symbols)


def subscribe_quotes(symbols: Sequence[str]) -> Iterator[bytes]:
    """Yield the frames that ask for the best quotes of ``symbols``, sent at every change."""
    return wire.requests(("bookTicker",), symbols)


def native(name: str) -> str:
    """Return "BTCUSDT" for "BTC/USDT"; raise UnknownInstrument for a perpetual."""
    pair = Pair.parse(name)
    if pair.settle:
        raise UnknownInstrument(f"{name}: spot only here; perpetuals are at binance-usdm")
    return pair.base + pair.quote


VENUE: Final = Venue(
    name="binance",
    market="binance.spot",
    ws_url="wss://stream.binance.com:9443/stream",
    rest_url="https://api.binance.com",
    level_text=LevelText.PAIRS,
    link=Link.FIRST_IS_NEXT,
    snapshot_from=SnapshotFrom.REST,
    splice_overlap=1,
    limits=Limits(
        symbols_per_connection=200,  # three streams each, of 1024 allowed
        connects_per_minute=60,  # 300 per 5 minutes and address
        sends_per_second=4,  # 5, and pongs count
        snapshots_per_second=1.5,  # weight 50 each of 6000 a minute; a quarter is left to others
        lifetime_s=86_400.0,
    ),
    keep_alive=KeepAlive(silence_max_s=30.0),  # the venue pings every 20 s
    taker_fee_ppm=1_000,  # base tier, read 2026-11-21
    maker_fee_ppm=1_000,
    subscribe=subscribe,
    subscribe_quotes=subscribe_quotes,
    resubscribe=lambda _symbol: iter(()),  # a fresh REST book suffices
    decode=wire.decode,
    native=native,
    snapshot_path=lambda symbol: f"/api/v3/depth?symbol={symbol}&limit=1000",
    snapshot_levels=1000,
    decode_snapshot=rest.decode_snapshot,
    # the whole list: asked for by name, one unknown symbol refuses the rest with -1121
    catalogue_path=lambda _symbols: "/api/v3/exchangeInfo",
    decode_catalogue=rest.decode_catalogue,
    reads=lambda url: "/stream" in url or "/ws" in url,
)
