"""Trading state and breakers: raised by what happens, lowered by an operator or a cool-down.

CAUTIOUS from half of a loss limit on, and while a venue's breaker is not closed; RESTRICTED at a
loss limit; HALTED where something is not understood.  A cool-down ends CAUTIOUS and RESTRICTED
alone, and never goes below what losses and breakers ask for at that moment.
"""

from typing import Final

from exec import records as r
from exec.core import ports as p
from exec.core.exposure import strategy_of
from exec.core.repeats import Repeats, barred, name_of, strategy_in
from exec.core.settings import Settings
from exec.gate.breakers import Breaker, Circuit
from exec.state.entries import Order
from exec.state.orders import State as OrderState
from exec.state.state import ENGINE, State
from shm.layout import TradingState

WHY_MAX: Final = 300
CAUTION: Final = 2  # one part in so many of a loss limit is reason for caution


class Trading:
    """Moves the trading state, the venues' breakers and strategies, with a record and a reason."""

    def __init__(
        self, log: p.Log, state: State, circuits: dict[str, Circuit], clock: p.Clock,
        settings: Settings,
    ) -> None:
        """Take breakers up where the last life left them: one that was not closed is open."""
        self._log, self._state, self._circuits = log, state, circuits
        self._clock, self._settings = clock, settings
        self._repeats = Repeats(state, settings.limits)
        for venue, circuit in circuits.items():
            if state.breakers.get(venue, Breaker.CLOSED) != Breaker.CLOSED:
                circuit.place, circuit.opened_ns = Breaker.OPEN, clock.mono_ns()
                if state.breakers[venue] != Breaker.OPEN:
                    self._log.append(r.BreakerMoved(
                        venue, state.breakers[venue], Breaker.OPEN, "its probe died with its life"))

    @property
    def now(self) -> TradingState:
        """Return the state in force."""
        return TradingState(self._state.trading or TradingState.ACTIVE)

    def tighten(self, state: TradingState, why: str) -> None:
        """Let trading do less; never more."""
        if state > self.now:
            self._log.append(r.StateChanged(self.now, state, why[:WHY_MAX], ENGINE))

    def set(self, state: TradingState, why: str, who: str) -> None:
        """Do what an operator says."""
        self._log.append(r.StateChanged(self.now, state, why[:WHY_MAX], who))

    def release(self, strategy: str, why: str, who: str) -> None:
        """Let a strategy trade again that had repeated itself too often; an operator's word."""
        if barred(self._state, strategy):
            self._repeats.forget(strategy)
            self._log.append(r.BreakerMoved(
                name_of(strategy), Breaker.OPEN, Breaker.CLOSED, f"{who}: {why}"[:WHY_MAX]))

    def release_all(self, why: str, who: str) -> None:
        """Let every strategy trade again."""
        for name in [*self._state.breakers]:
            if strategy := strategy_in(name):
                self.release(strategy, why, who)

    def turn(self) -> None:
        """Let time pass: breakers half-open, caution cools down."""
        now_ns = self._clock.mono_ns()
        for venue, circuit in self._circuits.items():
            self._moved(venue, circuit.turn(now_ns))
        rest = self._settings.cool_down_ns
        calm = TradingState.ACTIVE < self.now <= TradingState.RESTRICTED
        if rest and calm and self._clock.unix_ns() - self._state.trading_ns >= rest:
            due = max(self._due_by_losses()[0], self._due_by_breakers())
            if due < self.now:
                self.set(due, "cooled down", ENGINE)

    def close_breakers(self) -> None:
        """Close every breaker on an operator's word."""
        for venue, circuit in self._circuits.items():
            self._moved(venue, circuit.close())

    # --- what happened to orders ---------------------------------------------------------------

    def worked(self, order: Order) -> None:
        """Note that a venue did what it was asked for."""
        self._moved(order.intent.venue,
                    self._circuits[order.intent.venue].succeeded(order.intent.order))

    def refused(self, order: Order, *, business: bool) -> None:
        """Note a refusal; ``business``: for what the order was, by a venue that works."""
        number, venue = order.intent.order, order.intent.venue
        if business:
            self._moved(venue, self._circuits[venue].answered(number))
        else:
            self.failed(order)
        if order.state is OrderState.REJECTED:
            self._repeat(strategy_of(self._state, order.intent.plan), reject=True)

    def failed(self, order: Order) -> None:
        """Note that a venue, or the way there, failed an order: its fate is not known."""
        venue = order.intent.venue
        self._moved(venue, self._circuits[venue].failed(
            self._clock.mono_ns(), order.intent.order))

    def planned(self, strategy: str) -> None:
        """Note a plan of a strategy."""
        self._repeat(strategy, reject=False)

    def _repeat(self, strategy: str, *, reject: bool) -> None:
        why = self._repeats.note(strategy, self._clock.unix_ns(), reject=reject)
        if why and not barred(self._state, strategy):
            self._log.append(r.BreakerMoved(name_of(strategy), Breaker.CLOSED, Breaker.OPEN, why))

    # --- losses --------------------------------------------------------------------------------

    def count_losses(self, plan: int, profit: int) -> None:
        """Be cautious where half of a loss limit is reached, restrict trading at the whole."""
        limit = self._settings.limits.loss_plan_max
        if -profit >= limit:
            self.tighten(
                TradingState.RESTRICTED, f"loss limit, plan {plan}: {-profit} of {limit}")
        self.tighten(*self._due_by_losses())

    def _due_by_losses(self) -> tuple[TradingState, str]:
        day, hour, row = self._state.outcomes.losses(self._clock.unix_ns())
        limits, due = self._settings.limits, (TradingState.ACTIVE, "")
        for name, number, limit in (("day", day, limits.loss_day_max),
                                    ("hour", hour, limits.loss_hour_max),
                                    ("in a row", row, limits.losses_in_row_max)):
            if number >= limit:
                return TradingState.RESTRICTED, f"loss limit, {name}: {number} of {limit}"
            if number * CAUTION >= limit and number:
                due = TradingState.CAUTIOUS, f"half a loss limit, {name}: {number} of {limit}"
        return due

    def _due_by_breakers(self) -> TradingState:
        closed = all(each.place is Breaker.CLOSED for each in self._circuits.values())
        return TradingState.ACTIVE if closed else TradingState.CAUTIOUS

    def _moved(self, venue: str, moved: Breaker | None) -> None:
        if moved is None:
            return
        before = self._state.breakers.get(venue, Breaker.CLOSED)
        failures = self._circuits[venue].failures
        self._log.append(r.BreakerMoved(venue, before, moved, f"{failures} failures in a row"))
        if moved is Breaker.OPEN:
            self.tighten(TradingState.CAUTIOUS, f"the breaker of {venue} opened")
