"""The overlay of quote and book against a plain twin."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.market import touch as t
from shm.layout import Veto
from tests.engine.detect.world import World, make_config

DEPTH = 5
Side = list[tuple[int, int]]
side = st.lists(st.tuples(st.integers(90, 110), st.integers(1, 9)), max_size=DEPTH,
                unique_by=lambda level: level[0])
top = st.tuples(st.integers(90, 110), st.integers(0, 9))


def twin(levels: Side, quote: tuple[int, int], *, newer: bool, sign: int) -> Side:
    if not newer:
        return levels
    price, size = quote
    return [quote, *(level for level in levels if sign * (level[0] - price) > 0)] if size else []


@settings(deadline=None, max_examples=200)
@given(side, side, top, top, st.integers(0, 2), st.integers(0, 2), st.integers(0, 2),
       st.sampled_from(t.Source))
def test_the_effective_book_is_what_the_newer_word_leaves(
    bids: Side, asks: Side, bid: tuple[int, int], ask: tuple[int, int], book_id: int,
    quote_id: int, quote_ns: int, source: t.Source,
) -> None:
    bids, asks = sorted(bids, reverse=True), sorted(asks)
    world = World(make_config({"a": ["BTC/USDT"]}, depth=DEPTH))
    world.book(0, bids, asks, now_ns=1, update_id=book_id)
    world.quote(0, bid, ask, now_ns=quote_ns, update_id=quote_id)
    newer = quote_id > book_id if quote_id and book_id else quote_ns > 1
    if source != t.Source.BOTH:
        newer = source == t.Source.QUOTE
    if source == t.Source.QUOTE:
        bids, asks = [], []
    want = {-1: twin(bids, bid, newer=newer, sign=-1), 1: twin(asks, ask, newer=newer, sign=1)}
    books = world.feeds[0].books
    scratch, touch = t.Scratch(DEPTH), np.zeros(t.TOUCH_WORDS, np.int64)
    prices, sizes = np.zeros((2, DEPTH + 1), np.int64)
    tops = []
    for sign, levels in want.items():
        count = t.read_side(books.words, 0, DEPTH, source, sign, scratch.slot, scratch.quote,
                            touch, prices, sizes)
        found = [(int(price), int(size)) for price, size in zip(prices, sizes, strict=True)]
        assert found[:count] == levels
        tops.append(touch.tolist())
    t.read_touch(books.words, 0, DEPTH, source, scratch.slot, scratch.quote, touch)
    assert tops == [touch.tolist()] * 2
    best_bid, best_ask = ((want[sign] or [(0, 0)])[0] for sign in (-1, 1))
    assert (touch[t.BID], touch[t.BID_SIZE]) == best_bid
    assert (touch[t.ASK], touch[t.ASK_SIZE]) == best_ask
    is_crossed = bool(best_bid[0] and best_ask[0] and best_bid[0] >= best_ask[0])
    assert touch[t.VETO] == (Veto.SELF_CROSSED if is_crossed else Veto.NONE)
    assert touch[t.BY_QUOTE] == newer


def test_a_book_that_was_never_published_is_unreadable() -> None:
    books = World(make_config({"a": ["BTC/USDT"]}, depth=DEPTH)).feeds[0].books
    scratch, touch = t.Scratch(DEPTH), np.zeros(t.TOUCH_WORDS, np.int64)
    veto = t.read_touch(books.words, 0, DEPTH, t.Source.BOTH, scratch.slot, scratch.quote, touch)
    assert veto == touch[t.VETO] == Veto.UNREADABLE
