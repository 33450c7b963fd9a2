"""A recording as the market: clients' orders meet it at its prices, and it never shows them.

Where the arrows lead:

    tape ─ frames ─▶ clients, byte by byte
      └─── books, prints ─▶ Floor.recorded ─▶ Exchange ◀─ orders
"""

import asyncio
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from engine.config import Sim
from ops.sim.book import ASK, BID
from ops.sim.exchange.audit import audit
from ops.sim.exchange.orders import BUY, SELL, Kind, Order, Request, Status, Tif
from ops.sim.floor import Floor
from ops.sim.playback import Playback
from ops.sim.tape import Capture
from ops.sim.world import World
from tests.ops.sim.recordings import DEPTH, STREAM, shared, write
from tests.ops.sim.test_floor import Scene
from tests.ops.sim.wire import Client, Venue, a_world, run

MS = 1_000_000
SUBSCRIBE = {"method": "SUBSCRIBE", "params": ["abusdt@depth@100ms", "abusdt@trade"], "id": 1}
Row = tuple[str, str]  # price, size
UNIT = 10**8  # of sizes; prices have MONEY_DECIMALS less that


class Script:
    """Writes a recorded Binance market: a book, then diffs and prints, a millisecond apart."""

    def __init__(self, bids: Sequence[Row], asks: Sequence[Row]) -> None:
        self._id, self._t = 10, 10**18
        self.lines: list[tuple[int, str, str, object]] = [(self._t, "http", DEPTH, {
            "lastUpdateId": 10, "bids": [*bids], "asks": [*asks]})]

    def diff(self, bids: Sequence[Row] = (), asks: Sequence[Row] = ()) -> "Script":
        """Change levels."""
        self._id += 1
        return self._say("depth@100ms", {
            "e": "depthUpdate", "E": 1, "s": "ABUSDT", "U": self._id, "u": self._id,
            "b": [*bids], "a": [*asks]})

    def trade(self, price: str, size: str, *, buyer_made: bool, kind: str = "trade") -> "Script":
        """Print a trade."""
        return self._say(kind, {
            "e": kind, "E": 1, "s": "ABUSDT", "t": 1, "p": price, "q": size, "T": 1,
            "m": buyer_made, "M": True})

    def _say(self, stream: str, data: object) -> "Script":
        self._t += MS
        self.lines.append((self._t, "ws", STREAM, {"stream": f"abusdt@{stream}", "data": data}))
        return self


class Table:
    """A recorded world that stands still between steps; its client trades at the floor."""

    def __init__(self, world: World, client: Client) -> None:
        self.world, self.client = world, client
        self.floor: Floor = world.servers["binance"].face.floor
        assert isinstance(world.flow, Playback)
        self.playback = world.flow

    def play(self, items: int) -> None:
        """Play so many recorded messages more."""
        for _ in range(items):
            item = self.playback._next  # noqa: SLF001
            assert item is not None
            self.playback._play(item)  # noqa: SLF001
            self.playback._next = next(self.playback._items, None)  # noqa: SLF001
        self.playback.settle()
        audit(self.floor.exchange)

    def place(
        self, side: int, price: str, size: str, tif: Tif = Tif.GTC, account: str = "main"
    ) -> Order:
        """Place a limit order."""
        symbol = self.floor.exchange.listed["ABUSDT"].symbol
        placed = self.floor.place(Request(
            account=account, symbol="ABUSDT", side=side, tif=tif,
            price=int(Decimal(price).scaleb(symbol.price_decimals)),
            size=int(Decimal(size).scaleb(symbol.size_decimals))))
        assert isinstance(placed, Order), placed
        return placed

    def fills(self, account: str = "main") -> list[tuple[str, str, bool]]:
        """Return (price, size, taker) of every fill."""
        truth = self.world.account_truth("binance", account)
        assert truth is not None
        return [(fill.price, fill.size, fill.taker) for fill in truth.fills]


Story = Callable[[Table], None]


def played(tmp_path: Path, script: Script, story: Story) -> None:
    """Open the scripted market for a story, play the rest, compare what the public saw."""
    path = write(tmp_path / "binance.spot.x.jsonl.gz", script.lines)

    async def body() -> None:
        sim = Sim(market="captures", captures=[str(path)], speed=1.0, loop=False)
        async with a_world({"binance": ["AB/USDT"]}, sim) as world:
            world.flow.pause()
            client = await Venue(world, "binance").connect()
            client.ask(SUBSCRIBE)
            await client.settle()
            table = Table(world, client)
            while table.playback._next is None:  # noqa: SLF001
                await asyncio.sleep(0.01)
            story(table)
            while table.playback._next is not None:  # noqa: SLF001
                table.play(1)
            await client.settle()
            recorded = [each.m.encode() for each in Capture(path).entries() if each.ch == "ws"]
            wanted = [text for text in recorded if b"@aggTrade" not in text]
            assert client.frames[1:] == wanted

    run(body)


BIDS, ASKS = [("100.00", "5.0"), ("99.00", "8.0")], [("102.00", "4.0"), ("103.00", "9.0")]


def test_an_ioc_order_takes_recorded_liquidity_at_recorded_prices(tmp_path: Path) -> None:
    def story(table: Table) -> None:
        table.play(1)
        order = table.place(BUY, "103", "6", Tif.IOC)
        assert order.status is Status.FILLED
        assert table.fills() == [("102", "4", True), ("103", "2", True)]
        again = table.place(BUY, "103", "10", Tif.IOC)  # what is taken is gone
        assert again.filled == 7 * UNIT

    played(tmp_path, Script(BIDS, ASKS).diff(bids=[("98.00", "1.0")]), story)


def test_liquidity_that_was_taken_is_back_when_the_recording_says_so(tmp_path: Path) -> None:
    def story(table: Table) -> None:
        table.play(1)
        table.place(BUY, "102", "4", Tif.IOC)
        table.play(1)
        assert table.place(BUY, "102", "4", Tif.IOC).filled == 3 * UNIT

    played(tmp_path, Script(BIDS, ASKS).diff(asks=[("102.00", "3.0")]), story)


def test_an_order_inside_the_spread_fills_when_prints_go_through_it(tmp_path: Path) -> None:
    def story(table: Table) -> None:
        table.play(1)
        order = table.place(BUY, "101", "3")
        table.play(1)  # 2 traded at a worse price: ours would have been hit first
        assert (order.status, table.fills()) == (Status.OPEN, [("101", "2", False)])
        table.play(1)
        assert order.status is Status.FILLED

    script = Script(BIDS, ASKS).trade("100.00", "2.0", buyer_made=True)
    played(tmp_path, script.trade("100.00", "5.0", buyer_made=True), story)


def test_an_order_inside_the_spread_fills_when_the_recorded_book_moves_through_it(
    tmp_path: Path,
) -> None:
    def story(table: Table) -> None:
        table.play(1)
        order = table.place(BUY, "101", "3")
        table.play(1)
        assert (order.status, table.fills()) == (Status.FILLED, [("101", "3", False)])

    played(tmp_path, Script(BIDS, ASKS).diff(asks=[("100.50", "3.0")]), story)


@pytest.mark.parametrize("level_first", [False, True])
def test_a_trade_moves_the_queue_once_whichever_stream_tells_of_it_first(
    tmp_path: Path, level_first: bool
) -> None:
    def story(table: Table) -> None:
        table.play(1)
        order = table.place(BUY, "100", "1")  # behind 5
        table.play(2)  # 3 traded
        assert (order.ahead, order.filled) == (2 * UNIT, 0)
        table.play(2)  # 2 traded, 4 came behind: ours is the first now
        assert (order.ahead, order.filled) == (0, 0)
        table.play(2)
        assert order.status is Status.FILLED

    script = Script(BIDS, ASKS)
    for traded, left in (("3.0", "2.0"), ("2.0", "4.0"), ("1.0", "3.0")):
        if level_first:
            script.diff(bids=[("100.00", left)])
        script.trade("100.00", traded, buyer_made=True)
        if not level_first:
            script.diff(bids=[("100.00", left)])
    played(tmp_path, script, story)


def test_a_level_that_fell_and_rose_before_its_print_moves_nobody_too_far(tmp_path: Path) -> None:
    def story(table: Table) -> None:
        table.play(1)
        order = table.place(BUY, "100", "1")
        table.play(1)  # 4 of the 5 ahead are gone, and nobody traded yet
        assert order.ahead == UNIT
        table.play(1)  # 6 joined behind
        assert order.ahead == UNIT
        table.play(1)  # so it was trades that took the 4: ours moves no further
        assert (order.ahead, order.filled) == (UNIT, 0)
        table.play(1)
        assert order.status is Status.FILLED

    script = Script(BIDS, ASKS).diff(bids=[("100.00", "1.0")]).diff(bids=[("100.00", "7.0")])
    script.trade("100.00", "4.0", buyer_made=True)
    played(tmp_path, script.trade("100.00", "2.0", buyer_made=True), story)


def test_a_line_is_followed_only_once_a_client_trades_there(tmp_path: Path) -> None:
    def story(table: Table) -> None:
        table.play(2)
        assert not table.floor.opened("ABUSDT")
        assert table.floor.exchange.depth("ABUSDT", BUY, 9) == []
        table.place(SELL, "105", "1")
        assert table.floor.opened("ABUSDT")
        symbol = table.floor.exchange.listed["ABUSDT"].symbol
        assert table.floor.exchange.depth("ABUSDT", BUY, 1) == [
            (int(Decimal(100).scaleb(symbol.price_decimals)), 6 * UNIT)]

    played(tmp_path, Script(BIDS, ASKS).diff(bids=[("100.00", "6.0")]), story)


def test_aggregated_prints_do_not_count_twice_beside_single_ones(tmp_path: Path) -> None:
    def story(table: Table) -> None:
        table.play(2)
        order = table.place(BUY, "100", "1")
        table.play(2)
        assert order.ahead == 3 * UNIT

    script = Script(BIDS, ASKS).trade("50.00", "1.0", buyer_made=True)
    for kind in ("trade", "aggTrade"):
        script.trade("100.00", "2.0", buyer_made=True, kind=kind)
    played(tmp_path, script, story)


def test_what_a_print_took_and_the_next_book_does_not_mention_has_been_replaced(
    tmp_path: Path,
) -> None:
    def story(table: Table) -> None:
        table.play(1)
        order = table.place(BUY, "100", "1")
        table.play(1)
        assert order.ahead == 2 * UNIT
        assert table.place(SELL, "100", "1", Tif.IOC, account="other").filled == UNIT
        table.play(1)  # 3 more came behind us, only the 1 that a client took is missing
        assert order.ahead == UNIT
        assert table.place(SELL, "100", "9", Tif.IOC, account="other").filled == 5 * UNIT

    script = Script(BIDS, ASKS).trade("100.00", "3.0", buyer_made=True)
    played(tmp_path, script.diff(asks=[("109.00", "1.0")]), story)


def test_a_new_book_keeps_everybodys_place_in_the_queues() -> None:
    scene = Scene()
    scene.line.recorded = True
    order = scene.order(BUY, 6_400_000)
    assert order.ahead == scene.lot
    scene.line.outside.set(BID, 6_399_900, scene.lot)
    scene.line.outside.set(BID, 6_400_000, 3 * scene.lot)
    scene.floor.recorded(scene.line, None)
    assert order.ahead == scene.lot
    scene.line.outside.clear()
    scene.floor.recorded(scene.line, None)
    assert order.ahead == 0
    assert scene.floor.exchange.depth(scene.line.native, BUY, 9) == [(6_400_000, scene.lot)]
    audit(scene.floor.exchange)


@pytest.mark.parametrize(("capture", "venue", "symbol"), [
    ("binance.spot.20210814", "binance", "FTM/USDT"),
    ("binance.usdm.20210405", "binance-usdm", "BAT/USDT:USDT"),
    ("binanceus.spot.20210814", "binance-us", "MANA/USD"),
    ("okx.mixed.20220227", "okx", "ZEN/USDT"),
    ("okx.mixed.20220227", "okx", "PROPS/ETH"),
    ("kraken.spot.20260802v2", "kraken", "BTC/USD"),
    ("coinbase.spot.20210417", "coinbase-exchange", "SKL/USD"),
])
def test_the_matching_engine_stands_where_the_recording_stands(
    capture: str, venue: str, symbol: str
) -> None:
    path = shared(f"{capture}.jsonl.gz")

    async def body() -> None:
        sim = Sim(market="captures", captures=[str(path)], speed=10_000.0, loop=False)
        async with a_world({venue: [symbol]}, sim) as world:
            floor, playback = world.servers[venue].face.floor, world.flow
            assert isinstance(playback, Playback)
            (line,) = floor.face.lines.values()
            floor.place(Request(account="main", symbol=line.native, side=BUY))  # refused: it opens
            await asyncio.sleep(0)
            world.servers[venue].subscriptions += 1  # an audience, so that it starts
            tasks = [task for task in world._tasks if "playback" in task.get_name()]  # noqa: SLF001
            await asyncio.wait(tasks)
            playback.settle()
            floor.recorded(line, [])  # a book frame that changes nothing
            listed = floor.exchange.listed[line.native]
            prices = 10 ** (listed.symbol.price_decimals - line.price_decimals)
            sizes = 10 ** (listed.symbol.size_decimals - line.size_decimals)
            for side, half in ((BID, listed.book.bids), (ASK, listed.book.asks)):
                assert half.outside == {
                    price * prices: size * sizes for price, size in line.book.sizes[side].items()}
                assert half.outside
            audit(floor.exchange)

    run(body)


def test_a_real_recording_is_unchanged_by_hundreds_of_orders_and_they_trade() -> None:
    path = shared("binance.spot.20240808.jsonl.gz")

    async def body() -> None:
        sim = Sim(market="captures", captures=[str(path)], speed=30.0, loop=False)
        async with a_world({"binance": ["BTC/USDT"]}, sim) as world:
            client = await Venue(world, "binance").connect()
            client.ask({"method": "SUBSCRIBE", "id": 1,
                        "params": ["btcusdt@depth@100ms", "btcusdt@trade"]})
            floor, random = world.servers["binance"].face.floor, Random(5)
            while len(client.frames) < 100:
                await asyncio.sleep(0.01)
            placed = 0
            while placed < 300 and len(client.frames) < 20_000:
                await asyncio.sleep(0.002)
                if not (mid := floor.mid("BTCUSDT")):
                    continue
                placed += 1
                tick = floor.filters("BTCUSDT").tick
                lot = floor.filters("BTCUSDT").lot
                price = mid // tick * tick + random.randint(-300, 300) * tick * 10**4
                floor.place(Request(
                    account="main", symbol="BTCUSDT", side=random.choice((BUY, SELL)),
                    kind=Kind.LIMIT, price=price, size=random.randint(1, 50) * 10**5 // lot * lot))
                if random.random() < 0.2:
                    floor.cancel_all("main")
                audit(floor.exchange)
            world.flow.pause()
            await client.settle()
            assert placed == 300
            fills = floor.exchange.fills_since("main")
            assert any(fill.taker for fill in fills)
            assert any(not fill.taker for fill in fills)
            topics = (b'{"stream":"btcusdt@depth', b'{"stream":"btcusdt@trade')
            recorded = [each.m.encode() for each in Capture(path).entries() if each.ch == "ws"]
            wanted = [text for text in recorded if text.startswith(topics)]
            assert client.frames[1:] == wanted[: len(client.frames) - 1]

    run(body)
