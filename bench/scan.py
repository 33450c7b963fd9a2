"""How long detection takes once it knows: the scan of a symbol, and the depth walk of a cross.

The scan is what one update costs: the changed book's touch, of book and quote, is read through
their seqlocks and tested against the eleven others, both ways, which is 22 comparisons.  It is
told four times: the work alone, on arrays at hand; as a kernel of its own, to which the whole
plan is handed over; as a turn, that reads the update rings of all twelve feeds first and counts
and times itself, as the detector does it; and called from Python, as the deterministic mode is.
The walk sizes a cross through 50 levels of both books, the appraisal reads those books and asks
who may act besides.  All but the call from Python are timed inside one kernel, call by call; what
two readings of the clock cost is reported first and not subtracted.
"""

import time

import msgspec
import numpy as np

from bench.harness import Target, machine, parameter, report
from engine.config import Config, instruments
from engine.detect import kernels
from engine.detect.cross import Cross
from engine.detect.plan import EVALUATED, RING_AT, TURN, Plan
from engine.market import depth as d
from engine.market.appraise import appraise
from engine.runtime.memory import FeedPlace, Memory
from shm.atomics import Words
from shm.board import ControlView, InstrumentTable
from shm.book import (
    ASK_COUNT,
    BID_COUNT,
    HEAD_WORDS,
    PUBLISH_MONO_NS,
    RECV_MONO_NS,
    BookSegment,
    column_words,
    publish_begin,
    publish_end,
    publish_quote,
    set_state,
)
from shm.counters import CounterBlock
from shm.jit import kernel
from shm.layout import SIGNAL, BookState, InstrumentStatus, Strategy, words_in
from shm.ring import RecordRing, WordRing, ring_push_word, ring_size
from shm.system import mono_ns

VENUES, LEVELS = 12, 50
MID = 6_165_000_000_000  # 61 650.00 in quanta of 1e-8
ALIVE_NS = 2**62  # feeds that beat then are alive for ever


@kernel
def _time_nothing(took_ns: Words) -> None:
    for at in range(took_ns.size):
        before = mono_ns()
        took_ns[at] = mono_ns() - before


@kernel
def _time_scans(plan: Plan, took_ns: Words) -> int:
    words, desk, settings, touches = plan.words, plan.desk, plan.settings, plan.touches
    seats, limits, slot, quote = desk.seats, desk.limits, desk.slot, desk.quote
    nets, pairs, edges, pending = plan.nets, plan.pairs, plan.edges, plan.pending
    first, pair_of = plan.first, plan.pair_of
    moving = 0
    for at in range(took_ns.size):
        instrument = at % touches.shape[0]
        before = mono_ns()
        settings[TURN] += 1
        kernels.refresh(words, seats, limits, slot, quote, touches, nets, instrument, before)
        moving += kernels.test_pairs(words, settings, first, pair_of, touches, nets, pairs, edges,
                                     pending, instrument, before)
        took_ns[at] = mono_ns() - before
    return moving


@kernel
def _time_calls(plan: Plan, took_ns: Words) -> int:
    made = 0
    for at in range(took_ns.size):
        before = mono_ns()
        made += kernels.scan(plan, at % VENUES, before)
        took_ns[at] = mono_ns() - before
    return made


@kernel
def _time_turns(plan: Plan, took_ns: Words) -> int:
    made = 0
    for at in range(took_ns.size):
        instrument = at % VENUES
        ring_push_word(plan.words[plan.feeds[instrument, RING_AT]:], instrument << 8 | 1)
        before = mono_ns()
        made += kernels.turn(plan, before)
        took_ns[at] = mono_ns() - before
    return made


@kernel
def _time_appraisals(plan: Plan, took_ns: Words) -> int:
    held = 0
    for at in range(took_ns.size):
        before = mono_ns()
        held += appraise(plan.desk, at % VENUES, (at + 1) % VENUES, before) != 0
        took_ns[at] = mono_ns() - before
    return held


def _time_python(cross: Cross, took_ns: Words) -> int:
    made = 0
    for at in range(took_ns.size):
        before = time.monotonic_ns()
        made += cross.scan(at % VENUES, before)
        took_ns[at] = time.monotonic_ns() - before
    return made


@kernel
def _time_walks(
    asks: Words, ask_sizes: Words, bids: Words, bid_sizes: Words, terms: Words, result: Words,
    took_ns: Words,
) -> int:
    total = 0
    for at in range(took_ns.size):
        before = mono_ns()
        d.cross(asks, ask_sizes, asks.size, bids, bid_sizes, bids.size, terms, result)
        took_ns[at] = mono_ns() - before
        total += result[d.PROFIT]
    return total


def _words(size: int) -> Words:
    return np.zeros(size // 8, np.int64)


def _market(seed: int) -> Cross:
    """Return a detector over twelve venues whose books and quotes differ by less than the fees."""
    config = msgspec.convert({
        "name": "bench", "venues": {f"v{at}": {"symbols": ["BTC/USDT"]} for at in range(VENUES)},
        "detector": {"edge-min-ppm": 0, "edge-max-ppm": 10**6, "notional-max": {"USDT": 1e5},
                     "notional-min": {"USDT": 10.0}, "book-age-ms-max": 86_400_000.0},
        "execution": {"edge-min-ppm": 0},
    }, Config)
    table, random = instruments(config), np.random.default_rng(seed)
    control = ControlView(_words(ControlView.SIZE))
    control.strategies[Strategy.CROSS]["enabled"] = 1
    rows = InstrumentTable(_words(InstrumentTable.size(VENUES)), VENUES)
    feeds = []
    for at in range(VENUES):
        books = BookSegment(_words(BookSegment.size(LEVELS, 1)), LEVELS, 1)
        updates = _words(ring_size(1, 64))
        WordRing.format(updates, 64)
        feeds.append(FeedPlace(books, WordRing(updates), process=at))
        control.processes[at]["heartbeat_mono_ns"] = ALIVE_NS
        control.venues[at]["enabled"] = rows[at]["enabled"] = 1
        rows[at]["price_decimals"] = rows[at]["size_decimals"] = 8
        rows[at]["status"], rows[at]["taker_fee_ppm"] = InstrumentStatus.TRADING, 1_000
        mid = MID + int(random.integers(-10**9, 10**9))
        _publish(books, mid)
        publish_quote(books.words, 0, LEVELS, 0, 0, 1, 0, mid - 5, 10**8, mid + 5, 10**8, 2)
        set_state(books.words, 0, BookState.LIVE, 0, 1)
    signals = _words(ring_size(words_in(SIGNAL), 64))
    RecordRing.format(signals, 64)
    memory = Memory(control, rows, feeds, RecordRing(signals, SIGNAL), run=1)
    cross = Cross(config, table, memory, CounterBlock(_words(CounterBlock.size(1)), 0))
    cross.sweep(1)
    return cross


def _publish(books: BookSegment, mid: int) -> None:
    """Publish all levels of one book around ``mid``."""
    slot, column = publish_begin(books.words, 0, LEVELS), column_words(LEVELS)
    books.words[[slot + RECV_MONO_NS, slot + PUBLISH_MONO_NS]] = 1
    books.words[[slot + BID_COUNT, slot + ASK_COUNT]] = LEVELS
    steps = np.arange(1, LEVELS + 1) * 10**6
    for side, prices in enumerate((mid - steps, mid + steps)):
        at = slot + HEAD_WORDS + 2 * side * column
        books.words[at : at + LEVELS] = prices
        books.words[at + column : at + column + LEVELS] = 10**8
    publish_end(books.words, 0, slot)


def _walk() -> tuple[Words, Words, Words, Words, Words]:
    """Return two books that cross through all their levels, and the terms of doing so."""
    steps = np.arange(LEVELS, dtype=np.int64)
    sizes = np.random.default_rng(7).integers(10**6, 10**8, (2, LEVELS))
    terms = np.zeros(d.TERMS_WORDS, np.int64)
    terms[[d.BUY_FEE, d.SELL_FEE]] = 100
    terms[[d.NOTIONAL_MAX, d.SIZE_MAX]], terms[d.EDGE_MAX] = 2**62, 10**6
    terms[d.LOT], terms[d.UNIT] = 1_000, 10**10
    return MID + steps * 10**6, sizes[0], MID + 3 * 10**10 - steps * 10**6, sizes[1], terms


def main() -> None:
    """Print one line of percentiles each for the clock, the four scans, the walk and all of it."""
    turns = parameter("turns", smoke=500, full=1_000_000)
    took_ns, warm = np.zeros(turns, np.int64), np.zeros(10, np.int64)
    print(machine())
    _time_nothing(warm)
    _time_nothing(took_ns)
    report("two readings of the clock", took_ns)
    cross = _market(seed=42)
    plan = cross.plan
    _time_scans(plan, warm)
    moving = _time_scans(plan, took_ns)
    evaluated = int(plan.pairs[:, EVALUATED].sum())
    report(f"scan of 1 symbol, {VENUES} venues", took_ns, target=Target("p99", 1.0),
           moving=moving, checksum=evaluated)
    for name, measure in (("a kernel of its own", _time_calls), ("a whole turn", _time_turns)):
        measure(plan, warm)
        signals = measure(plan, took_ns)
        report(f"the same as {name}", took_ns, signals=signals)
    few_ns = np.zeros(turns // 10, np.int64)
    report("the same called from Python", few_ns, signals=_time_python(cross, few_ns))
    _time_appraisals(plan, warm)
    report("appraisal of a pair", took_ns, held=_time_appraisals(plan, took_ns))
    asks, ask_sizes, bids, bid_sizes, terms = _walk()
    result = np.zeros(d.RESULT_WORDS, np.int64)
    _time_walks(asks, ask_sizes, bids, bid_sizes, terms, result, warm)
    total = _time_walks(asks, ask_sizes, bids, bid_sizes, terms, result, took_ns)
    report(f"depth walk, {LEVELS} levels a side", took_ns, target=Target("p99", 5.0),
           size=int(result[d.SIZE]), checksum=total % 10**12)


if __name__ == "__main__":
    main()
