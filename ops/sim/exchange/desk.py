"""Where clients' requests are judged and carried out: place, amend, cancel."""

from typing import NamedTuple

from msgspec.structs import replace

from ops.sim.exchange.accounts import Account, Accounts, Listed, asset_of, needed
from ops.sim.exchange.events import Accepted, Amended, Rejected, Sink
from ops.sim.exchange.fees import Fees
from ops.sim.exchange.filters import (
    AMEND_CHECKS,
    Mode,
    Reason,
    Refusal,
    Situation,
    review,
)
from ops.sim.exchange.matching import Matching
from ops.sim.exchange.orders import Ids, Kind, Order, Request, Status, Stp, Tif, Why
from ops.sim.exchange.plan import Step, cost, filled, first, plan, size_for
from ops.sim.exchange.registry import Registry
from ops.sim.exchange.symbols import Symbol


class Draft(NamedTuple):
    """A request found good: the order it becomes, what that will do, and what it must hold."""

    order: Order
    steps: list[Step]
    hold: int


class Desk:
    """Judges first and acts after: what is refused changed nothing."""

    def __init__(
        self, listed: dict[str, Listed], accounts: Accounts, registry: Registry,
        matching: Matching, ids: Ids, sink: Sink,
    ) -> None:
        self._listed, self._accounts, self._registry = listed, accounts, registry
        self._matching, self._ids, self._sink = matching, ids, sink

    def place(self, now_ns: int, request: Request, *, spoiled: bool) -> Order | Refusal:
        """Take an order, match it, let it rest; no more than half of a ``spoiled`` one trades."""
        draft = self._draft(now_ns, request)
        if isinstance(draft, Refusal):
            self._sink(Rejected(now_ns, request, draft))
            return draft
        order = draft.order
        order.id = self._ids.order()
        self._registry.open(self._accounts.by_name[order.account], order)
        self._accounts.hold(now_ns, order, draft.hold)
        self._sink(Accepted(now_ns, order))
        if order.tif is Tif.FOK and filled(draft.steps) < order.size:
            self._matching.end(now_ns, order, Status.EXPIRED, Why.FOK)
        elif order.post_only and draft.steps:
            self._matching.end(now_ns, order, Status.EXPIRED, Why.WOULD_TAKE)
        else:
            listed = self._listed[order.symbol]
            lot = listed.filters.lot
            steps = first(draft.steps, order.size // 2 // lot * lot) if spoiled else draft.steps
            self._matching.run(now_ns, listed, order, steps)
        return order

    def find_open(self, account: str, order_id: int, client_id: str) -> Order | Refusal:
        """Return an order that rests, by either id."""
        order = self._registry.find(account, order_id=order_id, client_id=client_id)
        if order is None:
            return Refusal(Reason.UNKNOWN_ORDER, order_id)
        if order.status is not Status.OPEN:
            return Refusal(Reason.ORDER_ENDED, order.id)
        return order

    def amend(
        self, now_ns: int, order: Order, price: int, size: int, *, keeps_place: bool,
        stp: Stp | None,
    ) -> Refusal | None:
        """Give a resting order another price or total size."""
        listed, done = self._listed[order.symbol], order.filled + order.prevented
        account = self._accounts.by_name[order.account]
        asked = Request(
            account=order.account, symbol=order.symbol, side=order.side, price=price, size=size,
            post_only=order.post_only, reduce_only=order.reduce_only)
        refusal = review(asked, _situation(listed, account), AMEND_CHECKS)
        if refusal is not None:
            return refusal
        if size <= done:
            return Refusal(Reason.SIZE_MIN, size, done + 1)
        if keeps_place and price == order.price and size <= order.size:
            order.size, order.updated_ns = size, now_ns
            hold = min(order.reserved, needed(order, listed.symbol))
            self._accounts.hold(now_ns, order, hold)
            listed.book.changed[order.side, price] = None
            self._sink(Amended(now_ns, order, True))
            return None
        wanted = replace(order, price=price, size=size, stp=stp or order.stp)
        return self._requeue(now_ns, listed, account, order, wanted)

    def cancel(self, now_ns: int, order: Order, why: Why) -> Refusal | None:
        """Take a resting order back."""
        listed = self._listed[order.symbol]
        if listed.filters.mode is Mode.HALTED:
            return Refusal(Reason.MODE)
        self._matching.pull(now_ns, listed, order, Status.CANCELLED, why)
        return None

    def _requeue(
        self, now_ns: int, listed: Listed, account: Account, order: Order, wanted: Order
    ) -> Refusal | None:
        """Let a resting order queue anew as ``wanted``, and trade if its new price takes."""
        price, size = wanted.price, wanted.size
        steps = list(plan(
            listed.book.half(-order.side), order.account, wanted.stp,
            limit=price, size=wanted.remaining))
        if order.post_only and steps:
            return Refusal(Reason.WOULD_TAKE, price, steps[0].price)
        if listed.symbol.perpetual:
            wanted.closing = self._accounts.closing(account, wanted)
        if order.reduce_only and wanted.closing < size:
            return Refusal(Reason.REDUCE_ONLY, size, wanted.closing)
        hold = needed(wanted, listed.symbol)
        refusal = self._short(account, listed.symbol, order, hold - order.reserved)
        if refusal is not None:
            return refusal
        listed.book.half(order.side).leave(order)
        listed.book.changed[order.side, order.price] = None
        order.price, order.size, order.closing = price, size, wanted.closing
        order.stp, order.updated_ns = wanted.stp, now_ns
        self._accounts.hold(now_ns, order, hold)
        self._sink(Amended(now_ns, order, False))
        self._matching.run(now_ns, listed, order, steps)
        return None

    def _draft(self, now_ns: int, request: Request) -> Draft | Refusal:
        """Judge a request without changing anything."""
        account = self._accounts.by_name.get(request.account)
        listed = self._listed.get(request.symbol)
        if account is None:
            return Refusal(Reason.UNKNOWN_ACCOUNT)
        if listed is None:
            return Refusal(Reason.UNKNOWN_SYMBOL)
        taken = self._registry.taken(request.account, request.client_id)
        if taken is not None:
            return Refusal(Reason.DUPLICATE_CLIENT_ID, taken)
        refusal = review(request, _situation(listed, account))
        if refusal is not None:
            return refusal
        size = self._size(listed, request) if request.quote else request.size
        if isinstance(size, Refusal):
            return size
        steps = list(plan(
            listed.book.half(-request.side), request.account, request.stp,
            limit=request.price, size=size))
        if request.post_only and steps and not request.post_only_ends:
            return Refusal(Reason.WOULD_TAKE, request.price, steps[0].price)
        order = _order_of(now_ns, request, size, account.fees, listed.symbol)
        return self._afford(account, listed.symbol, request, order, steps)

    @staticmethod
    def _size(listed: Listed, request: Request) -> int | Refusal:
        """Return the size that a market order's ``quote`` pays for."""
        half, filters = listed.book.half(-request.side), listed.filters
        if not half.keys:
            return Refusal(Reason.NO_LIQUIDITY)
        steps = plan(half, request.account, request.stp, limit=0, size=None)
        size = size_for(steps, listed.symbol, filters.lot, request.quote)
        least = max(filters.size_min, 1)
        return size if size >= least else Refusal(Reason.SIZE_MIN, size, least)

    def _afford(
        self, account: Account, symbol: Symbol, request: Request, order: Order, steps: list[Step]
    ) -> Draft | Refusal:
        """Find what an order must hold, and whether that is there."""
        if symbol.perpetual:
            order.closing = self._accounts.closing(account, order)
            order.margin_ppm = account.margins_ppm.get(symbol.name, symbol.margin_ppm)
        if request.reduce_only:
            if order.closing < order.size:
                return Refusal(Reason.REDUCE_ONLY, order.size, order.closing)
            order.reduces = account.positions[symbol.name]
        value = cost(steps, symbol) if order.kind is Kind.MARKET else None
        hold = needed(order, symbol, value)
        refusal = self._short(account, symbol, order, hold)
        return Draft(order, steps, hold) if refusal is None else refusal

    def _short(
        self, account: Account, symbol: Symbol, order: Order, more: int
    ) -> Refusal | None:
        """Refuse what the account cannot hold."""
        if more <= 0:
            return None
        available = self._accounts.available(account, order.asset)
        if more <= available:
            return None
        return Refusal(Reason.MARGIN if symbol.perpetual else Reason.FUNDS, more, available)


def _situation(listed: Listed, account: Account) -> Situation:
    symbol = listed.symbol
    open_orders = account.open_counts.get(symbol.name, 0)
    return Situation(symbol, listed.filters, listed.reference, open_orders)


def _order_of(now_ns: int, request: Request, size: int, fees: Fees, symbol: Symbol) -> Order:
    """Make the order of a request; it gets its id when it is accepted."""
    return Order(
        id=0, account=request.account, client_id=request.client_id, symbol=request.symbol,
        side=request.side, kind=request.kind, price=request.price, size=size, tif=request.tif,
        post_only=request.post_only, reduce_only=request.reduce_only, stp=request.stp,
        fees=fees, created_ns=now_ns, updated_ns=now_ns, asset=asset_of(symbol, request.side),
    )
