"""The portfolio segment: the newest complete copy of what execution knows, for whoever asks.

Two copies and an index, each copy a seqlock: a writer that is killed half-way leaves the last
complete one readable, and no reader can wedge.
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
from shm.jit import kernel
from shm.layout import CACHE_LINE, SLOT_INDEX, WORD, words_in
from shm.portfolio_layout import PORTFOLIO, PORTFOLIO_HEAD

COPIES: Final = 2
TRIES_MAX: Final = 8
_FIRST: Final = words_in(SLOT_INDEX)
_WIDTH: Final = words_in(PORTFOLIO)
SIZE: Final = CACHE_LINE + COPIES * PORTFOLIO.itemsize

assert PORTFOLIO_HEAD.names is not None
assert PORTFOLIO_HEAD.names[0] == "seq"  # at word 0 of a copy
assert PORTFOLIO.itemsize % CACHE_LINE == 0


@kernel
def _publish(words: Words, whole: Words) -> None:
    """Copy ``whole`` (int64[_WIDTH]; its first word is ours) over the older copy; announce it."""
    version = load_relaxed(words, 0) + 1  # ours alone to write
    at = _FIRST + version % COPIES * _WIDTH
    store_relaxed(words, at, 2 * version - 1)
    # SYNC POINT: orders the odd seq before every store into the copy; its partner is the
    # fence_acquire in ``_read``
    fence_release()
    copy_words(words, at + 1, whole, 1, _WIDTH - 1)
    # SYNC POINT: release of seq; its partner is the acquire of seq in ``_read``
    store_release(words, at, 2 * version)
    # SYNC POINT: release of the index; its partner is the acquire of the index in ``_read``
    store_release(words, 0, version)


@kernel
def _read(words: Words, out: Words) -> int:
    """Copy the newest complete copy to ``out`` (int64[_WIDTH]); return its version, 0 for none."""
    for _ in range(TRIES_MAX):
        # SYNC POINT: acquire of the index; its partner is the release of the index in ``_publish``
        version = load_acquire(words, 0)
        if version == 0:
            return 0
        at = _FIRST + version % COPIES * _WIDTH
        # SYNC POINT: acquire of seq; its partner is the release of seq in ``_publish``
        if load_acquire(words, at) == 2 * version:
            copy_words(out, 0, words, at, _WIDTH)
            # SYNC POINT: keeps the copy before the second look at seq; its partner is the
            # fence_release in ``_publish``
            fence_acquire()
            if load_relaxed(words, at) == 2 * version:
                return version
    return 0


class PortfolioSegment:
    """The segment over its words; execution publishes, everybody else reads."""

    def __init__(self, words: Words) -> None:
        if words.size * WORD < SIZE:
            raise ValueError(f"{words.size} words hold no portfolio")
        self.words = words
        self._whole = np.zeros(_WIDTH, np.int64)
        self.draft: NDArray[np.void] = self._whole.view(PORTFOLIO)  # fill [0], then publish

    def publish(self) -> None:
        """Let readers have the draft."""
        _publish(self.words, self._whole)

    def read(self) -> tuple[int, np.void]:
        """Return the version and a copy of the newest complete portfolio; version 0: none yet."""
        out = np.zeros(_WIDTH, np.int64)
        version = _read(self.words, out)
        found: np.void = out.view(PORTFOLIO)[0]
        return version, found


def warm() -> None:
    """Compile both kernels."""
    plain = PortfolioSegment(np.zeros(SIZE // WORD, np.int64))
    plain.publish()
    plain.read()
