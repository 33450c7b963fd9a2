"""The portfolio segment: whole copies only, whoever is killed in the middle of one."""

import multiprocessing
import os
import signal
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest

from shm.atomics import peek
from shm.layout import CACHE_LINE, WORD
from shm.portfolio import COPIES, SIZE, PortfolioSegment, warm
from shm.portfolio_layout import ORDERS_MAX, PORTFOLIO
from shm.segment import RunFolder, Segment

WIDTH = PORTFOLIO.itemsize // WORD
FIRST = CACHE_LINE // WORD


def plain() -> PortfolioSegment:
    return PortfolioSegment(np.zeros(SIZE // WORD, np.int64))


def write(segment: PortfolioSegment, number: int) -> None:
    """Publish a portfolio whose every word but the first is ``number``."""
    segment.draft.view(np.int64)[1:] = number
    segment.publish()


def numbers_in(found: np.void) -> set[int]:
    return {*np.frombuffer(found.tobytes(), np.int64)[1:].tolist()}


def keep_writing(folder: Path, first: int) -> None:
    segment = PortfolioSegment(
        Segment.attach(RunFolder(folder), "portfolio", writable=True).words)
    number = first
    while True:
        number += 1
        write(segment, number)


@pytest.fixture
def shared(tmp_path: Path) -> Segment:
    warm()
    folder = RunFolder(tmp_path / "run" / "demo")
    folder.create()
    made = Segment.create(folder, "portfolio", "exec", SIZE, run=1, epoch=1)
    made.publish()
    return made


def writer(segment: Segment, first: int) -> BaseProcess:
    process = multiprocessing.get_context("fork").Process(
        target=keep_writing, args=(segment.path.parent, first), daemon=True)
    process.start()
    return process


def wait_for(words: np.ndarray[tuple[int], np.dtype[np.int64]], version: int) -> None:
    for _ in range(2_000):
        if peek(words, 0) >= version:
            return
        time.sleep(0.005)
    raise AssertionError(f"nobody published version {version}")


def test_nothing_is_read_before_the_first_publication() -> None:
    assert plain().read()[0] == 0


def test_a_reader_gets_the_newest_of_many_publications_and_its_own_copy_of_it() -> None:
    segment = plain()
    for number in range(1, 6):
        write(segment, number)
    version, found = segment.read()
    write(segment, 6)
    write(segment, 7)
    assert (version, numbers_in(found)) == (5, {5})


def test_words_too_few_for_a_portfolio_are_refused() -> None:
    with pytest.raises(ValueError, match="hold no portfolio"):
        PortfolioSegment(np.zeros(SIZE // WORD - 1, np.int64))


@pytest.mark.parametrize("words_written", [1, 100, WIDTH - 1])
def test_a_writer_that_died_in_the_middle_leaves_the_copy_before_readable(
    words_written: int,
) -> None:
    segment = plain()
    write(segment, 41)
    write(segment, 42)
    at = FIRST + 3 % COPIES * WIDTH  # where version 3 goes
    segment.words[at] = 2 * 3 - 1  # odd: inside
    segment.words[at + 1 : at + words_written] = 43
    version, found = segment.read()
    assert (version, numbers_in(found)) == (2, {42})
    successor = PortfolioSegment(segment.words)
    write(successor, 44)
    version, found = segment.read()
    assert (version, numbers_in(found)) == (3, {44})


def test_kill_minus_9_of_a_writer_never_costs_a_reader_its_copy(shared: Segment) -> None:
    reader = PortfolioSegment(shared.words)
    inside = 0
    for life in range(12):
        before = peek(shared.words, 0)
        process = writer(shared, before)
        wait_for(shared.words, before + 50 + 37 * life)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        newest = peek(shared.words, 0)
        sequences = [int(shared.words[FIRST + copy * WIDTH]) for copy in range(COPIES)]
        inside += any(each % 2 for each in sequences)
        version, found = reader.read()
        assert (version, numbers_in(found)) == (newest, {newest}), f"{inside} died inside"


def test_no_copy_is_ever_torn_while_a_writer_publishes_flat_out(shared: Segment) -> None:
    reader = PortfolioSegment(shared.words)
    process = writer(shared, 0)
    try:
        wait_for(shared.words, 1)
        seen: set[int] = set()
        for _ in range(3_000):
            version, found = reader.read()
            if version:
                assert numbers_in(found) == {version}
                seen.add(version)
    finally:
        process.kill()
        process.join()
    assert len(seen) > 10


def test_every_part_lies_on_whole_cache_lines() -> None:
    fields = PORTFOLIO.fields
    assert fields is not None
    assert all(offset % CACHE_LINE == 0 for _, offset, *_ in fields.values())
    assert fields["orders"][0].shape == (ORDERS_MAX,)
