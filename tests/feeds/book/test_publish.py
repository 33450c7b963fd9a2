"""What a feed publishes, seen through the readers that other processes use."""

from random import Random
from typing import Any

import msgspec
import numpy as np
import pytest

from engine.model.instrument import Instrument, Pair
from feeds.book import publish_kernels
from feeds.book.publish import Memory, Publisher, warm
from feeds.venue import Delta, LevelText, Quote, Snapshot, Trade, Venue
from feeds.venues.binance import VENUE
from feeds.venues.kraken import VENUE as KRAKEN
from shm.book import book_state
from shm.counters import CounterBlock, FeedCounter, FeedHistogram
from shm.layout import TRADE, BookFault, BookState, UpdateKind
from shm.ring import RecordRing, WordRing
from tests.feeds.book.test_full_book import Plain, stream, written

FIRST_INDEX = 7  # of the engine's table: not the local index


def instruments(count: int = 2) -> list[Instrument]:
    return [
        Instrument(
            index=FIRST_INDEX + local, local_index=local, venue="binance", venue_index=0,
            pair=Pair.parse("BTC/USDT"), group_index=0, price_decimals=2, size_decimals=3)
        for local in range(count)
    ]


class Feed:
    """A publisher over plain memory, and the readers' view of it."""

    def __init__(self, depth: int = 5, *, venue: Venue = VENUE, timed: bool = False) -> None:
        self.memory = Memory.plain(depth, 2)
        self.publisher = Publisher(
            venue, instruments(), self.memory, levels_max=64, timed=timed)
        self.updates = WordRing(self.memory.updates)
        self.trades = RecordRing(self.memory.trades, TRADE)
        self._cursor = 0

    @property
    def rings(self) -> int:
        """Return how often the bell was rung."""
        return int(self.memory.bells[0])

    def status(self, local: int = 0) -> np.void:
        """Return the status row of a book."""
        status: np.void = self.memory.books.records["status"][local]
        return status

    def told(self) -> list[tuple[int, UpdateKind]]:
        """Return what the updates ring said since the last look."""
        out = np.zeros(64, np.int64)
        self._cursor, lost = self.updates.read(before := self._cursor, out)
        assert lost == 0
        return [(int(it) >> 8, UpdateKind(int(it) & 255)) for it in out[: self._cursor - before]]

    def counter(self, counter: FeedCounter) -> int:
        """Return one of the feed's counters."""
        return CounterBlock(self.memory.counters, 0).value(counter)


def fields(row: Any, *names: str) -> list[int]:
    """Return some fields of a record as plain integers."""
    return [int(row[name]) for name in names]


def snapshot(bids: str, asks: str, **ids: int) -> Snapshot:
    return Snapshot(
        "X", msgspec.Raw(bids.encode()), msgspec.Raw(asks.encode()), **ids)


def change(bids: str, asks: str = "[]", **ids: int) -> Delta:
    return Delta("X", msgspec.Raw(bids.encode()), msgspec.Raw(asks.encode()), **ids)


BIDS, ASKS = '[["10.50","1"],["10.40","2"]]', '[["10.60","3"]]'


def test_a_snapshot_is_seen_best_first_with_its_ids_and_times() -> None:
    feed = Feed()
    assert feed.publisher.load(1, snapshot(BIDS, ASKS, last_id=42, venue_ns=5), 11, 12) == 0
    version, book = feed.memory.books.read(1)
    assert version == 1
    assert fields(book, "bid_count", "ask_count") == [2, 1]
    assert book["bid_price"][:2].tolist() == [1050, 1040]
    assert book["bid_size"][:2].tolist() == [1000, 2000]
    assert book["ask_price"][:1].tolist() == [1060]
    assert book["ask_size"][:1].tolist() == [3000]
    assert fields(book, "update_id", "venue_unix_ns") == [42, 5]
    assert fields(book, "recv_unix_ns", "recv_mono_ns", "publish_mono_ns") == [11, 12, 12]
    assert feed.memory.books.read(0)[0] == 0  # the neighbour was not touched


def test_every_publication_tells_the_ring_before_it_rings_the_bell() -> None:
    feed = Feed()
    feed.publisher.load(1, snapshot(BIDS, ASKS), 0, 0)
    feed.publisher.apply(1, change('[["10.45","1"]]'), 0, 0)
    feed.publisher.quote(0, Quote("X", "1", "2", "3", "4"), 0, 0)
    feed.publisher.state(1, BookState.LIVE, BookFault.NONE, 3)
    assert feed.told() == [
        (8, UpdateKind.BOOK), (8, UpdateKind.BOOK), (7, UpdateKind.QUOTE), (8, UpdateKind.STATE)]
    assert feed.rings == 4


def test_a_print_is_in_both_rings_and_wakes_nobody() -> None:
    feed = Feed()
    trade = Trade("X", "10.51", "0.125", -1, trade_id=9, venue_ns=4)
    assert feed.publisher.trade(1, trade, 5, 6) == 0
    _, lost, (record,) = feed.trades.read(0)
    assert lost == 0
    assert record.tolist() == (4, 5, 6, 1051, 125, -1, 9, 8)
    assert feed.told() == [(8, UpdateKind.TRADE)]
    assert feed.rings == 0
    assert feed.status(1)["trades"] == feed.counter(FeedCounter.TRADES) == 1


@pytest.mark.parametrize("raw", [False, True], ids=["text", "raw"])
def test_a_quote_is_seen_whole(raw: bool) -> None:
    feed = Feed()
    sent: list[Any] = ["10.50", "1.5", "10.60", "0.001"]
    if raw:
        sent = [msgspec.Raw(f'"{it}"'.encode()) for it in sent]
    quote = Quote("X", sent[0], sent[1], sent[2], sent[3], 77, 3)
    assert feed.publisher.quote(0, quote, 1, 2) == 0
    version, seen = feed.memory.books.read_quote(0)
    assert version == 1
    assert fields(seen, "bid_price", "bid_size", "ask_price", "ask_size") == [1050, 1500, 1060, 1]
    assert fields(seen, "update_id", "recv_mono_ns") == [77, 2]
    assert feed.status()["quotes"] == feed.counter(FeedCounter.QUOTES) == 1


@pytest.mark.parametrize(("numbers", "fault"), [
    (["10.501", "1", "10.6", "1"], BookFault.INEXACT),
    (["10.5", "x", "10.6", "1"], BookFault.PARSE),
    (["10.5", "1", "", "1"], BookFault.PARSE),
    (["10.5", "1", "99999999999999999999", "1"], BookFault.OVERFLOW),
    (["10.5", "1", "10.5", "1"], BookFault.CROSSED),
    (['"10.5', "1", "10.6", "1"], BookFault.PARSE),
])
def test_a_faulty_quote_is_dropped(numbers: list[str], fault: BookFault) -> None:
    feed = Feed()
    quote = Quote("X", numbers[0], numbers[1], numbers[2], numbers[3])
    assert feed.publisher.quote(0, quote, 0, 0) == fault
    assert feed.memory.books.read_quote(0)[0] == 0
    assert feed.told() == []


def test_a_quote_with_an_empty_side_is_no_crossing() -> None:
    assert Feed().publisher.quote(0, Quote("X", "10.5", "1", "0.00", "0.000"), 0, 0) == 0


@pytest.mark.parametrize("trade", [
    Trade("X", "1e", "1", 1), Trade("X", "1", "0.0001", 1), Trade("X", "", "1", 1)])
def test_a_faulty_print_is_dropped(trade: Trade) -> None:
    feed = Feed()
    assert feed.publisher.trade(0, trade, 0, 0) != 0
    assert feed.trades.head == 0
    assert feed.told() == []


@pytest.mark.parametrize(("bids", "fault"), [
    ('[["10.45","x"]]', BookFault.PARSE), ('[["10.60","1"]]', BookFault.CROSSED),
    ('[["10.455","1"]]', BookFault.INEXACT),
    ('[["10.45","99999999999999999"]]', BookFault.OVERFLOW),
])
def test_a_message_that_spoils_the_book_is_not_published(bids: str, fault: BookFault) -> None:
    feed = Feed()
    feed.publisher.load(0, snapshot(BIDS, ASKS), 0, 0)
    feed.told()
    assert feed.publisher.apply(0, change(bids), 0, 0) == fault
    assert feed.publisher.apply(0, change("[]"), 0, 0) == fault  # until the next snapshot
    version, book = feed.memory.books.read(0)
    assert (version, book["bid_price"][0]) == (1, 1050)
    assert feed.told() == []
    assert feed.status()["updates"] == 0
    assert feed.publisher.load(0, snapshot(BIDS, ASKS), 0, 0) == 0
    assert feed.publisher.apply(0, change("[]"), 0, 0) == 0


def test_the_state_word_is_written_with_its_reason_and_gaps_are_counted() -> None:
    feed = Feed()
    base = feed.memory.books.base(1)
    feed.publisher.state(1, BookState.LIVE, BookFault.NONE, 10)
    assert book_state(feed.memory.books.words, base) == BookState.LIVE
    feed.publisher.state(1, BookState.GAPPED, BookFault.GAP, 20)
    assert book_state(feed.memory.books.words, base) == BookState.GAPPED
    status = feed.status(1)
    assert (status["fault"], status["since_mono_ns"], status["gaps"]) == (BookFault.GAP, 20, 1)
    feed.publisher.state(1, BookState.STALE, BookFault.SILENCE, 30)
    assert feed.status(1)["gaps"] == feed.counter(FeedCounter.GAPS) == 1


def test_counts_of_a_book_stand_in_its_status() -> None:
    feed = Feed()
    feed.publisher.load(0, snapshot(BIDS, ASKS), 0, 1)
    feed.publisher.apply(0, change('[["10.45","1"],["10.50","0"]]'), 0, 2)
    feed.publisher.load(0, snapshot(BIDS, ASKS), 0, 3)
    status = feed.status()
    assert [int(status[name]) for name in (
        "snapshots", "resyncs", "updates", "bid_count", "ask_count", "last_recv_mono_ns",
    )] == [2, 1, 1, 2, 1, 3]
    assert feed.counter(FeedCounter.SNAPSHOTS) == 2
    assert feed.counter(FeedCounter.RESYNCS) == 1


def test_dropped_levels_are_counted_where_operators_look() -> None:
    feed = Feed()
    bids = ",".join(f'["{price}","1"]' for price in range(100, 0, -1))
    feed.publisher.load(0, snapshot(f"[{bids}]", "[]"), 0, 0)
    assert feed.status()["levels_dropped"] == feed.counter(FeedCounter.LEVELS_DROPPED) == 36


def test_checksums_are_counted_right_and_wrong() -> None:
    feed = Feed(venue=KRAKEN)
    bids = '[{"price":3366.1,"qty":7}]'
    feed.publisher.load(0, snapshot(bids, "[]", checksum=0xD5EE2A5A), 0, 0)
    verdict = feed.publisher.books[0].fault
    assert verdict == BookFault.CHECKSUM
    right = feed.publisher.books[0].checksum
    assert feed.publisher.load(0, snapshot(bids, "[]", checksum=right), 0, 0) == 0
    assert feed.publisher.load(0, snapshot(bids, "[]"), 0, 0) == 0  # without one
    status = feed.status()
    assert (status["checksums_ok"], status["checksums_failed"]) == (1, 1)


def test_only_the_depth_is_shown_and_shorter_sides_are_short() -> None:
    feed = Feed(depth=5)
    twin = Plain(64)
    feed.publisher.load(0, snapshot("[]", "[]"), 0, 0)
    for levels in stream(Random(4), messages=150, sort=True):
        bids, asks = written(levels, LevelText.PAIRS)
        assert feed.publisher.apply(0, change(bids, asks), 0, 0) == 0
        twin.apply(levels)
        _, book = feed.memory.books.read(0)
        for side, name in enumerate(("bid", "ask")):
            shown = [int(price * 100) for price in twin.ranked(side)[:5]]
            assert book[f"{name}_count"] == len(shown)
            assert book[f"{name}_price"][: len(shown)].tolist() == shown


def test_times_are_read_from_the_clock_and_kept_in_the_histogram() -> None:
    feed = Feed(timed=True)
    feed.publisher.load(0, snapshot(BIDS, ASKS, venue_ns=1_000), 3_000, 1)
    _, book = feed.memory.books.read(0)
    assert book["publish_mono_ns"] > 1
    block = CounterBlock(feed.memory.counters, 0)
    assert block.histogram(FeedHistogram.RECV_TO_PUBLISH).count == 1
    assert block.histogram(FeedHistogram.VENUE_TO_RECV).max_ns == 2_000


def test_a_depth_set_later_cuts_the_book_from_the_next_message_on() -> None:
    feed = Feed()
    feed.publisher.load(0, snapshot(BIDS, ASKS), 0, 0)
    feed.publisher.truncate(0, 1)
    feed.publisher.apply(0, change("[]"), 0, 0)
    assert feed.status()["bid_count"] == 1


def test_nothing_compiles_after_warming_up() -> None:
    warm()
    feed = Feed()
    feed.publisher.load(0, snapshot(BIDS, ASKS), 0, 0)
    feed.publisher.apply(0, change("[]"), 0, 0)
    feed.publisher.quote(0, Quote("X", "1", "1", "2", "1"), 0, 0)
    feed.publisher.trade(0, Trade("X", "1", "1", 1), 0, 0)
    feed.publisher.state(0, BookState.LIVE, BookFault.NONE, 0)
    for name in ("book", "quote", "trade", "state"):
        kernel = getattr(publish_kernels, f"{name}_message")
        assert len(kernel.signatures) == 1


def test_a_wrong_argument_is_a_type_error_and_harms_nothing() -> None:
    feed = Feed()
    with pytest.raises(TypeError):
        feed.publisher.apply(0, Delta("X", 5, 6), 0, 0)  # type: ignore[arg-type]
    assert feed.memory.books.read(0)[0] == 0


def asks_text(first: int, count: int) -> str:
    return "[" + ",".join(f'["{first + at}","1"]' for at in range(count)) + "]"


def test_levels_beyond_a_cut_snapshot_are_unknown_and_never_shown() -> None:
    feed = Feed(depth=5, venue=msgspec.structs.replace(VENUE, snapshot_levels=10))
    feed.publisher.load(0, snapshot('[["1","1"]]', asks_text(100, 10)), 0, 0)
    assert not feed.publisher.is_short(0)
    feed.publisher.apply(0, change("[]", '[["500","1"]]'), 0, 0)  # what lies before it is unknown
    gone = "[" + ",".join(f'["{100 + at}","0"]' for at in range(8)) + "]"
    feed.publisher.apply(0, change("[]", gone), 0, 0)
    _, book = feed.memory.books.read(0)
    assert book["ask_price"][: book["ask_count"]].tolist() == [108_00, 109_00]
    assert book["bid_count"] == 1  # shorter than the limit: all of it is known
    assert feed.publisher.is_short(0)
    feed.publisher.load(0, snapshot('[["1","1"]]', asks_text(108, 4)), 0, 0)
    assert not feed.publisher.is_short(0)


def test_levels_beyond_a_full_side_are_unknown_too() -> None:
    feed = Feed(depth=5)  # keeps 64
    feed.publisher.load(0, snapshot('[["1","1"]]', asks_text(100, 64)), 0, 0)
    feed.publisher.apply(0, change("[]", '[["99","1"]]'), 0, 0)  # 163 goes
    gone = "[" + ",".join(f'["{99 + at}","0"]' for at in range(62)) + "]"
    feed.publisher.apply(0, change("[]", gone), 0, 0)
    feed.publisher.apply(0, change("[]", '[["170","1"]]'), 0, 0)  # 163 may stand before it
    _, book = feed.memory.books.read(0)
    assert book["ask_price"][: book["ask_count"]].tolist() == [161_00, 162_00]
    assert feed.publisher.is_short(0)
