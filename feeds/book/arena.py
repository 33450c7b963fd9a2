"""A full-depth book as one array of words: where everything lies, and the edits of a side.

words 0..31     head: constants of the book, FIRST and END of each side, words of publish.py
words 32..95    scratch of the checksum kernels
words 96..735   the edits of the batch in progress
then            the rows of the bids, then the rows of the asks: ``levels_max`` and some slack each

A row is key, size and, where a checksum needs the text, the decimals as sent.  The key is the
price of a bid and the negated price of an ask, so on both sides keys ascend and the best level
is the last.  The rows of a side stand together anywhere inside their region (positions FIRST to
END), so the worst leave by moving FIRST.

A message changes some 17 levels of each side, sorted.  Moving all better rows for each insert
and removal costs more than anything else, so these are noted first, as a batch of descending
keys, and then every row moves at most once, by the net of the edits on one side of it
(measured on the recorded Binance stream: 4.1 instead of 5.8 µs a message).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.model.quanta import DECIMALS_MAX
from shm.jit import fused, hot
from shm.text import move_words

Arena = NDArray[np.int64]

ROW_WORDS: Final = 0  # 2, or 3 with the text's decimals
LEVELS_MAX: Final = 1  # per side
PRICE_DECIMALS: Final = 2
SIZE_DECIMALS: Final = 3
LEVEL_TEXT: Final = 4
TRUNCATE: Final = 5  # levels kept per side after a message; 0 = all
CHECKSUM: Final = 6
DROPPED: Final = 7  # levels lost because a side was full
FAULT: Final = 24  # a BookFault; not 0: a message went wrong, only a new snapshot helps
SIDES: Final = 8  # then SIDE_WORDS words for the bids, as many for the asks
SIDE_WORDS: Final = 8
REGION, ROWS, FIRST, END = range(4)  # words of a side: start of its region, rows in it, positions
PUBLISH: Final = 25  # seven words that feeds/book/publish.py keeps here
SCRATCH: Final = 32
EDITS: Final = 96
EDITS_MAX: Final = 128  # in one batch
EDIT_WORDS: Final = 5
AT, SHIFT, KEY, SIZE, SENT = range(EDIT_WORDS)  # words of an edit; SHIFT: +1 insert, -1 remove
ROWS_AT: Final = EDITS + EDITS_MAX * EDIT_WORDS
SLACK_MIN: Final = 4 * EDITS_MAX  # rows: room for a batch on either end of a full side


def new_arena(
    *, price_decimals: int, size_decimals: int, levels_max: int, keep_text: bool, level_text: int,
    truncate: int, checksum: int,
) -> Arena:
    """Allocate an empty book; pages cost memory only when levels reach them."""
    assert 0 <= price_decimals <= DECIMALS_MAX, price_decimals  # kernels index tables by them
    assert 0 <= size_decimals <= DECIMALS_MAX, size_decimals
    row_words = 3 if keep_text else 2
    rows = levels_max + max(SLACK_MIN, levels_max // 2)
    arena = np.zeros(ROWS_AT + 2 * rows * row_words, np.int64)
    arena[:SIDES] = (
        row_words, levels_max, price_decimals, size_decimals, level_text, truncate, checksum, 0)
    for side in range(2):
        head = SIDES + side * SIDE_WORDS
        arena[head:head + 2] = ROWS_AT + side * rows * row_words, rows
    clear(arena)
    return arena


@fused
def side_head(side: int) -> int:
    """Return where the words of a side lie: BID 0, ASK 1."""
    return SIDES + side * SIDE_WORDS


@fused
def count(arena: Arena, side: int) -> int:
    """Return the number of levels of a side."""
    head = side_head(side)
    return int(arena[head + END] - arena[head + FIRST])


@fused
def row_at(arena: Arena, side: int, rank: int) -> int:
    """Return the word offset of the level ``rank`` places behind the best (rank 0)."""
    head = side_head(side)
    return int(arena[head + REGION] + (arena[head + END] - 1 - rank) * arena[ROW_WORDS])


@hot
def clear(arena: Arena) -> None:
    """Remove all levels; venues send snapshots best first, so leave room behind the worst."""
    for side in range(2):
        head = side_head(side)
        start = arena[head + ROWS] - 2 * EDITS_MAX
        arena[head + FIRST] = start
        arena[head + END] = start


@fused
def locate(arena: Arena, side: int, key: int, hint: int) -> int:
    """Return the first position whose key is at least ``key``, END if none; search from ``hint``.

    Venues send levels in order, so the next one lies close to the one before: double the step
    towards worse levels, then halve it.
    """
    head = side_head(side)
    first, end = arena[head + FIRST], arena[head + END]
    row_words = arena[ROW_WORDS]
    keys = arena[head + REGION]
    if hint < end and arena[keys + hint * row_words] < key:
        low, high = hint + 1, end
    else:
        high, step = hint, 1
        while high - step >= first and arena[keys + (high - step) * row_words] >= key:
            high -= step
            step += step
        low = max(first, high - step + 1)
    while low < high:
        middle = (low + high) >> 1
        if arena[keys + middle * row_words] < key:
            low = middle + 1
        else:
            high = middle
    return low


@fused
def trim(arena: Arena, side: int) -> None:
    """Drop, and count, what a side has beyond ``levels_max``: the worst."""
    excess = count(arena, side) - arena[LEVELS_MAX]
    if excess > 0:
        arena[side_head(side) + FIRST] += excess
        arena[DROPPED] += excess


@hot
def make_room(arena: Arena, side: int) -> int:
    """See to it that a whole batch fits behind END; return END, the hint to begin with.

    ``trim`` belongs behind a message; only one that inserts more than there is slack needs it
    earlier.
    """
    head = side_head(side)
    if arena[head + END] + EDITS_MAX > arena[head + ROWS]:
        if count(arena, side) > arena[head + ROWS] - 2 * EDITS_MAX:
            trim(arena, side)
        first, rows = arena[head + FIRST], count(arena, side)
        middle = (arena[head + ROWS] - rows) // 2
        width, region = arena[ROW_WORDS], arena[head + REGION]
        move_words(arena, region + middle * width, region + first * width, rows * width)
        arena[head + FIRST] = middle
        arena[head + END] = middle + rows
    return int(arena[head + END])


@fused
def note_edit(
    arena: Arena, noted: int, at: int, sign: int, key: int, size: int, sent: int
) -> int:
    """Add an edit to the batch: insert a row before position ``at``, or remove the one there.

    Keys descend within a batch; positions are those before it.  Returns the new count.
    """
    edit = EDITS + noted * EDIT_WORDS
    arena[edit + AT] = at
    arena[edit + SHIFT] = sign
    arena[edit + KEY] = key
    arena[edit + SIZE] = size
    arena[edit + SENT] = sent
    return noted + 1


@fused
def _move_rows(arena: Arena, region: int, first: int, end: int, shift: int) -> None:
    width = arena[ROW_WORDS]
    if end > first:
        move_words(
            arena, region + (first + shift) * width, region + first * width, (end - first) * width)


@hot
def commit(arena: Arena, side: int, noted: int) -> None:
    """Carry out a batch: every row moves at most once.

    The rows between two edits are a run; a run moves by the sum of the signs of all edits worse
    than it, less ``offset``.  With offset 0 the worst run stays, with offset = sum the best run
    does: whichever leaves fewer rows to move.  Runs that go down move first, from the worst on,
    then those that go up, from the best on: none overwrites a run that has still to move, since
    all keep their order and no two overlap in the end.
    """
    head = side_head(side)
    region, width = arena[head + REGION], arena[ROW_WORDS]
    first, end = arena[head + FIRST], arena[head + END]
    best_at = arena[EDITS + AT]
    worst_at = arena[EDITS + (noted - 1) * EDIT_WORDS + AT]
    total = 0
    for number in range(noted):
        total += arena[EDITS + number * EDIT_WORDS + SHIFT]
    offset = total if best_at - first < end - worst_at and first >= total else 0
    if offset > 0:
        _move_rows(arena, region, first, worst_at, -offset)
    shift = -offset
    for number in range(noted - 1, -1, -1):
        edit = EDITS + number * EDIT_WORDS
        shift += arena[edit + SHIFT]
        low = arena[edit + AT] + (1 if arena[edit + SHIFT] < 0 else 0)
        if shift < 0:
            high = arena[edit - EDIT_WORDS + AT] if number > 0 else end
            _move_rows(arena, region, low, high, shift)
    for number in range(noted):
        edit = EDITS + number * EDIT_WORDS
        sign = arena[edit + SHIFT]
        if shift > 0:
            low = arena[edit + AT] + (1 if sign < 0 else 0)
            high = arena[edit - EDIT_WORDS + AT] if number > 0 else end
            _move_rows(arena, region, low, high, shift)
        shift -= sign
        if sign > 0:
            row = region + (arena[edit + AT] + shift) * width
            arena[row] = arena[edit + KEY]
            arena[row + 1] = arena[edit + SIZE]
            if width == 3:
                arena[row + 2] = arena[edit + SENT]
    if offset < 0:
        _move_rows(arena, region, first, worst_at, -offset)
    arena[head + FIRST] = first - offset
    arena[head + END] = end + total - offset


@hot
def truncate(arena: Arena, depth: int) -> None:
    """Forget all but the best ``depth`` levels of each side."""
    for side in range(2):
        head = side_head(side)
        arena[head + FIRST] = max(arena[head + FIRST], arena[head + END] - depth)


@fused
def is_crossed(arena: Arena) -> bool:
    """Tell whether the best bid is at or above the best ask."""
    if count(arena, 0) == 0 or count(arena, 1) == 0:
        return False
    return bool(arena[row_at(arena, 0, 0)] + arena[row_at(arena, 1, 0)] >= 0)
