"""The registry of counters and histograms, and the block of them that each process owns.

Numbers are positions in shared memory: names are appended, never reordered.  A block has one
writer, its process; everybody may read it at any time, also while that process hangs.
"""

from collections.abc import Iterator
from enum import IntEnum
from typing import Final, NamedTuple, Self

import numpy as np

from shm.atomics import Words, load_relaxed, peek, store_relaxed
from shm.jit import kernel
from shm.layout import (
    COUNTER_BLOCK_STRIDE,
    COUNTERS_MAX,
    HISTOGRAM_BUCKETS,
    HISTOGRAM_SUB,
    HISTOGRAM_WORDS,
    HISTOGRAMS_MAX,
    WORD,
)
from shm.system import high_bit

_STRIDE: Final = COUNTER_BLOCK_STRIDE // WORD
_SUB_BITS: Final = HISTOGRAM_SUB.bit_length() - 1
_COUNT, _SUM, _MIN, _MAX, _BUCKETS = 0, 1, 2, 3, 8  # words of a histogram


class Metric(IntEnum):
    """A number with its unit and its meaning; its name in lower case is what people read."""

    unit: str
    meaning: str

    def __new__(cls, number: int, unit: str, meaning: str) -> Self:
        """Make one entry of a registry."""
        entry = int.__new__(cls, number)
        entry._value_, entry.unit, entry.meaning = number, unit, meaning
        return entry


class FeedCounter(Metric):
    """What a feed counts over all its books; per-book counts stand in BOOK_STATUS."""

    FRAMES = 0, "frames", "WebSocket frames received"
    BYTES = 1, "bytes", "payload of those frames"
    UPDATES = 2, "messages", "changes applied to books"
    SNAPSHOTS = 3, "messages", "snapshots applied to books"
    TRADES = 4, "trades", "prints written to the trades ring"
    QUOTES = 5, "quotes", "best bids and offers published"
    GAPS = 6, "gaps", "sequence numbers that jumped"
    RESYNCS = 7, "books", "books dropped and asked for anew"
    CHECKSUMS_OK = 8, "checksums", "checksums that agreed with the venue"
    CHECKSUMS_FAILED = 9, "checksums", "checksums that did not"
    CROSSED = 10, "books", "books found crossed"
    SILENCES = 11, "books", "books gone stale by silence"
    DECODE_ERRORS = 12, "frames", "frames that the protocol sheet does not allow"
    UNKNOWN_SYMBOLS = 13, "events", "events for instruments not configured"
    REJECTED = 14, "events", "requests that the venue refused"
    BUFFERED = 15, "messages", "changes kept while a snapshot was awaited"
    BUFFER_OVERFLOWS = 16, "books", "books whose buffer of changes was full"
    LEVELS_DROPPED = 17, "levels", "levels beyond levels-max"
    STALE_UPDATES = 18, "messages", "changes older than the book: dropped as the rules say"
    CONNECTS = 19, "connections", "connections opened"
    DISCONNECTS = 20, "connections", "connections lost or dropped"
    REST_REQUESTS = 21, "requests", "REST requests sent"
    REST_FAILURES = 22, "requests", "REST requests that failed"
    RATE_LIMITED = 23, "requests", "requests held back by our own budget or the venue's word"
    BELLS = 24, "wake-ups", "sleeping consumers woken by a system call"


class FeedHistogram(Metric):
    """What a feed times."""

    RECV_TO_PUBLISH = 0, "ns", "frame received to book published"
    VENUE_TO_RECV = 1, "ns", "the venue's time to ours, by two clocks that may disagree"
    REST_SNAPSHOT = 2, "ns", "snapshot asked for to snapshot received"
    RESYNC = 3, "ns", "book left LIVE to book LIVE again"


class DetectorCounter(Metric):
    """What the detector counts."""

    WAKES = 0, "wake-ups", "returns from the wait with something to do"
    UPDATES = 1, "entries", "entries read from the update rings"
    LAPS = 2, "laps", "times an update ring lapped us"
    ENTRIES_LOST = 3, "entries", "entries so lost; every book of that feed was scanned instead"
    SCANS = 4, "groups", "groups of books scanned"
    CROSSES = 5, "pairs", "pairs of books found with an edge"
    WINDOWS_OPENED = 6, "windows", "edges that appeared"
    WINDOWS_CLOSED = 7, "windows", "edges that vanished"
    SIGNALS = 8, "signals", "signals emitted"
    HELD = 9, "crosses", "not signalled because the window signalled just now"
    WIRE_DROPPED = 10, "signals", "signals that a subscriber's full queue refused"
    # why a window was not signalled, once per window and reason; in the order of ``Veto``
    VETO_NOT_LIVE = 11, "windows", "a book was not LIVE"
    VETO_FEED_RESTARTED = 12, "windows", "a book was from before its feed's death"
    VETO_FEED_SILENT = 13, "windows", "a feed showed no life"
    VETO_UNREADABLE = 14, "windows", "a book could not be read"
    VETO_SELF_CROSSED = 15, "windows", "a venue's own bid and ask were crossed: bad data"
    VETO_NOT_TRADING = 16, "windows", "the venue says that it does not trade"
    VETO_KILLED = 17, "windows", "the kill word was set"
    VETO_HALTED = 18, "windows", "the trading state forbids it"
    VETO_PAUSED = 19, "windows", "an operator paused the engine"
    VETO_STRATEGY_PAUSED = 20, "windows", "an operator paused the strategy"
    VETO_VENUE_PAUSED = 21, "windows", "an operator paused a venue"
    VETO_SYMBOL_PAUSED = 22, "windows", "an operator paused the symbol"
    VETO_BOOK_OLD = 23, "windows", "a book was too old"
    VETO_EDGE = 24, "windows", "the edge was gone on the books as they were then"
    VETO_SIZE = 25, "windows", "less than a lot or minimum size"
    VETO_NOTIONAL = 26, "windows", "less than the minimum notional"
    VETO_TOO_GOOD = 27, "windows", "more than the greatest credible edge: bad data"


class DetectorHistogram(Metric):
    """What the detector times."""

    PUBLISH_TO_SEEN = 0, "ns", "book published to detector awake"
    SCAN = 1, "ns", "one turn over everything that changed"
    RECV_TO_SIGNAL = 2, "ns", "frame received to signal in the ring"
    WINDOW = 3, "ns", "how long edges lived"


class ExecCounter(Metric):
    """What execution counts."""

    SIGNALS_RING = 0, "signals", "signals that came by shared memory first"
    SIGNALS_WIRE = 1, "signals", "signals that came by ZeroMQ first"
    DUPLICATES_RING = 2, "signals", "second copies, by shared memory"
    DUPLICATES_WIRE = 3, "signals", "second copies, by ZeroMQ"
    LOST = 4, "signals", "sequence numbers never seen on either lane"
    ACCEPTED = 5, "signals", "signals that would have been sent"
    REFUSED = 6, "signals", "signals refused, for one of the reasons below"
    MALFORMED = 7, "messages", "messages that are no signal of this run and layout"
    LAPS = 8, "laps", "times the signals ring lapped us"
    FORGOTTEN = 9, "signals", "signals too far behind the newest to tell whether they are new"
    # why a signal was refused; in the order of ``Veto``
    VETO_NOT_LIVE = 10, "signals", "a book was not LIVE"
    VETO_FEED_RESTARTED = 11, "signals", "a book was from before its feed's death"
    VETO_FEED_SILENT = 12, "signals", "a feed showed no life"
    VETO_UNREADABLE = 13, "signals", "a book could not be read"
    VETO_SELF_CROSSED = 14, "signals", "a venue's own bid and ask were crossed: bad data"
    VETO_NOT_TRADING = 15, "signals", "the venue says that it does not trade"
    VETO_KILLED = 16, "signals", "the kill word was set"
    VETO_HALTED = 17, "signals", "the trading state forbids it"
    VETO_PAUSED = 18, "signals", "an operator paused the engine"
    VETO_STRATEGY_PAUSED = 19, "signals", "an operator paused the strategy"
    VETO_VENUE_PAUSED = 20, "signals", "an operator paused a venue"
    VETO_SYMBOL_PAUSED = 21, "signals", "an operator paused the symbol"
    VETO_BOOK_OLD = 22, "signals", "a book was too old"
    VETO_EDGE = 23, "signals", "the edge was gone on the books as they were then"
    VETO_SIZE = 24, "signals", "less than a lot or minimum size"
    VETO_NOTIONAL = 25, "signals", "less than the minimum notional"
    VETO_TOO_GOOD = 26, "signals", "more than the greatest credible edge: bad data"
    VETO_EXPIRED = 27, "signals", "past the expiry"


class ExecHistogram(Metric):
    """What execution times."""

    SIGNAL_TO_SEEN_RING = 0, "ns", "signal emitted to signal read from the ring"
    SIGNAL_TO_SEEN_WIRE = 1, "ns", "signal emitted to signal received by ZeroMQ"
    SIGNAL_TO_DECISION = 2, "ns", "signal emitted to decision"
    RECV_TO_DECISION = 3, "ns", "frame received to decision"
    RECV_TO_PUBLISH = 4, "ns", "frame received to book published, for what led to a signal"
    PUBLISH_TO_SEEN = 5, "ns", "book published to detector awake, for what led to a signal"
    SEEN_TO_SIGNAL = 6, "ns", "detector awake to signal emitted"


class LedgerCounter(Metric):
    """What the ledger process counts."""

    RECORDS = 0, "records", "records of the journal written into the ledger"
    ROWS = 1, "rows", "rows added or brought up to date"
    TRANSACTIONS = 2, "transactions", "transactions committed"
    FAILURES = 3, "attempts", "attempts that a disk, a database or a journal refused"
    BEHIND = 4, "records", "records read that are not in the ledger yet, as of now"
    SAMPLES = 5, "samples", "samples of all counters written"
    SAMPLES_LOST = 6, "samples", "samples that the database refused"


class LedgerHistogram(Metric):
    """What the ledger process times."""

    COMMIT = 0, "ns", "one transaction"
    APPEND_TO_COMMIT = 1, "ns", "newest record appended to all before it in the ledger"


class ControlCounter(Metric):
    """What control counts."""

    REQUESTS = 0, "requests", "requests answered on the control socket"
    REQUESTS_REFUSED = 1, "requests", "requests refused, garbage included"
    STARTS = 2, "processes", "processes started"
    DEATHS = 3, "processes", "processes that died unasked"
    HANGS = 4, "processes", "processes killed for silence"
    GIVEN_UP = 5, "processes", "processes whose restart budget is spent"
    EVENTS = 6, "events", "events published"


class ControlHistogram(Metric):
    """What control times."""

    DEATH_TO_START = 0, "ns", "death noticed to successor started"
    START_TO_READY = 1, "ns", "process started to process ready"


class TemplateCounter(Metric):
    """What the template counts."""

    FORKS = 0, "processes", "processes forked"


class TemplateHistogram(Metric):
    """What the template times."""

    FORK = 0, "ns", "request read to process adopted by control"


class SimCounter(Metric):
    """What the local venue servers count."""

    CONNECTIONS = 0, "connections", "WebSocket connections accepted"
    FRAMES_SENT = 1, "frames", "frames sent"
    BYTES_SENT = 2, "bytes", "payload of those frames"
    FRAMES_RECEIVED = 3, "frames", "frames received"
    REQUESTS = 4, "requests", "REST requests received"
    ORDERS = 5, "orders", "orders accepted"
    REFUSALS = 6, "orders", "orders refused by the matching engine"
    FILLS = 7, "fills", "parts of clients' orders filled"
    FAULTS = 8, "faults", "faults committed on command"


class SimHistogram(Metric):
    """What the local venue servers time."""

    ANSWER = 0, "ns", "request read to answer made"
    LATENESS = 1, "ns", "beat of the event loop due to beat run"


# what stands in the block of each kind of process; the kind of "feed:kraken" is "feed"
REGISTRY: Final[dict[str, tuple[type[Metric], type[Metric]]]] = {
    "feed": (FeedCounter, FeedHistogram),
    "detector": (DetectorCounter, DetectorHistogram),
    "exec": (ExecCounter, ExecHistogram),
    "ledger": (LedgerCounter, LedgerHistogram),
    "control": (ControlCounter, ControlHistogram),
    "template": (TemplateCounter, TemplateHistogram),
    "sim": (SimCounter, SimHistogram),
}


def registry_of(process: str) -> tuple[type[Metric], type[Metric]]:
    """Return the counters and histograms of a process by its name; KeyError for no such kind."""
    return REGISTRY[process.partition(":")[0]]


# ---------------------------------------------------------------- kernels, on one block's words
@kernel
def count(words: Words, index: int, n: int) -> None:
    """Add ``n`` to counter ``index`` of our own block."""
    store_relaxed(words, index, load_relaxed(words, index) + n)


@kernel
def histogram_base(number: int) -> int:
    """Return the first word of histogram ``number`` in a block."""
    return COUNTERS_MAX + number * HISTOGRAM_WORDS


@kernel
def bucket_of(ns: int) -> int:
    """Return the bucket of a duration: exact below 16, then 16 per power of two, the last open."""
    if ns < HISTOGRAM_SUB:
        return max(ns, 0)
    power = high_bit(ns)
    part = (ns >> (power - _SUB_BITS)) - HISTOGRAM_SUB
    return min(HISTOGRAM_SUB * (power - _SUB_BITS + 1) + part, HISTOGRAM_BUCKETS - 1)


@kernel
def record_ns(words: Words, base: int, ns: int) -> None:
    """Record a duration in the histogram of our own block at word ``base``; below 0 counts as 0."""
    ns = max(ns, 0)
    bucket = base + _BUCKETS + bucket_of(ns)
    store_relaxed(words, bucket, load_relaxed(words, bucket) + 1)
    recorded = load_relaxed(words, base + _COUNT)
    if recorded == 0 or ns < load_relaxed(words, base + _MIN):
        store_relaxed(words, base + _MIN, ns)
    if ns > load_relaxed(words, base + _MAX):
        store_relaxed(words, base + _MAX, ns)
    store_relaxed(words, base + _SUM, load_relaxed(words, base + _SUM) + ns)
    store_relaxed(words, base + _COUNT, recorded + 1)


# ---------------------------------------------------------------- reading
def bucket_last(bucket: int) -> int:
    """Return the longest duration, in ns, that falls into ``bucket``."""
    if bucket < HISTOGRAM_SUB:
        return bucket
    power, part = divmod(bucket, HISTOGRAM_SUB)
    return ((HISTOGRAM_SUB + part + 1) << (power - 1)) - 1


class Histogram:
    """One histogram, read while it may be written: each word is whole, all of them nearly so."""

    def __init__(self, words: Words) -> None:
        """Copy ``HISTOGRAM_WORDS`` words."""
        copy = words.copy()
        self.buckets = copy[_BUCKETS:]
        self.count = int(self.buckets.sum())
        self.sum_ns, self.min_ns, self.max_ns = int(copy[_SUM]), int(copy[_MIN]), int(copy[_MAX])

    @property
    def mean_ns(self) -> float:
        """Return the mean, 0 when nothing was recorded."""
        return self.sum_ns / self.count if self.count else 0.0

    def percentile_ns(self, percent: float) -> int:
        """Return a bound that at least ``percent`` of the durations keep, at most 1/16 too high."""
        if not self.count:
            return 0
        rank = max(int(np.ceil(self.count * percent / 100.0)), 1)
        bucket = int(np.searchsorted(np.cumsum(self.buckets), rank))
        if bucket == HISTOGRAM_BUCKETS - 1:  # open-ended
            return self.max_ns
        return min(bucket_last(bucket), self.max_ns)


class Reading(NamedTuple):
    """One counter's value with what it means."""

    metric: Metric
    value: int


class CounterBlock:
    """The block of process ``index`` in the counters segment; ``words`` is what kernels take."""

    def __init__(self, segment_words: Words, index: int) -> None:
        self.words: Words = segment_words[index * _STRIDE : (index + 1) * _STRIDE]
        if self.words.size != _STRIDE:
            raise ValueError(f"no block {index} in {segment_words.size} words of counters")

    @staticmethod
    def size(processes: int) -> int:
        """Return the bytes of the blocks of so many processes."""
        return processes * COUNTER_BLOCK_STRIDE

    def count(self, counter: Metric, n: int = 1) -> None:
        """Add to a counter of our own process."""
        count(self.words, int(counter), n)

    def record(self, histogram: Metric, ns: int) -> None:
        """Record a duration in a histogram of our own process."""
        record_ns(self.words, histogram_base(int(histogram)), ns)

    def value(self, counter: Metric) -> int:
        """Return a counter."""
        return peek(self.words, int(counter))

    def readings(self, process: str) -> Iterator[Reading]:
        """Yield every counter of a process of that name."""
        for counter in registry_of(process)[0]:
            yield Reading(counter, self.value(counter))

    def histogram(self, number: Metric) -> Histogram:
        """Return a copy of a histogram."""
        base = histogram_base(int(number))
        return Histogram(self.words[base : base + HISTOGRAM_WORDS])


for _counters, _histograms in REGISTRY.values():
    assert [int(entry) for entry in _counters] == list(range(len(_counters)))
    assert [int(entry) for entry in _histograms] == list(range(len(_histograms)))
    assert len(_counters) <= COUNTERS_MAX
    assert len(_histograms) <= HISTOGRAMS_MAX
