"""One WebSocket connection of a simulated venue: subscriptions, a bounded queue, and faults."""

import asyncio
import socket
import struct
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from engine.model.fault import ANSWER, CHANGE, FRAME, Fault, Kind
from ops.sim.batch import framed, head
from ops.sim.face import Topic
from ops.sim.faults import MANGLING

if TYPE_CHECKING:
    from ops.sim.server import VenueServer

QUEUE_SIZE_MAX: Final = 8 << 20  # bytes not yet taken by the client; a slower one is cut off
HELD_MAX: Final = 10_000  # frames behind a delayed one
PINGS_MAX: Final = 64
LATE_MAX: Final = 1_000  # requests that wait to arrive
RST_ON_CLOSE: Final = struct.pack("ii", 1, 0)


class Connection(WSListener):
    """A client.  Answers go out untouched; data and order-entry answers run through the faults."""

    def __init__(self, server: "VenueServer", path: str, query: str, connection_id: int) -> None:
        super().__init__()
        self._server = server
        self.ip, self.account = "", ""
        self.state: dict[str, Any] = {}
        self.path, self.query, self.connection_id = path, query, connection_id
        self.topics: dict[Topic, str] = {}
        self.messages = 0
        self.combined = False
        self.opened_mono_ns = server.clock.mono_ns()
        self._transport: WSTransport | None = None
        self._deaf = False  # half open: nothing goes out, nothing is read
        self._stalled_until_ns = 0
        self._overtaken: bytes | None = None  # the frame that the next one overtakes
        self._held: list[bytes] | None = None  # frames behind a delayed one
        self._batch: list[bytes] = []  # frames that leave at the end of the market's turn
        self._second, self._requests, self._late = 0, 0, 0
        self._pings = deque[tuple[bytes, int]](maxlen=PINGS_MAX)  # without a pong, and when sent

    # --- what the client does ----------------------------------------------------------------

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Greet."""
        self._transport = transport
        peer = transport.underlying_transport.get_extra_info("peername")
        self.ip = peer[0] if peer else ""
        self._server.joined(self)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Hand a text frame to the face; answer a close; refuse the rest."""
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()
        elif frame.msg_type == WSMsgType.TEXT and frame.fin:
            self._server.tally.frames_received += 1
            if self._within_limit():
                self._ask(frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.PONG:
            self._ponged(frame.get_payload_as_bytes())
        elif frame.msg_type != WSMsgType.PING:
            self.close(WSCloseCode.UNSUPPORTED_DATA.value, "text frames in one piece only")

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Forget the connection."""
        self._server.left(self)
        self._transport = self._overtaken = self._held = None

    def _ask(self, text: bytes) -> None:
        """Hand a message to the face; that of a client who is known may be lost or late."""
        server = self._server
        fault = None
        if self.account:
            fault = server.faults.strike(server.name, "", CHANGE, server.clock.mono_ns())
        if fault is None:
            self._answer(text)
        elif fault.kind is Kind.REQUEST_LOST:
            self.close(WSCloseCode.GOING_AWAY.value, "")
        elif self._late < LATE_MAX:
            self._late += 1
            asyncio.get_running_loop().call_later(fault.ms / 1000, self._arrive, text)

    def _arrive(self, text: bytes) -> None:
        self._late -= 1
        self._answer(text)  # whether or not its sender is still there

    def _answer(self, text: bytes) -> None:
        since_ns = self._server.clock.mono_ns()
        self._server.face.text(self, text)
        self._server.tally.answered(since_ns)

    def _within_limit(self) -> bool:
        second = self._server.clock.mono_ns() // 1_000_000_000
        if second != self._second:
            self._second, self._requests = second, 0
        self._requests += 1
        limit = self._server.face.request_limit(self)
        if limit and self._requests > limit:
            self.close(WSCloseCode.POLICY_VIOLATION.value, "Too many requests")
            return False
        return True

    # --- what the venue does -----------------------------------------------------------------

    def subscribe(self, topic: Topic, word: str) -> None:
        """Add a topic, while there is somebody to send it to."""
        if self._transport is None:
            return
        self.topics[topic] = word
        self._server.subscribed(self, topic)

    def unsubscribe(self, topic: Topic) -> None:
        """Drop a topic."""
        if self.topics.pop(topic, None) is not None:
            self._server.unsubscribed(self, topic)

    def send(self, text: bytes) -> None:
        """Send one frame now, unless the connection is stalled, deaf or gone."""
        transport = self._transport
        if transport is None or self._deaf or transport.is_disconnected:
            return
        if self._stalled_until_ns:
            if self._server.clock.mono_ns() < self._stalled_until_ns:
                return
            self._stalled_until_ns = 0
        if self._server.holds:
            self._keep(text)
        elif self.queued() > QUEUE_SIZE_MAX:
            self.abort()
        else:
            transport.send(WSMsgType.TEXT, text)
            self._server.tally.sent(1, len(text))

    def keep(self, text: bytes) -> bool:
        """Let data without faults wait for the end of the turn; return whether nothing hinders."""
        is_free = not (self._deaf or self._stalled_until_ns or self._overtaken is not None
                       or self._held is not None)
        if is_free:
            self._keep(text)
        return is_free

    def _keep(self, text: bytes) -> None:
        if not self._batch:
            self._server.waiting.append(self)
        self._batch.append(text)

    def flush(self) -> None:
        """Send what was held back, in one piece."""
        batch, transport = self._batch, self._transport
        if not batch:
            return
        self._batch = []
        if transport is None or transport.is_disconnected:
            return
        if self.queued() > QUEUE_SIZE_MAX:
            self.abort()
        elif len(batch) == 1:
            transport.send(WSMsgType.TEXT, batch[0])
            self._server.tally.sent(1, len(batch[0]))
        else:
            transport.underlying_transport.write(framed(batch))
            self._server.tally.sent(len(batch), sum(map(len, batch)))

    def answer(self, text: bytes) -> None:
        """Send the answer to an order-entry request, unless a fault delays it or lets it vanish."""
        server = self._server
        fault = server.faults.strike(server.name, "", ANSWER, server.clock.mono_ns())
        if fault is None:
            self.send(text)
        elif fault.kind is Kind.ANSWER_LATE:
            asyncio.get_running_loop().call_later(fault.ms / 1000, self.send, text)
        elif fault.kind is Kind.ANSWER_LOST:
            self.close(WSCloseCode.GOING_AWAY.value, "")

    def push(self, topic: Topic, text: bytes) -> None:
        """Send data through the faults; a private topic's through those of fills first."""
        if topic[0].startswith("@"):
            self._server.told.push(self, topic, text)
        else:
            self.forward(topic, text)

    def forward(self, topic: Topic, text: bytes) -> None:
        """Send one frame of data through the frame faults."""
        server = self._server
        if server.faults.any:
            now_ns = server.clock.mono_ns()
            fault = server.faults.strike(server.name, topic[1], FRAME, now_ns, text)
            if fault is not None:
                self._suffer(fault, text)
                return
        self._forward(text)
        if self._overtaken is not None:
            late, self._overtaken = self._overtaken, None
            self._forward(late)

    def ping(self) -> None:
        """Send a control-frame ping."""
        self.flush()
        if self._transport is not None and not self._deaf:
            payload = b"%d" % self._server.clock.unix_ns()
            self._pings.append((payload, self._server.clock.mono_ns()))
            self._transport.send_ping(payload)

    def unanswered_s(self, now_ns: int) -> float:
        """Return for how long a ping has been waiting for its pong."""
        return (now_ns - self._pings[0][1]) / 1e9 if self._pings else 0.0

    def _ponged(self, payload: bytes) -> None:
        """Note a pong; it answers the ping of the same payload and those before, or none."""
        if any(payload == ping for ping, _ in self._pings):
            while self._pings.popleft()[0] != payload:
                pass

    def close(self, code: int, reason: str) -> None:
        """Send a close frame and hang up."""
        self.flush()
        if self._transport is not None:
            self._transport.send_close(WSCloseCode(code), reason.encode())
            self._transport.disconnect()

    def queued(self) -> int:
        """Return how many bytes wait for the client."""
        if self._transport is None:
            return 0
        return self._transport.underlying_transport.get_write_buffer_size()

    # --- faults --------------------------------------------------------------------------------

    def _forward(self, text: bytes) -> None:
        if self._held is None:
            self.send(text)
        elif len(self._held) < HELD_MAX:
            self._held.append(text)
        else:
            self.close(WSCloseCode.GOING_AWAY.value, "too far behind")

    def _release(self) -> None:
        held, self._held = self._held or [], None
        for text in held:
            self.send(text)

    def _suffer(self, fault: Fault, text: bytes) -> None:
        """Do to this frame, or to the connection, what the fault says; DROP does nothing."""
        kind = fault.kind
        if kind is Kind.DUPLICATE:
            self._forward(text)
            self._forward(text)
        elif kind is Kind.REORDER:
            if self._overtaken is not None:
                self._forward(self._overtaken)
            self._overtaken = text
        elif kind in MANGLING:
            self._forward(self._server.faults.mangled(kind, text))
        elif kind is Kind.DELAY:
            if self._held is None:
                self._held = []
                asyncio.get_running_loop().call_later(fault.ms / 1000, self._release)
            self._forward(text)
        elif kind is Kind.STALL:
            self._stalled_until_ns = self._server.clock.mono_ns() + int(fault.ms * 1e6)
        elif kind is Kind.HALF_OPEN:
            self._deaf = True
            if self._transport is not None:
                self._transport.underlying_transport.pause_reading()
        elif kind is Kind.RESET:
            self._reset(text)
        elif kind is Kind.DISCONNECT:
            self.close(WSCloseCode.GOING_AWAY.value, "")

    def _reset(self, text: bytes) -> None:
        """Write the first half of a frame, then tear the connection down with a TCP RST."""
        if self._transport is None:
            return
        self.flush()
        transport = self._transport.underlying_transport
        transport.write(head(len(text)) + text[: len(text) // 2])
        plain = transport.get_extra_info("socket")
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST_ON_CLOSE)
        self.abort()

    def abort(self) -> None:
        """Hang up without a word, and forget what was still to be sent."""
        self._deaf = True  # the socket lives until the loop's next turn
        self._batch = []
        if self._transport is not None:
            self._transport.underlying_transport.abort()
