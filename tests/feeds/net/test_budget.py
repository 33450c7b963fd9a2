"""Budgets and back-offs: pure numbers, so every wait is checked exactly."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.net.budget import NS_PER_S, Backoff, Budget


def test_a_full_bucket_gives_its_burst_at_once_and_then_one_per_interval() -> None:
    budget = Budget(per_second=2.0, burst=3)
    now = 50 * NS_PER_S
    assert [budget.take(now) for _ in range(5)] == [0, 0, 0, NS_PER_S // 2, NS_PER_S // 2]
    assert budget.take(now + NS_PER_S // 2) == 0
    assert budget.take(now + NS_PER_S // 2) == NS_PER_S // 2


@given(
    per_second=st.floats(0.1, 1000.0), burst=st.integers(1, 20),
    steps=st.lists(st.integers(0, NS_PER_S), max_size=60),
)
def test_no_second_ever_sees_more_than_rate_and_burst(
    per_second: float, burst: int, steps: list[int]
) -> None:
    budget, now, taken = Budget(per_second=per_second, burst=burst), 0, []
    for step in steps:
        now += step
        if budget.take(now) == 0:
            taken.append(now)
    for at in taken:
        assert sum(at <= other < at + NS_PER_S for other in taken) <= per_second + burst + 1


def test_who_waits_as_told_gets_a_token() -> None:
    budget, now = Budget(per_second=3.0), 0
    for _ in range(50):
        now += budget.take(now)
        assert budget.take(now) in (0, round(NS_PER_S / 3))


def test_nothing_is_given_out_while_the_venue_wants_silence() -> None:
    budget = Budget(per_second=100.0, burst=10)
    budget.hold(7 * NS_PER_S)
    assert budget.take(0) == 7 * NS_PER_S
    budget.hold(3 * NS_PER_S)
    assert budget.take(6 * NS_PER_S) == NS_PER_S
    assert budget.take(7 * NS_PER_S) == 0


@pytest.mark.parametrize("seed", range(20))
def test_every_delay_lies_below_a_bound_that_doubles_up_to_the_greatest(seed: int) -> None:
    backoff = Backoff(Random(seed), min_ns=100, max_ns=1_000)
    for bound in (100, 200, 400, 800, 1_000, 1_000, 1_000):
        assert 0 <= backoff.next_ns() <= bound
    backoff.reset()
    assert backoff.next_ns() <= 100


def test_delays_fill_the_whole_range_and_follow_the_seed() -> None:
    def delays(seed: int) -> list[int]:
        backoff = Backoff(Random(seed), min_ns=1_000, max_ns=1_000)
        return [backoff.next_ns() for _ in range(200)]

    assert delays(1) == delays(1) != delays(2)
    assert min(delays(1)) < 100
    assert max(delays(1)) > 900
