"""The Kraken face: puts the parts of this package behind the doors of ``Face``."""

from collections.abc import Sequence
from typing import Final

import orjson

from engine.model.clock import Clock
from ops.sim.exchange.events import Event
from ops.sim.face import Answer, Face, HttpRequest, Outlet, Query, Session, Topic, Update
from ops.sim.faces.kraken import answers
from ops.sim.faces.kraken.answers import UNAVAILABLE, UNKNOWN_METHOD, Declined
from ops.sim.faces.kraken.auth import Tokens
from ops.sim.faces.kraken.channels import Channels
from ops.sim.faces.kraken.finder import Finder
from ops.sim.faces.kraken.instruments import Instrument
from ops.sim.faces.kraken.journal import Journal
from ops.sim.faces.kraken.limits import Counters
from ops.sim.faces.kraken.private import PREFIX as PRIVATE
from ops.sim.faces.kraken.private import Private
from ops.sim.faces.kraken.public import PREFIX as PUBLIC
from ops.sim.faces.kraken.public import Public
from ops.sim.faces.kraken.queries import Queries
from ops.sim.faces.kraken.requests import Requests
from ops.sim.faces.kraken.socket import Socket
from ops.sim.faces.kraken.stream import Stream
from ops.sim.faces.kraken.trading import Trading
from ops.sim.floor import Floor
from ops.sim.listing import Line

HEARTBEAT: Final = b'{"channel":"heartbeat"}'
HEARTBEAT_V1: Final = b'{"event":"heartbeat"}'


class Kraken(Face):
    """Kraken spot."""

    path = "/v2"
    subscribe_within_s = 60.0
    any_depth = True

    def __init__(
        self, lines: Sequence[Line], outlet: Outlet, clock: Clock, floor: Floor
    ) -> None:
        super().__init__(lines, outlet, clock, floor)
        self.counters, self.tokens = Counters(), Tokens()
        self._trading = Trading(floor, self.counters)
        finder = Finder(
            floor, [Instrument(line, floor) for line in lines], self._trading.tickets)
        journal = Journal(floor, list(floor.exchange.accounts.by_name))
        self._stream = Stream(floor, outlet, self.lines, finder.instruments)
        self._public = Public(floor, finder, self._stream.tapes)
        self._channels = Channels(floor, outlet, finder.instruments, self._trading, journal)
        queries = Queries(
            floor, finder.instruments, finder.named, self._trading.tickets, journal)
        self.private = Private(
            floor, finder, self._trading, queries, self.counters, self.tokens)
        self._socket = Socket(
            floor, self._stream, self._channels, Requests(floor, finder, self._trading),
            self.tokens, self.now_iso)

    # --- streams -------------------------------------------------------------------------------

    def opened(self, session: Session) -> None:
        """Send the status of the system, unless the IP connects too often."""
        if not self.counters.connect(session.ip, self.floor.mono_ns()):
            session.close(1008, "too many connections")
            return
        if session.path != self.path:
            self._stream.v1.opened(session)
            return
        row = {"version": "2.0.10", "system": "online", "api_version": "v2",
               "connection_id": session.connection_id}
        session.send(orjson.dumps({"channel": "status", "type": "update", "data": [row]}))

    def beat(self, session: Session, second: int) -> None:
        """Send the heartbeat that every subscriber gets."""
        if session.topics:
            session.send(HEARTBEAT if session.path == self.path else HEARTBEAT_V1)

    def text(self, session: Session, message: bytes) -> None:
        """Serve a request."""
        if session.path == self.path:
            self._socket.text(session, message)
        else:
            self._stream.v1.text(session, message)

    def wrap(self, session: Session, topic: Topic, body: bytes) -> bytes:
        """Give the messages of private channels their envelope."""
        return self._channels.wrap(topic, body) if topic[0][0] == "@" else body

    def stamp(self, session: Session, text: bytes) -> bytes:
        """Give a private message its number."""
        return self._channels.stamp(session, text)

    def update(self, line: Line, update: Update) -> None:
        """Publish what the market did."""
        self._stream.update(line, update)

    def restart(self, line: Line) -> None:
        """Send a snapshot to the subscribers of every depth."""
        self._stream.restart(line)

    def heard(self, event: Event) -> None:
        """Publish what happened to an account."""
        self._channels.heard(event)

    def relisted(self, line: Line) -> None:
        """Publish a pair's new limits or status."""
        self._stream.relisted(line)

    def tick(self) -> None:
        """Let dead-man switches and good-till dates come."""
        self._trading.tick()

    # --- REST ----------------------------------------------------------------------------------

    def request(self, request: HttpRequest) -> Answer:
        """Serve any REST request."""
        now_ns = self.floor.mono_ns()
        if banned_s := self.counters.banned_s(request.ip, now_ns):
            return answers.cloudflare(429, banned_s)
        if request.path.startswith(PRIVATE):
            if request.method != "POST":
                return answers.error(UNKNOWN_METHOD)
            return self.private.answer(request)
        if not self.counters.public(request.ip, now_ns):
            return answers.error("EGeneral:Too many requests")
        return self.rest(request.path, request.query)

    def rest(self, path: str, query: Query) -> Answer:
        """Serve a public request."""
        if not path.startswith(PUBLIC):
            return answers.error(UNKNOWN_METHOD)
        try:
            return answers.result(self._public.answer(path, query))
        except Declined as refusal:
            return answers.error(str(refusal))

    def refused(self, status: int, retry_s: int) -> Answer:
        """Answer as Cloudflare does in front of Kraken."""
        return answers.cloudflare(status, retry_s)

    def maintenance(self) -> Answer:
        """Answer while Kraken is being maintained."""
        return answers.error(UNAVAILABLE)
