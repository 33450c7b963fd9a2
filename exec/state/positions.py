"""A linear perpetual's position: what is held, what it cost, what its closings realised.

What a closing realised depends on what was booked before it, so the venue's own word is taken
where there is one (``credit``), and reckoned by the average entry where there is none (``change``).
"""

import msgspec


class Position(msgspec.Struct):
    """A perpetual's position: signed size, and what it cost in quote quanta of 10**-24."""

    size: int = 0
    cost: int = 0
    realised: int = 0


def change(position: Position, size: int, value: int) -> None:
    """Add a signed size worth a signed value; what closes is realised at the average entry."""
    if position.size * size >= 0:
        position.size += size
        position.cost += value
        return
    closed = min(abs(size), abs(position.size))
    share = abs(position.cost) * closed // abs(position.size)
    cost = share if position.cost >= 0 else -share
    proceeds = value * closed // abs(size) if value >= 0 else -(-value * closed // abs(size))
    position.realised -= cost + proceeds
    position.cost += value - proceeds - cost
    position.size += size


def credit(position: Position, size: int, value: int, realised: int) -> None:
    """Add a signed size worth a signed value, of which the venue credited so much.

    Sums alone, so the order in which trades are booked does not matter, nor how the venue rounds.
    """
    position.size += size
    position.cost += value + realised
    position.realised += realised
