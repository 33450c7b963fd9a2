"""attach(): consistent copies, exact numbers, and the truth about what may be believed."""

from pathlib import Path

import numpy as np
import pytest

from engine.model.errors import SegmentInvalid, UnknownInstrument
from ops.attach import Engine, attach
from ops.client import NoEngine
from shm.book import publish_begin
from shm.counters import FeedCounter, FeedHistogram
from shm.layout import BookFault, BookState, EngineState, Fate, ProcessState, Veto
from tests.ops.world import SECOND_NS, World

BIDS = [(6_338_870, 25_761), (6_338_810, 78_879)]
ASKS = [(6_340_730, 1_939)]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


@pytest.fixture
def engine(world: World) -> Engine:
    return attach("demo", clock=world.clock)


def test_a_book_comes_in_quanta_and_as_floats_with_three_times(
    world: World, engine: Engine
) -> None:
    world.publish("binance", 0, BIDS, ASKS, age_ns=3_000_000, update_id=99)
    book = engine.book("binance", "BTC/USDT")
    assert (book.version, book.state, book.veto, book.live) == (1, BookState.LIVE, Veto.NONE, True)
    assert book.bids.price_quanta.tolist() == [6_338_870, 6_338_810]
    assert book.bids.price.tolist() == [63_388.70, 63_388.10]
    assert book.asks.size.tolist() == [0.01939]
    assert (len(book.bids), len(book.asks), book.update_id) == (2, 1, 99)
    assert book.age_ns == 3_000_000
    assert book.recv_unix_ns - book.venue_unix_ns == 1_000_000
    assert book.publish_unix_ns - book.recv_unix_ns == 5_000
    assert book.mid == pytest.approx(63_398.0)


def test_a_copy_does_not_move_when_the_book_does(world: World, engine: Engine) -> None:
    world.publish("binance", 0, BIDS, ASKS)
    before = engine.book("binance", "BTC/USDT")
    for price in range(10):
        world.publish("binance", 0, [(price + 1, 1)], [])
    assert before.bids.price_quanta.tolist() == [6_338_870, 6_338_810]
    assert engine.book("binance", "BTC/USDT").version == 11


def test_a_writer_that_died_inside_a_slot_leaves_the_last_complete_book(
    world: World, engine: Engine
) -> None:
    world.publish("okx", 1, [(5, 1)], [(6, 1)])
    books = world.books("okx")
    slot = publish_begin(books.words, books.base(1), books.depth)
    books.words[slot + 6] = 5  # half-written counts
    book = engine.book("okx", "ETH/USDT")
    assert (book.version, book.bids.price_quanta.tolist()) == (1, [5])


def test_a_book_never_published_is_empty_and_not_live(engine: Engine) -> None:
    book = engine.book("kraken", "SOL/USDT")
    assert (book.version, len(book.bids), len(book.asks)) == (0, 0, 0)
    assert (book.state, book.veto) == (BookState.EMPTY, Veto.UNREADABLE)
    assert np.isnan(book.mid)


def test_a_gapped_book_is_shown_but_not_live(world: World, engine: Engine) -> None:
    world.publish("binance", 0, BIDS, ASKS)
    world.lose("binance", 0, BookState.GAPPED, BookFault.GAP)
    book = engine.book("binance", "BTC/USDT")
    assert (book.state, book.veto, len(book.bids)) == (BookState.GAPPED, Veto.NOT_LIVE, 2)


def test_a_book_of_a_dead_feed_is_not_live_although_its_state_says_so(
    world: World, engine: Engine
) -> None:
    world.publish("binance", 0, BIDS, ASKS)
    world.control.processes[world.process("feed:binance")]["epoch"] = 2
    assert engine.book("binance", "BTC/USDT").veto is Veto.FEED_RESTARTED


def test_a_book_of_a_silent_feed_is_not_live(world: World, engine: Engine) -> None:
    world.publish("binance", 0, BIDS, ASKS)
    world.clock.advance(3 * SECOND_NS)
    book = engine.book("binance", "BTC/USDT")
    assert book.veto is Veto.FEED_SILENT
    assert engine.touch("binance", "BTC/USDT").veto is Veto.FEED_SILENT


def test_the_touch_is_the_newer_of_book_and_quote(world: World, engine: Engine) -> None:
    world.publish("binance", 0, BIDS, ASKS)
    touch = engine.touch("binance", "BTC/USDT")
    assert (touch.bid, touch.ask, touch.by_quote) == (63_388.70, 63_407.30, False)
    assert touch.spread_bps == pytest.approx(2.9339, abs=1e-3)
    world.quote("binance", 0, 6_338_900, 6_340_000)
    touch = engine.touch("binance", "BTC/USDT")
    assert (touch.bid, touch.ask, touch.by_quote) == (63_389.00, 63_400.00, True)
    assert engine.quote("binance", "BTC/USDT").bid == 63_389.00


def test_a_touch_without_a_side_has_no_price_there(world: World, engine: Engine) -> None:
    world.publish("okx", 0, BIDS, [])
    touch = engine.touch("okx", "BTC/USDT")
    assert touch.bid == 63_388.70
    assert np.isnan(touch.ask)
    assert np.isnan(touch.spread_bps)
    assert np.isnan(engine.touch("kraken", "BTC/USDT").bid)


def test_the_view_is_zero_copy_and_cannot_be_written(world: World, engine: Engine) -> None:
    records = engine.records("binance")
    world.publish("binance", 0, BIDS, ASKS)
    slot = records[0]["slots"][int(records[0]["index"]["version"]) % 4]
    assert slot["bid_price"][0] == 6_338_870
    assert not records.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        records["status"]["state"] = 2


def test_trades_come_oldest_first_and_across_venues(world: World, engine: Engine) -> None:
    assert len(engine.trades()) == 0
    world.trade("binance", 0, 6_338_870, 100_000, -1)
    world.clock.advance(1000)
    world.trade("okx", 4, 350_000_000_000, 200_000_000, 1)
    prints = engine.trades(10)
    assert prints["venue"].tolist() == ["binance", "okx"]
    assert prints["symbol"].tolist() == ["BTC/USDT", "ETH/USDT"]
    assert prints["price"].tolist() == [63_388.70, 3_500.0]
    assert prints["size"].tolist() == [1.0, 2.0]
    assert engine.trades(1)["venue"].tolist() == ["okx"]
    assert engine.trades(10, "binance")["side"].tolist() == [-1]


def test_only_the_newest_prints_of_a_full_ring_are_there(world: World, engine: Engine) -> None:
    for number in range(world.config.books.trades + 10):
        world.trade("binance", 0, number, 1, 1)
    prints = engine.trades(5)
    last = world.config.books.trades + 9
    assert prints["price_quanta"].tolist() == list(range(last - 4, last + 1))


def test_signals_tell_what_became_of_them(world: World, engine: Engine) -> None:
    world.signal(1, 0, 3, price=6_338_870, size=100_000, net_edge_ppm=250, fate=Fate.WOULD_SEND)
    world.signal(2, 0, 3, price=6_338_870, size=100_000, net_edge_ppm=130, fate=Fate.REFUSED,
                 veto=Veto.EDGE)
    world.signal(3, 3, 0, price=6_338_870, size=100_000, net_edge_ppm=110)
    first, second, third = engine.signals()
    assert (first.fate, first.veto) == (Fate.WOULD_SEND, Veto.NONE)
    assert (second.fate, second.veto) == (Fate.REFUSED, Veto.EDGE)
    assert third.fate is None
    buy, sell = first.legs
    assert (buy.venue, buy.side, buy.limit_price) == ("binance", 1, 63_388.80)
    assert (sell.venue, sell.symbol, sell.size) == ("okx", "BTC/USDT", 1.0)
    assert (first.net_edge_bps, first.profit, first.notional) == (2.5, 1.234567, 500.0)
    assert [signal.sequence for signal in engine.signals(2)] == [2, 3]


def test_processes_counters_and_histograms_are_named(world: World, engine: Engine) -> None:
    world.counters("feed:okx").count(FeedCounter.FRAMES, 3)
    world.counters("feed:okx").record(FeedHistogram.RECV_TO_PUBLISH, 12_000)
    world.clock.advance(40_000_000)
    names = [process.name for process in engine.processes]
    assert names[0] == "control"
    assert {"sim", "feed:okx", "detector", "exec"} < set(names)
    assert engine.processes[0].state is ProcessState.READY
    assert engine.processes[0].heartbeat_age_ns == 40_000_000
    assert engine.counters["feed:okx"]["frames"] == 3
    assert engine.counters["feed:binance"]["frames"] == 0
    assert engine.histograms["feed:okx"]["recv_to_publish"].max_ns == 12_000
    assert engine.histograms["detector"]["scan"].count == 0


def test_an_engine_that_is_not_there_is_named_with_those_that_are(world: World) -> None:
    with pytest.raises(NoEngine, match=r"'prod'.*running: demo"):
        attach("prod")


def test_an_unknown_venue_or_symbol_names_the_known_ones(engine: Engine) -> None:
    with pytest.raises(UnknownInstrument, match=r"no venue 'ftx'; there are binance, okx"):
        engine.book("ftx", "BTC/USDT")
    with pytest.raises(UnknownInstrument, match=r"no 'DOGE/USD' at coinbase; there are BTC/USDT"):
        engine.touch("coinbase", "DOGE/USD")


def test_a_count_out_of_bounds_is_refused(engine: Engine) -> None:
    for count in (0, -1, 10**9):
        with pytest.raises(ValueError, match="count"):
            engine.trades(count)


def test_a_folder_without_a_published_engine_is_a_clear_error(world: World) -> None:
    (world.run.file("control")).unlink()
    with pytest.raises(SegmentInvalid, match="control is not there"):
        attach("demo")
    world.run.file("config.json").unlink()
    with pytest.raises(NoEngine, match="starting, or was killed"):
        attach("demo")


def test_running_ends_with_silence_and_with_a_new_run(world: World, engine: Engine) -> None:
    assert engine.running
    world.clock.advance(3 * SECOND_NS)
    assert not engine.running
    world.beat()
    assert engine.running
    world.run.remove()
    assert not engine.running
    world.start(run_id=2)
    assert not engine.running
    assert attach("demo", clock=world.clock).running


def test_the_context_manager_closes_and_copies_outlive_it(world: World) -> None:
    world.publish("binance", 0, BIDS, ASKS)
    with attach(clock=world.clock) as engine:
        assert repr(engine).startswith("<Engine demo: RUNNING, binance, okx, kraken, ")
        assert (engine.state, engine.simulated) == (EngineState.RUNNING, True)
        book, records = engine.book("binance", "BTC/USDT"), engine.records("binance")
    assert repr(engine) == "<Engine: closed>"
    world.run.remove()
    assert book.bids.price[0] == 63_388.70
    assert records[0]["status"]["state"] == BookState.LIVE
