"""What the screen shows, as plain numbers: one look at shared memory, and rates since the last."""

import math
import os
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.model.instrument import Pair
from ops.attach import Engine
from ops.portfolio import Portfolio
from ops.records import Process, Signal, Touch
from ops.trading import TradingWord, trading_word
from shm.counters import (
    DetectorHistogram,
    ExecCounter,
    ExecHistogram,
    FeedCounter,
    FeedHistogram,
    Histogram,
    Metric,
)
from shm.layout import EngineState, ProcessState, Veto

SIGNALS_MAX: Final = 40
_MEMORY_EVERY_NS: Final = 2_000_000_000  # the kernel walks all pages of a process for it
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
# hops of one price, in its order: label, process, histogram
HOPS: Final = (
    ("frame → book", "feed", FeedHistogram.RECV_TO_PUBLISH),
    ("book → detector", "detector", DetectorHistogram.PUBLISH_TO_SEEN),
    ("detector scan", "detector", DetectorHistogram.SCAN),
    ("frame → signal", "detector", DetectorHistogram.RECV_TO_SIGNAL),
    ("signal → exec, memory", "exec", ExecHistogram.SIGNAL_TO_SEEN_RING),
    ("signal → exec, ZeroMQ", "exec", ExecHistogram.SIGNAL_TO_SEEN_WIRE),
    ("frame → decision", "exec", ExecHistogram.RECV_TO_DECISION),
    ("gate", "exec", ExecHistogram.GATE),
    ("signal → order sent", "exec", ExecHistogram.SIGNAL_TO_ORDER),
    ("order → acknowledged", "exec", ExecHistogram.ORDER_TO_ACK),
    ("journal sync", "exec", ExecHistogram.JOURNAL_SYNC),
)


@dataclass(frozen=True, slots=True)
class VenueLine:
    """One venue; None where there is nothing to say yet."""

    name: str
    enabled: bool
    state: ProcessState
    messages_per_s: float | None
    live: int
    total: int
    gaps: int
    resyncs: int
    last_age_ns: int | None
    publish_p99_ns: int | None


@dataclass(frozen=True, slots=True)
class PairLine:
    """The books of one base and quote across venues; ``edge_bps`` is net of both taker fees."""

    name: str
    bid: Touch | None
    ask: Touch | None
    edge_bps: float
    live: int
    total: int
    age_ns: int | None  # of the oldest live book


@dataclass(frozen=True, slots=True)
class Hop:
    """One latency; percentiles in ns."""

    label: str
    count: int
    p50_ns: int
    p99_ns: int
    p999_ns: int
    max_ns: int


@dataclass(frozen=True, slots=True)
class Sample:
    """Everything that the screen shows."""

    name: str
    mode: str
    running: bool
    state: EngineState
    trading: TradingWord
    killed: bool
    paused: bool
    simulated: bool
    uptime_ns: int
    mono_ns: int
    unix_ns: int
    edge_min_bps: float
    processes: list[Process]
    cpu_percent: dict[str, float]
    memory_bytes: dict[str, int]  # pages shared with others count in parts
    venues: list[VenueLine]
    pairs: list[PairLine]
    touches: list[Touch]
    signals: list[Signal]  # newest first
    signal_count: int
    accepted: int
    refused: int
    lost: int
    rejects: int  # orders that venues refused
    hops: list[Hop]
    portfolio: Portfolio | None  # None: execution told nothing yet
    doubt: str  # why the portfolio may not be how things are now


class Sampler:
    """Looks at one engine again and again."""

    def __init__(self, engine: Engine) -> None:
        """Start without a past: the first sample has no rates."""
        self.engine = engine
        self._names = [process.name for process in engine.processes]
        self._mono_ns = 0
        self._frames: dict[str, int] = {}
        self._ticks: dict[int, int] = {}
        self._memory: dict[str, int] = {}
        self._memory_mono_ns = 0

    def take(self) -> Sample:
        """Look once."""
        engine, now = self.engine, self.engine.clock.mono_ns()
        elapsed_s = (now - self._mono_ns) / 1e9 if self._mono_ns else 0.0
        self._mono_ns = now
        processes = engine.processes
        touches = [engine.touch(venue, symbol) for venue, symbol in engine.pairs]
        row, executed = engine.control.engine, engine.block("exec")
        portfolio = engine.portfolio()
        return Sample(
            name=engine.name, mode=engine.config.mode, running=engine.running, state=engine.state,
            trading=trading_word(engine.run, engine.control, portfolio), killed=bool(row["kill"]),
            paused=bool(row["paused"]), simulated=engine.simulated, uptime_ns=engine.uptime_ns,
            mono_ns=now, unix_ns=engine.clock.unix_ns(),
            edge_min_bps=engine.config.detector.edge_min_ppm / 100,
            processes=processes, cpu_percent=self._cpu_percent(processes, elapsed_s),
            memory_bytes=self._memory_bytes(processes, now),
            venues=self._venues(processes, touches, elapsed_s),
            pairs=pair_lines(touches, engine.taker_fees_ppm), touches=touches,
            signals=engine.signals(SIGNALS_MAX)[::-1], signal_count=engine.signal_count,
            accepted=executed.value(ExecCounter.ACCEPTED),
            refused=executed.value(ExecCounter.REFUSED), lost=executed.value(ExecCounter.LOST),
            rejects=executed.value(ExecCounter.REJECTS),
            hops=[self._hop(*hop) for hop in HOPS], portfolio=portfolio,
            doubt=engine.doubt(portfolio) if portfolio else "",
        )

    def _venues(
        self, processes: list[Process], touches: list[Touch], elapsed_s: float
    ) -> list[VenueLine]:
        states = {process.name: process.state for process in processes}
        found = []
        for index, venue in enumerate(self.engine.venues):
            feed = f"feed:{venue}"
            block, own = self.engine.block(feed), [each for each in touches if each.venue == venue]
            frames = block.value(FeedCounter.FRAMES)
            before = self._frames.get(venue)
            self._frames[venue] = frames
            last_mono_ns = int(self.engine.records(venue)["status"]["last_recv_mono_ns"].max())
            publish = block.histogram(FeedHistogram.RECV_TO_PUBLISH)
            found.append(VenueLine(
                name=venue, enabled=bool(self.engine.control.venues[index]["enabled"]),
                state=states[feed],
                messages_per_s=None if before is None or not elapsed_s
                else max(frames - before, 0) / elapsed_s,
                live=sum(each.veto is Veto.NONE for each in own), total=len(own),
                gaps=block.value(FeedCounter.GAPS), resyncs=block.value(FeedCounter.RESYNCS),
                last_age_ns=self._mono_ns - last_mono_ns if last_mono_ns else None,
                publish_p99_ns=publish.percentile_ns(99) if publish.count else None,
            ))
        return found

    def _hop(self, label: str, kind: str, number: Metric) -> Hop:
        whole = merged([self.engine.block(name).histogram(number)
                        for name in self._names if name.partition(":")[0] == kind])
        p50, p99, p999 = (whole.percentile_ns(percent) for percent in (50, 99, 99.9))
        return Hop(label, whole.count, p50, p99, p999, whole.max_ns)

    def _memory_bytes(self, processes: list[Process], now_ns: int) -> dict[str, int]:
        """Return each process's proportional share of memory, at most some seconds old."""
        if not self._memory or now_ns - self._memory_mono_ns >= _MEMORY_EVERY_NS:
            self._memory_mono_ns = now_ns
            found = {process.name: proportional_bytes(process.pid) for process in processes}
            self._memory = {name: size for name, size in found.items() if size is not None}
        return self._memory

    def _cpu_percent(self, processes: list[Process], elapsed_s: float) -> dict[str, float]:
        """Return the share of one core that each process used since the last look."""
        before, self._ticks = self._ticks, {}
        found = {}
        for process in processes:
            ticks = cpu_ticks(process.pid)
            if ticks is None:
                continue
            self._ticks[process.pid] = ticks
            if elapsed_s and process.pid in before:
                used_s = (ticks - before[process.pid]) / _TICKS_PER_S
                found[process.name] = 100 * used_s / elapsed_s
        return found


def pair_lines(touches: Sequence[Touch], fees_ppm: Sequence[int]) -> list[PairLine]:
    """Return the best prices of each group of comparable books, and the edge across venues."""
    groups: dict[str, list[tuple[Touch, int]]] = {}
    for touch, fee_ppm in zip(touches, fees_ppm, strict=True):
        groups.setdefault(Pair.parse(touch.symbol).group, []).append((touch, fee_ppm))
    found = []
    for name, members in groups.items():
        live = [(touch, fee) for touch, fee in members if touch.veto is Veto.NONE]
        bids = [(touch, fee) for touch, fee in live if not math.isnan(touch.bid)]
        asks = [(touch, fee) for touch, fee in live if not math.isnan(touch.ask)]
        edges = [
            (sell.bid * (1 - sell_fee / 1e6) / (buy.ask * (1 + buy_fee / 1e6)) - 1) * 1e4
            for sell, sell_fee in bids for buy, buy_fee in asks if sell is not buy
        ]
        found.append(PairLine(
            name=name, bid=max((each for each, _ in bids), key=lambda at: at.bid, default=None),
            ask=min((each for each, _ in asks), key=lambda at: at.ask, default=None),
            edge_bps=max(edges, default=float("nan")), live=len(live), total=len(members),
            age_ns=max((each.age_ns for each, _ in live), default=None),
        ))
    return found


def merged(parts: Sequence[Histogram]) -> Histogram:
    """Return several histograms as one."""
    whole = copy(parts[0])
    for part in parts[1:]:
        whole.buckets = whole.buckets + part.buckets
        whole.count, whole.sum_ns = whole.count + part.count, whole.sum_ns + part.sum_ns
        whole.max_ns = max(whole.max_ns, part.max_ns)
    return whole


def cpu_ticks(pid: int) -> int | None:
    """Return the clock ticks that a process used, user and system; None when it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()  # the name before it may hold anything
    return int(fields[11]) + int(fields[12])


def proportional_bytes(pid: int) -> int | None:
    """Return the memory of a process, a page shared by n processes counted as 1/n of a page.

    The processes of an engine are forks of one: their plain resident sizes count the same
    pages ten times.  None when the process is gone.
    """
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    return next(
        (int(line.split()[1]) << 10 for line in rollup.splitlines() if line.startswith("Pss:")),
        None,
    )
