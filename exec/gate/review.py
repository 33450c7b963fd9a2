"""Which checks the orders of a purpose must pass, cheapest first.

Orders that only reduce what is at risk (unwinding, flattening) pass by limits on taking risk,
never by the kill word, the venue, prices or sizes.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from exec.gate.checks import (
    REDUCING,
    Case,
    Check,
    Proposal,
    Purpose,
    Refusal,
    Situation,
    affordable,
    books_believed,
    breakers_closed,
    exposure_bounded,
    few_enough,
    losses_bounded,
    near_reference,
    no_self_trade,
    nobody_paused,
    not_killed,
    numbers_are_sane,
    on_grid,
    plans_few,
    profit_credible,
    signal_fresh,
    signal_new,
    slow_enough,
    small_enough,
    steady,
    strategy_free,
    trading_allows,
    turnover_bounded,
    venues_ready,
    within_collar,
)
from exec.gate.limits import Limits
from shm.layout import TradingState

_CAUTIOUS: Final = TradingState.CAUTIOUS
_ALWAYS: Final[tuple[Check, ...]] = (not_killed, trading_allows, numbers_are_sane)
_VENUE: Final[tuple[Check, ...]] = (
    venues_ready, books_believed, on_grid, within_collar, near_reference)
_ENTER: Final[tuple[Check, ...]] = (
    *_ALWAYS, signal_fresh, signal_new, nobody_paused, strategy_free, losses_bounded,
    profit_credible, small_enough, plans_few, turnover_bounded, venues_ready, breakers_closed,
    few_enough, slow_enough, books_believed, on_grid, within_collar, near_reference, steady,
    no_self_trade, exposure_bounded, affordable,
)
CHECKS: Final[Mapping[Purpose, Sequence[Check]]] = {
    Purpose.ENTER: _ENTER,
    Purpose.OPERATOR: (
        *_ALWAYS, losses_bounded, small_enough, turnover_bounded, *_VENUE, few_enough, slow_enough,
        steady, no_self_trade, exposure_bounded, affordable),
    Purpose.CHASE: (*_ALWAYS, small_enough, *_VENUE, slow_enough, no_self_trade, affordable),
    Purpose.UNWIND: (*_ALWAYS, small_enough, *_VENUE, slow_enough, no_self_trade, affordable),
    Purpose.FLATTEN: (*_ALWAYS, small_enough, *_VENUE, slow_enough, affordable),
}


def review(proposal: Proposal, at: Situation, limits: Limits) -> Refusal | None:
    """Return the first refusal of the checks that the purpose must pass, None if all pass."""
    orders, reduces = proposal.orders, proposal.purpose in REDUCING
    if at.trading is _CAUTIOUS and not reduces:
        limits = limits.shrunk()
    case = Case(proposal, at, limits, tuple(zip(orders, at.places, strict=True)),
                sum([order.notional for order in orders]), reduces)
    for check in CHECKS[proposal.purpose]:
        refusal = check(case)
        if refusal is not None:
            return refusal
    return None
