"""Accounts: balances over the ledger, what open orders hold of them, positions and margin."""

import msgspec

from ops.sim.exchange.book import Book
from ops.sim.exchange.fees import NO_FEES, FeeIn, Fees, share, share_up
from ops.sim.exchange.filters import Filters
from ops.sim.exchange.ledger import EXTERNAL, FREE, LOCKED, Cause, Ledger
from ops.sim.exchange.orders import BUY, Kind, Order
from ops.sim.exchange.positions import Position
from ops.sim.exchange.symbols import Symbol


class Listed(msgspec.Struct, eq=False):
    """A symbol as the venue trades it."""

    symbol: Symbol
    filters: Filters
    book: Book
    last: int = 0  # price of the last trade
    mark: int = 0  # set from outside; 0: the last trade stands in

    @property
    def reference(self) -> int:
        """Return the price that bands, valuations and margins go by; 0 if there is none yet."""
        return self.mark or self.last


class Account(msgspec.Struct, eq=False):
    """A client: its fees, what it has open, what it holds."""

    name: str
    fees: Fees = NO_FEES
    orders: dict[int, Order] = {}  # open, oldest first
    open_counts: dict[str, int] = {}  # by symbol
    positions: dict[str, Position] = {}  # by symbol
    margins_ppm: dict[str, int] = {}  # by symbol, where the client chose another initial margin


class Accounts:
    """All clients of a venue.  Moves money; decides nothing but whether there is enough."""

    def __init__(self, ledger: Ledger, listed: dict[str, Listed]) -> None:
        self._ledger, self._listed = ledger, listed
        self.by_name: dict[str, Account] = {}

    def transfer(self, now_ns: int, name: str, asset: str, amount: int) -> None:
        """Post money that came from outside, or went there if negative."""
        entries = ((name, asset, FREE, amount), (EXTERNAL, asset, FREE, -amount))
        self._ledger.post(now_ns, Cause.TRANSFER, 0, entries)

    def available(self, account: Account, asset: str) -> int:
        """Return what new orders may use: free money less open losses settled in it."""
        free = self._ledger.free(account.name, asset)
        if account.positions:
            free += min(0, self.unrealised(account, asset))
        return free

    def unrealised(self, account: Account, asset: str) -> int:
        """Return the open profit of all positions settled in ``asset``, at reference prices."""
        total = 0
        for name, position in account.positions.items():
            listed = self._listed[name]
            if position.size and listed.symbol.quote == asset and listed.reference:
                total += position.unrealised(listed.symbol.value(listed.reference, 1))
        return total

    def settled_in(self, account: Account, asset: str) -> list[Position]:
        """Return the account's positions whose profit comes in ``asset``."""
        return [position for name, position in account.positions.items()
                if self._listed[name].symbol.quote == asset]

    def closing(self, account: Account, order: Order) -> int:
        """Return how much of ``order`` closes a position that no earlier order will close."""
        position = account.positions.get(order.symbol)
        closable = position.closable(order.side) if position else 0
        if not closable:
            return order.filled + order.prevented
        spoken_for = sum(
            other.remaining for other in account.orders.values()
            if other.symbol == order.symbol and other.side == order.side and other.id != order.id
        )
        free = max(0, min(order.remaining, closable - spoken_for))
        return order.filled + order.prevented + free

    def hold(self, now_ns: int, order: Order, amount: int) -> None:
        """Make the order's reservation ``amount``: lock more, or give back."""
        more = amount - order.reserved
        if not more:
            return
        order.reserved = amount
        entries = ((order.account, order.asset, FREE, -more),
                   (order.account, order.asset, LOCKED, more))
        cause = Cause.LOCK if more > 0 else Cause.RELEASE
        self._ledger.post(now_ns, cause, order.id, entries)


def asset_of(symbol: Symbol, side: int) -> str:
    """Return the asset that an order reserves."""
    return symbol.quote if side == BUY or symbol.perpetual else symbol.base


def needed(order: Order, symbol: Symbol, value: int | None = None) -> int:
    """Return what an order must hold for its remainder, worst fee included.

    ``value`` is what the remainder is worth, by default at the limit price.  A perpetual holds
    margin and fee for the part that opens; the part that closes is paid by what it sets free.
    """
    remaining, fees = order.remaining, order.fees
    if value is None:
        value = symbol.value(order.price, remaining)
    if symbol.perpetual:
        opening = max(0, min(remaining, order.size - order.closing))
        opened = -(-value * opening // remaining) if opening else 0
        return share_up(opened, order.margin_ppm) + share(opened, fees.worst_ppm)
    if order.side == BUY:
        return value + (share(value, fees.worst_ppm) if fees.taken is FeeIn.QUOTE else 0)
    amount = symbol.amount(remaining)
    return amount + (share(amount, fees.worst_ppm) if fees.taken is FeeIn.BASE else 0)


def kept(order: Order, symbol: Symbol, before: int) -> int:
    """Return what an order goes on holding after a fill took its remainder from ``before``."""
    if order.kind is Kind.LIMIT:
        return min(order.reserved, needed(order, symbol))
    return order.reserved * order.remaining // before
