"""The reference book against two plain dicts."""

from random import Random

from ops.sim.book import ASK, BID, Book, Change


def test_the_book_equals_plain_dicts_after_random_changes() -> None:
    random, book, plain = Random(1), Book(), ({}, {})  # type: ignore[var-annotated]
    for _ in range(5_000):
        side, price, size = random.randrange(2), random.randrange(1, 60), random.randrange(4)
        book.set(side, price, size)
        if size:
            plain[side][price] = size
        else:
            plain[side].pop(price, None)
        assert book.top(BID, 3) == sorted(plain[BID].items(), reverse=True)[:3]
        assert book.top(ASK, 99) == sorted(plain[ASK].items())
    assert book.prices == (sorted(plain[BID]), sorted(plain[ASK]))


def test_truncation_keeps_the_best_and_forgets_the_sizes_of_the_rest() -> None:
    book = Book()
    for price in range(1, 11):
        book.set(BID, price, price)
        book.set(ASK, 100 + price, price)
    book.truncate(3)
    assert book.top(BID, 9) == [(10, 10), (9, 9), (8, 8)]
    assert book.top(ASK, 9) == [(101, 1), (102, 2), (103, 3)]
    assert set(book.sizes[BID]) == {8, 9, 10}


def test_an_empty_side_has_no_touch() -> None:
    book = Book()
    assert book.touch() == (0, 0, 0, 0)
    book.set(ASK, 5, 7)
    assert book.touch() == (0, 0, 5, 7)


def test_a_copy_goes_its_own_way() -> None:
    book = Book()
    book.apply([Change(BID, 10, 1), Change(ASK, 11, 2)])
    copy = book.copy()
    book.apply([Change(BID, 10, 0), Change(ASK, 12, 3)])
    assert (copy.top(BID, 9), copy.top(ASK, 9)) == ([(10, 1)], [(11, 2)])
