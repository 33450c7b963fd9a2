"""The execution process: signals from two lanes, each acted on once, and its fate told.

    signals ring ──FIFO──► ┐
                           ├─ Once ─► DryRun ─► log, counters, fates ring
    ZeroMQ SUB ──────────► ┘

Signals from before our start are left alone: they are another life's business, or worthless.
"""

import asyncio
from typing import Final

import numpy as np

from engine.config import Config, instruments
from engine.model.quanta import from_quanta
from engine.runtime import loop
from engine.runtime.context import Context
from engine.runtime.memory import EXEC_BELL, SIGNAL_PREFIX, SIGNALS_SOCKET, Memory
from engine.runtime.wire import Subscriber
from exec import dry_run
from exec.dry_run import MICRO_DECIMALS, UNITS, Decision, DryRun
from exec.lanes import Once, Sight
from shm.bell import FifoBell, warm_bells
from shm.counters import EXEC_VETOES, CounterBlock, ExecCounter, ExecHistogram
from shm.layout import FATE, SIGNAL, WORD, Bell, Lane, Strategy, words_in
from shm.ring import RecordRing, ring_size
from shm.segment import Segment

_FIRST: Final = {Lane.RING: ExecCounter.SIGNALS_RING, Lane.WIRE: ExecCounter.SIGNALS_WIRE}
_AGAIN: Final = {Lane.RING: ExecCounter.DUPLICATES_RING, Lane.WIRE: ExecCounter.DUPLICATES_WIRE}
_ARRIVAL: Final = {
    Lane.RING: ExecHistogram.SIGNAL_TO_SEEN_RING, Lane.WIRE: ExecHistogram.SIGNAL_TO_SEEN_WIRE,
}
LEGS: Final = 2


class Executor:
    """Takes signals from both lanes and decides about each once."""

    def __init__(
        self, context: Context, memory: Memory, judge: DryRun, fates: RecordRing, bell: FifoBell,
        subscriber: Subscriber,
    ) -> None:
        self._context, self._counters, self._clock = context, context.counters, context.clock
        self._ring, self._run, self._count = memory.signals, memory.run, len(memory.rows)
        self._judge, self._fates, self._bell, self._subscriber = judge, fates, bell, subscriber
        self._cursor = self._ring.head
        self._once = Once(start=self._cursor)
        self._lost = 0
        self._fate = np.zeros(words_in(FATE), np.int64)

    def on_bell(self) -> None:
        """Read the ring until the bell can be armed again."""
        while True:
            rings = self._bell.disarm()
            self.read_ring()
            if self._bell.arm(rings):
                return

    def read_ring(self) -> None:
        """Take every signal that the ring holds beyond our cursor."""
        while True:
            self._cursor, lost, records = self._ring.read(self._cursor)
            if lost:
                self._counters.count(ExecCounter.LAPS)
            for signal in records:
                self.take(signal, Lane.RING)
            if not records.size:
                return

    def on_wire(self) -> None:
        """Take every signal that the socket holds; its descriptor reports each batch once."""
        while (record := self._subscriber.receive()) is not None:
            if len(record) != SIGNAL.itemsize:
                self._counters.count(ExecCounter.MALFORMED)
            else:
                self.take(np.frombuffer(record, SIGNAL)[0], Lane.WIRE)

    def is_ours(self, signal: np.void) -> bool:
        """Return whether a record is a signal that this run's detector can have made."""
        first, second = signal["legs"][:LEGS]
        return bool(
            signal["run"] == self._run
            and 0 < signal["sequence"] <= self._ring.head  # the ring has it before the wire
            and signal["strategy"] == Strategy.CROSS and signal["leg_count"] == LEGS
            and first["side"] == 1 and second["side"] == -1
            and all(0 <= leg["instrument"] < self._count and leg["size"] > 0
                    for leg in (first, second))
        )

    def take(self, signal: np.void, lane: Lane) -> None:
        """Count a copy; decide about it if it is the first."""
        now_ns = self._clock.mono_ns()
        if not self.is_ours(signal):
            self._counters.count(ExecCounter.MALFORMED)
            return
        self._counters.record(_ARRIVAL[lane], now_ns - int(signal["signal_mono_ns"]))
        sight = self._once.see(int(signal["sequence"]))
        if sight is Sight.NEW:
            self._counters.count(_FIRST[lane])
            self._act(signal, lane, now_ns)
        elif sight is Sight.DUPLICATE:
            self._counters.count(_AGAIN[lane])
        else:
            self._counters.count(ExecCounter.FORGOTTEN)
        lost = self._once.lost
        self._counters.count(ExecCounter.LOST, lost - self._lost)
        self._lost = lost

    def _act(self, signal: np.void, lane: Lane, now_ns: int) -> None:
        decision = self._judge.decide(signal, now_ns)
        self._time(signal)
        self._tell_fate(int(signal["sequence"]), decision, lane)
        if decision.veto:
            self._counters.count(ExecCounter.REFUSED)
            self._counters.count(EXEC_VETOES[decision.veto])
        else:
            self._counters.count(ExecCounter.ACCEPTED)
        self._log(signal, decision, lane)

    def _time(self, signal: np.void) -> None:
        """Record the hops that led here, as far back as they are known."""
        received, published, seen, made, decided = (
            *(int(signal[f"{hop}_mono_ns"]) for hop in ("recv", "publish", "seen", "signal")),
            self._clock.mono_ns(),
        )
        record = self._counters.record
        record(ExecHistogram.SEEN_TO_SIGNAL, made - seen)
        record(ExecHistogram.SIGNAL_TO_DECISION, decided - made)
        if received:
            record(ExecHistogram.RECV_TO_PUBLISH, published - received)
            record(ExecHistogram.PUBLISH_TO_SEEN, seen - published)
            record(ExecHistogram.RECV_TO_DECISION, decided - received)

    def _tell_fate(self, sequence: int, decision: Decision, lane: Lane) -> None:
        fate = self._fate.view(FATE)[0]
        fate["sequence"], fate["fate"], fate["veto"] = sequence, decision.fate, decision.veto
        fate["lane"], fate["number"], fate["limit"] = lane, decision.number, decision.limit
        fate["mono_ns"], fate["profit_micro"] = self._clock.mono_ns(), decision.profit_micro
        self._fates.push(self._fate)

    def _log(self, signal: np.void, decision: Decision, lane: Lane) -> None:
        log = self._context.log
        sequence, window = int(signal["sequence"]), int(signal["window"])
        if decision.veto:
            log.info(
                "refused", sequence=sequence, window=window, lane=lane.name.lower(),
                reason=decision.veto.name.lower(), number=decision.number, limit=decision.limit,
                unit=UNITS.get(decision.veto, ""),
            )
            return
        log.info(
            "would send", sequence=sequence, window=window, lane=lane.name.lower(),
            orders=decision.orders, net_edge_ppm=decision.net_edge_ppm,
            profit=from_quanta(decision.profit_micro, MICRO_DECIMALS),
            notional=from_quanta(decision.notional_micro, MICRO_DECIMALS),
        )


def warm(config: Config) -> None:
    """Compile the kernels: once in the template, before execution is forked from it."""
    table = instruments(config)
    memory = Memory.plain(config, table)
    dry_run.warm(config, table, memory)
    counters = CounterBlock(np.zeros(CounterBlock.size(1) // WORD, np.int64), 0)
    counters.count(ExecCounter.ACCEPTED)
    counters.record(ExecHistogram.SEEN_TO_SIGNAL, 1)
    memory.signals.push(np.zeros(words_in(SIGNAL), np.int64))
    memory.signals.read(0)
    fates = np.zeros(ring_size(words_in(FATE), 2) // WORD, np.int64)
    RecordRing.format(fates, 2)
    RecordRing(fates, FATE).push(np.zeros(words_in(FATE), np.int64))
    warm_bells()


async def work(context: Context) -> int:
    """Serve both lanes until cancelled."""
    table = instruments(context.config)
    memory = Memory.attach(
        context.run, context.config, context.control, table, signals_writable=False)
    judge = DryRun(context.config, table, memory)
    warm(context.config)
    fates = RecordRing(Segment.attach(context.run, "fates", writable=True).words, FATE)
    bell = FifoBell(context.run.file(EXEC_BELL), context.control.words,
                    context.control.bell(Bell.EXEC))
    subscriber = Subscriber(context.run.file(SIGNALS_SOCKET), SIGNAL_PREFIX)
    executor = Executor(context, memory, judge, fates, bell, subscriber)
    events = asyncio.get_running_loop()
    try:
        events.add_reader(bell.fileno(), executor.on_bell)
        events.add_reader(subscriber.fileno(), executor.on_wire)
        executor.on_bell()
        executor.on_wire()
        context.ready()
        await asyncio.Event().wait()
    finally:
        events.remove_reader(bell.fileno())
        events.remove_reader(subscriber.fileno())
        bell.close()
        subscriber.close()
    return 0


def main(context: Context) -> int:
    """Execute until told to stop; return 0."""
    return loop.run(context, work)
