"""What the detector's kernels know: one bundle of arrays, its columns named and explained."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shm.atomics import Words

Table = NDArray[np.int64]  # two-dimensional
Floats = NDArray[np.float64]


class Plan(NamedTuple):
    """What the detector works on.  Columns of the tables are named below."""

    words: Words  # every segment: see shm.span
    settings: Words
    feeds: Table  # one row per feed
    legs: Table  # one row per instrument: where its book, feed and row are
    touches: Table  # one row per instrument: shm.touch, VETO extended by distrust
    pairs: Table  # one row per ordered pair (buy, sell)
    edges: Floats  # one row per ordered pair, in ppm: they rank and report, nothing more
    first: Words  # pairs of instrument i: pair_of[first[i] : first[i + 1]]
    pair_of: Words
    changed: Words  # instruments of this turn
    entries: Words  # copied from an update ring
    slot: Words  # scratch for one book, one quote, and both legs of a cross
    quote: Words
    buy_touch: Words
    sell_touch: Words
    buy_prices: Words
    buy_sizes: Words
    sell_prices: Words
    sell_sizes: Words
    terms: Words
    result: Words
    record: Words  # the signal being made


# settings: what the config says, where things are, and what the loop remembers
(EDGE_MIN, NOTIONAL_MAX, NOTIONAL_MIN, AGE_MAX_NS, EXPIRY_NS, REPEAT_NS, SILENCE_MAX_NS, DEPTH,
 SOURCE, STRATEGY, CONTROL_AT, SIGNALS_AT, COUNTERS_AT, BELL_AT, WAIT, TIMEOUT_NS, RUN, CLOCKED,
 RINGS_SEEN, TURN) = range(20)
SETTINGS_WORDS: Final = 24
(RING_AT, CURSOR, FIRST_INSTRUMENT, INSTRUMENT_COUNT) = range(4)
FEED_WORDS: Final = 4
(BOOK_AT, FEED_AT, ROW_AT, VENUE, CHANGED_TURN) = range(5)
LEG_WORDS: Final = 8
# OPENED_NS is 0 while the window is closed; SIGNALLED_NS while it has not signalled
(BUY, SELL, OPENED_NS, WINDOWS, EVALUATED, TRUE, TRUE_NS, SIGNALLED_NS, SIGNALS, WITHHELD,
 SEEN_TURN, WINDOW_TRUE, CLOSED_NS, LONGEST_NS) = range(14)
PAIR_WORDS: Final = 16
(EDGE, EDGE_LEAST, EDGE_MOST, EDGE_SUM, PEAK, EDGE_SIGNALLED) = range(6)
EDGE_WORDS: Final = 8
