"""Which leg of a plan goes first, and what the plan still owes the other one.

*together*: all legs leave at once.  *riskier-first*: the leg that is likelier to fail leaves alone;
the second goes for exactly what the first filled, again with each fill, for as long as it may fill.

Riskier is the venue with the worse record: more failures in a row, then an order path that takes
more than twice as long, then the book that the leg would use up the most of, then the slower one.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from exec import records as r
from exec.core.ports import Books
from exec.gate.breakers import Breaker, Circuit
from exec.gate.checks import Purpose
from exec.state.entries import Order, Plan
from exec.state.orders import State as OrderState
from exec.state.owed import owed_of
from exec.state.state import State

DEPTH: Final = 10  # times a leg's size: how far a book is looked into
PPM: Final = 1_000_000
SHARE: Final = 8  # an answer moves the average of its venue by one part in so many


class Turns(StrEnum):
    """How a plan's legs go out."""

    TOGETHER = "together"
    RISKIER_FIRST = "riskier-first"


class Pace:
    """How long venues take to answer orders, in ns: a moving average, of this life alone."""

    def __init__(self) -> None:
        self._ns: dict[str, int] = {}

    def note(self, order: Order, now_ns: int) -> None:
        """Note an order's first answer: of one that was sent, and nothing else was heard of."""
        if order.state is not OrderState.SENT:
            return
        venue, took_ns = order.intent.venue, max(0, now_ns - order.changed_ns)
        before = self._ns.get(venue)
        self._ns[venue] = took_ns if before is None else before + (took_ns - before) // SHARE

    def of(self, venue: str) -> int:
        """Return it; 0 for a venue that never answered."""
        return self._ns.get(venue, 0)


def riskier_first(
    legs: Sequence[r.Leg], circuits: Mapping[str, Circuit], pace: Pace, books: Books
) -> tuple[int, ...]:
    """Return the indexes of two legs, the riskier one first; the first one where both are equal."""
    quickest_ns = min(pace.of(leg.venue) for leg in legs)

    def risk(index: int) -> tuple[bool, int, bool, int, int]:
        leg = legs[index]
        circuit, took_ns = circuits[leg.venue], pace.of(leg.venue)
        there, _, _ = books.walk(leg.venue, leg.symbol, leg.side, DEPTH * leg.size)
        used_ppm = leg.size * PPM // max(there, 1)
        slow = took_ns > 2 * quickest_ns
        return (circuit.place is not Breaker.CLOSED, circuit.failures, slow, used_ppm, took_ns)

    return tuple(sorted(range(len(legs)), key=risk, reverse=True))


def entry_of(state: State, plan: Plan) -> Order | None:
    """Return the order that went first and alone, None for a plan whose legs went together."""
    if plan.planned.turns != Turns.RISKIER_FIRST or not plan.orders:
        return None
    return state.orders[plan.orders[0]]


def owed(state: State, plan: Plan) -> int:
    """Return how much the second leg of a plan may have to trade still, at worst, in quanta.

    What its first order filled or may fill, less what goes the other way, filled or under way.
    """
    entry = entry_of(state, plan)
    return owed_of(state.orders, plan.orders) if entry is not None else 0


def kept_for_second_legs(
    state: State, venue: str, asset: str, fee_ppm: int, *, but: int
) -> int:
    """Return what second legs that have not gone out yet will need of an asset at a venue.

    ``but`` is the plan that asks: what is kept for it is its own.
    """
    total = state.outstanding.kept.get((venue, asset), 0)
    asking = state.open_plans.get(but)
    if asking is not None and asking.owed:
        leg = asking.planned.legs[1]
        terms = state.terms[leg.venue, leg.symbol]
        if leg.venue == venue and terms.pays(leg.side) == asset:
            total -= terms.needs(leg.side, leg.price, asking.owed)
    return total + total * fee_ppm // PPM


def hedges(state: State, plan: Plan) -> list[Order]:
    """Return the orders of a plan that answered to what another one had filled."""
    orders = (state.orders[number] for number in plan.orders)
    return [each for each in orders if each.intent.purpose in (Purpose.CHASE, Purpose.UNWIND)]
