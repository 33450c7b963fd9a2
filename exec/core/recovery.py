"""A new life: the journal replayed, a record of the birth, and every open question asked."""

from collections.abc import Iterable

from exec import records as r
from exec.core import ports as p
from exec.core.settings import Settings
from exec.journal.file import Record
from exec.state.orders import State as OrderState
from exec.state.state import ENGINE, State
from shm.layout import TradingState


def replay(journal: Iterable[Record]) -> State:
    """Return the state that records make; raise msgspec.DecodeError for foreign ones."""
    state = State()
    for each in journal:
        state.apply(r.decode(each.payload), each.unix_ns)
    return state


def begin(
    log: p.Log, state: State, settings: Settings, listed: Iterable[r.Listed], *, unix_ns: int,
    pid: int,
) -> None:
    """Write the birth of a life; what the last one left unanswered is in doubt from now on."""
    log.append(r.Opened(
        r.SCHEMA, settings.engine, settings.mode, state.birth or unix_ns // 10**9, state.life + 1,
        settings.config, pid))
    for each in listed:
        log.append(each)
    for number, order in [*state.live.items()]:
        if order.state in (OrderState.INTENDED, OrderState.SENT, OrderState.CANCELLING):
            log.append(r.Doubted(number, "the last life ended before its answer"))
    if state.alarm:
        log.append(r.StateChanged(
            state.trading or TradingState.ACTIVE, TradingState.HALTED,
            f"{state.alarm}; the last life ended before it halted", ENGINE))
