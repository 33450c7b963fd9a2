"""OKX's stream frames.

Facts from ``venues/okx.md``, read 2026-11-21 (the venue's text of 2026-07-28).  ``ping`` and
``pong`` are plain text.  Since 2026-06-23 ``checksum`` is 0, which means not sent.  A trade's side
is the taker's.  Recordings of 2022 have checksums but neither ``seqId`` nor ``prevSeqId``.
"""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from feeds.venue import (
    NO_CHECKSUM,
    Alive,
    BookLost,
    Delta,
    Event,
    Frame,
    Goodbye,
    Quote,
    Rejected,
    Snapshot,
    Subscribed,
    Trade,
)
from feeds.wire import ABSENT, MALFORMED, NS_PER_MS, Id, Millis, PreviousId, malformed

PONG: Final = b"pong"
CLOSING_SOON: Final = "64008"
NOT_SENT: Final = -2  # ids start at -1
NO_SIDE: Final = ["0", "0"]


class _Arg(msgspec.Struct, gc=False, rename={"symbol": "instId"}):
    channel: str = ""
    symbol: str = ""


class _Row(msgspec.Struct, gc=False, rename="camel"):
    asks: msgspec.Raw = ABSENT
    bids: msgspec.Raw = ABSENT
    ts: Millis = 0
    checksum: Annotated[int, Meta(ge=-(2**31), lt=2**31)] = 0
    seq_id: PreviousId = NOT_SENT
    prev_seq_id: PreviousId = NOT_SENT
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


_parse = msgspec.json.Decoder(_Push, strict=False).decode  # numbers come as text
_levels = msgspec.json.Decoder(list[list[str]]).decode


def decode(frame: Frame) -> Sequence[Event]:
    """Return the events in ``frame``, none for a channel not asked for; raise DecodeError."""
    return _decode(frame, linked=True)


def decode_unlinked(frame: Frame) -> Sequence[Event]:
    """Like ``decode`` for recordings from before ``seqId``: the time in ms is the id."""
    return _decode(frame, linked=False)


def _decode(frame: Frame, *, linked: bool) -> Sequence[Event]:
    if frame == PONG:
        return (Alive(),)
    try:
        push = _parse(frame)
        channel, symbol = push.arg.channel, push.arg.symbol
        if push.event:
            return _answer(push)
        if not (symbol and push.data):
            raise malformed(frame, "neither a push nor an answer")
        if channel == "bbo-tbt":
            return [_quote(frame, symbol, row) for row in push.data]
    except MALFORMED as error:
        raise malformed(frame, error) from None
    if channel in ("books", "books-l2-tbt", "books50-l2-tbt"):
        return [_book(frame, push, row, linked=linked) for row in push.data]
    if channel == "trades":
        return [_trade(frame, symbol, row) for row in push.data]
    return ()


def _quote(frame: Frame, symbol: str, row: _Row) -> Quote:
    """Return the best prices; a side that is empty or "" reads 0, no such side."""
    bids, asks = _levels(row.bids), _levels(row.asks)
    bid, ask = bids[0] if bids else NO_SIDE, asks[0] if asks else NO_SIDE
    if len(bid) < 2 or len(ask) < 2 or not row.ts:
        raise malformed(frame, "quote without size or time")
    return Quote(
        symbol, bid[0] or "0", bid[1] or "0", ask[0] or "0", ask[1] or "0",
        max(row.seq_id, 0), row.ts * NS_PER_MS,
    )


def _book(frame: Frame, push: _Push, row: _Row, *, linked: bool) -> Snapshot | Delta:
    if row.asks is ABSENT or row.bids is ABSENT or not row.ts:
        raise malformed(frame, "book without a side or time")
    if push.action not in ("update", "snapshot"):
        raise malformed(frame, "book neither snapshot nor update")
    if linked and NOT_SENT in (row.seq_id, row.prev_seq_id):
        raise malformed(frame, "book without seqId or prevSeqId")
    kind = Delta if push.action == "update" else Snapshot
    return kind(
        symbol=push.arg.symbol, bids=row.bids, asks=row.asks,
        last_id=row.ts if row.seq_id == NOT_SENT else row.seq_id,
        previous_id=row.prev_seq_id, venue_ns=row.ts * NS_PER_MS,
        checksum=row.checksum & 0xFFFF_FFFF if row.checksum else NO_CHECKSUM,
    )


def _trade(frame: Frame, symbol: str, row: _Row) -> Trade:
    if row.side not in ("buy", "sell") or not (row.px and row.sz and row.ts):
        raise malformed(frame, "print without side, price, size or time")
    side = 1 if row.side == "buy" else -1
    return Trade(symbol, row.px, row.sz, side, row.trade_id, row.ts * NS_PER_MS)


def _answer(push: _Push) -> Sequence[Event]:
    """Return what an answer or a notice means; connection counts and the like are a sign of life."""
    channel, symbol = push.arg.channel, push.arg.symbol
    if push.event == "subscribe":
        return (Subscribed(symbol, channel),)
    if push.event == "unsubscribe":
        return (BookLost(symbol, "unsubscribed"),) if channel.startswith("books") else ()
    if push.event in ("error", "channel-conn-count-error"):
        return (Rejected(f"{push.code} {push.msg}".strip(), symbol),)
    if push.code == CLOSING_SOON:
        return (Goodbye(push.msg),)
    return (Alive(),)
