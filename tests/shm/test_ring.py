"""Rings: entries in order, each once, and every loss told."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shm.layout import TRADE
from shm.ring import ENTRIES, HEAD, RecordRing, WordRing, ring_size
from shm.segment import RunFolder, Segment

CAPACITY = 8
STEPS = st.lists(st.tuples(st.integers(0, 3 * CAPACITY), st.integers(0, 2 * CAPACITY)))


def _ring() -> WordRing:
    words = np.zeros(ring_size(WordRing.width, CAPACITY) // 8, np.int64)
    WordRing.format(words, CAPACITY)
    return WordRing(words)


def _trades(capacity: int = CAPACITY) -> RecordRing:
    words = np.zeros(ring_size(TRADE.itemsize // 8, capacity) // 8, np.int64)
    RecordRing.format(words, capacity)
    return RecordRing(words, TRADE)


def test_an_empty_ring_gives_nothing_and_loses_nothing() -> None:
    assert _ring().read(0, np.zeros(4, np.int64)) == (0, 0)


@settings(deadline=None)
@given(STEPS)
def test_a_reader_gets_each_entry_once_in_order_or_is_told_that_it_was_lost(
    steps: list[tuple[int, int]],
) -> None:
    ring, cursor, pushed = _ring(), 0, 0
    for pushes, room in steps:
        for _ in range(pushes):
            assert ring.push(pushed * 10) == pushed
            pushed += 1
        out = np.full(room, -1, np.int64)
        behind = pushed - cursor
        after, lost = ring.read(cursor, out)
        assert lost == (behind - CAPACITY // 2 if behind >= CAPACITY else 0)
        first = cursor + lost
        assert after - first == min(pushed - first, room)
        assert out[: after - first].tolist() == [10 * entry for entry in range(first, after)]
        assert (out[after - first :] == -1).all()
        cursor = after


@settings(deadline=None)
@given(STEPS)
def test_records_keep_the_promises_of_words(steps: list[tuple[int, int]]) -> None:
    ring, cursor, pushed = _trades(), 0, 0
    for pushes, room in steps:
        for _ in range(pushes):
            ring.push(np.arange(8) + 100 * pushed)
            pushed += 1
        after, lost, trades = ring.read(cursor, room)
        assert trades["venue_unix_ns"].tolist() == [100 * at for at in range(cursor + lost, after)]
        assert (trades["instrument"] == trades["venue_unix_ns"] + 7).all()
        cursor = after
    assert ring.head == pushed


def test_a_reader_one_short_of_lapped_loses_nothing() -> None:
    ring = _ring()
    for value in range(CAPACITY - 1):
        ring.push(value)
    out = np.zeros(CAPACITY, np.int64)
    assert ring.read(0, out) == (CAPACITY - 1, 0)


def test_a_full_ring_has_lapped_who_read_nothing_since_its_oldest_entry_is_being_replaced() -> None:
    ring = _ring()
    for value in range(CAPACITY):
        ring.push(value)
    out = np.zeros(CAPACITY, np.int64)
    assert ring.read(0, out) == (CAPACITY, CAPACITY // 2)
    assert out[: CAPACITY // 2].tolist() == [4, 5, 6, 7]


def test_a_writer_killed_inside_an_entry_is_not_seen_and_its_successor_writes_over_it() -> None:
    ring = _trades()
    for number in range(CAPACITY + 3):
        ring.push(np.full(8, number))
    ring.words[ENTRIES + 3 * 8 : ENTRIES + 3 * 8 + 5] = -1  # five words of entry 11
    after, lost, trades = ring.read(4)
    assert (after, lost) == (CAPACITY + 3, 0)
    assert trades["price"].tolist() == list(range(4, CAPACITY + 3))
    successor = RecordRing(ring.words, TRADE)
    assert successor.push(np.full(8, 11)) == 11
    assert successor.read(11)[2]["price"].tolist() == [11]


def test_readers_that_attach_read_only_have_cursors_of_their_own(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "trypto-0" / "run")
    folder.create()
    segment = Segment.create(folder, "updates.okx", "feed:okx", ring_size(1, 16), 1, 1)
    WordRing.format(segment.words, 16)
    segment.publish()
    one, two = (WordRing(Segment.attach(folder, "updates.okx").words) for _ in range(2))
    writer, out = WordRing(segment.words), np.zeros(16, np.int64)
    writer.push(5)
    assert one.read(0, out) == (1, 0)
    writer.push(6)
    assert one.read(1, out) == (2, 0)
    assert out[0] == 6
    assert two.read(0, out) == (2, 0)
    assert out[:2].tolist() == [5, 6]
    assert two.read(two.head, out) == (2, 0)


@pytest.mark.parametrize("capacity", [0, 1, 3, 1000, -8])
def test_a_capacity_that_is_no_power_of_two_is_refused(capacity: int) -> None:
    with pytest.raises(ValueError, match=f"not {capacity}"):
        WordRing.format(np.zeros(2000, np.int64), capacity)


def test_words_that_hold_no_ring_are_refused() -> None:
    words = np.zeros(ring_size(8, 8) // 8, np.int64)
    with pytest.raises(ValueError, match="no ring of capacity 0"):
        WordRing(words)
    RecordRing.format(words, 16)
    with pytest.raises(ValueError, match="no ring of capacity 16"):
        RecordRing(words, TRADE)


def test_the_head_counts_past_32_bits() -> None:
    ring = _ring()
    ring.words[HEAD] = 2**40
    ring.push(1)
    out = np.zeros(1, np.int64)
    assert ring.read(2**40, out) == (2**40 + 1, 0)
    assert out[0] == 1
