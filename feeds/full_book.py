"""The full-depth book of one instrument: text in, exact integers and strings out."""

from enum import IntFlag
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.model.quanta import from_quanta, plain
from feeds.arena import (
    DROPPED,
    END,
    LEVEL_TEXT,
    PRICE_DECIMALS,
    SIDES,
    SIZE_DECIMALS,
    TRUNCATE,
    Arena,
    clear,
    count,
    is_crossed,
    new_arena,
    row_at,
    set_level,
    side_head,
    truncate,
)
from feeds.levels import ASK, BID, DONE, FAIL, GARBAGE, following_level, first_level, read_level
from feeds.levels import TextFault
from feeds.venue import Checksum, LevelText
from shm.jit import inlined
from shm.text import TEXT, INT, WORDS, Octets, Text, entry, hot, octets


class BookStatus(IntFlag):
    """What one message did to a book; anything but OK means that it must be discarded."""

    OK = 0
    GARBAGE = int(TextFault.GARBAGE)
    INEXACT = int(TextFault.INEXACT)
    OVERFLOW = int(TextFault.OVERFLOW)
    CROSSED = 8  # best bid at or above best ask after the whole message
    CHECKSUM = 16  # the venue's checksum differs from ours


CROSSED: Final = int(BookStatus.CROSSED)


@inlined
def _apply_text(arena: Arena, text: Octets, side: int) -> int:
    """Apply the levels of one text in order; return a TextFault, 0 if all were good."""
    end = text.size
    encoding = arena[LEVEL_TEXT]
    price_decimals, size_decimals = arena[PRICE_DECIMALS], arena[SIZE_DECIMALS]
    sided = encoding >= 2
    hint = arena[side_head(side) + END]
    at = first_level(text, end)
    while at >= 0:
        at, said, price, size, sent, fault = read_level(
            text, at, end, encoding, price_decimals, size_decimals)
        if fault != 0 or at == FAIL:
            return fault | (GARBAGE if at == FAIL else 0)
        if sided and said != side:
            side = said
            hint = arena[side_head(side) + END]
        hint = set_level(arena, side, hint, price if side == BID else -price, size, sent)
        at = following_level(text, at, end)
        if at == FAIL:
            return GARBAGE
    return 0


@hot
def apply(arena: Arena, bids: Octets, asks: Octets) -> int:
    """Apply one message; return a BookStatus.  A message in a SIDED encoding is all in ``bids``."""
    status = _apply_text(arena, bids, BID) | _apply_text(arena, asks, ASK)
    if status == 0:
        if arena[TRUNCATE] > 0:
            truncate(arena, arena[TRUNCATE])
        if is_crossed(arena):
            status = CROSSED
    return status

@hot
def apply_raw(arena: Arena, bids: Text, asks: Text) -> int:
    return apply(arena, octets(bids), octets(asks))
