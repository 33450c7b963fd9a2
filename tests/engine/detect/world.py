"""A whole engine's memory in plain arrays: what feeds, control and operators would have written."""

from collections.abc import Sequence

import msgspec
import numpy as np

from engine.config import Config, instruments
from engine.detect.cross import Cross
from engine.market.touch import Source
from engine.runtime.memory import FeedPlace, Memory
from shm.atomics import Words
from shm.board import ControlView, InstrumentTable
from shm.book import (
    ASK_COUNT,
    BID_COUNT,
    HEAD_WORDS,
    PUBLISH_MONO_NS,
    RECV_MONO_NS,
    UPDATE_ID,
    BookSegment,
    column_words,
    publish_begin,
    publish_end,
    publish_quote,
    set_state,
)
from shm.counters import CounterBlock
from shm.layout import (
    SIGNAL,
    BookFault,
    BookState,
    EngineState,
    InstrumentKind,
    InstrumentStatus,
    TradingState,
    UpdateKind,
    words_in,
)
from shm.ring import RecordRing, WordRing, ring_size

Levels = Sequence[tuple[int, int]]
Amount = float | dict[str, float]  # of every quote currency, or of each
EPOCH = 1
RUN = 7


def words(size: int) -> Words:
    return np.zeros(size // 8, np.int64)


def limit(amount: Amount, quote: str) -> float:
    return amount[quote] if isinstance(amount, dict) else amount


def make_config(
    venues: dict[str, list[str]], *, edge_min_ppm: int = 0, edge_max_ppm: int = 1_000_000,
    notional_max: Amount = 1e6, notional_min: Amount = 0.0, book_age_ms_max: float = 1e6,
    repeat_ms: float = 1000.0, depth: int = 8, decimals: tuple[int, int] = (2, 4),
    exec_edge_min_ppm: int = 0,
) -> Config:
    """Return a config of venues with their symbols; one quantum is 0.01 and 0.0001."""
    pairs = {symbol.partition(":")[0] for symbols in venues.values() for symbol in symbols}
    quotes = {pair.partition("/")[2] for pair in pairs}
    return msgspec.convert({
        "name": "test",
        "venues": {name: {"symbols": symbols} for name, symbols in venues.items()},
        "pairs": {
            pair: {"price-decimals": decimals[0], "size-decimals": decimals[1]} for pair in pairs
        },
        "detector": {
            "edge-min-ppm": edge_min_ppm, "edge-max-ppm": edge_max_ppm,
            "book-age-ms-max": book_age_ms_max, "repeat-ms": repeat_ms,
            "notional-max": {quote: limit(notional_max, quote) for quote in quotes},
            "notional-min": {quote: limit(notional_min, quote) for quote in quotes},
        },
        "execution": {"edge-min-ppm": exec_edge_min_ppm},
        "books": {"depth": depth},
        "wait": {"strategy": "yield"},
    }, Config)


def publish_levels(
    books: BookSegment, local: int, bids: Levels, asks: Levels, *, now_ns: int, update_id: int = 0
) -> None:
    """Publish levels of (price, size) quanta, best first, as received and published at once."""
    base = books.base(local)
    slot = publish_begin(books.words, base, books.depth)
    column, at = column_words(books.depth), slot + HEAD_WORDS
    books.words[slot + RECV_MONO_NS] = books.words[slot + PUBLISH_MONO_NS] = now_ns
    books.words[slot + UPDATE_ID] = update_id
    books.words[slot + BID_COUNT], books.words[slot + ASK_COUNT] = len(bids), len(asks)
    for side, levels in enumerate((bids, asks)):
        for level, (price, size) in enumerate(levels):
            books.words[at + 2 * side * column + level] = price
            books.words[at + (2 * side + 1) * column + level] = size
    publish_end(books.words, base, slot)


class World:
    """Segments of a running engine with every feed ready and every instrument trading."""

    def __init__(
        self, config: Config, *, fees: dict[str, int] | None = None,
        books: Sequence[BookSegment] | None = None,
    ) -> None:
        """Allocate everything, but ``books`` where somebody else keeps them, LIVE or not."""
        self.config, self.table = config, instruments(config)
        self.control = ControlView(words(ControlView.SIZE))
        engine = self.control.engine
        engine["state"], engine["trading_state"] = EngineState.RUNNING, TradingState.ACTIVE
        self.control.strategies[0]["enabled"] = 1
        self.rows = InstrumentTable(words(InstrumentTable.size(len(self.table))), len(self.table))
        self.feeds = []
        for number, venue in enumerate(config.venues):
            count = len(config.venues[venue].symbols)
            depth = config.books.depth
            place = books[number] if books else BookSegment(
                words(BookSegment.size(depth, count)), depth, count)
            updates = words(ring_size(1, 64))
            WordRing.format(updates, 64)
            self.feeds.append(FeedPlace(place, WordRing(updates), process=number))
            self.control.venues[number]["enabled"] = 1
            self.control.processes[number]["epoch"] = EPOCH
            place.adopt(EPOCH, 0)
        for instrument in self.table:
            row = self.rows[instrument.index]
            row["price_decimals"] = instrument.price_decimals
            row["size_decimals"] = instrument.size_decimals
            row["kind"] = InstrumentKind(int(instrument.pair.kind))
            row["status"], row["enabled"] = InstrumentStatus.TRADING, 1
            row["tick"], row["lot"] = 1, 1
            row["taker_fee_ppm"] = (fees or {}).get(instrument.venue, 0)
            if books is None:
                self.state(instrument.index, BookState.LIVE)
        signals = words(ring_size(words_in(SIGNAL), 16))
        RecordRing.format(signals, 16)
        self.signals = RecordRing(signals, SIGNAL)
        self.counters = CounterBlock(words(CounterBlock.size(1)), 0)

    @property
    def memory(self) -> Memory:
        """Return the memory as a process would map it."""
        return Memory(self.control, self.rows, self.feeds, self.signals, RUN)

    def cross(self, *, clocked: bool = False, source: Source = Source.BOTH) -> Cross:
        """Return a detector over this memory."""
        return Cross(self.config, self.table, self.memory, self.counters, clocked=clocked,
                     source=source)

    def _place(self, index: int) -> tuple[BookSegment, int]:
        instrument = self.table[index]
        books = self.feeds[instrument.venue_index].books
        return books, books.base(instrument.local_index)

    def beat(self, now_ns: int) -> None:
        """Let every feed be alive at ``now_ns``."""
        for feed in self.feeds:
            self.control.processes[feed.process]["heartbeat_mono_ns"] = now_ns

    def state(self, index: int, state: BookState) -> None:
        """Set the state of a book."""
        books, base = self._place(index)
        set_state(books.words, base, state, BookFault.NONE, 0)

    def book(
        self, index: int, bids: Levels, asks: Levels, *, now_ns: int = 0, update_id: int = 0,
        tell: bool = False,
    ) -> None:
        """Publish levels of (price, size) quanta, best first; with ``tell`` as an update too."""
        books, _ = self._place(index)
        publish_levels(books, self.table[index].local_index, bids, asks, now_ns=now_ns,
                       update_id=update_id)
        if tell:
            self.tell(index, UpdateKind.BOOK)

    def quote(
        self, index: int, bid: tuple[int, int], ask: tuple[int, int], *, now_ns: int = 0,
        update_id: int = 0,
    ) -> None:
        """Publish a best bid and offer."""
        books, base = self._place(index)
        publish_quote(books.words, base, books.depth, 0, 0, now_ns, update_id, *bid, *ask, now_ns)

    def tell(self, index: int, kind: UpdateKind) -> None:
        """Put an update into the ring of the instrument's feed."""
        self.feeds[self.table[index].venue_index].updates.push(index << 8 | kind)

    def signal(self, number: int = -1) -> np.void:
        """Return one signal from the ring, the newest by default."""
        head = self.signals.head
        _, _, records = self.signals.read(max(0, head - 15), 16)
        return records[number]  # type: ignore[no-any-return]
