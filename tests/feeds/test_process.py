"""The whole feed of every venue against the local venue servers, well and in trouble.

    World (servers, faults, truth) ──sockets, REST──▶ Feed ──▶ segments ──▶ compared with truth

World and feed share one event loop here; in an engine they are processes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from decimal import Decimal
from pathlib import Path
from random import Random

import msgspec
import numpy as np
import pytest
import structlog
from numpy.typing import NDArray

from engine.config import Config, instruments
from engine.control.roles import roles
from engine.control.segments import create
from engine.model.clock import SystemClock
from engine.model.fault import Fault, Kind
from engine.runtime.context import Context
from feeds.process import Feed
from feeds.venues import venue_of
from ops.sim.exchange.audit import audit
from ops.sim.exchange.orders import BUY, SELL, Request, Tif
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
        self.trading = True  # what a trader may do now

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
        depth = venue_of(self.venue).vouched_depth or self.books.depth
        instrument = instruments(self.config)[local]
        for side, true in (("bid", truth.bids), ("ask", truth.asks)):
            count = int(slot[f"{side}_count"])
            prices = _plain(slot[f"{side}_price"][:count], instrument.price_decimals)
            sizes = _plain(slot[f"{side}_size"][:count], instrument.size_decimals)
            wanted = [(Decimal(price), Decimal(size)) for price, size in true[:depth]]
            if list(zip(prices, sizes, strict=True)) != wanted:
                return False
        return True

    def struck(self, kind: Kind) -> int:
        """Return how often a fault struck."""
        return self.world.faults.struck.get(f"{self.venue}:{kind}", 0)

    async def settle(self) -> None:
        """Hold the market still, then wait until every book is live and true."""
        self.trading = False
        self.world.flow.pause()
        while not all(
            self.state(local) is BookState.LIVE and self.agrees(local)
            for local in range(len(self.symbols))
        ):
            await asyncio.sleep(0.01)
        self.world.flow.resume()
        self.trading = True

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


class Trader:
    """A client that rests orders in front of, at and behind the touch, takes, amends, cancels."""

    def __init__(self, rig: Rig, seed: int) -> None:
        self._rig, self._random = rig, Random(seed)
        self._floor = rig.world.servers[rig.venue].face.floor
        self.deeds = 0

    async def trade(self) -> None:
        """Do something every millisecond or so, for ever, while it is allowed."""
        while True:
            await asyncio.sleep(0.001)
            if self._rig.trading:
                self._deed(self._random.choice([*self._rig.lines()]))

    def fills(self) -> list[bool]:
        """Return which of its fills it took, and which were made."""
        return [fill.taker for fill in self._floor.exchange.fills_since("main")]

    def _deed(self, line: Line) -> None:
        self.deeds += 1
        random, floor, touch = self._random, self._floor, line.book.touch()
        resting = floor.exchange.open_orders("main", line.native)
        if len(resting) > 20 or (resting and random.random() < 0.3):
            order = random.choice(resting)
            if random.random() < 0.3:
                floor.amend("main", order_id=order.id, size=order.size + 10**self._more(line))
            else:
                floor.cancel("main", order_id=order.id)
            return
        symbol, side = floor.exchange.listed[line.native].symbol, random.choice((BUY, SELL))
        own, other = (touch.bid, touch.ask) if side == BUY else (touch.ask, touch.bid)
        if not (own and other):
            return
        takes = random.random() < 0.2
        price = (other if takes else own + side * random.randint(-20, 5)) * 10 ** (
            symbol.price_decimals - line.price_decimals)
        floor.place(Request(
            account="main", symbol=line.native, side=side, price=price,
            size=random.randint(1, 9) * 10 ** self._more(line),
            tif=random.choice((Tif.GTC, Tif.GTC, Tif.IOC))))

    def _more(self, line: Line) -> int:
        """Return how many decimals are left of a size of about a thousandth of a coin."""
        symbol = self._floor.exchange.listed[line.native].symbol
        return max(symbol.size_decimals - line.lot_decimals, symbol.size_decimals - 2)


def _plain(quanta: NDArray[np.int64], decimals: int) -> list[Decimal]:
    return [Decimal(int(each)).scaleb(-decimals) for each in quanta]


@pytest.mark.parametrize("venue", VENUES)
def test_every_book_becomes_live_and_equals_the_venues(tmp_path: Path, venue: str) -> None:
    rig = Rig(tmp_path, venue)

    async def story(it: Rig) -> None:
        await it.lives()
        await it.updates(100)
        while it.counters.value(FeedCounter.TRADES) < 5:
            await asyncio.sleep(0.01)
        await it.settle()

    rig.play(story)
    assert rig.counters.value(FeedCounter.GAPS) == 0
    assert rig.counters.value(FeedCounter.DECODE_ERRORS) == 0
    for row in rig.rows():
        assert row["status"] == InstrumentStatus.TRADING
        assert row["tick"] > 0
        assert row["taker_fee_ppm"] > 0
        assert row["native"] in {line.native.encode() for line in rig.lines()}


FRAME_TROUBLE = [
    (Kind.DROP, 3), (Kind.DUPLICATE, 3), (Kind.REORDER, 3), (Kind.TRUNCATE, 2), (Kind.CORRUPT, 2),
    (Kind.BLOAT, 1), (Kind.DELAY, 3), (Kind.RESET, 1), (Kind.DISCONNECT, 1),
]


async def suffer(it: Rig, kind: Kind, count: int) -> None:
    """Let the venue misbehave ``count`` times, then see that all is well again."""
    it.world.faults.add(Fault(it.venue, kind, rate=0.1, count=count, ms=20.0))
    while it.struck(kind) < count:
        await asyncio.sleep(0.01)
    it.world.faults.clear(it.venue)
    await it.updates(10)  # the next message of each book tells whether the last one was lost
    await it.settle()


@pytest.mark.parametrize("venue", ["binance", "binance-usdm", "okx", "kraken", "coinbase"])
def test_after_every_trouble_with_frames_every_book_is_true_again(
    tmp_path: Path, venue: str
) -> None:
    async def story(it: Rig) -> None:
        await it.lives()
        for kind, count in FRAME_TROUBLE:
            await suffer(it, kind, count)

    rig = Rig(tmp_path, venue)
    rig.play(story)
    assert rig.counters.value(FeedCounter.RESYNCS) > 0
    assert rig.counters.value(FeedCounter.DISCONNECTS) >= 2


@pytest.mark.parametrize("venue", VENUES)
def test_every_book_stays_the_venues_while_a_client_trades_in_it(
    tmp_path: Path, venue: str
) -> None:
    async def story(it: Rig) -> None:
        trader = Trader(it, seed=5)
        trading = asyncio.ensure_future(trader.trade())
        await it.lives()
        # until it did much, took and was taken
        while trader.deeds < 300 or set(trader.fills()) != {True, False}:
            await it.updates(10)
            await it.settle()
        trading.cancel()
        audit(it.world.servers[venue].face.floor.exchange)

    rig = Rig(tmp_path, venue)
    rig.play(story)
    assert rig.counters.value(FeedCounter.GAPS) == 0
    assert rig.counters.value(FeedCounter.DECODE_ERRORS) == 0
    assert rig.counters.value(FeedCounter.CHECKSUMS_FAILED) == 0
    assert rig.counters.value(FeedCounter.CROSSED) == 0


@pytest.mark.parametrize("venue", ["binance", "okx", "kraken", "coinbase"])
def test_after_trouble_with_frames_every_book_is_true_again_though_a_client_trades(
    tmp_path: Path, venue: str
) -> None:
    async def story(it: Rig) -> None:
        trading = asyncio.ensure_future(Trader(it, seed=6).trade())
        await it.lives()
        for kind, count in FRAME_TROUBLE:
            await suffer(it, kind, count)
        trading.cancel()

    rig = Rig(tmp_path, venue)
    rig.play(story)
    assert rig.counters.value(FeedCounter.RESYNCS) > 0


@pytest.mark.parametrize("kind", [Kind.STALE_SNAPSHOT, Kind.HTTP_500, Kind.HTTP_429])
def test_a_book_whose_snapshot_is_old_or_refused_is_live_only_with_a_good_one(
    tmp_path: Path, kind: Kind
) -> None:
    async def story(it: Rig) -> None:
        await it.lives()
        await it.updates(50)
        it.world.faults.add(Fault("binance", kind, count=2))
        it.world.faults.add(Fault("binance", Kind.DISCONNECT, count=1))
        while it.struck(kind) < 2:
            await asyncio.sleep(0.005)
        await it.settle()

    Rig(tmp_path, "binance").play(story)


def test_a_half_open_connection_makes_books_stale_and_is_replaced(tmp_path: Path) -> None:
    async def story(it: Rig) -> None:
        await it.lives()
        it.world.faults.add(Fault(it.venue, Kind.HALF_OPEN, count=1))
        while it.counters.value(FeedCounter.SILENCES) == 0:
            await asyncio.sleep(0.01)
        await it.updates(10)
        await it.settle()

    rig = Rig(tmp_path, "coinbase-exchange")
    rig.play(story)
    assert rig.counters.value(FeedCounter.DISCONNECTS) >= 1


def test_a_symbol_that_the_venue_does_not_list_is_said_and_the_others_go_on(
    tmp_path: Path
) -> None:
    async def story(it: Rig) -> None:
        gone = it.world.servers["okx"].face.lines.pop("BTC-USDT")
        assert gone.pair.name == "BTC/USDT"
        while it.state(1) is not BookState.LIVE:
            await asyncio.sleep(0.01)

    rig = Rig(tmp_path, "okx")
    rig.play(story)
    assert rig.state(0) is BookState.EMPTY
    assert [row["status"] for row in rig.rows()] == [
        InstrumentStatus.NOT_LISTED, InstrumentStatus.TRADING,
    ]
