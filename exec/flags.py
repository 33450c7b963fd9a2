"""The operator's and the supervisor's word, straight from shared memory."""

from collections.abc import Sequence

from engine.model.instrument import Instrument
from shm.board import ControlView, InstrumentTable
from shm.layout import (
    ENGINE,
    INSTRUMENT,
    STRATEGY_FLAG,
    VENUE_FLAG,
    EngineState,
    Strategy,
    TradingState,
    word_of,
)
from shm.words import reader


class RunFlags:
    """Implements ``exec.core.ports.Flags`` over the control segment and the instruments."""

    def __init__(
        self, control: ControlView, rows: InstrumentTable, table: Sequence[Instrument]
    ) -> None:
        self._engine, self._read = control.engine, reader()
        self._control, self._rows = control.words, rows.words
        self._kill, self._paused = (
            control.engine.base + word_of(ENGINE, name) for name in ("kill", "paused"))
        venue, symbol = word_of(VENUE_FLAG, "enabled"), word_of(INSTRUMENT, "enabled")
        self._places = {  # where both words are that let an instrument trade
            (each.venue, each.name): (control.venues[each.venue_index].base + venue,
                                      rows[each.index].base + symbol) for each in table}
        strategy = word_of(STRATEGY_FLAG, "enabled")
        self._strategies = {
            each.name.lower(): control.strategies[each].base + strategy for each in Strategy}

    def killed(self) -> bool:
        """Return whether the kill word is set."""
        return self._read(self._control, self._kill) != 0

    def kill(self) -> None:
        """Set the kill word, as whoever maps it may; control alone takes it back."""
        self._engine["kill"] = 1

    def paused(self, venue: str, symbol: str, strategy: str) -> tuple[bool, bool]:
        """Return whether the place, and whether the strategy, is paused."""
        read, control = self._read, self._control
        at_venue, at_symbol = self._places[venue, symbol]
        place = not (read(control, at_venue) and read(self._rows, at_symbol))
        enabled = self._strategies.get(strategy)
        return place, enabled is not None and bool(
            read(control, self._paused) or not read(control, enabled))

    def engine_says(self) -> TradingState:
        """Return the state that control demands: at least this strict is trading."""
        if self._engine["kill"]:
            return TradingState.EMERGENCY
        if self._engine["state"] == EngineState.HALTED:
            return TradingState.HALTED
        return TradingState(self._engine["trading_state"])
