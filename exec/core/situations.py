"""What the gate judges by, gathered from state, books and flags."""

from collections.abc import Mapping
from functools import cache
from typing import Final

from exec.core import exposure
from exec.core.ports import Books, Flags
from exec.core.repeats import barred
from exec.core.settings import Settings
from exec.core.turns import kept_for_second_legs
from exec.gate.breakers import Circuit
from exec.gate.checks import Place, Proposal, Proposed, Situation
from exec.gate.throttle import Throttle
from exec.outstanding import NOBODY
from exec.state import State
from shm.layout import Strategy, TradingState

_TRADING: Final = {0: TradingState.ACTIVE} | {int(each): each for each in TradingState}


class Desk:
    """The parts that a situation is gathered from; the core owns them."""

    def __init__(
        self, state: State, books: Books, flags: Flags, settings: Settings,
        circuits: Mapping[str, Circuit], throttles: Mapping[str, Throttle],
        unready: Mapping[str, str],
    ) -> None:
        self._state, self._books, self._flags, self._settings = state, books, flags, settings
        self._circuits, self._throttles, self._unready = circuits, throttles, unready
        self._venues: dict[str, tuple[str, ...]] = {}  # of each symbol, those that this life listed

    def propose(
        self, venue: str, symbol: str, side: int, price: int, size: int
    ) -> Proposed:
        """Value an order for the gate."""
        terms, books = self._state.terms[venue, symbol], self._books
        fee_ppm = max(self._settings.fee_reserve_ppm, books.taker_fee_ppm(venue, symbol))
        worth = -(-price * size * terms.value_scale * books.rate(terms.quote) // exposure.UNIT)
        needs = terms.needs(side, price, size)
        return Proposed(
            venue, symbol, side, price, size, worth,
            terms.pays(side), needs + needs * fee_ppm // exposure.PPM)

    def situation(self, proposal: Proposal, mono_ns: int, unix_ns: int) -> Situation:
        """Return how things stand for a proposal now."""
        state, books, flags = self._state, self._books, self._flags
        strategy, orders, held = proposal.strategy, proposal.orders, False
        middles: dict[str, int] = {}
        nets: dict[str, tuple[int, int]] = {}
        places = []
        for order in orders:
            venue, symbol = order.venue, order.symbol
            paused, strategy_paused = flags.paused(venue, symbol, strategy)
            held = held or strategy_paused
            if symbol not in middles:
                middles[symbol] = books.middle(self._listing(symbol), symbol)
            asset = state.terms[venue, symbol].base
            if asset not in nets:
                nets[asset] = exposure.asset_nets(state, books, asset, orders)
            places.append(self._place(
                order, proposal.plan, mono_ns, unix_ns, paused=paused, middle=middles[symbol],
                nets=nets[asset]))
        lost = state.outcomes.losses(unix_ns)
        return Situation(
            mono_ns, flags.killed(), _TRADING[state.trading], tuple(places),
            proposal.signal in state.signals, held, barred(state, strategy),
            len(state.open_plans), exposure.worth(state.activity.traded(unix_ns), books),
            exposure.strategy_gross(state, books, number_of(strategy)),
            exposure.total_gross(state, books), exposure.unhedged(state, books),
            lost.day, lost.hour, lost.in_row)

    def _listing(self, symbol: str) -> tuple[str, ...]:
        """Return the venues that list a symbol in this life."""
        found = self._venues.get(symbol)
        if found is None:
            found = self._venues[symbol] = tuple(sorted(
                venue for venue, each in self._state.places if each == symbol))
        return found

    def _place(
        self, order: Proposed, plan: int, mono_ns: int, unix_ns: int, *, paused: bool,
        middle: int, nets: tuple[int, int],
    ) -> Place:
        state, books, outstanding = self._state, self._books, self._state.outstanding
        venue, symbol, side = order.venue, order.symbol, order.side
        key = venue, symbol
        low, high = state.activity.asked(key, unix_ns)
        quote = books.quote(venue, symbol)
        tick, lot, size_min, notional_min = books.rules(venue, symbol)
        if notional_min:
            notional_min = notional_min * books.rate(state.terms[key].quote) // exposure.MICRO
        return Place(  # by position: names would cost eight times as much
            self._unready.get(venue, "not connected"), self._circuits[venue].admits(), paused,
            quote.distrust, quote.ask if side > 0 else quote.bid, tick, lot, size_min,
            notional_min, self._free(venue, order.pays, plan), outstanding.counts.get(venue, 0),
            self._throttles[venue].left(mono_ns), outstanding.best(venue, symbol, -side),
            middle, low, high, exposure.venue_gross(state, books, venue), nets[0], nets[1])

    def _free(self, venue: str, asset: str, plan: int) -> int:
        """Return what an order of a plan may use: not what live orders and other plans need."""
        fee_ppm = self._settings.fee_reserve_ppm
        kept = kept_for_second_legs(self._state, venue, asset, fee_ppm, but=plan)
        return exposure.free(self._state, venue, asset, fee_ppm) - kept


@cache
def number_of(strategy: str) -> int:
    """Return the number of a strategy's name."""
    return NOBODY if strategy == exposure.OPERATOR else Strategy[strategy.upper()]
