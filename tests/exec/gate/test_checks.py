"""exec.gate.checks: each limit refuses by name and numbers; one step inside it passes."""

from typing import Any

import pytest
from msgspec.structs import replace

from exec.gate.approval import KEPT_MAX, Approval, Gate
from exec.gate.checks import (
    REDUCING,
    Place,
    Proposal,
    Proposed,
    Purpose,
    Refusal,
    Situation,
    not_killed,
)
from exec.gate.limits import Limits
from exec.gate.review import CHECKS, review
from shm.layout import TradingState

LIMITS = Limits(
    order_notional_max=1_000, plan_notional_max=1_500, price_collar_ppm=10_000, edge_min_ppm=50,
    edge_max_ppm=5_000, profit_max=100, signal_age_ns_max=1_000, venue_gross_max=5_000,
    asset_net_max=3_000, strategy_gross_max=6_000, total_gross_max=7_000, open_orders_max=10,
    unhedged_max=500, orders_per_s_max=5, cancel_reserve_ppm=200_000, loss_day_max=300,
    loss_hour_max=100, losses_in_row_max=3, loss_plan_max=80,
    turnover_day_max=9_000, plans_open_max=4, drift_ppm_max=20_000, rejects_max=3,
    executions_max=5, repeats_window_ns=1_000, cautious_ppm=500_000)
BUY = Proposed("a", "BTC/USDT", 1, 10_000, 10, 700, "USDT", 701)
SELL = Proposed("b", "BTC/USDT", -1, 10_000, 10, 700, "BTC", 10)
PLACE = Place(touch=10_000, tick=10, lot=5, size_min=5, notional_min=100, free=10_000, tokens=9,
              reference=10_000)
GOOD = Proposal(Purpose.ENTER, "cross", (BUY, SELL), (1, 1), 0, 900, 100, 50)
CALM = Situation(500, False, TradingState.ACTIVE, (PLACE, PLACE))


def test_what_is_within_every_limit_passes_for_every_purpose() -> None:
    for purpose in Purpose:
        assert review(replace(GOOD, purpose=purpose), CALM, LIMITS) is None


def placed(**changes: Any) -> Situation:
    return replace(CALM, places=(PLACE, replace(PLACE, **changes)))


def ordered(**changes: Any) -> Proposal:
    return replace(GOOD, orders=(BUY, replace(SELL, **changes)))


# what is wrong, the refusal's check, and the nearest thing that is still right
CASES: list[tuple[Proposal | Situation, str, Proposal | Situation]] = [
    (replace(CALM, killed=True), "killed", CALM),
    (replace(CALM, trading=TradingState.RESTRICTED), "trading_state",
     replace(CALM, trading=TradingState.ACTIVE)),
    (ordered(side=0), "side", ordered(side=1)),
    (ordered(price=0), "price", GOOD), (ordered(size=-5), "size", GOOD),
    (ordered(notional=0), "notional", GOOD), (ordered(needs=0), "needs", GOOD),
    (replace(GOOD, expiry_ns=499), "expired", replace(GOOD, expiry_ns=500)),
    (replace(GOOD, seen_ns=-501), "signal_age", replace(GOOD, seen_ns=-500)),
    (replace(CALM, planned=True), "duplicate", CALM),
    (replace(CALM, strategy_paused=True), "strategy_paused", CALM),
    (placed(paused=True), "paused", CALM),
    (replace(CALM, loss_day=300), "loss_day", replace(CALM, loss_day=299)),
    (replace(CALM, loss_hour=100), "loss_hour", replace(CALM, loss_hour=99)),
    (replace(CALM, losses_in_row=3), "losses_in_row", replace(CALM, losses_in_row=2)),
    (replace(GOOD, edge_ppm=49), "edge", replace(GOOD, edge_ppm=50)),
    (replace(GOOD, edge_ppm=5_001), "too_good", replace(GOOD, edge_ppm=5_000)),
    (replace(GOOD, profit=101), "profit", replace(GOOD, profit=100)),
    (ordered(notional=1_001), "order_notional", ordered(notional=800)),
    (ordered(notional=801), "plan_notional", ordered(notional=800)),
    (replace(CALM, strategy_barred=True), "strategy_barred", CALM),
    (replace(CALM, plans_open=4), "plans_open", replace(CALM, plans_open=3)),
    (replace(CALM, turnover=7_601), "turnover", replace(CALM, turnover=7_600)),
    (replace(CALM, turnover=7_500, total_gross=101), "turnover",
     replace(CALM, turnover=7_500, total_gross=100)),
    (placed(unready="no stream"), "venue_unready", CALM),
    (placed(breaker="open"), "breaker", placed(breaker="half_open")),
    (placed(open_orders=10), "open_orders", placed(open_orders=9)),
    (placed(tokens=0), "order_rate", placed(tokens=1)),
    (placed(distrust=1), "book", CALM),
    (ordered(price=10_001), "tick", GOOD), (ordered(size=11), "lot", GOOD),
    (placed(size_min=11), "size_min", placed(size_min=10)),
    (placed(notional_min=701), "notional_min", placed(notional_min=700)),
    (placed(touch=0), "no_touch", CALM),
    (ordered(price=9_890), "collar", ordered(price=9_900)),
    (placed(reference=0), "no_reference", CALM),
    (placed(reference=10_102), "reference", placed(reference=10_101)),
    (placed(reference=9_900), "reference", placed(reference=9_901)),
    (placed(price_high=10_205, price_low=10_000), "drift",
     placed(price_high=10_204, price_low=10_000)),
    (placed(price_high=10_000, price_low=9_803), "drift",
     placed(price_high=10_000, price_low=9_804)),
    (placed(own_opposite=10_000), "self_trade", placed(own_opposite=9_999)),
    (placed(own_opposite=10_010), "self_trade", placed(own_opposite=9_990)),
    (placed(asset_net=3_001), "asset_net", placed(asset_net=3_000)),
    (placed(venue_gross=4_301), "venue_gross", placed(venue_gross=4_300)),
    (replace(CALM, strategy_gross=4_601), "strategy_gross", replace(CALM, strategy_gross=4_600)),
    (replace(CALM, total_gross=5_601), "total_gross", replace(CALM, total_gross=5_600)),
    (replace(CALM, unhedged=501), "unhedged", replace(CALM, unhedged=500)),
    (placed(free=9), "balance", placed(free=10)),
]


def test_a_half_open_breaker_takes_one_order_of_a_plan_not_two() -> None:
    both = replace(GOOD, orders=(BUY, replace(BUY, symbol="ETH/USDT")))
    places = (replace(PLACE, breaker="half_open"), replace(PLACE, breaker="half_open"))
    refusal = review(both, replace(CALM, places=places), LIMITS)
    assert refusal == Refusal("breaker", 2, 0, "a")
    assert review(GOOD, replace(CALM, places=(places[0], PLACE)), LIMITS) is None


def test_what_reduces_may_be_better_than_the_reference_and_not_worse() -> None:
    for purpose in REDUCING:
        proposal = replace(GOOD, purpose=purpose)
        assert review(proposal, placed(reference=9_000), LIMITS) is None  # sold above it
        refusal = review(proposal, placed(reference=10_102), LIMITS)
        assert refusal is not None
        assert refusal.check == "reference"


def judged(change: Proposal | Situation) -> Refusal | None:
    if isinstance(change, Proposal):
        return review(change, CALM, LIMITS)
    return review(GOOD, change, LIMITS)


@pytest.mark.parametrize(("wrong", "check", "right"), CASES, ids=[case[1] for case in CASES])
def test_each_limit_refuses_by_its_name_and_lets_the_nearest_right_thing_pass(
    wrong: Proposal | Situation, check: str, right: Proposal | Situation
) -> None:
    refusal = judged(wrong)
    assert refusal is not None
    assert refusal.check == check
    assert judged(right) is None


def test_an_asset_beyond_its_limit_may_only_come_back() -> None:
    assert review(GOOD, placed(asset_net=4_000, asset_net_before=4_100), LIMITS) is None
    assert review(GOOD, placed(asset_net=4_200, asset_net_before=4_100), LIMITS) is not None


def test_two_orders_at_one_venue_share_its_money_and_its_rate() -> None:
    both = replace(GOOD, orders=(BUY, replace(BUY, symbol="ETH/USDT")))
    short = replace(CALM, places=(replace(PLACE, free=1_401), replace(PLACE, free=1_401)))
    refusal = review(both, short, LIMITS)
    assert refusal is not None
    assert refusal.check == "balance"
    slow = replace(CALM, places=(replace(PLACE, tokens=1), replace(PLACE, tokens=1)))
    refusal = review(both, slow, LIMITS)
    assert refusal is not None
    assert refusal.check == "order_rate"


@pytest.mark.parametrize("purpose", Purpose)
def test_nothing_passes_the_kill_word_or_an_emergency(purpose: Purpose) -> None:
    proposal = replace(GOOD, purpose=purpose)
    assert CHECKS[purpose][0] is not_killed
    for at in (replace(CALM, killed=True), replace(CALM, trading=TradingState.EMERGENCY)):
        assert review(proposal, at, LIMITS) is not None


@pytest.mark.parametrize("state", TradingState)
@pytest.mark.parametrize("purpose", Purpose)
def test_trading_states_let_through_what_they_say(purpose: Purpose, state: TradingState) -> None:
    refusal = review(replace(GOOD, purpose=purpose), replace(CALM, trading=state), LIMITS)
    if state <= TradingState.CAUTIOUS:
        small = replace(GOOD, purpose=purpose, orders=(
            replace(BUY, notional=300), replace(SELL, notional=300)))
        assert review(small, replace(CALM, trading=state), LIMITS) is None
    elif state <= TradingState.HALTED:
        assert (refusal is None) == (purpose in REDUCING)
    else:
        assert refusal is not None


def test_caution_halves_what_new_risk_may_be_and_not_what_reduces() -> None:
    cautious = replace(CALM, trading=TradingState.CAUTIOUS)
    refusal = review(GOOD, cautious, LIMITS)
    assert refusal == Refusal("order_notional", 700, 500, "a BTC/USDT")
    assert review(replace(GOOD, purpose=Purpose.UNWIND), cautious, LIMITS) is None


def test_an_approval_covers_one_order_of_one_life_under_one_set_of_limits() -> None:
    gate = Gate(LIMITS, life=3)
    approvals = gate.judge(GOOD, CALM)
    assert isinstance(approvals, tuple)
    first, second = approvals
    assert not gate.admits(first, SELL, Purpose.ENTER)
    assert not gate.admits(first, replace(BUY, size=15), Purpose.ENTER)
    assert not gate.admits(first, replace(BUY, price=10_010), Purpose.ENTER)
    assert not gate.admits(first, replace(BUY, needs=1), Purpose.ENTER)
    assert not gate.admits(first, BUY, Purpose.UNWIND)
    assert not Gate(LIMITS, life=4).admits(first, BUY, Purpose.ENTER)
    assert gate.admits(first, BUY, Purpose.ENTER)
    gate.reload(replace(LIMITS, order_notional_max=10))
    assert not gate.admits(second, SELL, Purpose.ENTER)
    assert not first.redeem(BUY, Purpose.ENTER)  # under limits that are gone
    assert isinstance(gate.judge(GOOD, CALM), Refusal)


def test_an_approval_is_admitted_once_then_redeemed_once_for_its_own_order() -> None:
    gate = Gate(LIMITS, life=3)
    approvals = gate.judge(GOOD, CALM)
    assert isinstance(approvals, tuple)
    first, _ = approvals
    assert not first.redeem(BUY, Purpose.ENTER)  # the sender was not asked
    assert gate.admits(first, BUY, Purpose.ENTER)
    assert not gate.admits(first, BUY, Purpose.ENTER)
    assert not first.redeem(replace(BUY, size=15), Purpose.ENTER)
    assert first.redeem(BUY, Purpose.ENTER)
    assert not first.redeem(BUY, Purpose.ENTER)
    assert not gate.admits(first, BUY, Purpose.ENTER)


def test_a_forged_approval_does_not_pass() -> None:
    gate = Gate(LIMITS, life=3)
    approvals = gate.judge(GOOD, CALM)
    assert isinstance(approvals, tuple)
    first, _ = approvals
    for forged in (replace(first), replace(first, token=first.token ^ 1),
                   Approval(1, 3, 1, BUY, Purpose.ENTER)):
        assert not gate.admits(forged, BUY, Purpose.ENTER)
        assert not forged.redeem(BUY, Purpose.ENTER)


def test_the_oldest_approvals_are_forgotten_so_that_the_table_is_bounded() -> None:
    gate = Gate(LIMITS, life=3)
    first = gate.judge(GOOD, CALM)
    assert isinstance(first, tuple)
    for _ in range(KEPT_MAX // 2):
        newest = gate.judge(GOOD, CALM)
    assert not gate.admits(first[0], BUY, Purpose.ENTER)
    assert isinstance(newest, tuple)
    assert gate.admits(newest[1], SELL, Purpose.ENTER)
