"""The core itself: signals, reports, commands and time come in; records, orders and cancels go out.

Each entry runs to its end before the next begins.  What it learns it appends to the journal, which
changes the state; what it then does follows from the state.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from exec import failpoint
from exec import records as r
from exec.core import ports as p
from exec.core.doubts import Doubts
from exec.core.exposure import OPERATOR, name_of, strategy_of
from exec.core.plans import Move, Step, next_step
from exec.core.reconcile import RECONCILING, Reconciler
from exec.core.results import profit_of
from exec.core.sender import Sender, WhenDurable
from exec.core.settings import Settings
from exec.core.situations import Desk
from exec.core.sizing import SHRINKABLE, largest
from exec.core.trading import Trading
from exec.core.turns import Pace, Turns, riskier_first
from exec.gate.approval import Approval, Gate
from exec.gate.breakers import Circuit
from exec.gate.checks import REDUCING, Proposal, Purpose, Refusal
from exec.gate.throttle import Throttle
from exec.state.entries import Order, Plan
from exec.state.orders import State as OrderState
from exec.state.state import State
from shm.layout import Strategy, TradingState

PPM: Final = 1_000_000
ENTER: Final = Purpose.ENTER  # as globals: members of an enum take longer to find
IOC: Final = r.Tif.IOC
TOGETHER: Final = Turns.TOGETHER
RISKIER_FIRST: Final = Turns.RISKIER_FIRST
SIZED: Final = REDUCING | {Purpose.ENTER}  # an operator gets what was asked for, or nothing
PAIR: Final = 2  # legs of a plan whose riskier one may go first
TEXT_MAX: Final = 200  # of what a venue says
OVER: Final = frozenset({OrderState.FILLED, OrderState.CANCELLED, OrderState.EXPIRED})
RESTED: Final = OVER | {OrderState.OPEN, OrderState.CANCELLING}  # the venue is known to have it
UNANSWERED: Final = (OrderState.INTENDED, OrderState.SENT, OrderState.CANCELLING)


class Signal(msgspec.Struct, frozen=True):
    """A sized opportunity: legs as the books of this moment allow them, or why not."""

    run: int
    sequence: int
    strategy: Strategy
    window: int
    seen_ns: int
    expiry_ns: int
    legs: tuple[r.LegSeen, ...]
    edge_ppm: int
    profit_micro: int
    refused: Refusal | None = None


class Core:
    """One account's mind over all its venues."""

    def __init__(
        self, log: p.Log, state: State, gateways: dict[str, p.Gateway], books: p.Books,
        flags: p.Flags, clock: p.Clock, settings: Settings, when_durable: WhenDurable,
    ) -> None:
        """Take over ``state``, which every record appended to ``log`` changes at once."""
        self._log, self.state, self._clock, self._gateways = log, state, clock, gateways
        self._books, self._settings = books, settings
        self.unready = dict.fromkeys(gateways, "not connected yet")
        limits = settings.limits
        circuits = {venue: Circuit(settings.breaker_failures_max, settings.breaker_open_ns)
                    for venue in gateways}
        self._circuits, self._pace = circuits, Pace()
        self._throttles = {
            venue: Throttle(limits.orders_per_s_max, limits.orders_per_s_max,
                            limits.cancel_reserve_ppm) for venue in gateways}
        self._gate = Gate(limits, life=state.life)
        self.trading = Trading(log, state, circuits, clock, settings)
        self.sender = Sender(log, state, self._gate, gateways, circuits, self._throttles, flags,
                             clock, settings, books, when_durable)
        self._desk = Desk(
            state, books, flags, settings, circuits, self._throttles, self.unready)
        self._doubts = Doubts(state, gateways, settings, clock)
        self._reconciler = Reconciler(self, log, state, gateways, settings, clock)
        self.accept = self._reconciler.accept
        self._halted_plans: set[int] = set()
        self._retries: dict[int, int] = {}  # plans whose hedge the gate refused: not before
        self._hear: dict[type, Callable[[Any], None]] = {
            p.Accepted: self._accepted, p.Denied: self._denied, p.Traded: self._traded,
            p.Over: self._over, p.CancelDenied: self._cancel_denied, p.Lost: self._lost,
            p.Seen: self._seen, p.Ready: self._ready, p.Budget: self._budget,
            p.Taken: self._taken, p.Listing: self._reconciler.listing,
            p.Balance: self._reconciler.balance, p.Holding: self._reconciler.holding,
            p.Moved: self._reconciler.moved,
        }

    # --- signals -------------------------------------------------------------------------------

    def on_signal(self, signal: Signal) -> Refusal | None:
        """Judge a signal; write down what was decided; send its orders if they may go."""
        refusal = signal.refused or self._unknown(signal.legs)
        propose = self._desk.propose
        orders = () if refusal is not None else tuple([
            propose(leg.venue, leg.symbol, leg.side, leg.price, leg.size) for leg in signal.legs])
        proposal = Proposal(
            ENTER, name_of(signal.strategy), orders, (signal.run, signal.sequence),
            signal.seen_ns, signal.expiry_ns, signal.edge_ppm, signal.profit_micro)
        approvals: tuple[Approval, ...] = ()
        if refusal is None:
            proposal, judged = self._judge(proposal)
            refusal, approvals = (judged, ()) if isinstance(judged, Refusal) else (None, judged)
        self._log.append(r.Decided(
            signal.run, signal.sequence, signal.strategy, signal.window, signal.legs,
            signal.edge_ppm, refusal.check if refusal else "", refusal.number if refusal else 0,
            refusal.limit if refusal else 0, signal.profit_micro))
        if refusal is None:
            self._enter(signal, proposal, approvals)
        return refusal

    def _unknown(self, legs: Iterable[r.LegSeen | r.Leg]) -> Refusal | None:
        """Refuse what this life did not list, or has no account for: it cannot even be valued."""
        places, gateways = self.state.places, self._gateways
        for leg in legs:
            if (leg.venue, leg.symbol) not in places or leg.venue not in gateways:
                return Refusal("instrument", 1, 0, f"{leg.venue} {leg.symbol}"[:TEXT_MAX])
        return None

    def _judge(self, proposal: Proposal) -> tuple[Proposal, tuple[Approval, ...] | Refusal]:
        """Judge a proposal; one that is only too large, as large as it may be."""
        at = self._desk.situation(proposal, self._clock.mono_ns(), self._clock.unix_ns())
        judged = self._gate.judge(proposal, at)
        if isinstance(judged, Refusal) and proposal.purpose in SIZED and (
                judged.check in SHRINKABLE and (
                    size := largest(proposal, at, self._gate.limits))):
            orders = tuple(
                self._desk.propose(each.venue, each.symbol, each.side, each.price, size)
                for each in proposal.orders)
            proposal = msgspec.structs.replace(proposal, orders=orders)
            at = self._desk.situation(proposal, self._clock.mono_ns(), self._clock.unix_ns())
            judged = self._gate.judge(proposal, at)
        return proposal, judged

    def _enter(
        self, signal: Signal, proposal: Proposal, approvals: tuple[Approval, ...]
    ) -> None:
        collar_ppm = self._settings.collar_ppm
        legs = tuple([
            r.Leg(each.venue, each.symbol, each.side, each.price, each.size,
                  each.price + each.side * each.price * collar_ppm // PPM)
            for each in proposal.orders])
        expected = signal.profit_micro * legs[0].size // signal.legs[0].size
        way, going = TOGETHER, tuple(range(len(legs)))
        if self._settings.order == RISKIER_FIRST and len(legs) == PAIR:
            way = RISKIER_FIRST
            going = riskier_first(legs, self._circuits, self._pace, self._books)
            legs = tuple([legs[index] for index in going])
        unwind = tuple([
            r.Leg(leg.venue, leg.symbol, -leg.side, leg.price, leg.size,
                  2 * leg.price - leg.collar) for leg in legs])
        plan = self._log.next_sequence
        self._log.append(r.Planned(
            plan, signal.run, signal.sequence, signal.strategy, legs, self._settings.policy, unwind,
            self._settings.plan_deadline_ns, expected, way))
        self.trading.planned(proposal.strategy)
        first = going if way is TOGETHER else going[:1]
        numbers = [
            self.sender.intend(plan, leg, proposal.orders[index], approvals[index], ENTER, IOC)
            for leg, index in enumerate(first)]
        self.sender.send_when_durable(numbers, signal.expiry_ns, lambda: self.review(plan))

    # --- operators -----------------------------------------------------------------------------

    def place(
        self, venue: str, symbol: str, side: int, price: int, size: int, *, tif: r.Tif,
        purpose: Purpose = Purpose.OPERATOR, approved: Callable[[], object] = lambda: None,
    ) -> int | Refusal:
        """Place an operator's order; return its number, or what refused it.

        ``approved`` is called once the gate has let it pass, before anything is written of it.
        """
        leg = r.Leg(venue, symbol, side, price, size, price)
        if (unknown := self._unknown((leg,))) is not None:
            return unknown
        proposed = self._desk.propose(venue, symbol, side, price, size)
        _, judged = self._judge(Proposal(purpose, OPERATOR, (proposed,)))
        if isinstance(judged, Refusal):
            return judged
        approved()
        plan = self._log.next_sequence
        self._log.append(r.Planned(
            plan, 0, 0, 0, (leg,), "hold", (), self._settings.plan_deadline_ns, 0))
        number = self.sender.intend(plan, 0, proposed, judged[0], purpose, tif)
        self.sender.send_when_durable([number], 0, lambda: self.review(plan))
        return number

    def resume(self, state: TradingState, why: str, who: str) -> None:
        """Let trading do more, or less, on an operator's word; ACTIVE lets all strategies go on."""
        self._halted_plans.clear()
        if state is TradingState.ACTIVE:
            self.trading.release_all(why, who)
        self.trading.set(state, why, who)

    def give_up(self, number: int) -> None:
        """Close an open plan, all of whose orders are settled: others trade back what it left."""
        plan = self.state.open_plans[number]
        profit = profit_of(self.state, self._books, plan)
        self._log.append(r.PlanClosed(number, r.FLATTENED, plan.residual, profit))
        self._halted_plans.discard(number)
        self._retries.pop(number, None)

    # --- plans ---------------------------------------------------------------------------------

    def review(self, number: int) -> None:
        """Let an open plan take its next step."""
        plan = self.state.open_plans.get(number)
        if plan is None or any(each in self.sender.prepared for each in plan.orders):
            return
        if self._clock.mono_ns() < self._retries.get(number, 0):
            return
        step = next_step(self.state, plan, self._books, self._settings, self._clock.unix_ns(),
                         lambda venue: not self.unready.get(venue, "unknown"))
        if step.move is Move.ORDER:
            self._hedge(plan, step)
        elif step.move is Move.CLOSE:
            profit = profit_of(self.state, self._books, plan)
            self._log.append(r.PlanClosed(number, step.why, step.residual, profit))
            self._halted_plans.discard(number)
            self._retries.pop(number, None)
            self.trading.count_losses(number, profit)
        elif step.move is Move.HALT and number not in self._halted_plans:
            self._halted_plans.add(number)
            self.trading.tighten(TradingState.HALTED, f"plan {number}: {step.why}")

    def _hedge(self, plan: Plan, step: Step) -> None:
        leg = plan.planned.legs[step.leg]
        proposed = self._desk.propose(leg.venue, leg.symbol, step.side, step.price, step.size)
        strategy = strategy_of(self.state, plan.planned.plan)
        proposal, judged = self._judge(
            Proposal(step.purpose, strategy, (proposed,), plan=plan.planned.plan))
        if isinstance(judged, Refusal):
            self._retries[plan.planned.plan] = self._clock.mono_ns() + self._settings.retry_ns
            return  # tried again, until the plan's deadline halts
        number = self.sender.intend(
            plan.planned.plan, step.leg, proposal.orders[0], judged[0], step.purpose, r.Tif.IOC)
        self.sender.send_when_durable([number], 0, lambda: self.review(plan.planned.plan))

    # --- reports -------------------------------------------------------------------------------

    def on_report(self, report: p.Report) -> None:
        """Take in what a venue said."""
        self._hear[type(report)](report)

    def _ours(self, venue: str, client_id: str, venue_order: str = "") -> Order | None:
        return self.state.order_of(venue, client_id=client_id, venue_order=venue_order)

    def _accepted(self, report: p.Accepted) -> None:
        order = self._ours(report.venue, report.client_id)
        if order is None:
            self._reconciler.stranger(report.venue, "", report.venue_order, report.client_id)
            return
        if order.state in RESTED and order.venue_order == report.venue_order:
            return  # the answer after the stream, or the other way round
        self._pace.note(order, self._clock.unix_ns())
        self._log.append(r.Acknowledged(order.intent.order, report.venue_order))
        self.trading.worked(order)
        self.review(order.intent.plan)

    def _denied(self, report: p.Denied) -> None:
        order = self._ours(report.venue, report.client_id)
        if order is None:
            return
        self._log.append(r.Rejected(order.intent.order, report.code, report.text[:TEXT_MAX]))
        self.trading.refused(order, business=report.business)
        self.review(order.intent.plan)

    def _traded(self, report: p.Traded) -> None:
        order = self._ours(report.venue, report.client_id, report.venue_order)
        trade = self.state.unbooked((report.venue, report.symbol, report.trade), report.client_id)
        if not trade:
            return
        if order is None:
            self._reconciler.strange_trade(report)
            return
        intent = order.intent
        self._log.append(r.Filled(
            intent.order, report.venue, report.symbol, trade, report.side, report.price,
            report.size, report.fee, report.fee_asset, report.taker, report.venue_unix_ns,
            report.source, report.realised))
        failpoint.reach(failpoint.AFTER_FILL)
        if order.booked > intent.size:
            self._log.append(r.Odd(intent.order, "overfill", f"{order.booked} of {intent.size}"))
            self.trading.tighten(
                TradingState.HALTED, f"{report.venue} filled {order.booked} of {intent.size}"
                f" of {intent.client_id}")
        self.trading.worked(order)
        self.review(intent.plan)

    def _over(self, report: p.Over) -> None:
        order = self._ours(report.venue, report.client_id, report.venue_order)
        if order is None:
            return
        if order.state in OVER and report.filled <= order.venue_filled:
            return
        self._log.append(r.Ended(order.intent.order, report.how, report.filled, report.source))
        self.trading.worked(order)
        if not order.settled:
            self._doubts.ask_now(order)  # the venue filled more than it told us of
        self.review(order.intent.plan)

    def _cancel_denied(self, report: p.CancelDenied) -> None:
        order = self._ours(report.venue, report.client_id)
        if order is None:
            return
        self._log.append(r.CancelRefused(order.intent.order, report.code, report.text[:TEXT_MAX]))
        self._doubts.ask_now(order)
        self.review(order.intent.plan)

    def _lost(self, report: p.Lost) -> None:
        order = self._ours(report.venue, report.client_id)
        if order is None or report.request == "query":
            return
        why = f"{report.request}: {report.why}"[:TEXT_MAX]
        self._log.append(r.Doubted(order.intent.order, why))
        self.trading.failed(order)
        self.review(order.intent.plan)

    def _seen(self, report: p.Seen) -> None:
        order = self._ours(report.venue, report.client_id)
        if order is None:
            return
        found = r.Found(report.found)
        if found is r.Found.ABSENT and not self._doubts.proves_absence(order, report):
            return
        evidence = f"asked at {report.asked_unix_ns}"
        if found is not r.Found.ABSENT:
            self.trading.worked(order)
        if found is r.Found.ENDED:
            self._log.append(r.Ended(order.intent.order, report.how, report.filled, evidence))
            if not order.settled:
                self._doubts.ask_now(order)
        elif found is r.Found.OPEN or order.state is OrderState.UNKNOWN:
            self._log.append(r.Proven(
                order.intent.order, found, report.venue_order, report.filled, evidence))
        self.review(order.intent.plan)

    def _taken(self, report: p.Taken) -> None:
        trade = self.state.trades.get((report.venue, report.symbol, report.trade))
        if trade is None:
            return
        self._log.append(r.Busted(report.venue, report.symbol, report.trade, "venue"))
        self.trading.tighten(TradingState.HALTED, f"{report.venue} took trade {report.trade} back")
        if trade.order in self.state.orders:
            self.review(self.state.orders[trade.order].intent.plan)

    def _ready(self, report: p.Ready) -> None:
        if report.unready:
            self.unready[report.venue] = report.unready
        elif self.unready[report.venue]:  # until its word on our open orders is in
            self.unready[report.venue] = RECONCILING
            self._reconciler.begin(report.venue)

    def reconciled(self, venue: str) -> None:
        """Let a venue take orders again whose word on our open orders is in."""
        if self.unready[venue] == RECONCILING:
            self.unready[venue] = ""
            if self._settings.dead_man_ms:  # renewed by the gateway from now on
                self._gateways[venue].arm(self._settings.dead_man_ms)

    def _budget(self, report: p.Budget) -> None:
        now_ns, throttle = self._clock.mono_ns(), self._throttles[report.venue]
        if report.barred_ns:
            throttle.bar(now_ns + report.barred_ns)
        if report.limit:
            throttle.used(now_ns, report.used, report.limit)

    # --- time ----------------------------------------------------------------------------------

    def on_timer(self) -> None:
        """Let time pass: doubts are asked about, plans go on, breakers and surveys turn."""
        unix_ns = self._clock.unix_ns()
        for order in [*self.state.live.values()]:
            if unix_ns - order.changed_ns <= self._settings.answer_max_ns:
                continue
            if order.state in UNANSWERED and order.intent.order not in self.sender.prepared:
                self._log.append(r.Doubted(order.intent.order, "no answer in time"))
                self.trading.failed(order)
            elif order.state is OrderState.OPEN and order.intent.tif != r.Tif.GTC:
                self._log.append(r.Doubted(order.intent.order, "it cannot rest, and has not ended"))
            elif order.state is OrderState.OPEN and order.cancel_asked_ns and (
                    unix_ns - order.cancel_asked_ns > self._settings.answer_max_ns):
                self.sender.cancel(order.intent.order, "asked for before, and it is open still")
        self._doubts.turn()
        self.trading.turn()
        for number in [*self.state.open_plans]:
            self.review(number)
        self._reconciler.turn()
