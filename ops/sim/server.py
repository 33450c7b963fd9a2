"""One simulated venue on loopback: a WebSocket port (picows) and a REST port (aiohttp).

The server owns sockets, subscriptions and heartbeats.  What is said is the face's business.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from copy import deepcopy
from typing import Final

from aiohttp import web
from picows import WSListener, WSUpgradeRequest, ws_create_server

from engine.model.clock import Clock
from engine.model.fault import ANSWER, BOOK_REQUEST, REQUEST, Kind
from ops.sim.book import Book
from ops.sim.connection import Connection
from ops.sim.face import Answer, Face, HttpRequest, Topic
from ops.sim.faults import Faults
from ops.sim.listing import Line
from ops.sim.told import Told

HOST: Final = "127.0.0.1"
MESSAGE_SIZE_MAX: Final = 1 << 20
BOOK_PATHS: Final = ("depth", "books", "Depth", "book")
# answers a REST book request in place of the face; None: the face answers
Snapshots = Callable[[str, dict[str, str]], Awaitable[Answer | None]]


class VenueServer:
    """The two listeners of one venue, and who listens to what."""

    def __init__(self, name: str, clock: Clock, faults: Faults) -> None:
        self.name, self.clock, self.faults = name, clock, faults
        self.face: Face
        self.told = Told(self)
        self._banned_until_ns = 0
        self.snapshots: Snapshots | None = None
        self.settle: Callable[[], None] | None = None  # brings the books up to what was sent
        self.muted: set[Topic] = set()  # topics that a recording serves: the face must not
        self.connections: dict[Connection, None] = {}
        self._subscribers: dict[Topic, dict[Connection, None]] = {}
        self._first: dict[str, tuple[Book, int]] = {}  # books and ids at the start: stale ones
        self.holds = False  # whether frames wait for the end of the market's turn
        self.waiting: list[Connection] = []  # those that have such frames
        self._servers: list[asyncio.Server] = []
        self._runner: web.AppRunner | None = None
        self._next_id = 1
        self.subscriptions = 0  # made so far, by anyone
        self.ws_url = self.rest_url = ""

    # --- life ----------------------------------------------------------------------------------

    async def open(
        self, routes: list[web.RouteDef], ports: tuple[int, int], tls: ssl.SSLContext | None
    ) -> None:
        """Listen; use the given ports if they are free, others if not."""
        self._first = {native: (deepcopy(line.book), line.last_id)
                       for native, line in self.face.lines.items()}
        ws = await self._listen_ws(ports[0], tls)
        self._servers.append(ws)
        application = web.Application(client_max_size=MESSAGE_SIZE_MAX)
        application.add_routes([*routes, web.route("*", "/{path:.*}", self._rest)])
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, HOST, ports[1], ssl_context=tls).start()
        except OSError:
            await web.TCPSite(self._runner, HOST, 0, ssl_context=tls).start()
        secure = "s" if tls else ""
        self.ws_url = f"ws{secure}://{HOST}:{ws.sockets[0].getsockname()[1]}{self.face.path}"
        host = f"{HOST}:{self._runner.addresses[0][1]}"
        self.rest_url = f"http{secure}://{host}"

    async def _listen_ws(self, port: int, tls: ssl.SSLContext | None) -> asyncio.Server:
        for each in (port, 0):
            try:
                return await ws_create_server(
                    self._accept, HOST, each, ssl=tls, max_frame_size=MESSAGE_SIZE_MAX,
                    websocket_handshake_timeout=5, logger_name=f"sim.{self.name}",
                )
            except OSError:
                if each == 0:
                    raise
        raise AssertionError("unreachable: port 0 either listens or raises")

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        for server in self._servers:
            server.close()
        self.drop_all()
        if self._runner is not None:
            await self._runner.cleanup()

    def drop_all(self) -> None:
        """Close every connection, as a venue does when it restarts."""
        for connection in tuple(self.connections):
            connection.close(1001, "")

    def tick(self) -> None:
        """Ten times a second: faults that hold for a while, and the face's timers."""
        self.face.floor.tick()
        self.face.tick()
        if self.connections and self.face.floor.in_maintenance():
            self.drop_all()

    def beat(self, second: int) -> None:
        """Once a second: heartbeats, pings, and newcomers who never subscribed."""
        now_ns, face = self.clock.mono_ns(), self.face
        patience_s = face.subscribe_within_s
        for connection in tuple(self.connections):
            age_s = (now_ns - connection.opened_mono_ns) / 1e9
            if patience_s and not connection.topics and age_s > patience_s:
                connection.close(1008, "no subscription")
                continue
            if face.ping_every_s and second % int(face.ping_every_s) == 0:
                connection.ping()
            face.beat(connection, second)

    # --- connections ---------------------------------------------------------------------------

    def _accept(self, request: WSUpgradeRequest) -> WSListener:
        path, _, query = request.path.decode("ascii", "replace").partition("?")
        self._next_id += 1
        return Connection(self, path, query, self._next_id)

    def joined(self, connection: Connection) -> None:
        """Take a new connection in."""
        self.connections[connection] = None
        self.face.opened(connection)

    def left(self, connection: Connection) -> None:
        """Forget a connection and what it subscribed."""
        self.connections.pop(connection, None)
        for topic in tuple(connection.topics):
            connection.unsubscribe(topic)

    def subscribed(self, connection: Connection, topic: Topic) -> None:
        """Send ``connection`` what is published under ``topic``."""
        self._subscribers.setdefault(topic, {})[connection] = None
        self.subscriptions += 1

    def unsubscribed(self, connection: Connection, topic: Topic) -> None:
        """Stop that."""
        listeners = self._subscribers.get(topic, {})
        listeners.pop(connection, None)
        if not listeners:
            self._subscribers.pop(topic, None)

    # --- outlet --------------------------------------------------------------------------------

    def wanted(self, topic: Topic) -> bool:
        """Return whether anyone listens to what the face would publish."""
        return topic in self._subscribers and topic not in self.muted

    def publish(self, topic: Topic, body: bytes) -> None:
        """Send what the face made of a change."""
        if topic in self.muted:
            return
        wrap = self.face.wrap
        is_plain = self.holds and not self.faults.in_force and topic[0][0] != "@"
        for connection in tuple(self._subscribers.get(topic, ())):
            text = wrap(connection, topic, body)
            if not (is_plain and connection.keep(text)):
                connection.push(topic, text)

    def hold(self) -> None:
        """Keep what is sent from now on until ``release``: nothing is read or awaited meanwhile."""
        self.holds = True

    def release(self) -> None:
        """Send all that was kept, by one write per connection."""
        self.holds = False
        waiting, self.waiting = self.waiting, []
        for connection in waiting:
            connection.flush()

    def publish_recorded(self, topic: Topic, frame: bytes) -> None:
        """Send a recorded frame, unchanged, to those who subscribed what it belongs to."""
        for connection in tuple(self._subscribers.get(topic, ())):
            connection.push(topic, self.face.recorded(connection, topic, frame))

    def queued(self) -> int:
        """Return the longest queue of bytes that wait for a client."""
        return max((connection.queued() for connection in self.connections), default=0)

    def line(self, symbol: str) -> Line | None:
        """Find a line by unified or native symbol."""
        lines = self.face.lines
        return lines.get(symbol) or next(
            (line for line in lines.values() if line.pair.name == symbol), None)

    # --- REST ----------------------------------------------------------------------------------

    async def _rest(self, request: web.Request) -> web.StreamResponse:
        if self.settle is not None:
            self.settle()
        asked = HttpRequest(
            request.method, request.path, request.rel_url.raw_query_string,
            {name: ",".join(request.query.getall(name)) for name in request.query},
            {name.lower(): value for name, value in request.headers.items()},
            await request.read(), request.remote or "")
        answer = self._unwilling() or await self._book(asked) or self.face.request(asked)
        if answer.entry:
            fault = self.faults.strike(self.name, "", ANSWER, self.clock.mono_ns())
            if fault is not None and fault.kind is Kind.ANSWER_LATE:
                await asyncio.sleep(fault.ms / 1000)
            elif fault is not None and fault.kind is Kind.ANSWER_LOST:
                if request.transport is not None:
                    request.transport.abort()
            elif fault is not None:
                answer = self.face.refused(503, 0)
        return _response(answer)

    def _unwilling(self) -> Answer | None:
        """Refuse what faults refuse before the face sees it."""
        now_ns = self.clock.mono_ns()
        if self.face.floor.in_maintenance():
            return self.face.maintenance()
        if now_ns < self._banned_until_ns:
            return self.face.refused(418, -(-(self._banned_until_ns - now_ns) // 10**9))
        fault = self.faults.strike(self.name, "", REQUEST, now_ns)
        if fault is None:
            return None
        if fault.kind is Kind.HTTP_418:
            self._banned_until_ns = now_ns + int(fault.ms * 1e6)
            return self.face.refused(418, max(1, int(fault.ms / 1000)))
        limited = fault.kind is Kind.HTTP_429
        return self.face.refused(429 if limited else 500, 1 if limited else 0)

    async def _book(self, asked: HttpRequest) -> Answer | None:
        """Answer a book request as a fault or a recording would; None: the face answers."""
        path, query = asked.path, dict(asked.query)
        if path.rsplit("/", 1)[-1] not in BOOK_PATHS:
            return None
        symbol = query.get("symbol") or query.get("instId") or query.get("pair") or ""
        fault = self.faults.strike(self.name, symbol, BOOK_REQUEST, self.clock.mono_ns())
        if fault is not None and fault.kind is Kind.NO_SNAPSHOT:
            await asyncio.Event().wait()
        if fault is not None:
            return self._stale(path, query)
        return await self.snapshots(path, query) if self.snapshots else None

    def _stale(self, path: str, query: dict[str, str]) -> Answer:
        """Answer a book request as at the server's start."""
        lines = self.face.lines
        now = {native: (line.book, line.last_id) for native, line in lines.items()}
        for native, (book, last_id) in self._first.items():
            lines[native].book, lines[native].last_id = book, last_id
        answer = self.face.rest(path, query)
        for native, (book, last_id) in now.items():
            lines[native].book, lines[native].last_id = book, last_id
        return answer


def _response(answer: Answer) -> web.Response:
    is_json = answer.body[:1] in (b"{", b"[")
    return web.Response(
        body=answer.body, status=answer.status, headers=answer.headers,
        content_type="application/json" if is_json else "text/html",
    )
