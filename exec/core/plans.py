"""What a plan needs next: pure, asked after everything that happens to one of its orders.

    hedge = filled - hedged, over every order the plan ever had, for as long as it lives

While a hedge may still fill nothing is hedged twice: its worst case is waited for.  Where the legs
went together, both are waited for; where the riskier one went first, the second goes for what it
filled so far, again with each fill.  What is left over in the end is chased on the leg that lacks
it or unwound on the leg that has it, whichever the books make cheaper, by limit orders within the
collar, until it is gone, too small to trade, or time or attempts are up: then trading halts and a
person decides.
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import Final

import msgspec

from exec.core import turns
from exec.core.exposure import in_reference
from exec.core.ports import Books
from exec.core.settings import Settings
from exec.gate.checks import Purpose
from exec.orders import State as OrderState
from exec.records import Leg
from exec.state import Plan, State

PPM: Final = 1_000_000


class Move(Enum):
    """The kinds of steps."""

    WAIT = auto()
    ORDER = auto()
    CLOSE = auto()
    HALT = auto()


class Step(msgspec.Struct, frozen=True):
    """What to do; the fields that its kind needs are set."""

    move: Move
    why: str = ""
    leg: int = 0
    side: int = 0
    price: int = 0
    size: int = 0
    purpose: Purpose = Purpose.CHASE
    residual: int = 0


WAIT: Final = Step(Move.WAIT)


def next_step(
    state: State, plan: Plan, books: Books, settings: Settings, now_ns: int,
    usable: Callable[[str], bool],
) -> Step:
    """Return what an open plan needs now; ``usable`` tells whether a venue takes orders."""
    since_ns = max(plan.born_ns, state.trading_ns)  # an operator's word begins the time anew
    late = now_ns - since_ns > plan.planned.deadline_ns
    waiting = _waiting(state, plan, now_ns, late=late)
    left = plan.residual if len(plan.planned.legs) > 1 else 0
    attempts = sum(each.born_ns > state.trading_ns and each.booked < each.intent.size
                   for each in turns.hedges(state, plan))
    if waiting is not None:
        if not left or not _only_the_entry_lives(state, plan):
            return waiting
        if attempts >= settings.attempts_max:
            return Step(Move.HALT, f"{attempts} attempts did not hedge what filled so far")
        return _followed(plan, books, settings, left, usable) or waiting
    if not left:
        return Step(Move.CLOSE, _outcome(state, plan))
    if _worth(state, plan, books, left) <= settings.hold_max or _too_small(plan, books, left):
        return Step(Move.CLOSE, "held", residual=left)
    if not attempts and turns.entry_of(state, plan) is not None and (
            step := _followed(plan, books, settings, left, usable)):
        return step  # no leg has failed yet: the policy is for then
    if plan.planned.policy == "hold":
        return Step(Move.HALT, "its policy is to hold, and what is left is worth too much")
    if attempts >= settings.attempts_max:
        return Step(Move.HALT, f"{attempts} attempts did not hedge it")
    step = _cheapest(plan, books, settings, left, usable)
    if step is None:
        return Step(Move.HALT, "no venue took its hedge in time") if late else WAIT
    return step


def _waiting(state: State, plan: Plan, now_ns: int, *, late: bool) -> Step | None:
    """Return what is due while an order of the plan may still change, None when none may.

    An operator's order may rest for days: what counts is for how long it is in doubt.
    """
    orders = [state.orders[number] for number in plan.orders]
    live = [order for order in orders if not order.settled]
    if not live:
        return None
    for order in live:
        doubted_ns = now_ns - max(order.changed_ns, state.trading_ns)
        patient = not plan.planned.run and doubted_ns <= plan.planned.deadline_ns
        if late and order.state is OrderState.UNKNOWN and not patient:
            return Step(Move.HALT, "an order is in doubt past the plan's deadline")
    return WAIT


def _only_the_entry_lives(state: State, plan: Plan) -> bool:
    """Return whether nothing but the leg that went first may still fill."""
    entry = turns.entry_of(state, plan)
    return entry is not None and all(
        state.orders[number].settled for number in plan.orders if number != entry.intent.order)


def _followed(
    plan: Plan, books: Books, settings: Settings, left: int, usable: Callable[[str], bool]
) -> Step | None:
    """Return the second leg's order for what the first filled so far, None: not now."""
    leg, side = plan.planned.legs[1], -1 if left > 0 else 1
    if leg.side != side:
        return None
    priced = _priced(books, settings, leg, 1, side, abs(left), Purpose.CHASE, usable)
    return priced[1] if priced else None


def _outcome(state: State, plan: Plan) -> str:
    orders = [state.orders[number] for number in plan.orders]
    if not any(order.booked for order in orders):
        return "missed"
    unwound = any(order.booked and order.intent.purpose == Purpose.UNWIND for order in orders)
    return "unwound" if unwound else "done"


def _worth(state: State, plan: Plan, books: Books, left: int) -> int:
    leg = plan.planned.legs[0]
    return in_reference(state, books, (leg.venue, leg.symbol), leg.price, abs(left))


def _too_small(plan: Plan, books: Books, left: int) -> bool:
    """Return whether no leg's venue would take so little."""
    return all(not _tradable(books, leg, abs(left)) for leg in plan.planned.legs)


def _tradable(books: Books, leg: Leg, size: int) -> int:
    """Return as much of a size as the leg's venue takes, 0 for none."""
    _, lot, size_min, _ = books.rules(leg.venue, leg.symbol)
    whole = size // lot * lot
    return whole if whole >= max(size_min, 1) else 0


def _cheapest(
    plan: Plan, books: Books, settings: Settings, left: int, usable: Callable[[str], bool]
) -> Step | None:
    """Return the cheaper of chasing and unwinding; by policy the only one, if it can be had."""
    side = -1 if left > 0 else 1
    found: list[tuple[int, Step]] = []
    for index, leg in enumerate(plan.planned.legs):
        purpose = Purpose.CHASE if leg.side == side else Purpose.UNWIND
        step = _priced(books, settings, leg, index, side, abs(left), purpose, usable)
        if step is not None:
            found.append(step)
    wanted = plan.planned.policy
    preferred = [each for each in found if each[1].purpose == wanted]
    choices = preferred or found
    return min(choices, key=lambda each: each[0])[1] if choices else None


def _priced(
    books: Books, settings: Settings, leg: Leg, index: int, side: int, size: int,
    purpose: Purpose, usable: Callable[[str], bool],
) -> tuple[int, Step] | None:
    """Return what a hedge on one leg costs per mille of its size, and the order; None: not now."""
    size = _tradable(books, leg, size)
    quote = books.quote(leg.venue, leg.symbol)
    if not size or quote.distrust or not usable(leg.venue):
        return None
    there, worst, cost = books.walk(leg.venue, leg.symbol, side, size)
    collar = leg.collar if side == leg.side else 2 * leg.price - leg.collar
    size = _tradable(books, leg, there)
    if not size or (worst - collar) * side > 0:
        return None
    fee = cost * books.taker_fee_ppm(leg.venue, leg.symbol) // PPM
    price = worst + side * (worst * settings.slack_ppm // PPM)
    price = min(price, collar) if side > 0 else max(price, collar)
    tick = books.rules(leg.venue, leg.symbol)[0]
    price -= side * (price * side % tick)  # towards the book: never beyond the collar
    # paid (positive) or received (negative) per size: comparable between legs of one pair
    paid = (cost * side + fee) * 1_000 // there
    return paid, Step(
        Move.ORDER, leg=index, side=side, price=price, size=size, purpose=purpose)
