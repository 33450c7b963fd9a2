"""The full-depth book of one instrument: text in, exact integers and strings out.

``change_book`` is the whole of what a message does to a book, in one kernel: parse, apply,
truncate, then judge the result by crossing and checksum.  A message that goes wrong leaves a
book that refuses everything until the next snapshot.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from engine.model.quanta import from_quanta, plain
from feeds.book.arena import (
    CHECKSUM,
    COLUMNS,
    DROPPED,
    END,
    FAULT,
    FIRST,
    INSERTS_MAX,
    KEYS,
    LEVEL_TEXT,
    PRICE_DECIMALS,
    ROWS,
    SIDE_WORDS,
    SIDES,
    SIZE_DECIMALS,
    TRUNCATE,
    Arena,
    change_row,
    clear,
    commit,
    count,
    fill_hole,
    is_crossed,
    locate,
    make_room,
    new_arena,
    note_insert,
    settle,
    side_head,
)
from feeds.book.checksum import NOT_SENT, checksum_of
from feeds.book.levels import ASK, BID, first_level, following_level, read_level
from feeds.book.numbers import FAIL, GARBAGE
from feeds.venue import NO_CHECKSUM, NO_LEVELS, Checksum, LevelText
from shm.jit import entry, hot
from shm.layout import BookFault
from shm.text import INT, TEXT, WORDS, Octets, Text, octets

_CROSSED = int(BookFault.CROSSED)
_CHECKSUM = int(BookFault.CHECKSUM)
_SIDED = int(LevelText.SIDED_PAIRS)  # this encoding and those after it name the side


@hot
def _apply_text(arena: Arena, text: Octets, side: int) -> int:
    """Apply the levels of one text in order; return a BookFault, 0 if all were good."""
    end, encoding = text.size, arena[LEVEL_TEXT]
    price_decimals, size_decimals = arena[PRICE_DECIMALS], arena[SIZE_DECIMALS]
    noted, last_key = 0, 0  # inserts in the batch, and the key of its latest
    hint = make_room(arena, side)
    at = first_level(text, end)
    while 0 <= at < FAIL:
        at, said, price, size, sent, fault = read_level(
            text, at, end, encoding, price_decimals, size_decimals)
        if fault != 0:
            return fault
        if encoding < _SIDED:
            said = side
        key = price if said == BID else -price
        if noted > 0 and (key >= last_key or noted == INSERTS_MAX or said != side):
            commit(arena, side, noted)
            noted, hint = 0, make_room(arena, side)
        if said != side:
            settle(arena, side)
            side, hint = said, make_room(arena, said)
        head = side_head(side)
        hint = locate(arena, side, key, hint)
        row = arena[head + KEYS] + hint
        if hint < arena[head + END] and arena[row] == key:
            change_row(arena, side, row, size, sent)
        elif size != 0:
            filled = fill_hole(arena, side, hint, key, size, sent)
            if filled >= 0:
                hint = filled
            else:
                noted = note_insert(arena, noted, hint, key, size, sent)
                last_key = key
        at = following_level(text, at, end)
    if noted > 0:
        commit(arena, side, noted)
    settle(arena, side)
    return GARBAGE if at == FAIL else 0


@hot
def change_book(arena: Arena, bids: Octets, asks: Octets, fresh: bool, checksum: int) -> int:
    """Take in one message; return a BookFault, 0 if the book is fit.

    bids, asks  level texts; in a SIDED encoding everything is in ``bids``
    fresh       the message is a snapshot: what was there before is forgotten
    checksum    the venue's, unsigned, or NO_CHECKSUM
    """
    if fresh:
        clear(arena)
        arena[FAULT] = 0
    elif arena[FAULT] != 0:
        return int(arena[FAULT])
    fault = 0
    for side in range(2):  # a loop, since two calls would be compiled to two copies
        if fault == 0:
            fault = _apply_text(arena, bids if side == BID else asks, side)
    if fault == 0:
        if is_crossed(arena):
            fault = _CROSSED
        elif checksum != NOT_SENT and arena[CHECKSUM] != 0 and checksum != checksum_of(arena):
            fault = _CHECKSUM
    arena[FAULT] = fault
    return fault


@hot
def _change(arena: Arena, bids: Text, asks: Text, fresh: int, checksum: int) -> int:
    return change_book(arena, octets(bids), octets(asks), fresh != 0, checksum)


@cache
def _change_entry() -> Callable[..., int]:
    return entry(_change, WORDS, TEXT, TEXT, INT, INT)


class FullBook:
    """All levels that the venue gives, up to ``levels_max`` per side; beyond, the worst go.

    Prices and sizes are whole quanta of the pair.  ``keep_text`` keeps the decimals as sent; it
    is implied by a checksum.
    """

    def __init__(
        self, price_decimals: int, size_decimals: int, levels_max: int, keep_text: bool = False, *,
        level_text: LevelText = LevelText.PAIRS, checksum: Checksum = Checksum.NONE,
        truncate_depth: int = 0,
    ) -> None:
        self.price_decimals, self.size_decimals = price_decimals, size_decimals
        self.arena: Arena = new_arena(
            price_decimals=price_decimals, size_decimals=size_decimals, levels_max=levels_max,
            keep_text=keep_text or checksum is not Checksum.NONE, level_text=int(level_text),
            truncate=truncate_depth, checksum=int(checksum))

    # ------------------------------------------------------------ messages
    def load(self, bids: Text, asks: Text = NO_LEVELS, checksum: int = NO_CHECKSUM) -> BookFault:
        """Replace the book; ``bids`` and ``asks`` are the venue's level texts."""
        return BookFault(_change_entry()(self.arena, bids, asks, 1, checksum))

    def apply(self, bids: Text, asks: Text = NO_LEVELS, checksum: int = NO_CHECKSUM) -> BookFault:
        """Change the book; after any fault, only ``load`` helps."""
        return BookFault(_change_entry()(self.arena, bids, asks, 0, checksum))

    def truncate(self, depth: int) -> None:
        """Cut both sides to ``depth`` levels after each message from now on; 0 = not at all."""
        self.arena[TRUNCATE] = depth

    # ------------------------------------------------------------ what is in it
    def side(self, side: int) -> NDArray[np.int64]:
        """Copy the rows of BID or ASK, best first: key, size and, if kept, decimals as sent.

        The key of an ask is its negated price.
        """
        head, rows = SIDES + side * SIDE_WORDS, int(self.arena[ROWS])
        keys, first, end = (int(self.arena[head + word]) for word in (KEYS, FIRST, END))
        columns = self.arena[keys : keys + int(self.arena[COLUMNS]) * rows].reshape(-1, rows)
        used = columns[:, first:end][:, ::-1]
        alive: NDArray[np.int64] = used[:, used[1] != 0].T
        return alive

    def top(self, levels: int) -> tuple[NDArray[np.int64], ...]:
        """Copy bid price, bid size, ask price, ask size of the ``levels`` best, best first."""
        bids, asks = self.side(BID)[:levels], self.side(ASK)[:levels]
        return bids[:, 0].copy(), bids[:, 1].copy(), -asks[:, 0], asks[:, 1].copy()

    def levels_text(self, levels: int) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """Return (price, size) of the ``levels`` best bids and asks as exact decimal text.

        As sent where the text is kept, else without trailing zeros.
        """
        return (
            [self._text(row) for row in self.side(BID)[:levels].tolist()],
            [self._text(row) for row in self.side(ASK)[:levels].tolist()],
        )

    def _text(self, row: list[int]) -> tuple[str, str]:
        price = from_quanta(abs(row[0]), self.price_decimals)
        size = from_quanta(row[1], self.size_decimals)
        if len(row) == 2:
            return plain(price), plain(size)
        sent = row[2]
        return (
            _as_sent(price, self.price_decimals, sent & 0xFF),
            _as_sent(size, self.size_decimals, sent >> 8),
        )

    @property
    def bid_count(self) -> int:
        """Return the number of bids."""
        return count(self.arena, BID)

    @property
    def ask_count(self) -> int:
        """Return the number of asks."""
        return count(self.arena, ASK)

    @property
    def levels_dropped(self) -> int:
        """Return how many levels were lost because a side was full."""
        return int(self.arena[DROPPED])

    @property
    def fault(self) -> BookFault:
        """Return what went wrong since the last snapshot, NONE if nothing did."""
        return BookFault(int(self.arena[FAULT]))

    @property
    def crossed(self) -> bool:
        """Tell whether the best bid is at or above the best ask."""
        return bool(is_crossed(self.arena))

    @property
    def checksum(self) -> int:
        """Return the checksum by the venue's rule, NO_CHECKSUM for a venue without one."""
        return int(checksum_of(self.arena))


def _as_sent(text: str, decimals: int, sent: int) -> str:
    """Give exact decimal text with ``decimals`` digits behind the point ``sent`` of them."""
    if sent >= decimals:
        point = "." if decimals == 0 and sent else ""
        return text + point + "0" * (sent - decimals)
    return text[: sent - decimals] if sent else text[: -decimals - 1]
