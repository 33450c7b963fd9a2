"""Orders that rest: an operator's stays until somebody ends it, and hides nothing meanwhile."""

from exec import records as r
from exec.core import ports as p
from exec.orders import State as OrderState
from shm.layout import TradingState
from tests.exec.core.rig import BID, MS, SYMBOL, Rig, S

HOUR = 3_600 * S


def rest(rig: Rig) -> r.Intended:
    """Let an operator's order rest, accepted by its venue."""
    assert isinstance(rig.core.place("a", SYMBOL, 1, BID - 1_000, 100, tif=r.Tif.GTC), int)
    rig.accept(rig.last("a"))
    return rig.last("a")


def found_open(rig: Rig, order: r.Intended) -> None:
    """Answer a question about an order: it is open."""
    rig.tell(p.Seen("a", order.client_id, f"v{order.order}", r.Found.OPEN, "", 0, rig.now_ns))


def survey(rig: Rig, order: r.Intended, usdt: str) -> None:
    """Let the next survey come: the order is open, the venue holds so much."""
    rig.wait(rig.settings.survey_ns + S)
    rig.tell(p.Balance("a", "USDT", usdt, "0", "query"))
    rig.tell(p.Listing("a", ((order.client_id, f"v{order.order}", SYMBOL, 0),)))


def test_an_operators_order_rests_far_beyond_the_deadline_of_plans_and_halts_nothing() -> None:
    rig = Rig()
    order = rest(rig)
    for _ in range(10):
        rig.wait(HOUR)
        rig.tell(p.Lost("a", order.client_id, "cancel", "no answer in time"))
        rig.wait(100 * MS)  # in doubt for a moment
        found_open(rig, order)
    assert not rig.venues["a"].cancelled
    assert rig.order(order).state is OrderState.OPEN
    assert rig.trading() == TradingState.ACTIVE


def test_an_operators_order_that_stays_in_doubt_halts_trading() -> None:
    rig = Rig()
    order = rest(rig)
    rig.wait(HOUR)
    rig.tell(p.Lost("a", order.client_id, "cancel", "no answer in time"))
    rig.wait(rig.settings.plan_deadline_ns)
    assert rig.trading() == TradingState.ACTIVE
    rig.wait(S)
    assert rig.trading() == TradingState.HALTED


def test_a_cancel_that_came_to_nothing_is_asked_for_again_until_the_order_has_ended() -> None:
    rig = Rig()
    order = rest(rig)
    rig.core.sender.cancel(order.order, "operator")
    for asked in range(1, 4):
        assert len(rig.venues["a"].cancelled) == asked
        rig.tell(p.Lost("a", order.client_id, "cancel", "no answer in time"))
        found_open(rig, order)
        rig.wait(rig.settings.answer_max_ns)
        assert len(rig.venues["a"].cancelled) == asked  # with patience
        rig.wait(100 * MS)
    rig.end(order, "cancelled")
    rig.wait(HOUR)
    assert len(rig.venues["a"].cancelled) == 4


def test_money_that_leaves_an_account_is_missed_while_an_order_rests_there() -> None:
    rig = Rig()
    order = rest(rig)
    for _ in range(rig.settings.drift_surveys_max):
        assert rig.trading() == TradingState.ACTIVE
        survey(rig, order, "999000")
    assert rig.trading() == TradingState.HALTED
    assert "says 999000 free" in rig.state.trading_why


def test_a_resting_order_that_fills_during_a_survey_is_no_drift() -> None:
    rig = Rig()
    order = rest(rig)
    survey(rig, order, "999940.01")  # filled there, and told of only now
    rig.fill(order, 100, price=5_999_000)
    rig.wait(rig.settings.survey_ns + S)
    rig.tell(p.Balance("a", "USDT", "999940.01", "0", "query"))
    rig.tell(p.Listing("a", ()))
    assert rig.trading() == TradingState.ACTIVE


def test_a_trade_that_was_taken_back_is_not_booked_by_a_late_echo_of_it() -> None:
    rig = Rig()
    order = rest(rig)
    fill = p.Traded("a", SYMBOL, order.client_id, f"v{order.order}", "T1", 1, order.price, 100,
                    "0", "USDT", True, rig.now_ns, "stream")
    rig.tell(fill)
    rig.tell(p.Taken("a", SYMBOL, "T1"))
    rig.tell(fill)  # a survey's page that was on its way
    assert not any(rig.state.holdings.values())
    assert len(rig.records(r.Filled)) == 1
    again = Rig(rig.stored, now_ns=rig.now_ns + S)
    again.tell(fill)
    assert not any(again.state.holdings.values())


# --- what nothing explains -----------------------------------------------------------------------


def told(rig: Rig, usdt: str, source: str = "query") -> None:
    """Let a survey begin, and bring so much."""
    rig.wait(rig.settings.survey_ns + S)
    rig.tell(p.Balance("b", "USDT", usdt, "0", source))
    rig.tell(p.Listing("b", ()))


def test_a_streams_balance_before_the_first_survey_is_no_base_for_fills_that_it_held() -> None:
    rig = Rig()
    del rig.state.counts["b", "USDT"]  # a fresh journal, on an account that others traded
    rig.wait(rig.settings.survey_ns + S)
    rig.tell(p.Balance("b", "USDT", "940", "0", "stream"))  # the trade below is in it
    rig.tell(p.Traded("b", SYMBOL, "", "x1", "T9", 1, 6_000_000, 100, "0", "USDT", True,
                      rig.now_ns - S, "query"))
    rig.core.resume(TradingState.ACTIVE, "that was me", "ann")
    for _ in range(rig.settings.drift_surveys_max + 1):
        told(rig, "940")
    assert rig.trading() == TradingState.ACTIVE
    assert rig.state.counts["b", "USDT"][0] == 940 * 10**24


def test_what_nothing_explains_halts_again_until_an_operator_accepts_it() -> None:
    rig = Rig()
    for _ in range(2):
        for _ in range(rig.settings.drift_surveys_max):
            told(rig, "995000")
        assert rig.trading() == TradingState.HALTED
        rig.core.resume(TradingState.ACTIVE, "looked at", "ann")
    assert rig.core.accept("I took 5000 out", "ann") == "-5000 USDT at b"
    for _ in range(rig.settings.drift_surveys_max + 1):
        told(rig, "995000")
    assert rig.trading() == TradingState.ACTIVE
    posted = rig.records(r.Posted)
    assert [(each.venue, each.asset, each.amount, each.kind) for each in posted] == [
        ("b", "USDT", "-5000", "accepted")]
    assert "I took 5000 out" in posted[0].reference


def test_what_explained_itself_meanwhile_is_not_accepted() -> None:
    rig = Rig()
    for usdt in ["995000"] * rig.settings.drift_surveys_max + ["1000000"]:
        told(rig, usdt)
    assert not rig.core.accept("it was late", "ann")
    assert not rig.records(r.Posted)
