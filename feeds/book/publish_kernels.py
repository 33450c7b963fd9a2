"""What a message does, as one kernel for each kind: book, quote, print, state.

The order of the stores is that of ``feeds/book/publish.py``.  Constants of a book and its place in
shared memory stand in its arena, so that a call passes few arguments.
"""

from typing import Final

from feeds.book.arena import (
    ALL_KNOWN,
    CHECKSUM,
    DROPPED,
    KNOWN,
    PRICE_DECIMALS,
    PUBLISH,
    ROWS,
    SCRATCH,
    SHORT,
    SIZE_DECIMALS,
    Arena,
    best_row,
    count,
    know_down_to_worst,
    side_head,
)
from feeds.book.checksum import NOT_SENT
from feeds.book.full_book import change_book
from feeds.book.levels import ASK, BID, lone_number
from shm.atomics import Words, load_relaxed, store_relaxed
from shm.bell import ring_bell
from shm.book import (
    ASK_COUNT,
    BID_COUNT,
    HEAD_WORDS,
    PUBLISH_MONO_NS,
    RECV_MONO_NS,
    RECV_UNIX_NS,
    UPDATE_ID,
    VENUE_UNIX_NS,
    column_words,
    publish_begin,
    publish_end,
    publish_quote,
    set_state,
)
from shm.counters import FeedCounter, FeedHistogram, record_ns
from shm.jit import fused, hot
from shm.layout import (
    BOOK_STATUS,
    COUNTERS_MAX,
    HISTOGRAM_WORDS,
    TRADE,
    BookFault,
    UpdateKind,
    word_of,
    words_in,
)
from shm.ring import ring_push, ring_push_word
from shm.system import mono_ns
from shm.text import Text, octets

# Words that a book's arena keeps for us, from PUBLISH on.
_BASE: Final = PUBLISH  # first word of the book's record in the books segment
_DEPTH: Final = PUBLISH + 1  # levels per side shown there
_INSTRUMENT: Final = PUBLISH + 2  # index over the engine
_BELL: Final = PUBLISH + 3  # first word of the doorbell
_SHOWN: Final = PUBLISH + 5  # of those, the levels that the venue's integrity rule vouches for
_SNAPSHOT_LEVELS: Final = PUBLISH + 6  # a side of a snapshot that is so long was cut; 0 = never
_TIMED: Final = PUBLISH + 4  # 1: publish times are read from the clock; 0: they are receive times

_UPDATES: Final = word_of(BOOK_STATUS, "updates")
_SNAPSHOTS: Final = word_of(BOOK_STATUS, "snapshots")
_GAPS: Final = word_of(BOOK_STATUS, "gaps")
_RESYNCS: Final = word_of(BOOK_STATUS, "resyncs")
_CHECKSUMS_OK: Final = word_of(BOOK_STATUS, "checksums_ok")
_CHECKSUMS_FAILED: Final = word_of(BOOK_STATUS, "checksums_failed")
_TRADES: Final = word_of(BOOK_STATUS, "trades")
_QUOTES: Final = word_of(BOOK_STATUS, "quotes")
_BIDS: Final = word_of(BOOK_STATUS, "bid_count")
_ASKS: Final = word_of(BOOK_STATUS, "ask_count")
_LEVELS_DROPPED: Final = word_of(BOOK_STATUS, "levels_dropped")
_LAST_RECV: Final = word_of(BOOK_STATUS, "last_recv_mono_ns")
_BOOK, _QUOTE, _STATE, _TRADE = (
    int(kind) for kind in (UpdateKind.BOOK, UpdateKind.QUOTE, UpdateKind.STATE, UpdateKind.TRADE))
_CHECKSUM, _CROSSED = int(BookFault.CHECKSUM), int(BookFault.CROSSED)
_GAP = int(BookFault.GAP)
_TRADE_WORDS: Final = words_in(TRADE)
assert TRADE.names == (
    "venue_unix_ns", "recv_unix_ns", "recv_mono_ns", "price", "size", "side", "trade_id",
    "instrument")  # the order in which ``trade_message`` fills a record

_N_UPDATES, _N_SNAPSHOTS = int(FeedCounter.UPDATES), int(FeedCounter.SNAPSHOTS)
_N_TRADES, _N_QUOTES = int(FeedCounter.TRADES), int(FeedCounter.QUOTES)
_N_GAPS, _N_RESYNCS = int(FeedCounter.GAPS), int(FeedCounter.RESYNCS)
_N_OK, _N_FAILED = int(FeedCounter.CHECKSUMS_OK), int(FeedCounter.CHECKSUMS_FAILED)
_N_CROSSED, _N_DROPPED = int(FeedCounter.CROSSED), int(FeedCounter.LEVELS_DROPPED)
_N_BELLS = int(FeedCounter.BELLS)


def _histogram(number: FeedHistogram) -> int:
    return COUNTERS_MAX + int(number) * HISTOGRAM_WORDS


_RECV_TO_PUBLISH: Final = _histogram(FeedHistogram.RECV_TO_PUBLISH)
_VENUE_TO_RECV: Final = _histogram(FeedHistogram.VENUE_TO_RECV)


# ---------------------------------------------------------------- kernels
@fused
def _add(words: Words, index: int, n: int) -> None:
    """Add to a word that only we write."""
    store_relaxed(words, index, load_relaxed(words, index) + n)


@fused
def _announce(arena: Arena, updates: Words, bells: Words, tallies: Words, kind: int) -> None:
    """Tell the readers of the updates ring, then wake the detector."""
    ring_push_word(updates, arena[_INSTRUMENT] << 8 | kind)
    if ring_bell(bells, arena[_BELL]) != 0:
        _add(tallies, _N_BELLS, 1)


@fused
def _show_side(arena: Arena, side: int, books: Words, prices: int, sizes: int, depth: int) -> int:
    """Copy the best levels of a side into two columns, as far as all are known; return how many.

    Each row is written where the next level belongs, and stays there if it is alive.
    """
    shown, wanted, known = 0, min(depth, count(arena, side)), arena[side_head(side) + KNOWN]
    row, rows, sign = best_row(arena, side), arena[ROWS], 1 if side == BID else -1
    while shown < wanted and arena[row] >= known:
        size = arena[row + rows]
        books[prices + shown] = sign * arena[row]
        books[sizes + shown] = size
        shown += 1 if size != 0 else 0
        row -= 1
    arena[side_head(side) + SHORT] = 1 if shown < depth and known != ALL_KNOWN else 0
    return shown


@fused
def _time(arena: Arena, recv_mono: int) -> int:
    return mono_ns() if arena[_TIMED] != 0 else recv_mono


@fused
def _show(
    arena: Arena, books: Words, venue_ns: int, update_id: int, recv_unix: int, recv_mono: int
) -> int:
    """Publish the best levels into the next slot; return the time of it."""
    base, depth = arena[_BASE], arena[_DEPTH]
    slot = publish_begin(books, base, depth)
    column, first = column_words(depth), slot + HEAD_WORDS
    shown = arena[_SHOWN]
    bids = _show_side(arena, BID, books, first, first + column, shown)
    asks = _show_side(arena, ASK, books, first + 2 * column, first + 3 * column, shown)
    now = _time(arena, recv_mono)
    books[slot + VENUE_UNIX_NS] = venue_ns
    books[slot + RECV_UNIX_NS] = recv_unix
    books[slot + RECV_MONO_NS] = recv_mono
    books[slot + PUBLISH_MONO_NS] = now
    books[slot + UPDATE_ID] = update_id
    books[slot + BID_COUNT] = bids
    books[slot + ASK_COUNT] = asks
    publish_end(books, base, slot)
    return now


@fused
def _tally_message(
    arena: Arena, books: Words, tallies: Words, fresh: bool, recv_mono: int
) -> None:
    """Count a message that is in the book."""
    base = arena[_BASE]
    if fresh:
        if load_relaxed(books, base + _SNAPSHOTS) > 0:
            _add(books, base + _RESYNCS, 1)
            _add(tallies, _N_RESYNCS, 1)
        _add(books, base + _SNAPSHOTS, 1)
        _add(tallies, _N_SNAPSHOTS, 1)
    else:
        _add(books, base + _UPDATES, 1)
        _add(tallies, _N_UPDATES, 1)
    dropped = arena[DROPPED] - load_relaxed(books, base + _LEVELS_DROPPED)
    if dropped != 0:
        _add(books, base + _LEVELS_DROPPED, dropped)
        _add(tallies, _N_DROPPED, dropped)
    store_relaxed(books, base + _BIDS, count(arena, BID))
    store_relaxed(books, base + _ASKS, count(arena, ASK))
    store_relaxed(books, base + _LAST_RECV, recv_mono)


@fused
def _tally_judgement(
    arena: Arena, books: Words, tallies: Words, fault: int, checksum: int
) -> None:
    """Count what the venue's checksum and the crossing of the sides said."""
    if checksum != NOT_SENT and arena[CHECKSUM] != 0:
        if fault == 0:
            _add(books, arena[_BASE] + _CHECKSUMS_OK, 1)
            _add(tallies, _N_OK, 1)
        elif fault == _CHECKSUM:
            _add(books, arena[_BASE] + _CHECKSUMS_FAILED, 1)
            _add(tallies, _N_FAILED, 1)
    if fault == _CROSSED:
        _add(tallies, _N_CROSSED, 1)


@hot
def book_message(
    arena: Arena, books: Words, updates: Words, bells: Words, tallies: Words, bids: Text,
    asks: Text, is_fresh: int, checksum: int, venue_ns: int, update_id: int, recv_unix: int,
    recv_mono: int,
) -> int:
    """Take in one message and publish the book that it leaves; return a BookFault."""
    fresh = is_fresh != 0
    fault = change_book(arena, octets(bids), octets(asks), fresh, checksum)
    if fault == 0:
        if fresh and arena[_SNAPSHOT_LEVELS] > 0:
            for side in range(2):
                if count(arena, side) >= arena[_SNAPSHOT_LEVELS]:
                    know_down_to_worst(arena, side)
        now = _show(arena, books, venue_ns, update_id, recv_unix, recv_mono)
        _announce(arena, updates, bells, tallies, _BOOK)
        _tally_message(arena, books, tallies, fresh, recv_mono)
        record_ns(tallies, _RECV_TO_PUBLISH, now - recv_mono)
        if venue_ns > 0:
            record_ns(tallies, _VENUE_TO_RECV, recv_unix - venue_ns)
    _tally_judgement(arena, books, tallies, fault, checksum)
    return fault


@hot
def quote_message(
    arena: Arena, books: Words, updates: Words, bells: Words, tallies: Words, bid: Text,
    bid_size: Text, ask: Text, ask_size: Text, venue_ns: int, update_id: int, recv_unix: int,
    recv_mono: int,
) -> int:
    """Publish a best bid and offer, 0 for an absent side; return a BookFault."""
    price_decimals, size_decimals = arena[PRICE_DECIMALS], arena[SIZE_DECIMALS]
    bid_quanta, bid_fault = lone_number(octets(bid), price_decimals)
    bid_size_quanta, bid_size_fault = lone_number(octets(bid_size), size_decimals)
    ask_quanta, ask_fault = lone_number(octets(ask), price_decimals)
    ask_size_quanta, ask_size_fault = lone_number(octets(ask_size), size_decimals)
    fault = max(bid_fault, bid_size_fault, ask_fault, ask_size_fault)
    if fault == 0 and 0 < ask_quanta <= bid_quanta:
        fault = _CROSSED
    if fault == 0:
        base, now = arena[_BASE], _time(arena, recv_mono)
        publish_quote(
            books, base, arena[_DEPTH], venue_ns, recv_unix, recv_mono, update_id, bid_quanta,
            bid_size_quanta, ask_quanta, ask_size_quanta, now)
        _announce(arena, updates, bells, tallies, _QUOTE)
        _add(books, base + _QUOTES, 1)
        _add(tallies, _N_QUOTES, 1)
    return fault


@hot
def trade_message(
    arena: Arena, books: Words, updates: Words, trades: Words, tallies: Words, price: Text,
    size: Text, side: int, trade_id: int, venue_ns: int, recv_unix: int, recv_mono: int,
) -> int:
    """Append one print to the trades ring; wakes nobody.  Return a BookFault."""
    price_quanta, price_fault = lone_number(octets(price), arena[PRICE_DECIMALS])
    size_quanta, size_fault = lone_number(octets(size), arena[SIZE_DECIMALS])
    fault = max(price_fault, size_fault)
    if fault == 0:
        record = arena[SCRATCH : SCRATCH + _TRADE_WORDS]
        record[0], record[1], record[2] = venue_ns, recv_unix, recv_mono
        record[3], record[4], record[5] = price_quanta, size_quanta, side
        record[6], record[7] = trade_id, arena[_INSTRUMENT]
        ring_push(trades, record)
        ring_push_word(updates, arena[_INSTRUMENT] << 8 | _TRADE)
        _add(books, arena[_BASE] + _TRADES, 1)
        _add(tallies, _N_TRADES, 1)
    return fault


@hot
def state_message(
    arena: Arena, books: Words, updates: Words, bells: Words, tallies: Words, state: int,
    fault: int, now_mono: int,
) -> int:
    """Write the state word before anything else, then tell the readers."""
    set_state(books, arena[_BASE], state, fault, now_mono)
    _announce(arena, updates, bells, tallies, _STATE)
    if fault == _GAP:
        _add(books, arena[_BASE] + _GAPS, 1)
        _add(tallies, _N_GAPS, 1)
    return 0
