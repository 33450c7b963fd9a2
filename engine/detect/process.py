"""The detector's process: wait, scan, tell execution by both lanes, beat.

The kernel ``watch`` does everything up to the signal in the ring, without the interpreter; what
is left for Python is one bell, one datagram and one heartbeat.
"""

import numpy as np

from engine.config import Config, instruments
from engine.detect.cross import TIMEOUT_NS, Cross
from engine.runtime.context import Context
from engine.runtime.memory import EXEC_BELL, SIGNAL_PREFIX, SIGNALS_SOCKET, Memory
from engine.runtime.wire import Publisher
from shm.bell import FifoRinger, warm_bells
from shm.counters import CounterBlock, DetectorCounter
from shm.layout import WORD, Bell
from shm.ring import RecordRing


class Sender:
    """Pass on what the kernels put into the ring: ring first, then the wire."""

    def __init__(self, context: Context, signals: RecordRing) -> None:
        self._signals, self._cursor = signals, signals.head
        self._counters = context.counters
        bell = context.control.bell(Bell.EXEC)
        self._ringer = FifoRinger(context.run.file(EXEC_BELL), context.control.words, bell)
        self._publisher = Publisher(context.run.file(SIGNALS_SOCKET), SIGNAL_PREFIX)

    def send(self) -> None:
        """Wake execution, then publish every signal made since the last call."""
        self._ringer.ring()
        self._cursor, _, records = self._signals.read(self._cursor, self._signals.capacity)
        for record in records:
            if not self._publisher.send(record.tobytes()):
                self._counters.count(DetectorCounter.WIRE_DROPPED)

    def close(self) -> None:
        """Let go of bell and socket."""
        self._publisher.close()
        self._ringer.close()


def warm(config: Config) -> None:
    """Compile the kernels: once in the template, before the detector is forked from it."""
    table = instruments(config)
    counters = CounterBlock(np.zeros(CounterBlock.size(1) // WORD, np.int64), 0)
    memory = Memory.plain(config, table)
    cross = Cross(config, table, memory, counters)
    cross.sweep(0)
    cross.watch()
    memory.signals.read(memory.signals.head)
    warm_bells()


def main(context: Context) -> int:
    """Detect until told to stop; return 0."""
    table = instruments(context.config)
    memory = Memory.attach(
        context.run, context.config, context.control, table, signals_writable=True)
    warm(context.config)
    cross = Cross(context.config, table, memory, context.counters)
    sender = Sender(context, memory.signals)
    context.log.info("watching", instruments=len(table), pairs=len(cross.pairs))
    try:
        # the first turns load machine code, and what they find is real; nothing is READY before
        cross.sweep(context.clock.mono_ns())
        cross.watch()
        sender.send()
        context.ready()
        swept_ns = 0
        while not context.stopping:
            made, now_ns = 0, context.clock.mono_ns()
            if now_ns - swept_ns >= TIMEOUT_NS:
                swept_ns = now_ns
                made = cross.sweep(now_ns)
            if made or cross.watch():
                sender.send()
            context.beat(1)
    finally:
        sender.close()
    return 0
