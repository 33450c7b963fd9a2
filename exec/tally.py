"""What execution's counters say of orders and plans: the journal's records, counted by kind."""

from collections.abc import Callable
from typing import Any, Final

from exec import records as r
from exec.core.ports import Clock, Log
from shm.counters import CounterBlock, ExecCounter, ExecHistogram
from shm.layout import TradingState

SENT_MAX: Final = 4_096  # orders without an answer that are timed at once
_BY_KIND: Final = {
    r.Sent: ExecCounter.ORDERS, r.Acknowledged: ExecCounter.ACKS, r.Rejected: ExecCounter.REJECTS,
    r.Filled: ExecCounter.FILLS, r.CancelAsked: ExecCounter.CANCELS, r.Doubted: ExecCounter.UNKNOWN,
    r.Planned: ExecCounter.PLANS,
}
_OUTCOMES: Final = {
    "done": ExecCounter.PLANS_DONE, "unwound": ExecCounter.PLANS_UNWOUND,
    "missed": ExecCounter.PLANS_MISSED, "held": ExecCounter.PLANS_HELD,
}


class CountedLog:
    """A log whose records are counted, and the venues' answers timed, as they are written."""

    def __init__(self, log: Log, counters: CounterBlock, clock: Clock) -> None:
        self._log, self._counters, self._clock = log, counters, clock
        self._sent_ns: dict[int, int] = {}  # orders that no venue has answered yet
        self._also: dict[type, Callable[[Any], None]] = {
            r.Sent: self._sent, r.Acknowledged: self._answered, r.Rejected: self._answered,
            r.Doubted: self._doubted, r.PlanClosed: self._closed, r.StateChanged: self._changed,
        }

    @property
    def next_sequence(self) -> int:
        """Return the number that the next record gets."""
        return self._log.next_sequence

    def append(self, record: r.Record) -> int:
        """Write a record and count it; return its number."""
        number = self._log.append(record)
        self._counters.count(ExecCounter.RECORDS)
        counter = _BY_KIND.get(type(record))
        if counter is not None:
            self._counters.count(counter)
        also = self._also.get(type(record))
        if also is not None:
            also(record)
        return number

    def _sent(self, record: r.Sent) -> None:
        if len(self._sent_ns) >= SENT_MAX:
            self._sent_ns.pop(next(iter(self._sent_ns)))  # the oldest; it is in doubt by now
        self._sent_ns[record.order] = self._clock.mono_ns()

    def _answered(self, record: r.Acknowledged | r.Rejected) -> None:
        sent_ns = self._sent_ns.pop(record.order, None)
        if sent_ns is not None:
            self._counters.record(ExecHistogram.ORDER_TO_ACK, self._clock.mono_ns() - sent_ns)

    def _doubted(self, record: r.Doubted) -> None:
        if self._sent_ns.pop(record.order, None) is not None:
            self._counters.count(ExecCounter.ORDERS_LOST)

    def _closed(self, record: r.PlanClosed) -> None:
        outcome = _OUTCOMES.get(record.outcome)
        if outcome is not None:
            self._counters.count(outcome)

    def _changed(self, record: r.StateChanged) -> None:
        if record.now >= TradingState.HALTED:
            self._counters.count(ExecCounter.HALTS)
