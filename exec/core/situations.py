"""What the gate judges by, gathered from state, books and flags."""

from collections.abc import Mapping
from statistics import median

from exec.core import exposure
from exec.core.ports import Books, Flags, Quote
from exec.core.repeats import barred
from exec.core.settings import Settings
from exec.core.turns import kept_for_second_legs
from exec.gate.breakers import Breaker, Circuit
from exec.gate.checks import Place, Proposal, Proposed, Situation
from exec.gate.throttle import Throttle
from exec.outstanding import NOBODY
from exec.state import State
from shm.layout import Strategy, TradingState


class Desk:
    """The parts that a situation is gathered from; the core owns them."""

    def __init__(
        self, state: State, books: Books, flags: Flags, settings: Settings,
        circuits: Mapping[str, Circuit], throttles: Mapping[str, Throttle],
        unready: Mapping[str, str],
    ) -> None:
        self._state, self._books, self._flags, self._settings = state, books, flags, settings
        self._circuits, self._throttles, self._unready = circuits, throttles, unready
        self._venues: dict[str, list[str]] = {}  # of each symbol, those that this life listed

    def propose(
        self, venue: str, symbol: str, side: int, price: int, size: int
    ) -> Proposed:
        """Value an order for the gate."""
        place, state = (venue, symbol), self._state
        fee_ppm = max(self._settings.fee_reserve_ppm, self._books.taker_fee_ppm(venue, symbol))
        return Proposed(
            venue, symbol, side, price, size,
            exposure.in_reference(state, self._books, place, price, size),
            exposure.pays(state, place, side),
            exposure.needs(state, place, side, price, size, fee_ppm))

    def situation(self, proposal: Proposal, mono_ns: int, unix_ns: int) -> Situation:
        """Return how things stand for a proposal now."""
        state, books, flags = self._state, self._books, self._flags
        lost = state.outcomes.losses(unix_ns)
        pauses = [flags.paused(each.venue, each.symbol, proposal.strategy)
                  for each in proposal.orders]
        middles: dict[str, int] = {}
        nets: dict[str, tuple[int, int]] = {}
        places = []
        for order, (paused, _) in zip(proposal.orders, pauses, strict=True):
            symbol, asset = order.symbol, exposure.asset_of(state, (order.venue, order.symbol))
            if symbol not in middles:
                middles[symbol] = self._middle(symbol)
            if asset not in nets:
                nets[asset] = exposure.asset_nets(state, books, asset, proposal.orders)
            places.append(self._place(
                order, proposal.plan, mono_ns, unix_ns, paused=paused, middle=middles[symbol],
                nets=nets[asset]))
        return Situation(
            now_ns=mono_ns, killed=flags.killed(),
            trading=TradingState(state.trading or TradingState.ACTIVE),
            places=tuple(places), planned=proposal.signal in state.signals,
            strategy_paused=any(paused for _, paused in pauses),
            strategy_gross=exposure.strategy_gross(
                state, books, number_of(proposal.strategy)),
            total_gross=exposure.total_gross(state, books),
            unhedged=exposure.unhedged(state, books),
            strategy_barred=barred(state, proposal.strategy), plans_open=len(state.open_plans),
            turnover=exposure.worth(state.activity.traded(unix_ns), books),
            loss_day=lost.day, loss_hour=lost.hour, losses_in_row=lost.in_row)

    def _middle(self, symbol: str) -> int:
        """Return the median middle of all books of a symbol that are believed, 0 for none."""
        if symbol not in self._venues:
            self._venues[symbol] = sorted(
                venue for venue, each in self._state.places if each == symbol)
        found = []
        for venue in self._venues[symbol]:
            quote = self._books.quote(venue, symbol)
            if quote.bid and quote.ask and not quote.distrust:
                found.append(quote.bid + quote.ask)
        return int(median(found)) // 2 if found else 0

    def _place(
        self, order: Proposed, plan: int, mono_ns: int, unix_ns: int, *, paused: bool,
        middle: int, nets: tuple[int, int],
    ) -> Place:
        state, books, venue, symbol = self._state, self._books, order.venue, order.symbol
        low, high = state.activity.asked((venue, symbol), unix_ns)
        quote = books.quote(venue, symbol)
        tick, lot, size_min, notional_min = books.rules(venue, symbol)
        circuit = self._circuits[venue]
        return Place(
            unready=self._unready.get(venue, "not connected"),
            breaker=Breaker.CLOSED if circuit is None else circuit.admits(),
            paused=paused, distrust=quote.distrust, touch=touch_of(quote, order.side),
            reference=middle, price_low=low, price_high=high,
            tick=tick, lot=lot, size_min=size_min,
            notional_min=notional_min * books.rate(state.terms[venue, symbol].quote)
            // exposure.MICRO,
            free=self._free(venue, order.pays, plan),
            open_orders=state.outstanding.counts.get(venue, 0),
            tokens=self._throttles[venue].left(mono_ns),
            own_opposite=state.outstanding.best(venue, symbol, -order.side),
            venue_gross=exposure.venue_gross(state, books, venue),
            asset_net=nets[0], asset_net_before=nets[1])

    def _free(self, venue: str, asset: str, plan: int) -> int:
        """Return what an order of a plan may use: not what live orders and other plans need."""
        fee_ppm = self._settings.fee_reserve_ppm
        kept = kept_for_second_legs(self._state, venue, asset, fee_ppm, but=plan)
        return exposure.free(self._state, venue, asset, fee_ppm) - kept


def number_of(strategy: str) -> int:
    """Return the number of a strategy's name."""
    return NOBODY if strategy == exposure.OPERATOR else Strategy[strategy.upper()]


def touch_of(quote: Quote, side: int) -> int:
    """Return the price that an order of ``side`` would meet first, 0 if there is none."""
    return quote.ask if side > 0 else quote.bid
