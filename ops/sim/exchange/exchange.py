"""One simulated venue's matching engine: what clients may ask and what may be known.

    place, amend, cancel ─> Desk ─> filters, plan ─┐             ┌─> Book
                                                   ├─> Matching ─┴─> Settlement ─> Ledger
    set_level, print_trade ────────> OutsideFlow ──┘   Aftermath ends every operation

No socket, no clock, no chance: time is an argument, and the same calls give the same events.
"""

from collections.abc import Callable

from ops.sim.exchange import mishaps
from ops.sim.exchange.accounts import Account, Accounts, Listed
from ops.sim.exchange.aftermath import Aftermath
from ops.sim.exchange.book import Book
from ops.sim.exchange.desk import Desk
from ops.sim.exchange.events import Event, Fill, Sink, Transferred
from ops.sim.exchange.fees import NO_FEES, Fees
from ops.sim.exchange.filters import Filters, Reason, Refusal
from ops.sim.exchange.ledger import Ledger
from ops.sim.exchange.matching import Matching
from ops.sim.exchange.orders import ClientIds, Ids, Order, Request, Status, Stp, Why
from ops.sim.exchange.outside import OutsideFlow
from ops.sim.exchange.plan import Step
from ops.sim.exchange.positions import Position
from ops.sim.exchange.registry import Registry
from ops.sim.exchange.settlement import Settlement
from ops.sim.exchange.symbols import Symbol


class Exchange:
    """A venue.  Prices, sizes and money are whole quanta; sides are BUY and SELL."""

    def __init__(
        self, sink: Sink, *, epoch: int = 0, client_ids: ClientIds = ClientIds.UNIQUE_OPEN,
        keep: int = 100_000, trades_per_symbol: bool = False,
    ) -> None:
        """Tell ``sink`` what happens; remember ``keep`` transactions, ended orders and fills.

        ``trades_per_symbol``: each symbol's trades are numbered by themselves.
        """
        self._sink = sink
        self.listed: dict[str, Listed] = {}
        self.assets: set[str] = set()
        self.horizon: Callable[[], int] | None = None  # what queries find is not younger, ns
        self.ledger = Ledger(keep=keep)
        self.accounts = Accounts(self.ledger, self.listed)
        self.registry = Registry(client_ids, keep=keep)
        ids = self._ids = Ids(epoch, trades_per_symbol=trades_per_symbol)
        self.settlement = Settlement(self.ledger, self.accounts, ids, self._hear)
        matching = Matching(self.accounts, self.registry, self.settlement, self._hear)
        self._matching = matching
        self._outside = OutsideFlow(matching, self.settlement)
        self._desk = Desk(
            self.listed, self.accounts, self.registry, matching, ids, self._hear)
        self._aftermath = Aftermath(
            self.ledger, self.accounts, self.listed, matching, self.settlement.perpetuals,
            self._hear)

    # --- the venue's own business --------------------------------------------------------------

    def list_symbol(self, symbol: Symbol, filters: Filters) -> None:
        """Begin to trade a symbol, with an empty book."""
        assert symbol.name not in self.listed, f"{symbol.name} is listed already"
        self.listed[symbol.name] = Listed(symbol, filters, Book())
        self.assets |= {symbol.quote} if symbol.perpetual else {symbol.base, symbol.quote}

    def set_filters(self, symbol: str, filters: Filters) -> None:
        """Judge requests from now on by other limits; resting orders stay."""
        self.listed[symbol].filters = filters

    def set_mark(self, symbol: str, price: int) -> None:
        """Set the price that bands, open profit and funding go by; 0 for the last trade."""
        self.listed[symbol].mark = price

    def set_rate(self, third: str, quote: str, numerator: int, denominator: int) -> None:
        """Say how many quanta of a fee asset one quantum of ``quote`` is worth."""
        self.settlement.rates[third, quote] = (numerator, denominator)
        self.assets.add(third)

    def open_account(self, name: str, fees: Fees = NO_FEES) -> None:
        """Admit a client; raise ValueError for a name that is empty or the venue's own."""
        if not name or name.startswith("*"):
            raise ValueError(f"{name!r} cannot name a client's account")
        assert name not in self.accounts.by_name, f"{name} is open already"
        self.accounts.by_name[name] = Account(name, fees)

    def set_fees(self, name: str, fees: Fees) -> None:
        """Charge new orders by other rates; open ones keep theirs."""
        self.accounts.by_name[name].fees = fees

    def set_margin(
        self, now_ns: int, name: str, symbol: str, margin_ppm: int
    ) -> Refusal | None:
        """Let a client choose the initial margin of a perpetual; open orders keep theirs."""
        refusal = self.settlement.perpetuals.remargin(
            now_ns, self.accounts.by_name[name], self.listed[symbol].symbol, margin_ppm)
        self._aftermath.finish(now_ns)
        return refusal

    def fund(self, now_ns: int, symbol: str, rate_ppm: int) -> None:
        """Let the longs of a perpetual pay its shorts, at the reference price."""
        listed = self.listed[symbol]
        self.settlement.perpetuals.fund(now_ns, listed.symbol, listed.reference, rate_ppm)
        self._aftermath.finish(now_ns)

    def deposit(self, now_ns: int, account: str, asset: str, amount: int) -> Refusal | None:
        """Bring money in."""
        if account not in self.accounts.by_name:
            return Refusal(Reason.UNKNOWN_ACCOUNT)
        if asset not in self.assets:
            return Refusal(Reason.UNKNOWN_ASSET)
        if amount <= 0:
            return Refusal(Reason.AMOUNT, amount)
        self._transfer(now_ns, account, asset, amount)
        return None

    def withdraw(self, now_ns: int, account: str, asset: str, amount: int) -> Refusal | None:
        """Take money out, as far as it is free and no open loss needs it."""
        client = self.accounts.by_name.get(account)
        if client is None:
            return Refusal(Reason.UNKNOWN_ACCOUNT)
        if amount <= 0:
            return Refusal(Reason.AMOUNT, amount)
        available = self.accounts.available(client, asset)
        if amount > available:
            return Refusal(Reason.FUNDS, amount, available)
        self._transfer(now_ns, account, asset, -amount)
        return None

    def _transfer(self, now_ns: int, account: str, asset: str, amount: int) -> None:
        self.accounts.transfer(now_ns, account, asset, amount)
        self._sink(Transferred(now_ns, account, asset, amount))
        self._aftermath.finish(now_ns)

    def restart(self, now_ns: int) -> None:
        """Withdraw every order, forget orders and fills, number again from the epoch's start.

        Money and positions stay: this is the fault of a venue that comes back without its orders.
        """
        for account in self.accounts.by_name.values():
            for order in list(account.orders.values()):
                listed = self.listed[order.symbol]
                self._matching.pull(now_ns, listed, order, Status.CANCELLED, Why.WITHDRAWN)
        self._aftermath.finish(now_ns, self.listed.values())
        self.registry.clear()
        self._ids.begin_again()

    # --- the outside flow ----------------------------------------------------------------------

    def set_level(self, now_ns: int, symbol: str, side: int, price: int, size: int) -> int:
        """Let the outside flow rest ``size`` at a price, 0 to leave it; return what is shown there.

        The caller knows that this level changed; events tell of others, and of clients' fills.
        """
        listed = self.listed[symbol]
        if self._outside.set_level(now_ns, listed, side, price, size):
            self._aftermath.finish(now_ns, (listed,))
        return listed.book.half(side).total(price)

    def print_trade(self, now_ns: int, symbol: str, side: int, price: int, size: int) -> None:
        """Let an outside taker on ``side`` trade; before the levels that the trade left."""
        listed = self.listed[symbol]
        self._outside.print_trade(now_ns, listed, side, price, size)
        self._aftermath.finish(now_ns, (listed,))

    def hit(self, now_ns: int, order: Order, size: int) -> None:
        """Let an outside taker trade ``size`` with a resting order, whatever stands before it."""
        listed = self.listed[order.symbol]
        self._matching.take(now_ns, listed, None, Step(order.price, size, order), -order.side)
        self._aftermath.finish(now_ns, (listed,))

    def can_overfill(self, order: Order, size: int) -> bool:
        """Return whether an order has filled whole, of spot, and more of it could be paid for."""
        return mishaps.can_overfill(self, order, size)

    def overfill(self, now_ns: int, order: Order, size: int) -> None:
        """Fill ``size`` more of an ended order than was asked for; see ``can_overfill``."""
        mishaps.overfill(self, now_ns, order, size)
        self._aftermath.finish(now_ns, (self.listed[order.symbol],))

    def bust(self, now_ns: int) -> Fill | None:
        """Take the newest trade that can be paid back away; return its fill, None: there is none.

        Nobody is told of it but by balances, and by what is asked for afterwards.
        """
        busted = mishaps.bust(self, now_ns)
        self._aftermath.finish(now_ns)
        return busted

    def number_trade(self, symbol: str) -> int:
        """Return an id for a trade of the outside flow that was never told here."""
        return self._ids.trade(symbol)

    # --- clients -------------------------------------------------------------------------------

    def place(
        self, now_ns: int, request: Request, *, spoiled: bool = False
    ) -> Order | Refusal:
        """Take an order, match it, let it rest; return it, or the reason why not.

        A ``spoiled`` one takes no more than half of its size; what is left may rest at a price
        that crosses, and must be ended before anything else is done.
        """
        placed = self._desk.place(now_ns, request, spoiled=spoiled)
        if isinstance(placed, Order):
            self._aftermath.finish(now_ns, (self.listed[placed.symbol],))
        return placed

    def amend(
        self, now_ns: int, account: str, *, order_id: int = 0, client_id: str = "",
        price: int = 0, size: int = 0, keeps_place: bool = True, stp: Stp | None = None,
    ) -> Order | Refusal:
        """Change price or total size of a resting order; 0 keeps it.

        Less of it at the same price keeps its place, where the venue lets it; anything else queues
        anew and may trade, with another ``stp`` if one is given.
        """
        order = self._desk.find_open(account, order_id, client_id)
        if isinstance(order, Refusal):
            return order
        refusal = self._desk.amend(
            now_ns, order, price or order.price, size or order.size, keeps_place=keeps_place,
            stp=stp)
        if refusal is not None:
            return refusal
        self._aftermath.finish(now_ns, (self.listed[order.symbol],))
        return order

    def rename(self, order: Order, client_id: str) -> None:
        """Give an open order another client id, which no open order has."""
        taken = self.registry.taken(order.account, client_id)
        assert taken in (None, order.id), f"{client_id} is in use"
        self.registry.rename(order, client_id)

    def cancel(
        self, now_ns: int, account: str, *, order_id: int = 0, client_id: str = "",
        why: Why = Why.ASKED,
    ) -> Order | Refusal:
        """Cancel one order by either id."""
        order = self._desk.find_open(account, order_id, client_id)
        if isinstance(order, Refusal):
            return order
        refusal = self._desk.cancel(now_ns, order, why)
        if refusal is not None:
            return refusal
        self._aftermath.finish(now_ns, (self.listed[order.symbol],))
        return order

    def cancel_all(
        self, now_ns: int, account: str, symbol: str = "", *, why: Why = Why.ASKED
    ) -> list[Order]:
        """Cancel all of an account's orders, or those of one symbol; halted symbols keep theirs."""
        cancelled = [
            order for order in [*self.accounts.by_name[account].orders.values()]
            if symbol in ("", order.symbol) and self._desk.cancel(now_ns, order, why) is None
        ]
        self._aftermath.finish(now_ns, [self.listed[order.symbol] for order in cancelled])
        return cancelled

    # --- what may be known ---------------------------------------------------------------------

    def order(self, account: str, *, order_id: int = 0, client_id: str = "") -> Order | None:
        """Return an account's order, open or ended."""
        order = self.registry.find(account, order_id=order_id, client_id=client_id)
        return order if order and self._seen(order.created_ns) else None

    def open_orders(self, account: str, symbol: str = "") -> list[Order]:
        """Return what rests, oldest first."""
        orders = self.accounts.by_name[account].orders.values()
        return [order for order in orders
                if symbol in ("", order.symbol) and self._seen(order.created_ns)]

    def orders(self, account: str, symbol: str = "") -> list[Order]:
        """Return every order that is remembered, open or ended, oldest first."""
        orders = self.registry.orders(account)
        return [order for order in orders
                if symbol in ("", order.symbol) and self._seen(order.created_ns)]

    def fills_since(self, account: str, trade_id: int = 0, symbol: str = "") -> list[Fill]:
        """Return an account's fills after ``trade_id``, oldest first; of one symbol if given.

        Where each symbol's trades are numbered by themselves, an id needs its symbol.
        """
        fills = self.registry.fills_since(account, trade_id, symbol)
        return [fill for fill in fills if self._seen(fill.now_ns)] if self.horizon else fills

    def _seen(self, at_ns: int) -> bool:
        return self.horizon is None or at_ns <= self.horizon()

    def balance(self, account: str, asset: str) -> tuple[int, int]:
        """Return what is free and what is locked."""
        free, locked, _ = self.ledger.purse(account, asset)
        return free, locked

    def balances(self, account: str) -> dict[str, tuple[int, int]]:
        """Return free and locked of every asset the account ever held."""
        return {
            asset: (free, locked) for (owner, asset), (free, locked, _) in self.ledger.purses()
            if owner == account and asset not in self.listed
        }

    def position(self, account: str, symbol: str) -> Position:
        """Return a position, an empty one if there is none."""
        return self.accounts.by_name[account].positions.get(symbol) or Position()

    def depth(self, symbol: str, side: int, count: int) -> list[tuple[int, int]]:
        """Return the best levels as (price, total), outside flow and clients together."""
        return self.listed[symbol].book.depth(side, count)

    def _hear(self, event: Event) -> None:
        if type(event) is Fill:
            self.registry.fill(event)
        self._sink(event)
