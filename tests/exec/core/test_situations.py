"""exec.core.situations: what the gate is told stands under its own name, each number apart."""

from pathlib import Path

from bench.account import SETTINGS, SYMBOLS, VENUES, Account, Market
from exec import records as r
from exec.core import exposure
from exec.core.situations import Desk
from exec.gate.breakers import Breaker, Circuit
from exec.gate.checks import Proposal, Purpose
from exec.gate.throttle import Throttle
from exec.state import money
from shm.book import set_state
from shm.layout import BookState, Strategy, TradingState, Veto

MICRO = 1_000_000
FAILURES_MAX = 9


def _operators_plan(account: Account) -> None:
    """Let an operator's order rest half filled, and two plans have lost."""
    log = account.log
    for profit in (-2_000, -3_000):
        plan = log.next_sequence
        leg = r.Leg("kraken", "BTC/USDT", 1, 6_000_990, 1_000, 6_000_990)
        log.append(r.Planned(plan, 0, 0, 0, (leg,), "hold", (), 1, 0))
        log.append(r.PlanClosed(plan, "done", 0, profit))
    plan = log.next_sequence
    log.append(r.Planned(plan, 0, 0, 0, (leg, leg), "hold", (), 1, 0))
    order = log.next_sequence
    log.append(r.Intended(order, plan, 0, "kraken", "BTC/USDT", 1, 6_000_990, 1_000, r.Tif.GTC,
                          False, False, f"t1x{order}", 1, 1, "operator"))
    log.append(r.Filled(order, "kraken", "BTC/USDT", "f", 1, 6_000_990, 500, "0", "USDT", True, 1,
                        "stream"))


def test_every_part_of_a_situation_is_what_its_name_says(tmp_path: Path) -> None:
    market = Market()
    account = Account(market, tmp_path, 3)
    state, log, books = account.state, account.log, market.books
    circuits = {name: Circuit(FAILURES_MAX, 1) for name in VENUES}
    circuits["okx"].place = Breaker.OPEN
    throttles = {name: Throttle(100, 10 + at, 0) for at, name in enumerate(VENUES)}
    unready = dict.fromkeys(VENUES, "") | {"okx": "no user stream"}
    log.append(r.StateChanged(1, TradingState.CAUTIOUS, "a test", "engine"))
    log.append(r.BreakerMoved("strategy:cross", "closed", "open", "a test"))
    log.append(r.Counted("binance", "USDT", "70000000", "0", "survey"))
    _operators_plan(account)
    market.memory.control.venues[VENUES.index("okx")]["enabled"] = 0
    okx = next(each for each in market.table if (each.venue, each.name) == ("okx", "BTC/USDT"))
    feed = market.memory.feeds[okx.venue_index].books
    set_state(feed.words, feed.base(okx.local_index), BookState.STALE, 0, 1)
    row = market.memory.rows[okx.index]
    row["tick"], row["lot"], row["size_min"], row["notional_min"] = 5, 25, 50, 7 * MICRO
    desk = Desk(state, books, account.flags, SETTINGS, circuits, throttles, unready)
    signal = account.signal()
    proposal = Proposal(
        Purpose.ENTER, "cross", tuple(
            desk.propose(each.venue, each.symbol, each.side, each.price, each.size)
            for each in signal.legs), (9, next(iter(state.plans))), 1, 2, 3, 4)
    mono_ns, unix_ns = account.clock.mono_ns(), account.clock.unix_ns()
    at = desk.situation(proposal, mono_ns, unix_ns)
    assert (at.now_ns, at.killed, at.trading) == (mono_ns, False, TradingState.CAUTIOUS)
    assert (at.planned, at.strategy_paused, at.strategy_barred) == (True, False, True)
    assert at.plans_open == len(state.open_plans)
    assert at.turnover == exposure.worth(state.activity.traded(unix_ns), books) > 0
    assert at.strategy_gross == exposure.strategy_gross(state, books, Strategy.CROSS)
    assert at.total_gross == exposure.total_gross(state, books)
    assert at.unhedged == exposure.unhedged(state, books)
    assert len({at.turnover, at.strategy_gross, at.total_gross, at.unhedged, 0}) == 5
    lost = state.outcomes.losses(unix_ns)
    assert (at.loss_day, at.loss_hour, at.losses_in_row) == lost
    assert (lost.hour, lost.in_row) == (5_000, 0)  # an operator's plans are part of no row
    buy, sell = at.places
    low, high = state.activity.asked(("binance", "BTC/USDT"), unix_ns)
    assert (buy.price_low, buy.price_high) == (low, high)
    assert 0 < low < high
    middle = SYMBOLS["BTC/USDT"]
    assert (buy.touch, sell.touch) == (middle + 10, books.quote("okx", "BTC/USDT").bid)
    assert buy.reference == sell.reference == middle + 1_000  # kraken's: okx is stale
    assert (buy.unready, buy.breaker, buy.paused, buy.distrust) == ("", "closed", False, 0)
    assert (sell.unready, sell.breaker, sell.paused, sell.distrust) == (
        "no user stream", "open", True, Veto.NOT_LIVE)
    assert (buy.tick, buy.lot, buy.size_min, buy.notional_min) == (1, 1, 1, 0)
    assert (sell.tick, sell.lot, sell.size_min, sell.notional_min) == (5, 25, 50, 7 * MICRO)
    fee_ppm = SETTINGS.fee_reserve_ppm
    assert buy.free == exposure.free(state, "binance", "USDT", fee_ppm) < money("70000000")
    assert sell.free == exposure.free(state, "okx", "BTC", fee_ppm)
    assert (buy.open_orders, sell.open_orders) == (
        state.outstanding.counts["binance"], state.outstanding.counts["okx"])
    assert (buy.tokens, sell.tokens) == (10, 11)
    assert buy.own_opposite == state.outstanding.best("binance", "BTC/USDT", -1) > 0
    assert sell.own_opposite == state.outstanding.best("okx", "BTC/USDT", 1) > 0
    assert buy.venue_gross == exposure.venue_gross(state, books, "binance")
    nets = exposure.asset_nets(state, books, "BTC", proposal.orders)
    assert (buy.asset_net, buy.asset_net_before) == nets


def test_a_paused_strategy_and_the_kill_word_are_told_apart(tmp_path: Path) -> None:
    market = Market()
    account = Account(market, tmp_path, 0)
    flags, control = account.flags, market.memory.control
    assert flags.paused("okx", "BTC/USDT", "cross") == (False, False)
    control.engine["paused"] = 1
    assert flags.paused("okx", "BTC/USDT", "cross") == (False, True)
    assert flags.paused("okx", "BTC/USDT", "operator") == (False, False)
    control.engine["paused"] = 0
    control.strategies[Strategy.CROSS]["enabled"] = 0
    assert flags.paused("okx", "BTC/USDT", "cross") == (False, True)
    control.venues[VENUES.index("okx")]["enabled"] = 0
    assert flags.paused("okx", "BTC/USDT", "cross") == (True, True)
    assert flags.paused("kraken", "BTC/USDT", "operator") == (False, False)
    market.memory.rows[next(each.index for each in market.table if (
        each.venue, each.name) == ("kraken", "BTC/USDT"))]["enabled"] = 0
    assert flags.paused("kraken", "BTC/USDT", "operator") == (True, False)
    flags.kill()
    assert flags.killed()
