"""What Kraken remembers of an order beyond what the matching engine does."""

from typing import Final

import msgspec

from ops.sim.exchange.exchange import Exchange
from ops.sim.exchange.orders import Order, Status

TICKETS_MAX: Final = 200_000  # open orders always stay; more than the matching engine remembers


class Ticket(msgspec.Struct):
    """The client's wishes and what became of them."""

    tif: str = "GTC"
    userref: int = 0
    fee_in_base: bool = False
    cash: int = 0  # quote amount that a market order was to spend
    expires_ns: int = 0
    lapsed: bool = False  # ended because its date came
    amended: bool = False
    fee: int = 0
    fee_asset: str = ""
    trades: list[str] = []  # ids of its fills

    @property
    def fee_preference(self) -> str:
        """Return the flag of the fee's currency."""
        return "fcib" if self.fee_in_base else "fciq"


class Tickets:
    """Tickets by order id, and which orders end at a date."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._tickets: dict[int, Ticket] = {}
        self._expiring: dict[int, Order] = {}

    def __getitem__(self, order_id: int) -> Ticket:
        """Return an order's ticket; an empty one if it is not known here."""
        return self._tickets.get(order_id) or Ticket()

    def add(self, order: Order, ticket: Ticket) -> None:
        """Remember a new order."""
        self._tickets.pop(order.id, None)  # ids come again after a restart
        self._tickets[order.id] = ticket
        if ticket.expires_ns:
            self._expiring[order.id] = order
        if len(self._tickets) > TICKETS_MAX:
            self._forget()

    def due(self, now_ns: int) -> list[Order]:
        """Return the open orders whose date has come."""
        if not self._expiring:
            return []
        self._expiring = {
            number: order for number, order in self._expiring.items()
            if order.status is Status.OPEN}
        return [order for order in self._expiring.values()
                if self[order.id].expires_ns <= now_ns]

    def _forget(self) -> None:
        """Drop the oldest ticket, unless its order is open: then it is the newest again."""
        number = next(iter(self._tickets))
        ticket = self._tickets.pop(number)
        if any(number in each.orders for each in self._exchange.accounts.by_name.values()):
            self._tickets[number] = ticket
