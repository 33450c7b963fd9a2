"""The naive twin: one list per side, searched from the front each time.  No money.

Every row is [key, owner, size, order id], best price first, then oldest first; outside size is a
row like any other, so queue places need no arithmetic at all.
"""

from dataclasses import dataclass, field

OUTSIDE = ""


@dataclass
class Row:
    price: int
    owner: str
    size: int
    order_id: int


@dataclass
class PlainExchange:
    rows: dict[int, list[Row]] = field(default_factory=lambda: {1: [], -1: []})
    fills: list[tuple[int, int, int, int]] = field(default_factory=list)  # taker, maker, price, n

    def limit(
        self, order_id: int, owner: str, side: int, price: int, size: int, *, stays: bool = True
    ) -> int:
        """Match, then rest if it stays; return what did not trade."""
        makers = self.rows[-side]
        while size:
            crossing = [row for row in makers if side * (price - row.price) >= 0]
            if not crossing:
                break
            row = min(crossing, key=lambda row: side * row.price)  # the first of the best
            taken = min(size, row.size)
            self.fills.append((order_id, row.order_id, row.price, taken))
            row.size -= taken
            size -= taken
            if not row.size:
                makers.remove(row)
        if size and stays:
            self.rows[side].append(Row(price, owner, size, order_id))
        return size

    def cancel(self, order_id: int) -> None:
        for rows in self.rows.values():
            rows[:] = [row for row in rows if row.order_id != order_id]

    def shrink(self, order_id: int, left: int) -> None:
        for rows in self.rows.values():
            for row in rows:
                if row.order_id == order_id:
                    row.size = left

    def outside(self, side: int, price: int, size: int) -> None:
        """Set what the outside shows; it grows and shrinks at the back of the queue."""
        self.rows[-side] = [
            row for row in self.rows[-side]
            if row.owner != OUTSIDE or side * (price - row.price) < 0
        ] if size else self.rows[-side]
        rows = self.rows[side]
        there = sum(row.size for row in rows if row.price == price and row.owner == OUTSIDE)
        if size > there:
            self.limit(0, OUTSIDE, side, price, size - there)
        for row in reversed([row for row in rows if row.price == price and row.owner == OUTSIDE]):
            less = min(row.size, max(0, there - size))
            row.size -= less
            there -= less
        rows[:] = [row for row in rows if row.size]

    def printed(self, side: int, price: int, size: int) -> None:
        """Trade outside: clients at better prices, then the queue, then what no book showed."""
        rows = self.rows[-side]
        better = [row for row in rows if row.owner != OUTSIDE and side * (price - row.price) > 0]
        better.sort(key=lambda row: side * row.price)
        for row in better + [row for row in rows if row.price == price]:
            taken = min(size, row.size)
            if taken:
                self.fills.append((0, row.order_id, row.price, taken))
            row.size -= taken
            size -= taken
        rows[:] = [row for row in rows if row.size]
        if size:
            self.fills.append((0, 0, price, size))

    def depth(self, side: int) -> list[tuple[int, int]]:
        prices = sorted({row.price for row in self.rows[side]}, key=lambda price: -side * price)
        return [(price, sum(row.size for row in self.rows[side] if row.price == price))
                for price in prices]
