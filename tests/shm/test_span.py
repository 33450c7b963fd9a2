"""One array over several."""

import gc
import weakref

import numpy as np

from shm.atomics import peek, poke
from shm.span import Span


def test_a_span_reads_and_writes_every_part_at_its_base() -> None:
    parts = [np.arange(5, dtype=np.int64) + 100 * number for number in range(3)]
    span = Span(parts)
    for part in parts:
        assert [peek(span.words, span.base(part) + at) for at in range(5)] == part.tolist()
    poke(span.words, span.base(parts[1]) + 4, 7)
    assert parts[1][4] == 7
    assert parts[0].tolist() == [0, 1, 2, 3, 4]


def test_the_words_of_a_span_keep_its_parts_alive() -> None:
    part = np.arange(3, dtype=np.int64)
    alive = weakref.ref(part)
    words = Span([part]).words
    del part
    gc.collect()
    assert alive() is not None
    assert peek(words, 2) == 2
    del words
    gc.collect()
    assert alive() is None
