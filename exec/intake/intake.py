"""Signals from two lanes, each acted on once, and its fate told.

    signals ring ──FIFO──► ┐
                           ├─ Once ─► Appraiser ─► Core ─► fates ring, counters, log
    ZeroMQ SUB ──────────► ┘

Signals from before our start are left alone: they are another life's business, or worthless.
"""

from typing import Final

import numpy as np

from engine.model.quanta import from_quanta
from engine.runtime.context import Context
from engine.runtime.memory import Memory
from engine.runtime.wire import Subscriber
from exec.core.core import Core, Signal
from exec.gate.checks import Refusal
from exec.gate.vetoes import veto_of
from exec.intake.appraisal import UNITS, Appraiser
from exec.intake.lanes import Once, Sight
from shm.bell import FifoBell
from shm.counters import EXEC_VETOES, ExecCounter, ExecHistogram
from shm.layout import FATE, SIGNAL, Fate, Lane, Strategy, Veto, words_in
from shm.ring import RecordRing

MICRO_DECIMALS: Final = 6
LEGS: Final = 2
_FIRST: Final = {Lane.RING: ExecCounter.SIGNALS_RING, Lane.WIRE: ExecCounter.SIGNALS_WIRE}
_AGAIN: Final = {Lane.RING: ExecCounter.DUPLICATES_RING, Lane.WIRE: ExecCounter.DUPLICATES_WIRE}
_ARRIVAL: Final = {
    Lane.RING: ExecHistogram.SIGNAL_TO_SEEN_RING, Lane.WIRE: ExecHistogram.SIGNAL_TO_SEEN_WIRE,
}


class Intake:
    """Takes signals from both lanes and lets the core decide about each once."""

    def __init__(
        self, context: Context, memory: Memory, appraiser: Appraiser, core: Core,
        fates: RecordRing, bell: FifoBell, subscriber: Subscriber,
    ) -> None:
        self._context, self._counters, self._clock = context, context.counters, context.clock
        self._ring, self._run, self._count = memory.signals, memory.run, len(memory.rows)
        self._appraiser, self._core, self._fates = appraiser, core, fates
        self._bell, self._subscriber = bell, subscriber
        self._sends = Fate.WOULD_SEND if context.config.mode == "dry_run" else Fate.SENT
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
            for record in records:
                self.take(record, Lane.RING)
            if not records.size:
                return

    def on_wire(self) -> None:
        """Take every signal that the socket holds; its descriptor reports each batch once."""
        while (record := self._subscriber.receive()) is not None:
            if len(record) != SIGNAL.itemsize:
                self._counters.count(ExecCounter.MALFORMED)
            else:
                self.take(np.frombuffer(record, SIGNAL)[0], Lane.WIRE)

    def is_ours(self, record: np.void) -> bool:
        """Return whether a record is a signal that this run's detector can have made."""
        first, second = record["legs"][:LEGS]
        return bool(
            record["run"] == self._run
            and 0 < record["sequence"] <= self._ring.head  # the ring has it before the wire
            and record["strategy"] == Strategy.CROSS and record["leg_count"] == LEGS
            and first["side"] == 1 and second["side"] == -1
            and all(0 <= leg["instrument"] < self._count and leg["size"] > 0
                    for leg in (first, second))
        )

    def take(self, record: np.void, lane: Lane) -> None:
        """Count a copy; decide about it if it is the first."""
        now_ns = self._clock.mono_ns()
        if not self.is_ours(record):
            self._counters.count(ExecCounter.MALFORMED)
            return
        self._counters.record(_ARRIVAL[lane], now_ns - int(record["signal_mono_ns"]))
        sight = self._once.see(int(record["sequence"]))
        if sight is Sight.NEW:
            self._act(record, lane, now_ns)
            self._counters.count(_FIRST[lane])
        elif sight is Sight.DUPLICATE:
            self._counters.count(_AGAIN[lane])
        else:
            self._counters.count(ExecCounter.FORGOTTEN)
        lost = self._once.lost
        self._counters.count(ExecCounter.LOST, lost - self._lost)
        self._lost = lost

    def _act(self, record: np.void, lane: Lane, now_ns: int) -> None:
        signal = self._appraiser.signal(record, now_ns)
        refusal = self._core.on_signal(signal)
        self._time(record, now_ns)
        veto = Veto.NONE
        if refusal is not None:
            veto = self._appraiser.veto if signal.refused else veto_of(refusal)
            self._counters.count(ExecCounter.REFUSED)
            self._counters.count(EXEC_VETOES[veto])
        else:
            self._counters.count(ExecCounter.ACCEPTED)
        self._tell_fate(signal, refusal, veto, lane)
        self._log(signal, refusal, veto, lane)

    def _time(self, record: np.void, now_ns: int) -> None:
        """Record the hops that led here, as far back as they are known."""
        received, published, seen, made = (
            int(record[f"{hop}_mono_ns"]) for hop in ("recv", "publish", "seen", "signal"))
        decided, note = self._clock.mono_ns(), self._counters.record
        note(ExecHistogram.SEEN_TO_SIGNAL, made - seen)
        note(ExecHistogram.SIGNAL_TO_DECISION, decided - made)
        note(ExecHistogram.SIGNAL_TO_ORDER, decided - now_ns)
        if received:
            note(ExecHistogram.RECV_TO_PUBLISH, published - received)
            note(ExecHistogram.PUBLISH_TO_SEEN, seen - published)
            note(ExecHistogram.RECV_TO_DECISION, decided - received)

    def _tell_fate(
        self, signal: Signal, refusal: Refusal | None, veto: Veto, lane: Lane
    ) -> None:
        fate = self._fate.view(FATE)[0]
        fate["sequence"], fate["lane"], fate["veto"] = signal.sequence, lane, veto
        fate["fate"] = self._sends if refusal is None else Fate.REFUSED
        fate["number"], fate["limit"] = (
            (0, 0) if refusal is None else (_word(refusal.number), _word(refusal.limit)))
        fate["mono_ns"], fate["profit_micro"] = self._clock.mono_ns(), signal.profit_micro
        self._fates.push(self._fate)

    def _log(self, signal: Signal, refusal: Refusal | None, veto: Veto, lane: Lane) -> None:
        log, name = self._context.log, lane.name.lower()
        if refusal is not None:
            log.info(
                "refused", sequence=signal.sequence, window=signal.window, lane=name,
                reason=refusal.check, number=refusal.number, limit=refusal.limit,
                where=refusal.where, unit=UNITS.get(veto, ""))
            return
        log.info(
            "would send" if self._sends is Fate.WOULD_SEND else "sent", sequence=signal.sequence,
            window=signal.window, lane=name, legs=signal.legs, net_edge_ppm=signal.edge_ppm,
            profit=from_quanta(signal.profit_micro, MICRO_DECIMALS),
            notional=from_quanta(self._appraiser.notional_micro, MICRO_DECIMALS))


def _word(number: int) -> int:
    """Return a number as a word holds it."""
    return max(-(2**63), min(number, 2**63 - 1))
