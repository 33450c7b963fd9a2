"""A run's books and flags as one desk: what detection and execution map, and in what terms."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

import numpy as np

from engine.config import Config
from engine.market import appraise as a
from engine.market import depth
from engine.market.touch import Source
from engine.model.errors import ConfigInvalid
from engine.model.instrument import Instrument
from shm.atomics import Words
from shm.board import ControlView, InstrumentTable
from shm.book import BookSegment
from shm.layout import LAYOUT_HASH, SIGNAL, UPDATE_WORDS, WORD, Strategy, words_in
from shm.ring import RecordRing, WordRing, ring_size
from shm.segment import RunFolder, Segment
from shm.span import Span

SIGNALS_SOCKET: Final = "signals.ipc"
SIGNAL_PREFIX: Final = LAYOUT_HASH.to_bytes(8, "little")  # signals of other layouts never arrive
EXEC_BELL: Final = "exec.bell"  # the FIFO that wakes execution's event loop
_NS_PER_MS: Final = 1_000_000
_PLAIN_ENTRIES: Final = 16


class FeedPlace(NamedTuple):
    """Where one feed's memory is."""

    books: BookSegment
    updates: WordRing
    process: int  # its row of the process table


class Memory(NamedTuple):
    """What the workers of a run share; feeds in the order of the config's venues."""

    control: ControlView
    rows: InstrumentTable
    feeds: Sequence[FeedPlace]
    signals: RecordRing
    run: int

    @classmethod
    def attach(
        cls, folder: RunFolder, config: Config, control: ControlView, table: Sequence[Instrument],
        *, signals_writable: bool,
    ) -> "Memory":
        """Map the segments of a run; raise what ``Segment.attach`` raises."""
        feeds = []
        for index, (venue, wanted) in enumerate(config.venues.items()):
            books = Segment.attach(folder, f"books.{venue}")
            updates = Segment.attach(folder, f"updates.{venue}")
            feeds.append(FeedPlace(
                BookSegment(books.words, books.depth, len(wanted.symbols)),
                WordRing(updates.words), control.venues[index]["process"],
            ))
        signals = Segment.attach(folder, "signals", writable=signals_writable)
        return cls(
            control, InstrumentTable(Segment.attach(folder, "instruments").words, len(table)),
            feeds, RecordRing(signals.words, SIGNAL), signals.run,
        )

    @classmethod
    def plain(cls, config: Config, table: Sequence[Instrument]) -> "Memory":
        """Allocate private memory of the same layout: for compiling kernels before a run."""
        def words(size: int) -> Words:
            return np.zeros(size // WORD, np.int64)

        feeds = []
        for wanted in config.venues.values():
            count, updates = len(wanted.symbols), words(ring_size(UPDATE_WORDS, _PLAIN_ENTRIES))
            WordRing.format(updates, _PLAIN_ENTRIES)
            books = words(BookSegment.size(config.books.depth, count))
            feeds.append(FeedPlace(
                BookSegment(books, config.books.depth, count), WordRing(updates), 0))
        signals = words(ring_size(words_in(SIGNAL), _PLAIN_ENTRIES))
        WordRing.format(signals, _PLAIN_ENTRIES)
        return cls(
            ControlView(words(ControlView.SIZE)),
            InstrumentTable(words(InstrumentTable.size(len(table))), len(table)),
            feeds, RecordRing(signals, SIGNAL), 0,
        )

    def parts(self) -> list[Words]:
        """Return every segment, for a span."""
        return [
            self.control.words, self.rows.words, self.signals.words,
            *(feed.books.words for feed in self.feeds),
            *(feed.updates.words for feed in self.feeds),
        ]


def micro(amount: float) -> int:
    """Return an amount of the quote currency from the config in millionths, as it was written."""
    return int(Decimal(repr(amount)).scaleb(6))


def check_decimals(table: Sequence[Instrument]) -> None:
    """Raise ConfigInvalid for quanta in which a millionth of the quote cannot be counted."""
    for instrument in table:
        decimals = instrument.price_decimals + instrument.size_decimals
        if not depth.DECIMALS_MIN <= decimals <= depth.DECIMALS_MAX:
            raise ConfigInvalid(
                f'pairs."{instrument.pair.group}": price-decimals and size-decimals together are '
                f"{decimals}; right would be {depth.DECIMALS_MIN} to {depth.DECIMALS_MAX}"
            )


def open_desk(
    config: Config, table: Sequence[Instrument], memory: Memory, span: Span, *,
    edge_min_ppm: int, source: Source = Source.BOTH,
) -> a.Desk:
    """Return a desk over ``span``, that walks books while a quantum earns ``edge_min_ppm``."""
    check_decimals(table)
    control = span.base(memory.control.words)
    limits = np.zeros(a.LIMITS_WORDS, np.int64)
    limits[a.DEPTH], limits[a.SOURCE] = config.books.depth, source
    limits[a.CONTROL_AT], limits[a.STRATEGY] = control, Strategy.CROSS
    limits[a.SILENCE_MAX_NS] = int(config.supervision.silence_max_ms * _NS_PER_MS)
    limits[a.AGE_MAX_NS] = int(config.detector.book_age_ms_max * _NS_PER_MS)
    seats = np.zeros((len(table), a.SEAT_WORDS), np.int64)
    for seat, instrument in zip(seats, table, strict=True):
        feed = memory.feeds[instrument.venue_index]
        seat[a.BOOK_AT] = span.base(feed.books.words) + feed.books.base(instrument.local_index)
        seat[a.FEED_AT] = control + memory.control.processes.base(feed.process)
        seat[a.ROW_AT] = span.base(memory.rows.words) + memory.rows.base(instrument.index)
        seat[a.VENUE] = instrument.venue_index
        quote = instrument.pair.quote
        seat[a.NOTIONAL_MIN] = micro(config.detector.notional_min[quote])
        seat[a.NOTIONAL_MAX] = micro(config.detector.notional_max[quote])
    desk = a.make_desk(span.words, seats, limits)
    desk.terms[depth.EDGE_MIN], desk.terms[depth.EDGE_MAX] = (
        edge_min_ppm, config.detector.edge_max_ppm)
    desk.terms[depth.SIZE_MAX] = np.iinfo(np.int64).max
    return desk
