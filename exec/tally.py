"""What execution's counters say of orders and plans: the journal's records, counted by kind."""

from typing import Final

from exec import records as r
from exec.core.ports import Log
from shm.counters import CounterBlock, ExecCounter
from shm.layout import TradingState

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
    """A log whose records are counted as they are written."""

    def __init__(self, log: Log, counters: CounterBlock) -> None:
        self._log, self._counters = log, counters

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
        elif isinstance(record, r.PlanClosed):
            if (outcome := _OUTCOMES.get(record.outcome)) is not None:
                self._counters.count(outcome)
        elif isinstance(record, r.StateChanged) and record.now >= TradingState.HALTED:
            self._counters.count(ExecCounter.HALTS)
        return number
