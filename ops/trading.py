"""The trading state in force: the stricter of control's word and execution's own, with who and why.

Both stand in shared memory and in small files of the run folder, so no process is asked.
"""

from dataclasses import dataclass
from typing import Final

import msgspec

from engine.control.protocol import KILL_FILE, STANDING_FILE
from ops.portfolio import Portfolio
from shm.board import ControlView
from shm.layout import TradingState
from shm.segment import RunFolder

_KILLED_BY: Final = "kill word"
_CONTROL: Final = "control"


@dataclass(frozen=True, slots=True)
class TradingWord:
    """What execution may do; ``who`` set it and ``why``: both empty where nobody did."""

    state: TradingState
    who: str = ""
    why: str = ""


class _Halt(msgspec.Struct):
    """What is wanted of control's file of standing orders."""

    halt_reason: str = ""


def trading_word(
    run: RunFolder, control: ControlView, portfolio: Portfolio | None
) -> TradingWord:
    """Return the trading state that counts."""
    return stricter(_control_word(run, control), portfolio)


def stricter(control: TradingWord, portfolio: Portfolio | None) -> TradingWord:
    """Return the word that allows less; of two alike the one that says why."""
    if portfolio is None or portfolio.trading_state < control.state:
        return control
    if portfolio.trading_state == control.state and control.why:
        return control
    return TradingWord(portfolio.trading_state, portfolio.who, portfolio.why)


def _control_word(run: RunFolder, control: ControlView) -> TradingWord:
    """Return control's word, with the reason from the file that outlives it."""
    state = TradingState(control.engine["trading_state"])
    if state is TradingState.ACTIVE:
        return TradingWord(state)
    if control.engine["kill"]:
        return TradingWord(state, _KILLED_BY, _left_in(run, KILL_FILE))
    try:
        halt = msgspec.json.decode(_left_in(run, STANDING_FILE), type=_Halt)
    except msgspec.DecodeError:
        halt = _Halt()
    return TradingWord(state, _CONTROL, halt.halt_reason)


def _left_in(run: RunFolder, name: str) -> str:
    """Return what stands in a small file of the run folder, "" where there is none to read."""
    try:
        return run.file(name).read_text(errors="replace")
    except OSError:
        return ""
