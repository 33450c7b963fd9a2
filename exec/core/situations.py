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
        state, books = self._state, self._books
        lost = state.outcomes.losses(unix_ns)
        first = proposal.orders[0] if proposal.orders else None
        strategy_paused = bool(first and self._flags.paused(
            first.venue, first.symbol, proposal.strategy)[1])
        return Situation(
            now_ns=mono_ns, killed=self._flags.killed(),
            trading=TradingState(state.trading or TradingState.ACTIVE),
            places=self._places(proposal, mono_ns, unix_ns),
            planned=proposal.signal in state.signals, strategy_paused=strategy_paused,
            strategy_gross=exposure.strategy_gross(
                state, books, number_of(proposal.strategy)),
            total_gross=exposure.total_gross(state, books),
            unhedged=exposure.unhedged(state, books),
            strategy_barred=barred(state, proposal.strategy), plans_open=len(state.open_plans),
            turnover=self._turnover(unix_ns),
            loss_day=lost.day, loss_hour=lost.hour, losses_in_row=lost.in_row)

    def _turnover(self, unix_ns: int) -> int:
        traded = self._state.activity.traded(unix_ns)
        return sum(value * self._books.rate(asset) // exposure.UNIT
                   for asset, value in traded.items())

    def _places(self, proposal: Proposal, mono_ns: int, unix_ns: int) -> tuple[Place, ...]:
        middles: dict[str, int] = {}
        for order in proposal.orders:
            if order.symbol not in middles:
                middles[order.symbol] = self._middle(order.symbol)
        return tuple(self._place(each, proposal, mono_ns, unix_ns, middles[each.symbol])
                     for each in proposal.orders)

    def _middle(self, symbol: str) -> int:
        """Return the median middle of all books of a symbol that are believed, 0 for none."""
        if symbol not in self._venues:
            self._venues[symbol] = sorted(
                venue for venue, each in self._state.places if each == symbol)
        quotes = (self._books.quote(venue, symbol) for venue in self._venues[symbol])
        found = [each.bid + each.ask for each in quotes
                 if each.bid and each.ask and not each.distrust]
        return int(median(found)) // 2 if found else 0

    def _place(
        self, order: Proposed, proposal: Proposal, mono_ns: int, unix_ns: int, middle: int
    ) -> Place:
        state, books, venue = self._state, self._books, order.venue
        low, high = state.activity.asked((venue, order.symbol), unix_ns)
        quote = books.quote(venue, order.symbol)
        tick, lot, size_min, notional_min = books.rules(venue, order.symbol)
        asset = exposure.asset_of(state, (venue, order.symbol))
        circuit = self._circuits[venue]
        return Place(
            unready=self._unready.get(venue, "not connected"),
            breaker=Breaker.CLOSED if circuit is None else circuit.admits(),
            paused=self._flags.paused(venue, order.symbol, proposal.strategy)[0],
            distrust=quote.distrust, touch=touch_of(quote, order.side),
            reference=middle, price_low=low, price_high=high,
            tick=tick, lot=lot, size_min=size_min,
            notional_min=notional_min * books.rate(state.listed[venue, order.symbol].quote)
            // exposure.MICRO,
            free=self._free(venue, order.pays, proposal.plan),
            open_orders=state.outstanding.counts.get(venue, 0),
            tokens=self._throttles[venue].left(mono_ns),
            own_opposite=state.outstanding.best(venue, order.symbol, -order.side),
            venue_gross=exposure.venue_gross(state, books, venue),
            asset_net=exposure.asset_net(state, books, asset, proposal.orders),
            asset_net_before=exposure.asset_net(state, books, asset, ()))

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
