"""Order books in shared memory: one writer, any number of readers, no lock, no torn read.

A book is published into a small ring of slots, each a seqlock, and announced by an index:

    index.version ──┐ v = number of publications; the slot of v is v % SLOTS
                    ▼
    slot 0 │ slot 1 │ slot 2 │ slot 3      seq = 2v - 1 while the writer is inside, 2v after

The writer never touches the slot that readers are sent to, so a reader has SLOTS - 1
publications to finish, and a writer killed half-way leaves the last complete book in place;
its successor goes on from the index and writes over the unfinished slot.

Kernels take a segment as words and the word at which a book's record begins.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from shm.atomics import (
    Words,
    copy_words,
    fence_acquire,
    fence_release,
    load_acquire,
    load_relaxed,
    store_relaxed,
    store_release,
)
from shm.jit import inlined, kernel
from shm.layout import (
    BOOK_STATUS,
    QUOTE,
    SLOT_HEAD,
    SLOT_INDEX,
    SLOTS,
    BookState,
    book_dtype,
    slot_dtype,
    word_of,
    words_in,
)
from shm.layout import column_words as declared_column_words

TRIES_MAX: Final = 64  # a reader lapped so often gives up and reports no book

# Words of one record, in order: status, index, SLOTS slots, quote index, SLOTS quotes.
STATUS_STATE: Final = word_of(BOOK_STATUS, "state")
STATUS_FAULT: Final = word_of(BOOK_STATUS, "fault")
STATUS_SINCE: Final = word_of(BOOK_STATUS, "since_mono_ns")
STATUS_EPOCH: Final = word_of(BOOK_STATUS, "epoch")
INDEX: Final = words_in(BOOK_STATUS)  # the word ``index.version``
_INDEX_WORDS: Final = words_in(SLOT_INDEX)
_SLOT_FIRST: Final = INDEX + _INDEX_WORDS

# Words of one slot; its columns follow the head, each ``column_words(depth)`` long.
HEAD_WORDS: Final = words_in(SLOT_HEAD)
SEQ: Final = word_of(SLOT_HEAD, "seq")
VENUE_UNIX_NS: Final = word_of(SLOT_HEAD, "venue_unix_ns")
RECV_UNIX_NS: Final = word_of(SLOT_HEAD, "recv_unix_ns")
RECV_MONO_NS: Final = word_of(SLOT_HEAD, "recv_mono_ns")
PUBLISH_MONO_NS: Final = word_of(SLOT_HEAD, "publish_mono_ns")
UPDATE_ID: Final = word_of(SLOT_HEAD, "update_id")
BID_COUNT: Final = word_of(SLOT_HEAD, "bid_count")
ASK_COUNT: Final = word_of(SLOT_HEAD, "ask_count")

# Words of one quote; up to UPDATE_ID they are those of a slot.
QUOTE_BID_PRICE: Final = word_of(QUOTE, "bid_price")
QUOTE_BID_SIZE: Final = word_of(QUOTE, "bid_size")
QUOTE_ASK_PRICE: Final = word_of(QUOTE, "ask_price")
QUOTE_ASK_SIZE: Final = word_of(QUOTE, "ask_size")
QUOTE_WORDS: Final = words_in(QUOTE)
_QUOTE_USED: Final = QUOTE_ASK_SIZE + 1

_LIVE: Final = int(BookState.LIVE)
_EMPTY: Final = int(BookState.EMPTY)


@inlined
def column_words(depth: int) -> int:
    """Return the words of one column: kernel twin of ``layout.column_words``."""
    return (depth + 7) & ~7


@inlined
def slot_words(depth: int) -> int:
    """Return the words of one slot."""
    return HEAD_WORDS + 4 * column_words(depth)


@inlined
def _quote_index(depth: int) -> int:
    return _SLOT_FIRST + SLOTS * slot_words(depth)


def _prove(depth: int) -> None:
    """Compare the arithmetic above with the declared layout."""
    record, slot, column = book_dtype(depth), slot_dtype(depth), declared_column_words(depth)
    assert column_words.py_func(depth) == column  # type: ignore[attr-defined]
    assert slot.itemsize == 8 * (HEAD_WORDS + 4 * column)
    for at, name in enumerate(("bid_price", "bid_size", "ask_price", "ask_size")):
        assert word_of(slot, name) == HEAD_WORDS + at * column
    assert word_of(record, "index") == INDEX
    assert word_of(record, "slots") == _SLOT_FIRST
    quotes = _SLOT_FIRST + SLOTS * words_in(slot)
    assert word_of(record, "quote_index") == quotes
    assert word_of(record, "quotes") == quotes + words_in(SLOT_INDEX)


_prove(1)
_prove(50)


# ---------------------------------------------------------------- writing
@inlined
def _begin(words: Words, index: int, first: int, width: int) -> int:
    """Open the slot after the one that ``index`` announces; return its first word."""
    version = load_relaxed(words, index) + 1  # ours alone to write
    slot = first + version % SLOTS * width
    store_relaxed(words, slot + SEQ, 2 * version - 1)
    # SYNC POINT: orders the odd seq before every store into the slot; its partner is the
    # fence_acquire in ``_read``: who saw one of those stores sees the seq changed
    fence_release()
    return slot


@inlined
def _end(words: Words, index: int, slot: int) -> None:
    """Close the slot and announce it."""
    version = (load_relaxed(words, slot + SEQ) + 1) >> 1
    # SYNC POINT: release of seq; its partner is the acquire of seq in ``_read``
    store_release(words, slot + SEQ, 2 * version)
    # SYNC POINT: release of the index; its partner is the acquire of the index in ``_read``
    store_release(words, index, version)


@kernel
def publish_begin(words: Words, base: int, depth: int) -> int:
    """Open the next slot for direct stores; return its first word.  One writer per book.

    The caller fills head and columns (not SEQ) and calls ``publish_end``; dying in between
    harms nobody.
    """
    return _begin(words, base + INDEX, base + _SLOT_FIRST, slot_words(depth))


@kernel
def publish_end(words: Words, base: int, slot_base: int) -> None:
    """Close the slot that ``publish_begin`` opened and send readers to it."""
    _end(words, base + INDEX, slot_base)


@kernel
def publish_quote(  # one argument per field: this is called once per frame, from a kernel
    words: Words, base: int, depth: int, venue_ns: int, recv_unix: int, recv_mono: int,
    update_id: int, bid: int, bid_size: int, ask: int, ask_size: int, now_mono: int,
) -> None:
    """Publish best bid and offer, in quanta; 0 is an absent side.  One writer per book."""
    index = base + _quote_index(depth)
    slot = _begin(words, index, index + _INDEX_WORDS, QUOTE_WORDS)
    words[slot + VENUE_UNIX_NS] = venue_ns
    words[slot + RECV_UNIX_NS] = recv_unix
    words[slot + RECV_MONO_NS] = recv_mono
    words[slot + PUBLISH_MONO_NS] = now_mono
    words[slot + UPDATE_ID] = update_id
    words[slot + QUOTE_BID_PRICE] = bid
    words[slot + QUOTE_BID_SIZE] = bid_size
    words[slot + QUOTE_ASK_PRICE] = ask
    words[slot + QUOTE_ASK_SIZE] = ask_size
    _end(words, index, slot)


@kernel
def set_state(words: Words, base: int, state: int, fault: int, now_mono: int) -> None:
    """Set the state first, then why and since when; fault 0 keeps the last one for people."""
    # SYNC POINT: release of the state; its partner is the acquire in ``book_state``: who sees
    # LIVE also sees the book published before it
    store_release(words, base + STATUS_STATE, state)
    store_relaxed(words, base + STATUS_SINCE, now_mono)
    if fault != 0:
        store_relaxed(words, base + STATUS_FAULT, fault)


@kernel
def adopt(words: Words, base: int, epoch: int, now_mono: int) -> None:
    """Take over a predecessor's book: what it left is EMPTY before the new epoch vouches."""
    set_state(words, base, _EMPTY, 0, now_mono)
    # SYNC POINT: release of the epoch; its partner is the acquire of the epoch in ``is_live``:
    # who sees the new epoch sees that the old state is gone
    store_release(words, base + STATUS_EPOCH, epoch)


# ---------------------------------------------------------------- reading
@kernel
def book_state(words: Words, base: int) -> int:
    """Return the BookState, whoever vouches for it."""
    # SYNC POINT: acquire of the state; its partner is the release in ``set_state``
    return load_acquire(words, base + STATUS_STATE)


@kernel
def is_live(words: Words, base: int, epoch: int) -> bool:
    """Return whether the book may be acted on: LIVE, by the feed whose epoch control knows.

    Ask after reading the book: a feed leaves LIVE before it does anything else.
    """
    # SYNC POINT: acquire of the epoch; its partner is the release in ``adopt``
    same = load_acquire(words, base + STATUS_EPOCH) == epoch
    return same and book_state(words, base) == _LIVE


@inlined
def _copy_book(words: Words, slot: int, depth: int, out: Words) -> None:
    copy_words(out, 0, words, slot, HEAD_WORDS)
    # counts may be torn, so they are bounded before they are believed
    bids = min(max(out[BID_COUNT], 0), depth)
    asks = min(max(out[ASK_COUNT], 0), depth)
    column = column_words(depth)
    bid, ask = HEAD_WORDS, HEAD_WORDS + 2 * column
    copy_words(out, bid, words, slot + bid, bids)
    copy_words(out, bid + column, words, slot + bid + column, bids)
    copy_words(out, ask, words, slot + ask, asks)
    copy_words(out, ask + column, words, slot + ask + column, asks)


@kernel
def read_book(words: Words, base: int, depth: int, out: Words) -> int:
    """Copy the newest complete book to ``out`` (int64[slot_words]); return its version.

    ``out`` is laid out as the slot; of each column only the counted levels are written.
    Returns 0 when nothing was ever published, or when the writer lapped us TRIES_MAX times.
    """
    width = slot_words(depth)
    for _ in range(TRIES_MAX):
        # SYNC POINT: acquire of the index; its partner is the release of the index in ``_end``
        version = load_acquire(words, base + INDEX)
        if version == 0:
            return 0
        slot = base + _SLOT_FIRST + version % SLOTS * width
        # SYNC POINT: acquire of seq; its partner is the release of seq in ``_end``
        if load_acquire(words, slot + SEQ) == 2 * version:
            _copy_book(words, slot, depth, out)
            # SYNC POINT: keeps the copy before the second look at seq; its partner is the
            # fence_release in ``_begin``
            fence_acquire()
            if load_relaxed(words, slot + SEQ) == 2 * version:
                return version
    return 0


@kernel
def read_quote(words: Words, base: int, depth: int, out: Words) -> int:
    """Copy the newest complete quote to ``out`` (int64[QUOTE_WORDS]); as ``read_book``."""
    index = base + _quote_index(depth)
    for _ in range(TRIES_MAX):
        # SYNC POINT: the three of ``read_book``, with the same partners
        version = load_acquire(words, index)
        if version == 0:
            return 0
        slot = index + _INDEX_WORDS + version % SLOTS * QUOTE_WORDS
        if load_acquire(words, slot + SEQ) == 2 * version:
            copy_words(out, 0, words, slot, _QUOTE_USED)
            fence_acquire()
            if load_relaxed(words, slot + SEQ) == 2 * version:
                return version
    return 0


@kernel
def book_version(words: Words, base: int) -> int:
    """Return the version of the newest complete book: to see whether it changed."""
    # SYNC POINT: acquire of the index; its partner is the release of the index in ``_end``
    return load_acquire(words, base + INDEX)


@kernel
def quote_version(words: Words, base: int, depth: int) -> int:
    """Return the version of the newest complete quote."""
    # SYNC POINT: acquire of the index; its partner is the release of the index in ``_end``
    return load_acquire(words, base + _quote_index(depth))


# ---------------------------------------------------------------- views
class BookSegment:
    """The books of one feed: ``count`` records of ``book_dtype(depth)`` in ``words``."""

    def __init__(self, words: Words, depth: int, count: int) -> None:
        self.words, self.depth, self.count = words, depth, count
        self._stride = words_in(book_dtype(depth))
        if words.size < count * self._stride:
            raise ValueError(f"{words.size} words hold less than {count} books of depth {depth}")

    @staticmethod
    def size(depth: int, count: int) -> int:
        """Return the bytes that ``count`` books take."""
        return count * book_dtype(depth).itemsize

    def base(self, local: int) -> int:
        """Return the first word of book ``local``; raise IndexError when there is none."""
        if not 0 <= local < self.count:
            raise IndexError(f"book {local} of {self.count}")
        return local * self._stride

    @property
    def records(self) -> NDArray[np.void]:
        """Return the structured view, shape (count,), zero-copy: may be torn, for people."""
        return self.words[: self.count * self._stride].view(book_dtype(self.depth))

    def read(self, local: int) -> tuple[int, NDArray[np.void]]:
        """Return version and a consistent copy of one book, shape (), of ``slot_dtype``."""
        out = np.zeros(words_in(slot_dtype(self.depth)), np.int64)
        version = read_book(self.words, self.base(local), self.depth, out)
        return version, out.view(slot_dtype(self.depth))[0]

    def read_quote(self, local: int) -> tuple[int, NDArray[np.void]]:
        """Return version and a consistent copy of one quote, shape (), of ``QUOTE``."""
        out = np.zeros(QUOTE_WORDS, np.int64)
        version = read_quote(self.words, self.base(local), self.depth, out)
        return version, out.view(QUOTE)[0]

    def adopt(self, epoch: int, now_mono: int) -> None:
        """Take over all books at the start of a feed: nothing a predecessor left is live."""
        for local in range(self.count):
            adopt(self.words, self.base(local), epoch, now_mono)
