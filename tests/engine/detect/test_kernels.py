"""Windows and signals of the detector's kernels on memory as feeds would have written it."""

from typing import Any

import pytest

from engine.detect import plan as p
from shm.counters import DetectorCounter, DetectorHistogram
from shm.layout import BookState, InstrumentStatus, TradingState, UpdateKind, Veto
from tests.engine.detect.world import EPOCH, World, make_config

SPOT = {"a": ["BTC/USDT"], "b": ["BTC/USDT"]}
SECOND = 1_000_000_000
BUY_A_SELL_B, BUY_B_SELL_A = 0, 1


def crossed(world: World, *, now_ns: int, by: int = 20) -> None:
    """Let b bid above a's ask."""
    world.beat(now_ns)
    world.book(0, [(9_990, 50)], [(10_000, 50)], now_ns=now_ns)
    world.book(1, [(10_000 + by, 70)], [(10_100, 70)], now_ns=now_ns)


def calm(world: World, *, now_ns: int) -> None:
    world.beat(now_ns)
    world.book(1, [(9_990, 70)], [(10_010, 70)], now_ns=now_ns)


def vetoes(world: World) -> dict[str, int]:
    return {
        reading.metric.name.removeprefix("VETO_"): reading.value
        for reading in world.counters.readings("detector")
        if reading.metric.name.startswith("VETO_") and reading.value
    }


def test_a_window_opens_signals_once_and_closes() -> None:
    world = World(make_config(SPOT))
    cross = world.cross()
    crossed(world, now_ns=SECOND)
    assert (cross.scan(0, SECOND), cross.scan(1, SECOND)) == (0, 1)
    assert cross.scan(1, SECOND + 5) == 0  # nothing new to say
    calm(world, now_ns=SECOND + 7)
    assert cross.scan(1, SECOND + 7) == 0
    windows = cross.windows(BUY_A_SELL_B, SECOND + 9)
    assert (windows.entries, windows.events_true, windows.ns_true) == (1, 2, 7)
    assert not windows.is_open
    assert cross.windows(BUY_B_SELL_A, SECOND + 9).entries == 0
    assert world.counters.value(DetectorCounter.WINDOWS_CLOSED) == 1
    assert world.counters.value(DetectorCounter.HELD) == 1


def test_a_signal_says_what_was_seen_and_what_to_do() -> None:
    world = World(make_config(SPOT), fees={"a": 100, "b": 200})
    cross = world.cross()
    crossed(world, now_ns=SECOND, by=20)
    world.quote(1, (10_015, 30), (10_100, 5), now_ns=SECOND + 1)
    cross.scan(0, SECOND + 2)
    assert cross.scan(1, SECOND + 2) == 1
    signal = world.signal()
    buy, sell = signal["legs"][:2]
    assert (signal["sequence"], signal["run"], signal["window"], signal["trigger"]) == (1, 7, 1, 1)
    assert (buy["instrument"], buy["side"], buy["limit_price"], buy["size"]) == (0, 1, 10_000, 30)
    assert (sell["instrument"], sell["side"], sell["limit_price"]) == (1, -1, 10_015)
    assert (sell["book_version"], sell["quote_version"]) == (1, 1)
    assert signal["notional_micro"] == 300_000
    assert signal["profit_micro"] == 300_450 * 999_800 // 10**6 - 300_030
    assert signal["recv_mono_ns"] == SECOND + 1
    assert signal["signal_mono_ns"] == SECOND + 2
    assert signal["expiry_mono_ns"] == SECOND + 2 + 250_000_000
    assert signal["risk_ppm"] == 10**6  # all that the quote shows


def test_a_signal_is_repeated_when_due_and_at_once_when_materially_better() -> None:
    world = World(make_config(SPOT, repeat_ms=1000))
    cross = world.cross()
    made = []
    for at_ns, by in ((0, 20), (10, 20), (20, 22), (30, 22), (SECOND + 19, 22), (SECOND + 20, 20)):
        crossed(world, now_ns=SECOND + at_ns, by=by)
        made.append(cross.scan(0, SECOND + at_ns) + cross.scan(1, SECOND + at_ns))
    assert made == [1, 0, 1, 0, 0, 1]
    assert cross.windows(BUY_A_SELL_B, SECOND).entries == 1


def test_each_reason_to_hold_back_is_named_and_counted_once_per_window() -> None:
    world = World(make_config(SPOT))
    cross = world.cross()
    world.control.engine["paused"] = 1
    for at_ns in range(3):
        crossed(world, now_ns=SECOND + at_ns)
        cross.scan(0, SECOND + at_ns)
        assert cross.scan(1, SECOND + at_ns) == 0
    assert vetoes(world) == {"PAUSED": 1}
    world.control.engine["paused"] = 0
    assert cross.scan(1, SECOND + 3) == 1  # the window is still open
    assert cross.windows(0, SECOND + 3).entries == 1


def spoil_engine(field: str, value: int) -> Any:
    return lambda world: world.control.engine.__setitem__(field, value)


@pytest.mark.parametrize(("spoil", "veto"), [
    (spoil_engine("kill", 1), Veto.KILLED),
    (spoil_engine("trading_state", TradingState.RESTRICTED), Veto.HALTED),
    (spoil_engine("state", 4), Veto.HALTED),
    (lambda world: world.control.strategies[0].__setitem__("enabled", 0), Veto.STRATEGY_PAUSED),
    (lambda world: world.control.venues[1].__setitem__("enabled", 0), Veto.VENUE_PAUSED),
    (lambda world: world.rows[1].__setitem__("enabled", 0), Veto.SYMBOL_PAUSED),
    (lambda world: world.rows[0].__setitem__("size_min", 51), Veto.SIZE),
    (lambda world: world.rows[0].__setitem__("lot", 1000), Veto.SIZE),
    (lambda world: world.rows[1].__setitem__("notional_min", 10**9), Veto.NOTIONAL),
])
def test_an_open_window_that_may_not_be_acted_on_makes_no_signal(spoil: Any, veto: Veto) -> None:
    world = World(make_config(SPOT))
    cross = world.cross()
    crossed(world, now_ns=SECOND)
    spoil(world)
    cross.scan(0, SECOND)
    assert cross.scan(1, SECOND) == 0
    assert vetoes(world) == {veto.name: 1}
    assert cross.windows(BUY_A_SELL_B, SECOND).is_open


@pytest.mark.parametrize(("spoil", "veto"), [
    (lambda world: world.state(0, BookState.GAPPED), Veto.NOT_LIVE),
    (lambda world: world.state(1, BookState.STALE), Veto.NOT_LIVE),
    (lambda world: world.control.processes[0].__setitem__("epoch", EPOCH + 1),
     Veto.FEED_RESTARTED),
    (lambda world: world.control.processes[1].__setitem__("heartbeat_mono_ns", -3 * SECOND),
     Veto.FEED_SILENT),
    (lambda world: world.rows[0].__setitem__("status", InstrumentStatus.HALTED),
     Veto.NOT_TRADING),
])
def test_a_book_that_may_not_be_believed_closes_its_windows(spoil: Any, veto: Veto) -> None:
    world = World(make_config(SPOT))
    cross = world.cross()
    crossed(world, now_ns=SECOND)
    cross.scan(0, SECOND)
    assert cross.scan(1, SECOND) == 1
    spoil(world)
    assert cross.sweep(SECOND + 2) == 0
    assert not cross.windows(BUY_A_SELL_B, SECOND + 2).is_open
    assert vetoes(world) == {veto.name: 1}


def test_a_market_crossed_with_itself_is_bad_data_and_never_a_signal() -> None:
    world = World(make_config(SPOT))
    cross = world.cross()
    crossed(world, now_ns=SECOND)
    world.book(1, [(10_020, 5)], [(10_020, 5)], now_ns=SECOND)
    cross.scan(0, SECOND)
    assert cross.scan(1, SECOND) == 0
    assert vetoes(world) == {"SELF_CROSSED": 1}


def test_an_old_book_is_seen_but_not_acted_on() -> None:
    world = World(make_config(SPOT, book_age_ms_max=100))
    cross = world.cross()
    crossed(world, now_ns=SECOND)
    world.beat(SECOND + 200_000_000)
    cross.scan(0, SECOND + 200_000_000)
    assert cross.scan(1, SECOND + 200_000_000) == 0
    assert vetoes(world) == {"BOOK_OLD": 1}


def test_a_newer_quote_takes_levels_of_the_book_away() -> None:
    world = World(make_config(SPOT))
    cross = world.cross()
    crossed(world, now_ns=SECOND)
    world.quote(1, (9_995, 10), (10_100, 70), now_ns=SECOND + 1)  # the bid at 10 020 is gone
    cross.scan(0, SECOND + 1)
    assert cross.scan(1, SECOND + 1) == 0
    assert cross.windows(BUY_A_SELL_B, SECOND + 1).entries == 0


def test_each_quote_currency_has_its_own_greatest_and_least_notional() -> None:
    world = World(make_config(
        {venue: ["ETH/USDT", "ETH/BTC", "SOL/BTC"] for venue in "ab"},
        notional_max={"USDT": 0.3, "BTC": 0.1}, notional_min={"USDT": 0.0, "BTC": 0.08}))
    cross = world.cross()
    world.beat(SECOND)
    for index, size in enumerate((50, 50, 7)):  # quanta of 0.0001, at 100.00
        world.book(index, [(9_990, size)], [(10_000, size)], now_ns=SECOND)
        world.book(index + 3, [(10_020, size)], [(10_100, size)], now_ns=SECOND)
    made = [cross.scan(index, SECOND) + cross.scan(index + 3, SECOND) for index in range(3)]
    assert made == [1, 1, 0]
    usdt, btc = world.signal(0), world.signal(1)
    assert (usdt["notional_micro"], btc["notional_micro"]) == (300_000, 100_000)
    assert vetoes(world) == {"NOTIONAL": 1}  # 0.07 BTC


def test_an_edge_beyond_belief_is_bad_data_and_never_a_signal() -> None:
    world = World(make_config(SPOT, edge_max_ppm=20_000))
    cross = world.cross()
    crossed(world, now_ns=SECOND)
    cross.scan(0, SECOND)
    made = []
    for bid in (10_201, 10_300, 10_200):
        world.book(1, [(bid, 70)], [(10_400, 70)], now_ns=SECOND)
        made.append(cross.scan(1, SECOND))
    assert made == [0, 0, 1]
    assert vetoes(world) == {"TOO_GOOD": 1}


def test_levels_behind_a_fresh_quote_are_not_taken_when_their_book_stands_still() -> None:
    world = World(make_config(SPOT, book_age_ms_max=100))
    cross = world.cross()
    world.beat(SECOND)
    world.book(0, [(9_990, 50)], [(10_000, 50), (10_001, 50)], now_ns=SECOND)
    world.book(1, [(10_020, 70)], [(10_100, 70)], now_ns=SECOND)
    later_ns = SECOND + 100_000_001
    world.quote(0, (9_990, 50), (10_000, 30), now_ns=later_ns)
    world.quote(1, (10_020, 90), (10_100, 70), now_ns=later_ns)
    cross.scan(0, later_ns)
    assert cross.scan(1, later_ns) == 1
    assert world.signal()["legs"][0]["size"] == 30
    world.book(0, [(9_990, 50)], [(10_000, 30), (10_001, 50)], now_ns=later_ns)
    cross.sweep(later_ns + SECOND // 20)
    assert cross.sweep(later_ns + SECOND) == 0
    world.beat(later_ns + SECOND)
    world.quote(0, (9_990, 50), (10_000, 30), now_ns=later_ns + SECOND)
    world.quote(1, (10_020, 90), (10_100, 70), now_ns=later_ns + SECOND)
    world.book(0, [(9_990, 50)], [(10_000, 30), (10_001, 50)], now_ns=later_ns + SECOND)
    assert cross.sweep(later_ns + SECOND) == 1
    assert world.signal()["legs"][0]["size"] == 80


def test_only_what_was_published_since_the_last_look_counts_as_a_publication_seen() -> None:
    world = World(make_config({"a": ["BTC/USDT", "ETH/USDT"], "b": ["BTC/USDT"]}))
    cross = world.cross()
    world.book(0, [(9_990, 50)], [(10_000, 50)], now_ns=SECOND, tell=True)  # before it was READY
    cross.sweep(3 * SECOND)
    world.book(2, [(9_990, 50)], [(10_000, 50)], now_ns=3 * SECOND, tell=True)
    world.quote(2, (9_990, 50), (10_000, 50), now_ns=3 * SECOND + 40)
    world.tell(2, UpdateKind.QUOTE)
    world.tell(1, UpdateKind.STATE)
    cross.turn(3 * SECOND + 100)
    assert world.counters.value(DetectorCounter.SCANS) == 3 + 3
    seen = world.counters.histogram(DetectorHistogram.PUBLISH_TO_SEEN)
    assert (seen.count, seen.max_ns) == (1, 60)


def test_a_window_due_again_by_the_clock_signals_without_the_times_of_an_update() -> None:
    world = World(make_config(SPOT))
    cross = world.cross()
    crossed(world, now_ns=SECOND)
    made = [cross.sweep(SECOND), cross.sweep(2 * SECOND)]
    assert made == [1, 1]
    assert [world.signal(at)["recv_mono_ns"] for at in (0, 1)] == [SECOND, 0]
    assert world.counters.histogram(DetectorHistogram.RECV_TO_SIGNAL).count == 1


def test_by_the_venue_s_numbers_an_old_quote_that_comes_late_changes_nothing() -> None:
    world = World(make_config(SPOT))
    cross = world.cross()
    crossed(world, now_ns=SECOND)
    world.book(1, [(10_020, 70)], [(10_100, 70)], now_ns=SECOND, update_id=12)
    world.quote(1, (9_995, 10), (10_100, 70), now_ns=SECOND + 1, update_id=11)
    cross.scan(0, SECOND + 1)
    assert cross.scan(1, SECOND + 1) == 1


def test_spot_meets_perpetual_but_two_perpetuals_and_two_books_of_a_venue_do_not() -> None:
    config = make_config({
        "a": ["BTC/USDT", "ETH/USDT"], "b": ["BTC/USDT:USDT"], "c": ["BTC/USDT:USDT", "BTC/USDT"],
    })
    cross = World(config).cross()
    table = World(config).table
    named = {tuple(f"{table[side].venue} {table[side].name}" for side in pair)
             for pair in cross.pairs}
    both_ways = {(0, 2), (0, 3), (0, 4), (2, 4)}
    assert set(cross.pairs) == both_ways | {(sell, buy) for buy, sell in both_ways}
    assert ("b BTC/USDT:USDT", "c BTC/USDT:USDT") not in named


def test_money_of_different_names_never_meets() -> None:
    config = make_config({
        "a": ["BTC/USD", "BTC/USDT", "BTC/USDC"], "b": ["BTC/USDT:USDT", "BTC/USD:USD"],
        "c": ["BTC/USD:BTC", "BTC/USDT:BTC", "BTC/USD:USDT"],  # not settled in what they quote
    })
    world = World(config)
    named = {tuple(world.table[side].name for side in pair) for pair in world.cross().pairs}
    assert named == {("BTC/USD", "BTC/USD:USD"), ("BTC/USD:USD", "BTC/USD"),
                     ("BTC/USDT", "BTC/USDT:USDT"), ("BTC/USDT:USDT", "BTC/USDT")}


def test_a_turn_reads_each_changed_instrument_once_however_often_it_changed() -> None:
    world = World(make_config(SPOT))
    cross = world.cross()
    crossed(world, now_ns=SECOND)
    for _ in range(5):
        world.tell(0, UpdateKind.BOOK)
        world.tell(1, UpdateKind.QUOTE)
    assert cross.turn(SECOND) == 1
    assert world.counters.value(DetectorCounter.UPDATES) == 10
    assert world.counters.value(DetectorCounter.SCANS) == 2
    assert cross.windows(BUY_A_SELL_B, SECOND).events_true == 1
    assert cross.turn(SECOND + 1) == 0
    assert world.counters.value(DetectorCounter.SCANS) == 2


def test_prints_wake_nobody() -> None:
    world = World(make_config(SPOT))
    cross = world.cross()
    crossed(world, now_ns=SECOND)
    world.tell(1, UpdateKind.TRADE)
    assert cross.turn(SECOND) == 0
    assert world.counters.value(DetectorCounter.SCANS) == 0


def test_a_lapped_ring_means_scanning_every_book_of_that_feed() -> None:
    world = World(make_config({"a": ["BTC/USDT", "ETH/USDT"], "b": ["BTC/USDT"]}))
    cross = world.cross()
    for _ in range(100):  # the ring of the test holds 64
        world.tell(1, UpdateKind.BOOK)
    cross.turn(SECOND)
    assert world.counters.value(DetectorCounter.LAPS) == 1
    assert world.counters.value(DetectorCounter.ENTRIES_LOST) > 36
    assert world.counters.value(DetectorCounter.SCANS) == 2


def test_a_restarted_detector_goes_on_with_the_ring_s_numbers() -> None:
    world = World(make_config(SPOT))
    crossed(world, now_ns=SECOND)
    for expected in (1, 2):
        cross = world.cross()
        assert cross.sweep(SECOND) == 1
        assert world.signal()["sequence"] == expected


def test_an_update_from_another_feed_s_range_is_ignored() -> None:
    world = World(make_config(SPOT))
    cross = world.cross()
    world.feeds[0].updates.push(1 << 8 | UpdateKind.BOOK)
    world.feeds[0].updates.push(-1)
    world.feeds[0].updates.push(10**12)
    cross.turn(SECOND)
    assert world.counters.value(DetectorCounter.SCANS) == 0


def test_watch_returns_with_signals_as_soon_as_they_are_made() -> None:
    world = World(make_config(SPOT))
    cross = world.cross(clocked=True)
    now_ns = 2**62
    world.beat(now_ns)
    world.book(0, [(9_990, 50)], [(10_000, 50)], now_ns=now_ns)
    world.book(1, [(10_020, 70)], [(10_100, 70)], now_ns=now_ns, tell=True)
    world.tell(0, UpdateKind.BOOK)
    assert cross.watch() == 1
    assert cross.watch() == 0  # after its time limit
    assert cross.plan.pairs[BUY_A_SELL_B, p.SIGNALS] == 1
