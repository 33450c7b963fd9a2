"""The effective touch of one instrument: its book, overlaid by its quote where that is newer.

A venue's quote stream is often faster than its book stream.  A newer quote *is* the touch: the
levels of the book that are better than it are gone, and its size replaces that of an equal
level.  The overlay exists once, here; detector and execution both see through it.
"""

from enum import IntEnum
from typing import Final

import numpy as np

from shm.atomics import Words, fence_acquire, load_acquire, load_relaxed
from shm.book import (
    ASK_COUNT,
    BID_COUNT,
    HEAD_WORDS,
    INDEX,
    PUBLISH_MONO_NS,
    QUOTE_ASK_PRICE,
    QUOTE_ASK_SIZE,
    QUOTE_BID_PRICE,
    QUOTE_BID_SIZE,
    QUOTE_WORDS,
    RECV_MONO_NS,
    SEQ,
    TRIES_MAX,
    UPDATE_ID,
    column_words,
    read_book,
    read_quote,
    slot_words,
)
from shm.jit import inlined, kernel
from shm.layout import SLOT_INDEX, SLOTS, Veto, words_in


class Source(IntEnum):
    """What the touch is made of; the engine uses BOTH, research may look at one alone."""

    BOOK = 1
    QUOTE = 2
    BOTH = 3


# The words of a touch.  Prices and sizes are quanta, 0 an absent side.
# FEE_PPM is kept beside it by who compares many touches.
# NEWEST_NS is when either of book and quote was last published, BOOK_RECV_NS when the levels
# behind the touch were received; IS_NEW is kept beside it by who looks again and again.
(VETO, BID, BID_SIZE, ASK, ASK_SIZE, FEE_PPM, RECV_NS, PUBLISH_NS, UPDATE, BOOK_VERSION,
 QUOTE_VERSION, BY_QUOTE, NEWEST_NS, BOOK_RECV_NS, IS_NEW) = range(15)
TOUCH_WORDS: Final = 16

_SLOT_FIRST: Final = INDEX + words_in(SLOT_INDEX)
_BOOK: Final = int(Source.BOOK)
_QUOTE: Final = int(Source.QUOTE)
_UNREADABLE: Final = int(Veto.UNREADABLE)
_SELF_CROSSED: Final = int(Veto.SELF_CROSSED)
# a top as read: the head of the slot, then price and size of both best levels
(_TOP_BID, _TOP_BID_SIZE, _TOP_ASK, _TOP_ASK_SIZE) = range(HEAD_WORDS, HEAD_WORDS + 4)


class Scratch:
    """Where kernels copy one book and one quote to; made once, used for ever."""

    def __init__(self, depth: int) -> None:
        self.slot = np.zeros(HEAD_WORDS + 4 * (-(-depth // 8) * 8), np.int64)
        self.quote = np.zeros(QUOTE_WORDS, np.int64)


@inlined
def _read_top(words: Words, base: int, depth: int, out: Words) -> int:
    """Copy head and best levels of the newest complete book; as ``shm.book.read_book``."""
    width, column = slot_words(depth), column_words(depth)
    for _ in range(TRIES_MAX):
        # SYNC POINT: the three of ``read_book``, with the same partners
        version = load_acquire(words, base + INDEX)
        if version == 0:
            return 0
        slot = base + _SLOT_FIRST + version % SLOTS * width
        if load_acquire(words, slot + SEQ) == 2 * version:
            for at in range(HEAD_WORDS):
                out[at] = words[slot + at]
            first = slot + HEAD_WORDS
            for side in range(4):
                out[HEAD_WORDS + side] = words[first + side * column]
            fence_acquire()
            if load_relaxed(words, slot + SEQ) == 2 * version:
                return version
    return 0


@inlined
def _is_newer(quote: Words, book: Words) -> bool:
    """Tell whether the quote is newer: by the venue's own numbers where both carry one.

    Both do only where one sequence is proven (Binance).  Elsewhere (OKX) what was published last
    is newer: both streams come over one connection, in the order in which the venue sent them.
    """
    if quote[UPDATE_ID] > 0 and book[UPDATE_ID] > 0:
        return bool(quote[UPDATE_ID] > book[UPDATE_ID])
    return bool(quote[PUBLISH_MONO_NS] > book[PUBLISH_MONO_NS])


@inlined
def _settle(top: Words, book_version: int, quote: Words, quote_version: int, out: Words) -> int:
    """Write the touch to ``out`` from a top and a quote; return the veto, 0 for none."""
    out[BOOK_VERSION], out[QUOTE_VERSION] = book_version, quote_version
    out[BID], out[BID_SIZE], out[ASK], out[ASK_SIZE] = 0, 0, 0, 0
    out[NEWEST_NS], out[BOOK_RECV_NS] = 0, 0
    if book_version > 0:
        out[NEWEST_NS], out[BOOK_RECV_NS] = top[PUBLISH_MONO_NS], top[RECV_MONO_NS]
    if quote_version > 0:
        out[NEWEST_NS] = max(out[NEWEST_NS], quote[PUBLISH_MONO_NS])
    veto = 0
    out[BY_QUOTE] = quote_version > 0 and (book_version == 0 or _is_newer(quote, top))
    if out[BY_QUOTE]:
        if quote[QUOTE_BID_SIZE] > 0:
            out[BID], out[BID_SIZE] = quote[QUOTE_BID_PRICE], quote[QUOTE_BID_SIZE]
        if quote[QUOTE_ASK_SIZE] > 0:
            out[ASK], out[ASK_SIZE] = quote[QUOTE_ASK_PRICE], quote[QUOTE_ASK_SIZE]
        out[RECV_NS], out[PUBLISH_NS] = quote[RECV_MONO_NS], quote[PUBLISH_MONO_NS]
        out[UPDATE] = quote[UPDATE_ID]
    elif book_version > 0:
        if top[BID_COUNT] > 0:
            out[BID], out[BID_SIZE] = top[_TOP_BID], top[_TOP_BID_SIZE]
        if top[ASK_COUNT] > 0:
            out[ASK], out[ASK_SIZE] = top[_TOP_ASK], top[_TOP_ASK_SIZE]
        out[RECV_NS], out[PUBLISH_NS] = top[RECV_MONO_NS], top[PUBLISH_MONO_NS]
        out[UPDATE] = top[UPDATE_ID]
    else:
        veto = _UNREADABLE
    if out[BID] > 0 and out[ASK] > 0 and out[BID] >= out[ASK]:
        veto = _SELF_CROSSED
    out[VETO] = veto
    return veto


@kernel
def read_touch(
    words: Words, base: int, depth: int, source: int, slot: Words, quote: Words, out: Words
) -> int:
    """Write the effective touch of the book at ``base`` to ``out``; return the veto, 0 for none.

    ``slot`` and ``quote`` are scratch.
    """
    book_version = _read_top(words, base, depth, slot) if source & _BOOK else 0
    quote_version = read_quote(words, base, depth, quote) if source & _QUOTE else 0
    return _settle(slot, book_version, quote, quote_version, out)


@kernel
def read_side(
    words: Words, base: int, depth: int, source: int, side: int, slot: Words, quote: Words,
    touch: Words, prices: Words, sizes: Words,
) -> int:
    """Copy the effective levels of one side, best first, and the touch; return how many.

    ``side`` is +1 for the asks, that a buyer takes, and -1 for the bids; ``prices`` and
    ``sizes`` hold depth + 1 words.  Read ``touch[VETO]`` before believing the levels.
    """
    book_version = read_book(words, base, depth, slot) if source & _BOOK else 0
    quote_version = read_quote(words, base, depth, quote) if source & _QUOTE else 0
    column = column_words(depth)
    at = HEAD_WORDS if side < 0 else HEAD_WORDS + 2 * column
    levels = 0
    if book_version > 0:
        levels = slot[BID_COUNT] if side < 0 else slot[ASK_COUNT]
    bid, bid_size = slot[HEAD_WORDS], slot[HEAD_WORDS + column]
    ask, ask_size = slot[HEAD_WORDS + 2 * column], slot[HEAD_WORDS + 3 * column]
    count = _overlaid(slot, at, at + column, levels, quote, side, book_version, quote_version,
                      prices, sizes)
    slot[_TOP_BID], slot[_TOP_BID_SIZE] = bid, bid_size  # the columns are copied: reuse their head
    slot[_TOP_ASK], slot[_TOP_ASK_SIZE] = ask, ask_size
    _settle(slot, book_version, quote, quote_version, touch)
    return count


@inlined
def _overlaid(
    slot: Words, price_at: int, size_at: int, levels: int, quote: Words, side: int,
    book_version: int, quote_version: int, prices: Words, sizes: Words,
) -> int:
    count, level = 0, 0
    if quote_version > 0 and (book_version == 0 or _is_newer(quote, slot)):
        price = quote[QUOTE_BID_PRICE] if side < 0 else quote[QUOTE_ASK_PRICE]
        size = quote[QUOTE_BID_SIZE] if side < 0 else quote[QUOTE_ASK_SIZE]
        if size <= 0 or price <= 0:
            return 0  # the newer word is that nobody stands on this side
        prices[0], sizes[0], count = price, size, 1
        while level < levels and side * (slot[price_at + level] - price) <= 0:
            level += 1
    while level < levels:
        prices[count], sizes[count] = slot[price_at + level], slot[size_at + level]
        count += 1
        level += 1
    return count
