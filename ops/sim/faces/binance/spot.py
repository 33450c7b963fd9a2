"""Binance spot and Binance.US: the private side on top of the public one.

    REST ── Door ───┐                     ┌─ spot_market (catalogue, books, trades)
                    ├─ spot_routes ───────┼─ spot_account (money, orders, trades)
    WS API ─ WsApi ─┘                     └─ spot_trading (place, cancel, replace, amend)
    matching engine ── events ── UserStream ── "@user" topics ── WS API, listen keys

Source: shared/venues/binance.md, 2026-11-21.
"""

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

import orjson

from engine.model.clock import Clock
from ops.sim.exchange.events import Event
from ops.sim.face import Answer, HttpRequest, Outlet, Print, Query, Session, Topic, Update
from ops.sim.faces.binance.auth import Auth
from ops.sim.faces.binance.door import Door
from ops.sim.faces.binance.errors import (
    BANNED,
    DISCONNECTED,
    SHUTTING_DOWN,
    TIMEOUT,
    TOO_MANY_REQUESTS,
    Problem,
    Refused,
)
from ops.sim.faces.binance.limits import Limits
from ops.sim.faces.binance.listen_keys import ListenKeys
from ops.sim.faces.binance.neighbours import Neighbours
from ops.sim.faces.binance.numbers import Numbers
from ops.sim.faces.binance.public import SHUTDOWN, Aggregate, Pending, PublicFace
from ops.sim.faces.binance.spot_account import AccountQueries
from ops.sim.faces.binance.spot_api import PATH, WsApi
from ops.sim.faces.binance.spot_catalogue import Catalogue
from ops.sim.faces.binance.spot_day import MINI_ALL, Tickers
from ops.sim.faces.binance.spot_depth import SLOW, SLOW_DIFFS, STREAMS, Depths
from ops.sim.faces.binance.spot_market import MarketQueries, Tape
from ops.sim.faces.binance.spot_notes import Notes
from ops.sim.faces.binance.spot_orders import Reader
from ops.sim.faces.binance.spot_reasons import Words
from ops.sim.faces.binance.spot_reports import MS, Reports
from ops.sim.faces.binance.spot_routes import Routes
from ops.sim.faces.binance.spot_stream import CHANNELS, UserStream
from ops.sim.faces.binance.spot_table import COM, US, Figures
from ops.sim.faces.binance.spot_trading import Trading
from ops.sim.floor import Floor
from ops.sim.listing import Line

AGE_NS_MAX: Final = 24 * 3600 * 10**9  # of a connection
STREAMS_MAX: Final = 1024
STAMP: Final = re.compile(rb'"[ET]":\d{13}')  # what is written in ms


class Binance(PublicFace):
    """Binance spot."""

    figures: Figures = COM

    def __init__(
        self, lines: Sequence[Line], outlet: Outlet, clock: Clock, floor: Floor
    ) -> None:
        super().__init__(lines, outlet, clock, floor)
        figures, seed = self.figures, floor.venue
        numbers, notes = Numbers(floor, self.lines), Notes()
        symbols = {native: floor.exchange.listed[native].symbol for native in self.lines}
        reader = Reader(symbols, figures.stp, seed)
        self.limits, self._auth = Limits(figures.limits), Auth(floor)
        self._keys, self._tape = ListenKeys(seed), Tape(floor, self.lines)
        reports = Reports(numbers, notes)
        self._stream = UserStream(floor, outlet, numbers, notes, reports, reader, self.limits)
        words = Words(notional=figures.notional, band=figures.band)
        trading = Trading(floor, reader, words, self.limits, notes, reports, self._stream,
                          told=figures.retry_orders)
        catalogue = Catalogue(floor, self.lines, numbers, figures.stp,
                              notional=figures.notional, band=figures.band)
        self._tickers = Tickers(floor, self.lines, self._tape.days, outlet)
        market = MarketQueries(
            floor, self.lines, catalogue, self.limits, self._tape, self.depth, self._tickers)
        account = AccountQueries(
            floor, reader, trading, self.limits, notes, numbers, reports, self._stream)
        routes = Routes(figures, floor, market, account, trading, self._keys)
        beside = {} if figures is US else Neighbours(floor).routes()
        self._door = Door(floor, self._auth, self.limits, {**routes.rest(), **beside})
        self._api = WsApi(floor, self._auth, self.limits, routes.ws())
        self._depths, self._ticks = Depths(outlet, self), 0

    # --- REST ----------------------------------------------------------------------------------

    def request(self, request: HttpRequest) -> Answer:
        """Answer any REST request."""
        return self._door.answer(request)

    def rest(self, path: str, query: Query) -> Answer:
        """Answer a public REST request."""
        return self._door.answer(HttpRequest("GET", path, urlencode(query), query, {}, b"", ""))

    def refused(self, status: int, retry_s: int) -> Answer:
        """Return what the venue says to 429, 418, 500 and 503."""
        problems: dict[int, Problem] = {
            429: TOO_MANY_REQUESTS, 418: BANNED, 500: DISCONNECTED, 503: TIMEOUT}
        headers = {"Retry-After": str(retry_s)} if retry_s else {}
        until_ms = self.now_ms() + retry_s * 1000
        problem = problems[status]._replace(status=status)
        return Refused(problem, until_ms, headers=headers).answer()

    def maintenance(self) -> Answer:
        """Return what the venue says while it is down."""
        return Refused(SHUTTING_DOWN).answer()

    # --- WebSocket -----------------------------------------------------------------------------

    def opened(self, session: Session) -> None:
        """Let a connection in, if there were not too many attempts."""
        now_ns = self.floor.mono_ns()
        session.state["opened_ns"] = now_ns
        if not self.limits.attempt(now_ns, session.ip):
            session.close(1008, "Too many connection attempts")
            return
        session.subscribe((SHUTDOWN, ""), SHUTDOWN)
        if session.path.startswith(PATH):
            self._api.opened(session)
            return
        session.state["in us"] = "timeunit=microsecond" in session.query.lower()
        super().opened(session)

    def request_limit(self, session: Session) -> int:
        """Return how many messages a second a connection may send: the API has weights instead."""
        return 0 if session.path.startswith(PATH) else self.requests_per_s

    def text(self, session: Session, message: bytes) -> None:
        """Serve a request to the WebSocket API, or one about streams."""
        if session.path.startswith(PATH):
            self._api.text(session, message)
            return
        super().text(session, message)
        if len(session.topics) > STREAMS_MAX:
            session.close(1008, "Too many streams")

    def topic(self, name: str, path: str) -> Topic | None:
        """Return the topic of a stream name or listen key; None for one that stays silent."""
        if account := self._keys.account(name, self.floor.mono_ns()):
            return CHANNELS[MS], account
        if name == MINI_ALL:
            return MINI_ALL, ""
        symbol, _, stream = name.partition("@")
        line = self.lines.get(symbol.upper()) if symbol == symbol.lower() else None
        if line is None or (kind := STREAMS.get(stream)) is None:
            return None
        if line.recorded and kind == SLOW_DIFFS:  # a recording has one speed
            kind = "depth"
        return kind, line.native

    def wrap(self, session: Session, topic: Topic, body: bytes) -> bytes:
        """Name the subscription or the stream."""
        if session.path.startswith(PATH):
            return self._api.wrap(session, topic, body)
        if session.state["in us"]:
            body = STAMP.sub(rb"\g<0>000", body)
        return super().wrap(session, topic, body)

    def beat(self, session: Session, second: int) -> None:
        """End connections that are a day old, and user streams whose listen key ended."""
        now_ns = self.floor.mono_ns()
        if now_ns - session.state.get("opened_ns", now_ns) > AGE_NS_MAX:
            session.close(1001, "24 hours are over")
            return
        if session.path.startswith(PATH):
            return
        for topic, key in list(session.topics.items()):
            if not topic[0].startswith("@") or self._keys.account(key, now_ns) == topic[1]:
                continue
            if self._keys.expired(key, now_ns):
                event = {"e": "listenKeyExpired", "E": self.now_ms(), "listenKey": key}
                session.send(self.wrap(session, topic, orjson.dumps(event)))
            session.unsubscribe(topic)
            if session.topics.keys() <= {(SHUTDOWN, "")}:
                session.close(1000, "listen key ended")

    # --- the matching engine -------------------------------------------------------------------

    def heard(self, event: Event) -> None:
        """Tell user streams."""
        self._stream.heard(event)

    def update(self, line: Line, update: Update) -> None:
        """Publish what happened to ``line``; tell of the balances it changed."""
        super().update(line, update)
        self._stream.flush()

    def traded(self, line: Line, prints: Sequence[Print], sums: Sequence[Aggregate]) -> None:
        """Remember prints for those who ask."""
        self._tape.add(line.native, prints, sums)

    def batched(self, line: Line, first_id: int, pending: Pending) -> None:
        """Feed the slow streams and those of whole books."""
        self._depths.add(line, first_id, pending)

    def flush(self, line: Line) -> None:
        """Send all that waits, the slow streams' changes too."""
        super().flush(line)
        self._depths.send(line)

    def closing(self) -> None:
        """Tell every connection that the venue goes down."""
        event = {"e": "serverShutdown", "E": self.now_ms()}
        self.outlet.publish((SHUTDOWN, ""), orjson.dumps(event))

    def tick(self) -> None:
        """Tell of balances that changed without the book changing; once a second, slow streams."""
        self._stream.flush()
        self._ticks += 1
        if self._ticks % SLOW == 0:
            self._tickers.send()
            for line in self.lines.values():
                self._depths.send(line)


class BinanceUs(Binance):
    """Binance.US: the older protocol, with listen keys and slower pings."""

    figures = US
    ping_every_s = 180.0
    pong_within_s = 600.0
