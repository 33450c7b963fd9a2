"""What is at risk now: fills, open orders and doubts, the last two at their worst."""

from collections.abc import Iterable
from typing import Final

from exec.core.ports import Books
from exec.gate.checks import Proposed
from exec.state import MONEY_DECIMALS, Order, Place, State
from shm.layout import Strategy

MICRO: Final = 10**6
UNIT: Final = 10**MONEY_DECIMALS
PPM: Final = 1_000_000
OPERATOR: Final = "operator"


def asset_of(state: State, place: Place) -> str:
    """Return what a place's orders add to or take from: the base, of perpetuals too."""
    return state.listed[place].base


def in_reference(state: State, books: Books, place: Place, price: int, size: int) -> int:
    """Return a value in millionths of the reference currency, rounded up."""
    quote = state.listed[place].quote
    return -(-state.value(place, price, size) * books.rate(quote) // UNIT)


def pays(state: State, place: Place, side: int) -> str:
    """Return the asset that an order uses up: margin for a perpetual."""
    listed = state.listed[place]
    if listed.settle:
        return listed.settle
    return listed.quote if side > 0 else listed.base


def needs(state: State, place: Place, side: int, price: int, size: int, fee_ppm: int) -> int:
    """Return how much of it, with the worst fee, in quanta; a perpetual's margin counts in full."""
    listed = state.listed[place]
    if side < 0 and not listed.settle:
        amount = state.amount(place, size)
    else:
        amount = state.value(place, price, size)
    return amount + amount * fee_ppm // PPM


def reserved(state: State, venue: str, asset: str, fee_ppm: int) -> int:
    """Return what live orders of a venue may still use up of an asset."""
    total = 0
    for order in state.live.values():
        intent = order.intent
        if intent.venue != venue or not order.remaining:
            continue
        place = (venue, intent.symbol)
        if pays(state, place, intent.side) == asset:
            total += needs(state, place, intent.side, intent.price, order.remaining, fee_ppm)
    return total


def free(state: State, venue: str, asset: str, fee_ppm: int) -> int:
    """Return what new orders may use: the venue's last word, moved by what we booked since.

    Reservations count for every live order, whether the venue locked for it yet or not.
    """
    total, at_count = state.counts.get((venue, asset), (0, 0))
    moved = state.holdings.get((venue, asset), 0) - at_count
    return total + moved - reserved(state, venue, asset, fee_ppm)


def worst_gross(state: State, books: Books, orders: Iterable[Order]) -> int:
    """Return the value of what orders may still fill."""
    return sum(
        in_reference(state, books, (each.intent.venue, each.intent.symbol), each.intent.price,
                     each.remaining)
        for each in orders)


def asset_net(state: State, books: Books, asset: str, extra: Iterable[Proposed]) -> int:
    """Return the greatest absolute move of an asset since the start, all venues together.

    Every live order, and ``extra``, may fill or not, whichever is worse.
    """
    settled, up, down = moved_of(state, asset), 0, 0
    for order in state.live.values():
        place = (order.intent.venue, order.intent.symbol)
        if asset_of(state, place) == asset:
            amount = state.amount(place, order.remaining)
            up, down = (up + amount, down) if order.intent.side > 0 else (up, down + amount)
    for each in extra:
        place = (each.venue, each.symbol)
        if asset_of(state, place) == asset:
            amount = state.amount(place, each.size)
            up, down = (up + amount, down) if each.side > 0 else (up, down + amount)
    return max(abs(settled + up), abs(settled - down)) * books.rate(asset) // UNIT


def moved_of(state: State, asset: str) -> int:
    """Return by how much trades moved an asset, over all venues, perpetuals included."""
    return state.traded.get(asset, 0)


def unhedged(state: State, books: Books) -> int:
    """Return the value of what open plans hold on one side only."""
    total = 0
    for plan in state.open_plans.values():
        leg = plan.planned.legs[0]
        total += in_reference(
            state, books, (leg.venue, leg.symbol), leg.price, abs(residual(state, plan.orders)))
    return total


def residual(state: State, numbers: Iterable[int]) -> int:
    """Return filled buys less filled sells of some orders, in size quanta."""
    orders = (state.orders[number] for number in numbers)
    return sum(order.booked * order.intent.side for order in orders)


def strategy_of(state: State, plan: int) -> str:
    """Return the name of the strategy that a plan came from, "operator" for none."""
    found = state.plans.get(plan)
    if found is None or not found.planned.run:
        return OPERATOR
    return Strategy(found.planned.strategy).name.lower()
