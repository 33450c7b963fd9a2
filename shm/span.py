"""Several segments as one array of words, so that one kernel can read them all.

A kernel wants one array and an offset for each thing it reads; the number of feeds is known
only at start, and Numba would compile anew for each number of arrays.  Segments are mapped at
whole words, so all of them lie in one array that begins at the lowest and ends with the
highest; the holes between them belong to nobody and are never indexed.
"""

import ctypes
from collections.abc import Sequence

import numpy as np

from shm.atomics import Words


class Span:
    """One array over ``parts``; ``words`` is for kernels alone, and keeps the parts mapped."""

    def __init__(self, parts: Sequence[Words]) -> None:
        for part in parts:
            assert part.dtype == np.int64
            assert part.flags.c_contiguous
            assert part.ctypes.data % part.itemsize == 0
        self._parts = tuple(parts)
        self._first = min(part.ctypes.data for part in parts)
        last = max(part.ctypes.data + part.nbytes for part in parts)
        memory = (ctypes.c_int64 * ((last - self._first) // 8)).from_address(self._first)
        memory.parts = self._parts  # type: ignore[attr-defined]  # whoever holds the words holds them
        self.words: Words = np.ctypeslib.as_array(memory)

    def base(self, part: Words) -> int:
        """Return the word at which one of the parts begins."""
        assert any(part is each for each in self._parts)
        return (part.ctypes.data - self._first) // part.itemsize
