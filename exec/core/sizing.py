"""How much of a plan the gate would let through, where it refused the whole for its size.

Every bound that grows with the size (one order, a plan, venue, strategy, total, turnover, asset,
balances) gives the most that it allows; the least of them, in whole lots of every leg, is the size.
Smaller than the minimum of any leg, there is none.  The gate judges what comes of it again.
"""

from collections.abc import Iterator
from math import lcm
from typing import Final

from exec.gate.checks import REDUCING, Proposal, Situation
from exec.gate.limits import Limits
from shm.layout import TradingState

# the refusals of the gate that less size may mend
SHRINKABLE: Final = frozenset({
    "order_notional", "plan_notional", "venue_gross", "strategy_gross", "total_gross", "turnover",
    "asset_net", "balance", "lot"})


def largest(proposal: Proposal, at: Situation, limits: Limits) -> int:
    """Return the greatest size, in quanta, that all legs may have; 0 where none is left.

    ``at`` is the situation that the proposal was refused in.  Legs of different sizes cannot be
    shrunk as one: 0.
    """
    orders = proposal.orders
    size = orders[0].size if orders else 0
    if size <= 0 or any(order.size != size for order in orders):
        return 0
    if at.trading is TradingState.CAUTIOUS and proposal.purpose not in REDUCING:
        limits = limits.shrunk()
    lot = lcm(*(place.lot for place in at.places))
    most = min((size, *_allowed(proposal, at, limits, size))) // lot * lot
    for order, place in zip(orders, at.places, strict=True):
        if most < place.size_min or most * order.notional < place.notional_min * size:
            return 0
    return max(0, most)


def _allowed(proposal: Proposal, at: Situation, limits: Limits, size: int) -> Iterator[int]:
    """Yield what each bound allows; a sum of values is of numbers rounded up, one by one."""
    whole = 0
    venues: dict[str, int] = {}  # value of this at each
    gross: dict[str, int] = {}  # value at risk there already
    needs: dict[tuple[str, str], int] = {}  # by venue and asset
    free: dict[tuple[str, str], int] = {}
    for order, place in zip(proposal.orders, at.places, strict=True):
        yield _share(limits.order_notional_max, order.notional, size)
        whole += order.notional
        venues[order.venue] = venues.get(order.venue, 0) + order.notional
        gross[order.venue] = place.venue_gross
        key = (order.venue, order.pays)
        needs[key] = needs.get(key, 0) + order.needs + 1
        free[key] = place.free
        more = place.asset_net - place.asset_net_before
        room = max(limits.asset_net_max, place.asset_net_before) - place.asset_net_before
        if more > 0 and proposal.purpose not in REDUCING:
            yield _share(room, more, size)
    yield _share(limits.plan_notional_max, whole, size)
    yield from (_share(free[key], needed, size) for key, needed in needs.items())
    if proposal.purpose in REDUCING:
        return
    for venue, notional in venues.items():
        yield _share(limits.venue_gross_max - gross[venue], notional, size)
    yield _share(limits.strategy_gross_max - at.strategy_gross, whole, size)
    yield _share(limits.total_gross_max - at.total_gross, whole, size)
    yield _share(limits.turnover_day_max - at.turnover - at.total_gross, whole, size)


def _share(room: int, whole: int, size: int) -> int:
    """Return how much of a size fits, of which the whole takes up so much."""
    return max(0, room) * size // max(whole, 1)
