"""Recordings over real sockets: the recorded text, its order, its snapshots, and the same truth."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from engine.config import PairTable, Sim
from engine.model.clock import SystemClock
from ops.sim.tape import Capture
from ops.sim.world import World
from tests.ops.sim.faces.test_binance import splice
from tests.ops.sim.faces.test_kraken import Replica, books, subscribe
from tests.ops.sim.recordings import SHARED, shared, small_binance
from tests.ops.sim.wire import Book, Client, Venue, a_world, plain, run

DEPTH = {"method": "SUBSCRIBE", "params": ["abusdt@depth@100ms"], "id": 1}
SNAPSHOT = "/api/v3/depth?symbol=ABUSDT&limit=1000"


def tape(*paths: Path, speed: float = 1000.0, loop: bool = False) -> Sim:
    return Sim(market="captures", captures=[str(p) for p in paths], speed=speed, loop=loop)


async def ended(venue: Venue) -> None:
    """Wait for the end of the tape."""
    tasks = venue.world._tasks  # noqa: SLF001
    await asyncio.wait([task for task in tasks if task.get_name() == "sim playback"])


def test_frames_come_as_recorded_and_the_snapshot_waits_for_its_place(tmp_path: Path) -> None:
    path = small_binance(tmp_path / "binance.spot.x.jsonl.gz")

    async def body() -> None:
        async with a_world({"binance": ["AB/USDT"]}, tape(path)) as world:
            venue = Venue(world, "binance")
            client = await venue.connect()
            client.ask(DEPTH)
            _, snapshot = await venue.get(SNAPSHOT)  # asked before the tape starts
            assert snapshot["lastUpdateId"] == 8
            await ended(venue)
            await client.settle()
            recorded = [e.m.encode() for e in Capture(path).entries() if e.ch == "ws"]
            assert client.frames[1:] == recorded
            diffs = [frame["data"] for frame in client.take()[1:]]
            assert splice(diffs, snapshot, perpetual=False).both() == venue.truth("AB/USDT")
            _, later = await venue.get(SNAPSHOT)
            assert later["lastUpdateId"] == 200
            assert {plain(p): plain(s) for p, s in later["bids"]} == venue.truth("AB/USDT")[0]

    run(body)


def test_who_asks_for_a_rest_book_alone_is_an_audience_too(tmp_path: Path) -> None:
    path = small_binance(tmp_path / "binance.spot.x.jsonl.gz")

    async def body() -> None:
        async with a_world({"binance": ["AB/USDT"]}, tape(path)) as world, asyncio.timeout(10):
            _, snapshot = await Venue(world, "binance").get(SNAPSHOT)
            assert snapshot["lastUpdateId"] == 8

    run(body)


def test_the_catalogue_lists_the_pairs_quanta_before_the_first_frame(tmp_path: Path) -> None:
    path = small_binance(tmp_path / "binance.spot.x.jsonl.gz")
    world = World({"binance": ["AB/USDT"]}, tape(path), SystemClock(),
                  {"AB/USDT": PairTable(price_decimals=2, size_decimals=3)})
    answer = world.servers["binance"].face.rest("/api/v3/exchangeInfo", {})
    filters = {row["filterType"]: row for row in json.loads(answer.body)["symbols"][0]["filters"]}
    assert filters["PRICE_FILTER"]["tickSize"] == "0.01000000"
    assert filters["LOT_SIZE"]["stepSize"] == filters["LOT_SIZE"]["minQty"] == "0.00100000"


def test_a_raw_connection_gets_the_event_without_its_envelope(tmp_path: Path) -> None:
    path = small_binance(tmp_path / "binance.spot.x.jsonl.gz", frames=20)

    async def body() -> None:
        async with a_world({"binance": ["AB/USDT"]}, tape(path)) as world:
            client = await Venue(world, "binance").connect("/ws/abusdt@depth")
            await ended(Venue(world, "binance"))
            await client.settle()
            assert [frame["u"] for frame in client.take()] == list(range(1, 21))

    run(body)


def test_at_the_end_it_starts_over_with_new_connections(tmp_path: Path) -> None:
    path = small_binance(tmp_path / "binance.spot.x.jsonl.gz", frames=30)

    async def body() -> None:
        async with a_world({"binance": ["AB/USDT"]}, tape(path, loop=True)) as world:
            venue = Venue(world, "binance")
            for _ in range(2):
                client = await venue.connect()
                client.ask(DEPTH)
                await client.closed.wait()
                ids = [frame["data"]["u"] for frame in client.take()[1:]]
                assert ids == list(range(1, 31))

    run(body)


def test_a_slow_tape_can_be_stopped_and_goes_on_from_there(tmp_path: Path) -> None:
    path = small_binance(tmp_path / "binance.spot.x.jsonl.gz", frames=300)

    async def body() -> None:
        async with a_world({"binance": ["AB/USDT"]}, tape(path, speed=1.0)) as world:
            venue = Venue(world, "binance")
            client = await venue.connect()
            client.ask(DEPTH)
            while len(client.frames) < 20:
                await asyncio.sleep(0.005)
            await venue.call("POST", "/pause")
            await client.settle()
            seen = len(client.frames)
            assert seen < 300
            await asyncio.sleep(0.05)
            await client.settle()
            assert len(client.frames) == seen
            await venue.call("POST", "/resume")
            await ended(venue)
            await client.settle()
            assert [frame["data"]["u"] for frame in client.take()[1:]] == list(range(1, 301))

    run(body)


def expected(capture: str, native: str) -> dict[str, Any]:
    name = f"{capture}.{native.replace('/', '-')}.json"
    parsed = json.loads((SHARED / "captures" / "expected" / name).read_text())
    assert isinstance(parsed, dict)
    return parsed


def top(truth: tuple[dict[str, str], dict[str, str]]) -> list[list[list[str]]]:
    bids, asks = truth
    return [[list(row) for row in sorted(side.items(), key=lambda r: float(r[0]), reverse=falling)]
            for side, falling in ((bids, True), (asks, False))]


def final(answer: dict[str, Any]) -> list[list[list[str]]]:
    return [[[plain(p), plain(s)] for p, s in answer["final"][side]] for side in ("bids", "asks")]


@pytest.mark.parametrize(("capture", "venue_name", "symbol", "native"), [
    ("binance.spot.20210814", "binance", "FTM/USDT", "FTMUSDT"),
    ("binance.usdm.20210405", "binance-usdm", "BAT/USDT:USDT", "BATUSDT"),
    ("binanceus.spot.20210814", "binance-us", "MANA/USD", "MANAUSD"),
    ("okx.mixed.20220227", "okx", "PROPS/ETH", "PROPS-ETH"),
    ("kraken.spot.20260802v2", "kraken", "XRP/USD", "XRP/USD"),
    ("coinbase.spot.20210417", "coinbase-exchange", "SKL/BTC", "SKL-BTC"),
])
def test_the_reference_book_ends_where_the_independent_replayer_says(
    capture: str, venue_name: str, symbol: str, native: str
) -> None:
    path = shared(f"{capture}.jsonl.gz")

    async def body() -> None:
        async with a_world({venue_name: [symbol]}, tape(path, speed=10_000.0)) as world:
            venue = Venue(world, venue_name)
            await asyncio.sleep(0)
            world.servers[venue_name].subscriptions += 1  # an audience, so that it starts
            await ended(venue)
            bids, asks = top(venue.truth(symbol))
            truth = final(expected(capture, native))
            assert [bids[:50], asks[:50]] == truth

    run(body)


@pytest.mark.parametrize("depth", [10, 25, 1000])
def test_recorded_kraken_verifies_at_any_depth_and_for_late_subscribers(depth: int) -> None:
    path = shared("kraken.spot.20260802v2.jsonl.gz")

    async def body() -> None:
        async with a_world({"kraken": ["BTC/USD"]}, tape(path, speed=20.0)) as world:
            venue = Venue(world, "kraken")
            early = await venue.connect()
            early.ask(subscribe("book", "BTC/USD", depth=depth))
            while len(early.frames) < 500:
                await asyncio.sleep(0.01)
            late = await venue.connect()
            late.ask(subscribe("book", "BTC/USD", depth=depth))
            while len(late.frames) < 300:
                await asyncio.sleep(0.01)
            await venue.call("POST", "/pause")
            for client in (early, late):
                await client.settle()
                replica = Replica(depth)
                for frame in books(client):
                    replica.apply(frame)
                    assert replica.checksum() == json.loads(frame)["data"][0]["checksum"]
                assert len(replica.sides[0]) == min(depth, 25)

    run(body)


def test_a_late_okx_subscriber_gets_a_snapshot_with_the_checksum_of_its_day() -> None:
    path = shared("okx.mixed.20220227.jsonl.gz")

    async def body() -> None:
        async with a_world({"okx": ["ZEN/USDT"]}, tape(path, speed=50.0)) as world:
            venue = Venue(world, "okx")
            request = {"op": "subscribe", "args": [{"channel": "books", "instId": "ZEN-USDT"}]}
            early = await venue.connect()
            early.ask(request)
            while len(early.frames) < 20:
                await asyncio.sleep(0.005)
            late = await venue.connect()
            late.ask(request)
            await ended(venue)
            await late.settle()
            _, snapshot, *updates = late.take()
            assert snapshot["action"] == "snapshot"
            assert snapshot["data"][0]["checksum"] != 0
            assert "seqId" not in snapshot["data"][0]
            book = Book()
            for message in (snapshot, *updates):
                book.apply(message["data"][0]["bids"], message["data"][0]["asks"])
            assert book.both() == venue.truth("ZEN/USDT")

    run(body)


def test_recorded_prints_of_the_other_kind_reach_whoever_asked_for_prints(tmp_path: Path) -> None:
    path = shared("binance.usdm.20240808.jsonl.gz")

    async def body() -> None:
        venues = {"binance-usdm": ["BTC/USDT:USDT"]}
        async with a_world(venues, tape(path, speed=500.0)) as world:
            client: Client = await Venue(world, "binance-usdm").connect("/market/stream")
            client.ask({"method": "SUBSCRIBE", "params": ["btcusdt@aggTrade"], "id": 1})
            while len(client.frames) < 50:
                await asyncio.sleep(0.01)
            assert {frame["stream"] for frame in client.take()[1:]} == {"btcusdt@trade"}

    run(body)
