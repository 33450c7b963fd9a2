"""OKX spot: the stream brings its own snapshot, updates are linked by ``prevSeqId``.

Facts from ``venues/okx.md``, read 2026-11-21.  After a minute without change an empty update
repeats the last id; after maintenance ``seqId`` may go down: only the link counts.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from engine.model.errors import UnknownInstrument
from engine.model.instrument import Pair
from feeds.venue import Checksum, KeepAlive, LevelText, Limits, Link, SnapshotFrom, Venue
from feeds.venues import okx_rest, okx_wire


def _request(operation: str, channels: Sequence[str], symbols: Sequence[str]) -> bytes:
    args = [{"channel": channel, "instId": name} for channel in channels for name in symbols]
    return msgspec.json.encode({"op": operation, "args": args})


def subscribe(symbols: Sequence[str]) -> Iterator[bytes]:
    """Yield the frame that asks for books (400 levels) and prints of ``symbols``."""
    yield _request("subscribe", ("books", "trades"), symbols)


def subscribe_quotes(symbols: Sequence[str]) -> Iterator[bytes]:
    """Yield the frame that asks for the best quotes of ``symbols``, every 10 ms."""
    yield _request("subscribe", ("bbo-tbt",), symbols)


def resubscribe(symbol: str) -> Iterator[bytes]:
    """Yield the frames after which the venue sends the book of ``symbol`` afresh."""
    yield _request("unsubscribe", ("books",), (symbol,))
    yield _request("subscribe", ("books",), (symbol,))


def native(name: str) -> str:
    """Return "BTC-USDT" for "BTC/USDT"; raise UnknownInstrument for a perpetual."""
    pair = Pair.parse(name)
    if pair.settle:
        raise UnknownInstrument(f"{name}: spot only here")
    return f"{pair.base}-{pair.quote}"


VENUE: Final = Venue(
    name="okx",
    market="okx.spot",
    ws_url="wss://ws.okx.com:8443/ws/v5/public",
    rest_url="https://openapi.okx.com",
    level_text=LevelText.PAIRS,
    link=Link.PREVIOUS_IS_LAST,
    snapshot_from=SnapshotFrom.STREAM,
    checksum=Checksum.OKX,  # 0, not sent, since 2026-06-23
    book_depth=400,
    limits=Limits(
        symbols_per_connection=30,  # more books than that are discouraged
        connects_per_minute=60,  # 3 a second and address
        sends_per_second=2,  # 480 requests an hour and connection
        snapshots_per_second=0.0,
    ),
    keep_alive=KeepAlive(  # the venue closes after 30 s without a push
        silence_max_s=25.0, ping=b"ping", ping_every_s=15.0, pong=okx_wire.PONG,
    ),
    taker_fee_ppm=1_000,  # Lv1, read 2026-11-21
    maker_fee_ppm=800,
    subscribe=subscribe,
    subscribe_quotes=subscribe_quotes,
    resubscribe=resubscribe,
    decode=okx_wire.decode,
    native=native,
    catalogue_path=lambda _symbols: "/api/v5/public/instruments?instType=SPOT",
    decode_catalogue=okx_rest.decode_catalogue,
    reads=lambda url: "/ws/v5/" in url,
)
