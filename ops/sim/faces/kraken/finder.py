"""Finding what a request names: a pair by any spelling, an order by either id or by group."""

from collections.abc import Iterable

from ops.sim.exchange.orders import Order
from ops.sim.faces.kraken import ids
from ops.sim.faces.kraken.answers import INVALID, UNKNOWN_ORDER, UNKNOWN_PAIR, Declined
from ops.sim.faces.kraken.instruments import Instrument, by_name
from ops.sim.faces.kraken.params import INTEGER
from ops.sim.faces.kraken.tickets import Tickets
from ops.sim.floor import Floor


class Finder:
    """Finds what requests act on, however far queries lag; raises Declined for the rest."""

    def __init__(
        self, floor: Floor, instruments: Iterable[Instrument], tickets: Tickets
    ) -> None:
        self._exchange, self._tickets = floor.exchange, tickets
        self.instruments = {each.native: each for each in instruments}
        self.named = by_name(self.instruments.values())

    def pair(self, name: str) -> Instrument:
        """Return a pair by a REST name."""
        found = self.named.get(name)
        if found is None:
            raise Declined(UNKNOWN_PAIR)
        return found

    def of(self, order: Order) -> Instrument:
        """Return the pair of an order."""
        return self.instruments[order.symbol]

    def order(self, account: str, txid: str, client_id: str) -> Order:
        """Return an order, open or ended, by exactly one of its ids."""
        if bool(txid) == bool(client_id):
            raise Declined(INVALID)
        number = ids.number_of(ids.ORDER, txid) if txid else 0
        if number is None:
            raise Declined("EOrder:Invalid order")
        order = None
        if number or client_id:
            order = self._exchange.registry.find(
                account, order_id=number, client_id=client_id)
        if order is None:
            raise Declined(UNKNOWN_ORDER)
        return order

    def of_group(self, account: str, userref: int) -> list[Order]:
        """Return the open orders with a group tag."""
        found = [each for each in self._exchange.accounts.by_name[account].orders.values()
                 if userref and self._tickets[each.id].userref == userref]
        if not found:
            raise Declined(UNKNOWN_ORDER)
        return found

    def by_txid_or_userref(self, account: str, text: str) -> Order:
        """Return one order by id, or by a group tag that one open order has."""
        if not INTEGER.fullmatch(text):
            return self.order(account, text, "")
        found = self.of_group(account, int(text))
        if len(found) > 1:
            raise Declined(INVALID)
        return found[0]

    def to_cancel(self, account: str, text: str, client_id: str) -> list[Order]:
        """Return the order of an id, or all open ones of a group tag."""
        if text and not client_id and INTEGER.fullmatch(text):
            return self.of_group(account, int(text))
        return [self.order(account, text, client_id)]
