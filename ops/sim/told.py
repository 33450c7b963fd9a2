"""Private streams under faults: fills told late, twice, never, or before the acceptance."""

import asyncio
from typing import TYPE_CHECKING, Final

from engine.model.fault import FILL, Kind
from ops.sim.exchange.events import Accepted, Fill
from ops.sim.face import Topic

if TYPE_CHECKING:
    from ops.sim.connection import Connection
    from ops.sim.server import VenueServer

HELD_MAX: Final = 1_000  # acceptances that wait for a fill


class Told:
    """What a venue's private streams tell, by the event that a face is telling of."""

    def __init__(self, server: "VenueServer") -> None:
        self._server = server
        self._held: dict[int, list[tuple[Connection, Topic, bytes]]] = {}  # by order id

    def push(self, connection: "Connection", topic: Topic, text: bytes) -> None:
        """Send one private frame, as the faults in force would have it."""
        event, server = self._server.face.floor.told, self._server
        if (isinstance(event, Accepted) and len(self._held) < HELD_MAX
                and self._holds(event.order.symbol)):
            self._held.setdefault(event.order.id, []).append((connection, topic, text))
            asyncio.get_running_loop().call_later(1.0, self._release, event.order.id)
            return
        if not isinstance(event, Fill):
            self._send(connection, topic, text)
            return
        fault = server.faults.strike(
            server.name, event.symbol, FILL - {Kind.FILL_BEFORE_ACK}, server.clock.mono_ns())
        kind = fault.kind if fault else None
        if fault and kind is Kind.FILL_LATE:
            asyncio.get_running_loop().call_later(
                fault.ms / 1000, self._send, connection, topic, text)
        elif kind is not Kind.FILL_LOST:
            self._send(connection, topic, text)
        if kind is Kind.FILL_DUPLICATE:
            self._send(connection, topic, text)
        self._release(event.order_id)

    def _holds(self, symbol: str) -> bool:
        server = self._server
        return server.faults.strike(
            server.name, symbol, frozenset({Kind.FILL_BEFORE_ACK}), server.clock.mono_ns()
        ) is not None

    def _release(self, order_id: int) -> None:
        """Send the acceptance that a fill overtook, or that no fill came to overtake in 1 s."""
        for connection, topic, text in self._held.pop(order_id, ()):
            self._send(connection, topic, text)

    def _send(self, connection: "Connection", topic: Topic, text: bytes) -> None:
        connection.forward(topic, self._server.face.stamp(connection, text))
