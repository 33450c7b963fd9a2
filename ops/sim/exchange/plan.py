"""What an order would do, step by step, before anything is done.

One walk answers every question that must be known beforehand: can all of it fill (FOK), would
it take at all (post-only), what will it cost (market orders), where would an account meet
itself.  Matching then carries out the same steps, so the answer and the deed cannot differ.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ops.sim.exchange.book import Half
from ops.sim.exchange.orders import Order, Stp
from ops.sim.exchange.symbols import Symbol


class Step(NamedTuple):
    """Trade ``size`` with ``maker``, None being the outside flow; or prevent a self-trade."""

    price: int
    size: int  # of a prevention: what both shrink by
    maker: Order | None
    prevent: bool = False


def plan(
    half: Half, account: str, stp: Stp, *, limit: int, size: int | None
) -> Iterator[Step]:
    """Yield what taking ``size`` from ``half`` down to price ``limit`` does, in order.

    A ``limit`` of 0 takes any price, a ``size`` of None all there is.  Price goes first; at one
    price, the queue.  A reduce-only order is passed over as far as it would reverse its position.
    Neither book nor positions may change between two steps.
    """
    left = size if size is not None else 1 << 200
    met: dict[str, int] = {}  # what clients' orders have traded so far, by account
    worst = half.side * limit if limit else None
    for key in reversed(half.keys):
        if worst is not None and key < worst:
            return
        price = half.side * key
        passed = 0  # of the outside flow at this price
        queue = half.queues.get(price)
        for maker in queue.values() if queue else ():
            if maker.ahead > passed:
                step = Step(price, min(left, maker.ahead - passed), None)
                yield step
                passed += step.size
                left -= step.size
                if not left:
                    return
            if maker.account == account and stp is not Stp.NONE:
                shrink = min(left, maker.remaining) if stp is Stp.DECREMENT else 0
                yield Step(price, shrink, maker, prevent=True)
                left -= shrink
                if not left or stp in (Stp.EXPIRE_TAKER, Stp.EXPIRE_BOTH):
                    return
                continue
            most = maker.fillable
            if maker.reduces is not None:  # others of the account close the position before it
                most = min(most, maker.reduces.closable(maker.side) - met.get(maker.account, 0))
            if most <= 0:
                continue
            step = Step(price, min(left, most), maker)
            yield step
            met[maker.account] = met.get(maker.account, 0) + step.size
            left -= step.size
            if not left:
                return
        behind = half.outside.get(price, 0) - passed
        if behind:
            step = Step(price, min(left, behind), None)
            yield step
            left -= step.size
            if not left:
                return


def first(steps: Iterable[Step], size: int) -> Iterator[Step]:
    """Yield the steps as far as they trade ``size``."""
    for step in steps:
        if step.prevent:
            yield step
            continue
        if not size:
            return
        taken = min(size, step.size)
        size -= taken
        yield step._replace(size=taken)


def filled(steps: Iterable[Step]) -> int:
    """Return how much of the order trades."""
    return sum(step.size for step in steps if not step.prevent)


def cost(steps: Iterable[Step], symbol: Symbol) -> int:
    """Return what trades, in quote quanta."""
    return sum(symbol.value(step.price, step.size) for step in steps if not step.prevent)


def size_for(steps: Iterable[Step], symbol: Symbol, lot: int, quote: int) -> int:
    """Return the most whole lots that ``quote`` pays for along ``steps``."""
    size, left = 0, quote
    for step in steps:
        if step.prevent:
            size += step.size  # shrinks the order without costing it anything
            continue
        most = left // symbol.value(step.price, 1)
        size += min(most, step.size)
        left -= symbol.value(step.price, min(most, step.size))
        if most <= step.size:
            break
    return size - size % lot
