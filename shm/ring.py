"""Broadcast rings: one writer that never waits, any number of readers that are told when lapped.

    head (counts entries ever written) │ capacity │ entry 0 │ entry 1 │ ... │ entry capacity - 1

Entry i lies at i % capacity.  While the writer stores entry ``head`` it destroys entry
``head - capacity``, so a reader may trust what it copied only if it was less than ``capacity``
behind when it looked again.  Each reader keeps its own cursor, the number of the next entry it
wants; a lapped one is moved to half a ring behind the head and told how many it lost.
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
from shm.layout import RING_HEAD, UPDATE_WORDS, WORD, Dtype, word_of, words_in

HEAD: Final = word_of(RING_HEAD, "head")
CAPACITY: Final = word_of(RING_HEAD, "capacity")
ENTRIES: Final = words_in(RING_HEAD)  # the word at which entry 0 begins
TRIES_MAX: Final = 8  # a reader lapped so often in one call returns empty-handed

assert UPDATE_WORDS == 1  # WordRing is the updates ring


@kernel
def ring_push_word(words: Words, value: int) -> int:
    """Append one word; return its number.  One writer per ring; never waits."""
    head = load_relaxed(words, HEAD)  # ours alone to write
    # SYNC POINT: orders the last head before this entry's store; its partner is the
    # fence_acquire in ``_read``: who copied our half-written entry sees the head that tells
    fence_release()
    store_relaxed(words, ENTRIES + (head & (words[CAPACITY] - 1)), value)
    # SYNC POINT: release of the head; its partner is the acquire of the head in ``_read``
    store_release(words, HEAD, head + 1)
    return head


@kernel
def ring_push(words: Words, record: Words) -> int:
    """Append one record of ``record.size`` words, the ring's width; return its number."""
    head = load_relaxed(words, HEAD)
    entry = ENTRIES + (head & (words[CAPACITY] - 1)) * record.size
    # SYNC POINT: as in ``ring_push_word``
    fence_release()
    copy_words(words, entry, record, 0, record.size)
    # SYNC POINT: release of the head; its partner is the acquire of the head in ``_read``
    store_release(words, HEAD, head + 1)
    return head


@kernel
def ring_head(words: Words) -> int:
    """Return how many entries were ever written: the cursor of a reader that starts now."""
    # SYNC POINT: acquire of the head; its partner is the release in ``ring_push``
    return load_acquire(words, HEAD)


@inlined
def _read(words: Words, width: int, cursor: int, out: Words) -> tuple[int, int]:
    capacity, room = words[CAPACITY], out.size // width
    lost = 0
    for _ in range(TRIES_MAX):
        # SYNC POINT: acquire of the head; its partner is the release in ``ring_push``
        head = load_acquire(words, HEAD)
        if head - cursor >= capacity:
            lost += head - capacity // 2 - cursor
            cursor = head - capacity // 2
        count = min(head - cursor, room)
        for entry in range(count):
            source = ENTRIES + ((cursor + entry) & (capacity - 1)) * width
            copy_words(out, entry * width, words, source, width)
        # SYNC POINT: keeps the copy before the second look at the head; its partner is the
        # fence_release in ``ring_push``
        fence_acquire()
        if load_relaxed(words, HEAD) - cursor < capacity:
            return cursor + count, lost
    return cursor, lost


@kernel
def ring_read(words: Words, cursor: int, out: Words) -> tuple[int, int]:
    """Copy entries of one word from ``cursor`` on to ``out``; return (new cursor, lost).

    ``out[: new - cursor - lost]`` was filled, oldest first; ``lost`` entries were overwritten
    before we came.
    """
    return _read(words, 1, cursor, out)


@kernel
def ring_read_records(words: Words, cursor: int, out: Words) -> tuple[int, int]:
    """Copy records to ``out`` of shape (room, width); as ``ring_read``, by rows."""
    return _read(words, out.shape[1], cursor, out.reshape(-1))


def ring_size(width: int, capacity: int) -> int:
    """Return the bytes of a ring of ``capacity`` entries of ``width`` words."""
    return RING_HEAD.itemsize + capacity * width * WORD


class WordRing:
    """A ring of single words, such as the updates of one feed."""

    width = UPDATE_WORDS

    def __init__(self, words: Words) -> None:
        self.words = words
        self.capacity = int(words[CAPACITY])
        if not self.capacity or words.size < ENTRIES + self.capacity * self.width:
            raise ValueError(f"no ring of capacity {self.capacity} in {words.size} words")

    @staticmethod
    def format(words: Words, capacity: int) -> None:
        """Make zeroed words an empty ring; the capacity must be a power of two."""
        if capacity < 2 or capacity & (capacity - 1):
            raise ValueError(f"a ring holds a power of two of entries, not {capacity}")
        words[CAPACITY] = capacity

    @property
    def head(self) -> int:
        """Return how many entries were ever written."""
        return ring_head(self.words)

    def push(self, value: int) -> int:
        """Append one word; return its number."""
        return ring_push_word(self.words, value)

    def read(self, cursor: int, out: Words) -> tuple[int, int]:
        """Copy what follows ``cursor`` to ``out``; return (new cursor, lost)."""
        return ring_read(self.words, cursor, out)


class RecordRing:
    """A ring of records of ``dtype``, such as trades or signals."""

    def __init__(self, words: Words, dtype: Dtype) -> None:
        self.words, self.dtype, self.width = words, dtype, words_in(dtype)
        self.capacity = int(words[CAPACITY])
        if not self.capacity or words.size < ENTRIES + self.capacity * self.width:
            raise ValueError(f"no ring of capacity {self.capacity} in {words.size} words")

    format = staticmethod(WordRing.format)

    @property
    def head(self) -> int:
        """Return how many entries were ever written."""
        return ring_head(self.words)

    def push(self, record: Words) -> int:
        """Append one record, given as words of shape (width,); return its number."""
        assert record.shape == (self.width,)
        return ring_push(self.words, record)

    def read(self, cursor: int, room: int = 64) -> tuple[int, int, NDArray[np.void]]:
        """Return (new cursor, lost, copies of what follows ``cursor``, at most ``room``)."""
        out = np.empty((room, self.width), np.int64)
        new, lost = ring_read_records(self.words, cursor, out)
        return new, lost, out.reshape(-1)[: (new - cursor - lost) * self.width].view(self.dtype)
