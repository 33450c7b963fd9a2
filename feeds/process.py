"""The feed process of one venue: its segments, its books, its connections.

Books never wait for the catalogue: it is asked for first, with little patience, then again and
again beside them.  A symbol that the venue does not list is said so once, in the log and in the
instruments segment, and the others go on.
"""

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.config import Config, instruments
from engine.model.errors import DecodeError, Refused, Transient, UnknownInstrument
from engine.model.instrument import Instrument
from engine.runtime.context import Context
from engine.runtime.loop import run
from engine.runtime.served import tls_context
from feeds.book import publish
from feeds.book.publish import Memory, Publisher
from feeds.catalog import Listed, list_instruments, write_rows
from feeds.net.budget import Budget
from feeds.net.endpoints import Endpoints, endpoints_of
from feeds.net.live import Live, routes_of
from feeds.net.rest import Rest
from feeds.venue import Listing
from feeds.venues import venue_of
from shm.board import InstrumentTable
from shm.book import BookSegment
from shm.counters import CounterBlock, FeedCounter, FeedHistogram
from shm.layout import Bell, InstrumentStatus
from shm.segment import Segment

CATALOGUE_S_MAX: Final = 5.0  # then the books start without it
CATALOGUE_EVERY_S: Final = 6 * 3600.0  # steps, minima and states change, with a day's notice
CATALOGUE_AGAIN_S: Final = 30.0  # after a failure
ENDPOINTS_EVERY_S: Final = 0.05


def main(context: Context) -> int:
    """Keep the books of the venue that the process is named for, until told to stop."""
    return run(context, _work)


def warm(_config: Config) -> None:
    """Compile what every feed runs: once in the template, before the feeds are forked from it."""
    publish.warm()
    publish.Memory.plain(depth=1, count=1).books.adopt(1, 0)
    _load_counting()


async def _work(context: Context) -> int:
    feed = Feed(context)
    context.ready()
    try:
        await feed.run()
    except BaseExceptionGroup as group:
        raise _first(group) from group
    return 0


def _first(error: BaseException) -> BaseException:
    """Return the first error that the tasks of a group died of."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


class Feed:
    """One venue's part of a run."""

    def __init__(self, context: Context) -> None:
        """Map the segments, take the books over from a predecessor, compile every kernel."""
        self._context, self._log = context, context.log
        name = context.name.partition(":")[2]
        self._venue = venue_of(name)
        self._table = context.config.venues[name]
        all_instruments = instruments(context.config)
        mine = [each for each in all_instruments if each.venue == name]
        self._rows = InstrumentTable(
            _words(context, "instruments"), len(all_instruments)).records
        books = Segment.attach(context.run, f"books.{name}", writable=True)
        memory = Memory(
            BookSegment(books.words, books.depth, len(mine)),
            _words(context, f"updates.{name}"), _words(context, f"trades.{name}"),
            context.control.words, context.control.bell(Bell.DETECTOR), context.counters.words)
        self._publisher = Publisher(
            self._venue, mine, memory, levels_max=context.config.books.levels_max)
        memory.books.adopt(context.epoch, context.clock.mono_ns())
        self._instruments = self._spelled(mine)
        self._listed = self._list(None)
        _load_counting()

    async def run(self) -> None:
        """Find the venue, read its catalogue, keep its books."""
        endpoints = await self._endpoints()
        tls = tls_context(endpoints.ca_file)
        random = Random(f"{self._context.name} {self._context.epoch}")  # noqa: S311  (jitter)
        limits = self._venue.limits
        rest = Rest(
            self._venue.name, endpoints.rest_url, tls=tls, clock=self._context.clock,
            random=random, counters=self._context.counters,
            budget=Budget(per_second=limits.snapshots_per_second or 1.0, burst=4))
        live = Live(
            venue=self._venue, listed=self._listed, books=self._publisher, rest=rest, tls=tls,
            clock=self._context.clock, random=random, log=self._log,
            counters=self._context.counters)
        async with rest, asyncio.TaskGroup() as group:
            refreshed = asyncio.Event()
            group.create_task(self._keep_catalogue(rest, refreshed))
            try:
                async with asyncio.timeout(CATALOGUE_S_MAX):
                    await refreshed.wait()
            except TimeoutError:
                self._log.warning("books start without the catalogue")
            group.create_task(live.run(routes_of(
                self._venue, endpoints, self._wanted(), quotes=self._table.quotes)))

    # ------------------------------------------------------------ where
    async def _endpoints(self) -> Endpoints:
        """Return the endpoints; wait for local servers that have not said theirs yet."""
        local = self._context.run.path if self._context.config.sim is not None else None
        while (found := endpoints_of(self._venue, self._table, local=local)) is None:
            await asyncio.sleep(ENDPOINTS_EVERY_S)
        return found

    # ------------------------------------------------------------ what
    def _spelled(self, mine: Sequence[Instrument]) -> list[Instrument]:
        """Return the instruments that the venue can have; say so of the others."""
        spelled = []
        for instrument in mine:
            try:
                self._venue.native(instrument.name)
            except UnknownInstrument as error:
                self._log.error("not listed", symbol=instrument.name, reason=str(error))
                self._rows[instrument.index]["status"] = InstrumentStatus.NOT_LISTED
            else:
                spelled.append(instrument)
        return spelled

    def _list(self, catalogue: Sequence[Listing] | None) -> list[Listed]:
        """Join the instruments with the catalogue and write what is new into their rows."""
        table = self._table
        listed = list_instruments(
            self._venue, self._instruments, catalogue, table.taker_fee_ppm, table.maker_fee_ppm)
        before = {it.instrument.index: int(self._rows[it.instrument.index]["status"])
                  for it in listed}
        write_rows(
            [it for it in listed if catalogue is not None or not before[it.instrument.index]],
            self._rows)
        for it in listed:
            index, status = it.instrument.index, it.status
            if catalogue is not None and status != before[index]:
                missing = status is InstrumentStatus.NOT_LISTED
                (self._log.error if missing else self._log.info)(
                    "instrument", symbol=it.instrument.name, native=it.native, status=status.name)
        return listed

    def _wanted(self) -> list[str]:
        return [it.native for it in self._listed if it.status is not InstrumentStatus.NOT_LISTED]

    async def _keep_catalogue(self, rest: Rest, refreshed: asyncio.Event) -> None:
        """Read the catalogue now and some times a day; after a failure soon again."""
        decode = self._venue.decode_catalogue
        path = self._venue.catalogue_path([it.native for it in self._listed])
        while decode is not None:
            pause_s = CATALOGUE_AGAIN_S
            try:
                catalogue = decode(await rest.get(path))
            except (Transient, Refused, DecodeError) as error:
                self._log.warning("no catalogue", reason=str(error))
            else:
                self._listed = self._list(catalogue)
                refreshed.set()
                pause_s = CATALOGUE_EVERY_S
            await asyncio.sleep(pause_s)
        refreshed.set()


def _words(context: Context, name: str) -> NDArray[np.int64]:
    return Segment.attach(context.run, name, writable=True).words


def _load_counting() -> None:
    """Load the kernels that count, on memory that nobody reads."""
    block = CounterBlock(np.zeros(CounterBlock.size(1) // 8, np.int64), 0)
    block.count(FeedCounter.FRAMES)
    block.record(FeedHistogram.RESYNC, 1)
