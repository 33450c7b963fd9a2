"""The window on a deep book: clients who apply what they are told hold its best 400 levels."""

from random import Random

import pytest

from ops.sim.book import ASK, BID, Book
from ops.sim.faces.okx.window import DEPTH, Window


@pytest.mark.parametrize("side", [BID, ASK])
@pytest.mark.parametrize("levels", [380, 400, 420, 900])
def test_clients_hold_the_best_levels_whatever_changes(side: int, levels: int) -> None:
    random, book, window = Random(levels), Book(), Window(side)
    while len(book.sizes[side]) < levels:
        book.set(side, random.randint(1_000, 3_000), 1)
    window.begin(book)
    held = dict(book.top(side, DEPTH))
    for _ in range(600):
        pending: dict[int, int] = {}
        for _ in range(random.choice((0, 1, 3, 40))):
            known = book.prices[side]
            removes = random.random() < (0.6 if len(known) > levels else 0.4)
            price = random.choice(known) if removes else random.randint(1_000, 3_000)
            pending[price] = 0 if removes else random.randint(1, 9)
            book.set(side, price, pending[price])
        told = window.changes(book, pending)
        for price, size in told.items():
            assert size or price in held or price in pending  # nobody is told of what he never had
            if size:
                held[price] = size
            else:
                held.pop(price, None)
        assert held == dict(book.top(side, DEPTH))
