"""Carries out plans: trades, self-trade prevention, what rests and what ends."""

from collections.abc import Iterable

from ops.sim.exchange.accounts import Accounts, Listed, needed
from ops.sim.exchange.events import Ended, Prevented, Sink
from ops.sim.exchange.orders import Kind, Order, Status, Stp, Tif, Why
from ops.sim.exchange.plan import Step
from ops.sim.exchange.registry import Registry
from ops.sim.exchange.settlement import Settlement


class Matching:
    """Moves orders through books; every change of a book by an order happens here."""

    def __init__(
        self, accounts: Accounts, registry: Registry, settlement: Settlement, sink: Sink
    ) -> None:
        self._accounts, self._registry, self._sink = accounts, registry, sink
        self._settlement = settlement

    def run(self, now_ns: int, listed: Listed, order: Order, steps: Iterable[Step]) -> None:
        """Take ``steps``, then let what is left rest or expire, as the order says."""
        for step in steps:
            if not step.prevent:
                self.take(now_ns, listed, order, step, order.side)
            elif step.maker is not None:
                self._prevent(now_ns, listed, order, step.maker, step.size)
        if order.status is Status.FILLED:
            self.end(now_ns, order, Status.FILLED, None)
        elif order.status is Status.OPEN:
            if order.kind is Kind.MARKET:
                self.end(now_ns, order, Status.EXPIRED, Why.NO_LIQUIDITY)
            elif order.tif is not Tif.GTC:
                self.end(now_ns, order, Status.EXPIRED, Why.IOC)
            else:
                self._accounts.hold(now_ns, order, needed(order, listed.symbol))
                listed.book.half(order.side).join(order)
                listed.book.changed[order.side, order.price] = None

    def take(
        self, now_ns: int, listed: Listed, taker: Order | None, step: Step, side: int
    ) -> None:
        """Trade one step; a ``taker`` of None is the outside flow."""
        half, maker = listed.book.half(-side), step.maker
        self._settlement.trade(
            now_ns, listed, taker, maker, side=side, price=step.price, size=step.size)
        if maker is None:
            half.take_outside(step.price, step.size)
        elif maker.status is Status.FILLED:
            half.leave(maker)
            self.end(now_ns, maker, Status.FILLED, None)
        listed.book.changed[-side, step.price] = None

    def pull(self, now_ns: int, listed: Listed, order: Order, status: Status, why: Why) -> None:
        """Take a resting order out of its book and end it."""
        listed.book.half(order.side).leave(order)
        listed.book.changed[order.side, order.price] = None
        self.end(now_ns, order, status, why)

    def end(self, now_ns: int, order: Order, status: Status, why: Why | None) -> None:
        """Close an order that is in no book; give back what it holds."""
        order.status, order.why, order.updated_ns = status, why, now_ns
        self._accounts.hold(now_ns, order, 0)
        self._registry.end(self._accounts.by_name[order.account], order)
        if status is not Status.FILLED:
            self._sink(Ended(now_ns, order))

    def _prevent(
        self, now_ns: int, listed: Listed, taker: Order, maker: Order, size: int
    ) -> None:
        """Keep an account from trading with itself, as the taker's mode says."""
        if taker.stp is Stp.DECREMENT:
            taker.prevented += size
            maker.prevented += size
            maker.updated_ns = now_ns
            listed.book.changed[maker.side, maker.price] = None
        self._sink(Prevented(now_ns, taker, maker, size))
        if taker.stp in (Stp.EXPIRE_MAKER, Stp.EXPIRE_BOTH) or not maker.remaining:
            self.pull(now_ns, listed, maker, Status.EXPIRED, Why.SELF_TRADE)
        elif taker.stp is Stp.DECREMENT:
            self._accounts.hold(now_ns, maker, needed(maker, listed.symbol))
        if taker.stp in (Stp.EXPIRE_TAKER, Stp.EXPIRE_BOTH) or not taker.remaining:
            self.end(now_ns, taker, Status.EXPIRED, Why.SELF_TRADE)
