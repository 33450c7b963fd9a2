"""Atomics: one word at a time, in order, and never into a read-only mapping."""

import mmap
from collections.abc import Callable

import numpy as np
import pytest
from numba.core.errors import TypingError

from shm.atomics import Words, bump, peek, poke


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
