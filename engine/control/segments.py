"""Every segment of a run, created before the first child starts; sizes follow from the config."""

import os
from dataclasses import dataclass
from typing import Final

from engine.config import Config, instruments
from engine.control.roles import CONTROL, FEED, roles
from engine.model.clock import Clock
from engine.model.errors import NoSpace
from engine.model.instrument import Instrument
from engine.runtime.memory import EXEC_BELL
from shm import portfolio
from shm.board import ControlView, InstrumentTable
from shm.book import BookSegment
from shm.counters import CounterBlock
from shm.layout import (
    FATE,
    HEADER,
    SIGNAL,
    TRADE,
    UPDATE_WORDS,
    EngineState,
    Strategy,
    TradingState,
    words_in,
)
from shm.ring import WordRing, ring_size
from shm.segment import RunFolder, Segment

UPDATES_CAPACITY: Final = 8_192  # entries per feed: a detector that is slower resyncs from books
SIGNALS_CAPACITY: Final = 1_024
FIRST_EPOCH: Final = 1
FATES_CAPACITY: Final = 1_024


@dataclass(frozen=True, slots=True)
class Plan:
    """One segment to be."""

    name: str
    owner: str  # the process that writes it
    size: int  # bytes after the header
    depth: int = 0
    ring_capacity: int = 0  # 0: no ring


def plans(config: Config) -> list[Plan]:
    """Return what a run of this config needs."""
    table = instruments(config)
    found = [
        Plan("control", CONTROL, ControlView.SIZE),
        Plan("counters", CONTROL, CounterBlock.size(1 + len(roles(config)))),
        Plan("instruments", CONTROL, InstrumentTable.size(len(table))),
        Plan("signals", "detector", ring_size(words_in(SIGNAL), SIGNALS_CAPACITY),
             ring_capacity=SIGNALS_CAPACITY),
        Plan("fates", "exec", ring_size(words_in(FATE), FATES_CAPACITY),
             ring_capacity=FATES_CAPACITY),
        Plan("portfolio", "exec", portfolio.SIZE),
    ]
    depth, trades = config.books.depth, config.books.trades
    for venue, wanted in config.venues.items():
        owner, count = FEED + venue, len(wanted.symbols)
        found += [
            Plan(f"books.{venue}", owner, BookSegment.size(depth, count), depth=depth),
            Plan(f"updates.{venue}", owner, ring_size(UPDATE_WORDS, UPDATES_CAPACITY),
                 ring_capacity=UPDATES_CAPACITY),
            Plan(f"trades.{venue}", owner, ring_size(words_in(TRADE), trades),
                 ring_capacity=trades),
        ]
    return found


def create(run: RunFolder, config: Config, *, run_id: int, clock: Clock) -> dict[str, Segment]:
    """Create, fill and publish all segments and the FIFO in an empty run folder.

    Raises NoSpace, before anything is created, when they do not fit together.
    """
    wanted = plans(config)
    needed = sum(plan.size + HEADER.itemsize for plan in wanted)
    facts = os.statvfs(run.path)
    free = facts.f_bavail * facts.f_frsize
    if needed > free:
        raise NoSpace(str(run.path), needed_bytes=needed, free_bytes=free)
    made: dict[str, Segment] = {}
    for plan in wanted:
        made[plan.name] = Segment.create(
            run, plan.name, plan.owner, plan.size, run_id, FIRST_EPOCH, depth=plan.depth)
        if plan.ring_capacity:
            WordRing.format(made[plan.name].words, plan.ring_capacity)
    table = instruments(config)
    _fill_instruments(InstrumentTable(made["instruments"].words, len(table)), table)
    _fill_control(ControlView(made["control"].words), config, table, clock)
    run.make_fifo(EXEC_BELL)
    for segment in made.values():
        segment.publish()
    return made


def _fill_instruments(rows: InstrumentTable, table: list[Instrument]) -> None:
    """Write who each instrument is; what only the venue knows is written by its feed."""
    for instrument in table:
        row = rows[instrument.index]
        row.set_text("name", instrument.name)
        row.set_text("venue_name", instrument.venue)
        row["venue"], row["index"] = instrument.venue_index, instrument.index
        row["local_index"], row["group"] = instrument.local_index, instrument.group_index
        row["kind"] = instrument.pair.kind
        row["price_decimals"] = instrument.price_decimals
        row["size_decimals"] = instrument.size_decimals
        row["enabled"] = 1


def _fill_control(
    view: ControlView, config: Config, table: list[Instrument], clock: Clock
) -> None:
    names = [CONTROL, *(role.name for role in roles(config))]
    for index, name in enumerate(names):
        view.processes[index].set_text("name", name)
        view.processes[index]["epoch"] = FIRST_EPOCH
    for index, (venue, wanted) in enumerate(config.venues.items()):
        row = view.venues[index]
        row.set_text("name", venue)
        row["enabled"], row["process"] = 1, names.index(FEED + venue)
        row["first_instrument"] = next(each.index for each in table if each.venue == venue)
        row["instrument_count"] = len(wanted.symbols)
    for strategy in Strategy:
        view.strategies[strategy].set_text("name", strategy.name.lower())
        view.strategies[strategy]["enabled"] = 1
    engine = view.engine
    engine.set_text("name", config.name)
    engine.set_text("mode", config.mode)
    engine["state"], engine["trading_state"] = EngineState.STARTING, TradingState.ACTIVE
    engine["started_unix_ns"], engine["started_mono_ns"] = clock.unix_ns(), clock.mono_ns()
    engine["process_count"], engine["instrument_count"] = len(names), len(table)
