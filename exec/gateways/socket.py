"""Execution's one door to picows: a private channel that is kept up, whatever its sockets do.

    prepare (REST) ─▶ connect ─▶ opened ─ live, by the codec's word ─▶ texts ... ─▶ lost ─▶ back-off

``send`` writes in the same turn of the loop, or tells that not a byte left.  A text is handed on
inside picows' callback; an exception of ours in there ends the socket and comes out of ``run``.
"""

import asyncio
import ssl
from collections.abc import Callable
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

MESSAGE_SIZE_MAX: Final = 4 << 20
UNSENT_SIZE_MAX: Final = 256 << 10  # bytes that the venue does not take: it is not there any more
HANDSHAKE_S_MAX: Final = 10.0
GOODBYE_S_MAX: Final = 1.0
SETTLED_NS: Final = 5_000_000_000  # live for so long: earlier failures are forgotten
SECOND_NS: Final = 1_000_000_000


class Owner(Protocol):
    """Who is told what happens on a channel, by its name; calls return at once but ``prepare``."""

    async def prepare(self, channel: str) -> str:
        """Return the address to connect to, or "" when what must be known first is not."""
        ...

    def opened(self, channel: str) -> None:
        """Take it as open: what must be said first can be said."""
        ...

    def text(self, channel: str, text: bytes) -> None:
        """Take one whole text message."""
        ...

    def gone(self, channel: str, why: str) -> None:
        """Take it as lost."""
        ...


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """How long a channel waits."""

    silence_ns_max: int  # nothing heard for so long, not even a pong: dead
    ping_every_ns: int
    proof_ns_max: int  # from open to live
    backoff_ns_min: int
    backoff_ns_max: int


class Channel:
    """One channel, order entry or private stream, kept up until ``run`` is cancelled."""

    def __init__(
        self, name: str, owner: Owner, timing: Timing, *, ping: Callable[[], bytes], clock: Clock,
        random: Random, tls: ssl.SSLContext, log: Logger,
    ) -> None:
        self.name, self._owner, self._timing, self._ping = name, owner, timing, ping
        self.clock, self._random, self._tls, self._log = clock, random, tls, log
        self._socket: _Socket | None = None
        self._live_ns = 0  # since when it is proven usable; 0: it is not
        self._bound_ns = timing.backoff_ns_min
        self.connects = 0

    @property
    def open(self) -> bool:
        """Return whether texts can be sent."""
        return self._socket is not None and self._socket.usable

    @property
    def proven(self) -> bool:
        """Return whether this socket, or the one that is ending, was proven usable."""
        return self._live_ns != 0

    @property
    def live(self) -> bool:
        """Return whether it is open and proven usable."""
        return self._live_ns != 0 and self._socket is not None and self._socket.usable

    def prove(self) -> None:
        """Take it as usable, by the venue's word."""
        if self.open and not self._live_ns:
            self._live_ns = self.clock.mono_ns()
            self._log.info("channel live", channel=self.name)

    def send(self, text: bytes) -> bool:
        """Write a text now; return False when not a byte of it left."""
        socket = self._socket
        if socket is None or not socket.usable:
            return False
        if socket.unsent > UNSENT_SIZE_MAX:
            socket.abort("the venue does not read")
            return False
        socket.write(text)
        return True

    def abort(self, why: str) -> None:
        """Cut the connection now; a new one follows."""
        if self._socket is not None:
            self._socket.abort(why)

    def turn(self, now_ns: int) -> None:
        """Ask for a sign of life when it is time; give a silent or unproven socket up."""
        socket, timing = self._socket, self._timing
        if socket is None or not socket.usable:
            return
        if now_ns - socket.heard_ns >= timing.silence_ns_max:
            socket.abort("silent")
        elif not self._live_ns and now_ns - socket.opened_ns >= timing.proof_ns_max:
            socket.abort("not proven usable")
        elif now_ns - socket.pinged_ns >= timing.ping_every_ns:
            socket.ping(self._ping())

    async def run(self) -> None:
        """Hold a socket open for ever; raise what fails in our own code."""
        while True:
            url = await self._owner.prepare(self.name)
            why = await self._hold(url) if url else "what must be known first is not"
            self._log.warning("channel lost", channel=self.name, why=why)
            await asyncio.sleep(self._random.randrange(self._bound_ns + 1) / SECOND_NS)
            self._bound_ns = min(2 * self._bound_ns, self._timing.backoff_ns_max)

    async def _hold(self, url: str) -> str:
        """Connect, and return why the connection ended."""
        socket = _Socket(self, self._owner)
        try:
            await ws_connect(
                lambda _request, _response: socket, url,
                ssl_context=self._tls if url.startswith("wss:") else None,
                enable_auto_pong=False, max_frame_size=MESSAGE_SIZE_MAX, max_redirects=0,
                logger_name="exec", websocket_handshake_timeout=HANDSHAKE_S_MAX,
            )
        except (WSError, OSError) as error:  # OSError holds TimeoutError and all of ssl
            if not socket.opened_ns:
                return f"no connection: {type(error).__name__}"  # no more: the path may be secret
        try:
            return await socket.gone()
        finally:
            await socket.close()

    def joined(self, socket: "_Socket") -> None:
        """Take a new socket as the channel's."""
        self._socket, self._live_ns = socket, 0
        self.connects += 1
        self._owner.opened(self.name)

    def left(self, why: str) -> None:
        """Forget the socket, and tell."""
        lived_ns = self.clock.mono_ns() - self._live_ns if self._live_ns else 0
        self._socket, self._live_ns = None, 0
        if lived_ns >= SETTLED_NS:
            self._bound_ns = self._timing.backoff_ns_min
        self._owner.gone(self.name, why)


class _Socket(WSListener):
    """One TCP connection of a channel."""

    def __init__(self, channel: Channel, owner: Owner) -> None:
        super().__init__()
        self.opened_ns = self.heard_ns = self.pinged_ns = 0
        self._channel, self._owner = channel, owner
        self._mono_ns = channel.clock.mono_ns
        self._parts: bytearray | None = None  # of a fragmented message
        self._transport: WSTransport | None = None
        self._why = ""

    # ------------------------------------------------------------ called by picows
    def on_ws_connected(self, transport: WSTransport) -> None:
        """Join the channel."""
        self._transport = transport
        self.opened_ns = self.heard_ns = self.pinged_ns = self._mono_ns()
        self._channel.joined(self)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Hand a message on; answer control frames."""
        self.heard_ns = self._mono_ns()
        if transport.is_close_frame_sent or self._why:
            return  # after a failure nothing more is believed
        if frame.msg_type is WSMsgType.TEXT and frame.fin and self._parts is None:
            self._owner.text(self._channel.name, frame.get_payload_as_bytes())
        else:
            self._other(transport, frame)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Leave the channel."""
        handshake = transport.close_handshake
        if not self._why and handshake is not None and handshake.recv is not None:
            self._why = f"closed by the venue: {handshake.recv.code}"
        self._why = self._why or "lost without a word"
        self._channel.left(self._why)

    # ------------------------------------------------------------ called by the channel
    @property
    def usable(self) -> bool:
        """Return whether what is written now is written at all."""
        transport = self._transport
        return not (transport is None or self._why or transport.is_disconnected
                    or transport.is_close_frame_sent
                    or transport.underlying_transport.is_closing())

    @property
    def unsent(self) -> int:
        """Return how many bytes the kernel has not taken yet."""
        assert self._transport is not None
        return self._transport.underlying_transport.get_write_buffer_size()

    def write(self, text: bytes) -> None:
        """Write a text message."""
        assert self._transport is not None
        self._transport.send(WSMsgType.TEXT, text)

    def ping(self, text: bytes) -> None:
        """Ask for a sign of life: in the venue's own words, or by a control frame."""
        assert self._transport is not None
        self.pinged_ns = self._mono_ns()
        if text:
            self.write(text)
        else:
            self._transport.send_ping()

    def abort(self, why: str) -> None:
        """Cut the connection, without a word to a peer that may be gone."""
        if self._transport is not None and not self._why:
            self._why = why
            self._transport.disconnect(graceful=False)

    async def gone(self) -> str:
        """Wait until it is gone, and return why; raise what failed in our own code."""
        assert self._transport is not None
        try:
            await self._transport.wait_disconnected()
        except WSProtocolError:
            return "broken frame"
        return self._why

    async def close(self) -> None:
        """Say goodbye; a peer that does not answer is cut off soon."""
        transport = self._transport
        if transport is None or transport.is_disconnected:
            return
        transport.send_close(WSCloseCode.OK)
        transport.disconnect()
        try:
            async with asyncio.timeout(GOODBYE_S_MAX):
                await self.gone()
        except TimeoutError:
            transport.disconnect(graceful=False)

    # ------------------------------------------------------------ inside
    def _other(self, transport: WSTransport, frame: WSFrame) -> None:
        """Answer pings and farewells, join fragments, refuse what no venue of ours sends."""
        kind = frame.msg_type
        if kind is WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
        elif kind is WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()
        elif kind is WSMsgType.BINARY:
            raise WSProtocolError(WSCloseCode.UNSUPPORTED_DATA, "binary message")
        elif kind is not WSMsgType.PONG:
            self._join(frame)

    def _join(self, frame: WSFrame) -> None:
        if (frame.msg_type is WSMsgType.CONTINUATION) == (self._parts is None):
            raise WSProtocolError(WSCloseCode.PROTOCOL_ERROR, "fragments out of order")
        parts = bytearray() if self._parts is None else self._parts
        parts += frame.get_payload_as_bytes()
        if len(parts) > MESSAGE_SIZE_MAX:
            raise WSProtocolError(WSCloseCode.MESSAGE_TOO_BIG, "message of many fragments")
        self._parts = None if frame.fin else parts
        if frame.fin:
            self._owner.text(self._channel.name, bytes(parts))
