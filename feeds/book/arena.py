"""A full-depth book as one array of words: where everything lies, and the edits of a side.

words 0..31     head: constants of the book, places of each side, words of publish.py
words 32..95    scratch of the checksum kernels
words 96..607   the inserts of the batch in progress
then            the columns of the bids, then those of the asks: ROWS words each

The columns are key, size and, where a checksum needs the text, the decimals as sent.  The key is
the price of a bid and the negated price of an ask, so on both sides keys ascend and the best
level is the last; keys stand alone so that a search stays in the nearest cache.  The rows in use
stand together anywhere inside the columns (positions FIRST to END), so the worst leave by moving
FIRST.

Moving rows costs more than anything else, so a removed level keeps its row, with size 0, until
the dead outnumber the living.  Half of all inserts in the recorded Binance stream bring back a
level removed before; others overwrite a dead row close by.  What is left is noted first, as a
batch of descending keys, and then every row moves at most once.  The best row is always alive.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.model.quanta import DECIMALS_MAX
from shm.jit import fused, hot
from shm.text import move_words

Arena = NDArray[np.int64]

COLUMNS: Final = 0  # 2, or 3 with the text's decimals
LEVELS_MAX: Final = 1  # per side
PRICE_DECIMALS: Final = 2
SIZE_DECIMALS: Final = 3
LEVEL_TEXT: Final = 4
TRUNCATE: Final = 5  # levels kept per side after a message; 0 = all
CHECKSUM: Final = 6
DROPPED: Final = 7  # levels lost because a side was full
ROWS: Final = 8  # rows that fit a side
SIDES: Final = 9  # then SIDE_WORDS words for the bids, as many for the asks
SIDE_WORDS: Final = 8
# Words of a side: its columns, positions, rows alive, the worst key down to which every level is
# known, and whether the levels last shown ended there.
KEYS, FIRST, END, LIVE, KNOWN, SHORT = range(6)
ALL_KNOWN: Final = -(2**63)
FAULT: Final = 25  # a BookFault; not 0: a message went wrong, only a new snapshot helps
PUBLISH: Final = 26  # six words that feeds/publish.py keeps here
SCRATCH: Final = 32
INSERTS: Final = 96
INSERTS_MAX: Final = 128  # in one batch
INSERT_WORDS: Final = 4
AT, KEY, SIZE, SENT = range(INSERT_WORDS)  # words of an insert
COLUMNS_AT: Final = INSERTS + INSERTS_MAX * INSERT_WORDS
SLACK_MIN: Final = 4 * INSERTS_MAX  # rows: room for a batch on either end of a full side
DEAD_MIN: Final = 256  # a clean-up waits until the dead exceed the living by this
HOLE_MAX: Final = 24  # rows looked at for a dead one to overwrite


def new_arena(
    *, price_decimals: int, size_decimals: int, levels_max: int, keep_text: bool, level_text: int,
    truncate: int, checksum: int,
) -> Arena:
    """Allocate an empty book; pages cost memory only when levels reach them."""
    assert 0 <= price_decimals <= DECIMALS_MAX, price_decimals  # kernels index tables by them
    assert 0 <= size_decimals <= DECIMALS_MAX, size_decimals
    columns = 3 if keep_text else 2
    rows = levels_max + max(SLACK_MIN, levels_max // 2)
    arena = np.zeros(COLUMNS_AT + 2 * rows * columns, np.int64)
    arena[:SIDES] = (
        columns, levels_max, price_decimals, size_decimals, level_text, truncate, checksum, 0, rows)
    for side in range(2):
        arena[SIDES + side * SIDE_WORDS + KEYS] = COLUMNS_AT + side * rows * columns
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
    """Return where the key of the best level is; only for a side that has one.

    Its size is ROWS words behind it, and so on.
    """
    head = side_head(side)
    return int(arena[head + KEYS] + arena[head + END] - 1)


@fused
def live_row(arena: Arena, row: int) -> int:
    """Return ``row``, or the next worse one that is alive."""
    while arena[row + arena[ROWS]] == 0:
        row -= 1
    return row


@hot
def clear(arena: Arena) -> None:
    """Remove all levels; venues send snapshots best first, so leave room behind the worst."""
    for side in range(2):
        head = side_head(side)
        start = arena[ROWS] - 2 * INSERTS_MAX
        arena[head + FIRST] = start
        arena[head + END] = start
        arena[head + LIVE] = 0
        arena[head + KNOWN] = ALL_KNOWN
        arena[head + SHORT] = 0


@hot
def know_down_to_worst(arena: Arena, side: int) -> None:
    """Take levels worse than the present worst as unknown: others may lie between them."""
    head = side_head(side)
    sizes = arena[head + KEYS] + arena[ROWS]
    row = arena[head + FIRST]
    while row < arena[head + END] and arena[sizes + row] == 0:
        row += 1
    if row < arena[head + END]:
        arena[head + KNOWN] = max(arena[head + KNOWN], arena[arena[head + KEYS] + row])


@fused
def locate(arena: Arena, side: int, key: int, hint: int) -> int:
    """Return the first position whose key is at least ``key``, END if none; search from ``hint``.

    Venues send levels in order, so the next one lies close to the one before: double the step
    towards worse levels, then halve it.
    """
    head = side_head(side)
    first, end, keys = arena[head + FIRST], arena[head + END], arena[head + KEYS]
    if hint < end and arena[keys + hint] < key:
        low, high = hint + 1, end
    else:
        high, step = hint, 1
        while high - step >= first and arena[keys + high - step] >= key:
            high -= step
            step += step
        low = max(first, high - step + 1)
    while low < high:
        middle = (low + high) >> 1
        if arena[keys + middle] < key:
            low = middle + 1
        else:
            high = middle
    return low


@hot
def drop_worst(arena: Arena, side: int, keep: int) -> int:
    """Forget all but the best ``keep`` levels of a side; return how many went."""
    head = side_head(side)
    sizes = arena[head + KEYS] + arena[ROWS]
    dropped = 0
    while arena[head + LIVE] > keep:
        if arena[sizes + arena[head + FIRST]] != 0:
            arena[head + LIVE] -= 1
            dropped += 1
        arena[head + FIRST] += 1
    return dropped


@hot
def _bury(arena: Arena, side: int) -> None:
    """Close the rows of removed levels."""
    head = side_head(side)
    keys, rows = arena[head + KEYS], arena[ROWS]
    to = arena[head + FIRST]
    for position in range(arena[head + FIRST], arena[head + END]):
        size = arena[keys + rows + position]
        for column in range(arena[COLUMNS]):
            arena[keys + column * rows + to] = arena[keys + column * rows + position]
        to += 1 if size != 0 else 0
    arena[head + END] = to


@fused
def _move(arena: Arena, side: int, low: int, high: int, shift: int) -> None:
    """Move the rows from ``low`` to before ``high``."""
    if high > low:
        at = arena[side_head(side) + KEYS] + low
        for _ in range(arena[COLUMNS]):
            move_words(arena, at + shift, at, high - low)
            at += arena[ROWS]


@hot
def make_room(arena: Arena, side: int) -> int:
    """See to it that a whole batch fits behind END; return END, the hint to begin with."""
    head = side_head(side)
    if arena[head + END] + INSERTS_MAX > arena[ROWS]:
        _bury(arena, side)
        if count(arena, side) > arena[ROWS] - 2 * INSERTS_MAX:  # in the middle of a snapshot
            arena[DROPPED] += drop_worst(arena, side, arena[LEVELS_MAX])
            know_down_to_worst(arena, side)
        shift = (arena[ROWS] - count(arena, side)) // 2 - arena[head + FIRST]
        _move(arena, side, arena[head + FIRST], arena[head + END], shift)
        arena[head + FIRST] += shift
        arena[head + END] += shift
    return int(arena[head + END])


@fused
def change_row(arena: Arena, side: int, row: int, size: int, sent: int) -> None:
    """Give the level at ``row`` another size; 0 kills it, another may revive it."""
    at = row + arena[ROWS]
    arena[side_head(side) + LIVE] += (1 if size != 0 else 0) - (1 if arena[at] != 0 else 0)
    arena[at] = size
    if arena[COLUMNS] == 3:
        arena[at + arena[ROWS]] = sent


@fused
def _write(arena: Arena, at: int, key: int, size: int, sent: int) -> None:
    arena[at] = key
    arena[at + arena[ROWS]] = size
    if arena[COLUMNS] == 3:
        arena[at + 2 * arena[ROWS]] = sent


@fused
def fill_hole(arena: Arena, side: int, at: int, key: int, size: int, sent: int) -> int:
    """Insert before position ``at`` at the cost of a dead row a few places worse.

    Returns the new row's position, -1 where all rows near are alive.  Rows from ``at`` on stay.
    """
    head = side_head(side)
    sizes = arena[head + KEYS] + arena[ROWS]
    hole, low = at - 1, max(arena[head + FIRST], at - HOLE_MAX)
    while hole >= low and arena[sizes + hole] != 0:
        hole -= 1
    if hole < low:
        return -1
    _move(arena, side, hole + 1, at, -1)
    _write(arena, arena[head + KEYS] + at - 1, key, size, sent)
    arena[head + LIVE] += 1
    return at - 1


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
    _move(arena, side, low, high, shift)
    at = arena[side_head(side) + KEYS] + (low + shift - 1 if shift > 0 else high + shift)
    _write(arena, at, arena[insert + KEY], arena[insert + SIZE], arena[insert + SENT])


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
    sizes = arena[head + KEYS] + arena[ROWS]
    while arena[head + END] > arena[head + FIRST] and arena[sizes + arena[head + END] - 1] == 0:
        arena[head + END] -= 1
    dropped = drop_worst(arena, side, arena[LEVELS_MAX])
    if dropped > 0:
        arena[DROPPED] += dropped
        know_down_to_worst(arena, side)
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
