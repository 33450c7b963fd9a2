"""What the gate judges by, gathered from state, books and flags."""

from collections.abc import Mapping, Sequence
from statistics import median

from exec.core import exposure
from exec.core.exposure import strategy_of
from exec.core.ports import Books, Flags, Quote
from exec.core.repeats import barred
from exec.core.settings import Settings
from exec.core.turns import kept_for_second_legs
from exec.gate.breakers import Breaker, Circuit
from exec.gate.checks import Place, Proposal, Proposed, Situation
from exec.gate.throttle import Throttle
from exec.state import State
from shm.layout import TradingState

HOUR_NS = 3_600_000_000_000
DAY_NS = 24 * HOUR_NS  # of UTC: Unix time has no other seconds


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
        state = self._state
        lost_day, lost_hour, in_row = losses(state.outcomes, unix_ns)
        gross = exposure.worst_gross(state, self._books, state.live.values())
        own = [each for each in state.live.values()
               if strategy_of(state, each.intent.plan) == proposal.strategy]
        first = proposal.orders[0] if proposal.orders else None
        strategy_paused = bool(first and self._flags.paused(
            first.venue, first.symbol, proposal.strategy)[1])
        return Situation(
            now_ns=mono_ns, killed=self._flags.killed(),
            trading=TradingState(state.trading or TradingState.ACTIVE),
            places=self._places(proposal, mono_ns, unix_ns),
            planned=proposal.signal in state.signals, strategy_paused=strategy_paused,
            strategy_gross=exposure.worst_gross(state, self._books, own), total_gross=gross,
            unhedged=exposure.unhedged(state, self._books),
            strategy_barred=barred(state, proposal.strategy), plans_open=len(state.open_plans),
            turnover=self._turnover(unix_ns),
            loss_day=lost_day, loss_hour=lost_hour, losses_in_row=in_row)

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
        live = [each for each in state.live.values() if each.intent.venue == venue]
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
            open_orders=len(live), tokens=self._throttles[venue].left(mono_ns),
            own_opposite=self._own_opposite(order),
            venue_gross=exposure.worst_gross(state, books, live),
            asset_net=exposure.asset_net(state, books, asset, proposal.orders),
            asset_net_before=exposure.asset_net(state, books, asset, ()))

    def _free(self, venue: str, asset: str, plan: int) -> int:
        """Return what an order of a plan may use: not what live orders and other plans need."""
        fee_ppm = self._settings.fee_reserve_ppm
        kept = kept_for_second_legs(self._state, venue, asset, fee_ppm, but=plan)
        return exposure.free(self._state, venue, asset, fee_ppm) - kept

    def _own_opposite(self, order: Proposed) -> int:
        """Return the best price at which our own orders rest against this one."""
        prices = [
            each.intent.price for each in self._state.live.values()
            if each.intent.venue == order.venue and each.intent.symbol == order.symbol
            and each.intent.side == -order.side and each.remaining]
        if not prices:
            return 0
        return min(prices) if order.side > 0 else max(prices)


def touch_of(quote: Quote, side: int) -> int:
    """Return the price that an order of ``side`` would meet first, 0 if there is none."""
    return quote.ask if side > 0 else quote.bid


def losses(
    outcomes: Sequence[tuple[int, int, int]], unix_ns: int
) -> tuple[int, int, int]:
    """Return what this UTC day and the last 60 minutes lost, and how many plans in a row lost.

    A day or hour that won lost nothing; plans that made nothing break no row, and a row goes on
    over midnight.
    """
    day = hour = row = 0
    midnight_ns, hour_ago_ns = unix_ns // DAY_NS * DAY_NS, unix_ns - HOUR_NS
    oldest_ns, counting = min(midnight_ns, hour_ago_ns), True
    for at_ns, _, profit in reversed(outcomes):
        if at_ns < oldest_ns and not counting:
            break
        if at_ns >= midnight_ns:
            day -= profit
        if at_ns >= hour_ago_ns:
            hour -= profit
        if counting and profit < 0:
            row += 1
        elif profit > 0:
            counting = False
    return max(0, day), max(0, hour), row
