"""What the detector's kernels know: one bundle of arrays, its columns named and explained."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.market.appraise import Desk, Table
from shm.atomics import Words

Floats = NDArray[np.float64]


class Plan(NamedTuple):
    """What the detector works on.  Columns of the tables are named below.

    A kernel that is given a plan counts a reference to each array of it, and again at each use:
    some 0.8 us, by which the first two scans of ``bench.scan`` differ.  So the kernels that run
    for every update and every feed take the arrays that they need.
    """

    words: Words  # every segment: see shm.span
    desk: Desk  # the same words, and where each instrument's book is
    settings: Words
    feeds: Table  # one row per feed
    touches: Table  # one row per instrument: engine.market.touch, VETO extended by distrust
    nets: Floats  # one row per instrument: the touch after fees, to look before deciding exactly
    pairs: Table  # one row per ordered pair (buy, sell)
    edges: Floats  # one row per ordered pair, in ppm: they rank and report, nothing more
    first: Words  # pairs of instrument i: pair_of[first[i] : first[i + 1]]
    pair_of: Words
    changed: Words  # instruments of this turn
    changed_turn: Words  # per instrument: the turn that last noted it
    pending: Table  # pairs whose windows must move, and how: (pair, outcome)
    entries: Words  # copied from an update ring
    record: Words  # the signal being made


# settings: what the config says, where things are, and what the loop remembers
(EDGE_MIN, EXPIRY_NS, REPEAT_NS, SIGNALS_AT, COUNTERS_AT, BELL_AT, WAIT, TIMEOUT_NS, RUN, CLOCKED,
 RINGS_SEEN, TURN) = range(12)
SETTINGS_WORDS: Final = 16
# NET_BID is what a seller gets, NET_ASK_INVERSE one over what a buyer pays, 0 where nobody stands;
# DOUBT is 0 for a book that may be believed
(NET_BID, NET_ASK_INVERSE, DOUBT) = range(3)
NET_WORDS: Final = 4
(RING_AT, CURSOR, FIRST_INSTRUMENT, INSTRUMENT_COUNT) = range(4)
FEED_WORDS: Final = 4
# OPENED_NS is 0 while the window is closed, SIGNALLED_NS while it has not signalled
(BUY, SELL, OPENED_NS, WINDOWS, EVALUATED, TRUE, TRUE_NS, SIGNALLED_NS, SIGNALS, WITHHELD,
 SEEN_TURN) = range(11)
PAIR_WORDS: Final = 16
(EDGE, EDGE_LEAST, EDGE_MOST, EDGE_SUM, EDGE_SIGNALLED) = range(5)
EDGE_WORDS: Final = 8
