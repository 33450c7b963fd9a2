"""A full-depth book as one array of words: where everything lies, and the edits of a side.

words 0..31     head: constants of the book, places of each side, words of feeds/publish.py
words 32..95    scratch of the checksum kernels
words 96..607   the inserts of the batch in progress
then            the rows of the bids, then the rows of the asks: ``levels_max`` and some slack each

A row is key, size and, where a checksum needs the text, the decimals as sent.  The key is the
price of a bid and the negated price of an ask, so on both sides keys ascend and the best level
is the last.  The rows of a side stand together anywhere inside their region (positions FIRST to
END), so the worst leave by moving FIRST.

Moving rows costs more than anything else, so it is avoided twice (measured on the recorded
Binance stream, 34 levels a message).  A removed level keeps its row, with size 0, until the dead
outnumber the living: half of all inserts find the row of a level that was removed before.  The
best row is always alive.  And the inserts of a message are noted first, as a batch of
descending keys, and then every row moves at most once.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

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
SIDES: Final = 8  # then SIDE_WORDS words for the bids, as many for the asks
SIDE_WORDS: Final = 8
# words of a side: start of its region, rows in it, positions, and rows that are alive
REGION, ROWS, FIRST, END, LIVE = range(5)
FAULT: Final = 24  # a BookFault; not 0: a message went wrong, only a new snapshot helps
PUBLISH: Final = 25  # seven words that feeds/publish.py keeps here
SCRATCH: Final = 32
INSERTS: Final = 96
INSERTS_MAX: Final = 128  # in one batch
INSERT_WORDS: Final = 4
AT, KEY, SIZE, SENT = range(INSERT_WORDS)  # words of an insert
ROWS_AT: Final = INSERTS + INSERTS_MAX * INSERT_WORDS
SLACK_MIN: Final = 4 * INSERTS_MAX  # rows: room for a batch on either end of a full side
DEAD_MIN: Final = 256  # rows: fewer are never worth a clean-up


def new_arena(
    *, price_decimals: int, size_decimals: int, levels_max: int, keep_text: bool, level_text: int,
    truncate: int, checksum: int,
) -> Arena:
    """Allocate an empty book; pages cost memory only when levels reach them."""
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
    return int(arena[side_head(side) + LIVE])


@fused
def best_row(arena: Arena, side: int) -> int:
    """Return the word offset of the best level; only for a side that has one."""
    head = side_head(side)
    return int(arena[head + REGION] + (arena[head + END] - 1) * arena[ROW_WORDS])


@fused
def live_row(arena: Arena, row: int) -> int:
    """Return the offset of the row at ``row``, or of the next worse one that is alive."""
    while arena[row + 1] == 0:
        row -= arena[ROW_WORDS]
    return row


@hot
def clear(arena: Arena) -> None:
    """Remove all levels; venues send snapshots best first, so leave room behind the worst."""
    for side in range(2):
        head = side_head(side)
        start = arena[head + ROWS] - 2 * INSERTS_MAX
        arena[head + FIRST] = start
        arena[head + END] = start
        arena[head + LIVE] = 0


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


@hot
def drop_worst(arena: Arena, side: int, keep: int) -> int:
    """Forget all but the best ``keep`` levels of a side; return how many went."""
    head = side_head(side)
    width = arena[ROW_WORDS]
    dropped = 0
    while arena[head + LIVE] > keep:
        if arena[arena[head + REGION] + arena[head + FIRST] * width + 1] != 0:
            arena[head + LIVE] -= 1
            dropped += 1
        arena[head + FIRST] += 1
    return dropped


@hot
def _bury(arena: Arena, side: int) -> None:
    """Close the rows of removed levels."""
    head = side_head(side)
    width, region = arena[ROW_WORDS], arena[head + REGION]
    to = region + arena[head + FIRST] * width
    for position in range(arena[head + FIRST], arena[head + END]):
        row = region + position * width
        for word in range(width):
            arena[to + word] = arena[row + word]
        to += width if arena[row + 1] != 0 else 0
    arena[head + END] = (to - region) // width


@hot
def make_room(arena: Arena, side: int) -> int:
    """See to it that a whole batch fits behind END; return END, the hint to begin with.

    ``settle`` belongs behind a message; only one that inserts more than there is slack loses
    levels earlier.
    """
    head = side_head(side)
    if arena[head + END] + INSERTS_MAX > arena[head + ROWS]:
        _bury(arena, side)
        if count(arena, side) > arena[head + ROWS] - 2 * INSERTS_MAX:
            arena[DROPPED] += drop_worst(arena, side, arena[LEVELS_MAX])
        first, rows = arena[head + FIRST], count(arena, side)
        middle = (arena[head + ROWS] - rows) // 2
        width, region = arena[ROW_WORDS], arena[head + REGION]
        move_words(arena, region + middle * width, region + first * width, rows * width)
        arena[head + FIRST] = middle
        arena[head + END] = middle + rows
    return int(arena[head + END])


@fused
def change_row(arena: Arena, side: int, row: int, size: int, sent: int) -> None:
    """Give the level at ``row`` another size; 0 kills it, another may revive it."""
    arena[side_head(side) + LIVE] += (1 if size != 0 else 0) - (1 if arena[row + 1] != 0 else 0)
    arena[row + 1] = size
    if arena[ROW_WORDS] == 3:
        arena[row + 2] = sent


@fused
def note_insert(arena: Arena, noted: int, at: int, key: int, size: int, sent: int) -> int:
    """Add to the batch a row before position ``at``; return the new count.

    Keys descend within a batch; positions are those before it.
    """
    insert = INSERTS + noted * INSERT_WORDS
    arena[insert + AT] = at
    arena[insert + KEY] = key
    arena[insert + SIZE] = size
    arena[insert + SENT] = sent
    return noted + 1


@fused
def _open_row(arena: Arena, side: int, insert: int, low: int, high: int, shift: int) -> None:
    """Move the rows from ``low`` to ``high``, then write the insert's row beside them."""
    width, region = arena[ROW_WORDS], arena[side_head(side) + REGION]
    if high > low:
        move_words(
            arena, region + (low + shift) * width, region + low * width, (high - low) * width)
    row = region + (low + shift - 1 if shift > 0 else high + shift) * width
    arena[row] = arena[insert + KEY]
    arena[row + 1] = arena[insert + SIZE]
    if width == 3:
        arena[row + 2] = arena[insert + SENT]


@hot
def commit(arena: Arena, side: int, noted: int) -> None:
    """Carry out a batch: either the better rows move up or the worse ones down, each once.

    The rows between two inserts move by the number of inserts on their far side; those that
    move farthest go first, so none overwrites another.
    """
    head = side_head(side)
    first, end = arena[head + FIRST], arena[head + END]
    last = INSERTS + (noted - 1) * INSERT_WORDS
    if arena[INSERTS + AT] - first < end - arena[last + AT] and first >= noted:
        low = first
        for number in range(noted - 1, -1, -1):
            insert = INSERTS + number * INSERT_WORDS
            at = arena[insert + AT]
            _open_row(arena, side, insert, low, at, -number - 1)
            low = at
        arena[head + FIRST] = first - noted
    else:
        high = end
        for number in range(noted):
            insert = INSERTS + number * INSERT_WORDS
            at = arena[insert + AT]
            _open_row(arena, side, insert, at, high, noted - number)
            high = at
        arena[head + END] = end + noted
    arena[head + LIVE] += noted


@hot
def settle(arena: Arena, side: int) -> None:
    """Put a side in order after a message: the best row alive, no level too many, few dead."""
    head = side_head(side)
    width, region = arena[ROW_WORDS], arena[head + REGION]
    while arena[head + END] > arena[head + FIRST] and (
        arena[region + (arena[head + END] - 1) * width + 1] == 0
    ):
        arena[head + END] -= 1
    arena[DROPPED] += drop_worst(arena, side, arena[LEVELS_MAX])
    if arena[TRUNCATE] > 0:
        drop_worst(arena, side, arena[TRUNCATE])
    dead = arena[head + END] - arena[head + FIRST] - arena[head + LIVE]
    if dead > arena[head + LIVE] + DEAD_MIN:
        _bury(arena, side)


@fused
def is_crossed(arena: Arena) -> bool:
    """Tell whether the best bid is at or above the best ask."""
    if count(arena, 0) == 0 or count(arena, 1) == 0:
        return False
    return bool(arena[best_row(arena, 0)] + arena[best_row(arena, 1)] >= 0)
