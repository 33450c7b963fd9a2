"""What Coinbase tells of an order beyond what the matching engine knows of it.

A ticket lives as long as its order is remembered.  Good-till-date is kept here too: the engine
knows no dates, so the face cancels what is due, and such an order is called EXPIRED.
"""

from typing import Any, Final
from weakref import WeakKeyDictionary

import msgspec

from engine.model.quanta import from_quanta, plain
from ops.sim.exchange.events import Accepted, Event, Fill
from ops.sim.exchange.orders import Kind, Order, Status, Tif, Why
from ops.sim.exchange.symbols import Symbol
from ops.sim.floor import Floor

EDITS_KEPT: Final = 20  # of one order
GTD: Final = "limit_limit_gtd"
_NAMES: Final = {Tif.GTC: "limit_limit_gtc", Tif.IOC: "sor_limit_ioc", Tif.FOK: "limit_limit_fok"}
_LASTS: Final = {
    Tif.GTC: "GOOD_UNTIL_CANCELLED", Tif.IOC: "IMMEDIATE_OR_CANCEL", Tif.FOK: "FILL_OR_KILL"}


class Ticket(msgspec.Struct, kw_only=True, eq=False):
    """How an order was asked for, and its totals."""

    configuration: dict[str, dict[str, Any]]  # as the client wrote it
    end_ns: int = 0  # of good-till-date orders
    in_quote: bool = False  # a market order sized in quote units
    fills: int = 0
    fees: int = 0  # quanta of the quote asset
    last_fill_ns: int = 0
    expired: bool = False  # its date came
    edits: list[dict[str, str]] = []


class Tickets:
    """The tickets of all orders, and the orders that have a date."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._by_order: WeakKeyDictionary[Order, Ticket] = WeakKeyDictionary()
        self._dated: dict[Order, Ticket] = {}  # open ones
        self.placing: Ticket | None = None  # of the order that the face is placing right now

    def of(self, order: Order) -> Ticket:
        """Return an order's ticket."""
        ticket = self._by_order.get(order)
        if ticket is None:
            symbol = self._floor.exchange.listed[order.symbol].symbol
            ticket = Ticket(configuration=configuration_of(order, symbol))
            self._by_order[order] = ticket
        return ticket

    def note(self, event: Event, order: Order) -> Ticket:
        """Bring an order's ticket up to an event."""
        if isinstance(event, Accepted) and self.placing is not None:
            self._by_order[order], self.placing = self.placing, None
        ticket = self.of(order)
        if isinstance(event, Accepted) and ticket.end_ns:
            self._dated[order] = ticket
        elif isinstance(event, Fill):
            ticket.fills += 1
            ticket.fees += event.fee
            ticket.last_fill_ns = event.now_ns
        if order.status is not Status.OPEN:
            self._dated.pop(order, None)
        return ticket

    def expire(self) -> None:
        """Cancel what has reached its date; a halted product's orders wait."""
        now_ns = self._floor.now_ns()
        for order, ticket in list(self._dated.items()):
            if ticket.end_ns <= now_ns and order.status is Status.OPEN:
                ticket.expired = True
                done = self._floor.cancel(order.account, order_id=order.id, why=Why.WITHDRAWN)
                ticket.expired = isinstance(done, Order)


def configuration_of(order: Order, symbol: Symbol) -> dict[str, dict[str, Any]]:
    """Write an order down as a client would have asked for it."""
    size = plain(from_quanta(order.size, symbol.size_decimals))
    if order.kind is Kind.MARKET:
        return {"market_market_ioc": {"base_size": size}}
    price = plain(from_quanta(order.price, symbol.price_decimals))
    limits: dict[str, Any] = {"base_size": size, "limit_price": price}
    if order.tif is Tif.GTC:
        limits["post_only"] = order.post_only
    return {_NAMES[order.tif]: limits}


def time_in_force(order: Order, ticket: Ticket) -> str:
    """Return how long an order lasts, in the venue's words."""
    return "GOOD_UNTIL_DATE_TIME" if ticket.end_ns else _LASTS[order.tif]


def status_of(order: Order, ticket: Ticket) -> str:
    """Return an order's status; what expires at once by its kind is CANCELLED, as asked."""
    if order.status in (Status.OPEN, Status.FILLED):
        return order.status.name
    return "EXPIRED" if ticket.expired else "CANCELLED"
