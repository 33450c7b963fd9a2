"""The block of counters and histograms that each process owns; ``shm.metrics`` names them.

A block has one writer, its process; everybody may read it at any time, also while that process
hangs.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from shm.atomics import Words, load_relaxed, peek, store_relaxed
from shm.jit import kernel
from shm.layout import (
    COUNTER_BLOCK_STRIDE,
    COUNTERS_MAX,
    HISTOGRAM_BUCKETS,
    HISTOGRAM_SUB,
    HISTOGRAM_WORDS,
    WORD,
)
from shm.metrics import (
    EXEC_VETOES,
    REGISTRY,
    ControlCounter,
    ControlHistogram,
    DetectorCounter,
    DetectorHistogram,
    ExecCounter,
    ExecHistogram,
    FeedCounter,
    FeedHistogram,
    GuardCounter,
    LedgerCounter,
    LedgerHistogram,
    Metric,
    SimCounter,
    SimHistogram,
    TemplateCounter,
    TemplateHistogram,
    registry_of,
)
from shm.system import high_bit

__all__ = [
    "EXEC_VETOES",
    "REGISTRY",
    "ControlCounter",
    "ControlHistogram",
    "CounterBlock",
    "DetectorCounter",
    "DetectorHistogram",
    "ExecCounter",
    "ExecHistogram",
    "FeedCounter",
    "FeedHistogram",
    "GuardCounter",
    "Histogram",
    "LedgerCounter",
    "LedgerHistogram",
    "Metric",
    "Reading",
    "SimCounter",
    "SimHistogram",
    "TemplateCounter",
    "TemplateHistogram",
    "bucket_last",
    "bucket_of",
    "count",
    "histogram_base",
    "record_ns",
    "registry_of",
]
_STRIDE: Final = COUNTER_BLOCK_STRIDE // WORD
_SUB_BITS: Final = HISTOGRAM_SUB.bit_length() - 1
_COUNT, _SUM, _MIN, _MAX, _BUCKETS = 0, 1, 2, 3, 8  # words of a histogram


# ---------------------------------------------------------------- kernels, on one block's words
@kernel
def count(words: Words, index: int, n: int) -> None:
    """Add ``n`` to counter ``index`` of our own block."""
    store_relaxed(words, index, load_relaxed(words, index) + n)


@kernel
def histogram_base(number: int) -> int:
    """Return the first word of histogram ``number`` in a block."""
    return COUNTERS_MAX + number * HISTOGRAM_WORDS


@kernel
def bucket_of(ns: int) -> int:
    """Return the bucket of a duration: exact below 16, then 16 per power of two, the last open."""
    if ns < HISTOGRAM_SUB:
        return max(ns, 0)
    power = high_bit(ns)
    part = (ns >> (power - _SUB_BITS)) - HISTOGRAM_SUB
    return min(HISTOGRAM_SUB * (power - _SUB_BITS + 1) + part, HISTOGRAM_BUCKETS - 1)


@kernel
def record_ns(words: Words, base: int, ns: int) -> None:
    """Record a duration in the histogram of our own block at word ``base``; below 0 counts as 0."""
    ns = max(ns, 0)
    bucket = base + _BUCKETS + bucket_of(ns)
    store_relaxed(words, bucket, load_relaxed(words, bucket) + 1)
    recorded = load_relaxed(words, base + _COUNT)
    if recorded == 0 or ns < load_relaxed(words, base + _MIN):
        store_relaxed(words, base + _MIN, ns)
    if ns > load_relaxed(words, base + _MAX):
        store_relaxed(words, base + _MAX, ns)
    store_relaxed(words, base + _SUM, load_relaxed(words, base + _SUM) + ns)
    store_relaxed(words, base + _COUNT, recorded + 1)


# ---------------------------------------------------------------- reading
def bucket_last(bucket: int) -> int:
    """Return the longest duration, in ns, that falls into ``bucket``."""
    if bucket < HISTOGRAM_SUB:
        return bucket
    power, part = divmod(bucket, HISTOGRAM_SUB)
    return ((HISTOGRAM_SUB + part + 1) << (power - 1)) - 1


class Histogram:
    """One histogram, read while it may be written: each word is whole, all of them nearly so."""

    def __init__(self, words: Words) -> None:
        """Copy ``HISTOGRAM_WORDS`` words."""
        copy = words.copy()
        self.buckets = copy[_BUCKETS:]
        self.count = int(self.buckets.sum())
        self.sum_ns, self.min_ns, self.max_ns = int(copy[_SUM]), int(copy[_MIN]), int(copy[_MAX])

    @property
    def mean_ns(self) -> float:
        """Return the mean, 0 when nothing was recorded."""
        return self.sum_ns / self.count if self.count else 0.0

    def percentile_ns(self, percent: float) -> int:
        """Return a bound that at least ``percent`` of the durations keep, at most 1/16 too high."""
        if not self.count:
            return 0
        rank = max(int(np.ceil(self.count * percent / 100.0)), 1)
        bucket = int(np.searchsorted(np.cumsum(self.buckets), rank))
        if bucket == HISTOGRAM_BUCKETS - 1:  # open-ended
            return self.max_ns
        return min(bucket_last(bucket), self.max_ns)


class Reading(NamedTuple):
    """One counter's value with what it means."""

    metric: Metric
    value: int


class CounterBlock:
    """The block of process ``index`` in the counters segment; ``words`` is what kernels take."""

    def __init__(self, segment_words: Words, index: int) -> None:
        self.words: Words = segment_words[index * _STRIDE : (index + 1) * _STRIDE]
        if self.words.size != _STRIDE:
            raise ValueError(f"no block {index} in {segment_words.size} words of counters")

    @staticmethod
    def size(processes: int) -> int:
        """Return the bytes of the blocks of so many processes."""
        return processes * COUNTER_BLOCK_STRIDE

    def count(self, counter: Metric, n: int = 1) -> None:
        """Add to a counter of our own process."""
        count(self.words, int(counter), n)

    def record(self, histogram: Metric, ns: int) -> None:
        """Record a duration in a histogram of our own process."""
        record_ns(self.words, histogram_base(int(histogram)), ns)

    def value(self, counter: Metric) -> int:
        """Return a counter."""
        return peek(self.words, int(counter))

    def readings(self, process: str) -> Iterator[Reading]:
        """Yield every counter of a process of that name."""
        for counter in registry_of(process)[0]:
            yield Reading(counter, self.value(counter))

    def histogram(self, number: Metric) -> Histogram:
        """Return a copy of a histogram."""
        base = histogram_base(int(number))
        return Histogram(self.words[base : base + HISTOGRAM_WORDS])
