"""Kraken spot, WebSocket v2: a snapshot in the stream, then changes kept honest by a CRC32.

1. Subscribe ``book``; the ack names the depth, then a snapshot comes.
2. Apply each update in array order (one message may change a level four times).
3. Cut both sides to the subscribed depth: levels pushed out are never deleted by message.
4. Compare the CRC32 of the top 10; on mismatch unsubscribe and subscribe again.

There is no sequence number.  ``book`` is real time, so ``ticker`` would add nothing.
150 connects in 10 minutes bring a ban that covers REST too; the send rate is our own choice.
Source: shared/venues/kraken.md (docs.kraken.com; recorded frames of 2026-08), read 2026-11-21.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from engine.model.errors import DecodeError
from feeds import venue
from feeds.envelope import ABSENT, Id, decoder, malformed, number, unix_ns
from feeds.venues.kraken_rest import decode_catalogue, native

DEPTH: Final = 1000  # of 10, 25, 100, 500 and 1000
_TAKER: Final = {"buy": 1, "sell": -1}  # ``side`` of a trade is the taker's
_LIFE: Final = frozenset({"heartbeat", "status", "ticker"})
_ALIVE: Final = venue.Alive()


class _Row(msgspec.Struct, gc=False):
    """One element of ``data``, whatever the channel, or a ``result``; numbers stay as sent."""

    channel: str = ""
    depth: Annotated[int, Meta(ge=0, le=DEPTH)] = 0
    symbol: str = ""
    timestamp: str = ""
    bids: msgspec.Raw = venue.NO_LEVELS
    asks: msgspec.Raw = venue.NO_LEVELS
    checksum: Id = venue.NO_CHECKSUM
    side: str = ""
    price: msgspec.Raw = ABSENT
    qty: msgspec.Raw = ABSENT
    trade_id: Id = 0


class _Message(msgspec.Struct, gc=False, rename={"kind": "type", "refused": "Error"}):
    channel: str = ""
    kind: str = ""
    data: list[_Row] = []
    method: str = ""
    success: bool = True
    error: str = ""
    symbol: str = ""
    result: _Row | None = None
    refused: str = ""  # {"Error":"Exceeded msg rate"}


_parse = decoder(_Message)


def _request(method: str, **params: object) -> bytes:
    return msgspec.json.encode({"method": method, "params": params})


def subscribe(symbols: Sequence[str]) -> Iterator[bytes]:
    """Yield the requests for books and trades of ``symbols``, spelled "BTC/USD"."""
    yield _request("subscribe", channel="book", symbol=symbols, depth=DEPTH, snapshot=True)
    yield _request("subscribe", channel="trade", symbol=symbols, snapshot=False)


def resubscribe(symbol: str) -> Iterator[bytes]:
    """Yield the requests that bring a new snapshot of one symbol's book."""
    yield _request("unsubscribe", channel="book", symbol=[symbol], depth=DEPTH)
    yield _request("subscribe", channel="book", symbol=[symbol], depth=DEPTH, snapshot=True)


def decode(frame: venue.Frame) -> Sequence[venue.Event]:
    """Return the events in ``frame``; raise DecodeError on what the sheet does not allow."""
    message = _parse(frame)
    kind, done = (message.channel, message.kind), message.result
    if message.channel in _LIFE or message.method == "pong" or kind == ("trade", "snapshot"):
        return (_ALIVE,)  # the trade snapshot is history
    if message.channel:
        if message.kind not in {"snapshot", "update"} or not message.data:
            raise DecodeError(f"{kind} without data")
        return [_event(kind, row) for row in message.data]
    if message.refused or message.error or not message.success:
        return (venue.Rejected(message.refused or message.error or "no reason", message.symbol),)
    if done is None or message.method not in {"subscribe", "unsubscribe"}:
        raise malformed(frame, "neither a channel nor an answer")
    if message.method == "subscribe":
        return (venue.Subscribed(done.symbol, done.channel, done.depth),)
    return (venue.BookLost(done.symbol, "unsubscribed") if done.channel == "book" else _ALIVE,)


def _event(kind: tuple[str, str], row: _Row) -> venue.Event:
    at_ns = unix_ns(row.timestamp) if row.timestamp else 0  # documented snapshots carry no time
    sides = row.bids is not venue.NO_LEVELS or row.asks is not venue.NO_LEVELS
    if not row.symbol:
        raise DecodeError(f"{kind} names no symbol")
    if kind == ("book", "snapshot") and sides and row.checksum >= 0:
        return venue.Snapshot(row.symbol, row.bids, row.asks, 0, 0, at_ns, row.checksum)
    if kind == ("book", "update") and sides and at_ns and row.checksum >= 0:
        return venue.Delta(row.symbol, row.bids, row.asks, 0, 0, 0, at_ns, row.checksum)
    if kind[0] == "trade" and row.side in _TAKER:
        price, size = number(row.price), number(row.qty)
        return venue.Trade(row.symbol, price, size, _TAKER[row.side], row.trade_id, at_ns)
    raise DecodeError(f"{kind} of {row.symbol!r} lacks a field")


VENUE: Final = venue.Venue(
    name="kraken", market="kraken.spot",
    ws_url="wss://ws.kraken.com/v2", rest_url="https://api.kraken.com",
    level_text=venue.LevelText.OBJECTS, link=venue.Link.ORDER_ONLY,
    snapshot_from=venue.SnapshotFrom.STREAM, checksum=venue.Checksum.KRAKEN, vouched_depth=10,
    truncate_depth=DEPTH, book_depth=DEPTH,
    limits=venue.Limits(50, connects_per_minute=10, sends_per_second=5, snapshots_per_second=1.0),
    # a heartbeat comes every second; without activity Kraken closes after a minute
    keep_alive=venue.KeepAlive(silence_max_s=8.0, ping=b'{"method":"ping"}', ping_every_s=20.0),
    taker_fee_ppm=4_000, maker_fee_ppm=2_500,  # entry tier of AssetPairs, November 2025
    subscribe=subscribe, resubscribe=resubscribe, decode=decode, native=native,
    catalogue_path=lambda _symbols: "/0/public/AssetPairs", decode_catalogue=decode_catalogue,
    reads=lambda url: url.rstrip("/").endswith("ws.kraken.com/v2"),
)
