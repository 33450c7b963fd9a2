"""Execution's intake, on the memory of a run and signals that a detector made."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import structlog

from bench.histories.world import SETTINGS
from engine.model.clock import ManualClock
from engine.runtime.context import Context
from engine.runtime.memory import EXEC_BELL, SIGNAL_PREFIX
from engine.runtime.wire import Publisher, Subscriber
from exec import records as r
from exec.books import LiveBooks
from exec.core import ports as p
from exec.core.core import Core
from exec.core.recovery import begin
from exec.flags import RunFlags
from exec.intake.appraisal import Appraiser
from exec.intake.intake import Intake
from exec.seats import Seat
from exec.state.state import State
from shm.bell import FifoBell
from shm.counters import CounterBlock, ExecCounter, ExecHistogram
from shm.layout import FATE, Bell, BookState, Fate, Lane, TradingState, Veto, words_in
from shm.ring import RecordRing, ring_size
from shm.segment import RunFolder
from tests.engine.detect.world import World, make_config, words

SECOND = 1_000_000_000
MS = 1_000_000


class Desk:
    """An intake with its core, the world that it sees and the lines that it logged."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.world = World(make_config(
            {"a": ["BTC/USDT"], "b": ["BTC/USDT:USDT"]}, decimals=(2, 5), **settings))
        self.cross = self.world.cross()
        self.clock = ManualClock(mono_ns=SECOND, unix_ns=SECOND)
        self.lines: list[dict[str, Any]] = []
        self.counters = CounterBlock(words(CounterBlock.size(1)), 0)
        fates = words(ring_size(words_in(FATE), 64))
        RecordRing.format(fates, 64)
        self.fates = RecordRing(fates, FATE)
        run = RunFolder(folder)
        os.mkfifo(run.file(EXEC_BELL))
        context = Context(
            name="exec", index=3, run=run, config=self.world.config, clock=self.clock,
            log=structlog.wrap_logger(None, processors=[self._log]), run_id=7,
            control=self.world.control, counters=self.counters,
        )
        self.publisher = Publisher(run.file("s.ipc"), SIGNAL_PREFIX)
        self.subscriber = Subscriber(run.file("s.ipc"), SIGNAL_PREFIX)
        self.bell = FifoBell(run.file(EXEC_BELL), self.world.control.words,
                             self.world.control.bell(Bell.EXEC))
        self.context, self.state, self.records = context, State(), 0
        begin(self, self.state, SETTINGS, [
            r.Listed(each.venue, each.name, each.name, "BTC", "USDT", each.pair.settle, 2, 5)
            for each in self.world.table], unix_ns=SECOND, pid=1)
        memory, table = self.world.memory, self.world.table
        flags = RunFlags(self.world.control, memory.rows, table)
        self.core = Core(
            self, self.state, {venue: Seat(venue) for venue in "ab"},
            LiveBooks(self.world.config, table, memory, self.clock), flags, self.clock, SETTINGS,
            lambda _number, action: action())
        for venue in "ab":
            for report in (p.Ready(venue, ""), p.Listing(venue, ()),
                           p.Balance(venue, "USDT", "1000000", "0", "query")):
                self.core.on_report(report)
        self.intake = self.new_intake()

    @property
    def next_sequence(self) -> int:
        return self.records + 1

    def append(self, record: r.Record) -> int:
        self.records += 1
        self.state.apply(record, self.clock.unix_ns())
        return self.records

    def new_intake(self) -> Intake:
        """Return what a process that starts now would take signals with."""
        world = self.world
        return Intake(
            self.context, world.memory, Appraiser(
                world.config, world.table, world.memory,
                LiveBooks(world.config, world.table, world.memory, self.clock)),
            self.core, self.fates, self.bell, self.subscriber)

    def _log(self, _logger: object, _level: str, event: Any) -> Any:
        self.lines.append(dict(event))
        raise structlog.DropEvent

    def close(self) -> None:
        """Let go of sockets and FIFO."""
        self.publisher.close()
        self.subscriber.close()
        self.bell.close()

    def make_signal(self) -> np.void:
        """Let b bid above a's ask, and the detector say so."""
        self.world.beat(SECOND)
        self.world.book(0, [(9_990, 50)], [(10_000, 50), (10_010, 100)], now_ns=SECOND)
        self.world.book(1, [(10_020, 70)], [(10_100, 70)], now_ns=SECOND)
        self.cross.scan(0, SECOND)
        assert self.cross.scan(1, SECOND) == 1
        return self.world.signal()

    def fate(self) -> np.void:
        """Return the newest fate."""
        return self.fates.read(max(self.fates.head - 1, 0))[2][0]  # type: ignore[no-any-return]

    def count(self, *counters: ExecCounter) -> tuple[int, ...]:
        """Return what was counted."""
        return tuple(self.counters.value(counter) for counter in counters)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


def test_a_signal_from_the_ring_becomes_two_orders(desk: Desk) -> None:
    desk.make_signal()
    desk.clock.advance(5 * MS)
    desk.intake.read_ring()
    line = desk.lines[-1]
    assert (line["event"], line["sequence"], line["lane"]) == ("would send", 1, "ring")
    buy, sell = (each.intent for each in desk.state.orders.values())
    assert (buy.venue, buy.symbol, buy.side, buy.price, buy.size) == (
        "a", "BTC/USDT", 1, 10_010, 70)
    assert (sell.venue, sell.symbol, sell.side, sell.price, sell.size) == (
        "b", "BTC/USDT:USDT", -1, 10_020, 70)
    assert line["profit"] == "0.000120"  # 0.0005 * 0.2 + 0.0002 * 0.1
    assert line["notional"] == "0.070020"
    fate = desk.fate()
    assert (fate["sequence"], fate["fate"], fate["lane"], fate["profit_micro"]) == (
        1, Fate.WOULD_SEND, Lane.RING, 120)
    assert desk.count(ExecCounter.ACCEPTED, ExecCounter.SIGNALS_RING) == (1, 1)
    assert desk.counters.histogram(ExecHistogram.SIGNAL_TO_SEEN_RING).max_ns == 5 * MS


@pytest.mark.parametrize("first", Lane)
def test_whichever_lane_is_first_is_acted_on_and_the_other_only_counted(
    desk: Desk, first: Lane
) -> None:
    signal = desk.make_signal()
    for lane in (first, Lane(1 - first)):
        desk.intake.take(signal, lane)
    assert len(desk.lines) == 1
    assert desk.fates.head == 1
    ring_first, wire_first, ring_again, wire_again = desk.count(
        ExecCounter.SIGNALS_RING, ExecCounter.SIGNALS_WIRE, ExecCounter.DUPLICATES_RING,
        ExecCounter.DUPLICATES_WIRE)
    assert (ring_first, wire_again) == ((1, 1) if first == Lane.RING else (0, 0))
    assert (wire_first, ring_again) == ((1, 1) if first == Lane.WIRE else (0, 0))


def test_a_signal_arrives_over_the_wire_and_garbage_does_not(desk: Desk) -> None:
    signal = desk.make_signal()
    for _ in range(100):  # a subscriber joins late: until then what is sent is lost
        desk.publisher.send(signal.tobytes())
        if desk.subscriber.wait(50):
            break
    desk.publisher.send(b"short")
    other = signal.copy()
    other["run"] = 8
    desk.publisher.send(other.tobytes())
    while desk.count(ExecCounter.MALFORMED) != (2,) and desk.subscriber.wait(2_000):
        desk.intake.on_wire()
    assert desk.count(ExecCounter.SIGNALS_WIRE, ExecCounter.MALFORMED) == (1, 2)
    assert desk.lines[0]["lane"] == "wire"


@pytest.mark.parametrize(("field", "value"), [
    ("run", 8), ("sequence", 2), ("sequence", 0), ("strategy", 9), ("leg_count", 4),
])
def test_a_record_that_our_detector_cannot_have_made_is_malformed(
    desk: Desk, field: str, value: int
) -> None:
    signal = desk.make_signal().copy()
    signal[field] = value
    desk.intake.take(signal, Lane.WIRE)
    assert desk.count(ExecCounter.MALFORMED) == (1,)
    assert not desk.lines


@pytest.mark.parametrize(("field", "value"), [("instrument", 2), ("instrument", -1), ("size", 0)])
def test_a_leg_that_cannot_be_is_malformed(desk: Desk, field: str, value: int) -> None:
    signal = desk.make_signal().copy()
    signal["legs"][1][field] = value
    desk.intake.take(signal, Lane.WIRE)
    assert desk.count(ExecCounter.MALFORMED) == (1,)


def book(bid: int, ask: int) -> Callable[[Desk], None]:
    return lambda desk: desk.world.book(1, [(bid, 70)], [(ask, 70)], now_ns=SECOND)


def engine(field: str, value: int) -> Callable[[Desk], None]:
    return lambda desk: desk.world.control.engine.__setitem__(field, value)


SPOILERS: dict[Veto, Callable[[Desk], None]] = {
    Veto.EXPIRED: lambda desk: desk.clock.advance(250 * MS + 1),
    Veto.KILLED: engine("kill", 1),
    Veto.HALTED: engine("trading_state", TradingState.HALTED),
    Veto.PAUSED: engine("paused", 1),
    Veto.STRATEGY_PAUSED: lambda desk: desk.world.control.strategies[0].__setitem__("enabled", 0),
    Veto.VENUE_PAUSED: lambda desk: desk.world.control.venues[0].__setitem__("enabled", 0),
    Veto.SYMBOL_PAUSED: lambda desk: desk.world.rows[0].__setitem__("enabled", 0),
    Veto.NOT_LIVE: lambda desk: desk.world.state(1, BookState.GAPPED),
    Veto.FEED_RESTARTED: lambda desk: desk.world.control.processes[1].__setitem__("epoch", 2),
    Veto.EDGE: book(9_999, 10_100),
    Veto.SELF_CROSSED: book(10_100, 10_020),
}


@pytest.mark.parametrize("veto", SPOILERS)
def test_what_changed_after_the_signal_refuses_it_by_name(desk: Desk, veto: Veto) -> None:
    desk.make_signal()
    SPOILERS[veto](desk)
    desk.intake.read_ring()
    assert desk.lines[-1]["event"] == "refused"
    assert desk.lines[-1]["reason"] == veto.name.lower()
    assert (desk.fate()["fate"], desk.fate()["veto"]) == (Fate.REFUSED, veto)
    assert desk.count(ExecCounter.REFUSED, ExecCounter[f"VETO_{veto.name}"]) == (1, 1)
    if veto == Veto.EXPIRED:
        assert (desk.fate()["number"], desk.fate()["limit"]) == (250 * MS + 1, 250 * MS)
    if veto == Veto.EDGE:
        assert (desk.fate()["number"], desk.fate()["limit"]) == (-100, 0)


def test_a_book_that_got_thinner_makes_smaller_orders(desk: Desk) -> None:
    desk.make_signal()
    desk.world.book(1, [(10_020, 30)], [(10_100, 70)], now_ns=SECOND)
    desk.intake.read_ring()
    assert [each.intent.size for each in desk.state.orders.values()] == [30, 30]


def test_an_intake_that_starts_late_leaves_earlier_signals_alone(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    try:
        signal = desk.make_signal()
        late = desk.new_intake()
        late.read_ring()
        late.take(signal, Lane.WIRE)
        assert desk.count(ExecCounter.FORGOTTEN, ExecCounter.SIGNALS_WIRE) == (1, 0)
        assert not desk.lines
    finally:
        desk.close()
