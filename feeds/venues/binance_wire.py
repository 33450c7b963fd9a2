"""Stream frames as all Binance markets write them.

Facts from ``venues/binance.md``, read 2026-11-21 (the venue's own text of 2026-07-21).  Frames
come bare (``/ws``) or wrapped as ``{"stream":..,"data":..}`` (``/stream``); both decode.  Spot's
bookTicker has neither event type nor time.  An unknown stream is acknowledged and stays silent.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from feeds.envelope import ABSENT, NS_PER_MS, Id, Millis, decoder, malformed
from feeds.venue import (
    NO_PREVIOUS,
    Delta,
    Event,
    Frame,
    Goodbye,
    Quote,
    Rejected,
    Subscribed,
    Trade,
)

SYMBOLS_PER_REQUEST: Final = 50


class _Message(msgspec.Struct, gc=False, rename={
    "kind": "e", "event_ms": "E", "match_ms": "T", "symbol": "s", "first_id": "U", "last_id": "u",
    "previous_id": "pu", "bids": "b", "asks": "a", "bid_size": "B", "ask_size": "A", "price": "p",
    "size": "q", "maker_bought": "m", "trade_id": "t", "last_trade_id": "l",
}):
    """Any frame, or what stands under its ``data``: all fields that some kind of it uses."""

    data: "_Message | None" = None
    kind: str = ""
    symbol: str = ""
    last_id: Id = 0
    bids: msgspec.Raw = ABSENT  # depth: levels; bookTicker: a price; .US trade: an order id
    asks: msgspec.Raw = ABSENT
    bid_size: str = ""
    ask_size: str = ""
    event_ms: Millis = 0
    match_ms: Millis = 0
    first_id: Id = 0
    previous_id: Id = NO_PREVIOUS  # USD-M alone
    price: str = ""
    size: str = ""
    maker_bought: bool | None = None
    trade_id: Id = 0
    last_trade_id: Id = 0  # of an aggTrade
    result: msgspec.Raw = ABSENT
    error: "_Message | None" = None
    msg: str = ""


_parse = decoder(_Message)
_text = decoder(str)


def requests(streams: Sequence[str], symbols: Sequence[str]) -> Iterator[bytes]:
    """Yield frames that ask for every stream of every symbol; stream names are lower case."""
    for start in range(0, len(symbols), SYMBOLS_PER_REQUEST):
        names = [symbol.lower() for symbol in symbols[start : start + SYMBOLS_PER_REQUEST]]
        params = [f"{name}@{stream}" for stream in streams for name in names]
        yield msgspec.json.encode({"method": "SUBSCRIBE", "params": params, "id": start + 1})


def decode(frame: Frame) -> Sequence[Event]:
    """Return the events in ``frame``, none for a stream not asked for; raise DecodeError."""
    outer = _parse(frame)
    it = outer.data or outer
    kind = it.kind
    if it.bid_size and (not kind or kind == "bookTicker"):
        if it.symbol and it.ask_size and it.last_id:
            return (Quote(
                it.symbol, _text(it.bids), it.bid_size, _text(it.asks), it.ask_size, it.last_id,
                it.match_ms * NS_PER_MS,
            ),)
        raise malformed(frame, "bookTicker without symbol, size or id")
    if kind == "depthUpdate":
        if it.bids is ABSENT or it.asks is ABSENT or not (it.symbol and it.first_id and it.last_id):
            raise malformed(frame, "depthUpdate without symbol, ids or a side")
        return (Delta(
            it.symbol, it.bids, it.asks, it.first_id, it.last_id, it.previous_id,
            (it.match_ms or it.event_ms) * NS_PER_MS,
        ),)
    if kind in ("trade", "aggTrade"):
        if it.maker_bought is None or not (it.symbol and it.price and it.size):
            raise malformed(frame, "print without symbol, price, size or side")
        return (Trade(
            it.symbol, it.price, it.size, -1 if it.maker_bought else 1,
            it.trade_id or it.last_trade_id, it.match_ms * NS_PER_MS,
        ),)
    return _rare(frame, it)


def _rare(frame: Frame, it: _Message) -> Sequence[Event]:
    """Return what an answer, an announcement or a stream not asked for means."""
    if it.kind:
        return (Goodbye("serverShutdown"),) if it.kind == "serverShutdown" else ()
    if it.error or it.msg:
        return (Rejected((it.error or it).msg),)
    if it.result is not ABSENT:
        return (Subscribed(),)
    raise malformed(frame, "neither an event nor an answer")
