"""One symbol's book: what the outside flow shows, and the clients' orders queued among it.

    price 100   outside 9     [ 4 outside | alice 2 | 3 outside | bob 1 | 2 outside ]
                              alice.ahead = 4, bob.ahead = 7

The outside flow is a number per level, not orders, so that a busy market costs two dictionary
writes per change.  An order keeps how much of that number stands before it.  New outside size
joins behind everybody; when the outside shrinks without a trade it is taken from the back, the
cautious reading: nobody moves forward but by trades.  (Queue models: hftbacktest's risk-averse.)
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from itertools import islice

from ops.sim.exchange.orders import BUY, SELL, Order

Queue = dict[int, Order]  # by id, oldest first


class Half:
    """One side.  A key is the price with the side's sign, so the best is the last on both."""

    __slots__ = ("keys", "outside", "queues", "side")

    def __init__(self, side: int) -> None:
        self.side = side
        self.keys: list[int] = []  # ascending
        self.outside: dict[int, int] = {}  # price -> size above 0
        self.queues: dict[int, Queue] = {}  # price -> orders, never empty

    def best(self) -> int:
        """Return the best price, 0 if the side is empty."""
        return self.side * self.keys[-1] if self.keys else 0

    def total(self, price: int) -> int:
        """Return all that rests at a price."""
        queue = self.queues.get(price)
        clients = sum(order.remaining for order in queue.values()) if queue else 0
        return self.outside.get(price, 0) + clients

    def prices(self) -> Iterator[int]:
        """Yield the prices, best first."""
        for key in reversed(self.keys):
            yield self.side * key

    def set_outside(self, price: int, size: int) -> None:
        """Give the outside flow its new size at a price."""
        if size:
            if price not in self.outside and price not in self.queues:
                insort(self.keys, self.side * price)
            self.outside[price] = size
        elif self.outside.pop(price, 0):
            self._tidy(price)
        queue = self.queues.get(price)
        if queue:
            for order in queue.values():
                order.ahead = min(order.ahead, size)

    def take_outside(self, price: int, size: int) -> None:
        """Trade ``size`` off the front of the outside flow: everybody behind moves forward."""
        queue = self.queues.get(price)
        if queue:
            for order in queue.values():
                order.ahead = max(0, order.ahead - size)
        left = self.outside[price] - size
        assert left >= 0, f"{size} taken of {left + size}"
        if left:
            self.outside[price] = left
        else:
            del self.outside[price]
            self._tidy(price)

    def join(self, order: Order) -> None:
        """Queue an order behind all that is at its price."""
        price = order.price
        outside = order.ahead = self.outside.get(price, 0)
        queue = self.queues.get(price)
        if queue is None:
            queue = self.queues[price] = {}
            if not outside:
                insort(self.keys, self.side * price)
        queue[order.id] = order

    def leave(self, order: Order) -> None:
        """Take an order out of its queue."""
        queue = self.queues[order.price]
        del queue[order.id]
        if not queue:
            del self.queues[order.price]
            self._tidy(order.price)

    def _tidy(self, price: int) -> None:
        """Forget a price where nothing is left."""
        if price not in self.outside and price not in self.queues:
            del self.keys[bisect_left(self.keys, self.side * price)]


class Book:
    """Both sides, and which levels changed since they were last told."""

    __slots__ = ("asks", "bids", "changed")

    def __init__(self) -> None:
        self.bids, self.asks = Half(BUY), Half(SELL)
        self.changed: dict[tuple[int, int], None] = {}  # (side, price), in order

    def half(self, side: int) -> Half:
        """Return the side where orders of ``side`` rest."""
        return self.bids if side == BUY else self.asks

    @property
    def crossed(self) -> bool:
        """Return whether a bid reaches an ask."""
        bids, asks = self.bids.keys, self.asks.keys
        return bool(bids and asks and bids[-1] + asks[-1] >= 0)

    def depth(self, side: int, count: int) -> list[tuple[int, int]]:
        """Return the best ``count`` levels as (price, total), best first."""
        half = self.half(side)
        return [(price, half.total(price)) for price in islice(half.prices(), count)]
