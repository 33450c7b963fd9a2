"""System calls from kernels: the same clocks as Python's, and a futex that compares first."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from shm.jit import kernel
from shm.system import (
    futex_wait,
    futex_wake,
    high_bit,
    mono_ns,
    sched_yield,
    unix_ns,
)

HOUR_NS = 3_600_000_000_000
PAGES = 2048
ROOT = Path(__file__).resolve().parents[2]


def test_the_monotonic_clock_is_the_one_that_python_reads() -> None:
    before = time.monotonic_ns()
    between = mono_ns()
    assert before <= between <= time.monotonic_ns()


def test_the_wall_clock_is_the_one_that_python_reads() -> None:
    assert abs(unix_ns() - time.time_ns()) < HOUR_NS


@kernel
def _a_million_readings() -> int:
    last, forward = 0, 0
    for _ in range(1_000_000):
        now = mono_ns()
        forward += now >= last
        last = now
    return forward


def test_a_million_readings_in_one_kernel_need_no_more_stack_than_one() -> None:
    assert _a_million_readings() == 1_000_000


def test_a_futex_whose_word_differs_does_not_sleep() -> None:
    words = np.array([1 << 32 | 7, 0], np.int64)
    assert futex_wait(words, 0, 8, HOUR_NS) == -1


def test_a_futex_compares_the_low_half_so_that_counters_may_grow_past_32_bits() -> None:
    words = np.array([1 << 32 | 7, 0], np.int64)
    before = time.monotonic_ns()
    assert futex_wait(words, 0, 5 << 32 | 7, 1_000_000) == -1  # it slept until the limit
    assert time.monotonic_ns() - before >= 1_000_000


def test_waking_nobody_reports_nobody() -> None:
    assert futex_wake(np.zeros(1, np.int64), 0) == 0


def test_yielding_succeeds() -> None:
    assert sched_yield() == 0


@pytest.mark.parametrize("power", range(63))
def test_the_high_bit_is_that_of_pythons_bit_length(power: int) -> None:
    for value in (1 << power, (1 << power) + (1 << power) // 3):
        assert high_bit(value) == value.bit_length() - 1


MEASURE = """
import mmap
import numpy as np
from shm.system import private_bytes
size = %d * mmap.PAGESIZE
before = private_bytes()
shared = mmap.mmap(-1, size, flags=mmap.MAP_SHARED | mmap.MAP_POPULATE)
with_shared = private_bytes()
own = np.ones(size, np.uint8)
assert with_shared - before < size // 2 < private_bytes() - with_shared
assert len(shared) == own.size
"""


def test_private_memory_counts_our_own_pages_and_not_those_of_a_mapped_file() -> None:
    # in a process of its own: this one may give pages back at any moment
    subprocess.run([sys.executable, "-c", MEASURE % PAGES], cwd=ROOT, check=True)
