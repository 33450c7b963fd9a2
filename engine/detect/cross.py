"""The cross-exchange detector as an object: lays out the plan, runs the kernels, reads results."""

from collections.abc import Sequence
from itertools import permutations
from typing import Final, NamedTuple

import numpy as np

from engine.config import Config
from engine.detect import kernels
from engine.detect import plan as p
from engine.market.appraise import Table
from engine.market.touch import TOUCH_WORDS, Source
from engine.model.instrument import Instrument, Kind
from engine.runtime.memory import Memory, open_desk
from shm.atomics import Words
from shm.bell import WaitStrategy
from shm.counters import CounterBlock
from shm.layout import SIGNAL, Bell, words_in
from shm.span import Span

TIMEOUT_NS: Final = 50_000_000  # between two looks at what raises no update: heartbeats, epochs
ENTRIES: Final = 256  # copied from an update ring at a time
_NS_PER_MS: Final = 1_000_000


class Windows(NamedTuple):
    """What one ordered pair has shown so far; edges in ppm, for people."""

    evaluated: int
    entries: int
    events_true: int
    ns_true: int
    signals: int
    is_open: bool
    edge_least: float
    edge_most: float
    edge_mean: float


def ordered_pairs(table: Sequence[Instrument]) -> list[tuple[int, int]]:
    """Return every (buy, sell) of one group at two venues, of which one at least is spot.

    What is settled in another currency than its quote counts in contracts, and is left out.
    """
    return [
        (buy.index, sell.index)
        for buy, sell in permutations(table, 2)
        if buy.group_index == sell.group_index
        and buy.venue_index != sell.venue_index
        and all(side.pair.settle in ("", side.pair.quote) for side in (buy, sell))
        and Kind.SPOT in (buy.pair.kind, sell.pair.kind)
    ]


class Cross:
    """The detector of one engine: ``scan`` one event, ``sweep`` everything, or ``watch``."""

    def __init__(
        self, config: Config, table: Sequence[Instrument], memory: Memory, counters: CounterBlock,
        *, clocked: bool = True, source: Source = Source.BOTH,
    ) -> None:
        """Lay out the plan; with ``clocked`` False only the times given to calls are used."""
        self.pairs = ordered_pairs(table)
        self._span = span = Span([*memory.parts(), counters.words])
        settings = _settings(config, memory, span)
        settings[p.COUNTERS_AT], settings[p.CLOCKED] = span.base(counters.words), clocked
        first, pair_of = _index(self.pairs, len(table))
        edges = np.zeros((len(self.pairs), p.EDGE_WORDS))
        edges[:, p.EDGE_LEAST], edges[:, p.EDGE_MOST] = np.inf, -np.inf
        pairs = np.zeros((len(self.pairs), p.PAIR_WORDS), np.int64)
        pairs[:, [p.BUY, p.SELL]] = np.array(self.pairs, np.int64).reshape(-1, 2)
        self.plan = p.Plan(
            words=span.words,
            # the walk takes all that earns, where the touch earns what the config asks for
            desk=open_desk(config, table, memory, span, source=source,
                           edge_min_ppm=min(0, config.detector.edge_min_ppm)),
            settings=settings, feeds=_feeds(table, memory, span),
            touches=np.zeros((len(table), TOUCH_WORDS), np.int64),
            nets=np.zeros((len(table), p.NET_WORDS)), pairs=pairs, edges=edges,
            first=first, pair_of=pair_of, changed=np.zeros(len(table), np.int64),
            changed_turn=np.zeros(len(table), np.int64),
            pending=np.zeros((max(len(pair_of), 1), 2), np.int64),
            entries=np.zeros(ENTRIES, np.int64),
            record=np.zeros(words_in(SIGNAL), np.int64),
        )

    def scan(self, instrument: int, now_ns: int) -> int:
        """Test one instrument, that just changed, against its group; return signals made."""
        return kernels.scan(self.plan, instrument, now_ns)

    def sweep(self, now_ns: int) -> int:
        """Read and test everything; return signals made."""
        return kernels.sweep(self.plan, now_ns)

    def turn(self, now_ns: int) -> int:
        """Take in all updates, scan what changed; return signals made."""
        return kernels.turn(self.plan, now_ns)

    def watch(self) -> int:
        """Wait for updates and take turns, for TIMEOUT_NS or until signals were made."""
        return kernels.watch(self.plan)

    def windows(self, pair: int, now_ns: int) -> Windows:
        """Return what pair number ``pair`` has shown; an open window counts up to ``now_ns``."""
        state, edges = self.plan.pairs[pair], self.plan.edges[pair]
        opened_ns, evaluated = int(state[p.OPENED_NS]), int(state[p.EVALUATED])
        return Windows(
            evaluated=evaluated, entries=int(state[p.WINDOWS]), events_true=int(state[p.TRUE]),
            ns_true=int(state[p.TRUE_NS]) + (now_ns - opened_ns if opened_ns else 0),
            signals=int(state[p.SIGNALS]), is_open=opened_ns != 0,
            edge_least=float(edges[p.EDGE_LEAST]), edge_most=float(edges[p.EDGE_MOST]),
            edge_mean=float(edges[p.EDGE_SUM]) / evaluated if evaluated else 0.0,
        )


def _settings(config: Config, memory: Memory, span: Span) -> Words:
    detector = config.detector
    settings = np.zeros(p.SETTINGS_WORDS, np.int64)
    settings[p.EDGE_MIN] = detector.edge_min_ppm
    settings[p.EXPIRY_NS] = int(detector.expiry_ms * _NS_PER_MS)
    settings[p.REPEAT_NS] = int(detector.repeat_ms * _NS_PER_MS)
    settings[p.SIGNALS_AT] = span.base(memory.signals.words)
    settings[p.BELL_AT] = span.base(memory.control.words) + memory.control.bell(Bell.DETECTOR)
    settings[p.WAIT] = WaitStrategy[config.wait.strategy.upper()]
    settings[p.TIMEOUT_NS], settings[p.RUN] = TIMEOUT_NS, memory.run
    return settings


def _feeds(table: Sequence[Instrument], memory: Memory, span: Span) -> Table:
    feeds = np.zeros((len(memory.feeds), p.FEED_WORDS), np.int64)
    for row, (number, feed) in zip(feeds, enumerate(memory.feeds), strict=True):
        mine = [instrument.index for instrument in table if instrument.venue_index == number]
        row[p.RING_AT], row[p.CURSOR] = span.base(feed.updates.words), feed.updates.head
        row[p.FIRST_INSTRUMENT], row[p.INSTRUMENT_COUNT] = mine[0], len(mine)
    return feeds


def _index(pairs: Sequence[tuple[int, int]], instruments: int) -> tuple[Words, Words]:
    """Return, row after row, the numbers of the pairs that each instrument is part of."""
    touching = [
        [number for number, pair in enumerate(pairs) if instrument in pair]
        for instrument in range(instruments)
    ]
    first = np.cumsum([0, *map(len, touching)], dtype=np.int64)
    return first, np.array([number for numbers in touching for number in numbers], np.int64)
