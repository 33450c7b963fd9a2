"""From a trusted event to shared memory: one kernel per message, and the order of its stores.

    parse, apply ─▶ slot under its seqlock ─▶ index ─▶ counts ─▶ updates ring ─▶ doorbell

A reader that is woken by the bell finds the ring entry; one that has the ring entry finds the
book.  A message that leaves the book unfit is not published at all.  All memory comes from
outside, so a replay works on plain arrays.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from engine.model.instrument import Instrument
from feeds.book.arena import PUBLISH, SHORT, SIDE_WORDS, SIDES
from feeds.book.full_book import FullBook
from feeds.book.publish_kernels import book_message, quote_message, state_message, trade_message
from feeds.venue import Delta, Quote, Snapshot, Trade, Venue
from shm.atomics import Words
from shm.book import BookSegment
from shm.jit import entry
from shm.layout import BELL, COUNTER_BLOCK_STRIDE, TRADE, WORD, words_in
from shm.ring import WordRing, ring_size
from shm.text import INT, TEXT, WORDS


class _Entries(NamedTuple):
    book: Callable[..., int]
    quote: Callable[..., int]
    trade: Callable[..., int]
    state: Callable[..., int]


@cache
def warm() -> _Entries:
    """Compile or load every kernel that a feed's messages use; nothing compiles after."""
    shared = (WORDS,) * 5
    return _Entries(
        book=entry(book_message, *shared, TEXT, TEXT, *(INT,) * 6),
        quote=entry(quote_message, *shared, *(TEXT,) * 4, *(INT,) * 4),
        trade=entry(trade_message, *shared, TEXT, TEXT, *(INT,) * 5),
        state=entry(state_message, *shared, *(INT,) * 3),
    )
class Memory(NamedTuple):
    """Where a feed publishes: its segments behind their headers, as words."""

    books: BookSegment
    updates: Words  # a ring of words
    trades: Words  # a ring of TRADE
    bells: Words  # the words of the control segment, or of any array that holds a BELL
    bell_base: int  # the detector's bell in it
    counters: Words  # the block of this process

    @classmethod
    def plain(cls, depth: int, count: int, entries: int = 1024) -> "Memory":
        """Allocate private memory of the same layout: for replays, tests and benchmarks."""
        books = np.zeros(BookSegment.size(depth, count) // WORD, np.int64)
        updates = np.zeros(ring_size(1, entries) // WORD, np.int64)
        trades = np.zeros(ring_size(words_in(TRADE), entries) // WORD, np.int64)
        WordRing.format(updates, entries)
        WordRing.format(trades, entries)
        return cls(
            BookSegment(books, depth, count), updates, trades,
            np.zeros(words_in(BELL), np.int64), 0,
            np.zeros(COUNTER_BLOCK_STRIDE // WORD, np.int64))


class Publisher:
    """All books of one feed and their places in shared memory.

    Statuses are ``BookFault``: 0 when the message is in and published.  ``local`` is the
    instrument's index within the feed.  After a fault the book refuses changes until ``load``;
    saying so in its state word is the caller's next act (``state``).
    """

    def __init__(
        self, venue: Venue, instruments: Sequence[Instrument], memory: Memory, *,
        levels_max: int, keep_text: bool = False, timed: bool = True,
    ) -> None:
        """Bind books to memory; ``timed`` stamps by the clock, else by receive times (replay)."""
        self._words, self._updates, self._trades = (
            memory.books.words, memory.updates, memory.trades)
        self._bells, self._tallies = memory.bells, memory.counters
        for words in (self._words, self._updates, self._trades, self._bells, self._tallies):
            assert words.dtype == np.int64
            assert words.flags.c_contiguous
        assert [it.local_index for it in instruments] == list(range(len(instruments)))
        self.books = [
            FullBook(
                it.price_decimals, it.size_decimals, levels_max, keep_text,
                level_text=venue.level_text, checksum=venue.checksum,
                truncate_depth=venue.truncate_depth)
            for it in instruments
        ]
        depth = memory.books.depth
        for it, book in zip(instruments, self.books, strict=True):
            book.arena[PUBLISH : PUBLISH + 7] = (
                memory.books.base(it.local_index), depth, it.index, memory.bell_base, timed,
                min(depth, venue.vouched_depth or depth), venue.snapshot_levels)
        self._arenas = [book.arena for book in self.books]
        self._book, self._quote, self._trade, self._state = warm()

    def load(
        self, local: int, snapshot: Snapshot, recv_unix_ns: int, recv_mono_ns: int
    ) -> int:
        """Replace the book and publish it."""
        return self._book(
            self._arenas[local], self._words, self._updates, self._bells, self._tallies,
            snapshot.bids, snapshot.asks, 1, snapshot.checksum, snapshot.venue_ns,
            snapshot.last_id, recv_unix_ns, recv_mono_ns)

    def apply(self, local: int, change: Delta, recv_unix_ns: int, recv_mono_ns: int) -> int:
        """Change the book and publish it."""
        return self._book(
            self._arenas[local], self._words, self._updates, self._bells, self._tallies,
            change.bids, change.asks, 0, change.checksum, change.venue_ns, change.last_id,
            recv_unix_ns, recv_mono_ns)

    def quote(self, local: int, quote: Quote, recv_unix_ns: int, recv_mono_ns: int) -> int:
        """Publish a best bid and offer; a faulty one is dropped."""
        return self._quote(
            self._arenas[local], self._words, self._updates, self._bells, self._tallies,
            quote.bid, quote.bid_size, quote.ask, quote.ask_size, quote.venue_ns,
            quote.update_id, recv_unix_ns, recv_mono_ns)

    def trade(self, local: int, trade: Trade, recv_unix_ns: int, recv_mono_ns: int) -> int:
        """Publish a print; a faulty one is dropped."""
        return self._trade(
            self._arenas[local], self._words, self._updates, self._trades, self._tallies,
            trade.price, trade.size, trade.side, trade.trade_id, trade.venue_ns, recv_unix_ns,
            recv_mono_ns)

    def state(self, local: int, state: int, fault: int, now_mono_ns: int) -> None:
        """Write the book's state word, first of all, and wake its readers."""
        self._state(
            self._arenas[local], self._words, self._updates, self._bells, self._tallies,
            int(state), int(fault), now_mono_ns)

    def is_short(self, local: int) -> bool:
        """Tell whether the levels last published ended where the snapshot's knowledge ends."""
        arena = self._arenas[local]
        return any(arena[SIDES + side * SIDE_WORDS + SHORT] != 0 for side in range(2))

    def truncate(self, local: int, depth: int) -> None:
        """Cut the book to ``depth`` levels per side after each message from now on."""
        self.books[local].truncate(depth)
