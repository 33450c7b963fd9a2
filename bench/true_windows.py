"""What windows a recording holds: every event replayed, every state tested, no clock but its own.

    recorded.replay ──event──▶ books ──▶ engine.detect, deterministic mode ──▶ windows, to the ns

The live engine is judged by this (``bench.live_windows``).  It is the engine's own code, that
``tests/test_arbitrage_expected.py`` proves against an independent truth.
"""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.config import Config, instruments
from engine.detect import plan as p
from engine.detect.cross import Cross
from engine.market import touch as t
from engine.market.touch import Source
from engine.runtime.memory import FeedPlace, Memory
from feeds.recorded.replay import Happened, Replay
from shm.board import InstrumentTable
from shm.counters import CounterBlock
from shm.layout import WORD, EngineState, Strategy, TradingState, UpdateKind
from shm.ring import WordRing

ALIVE_NS = 2**62  # feeds that beat then are alive at any recorded time


class Window(NamedTuple):
    """One time that an edge lasted: from the event that opened it to the one that ended it."""

    pair: int  # index in Truth.pairs
    start: int  # unix ns
    end: int
    was_signalled: bool  # sizes, lots and minima let a signal pass at some moment of it


class Truth(NamedTuple):
    """All windows of a recording, and when each state of each book came to be."""

    pairs: list[tuple[int, int]]  # (buy, sell) instruments
    windows: list[Window]
    born: list[dict[int, int]]  # per instrument: update id of the effective touch -> unix ns
    told_again: list[set[int]]  # those that a later frame repeated: a book after its quote
    first: int  # unix ns of the first and the last event
    last: int


class _Enough(Exception):
    """The part asked for has been replayed."""


class _Watch:
    """Scans after every event and notes what opens and closes."""

    def __init__(self, cross: Cross, index: dict[tuple[str, str], int], seconds: float) -> None:
        self._cross, self._index, self._seconds = cross, index, seconds
        self._opened = [0] * len(cross.pairs)
        self._signalled = [False] * len(cross.pairs)
        self.windows: list[Window] = []
        self.born: list[dict[int, int]] = [{} for _ in index]
        self.told_again: list[set[int]] = [set() for _ in index]
        self.first = self.last = 0

    def after(self, event: Happened) -> None:
        """Take in one event."""
        if event.kind is UpdateKind.TRADE:
            return
        self.first = self.first or event.t
        if event.t - self.first > self._seconds * 1e9:
            raise _Enough
        self.last = event.t
        instrument = self._index[event.market, event.native]
        self._cross.scan(instrument, event.t)
        plan = self._cross.plan
        update_id, received = plan.touches[instrument, [t.UPDATE, t.RECV_NS]].tolist()
        if self.born[instrument].setdefault(update_id, event.t) != received:
            self.told_again[instrument].add(update_id)
        opened = plan.pairs[:, p.OPENED_NS].tolist()
        if opened != self._opened:
            for pair, (before, after) in enumerate(zip(self._opened, opened, strict=True)):
                if before and before != after:
                    self._close(pair, event.t)
            self._opened = opened
        for pair, signalled_ns in enumerate(plan.pairs[:, p.SIGNALLED_NS].tolist()):
            self._signalled[pair] |= bool(opened[pair] and signalled_ns)

    def end(self) -> None:
        """Close what is open at the end."""
        for pair, opened_ns in enumerate(self._opened):
            if opened_ns:
                self._close(pair, self.last)

    def _close(self, pair: int, now: int) -> None:
        self.windows.append(Window(pair, self._opened[pair], now, self._signalled[pair]))
        self._signalled[pair] = False


def find(
    files: Sequence[str | Path], config: Config, rows: NDArray[np.void], *, source: Source,
    seconds: float,
) -> Truth:
    """Return the windows of the first ``seconds`` of recordings, under a live engine's terms.

    ``config`` and ``rows``, its instruments with fees, lots and minima, are that engine's.
    """
    replay = Replay(files, depth=config.books.depth)
    table = instruments(config)
    listed = [it.instrument for market in replay.markets for it in market.listed]
    assert [it.name for it in listed] == [it.name for it in table]
    feeds = [FeedPlace(market.memory.books, WordRing(market.memory.updates), number)
             for number, market in enumerate(replay.markets)]
    memory = Memory.plain(config, table)._replace(
        feeds=feeds, rows=InstrumentTable(rows.copy().view(np.int64), len(table)))
    control = memory.control
    control.engine["state"] = EngineState.RUNNING
    control.engine["trading_state"] = TradingState.ACTIVE
    control.strategies[Strategy.CROSS]["enabled"] = 1
    for number in range(len(feeds)):
        control.venues[number]["enabled"] = 1
        control.processes[number]["heartbeat_mono_ns"] = ALIVE_NS
    counters = CounterBlock(np.zeros(CounterBlock.size(1) // WORD, np.int64), 0)
    cross = Cross(config, table, memory, counters, clocked=False, source=source)
    watch = _Watch(cross, {(market.name, it.native): it.instrument.index
                           for market in replay.markets for it in market.listed}, seconds)
    with contextlib.suppress(_Enough):
        replay.run(watch.after)
    watch.end()
    return Truth(
        cross.pairs, watch.windows, watch.born, watch.told_again, watch.first, watch.last)
