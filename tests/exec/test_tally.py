"""exec.tally: every record is counted by its kind, and how long a venue took to answer."""

import numpy as np
import pytest

from engine.model.clock import ManualClock
from exec import records as r
from exec.tally import SENT_MAX, CountedLog
from shm.counters import CounterBlock, ExecCounter, ExecHistogram
from shm.layout import WORD

MS = 1_000_000


class Paper:
    """A log that only numbers."""

    next_sequence = 1

    def append(self, _record: r.Record) -> int:
        return 7


class Desk:
    def __init__(self) -> None:
        self.clock = ManualClock(mono_ns=10**12)
        self.counters = CounterBlock(np.zeros(CounterBlock.size(1) // WORD, np.int64), 0)
        self.log = CountedLog(Paper(), self.counters, self.clock)

    def after(self, ms: int, record: r.Record) -> None:
        self.clock.advance(ms * MS)
        assert self.log.append(record) == 7

    def count(self, counter: ExecCounter) -> int:
        return self.counters.value(counter)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize(("record", "counter"), [
    (r.Sent(1, "ws"), ExecCounter.ORDERS),
    (r.Acknowledged(1, "v"), ExecCounter.ACKS),
    (r.Rejected(1, "-1", "no"), ExecCounter.REJECTS),
    (r.CancelAsked(1, "asked"), ExecCounter.CANCELS),
    (r.Doubted(1, "no answer in time"), ExecCounter.UNKNOWN),
    (r.PlanClosed(1, "done", 0, 1), ExecCounter.PLANS_DONE),
    (r.PlanClosed(1, "unwound", 0, 1), ExecCounter.PLANS_UNWOUND),
    (r.PlanClosed(1, "missed", 0, 1), ExecCounter.PLANS_MISSED),
    (r.PlanClosed(1, "held", 0, 1), ExecCounter.PLANS_HELD),
    (r.StateChanged(1, 4, "drift", "engine"), ExecCounter.HALTS),
])
def test_each_kind_has_its_counter(desk: Desk, record: r.Record, counter: ExecCounter) -> None:
    desk.after(0, record)
    assert (desk.count(counter), desk.count(ExecCounter.RECORDS)) == (1, 1)


def test_a_state_that_only_restricts_is_no_halt(desk: Desk) -> None:
    desk.after(0, r.StateChanged(1, 3, "loss", "engine"))
    assert desk.count(ExecCounter.HALTS) == 0


def test_the_venues_word_is_timed_from_the_orders_bytes_once(desk: Desk) -> None:
    desk.after(0, r.Sent(1, "ws"))
    desk.after(0, r.Sent(2, "ws"))
    desk.after(3, r.Acknowledged(1, "v"))
    desk.after(5, r.Rejected(2, "-1", "no"))
    desk.after(9, r.Acknowledged(1, "v"))
    found = desk.counters.histogram(ExecHistogram.ORDER_TO_ACK)
    assert (found.count, found.min_ns, found.max_ns) == (2, 3 * MS, 8 * MS)


def test_an_order_without_an_answer_is_counted_and_not_timed(desk: Desk) -> None:
    desk.after(0, r.Sent(1, "ws"))
    desk.after(2_000, r.Doubted(1, "no answer in time"))
    desk.after(1, r.Doubted(1, "cancel: 5xx"))
    desk.after(1, r.Acknowledged(1, "v"))
    assert desk.count(ExecCounter.ORDERS_LOST) == 1
    assert desk.count(ExecCounter.UNKNOWN) == 2
    assert desk.counters.histogram(ExecHistogram.ORDER_TO_ACK).count == 0


def test_orders_that_nobody_answers_take_bounded_memory(desk: Desk) -> None:
    for number in range(SENT_MAX + 5):
        desk.after(0, r.Sent(number, "ws"))
    desk.after(1, r.Acknowledged(0, "v"))
    desk.after(1, r.Acknowledged(SENT_MAX, "v"))
    assert desk.counters.histogram(ExecHistogram.ORDER_TO_ACK).count == 1
