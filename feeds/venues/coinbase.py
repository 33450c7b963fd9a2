"""Coinbase Advanced Trade: every message of a connection is numbered, whatever its channel.

1. Subscribe each channel within 5 s; ``level2`` answers as ``l2_data``, a snapshot first.
2. ``sequence_num`` starts at 0 and counts all messages of the connection, acks and heartbeats
   included.  A hole may concern any product: all books of the connection are lost.
3. There is neither a REST splice nor a checksum; asks are called ``offer``.

``level2`` is not throttled and ``ticker`` speaks only after trades, so it would add nothing.  The
side of a print is the maker's.  BTC-USDC shares BTC-USD's book and name: ask for BTC/USD.
Source: shared/venues/coinbase.md, read 2026-11-21.  Fees: tier "Advanced 1".
"""

from collections.abc import Iterator, Sequence
from typing import Final, Literal

import msgspec

from engine.model.errors import DecodeError
from feeds import venue
from feeds.envelope import ABSENT, Digits, Id, Number, decoder, malformed, unix_ns
from feeds.venues.coinbase_rest import catalogue_path, decode_catalogue, native

_TAKER: Final = {"BUY": -1, "SELL": 1}  # ``side`` is the maker's


class _Print(msgspec.Struct, gc=False):
    product_id: str
    trade_id: Digits
    price: Number
    size: Number
    time: str
    side: Literal["BUY", "SELL"]


class _Part(msgspec.Struct, gc=False, rename={"kind": "type"}):
    """One element of ``events``, whatever the channel."""

    kind: str = ""
    product_id: str = ""
    updates: msgspec.Raw = ABSENT
    trades: list[_Print] = []
    subscriptions: dict[str, list[str]] = {}


class _Message(msgspec.Struct, gc=False, rename={"kind": "type"}):
    channel: str = ""
    timestamp: str = ""
    sequence_num: Id | None = None
    events: list[_Part] = []
    kind: str = ""  # {"type":"error","message":"..."} and nothing else
    message: str = ""


_parse = decoder(_Message)


def _request(kind: str, channel: str, symbols: Sequence[str]) -> bytes:
    return msgspec.json.encode({"type": kind, "product_ids": symbols, "channel": channel})


def subscribe(symbols: Sequence[str]) -> Iterator[bytes]:
    """Yield the requests for heartbeats, books and prints of ``symbols``, spelled "BTC-USD"."""
    yield msgspec.json.encode({"type": "subscribe", "channel": "heartbeats"})
    yield _request("subscribe", "level2", symbols)
    yield _request("subscribe", "market_trades", symbols)


def resubscribe(symbol: str) -> Iterator[bytes]:
    """Yield the requests that bring a new snapshot of one symbol's book."""
    yield _request("unsubscribe", "level2", [symbol])
    yield _request("subscribe", "level2", [symbol])


def decode(frame: venue.Frame) -> Sequence[venue.Event]:
    """Return the number of ``frame``, then its events; raise DecodeError on garbage."""
    message = _parse(frame)
    if message.kind == "error":
        return (venue.Rejected(message.message or "no reason"),)
    if message.sequence_num is None:
        raise malformed(frame, "a message without a number")
    events: list[venue.Event] = [venue.Numbered(message.sequence_num)]
    at_ns = unix_ns(message.timestamp)
    if message.channel == "l2_data" and message.events:
        events += [_book(part, at_ns) for part in message.events]
    elif message.channel == "market_trades":
        events += [_trade(row) for part in message.events if part.kind == "update"
                   for row in sorted(part.trades, key=lambda row: int(row.trade_id))]
    elif message.channel == "subscriptions":
        events += [venue.Subscribed(symbol, channel) for part in message.events
                   for channel, symbols in part.subscriptions.items() for symbol in symbols]
    elif message.channel not in {"heartbeats", "ticker"}:
        raise malformed(frame, f"channel {message.channel!r}")
    return events


def _book(part: _Part, at_ns: int) -> venue.Event:
    if part.kind not in {"snapshot", "update"} or not part.product_id or part.updates is ABSENT:
        raise DecodeError(f"l2_data {part.kind!r} of {part.product_id!r} lacks a field")
    if part.kind == "snapshot":
        return venue.Snapshot(part.product_id, part.updates, venue.NO_LEVELS, venue_ns=at_ns)
    return venue.Delta(part.product_id, part.updates, venue.NO_LEVELS, venue_ns=at_ns)


def _trade(row: _Print) -> venue.Event:
    return venue.Trade(row.product_id, row.price, row.size, _TAKER[row.side], int(row.trade_id),
                       unix_ns(row.time))


VENUE: Final = venue.Venue(
    name="coinbase", market="coinbase.spot",
    ws_url="wss://advanced-trade-ws.coinbase.com",
    rest_url="https://api.coinbase.com",
    level_text=venue.LevelText.SIDED_OBJECTS, link=venue.Link.CONNECTION,
    snapshot_from=venue.SnapshotFrom.STREAM,
    # few products a connection, since a hole costs all of them
    limits=venue.Limits(10, connects_per_minute=60, sends_per_second=8, snapshots_per_second=1.0),
    keep_alive=venue.KeepAlive(silence_max_s=5.0),  # a heartbeat comes every second
    taker_fee_ppm=12_000, maker_fee_ppm=6_000,
    subscribe=subscribe, resubscribe=resubscribe, decode=decode, native=native,
    catalogue_path=catalogue_path, decode_catalogue=decode_catalogue,
    reads=lambda url: "advanced-trade-ws.coinbase.com" in url,
)
