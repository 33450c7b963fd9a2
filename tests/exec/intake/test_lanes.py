"""Exactly once over two lanes, against a plain set."""

from hypothesis import given
from hypothesis import strategies as st

from exec.intake.lanes import WINDOW, Once, Sight


def test_whichever_copy_comes_first_is_new_and_the_other_a_duplicate() -> None:
    once = Once(start=5)
    assert [once.see(number) for number in (6, 7, 6, 7, 8)] == [
        Sight.NEW, Sight.NEW, Sight.DUPLICATE, Sight.DUPLICATE, Sight.NEW]


def test_signals_from_before_our_start_are_never_acted_on() -> None:
    once = Once(start=5)
    assert once.see(5) is Sight.FORGOTTEN
    assert once.see(1) is Sight.FORGOTTEN
    assert (once.missing, once.lost) == (0, 0)


def test_a_gap_is_missing_until_it_is_filled() -> None:
    once = Once(start=0)
    once.see(3)
    assert once.missing == 2
    assert once.see(1) is Sight.NEW
    assert (once.missing, once.lost) == (1, 0)


def test_a_number_that_leaves_the_window_unseen_is_lost_and_no_longer_believed() -> None:
    once = Once(start=0)
    once.see(2)
    assert once.see(WINDOW + 1) is Sight.NEW
    assert once.lost == 1
    assert once.see(1) is Sight.FORGOTTEN
    assert once.see(2) is Sight.DUPLICATE


def test_a_jump_over_whole_windows_counts_all_of_it_as_lost_or_missing() -> None:
    once = Once(start=0)
    once.see(1)
    once.see(10 * WINDOW)
    assert once.missing == WINDOW - 1
    assert once.lost == 9 * WINDOW - 1


@given(st.lists(st.integers(1, 3 * WINDOW), max_size=80))
def test_no_number_is_new_twice_and_every_number_is_accounted_for(numbers: list[int]) -> None:
    once, new = Once(start=0), set[int]()
    for number in numbers:
        if once.see(number) is Sight.NEW:
            assert number not in new
            new.add(number)
    assert once.newest == max(numbers, default=0)
    assert len(new) + once.missing + once.lost == once.newest
