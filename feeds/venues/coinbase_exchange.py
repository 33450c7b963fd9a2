"""Coinbase Exchange feed: a snapshot in the stream, then batches of changes, without any number.

The channel promises delivery: a break shows as a disconnect, a crossed book or silence only.
``level2_batch`` (50 ms) is public, ``level2`` of the same shapes needs a key.  ``ticker`` comes
with each trade, before the batch.  The side of a ``match`` is the maker's (measured: 60 of 60),
that of a ``ticker`` the taker's.  ``last_match`` is history.

Source: shared/venues/coinbase.md (and its recorded frames of 2021-04), read 2026-11-21.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from feeds import venue
from feeds.envelope import ABSENT, Id, Number, decoder, malformed, unix_ns
from feeds.venues.coinbase_rest import decode_exchange_catalogue, native

_TAKER: Final = {"buy": -1, "sell": 1}  # ``side`` of a match is the maker's
_LIFE: Final = frozenset({"heartbeat", "last_match", "subscriptions"})


class _Channel(msgspec.Struct, gc=False):
    name: str
    product_ids: list[str] = []


class _Message(msgspec.Struct, gc=False, rename={"kind": "type"}):
    kind: str
    product_id: str = ""
    time: str = ""
    bids: msgspec.Raw = ABSENT
    asks: msgspec.Raw = ABSENT
    changes: msgspec.Raw = ABSENT
    side: str = ""
    price: Number = ""
    size: Number = ""
    trade_id: Id = 0
    best_bid: Number = ""
    best_bid_size: Number = ""  # absent in recordings of 2021
    best_ask: Number = ""
    best_ask_size: Number = ""
    channels: list[_Channel] = []
    message: str = ""
    reason: str = ""


_parse = decoder(_Message)


def _request(kind: str, symbols: Sequence[str], *channels: str) -> bytes:
    return msgspec.json.encode({"type": kind, "product_ids": symbols, "channels": channels})


def subscribe(symbols: Sequence[str]) -> Iterator[bytes]:
    """Yield the request for books, prints and heartbeats of ``symbols``: "BTC-USD"."""
    yield _request("subscribe", symbols, "level2_batch", "matches", "heartbeat")


def subscribe_quotes(symbols: Sequence[str]) -> Iterator[bytes]:
    """Yield the request for the best quotes of ``symbols``."""
    yield _request("subscribe", symbols, "ticker")


def resubscribe(symbol: str) -> Iterator[bytes]:
    """Yield the requests that bring a new snapshot of one symbol's book."""
    yield _request("unsubscribe", [symbol], "level2_batch")
    yield _request("subscribe", [symbol], "level2_batch")


def decode(frame: venue.Frame) -> Sequence[venue.Event]:
    """Return the events in ``frame``; raise DecodeError on what the sheet does not allow."""
    message = _parse(frame)
    kind, symbol = message.kind, message.product_id
    if kind in _LIFE:
        return [
            venue.Subscribed(name, channel.name)
            for channel in message.channels for name in channel.product_ids
        ] or (venue.Alive(),)
    if kind == "error":
        return (venue.Rejected(": ".join(filter(None, (message.message, message.reason)))),)
    if kind == "snapshot" and symbol:
        levels = _sided(frame, message.bids, message.asks)
        return (venue.Snapshot(symbol, levels, venue.NO_LEVELS),)
    if not (symbol and message.time):
        raise malformed(frame, f"{kind!r} without product or time")
    at_ns = unix_ns(message.time)
    if kind == "l2update" and message.changes is not ABSENT:
        return (venue.Delta(symbol, message.changes, venue.NO_LEVELS, venue_ns=at_ns),)
    if kind == "match" and message.side in _TAKER and message.price and message.size:
        side = _TAKER[message.side]
        return (venue.Trade(symbol, message.price, message.size, side, message.trade_id, at_ns),)
    if kind == "ticker":
        quote = message.best_bid, message.best_bid_size, message.best_ask, message.best_ask_size
        return (venue.Quote(symbol, *quote, 0, at_ns) if all(quote) else venue.Alive(),)
    raise malformed(frame, f"{kind!r} lacks a field")


def _sided(frame: venue.Frame, bids: msgspec.Raw, asks: msgspec.Raw) -> msgspec.Raw:
    """Write a snapshot's two sides as its changes are written: one text, each row with its side.

    Text to text, once per subscription, so that one level parser serves the venue.
    """
    rows = []
    for side, raw in ((b'["buy","', bytes(bids)), (b'["sell","', bytes(asks))):
        if not raw.startswith(b"["):
            raise malformed(frame, "a snapshot without a side")
        rows.append(raw[1:-1].replace(b'["', side))
    return msgspec.Raw(b"[" + b",".join(filter(None, rows)) + b"]")


VENUE: Final = venue.Venue(
    name="coinbase-exchange", market="coinbase.spot",
    ws_url="wss://ws-feed.exchange.coinbase.com", rest_url="https://api.exchange.coinbase.com",
    level_text=venue.LevelText.SIDED_PAIRS, link=venue.Link.ORDER_ONLY,
    snapshot_from=venue.SnapshotFrom.STREAM,
    limits=venue.Limits(20, connects_per_minute=60, sends_per_second=8, snapshots_per_second=1.0),
    keep_alive=venue.KeepAlive(silence_max_s=5.0),  # a heartbeat per product comes every second
    taker_fee_ppm=6_000, maker_fee_ppm=4_000,
    subscribe=subscribe, subscribe_quotes=subscribe_quotes, resubscribe=resubscribe,
    decode=decode, native=native,
    catalogue_path=lambda _symbols: "/products", decode_catalogue=decode_exchange_catalogue,
    reads=lambda url: "ws-feed.pro.coinbase.com" in url or "ws-feed.exchange.coinbase.com" in url,
)
