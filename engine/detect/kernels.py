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
from engine.detect.plan import Plan
from shm import appraise as a
from shm import depth as d
from shm import touch as t
from shm.atomics import Words
from shm.bell import wait_bell
from shm.counters import DetectorCounter, DetectorHistogram, count, histogram_base, record_ns
from shm.exact import MILLION
from shm.jit import inlined, kernel
from shm.layout import LEG, SIGNAL, UpdateKind, Veto, word_of, words_in
from shm.ring import ring_head, ring_push, ring_read
from shm.system import mono_ns, unix_ns

MATERIAL_PPM: Final = 100.0  # an edge better by this, one basis point, is worth another signal
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
_SIGNALS: Final = int(DetectorCounter.SIGNALS)
_HELD: Final = int(DetectorCounter.HELD)
_VETO_ZERO: Final = int(DetectorCounter.VETO_NOT_LIVE) - int(Veto.NOT_LIVE)
_PUBLISH_TO_SEEN: Final = int(DetectorHistogram.PUBLISH_TO_SEEN)
_SCAN: Final = int(DetectorHistogram.SCAN)
_RECV_TO_SIGNAL: Final = int(DetectorHistogram.RECV_TO_SIGNAL)
_WINDOW: Final = int(DetectorHistogram.WINDOW)

_SEQUENCE: Final = word_of(SIGNAL, "sequence")
_RUN: Final = word_of(SIGNAL, "run")
_STRATEGY: Final = word_of(SIGNAL, "strategy")
_LEG_COUNT: Final = word_of(SIGNAL, "leg_count")
_GROSS: Final = word_of(SIGNAL, "gross_edge_ppm")
_NET: Final = word_of(SIGNAL, "net_edge_ppm")
_PROFIT: Final = word_of(SIGNAL, "profit_micro")
_NOTIONAL: Final = word_of(SIGNAL, "notional_micro")
_CONFIDENCE: Final = word_of(SIGNAL, "confidence_ppm")
_RISK: Final = word_of(SIGNAL, "risk_ppm")
_SIGNAL_WINDOW: Final = word_of(SIGNAL, "window")
_TRIGGER: Final = word_of(SIGNAL, "trigger")
_RECV: Final = word_of(SIGNAL, "recv_mono_ns")
_PUBLISH: Final = word_of(SIGNAL, "publish_mono_ns")
_SEEN: Final = word_of(SIGNAL, "seen_mono_ns")
_MONO: Final = word_of(SIGNAL, "signal_mono_ns")
_UNIX: Final = word_of(SIGNAL, "signal_unix_ns")
_EXPIRY: Final = word_of(SIGNAL, "expiry_mono_ns")
_BUY_LEG: Final = word_of(SIGNAL, "legs")
_SELL_LEG: Final = _BUY_LEG + words_in(LEG)
_INSTRUMENT: Final = word_of(LEG, "instrument")
_SIDE: Final = word_of(LEG, "side")
_LIMIT: Final = word_of(LEG, "limit_price")
_SIZE: Final = word_of(LEG, "size")
_AVERAGE: Final = word_of(LEG, "average_price")
_BOOK_VERSION: Final = word_of(LEG, "book_version")
_QUOTE_VERSION: Final = word_of(LEG, "quote_version")
_UPDATE_ID: Final = word_of(LEG, "update_id")


@inlined
def _count(plan: Plan, counter: int, n: int) -> None:
    count(plan.words, plan.settings[p.COUNTERS_AT] + counter, n)


@inlined
def _record(plan: Plan, histogram: int, ns: int) -> None:
    record_ns(plan.words, plan.settings[p.COUNTERS_AT] + histogram_base(histogram), ns)


# ---------------------------------------------------------------- touches
@kernel
def refresh(plan: Plan, instrument: int, now_ns: int) -> None:
    """Read the touch of one instrument and whether it may be believed."""
    desk, touch = plan.desk, plan.touches[instrument]
    t.read_touch(plan.words, desk.seats[instrument, a.BOOK_AT], desk.limits[a.DEPTH],
                 desk.limits[a.SOURCE], desk.slot, desk.quote, touch)
    doubt = a.doubt(desk, instrument, now_ns)
    if doubt != 0:
        touch[t.VETO] = doubt


# ---------------------------------------------------------------- windows
@inlined
def _withhold(plan: Plan, pair: int, veto: int) -> None:
    """Count a reason not to act, once for as long as it stays the reason."""
    if plan.pairs[pair, p.WITHHELD] != veto:
        plan.pairs[pair, p.WITHHELD] = veto
        _count(plan, _VETO_ZERO + veto, 1)


@inlined
def _open(plan: Plan, pair: int, now_ns: int) -> None:
    state = plan.pairs[pair]
    state[p.OPENED_NS], state[p.SIGNALLED_NS] = now_ns, 0
    state[p.WINDOWS] += 1
    _count(plan, _OPENED, 1)


@inlined
def _close(plan: Plan, pair: int, now_ns: int) -> None:
    state = plan.pairs[pair]
    lasted = now_ns - state[p.OPENED_NS]
    state[p.TRUE_NS] += lasted
    state[p.OPENED_NS] = 0
    _record(plan, _WINDOW, lasted)
    _count(plan, _CLOSED, 1)


@inlined
def _evaluate(plan: Plan, pair: int, now_ns: int, trigger: int) -> int:
    """Move one window on; return 1 if that made a signal, else 0."""
    state, edges = plan.pairs[pair], plan.edges[pair]
    buy, sell = state[p.BUY], state[p.SELL]
    ask, bid = plan.touches[buy, t.ASK], plan.touches[sell, t.BID]
    buy_veto, sell_veto = plan.touches[buy, t.VETO], plan.touches[sell, t.VETO]
    doubt = buy_veto if buy_veto != 0 else sell_veto
    holds = False
    if ask > 0 and bid > 0:
        buy_fee = plan.words[plan.desk.seats[buy, a.ROW_AT] + d.TAKER_FEE]
        sell_fee = plan.words[plan.desk.seats[sell, a.ROW_AT] + d.TAKER_FEE]
        holds = d.is_cross(bid, sell_fee, ask, buy_fee, plan.settings[p.EDGE_MIN])
        if holds and doubt != 0:
            _withhold(plan, pair, doubt)
            holds = False
        if doubt == 0:
            fees = (MILLION - sell_fee) / (MILLION + buy_fee)
            edge = (bid / ask * fees - 1.0) * MILLION
            edges[p.EDGE] = edge
            edges[p.EDGE_LEAST] = min(edges[p.EDGE_LEAST], edge)
            edges[p.EDGE_MOST] = max(edges[p.EDGE_MOST], edge)
            edges[p.EDGE_SUM] += edge
            state[p.EVALUATED] += 1
    if not holds:
        if state[p.OPENED_NS] != 0:
            _close(plan, pair, now_ns)
        if doubt == 0:
            state[p.WITHHELD] = 0
        return 0
    if state[p.OPENED_NS] == 0:
        _open(plan, pair, now_ns)
    state[p.TRUE] += 1
    _count(plan, _CROSSES, 1)
    return _signal(plan, pair, now_ns, trigger)


# ---------------------------------------------------------------- signals
@inlined
def _signal(plan: Plan, pair: int, now_ns: int, trigger: int) -> int:
    """Signal an open window if it has not, if it is due again or if it got materially better."""
    state, edges, settings = plan.pairs[pair], plan.edges[pair], plan.settings
    if (
        state[p.SIGNALLED_NS] != 0
        and now_ns - state[p.SIGNALLED_NS] < settings[p.REPEAT_NS]
        and edges[p.EDGE] < edges[p.EDGE_SIGNALLED] + MATERIAL_PPM
    ):
        _count(plan, _HELD, 1)
        return 0
    veto = a.appraise(plan.desk, state[p.BUY], state[p.SELL], now_ns)
    if veto != 0:
        _withhold(plan, pair, veto)
        return 0
    state[p.WITHHELD], state[p.SIGNALLED_NS] = 0, now_ns
    state[p.SIGNALS] += 1
    edges[p.EDGE_SIGNALLED] = edges[p.EDGE]
    _emit(plan, pair, now_ns, trigger)
    return 1


@inlined
def _write_leg(
    plan: Plan, at: int, instrument: int, side: int, limit: int, average: int, touch: Words
) -> None:
    record = plan.record
    record[at + _INSTRUMENT], record[at + _SIDE] = instrument, side
    record[at + _LIMIT], record[at + _SIZE] = limit, plan.desk.result[d.SIZE]
    record[at + _AVERAGE] = average
    record[at + _BOOK_VERSION] = touch[t.BOOK_VERSION]
    record[at + _QUOTE_VERSION] = touch[t.QUOTE_VERSION]
    record[at + _UPDATE_ID] = touch[t.UPDATE]


@inlined
def _emit(plan: Plan, pair: int, now_ns: int, trigger: int) -> None:
    """Write the cross just appraised into the ring as a signal; its number is the ring's own."""
    record, settings, state = plan.record, plan.settings, plan.pairs[pair]
    desk, result = plan.desk, plan.desk.result
    ring = plan.words[settings[p.SIGNALS_AT]:]
    touch = plan.touches[trigger]
    record[_SEQUENCE] = ring_head(ring) + 1
    record[_RUN], record[_STRATEGY] = settings[p.RUN], desk.limits[a.STRATEGY]
    record[_LEG_COUNT] = 2
    record[_GROSS], record[_NET] = result[d.GROSS_PPM], result[d.NET_PPM]
    record[_PROFIT], record[_NOTIONAL] = result[d.PROFIT], result[d.COST]
    # confidence: how fresh the older book is; risk: the share taken of what the thinner leg shows
    age_max_ns = desk.limits[a.AGE_MAX_NS]
    fresh_ns = age_max_ns - max(a.age_ns(desk, now_ns), 0)
    record[_CONFIDENCE] = int(fresh_ns / age_max_ns * MILLION)
    record[_RISK] = result[d.TAKEN_PPM]
    record[_SIGNAL_WINDOW], record[_TRIGGER] = state[p.WINDOWS], trigger
    record[_RECV], record[_PUBLISH] = touch[t.RECV_NS], touch[t.PUBLISH_NS]
    record[_SEEN] = now_ns
    _write_leg(plan, _BUY_LEG, state[p.BUY], 1, result[d.BUY_LIMIT], result[d.BUY_AVERAGE],
               desk.buy_touch)
    _write_leg(plan, _SELL_LEG, state[p.SELL], -1, result[d.SELL_LIMIT], result[d.SELL_AVERAGE],
               desk.sell_touch)
    made_ns = mono_ns() if settings[p.CLOCKED] != 0 else now_ns
    record[_MONO], record[_EXPIRY] = made_ns, made_ns + settings[p.EXPIRY_NS]
    record[_UNIX] = unix_ns() if settings[p.CLOCKED] != 0 else 0
    ring_push(ring, record)
    _count(plan, _SIGNALS, 1)
    _record(plan, _RECV_TO_SIGNAL, made_ns - touch[t.RECV_NS])


# ---------------------------------------------------------------- turns
@kernel
def scan(plan: Plan, instrument: int, now_ns: int) -> int:
    """Read one instrument and test it against all others of its group, both ways.

    Returns how many signals that made.  Called after every event, this is the detector's
    deterministic mode: ``now_ns`` is the only clock where CLOCKED is 0.
    """
    refresh(plan, instrument, now_ns)
    made = 0
    for at in range(plan.first[instrument], plan.first[instrument + 1]):
        made += _evaluate(plan, plan.pair_of[at], now_ns, instrument)
    _count(plan, _SCANS, 1)
    return made


@kernel
def sweep(plan: Plan, now_ns: int) -> int:
    """Read and test everything: what went silent or was forgotten raises no update."""
    for instrument in range(plan.touches.shape[0]):
        refresh(plan, instrument, now_ns)
    made = 0
    for pair in range(plan.pairs.shape[0]):
        made += _evaluate(plan, pair, now_ns, plan.pairs[pair, p.BUY])
    return made


@inlined
def _mark(plan: Plan, instrument: int, marked: int) -> int:
    """Note an instrument as changed in this turn, once; return how many are noted."""
    if plan.changed_turn[instrument] == plan.settings[p.TURN]:
        return marked
    plan.changed_turn[instrument] = plan.settings[p.TURN]
    plan.changed[marked] = instrument
    return marked + 1


@inlined
def _drain(plan: Plan, feed: int, marked: int) -> int:
    """Note what a feed says has changed; everything of it when its ring lapped us."""
    row = plan.feeds[feed]
    ring = plan.words[row[p.RING_AT]:]
    first, last = row[p.FIRST_INSTRUMENT], row[p.FIRST_INSTRUMENT] + row[p.INSTRUMENT_COUNT]
    for _ in range(DRAINS_MAX):
        before = row[p.CURSOR]
        row[p.CURSOR], lost = ring_read(ring, before, plan.entries)
        fresh = row[p.CURSOR] - before - lost
        if lost > 0:
            _count(plan, _LAPS, 1)
            _count(plan, _LOST, lost)
            for instrument in range(first, last):
                marked = _mark(plan, instrument, marked)
        _count(plan, _UPDATES, fresh)
        for at in range(fresh):
            instrument, kind = plan.entries[at] >> 8, plan.entries[at] & 255
            if kind != _TRADE and first <= instrument < last:
                marked = _mark(plan, instrument, marked)
        if fresh < plan.entries.size:
            break
    return marked


@kernel
def turn(plan: Plan, now_ns: int) -> int:
    """Take in all updates, then scan what changed; return how many signals that made."""
    plan.settings[p.TURN] += 1
    marked = 0
    for feed in range(plan.feeds.shape[0]):
        marked = _drain(plan, feed, marked)
    if marked == 0:
        return 0
    _count(plan, _WAKES, 1)
    for at in range(marked):
        instrument = plan.changed[at]
        refresh(plan, instrument, now_ns)
        _record(plan, _PUBLISH_TO_SEEN, now_ns - plan.touches[instrument, t.PUBLISH_NS])
    made = 0
    for at in range(marked):
        instrument = plan.changed[at]
        for place in range(plan.first[instrument], plan.first[instrument + 1]):
            pair = plan.pair_of[place]
            if plan.pairs[pair, p.SEEN_TURN] != plan.settings[p.TURN]:
                plan.pairs[pair, p.SEEN_TURN] = plan.settings[p.TURN]
                made += _evaluate(plan, pair, now_ns, instrument)
    _count(plan, _SCANS, marked)
    return made


@kernel
def watch(plan: Plan) -> int:
    """Wait on the bell and take turns until signals were made or the time limit passed.

    Returns how many signals lie in the ring that did not before.
    """
    settings = plan.settings
    entered_ns = mono_ns()
    now_ns = entered_ns
    while True:
        left_ns = settings[p.TIMEOUT_NS] - (now_ns - entered_ns)
        settings[p.RINGS_SEEN] = wait_bell(
            plan.words, settings[p.BELL_AT], settings[p.RINGS_SEEN], settings[p.WAIT], left_ns
        )
        now_ns = mono_ns()
        made = turn(plan, now_ns)
        if settings[p.CLOCKED] != 0:
            _record(plan, _SCAN, mono_ns() - now_ns)
        if made > 0 or now_ns - entered_ns >= settings[p.TIMEOUT_NS]:
            return made
