"""Spot against perpetual on recorded traffic: windows, counts and times equal an independent truth.

    spot.jsonl.gz ─┐ Replay: the live feeds' own code ─▶ books, quotes ─▶ 8 detectors, told after
    usdm.jsonl.gz ─┘                                                      every single event

The rule, from ``expected/arb.20240808.json``: merge both captures on t, the first-named market
first at equal t; after every event, once both sides are known, test
``sell_bid * 10000 >= buy_ask * (10000 + bps)``; a window runs until the next merged event after
which it does not hold.  For books the events are the applied changes, those kept for the snapshot
included, not the snapshot itself.  The truth asks nothing of trust, so the few events before a
book is LIVE are scanned as if it were.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Final

import orjson
import pytest
from msgspec.structs import replace

from engine.config import PairTable
from engine.detect.cross import Cross
from engine.market.touch import Source
from feeds.recorded.replay import Happened, Market, Replay
from shm.book import book_state, set_state
from shm.layout import BookFault, BookState, UpdateKind
from tests.engine.detect.world import World, make_config
from tests.shared import CAPTURES, EXPECTED

ARBITRAGE: Final = EXPECTED / "arb.20240808.json"
SYMBOLS: Final = ("BTCUSDT", "ETHUSDT")
SOURCES: Final = {Source.QUOTE: "bookTicker", Source.BOOK: "book"}
THRESHOLDS_BPS: Final = (1, 2, 5, 10)
DEPTH: Final = 10
LATER_NS: Final = 2**62  # feeds that beat then are alive at any recorded time

pytestmark = pytest.mark.skipif(not ARBITRAGE.exists(), reason="needs ../shared/captures")


class Day:
    """Both captures played once, with a detector for each source and threshold."""

    def __init__(self) -> None:
        self.replay = Replay(
            [CAPTURES / f"binance.{market}.20240808.jsonl.gz" for market in ("spot", "usdm")],
            depth=DEPTH)
        table = [it.instrument for market in self.replay.markets for it in market.listed]
        venues = {market.venue.name: [it.instrument.name for it in market.listed]
                  for market in self.replay.markets}
        quanta = {each.pair.group: PairTable(each.price_decimals, each.size_decimals)
                  for each in table}
        self.crosses: dict[tuple[Source, int], Cross] = {}
        for source in SOURCES:
            for bps in THRESHOLDS_BPS:
                config = make_config(venues, edge_min_ppm=100 * bps, depth=DEPTH)
                world = World(
                    replace(config, pairs=quanta),
                    books=[market.memory.books for market in self.replay.markets])
                assert world.table == table
                world.beat(LATER_NS)
                self.crosses[source, bps] = world.cross(source=source)
        self.events: Counter[tuple[str, Source]] = Counter()
        self.last_t: dict[tuple[str, Source], int] = {}
        self._updates: Counter[tuple[str, str]] = Counter()
        self._markets = {market.name: market for market in self.replay.markets}
        self.replay.run(self._after)

    def _after(self, event: Happened) -> None:
        market = self._markets[event.market]
        if event.kind is UpdateKind.QUOTE:
            source = Source.QUOTE
        elif event.kind is UpdateKind.BOOK and self._is_change(market, event):
            source = Source.BOOK
        else:
            return
        self.events[event.native, source] += 1
        self.last_t[event.native, source] = event.t
        instrument = next(it.instrument for it in market.listed if it.native == event.native)
        with _live(market, instrument.local_index):
            for bps in THRESHOLDS_BPS:
                self.crosses[source, bps].scan(instrument.index, event.t)

    def _is_change(self, market: Market, event: Happened) -> bool:
        key, updates = (market.name, event.native), market.tallies[event.native].updates
        changed, self._updates[key] = updates != self._updates[key], updates
        return changed


@contextmanager
def _live(market: Market, local: int) -> Iterator[None]:
    """Let a book count as LIVE that is not yet."""
    books = market.memory.books
    state = book_state(books.words, books.base(local))
    if state != BookState.LIVE:
        set_state(books.words, books.base(local), BookState.LIVE, BookFault.NONE, 0)
    yield
    if state != BookState.LIVE:
        set_state(books.words, books.base(local), state, BookFault.NONE, 0)


@pytest.fixture(scope="module")
def day() -> Day:
    return Day()


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    pairs: dict[str, Any] = orjson.loads(ARBITRAGE.read_bytes())["pairs"]
    return pairs


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("symbol", SYMBOLS)
def test_every_window_of_the_recorded_day_is_found_with_its_exact_duration(
    day: Day, truth: dict[str, Any], symbol: str, source: Source
) -> None:
    want = truth[f"{SOURCES[source]}.spot:{symbol}.usdm:{symbol}"]
    assert day.events[symbol, source] == want["events"]
    assert day.last_t[symbol, source] == want["last_t"]
    spot, perpetual = (
        next(it.instrument.index for it in market.listed if it.native == symbol)
        for market in day.replay.markets)
    for pair, direction in (((spot, perpetual), "usdm_bid>=spot_ask"),
                            ((perpetual, spot), "spot_bid>=usdm_ask")):
        expected = want["directions"][direction]
        for bps in THRESHOLDS_BPS:
            cross = day.crosses[source, bps]
            found = cross.windows(cross.pairs.index(pair), want["last_t"])
            assert found.evaluated == want["evaluated"]
            assert {
                "entries": found.entries, "events_true": found.events_true,
                "ns_true": found.ns_true,
            } == expected["thresholds_bps"][str(bps)]
            for edge_ppm, text in ((found.edge_least, "min"), (found.edge_most, "max"),
                                   (found.edge_mean, "mean_per_event")):
                assert abs(Decimal(edge_ppm) / 100 - Decimal(expected["edge_bps"][text])) < (
                    Decimal("0.000001"))


def test_the_books_that_the_windows_were_found_in_are_live_to_the_end(day: Day) -> None:
    for market in day.replay.markets:
        for at, it in enumerate(market.listed):
            status = market.memory.books.records[at]["status"]
            assert (status["state"], status["gaps"]) == (BookState.LIVE, 0), it.native
