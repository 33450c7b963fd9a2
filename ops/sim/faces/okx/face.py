"""The OKX face: the parts, and what the server calls.

public REST ──> public ──> market, catalogue
private REST ─> private ─> auth, limits ─┬─> account, history
                                         └─> desk, countdown <─┐
WebSocket ────> stream ──> auth, limits ─┬─────────────────────┘
                                         └─> channels ─> market, pushes <── events
"""

from collections.abc import Sequence
from typing import Final

import orjson

from engine.model.clock import Clock
from engine.model.fault import Fault
from ops.sim.exchange.events import Event
from ops.sim.face import Answer, Face, HttpRequest, Outlet, Query, Session, Topic, Update
from ops.sim.faces.okx.account import AccountRest, Wallet
from ops.sim.faces.okx.catalogue import Catalogue
from ops.sim.faces.okx.channels import Channels
from ops.sim.faces.okx.countdown import Countdown
from ops.sim.faces.okx.desk import Desk
from ops.sim.faces.okx.errors import TEXTS, failure, refusal_of
from ops.sim.faces.okx.funding import Funding
from ops.sim.faces.okx.history import History
from ops.sim.faces.okx.limits import Limits
from ops.sim.faces.okx.market import Market
from ops.sim.faces.okx.private import POSTS, READS, PrivateRest
from ops.sim.faces.okx.public import PATHS as PUBLIC
from ops.sim.faces.okx.public import ROOT, PublicRest
from ops.sim.faces.okx.pushes import Pushes
from ops.sim.faces.okx.rows import Rows
from ops.sim.faces.okx.stream import Stream, conn_id
from ops.sim.faces.okx.tickets import Tickets
from ops.sim.floor import Floor
from ops.sim.listing import Line

PATHS: Final = ("/ws/v5/public", "/ws/v5/private", "/ws/v5/business")
IDLE_NS_MAX: Final = 30_000_000_000  # without a push, a subscription or a pong
IDLE: Final = 4004
ODD: Final = 4006
KEY_CHANGED: Final = 4007
REPEAT_S: Final = 5  # balances, while nothing happens
PRIVATE: Final = READS | POSTS
NOTICE: Final = {
    "event": "notice", "code": "64008",
    "msg": "The connection will soon be closed for a service upgrade. Please reconnect.",
}


class Okx(Face):
    """OKX version 5, global and US: public and private, WebSocket and REST."""

    path = PATHS[0]
    clocked = True

    def __init__(
        self, lines: Sequence[Line], outlet: Outlet, clock: Clock, floor: Floor
    ) -> None:
        super().__init__(lines, outlet, clock, floor)
        self.limits = Limits(floor)
        self._tickets = Tickets(floor.exchange)
        rows, wallet = Rows(floor.exchange, self._tickets), Wallet(self.lines, floor)
        self._market = Market(lines, outlet, floor)
        self._pushes = Pushes(floor, outlet, self._tickets, rows, wallet)
        catalogue = Catalogue(self.lines, floor)
        self._funding = Funding(self.lines, outlet, floor)
        self._channels = Channels(
            floor, self.lines, self._market, self._pushes, catalogue, self._funding)
        desk = Desk(floor, self._tickets, self.limits)
        self._stream = Stream(floor, self.limits, desk, self._channels, catalogue)
        self._countdown = Countdown(floor, self._tickets)
        self._public = PublicRest(
            self.lines, floor, self._market, catalogue, self._funding)
        self._private = PrivateRest(
            floor, self.limits, desk, self._countdown, AccountRest(floor, wallet, catalogue),
            History(floor, rows, self._tickets))
        self._noticed: Fault | None = None

    # --- streams -------------------------------------------------------------------------------

    def opened(self, session: Session) -> None:
        """Drop who connects too often, or to a path that is not there."""
        session.state["opened_ns"] = session.state["heard_ns"] = self.floor.mono_ns()
        session.state["heard"] = session.messages
        if session.path not in PATHS or not self.limits.connect(session.ip):
            session.close(ODD, "")

    def text(self, session: Session, message: bytes) -> None:
        """Serve one text frame."""
        self._stream.text(session, message)

    def update(self, line: Line, update: Update) -> None:
        """Publish what happened to a line."""
        self._market.update(line, update)

    def flush(self, line: Line) -> None:
        """Publish the changes that wait for the next batch."""
        self._market.flush(line)

    def snapshot(self, line: Line) -> bytes:
        """Return the whole book as the channel's first message."""
        return self._market.snapshot(line)

    def heard(self, event: Event) -> None:
        """Tell a client of what happened."""
        self._pushes.heard(event)

    def relisted(self, line: Line) -> None:
        """Tell of an instrument's new limits or state."""
        topic: Topic = ("instruments", "")
        if self.outlet.wanted(topic):
            self.outlet.publish(topic, self._channels.instruments([line]))

    def wrap(self, session: Session, topic: Topic, body: bytes) -> bytes:
        """Return the frame for one connection, and count it."""
        return self._channels.wrap(session, topic, body)

    def recorded(self, session: Session, topic: Topic, frame: bytes) -> bytes:
        """Return a recorded frame as it was, and count it."""
        session.messages += 1
        return frame

    # --- time ----------------------------------------------------------------------------------

    def tick(self) -> None:
        """Let switches run down, quiet books repeat themselves, and maintenance be announced."""
        self._countdown.tick()
        self._market.tick()
        self._funding.tick()
        ahead = self._public.maintenance_ahead()
        if ahead is not self._noticed:
            self._noticed = ahead
            if ahead is not None and self.outlet.wanted(("status", "")):
                self.outlet.publish(("status", ""), self._public.status_push())

    def beat(self, session: Session, second: int) -> None:
        """Close who was silent too long or lost its key; announce maintenance; tell balances."""
        state, now_ns = session.state, self.floor.mono_ns()
        if session.messages != state["heard"]:
            state["heard"], state["heard_ns"] = session.messages, now_ns
        used = session.topics or session.account
        since_ns = state["heard_ns"] if used else state["opened_ns"]
        if now_ns - since_ns > IDLE_NS_MAX:
            session.close(IDLE, "No data received in 30s.")
            return
        if session.account and state["key"] not in self.floor.credentials:
            session.close(KEY_CHANGED, "API key has been updated or deleted.")
            return
        if self._noticed is not None and state.get("noticed") is not self._noticed:
            state["noticed"] = self._noticed
            session.send(orjson.dumps(NOTICE | {"connId": conn_id(session)}))
        if second % REPEAT_S == 0:
            self._channels.repeat(session)

    # --- REST ----------------------------------------------------------------------------------

    def request(self, request: HttpRequest) -> Answer:
        """Sort private requests from public ones."""
        verb = request.path.removeprefix(ROOT)
        if request.path.startswith(ROOT) and verb in PRIVATE:
            return self._private.answer(verb, request)
        if verb in PUBLIC and request.method != "GET":
            return refusal_of(failure("50115"))
        if not self.limits.public(verb, request.query, request.ip):
            return refusal_of(failure("50011"))
        return self.rest(request.path, request.query)

    def rest(self, path: str, query: Query) -> Answer:
        """Answer a public request below /api/v5."""
        return self._public.answer(path.removeprefix(ROOT), query)

    def refused(self, status: int, retry_s: int) -> Answer:
        """Answer as the venue does where faults refuse: too many requests, busy, down."""
        code = {500: "50026", 503: "50001"}.get(status, "50011")
        body = orjson.dumps({"code": code, "msg": TEXTS[code], "data": []})
        return Answer(body, status)
