"""The state's sums follow an order or a plan that a record changed: by the difference alone."""

from typing import TYPE_CHECKING, Final

from exec.state.outstanding import Outstanding
from exec.state.owed import owed_of

if TYPE_CHECKING:
    from exec.state.entries import Order, Plan
    from exec.state.state import State

RISKIER_FIRST: Final = "riskier-first"  # a plan's second leg waits for its first


def weigh(state: "State", order: "Order") -> None:
    """Let the sums of what is outstanding follow an order."""
    left, intent = order.remaining, order.intent
    if left != order.counted:
        terms = state.terms[intent.venue, intent.symbol]
        state.outstanding.move(intent, order.strategy, terms, left - order.counted, left)
        order.counted = left
    plan = state.plans.get(intent.plan)
    if plan is not None and plan.planned.turns == RISKIER_FIRST:
        weigh_owed(state, plan)


def weigh_owed(state: "State", plan: "Plan") -> None:
    """Let the sum of what second legs need follow a plan."""
    waits = plan.closed is None and plan.planned.turns == RISKIER_FIRST
    owed = owed_of(state.orders, plan.orders) if waits else 0
    if owed != plan.owed:
        leg = plan.planned.legs[1]
        state.outstanding.keep(leg, state.terms[leg.venue, leg.symbol], owed - plan.owed)
        plan.owed = owed


def weigh_plan(state: "State", plan: "Plan") -> None:
    """Let the sum of what is unhedged follow a plan."""
    leg, worth = plan.planned.legs[0], 0
    place = (leg.venue, leg.symbol)
    if plan.closed is None:
        worth = state.value(place, leg.price, abs(plan.residual))
    if worth != plan.counted:
        quote = state.terms[place].quote
        state.unhedged[quote] = state.unhedged.get(quote, 0) + worth - plan.counted
        plan.counted = worth


def recount(state: "State") -> None:
    """Make the sums anew: an instrument is counted in other quanta from now on."""
    state.outstanding, state.unhedged = Outstanding(), {}
    for order in state.live.values():
        state.outstanding.count(order.intent.venue, 1)
        order.counted = 0
        weigh(state, order)
    for plan in state.open_plans.values():
        plan.counted = plan.owed = 0
        weigh_plan(state, plan)
        weigh_owed(state, plan)
