"""Kraken spot, WebSocket v2: a snapshot, then changes, each with the CRC32 of the top ten.

Other paths than /v2 speak v1, the same market in the old spelling (kraken_v1.py).

Source: shared/venues/kraken.md, 2026-11-21.  Subscribers see ``depth`` levels per side: a level
that falls out is never deleted by message, one that comes in is sent like a change.
"""

import zlib
from collections.abc import Iterable, Sequence
from typing import Any, Final

import orjson

from engine.model.clock import Clock
from ops.sim.book import ASK, BID, Change, Touch
from ops.sim.day import Day, average
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
    json_object,
    strings,
)
from ops.sim.faces.kraken_rest import KrakenRest
from ops.sim.faces.kraken_v1 import KrakenV1
from ops.sim.floor import Floor
from ops.sim.listing import Line

DEPTHS: Final = (10, 25, 100, 500, 1000)
CHECKSUM_DEPTH: Final = 10
CHANNELS: Final = ("book", "trade", "ticker")
Prices = tuple[frozenset[int], frozenset[int]]


class Kraken(Face):
    """Kraken's public stream and REST."""

    path = "/v2"
    subscribe_within_s = 60.0
    any_depth = True

    def __init__(
        self, lines: Sequence[Line], outlet: Outlet, clock: Clock, floor: Floor
    ) -> None:
        super().__init__(lines, outlet, clock, floor)
        self._views: dict[Topic, Prices] = {}  # what subscribers of one depth hold
        self._touch = {line.native: line.book.touch() for line in lines}
        self._days = {line.native: Day(line, floor) for line in lines}
        self._rest = KrakenRest(lines, self._days)
        self._v1 = KrakenV1(self)

    # --- streams ---------------------------------------------------------------------------

    def opened(self, session: Session) -> None:
        """Send the status of the system."""
        if not _is_v2(session):
            self._v1.greet(session)
            return
        row = {"version": "2.0.10", "system": "online", "api_version": "v2",
               "connection_id": session.connection_id}
        session.send(orjson.dumps({"channel": "status", "type": "update", "data": [row]}))

    def beat(self, session: Session, second: int) -> None:
        """Send the heartbeat that every subscriber gets."""
        if session.topics:
            v2 = _is_v2(session)
            session.send(b'{"channel":"heartbeat"}' if v2 else b'{"event":"heartbeat"}')

    def text(self, session: Session, message: bytes) -> None:
        """Serve ping, subscribe and unsubscribe; one answer per symbol."""
        if not _is_v2(session):
            self._v1.text(session, message)
            return
        time_in, request = self.now_iso(), json_object(message)
        if request is None:
            session.send(b'{"error":"Malformed request","success":false}')
            return
        method, params = request.get("method"), request.get("params")
        tail = {"req_id": request["req_id"]} if "req_id" in request else {}
        if method == "ping":
            session.send(orjson.dumps(
                {"method": "pong", **tail, "time_in": time_in, "time_out": self.now_iso()}))
            return
        params = params if isinstance(params, dict) else {}
        natives, depth = strings(params.get("symbol")), params.get("depth", 10)
        problem = None
        if method not in ("subscribe", "unsubscribe"):
            problem = "Unsupported method"
        elif params.get("channel") not in CHANNELS:
            problem = "Unsupported channel"
        elif not natives:
            problem = "Symbol(s) not found"
        elif depth not in DEPTHS:
            problem = "Subscription depth not supported"
        for native in natives if natives and problem is None else [""]:
            stamps = {"time_in": time_in, "time_out": self.now_iso()} | tail
            self._one(session, str(method), params, native, stamps, problem)

    def _one(
        self, session: Session, method: str, params: dict[str, Any], native: str,
        stamps: dict[str, Any], problem: str | None,
    ) -> None:
        """Answer for one symbol of a request, then send its snapshot."""
        line = self.lines.get(native)
        if problem is None and line is None:
            problem = f"Currency pair not supported {native}"
        if problem is not None or line is None:
            extra = {"symbol": native} if native else {}
            session.send(orjson.dumps(
                {"method": method, "error": problem, "success": False} | extra | stamps))
            return
        channel = params["channel"]
        depth = params.get("depth", 10)
        topic = (f"book:{depth}" if channel == "book" else channel, native)
        result: dict[str, Any] = {"channel": channel}
        if channel == "book":
            result["depth"] = depth
        if method == "subscribe":
            wants = params.get("snapshot", channel != "trade") is True
            result["snapshot"] = wants
            session.subscribe(topic, channel)
        else:
            session.unsubscribe(topic)
        if channel == "ticker" and method == "subscribe":
            result["event_trigger"] = params.get("event_trigger", "trades")
        session.send(orjson.dumps(
            {"method": method, "result": result | {"symbol": native}, "success": True} | stamps))
        if method == "subscribe" and wants and line.started and (first := self.first(topic, line)):
            session.push(topic, first)

    def first(self, topic: Topic, line: Line) -> bytes | None:
        """Return what a new subscriber gets at once."""
        channel, _, depth = topic[0].partition(":")
        if channel == "book":
            self._views.setdefault(topic, _prices(line, int(depth)))
            return self.snapshot(line, int(depth))
        return self._ticker(line, line.book.touch(), "snapshot") if channel == "ticker" else None

    def wrap(self, session: Session, topic: Topic, body: bytes) -> bytes:
        """Spell a message as the connection's protocol does."""
        return body if _is_v2(session) else self._v1.spell(topic, body)

    def rest_ticker(self, line: Line) -> dict[str, Any]:
        """Return a line's row of the REST ticker, which v1 streams too."""
        return self._rest.ticker(line, self.floor.now_ns())

    # --- market ----------------------------------------------------------------------------

    def update(self, line: Line, update: Update) -> None:
        """Send the ticker if the touch moved, the prints, and the changes to each depth."""
        if (touch := line.book.touch()) != self._touch[line.native]:
            self._touch[line.native] = touch
            if self.outlet.wanted(("ticker", line.native)):
                self.outlet.publish(("ticker", line.native), self._ticker(line, touch, "update"))
        for each in update.prints:
            self._days[line.native].add(each, self.floor.now_ns())
            if self.outlet.wanted(("trade", line.native)):
                self.outlet.publish(("trade", line.native), self._print(line, each))
        for depth in DEPTHS:
            self._to_depth(line, (f"book:{depth}", line.native), depth, update.changes)

    def _to_depth(self, line: Line, topic: Topic, depth: int, changes: Sequence[Change]) -> None:
        """Send what subscribers of one depth must apply; nothing if they see no difference."""
        if not self.outlet.wanted(topic):
            self._views.pop(topic, None)
            return
        now = _prices(line, depth)
        before = self._views.get(topic, now)
        self._views[topic] = now
        rows: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
        for side, price, size in changes:
            if price in now[side] or price in before[side]:
                stays = price in line.book.sizes[side]
                rows[side].append((price, size if stays else 0))
        for side in (BID, ASK):
            sizes, told = line.book.sizes[side], {price for price, _ in rows[side]}
            came_in = sorted(now[side] - before[side] - told, reverse=side == BID)
            rows[side].extend((price, sizes[price]) for price in came_in)
            gone = {price for price in before[side] - now[side] - told if price not in sizes}
            rows[side].extend((price, 0) for price in gone)
        if rows[BID] or rows[ASK]:
            self.outlet.publish(topic, self._book(line, "update", rows[BID], rows[ASK]))

    def snapshot(self, line: Line, depth: int) -> bytes:
        """Return the first message of a book subscription."""
        return self._book(line, "snapshot", line.book.top(BID, depth), line.book.top(ASK, depth))

    def restart(self, line: Line) -> None:
        """Send a snapshot to the subscribers of every depth."""
        for depth in DEPTHS:
            topic = (f"book:{depth}", line.native)
            if self.outlet.wanted(topic):
                self._views[topic] = _prices(line, depth)
                self.outlet.publish(topic, self.snapshot(line, depth))

    def _book(
        self, line: Line, kind: str, bids: Iterable[tuple[int, int]],
        asks: Iterable[tuple[int, int]],
    ) -> bytes:
        return (
            f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"{line.native}",'
            f'"bids":[{_levels(line, bids)}],"asks":[{_levels(line, asks)}],'
            f'"checksum":{checksum(line)},"timestamp":"{self.now_iso()}"}}]}}'
        ).encode()

    def _print(self, line: Line, each: Print) -> bytes:
        side = "buy" if each.side == BUY else "sell"
        return (
            f'{{"channel":"trade","type":"update","data":[{{"symbol":"{line.native}",'
            f'"side":"{side}","price":{line.price(each.price)},"qty":{line.size(each.size)},'
            f'"ord_type":"market","trade_id":{each.trade_id},'
            f'"timestamp":"{self.now_iso()}"}}]}}'
        ).encode()

    def _ticker(self, line: Line, touch: Touch, kind: str) -> bytes:
        day = self._days[line.native].figures(self.floor.now_ns())
        last, change = line.price(day.last), day.last - day.open
        percent = 100 * change / day.open if day.open else 0.0
        return (
            f'{{"channel":"ticker","type":"{kind}","data":[{{"symbol":"{line.native}",'
            f'"bid":{line.price(touch.bid)},"bid_qty":{line.size(touch.bid_size)},'
            f'"ask":{line.price(touch.ask)},"ask_qty":{line.size(touch.ask_size)},'
            f'"last":{last},"volume":{line.size(day.volume)},"vwap":{line.price(average(day))},'
            f'"low":{line.price(day.low)},"high":{line.price(day.high)},'
            f'"change":{line.price(change)},"change_pct":{percent:.2f},'
            f'"timestamp":"{self.now_iso()}"}}]}}'
        ).encode()

    # --- REST ------------------------------------------------------------------------------

    def rest(self, path: str, query: Query) -> Answer:
        """Serve the public calls below /0/public."""
        verb = path.removeprefix("/0/public/")
        return self._rest.answer(verb, query, self.floor.now_ns(), self.now_iso())


def _is_v2(session: Session) -> bool:
    return session.path.startswith("/v2")


def checksum(line: Line) -> int:
    """Return the unsigned CRC32 of the top ten, asks first, digits without point and zeros."""
    text = "".join(
        number.replace(".", "").lstrip("0")
        for side in (ASK, BID) for price, size in line.book.top(side, CHECKSUM_DEPTH)
        for number in (line.price(price), line.size(size))
    )
    return zlib.crc32(text.encode())


def _prices(line: Line, depth: int) -> Prices:
    bids, asks = line.book.prices
    return frozenset(bids[-depth:]), frozenset(asks[:depth])


def _levels(line: Line, levels: Iterable[tuple[int, int]]) -> str:
    return ",".join(
        f'{{"price":{line.price(price)},"qty":{line.size(size)}}}' for price, size in levels
    )
