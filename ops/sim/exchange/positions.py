"""Linear perpetual positions, one net position per account and symbol."""

import msgspec


class Position(msgspec.Struct, eq=False):
    """``size`` contracts held at ``cost``; both negative for a short.

    The average entry is ``cost / size``.  Cost stays a whole number, so nothing is lost to
    rounding: what a partial close leaves behind is closed later.
    """

    size: int = 0
    cost: int = 0  # quote quanta paid for what is open
    margin: int = 0  # quote quanta locked
    realised: int = 0  # profit so far, before fees and funding
    funding: int = 0  # received so far, negative if paid

    def closable(self, side: int) -> int:
        """Return how much an order of ``side`` can close."""
        return max(0, -side * self.size)

    def fill(self, side: int, size: int, unit: int) -> int:
        """Add a fill whose every contract is worth ``unit`` quote quanta; return its profit."""
        closing = min(size, self.closable(side))
        profit = 0
        if closing:
            released = abs(self.cost) * closing // abs(self.size)
            released = released if self.cost > 0 else -released
            profit = -side * unit * closing - released
            self.size += side * closing
            self.cost -= released
            self.realised += profit
        self.size += side * (size - closing)
        self.cost += side * (size - closing) * unit
        return profit

    def unrealised(self, unit: int) -> int:
        """Return the profit if all of it were closed at ``unit`` per contract."""
        return self.size * unit - self.cost
