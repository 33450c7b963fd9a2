"""exec.core.trading: what tightens trading, what lets it go on, and what a restart remembers."""

from typing import Any

from exec import records as r
from exec.core import ports as p
from exec.gate.checks import Refusal
from shm.layout import TradingState
from tests.exec.core.rig import START_NS, SYMBOL, Rig, S

HOUR = 3_600 * S
DAY = 24 * HOUR
USD = 10**6


def lose(rig: Rig, usd: int) -> None:
    """Make a plan that loses so much: bought at the ask, sold so much lower, no fees."""
    assert rig.signal(100) is None
    bought, sold = rig.last("a"), rig.last("b")
    rig.fill(bought, 100)
    rig.fill(sold, 100, price=bought.price - usd * 100_000)  # of 0.001 BTC
    assert not rig.state.open_plans


def again(rig: Rig, wait_ns: int = S, **changes: Any) -> Rig:
    """Kill the process and start it anew, after a while."""
    limits = {name: getattr(rig.settings.limits, name)
              for name in rig.settings.limits.__struct_fields__}
    settings = {name: getattr(rig.settings, name)
                for name in ("cool_down_ns", "breaker_failures_max", "breaker_open_ns")}
    return Rig(rig.stored, now_ns=rig.now_ns + wait_ns, **{**limits, **settings, **changes})


def check(refusal: Refusal | int | None) -> str:
    return refusal.check if isinstance(refusal, Refusal) else ""


# --- losses ------------------------------------------------------------------------------------


def test_half_a_loss_limit_makes_cautious_and_the_whole_restricts_with_its_numbers() -> None:
    rig = Rig(loss_day_max=10 * USD)
    lose(rig, 4)
    assert rig.trading() == TradingState.ACTIVE
    lose(rig, 1)
    assert rig.trading() == TradingState.CAUTIOUS
    lose(rig, 5)
    assert rig.trading() == TradingState.RESTRICTED
    assert [(each.now, each.why, each.who) for each in rig.records(r.StateChanged)] == [
        (TradingState.CAUTIOUS, "half a loss limit, day: 5000000 of 10000000", "engine"),
        (TradingState.RESTRICTED, "loss limit, day: 10000000 of 10000000", "engine")]


def test_caution_shrinks_what_new_plans_may_be() -> None:
    rig = Rig(loss_day_max=10 * USD, order_notional_max=100 * USD)
    lose(rig, 5)
    assert rig.trading() == TradingState.CAUTIOUS
    assert rig.signal(100) is None
    assert rig.last("a").size == 80  # 50 USD of 60001 USD per BTC, in lots of 0.0001


def test_a_crash_resets_no_loss_and_no_state() -> None:
    rig = Rig(loss_day_max=10 * USD, loss_hour_max=10 * USD)
    lose(rig, 10)
    born = again(rig)
    assert born.trading() == TradingState.RESTRICTED
    assert check(born.signal()) == "trading_state"
    born.core.resume(TradingState.ACTIVE, "seen", "ann")
    assert born.signal() == Refusal("loss_day", 10 * USD, 10 * USD)


def test_the_day_rolls_at_midnight_utc_and_the_hour_does_not() -> None:
    midnight = START_NS // DAY * DAY + DAY
    rig = Rig(loss_day_max=10 * USD, loss_hour_max=20 * USD, now_ns=midnight - 60 * S)
    lose(rig, 10)
    rig.core.resume(TradingState.ACTIVE, "seen", "ann")
    assert check(rig.signal()) == "loss_day"
    rig = again(rig, 61 * S)
    assert rig.signal() is None
    before = Rig(loss_day_max=20 * USD, loss_hour_max=10 * USD, now_ns=midnight - 60 * S)
    lose(before, 10)
    before.core.resume(TradingState.ACTIVE, "seen", "ann")
    after = again(before, 61 * S)
    assert check(after.signal()) == "loss_hour"
    after.now_ns += HOUR
    assert after.signal() is None


def test_a_streak_goes_on_over_a_restart_and_a_win_ends_it() -> None:
    rig = Rig(losses_in_row_max=3)
    lose(rig, 1)
    rig = again(rig)
    lose(rig, 1)
    rig = again(rig)
    lose(rig, -1)
    lose(rig, 1)
    assert rig.trading() < TradingState.RESTRICTED
    rig = again(rig)
    lose(rig, 1)
    rig = again(rig)
    lose(rig, 1)
    assert rig.trading() == TradingState.RESTRICTED
    assert rig.records(r.StateChanged)[-1].why == "loss limit, in a row: 3 of 3"


def test_an_operator_who_looked_begins_a_streak_anew_and_a_restart_knows() -> None:
    rig = Rig(losses_in_row_max=3)
    for _ in range(3):
        lose(rig, 1)
    assert check(rig.signal()) == "trading_state"
    rig.core.resume(TradingState.ACTIVE, "seen", "ann")
    lose(rig, 1)
    rig = again(rig)
    lose(rig, 1)
    assert rig.trading() == TradingState.CAUTIOUS
    lose(rig, 1)
    assert rig.records(r.StateChanged)[-1].why == "loss limit, in a row: 3 of 3"


def test_one_plan_that_loses_too_much_restricts_at_once() -> None:
    rig = Rig(loss_plan_max=7 * USD)
    lose(rig, 6)
    assert rig.trading() == TradingState.ACTIVE
    lose(rig, 7)
    assert rig.trading() == TradingState.RESTRICTED


def test_a_cool_down_lowers_no_further_than_the_losses_allow() -> None:
    rig = Rig(loss_day_max=10 * USD, loss_hour_max=20 * USD, cool_down_ns=60 * S)
    lose(rig, 10)
    rig.wait(61 * S)
    assert rig.trading() == TradingState.RESTRICTED  # the day is as bad as it was
    rig = again(rig, DAY)
    rig.wait(S)
    assert rig.trading() == TradingState.ACTIVE
    assert [(each.now, each.why, each.who) for each in rig.records(r.StateChanged)][-1] == (
        TradingState.ACTIVE, "cooled down", "engine")


def test_what_halted_does_not_cool_down() -> None:
    rig = Rig(cool_down_ns=S)
    rig.core.trading.tighten(TradingState.HALTED, "something")
    rig.wait(DAY)
    assert rig.trading() == TradingState.HALTED


# --- breakers ----------------------------------------------------------------------------------


def fail(rig: Rig, times: int) -> None:
    """Let so many orders at a get no answer."""
    for _ in range(times):
        assert rig.signal() is None
        rig.end(rig.last("b"))
        rig.tell(p.Lost("a", rig.last("a").client_id, "place", "503"))
        rig.end(rig.last("a"))


def broken(**changes: Any) -> Rig:
    rig = Rig(breaker_failures_max=1, breaker_open_ns=10 * S, **changes)
    fail(rig, 1)
    return rig


def test_lost_answers_open_the_breaker_and_caution() -> None:
    rig = Rig(breaker_failures_max=3)
    for _ in range(2):
        rig.signal()
        rig.tell(p.Lost("a", rig.last("a").client_id, "place", "503"))
    assert not rig.records(r.BreakerMoved)
    rig.tell(p.Lost("a", rig.last("a").client_id, "cancel", "503"))
    assert [(each.name, each.now) for each in rig.records(r.BreakerMoved)] == [("a", "open")]
    assert rig.trading() == TradingState.CAUTIOUS
    assert check(rig.signal()) == "breaker"


def test_refusals_for_what_orders_were_never_open_it() -> None:
    rig = Rig(breaker_failures_max=2)
    for _ in range(9):
        assert rig.signal() is None
        rig.tell(p.Denied("a", rig.last("a").client_id, "-2010", "no funds", business=True))
        rig.end(rig.last("b"))
    assert not rig.records(r.BreakerMoved)


def test_refusals_by_a_venue_that_cannot_open_it() -> None:
    rig = Rig(breaker_failures_max=2)
    for _ in range(2):
        rig.signal()
        rig.tell(p.Denied("a", rig.last("a").client_id, "-2015", "no such key"))
    assert check(rig.signal()) == "breaker"


def test_half_open_takes_exactly_one_order_until_its_answer_is_in() -> None:
    rig = broken()
    rig.wait(11 * S)
    assert rig.signal() is None
    probe = rig.last("a")
    assert check(rig.signal()) == "breaker"
    rig.accept(probe)
    assert [each.now for each in rig.records(r.BreakerMoved)] == ["open", "half_open", "closed"]
    assert rig.signal() is None


def test_a_probe_that_never_left_or_got_no_answer_blocks_nothing_for_ever() -> None:
    rig = broken()
    rig.wait(11 * S)
    rig.venues["a"].takes = False
    assert rig.signal() is None  # judged, and then the gateway sent nothing
    rig.venues["a"].takes = True
    assert rig.signal() is None  # the next one is the probe
    assert check(rig.signal()) == "breaker"
    rig.wait(3 * S)  # no answer in time
    moves = [each.now for each in rig.records(r.BreakerMoved) if each.name == "a"]
    assert moves == ["open", "half_open", "open"]
    rig.wait(11 * S)
    assert rig.state.breakers["a"] == "half_open"


def test_a_restart_finds_an_open_breaker_open() -> None:
    rig = broken()
    born = again(rig)
    assert check(born.signal()) == "breaker"
    born.wait(11 * S)
    assert born.signal() is None
    dead = again(born)  # its probe is in flight
    assert check(dead.signal()) == "breaker"
    assert [each.why for each in dead.records(r.BreakerMoved)][-1] == "its probe died with its life"


def test_caution_lasts_as_long_as_a_breaker_is_not_closed() -> None:
    rig = broken(cool_down_ns=2 * S)
    rig.wait(3 * S)
    assert rig.trading() == TradingState.CAUTIOUS
    rig.wait(10 * S)
    assert rig.signal() is None
    rig.accept(rig.last("a"))
    rig.wait(S)
    assert rig.trading() == TradingState.ACTIVE


# --- strategies that repeat themselves -----------------------------------------------------------


def rejected(rig: Rig, times: int) -> None:
    for _ in range(times):
        assert rig.signal() is None
        rig.end(rig.last("b"))
        rig.tell(p.Denied("a", rig.last("a").client_id, "-1013", "filter", business=True))


def test_so_many_rejects_stop_a_strategy_until_an_operator_lets_it_go_on() -> None:
    rig = Rig(rejects_max=3, repeats_window_ns=60 * S)
    rejected(rig, 3)
    assert rig.signal() == Refusal("strategy_barred", 1, 0, "cross")
    born = again(rig, HOUR)
    assert check(born.signal()) == "strategy_barred"
    born.core.trading.release("cross", "fixed", "ann")
    assert born.signal() is None
    assert [(each.name, each.now, each.why) for each in born.records(r.BreakerMoved)] == [
        ("strategy:cross", "open", "3 orders rejected within 60 s"),
        ("strategy:cross", "closed", "ann: fixed")]


def test_rejects_farther_apart_than_the_window_stop_nothing() -> None:
    rig = Rig(rejects_max=3, repeats_window_ns=60 * S)
    rejected(rig, 2)
    rig.now_ns += 60 * S
    rejected(rig, 2)
    assert rig.signal() is None


def test_rejects_of_the_last_life_count() -> None:
    rig = Rig(rejects_max=3, repeats_window_ns=60 * S)
    rejected(rig, 2)
    born = again(rig)
    rejected(born, 1)
    assert check(born.signal()) == "strategy_barred"


def test_so_many_plans_in_a_window_stop_a_strategy_too() -> None:
    rig = Rig(executions_max=4, repeats_window_ns=60 * S)
    for _ in range(4):
        assert rig.signal() is None
    assert check(rig.signal()) == "strategy_barred"
    rig.core.resume(TradingState.ACTIVE, "seen", "ann")
    assert rig.signal() is None


def test_an_operator_places_while_a_strategy_is_stopped() -> None:
    rig = Rig(rejects_max=1)
    rejected(rig, 1)
    placed = rig.core.place("a", SYMBOL, 1, 6_000_000, 100, tif=r.Tif.GTC)
    assert isinstance(placed, int)


# --- what the gate learns of the state -----------------------------------------------------------


def test_the_days_turnover_survives_a_restart_and_ends_at_midnight() -> None:
    rig = Rig(turnover_day_max=250 * USD)
    lose(rig, 0)  # 60 USD bought, 60 sold
    born = again(rig)
    assert born.signal(100) is None  # 120 more
    born.end(born.last("a"))
    born.end(born.last("b"))
    third = again(born)
    assert third.signal(200) is None
    assert third.last("a").size == 100  # 130 USD are left
    assert check(third.signal(200)) == "turnover"
    tomorrow = again(born, DAY)
    assert tomorrow.signal(200) is None
    assert tomorrow.last("a").size == 200


def test_own_prices_may_drift_so_far_within_a_minute() -> None:
    rig = Rig(drift_ppm_max=1_000)
    assert isinstance(rig.core.place("a", SYMBOL, 1, 6_000_000, 10, tif=r.Tif.GTC), int)
    far = rig.core.place("a", SYMBOL, 1, 5_993_990, 10, tif=r.Tif.GTC)
    assert far == Refusal("drift", 5_993_990, 6_000_000, f"a {SYMBOL}")
    born = again(rig, 70 * S)
    assert isinstance(born.core.place("a", SYMBOL, 1, 5_993_990, 10, tif=r.Tif.GTC), int)


def test_the_reference_is_the_median_of_all_venues() -> None:
    rig = Rig(price_collar_ppm=1_000)
    rig.touches["b", SYMBOL] = (6_012_000, 6_012_100)  # their median is 6006050
    assert check(rig.core.place("b", SYMBOL, 1, 6_012_100, 10, tif=r.Tif.IOC)) == "reference"
    rig.touches["b", SYMBOL] = (6_006_000, 6_006_100)
    assert isinstance(rig.core.place("b", SYMBOL, 1, 6_006_100, 10, tif=r.Tif.IOC), int)


def test_what_this_life_did_not_list_cannot_be_traded() -> None:
    rig = Rig()
    refusal = rig.core.place("a", "DOGE/USDT", 1, 1, 10, tif=r.Tif.GTC)
    assert refusal == Refusal("instrument", 1, 0, "a DOGE/USDT")
    assert rig.core.place("c", SYMBOL, 1, 1, 10, tif=r.Tif.GTC) == Refusal(
        "instrument", 1, 0, f"c {SYMBOL}")
