"""Binance USD-M perpetuals: the private side on top of the public one.

    REST /fapi ── Door ───┐               ┌─ usdm_market, usdm_klines (catalogue, tape, candles)
                          ├─ usdm_routes ─┼─ usdm_account, usdm_config, usdm_history
    /ws-fapi/v1 ─ WsApi ──┘               └─ usdm_trade (place, modify, cancel, dead-man switch)
    matching engine ── events ── UserStream ── "@ORDER_TRADE_UPDATE" .. topics ── /private
    /public, /market ── usdm_streams, usdm_depth;  funding every eight hours ── usdm_funding

Source: shared/venues/binance.md and developers.binance.com/docs/derivatives/usds-margined-futures,
2026-11-21.  The old root serves books and prints alike and keeps silent on all else.

Decisions: 2026-11-21: one-way mode, single-asset margin, nobody is liquidated.
"""

from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qsl, urlencode

import orjson

from engine.model.clock import Clock
from ops.sim.book import Touch
from ops.sim.exchange.events import Event
from ops.sim.face import Answer, HttpRequest, Outlet, Print, Query, Session, Topic, Update
from ops.sim.faces.binance.auth import Auth
from ops.sim.faces.binance.door import Ask, Door
from ops.sim.faces.binance.errors import DISCONNECTED, SHUTTING_DOWN, Refused
from ops.sim.faces.binance.limits import Limit, Limits
from ops.sim.faces.binance.public import Aggregate, Pending, PublicFace
from ops.sim.faces.binance.usdm_account import Accounts
from ops.sim.faces.binance.usdm_config import Config
from ops.sim.faces.binance.usdm_depth import Depths
from ops.sim.faces.binance.usdm_errors import BANNED, MANY_REQUESTS, OUTCOME_UNKNOWN
from ops.sim.faces.binance.usdm_funding import Fundings
from ops.sim.faces.binance.usdm_history import History
from ops.sim.faces.binance.usdm_keys import Keys
from ops.sim.faces.binance.usdm_klines import Klines
from ops.sim.faces.binance.usdm_market import Market
from ops.sim.faces.binance.usdm_routes import methods_of, routes_of
from ops.sim.faces.binance.usdm_streams import Streams, topic_of
from ops.sim.faces.binance.usdm_text import Rows
from ops.sim.faces.binance.usdm_trade import Trading
from ops.sim.faces.binance.usdm_user import EVENTS, UserStream
from ops.sim.faces.binance.usdm_user import topic_of as private_topic
from ops.sim.faces.binance.usdm_wsapi import WsApi
from ops.sim.floor import Floor
from ops.sim.listing import Line

LIMITS: Final = (
    Limit("REQUEST_WEIGHT", "MINUTE", 1, 2400),
    Limit("ORDERS", "MINUTE", 1, 1200),
    Limit("ORDERS", "SECOND", 10, 300),
)
API: Final = "/ws-fapi"
PRIVATE: Final = "/private"
AGE_NS_MAX: Final = 24 * 3600 * 10**9  # of a connection
STREAMS_MAX: Final = 1024


class BinanceUsdm(PublicFace):
    """Their own REST root, linked diffs, 10 requests a second."""

    ping_every_s = 180.0
    pong_within_s = 600.0
    requests_per_s = 10
    perpetual = True

    def __init__(
        self, lines: Sequence[Line], outlet: Outlet, clock: Clock, floor: Floor
    ) -> None:
        super().__init__(lines, outlet, clock, floor)
        rows, auth = Rows(self.lines, floor.exchange), Auth(floor)
        self._limits = Limits(LIMITS, MANY_REQUESTS, BANNED)
        self.funding = Fundings(floor, self.lines)
        self._keys = Keys(floor)
        self._trading = Trading(floor, self.lines, self._limits, rows)
        reader = self._trading.reader
        accounts = Accounts(floor, reader, rows)
        self._history = History(floor, self._trading, rows)
        self._market = Market(floor, self.lines, reader, rows, self._limits, self.funding)
        self._user = UserStream(floor, outlet, rows, self._trading, accounts)
        self._streams = Streams(floor, outlet, self.lines, self._market, self.funding, rows)
        config = Config(floor, reader, accounts, self._user, self._limits)
        self._klines = Klines(floor, outlet, self.lines, self._market, reader)
        parts = (self._trading, self._history, accounts, config, self._keys, self._market)
        self._door = Door(floor, auth, self._limits, routes_of(*parts, self._klines, self._depth))
        self._api = WsApi(floor, auth, self._limits, methods_of(*parts, self._depth))
        self._depths, self._second = Depths(floor, outlet), 0
        self._touches: dict[str, Touch] = {}  # as told to all at once

    # --- connections ---------------------------------------------------------------------------

    def opened(self, session: Session) -> None:
        """Subscribe what the url names: streams, or listen keys and their events."""
        session.state["opened_ns"], session.state["keys"] = self.floor.mono_ns(), {}
        if session.path.startswith(API):
            self._api.opened(session)
        elif session.path.startswith(PRIVATE):
            session.combined = session.path.startswith(PRIVATE + "/stream")
            named = session.path.partition("/ws/")[2]
            self._listen(session, named, EVENTS)
            for key, events in _asked(session.query):
                self._listen(session, key, events)
        else:
            super().opened(session)

    def text(self, session: Session, message: bytes) -> None:
        """Serve stream commands, or the WebSocket API."""
        if session.path.startswith(API):
            self._api.text(session, message)
            return
        super().text(session, message)
        if len(session.topics) > STREAMS_MAX:
            session.close(1008, "Too many streams")

    def request_limit(self, session: Session) -> int:
        """Return how many messages a second a connection may send: the API has weights instead."""
        return 0 if session.path.startswith(API) else self.requests_per_s

    def _subscribe(self, session: Session, names: Sequence[str]) -> None:
        if not session.path.startswith(PRIVATE):
            super()._subscribe(session, names)
            return
        for name in names:
            key, _, event = name.partition("@")
            self._listen(session, key, (event,) if event else EVENTS)

    def _listen(self, session: Session, key: str, events: Sequence[str]) -> None:
        """Let a session hear events of a listen key; an unknown key stays silent."""
        if account := self._keys.account(key):
            for event in events:
                if event in EVENTS:
                    session.subscribe(private_topic(event, account), key)
                    session.state["keys"][key] = account

    def topic(self, name: str, path: str) -> Topic | None:
        """Return the topic of a stream name; None for one that stays silent."""
        if path.startswith(PRIVATE):
            key, _, event = name.partition("@")
            account = self._keys.account(key)
            return private_topic(event, account) if account and event in EVENTS else None
        return topic_of(name, path, self.lines)

    def beat(self, session: Session, second: int) -> None:
        """End connections of a day's age, and listen keys that ran out or were closed."""
        if self.floor.mono_ns() - session.state["opened_ns"] > AGE_NS_MAX:
            session.close(1001, "")
            return
        for key, account in list(session.state["keys"].items()):
            if self._keys.account(key):
                continue
            del session.state["keys"][key]
            body = orjson.dumps(
                {"e": "listenKeyExpired", "E": self.now_ms(), "listenKey": key})
            if session.combined:
                body = b'{"stream":"%s","data":%s}' % (key.encode(), body)
            for event in EVENTS:
                if session.topics.get(private_topic(event, account)) == key:
                    session.unsubscribe(private_topic(event, account))
            session.push(("@listenKeyExpired", account), body)

    # --- market --------------------------------------------------------------------------------

    def update(self, line: Line, update: Update) -> None:
        """Publish what happened."""
        super().update(line, update)
        touch = line.book.touch()
        if self.outlet.wanted(("!bookTicker", "")) and touch != self._touches.get(line.native):
            self._touches[line.native] = touch
            self.outlet.publish(("!bookTicker", ""), self._quote(line, touch))

    def traded(self, line: Line, prints: Sequence[Print], sums: Sequence[Aggregate]) -> None:
        """Remember prints for those who ask."""
        self._market.tapes[line.native].note(self.now_ms(), prints, sums)

    def batched(self, line: Line, first_id: int, pending: Pending) -> None:
        """Feed the slower diffs and the best levels."""
        self._depths.add(line, first_id, pending, self._state[line.native].sent_id)

    def flush(self, line: Line) -> None:
        """Send all that waits, the slower diffs too."""
        super().flush(line)
        self._depths.flush(line)

    def tick(self) -> None:
        """Run timers: countdowns, good-till dates, funding, and once a second the streams."""
        self._trading.tick()
        self.funding.tick()
        second = self.floor.mono_ns() // 10**9
        if second != self._second:
            self._second = second
            for native in self.lines:
                if mark := self.floor.mark(native):
                    self.floor.exchange.set_mark(native, mark)
            self._streams.second(second)
            self._klines.second()

    def heard(self, event: Event) -> None:
        """Tell clients of what happened to their orders and money."""
        self._history.heard(event)
        self._user.heard(event)

    def relisted(self, line: Line) -> None:
        """Tell of a contract's new status."""
        self._streams.relisted(line, self.floor.filters(line.native))

    # --- REST ----------------------------------------------------------------------------------

    def request(self, request: HttpRequest) -> Answer:
        """Answer any request."""
        return self._door.answer(request)

    def rest(self, path: str, query: Query) -> Answer:
        """Answer a public request that somebody else took in."""
        return self._door.answer(HttpRequest("GET", path, urlencode(query), query, {}, b"", ""))

    def _depth(self, ask: Ask) -> object:
        return self.depth(*self._market.depth_limit(ask.params))

    def refused(self, status: int, retry_s: int) -> Answer:
        """Return the venue's words for what faults refuse."""
        headers = {"Retry-After": str(retry_s)} if retry_s else {}
        if status == 429:
            return Refused(MANY_REQUESTS, LIMITS[0].limit, headers=headers).answer()
        if status == 418:
            return Refused(BANNED, self.now_ms() + retry_s * 1000, headers=headers).answer()
        return Refused(DISCONNECTED if status == 500 else OUTCOME_UNKNOWN, headers=headers).answer()

    def maintenance(self) -> Answer:
        """Return the venue's words while it is being maintained."""
        return Refused(SHUTTING_DOWN).answer()


def _asked(query: str) -> list[tuple[str, Sequence[str]]]:
    """Return the listen keys that a url names, each with the events that follow it."""
    asked = list[tuple[str, Sequence[str]]]()
    for name, value in parse_qsl(query):
        if name == "listenKey":
            asked.append((value, EVENTS))
        elif name == "events" and asked:
            asked[-1] = (asked[-1][0], value.split("/"))
        elif name == "streams":
            asked += [(key, EVENTS) for key in value.split("/")]
    return asked
