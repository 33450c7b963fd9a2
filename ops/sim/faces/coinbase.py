"""Coinbase Advanced Trade: one number counts every message of a connection.

Source: shared/venues/coinbase.md, 2026-11-21.  ``level2`` arrives as ``l2_data`` and asks are
called offers.  ``market_trades`` name the maker's side.
"""

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
    iso,
    json_object,
    strings,
    to_json,
)
from ops.sim.floor import Floor
from ops.sim.listing import Line

NUMBER: Final = b'"sequence_num":?'  # replaced per connection
SIDES: Final = ("bid", "offer")
LISTED: Final = {"level2", "market_trades", "ticker"}
CHANNELS: Final = LISTED | {"heartbeats"}
TRADES_KEPT: Final = 50
ROOT: Final = "/api/v3/brokerage"  # of the REST paths


class Coinbase(Face):
    """The Advanced Trade market-data stream and its public REST."""

    path = "/"
    subscribe_within_s = 5.0

    def __init__(
        self, lines: Sequence[Line], outlet: Outlet, clock: Clock, floor: Floor
    ) -> None:
        super().__init__(lines, outlet, clock, floor)
        self._touch = {line.native: line.book.touch() for line in lines}
        self._trades: dict[str, list[dict[str, str]]] = {native: [] for native in self.lines}

    # --- streams ---------------------------------------------------------------------------

    def wrap(self, session: Session, topic: Topic, body: bytes) -> bytes:
        """Write the message's number on this connection."""
        number = session.messages
        session.messages = number + 1
        return body.replace(NUMBER, b'"sequence_num":%d' % number, 1)

    def text(self, session: Session, message: bytes) -> None:
        """Serve subscribe and unsubscribe; the answer names all that the connection has."""
        request = json_object(message)
        kind, channel = (request.get("type"), request.get("channel")) if request else (None, None)
        natives = strings(request.get("product_ids", [])) if request else None
        if request is None:
            session.send(b'{"type":"error","message":"failed to unmarshal request: invalid JSON"}')
        elif kind not in ("subscribe", "unsubscribe"):
            session.send(b'{"type":"error","message":"unknown message type"}')
        elif channel not in CHANNELS:
            session.send(b'{"type":"error","message":"channel does not exist"}')
        elif natives is None or (channel in LISTED and not natives):
            session.send(b'{"type":"error","message":"product_ids must be a list of products"}')
        elif unknown := [native for native in natives if native not in self.lines]:
            text = f"{unknown[0]} is not a valid product"
            session.send(orjson.dumps({"type": "error", "message": text}))
        else:
            for topic in [(channel, native) for native in natives] or [(channel, "")]:
                if kind == "unsubscribe":
                    session.unsubscribe(topic)
                elif topic not in session.topics:
                    session.subscribe(topic, channel)
                    self._send_first(session, topic)
            self._acknowledge(session)

    def _send_first(self, session: Session, topic: Topic) -> None:
        channel, native = topic
        if channel == "heartbeats":
            return
        line = self.lines[native]
        first = {"level2": self.snapshot, "market_trades": self._trades_snapshot,
                 "ticker": self._ticker_snapshot}[channel]
        if line.started:
            session.push(topic, self.wrap(session, topic, first(line)))

    def _acknowledge(self, session: Session) -> None:
        have: dict[str, list[str]] = {}
        for channel, native in session.topics:
            have.setdefault(channel, []).append(native or "heartbeats")
        body = self._message("subscriptions", orjson.dumps({"subscriptions": have}).decode())
        session.send(self.wrap(session, ("subscriptions", ""), body))

    def beat(self, session: Session, second: int) -> None:
        """Send the heartbeat to those who asked for it."""
        topic = ("heartbeats", "")
        if topic in session.topics:
            event = f'{{"current_time":"{self.now_iso()}","heartbeat_counter":{second}}}'
            session.push(topic, self.wrap(session, topic, self._message("heartbeats", event)))

    def _message(self, channel: str, event: str) -> bytes:
        return (
            f'{{"channel":"{channel}","client_id":"","timestamp":"{self.now_iso()}",'
            f'{NUMBER.decode()},"events":[{event}]}}'
        ).encode()

    # --- market ----------------------------------------------------------------------------

    def update(self, line: Line, update: Update) -> None:
        """Send the prints, the changes, and the ticker where a print moved it."""
        native = line.native
        for each in update.prints:
            row = self._row(line, each)
            self._trades[native] = [row, *self._trades[native]][:TRADES_KEPT]
            if self.outlet.wanted(("market_trades", native)):
                event = orjson.dumps({"type": "update", "trades": [row]}).decode()
                body = self._message("market_trades", event)
                self.outlet.publish(("market_trades", native), body)
        if update.changes and self.outlet.wanted(("level2", native)):
            body = self._levels(line, "update", update.changes)
            self.outlet.publish(("level2", native), body)
        touch, topic = line.book.touch(), ("ticker", native)
        if update.prints and touch != self._touch[native] and self.outlet.wanted(topic):
            self._touch[native] = touch
            self.outlet.publish(topic, self._ticker(line, touch, "update"))

    def snapshot(self, line: Line) -> bytes:
        """Return the whole book, every level as a change."""
        changes = [
            Change(side, price, size)
            for side, sizes in zip((BID, ASK), line.book.sizes, strict=True)
            for price, size in line.book.top(side, len(sizes))
        ]
        return self._levels(line, "snapshot", changes)

    def _levels(self, line: Line, kind: str, changes: Iterable[Change]) -> bytes:
        at, prices, written = self.now_iso(), line.prices, line.size
        rows = ",".join([
            f'{{"side":"{SIDES[side]}","event_time":"{at}","price_level":"{prices[price]}",'
            f'"new_quantity":"{written(size)}"}}' for side, price, size in changes
        ])
        return self._message(
            "l2_data", f'{{"type":"{kind}","product_id":"{line.native}","updates":[{rows}]}}')

    def _row(self, line: Line, each: Print) -> dict[str, str]:
        maker = "SELL" if each.side == BUY else "BUY"
        return {
            "product_id": line.native, "trade_id": str(each.trade_id),
            "price": line.price(each.price), "size": line.plain_size(each.size),
            "time": self.now_iso(), "side": maker,
        }

    def _trades_snapshot(self, line: Line) -> bytes:
        event = {"type": "snapshot", "trades": self._trades[line.native]}
        return self._message("market_trades", orjson.dumps(event).decode())

    def _ticker_snapshot(self, line: Line) -> bytes:
        return self._ticker(line, line.book.touch(), "snapshot")

    def _ticker(self, line: Line, touch: Touch, kind: str) -> bytes:
        trades = self._trades[line.native]
        row = {
            "type": "ticker", "product_id": line.native,
            "price": trades[0]["price"] if trades else line.price(touch.bid),
            "volume_24_h": "0", "low_24_h": "0", "high_24_h": "0", "low_52_w": "0",
            "high_52_w": "0", "price_percent_chg_24_h": "0",
            "best_bid": line.price(touch.bid), "best_bid_quantity": line.plain_size(touch.bid_size),
            "best_ask": line.price(touch.ask), "best_ask_quantity": line.plain_size(touch.ask_size),
        }
        return self._message("ticker", orjson.dumps({"type": kind, "tickers": [row]}).decode())

    # --- REST ------------------------------------------------------------------------------

    def rest(self, path: str, query: Query) -> Answer:
        """Serve time, products, one product and product_book below /api/v3/brokerage."""
        verb = path.removeprefix(ROOT + "/")
        if verb == "time":
            now_ns = self.clock.unix_ns()
            return to_json({"iso": iso(now_ns), "epochSeconds": str(now_ns // 1_000_000_000),
                            "epochMillis": str(now_ns // 1_000_000)})
        if verb == "market/products":
            asked = [name for name in query.get("product_ids", "").split(",") if name]
            rows = [self._product(line) for line in self.lines.values()
                    if not asked or line.native in asked]
            if query.get("product_type", "SPOT") != "SPOT":
                rows = []
            return to_json({"products": rows, "num_products": len(rows)})
        if verb == "market/product_book":
            return self._product_book(query)
        line = self.lines.get(verb.removeprefix("market/products/"))
        if line is None:
            return _refused("NOT_FOUND", "valid product_id is required", 404)
        return to_json(self._product(line))

    def _product_book(self, query: Query) -> Answer:
        line = self.lines.get(query.get("product_id", ""))
        limit = count(query.get("limit"), default=1_000_000, most=1_000_000)
        if line is None or limit is None:
            return _refused("INVALID_ARGUMENT", "valid product_id and limit are required", 400)
        book: dict[str, Any] = {"product_id": line.native}
        for name, side in (("bids", BID), ("asks", ASK)):
            book[name] = [{"price": line.price(p), "size": line.plain_size(s)}
                          for p, s in line.book.top(side, limit)]
        return to_json({"pricebook": book | {"time": self.now_iso()}})

    def _product(self, line: Line) -> dict[str, Any]:
        off = ("cancel_only", "limit_only", "post_only", "trading_disabled", "auction_mode",
               "is_disabled", "view_only")
        return {
            "product_id": line.native, "price": line.price(line.book.touch().bid),
            "base_increment": line.lot, "quote_increment": line.tick, "price_increment": line.tick,
            "quote_min_size": "1", "quote_max_size": "150000000", "base_min_size": line.lot,
            "base_max_size": "3400", "status": "online", "product_type": "SPOT",
            "quote_currency_id": line.pair.quote, "base_currency_id": line.pair.base,
            "alias": "", "alias_to": [], "product_venue": "CBE",
        } | dict.fromkeys(off, False)


def _refused(error: str, message: str, status: int) -> Answer:
    return to_json({"error": error, "error_details": message, "message": message}, status)
