"""OKX's stream frames.

Facts from ``venues/okx.md``, read 2026-11-21 (the venue's text of 2026-07-28).  ``ping`` and
``pong`` are plain text.  Since 2026-06-23 ``checksum`` is 0, which means not sent.  A trade's side
is the taker's.  Recordings of 2022 have checksums but neither ``seqId`` nor ``prevSeqId``: there
the time in ms is the id.
"""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from feeds import venue
from feeds.envelope import ABSENT, NS_PER_MS, Id, Millis, decoder, malformed
from feeds.venue import Event, Frame

PONG: Final = b"pong"
CLOSING_SOON: Final = "64008"
NO_SIDE: Final = ["0", "0"]


class _Arg(msgspec.Struct, frozen=True, gc=False, rename={"symbol": "instId"}):
    channel: str = ""
    symbol: str = ""


class _Row(msgspec.Struct, gc=False, rename="camel"):
    asks: msgspec.Raw = ABSENT
    bids: msgspec.Raw = ABSENT
    ts: Millis = 0
    checksum: Annotated[int, Meta(ge=-(2**31), lt=2**31)] = 0
    seq_id: Id = 0
    prev_seq_id: Annotated[int, Meta(ge=-1, le=2**63 - 1)] = venue.NO_PREVIOUS
    trade_id: Id = 0
    px: str = ""
    sz: str = ""
    side: str = ""


class _Push(msgspec.Struct, gc=False):
    arg: _Arg = _Arg()
    data: tuple[_Row, ...] = ()
    action: str = ""
    event: str = ""
    code: str = ""
    msg: str = ""


_parse = decoder(_Push, strict=False)  # numbers come as text
_levels = decoder(list[list[str]])


def decode(frame: Frame) -> Sequence[Event]:
    """Return the events in ``frame``, none for a channel not asked for; raise DecodeError."""
    if frame == PONG:
        return (venue.Alive(),)
    push = _parse(frame)
    channel, symbol = push.arg.channel, push.arg.symbol
    if push.event:
        return _answer(push)
    if not (symbol and push.data):
        raise malformed(frame, "neither a push nor an answer")
    if channel == "bbo-tbt":
        return [_quote(frame, symbol, row) for row in push.data]
    if channel in ("books", "books-l2-tbt", "books50-l2-tbt"):
        return [_book(frame, push, row) for row in push.data]
    if channel == "trades":
        return [_trade(frame, symbol, row) for row in push.data]
    return ()


def _quote(frame: Frame, symbol: str, row: _Row) -> venue.Quote:
    """Return the best prices; a side that is empty or "" reads 0, no such side.

    Without its ``seqId``: nobody proved that ``bbo-tbt`` and ``books`` share one sequence.
    """
    bids, asks = _levels(row.bids), _levels(row.asks)
    bid, ask = bids[0] if bids else NO_SIDE, asks[0] if asks else NO_SIDE
    if len(bid) < 2 or len(ask) < 2 or not row.ts:
        raise malformed(frame, "quote without size or time")
    return venue.Quote(
        symbol, bid[0] or "0", bid[1] or "0", ask[0] or "0", ask[1] or "0",
        venue_ns=row.ts * NS_PER_MS,
    )


def _book(frame: Frame, push: _Push, row: _Row) -> venue.Snapshot | venue.Delta:
    if row.asks is ABSENT or row.bids is ABSENT or not row.ts:
        raise malformed(frame, "book without a side or time")
    last_id = row.seq_id or row.ts
    checksum = row.checksum & 0xFFFF_FFFF if row.checksum else venue.NO_CHECKSUM
    venue_ns = row.ts * NS_PER_MS
    if push.action == "update":
        return venue.Delta(
            push.arg.symbol, row.bids, row.asks, last_id=last_id, previous_id=row.prev_seq_id,
            venue_ns=venue_ns, checksum=checksum)
    if push.action == "snapshot":
        return venue.Snapshot(
            push.arg.symbol, row.bids, row.asks, last_id, venue_ns=venue_ns, checksum=checksum)
    raise malformed(frame, "book neither snapshot nor update")


def _trade(frame: Frame, symbol: str, row: _Row) -> venue.Trade:
    if row.side not in ("buy", "sell") or not (row.px and row.sz and row.ts):
        raise malformed(frame, "print without side, price, size or time")
    side = 1 if row.side == "buy" else -1
    return venue.Trade(symbol, row.px, row.sz, side, row.trade_id, row.ts * NS_PER_MS)


def _answer(push: _Push) -> Sequence[Event]:
    """Return what an answer or a notice means; anything else is a sign of life."""
    channel, symbol = push.arg.channel, push.arg.symbol
    if push.event == "subscribe":
        return (venue.Subscribed(symbol, channel),)
    if push.event == "unsubscribe":
        return (venue.BookLost(symbol, "unsubscribed"),) if channel.startswith("books") else ()
    if push.event in ("error", "channel-conn-count-error"):
        return (venue.Rejected(f"{push.code} {push.msg}".strip(), symbol),)
    if push.code == CLOSING_SOON:
        return (venue.Goodbye(push.msg),)
    return (venue.Alive(),)
