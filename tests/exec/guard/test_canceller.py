"""exec.guard.canceller against the simulated venues: by REST alone, until nothing rests."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvloop

from engine.config import Sim
from engine.model.clock import SystemClock
from engine.model.fault import parse
from engine.runtime.served import tls_context
from exec.gateways import endpoints, keys
from exec.gateways.codec import Codec, Listing
from exec.gateways.endpoints import Endpoints
from exec.gateways.rest import Rest
from exec.guard.canceller import Canceller
from exec.records import Intended, Tif
from exec.venues.registry import codec_of
from ops.sim.faces.okx.catalogue import FIRST_CODE
from ops.sim.world import World
from tests.exec.gateways.plain import quiet_log

DEADLINE_S = 60.0  # a test that hangs fails; no test depends on how fast it is
VENUES = {"binance": "BTC/USDT", "binance-usdm": "BTC/USDT:USDT", "okx": "BTC/USDT",
          "kraken": "BTC/USDT", "coinbase": "BTC/USDT"}


class Stage:
    """One simulated venue with orders in its book, and a canceller."""

    def __init__(self, world: World, folder: Path, venue: str) -> None:
        self.world, self.folder, self.venue, self.sent = world, folder, venue, 0
        self.symbol = VENUES[venue]
        face = world.servers[venue].face
        self.line = face.lines[next(iter(face.lines))]
        self.canceller = Canceller(
            venue, self._make, 0.05, SystemClock(), quiet_log(), self._count)

    def _count(self) -> None:
        self.sent += 1

    def _make(self) -> tuple[Codec, Endpoints]:
        at = endpoints.simulated(self.folder, self.venue)
        assert at is not None
        settle = "USDT" if ":" in self.symbol else ""
        listing = Listing(self.symbol, self.line.native, "BTC", "USDT", settle, 2, 8,
                          str(FIRST_CODE) if self.venue == "okx" else "")
        key = keys.simulated(self.folder, self.venue, "main")
        return codec_of(self.venue, key, [listing], self.folder), at

    def open(self) -> int:
        truth = self.world.account_truth(self.venue, "main")
        assert truth is not None
        return sum(each.status == "open" for each in truth.orders)

    async def rest(self, count: int) -> None:
        """Let orders of the account rest, far from the touch."""
        codec, at = self._make()
        rest = Rest(at.rest_url, tls=tls_context(), in_order=True)
        await rest.open()
        price = self.line.book.touch().bid * 9 // 10 * 10 ** (2 - self.line.price_decimals)
        for number in range(count):
            now_ns = SystemClock().unix_ns()
            order = Intended(
                number, 1, 0, self.venue, self.symbol, 1, price // 100 * 100, 10**6, Tif.GTC,
                False, False, f"t1x{number}", 0, now_ns + 5 * 10**9, "operator")
            answer = await rest.ask(codec.place(order, now_ns, rest=True), lambda: True)
            assert answer.status == 200, answer
        await rest.close()


@asynccontextmanager
async def staged(venue: str, folder: Path, *faults: str) -> AsyncIterator[Stage]:
    world = World({venue: [VENUES[venue]]}, Sim(seed=1, messages_per_s=20.0), SystemClock())
    await world.open(folder)
    try:
        await asyncio.sleep(0.2)
        stage = Stage(world, folder, venue)
        await stage.rest(3)
        for fault in faults:
            world.add_fault(parse(fault))
        yield stage
    finally:
        await world.close()


def run(body: Callable[[], object]) -> None:
    uvloop.run(asyncio.wait_for(body(), DEADLINE_S))  # type: ignore[arg-type]


@pytest.mark.parametrize("venue", VENUES)
def test_nothing_rests_at_the_venue_afterwards(venue: str, tmp_path: Path) -> None:
    async def body() -> None:
        async with staged(venue, tmp_path) as stage:
            assert stage.open() == 3
            assert await stage.canceller.run(lambda: True)
            assert stage.open() == 0

    run(body)


@pytest.mark.parametrize("venue", ["binance", "okx", "kraken", "coinbase"])
def test_it_goes_on_until_a_venue_in_trouble_confirms(venue: str, tmp_path: Path) -> None:
    async def body() -> None:
        async with staged(venue, tmp_path, f"{venue}:http_500:1.0") as stage:
            task = asyncio.create_task(stage.canceller.run(lambda: True))
            await asyncio.sleep(1.0)
            assert not task.done()
            stage.world.lift("*", None)
            assert await task
            assert stage.open() == 0

    run(body)


def test_it_stops_when_execution_is_back(tmp_path: Path) -> None:
    async def body() -> None:
        async with staged("okx", tmp_path) as stage:
            assert not await stage.canceller.run(lambda: False)
            assert stage.open() == 3

    run(body)


def test_kraken_takes_its_nonces_although_execution_had_reserved_some_and_execution_goes_on_above(
    tmp_path: Path
) -> None:
    async def body() -> None:
        async with staged("kraken", tmp_path) as stage:
            of_execution, _ = stage._make()
            before = of_execution.survey(0, SystemClock().unix_ns())
            assert before
            assert await stage.canceller.run(lambda: True)
            reserved = int(next(tmp_path.glob("*.nonce")).read_text())
            assert reserved > SystemClock().unix_ns() // 1000
            await stage.rest(1)  # as an execution that was started again does
            assert stage.open() == 1

    run(body)
