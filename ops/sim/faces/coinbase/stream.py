"""The WebSocket: subscriptions, their acknowledgement and errors, and the market's channels.

Source: shared/venues/coinbase.md, 2026-11-21.  ``level2`` arrives as ``l2_data`` and asks are
called offers.  ``market_trades`` name the maker's side and come in batches.  Both of the venue's
hosts are this one port, so every channel is served here, ``user`` included.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson

from ops.sim.book import ASK, BID, Change, Touch
from ops.sim.day import Day, Deal
from ops.sim.face import Outlet, Session, Topic, Update, iso, json_object, strings
from ops.sim.faces.coinbase import candles
from ops.sim.faces.coinbase.limits import Limits
from ops.sim.faces.coinbase.market import Market, deal_row, percent
from ops.sim.faces.coinbase.messages import NOT_YOU, TOO_FAST, error, message, numbered
from ops.sim.faces.coinbase.names import uuid_named
from ops.sim.faces.coinbase.tokens import Denial, Tokens
from ops.sim.faces.coinbase.user import UserChannel, topic_of
from ops.sim.floor import Floor
from ops.sim.listing import Line

SIDES: Final = ("bid", "offer")
LISTED: Final = {"level2", "market_trades", "ticker", "ticker_batch", "candles"}
CHANNELS: Final = LISTED | {"heartbeats", "status", "user"}
TRADES_SENT: Final = 50  # with the first message
BATCH_S: Final = 5  # between two messages of ticker_batch, and of status
TRADES_NS: Final = 250_000_000  # what is traded meanwhile comes as one message
TRADES_MAX: Final = 500  # of one such message
QUIET_S: Final = 90  # a connection that was sent nothing for so long is closed


class Stream:
    """What clients of the WebSocket ask for, and what they get."""

    def __init__(
        self, floor: Floor, lines: Mapping[str, Line], days: Mapping[str, Day], outlet: Outlet,
        market: Market, user: UserChannel, tokens: Tokens, limits: Limits,
    ) -> None:
        self._floor, self._lines, self._days, self._outlet = floor, lines, days, outlet
        self._market, self._user, self._tokens, self._limits = market, user, tokens, limits
        self._touch = {line.native: line.book.touch() for line in lines.values()}
        self._waiting: dict[str, list[Deal]] = {}  # oldest first, by product
        self._sent_ns = 0

    # --- requests ------------------------------------------------------------------------------

    def text(self, session: Session, text: bytes) -> None:
        """Serve subscribe and unsubscribe; the answer names all that the connection has."""
        request = json_object(text)
        account = self._account(request.get("jwt")) if request else ""
        if not account and not self._limits.message(session.ip, self._floor.mono_ns()):
            session.send(error(TOO_FAST))
        elif request is None:
            session.send(error("failed to unmarshal request: invalid JSON"))
        elif account is None:
            session.send(error(NOT_YOU))
        else:
            problem = self._serve(session, request, account)
            if problem:
                session.send(error(problem))
            else:
                self._acknowledge(session)

    def _account(self, token: object) -> str | None:
        """Return who a token speaks for; empty without one, None for a bad one."""
        if not token:
            return ""
        found = self._tokens.account(str(token), self._floor.now_ns())
        return None if isinstance(found, Denial) else found

    def _serve(self, session: Session, request: dict[str, Any], account: str) -> str:
        """Do what is asked; return what is wrong with it."""
        kind, channel = request.get("type"), request.get("channel")
        natives = strings(request.get("product_ids") or [])
        if kind not in ("subscribe", "unsubscribe"):
            return "unknown message type"
        if not isinstance(channel, str) or channel not in CHANNELS:
            return "channel does not exist"
        if natives is None or (channel in LISTED and not natives):
            return "product_ids must be a list of products"
        if unknown := [native for native in natives if native not in self._lines]:
            return f"{unknown[0]} is not a valid product"
        if channel == "user" and not account:
            return NOT_YOU
        if kind == "unsubscribe":
            for topic in _topics(channel, natives, account):
                session.unsubscribe(topic)
        elif channel == "user":
            self._subscribe_user(session, natives, account)
        else:
            for topic in _topics(channel, natives, account):
                if topic not in session.topics:
                    self.flush(topic[1])
                    session.subscribe(topic, channel)
                    self._send_first(session, topic)
        return ""

    def _subscribe_user(self, session: Session, natives: list[str], account: str) -> None:
        """Follow an account's orders; all of them take the place of some products'."""
        session.account = account
        if not natives:
            for topic in [topic for topic in session.topics if topic[0] == "@user"]:
                session.unsubscribe(topic)
        elif topic_of(account) in session.topics:
            natives = []
        topics = _topics("user", natives, account)
        for topic in topics:
            session.subscribe(topic, "user")
        for body in self._user.snapshots(account, natives):
            session.push(topics[0], body)

    def _send_first(self, session: Session, topic: Topic) -> None:
        channel, native = topic
        if channel == "heartbeats":
            return
        if channel == "status":
            session.push(topic, self.wrap(session, self._status("snapshot")))
            return
        line = self._lines[native]
        first = {"level2": self.snapshot, "market_trades": self._trades_snapshot,
                 "ticker": self._ticker_snapshot, "ticker_batch": self._batch_snapshot,
                 "candles": self._candles_snapshot}[channel]
        if line.started:
            session.push(topic, self.wrap(session, first(line)))

    def _acknowledge(self, session: Session) -> None:
        have: dict[str, list[str]] = {}
        for channel, native in session.topics:
            if channel == "@user":
                account, _, product = native.partition("/")
                have.setdefault("user", []).append(product or uuid_named("user", account))
            else:
                have.setdefault(channel, []).append(native or channel)
        event = orjson.dumps({"subscriptions": have}).decode()
        session.send(self.wrap(session, self._message("subscriptions", event)))

    @staticmethod
    def wrap(session: Session, body: bytes) -> bytes:
        """Write the message's number on this connection."""
        number = session.messages
        session.messages = number + 1
        return numbered(body, number)

    def beat(self, session: Session, second: int) -> None:
        """Send heartbeats and what comes every five seconds; close what was silent for long."""
        told, since = session.state.setdefault("quiet", (session.messages, second))
        if told != session.messages:
            session.state["quiet"] = (session.messages, second)
        elif second - since >= QUIET_S:
            session.close(1000, "")
            return
        for topic in tuple(session.topics):
            body = None
            if topic[0] == "heartbeats":
                now = iso(self._floor.now_ns())
                event = f'{{"current_time":"{now}","heartbeat_counter":{second}}}'
                body = self._message("heartbeats", event)
            elif topic[0] == "ticker_batch" and second % BATCH_S == 0:
                body = self._ticker(self._lines[topic[1]], None, "update")
            elif topic[0] == "candles":
                body = self._candle(session, self._lines[topic[1]])
            elif topic[0] == "status" and second % BATCH_S == 0:
                body = self._status("update")
            if body is not None:
                session.push(topic, self.wrap(session, body))

    def _message(self, channel: str, event: str) -> bytes:
        return message(channel, event, iso(self._floor.now_ns()))

    # --- market --------------------------------------------------------------------------------

    def update(self, line: Line, update: Update) -> None:
        """Send the prints, the changes, and the ticker where a print moved it."""
        native = line.native
        for each in update.prints:
            deal = self._days[native].add(each, self._floor.now_ns())
            if self._outlet.wanted(("market_trades", native)):
                waiting = self._waiting.setdefault(native, [])
                waiting.append(deal)
                if len(waiting) == TRADES_MAX:
                    self.flush(native)
        if update.changes and self._outlet.wanted(("level2", native)):
            body = self._levels(line, "update", update.changes)
            self._outlet.publish(("level2", native), body)
        if not update.prints or not self._outlet.wanted(topic := ("ticker", native)):
            return
        if (touch := line.book.touch()) != self._touch[native]:
            self._touch[native] = touch
            self._outlet.publish(topic, self._ticker(line, touch, "update"))

    def flush(self, native: str) -> None:
        """Send the prints of a product that wait, newest first."""
        waiting = self._waiting.pop(native, None)
        if waiting:
            line = self._lines[native]
            rows = [deal_row(line, deal) for deal in reversed(waiting)]
            event = orjson.dumps({"type": "update", "trades": rows}).decode()
            self._outlet.publish(
                ("market_trades", native), self._message("market_trades", event))

    def tick(self) -> None:
        """Send all prints that wait, four times a second or a little less often."""
        now_ns = self._floor.mono_ns()
        if now_ns - self._sent_ns >= TRADES_NS:
            self._sent_ns = now_ns
            for native in list(self._waiting):
                self.flush(native)

    def relisted(self) -> None:
        """Tell of new limits or a new status."""
        if self._outlet.wanted(("status", "")):
            self._outlet.publish(("status", ""), self._status("update"))

    def snapshot(self, line: Line) -> bytes:
        """Return the whole book, every level as a change."""
        changes = [
            Change(side, price, size)
            for side, sizes in zip((BID, ASK), line.book.sizes, strict=True)
            for price, size in line.book.top(side, len(sizes))
        ]
        return self._levels(line, "snapshot", changes)

    def _levels(self, line: Line, kind: str, changes: Iterable[Change]) -> bytes:
        at, prices, written = iso(self._floor.now_ns()), line.prices, line.size
        rows = ",".join([
            f'{{"side":"{SIDES[side]}","event_time":"{at}","price_level":"{prices[price]}",'
            f'"new_quantity":"{written(size)}"}}' for side, price, size in changes
        ])
        return self._message(
            "l2_data", f'{{"type":"{kind}","product_id":"{line.native}","updates":[{rows}]}}')

    def _trades_snapshot(self, line: Line) -> bytes:
        deals = self._days[line.native].latest(TRADES_SENT)
        event = {"type": "snapshot", "trades": [deal_row(line, deal) for deal in reversed(deals)]}
        return self._message("market_trades", orjson.dumps(event).decode())

    def _ticker_snapshot(self, line: Line) -> bytes:
        return self._ticker(line, line.book.touch(), "snapshot")

    def _batch_snapshot(self, line: Line) -> bytes:
        return self._ticker(line, None, "snapshot")

    def _ticker(self, line: Line, touch: Touch | None, kind: str) -> bytes:
        """Return a ticker; without a touch it is one of ticker_batch."""
        day = self._days[line.native].figures(self._floor.now_ns())
        low, high = line.price(day.low), line.price(day.high)
        row = {
            "type": "ticker", "product_id": line.native, "price": line.price(day.last),
            "volume_24_h": line.plain_size(day.volume), "low_24_h": low, "high_24_h": high,
            "low_52_w": low, "high_52_w": high,
            "price_percent_chg_24_h": percent(day.last, day.open),
        }
        if touch is not None:
            row |= {
                "best_bid": line.price(touch.bid),
                "best_bid_quantity": line.plain_size(touch.bid_size),
                "best_ask": line.price(touch.ask),
                "best_ask_quantity": line.plain_size(touch.ask_size),
            }
        event = orjson.dumps({"type": kind, "tickers": [row]}).decode()
        return self._message("ticker" if touch is not None else "ticker_batch", event)

    def _candles_snapshot(self, line: Line) -> bytes:
        rows = self._candle_rows(line)
        return self._candles("snapshot", rows[::-1])

    def _candle(self, session: Session, line: Line) -> bytes | None:
        """Return the newest candle, None if it is what this connection was told last."""
        newest = self._candle_rows(line)[-1:]
        told: dict[str, list[dict[str, str]]] = session.state.setdefault("candles", {})
        if not line.started or told.get(line.native) == newest:
            return None
        told[line.native] = newest
        return self._candles("update", newest)

    def _candle_rows(self, line: Line) -> list[dict[str, str]]:
        rows = candles.rows(
            line, self._days[line.native], candles.STREAMED_S, self._floor.now_ns())
        return [row | {"product_id": line.native} for row in rows]

    def _candles(self, kind: str, rows: list[dict[str, str]]) -> bytes:
        event = orjson.dumps({"type": kind, "candles": rows}).decode()
        return self._message("candles", event)

    def _status(self, kind: str) -> bytes:
        """Return all products with their status; fields after Nautilus' parser, 2026-11."""
        rows = [
            {
                "product_type": product["product_type"], "id": product["product_id"],
                "base_currency": product["base_currency_id"],
                "quote_currency": product["quote_currency_id"],
                "base_increment": product["base_increment"],
                "quote_increment": product["quote_increment"],
                "display_name": product["display_name"], "status": product["status"],
                "status_message": "trading disabled" if product["trading_disabled"] else "",
                "min_market_funds": product["quote_min_size"],
            }
            for product in map(self._market.product, self._lines.values())
        ]
        return self._message("status", orjson.dumps({"type": kind, "products": rows}).decode())


def _topics(channel: str, natives: list[str], account: str) -> list[Topic]:
    if channel == "user":
        return [topic_of(account, native) for native in natives] or [topic_of(account)]
    if channel not in LISTED:
        return [(channel, "")]
    return [(channel, native) for native in natives]
