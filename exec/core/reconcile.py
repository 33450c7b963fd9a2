"""Our state against the venues' word, at each (re)connection and then again and again.

A survey asks for open orders, fills, balances and positions.  Fills are booked like any others;
orders that the venue lists and we do not know are somebody else's, or of a lost journal: both stop
the account.  Balances are compared only when nothing was in flight while they were asked for; an
order that rests may fill meanwhile, so a difference counts once it was seen again and again.
The first balance is a survey's, never a stream's: it stands when the fills before it are booked.
What nothing explains stays apart until an operator accepts it, which books it.
"""

from typing import TYPE_CHECKING

from engine.model.quanta import from_quanta, plain
from exec import records as r
from exec.core import ports as p
from exec.core.sender import birth_of
from exec.core.settings import Settings
from exec.orders import State as OrderState
from exec.state import MONEY_DECIMALS, Order, Place, State, money
from shm.layout import TradingState

if TYPE_CHECKING:
    from exec.core.core import Core

RECONCILING = "reconciling"  # why a venue takes no orders yet
STREAM = "stream"  # a source: what the venue tells unasked
REFERENCE_MAX = 200
OVERLAP_NS = 60_000_000_000  # fills are asked for again from so long before the last survey


class Reconciler:
    """Compares, books what explains a difference, stops what nothing explains."""

    def __init__(
        self, core: "Core", log: p.Log, state: State, gateways: dict[str, p.Gateway],
        settings: Settings, clock: p.Clock,
    ) -> None:
        self._core, self._log, self._state, self._gateways = core, log, state, gateways
        self._settings, self._clock = settings, clock
        self._due_ns = dict.fromkeys(gateways, 0)
        self._since_ns = dict.fromkeys(gateways, state.died_ns or clock.unix_ns())
        self._begun_ns = dict(self._since_ns)  # of the survey under way
        self._quiet: dict[str, int] = {}  # venue -> trades booked there when the survey began
        self._drifts: dict[Place, int] = {}
        self._apart: dict[Place, tuple[int, p.Balance | p.Holding]] = {}  # what halted: by how much
        self._references: set[tuple[str, str]] = set()

    def begin(self, venue: str, since_unix_ns: int = 0) -> None:
        """Survey a venue now."""
        now_ns = self._clock.mono_ns()
        waiting = self._core.unready[venue] == RECONCILING
        self._due_ns[venue] = now_ns + (
            self._settings.query_max_ns if waiting else self._settings.survey_ns)
        self._quiet.pop(venue, None)
        if not self._in_flight(venue):
            self._quiet[venue] = self._booked(venue)
        since = since_unix_ns or self._since_ns[venue] - OVERLAP_NS
        self._begun_ns[venue] = self._clock.unix_ns()
        self._gateways[venue].survey(since)

    def turn(self) -> None:
        """Survey each venue that is due and can be asked; again and again until it answers."""
        now_ns = self._clock.mono_ns()
        for venue in self._gateways:
            if now_ns >= self._due_ns[venue] and self._core.unready[venue] in ("", RECONCILING):
                self.begin(venue)

    # --- what surveys bring --------------------------------------------------------------------

    def listing(self, report: p.Listing) -> None:
        """Compare the open orders; a failed listing says nothing."""
        if report.failed:
            return
        self._since_ns[report.venue] = self._begun_ns[report.venue]
        listed = {client_id: (venue_order, symbol, filled)
                  for client_id, venue_order, symbol, filled in report.orders}
        for client_id, (venue_order, symbol, _) in listed.items():
            order = self._state.order_of(
                report.venue, client_id=client_id, venue_order=venue_order)
            if order is None:
                self.stranger(report.venue, symbol, venue_order, client_id)
            elif order.state is OrderState.UNKNOWN:
                self._log.append(r.Proven(
                    order.intent.order, r.Found.OPEN, venue_order, 0, "listed as open"))
            elif order.settled:
                self._log.append(r.Odd(order.intent.order, "listed as open", venue_order))
                self._core.sender.cancel_stray(order)
        now_ns = self._clock.unix_ns()
        for order in [*self._state.live.values()]:
            quiet = now_ns - order.changed_ns > self._settings.answer_max_ns
            if (order.intent.venue == report.venue and order.state is OrderState.OPEN and quiet
                    and order.intent.client_id not in listed):
                self._log.append(r.Doubted(order.intent.order, "not among the open orders"))
        self._core.reconciled(report.venue)

    def balance(self, report: p.Balance) -> None:
        """Take a balance as the new base, unless it differs from what we booked."""
        place = (report.venue, report.asset)
        quiet = self._quiet.get(report.venue)
        if quiet is None or quiet != self._booked(report.venue) or self._in_flight(report.venue):
            return
        total = money(report.free) + money(report.locked)
        known = self._state.counts.get(place)
        if known is None and report.source == STREAM:
            return
        if known is not None:
            expected = known[0] + self._state.holdings.get(place, 0) - known[1]
            if total != expected:
                self._drift(place, expected, total, report)
                return
        self._together(place)
        self._log.append(r.Counted(*place, report.free, report.locked, report.source))

    def _drift(self, place: Place, expected: int, total: int, report: p.Balance) -> None:
        count = self._drifts[place] = self._drifts.get(place, 0) + 1
        if count < self._settings.drift_surveys_max:
            return
        self._apart[place] = (total - expected, report)
        self._core.trading.tighten(
            TradingState.HALTED, f"{place[0]} says {report.free} free and {report.locked} locked"
            f" of {place[1]}: {total - expected} quanta of 10**-24 from what was booked")

    def holding(self, report: p.Holding) -> None:
        """Compare a perpetual's position."""
        place = (report.venue, report.symbol)
        quiet = self._quiet.get(report.venue)
        if quiet is None or quiet != self._booked(report.venue) or self._in_flight(report.venue):
            return
        before = self._state.held.get(place)
        if before is None and report.source == STREAM:
            return
        booked = self._state.positions.get(place)
        size = booked.size if booked else 0
        base = self._state.held_then.get(place, (0, 0))
        if before is not None and report.size != base[0] + size - base[1]:
            count = self._drifts[place] = self._drifts.get(place, 0) + 1
            if self._rests(report.venue) and count < self._settings.drift_surveys_max:
                return
            self._apart[place] = (report.size - base[0] - size + base[1], report)
            self._core.trading.tighten(
                TradingState.HALTED, f"{report.venue} says a position of {report.size} in"
                f" {report.symbol}, booked {base[0] + size - base[1]}")
            return
        self._together(place)
        self._log.append(r.Held(*place, report.size, report.source))

    def moved(self, report: p.Moved) -> None:
        """Book money that moved without a trade, once per reference.

        What moved before we first counted is in that count.
        """
        key = (report.venue, report.reference)
        counted_ns = self._state.counted_first_ns.get((report.venue, report.asset))
        before = counted_ns is None or 0 < report.unix_ns <= counted_ns
        if before or key in self._references or key in self._state.postings:
            return
        self._references.add(key)
        self._log.append(r.Posted(
            report.venue, report.asset, report.amount, report.kind, report.reference))

    def accept(self, why: str, who: str) -> str:
        """Book what halted an account, on an operator's word, and tell it: nothing explains it."""
        told = list[str]()
        for place, (amount, report) in [*self._apart.items()]:
            self._together(place)
            if isinstance(report, p.Holding):
                self._log.append(r.Held(*place, report.size, who))
                told.append(f"the position in {place[1]} at {place[0]}")
                continue
            text = plain(from_quanta(amount, MONEY_DECIMALS))
            reference = f"{who} {self._log.next_sequence}: {why}"[:REFERENCE_MAX]
            self._log.append(r.Posted(*place, text, "accepted", reference))
            told.append(f"{text} {place[1]} at {place[0]}")
        return ", ".join(told)

    def _together(self, place: Place) -> None:
        self._drifts.pop(place, None)
        self._apart.pop(place, None)

    # --- strangers -----------------------------------------------------------------------------

    def stranger(self, venue: str, symbol: str, venue_order: str, client_id: str) -> None:
        """Stop the account: an order that no record of ours explains."""
        ours = birth_of(client_id) == self._state.birth
        text = "of this journal, but not in it" if ours else "not ours"
        self._log.append(r.Foreign(venue, symbol, venue_order, client_id, text))
        self._core.trading.tighten(
            TradingState.HALTED, f"{venue} has an order {venue_order}"
            f" ({client_id or 'no client id'}) that is {text}")

    def strange_trade(self, report: p.Traded) -> None:
        """Book a trade that no order of ours explains, and stop the account."""
        self._log.append(r.Filled(
            0, report.venue, report.symbol, report.trade, report.side, report.price, report.size,
            report.fee, report.fee_asset, report.taker, report.venue_unix_ns, report.source,
            report.realised))
        self.stranger(report.venue, report.symbol, report.venue_order, report.client_id)

    # --- parts ---------------------------------------------------------------------------------

    def _in_flight(self, venue: str) -> bool:
        """Return whether an order may move money now: one that rests does so rarely."""
        return any(each.intent.venue == venue and not _resting(each)
                   for each in self._state.live.values())

    def _rests(self, venue: str) -> bool:
        return any(each.intent.venue == venue for each in self._state.live.values())

    def _booked(self, venue: str) -> int:
        return self._state.booked_at.get(venue, 0)


def _resting(order: Order) -> bool:
    told = order.booked >= order.venue_filled
    return order.state is OrderState.OPEN and order.intent.tif == r.Tif.GTC and told
