"""exec.gate.breakers and throttle: who failed rests, who asks too often waits, cancels pass."""

from exec.gate.breakers import Breaker, Circuit
from exec.gate.throttle import SECOND_NS, Throttle


def test_failures_in_a_row_open_it_and_one_success_between_does_not() -> None:
    circuit = Circuit(3, 100)
    assert [circuit.failed(1), circuit.failed(2)] == [None, None]
    assert circuit.succeeded() is None
    assert [circuit.failed(3), circuit.failed(4), circuit.failed(5)] == [None, None, Breaker.OPEN]
    assert circuit.admits() is Breaker.OPEN


def half_open() -> Circuit:
    circuit = Circuit(1, 100)
    circuit.failed(0)
    assert [circuit.turn(99), circuit.turn(100)] == [None, Breaker.HALF_OPEN]
    return circuit


def test_it_opens_again_on_a_failed_probe_and_closes_on_a_good_one() -> None:
    circuit = half_open()
    assert circuit.admits() is Breaker.HALF_OPEN
    circuit.begin(7)
    assert circuit.admits() is Breaker.OPEN  # one probe at a time
    assert circuit.failed(150, 7) is Breaker.OPEN
    assert circuit.turn(249) is None
    assert circuit.turn(250) is Breaker.HALF_OPEN
    circuit.begin(8)
    assert circuit.succeeded(8) is Breaker.CLOSED
    assert circuit.admits() is Breaker.CLOSED
    assert circuit.failures == 0


def test_only_the_probe_moves_a_half_open_breaker() -> None:
    circuit = half_open()
    circuit.begin(7)
    circuit.begin(8)  # leaves beside it, as a hedge may: it is no probe
    assert [circuit.succeeded(8), circuit.failed(110, 8), circuit.succeeded(0)] == [None] * 3
    assert [circuit.failed(110, 6), circuit.answered(6)] == [None, None]
    assert circuit.succeeded(7) is Breaker.CLOSED


def test_a_probe_of_which_not_a_byte_left_leaves_its_place_to_the_next_order() -> None:
    circuit = half_open()
    circuit.begin(7)
    circuit.unsent(7)
    assert circuit.admits() is Breaker.HALF_OPEN
    circuit.begin(9)
    assert circuit.succeeded(9) is Breaker.CLOSED


def test_a_refusal_for_what_the_order_was_is_no_failure_and_a_good_probe() -> None:
    circuit = Circuit(2, 100)
    for _ in range(10):
        assert circuit.answered(5) is None
    assert [circuit.failed(1), circuit.answered(5), circuit.failed(2)] == [None, None, Breaker.OPEN]
    circuit.turn(102)
    circuit.begin(7)
    assert circuit.answered(7) is Breaker.CLOSED


def test_an_open_breaker_does_not_stay_open_longer_for_late_failures() -> None:
    circuit = Circuit(1, 100)
    circuit.failed(0)
    assert circuit.failed(90) is None
    assert circuit.turn(100) is Breaker.HALF_OPEN


def test_orders_stop_at_the_reserve_and_cancels_go_on() -> None:
    throttle = Throttle(10, 10, 300_000)
    assert throttle.left(0) == 7
    throttle.take(0, 7)
    assert throttle.left(0) == 0
    assert throttle.saved == 3_000_000  # only cancels may take these
    assert throttle.left(SECOND_NS // 10) == 1
    assert throttle.left(10 * SECOND_NS) == 7


def test_time_in_small_steps_gives_as_much_as_in_one() -> None:
    one, many = Throttle(7, 100, 0), Throttle(7, 100, 0)
    one.take(0, 100)
    many.take(0, 100)
    for at in range(0, 2 * SECOND_NS + 1, SECOND_NS // 1000):
        many.left(at)
    assert abs(one.left(2 * SECOND_NS) - many.left(2 * SECOND_NS)) <= 1


def test_a_budget_smaller_than_the_reserve_of_ours_is_shared_not_refused_whole() -> None:
    throttle = Throttle(100, 100, 200_000)  # 20 of 100 are for cancels
    throttle.used(0, 0, 10)
    assert throttle.left(0) == 8  # of the venue's 10, two are
    throttle.take(0, 8)
    assert throttle.left(0) == 0
    assert throttle.left(SECOND_NS) == 8
    throttle.used(SECOND_NS, 0, 1)
    assert throttle.left(SECOND_NS) == 1  # of a single one nothing can be kept
    throttle.used(2 * SECOND_NS, 0, 6_000)
    assert throttle.left(3 * SECOND_NS) == 80


def test_the_venues_word_counts_more_than_ours() -> None:
    throttle = Throttle(10, 10, 0)
    throttle.used(0, 8, 10)
    assert throttle.left(0) == 2
    throttle.bar(5 * SECOND_NS)
    assert throttle.left(4 * SECOND_NS) == 0
    assert throttle.left(5 * SECOND_NS) == 10
