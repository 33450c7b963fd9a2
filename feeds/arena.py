"""A full-depth book as one array of words: where everything lies, and the edits of a side.

words 0..31   head: constants of the book, FIRST and END of each side, words of feeds/publish.py
words 32..95  scratch of the checksum kernels
then          the rows of the bids, then the rows of the asks; ``levels_max`` and some slack each

A row is key, size and, where a checksum needs the text, the decimals as sent.  The key is the
price of a bid and the negated price of an ask, so on both sides keys ascend and the best level
is the last: most changes are near the best, and move few rows.  The rows of a side stand
together anywhere inside their region (positions FIRST to END): the worst leaves by moving
FIRST, an edit moves whichever part of the side is the shorter.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from shm.jit import inlined
from shm.text import hot, move_words

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
PUBLISH: Final = 25  # seven words that feeds/publish.py keeps here
SCRATCH: Final = 32
HEAD_WORDS: Final = 96
SLACK_MIN: Final = 64  # rows


def new_arena(
    *, price_decimals: int, size_decimals: int, levels_max: int, keep_text: bool, level_text: int,
    truncate: int, checksum: int,
) -> Arena:
    """Allocate an empty book; pages cost memory only when levels reach them."""
    row_words = 3 if keep_text else 2
    rows = levels_max + max(SLACK_MIN, levels_max // 2)
    arena = np.zeros(HEAD_WORDS + 2 * rows * row_words, np.int64)
    arena[:SIDES] = (
        row_words, levels_max, price_decimals, size_decimals, level_text, truncate, checksum, 0)
    for side in range(2):
        head = SIDES + side * SIDE_WORDS
        arena[head:head + 2] = HEAD_WORDS + side * rows * row_words, rows
    clear(arena)
    return arena


@inlined
def side_head(side: int) -> int:
    """Return where the words of a side lie: BID 0, ASK 1."""
    return SIDES + side * SIDE_WORDS


@inlined
def count(arena: Arena, side: int) -> int:
    """Return the number of levels of a side."""
    head = side_head(side)
    return int(arena[head + END] - arena[head + FIRST])


@inlined
def row_at(arena: Arena, side: int, rank: int) -> int:
    """Return the word offset of the level ``rank`` places behind the best (rank 0)."""
    head = side_head(side)
    return int(arena[head + REGION] + (arena[head + END] - 1 - rank) * arena[ROW_WORDS])


@hot
def clear(arena: Arena) -> None:
    """Remove all levels; venues send snapshots best first, so leave room behind the worst."""
    for side in range(2):
        head = side_head(side)
        middle = arena[head + ROWS] - SLACK_MIN // 2
        arena[head + FIRST] = middle
        arena[head + END] = middle


@inlined
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


@hot
def _centre(arena: Arena, side: int) -> None:
    """Move the rows of a side so that as much room is left on either end."""
    head = side_head(side)
    first, rows = arena[head + FIRST], arena[head + END] - arena[head + FIRST]
    target = (arena[head + ROWS] - rows) // 2
    row_words, region = arena[ROW_WORDS], arena[head + REGION]
    move_words(arena, region + target * row_words, region + first * row_words, rows * row_words)
    arena[head + FIRST] = target
    arena[head + END] = target + rows


@inlined
def insert(arena: Arena, side: int, at: int) -> int:
    """Open a row before position ``at`` and return its position, or -1 where the side is full.

    A full side loses its worst level, which may be the new one itself.
    """
    head = side_head(side)
    if arena[head + END] - arena[head + FIRST] == arena[LEVELS_MAX]:
        arena[DROPPED] += 1
        if at == arena[head + FIRST]:
            return -1
        arena[head + FIRST] += 1
    worse_is_shorter = at - arena[head + FIRST] < arena[head + END] - at
    if (worse_is_shorter and arena[head + FIRST] == 0) or (
        not worse_is_shorter and arena[head + END] == arena[head + ROWS]
    ):
        distance = at - arena[head + FIRST]
        _centre(arena, side)
        at = arena[head + FIRST] + distance
    row_words, region = arena[ROW_WORDS], arena[head + REGION]
    if worse_is_shorter:
        first = arena[head + FIRST]
        origin = region + first * row_words
        move_words(arena, origin - row_words, origin, (at - first) * row_words)
        arena[head + FIRST] = first - 1
        return at - 1
    end = arena[head + END]
    origin = region + at * row_words
    move_words(arena, origin + row_words, origin, (end - at) * row_words)
    arena[head + END] = end + 1
    return at


@inlined
def remove(arena: Arena, side: int, at: int) -> int:
    """Close the row at ``at``; return the position where the level after it now stands."""
    head = side_head(side)
    row_words, region = arena[ROW_WORDS], arena[head + REGION]
    first, end = arena[head + FIRST], arena[head + END]
    if at - first < end - at:
        origin = region + first * row_words
        move_words(arena, origin + row_words, origin, (at - first) * row_words)
        arena[head + FIRST] = first + 1
        return at + 1
    origin = region + (at + 1) * row_words
    move_words(arena, origin - row_words, origin, (end - at - 1) * row_words)
    arena[head + END] = end - 1
    return at


@inlined
def set_level(arena: Arena, side: int, hint: int, key: int, size: int, sent: int) -> int:
    """Insert, change or (size 0) remove one level; return its position, the next hint."""
    at = locate(arena, side, key, hint)
    head = side_head(side)
    row = arena[head + REGION] + at * arena[ROW_WORDS]
    found = at < arena[head + END] and arena[row] == key
    if size == 0:
        return remove(arena, side, at) if found else at
    if not found:
        at = insert(arena, side, at)
        if at < 0:
            return int(arena[head + FIRST])
        row = arena[head + REGION] + at * arena[ROW_WORDS]
        arena[row] = key
    arena[row + 1] = size
    if arena[ROW_WORDS] == 3:
        arena[row + 2] = sent
    return at


@hot
def truncate(arena: Arena, depth: int) -> None:
    """Forget all but the best ``depth`` levels of each side."""
    for side in range(2):
        head = side_head(side)
        arena[head + FIRST] = max(arena[head + FIRST], arena[head + END] - depth)


@inlined
def is_crossed(arena: Arena) -> bool:
    """Tell whether the best bid is at or above the best ask."""
    if count(arena, 0) == 0 or count(arena, 1) == 0:
        return False
    return bool(arena[row_at(arena, 0, 0)] + arena[row_at(arena, 1, 0)] >= 0)
