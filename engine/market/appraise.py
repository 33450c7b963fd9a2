"""What crossing two books is worth now, and why one may not: one answer for who finds and who acts.

The order is policy: who may act, then whether the books may be believed, then their age, then
the walk.  Detection and execution ask the same question of the same memory, with limits of
their own.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.market import depth as d
from engine.market import touch as t
from engine.market.trust import distrust, restraint
from shm.atomics import Words
from shm.jit import inlined, kernel
from shm.layout import Veto

Table = NDArray[np.int64]  # two-dimensional


class Desk(NamedTuple):
    """All that an appraisal reads and writes."""

    words: Words  # every segment: see shm.span
    seats: Table  # one row per instrument: see below
    limits: Words  # see below
    slot: Words  # scratch for one book and one quote
    quote: Words
    buy_touch: Words  # what was seen of both legs: engine.market.touch
    sell_touch: Words
    buy_prices: Words
    buy_sizes: Words
    sell_prices: Words
    sell_sizes: Words
    terms: Words  # engine.market.depth; EDGE_MIN, EDGE_MAX and SIZE_MAX are the owner's
    result: Words  # engine.market.depth


# where an instrument's book, feed and row are, its venue, and how much of its quote currency,
# in millionths, one signal may move
(BOOK_AT, FEED_AT, ROW_AT, VENUE, NOTIONAL_MIN, NOTIONAL_MAX) = range(6)
SEAT_WORDS: Final = 8
(DEPTH, SOURCE, CONTROL_AT, STRATEGY, SILENCE_MAX_NS, AGE_MAX_NS) = range(6)
LIMITS_WORDS: Final = 8

_BOOK_OLD: Final = int(Veto.BOOK_OLD)


def make_desk(words: Words, seats: Table, limits: Words) -> Desk:
    """Allocate the scratch of a desk, once."""
    levels = int(limits[DEPTH]) + 1
    scratch = t.Scratch(int(limits[DEPTH]))
    return Desk(
        words=words, seats=seats, limits=limits, slot=scratch.slot, quote=scratch.quote,
        buy_touch=np.zeros(t.TOUCH_WORDS, np.int64), sell_touch=np.zeros(t.TOUCH_WORDS, np.int64),
        buy_prices=np.zeros(levels, np.int64), buy_sizes=np.zeros(levels, np.int64),
        sell_prices=np.zeros(levels, np.int64), sell_sizes=np.zeros(levels, np.int64),
        terms=np.zeros(d.TERMS_WORDS, np.int64), result=np.zeros(d.RESULT_WORDS, np.int64),
    )


@inlined
def doubt(desk: Desk, instrument: int, now_ns: int) -> int:
    """Return why the book of ``instrument``, that was just read, is not to be believed, or 0."""
    seat, limits = desk.seats[instrument], desk.limits
    return distrust(desk.words, seat[BOOK_AT], seat[FEED_AT], seat[ROW_AT], now_ns,
                    limits[SILENCE_MAX_NS])


@inlined
def age_ns(desk: Desk, now_ns: int) -> int:
    """Return the age of the older of the two legs last appraised, by receive time."""
    oldest_ns: int = min(desk.buy_touch[t.RECV_NS], desk.sell_touch[t.RECV_NS])
    return now_ns - oldest_ns


@inlined
def _believed(desk: Desk, touch: Words, levels: int, now_ns: int) -> int:
    """Return how many of the levels just read are not too old: a quote vouches for its own alone.

    Where the book behind a newer quote stands still, its levels may have gone long ago.
    """
    if touch[t.BY_QUOTE] != 0 and now_ns - touch[t.BOOK_RECV_NS] > desk.limits[AGE_MAX_NS]:
        return min(levels, 1)
    return levels


@kernel
def appraise(desk: Desk, buy: int, sell: int, now_ns: int) -> int:
    """Read the books of ``buy`` and ``sell`` anew and size the cross into ``desk.result``.

    Returns the Veto, 0 for none; ``result[NUMBER]`` and ``result[LIMIT]`` are what it compared,
    both 0 where the veto is a plain no.
    """
    words, limits, result = desk.words, desk.limits, desk.result
    buyer, seller = desk.seats[buy], desk.seats[sell]
    result[d.NUMBER], result[d.LIMIT] = 0, 0
    veto = restraint(words, limits[CONTROL_AT], limits[STRATEGY], buyer[VENUE], seller[VENUE],
                     buyer[ROW_AT], seller[ROW_AT])
    if veto != 0:
        return veto
    asks = t.read_side(words, buyer[BOOK_AT], limits[DEPTH], limits[SOURCE], 1, desk.slot,
                       desk.quote, desk.buy_touch, desk.buy_prices, desk.buy_sizes)
    bids = t.read_side(words, seller[BOOK_AT], limits[DEPTH], limits[SOURCE], -1, desk.slot,
                       desk.quote, desk.sell_touch, desk.sell_prices, desk.sell_sizes)
    for instrument, touch in ((buy, desk.buy_touch), (sell, desk.sell_touch)):
        veto = doubt(desk, instrument, now_ns)
        if veto == 0:
            veto = touch[t.VETO]
        if veto != 0:
            return veto
    if age_ns(desk, now_ns) > limits[AGE_MAX_NS]:
        result[d.NUMBER], result[d.LIMIT] = age_ns(desk, now_ns), limits[AGE_MAX_NS]
        return _BOOK_OLD
    asks = _believed(desk, desk.buy_touch, asks, now_ns)
    bids = _believed(desk, desk.sell_touch, bids, now_ns)
    d.terms_of(words, buyer[ROW_AT], seller[ROW_AT], desk.terms)
    desk.terms[d.COST_MIN] = max(desk.terms[d.COST_MIN], buyer[NOTIONAL_MIN])
    desk.terms[d.NOTIONAL_MAX] = buyer[NOTIONAL_MAX]  # both legs have one quote currency
    return d.cross(desk.buy_prices, desk.buy_sizes, asks, desk.sell_prices, desk.sell_sizes, bids,
                   desk.terms, result)
