"""Coinbase Exchange feed: snapshot, then l2update in TCP order; no numbers on the book.

Source: shared/venues/coinbase.md, 2026-11-21, and recorded frames of 2021.  ``level2`` needs a
signature, ``level2_batch`` does not.  ``match`` names the maker's side, ``ticker`` the taker's.
"""

from collections.abc import Sequence
from random import Random
from typing import Any, Final
from uuid import UUID

import orjson

from engine.model.clock import Clock
from ops.sim.book import ASK, BID
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
    to_json,
)
from ops.sim.floor import Floor
from ops.sim.listing import Line

SIDES: Final = ("buy", "sell")
CHANNELS: Final = ("level2_batch", "matches", "ticker", "heartbeat")
SIGNED: Final = ("level2", "full", "level3", "user")
FIRST_SEQUENCE: Final = 1_000_000_000


class CoinbaseExchange(Face):
    """The Exchange market-data feed and its public REST."""

    path = "/"
    subscribe_within_s = 5.0

    def __init__(
        self, lines: Sequence[Line], outlet: Outlet, clock: Clock, floor: Floor
    ) -> None:
        super().__init__(lines, outlet, clock, floor)
        for number, line in enumerate(lines):
            line.last_id = line.last_id or FIRST_SEQUENCE + number * 1_000_003
        self._orders = Random("orders")  # noqa: S311  not a secret
        self._last = {line.native: Print(BUY, line.book.touch().bid, 1) for line in lines}

    # --- streams ---------------------------------------------------------------------------

    def text(self, session: Session, message: bytes) -> None:
        """Serve subscribe and unsubscribe; the answer names all that the connection has."""
        request = json_object(message)
        if request is None:
            session.send(b'{"type":"error","message":"Malformed JSON"}')
            return
        kind = request.get("type")
        if kind not in ("subscribe", "unsubscribe"):
            session.send(orjson.dumps({"type": "error", "message": "Type has to be either "
                                       "subscribe or unsubscribe", "reason": f"{kind} is unknown"}))
            return
        topics = self._topics(session, request)
        if topics is None:
            return
        for topic in topics:
            if kind == "unsubscribe":
                session.unsubscribe(topic)
            else:
                session.subscribe(topic, topic[0])
        have: dict[str, list[str]] = {}
        for channel, native in session.topics:
            have.setdefault(channel, []).append(native)
        rows = [{"name": name, "product_ids": natives} for name, natives in have.items()]
        session.send(orjson.dumps({"type": "subscriptions", "channels": rows}))
        for topic in topics if kind == "subscribe" else ():
            self._send_first(session, topic)

    def _topics(self, session: Session, request: dict[str, Any]) -> list[Topic] | None:
        """Return the topics a request names; None after an error was sent."""
        common, channels = request.get("product_ids", []), request.get("channels")
        topics: list[Topic] = []
        problem = None if isinstance(channels, list) and channels else "channels must be a list"
        for channel in channels if isinstance(channels, list) else ():
            name, natives = channel, strings(common)
            if isinstance(channel, dict):
                name, natives = channel.get("name"), strings(channel.get("product_ids", common))
            if name in SIGNED:
                problem = "level2, level3, and full channels now require authentication"
            elif name not in CHANNELS:
                problem = f"{name} is not a valid channel"
            elif not natives:
                problem = "product_ids must be a list of products"
            elif unknown := [native for native in natives if native not in self.lines]:
                problem = f"{unknown[0]} is not a valid product"
            else:
                topics.extend((name, native) for native in natives)
        if problem is None:
            return topics
        session.send(orjson.dumps(
            {"type": "error", "message": "Failed to subscribe", "reason": problem}))
        return None

    def _send_first(self, session: Session, topic: Topic) -> None:
        channel, native = topic
        line = self.lines[native]
        if not line.started:
            return
        if channel == "level2_batch":
            session.push(topic, self.snapshot(line))
        elif channel == "matches":
            session.push(topic, self._match(line, self._last[native], "last_match"))
        elif channel == "ticker":
            session.push(topic, self._ticker(line, self._last[native]))

    def beat(self, session: Session, second: int) -> None:
        """Send the heartbeat of every product that asked for it."""
        for channel, native in tuple(session.topics):
            if channel == "heartbeat":
                session.push((channel, native), orjson.dumps({
                    "type": "heartbeat", "sequence": self.lines[native].last_id,
                    "last_trade_id": self._last[native].trade_id, "product_id": native,
                    "time": self.now_iso(),
                }))

    # --- market ----------------------------------------------------------------------------

    def update(self, line: Line, update: Update) -> None:
        """Send the prints and their ticker, then the changes."""
        native = line.native
        line.last_id += len(update.changes)
        for each in update.prints:
            self._last[native] = each
            if self.outlet.wanted(("matches", native)):
                self.outlet.publish(("matches", native), self._match(line, each, "match"))
            if self.outlet.wanted(("ticker", native)):
                self.outlet.publish(("ticker", native), self._ticker(line, each))
        if update.changes and self.outlet.wanted(("level2_batch", native)):
            rows = ",".join(
                f'["{SIDES[side]}","{line.price(price)}","{line.size(size)}"]'
                for side, price, size in update.changes
            )
            self.outlet.publish(("level2_batch", native), (
                f'{{"type":"l2update","product_id":"{native}","changes":[{rows}],'
                f'"time":"{self.now_iso()}"}}'
            ).encode())

    def snapshot(self, line: Line) -> bytes:
        """Return the whole book."""
        sides = {}
        for name, side in (("asks", ASK), ("bids", BID)):
            sides[name] = ",".join(
                f'["{line.price(p)}","{line.size(s)}"]'
                for p, s in line.book.top(side, len(line.book.sizes[side]))
            )
        return (
            f'{{"type":"snapshot","product_id":"{line.native}","asks":[{sides["asks"]}],'
            f'"bids":[{sides["bids"]}]}}'
        ).encode()

    def _match(self, line: Line, each: Print, kind: str) -> bytes:
        maker = "sell" if each.side == BUY else "buy"
        return orjson.dumps({
            "type": kind, "trade_id": each.trade_id,
            "maker_order_id": self._order_id(), "taker_order_id": self._order_id(), "side": maker,
            "size": line.plain_size(each.size), "price": line.price(each.price),
            "product_id": line.native, "sequence": line.last_id, "time": self.now_iso(),
        })

    def _order_id(self) -> str:
        return str(UUID(int=self._orders.getrandbits(128), version=4))

    def _ticker(self, line: Line, each: Print) -> bytes:
        touch, price = line.book.touch(), line.price(each.price)
        return orjson.dumps({
            "type": "ticker", "sequence": line.last_id, "product_id": line.native, "price": price,
            "open_24h": price, "volume_24h": "0.00000000", "low_24h": price, "high_24h": price,
            "volume_30d": "0.00000000", "best_bid": line.price(touch.bid),
            "best_ask": line.price(touch.ask), "side": "buy" if each.side == BUY else "sell",
            "time": self.now_iso(), "trade_id": each.trade_id,
            "last_size": line.plain_size(each.size),
        })

    # --- REST ------------------------------------------------------------------------------

    def rest(self, path: str, query: Query) -> Answer:
        """Serve time, products, one product and its book."""
        if path == "/time":
            return to_json({"iso": self.now_iso(), "epoch": self.now_ms() / 1000})
        if path == "/products":
            return to_json([self._product(line) for line in self.lines.values()])
        native, _, verb = path.removeprefix("/products/").partition("/")
        line = self.lines.get(native)
        if not path.startswith("/products/") or line is None or verb not in ("", "book"):
            return to_json({"message": "NotFound"}, 404)
        if not verb:
            return to_json(self._product(line))
        level = query.get("level", "1")
        if level not in ("1", "2"):
            return to_json({"message": "Invalid level"}, 400)
        depth = 1 if level == "1" else max(map(len, line.book.sizes))
        sides = {name: [[line.price(p), line.size(s), 1] for p, s in line.book.top(side, depth)]
                 for name, side in (("bids", BID), ("asks", ASK))}
        return to_json(sides | {"sequence": line.last_id, "auction_mode": False, "auction": None,
                                "time": self.now_iso()})

    def _product(self, line: Line) -> dict[str, Any]:
        return {
            "id": line.native, "base_currency": line.pair.base, "quote_currency": line.pair.quote,
            "quote_increment": line.tick, "base_increment": line.lot,
            "display_name": f"{line.pair.base}/{line.pair.quote}", "min_market_funds": "1",
            "margin_enabled": False, "post_only": False, "limit_only": False, "cancel_only": False,
            "status": "online", "status_message": "", "trading_disabled": False,
            "fx_stablecoin": False, "auction_mode": False,
        }
