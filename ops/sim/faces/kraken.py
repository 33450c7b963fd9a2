"""Kraken spot, WebSocket v2: a snapshot, then changes, each with the CRC32 of the top ten.

Source: shared/venues/kraken.md, 2026-11-21.  Subscribers see ``depth`` levels per side: a level
that falls out is never deleted by message, one that comes in is sent like a change.
"""

import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Any, Final

import orjson

from engine.model.clock import Clock
from ops.sim.book import ASK, BID, Change, Touch
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
    strings,
    to_json,
)
from ops.sim.floor import Floor
from ops.sim.listing import Line

DEPTHS: Final = (10, 25, 100, 500, 1000)
CHECKSUM_DEPTH: Final = 10
CHANNELS: Final = ("book", "trade", "ticker")
OLD_NAMES: Final = {"BTC": "XBT", "DOGE": "XDG"}  # REST and v1; v2 says BTC and DOGE
NO_EDGE: Final = 1 << 62  # above any price
Edges = tuple[int, int]  # the worst bid and ask within a depth; 0 and NO_EDGE: all are


class Kraken(Face):
    """Kraken's public stream and REST."""

    path = "/v2"
    subscribe_within_s = 60.0
    any_depth = True

    def __init__(
        self, lines: Sequence[Line], outlet: Outlet, clock: Clock, floor: Floor
    ) -> None:
        super().__init__(lines, outlet, clock, floor)
        self._edges: dict[Topic, Edges] = {}  # how far subscribers of one depth see
        self._touch = {line.native: line.book.touch() for line in lines}
        self._last = {line.native: Print(BUY, line.book.touch().bid, 1) for line in lines}
        self._sums: dict[str, tuple[Edges, int]] = {}  # checksums, and how deep they reach
        self._topics = {line.native: [(depth, (f"book:{depth}", line.native)) for depth in DEPTHS]
                        for line in lines}
        self._rest_names = {rest_name(line): line for line in lines}

    # --- streams ---------------------------------------------------------------------------

    def opened(self, session: Session) -> None:
        """Send the status of the system."""
        row = {"version": "2.0.10", "system": "online", "api_version": "v2",
               "connection_id": session.connection_id}
        session.send(orjson.dumps({"channel": "status", "type": "update", "data": [row]}))

    def beat(self, session: Session, second: int) -> None:
        """Send the heartbeat that every subscriber gets."""
        if session.topics:
            session.send(b'{"channel":"heartbeat"}')

    def text(self, session: Session, message: bytes) -> None:
        """Serve ping, subscribe and unsubscribe; one answer per symbol."""
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
        if method == "subscribe" and wants and line.started:
            self._send_first(session, topic, line, channel, depth)

    def _send_first(
        self, session: Session, topic: Topic, line: Line, channel: str, depth: int
    ) -> None:
        if channel == "book":
            self._edges.setdefault(topic, _edges(line, depth))
            session.push(topic, self.snapshot(line, depth))
        elif channel == "ticker":
            session.push(topic, self._ticker(line, line.book.touch(), "snapshot"))

    # --- market ----------------------------------------------------------------------------

    def update(self, line: Line, update: Update) -> None:
        """Send the ticker if the touch moved, the prints, and the changes to each depth."""
        if (touch := line.book.touch()) != self._touch[line.native]:
            self._touch[line.native] = touch
            if self.outlet.wanted(("ticker", line.native)):
                self.outlet.publish(("ticker", line.native), self._ticker(line, touch, "update"))
        for each in update.prints:
            self._last[line.native] = each
            if self.outlet.wanted(("trade", line.native)):
                self.outlet.publish(("trade", line.native), self._print(line, each))
        if known := self._sums.get(line.native):
            (bid, ask), _ = known
            for side, price, _ in update.changes:
                if price >= bid if side == BID else price <= ask:
                    del self._sums[line.native]
                    break
        for depth, topic in self._topics[line.native]:
            if self.outlet.wanted(topic):
                self._to_depth(line, topic, depth, update.changes)
            else:
                self._edges.pop(topic, None)

    def _to_depth(self, line: Line, topic: Topic, depth: int, changes: Sequence[Change]) -> None:
        """Send what subscribers of one depth must apply; nothing if they see no difference.

        Only levels within the depth as it is now matter: all others fall out at the client.
        """
        now = _edges(line, depth)
        before = self._edges.get(topic, now)
        self._edges[topic] = now
        rows: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
        for side, price, size in changes:
            if price >= now[BID] if side == BID else price <= now[ASK]:
                stays = price in line.book.sizes[side]
                rows[side].append((price, size if stays else 0))
        for side in (BID, ASK):
            if before[side] != now[side]:
                rows[side].extend(_came_in(line, side, before[side], now[side], rows[side]))
        if rows[BID] or rows[ASK]:
            self.outlet.publish(topic, self._book(line, "update", rows[BID], rows[ASK]))

    def snapshot(self, line: Line, depth: int) -> bytes:
        """Return the first message of a book subscription."""
        return self._book(line, "snapshot", line.book.top(BID, depth), line.book.top(ASK, depth))

    def restart(self, line: Line) -> None:
        """Send a snapshot to the subscribers of every depth."""
        self._sums.pop(line.native, None)
        for depth in DEPTHS:
            topic = (f"book:{depth}", line.native)
            if self.outlet.wanted(topic):
                self._edges[topic] = _edges(line, depth)
                self.outlet.publish(topic, self.snapshot(line, depth))

    def _book(
        self, line: Line, kind: str, bids: Iterable[tuple[int, int]],
        asks: Iterable[tuple[int, int]],
    ) -> bytes:
        return (
            f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"{line.native}",'
            f'"bids":[{_levels(line, bids)}],"asks":[{_levels(line, asks)}],'
            f'"checksum":{self._sum(line)},"timestamp":"{self.now_iso()}"}}]}}'
        ).encode()

    def _sum(self, line: Line) -> int:
        """Return the checksum of the book as it stands; most changes are too deep to move it."""
        known = self._sums.get(line.native)
        if known is None:
            known = self._sums[line.native] = _edges(line, CHECKSUM_DEPTH), checksum(line)
        return known[1]

    def _print(self, line: Line, each: Print) -> bytes:
        side = "buy" if each.side == BUY else "sell"
        return (
            f'{{"channel":"trade","type":"update","data":[{{"symbol":"{line.native}",'
            f'"side":"{side}","price":{line.price(each.price)},"qty":{line.size(each.size)},'
            f'"ord_type":"market","trade_id":{each.trade_id},'
            f'"timestamp":"{self.now_iso()}"}}]}}'
        ).encode()

    def _ticker(self, line: Line, touch: Touch, kind: str) -> bytes:
        last = line.price(self._last[line.native].price)
        return (
            f'{{"channel":"ticker","type":"{kind}","data":[{{"symbol":"{line.native}",'
            f'"bid":{line.price(touch.bid)},"bid_qty":{line.size(touch.bid_size)},'
            f'"ask":{line.price(touch.ask)},"ask_qty":{line.size(touch.ask_size)},'
            f'"last":{last},"volume":0.0,"vwap":{last},"low":{last},"high":{last},"change":0.0,'
            f'"change_pct":0.0,"timestamp":"{self.now_iso()}"}}]}}'
        ).encode()

    # --- REST ------------------------------------------------------------------------------

    def rest(self, path: str, query: Query) -> Answer:
        """Serve Time, SystemStatus, AssetPairs, Depth and Ticker below /0/public."""
        verb = path.removeprefix("/0/public/")
        if verb == "Time":
            return _result({"unixtime": self.now_ms() // 1000, "rfc1123": ""})
        if verb == "SystemStatus":
            return _result({"status": "online", "timestamp": self.now_iso()[:19] + "Z"})
        if verb not in ("AssetPairs", "Depth"):
            return _errors("EGeneral:Unknown method")
        names = [name for name in query.get("pair", "").split(",") if name]
        lines = [self._rest_names.get(name.replace("/", "")) for name in names]
        if None in lines or (verb == "Depth" and len(lines) != 1):
            return _errors("EQuery:Unknown asset pair")
        found = [line for line in lines if line] or list(self.lines.values())
        if verb == "AssetPairs":
            return _result({rest_name(line): self._listing(line) for line in found})
        depth = count(query.get("count"), default=100, most=500)
        if depth is None:
            return _errors("EGeneral:Invalid arguments:count")
        line, now_s = found[0], self.now_ms() // 1000
        sides = {"asks": ASK, "bids": BID}
        return _result({rest_name(line): {
            name: [[line.price(p), line.size(s), now_s] for p, s in line.book.top(side, depth)]
            for name, side in sides.items()
        }})

    def _listing(self, line: Line) -> dict[str, Any]:
        base, quote = OLD_NAMES.get(line.pair.base, line.pair.base), line.pair.quote
        return {
            "altname": rest_name(line), "wsname": f"{base}/{quote}", "aclass_base": "currency",
            "base": base, "aclass_quote": "currency", "quote": quote, "lot": "unit",
            "cost_decimals": 5, "pair_decimals": line.tick_decimals,
            "lot_decimals": line.lot_decimals, "lot_multiplier": 1, "leverage_buy": [],
            "leverage_sell": [], "fees": [[0, 0.4], [10000, 0.35]],
            "fees_maker": [[0, 0.25], [10000, 0.2]], "fee_volume_currency": "ZUSD",
            "margin_call": 80, "margin_stop": 40, "ordermin": line.lot, "costmin": "0.5",
            "tick_size": line.tick, "status": "online",
        }


def rest_name(line: Line) -> str:
    """Return the pair's REST name: XBTUSD for BTC/USD."""
    return OLD_NAMES.get(line.pair.base, line.pair.base) + line.pair.quote


def checksum(line: Line) -> int:
    """Return the unsigned CRC32 of the top ten, asks first, digits without point and zeros."""
    top = line.book.top
    levels = top(ASK, CHECKSUM_DEPTH) + top(BID, CHECKSUM_DEPTH)
    return zlib.crc32("".join([f"{price}{size}" for price, size in levels]).encode())


def _edges(line: Line, depth: int) -> Edges:
    bids, asks = line.book.prices
    return (bids[-depth] if len(bids) >= depth else 0,
            asks[depth - 1] if len(asks) >= depth else NO_EDGE)


def _came_in(
    line: Line, side: int, before: int, now: int, told: Iterable[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Return the levels beyond the edge of before that are within the depth now, best first."""
    prices, sizes = line.book.prices[side], line.book.sizes[side]
    known = {price for price, _ in told}
    found = (prices[bisect_left(prices, now) : bisect_left(prices, before)][::-1] if side == BID
             else prices[bisect_right(prices, before) : bisect_right(prices, now)])
    return [(price, sizes[price]) for price in found if price not in known]


def _levels(line: Line, levels: Iterable[tuple[int, int]]) -> str:
    prices, written = line.prices, line.size
    return ",".join([
        f'{{"price":{prices[price]},"qty":{written(size)}}}' for price, size in levels
    ])


def _result(value: object) -> Answer:
    return to_json({"error": [], "result": value})


def _errors(text: str) -> Answer:
    return to_json({"error": [text]})
