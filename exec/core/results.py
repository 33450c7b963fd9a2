"""What a plan made: what its sales brought less what its purchases and fees cost."""

from exec.core.exposure import UNIT
from exec.core.ports import Books
from exec.state.entries import Plan
from exec.state.state import State


def profit_of(state: State, books: Books, plan: Plan) -> int:
    """Return a plan's result in millionths of the reference currency, rounded down.

    What it still holds is valued at the middle of the first leg's book.
    """
    held = plan.residual + plan.taken_over
    total = sum(amount * books.rate(asset) // UNIT for asset, amount in plan.flows.items())
    if held:
        leg = plan.planned.legs[0]
        quote = books.quote(leg.venue, leg.symbol)
        middle = (quote.bid + quote.ask) // 2 if quote.bid and quote.ask else leg.price
        value = state.value((leg.venue, leg.symbol), middle, held)
        total += value * books.rate(state.listed[leg.venue, leg.symbol].quote) // UNIT
    return total
