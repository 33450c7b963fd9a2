"""exec.books: what the core is told of a book is what stands in shared memory, or why it is not."""

from typing import Any

import pytest

from bench.histories.world import middle_of
from engine.model.clock import ManualClock
from exec.books import LiveBooks
from shm.book import set_state
from shm.layout import BookFault, BookState, Veto
from tests.engine.detect.world import World, make_config

SECOND = 1_000_000_000
A, B = ("a", "BTC/USDT"), ("b", "BTC/USDT")


class Scene:
    def __init__(self, **settings: Any) -> None:
        self.world = World(make_config(
            {"a": ["BTC/USDT"], "b": ["BTC/USDT"]}, decimals=(2, 5), **settings))
        self.clock = ManualClock(mono_ns=SECOND, unix_ns=SECOND)
        self.books = LiveBooks(
            self.world.config, self.world.table, self.world.memory, self.clock)
        self.world.beat(SECOND)
        self.world.book(0, [(9_990, 50)], [(10_000, 50), (10_010, 100)], now_ns=SECOND)
        self.world.book(1, [(10_020, 70)], [(10_100, 70)], now_ns=SECOND)

    def stale(self, feed: int) -> None:
        set_state(self.world.feeds[feed].books.words, 0, BookState.STALE, BookFault.GAP, SECOND)


def test_the_touch_is_the_books_and_believed() -> None:
    scene = Scene()
    quote = scene.books.quote(*A)
    assert (quote.bid, quote.ask, quote.distrust) == (9_990, 10_000, 0)
    assert scene.books.quote(*B).bid == 10_020


def test_a_book_that_is_stale_dead_or_old_says_so_and_has_no_depth() -> None:
    scene = Scene(book_age_ms_max=100)
    scene.stale(0)
    assert scene.books.quote(*A).distrust == Veto.NOT_LIVE
    assert scene.books.walk(*A, 1, 10) == (0, 0, 0)
    scene.clock.advance(SECOND // 2)
    scene.world.beat(scene.clock.mono_ns())
    assert scene.books.quote(*B).distrust == Veto.BOOK_OLD


def test_the_median_middle_is_that_of_the_believed_books_of_both_sides() -> None:
    scene = Scene()
    both = ("a", "b")
    assert scene.books.middle(("a",), "BTC/USDT") == 9_995
    assert scene.books.middle(both, "BTC/USDT") == (9_995 + 10_060) // 2
    assert scene.books.middle(both, "BTC/USDT") == middle_of(scene.books, both, "BTC/USDT")
    scene.world.book(0, [], [(10_000, 50)], now_ns=SECOND)
    assert scene.books.middle(both, "BTC/USDT") == 10_060  # one side is no middle
    scene.stale(1)
    assert scene.books.middle(both, "BTC/USDT") == 0


@pytest.mark.parametrize(("size", "walked"), [
    (50, (50, 10_000, 500_000)), (60, (60, 10_010, 600_100)), (999, (150, 10_010, 1_501_000))])
def test_a_walk_takes_level_by_level_what_is_there(
    size: int, walked: tuple[int, int, int]
) -> None:
    assert Scene().books.walk(*A, 1, size) == walked


def test_rates_are_the_middle_of_believed_books_and_stay_when_none_is() -> None:
    scene = Scene()
    assert scene.books.rate("USDT") == 1_000_000
    assert scene.books.rate("BTC") in (99_950_000, 100_600_000)
    known = scene.books.rate("BTC")
    scene.stale(0)
    scene.stale(1)
    assert scene.books.rate("BTC") == known
    assert scene.books.rate("DOGE") == 0
