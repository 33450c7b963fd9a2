"""The signal record: what was seen, what to do, and when each hop of it happened."""

from typing import Final

from engine.detect import plan as p
from engine.detect.plan import Plan
from engine.market import appraise as a
from engine.market import depth as d
from engine.market import touch as t
from engine.market.exact import MILLION
from shm.atomics import Words
from shm.counters import DetectorCounter, DetectorHistogram, count, histogram_base, record_ns
from shm.jit import inlined, kernel
from shm.layout import LEG, SIGNAL, word_of, words_in
from shm.ring import ring_head, ring_push
from shm.system import mono_ns, unix_ns

_SIGNALS: Final = int(DetectorCounter.SIGNALS)
_RECV_TO_SIGNAL: Final = int(DetectorHistogram.RECV_TO_SIGNAL)
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


@kernel
def emit(plan: Plan, pair: int, now_ns: int, trigger: int) -> None:
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
    is_new = touch[t.IS_NEW] != 0  # else nobody's message led here: the window was due again
    record[_RECV] = touch[t.RECV_NS] if is_new else 0
    record[_PUBLISH] = touch[t.PUBLISH_NS] if is_new else 0
    # what was seen ages from then on, also while this process is not let run
    record[_SEEN], record[_EXPIRY] = now_ns, now_ns + settings[p.EXPIRY_NS]
    _write_leg(plan, _BUY_LEG, state[p.BUY], 1, result[d.BUY_LIMIT], result[d.BUY_AVERAGE],
               desk.buy_touch)
    _write_leg(plan, _SELL_LEG, state[p.SELL], -1, result[d.SELL_LIMIT], result[d.SELL_AVERAGE],
               desk.sell_touch)
    made_ns = mono_ns() if settings[p.CLOCKED] != 0 else now_ns
    record[_MONO] = made_ns
    record[_UNIX] = unix_ns() if settings[p.CLOCKED] != 0 else 0
    ring_push(ring, record)
    counters_at = settings[p.COUNTERS_AT]
    count(plan.words, counters_at + _SIGNALS, 1)
    if is_new:
        record_ns(plan.words, counters_at + histogram_base(_RECV_TO_SIGNAL),
                  made_ns - touch[t.RECV_NS])
