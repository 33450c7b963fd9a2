"""A venue of no house: the plainest protocol with private calls, to try what all faces share.

Its calls:

    GET  /time  /depth?symbol=S  /orders  /orders/ID  /fills       orders and fills need x-key
    POST /orders {"side","price","size","tif"}  DELETE /orders/ID  DELETE /orders
    ws   {"login": KEY}  {"book": S}  {"place": {...}}             numbers are whole quanta
"""

import json
from collections.abc import Mapping
from typing import Any
from zlib import crc32

from ops.sim.exchange.events import Accepted, Amended, BalanceChanged, Ended, Event, Fill
from ops.sim.exchange.filters import Refusal
from ops.sim.exchange.orders import BUY, SELL, Order, Request, Tif
from ops.sim.face import (
    Answer,
    Face,
    HttpRequest,
    Query,
    Session,
    Topic,
    Update,
    json_object,
    to_json,
)
from ops.sim.listing import Line

TIFS = {"gtc": Tif.GTC, "ioc": Tif.IOC, "fok": Tif.FOK}


class PlainFace(Face):
    """Speaks it."""

    def text(self, session: Session, message: bytes) -> None:
        """Log in, subscribe, place."""
        asked = json_object(message)
        if asked is None:
            session.send(b'{"error":"no JSON"}')
        elif "login" in asked:
            key = self.floor.credentials.get(asked["login"])
            if key is not None:
                session.account = key.account
                session.subscribe(("@orders", key.account), "orders")
            session.send(json.dumps({"login": key is not None}).encode())
        elif "book" in asked:
            session.subscribe(("book", asked["book"]), "book")
            session.send(b'{"book":true}')
        elif "place" in asked and session.account:
            placed = self._place(session.account, asked["place"])
            session.answer(json.dumps({"answer": placed}).encode())

    def update(self, line: Line, update: Update) -> None:
        """Publish changes and prints in one frame."""
        self.outlet.publish(("book", line.native), json.dumps({
            "symbol": line.native, "changes": update.changes, "prints": update.prints,
        }, separators=(",", ":")).encode())

    def wrap(self, session: Session, topic: Topic, body: bytes) -> bytes:
        """Give the frames of books a number and a checksum."""
        if topic[0] != "book":
            return body
        session.messages += 1
        return b'{"n":%d,"checksum":%d,"of":%s}' % (session.messages, crc32(body), body)

    def heard(self, event: Event) -> None:
        """Tell of orders and fills."""
        said: dict[str, Any] = {"event": type(event).__name__}
        if isinstance(event, Accepted | Ended | Amended):
            account, said["id"] = event.order.account, event.order.id
        elif isinstance(event, Fill):
            account, said["id"], said["trade"] = event.account, event.order_id, event.trade_id
            said["size"] = event.size
        elif isinstance(event, BalanceChanged):
            account, said["asset"] = event.account, event.asset
        else:
            return
        self.outlet.publish(("@orders", account), json.dumps(said).encode())

    def request(self, request: HttpRequest) -> Answer:
        """Sort private calls out."""
        _, noun, *rest = request.path.split("/")
        if noun not in ("orders", "fills"):
            return self.rest(request.path, request.query)
        key = self.floor.credentials.get(request.headers.get("x-key", ""))
        if key is None:
            return to_json({"error": "unknown key"}, 401)
        exchange, account = self.floor.exchange, key.account
        if request.method == "POST":
            body = json_object(request.body)
            if body is None:
                return to_json({"error": "no JSON"}, 400)
            return to_json(self._place(account, body))._replace(entry=True)
        if request.method == "DELETE":
            cancelled = ([self.floor.cancel(account, order_id=int(rest[0]))] if rest
                         else self.floor.cancel_all(account))
            return to_json([_told(each) for each in cancelled])._replace(entry=True)
        if noun == "fills":
            return to_json([fill.trade_id for fill in exchange.fills_since(account)])
        if rest:
            order = exchange.order(account, order_id=int(rest[0]))
            return to_json(_told(order) if order else {"error": "unknown order"})
        return to_json([_told(each) for each in exchange.open_orders(account)])

    def rest(self, path: str, query: Query) -> Answer:
        """Answer public calls."""
        if path == "/time":
            return to_json({"ns": self.floor.now_ns()})
        if path == "/depth" and query.get("symbol") in self.lines:
            line = self.lines[query["symbol"]]
            return to_json([line.book.top(side, 1000) for side in (0, 1)])
        return to_json({"error": "unknown path"}, 404)

    def refused(self, status: int, retry_s: int) -> Answer:
        """Refuse in JSON."""
        return to_json({"error": status, "retry": retry_s}, status)

    def _place(self, account: str, asked: Mapping[str, Any]) -> dict[str, object]:
        return _told(self.floor.place(Request(
            account=account, symbol=next(iter(self.lines)),
            side=BUY if asked["side"] == "buy" else SELL, price=asked["price"],
            size=asked["size"], tif=TIFS[asked.get("tif", "gtc")],
            post_only=asked.get("post_only", False))))


def _told(order: Order | Refusal) -> dict[str, object]:
    if isinstance(order, Refusal):
        return {"refused": order.reason.value}
    return {"id": order.id, "status": order.status.value, "filled": order.filled,
            "size": order.size}
