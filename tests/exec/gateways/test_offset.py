"""exec.gateways.offset: samples narrow the venue's clock down; a clock that was set starts anew."""

from random import Random

from exec.gateways.offset import Offset

SECOND = 10**9
BOUND = SECOND


def test_samples_of_whole_seconds_narrow_down_to_less_than_one() -> None:
    offset, draw, now = Offset(), Random(3), 1_700_000_000 * SECOND
    true_ns = 300_000_000
    for _ in range(20):
        now += draw.randrange(2 * SECOND)
        came = now + 5_000_000
        offset.add((now + 2_000_000 + true_ns) // SECOND * SECOND, SECOND, now, came)
        assert offset.low_ns <= true_ns <= offset.high_ns
    assert offset.high_ns - offset.low_ns < SECOND // 3


def test_only_what_is_surely_beyond_the_bound_counts() -> None:
    for ahead_ns, beyond in ((0, False), (900_000_000, False), (-900_000_000, False),
                             (2_100_000_000, True), (-2_100_000_000, True)):
        offset = Offset()
        now = 1_700_000_000 * SECOND
        offset.add(now + ahead_ns, 1_000_000, now - 1_000_000, now)
        assert bool(offset.beyond(BOUND)) is beyond, ahead_ns
        assert not beyond or (offset.beyond(BOUND) > 0) is (ahead_ns > 0)


def test_a_clock_that_was_set_counts_from_its_newest_sample() -> None:
    offset, now = Offset(), 1_700_000_000 * SECOND
    offset.add(now, 1_000_000, now, now)
    assert not offset.beyond(BOUND)
    offset.add(now + 60 * SECOND, 1_000_000, now + SECOND, now + SECOND)
    assert 58 * SECOND < offset.beyond(BOUND) < 60 * SECOND
    offset.add(now + 2 * SECOND, 1_000_000, now + 2 * SECOND, now + 2 * SECOND)
    assert not offset.beyond(BOUND)


def test_what_was_known_widens_with_time() -> None:
    offset, now = Offset(), 1_700_000_000 * SECOND
    offset.add(now, 1_000, now, now)
    later = now + 3600 * SECOND
    offset.add(later - 5 * SECOND, 10 * SECOND, later, later)
    assert 3 * SECOND < offset.high_ns - offset.low_ns < 4 * SECOND  # 500 ppm of an hour, twice
