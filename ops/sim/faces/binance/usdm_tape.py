"""What traded on one USD-M contract: its last thousand prints, and a day of them by the minute."""

from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from ops.sim.face import BUY, Print
from ops.sim.faces.binance.public import Aggregate

RECENT_MAX: Final = 1_000
MINUTES: Final = 1_440
MINUTE_MS: Final = 60_000


class Trade(NamedTuple):
    """One print, in the line's ticks and lots."""

    trade_id: int
    price: int
    size: int
    time_ms: int
    buyer_made: bool  # the buyer was the maker


class Total(NamedTuple):
    """What one taker did at one price."""

    sum: Aggregate
    time_ms: int


class Span(msgspec.Struct):
    """What traded within a stretch of time."""

    minute: int
    open: int
    high: int
    low: int
    last: int
    last_size: int
    volume: int  # lots
    value: int  # ticks times lots
    first_id: int
    last_id: int
    count: int
    bought: int = 0  # of it, what takers bought
    bought_value: int = 0

    def add(self, later: "Span") -> None:
        """Take in a later stretch."""
        self.high, self.low = max(self.high, later.high), min(self.low, later.low)
        self.last, self.last_size, self.last_id = later.last, later.last_size, later.last_id
        self.volume += later.volume
        self.value += later.value
        self.count += later.count
        self.bought += later.bought
        self.bought_value += later.bought_value

    def of(self, minute: int) -> "Span":
        """Return a copy that begins at another minute."""
        return msgspec.structs.replace(self, minute=minute)

    def flat(self, minute: int) -> "Span":
        """Return a stretch without trades at the last price."""
        last = self.last
        return Span(minute, last, last, last, last, 0, 0, 0, self.last_id, self.last_id, 0)


class Tape:
    """Prints of one contract."""

    def __init__(self) -> None:
        self.recent: deque[Trade] = deque(maxlen=RECENT_MAX)
        self.totals: deque[Total] = deque(maxlen=RECENT_MAX)
        self.spans: deque[Span] = deque(maxlen=MINUTES)

    def note(self, now_ms: int, prints: Sequence[Print], sums: Sequence[Aggregate]) -> None:
        """Take prints in, and what they sum up to."""
        self.totals.extend(Total(each, now_ms) for each in sums)
        for each in prints:
            price, size = each.price, each.size
            self.recent.append(Trade(each.trade_id, price, size, now_ms, each.side != BUY))
            value = price * size
            span = Span(
                now_ms // MINUTE_MS, price, price, price, price, size, size, value, each.trade_id,
                each.trade_id, 1, *((size, value) if each.side == BUY else (0, 0)))
            if self.spans and self.spans[-1].minute == span.minute:
                self.spans[-1].add(span)
            else:
                self.spans.append(span)

    def day(self, now_ms: int) -> Span | None:
        """Return the last 24 hours as one stretch, None if nothing traded."""
        oldest, sum_ = now_ms // MINUTE_MS - MINUTES, None
        for span in self.spans:
            if span.minute <= oldest:
                continue
            if sum_ is None:
                sum_ = span.of(span.minute)
            else:
                sum_.add(span)
        return sum_
