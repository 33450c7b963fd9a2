"""Every check that an order must pass: a name, a pure function, two numbers in its refusal."""

from collections.abc import Callable
from enum import StrEnum
from typing import Final

import msgspec

from exec.gate.limits import Limits
from shm.layout import TradingState


class Purpose(StrEnum):
    """Why an order goes out."""

    ENTER = "enter"
    CHASE = "chase"  # completes a plan whose other leg filled
    UNWIND = "unwind"  # takes back the leg that filled
    OPERATOR = "operator"
    FLATTEN = "flatten"


PPM: Final = 1_000_000
_CAUTIOUS: Final = TradingState.CAUTIOUS  # as globals: members of an enum take longer to find
_RESTRICTED: Final = TradingState.RESTRICTED
_HALTED: Final = TradingState.HALTED
_EMERGENCY: Final = TradingState.EMERGENCY
REDUCING: Final = frozenset({Purpose.CHASE, Purpose.UNWIND, Purpose.FLATTEN})


class Proposed(msgspec.Struct, frozen=True, gc=False):
    """One order as it would go out; prices and sizes in quanta, money in reference millionths."""

    venue: str
    symbol: str
    side: int
    price: int
    size: int
    notional: int
    pays: str  # the asset that it uses up
    needs: int  # of that, worst fee included, in 10**-24


class Proposal(msgspec.Struct, frozen=True, gc=False):
    """What is to be judged as one: the orders of a plan, or one that follows it."""

    purpose: Purpose
    strategy: str
    orders: tuple[Proposed, ...]
    signal: tuple[int, int] | None = None  # (run, sequence)
    seen_ns: int = 0
    expiry_ns: int = 0
    edge_ppm: int = 0
    profit: int = 0
    plan: int = 0  # that it follows, of an order that chases or unwinds


class Place(msgspec.Struct, frozen=True, gc=False):
    """What is known of one order's venue and book now."""

    unready: str = ""  # why the venue's order path or private stream cannot be used
    breaker: str = "closed"
    paused: bool = False
    distrust: int = 0  # of the book; 0: to be believed
    touch: int = 0  # the best opposite price, in quanta
    tick: int = 1
    lot: int = 1
    size_min: int = 0
    notional_min: int = 0
    free: int = 0  # of what the order.pays with, reservations taken off, in 10**-24
    open_orders: int = 0
    tokens: int = 0  # requests that may still go out now, the reserve for cancels taken off
    own_opposite: int = 0  # best price of our own resting orders that it would meet; 0: none
    reference: int = 0  # median middle of all venues whose book is believed; 0: none is
    price_low: int = 0  # of our own orders in this book within the last minute; 0: there was none
    price_high: int = 0
    venue_gross: int = 0
    asset_net: int = 0  # with this order filled, absolute
    asset_net_before: int = 0


class Situation(msgspec.Struct, frozen=True, gc=False):
    """What a proposal is judged against."""

    now_ns: int
    killed: bool
    trading: TradingState
    places: tuple[Place, ...]  # of each order
    planned: bool = False  # this signal became a plan already
    strategy_paused: bool = False
    strategy_barred: bool = False  # it repeated itself: until an operator lets it go on
    plans_open: int = 0
    turnover: int = 0  # value of the fills of this UTC day
    strategy_gross: int = 0
    total_gross: int = 0
    unhedged: int = 0
    loss_day: int = 0
    loss_hour: int = 0
    losses_in_row: int = 0


class Refusal(msgspec.Struct, frozen=True, gc=False):
    """A named no; ``number`` is what was found, ``limit`` what it was compared with."""

    check: str
    number: int = 0
    limit: int = 0
    where: str = ""


class Case(msgspec.Struct, frozen=True, gc=False):
    """What every check is told; each order beside its place."""

    proposal: Proposal
    at: Situation
    limits: Limits
    pairs: tuple[tuple[Proposed, Place], ...]
    notional: int  # of all orders
    reduces: bool  # what is at risk


Check = Callable[[Case], Refusal | None]


def not_killed(case: Case) -> Refusal | None:
    """Refuse everything while the kill word is set."""
    return Refusal("killed", 1, 0) if case.at.killed else None


def trading_allows(case: Case) -> Refusal | None:
    """Refuse all that does not reduce in RESTRICTED and HALTED, everything in EMERGENCY.

    A halt because of one plan must not leave the others with one leg.
    """
    state = case.at.trading
    if state >= _EMERGENCY:
        return Refusal("trading_state", state, _HALTED)
    if state >= _RESTRICTED and not case.reduces:
        return Refusal("trading_state", state, _CAUTIOUS)
    return None


def numbers_are_sane(case: Case) -> Refusal | None:
    """Demand positive prices, sizes and values, sides that exist, and something to do."""
    proposal = case.proposal
    for order in proposal.orders:
        if order.side not in (1, -1):
            return Refusal("side", order.side, 1, _where(order))
        if order.price > 0 and order.size > 0 and order.notional > 0 and order.needs > 0:
            continue
        for name, number in (("price", order.price), ("size", order.size),
                             ("notional", order.notional), ("needs", order.needs)):
            if number <= 0:
                return Refusal(name, number, 1, _where(order))
    return None if proposal.orders else Refusal("orders", 0, 1)


def signal_fresh(case: Case) -> Refusal | None:
    """Refuse a signal past its expiry, or older than the limit."""
    proposal, at = case.proposal, case.at
    if proposal.signal is None:
        return None
    if at.now_ns > proposal.expiry_ns:
        return Refusal("expired", at.now_ns - proposal.seen_ns,
                       proposal.expiry_ns - proposal.seen_ns)
    age, most = at.now_ns - proposal.seen_ns, case.limits.signal_age_ns_max
    return Refusal("signal_age", age, most) if age > most else None


def signal_new(case: Case) -> Refusal | None:
    """Refuse a second plan for one signal, across restarts too."""
    known = case.at.planned and case.proposal.signal is not None
    return Refusal("duplicate", 1, 0) if known else None


def nobody_paused(case: Case) -> Refusal | None:
    """Refuse what an operator paused: a strategy, a venue or a symbol."""
    if case.at.strategy_paused:
        return Refusal("strategy_paused", 1, 0, case.proposal.strategy)
    for order, place in case.pairs:
        if place.paused:
            return Refusal("paused", 1, 0, _where(order))
    return None


def strategy_free(case: Case) -> Refusal | None:
    """Refuse a strategy that was rejected, or acted, too often, until an operator lets it go on."""
    if case.at.strategy_barred:
        return Refusal("strategy_barred", 1, 0, case.proposal.strategy)
    return None


def plans_few(case: Case) -> Refusal | None:
    """Bound the plans that are open at once, this one included."""
    count, most = case.at.plans_open + 1, case.limits.plans_open_max
    return Refusal("plans_open", count, most) if count > most else None


def venues_ready(case: Case) -> Refusal | None:
    """Refuse where the order path or the private stream does not work."""
    for order, place in case.pairs:
        if place.unready:
            return Refusal("venue_unready", 1, 0, f"{order.venue}: {place.unready}")
    return None


def breakers_closed(case: Case) -> Refusal | None:
    """Refuse a venue whose breaker is open; half-open it takes its one probe."""
    for order, place in case.pairs:
        if place.breaker == "closed":
            continue
        count = _orders_at(case.proposal, order.venue)
        if place.breaker == "open" or count > 1:
            return Refusal("breaker", count, 0, order.venue)
    return None


def books_believed(case: Case) -> Refusal | None:
    """Refuse a book that is stale, gapped, crossed or of a dead feed."""
    for order, place in case.pairs:
        if place.distrust:
            return Refusal("book", place.distrust, 0, _where(order))
    return None


def profit_credible(case: Case) -> Refusal | None:
    """Refuse what is too thin to pay its risk, and what is too good to be true."""
    proposal, limits = case.proposal, case.limits
    if proposal.edge_ppm < limits.edge_min_ppm:
        return Refusal("edge", proposal.edge_ppm, limits.edge_min_ppm)
    if proposal.edge_ppm > limits.edge_max_ppm:
        return Refusal("too_good", proposal.edge_ppm, limits.edge_max_ppm)
    if proposal.profit > limits.profit_max:
        return Refusal("profit", proposal.profit, limits.profit_max)
    return None


def on_grid(case: Case) -> Refusal | None:
    """Demand prices on ticks, sizes on lots, and neither below the venue's minimum."""
    for order, place in case.pairs:
        if order.price % place.tick:
            return Refusal("tick", order.price, place.tick, _where(order))
        if order.size % place.lot:
            return Refusal("lot", order.size, place.lot, _where(order))
        if order.size < place.size_min:
            return Refusal("size_min", order.size, place.size_min, _where(order))
        if order.notional < place.notional_min:
            return Refusal("notional_min", order.notional, place.notional_min, _where(order))
    return None


def within_collar(case: Case) -> Refusal | None:
    """Refuse a limit price farther beyond the touch than the collar, or without a touch."""
    most = case.limits.price_collar_ppm
    for order, place in case.pairs:
        if place.touch <= 0:
            return Refusal("no_touch", place.touch, 1, _where(order))
        beyond = (order.price - place.touch) * order.side * PPM
        if beyond > place.touch * most:
            return Refusal("collar", order.price, place.touch, _where(order))
    return None


def near_reference(case: Case) -> Refusal | None:
    """Refuse a price too far from where the venues are; only a worse one of what reduces."""
    either_way, most = not case.reduces, case.limits.price_collar_ppm
    for order, place in case.pairs:
        if place.reference <= 0:
            return Refusal("no_reference", place.reference, 1, _where(order))
        off = (order.price - place.reference) * order.side * PPM
        if (abs(off) if either_way else off) > place.reference * most:
            return Refusal("reference", order.price, place.reference, _where(order))
    return None


def steady(case: Case) -> Refusal | None:
    """Refuse a price too far from any that we asked of that book within the last minute."""
    most = case.limits.drift_ppm_max
    for order, place in case.pairs:
        for other in (place.price_low, place.price_high):
            if other and abs(order.price - other) * PPM > other * most:
                return Refusal("drift", order.price, other, _where(order))
    return None


def turnover_bounded(case: Case) -> Refusal | None:
    """Bound what is traded in a UTC day, with this and all that may fill yet filled."""
    whole = case.at.turnover + case.at.total_gross + case.notional
    most = case.limits.turnover_day_max
    return Refusal("turnover", whole, most) if whole > most else None


def small_enough(case: Case) -> Refusal | None:
    """Bound one order, and all orders of a plan together."""
    limits = case.limits
    for order in case.proposal.orders:
        if order.notional > limits.order_notional_max:
            return Refusal(
                "order_notional", order.notional, limits.order_notional_max, _where(order))
    whole, most = case.notional, limits.plan_notional_max
    return Refusal("plan_notional", whole, most) if whole > most else None


def few_enough(case: Case) -> Refusal | None:
    """Bound the open orders of each venue, the plan's own included."""
    most = case.limits.open_orders_max
    for order, place in case.pairs:
        if place.open_orders + len(case.pairs) <= most:
            continue
        count = place.open_orders + _orders_at(case.proposal, order.venue)
        if count > most:
            return Refusal("open_orders", count, most, order.venue)
    return None


def slow_enough(case: Case) -> Refusal | None:
    """Keep to the venue's request budget, and off the cancels' share of it."""
    for order, place in case.pairs:
        if place.tokens >= len(case.pairs):
            continue
        count = _orders_at(case.proposal, order.venue)
        if place.tokens < count:
            return Refusal("order_rate", count, place.tokens, order.venue)
    return None


def no_self_trade(case: Case) -> Refusal | None:
    """Refuse a price that would meet a resting order of ours."""
    for order, place in case.pairs:
        if place.own_opposite and (order.price - place.own_opposite) * order.side >= 0:
            return Refusal("self_trade", order.price, place.own_opposite, _where(order))
    return None


def losses_bounded(case: Case) -> Refusal | None:
    """Refuse when the day, the hour or the streak has lost too much."""
    at, limits = case.at, case.limits
    if at.loss_day >= limits.loss_day_max:
        return Refusal("loss_day", at.loss_day, limits.loss_day_max)
    if at.loss_hour >= limits.loss_hour_max:
        return Refusal("loss_hour", at.loss_hour, limits.loss_hour_max)
    if at.losses_in_row >= limits.losses_in_row_max:
        return Refusal("losses_in_row", at.losses_in_row, limits.losses_in_row_max)
    return None


def exposure_bounded(case: Case) -> Refusal | None:
    """Bound venue, asset, strategy and whole, with this filled and all doubts at their worst."""
    at, limits = case.at, case.limits
    by_venue: dict[str, int] = {}
    for order, place in case.pairs:
        venue = order.venue
        by_venue[venue] = by_venue.get(venue, place.venue_gross) + order.notional
        if place.asset_net > limits.asset_net_max and place.asset_net > place.asset_net_before:
            return Refusal("asset_net", place.asset_net, limits.asset_net_max, _where(order))
    for venue, gross in by_venue.items():
        if gross > limits.venue_gross_max:
            return Refusal("venue_gross", gross, limits.venue_gross_max, venue)
    gross = at.strategy_gross + case.notional
    if gross > limits.strategy_gross_max:
        return Refusal("strategy_gross", gross, limits.strategy_gross_max)
    gross = at.total_gross + case.notional
    if gross > limits.total_gross_max:
        return Refusal("total_gross", gross, limits.total_gross_max)
    beyond = at.unhedged > limits.unhedged_max
    return Refusal("unhedged", at.unhedged, limits.unhedged_max) if beyond else None


def affordable(case: Case) -> Refusal | None:
    """Demand that each leg's venue holds what it pays with, reservations taken off."""
    needed: dict[tuple[str, str], int] = {}
    for order, place in case.pairs:
        key = (order.venue, order.pays)
        needed[key] = needed.get(key, 0) + order.needs
        if needed[key] > place.free:
            return Refusal("balance", needed[key] // 10**18, place.free // 10**18,
                           f"{order.venue} {order.pays}")
    return None


def _orders_at(proposal: Proposal, venue: str) -> int:
    count = 0
    for order in proposal.orders:
        if order.venue == venue:
            count += 1
    return count


def _where(order: Proposed) -> str:
    return f"{order.venue} {order.symbol}"
