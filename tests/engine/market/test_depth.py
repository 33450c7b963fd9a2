"""Sizing a cross against a plain twin of whole Python integers."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.market import depth as d
from shm.atomics import Words
from shm.layout import Veto

MILLION = 10**6
EDGE_MAX = 8 * 10**12  # eight million times the price: as good as none
Side = list[tuple[int, int]]


def terms(**given_terms: int) -> Words:
    words = np.zeros(d.TERMS_WORDS, np.int64)
    words[[d.NOTIONAL_MAX, d.SIZE_MAX]] = 2**63 - 1
    words[[d.LOT, d.UNIT]], words[d.EDGE_MAX] = 1, EDGE_MAX
    for name, value in given_terms.items():
        words[getattr(d, name.upper())] = value
    return words


def run(asks: Side, bids: Side, conditions: Words) -> tuple[Veto, dict[str, int]]:
    result = np.zeros(d.RESULT_WORDS, np.int64)
    columns = [np.array([level[part] for level in side], np.int64)
               for side in (asks, bids) for part in (0, 1)]
    veto = d.cross(columns[0], columns[1], len(asks), columns[2], columns[3], len(bids),
                   conditions, result)
    names = ("size", "buy_limit", "sell_limit", "buy_average", "sell_average", "cost", "proceeds",
             "profit", "gross_ppm", "net_ppm", "taken_ppm", "number", "limit")
    return Veto(veto), {name: int(result[getattr(d, name.upper())]) for name in names}


def take(side: Side, size: int) -> tuple[int, int, int]:
    """Return value, worst price and the size shown up to it, of taking ``size``."""
    value, worst, shown = 0, 0, 0
    for price, there in side:
        if size == 0:
            break
        step = min(size, there)
        value, worst, shown, size = value + step * price, price, shown + there, size - step
    return value, worst, shown


def twin(asks: Side, bids: Side, t: Words) -> tuple[Veto, dict[str, int]]:
    """Say the same in unbounded integers, level by level, without early exits."""
    unit, size = int(t[d.UNIT]), 0
    sell, buy = MILLION - int(t[d.SELL_FEE]), MILLION + int(t[d.BUY_FEE])
    if asks and bids and bids[0][0] * sell * MILLION > asks[0][0] * buy * (
        MILLION + int(t[d.EDGE_MAX])
    ):
        return Veto.TOO_GOOD, {"limit": int(t[d.EDGE_MAX])}
    money = int(t[d.NOTIONAL_MAX]) * unit
    left_asks, left_bids = [list(level) for level in asks], [list(level) for level in bids]
    while left_asks and left_bids and size < t[d.SIZE_MAX]:
        (ask, ask_size), (bid, bid_size) = left_asks[0], left_bids[0]
        if bid * sell * MILLION < ask * buy * (MILLION + int(t[d.EDGE_MIN])):
            break
        wanted = min(ask_size, bid_size, int(t[d.SIZE_MAX]) - size)
        step = min(wanted, money // ask)
        size += step
        if step < wanted:
            break
        money -= step * ask
        left_asks[0][1] -= step
        left_bids[0][1] -= step
        left_asks = [level for level in left_asks if level[1]]
        left_bids = [level for level in left_bids if level[1]]
    found, size = size, size - size % int(t[d.LOT])
    if found == 0:
        return Veto.EDGE, {}
    if size == 0 or size < t[d.SIZE_MIN]:
        return Veto.SIZE, {"number": found, "limit": max(int(t[d.SIZE_MIN]), int(t[d.LOT]))}
    paid, buy_limit, buy_shown = take(asks, size)
    earned, sell_limit, sell_shown = take(bids, size)
    cost, proceeds = -(-paid // unit), earned // unit
    if cost < t[d.COST_MIN] or proceeds < t[d.PROCEEDS_MIN] or cost == 0:
        return Veto.NOTIONAL, {"number": min(cost, proceeds)}
    paid_net = -(-cost * (MILLION + int(t[d.BUY_FEE])) // MILLION)
    earned_net = proceeds * (MILLION - int(t[d.SELL_FEE])) // MILLION
    return Veto.NONE, {
        "size": size, "buy_limit": buy_limit, "sell_limit": sell_limit, "cost": cost,
        "proceeds": proceeds, "buy_average": -(-paid // size), "sell_average": earned // size,
        "profit": earned_net - paid_net, "gross_ppm": (proceeds - cost) * MILLION // cost,
        "net_ppm": (earned_net - paid_net) * MILLION // paid_net,
        "taken_ppm": size * MILLION // min(buy_shown, sell_shown),
    }


def side(prices: st.SearchStrategy[int], *, falling: bool) -> st.SearchStrategy[Side]:
    level = st.tuples(prices, st.integers(1, 10**12))
    return st.lists(level, min_size=0, max_size=6, unique_by=lambda level: level[0]).map(
        lambda levels: sorted(levels, reverse=falling))


near = st.integers(99_900, 100_100)
far = st.integers(1, 2**53)


@settings(deadline=None, max_examples=400)
@given(st.data(), st.sampled_from([(near, 1), (near, 10**4), (far, 10**10)]))
def test_a_cross_is_sized_as_whole_integers_say(
    data: st.DataObject, case: tuple[st.SearchStrategy[int], int]
) -> None:
    prices, unit = case  # in any real quanta all the money of a book fits a word
    asks, bids = data.draw(side(prices, falling=False)), data.draw(side(prices, falling=True))
    conditions = terms(
        buy_fee=data.draw(st.integers(-500, 3000)), sell_fee=data.draw(st.integers(-500, 3000)),
        edge_min=data.draw(st.sampled_from([0, 0, 100, -1000])),
        edge_max=data.draw(st.sampled_from([EDGE_MAX, EDGE_MAX, 20_000, 1_000])),
        notional_max=data.draw(st.integers(1, 2**62)), size_max=data.draw(st.integers(1, 2**62)),
        lot=data.draw(st.sampled_from([1, 10, 3000])), size_min=data.draw(st.integers(0, 10**6)),
        cost_min=data.draw(st.integers(0, 10**6)),
        proceeds_min=data.draw(st.integers(0, 10**6)),
        unit=unit,
    )
    veto, found = run(asks, bids, conditions)
    expected_veto, expected = twin(asks, bids, conditions)
    assert veto == expected_veto
    assert {name: found[name] for name in expected} == {
        name: min(value, 2**63 - 1) for name, value in expected.items()}


def test_the_walk_ends_where_the_next_level_would_lose() -> None:
    veto, found = run([(100, 5), (101, 5), (103, 5)], [(102, 7), (100, 9)], terms())
    assert veto == Veto.NONE
    assert (found["size"], found["buy_limit"], found["sell_limit"]) == (7, 101, 102)
    assert found["profit"] == 5 * 2 + 2 * 1


def test_fees_turn_a_gross_edge_into_no_trade_and_say_both_numbers() -> None:
    veto, found = run([(100_000, 5)], [(100_100, 5)], terms(buy_fee=600, sell_fee=600))
    assert veto == Veto.EDGE
    assert (found["number"], found["limit"]) == (-210, 0)


def test_a_price_exactly_at_the_threshold_is_taken_and_one_quantum_less_is_not() -> None:
    for bid, veto in ((100_010, Veto.NONE), (100_009, Veto.EDGE)):
        assert run([(100_000, 5)], [(bid, 5)], terms(edge_min=100))[0] == veto


def test_the_notional_limit_is_never_exceeded_by_a_millionth() -> None:
    asks = [(100 + step, 10) for step in range(5)]
    for limit in range(1, 5000, 37):
        veto, found = run(asks, [(200, 10**6)], terms(notional_max=limit))
        assert found["cost"] <= limit or veto in (Veto.EDGE, Veto.SIZE)


def test_more_money_never_buys_less() -> None:
    asks = [(100 + step, 10) for step in range(5)]
    sizes = [run(asks, [(200, 10**6)], terms(notional_max=limit, lot=3))[1]["size"]
             for limit in range(100, 6000, 53)]
    assert all(less <= more for less, more in pairwise(sizes))
    assert sizes[-1] == 48


def test_the_greatest_credible_edge_is_still_taken_and_a_quantum_more_is_not() -> None:
    asks, conditions = [(1_000_000, 10)], terms(buy_fee=1000, sell_fee=1000, edge_max=20_000)
    # 1 000 000 * 1.001 * 1.02 / 0.999 = 1 022 042.04...
    assert run(asks, [(1_022_042, 10)], conditions)[0] is Veto.NONE
    veto, found = run(asks, [(1_022_043, 10)], conditions)
    assert veto is Veto.TOO_GOOD
    assert (found["number"], found["limit"], found["size"]) == (20_000, 20_000, 0)
    assert run([], [(1_022_043, 10)], conditions)[0] is Veto.EDGE
