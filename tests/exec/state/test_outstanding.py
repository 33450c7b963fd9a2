"""exec.state.outstanding, outcomes: sums that move with each record are the sums counted anew."""

import random

import pytest

from bench.histories.campaign import lived
from bench.histories.twin import counted_anew, sums_of
from exec import records as r
from exec.state.outcomes import DAY, KEPT_MAX, MINUTE_NS, Earned, Losses, Outcomes
from tests.exec.state.test_state import BTC, fresh, intent, random_history

MINUTE = 60_000_000_000


@pytest.mark.parametrize("seed", range(20))
def test_sums_are_those_of_all_orders_after_every_record(seed: int) -> None:
    state, moved = fresh(), 0
    state.apply(r.Planned(0, 1, 1, 1, (r.Leg(*BTC, 1, 60_000, 5, 60_100),), "best", (), 9, 0), 0)
    for number, record in enumerate(random_history(seed)):
        state.apply(record, number)
        assert sums_of(state) == counted_anew(state), record
        moved += bool(state.outstanding.whole.get("USDT"))
    assert moved > 100


def test_sums_follow_plans_and_their_fills_through_a_whole_history() -> None:
    state = lived(4).state
    assert sums_of(state) == counted_anew(state)
    assert any(plan.flows for plan in state.plans.values())


def test_an_instrument_that_is_counted_anew_is_summed_anew() -> None:
    state = fresh()
    state.apply(intent(1, size=10), 1)
    before = state.outstanding.whole["USDT"]
    listed = state.listed[BTC]
    state.apply(r.Listed(*BTC, listed.native, listed.base, listed.quote, "",
                         listed.price_decimals + 1, listed.size_decimals), 2)
    assert state.outstanding.whole["USDT"] * 10 == before
    state.apply(r.Unsent(1, "w"), 3)
    assert sums_of(state) == counted_anew(state)
    assert not any(state.outstanding.whole.values())


def plainly(results: list[tuple[int, int]], now: int) -> Losses:
    """Sum by whole minutes, the slow way."""
    def lost(since: int) -> int:
        return max(0, -sum(profit for at, profit in results if at // MINUTE >= since))

    row = 0
    for _, profit in reversed(results):
        if profit > 0:
            break
        row += profit < 0
    minute = now // MINUTE
    return Losses(lost(minute - minute % DAY), lost(minute - 60), row)


@pytest.mark.parametrize("seed", range(10))
def test_losses_are_those_of_the_utc_day_and_the_last_hour(seed: int) -> None:
    draw, outcomes, results, now = random.Random(seed), Outcomes(), list[tuple[int, int]](), 10**18
    for _ in range(3_000):
        now += draw.choice((0, 1, MINUTE // 3, 5 * MINUTE, 40 * MINUTE))
        results.append((now, draw.choice((-3, -2, 0, 0, 1, 3))))
        outcomes.add(*results[-1])
        later = now + draw.choice((0, MINUTE, 61 * MINUTE, 1_441 * MINUTE))
        assert outcomes.losses(later) == plainly(results, later)


def test_what_was_earned_has_its_sign_and_a_whole() -> None:
    outcomes = Outcomes()
    for at, profit in ((10**18, 7), (10**18 + 90 * MINUTE, -2), (10**18 + 90 * MINUTE, -1)):
        outcomes.add(at, profit)
    assert outcomes.earned(10**18 + 90 * MINUTE) == Earned(4, 4, -3, 2)
    assert outcomes.losses(10**18 + 90 * MINUTE) == Losses(0, 3, 2)


def test_losses_before_a_clock_was_set_back_count_from_then() -> None:
    outcomes = Outcomes()
    outcomes.add(10**18 + 10_000 * MINUTE, -7)
    outcomes.add(10**18, -2)
    assert outcomes.losses(10**18) == Losses(9, 9, 2)
    assert outcomes.losses(10**18 + 61 * MINUTE) == Losses(9, 0, 2)
    assert outcomes.losses(10**18 + 1_440 * MINUTE) == Losses(0, 0, 2)


def test_years_of_results_are_kept_in_bounded_room() -> None:
    outcomes = Outcomes()
    for minute in range(5 * KEPT_MAX):
        outcomes.add(minute * MINUTE_NS, -1)
    assert outcomes.losses(5 * KEPT_MAX * MINUTE_NS) == Losses(0, 60, 5 * KEPT_MAX)
    assert len(outcomes) <= 2 * KEPT_MAX
