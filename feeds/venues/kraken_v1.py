"""Kraken spot, WebSocket v1: frozen by the venue, decoded here because recordings outlive it.

A channel's message is an array: id, one or two maps, channel name, pair.  ``as``/``bs`` make a
snapshot; ``a``/``b`` are changes, whose rows may end in "r" (republished) and whose checksum
stands in the last map.  Snapshots carry none.  Times are per level, so messages have none.

Source: shared/venues/kraken.md (captures of 2021-04; spot-ws-book-v1), read 2026-11-21.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from engine.model.errors import DecodeError
from feeds import venue
from feeds.envelope import Digits, Number, decoder
from feeds.venues import kraken
from feeds.venues.kraken_rest import native_v1

_RENAME: Final = {"all_asks": "as", "all_bids": "bs", "asks": "a", "bids": "b", "checksum": "c"}


class _Sides(msgspec.Struct, gc=False, rename=_RENAME):
    all_asks: msgspec.Raw = venue.NO_LEVELS
    all_bids: msgspec.Raw = venue.NO_LEVELS
    asks: msgspec.Raw = venue.NO_LEVELS
    bids: msgspec.Raw = venue.NO_LEVELS
    checksum: Digits = ""


class _Event(msgspec.Struct, gc=False):
    event: Literal["heartbeat", "pong", "systemStatus", "subscriptionStatus", "error"]
    status: str = ""
    pair: str = ""
    channel_name: str = msgspec.field(name="channelName", default="")
    message: str = msgspec.field(name="errorMessage", default="")
    subscription: dict[str, msgspec.Raw] = {}


class _Print(msgspec.Struct, gc=False, array_like=True):
    price: Number
    size: Number
    at: Annotated[str, Meta(pattern=r"^[0-9]{10}\.[0-9]{6}\Z")]  # seconds since the epoch
    side: Literal["b", "s"]  # the taker's
    order_type: str
    misc: str


_parse_event = decoder(_Event)
_parse_parts = decoder(list[msgspec.Raw])
_parse_text = decoder(str)
_parse_depth = decoder(int)
_parse_sides = decoder(_Sides)
_parse_prints = decoder(list[_Print])


def _request(event: str, symbols: Sequence[str], **subscription: object) -> bytes:
    return msgspec.json.encode({"event": event, "pair": symbols, "subscription": subscription})


def subscribe(symbols: Sequence[str]) -> Iterator[bytes]:
    """Yield the requests for books and trades of ``symbols``, spelled "XBT/USD"."""
    yield _request("subscribe", symbols, name="book", depth=kraken.DEPTH)
    yield _request("subscribe", symbols, name="trade")


def resubscribe(symbol: str) -> Iterator[bytes]:
    """Yield the requests that bring a new snapshot of one symbol's book."""
    yield _request("unsubscribe", [symbol], name="book", depth=kraken.DEPTH)
    yield _request("subscribe", [symbol], name="book", depth=kraken.DEPTH)


def decode(frame: venue.Frame) -> Sequence[venue.Event]:
    """Return the events in ``frame``; raise DecodeError on what the sheet does not allow."""
    if frame[:1] != b"[":
        return (_answer(_parse_event(frame)),)
    parts = _parse_parts(frame)
    if len(parts) not in {4, 5}:
        raise DecodeError(f"a channel message of {len(parts)} parts")
    channel, symbol = _parse_text(parts[-2]), _parse_text(parts[-1])
    if channel.startswith("book-") and symbol:
        return (_book(symbol, [_parse_sides(part) for part in parts[1:-2]]),)
    if channel == "trade" and symbol:
        return [_trade(symbol, row) for row in _parse_prints(parts[1])]
    if channel == "ticker":
        return (venue.Alive(),)
    raise DecodeError(f"channel {channel!r} of {symbol!r}")


def _answer(event: _Event) -> venue.Event:
    depth = _parse_depth(event.subscription.get("depth", msgspec.Raw(b"0")))
    if event.event == "error" or event.status == "error":
        return venue.Rejected(event.message or "no reason", event.pair)
    if event.status == "unsubscribed" and event.channel_name.startswith("book-"):
        return venue.BookLost(event.pair, "unsubscribed")
    if event.status == "subscribed":
        return venue.Subscribed(event.pair, event.channel_name, depth)
    return venue.Alive()


def _book(symbol: str, maps: list[_Sides]) -> venue.Event:
    first, last = maps[0], maps[-1]
    if first.all_asks is not venue.NO_LEVELS and first.all_bids is not venue.NO_LEVELS:
        return venue.Snapshot(symbol, first.all_bids, first.all_asks)
    asks = first.asks if last.asks is venue.NO_LEVELS else last.asks
    bids = first.bids if last.bids is venue.NO_LEVELS else last.bids
    if not last.checksum or (asks is venue.NO_LEVELS and bids is venue.NO_LEVELS):
        raise DecodeError(f"{symbol}: book message without levels or checksum")
    return venue.Delta(symbol, bids, asks, checksum=int(last.checksum))


def _trade(symbol: str, row: _Print) -> venue.Event:
    at_ns = int(row.at.replace(".", "")) * 1_000
    return venue.Trade(symbol, row.price, row.size, 1 if row.side == "b" else -1, venue_ns=at_ns)


VENUE: Final = msgspec.structs.replace(
    kraken.VENUE, name="kraken-v1", ws_url="wss://ws.kraken.com",
    level_text=venue.LevelText.PAIRS, native=native_v1, subscribe=subscribe,
    resubscribe=resubscribe, decode=decode,
    keep_alive=venue.KeepAlive(8.0, ping=b'{"event":"ping"}', ping_every_s=20.0),
    reads=lambda url: url.rstrip("/").endswith("ws.kraken.com"),
)
