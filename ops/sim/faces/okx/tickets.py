"""What OKX remembers of an order besides what the matching engine does.

An order is asked for with a ticket, which its acceptance ties to the order's id; fills, amendments
and its end are noted on it.
"""

from typing import Final

import msgspec

from ops.sim.exchange.events import Fill
from ops.sim.exchange.exchange import Exchange
from ops.sim.exchange.orders import BUY, Kind, Order, Status, Tif, Why

KEEP: Final = 110_000  # a little more than the matching engine keeps of ended orders
CANCEL_SOURCES: Final = {
    Why.ASKED: "1", Why.FOK: "13", Why.IOC: "14", Why.WOULD_TAKE: "31", Why.SELF_TRADE: "32",
    Why.NO_LIQUIDITY: "0", Why.MARGIN: "3", Why.WITHDRAWN: "0",
}


class Ticket(msgspec.Struct):
    """One order as it was asked for, and what was noted of it since."""

    order_type: str = "limit"  # limit, market, post_only, fok, ioc
    size: str = ""  # of a market order by value: that value; empty: the order's own size
    target: str = ""  # tgtCcy, of market orders
    stp: str = "cancel_maker"
    tag: str = ""
    request_id: str = ""  # of the newest amendment
    amended: bool = False
    closed: str = ""  # the size it was amended to, at most what had filled: it counts as filled
    cancel_source: str = ""  # set before the order ends; else from why it did
    fee: int = 0  # of all fills, in the asset received; positive: charged
    last: Fill | None = None


class Tickets:
    """The tickets of all orders that are remembered."""

    def __init__(self, exchange: Exchange, *, keep: int = KEEP) -> None:
        self._exchange, self._keep = exchange, keep
        self._by_id: dict[int, Ticket] = {}
        self._next: Ticket | None = None

    def issue(self, ticket: Ticket | None) -> None:
        """Let the next order that is accepted have ``ticket``; None: none is to come."""
        self._next = ticket

    def accept(self, order: Order) -> Ticket:
        """Tie the issued ticket to its order; forget old ones of orders that ended."""
        ticket = self._next or plain_ticket(order)
        self._next = None
        self._by_id.pop(order.id, None)  # ids may come again after a restart of the venue
        self._by_id[order.id] = ticket
        if len(self._by_id) > self._keep:
            self._forget()
        return ticket

    def _forget(self) -> None:
        """Drop the oldest ticket whose order is not open."""
        accounts = self._exchange.accounts.by_name.values()
        for oldest in self._by_id:
            if not any(oldest in account.orders for account in accounts):
                del self._by_id[oldest]
                return

    def of(self, order: Order) -> Ticket:
        """Return an order's ticket; one made up where the order came by another way."""
        return self._by_id.get(order.id) or self.accept(order)

    def fill(self, order: Order, fill: Fill) -> Ticket:
        """Note a fill."""
        ticket = self.of(order)
        ticket.last = fill
        ticket.fee += fill.fee
        return ticket


def plain_ticket(order: Order) -> Ticket:
    """Return what a ticket of an order would be that was asked for with no more than needed."""
    if order.kind is Kind.MARKET:
        return Ticket("market", target="base_ccy")
    if order.post_only:
        return Ticket("post_only")
    return Ticket({Tif.FOK: "fok", Tif.IOC: "ioc"}.get(order.tif, "limit"))


def cancel_source(order: Order, ticket: Ticket) -> str:
    """Return why an order was cancelled, empty while it was not."""
    if state(order, ticket) != "canceled":
        return ""
    return ticket.cancel_source or CANCEL_SOURCES[order.why or Why.WITHDRAWN]


def state(order: Order, ticket: Ticket) -> str:
    """Return the venue's word for where an order stands."""
    if order.status is Status.FILLED or ticket.closed:
        return "filled"
    if order.status is not Status.OPEN:
        return "canceled"
    return "partially_filled" if order.filled else "live"


def received(order: Order, base: str, quote: str) -> tuple[str, str]:
    """Return the asset that fees are taken in, and the other one."""
    return (base, quote) if order.side == BUY else (quote, base)
