"""The whole feed of every venue against the local venue servers, well and in trouble.

World (servers, faults, truth) ──sockets, REST──▶ Feed ──▶ segments ──▶ compared with truth
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from decimal import Decimal
from pathlib import Path

import msgspec
import numpy as np
import pytest
import structlog
from numpy.typing import NDArray

from engine.config import Config, instruments
from engine.control.roles import roles
from engine.control.segments import create
from engine.model.clock import SystemClock
from engine.runtime.context import Context
from feeds.process import Feed
from ops.sim.faults import Fault, Kind
from ops.sim.listing import Line
from ops.sim.world import World, world_of
from shm.board import ControlView, InstrumentTable
from shm.book import BookSegment
from shm.counters import CounterBlock, FeedCounter
from shm.layout import BookState, InstrumentStatus
from shm.segment import RunFolder

DEADLOCK_S = 30.0
VENUES = {
    "binance": ["BTC/USDT", "ETH/USDT"],
    "binance-us": ["BTC/USDT"],
    "binance-usdm": ["BTC/USDT:USDT", "ETH/USDT:USDT"],
    "okx": ["BTC/USDT", "ETH/USDT"],
    "okx-us": ["BTC/USDT"],
    "kraken": ["BTC/USDT", "ETH/USDT"],
    "coinbase": ["BTC/USDT", "ETH/USDT"],
    "coinbase-exchange": ["BTC/USDT"],
}


class Rig:
    """One engine's segments, its venues' servers and one feed, all in one event loop."""

    def __init__(self, folder: Path, venue: str, **sim: object) -> None:
        self.venue, self.symbols = venue, VENUES[venue]
        self.config = msgspec.convert({
            "name": "test", "venues": {venue: {"symbols": self.symbols}},
            "detector": {
                "edge-min-ppm": 1, "edge-max-ppm": 10_000, "notional-max": {"USDT": 1.0},
                "notional-min": {"USDT": 0.0},
                "book-age-ms-max": 1.0},
            "execution": {"edge-min-ppm": 1}, "sim": {"messages-per-s": 200.0, **sim},
        }, Config)
        clock = SystemClock()
        run = RunFolder(folder / "trypto" / "test")
        run.create()
        self.segments = create(run, self.config, run_id=7, clock=clock)
        self.run = run
        self.world: World = world_of({venue: self.symbols}, self.config.sim, clock)
        control = ControlView(self.segments["control"].words)
        index = 1 + [role.name for role in roles(self.config)].index(f"feed:{venue}")
        self.counters = CounterBlock(self.segments["counters"].words, index)
        log = structlog.wrap_logger(
            structlog.PrintLogger(), processors=[structlog.processors.KeyValueRenderer()],
            wrapper_class=structlog.make_filtering_bound_logger(0))
        self.context = Context(
            name=f"feed:{venue}", index=index, run=run, config=self.config, clock=clock, log=log,
            run_id=7, control=control, counters=self.counters)
        books = self.segments[f"books.{venue}"]
        self.books = BookSegment(books.words, books.depth, len(self.symbols))

    def rows(self) -> NDArray[np.void]:
        """Return the instruments as every process sees them."""
        return InstrumentTable(self.segments["instruments"].words, len(self.symbols)).records

    def lines(self) -> Iterable[Line]:
        """Return what the servers list."""
        return self.world.servers[self.venue].face.lines.values()

    def state(self, local: int) -> BookState:
        """Return the state word of a book."""
        return BookState(int(self.books.records[local]["status"]["state"]))

    def agrees(self, local: int) -> bool:
        """Tell whether the published book is the venue's, to the published depth."""
        truth = self.world.truth(self.venue, self.symbols[local])
        assert truth is not None
        _, slot = self.books.read(local)
        instrument = instruments(self.config)[local]
        return all(
            _levels(slot[f"{side}_price"], slot[f"{side}_size"], int(slot[f"{side}_count"]),
                    instrument.price_decimals, instrument.size_decimals)
            == [(Decimal(price), Decimal(size)) for price, size in true[: self.books.depth]]
            for side, true in (("bid", truth.bids), ("ask", truth.asks)))

    async def settle(self) -> None:
        """Hold the market still, then wait until every book is live and true."""
        self.world.flow.pause()
        while not all(
            self.state(local) is BookState.LIVE and self.agrees(local)
            for local in range(len(self.symbols))
        ):
            await asyncio.sleep(0.01)
        self.world.flow.resume()

    async def lives(self) -> None:
        """Wait until every book is live."""
        while any(self.state(at) is not BookState.LIVE for at in range(len(self.symbols))):
            await asyncio.sleep(0.005)

    async def updates(self, more: int) -> None:
        """Wait until every book took so many changes more."""
        before = [int(record["status"]["updates"]) for record in self.books.records]
        while any(int(record["status"]["updates"]) - old < more
                  for record, old in zip(self.books.records, before, strict=True)):
            await asyncio.sleep(0.01)

    def play(self, story: Callable[["Rig"], Awaitable[None]]) -> None:
        """Run world, feed and story; whatever breaks in any of them is raised."""

        async def together() -> None:
            await self.world.open(self.run.path)
            feed = asyncio.ensure_future(Feed(self.context).run())
            told = asyncio.ensure_future(story(self))
            try:
                async with asyncio.timeout(DEADLOCK_S):
                    done, _ = await asyncio.wait(
                        [feed, told], return_when=asyncio.FIRST_COMPLETED)
                    for task in done:
                        task.result()
            finally:
                for task in (feed, told):
                    task.cancel()
                await asyncio.wait([feed, told])
                await self.world.close()

        asyncio.run(together())


def _levels(
    prices: "list[int]", sizes: "list[int]", count: int, price_decimals: int, size_decimals: int
) -> list[tuple[Decimal, Decimal]]:
    return [(Decimal(int(price)).scaleb(-price_decimals), Decimal(int(size)).scaleb(-size_decimals))
            for price, size in zip(prices[:count], sizes[:count], strict=True)]


@pytest.mark.parametrize("venue", VENUES)
def test_every_book_becomes_live_and_equals_the_venues(tmp_path: Path, venue: str) -> None:
    rig = Rig(tmp_path, venue)

    async def story(it: Rig) -> None:
        await it.lives()
        await it.updates(100)
        await it.settle()

    rig.play(story)
    assert rig.counters.value(FeedCounter.GAPS) == 0
    assert rig.counters.value(FeedCounter.DECODE_ERRORS) == 0
    for row in rig.rows():
        assert row["status"] == InstrumentStatus.TRADING
        assert row["tick"] > 0
        assert row["taker_fee_ppm"] > 0
        assert row["native"] in {line.native.encode() for line in rig.lines()}


TROUBLE = [
    (Kind.DROP, 0.02), (Kind.DUPLICATE, 0.05), (Kind.REORDER, 0.02), (Kind.TRUNCATE, 0.01),
    (Kind.CORRUPT, 0.01), (Kind.RESET, 0.005), (Kind.DISCONNECT, 0.005), (Kind.DELAY, 0.01),
]


@pytest.mark.parametrize("kind", [kind for kind, _ in TROUBLE])
@pytest.mark.parametrize("venue", ["binance", "okx", "kraken", "coinbase"])
def test_after_trouble_every_book_is_true_again(tmp_path: Path, venue: str, kind: Kind) -> None:
    async def story(it: Rig) -> None:
        await it.lives()
        fault = Fault(venue, kind, rate=dict(TROUBLE)[kind], count=8, ms=20.0)
        it.world.faults.add(fault)
        while sum(it.world.faults.struck.values()) < 4:
            await asyncio.sleep(0.01)
        it.world.faults.clear(venue)
        await it.updates(50)  # the next message of each book tells whether the last one was lost
        await it.settle()

    Rig(tmp_path, venue).play(story)
