"""The operator's and the supervisor's word, straight from shared memory."""

from collections.abc import Sequence

from engine.model.instrument import Instrument
from shm.board import ControlView, InstrumentTable
from shm.layout import EngineState, Strategy, TradingState


class RunFlags:
    """Implements ``exec.core.ports.Flags`` over the control segment and the instruments."""

    def __init__(
        self, control: ControlView, rows: InstrumentTable, table: Sequence[Instrument]
    ) -> None:
        self._engine = control.engine
        self._venues = {each.venue: control.venues[each.venue_index] for each in table}
        self._symbols = {(each.venue, each.name): rows[each.index] for each in table}
        self._strategies = {
            each.name.lower(): control.strategies[each] for each in Strategy}

    def killed(self) -> bool:
        """Return whether the kill word is set."""
        return self._engine["kill"] != 0

    def kill(self) -> None:
        """Set the kill word, as whoever maps it may; control alone takes it back."""
        self._engine["kill"] = 1

    def paused(self, venue: str, symbol: str, strategy: str) -> tuple[bool, bool]:
        """Return whether the place, and whether the strategy, is paused."""
        place = not (self._venues[venue]["enabled"] and self._symbols[venue, symbol]["enabled"])
        row = self._strategies.get(strategy)
        return place, row is not None and bool(self._engine["paused"] or not row["enabled"])

    def engine_says(self) -> TradingState:
        """Return the state that control demands: at least this strict is trading."""
        if self._engine["kill"]:
            return TradingState.EMERGENCY
        if self._engine["state"] == EngineState.HALTED:
            return TradingState.HALTED
        return TradingState(self._engine["trading_state"])
