"""The user channel: open orders first, fifty at a time, then every change of an order.

Source: shared/venues/coinbase.md "User channel", 2026-11-21.  An order that was just taken is
PENDING; one that may rest is OPEN at once.  There are no rows of fills and no balances.  It is
told in the middle of an operation, so each row is the order as of the event.
"""

from typing import Any, Final

import orjson

from ops.sim.exchange.events import Accepted, Amended, Ended, Event, Fill, Prevented
from ops.sim.exchange.orders import Kind, Order, Tif
from ops.sim.face import Outlet, Topic, iso
from ops.sim.faces.coinbase.messages import message
from ops.sim.faces.coinbase.rows import user_row
from ops.sim.faces.coinbase.tickets import Tickets
from ops.sim.floor import Floor

BATCH: Final = 50  # orders of one snapshot message
NO_POSITIONS: Final[dict[str, list[str]]] = {
    "perpetual_futures_positions": [],
    "expiring_futures_positions": [],
}


def topic_of(account: str, native: str = "") -> Topic:
    """Return what a client subscribes: all its orders, or those of one product."""
    return "@user", f"{account}/{native}" if native else account


class UserChannel:
    """Tells accounts of their orders."""

    def __init__(self, floor: Floor, tickets: Tickets, outlet: Outlet) -> None:
        self._floor, self._tickets, self._outlet = floor, tickets, outlet

    def heard(self, event: Event) -> None:
        """Tell whom an event concerns."""
        for order in self._concerned(event):
            self._tickets.note(event, order)
            if isinstance(event, Accepted):
                self._tell(order, "PENDING")
                if order.kind is Kind.MARKET or order.tif is not Tif.GTC:
                    continue
            self._tell(order)

    def _concerned(self, event: Event) -> tuple[Order, ...]:
        if isinstance(event, Accepted | Amended | Ended):
            return (event.order,)
        if isinstance(event, Prevented):
            return event.maker, event.taker
        if isinstance(event, Fill):
            order = self._floor.exchange.registry.find(event.account, order_id=event.order_id)
            assert order is not None, f"order {event.order_id} filled and is not known"
            return (order,)
        return ()

    def _tell(self, order: Order, status: str = "") -> None:
        topics = topic_of(order.account), topic_of(order.account, order.symbol)
        wanted = [topic for topic in topics if self._outlet.wanted(topic)]
        if wanted:
            body = self._body("update", [self._row(order, status)])
            for topic in wanted:
                self._outlet.publish(topic, body)

    def snapshots(self, account: str, natives: list[str]) -> list[bytes]:
        """Return the open orders of some products, of all without a list."""
        orders = self._floor.exchange.accounts.by_name[account].orders.values()
        rows = [self._row(order) for order in orders if not natives or order.symbol in natives]
        starts = range(0, max(1, len(rows)), BATCH)
        return [self._body("snapshot", rows[start : start + BATCH]) for start in starts]

    def _row(self, order: Order, status: str = "") -> dict[str, Any]:
        symbol = self._floor.exchange.listed[order.symbol].symbol
        return user_row(order, self._tickets.of(order), symbol, status)

    def _body(self, kind: str, rows: list[dict[str, Any]]) -> bytes:
        event = {"type": kind, "orders": rows, "positions": NO_POSITIONS}
        return message("user", orjson.dumps(event).decode(), iso(self._floor.now_ns()))
