"""exec.core.recovery: what was to halt trading halts it, though the process died before it did."""

import pytest

from exec import records as r
from shm.layout import TradingState
from tests.exec.core.rig import SYMBOL, Rig


def overfilled(*, cut: type[r.Record]) -> Rig:
    """Return a life that died after its last record of a kind, and the life that follows it."""
    rig = Rig()
    rig.signal(100)
    rig.fill(rig.last("a"), 110)
    kinds = [type(r.decode(each.payload)) for each in rig.stored]
    last = max(at for at, kind in enumerate(kinds) if kind is cut)
    return Rig(rig.stored[: last + 1], now_ns=rig.now_ns)


@pytest.mark.parametrize("cut", [r.Filled, r.Odd, r.StateChanged])
def test_an_overfill_halts_wherever_the_process_died(cut: type[r.Record]) -> None:
    rig = overfilled(cut=cut)
    assert rig.trading() is TradingState.HALTED
    assert "filled 110 of 100" in rig.records(r.StateChanged)[-1].why
    assert rig.state.alarm == ""


def test_an_operator_who_lets_it_go_on_is_not_asked_twice() -> None:
    rig = overfilled(cut=r.StateChanged)
    rig.core.resume(TradingState.ACTIVE, "looked at", "operator")
    assert Rig(rig.stored, now_ns=rig.now_ns).trading() is TradingState.ACTIVE


def test_a_stranger_halts_the_next_life_too() -> None:
    rig = Rig()
    rig.append(r.Foreign("a", SYMBOL, "v9", "", "not ours"))
    assert Rig(rig.stored, now_ns=rig.now_ns).trading() is TradingState.HALTED
