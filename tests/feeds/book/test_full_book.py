"""The full book against a plain one: dictionaries of Decimals."""

from collections.abc import Iterator
from decimal import Decimal
from random import Random

import numpy as np
import pytest

from engine.model.quanta import DECIMALS_MAX
from feeds.book.arena import END, FAULT, FIRST, ROWS, SIDE_WORDS, SIDES
from feeds.book.full_book import FullBook
from feeds.book.levels import ASK, BID
from feeds.venue import LevelText
from shm.layout import BookFault

Level = tuple[int, str, str]  # side, price, size: as sent
Sent = tuple[str, str]


class Plain:
    """The plain twin: two dictionaries, and the worst levels go when one is too long."""

    def __init__(self, levels_max: int, depth: int = 0) -> None:
        self.levels_max, self.depth = levels_max, depth
        self.sides: tuple[dict[Decimal, Sent], dict[Decimal, Sent]] = ({}, {})
        self.dropped = 0

    def ranked(self, side: int) -> list[Decimal]:
        """Return the prices of a side, best first."""
        return sorted(self.sides[side], reverse=side == BID)

    def apply(self, levels: list[Level]) -> None:
        """Take one message, level by level, then cut."""
        for side, price, size in levels:
            book = self.sides[side]
            if Decimal(size) == 0:
                book.pop(Decimal(price), None)
                continue
            book[Decimal(price)] = (price, size)
        for side in range(2):
            for worst in self.ranked(side)[self.levels_max:]:
                del self.sides[side][worst]
                self.dropped += 1
            for price_left in self.ranked(side)[self.depth:] if self.depth else ():
                del self.sides[side][price_left]

    def text(self, side: int) -> list[Sent]:
        """Return a side as it was sent, best first."""
        return [self.sides[side][price] for price in self.ranked(side)]


def written(levels: list[Level], level_text: LevelText) -> tuple[str, str]:
    """Write a message in one of the encodings: the texts for bids and for asks."""
    word = {LevelText.SIDED_PAIRS: ("buy", "sell"), LevelText.SIDED_OBJECTS: ("bid", "offer")}
    form = {
        LevelText.PAIRS: '["{1}","{2}"]',
        LevelText.OBJECTS: '{{"price":{1},"qty":{2}}}',
        LevelText.SIDED_PAIRS: '["{0}","{1}","{2}"]',
        LevelText.SIDED_OBJECTS: (
            '{{"side":"{0}","event_time":"2026-11-21T00:00:00Z","price_level":"{1}",'
            '"new_quantity":"{2}"}}'),
    }[level_text]
    if level_text in word:
        texts = [form.format(word[level_text][side], *rest) for side, *rest in levels]
        return f"[{','.join(texts)}]", "[]"
    sides = [[form.format("", *rest) for said, *rest in levels if said == side] for side in (0, 1)]
    return f"[{','.join(sides[BID])}]", f"[{','.join(sides[ASK])}]"


def stream(random: Random, *, messages: int, sort: bool) -> Iterator[list[Level]]:
    """Invent messages around a mid that wanders; bids stay below it, asks above."""
    mid = 100_000
    for _ in range(messages):
        mid += random.randrange(-3, 4)
        levels: list[Level] = []
        for side in (BID, ASK):
            sign = -1 if side == BID else 1
            # what the mid has passed goes, as a venue would send it
            levels += [(side, f"{(mid - sign * at) / 100:.2f}", "0") for at in range(8)]
            steps = [1 + int(random.expovariate(1 / 40)) for _ in range(random.randrange(30))]
            for step in sorted(steps) if sort else steps:
                size = "0" if random.random() < 0.4 else f"{random.randrange(1, 10**6) / 1000:.3f}"
                levels.append((side, f"{(mid + sign * step) / 100:.2f}", size))
        if not sort:
            random.shuffle(levels)
        yield levels


def check(book: FullBook, twin: Plain) -> None:
    """Compare all levels, as sent, and the order of the rows."""
    for side in (BID, ASK):
        keys = book.side(side)[:, 0]
        assert (np.diff(keys) < 0).all()
        head = SIDES + side * SIDE_WORDS
        assert 0 <= book.arena[head + FIRST] <= book.arena[head + END] <= book.arena[ROWS]
    bids, asks = book.levels_text(10**6)
    assert bids == twin.text(BID)
    assert asks == twin.text(ASK)
    assert (book.bid_count, book.ask_count) == (len(twin.sides[0]), len(twin.sides[1]))
    assert book.levels_dropped == twin.dropped


@pytest.mark.parametrize("level_text", list(LevelText))
@pytest.mark.parametrize("sort", [True, False], ids=["sorted", "shuffled"])
def test_random_streams_leave_the_same_book_as_the_plain_one(
    level_text: LevelText, sort: bool
) -> None:
    random = Random(int(level_text) * 2 + sort)
    book = FullBook(8, 8, 4096, True, level_text=level_text)
    twin = Plain(4096)
    for levels in stream(random, messages=250, sort=sort):
        # a shuffled message may remove a level after it set it: the twin takes the same order
        if level_text < LevelText.SIDED_PAIRS:
            levels.sort(key=lambda level: level[0])
        fault = book.apply(*written(levels, level_text))
        twin.apply(levels)
        if fault == BookFault.CROSSED:  # shuffling let a passed level stand
            assert max(twin.sides[BID]) >= min(twin.sides[ASK])
            book.arena[FAULT] = 0
        else:
            assert fault == BookFault.NONE
        check(book, twin)


@pytest.mark.parametrize("levels_max", [1, 2, 17, 64])
@pytest.mark.parametrize("keep_text", [True, False])
def test_a_full_side_drops_its_worst_level_and_counts_it(
    levels_max: int, keep_text: bool
) -> None:
    random = Random(levels_max)
    book = FullBook(2, 3, levels_max, keep_text)
    twin = Plain(levels_max)
    for levels in stream(random, messages=400, sort=True):
        assert book.apply(*written(levels, LevelText.PAIRS)) == BookFault.NONE
        twin.apply(levels)
        assert book.levels_dropped == twin.dropped
        assert book.top(levels_max)[0].tolist() == [
            int(price * 100) for price in twin.ranked(BID)]
        assert book.top(levels_max)[2].tolist() == [
            int(price * 100) for price in twin.ranked(ASK)]
    assert twin.dropped > 100


def test_both_sides_are_cut_to_the_depth_after_the_whole_message() -> None:
    random = Random(5)
    book = FullBook(8, 8, 1000, True, truncate_depth=10)
    twin = Plain(1000, depth=10)
    for levels in stream(random, messages=300, sort=True):
        assert book.apply(*written(levels, LevelText.PAIRS)) == BookFault.NONE
        twin.apply(levels)
        check(book, twin)
    assert book.levels_dropped == 0  # forgotten by the venue's rule, not for want of room


def test_a_market_that_only_rises_never_runs_out_of_room() -> None:
    book = FullBook(0, 0, 32, True)
    twin = Plain(32)
    for price in range(21, 2_000):
        levels = [(BID, str(price), "1"), (BID, str(price - 20), "0"), (ASK, str(price), "0"),
                  (ASK, str(price + 1), "1"), (ASK, str(price + 21), "1")]
        assert book.apply(*written(levels, LevelText.PAIRS)) == BookFault.NONE
        twin.apply(levels)
        check(book, twin)
    for price in range(2_000, 100, -1):
        levels = [(ASK, str(price), "1"), (ASK, str(price + 20), "0"), (BID, str(price), "0"),
                  (BID, str(price - 1), "1"), (BID, str(price - 21), "1")]
        assert book.apply(*written(levels, LevelText.PAIRS)) == BookFault.NONE
        twin.apply(levels)
        check(book, twin)


@pytest.mark.parametrize("order", ["best first", "worst first", "shuffled"])
def test_a_snapshot_may_come_in_any_order(order: str) -> None:
    prices = [str(price) for price in range(1, 3_001)]
    ordered = {"best first": prices[::-1], "worst first": prices}.get(order)
    if ordered is None:
        ordered = prices.copy()
        Random(1).shuffle(ordered)
    book = FullBook(0, 0, 4_096)
    assert book.load(f"[{','.join(f'[{price},7]' for price in ordered)}]") == BookFault.NONE
    assert book.top(5_000)[0].tolist() == list(range(3_000, 0, -1))


@pytest.mark.parametrize("levels_max", [100, 700, 3_000])
def test_a_message_longer_than_any_batch_and_than_the_side_leaves_the_best(
    levels_max: int
) -> None:
    random = Random(levels_max)
    book = FullBook(0, 0, levels_max, True)
    twin = Plain(levels_max)
    for turn in range(12):
        prices = random.sample(range(1, 5_000), 2_000)
        if turn % 2:
            prices.sort(reverse=turn % 4 == 1)
        levels = [(BID, str(price), random.choice(("0", "1", "2"))) for price in prices]
        if levels_max < 2_000:  # what is dropped within a message may not come back in it
            levels = [(side, price, "1") for side, price, _ in levels]
        assert book.apply(*written(levels, LevelText.PAIRS)) == BookFault.NONE
        twin.apply(levels)
        assert book.levels_text(5_000)[0] == twin.text(BID)


def test_a_load_forgets_everything_before() -> None:
    book = FullBook(0, 0, 100)
    book.load("[[5,1],[4,1]]", "[[6,1]]")
    assert book.load("[[3,2]]", "[]") == BookFault.NONE
    assert book.levels_text(9) == ([("3", "2")], [])


def test_the_same_level_may_change_many_times_in_one_message() -> None:
    book = FullBook(2, 2, 100, True)
    text = '[["5","1"],["5","2"],["5","0"],["5","3.5"],["4","1"],["4","0"],["6","0"]]'
    assert book.apply(text) == BookFault.NONE
    assert book.levels_text(9)[0] == [("5", "3.5")]


def test_removing_an_unknown_level_is_normal() -> None:
    book = FullBook(0, 0, 100)
    assert book.apply("[[5,0],[7,0]]", "[[9,0]]") == BookFault.NONE
    assert (book.bid_count, book.ask_count) == (0, 0)


def test_crossing_is_judged_after_the_whole_message() -> None:
    book = FullBook(0, 0, 100)
    book.load("[[5,1]]", "[[6,1]]")
    assert book.apply("[[7,1]]", "[[6,0],[8,1]]") == BookFault.NONE  # crossed only in between
    assert not book.crossed
    assert book.apply("[[8,1]]", "[]") == BookFault.CROSSED  # locked: bid at ask
    assert book.crossed


@pytest.mark.parametrize("bad", ['[["x","1"]]', '[["1.5","1"]]', '[["99999999999999999999","1"]]'])
def test_after_a_fault_a_book_refuses_changes_until_the_next_snapshot(bad: str) -> None:
    book = FullBook(0, 0, 100)
    book.load("[[5,1]]", "[[6,1]]")
    fault = book.apply("[[4,1]]", bad)
    assert fault in (BookFault.PARSE, BookFault.INEXACT, BookFault.OVERFLOW)
    assert book.apply("[[3,1]]") == fault
    assert book.fault == fault
    assert book.load("[[5,1]]", "[[6,1]]") == BookFault.NONE
    assert book.apply("[[3,1]]") == BookFault.NONE


def test_a_broken_snapshot_is_no_book_either() -> None:
    book = FullBook(0, 0, 100)
    assert book.load("[[5,1]", "[[6,1]]") == BookFault.PARSE
    assert book.apply("[[3,1]]") == BookFault.PARSE


def test_text_without_keeping_is_plain_and_with_keeping_as_sent() -> None:
    for keep_text, expected in ((False, ("1.5", "100")), (True, ("1.50", "100.0"))):
        book = FullBook(8, 2, 100, keep_text)
        book.load('[["1.50","100.0"]]')
        assert book.levels_text(1)[0] == [expected]


def test_text_with_more_zeros_than_the_quantum_is_given_back_as_sent() -> None:
    book = FullBook(0, 1, 100, True)
    book.load('[["7.000","2.500"],["3","4"]]')
    assert book.levels_text(2)[0] == [("7.000", "2.500"), ("3", "4")]


def test_the_largest_quanta_are_kept_exactly() -> None:
    book = FullBook(0, 0, 100)
    largest = 2**63 - 1
    assert book.load(f"[[1,{largest}]]", f"[[{largest},{largest}]]") == BookFault.NONE
    assert [column.tolist() for column in book.top(1)] == [[1], [largest], [largest], [largest]]


@pytest.mark.parametrize("decimals", [-1, DECIMALS_MAX + 1])
def test_decimals_that_the_parsers_tables_do_not_hold_are_refused(decimals: int) -> None:
    with pytest.raises(AssertionError):
        FullBook(decimals, 0, 10)
    with pytest.raises(AssertionError):
        FullBook(0, decimals, 10)
