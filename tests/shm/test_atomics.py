"""Atomics: one word at a time, in order, and never into a read-only mapping."""

import mmap
from collections.abc import Callable

import numpy as np
import pytest
from numba.core.errors import TypingError

from shm.atomics import Words, bump, copy_words, peek, poke
from shm.jit import kernel


def test_a_word_stored_is_the_word_loaded() -> None:
    words = np.zeros(4, np.int64)
    poke(words, 2, -7)
    assert peek(words, 2) == -7
    assert words.tolist() == [0, 0, -7, 0]


def test_an_atomic_addition_returns_what_stood_there() -> None:
    words = np.full(2, 5, np.int64)
    assert bump(words, 1, 3) == 5
    assert words.tolist() == [5, 8]


@pytest.mark.parametrize("store", [poke, bump])
def test_storing_into_a_read_only_mapping_fails_to_compile_and_does_not_crash(
    store: Callable[[Words, int, int], object],
) -> None:
    words = np.frombuffer(mmap.mmap(-1, 64, prot=mmap.PROT_READ), np.int64)
    assert peek(words, 0) == 0
    with pytest.raises(TypingError, match="attached read-only"):
        store(words, 0, 1)


@kernel
def _copied(to: Words, at: int, words: Words, origin: int, count: int) -> None:
    copy_words(to, at, words, origin, count)


@pytest.mark.parametrize("count", [0, 1, 7, 64])
def test_a_copy_takes_the_words_asked_for_and_touches_no_other(count: int) -> None:
    to, words = np.zeros(70, np.int64), np.arange(100)
    _copied(to, 3, words, 10, count)
    assert to[3 : 3 + count].tolist() == list(range(10, 10 + count))
    assert to.sum() == words[10 : 10 + count].sum()
