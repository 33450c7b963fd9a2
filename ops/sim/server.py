"""One simulated venue on loopback: a WebSocket port (picows) and a REST port (rest.py).

The server owns connections, subscriptions and heartbeats.  What is said is the face's business.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Final

from aiohttp import web
from picows import (
    WSListener,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_create_server,
)

from engine.model.clock import Clock
from engine.model.fault import Kind
from ops.sim.connection import Connection
from ops.sim.face import Face, Topic
from ops.sim.faults import Faults
from ops.sim.listing import Line
from ops.sim.past import Past
from ops.sim.rest import HOST, RestDoor
from ops.sim.tally import Tally
from ops.sim.told import Told

MESSAGE_SIZE_MAX: Final = 1 << 16  # of a client; OKX's own bound, more than others need
QUEUES_SIZE_MAX: Final = 128 << 20  # of all clients together; the slowest is cut off first
CONNECTIONS_MAX: Final = 2_000
HANDSHAKE_S: Final = 5


class VenueServer:
    """The two listeners of one venue, and who listens to what."""

    def __init__(
        self, name: str, clock: Clock, faults: Faults, tally: Tally | None = None
    ) -> None:
        self.name, self.clock, self.faults = name, clock, faults
        self.tally = tally or Tally(clock, None)
        self.face: Face
        self.past: Past
        self.told, self.rest = Told(self), RestDoor(self)
        self.settle: Callable[[], None] | None = None  # brings the books up to what was sent
        self.muted: set[Topic] = set()  # topics that a recording serves: the face must not
        self.connections: dict[Connection, None] = {}
        self._subscribers: dict[Topic, dict[Connection, None]] = {}
        self.holds = False  # whether frames wait for the end of the market's turn
        self.waiting: list[Connection] = []  # those that have such frames
        self._listener: asyncio.Server | None = None
        self._next_id = 1
        self.subscriptions = 0  # made so far, by anyone
        self.ws_url = self.rest_url = ""

    # --- life ----------------------------------------------------------------------------------

    async def open(
        self, routes: list[web.RouteDef], ports: tuple[int, int], tls: ssl.SSLContext | None
    ) -> None:
        """Listen; use the given ports if they are free, others if not."""
        self.past = Past(self.face.lines, self.clock.mono_ns())
        self._listener = await self._listen_ws(ports[0], tls)
        secure = "s" if tls else ""
        ws_port = self._listener.sockets[0].getsockname()[1]
        self.ws_url = f"ws{secure}://{HOST}:{ws_port}{self.face.path}"
        self.rest_url = f"http{secure}://{HOST}:{await self.rest.open(routes, ports[1], tls)}"

    async def _listen_ws(self, port: int, tls: ssl.SSLContext | None) -> asyncio.Server:
        for each in (port, 0):
            try:
                return await ws_create_server(
                    self._accept, HOST, each, ssl=tls, max_frame_size=MESSAGE_SIZE_MAX,
                    websocket_handshake_timeout=HANDSHAKE_S, logger_name=f"sim.{self.name}",
                )
            except OSError:
                if each == 0:
                    raise
        raise AssertionError("unreachable: port 0 either listens or raises")

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        if self._listener is not None:
            self._listener.close()
        self.drop_all()
        await self.rest.close()

    def drop_all(self) -> None:
        """Close every connection, as a venue does when it restarts."""
        for connection in tuple(self.connections):
            connection.close(1001, "")

    def tick(self) -> None:
        """Ten times a second: faults that hold for a while, and the face's timers."""
        if self.face.floor.tick():
            self.face.closing()
            self.drop_all()
        self.face.tick()
        self._shed()
        now_ns = self.clock.mono_ns()
        lags = self.faults.in_force(self.name, Kind.SNAPSHOT_LAG, now_ns)
        if lags:
            self.past.keep(now_ns, int(max(fault.ms for fault in lags) * 1e6))
        else:
            self.past.forget()

    def _shed(self) -> None:
        """Cut off the slowest clients while all of them together are too far behind."""
        queues = {connection: connection.queued() for connection in self.connections}
        total = sum(queues.values())
        while total > QUEUES_SIZE_MAX:
            slowest = max(queues, key=queues.__getitem__)
            total -= queues.pop(slowest)
            slowest.abort()

    def beat(self, second: int) -> None:
        """Once a second: heartbeats, pings, and newcomers who never subscribed."""
        now_ns, face = self.clock.mono_ns(), self.face
        self.rest.beat()
        patience_s = face.subscribe_within_s
        for connection in tuple(self.connections):
            age_s = (now_ns - connection.opened_mono_ns) / 1e9
            if patience_s and not connection.topics and age_s > patience_s:
                connection.close(1008, "no subscription")
                continue
            if face.pong_within_s and connection.unanswered_s(now_ns) > face.pong_within_s:
                connection.close(1008, "Pong timeout")
                continue
            if face.ping_every_s and second % int(face.ping_every_s) == 0:
                connection.ping()
            face.beat(connection, second)

    # --- connections ---------------------------------------------------------------------------

    def _accept(
        self, request: WSUpgradeRequest
    ) -> WSListener | WSUpgradeResponseWithListener:
        """Take a client, unless there are too many or the venue is being maintained."""
        if len(self.connections) >= CONNECTIONS_MAX or self.face.floor.in_maintenance():
            no = WSUpgradeResponse.create_error_response(503, b"Service Unavailable")
            return WSUpgradeResponseWithListener(no, None)
        path, _, query = request.path.decode("ascii", "replace").partition("?")
        self._next_id += 1
        return Connection(self, path, query, self._next_id)

    def joined(self, connection: Connection) -> None:
        """Take a new connection in."""
        self.connections[connection] = None
        self.tally.connections += 1
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
        is_plain = self.holds and not self.faults.any and topic[0][0] != "@"
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
