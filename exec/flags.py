"""The operator's and the supervisor's word, straight from shared memory."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Final

from engine.model.instrument import Instrument
from shm.atomics import Words, load_acquire
from shm.board import ControlView, InstrumentTable
from shm.jit import entry, hot
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
from shm.text import INT, WORDS
from shm.words import reader

NOWHERE: Final = -1
_PAUSED: Final = ((False, False), (True, False), (False, True), (True, True))


class RunFlags:
    """Implements ``exec.core.ports.Flags`` over the control segment and the instruments."""

    def __init__(
        self, control: ControlView, rows: InstrumentTable, table: Sequence[Instrument]
    ) -> None:
        self._engine, self._read, self._look = control.engine, reader(), _entry()
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
        at_venue, at_symbol = self._places[venue, symbol]
        return _PAUSED[self._look(self._control, self._rows, at_venue, at_symbol, self._paused,
                                  self._strategies.get(strategy, NOWHERE))]

    def engine_says(self) -> TradingState:
        """Return the state that control demands: at least this strict is trading."""
        if self._engine["kill"]:
            return TradingState.EMERGENCY
        if self._engine["state"] == EngineState.HALTED:
            return TradingState.HALTED
        return TradingState(self._engine["trading_state"])


@hot
def _look(
    control: Words, rows: Words, venue: int, symbol: int, paused: int, strategy: int
) -> int:
    """Return 1 where a place is paused, plus 2 where a strategy is: all are, or that one."""
    place = load_acquire(control, venue) == 0 or load_acquire(rows, symbol) == 0
    if strategy < 0:
        return 1 if place else 0
    held = load_acquire(control, paused) != 0 or load_acquire(control, strategy) == 0
    return (1 if place else 0) + (2 if held else 0)


@cache
def _entry() -> Callable[..., int]:
    return entry(_look, WORDS, WORDS, *(INT,) * 4)
