"""The registry of counters and histograms: what each process counts and times, by position.

Numbers are positions in shared memory: names are appended, never reordered.
"""

from enum import IntEnum
from typing import Final, Self

from shm.layout import COUNTERS_MAX, HISTOGRAMS_MAX, Veto


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
    VETO_TRADING_STATE = 28, "signals", "the trading state allows closing only, or nothing"
    VETO_SIGNAL_AGE = 29, "signals", "too old when judged"
    VETO_DUPLICATE = 30, "signals", "the same signal had become a plan already"
    VETO_VENUE_UNREADY = 31, "signals", "a venue's order path or private stream was not usable"
    VETO_BREAKER = 32, "signals", "a venue's circuit breaker was open"
    VETO_PROFIT = 33, "signals", "more profit than is credible, or too little to act on"
    VETO_COLLAR = 34, "signals", "a price too far from the touch"
    VETO_ORDER_NOTIONAL = 35, "signals", "an order worth more than one may be"
    VETO_PLAN_NOTIONAL = 36, "signals", "a plan worth more than one may be"
    VETO_OPEN_ORDERS = 37, "signals", "as many open orders as a venue may have"
    VETO_ORDER_RATE = 38, "signals", "as many orders per second as a venue may get"
    VETO_SELF_TRADE = 39, "signals", "it would have met our own order"
    VETO_LOSS = 40, "signals", "the day, the hour or plans in a row lost what they may"
    VETO_EXPOSURE = 41, "signals", "as much at risk as a venue, asset, strategy or all may have"
    VETO_BALANCE = 42, "signals", "less free than both legs use up"
    VETO_GRID = 43, "signals", "off the tick or the lot"
    VETO_INSANE = 44, "signals", "a price, size or side that is none"
    # orders and plans, as the journal's records tell of them; all since this process started
    ORDERS = 45, "orders", "orders handed to a venue"
    ACKS = 46, "orders", "orders that a venue acknowledged"
    REJECTS = 47, "orders", "orders that a venue refused"
    FILLS = 48, "fills", "fills booked"
    CANCELS = 49, "requests", "cancels asked for"
    ORDERS_LOST = 50, "orders", "orders sent that no venue answered: anything may have happened"
    UNKNOWN = 51, "orders", "orders that became doubtful, to be settled by evidence"
    PLANS = 52, "plans", "plans begun"
    PLANS_DONE = 53, "plans", "plans whose legs all filled"
    PLANS_UNWOUND = 54, "plans", "plans whose filled leg was taken back"
    PLANS_MISSED = 55, "plans", "plans of which nothing filled"
    PLANS_HELD = 56, "plans", "plans closed with a residual left"
    HALTS = 57, "halts", "times that the trading state was raised to HALTED or beyond"
    RECORDS = 58, "records", "records appended to the journal"
    SYNCS = 59, "syncs", "times that the journal was made durable"


class ExecHistogram(Metric):
    """What execution times."""

    SIGNAL_TO_SEEN_RING = 0, "ns", "signal emitted to signal read from the ring"
    SIGNAL_TO_SEEN_WIRE = 1, "ns", "signal emitted to signal received by ZeroMQ"
    SIGNAL_TO_DECISION = 2, "ns", "signal emitted to decision"
    RECV_TO_DECISION = 3, "ns", "frame received to decision"
    RECV_TO_PUBLISH = 4, "ns", "frame received to book published, for what led to a signal"
    PUBLISH_TO_SEEN = 5, "ns", "book published to detector awake, for what led to a signal"
    SEEN_TO_SIGNAL = 6, "ns", "detector awake to signal emitted"
    SIGNAL_TO_ORDER = 7, "ns", "signal received to the first order's bytes handed to a socket"
    GATE = 8, "ns", "one judgement of the gate"
    JOURNAL_SYNC = 9, "ns", "one sync of the journal"
    ORDER_TO_ACK = 10, "ns", "order's bytes handed to a socket to the venue's word on it"


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


class GuardCounter(Metric):
    """What the guard counts."""

    INCIDENTS = 0, "incidents", "times it began to cancel everything"
    REQUESTS = 1, "requests", "requests that it sent to venues"
    PROOFS = 2, "venues", "venues proven to hold no open order"


class GuardHistogram(Metric):
    """What the guard times: nothing."""


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
    "guard": (GuardCounter, GuardHistogram),
    "template": (TemplateCounter, TemplateHistogram),
    "sim": (SimCounter, SimHistogram),
}


# what counts each reason why execution refused a signal
EXEC_VETOES: Final = {veto: ExecCounter[f"VETO_{veto.name}"] for veto in Veto if veto}


def registry_of(process: str) -> tuple[type[Metric], type[Metric]]:
    """Return the counters and histograms of a process by its name; KeyError for no such kind."""
    return REGISTRY[process.partition(":")[0]]


for _counters, _histograms in REGISTRY.values():
    assert [int(entry) for entry in _counters] == list(range(len(_counters)))
    assert [int(entry) for entry in _histograms] == list(range(len(_histograms)))
    assert len(_counters) <= COUNTERS_MAX
    assert len(_histograms) <= HISTOGRAMS_MAX
