"""The feeds' one door to picows: a socket that hands frames on with their times.

What arrives is handed on inside picows' callback, in the same turn of the loop.  An exception of
ours in there ends the socket and comes out of ``Socket.gone``: our own bugs end the process.
Silence is the sink's to judge: control frames are told to it as signs of life.
"""

import asyncio
import itertools
import ssl
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from random import Random
from typing import Final, Protocol

import msgspec
from picows import (
    WSCloseCode,
    WSError,
    WSFrame,
    WSListener,
    WSMsgType,
    WSProtocolError,
    WSTransport,
    ws_connect,
)

from engine.model.clock import Clock
from engine.runtime.log import Logger
from feeds.net.budget import NS_PER_S, Budget
from feeds.venue import Venue
from shm.counters import CounterBlock, FeedCounter

MESSAGE_SIZE_MAX: Final = 32 << 20
HANDSHAKE_S_MAX: Final = 10.0
OUTBOX_MAX: Final = 1_024  # frames that wait for the venue's send rate
GOODBYE_S_MAX: Final = 1.0  # then a closing handshake is cut short


class Sink(Protocol):
    """Who is told what happens on sockets, by their numbers; all calls return at once."""

    def opened(self, connection: int, natives: Iterable[str]) -> None:
        """Take a socket as open; the subscription is being sent."""
        ...

    def frame(self, connection: int, frame: bytes, recv_unix_ns: int, recv_mono_ns: int) -> None:
        """Take one whole text message."""
        ...

    def alive(self, connection: int, recv_mono_ns: int) -> None:
        """Take a control frame as a sign of life."""
        ...

    def closed(self, connection: int) -> None:
        """Take a socket as gone."""
        ...


class Route(msgspec.Struct, frozen=True):
    """What a line is for: where, which books it carries, and what asks for its streams."""

    url: str
    natives: Sequence[str]
    subscribe: Callable[[], Iterator[bytes]]


class Wiring:
    """What all lines of one feed share."""

    def __init__(
        self, *, venue: Venue, sink: Sink, clock: Clock, random: Random, tls: ssl.SSLContext,
        log: Logger, counters: CounterBlock,
    ) -> None:
        self.venue, self.sink, self.clock, self.random = venue, sink, clock, random
        self.tls, self.log, self.counters = tls, log, counters
        self.numbers = itertools.count(1)
        self.sockets: dict[int, Socket] = {}  # the open ones
        per_minute = venue.limits.connects_per_minute
        self.connects = Budget(per_second=per_minute / 60, burst=max(1, per_minute // 2))


class Socket(WSListener):
    """One TCP connection of a line."""

    def __init__(self, wiring: Wiring, route: Route) -> None:
        self.number = next(wiring.numbers)
        self.opened_mono_ns = 0  # 0: never opened
        self.bytes = 0  # received since the last look
        self.worn = False
        loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = loop.create_future()  # lost or worn
        self._loop, self._wiring, self._route = loop, wiring, route
        self._frame = wiring.sink.frame
        self._mono_ns, self._unix_ns = wiring.clock.mono_ns, wiring.clock.unix_ns
        self._parts: bytearray | None = None  # of a fragmented message
        self._outbox: deque[bytes] = deque()
        self._sends = Budget(per_second=wiring.venue.limits.sends_per_second)
        self._flushing: asyncio.TimerHandle | None = None
        self._pinging: asyncio.TimerHandle | None = None
        self._transport: WSTransport | None = None

    # ------------------------------------------------------------ called by picows
    def on_ws_connected(self, transport: WSTransport) -> None:
        """Say so, then ask for the line's streams at the venue's pace."""
        self._transport, self.opened_mono_ns = transport, self._mono_ns()
        self._wiring.sockets[self.number] = self
        self._wiring.counters.count(FeedCounter.CONNECTS)
        self._wiring.sink.opened(self.number, self._route.natives)
        for frame in self._route.subscribe():
            self.send(frame)
        self._ping_later()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Hand a message on with its times; answer control frames."""
        mono_ns = self._mono_ns()
        if frame.msg_type is WSMsgType.TEXT and frame.fin and self._parts is None:
            if not transport.is_close_frame_sent:  # after a failure nothing more is believed
                self.bytes += frame.payload_size
                payload = frame.get_payload_as_bytes()
                self._frame(self.number, payload, self._unix_ns(), mono_ns)
        else:
            self._other(transport, frame, mono_ns)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Say so and stop all timers."""
        for timer in (self._flushing, self._pinging):
            if timer is not None:
                timer.cancel()
        del self._wiring.sockets[self.number]
        self._wiring.counters.count(FeedCounter.DISCONNECTS)
        self._end()
        self._wiring.sink.closed(self.number)

    # ------------------------------------------------------------ called by the feed
    def send(self, frame: bytes) -> None:
        """Send ``frame`` as soon as the venue's rate allows; too many waiting end the socket."""
        if len(self._outbox) == OUTBOX_MAX:
            self.abort("too many requests wait for the venue's rate")
            return
        self._outbox.append(frame)
        if self._flushing is None:
            self._flush()

    def abort(self, reason: str) -> None:
        """Cut the connection now, without a word to a peer that may be gone."""
        if self._transport is not None and not self._transport.is_disconnected:
            self._wiring.log.warning("connection dropped", connection=self.number, reason=reason)
            self._transport.disconnect(graceful=False)

    def wear_out(self, reason: str) -> None:
        """Let the line open a successor, then close this one."""
        if not self.ended.done():
            self._wiring.log.info("connection rotates", connection=self.number, reason=reason)
            self.worn = True
            self._end()

    def close(self) -> None:
        """Say goodbye; a peer that does not answer is cut off soon."""
        transport = self._transport
        if transport is not None and not transport.is_disconnected:
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()
            self._loop.call_later(GOODBYE_S_MAX, transport.disconnect, False)

    async def gone(self) -> str:
        """Wait until the connection is gone and return why; raise what failed in our own code."""
        assert self._transport is not None
        try:
            await self._transport.wait_disconnected()
        except WSProtocolError as error:
            return f"broken frame: {error.args}"
        handshake = self._transport.close_handshake
        if handshake is None or handshake.recv is None:
            return "lost without a word"
        return f"closed by the venue: {handshake.recv.code} {handshake.recv.reason}"

    # ------------------------------------------------------------ inside
    def _end(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def _other(self, transport: WSTransport, frame: WSFrame, mono_ns: int) -> None:
        """Answer pings and farewells, join fragments, refuse what no venue of ours sends."""
        kind = frame.msg_type
        if kind is WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
        if kind in (WSMsgType.PING, WSMsgType.PONG):
            self._wiring.sink.alive(self.number, mono_ns)
        elif kind is WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()
        elif kind is WSMsgType.BINARY:
            raise WSProtocolError(WSCloseCode.UNSUPPORTED_DATA, "binary message")
        elif (kind is WSMsgType.CONTINUATION) == (self._parts is None):
            raise WSProtocolError(WSCloseCode.PROTOCOL_ERROR, "fragments out of order")
        else:
            self._join(transport, frame, mono_ns)

    def _join(self, transport: WSTransport, frame: WSFrame, mono_ns: int) -> None:
        parts = bytearray() if self._parts is None else self._parts
        parts += frame.get_payload_as_bytes()
        if len(parts) > MESSAGE_SIZE_MAX:
            raise WSProtocolError(WSCloseCode.MESSAGE_TOO_BIG, "message of many fragments")
        self._parts = None if frame.fin else parts
        if transport.is_close_frame_sent:
            return  # as for a whole message
        if frame.fin:
            self.bytes += len(parts)
            self._frame(self.number, bytes(parts), self._unix_ns(), mono_ns)
        else:
            self._wiring.sink.alive(self.number, mono_ns)

    def _flush(self) -> None:
        """Send what the rate allows and come back for the rest."""
        self._flushing = None
        assert self._transport is not None
        while self._outbox:
            if wait_ns := self._sends.take(self._mono_ns()):
                self._flushing = self._loop.call_later(wait_ns / NS_PER_S, self._flush)
                return
            self._transport.send(WSMsgType.TEXT, self._outbox.popleft())

    def _ping_later(self) -> None:
        keep = self._wiring.venue.keep_alive
        every_s = keep.ping_every_s or keep.silence_max_s / 3
        self._pinging = self._loop.call_later(every_s, self._ping)

    def _ping(self) -> None:
        """Ask for a sign of life: in the venue's own words, or by a control frame."""
        assert self._transport is not None
        ping = self._wiring.venue.keep_alive.ping
        if ping is None:
            self._transport.send_ping()
        else:
            self._transport.send(WSMsgType.TEXT, ping)
        self._ping_later()


async def connect(wiring: Wiring, route: Route) -> Socket | str:
    """Return an open socket for ``route``, or why there is none."""
    socket = Socket(wiring, route)
    try:
        await ws_connect(
            lambda _request, _response: socket, route.url,
            ssl_context=wiring.tls if route.url.startswith("wss:") else None,
            enable_auto_pong=False, max_frame_size=MESSAGE_SIZE_MAX, max_redirects=0,
            logger_name="feed", websocket_handshake_timeout=HANDSHAKE_S_MAX,
        )
    except (WSError, OSError) as error:  # OSError holds TimeoutError and all of ssl
        return f"{type(error).__name__} {error}"
    return socket if socket.opened_mono_ns else "lost in the handshake"
