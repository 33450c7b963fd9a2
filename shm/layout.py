"""Every byte in shared memory, drawn, declared and proved: here, and in ``portfolio_layout``.

All fields are 64-bit integers (names are fixed byte strings of a multiple of 8), so that each
segment is also a plain array of words: people and tools read the structured view, kernels
work on words with the offsets that are derived here.  Prices and sizes are whole quanta of the
pair; ``*_unix_ns`` is CLOCK_REALTIME, ``*_mono_ns`` CLOCK_MONOTONIC, 0 means unknown.

``LAYOUT_HASH`` is computed from the dtypes themselves and stands in each header: attaching to
another layout fails with both hashes in the message.
"""

import hashlib
from enum import IntEnum
from typing import Final

import numpy as np

from shm.portfolio_layout import PORTFOLIO
from shm.record import CACHE_LINE, WORD, Dtype, record, word_of, words_in

__all__ = ["CACHE_LINE", "WORD", "Dtype", "record", "word_of", "words_in"]
SLOTS: Final = 4  # complete copies kept per book: a reader has three publications to finish
LEGS_MAX: Final = 4  # legs of one signal
MAGIC: Final = 0x31_30_4F_54_50_59_52_54  # "TRYPTO01", little-endian


# ---------------------------------------------------------------- header of every segment
#   0 magic | 8 layout_hash | 16 size | 24 run | 32 epoch | 40 writer_pid | 48 created_unix_ns
#   56 depth | 64 kind[32] | 96 owner[32] | 128 ready   (ready == 1 is written last)
HEADER: Final = record(
    ("magic", "i8"), ("layout_hash", "i8"), ("size", "i8"), ("run", "i8"), ("epoch", "i8"),
    ("writer_pid", "i8"), ("created_unix_ns", "i8"), ("depth", "i8"),
    ("kind", "S32"), ("owner", "S32"), ("ready", "i8"),
    size=256,
)


# ---------------------------------------------------------------- control segment
class EngineState(IntEnum):
    """Life of the whole engine; written by control."""

    STARTING = 1
    RUNNING = 2
    STOPPING = 3
    HALTED = 4  # a restart budget is spent: books may flow, nothing trades


class TradingState(IntEnum):
    """What execution may do; a greater number allows less."""

    ACTIVE = 1
    CAUTIOUS = 2  # reduced size
    RESTRICTED = 3  # closing only
    HALTED = 4
    EMERGENCY = 5  # the kill switch


class ProcessState(IntEnum):
    """Life of one process; written by itself, except GONE and GIVEN_UP, which control writes."""

    ABSENT = 0
    STARTING = 1
    READY = 2
    STOPPING = 3
    GONE = 4
    GIVEN_UP = 5


class Bell(IntEnum):
    """Index of each doorbell: one per consuming process."""

    DETECTOR = 0
    EXEC = 1
    RISK = 2
    RECORDER = 3


BELLS: Final = 8
PROCESSES_MAX: Final = 64

ENGINE: Final = record(
    ("state", "i8"), ("trading_state", "i8"), ("kill", "i8"), ("stop", "i8"),
    ("started_unix_ns", "i8"), ("started_mono_ns", "i8"), ("kill_mono_ns", "i8"),
    ("paused", "i8"),  # detector sees, but emits no signal
    ("process_count", "i8"), ("instrument_count", "i8"), ("config_hash", "i8"),
    ("mode", "S16"), ("name", "S32"),
    size=192,
)
# First the lines that control writes, then the line that the process writes itself.
PROCESS: Final = record(
    ("name", "S32"), ("pid", "i8"), ("epoch", "i8"), ("restarts", "i8"), ("exit_code", "i8"),
    ("verdict", "S64"),  # why control gave up, in words
    ("state", "i8"), ("heartbeat_mono_ns", "i8"), ("progress", "i8"), ("ready_mono_ns", "i8"),
    ("own_epoch", "i8"), ("own_pid", "i8"), ("rss_bytes", "i8"), ("cpu", "i8"),
    size=256,
)
# rings: raised by producers; sleeping: 1 while the consumer is inside futex_wait
BELL: Final = record(("rings", "i8"), ("pad", "S56"), ("sleeping", "i8"), size=128)
# enable flags, one word each: 1 enabled, 0 paused by an operator; written by control
VENUE_FLAG: Final = record(
    ("name", "S32"), ("enabled", "i8"), ("process", "i8"), ("first_instrument", "i8"),
    ("instrument_count", "i8"), size=64,
)
VENUES_MAX: Final = 32
STRATEGIES_MAX: Final = 16
STRATEGY_FLAG: Final = record(("name", "S32"), ("enabled", "i8"), size=64)
CONTROL: Final = np.dtype([
    ("engine", ENGINE), ("bells", BELL, (BELLS,)), ("processes", PROCESS, (PROCESSES_MAX,)),
    ("venues", VENUE_FLAG, (VENUES_MAX,)), ("strategies", STRATEGY_FLAG, (STRATEGIES_MAX,)),
])


# ---------------------------------------------------------------- instruments
class InstrumentKind(IntEnum):
    """What one unit of the instrument is."""

    SPOT = 1
    PERPETUAL = 2  # linear: size in base, settled in quote


class InstrumentStatus(IntEnum):
    """The venue's word on whether it trades."""

    UNKNOWN = 0
    TRADING = 1
    HALTED = 2
    NOT_LISTED = 3


# name: "BTC/USDT" or "BTC/USDT:USDT"; native: the venue's spelling; code: what else it is called.
# tick, lot, size_min in quanta, notional_min in millionths of the quote currency
INSTRUMENT: Final = record(
    ("name", "S32"), ("native", "S32"), ("venue_name", "S32"),
    ("venue", "i8"), ("index", "i8"), ("local_index", "i8"), ("group", "i8"),
    ("kind", "i8"), ("price_decimals", "i8"), ("size_decimals", "i8"), ("enabled", "i8"),
    ("tick", "i8"), ("lot", "i8"), ("size_min", "i8"), ("notional_min", "i8"),
    ("taker_fee_ppm", "i8"), ("maker_fee_ppm", "i8"), ("status", "i8"), ("code", "S16"),
    size=256,
)


# ---------------------------------------------------------------- books, one segment per feed
class BookState(IntEnum):
    """Whether a book may be acted on; nobody trades on one that is not LIVE."""

    EMPTY = 0
    WAITING = 1  # subscribed, no snapshot joined yet
    LIVE = 2
    GAPPED = 3  # a sequence or checksum failed: resynchronising
    STALE = 4  # the venue went silent, or the connection is gone
    CROSSED = 5  # best bid at or above best ask: bad data, resynchronising


class BookFault(IntEnum):
    """Why a book last left LIVE."""

    NONE = 0
    GAP = 1
    CHECKSUM = 2
    CROSSED = 3
    SILENCE = 4
    DISCONNECT = 5
    PARSE = 6
    SNAPSHOT_OLD = 7
    OVERFLOW = 8  # a number beyond 64 bits
    VENUE = 9  # the venue said so (unsubscribed, maintenance, resubscribe)
    INEXACT = 10  # the venue's numbers are finer than the pair's quanta: the config must change
    RANGE = 11  # prices have moved to where the snapshot did not reach


# Written by the feed alone.  ``state`` is the authority, set before anything else happens.
BOOK_STATUS: Final = record(
    ("state", "i8"), ("fault", "i8"), ("since_mono_ns", "i8"), ("epoch", "i8"),
    ("updates", "i8"), ("snapshots", "i8"), ("gaps", "i8"), ("resyncs", "i8"),
    ("checksums_ok", "i8"), ("checksums_failed", "i8"), ("trades", "i8"), ("quotes", "i8"),
    ("bid_count", "i8"), ("ask_count", "i8"), ("levels_dropped", "i8"), ("last_recv_mono_ns", "i8"),
    size=128,
)
# version counts publications; the slot of version v is v % SLOTS; 0 = never published
SLOT_INDEX: Final = record(("version", "i8"), size=CACHE_LINE)
# seq == 2 * version when complete, odd while the writer is inside
SLOT_HEAD: Final = record(
    ("seq", "i8"), ("venue_unix_ns", "i8"), ("recv_unix_ns", "i8"), ("recv_mono_ns", "i8"),
    ("publish_mono_ns", "i8"), ("update_id", "i8"), ("bid_count", "i8"), ("ask_count", "i8"),
    size=CACHE_LINE,
)


def column_words(depth: int) -> int:
    """Return the words of one column of ``depth`` levels, rounded up to whole cache lines."""
    return -(-depth // 8) * 8


def slot_dtype(depth: int) -> Dtype:
    """Return one published copy: head, then four columns of ``depth`` levels, best first."""
    column = (column_words(depth),)
    return record(
        ("seq", "i8"), ("venue_unix_ns", "i8"), ("recv_unix_ns", "i8"), ("recv_mono_ns", "i8"),
        ("publish_mono_ns", "i8"), ("update_id", "i8"), ("bid_count", "i8"), ("ask_count", "i8"),
        ("bid_price", "i8", column), ("bid_size", "i8", column),
        ("ask_price", "i8", column), ("ask_size", "i8", column),
        size=CACHE_LINE + 4 * WORD * column_words(depth),
    )


QUOTE: Final = record(
    ("seq", "i8"), ("venue_unix_ns", "i8"), ("recv_unix_ns", "i8"), ("recv_mono_ns", "i8"),
    ("publish_mono_ns", "i8"), ("update_id", "i8"), ("bid_price", "i8"), ("bid_size", "i8"),
    ("ask_price", "i8"), ("ask_size", "i8"),
    size=128,
)


def book_dtype(depth: int) -> Dtype:
    """Return one instrument's record: status, book index and slots, quote index and slots."""
    slot = slot_dtype(depth)
    parts = [
        ("status", BOOK_STATUS, 1), ("index", SLOT_INDEX, 1), ("slots", slot, SLOTS),
        ("quote_index", SLOT_INDEX, 1), ("quotes", QUOTE, SLOTS),
    ]
    offsets, at = [], 0
    for _, dtype, count in parts:
        offsets.append(at)
        at += dtype.itemsize * count
    return np.dtype({
        "names": [name for name, _, _ in parts],
        "formats": [dtype if count == 1 else (dtype, (count,)) for _, dtype, count in parts],
        "offsets": offsets,
        "itemsize": at,
    })


# ---------------------------------------------------------------- rings
# A ring segment: HEADER, then RING_HEAD, then ``capacity`` entries (a power of two).  Entry i
# lies at i % capacity.  ``head`` counts entries ever written and is released after each.
RING_HEAD: Final = record(("head", "i8"), ("pad", "S56"), ("capacity", "i8"), size=128)


class UpdateKind(IntEnum):
    """What changed."""

    BOOK = 1
    QUOTE = 2
    STATE = 3  # a book left or entered LIVE
    TRADE = 4


# One word: instrument << 8 | UpdateKind
UPDATE_WORDS: Final = 1
TRADE: Final = record(
    ("venue_unix_ns", "i8"), ("recv_unix_ns", "i8"), ("recv_mono_ns", "i8"), ("price", "i8"),
    ("size", "i8"), ("side", "i8"),  # +1 the buyer took, -1 the seller took
    ("trade_id", "i8"), ("instrument", "i8"),
    size=CACHE_LINE,
)


class Strategy(IntEnum):
    """Who asked for a signal; the index of its flag in the control segment."""

    CROSS = 0


LEG: Final = np.dtype([
    ("instrument", "i8"), ("side", "i8"),  # +1 buy, -1 sell
    ("limit_price", "i8"), ("size", "i8"),  # worst acceptable price; both in quanta
    ("average_price", "i8"), ("book_version", "i8"), ("quote_version", "i8"), ("update_id", "i8"),
])
# profit_micro and notional_micro: millionths of the quote currency.  window: counts openings of
# one pair of books; trigger: the instrument whose update led to the scan; recv and publish are
# that update's times, 0 where none did: a window that stays open is due again by the clock.
SIGNAL: Final = record(
    ("sequence", "i8"), ("run", "i8"), ("strategy", "i8"), ("leg_count", "i8"),
    ("gross_edge_ppm", "i8"), ("net_edge_ppm", "i8"),
    ("profit_micro", "i8"), ("notional_micro", "i8"),
    ("confidence_ppm", "i8"), ("risk_ppm", "i8"), ("window", "i8"), ("trigger", "i8"),
    ("recv_mono_ns", "i8"), ("publish_mono_ns", "i8"), ("seen_mono_ns", "i8"),
    ("signal_mono_ns", "i8"), ("signal_unix_ns", "i8"), ("expiry_mono_ns", "i8"),
    ("spare", "S48"),
    ("legs", LEG, (LEGS_MAX,)),
    size=448,
)
assert word_of(SIGNAL, "legs") * WORD % CACHE_LINE == 0  # a leg is one cache line


class Veto(IntEnum):
    """Why a price was not acted on, by detector or execution: first what is wrong with a book."""

    NONE = 0
    NOT_LIVE = 1
    FEED_RESTARTED = 2  # the book's epoch is not its feed's: what it shows is from before a death
    FEED_SILENT = 3  # no heartbeat for longer than the supervision allows
    UNREADABLE = 4  # never published, or the reader was lapped again and again
    SELF_CROSSED = 5  # bid at or above ask at one venue: bad data, never a signal
    NOT_TRADING = 6
    KILLED = 7
    HALTED = 8  # the engine or its trading state forbids orders
    PAUSED = 9
    STRATEGY_PAUSED = 10
    VENUE_PAUSED = 11
    SYMBOL_PAUSED = 12
    BOOK_OLD = 13
    EDGE = 14  # gone, or too thin, on the books as they are now
    SIZE = 15  # less than a lot or the venue's minimum
    NOTIONAL = 16  # less than the configured or the venue's minimum
    TOO_GOOD = 17  # more than the greatest credible edge: bad data, never a signal
    EXPIRED = 18
    # what the gate alone checks; each is named as its refusal is
    TRADING_STATE = 19
    SIGNAL_AGE = 20
    DUPLICATE = 21
    VENUE_UNREADY = 22
    BREAKER = 23
    PROFIT = 24
    COLLAR = 25
    ORDER_NOTIONAL = 26
    PLAN_NOTIONAL = 27
    OPEN_ORDERS = 28
    ORDER_RATE = 29
    SELF_TRADE = 30
    LOSS = 31  # of the day, the hour or in a row
    EXPOSURE = 32  # of a venue, an asset, a strategy, in total, or unhedged
    BALANCE = 33
    GRID = 34  # off the tick or the lot
    INSANE = 35  # a price, size or side that is none


class Fate(IntEnum):
    """What execution did with a signal."""

    WOULD_SEND = 1  # dry run: everything up to the wire
    REFUSED = 2  # ``veto`` says why, ``number`` and ``limit`` are what was compared
    SENT = 3  # its orders were handed to sockets, or to the paper venue


class Lane(IntEnum):
    """How a signal reached execution."""

    RING = 0
    WIRE = 1


# number, limit: in the unit of the check (ns for EXPIRED and BOOK_OLD, ppm for EDGE, ...)
FATE: Final = record(
    ("sequence", "i8"), ("fate", "i8"), ("veto", "i8"), ("lane", "i8"),
    ("number", "i8"), ("limit", "i8"), ("mono_ns", "i8"), ("profit_micro", "i8"),
    size=CACHE_LINE,
)

# ---------------------------------------------------------------- counters, one block per process
COUNTERS_MAX: Final = 96
HISTOGRAMS_MAX: Final = 16
# Buckets of a histogram of nanoseconds: below 16 one each, above that 16 per power of two, up to
# 2**40 ns (18 minutes); relative error at most 1/16.  Words: count, sum, min, max, then buckets.
HISTOGRAM_SUB: Final = 16
HISTOGRAM_BUCKETS: Final = 16 + (40 - 4) * 16
HISTOGRAM_WORDS: Final = 8 + HISTOGRAM_BUCKETS
COUNTER_BLOCK: Final = np.dtype([
    ("counters", "i8", (COUNTERS_MAX,)),
    ("histograms", "i8", (HISTOGRAMS_MAX, HISTOGRAM_WORDS)),
])
COUNTER_BLOCK_STRIDE: Final = -(-COUNTER_BLOCK.itemsize // CACHE_LINE) * CACHE_LINE


def _layout_hash() -> int:
    """Hash every declared dtype; 63 bits, so that it fits a signed word."""
    declared = (
        HEADER, CONTROL, INSTRUMENT, book_dtype(50), RING_HEAD, TRADE, SIGNAL, FATE,
        PORTFOLIO, COUNTER_BLOCK,
    )
    text = repr([dtype.fields for dtype in declared]) + repr((SLOTS, UPDATE_WORDS))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1


LAYOUT_HASH: Final = _layout_hash()

assert HEADER.itemsize % CACHE_LINE == 0
assert slot_dtype(50).itemsize % CACHE_LINE == 0  # no slot shares a cache line with its neighbour
assert book_dtype(50).itemsize % CACHE_LINE == 0
assert word_of(PROCESS, "state") * WORD % CACHE_LINE == 0  # control's lines end before the own
assert word_of(BELL, "sleeping") * WORD == CACHE_LINE  # producers and consumer apart
assert SLOTS & (SLOTS - 1) == 0
