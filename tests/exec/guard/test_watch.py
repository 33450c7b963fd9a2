"""exec.guard.watch: it acts on what is dead, hung or killed, and never on what is well."""

import pytest

from exec.guard.watch import TICK_NS, Sight, Watch
from shm.layout import ProcessState as S

AFTER_NS = 3_000_000_000


class Clocked:
    """A watch and what it is shown, in ticks."""

    def __init__(self) -> None:
        self.watch, self.now_ns, self.beat = Watch(AFTER_NS), 10**12, 1
        self.whys: list[str] = []

    def ticks(
        self, seconds: float, state: S = S.READY, *, beats: bool = True, killed: bool = False,
        maybe_open: bool = True,
    ) -> str:
        """Let time pass; return the first reason there was."""
        first = ""
        for _ in range(round(seconds * 1e9 / TICK_NS)):
            self.now_ns += TICK_NS
            self.beat += beats
            first = first or self.watch.look(
                Sight(state, self.beat, killed, maybe_open), self.now_ns)
        return first


def test_execution_that_is_well_is_left_alone_even_when_killed() -> None:
    assert Clocked().ticks(60, killed=True) == ""


@pytest.mark.parametrize(("state", "beats", "why"), [
    (S.READY, False, "execution hangs for more than 3 s"),
    (S.GONE, False, "execution is gone for more than 3 s"),
    (S.STARTING, True, "execution is starting for more than 3 s"),
])
def test_dead_or_hung_for_too_long_is_a_reason_and_for_less_is_none(
    state: S, beats: bool, why: str
) -> None:
    seen = Clocked()
    assert seen.ticks(1) == ""
    assert seen.ticks(2.9, state, beats=beats) == ""
    assert seen.ticks(0.3, state, beats=beats) == why
    assert seen.ticks(1) == ""


def test_a_restart_in_time_begins_the_patience_anew() -> None:
    seen = Clocked()
    seen.ticks(1)
    for _ in range(5):
        assert seen.ticks(2, S.GONE, beats=False) == ""
        assert seen.ticks(0.2) == ""


def test_the_first_start_may_take_as_long_as_it_likes() -> None:
    seen = Clocked()
    assert seen.ticks(100, S.STARTING) == ""
    assert seen.ticks(1, S.GIVEN_UP) == "execution was given up"


def test_where_no_order_can_rest_there_is_nothing_to_do_but_for_a_kill() -> None:
    seen = Clocked()
    seen.ticks(1)
    assert seen.ticks(10, S.GONE, beats=False, maybe_open=False) == ""
    assert seen.ticks(1, S.GONE, beats=False, maybe_open=False, killed=True) == (
        "killed while execution is gone")


def test_a_kill_does_not_wait_for_the_patience() -> None:
    seen = Clocked()
    seen.ticks(1)
    assert seen.ticks(0.4, beats=False, killed=True) == ""
    assert seen.ticks(0.2, beats=False, killed=True) == "killed while execution hangs"


def test_time_in_which_the_guard_itself_slept_proves_nothing() -> None:
    seen = Clocked()
    seen.ticks(1)
    seen.now_ns += 60 * 10**9
    assert seen.ticks(0.1, beats=False) == ""
    assert seen.ticks(1) == ""
