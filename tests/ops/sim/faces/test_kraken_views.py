"""Views of a book at a depth: whoever applies the rows and cuts holds the top, always."""

import random

import pytest

from ops.sim.book import ASK, BID, Change
from ops.sim.faces.kraken.views import Views
from ops.sim.listing import invented_line


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("depth", [1, 5, 40])
def test_rows_and_cutting_keep_a_follower_at_the_top_of_the_book(seed: int, depth: int) -> None:
    chance, line, views = random.Random(seed), invented_line("kraken", "BTC/USD"), Views()
    held: tuple[dict[int, int], dict[int, int]] = ({}, {})
    topic = ("book", line.native)
    views.begin(topic, line, depth)
    for turn in range(3_000):
        size_max = chance.choice((0, 5)) if turn // 500 % 2 else 5  # books grow, then shrink
        changes = dict[tuple[int, int], Change]()
        for _ in range(chance.randint(1, 4)):
            side = chance.choice((BID, ASK))
            price = 1_000 + (-1 if side == BID else 1) * chance.randint(1, 60)
            changes[side, price] = Change(side, price, chance.randint(0, size_max))
        for change in changes.values():
            line.book.set(*change)
        for side, rows in enumerate(views.rows(topic, line, depth, list(changes.values()))):
            for price, size in rows:
                if size:
                    held[side][price] = size
                else:
                    held[side].pop(price, None)
            for price in sorted(held[side], reverse=side == BID)[depth:]:
                del held[side][price]
            assert held[side] == dict(line.book.top(side, depth))
