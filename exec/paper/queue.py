"""Our place among others at one price: behind all who stood there when we came.

    front │ ahead of us │ ours │ behind us │        ``shown`` counts the others alone

A public trade at the price eats from the front.  When the level shrinks without a trade, somebody
cancelled, ahead of us or behind: shared pro rata, rounded against us.  Trades and levels come by
two streams, in either order, so each shrinkage is counted once: a trade first pays for a later
shrinkage, and a shrinkage that a late trade explains was no cancel and is taken back.
"""

from typing import Final

import msgspec

from exec.records import Intended

UNSEEN: Final = -1  # the level lies beyond what the book shows: nobody knows who stands there
SETTLE_NS: Final = 1_000_000_000  # a trade and its level are told within this of one another


class Resting(msgspec.Struct):
    """One order of ours in the book."""

    intent: Intended
    venue_order: str
    left: int
    ahead: int = UNSEEN
    advanced: int = 0  # of what left ahead: by cancels that a late trade may yet explain


class Queue:
    """One price of one side where orders of ours rest."""

    def __init__(self, shown: int, now_ns: int) -> None:
        """``shown``: what others have there, or UNSEEN."""
        self.waiting: list[Resting] = []  # in the order in which they came
        self._shown = shown
        self._printed = 0  # by trades, not yet seen to have left the level
        self._gone = 0  # left the level, not yet explained by a trade
        self._moved_ns = now_ns

    def join(self, order: Resting, shown: int, now_ns: int) -> None:
        """Stand behind everybody."""
        self.look(shown, now_ns)
        order.ahead = shown
        self.waiting.append(order)

    def look(self, shown: int, now_ns: int) -> None:
        """Take what the level shows now, or UNSEEN."""
        if now_ns - self._moved_ns > SETTLE_NS:
            self._settle()
        before, self._shown = self._shown, shown
        if shown == UNSEEN:
            self._settle()
            return
        if before == UNSEEN:
            for order in self.waiting:
                order.ahead = shown
            return
        less = before - shown
        if less > 0:
            self._moved_ns = now_ns
            traded = min(less, self._printed)
            self._printed -= traded
            self._cancelled(less - traded, before - traded)
        for order in self.waiting:
            order.ahead = min(order.ahead, shown)

    def _cancelled(self, size: int, of: int) -> None:
        if not size:
            return
        self._gone += size
        for order in self.waiting:
            step = order.ahead * size // of
            order.ahead -= step
            order.advanced += step

    def trade(self, size: int, now_ns: int) -> list[tuple[Resting, int]]:
        """Let a trade at this price eat from the front; return what it filled of ours."""
        self._moved_ns = now_ns
        if self._shown == UNSEEN:
            return []
        known = min(size, self._gone)
        if known:
            for order in self.waiting:
                back = order.advanced * known // self._gone
                order.ahead += back
                order.advanced -= back
            self._gone -= known
        self._printed += size - known
        return self._eat(size)

    def swept(self, size: int) -> list[tuple[Resting, int]]:
        """Let a trade at a worse price have come through here first; return what it filled."""
        for order in self.waiting:
            order.ahead = 0
        return self._eat(size)

    def _eat(self, size: int) -> list[tuple[Resting, int]]:
        fills, left, others = [], size, 0  # others: how much of it those ahead of us took
        for order in self.waiting:
            step = min(left, max(0, order.ahead - others))
            others, left = others + step, left - step
            ours = min(left, order.left)
            if ours:
                fills.append((order, ours))
                left -= ours
        for order in self.waiting:
            order.ahead = max(0, order.ahead - others)
        return fills

    def _settle(self) -> None:
        self._printed = self._gone = 0
        for order in self.waiting:
            order.advanced = 0
