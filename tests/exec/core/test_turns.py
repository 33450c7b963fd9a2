"""exec.core.turns: the riskier leg goes alone, and the second for exactly what it filled."""

from typing import Any

from exec import records as r
from exec.core import ports as p
from exec.state.orders import State as OrderState
from shm.layout import TradingState
from tests.exec.core.rig import BID, MS, SYMBOL, Rig, S

FIRST = "riskier-first"


def alone(**changes: Any) -> Rig:
    """Return a rig in which the buying leg, at a, went first: its book is the thinner one."""
    rig = Rig(order=FIRST, **changes)
    rig.depths["a", SYMBOL] = 200
    rig.signal()
    assert [len(rig.venues[name].placed) for name in "ab"] == [1, 0]
    return rig


def test_legs_that_go_together_leave_at_once() -> None:
    rig = Rig(order="together")
    rig.signal()
    assert [len(rig.venues[name].placed) for name in "ab"] == [1, 1]


def test_the_leg_with_the_thinner_book_goes_first() -> None:
    rig = Rig(order=FIRST)
    rig.depths["b", SYMBOL] = 150
    rig.signal()
    assert [len(rig.venues[name].placed) for name in "ab"] == [0, 1]


def test_a_venue_that_failed_goes_before_one_with_a_thinner_book() -> None:
    rig = Rig(order=FIRST)
    rig.depths["a", SYMBOL] = 150
    rig.signal()  # a goes first
    rig.end(rig.last("a"))
    rig.signal(buy="b", sell="a")  # a again: and now b fails
    rig.fill(rig.last("a"), 100)
    rig.tell(p.Lost("b", rig.last("b").client_id, "place", "503"))
    placed = [len(rig.venues[name].placed) for name in "ab"]
    assert rig.signal(buy="b", sell="a") is None
    assert [len(rig.venues[name].placed) for name in "ab"] == [placed[0], placed[1] + 1]


def test_a_venue_that_answers_twice_as_slowly_goes_first() -> None:
    rig = Rig(order="together")
    rig.signal()
    rig.now_ns += 10 * MS
    rig.accept(rig.last("a"))
    rig.now_ns += 20 * MS
    rig.accept(rig.last("b"))
    for name in "ab":
        rig.end(rig.last(name))
    rig.core._settings = rig.settings = Rig(order=FIRST).settings  # noqa: SLF001
    rig.depths["a", SYMBOL] = 150
    rig.signal()
    assert [len(rig.venues[name].placed) for name in "ab"] == [1, 2]


def test_each_fill_of_the_first_leg_is_hedged_at_once_by_exactly_its_size() -> None:
    rig = alone()
    first = rig.last("a")
    rig.accept(first)
    rig.fill(first, 40)
    assert [each.size for each in rig.venues["b"].placed] == [40]
    hedge = rig.last("b")
    rig.fill(hedge, 40)
    rig.end(hedge, "filled")
    rig.fill(first, 60)
    assert [each.size for each in rig.venues["b"].placed] == [40, 60]
    rig.fill(rig.last("b"), 60)
    assert not rig.state.open_plans
    assert rig.state.plans[first.plan].closed == r.PlanClosed(
        first.plan, "done", 0, rig.state.plans[first.plan].profit_micro)


def test_what_fills_while_a_hedge_is_under_way_goes_with_the_next_one() -> None:
    rig = alone()
    first = rig.last("a")
    rig.fill(first, 40)
    rig.fill(first, 20)
    rig.fill(first, 10)
    assert [each.size for each in rig.venues["b"].placed] == [40]
    rig.fill(rig.last("b"), 40)
    assert [each.size for each in rig.venues["b"].placed] == [40, 30]


def test_a_fill_hours_after_the_first_leg_ended_is_hedged_still() -> None:
    rig = alone()
    first = rig.last("a")
    rig.end(first)
    assert rig.state.plans[first.plan].closed is not None
    rig.now_ns += 3_600 * S
    rig.fill(first, 50)
    assert [each.size for each in rig.venues["b"].placed] == [50]


def test_nothing_filled_means_that_the_second_leg_never_goes() -> None:
    rig = alone()
    rig.tell(p.Denied("a", rig.last("a").client_id, "-2010", "no"))
    assert not rig.venues["b"].placed
    assert [plan.closed.outcome for plan in rig.state.plans.values() if plan.closed] == ["missed"]


def test_no_second_hedge_goes_out_beside_one_in_doubt() -> None:
    rig = alone()
    first = rig.last("a")
    rig.fill(first, 40)
    rig.tell(p.Lost("b", rig.last("b").client_id, "place", "no answer"))
    rig.fill(first, 60)
    rig.end(first, "filled")
    assert len(rig.venues["b"].placed) == 1
    assert rig.order(rig.last("b")).state is OrderState.UNKNOWN


def test_the_second_leg_keeps_to_its_collar_and_the_deadline_halts() -> None:
    rig = alone(policy="chase", collar_ppm=1_000, plan_deadline_ns=1 * S)
    rig.touches["b", SYMBOL] = (BID * 99 // 100, BID * 99 // 100 + 100)
    rig.touches["a", SYMBOL] = rig.touches["b", SYMBOL]  # neither leg can be had within it
    first = rig.last("a")
    rig.fill(first, 100)
    rig.wait(500 * MS)
    assert not rig.venues["b"].placed
    rig.wait(600 * MS)
    assert [each.now for each in rig.records(r.StateChanged)] == [TradingState.HALTED]
    assert len(rig.state.open_plans) == 1


def test_the_policy_to_unwind_counts_only_once_the_second_leg_failed() -> None:
    rig = alone(policy="unwind")
    first = rig.last("a")
    rig.fill(first, 100)
    assert [each.purpose for each in rig.venues["b"].placed] == ["chase"]
    rig.tell(p.Denied("b", rig.last("b").client_id, "-2010", "no"))
    assert [each.purpose for each in rig.venues["a"].placed] == ["enter", "unwind"]


def test_what_the_second_leg_will_need_is_kept_for_it() -> None:
    rig = Rig(order=FIRST)
    rig.append(r.Counted("b", "BTC", "0.00105", "0", "query"))
    rig.depths["a", SYMBOL] = 200
    assert rig.signal(100) is None  # 0.001 BTC at b, and its fee
    refused = rig.signal(100)
    assert refused is not None
    assert (refused.check, refused.where) == ("balance", "b BTC")
    rig.fill(rig.venues["a"].placed[0], 100)
    assert [each.size for each in rig.venues["b"].placed] == [100]  # its own money is not refused
