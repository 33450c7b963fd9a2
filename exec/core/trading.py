"""Trading state and breakers: raised by what happens, lowered by an operator or a cool-down."""

from exec import records as r
from exec.core import ports as p
from exec.core.settings import Settings
from exec.core.situations import losses
from exec.gate.breakers import Breaker, Circuit
from exec.state import State
from shm.layout import TradingState


class Trading:
    """Moves the trading state and the venues' breakers, each time with a record and a reason."""

    def __init__(
        self, log: p.Log, state: State, circuits: dict[str, Circuit], clock: p.Clock,
        settings: Settings,
    ) -> None:
        self._log, self._state, self._circuits = log, state, circuits
        self._clock, self._settings = clock, settings

    @property
    def now(self) -> TradingState:
        """Return the state in force."""
        return TradingState(self._state.trading or TradingState.ACTIVE)

    def tighten(self, state: TradingState, why: str) -> None:
        """Let trading do less; never more."""
        if state > self.now:
            self._log.append(r.StateChanged(self.now, state, why[:300], "engine"))

    def set(self, state: TradingState, why: str, who: str) -> None:
        """Do what an operator says."""
        self._log.append(r.StateChanged(self.now, state, why[:300], who))

    def turn(self) -> None:
        """Let time pass: breakers half-open, caution cools down."""
        now_ns = self._clock.mono_ns()
        for venue, circuit in self._circuits.items():
            self._moved(venue, circuit.turn(now_ns))
        rest = self._settings.cool_down_ns
        calm = TradingState.ACTIVE < self.now <= TradingState.RESTRICTED
        if rest and calm and self._clock.unix_ns() - self._state.trading_ns >= rest:
            self.set(TradingState.ACTIVE, "cooled down", "engine")

    def close_breakers(self) -> None:
        """Close every breaker on an operator's word."""
        for venue, circuit in self._circuits.items():
            self._moved(venue, circuit.close())

    def note(self, venue: str, *, good: bool) -> None:
        """Let a venue's breaker know how an order went."""
        circuit = self._circuits[venue]
        self._moved(venue, circuit.succeeded() if good else circuit.failed(self._clock.mono_ns()))

    def count_losses(self) -> None:
        """Restrict trading where a loss limit is reached."""
        day, hour, row = losses(self._state.outcomes, self._clock.unix_ns())
        limits = self._settings.limits
        for name, number, limit in (("day", day, limits.loss_day_max),
                                    ("hour", hour, limits.loss_hour_max),
                                    ("in a row", row, limits.losses_in_row_max)):
            if number >= limit:
                self.tighten(
                    TradingState.RESTRICTED, f"loss limit, {name}: {number} of {limit}")

    def _moved(self, venue: str, moved: Breaker | None) -> None:
        if moved is not None:
            before = self._state.breakers.get(venue, Breaker.CLOSED)
            failures = self._circuits[venue].failures
            self._log.append(r.BreakerMoved(venue, before, moved, f"{failures} failures in a row"))
