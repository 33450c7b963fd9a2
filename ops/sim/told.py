"""Private streams under faults: fills told late, twice, never, or before the acceptance."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from engine.model.fault import FILL, Fault, Kind
from ops.sim.exchange.events import Accepted, Event, Fill
from ops.sim.face import Topic

if TYPE_CHECKING:
    from ops.sim.connection import Connection
    from ops.sim.server import VenueServer

ACCEPTANCE: Final = frozenset({Kind.FILL_BEFORE_ACK})
HELD_MAX: Final = 1_000  # acceptances that wait for a fill
ACK_S: Final = 1.0  # how long one waits for a fill that may not come
_Frame = tuple["Connection", Topic, bytes]


class Told:
    """What a venue's private streams tell, by the event that a face is telling of.

    A fault strikes an event: all frames that tell of it, on all connections, fare alike.
    """

    def __init__(self, server: "VenueServer") -> None:
        self._server = server
        self._event: Event | None = None
        self._fault: Fault | None = None  # what struck the event
        self._due = 0  # the order whose acceptance was just overtaken
        self._held: dict[int, list[_Frame]] = {}  # acceptances by order id

    def push(self, connection: "Connection", topic: Topic, text: bytes) -> None:
        """Send one private frame, as the faults in force would have it."""
        floor = self._server.face.floor
        if floor.silent:
            return
        event = floor.told
        if self._due and event is not self._event:
            self._release(self._due)
        if isinstance(event, Accepted):
            if self._struck(event, event.order.symbol, ACCEPTANCE) and self._hold(
                    event.order.id, (connection, topic, text)):
                return
            self._send(connection, topic, text)
        elif isinstance(event, Fill):
            self._fill(event, (connection, topic, text))
        else:
            self._send(connection, topic, text)

    def _fill(self, event: Fill, frame: _Frame) -> None:
        connection, topic, text = frame
        fault = self._struck(event, event.symbol, FILL - ACCEPTANCE)
        kind = fault.kind if fault else None
        if fault and kind is Kind.FILL_LATE:
            _later(fault.ms / 1000, self._send, connection, topic, text)
        elif kind is not Kind.FILL_LOST:
            self._send(connection, topic, text)
        if kind is Kind.FILL_DUPLICATE:
            self._send(connection, topic, text)
        if event.order_id in self._held:  # goes out after this fill's frames to all
            self._due = event.order_id
            _later(0, self._release, event.order_id)

    def _struck(self, event: Event, symbol: str, kinds: frozenset[Kind]) -> Fault | None:
        """Return the fault that strikes an event; decided once, at its first frame."""
        if event is not self._event:
            server = self._server
            self._event = event
            self._fault = server.faults.strike(
                server.name, symbol, kinds, server.clock.mono_ns())
        return self._fault

    def _hold(self, order_id: int, frame: _Frame) -> bool:
        """Keep an acceptance back until its order's first fill; return whether there was room."""
        if order_id not in self._held:
            if len(self._held) >= HELD_MAX:
                return False
            self._held[order_id] = []
            _later(ACK_S, self._release, order_id)
        self._held[order_id].append(frame)
        return True

    def _release(self, order_id: int) -> None:
        """Send the acceptance that a fill overtook, or that no fill came to overtake."""
        self._due = 0
        for connection, topic, text in self._held.pop(order_id, ()):
            self._send(connection, topic, text)

    def _send(self, connection: "Connection", topic: Topic, text: bytes) -> None:
        connection.forward(topic, self._server.face.stamp(connection, text))


def _later(seconds: float, action: Callable[..., None], *arguments: object) -> None:
    asyncio.get_running_loop().call_later(seconds, action, *arguments)
