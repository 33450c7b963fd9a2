"""What the second leg of a plan owes the first, where the riskier one goes first and alone."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exec.state.entries import Order


def owed_of(orders: "Mapping[int, Order]", numbers: Sequence[int]) -> int:
    """Return what the first of some orders filled or may fill, less what goes the other way."""
    if not numbers:
        return 0
    entry = orders[numbers[0]]
    left = entry.booked + entry.remaining
    for number in numbers[1:]:
        other = orders[number]
        left += (other.booked + other.remaining) * other.intent.side * entry.intent.side
    return max(0, left)
