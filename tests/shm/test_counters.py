"""Counters: one registry, one block per process, percentiles that never flatter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shm.counters import (
    REGISTRY,
    CounterBlock,
    DetectorCounter,
    DetectorHistogram,
    FeedCounter,
    FeedHistogram,
    Metric,
    bucket_last,
    bucket_of,
    count,
    histogram_base,
    record_ns,
    registry_of,
)
from shm.jit import kernel
from shm.layout import COUNTER_BLOCK, HISTOGRAM_BUCKETS

LONGEST = bucket_last(HISTOGRAM_BUCKETS - 1)
DURATIONS = st.integers(0, 2**44)
METRICS = [metric for pair in REGISTRY.values() for registry in pair for metric in registry]


@pytest.fixture
def words() -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.zeros(CounterBlock.size(3) // 8, np.int64)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: f"{metric!r}")
def test_every_number_says_its_unit_and_its_meaning(metric: Metric) -> None:
    assert metric.unit
    assert metric.meaning
    assert metric.name.isupper()


@pytest.mark.parametrize("registry", [entry for pair in REGISTRY.values() for entry in pair])
def test_numbers_are_consecutive_and_no_name_hides_another(registry: type[Metric]) -> None:
    assert [int(metric) for metric in registry] == list(range(len(registry.__members__)))


def test_a_process_is_found_by_the_kind_in_its_name() -> None:
    assert registry_of("feed:kraken") == (FeedCounter, FeedHistogram)
    assert registry_of("detector")[0] is DetectorCounter
    with pytest.raises(KeyError):
        registry_of("nobody")


def test_each_process_counts_in_its_own_block(
    words: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> None:
    one, two = CounterBlock(words, 0), CounterBlock(words, 2)
    one.count(FeedCounter.FRAMES)
    one.count(FeedCounter.FRAMES, 4)
    two.count(FeedCounter.BELLS, 2)
    assert one.value(FeedCounter.FRAMES) == 5
    assert two.value(FeedCounter.FRAMES) == 0
    shown = {reading.metric: reading.value for reading in two.readings("feed:okx")}
    assert shown == {metric: 2 * (metric is FeedCounter.BELLS) for metric in FeedCounter}


def test_there_is_no_block_beyond_the_last(
    words: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> None:
    with pytest.raises(ValueError, match="no block 3"):
        CounterBlock(words, 3)


@kernel
def _count_in_a_kernel(words: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
    count(words, DetectorCounter.SCANS, 3)
    record_ns(words, histogram_base(DetectorHistogram.SCAN), 100)


def test_kernels_count_by_the_names_of_the_registry(
    words: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> None:
    block = CounterBlock(words, 1)
    _count_in_a_kernel(block.words)
    assert block.value(DetectorCounter.SCANS) == 3
    assert block.histogram(DetectorHistogram.SCAN).max_ns == 100


@given(DURATIONS)
def test_a_duration_falls_into_the_first_bucket_that_reaches_it(ns: int) -> None:
    bucket = bucket_of(ns)
    assert ns <= bucket_last(bucket) or bucket == HISTOGRAM_BUCKETS - 1
    assert bucket == 0 or ns > bucket_last(bucket - 1)


def test_buckets_are_at_most_a_sixteenth_wide() -> None:
    last = np.array([bucket_last(bucket) for bucket in range(HISTOGRAM_BUCKETS)])
    assert (np.diff(last) >= 1).all()
    assert (np.diff(last) <= np.maximum(last[1:] / 16, 1)).all()
    assert LONGEST == 2**40 - 1


@given(st.lists(DURATIONS, min_size=1), st.sampled_from([1.0, 50.0, 99.0, 99.9, 100.0]))
def test_a_percentile_is_never_too_low_and_at_most_a_sixteenth_too_high(
    durations: list[int], percent: float
) -> None:
    block = CounterBlock(np.zeros(CounterBlock.size(1) // 8, np.int64), 0)
    for ns in durations:
        block.record(FeedHistogram.RESYNC, ns)
    seen = block.histogram(FeedHistogram.RESYNC)
    exact = int(np.percentile(durations, percent, method="inverted_cdf"))
    found = seen.percentile_ns(percent)
    assert exact <= found
    assert found <= exact * 17 / 16 or found == max(durations) > LONGEST
    assert (seen.count, seen.sum_ns) == (len(durations), sum(durations))
    assert (seen.min_ns, seen.max_ns) == (min(durations), max(durations))
    assert seen.mean_ns == pytest.approx(sum(durations) / len(durations))


def test_clocks_that_disagree_count_as_no_time_at_all(
    words: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> None:
    block = CounterBlock(words, 0)
    block.record(FeedHistogram.VENUE_TO_RECV, -5_000)
    seen = block.histogram(FeedHistogram.VENUE_TO_RECV)
    assert (seen.count, seen.min_ns, seen.max_ns, seen.sum_ns) == (1, 0, 0, 0)


def test_an_empty_histogram_has_zeros_and_no_error(
    words: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> None:
    seen = CounterBlock(words, 0).histogram(FeedHistogram.RESYNC)
    assert (seen.count, seen.mean_ns, seen.percentile_ns(99.9)) == (0, 0.0, 0)


def test_the_last_histogram_ends_within_its_block(
    words: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> None:
    block = CounterBlock(words, 0)
    record_ns(block.words, histogram_base(15), 2**62)
    structured = block.words[: COUNTER_BLOCK.itemsize // 8].view(COUNTER_BLOCK)[0]
    assert structured["histograms"][15, -1] == 1
    assert structured["counters"].sum() == 0
