"""The background flow: an invented or recorded market, as one account of unlimited balance.

A driver says what the outside book shows (``set_level``, absolute) and what traded there
(``print_trade``); clients' orders meet that flow as they would at the venue.  Say a trade before
the levels it left behind: the trade moves the queue, the level then only confirms it.
"""

from itertools import chain, takewhile

from ops.sim.exchange.accounts import Listed
from ops.sim.exchange.book import Half
from ops.sim.exchange.ledger import HOUSE
from ops.sim.exchange.matching import Matching
from ops.sim.exchange.orders import Stp
from ops.sim.exchange.plan import Step, plan
from ops.sim.exchange.settlement import Settlement


class OutsideFlow:
    """Applies the outside flow to one venue's books."""

    def __init__(self, matching: Matching, settlement: Settlement) -> None:
        self._matching, self._settlement = matching, settlement

    def set_level(self, now_ns: int, listed: Listed, side: int, price: int, size: int) -> bool:
        """Give the outside flow ``size`` at a price; return whether anything else changed.

        Where the level crosses, the newer word counts: outside levels it crosses were withdrawn,
        clients' orders it crosses are filled up to ``size``, and the rest of it stays.
        """
        half, other = listed.book.half(side), listed.book.half(-side)
        key = side * price
        if not size or not other.keys or key + other.keys[-1] < 0:
            half.set_outside(price, size)
            return False
        self._withdraw(listed, other, -side, key)
        for step in list(plan(other, HOUSE, Stp.NONE, limit=price, size=size)):
            self._matching.take(now_ns, listed, None, step, side)
            size -= step.size
        half.set_outside(price, size)
        return True

    @staticmethod
    def _withdraw(listed: Listed, half: Half, side: int, key: int) -> None:
        """Take away outside levels that a new level at ``key`` on the other side crosses."""
        crossed = list(takewhile(lambda price: side * price + key >= 0, half.prices()))
        for price in crossed:
            if price in half.outside:
                half.set_outside(price, 0)
                listed.book.changed[side, price] = None

    def print_trade(
        self, now_ns: int, listed: Listed, side: int, price: int, size: int
    ) -> None:
        """Let an outside taker on ``side`` trade ``size`` at ``price``.

        Clients at better prices fill first, whatever stood before them: the price went through.
        At ``price`` the queue decides.  What the book does not have trades all the same.
        """
        half = listed.book.half(-side)
        steps = chain(self._better(half, price), self._at(half, price)) if half.queues else ()
        left = size
        for step in list(steps):
            if not left:
                break
            taken = min(left, step.size if step.maker is None else step.maker.fillable)
            if not taken:
                continue
            left -= taken
            if step.maker is not None:
                self._matching.take(now_ns, listed, None, Step(step.price, taken, step.maker), side)
            else:
                self._outside(now_ns, listed, half, side, price, taken)
        if left:
            self._outside(now_ns, listed, half, side, price, left)

    def _outside(
        self, now_ns: int, listed: Listed, half: Half, side: int, price: int, size: int
    ) -> None:
        """Trade outside with outside: the queue moves, no money does."""
        self._settlement.public(now_ns, listed, side, price, size)
        there = min(size, half.outside.get(price, 0))
        if there:
            half.take_outside(price, there)
            listed.book.changed[-side, price] = None

    @staticmethod
    def _better(half: Half, price: int) -> list[Step]:
        """Return the clients' orders at better prices than ``price``, best first."""
        prices = [other for other in half.queues if half.side * (other - price) > 0]
        prices.sort(key=lambda other: -half.side * other)
        return [Step(other, order.remaining, order)
                for other in prices for order in half.queues[other].values()]

    @staticmethod
    def _at(half: Half, price: int) -> list[Step]:
        """Return the queue at ``price``."""
        return [step for step in plan(half, HOUSE, Stp.NONE, limit=price, size=None)
                if step.price == price]
