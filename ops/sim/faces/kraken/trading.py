"""The trading engine's door: what both protocols do to orders, and what that costs a client.

Every operation goes through the floor; what a client must hear is raised as Declined.
Source: shared/venues/kraken.md (Private, Rate limits), 2026-11-21.
"""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from ops.sim.exchange.accounts import needed
from ops.sim.exchange.events import Accepted
from ops.sim.exchange.fees import FeeIn
from ops.sim.exchange.filters import Mode, Refusal, Situation, review
from ops.sim.exchange.orders import BUY, Kind, Order, Request, Status, Why
from ops.sim.faces.kraken import ids
from ops.sim.faces.kraken.answers import ORDER_RATE, UNKNOWN_ORDER, Declined, declined
from ops.sim.faces.kraken.instruments import Instrument
from ops.sim.faces.kraken.limits import (
    AMEND_STEPS,
    CANCEL_STEPS,
    EDIT_STEPS,
    Counters,
    penalty,
)
from ops.sim.faces.kraken.tickets import Ticket, Tickets
from ops.sim.faces.kraken.wishes import TIFS, Wish
from ops.sim.floor import Floor

AFTER_MAX_S: Final = 86_400


class Trading:
    """Places, amends, edits and cancels; runs the dead-man switches and the good-till dates."""

    def __init__(self, floor: Floor, counters: Counters) -> None:
        self._floor, self._counters = floor, counters
        self.tickets = Tickets(floor.exchange)
        self._next = Ticket()  # of the order that is being placed
        self._amends = 0
        self._switches: dict[str, int] = {}  # by account: when all its orders go, mono ns

    # --- placing -------------------------------------------------------------------------------

    def place(self, wish: Wish) -> Order:
        """Place an order; raise Declined."""
        self._spend(wish.account, wish.instrument.native, 1)
        return self._place(wish)

    def place_batch(self, wishes: Sequence[Wish]) -> list[Order | Declined]:
        """Place orders of one pair at half the cost; one that fails does not stop the rest."""
        first = wishes[0]
        self._spend(first.account, first.instrument.native, len(wishes) / 2)
        placed = list[Order | Declined]()
        for wish in wishes:
            try:
                placed.append(self._place(wish))
            except Declined as refusal:
                placed.append(refusal)
        return placed

    def check(self, wish: Wish) -> None:
        """Judge an order's own fields, as ``validate`` asks; raise Declined."""
        exchange, native = self._floor.exchange, wish.instrument.native
        listed = exchange.listed[native]
        reference = self._floor.mid(native) or listed.reference
        situation = Situation(listed.symbol, listed.filters, reference, 0)
        self._judge(review(_request(wish), situation), wish.instrument)

    def accepted(self, event: Accepted) -> Ticket:
        """Remember the order that was just placed."""
        self.tickets.add(event.order, self._next)
        return self._next

    def _place(self, wish: Wish) -> Order:
        exchange = self._floor.exchange
        self._next = Ticket(
            tif=wish.tif, userref=wish.userref, fee_in_base=wish.fee_in_base, cash=wish.quote,
            expires_ns=wish.expires_ns)
        usual = exchange.accounts.by_name[wish.account].fees
        if wish.fee_in_base:
            exchange.set_fees(wish.account, replace(usual, taken=FeeIn.BASE))
        placed = self._floor.place(_request(wish))
        if wish.fee_in_base:
            exchange.set_fees(wish.account, usual)
        if isinstance(placed, Refusal):
            raise declined(placed, self._mode(wish.instrument.native))
        return placed

    # --- changing ------------------------------------------------------------------------------

    def amend(
        self, order: Order, instrument: Instrument, *, price: int, size: int, post_only: bool
    ) -> str:
        """Change a resting order in its place, 0 keeps; return the amendment's id."""
        self._must_be_open(order)
        cost = 1 + penalty(AMEND_STEPS, self._age_ns(order))
        self._spend(order.account, order.symbol, cost)
        self._amends += 1
        if size and size <= order.filled:
            self._cancelled(order)
            return ids.amend_id(self._amends)
        if post_only:
            self._must_not_take(order.side, price or order.price, instrument)
        changed = self._floor.amend(order.account, order_id=order.id, price=price, size=size)
        self._judge(changed, instrument)
        return ids.amend_id(self._amends)

    def edit(self, order: Order, wish: Wish) -> Order:
        """Cancel an order and place another; the old one stays if the new one cannot be."""
        self._must_be_open(order)
        cost = 1 + penalty(EDIT_STEPS, self._age_ns(order))
        self._spend(order.account, order.symbol, cost)
        self.check(wish)
        if wish.post_only:
            self._must_not_take(wish.side, wish.price, wish.instrument)
        self._must_afford(order, wish)
        if wish.validate:
            return order
        self._cancelled(order)
        return self._place(wish)

    def _must_not_take(self, side: int, price: int, instrument: Instrument) -> None:
        best = self._floor.exchange.depth(instrument.native, -side, 1)
        if best and price * side >= best[0][0] * side:
            raise Declined("EOrder:Post only order")

    def _must_afford(self, order: Order, wish: Wish) -> None:
        symbol = wish.instrument.symbol
        wanted = replace(order, price=wish.price, size=wish.size, filled=0, prevented=0)
        free, _ = self._floor.exchange.balance(order.account, order.asset)
        if needed(wanted, symbol) > free + order.reserved:
            raise Declined("EOrder:Insufficient funds")

    # --- cancelling ----------------------------------------------------------------------------

    def cancel(self, order: Order) -> None:
        """Cancel an order; raise Declined."""
        self._must_be_open(order)
        counter = self._counters.trading(order.account, order.symbol)
        counter.charge(self._floor.mono_ns(), penalty(CANCEL_STEPS, self._age_ns(order)))
        self._cancelled(order)

    def cancel_all(self, account: str) -> int:
        """Cancel all orders of an account; return how many."""
        now_ns = self._floor.mono_ns()
        for order in self._floor.exchange.accounts.by_name[account].orders.values():
            self._counters.trading(account, order.symbol).charge(
                now_ns, penalty(CANCEL_STEPS, self._age_ns(order)))
        return len(self._floor.cancel_all(account))

    def cancel_after(self, account: str, timeout_s: int) -> None:
        """Cancel all orders of an account later, unless asked again before; 0 calls it off."""
        if timeout_s:
            self._switches[account] = self._floor.mono_ns() + timeout_s * 10**9
        else:
            self._switches.pop(account, None)

    def tick(self) -> None:
        """Do what is due."""
        now_ns = self._floor.mono_ns()
        for account in [name for name, at_ns in self._switches.items() if at_ns <= now_ns]:
            del self._switches[account]
            self._floor.cancel_all(account)
        for order in self.tickets.due(self._floor.now_ns()):
            ticket = self.tickets[order.id]
            ticket.lapsed = True  # the event that follows tells of it
            done = self._floor.cancel(order.account, order_id=order.id, why=Why.WITHDRAWN)
            ticket.lapsed = isinstance(done, Order)  # a halted market keeps it

    def _cancelled(self, order: Order) -> None:
        done = self._floor.cancel(order.account, order_id=order.id)
        if isinstance(done, Refusal):
            raise declined(done, self._mode(order.symbol))

    # --- what all of them need -----------------------------------------------------------------

    def level(self, account: str, symbol: str) -> int:
        """Return the trading counter, as ``ratecounter`` tells it."""
        return int(self._counters.trading(account, symbol).level(self._floor.mono_ns()))

    def _spend(self, account: str, symbol: str, units: float) -> None:
        if not self._counters.trading(account, symbol).take(self._floor.mono_ns(), units):
            raise Declined(ORDER_RATE)

    def _must_be_open(self, order: Order) -> None:
        if order.status is not Status.OPEN:
            raise Declined(UNKNOWN_ORDER)

    def _age_ns(self, order: Order) -> int:
        return self._floor.now_ns() - order.created_ns

    def _mode(self, native: str) -> Mode:
        return self._floor.filters(native).mode

    def _judge(self, outcome: Order | Refusal | None, instrument: Instrument) -> None:
        if isinstance(outcome, Refusal):
            raise declined(outcome, self._mode(instrument.native))


def _request(wish: Wish) -> Request:
    return Request(
        account=wish.account, symbol=wish.instrument.native, side=wish.side, kind=wish.kind,
        price=wish.price, size=wish.size, quote=wish.quote, tif=TIFS[wish.tif],
        post_only=wish.post_only, reduce_only=wish.reduce_only, stp=wish.stp,
        client_id=wish.client_id,
    )


def describe(
    instrument: Instrument, side: int, kind: Kind, size: int, price: int
) -> str:
    """Return the sentence Kraken makes of an order: buy 1.25000000 XBTUSD @ limit 27500.0."""
    word = "buy" if side == BUY else "sell"
    text = f"{word} {instrument.size(size)} {instrument.altname} @ {kind.value}"
    return f"{text} {instrument.price(price)}" if kind is Kind.LIMIT else text
