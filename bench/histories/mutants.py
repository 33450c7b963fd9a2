"""Historical bugs, planted: each is a core that the histories must catch.

Sources: shared/RELIABILITY.md sections 1 and 2.3, shared/EXPECTATIONS.md.
"""

from typing import Final

import msgspec

from exec import records as r
from exec.core import ports as p
from exec.core.core import Core
from exec.core.plans import Move, Step
from exec.state.entries import Plan
from exec.state.orders import FINAL
from exec.state.orders import State as OrderState


class TimeoutIsReject(Core):
    """Hummingbot #493: an order without an answer counts as refused."""

    def _lost(self, report: p.Lost) -> None:
        order = self._ours(report.venue, report.client_id)
        if order is not None and report.request == "place" and order.state not in FINAL:
            self._log.append(r.Rejected(order.intent.order, "timeout", report.why))
            self.review(order.intent.plan)


class BlindResend(Core):
    """A lost answer is answered by sending the same order again."""

    def _lost(self, report: p.Lost) -> None:
        order = self._ours(report.venue, report.client_id)
        if order is not None and report.request == "place" and order.state not in FINAL:
            gateway = self._gateways[report.venue]
            again = msgspec.structs.replace(
                order.intent, deadline_unix_ns=order.intent.deadline_unix_ns + 10**10)
            gateway.resend(again)  # type: ignore[attr-defined]


class FillAfterEndDropped(Core):
    """Hummingbot #3374: a fill of an order that had ended is not booked."""

    def _traded(self, report: p.Traded) -> None:
        order = self._ours(report.venue, report.client_id, report.venue_order)
        if order is None or order.state not in FINAL:
            super()._traded(report)


class FillBookedTwice(Core):
    """NautilusTrader #3493: the stream's and the query's word of one trade are two fills."""

    def _traded(self, report: p.Traded) -> None:
        super()._traded(msgspec.structs.replace(report, trade=f"{report.trade}{report.source}"))


class LateFillNotHedged(Core):
    """The cancel/fill race: an order's end ends its plan, and what fills after moves nothing."""

    def _over(self, report: p.Over) -> None:
        super()._over(msgspec.structs.replace(report, filled=0))

    def _traded(self, report: p.Traded) -> None:
        order = self._ours(report.venue, report.client_id, report.venue_order)
        late = order is not None and order.state in FINAL
        super()._traded(report)
        if order is not None and late:
            self.state.open_plans.pop(order.intent.plan, None)


class AbsenceBelievedAtOnce(Core):
    """"Not found" counts although the request may still arrive."""

    def _seen(self, report: p.Seen) -> None:
        order = self._ours(report.venue, report.client_id)
        if order is not None and report.found == r.Found.ABSENT and (
                order.state is OrderState.UNKNOWN):
            self._log.append(r.Proven(order.intent.order, r.Found.ABSENT, "", 0, "not found"))
            self.review(order.intent.plan)
            return
        super()._seen(report)


class DoubtsForgotten(Core):
    """NautilusTrader #5000: what was under way when the process died is never asked about."""

    def on_timer(self) -> None:
        """Forget."""
        for order in self.state.orders.values():
            if order.state is OrderState.UNKNOWN and order.booked == 0:
                order.state = OrderState.ABSENT
                self.state.live.pop(order.intent.order, None)
        super().on_timer()


class OnlyTheStreamIsBelieved(Core):
    """Fills that the stream lost are not taken from queries and surveys."""

    def _traded(self, report: p.Traded) -> None:
        if report.source == "stream":
            super()._traded(report)


class FailedListingIsEmpty(Core):
    """NautilusTrader #4958: a report that failed is taken for a flat account."""

    def on_report(self, report: p.Report) -> None:
        """Mistake silence for emptiness."""
        if isinstance(report, p.Listing) and report.failed:
            for order in [*self.state.live.values()]:
                if order.intent.venue == report.venue and order.state not in FINAL:
                    self._log.append(r.Ended(order.intent.order, "cancelled", 0, "not listed"))
                    self.review(order.intent.plan)
            return
        super().on_report(report)


class DoubtIsNoRisk(Core):
    """A second hedge goes out while the first one's fate is unknown."""

    def review(self, number: int) -> None:
        """Step, wrongly."""
        plan = self.state.open_plans.get(number)
        doubtful = [self.state.orders[each] for each in plan.orders] if plan else []
        hidden = [order for order in doubtful if order.state is OrderState.UNKNOWN]
        for order in hidden:
            order.state = OrderState.ABSENT
        super().review(number)
        for order in hidden:
            if order.state is OrderState.ABSENT:
                order.state = OrderState.UNKNOWN


class FeesForgotten(Core):
    """What the venue keeps is not booked."""

    def _traded(self, report: p.Traded) -> None:
        super()._traded(msgspec.structs.replace(report, fee="0"))


class HedgeForgetsItself(Core):
    """What a hedge filled is not taken off what is left to hedge."""

    def _hedge(self, plan: Plan, step: Step) -> None:
        super()._hedge(plan, step)
        if step.move is Move.ORDER:
            plan.orders.pop()


class SecondLegForThePlan(Core):
    """The leg that follows goes for what was planned, not for what the first one filled."""

    def _hedge(self, plan: Plan, step: Step) -> None:
        size = plan.planned.legs[step.leg].size
        super()._hedge(plan, msgspec.structs.replace(step, size=size))


class SecondLegOnce(Core):
    """What the leg that went first fills after the second one left is never hedged."""

    def _hedge(self, plan: Plan, step: Step) -> None:
        super()._hedge(plan, step)
        if plan.planned.turns == "riskier-first":
            self.state.open_plans.pop(plan.planned.plan, None)


class OverfillDropped(Core):
    """What fills beyond the size that was asked for is not booked."""

    def _traded(self, report: p.Traded) -> None:
        order = self._ours(report.venue, report.client_id, report.venue_order)
        if order is None or order.booked + report.size <= order.intent.size:
            super()._traded(report)


class SentBeforeWritten(Core):
    """An order leaves before the journal has it."""

    def __init__(self, *arguments: object, **names: object) -> None:
        super().__init__(*arguments, **names)  # type: ignore[arg-type]
        log = self._log
        append = log.append

        def late(record: r.Record) -> int:
            if isinstance(record, r.Intended):
                gateway = self._gateways[record.venue]
                gateway.resend(record)  # type: ignore[attr-defined]
            return append(record)

        self.sender._log = _Late(log, late)  # type: ignore[assignment]  # noqa: SLF001


class BooksAskedOnce(Core):
    """The book was live when the gate looked; nobody looks again when the order leaves."""

    def __init__(self, *arguments: object, **names: object) -> None:
        super().__init__(*arguments, **names)  # type: ignore[arg-type]
        self.sender._books = _Believed(self._books)  # type: ignore[assignment]  # noqa: SLF001


class _Believed:
    """Books that are always believed."""

    def __init__(self, books: p.Books) -> None:
        self._books = books

    def quote(self, venue: str, symbol: str) -> p.Quote:
        """Return the touch, whatever it is worth."""
        return msgspec.structs.replace(self._books.quote(venue, symbol), distrust=0)


class _Late:
    """A journal whose appends come late."""

    def __init__(self, log: p.Log, append: object) -> None:
        self._log, self.append = log, append

    @property
    def next_sequence(self) -> int:
        """Return the number that the next record gets."""
        return self._log.next_sequence


class PartialIsWhole(Core):
    """The first fill of an order is taken for all of it."""

    def _traded(self, report: p.Traded) -> None:
        order = self._ours(report.venue, report.client_id, report.venue_order)
        if order is not None and not order.booked:
            super()._traded(report)


MUTANTS: Final[tuple[type[Core], ...]] = (
    TimeoutIsReject, BlindResend, FillAfterEndDropped, FillBookedTwice, LateFillNotHedged,
    AbsenceBelievedAtOnce, DoubtsForgotten, OnlyTheStreamIsBelieved, FailedListingIsEmpty,
    DoubtIsNoRisk, FeesForgotten, HedgeForgetsItself, SecondLegForThePlan, SecondLegOnce,
    OverfillDropped, SentBeforeWritten, PartialIsWhole, BooksAskedOnce,
)

