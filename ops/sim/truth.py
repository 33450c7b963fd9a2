"""What tests compare with: the state of a line as exact decimal text."""

import msgspec

from ops.sim.book import ASK, BID
from ops.sim.listing import Line


class Truth(msgspec.Struct, frozen=True):
    """One book at one instant, best first, numbers without trailing zeros."""

    venue: str
    symbol: str
    native: str
    last_id: int  # 0 where the venue numbers nothing
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]


def truth_of(line: Line) -> Truth:
    """Write a line's book down in full."""
    sides = [
        [(line.plain_price(price), line.plain_size(size))
         for price, size in line.book.top(side, len(line.book.sizes[side]))]
        for side in (BID, ASK)
    ]
    return Truth(line.venue, line.pair.name, line.native, line.last_id, sides[0], sides[1])
