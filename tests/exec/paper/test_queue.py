"""Our place among others: advanced by trades and by our share of cancels, and by each only once."""

from random import Random

import pytest

from exec import records as r
from exec.paper.consumed import Consumed
from exec.paper.lanes import Lane, Lanes
from exec.paper.queue import SETTLE_NS, UNSEEN, Queue, Resting

NOW = 10**12


def order(size: int) -> Resting:
    return Resting(r.Intended(
        1, 1, 0, "a", "BTC/USDT", 1, 100, size, 0, False, False, "x", 0, 0, ""), "1", size)


def queue(ahead: int, size: int = 10, behind: int = 0) -> tuple[Queue, Resting]:
    """Return a queue where we joined behind ``ahead``, and others behind us."""
    made, ours = Queue(ahead, NOW), order(size)
    made.join(ours, ahead, NOW)
    made.look(ahead + behind, NOW)
    return made, ours


def filled(found: list[tuple[Resting, int]]) -> list[int]:
    for each, size in found:
        each.left -= size
    return [size for _, size in found]


def test_a_trade_eats_from_the_front() -> None:
    made, ours = queue(30)
    assert filled(made.trade(20, NOW)) == []
    assert ours.ahead == 10
    assert filled(made.trade(15, NOW)) == [5]


@pytest.mark.parametrize("level_first", [True, False])
def test_a_trade_and_its_shrunk_level_count_once_in_either_order(level_first: bool) -> None:
    made, ours = queue(30, behind=70)
    if level_first:
        made.look(80, NOW)
        assert ours.ahead == 24  # so far it looks like cancels
        made.trade(20, NOW)
    else:
        made.trade(20, NOW)
        made.look(80, NOW)
    assert ours.ahead == 10


def test_cancels_are_shared_pro_rata_and_rounded_against_us() -> None:
    made, ours = queue(30, behind=70)
    made.look(67, NOW)
    assert ours.ahead == 30 - 30 * 33 // 100 == 21
    made.look(66, NOW)
    assert ours.ahead == 21


def test_nobody_is_ahead_who_is_not_there_any_more() -> None:
    made, ours = queue(30, behind=70)
    made.trade(5, NOW)
    made.look(3, NOW)
    assert ours.ahead <= 3
    made.look(500, NOW)
    assert ours.ahead <= 3  # who comes now stands behind us


def test_an_old_shrinkage_is_not_explained_by_a_trade_of_today() -> None:
    made, ours = queue(30, behind=70)
    made.look(80, NOW)
    made.look(80, NOW + 2 * SETTLE_NS)
    made.trade(20, NOW + 2 * SETTLE_NS)
    assert ours.ahead == 4


def test_our_second_order_stands_behind_our_first_and_those_between() -> None:
    made, first = queue(10, size=5)
    second = order(5)
    made.join(second, 20, NOW)
    assert filled(made.trade(16, NOW)) == [5]
    assert (first.left, second.ahead) == (0, 9)


def test_more_are_never_ahead_of_our_second_order_than_the_level_still_shows() -> None:
    made, _first = queue(0, size=10)
    second = order(5)
    made.look(30, NOW)
    made.join(second, 30, NOW)
    assert filled(made.trade(10, NOW)) == [10]  # ours, so that the others are all there still:
    assert second.ahead == 30
    made.look(20, NOW)  # but in the real book the trade took ten of them
    assert second.ahead == 20


def test_a_level_out_of_sight_is_joined_at_its_end_when_it_comes_into_sight() -> None:
    made, ours = Queue(UNSEEN, NOW), order(10)
    made.join(ours, UNSEEN, NOW)
    assert made.trade(1_000, NOW) == []
    made.look(40, NOW)
    assert ours.ahead == 40


def test_the_place_in_a_queue_never_gets_worse_than_it_was_nor_better_than_the_front() -> None:
    draw = Random(3)
    for _ in range(200):
        made, ours = queue(draw.randint(0, 50), size=10**6, behind=draw.randint(0, 50))
        shown, first = made._shown, ours.ahead  # noqa: SLF001
        for step in range(30):
            if draw.random() < 0.5:
                shown = max(0, shown + draw.randint(-20, 20))
                made.look(shown, NOW + step)
                assert ours.ahead <= shown
            else:
                made.trade(draw.randint(1, 10), NOW + step)
            assert 0 <= ours.ahead <= first


def test_consumption_beyond_the_last_level_shown_is_kept() -> None:
    taken = Consumed(1)
    taken.look([(100, 5), (101, 5)])
    taken.take(101, 5, 5)
    taken.look([(99, 1), (100, 5)])
    assert taken
    taken.look([(99, 1), (102, 5)])
    assert not taken


def test_what_leaves_first_on_a_lane_arrives_first_whatever_the_jitter() -> None:
    lanes, came = Lanes(Random(1)), list[int]()
    for number in range(200):
        at_ns = number + lanes.delay(50, 50)
        lanes.send(Lane.ORDERS, at_ns, lambda number=number: came.append(number))  # type: ignore[misc]
    for now_ns in range(400):
        while (action := lanes.take(now_ns)) is not None:
            action()
    assert came == [*range(200)]
