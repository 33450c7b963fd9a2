"""What is at risk now: fills, open orders and doubts, the last two at their worst."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

from exec.core.ports import Books
from exec.gate.checks import Proposed
from exec.outstanding import MONEY_DECIMALS
from exec.state import Place, State
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
    return state.terms[place].pays(side)


def needs(state: State, place: Place, side: int, price: int, size: int, fee_ppm: int) -> int:
    """Return how much of it, with the worst fee, in quanta; a perpetual's margin counts in full."""
    amount = state.terms[place].needs(side, price, size)
    return amount + amount * fee_ppm // PPM


def reserved(state: State, venue: str, asset: str, fee_ppm: int) -> int:
    """Return what live orders of a venue may still use up of an asset."""
    total = state.outstanding.reserved.get((venue, asset), 0)
    return total + total * fee_ppm // PPM


def free(state: State, venue: str, asset: str, fee_ppm: int) -> int:
    """Return what new orders may use: the venue's last word, moved by what we booked since.

    Reservations count for every live order, whether the venue locked for it yet or not.
    """
    total, at_count = state.counts.get((venue, asset), (0, 0))
    moved = state.holdings.get((venue, asset), 0) - at_count
    return total + moved - reserved(state, venue, asset, fee_ppm)


def worth(amounts: Mapping[str, int], books: Books) -> int:
    """Return what amounts by asset are worth, each rounded up."""
    total = 0
    for asset, amount in amounts.items():
        if amount:
            total -= -amount * books.rate(asset) // UNIT
    return total


def venue_gross(state: State, books: Books, venue: str) -> int:
    """Return the value of what a venue's live orders may still fill."""
    return worth(state.outstanding.by_venue.get(venue, {}), books)


def strategy_gross(state: State, books: Books, strategy: int) -> int:
    """Return the same of a strategy's, 0 for operators."""
    return worth(state.outstanding.by_strategy.get(strategy, {}), books)


def total_gross(state: State, books: Books) -> int:
    """Return the same of all."""
    return worth(state.outstanding.whole, books)


def asset_nets(
    state: State, books: Books, asset: str, extra: Iterable[Proposed]
) -> tuple[int, int]:
    """Return the greatest absolute move of an asset since the start, with ``extra`` and without.

    All venues together; every live order, and ``extra``, may fill or not, whichever is worse.
    """
    settled, rate = moved_of(state, asset), books.rate(asset)
    up, down = state.outstanding.buys.get(asset, 0), state.outstanding.sells.get(asset, 0)
    before = max(abs(settled + up), abs(settled - down)) * rate // UNIT
    for each in extra:
        terms = state.terms[each.venue, each.symbol]
        if terms.base == asset:
            amount = each.size * terms.amount_scale
            up, down = (up + amount, down) if each.side > 0 else (up, down + amount)
    return max(abs(settled + up), abs(settled - down)) * rate // UNIT, before


def moved_of(state: State, asset: str) -> int:
    """Return by how much trades moved an asset, over all venues, perpetuals included."""
    return state.traded.get(asset, 0)


def unhedged(state: State, books: Books) -> int:
    """Return the value of what open plans hold on one side only."""
    return worth(state.unhedged, books)


def strategy_of(state: State, plan: int) -> str:
    """Return the name of the strategy that a plan came from, "operator" for none."""
    found = state.plans.get(plan)
    if found is None or not found.planned.run:
        return OPERATOR
    return name_of(found.planned.strategy)


@cache
def name_of(strategy: int) -> str:
    """Return the name of a strategy's number."""
    return Strategy(strategy).name.lower()
