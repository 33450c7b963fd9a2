"""OKX and OKX US: snapshot in the stream, then changes linked by prevSeqId.

Source: shared/venues/okx.md, 2026-11-21.  The checksum is sent as 0 since 2026-06-23; only a
recording older than the sequence numbers gets a real one with its later snapshots.
"""

import zlib
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from random import Random
from typing import Any, Final

import orjson

from engine.model.clock import Clock
from ops.sim.book import ASK, BID, Touch
from ops.sim.face import (
    BUY,
    Answer,
    Face,
    Outlet,
    Print,
    Query,
    Session,
    Topic,
    Update,
    count,
    json_object,
    to_json,
)
from ops.sim.floor import Floor
from ops.sim.listing import Line

FIRST_ID: Final = 70_000_000_000
STEP_MAX: Final = 80
DEPTH: Final = 400
CHECKSUM_DEPTH: Final = 25
CHANNELS: Final = {"books", "bbo-tbt", "trades", "tickers"}
LOGIN_CHANNELS: Final = ("books-l2-tbt", "books50-l2-tbt")

_Request = dict[str, Any] | None


class _State:
    """What one line's streams stand at."""

    def __init__(self, line: Line) -> None:
        self.ids = Random(line.native)  # noqa: S311  not a secret
        self.pending: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self.sent_id = line.last_id
        self.touch = line.book.touch()
        self.last = Print(BUY, self.touch.bid, 1)


class Okx(Face):
    """OKX public WebSocket and REST, version 5."""

    path = "/ws/v5/public"
    subscribe_within_s = 30.0
    clocked = True

    def __init__(
        self, lines: Sequence[Line], outlet: Outlet, clock: Clock, floor: Floor
    ) -> None:
        super().__init__(lines, outlet, clock, floor)
        for number, line in enumerate(lines):
            line.last_id = line.last_id or FIRST_ID + number * 1_000_003
        self._state = {line.native: _State(line) for line in lines}

    # --- streams ---------------------------------------------------------------------------

    def text(self, session: Session, message: bytes) -> None:
        """Serve the text ping, subscribe and unsubscribe; one answer per argument."""
        if message == b"ping":
            session.send(b"pong")
            return
        request = json_object(message)
        op, args = (request.get("op"), request.get("args")) if request else (None, None)
        if op not in ("subscribe", "unsubscribe") or not isinstance(args, list) or not args:
            text = message[:200].decode("utf-8", "replace")
            self._error(session, request, "60012", f"Invalid request: {text}")
            return
        for arg in args:
            if not isinstance(arg, dict):
                self._error(session, request, "60012", f"Invalid request: {arg!r}")
            elif op == "subscribe":
                self._subscribe(session, request, arg)
            else:
                session.unsubscribe((str(arg.get("channel")), str(arg.get("instId"))))
                self._reply(session, request, {"event": "unsubscribe", "arg": arg})

    def _subscribe(self, session: Session, request: _Request, arg: dict[str, Any]) -> None:
        channel, native = str(arg.get("channel")), str(arg.get("instId"))
        line = self.lines.get(native)
        if channel in LOGIN_CHANNELS:
            self._error(session, request, "60011", "Please log in")
            return
        if channel not in CHANNELS or line is None:
            text = f"Wrong URL or channel:{channel},instId:{native} doesn't exist. Please use " \
                   "the correct URL, channel and parameters referring to API document."
            self._error(session, request, "60018", text)
            return
        self._reply(session, request, {"event": "subscribe", "arg": arg})
        if channel == "books":
            self.flush(line)  # others get the changes first: the snapshot stands after them
        topic: Topic = (channel, native)
        session.subscribe(topic, channel)
        if line.started and (body := self._first(line, channel)):
            session.push(topic, body)

    def _first(self, line: Line, channel: str) -> bytes | None:
        if channel == "books":
            return self.snapshot(line)
        if channel == "bbo-tbt":
            return self._quote(line, line.book.touch())
        return self._ticker(line) if channel == "tickers" else None

    def _reply(self, session: Session, request: _Request, body: dict[str, Any]) -> None:
        request_id = request.get("id") if request else None
        head = {"id": request_id} if request_id is not None else {}
        session.send(orjson.dumps(head | body | {"connId": f"a{session.connection_id:07x}"}))

    def _error(self, session: Session, request: _Request, code: str, text: str) -> None:
        self._reply(session, request, {"event": "error", "code": code, "msg": text})

    # --- market ----------------------------------------------------------------------------

    def update(self, line: Line, update: Update) -> None:
        """Send the quote if it moved, the prints, and the batch of changes when due."""
        state = self._state[line.native]
        for side, price, size in update.changes:
            state.pending[side][price] = size
        if update.changes:
            line.last_id += 1 + int(state.ids.random() * STEP_MAX)
        if (touch := line.book.touch()) != state.touch:
            state.touch = touch
            for channel, body in (("bbo-tbt", self._quote), ("tickers", self._ticker_of)):
                if self.outlet.wanted((channel, line.native)):
                    self.outlet.publish((channel, line.native), body(line, touch))
        for each in update.prints:
            state.last = each
            if self.outlet.wanted(("trades", line.native)):
                self.outlet.publish(("trades", line.native), self._print(line, each))
        if update.send:
            self.flush(line)

    def flush(self, line: Line) -> None:
        """Send the changes since the last batch as one linked update."""
        state = self._state[line.native]
        if not (state.pending[BID] or state.pending[ASK]):
            return
        if self.outlet.wanted(("books", line.native)):
            asks = sorted(state.pending[ASK].items())
            bids = sorted(state.pending[BID].items(), reverse=True)
            body = self._book(line, "update", asks, bids, state.sent_id)
            self.outlet.publish(("books", line.native), body)
        state.sent_id = line.last_id
        for side in (BID, ASK):
            state.pending[side].clear()

    def snapshot(self, line: Line) -> bytes:
        """Return the whole book as the channel's first message."""
        top = line.book.top
        return self._book(line, "snapshot", top(ASK, DEPTH), top(BID, DEPTH), -1)

    def _book(
        self, line: Line, action: str, asks: Iterable[tuple[int, int]],
        bids: Iterable[tuple[int, int]], previous_id: int,
    ) -> bytes:
        tail = f'"seqId":{line.last_id},"prevSeqId":{previous_id}'
        tail = f'"checksum":0,{tail}' if line.numbered else f'"checksum":{checksum(line)}'
        return (
            f'{{"arg":{{"channel":"books","instId":"{line.native}"}},"action":"{action}",'
            f'"data":[{{"asks":[{_levels(line, asks)}],"bids":[{_levels(line, bids)}],'
            f'"ts":"{self.now_ms()}",{tail}}}]}}'
        ).encode()

    def _quote(self, line: Line, touch: Touch) -> bytes:
        ask = _levels(line, [(touch.ask, touch.ask_size)] if touch.ask_size else [])
        bid = _levels(line, [(touch.bid, touch.bid_size)] if touch.bid_size else [])
        return (
            f'{{"arg":{{"channel":"bbo-tbt","instId":"{line.native}"}},"data":[{{"asks":[{ask}],'
            f'"bids":[{bid}],"ts":"{self.now_ms()}","seqId":{line.last_id}}}]}}'
        ).encode()

    def _print(self, line: Line, each: Print) -> bytes:
        side = "buy" if each.side == BUY else "sell"
        return (
            f'{{"arg":{{"channel":"trades","instId":"{line.native}"}},"data":[{{'
            f'"instId":"{line.native}","tradeId":"{each.trade_id}",'
            f'"px":"{line.plain_price(each.price)}","sz":"{line.plain_size(each.size)}",'
            f'"side":"{side}","ts":"{self.now_ms()}","count":"1","source":"0",'
            f'"seqId":{line.last_id}}}]}}'
        ).encode()

    def _ticker_of(self, line: Line, _touch: Touch) -> bytes:
        return self._ticker(line)

    def _ticker(self, line: Line) -> bytes:
        arg = {"channel": "tickers", "instId": line.native}
        return orjson.dumps({"arg": arg, "data": [self._ticker_row(line)]})

    def _ticker_row(self, line: Line) -> dict[str, str]:
        touch, last = line.book.touch(), self._state[line.native].last
        price = line.plain_price(last.price)
        return {
            "instType": "SPOT", "instId": line.native, "last": price,
            "lastSz": line.plain_size(last.size),
            "askPx": line.plain_price(touch.ask) if touch.ask_size else "",
            "askSz": line.plain_size(touch.ask_size) if touch.ask_size else "",
            "bidPx": line.plain_price(touch.bid) if touch.bid_size else "",
            "bidSz": line.plain_size(touch.bid_size) if touch.bid_size else "",
            "open24h": price, "high24h": price, "low24h": price, "sodUtc0": price,
            "sodUtc8": price, "volCcy24h": "0", "vol24h": "0", "ts": str(self.now_ms()),
        }

    # --- REST ------------------------------------------------------------------------------

    def rest(self, path: str, query: Query) -> Answer:
        """Serve time, instruments, books and ticker below /api/v5."""
        verb = path.removeprefix("/api/v5/")
        if verb == "public/time":
            return _data([{"ts": str(self.now_ms())}])
        if verb == "public/instruments":
            return self._instruments(query)
        if verb not in ("market/books", "market/books-full", "market/ticker"):
            return to_json({"msg": "Invalid URL", "code": "404", "data": []}, 404)
        if (line := self.lines.get(query.get("instId", ""))) is None:
            text = "Instrument ID, Instrument ID code, or Spread ID doesn't exist."
            return _refused("51001", text)
        if verb == "market/ticker":
            return _data([self._ticker_row(line)])
        full = verb == "market/books-full"
        size = count(query.get("sz"), default=1, most=5000 if full else DEPTH)
        if size is None:
            return _refused("51000", "Parameter sz error")
        row: dict[str, object] = {"asks": [], "bids": [], "ts": str(self.now_ms())}
        for name, side in (("asks", ASK), ("bids", BID)):
            levels = orjson.loads(f"[{_levels(line, line.book.top(side, size))}]")
            row[name] = [[p, s, n] for p, s, _, n in levels] if full else levels
        return _data([row] if full else [row | {"seqId": line.last_id}])

    def _instruments(self, query: Query) -> Answer:
        kind, native = query.get("instType"), query.get("instId")
        if kind != "SPOT":
            return _refused("51000", "Parameter instType error")
        rows = [
            self._instrument(line, number) for number, line in enumerate(self.lines.values())
            if native in (None, line.native)
        ]
        if native is not None and not rows:
            text = "Instrument ID, Instrument ID code, or Spread ID doesn't exist."
            return _refused("51001", text)
        return _data(rows)

    def _instrument(self, line: Line, number: int) -> dict[str, Any]:
        return {
            "instType": "SPOT", "instId": line.native, "instIdCode": 100_000 + number,
            "baseCcy": line.pair.base, "quoteCcy": line.pair.quote,
            "tickSz": line.tick, "lotSz": line.lot, "minSz": line.lot, "category": "1",
            "maxLmtSz": "9999999999", "maxLmtAmt": "20000000", "maxMktAmt": "1000000",
            "maxMktSz": "1000000", "listTime": "1733454000000", "ruleType": "normal",
            "state": "live", "upcChg": [],
        }


def checksum(line: Line) -> int:
    """Return the signed CRC32 of the top 25, bid and ask in turn, numbers as sent."""
    bids, asks = line.book.top(BID, CHECKSUM_DEPTH), line.book.top(ASK, CHECKSUM_DEPTH)
    parts = [
        f"{line.plain_price(level[0])}:{line.plain_size(level[1])}"
        for both in zip_longest(bids, asks) for level in both if level
    ]
    unsigned = zlib.crc32(":".join(parts).encode())
    return unsigned - (1 << 32) if unsigned >> 31 else unsigned


def orders(price: int, size: int) -> int:
    """Return a plausible count of orders at a level."""
    return 1 + price % 7 if size else 0


def _levels(line: Line, levels: Iterable[tuple[int, int]]) -> str:
    prices, written = line.plain_prices, line.plain_size
    return ",".join([
        f'["{prices[price]}","{written(size)}","0","{orders(price, size)}"]'
        for price, size in levels
    ])


def _data(rows: Sequence[object]) -> Answer:
    return to_json({"code": "0", "msg": "", "data": rows})


def _refused(code: str, text: str) -> Answer:
    return to_json({"code": code, "msg": text, "data": []}, 400)
