"""Cross-exchange detection: touches, windows and signals, without allocation or float decisions.

    update rings ──► changed instruments ──► touches ──► pairs of each group ──► windows
                                                                                  │ opens, betters
                         signals ring ◄── depth walk on both books as they are ◄──┘

For each ordered pair (buy here, sell there) a *window* is open while the net edge at the touch
is at least the configured one, on books that may be believed.  Whether one may act on them
(pause, kill, age, size) is asked only then, and every no is counted by its reason, once per
window and reason.  Nothing here blocks but ``watch``.
"""

from typing import Final

from engine.detect import plan as p
from engine.detect.emit import emit
from engine.detect.plan import Floats, Plan
from engine.market import appraise as a
from engine.market import depth as d
from engine.market import touch as t
from engine.market.appraise import Table
from engine.market.exact import MILLION
from engine.market.trust import distrust
from shm.atomics import Words
from shm.bell import wait_bell
from shm.counters import DetectorCounter, DetectorHistogram, count, histogram_base, record_ns
from shm.jit import inlined, kernel
from shm.layout import UpdateKind, Veto
from shm.ring import ring_head, ring_read
from shm.system import mono_ns

MATERIAL_PPM: Final = 100.0  # an edge better by this, one basis point, is worth another signal
NEARLY: Final = 1.0 - 1e-9  # the floats that look first err by less than 1e-14
DRAINS_MAX: Final = 16  # reads of one ring per turn: a flood may not starve the other feeds

_TRADE: Final = int(UpdateKind.TRADE)
_WAKES: Final = int(DetectorCounter.WAKES)
_UPDATES: Final = int(DetectorCounter.UPDATES)
_LAPS: Final = int(DetectorCounter.LAPS)
_LOST: Final = int(DetectorCounter.ENTRIES_LOST)
_SCANS: Final = int(DetectorCounter.SCANS)
_CROSSES: Final = int(DetectorCounter.CROSSES)
_OPENED: Final = int(DetectorCounter.WINDOWS_OPENED)
_CLOSED: Final = int(DetectorCounter.WINDOWS_CLOSED)
_HELD: Final = int(DetectorCounter.HELD)
_VETO_ZERO: Final = int(DetectorCounter.VETO_NOT_LIVE) - int(Veto.NOT_LIVE)
_PUBLISH_TO_SEEN: Final = int(DetectorHistogram.PUBLISH_TO_SEEN)
_SCAN: Final = int(DetectorHistogram.SCAN)
_WINDOW: Final = int(DetectorHistogram.WINDOW)

# what a test of one pair asks for
_QUIET: Final = 0  # nothing: no cross, no window
_CROSSED: Final = 1  # open the window, or go on with it
_DOUBTED: Final = 2  # a cross, or an open window, on a book that may not be believed
_OVER: Final = 3  # close the window



# ---------------------------------------------------------------- touches
@kernel
def refresh(  # arrays one by one: see Plan
    words: Words, seats: Table, limits: Words, slot: Words, quote: Words, touches: Table,
    nets: Floats, instrument: int, now_ns: int,
) -> None:
    """Read the touch of one instrument and whether it may be believed."""
    book_at, row_at = seats[instrument, a.BOOK_AT], seats[instrument, a.ROW_AT]
    touch = touches[instrument]
    newest_ns = touch[t.NEWEST_NS]
    t.read_touch(words, book_at, limits[a.DEPTH], limits[a.SOURCE], slot, quote, touch)
    touch[t.IS_NEW] = touch[t.NEWEST_NS] != newest_ns
    fee = words[row_at + d.TAKER_FEE]
    touch[t.FEE_PPM] = fee
    doubt = distrust(words, book_at, seats[instrument, a.FEED_AT], row_at, now_ns,
                     limits[a.SILENCE_MAX_NS])
    if doubt != 0:
        touch[t.VETO] = doubt
    ask = touch[t.ASK]
    nets[instrument, p.NET_BID] = touch[t.BID] * ((MILLION - fee) / MILLION)
    nets[instrument, p.NET_ASK_INVERSE] = MILLION / (ask * (MILLION + fee)) if ask > 0 else 0.0
    nets[instrument, p.DOUBT] = touch[t.VETO]


# ---------------------------------------------------------------- windows
@inlined
def _is_due(settings: Words, pairs: Table, edges: Floats, pair: int, now_ns: int) -> bool:
    """Tell whether an open window should signal: not yet done, due again or materially better."""
    return bool(
        pairs[pair, p.SIGNALLED_NS] == 0
        or now_ns - pairs[pair, p.SIGNALLED_NS] >= settings[p.REPEAT_NS]
        or edges[pair, p.EDGE] >= edges[pair, p.EDGE_SIGNALLED] + MATERIAL_PPM
    )


@kernel
def test_pairs(  # arrays one by one: see Plan
    words: Words, settings: Words, first: Words, pair_of: Words, touches: Table, nets: Floats,
    pairs: Table, edges: Floats, pending: Table, instrument: int, now_ns: int,
) -> int:
    """Compare ``instrument`` with its group, both ways; return how many windows must move.

    Those are listed in ``pending``.  Floats show what is far from a cross: ``ratio_min`` lies
    below the threshold by more than they err, and what is above it is decided exactly.
    """
    edge_min_ppm, turn = settings[p.EDGE_MIN], settings[p.TURN]
    ratio_min = (1.0 + edge_min_ppm / MILLION) * NEARLY
    counters_at, moving = settings[p.COUNTERS_AT], 0
    for at in range(first[instrument], first[instrument + 1]):
        pair = pair_of[at]
        if pairs[pair, p.SEEN_TURN] == turn:
            continue  # both its books changed in this turn
        pairs[pair, p.SEEN_TURN] = turn
        buy, sell = pairs[pair, p.BUY], pairs[pair, p.SELL]
        ratio = nets[sell, p.NET_BID] * nets[buy, p.NET_ASK_INVERSE]
        is_sure = nets[buy, p.DOUBT] + nets[sell, p.DOUBT] == 0.0
        if is_sure and ratio > 0.0:
            edge = (ratio - 1.0) * MILLION
            edges[pair, p.EDGE] = edge
            edges[pair, p.EDGE_LEAST] = min(edges[pair, p.EDGE_LEAST], edge)
            edges[pair, p.EDGE_MOST] = max(edges[pair, p.EDGE_MOST], edge)
            edges[pair, p.EDGE_SUM] += edge
            pairs[pair, p.EVALUATED] += 1
        outcome = _QUIET
        if ratio >= ratio_min and d.is_cross(
            touches[sell, t.BID], touches[sell, t.FEE_PPM], touches[buy, t.ASK],
            touches[buy, t.FEE_PPM], edge_min_ppm,
        ):
            outcome = _CROSSED if is_sure else _DOUBTED
        elif pairs[pair, p.OPENED_NS] != 0 or pairs[pair, p.WITHHELD] != 0:
            outcome = _OVER if is_sure else _DOUBTED
        if outcome == _CROSSED:
            pairs[pair, p.TRUE] += 1
            count(words, counters_at + _CROSSES, 1)
            if pairs[pair, p.OPENED_NS] != 0 and not _is_due(settings, pairs, edges, pair, now_ns):
                count(words, counters_at + _HELD, 1)
                outcome = _QUIET
        if outcome != _QUIET:
            pending[moving, 0], pending[moving, 1] = pair, outcome
            moving += 1
    return moving


@inlined
def _withhold(plan: Plan, pair: int, veto: int) -> None:
    """Count a reason not to act, once for as long as it stays the reason."""
    if plan.pairs[pair, p.WITHHELD] != veto:
        plan.pairs[pair, p.WITHHELD] = veto
        count(plan.words, plan.settings[p.COUNTERS_AT] + _VETO_ZERO + veto, 1)


@inlined
def _close(plan: Plan, pair: int, now_ns: int) -> None:
    pairs, counters_at = plan.pairs, plan.settings[p.COUNTERS_AT]
    lasted_ns = now_ns - pairs[pair, p.OPENED_NS]
    pairs[pair, p.TRUE_NS] += lasted_ns
    pairs[pair, p.OPENED_NS] = 0
    record_ns(plan.words, counters_at + histogram_base(_WINDOW), lasted_ns)
    count(plan.words, counters_at + _CLOSED, 1)


@kernel
def move(plan: Plan, moving: int, now_ns: int, trigger: int) -> int:
    """Open, close or signal the first ``moving`` pending windows; return signals made."""
    pairs, touches, made = plan.pairs, plan.touches, 0
    for at in range(moving):
        pair, outcome = plan.pending[at, 0], plan.pending[at, 1]
        if outcome == _CROSSED:
            if pairs[pair, p.OPENED_NS] == 0:
                pairs[pair, p.OPENED_NS], pairs[pair, p.SIGNALLED_NS] = now_ns, 0
                pairs[pair, p.WINDOWS] += 1
                count(plan.words, plan.settings[p.COUNTERS_AT] + _OPENED, 1)
            made += _signal(plan, pair, now_ns, trigger)
            continue
        if pairs[pair, p.OPENED_NS] != 0:
            _close(plan, pair, now_ns)
        if outcome == _OVER:
            pairs[pair, p.WITHHELD] = 0
        else:
            veto = touches[pairs[pair, p.BUY], t.VETO]
            _withhold(plan, pair, veto if veto != 0 else touches[pairs[pair, p.SELL], t.VETO])
    return made


# ---------------------------------------------------------------- signals
@inlined
def _signal(plan: Plan, pair: int, now_ns: int, trigger: int) -> int:
    """Signal an open window, or count why not; return how many signals that made."""
    pairs = plan.pairs
    veto = a.appraise(plan.desk, pairs[pair, p.BUY], pairs[pair, p.SELL], now_ns)
    if veto != 0:
        _withhold(plan, pair, veto)
        return 0
    pairs[pair, p.WITHHELD], pairs[pair, p.SIGNALLED_NS] = 0, now_ns
    pairs[pair, p.SIGNALS] += 1
    plan.edges[pair, p.EDGE_SIGNALLED] = plan.edges[pair, p.EDGE]
    emit(plan, pair, now_ns, trigger)
    return 1


# ---------------------------------------------------------------- turns
@kernel
def drain(  # arrays one by one: see Plan
    words: Words, settings: Words, feeds: Table, changed: Words, noted: Words, entries: Words,
    feed: int, marked: int,
) -> int:
    """Note what a feed says has changed; everything of it when its ring lapped us."""
    ring, turn, counters_at = words[feeds[feed, p.RING_AT]:], settings[p.TURN], settings[
        p.COUNTERS_AT]
    first = feeds[feed, p.FIRST_INSTRUMENT]
    last = first + feeds[feed, p.INSTRUMENT_COUNT]
    for _ in range(DRAINS_MAX):
        before = feeds[feed, p.CURSOR]
        if ring_head(ring) == before:
            break
        cursor, lost = ring_read(ring, before, entries)
        feeds[feed, p.CURSOR] = cursor
        fresh = cursor - before - lost
        if lost > 0:
            count(words, counters_at + _LAPS, 1)
            count(words, counters_at + _LOST, lost)
            for instrument in range(first, last):
                if noted[instrument] != turn:
                    noted[instrument], changed[marked] = turn, instrument
                    marked += 1
        count(words, counters_at + _UPDATES, fresh)
        for at in range(fresh):
            instrument, kind = entries[at] >> 8, entries[at] & 255
            if kind != _TRADE and first <= instrument < last and noted[instrument] != turn:
                noted[instrument], changed[marked] = turn, instrument
                marked += 1
    return marked


@kernel
def scan_changed(plan: Plan, marked: int, now_ns: int) -> int:
    """Read the first ``marked`` changed instruments and test them; return signals made."""
    words, desk, settings, changed = plan.words, plan.desk, plan.settings, plan.changed
    seats, limits, slot, quote = desk.seats, desk.limits, desk.slot, desk.quote
    touches, nets, pairs, edges = plan.touches, plan.nets, plan.pairs, plan.edges
    first, pair_of, pending = plan.first, plan.pair_of, plan.pending
    for at in range(marked):
        refresh(words, seats, limits, slot, quote, touches, nets, changed[at], now_ns)
    made = 0
    for at in range(marked):
        moving = test_pairs(words, settings, first, pair_of, touches, nets, pairs, edges, pending,
                            changed[at], now_ns)
        if moving > 0:
            made += move(plan, moving, now_ns, changed[at])
    count(words, settings[p.COUNTERS_AT] + _SCANS, marked)
    return made


@kernel
def scan(plan: Plan, instrument: int, now_ns: int) -> int:
    """Read one instrument and test it against all others of its group, both ways.

    Returns how many signals that made.  Called after every event, this is the detector's
    deterministic mode: ``now_ns`` is the only clock where CLOCKED is 0.
    """
    plan.settings[p.TURN] += 1
    plan.changed[0] = instrument
    return scan_changed(plan, 1, now_ns)


@kernel
def sweep(plan: Plan, now_ns: int) -> int:
    """Read and test everything: what went silent or was forgotten raises no update."""
    plan.settings[p.TURN] += 1
    for instrument in range(plan.changed.size):
        plan.changed[instrument] = instrument
    return scan_changed(plan, plan.changed.size, now_ns)


@kernel
def turn(plan: Plan, now_ns: int) -> int:
    """Take in all updates, then scan what changed; return how many signals that made."""
    words, settings, feeds, changed = plan.words, plan.settings, plan.feeds, plan.changed
    noted, entries = plan.changed_turn, plan.entries
    settings[p.TURN] += 1
    marked = 0
    for feed in range(feeds.shape[0]):
        marked = drain(words, settings, feeds, changed, noted, entries, feed, marked)
    if marked == 0:
        return 0
    made = scan_changed(plan, marked, now_ns)
    counters_at, touches = settings[p.COUNTERS_AT], plan.touches
    count(words, counters_at + _WAKES, 1)
    for at in range(marked):  # a lap or a state word may mark what was not published anew
        if touches[changed[at], t.IS_NEW] != 0:
            record_ns(words, counters_at + histogram_base(_PUBLISH_TO_SEEN),
                      now_ns - touches[changed[at], t.NEWEST_NS])
    if settings[p.CLOCKED] != 0:
        record_ns(words, counters_at + histogram_base(_SCAN), mono_ns() - now_ns)
    return made


@kernel
def watch(plan: Plan) -> int:
    """Wait on the bell and take turns until signals were made or the time limit passed.

    Returns how many signals lie in the ring that did not before.
    """
    words, settings = plan.words, plan.settings
    entered_ns = mono_ns()
    now_ns = entered_ns
    while True:
        left_ns = settings[p.TIMEOUT_NS] - (now_ns - entered_ns)
        settings[p.RINGS_SEEN] = wait_bell(
            words, settings[p.BELL_AT], settings[p.RINGS_SEEN], settings[p.WAIT], left_ns
        )
        now_ns = mono_ns()
        made = turn(plan, now_ns)
        if made > 0 or now_ns - entered_ns >= settings[p.TIMEOUT_NS]:
            return made
