"""cryptofeed, checksums validated where the venue still sends them: books and trades are the truth.

It lives in an environment of its own, which ``make test`` builds.  It asks for TLS and cannot do
without.  Where it cannot follow a venue of today, the test says how far it can.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest

from engine.config import Sim
from engine.runtime.served import CA_FILE
from ops.sim.world import World
from tests.clients.addresses import ports_of
from tests.clients.proofs import proves
from tests.clients.stage import SYMBOLS, Trade, Witness, run
from tests.clients.test_ccxt_rest import taker_or_maker
from tests.ops.sim.recordings import ROOT
from tests.ops.sim.wire import Venue, a_world

PYTHON: Final = ROOT / ".venv-cryptofeed" / "bin" / "python"
BUILT: Final = ROOT / ".venv-cryptofeed" / "built"
PEER: Final = Path(__file__).with_name("cryptofeed_peer.py")
QUIET_POINTS: Final = 15
UPDATES_MIN: Final = 2000
PRINTS: Final = 60  # of each symbol, at least
DEPTH: Final = {"okx": 400}  # of the channel; elsewhere all
ANSWER_S_MAX: Final = 20.0

pytestmark = pytest.mark.skipif(
    not BUILT.exists(), reason="no cryptofeed here: `make test` builds .venv-cryptofeed, "
    "which takes a C compiler")


class Peer:
    """The running program, and the venue that it follows."""

    def __init__(self, world: World, name: str, process: asyncio.subprocess.Process) -> None:
        self.world, self.name = world, name
        self.venue, self.witness = Venue(world, name), Witness(world, name)
        self._process = process

    async def ask(self) -> Any:
        """Return what the program has now."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(b"\n")
        line = await asyncio.wait_for(self._process.stdout.readline(), ANSWER_S_MAX)
        return json.loads(line)

    async def until(self, reached: Any, what: str) -> Any:
        """Ask until the answer is as wanted."""
        told: Any = None
        for _ in range(200):
            told = await self.ask()
            if reached(told):
                return told
            await asyncio.sleep(0.02)
        raise AssertionError(f"{self.name}: {what}; amiss: {told['amiss']}")


def spelt(symbol: str) -> str:
    """Return cryptofeed's spelling: BTC-USDT, BTC-USDT-PERP."""
    pair, _, settled = symbol.partition(":")
    return pair.replace("/", "-") + ("-PERP" if settled else "")


def levels(side: Any) -> dict[Decimal, Decimal]:
    return {Decimal(price): Decimal(size) for price, size in side}


def book_truth(peer: Peer, symbol: str) -> dict[str, dict[Decimal, Decimal]]:
    truth = peer.world.truth(peer.name, symbol)
    assert truth is not None
    depth = DEPTH.get(peer.name)
    return {"bids": levels(truth.bids[:depth]), "asks": levels(truth.asks[:depth])}


def same(told: Any, symbol: str, truth: dict[str, dict[Decimal, Decimal]]) -> bool:
    book = told["books"].get(spelt(symbol))
    return book is not None and all(levels(book[side]) == truth[side] for side in truth)


@asynccontextmanager
async def a_peer(name: str, *, checksums: bool) -> AsyncIterator[Peer]:
    with TemporaryDirectory() as temporary:
        folder, symbols = Path(temporary), SYMBOLS[name]
        sim = Sim(tls=True, messages_per_s=300)
        async with a_world({name: symbols}, sim, folder) as world:
            products = {spelt(each): each.replace("/", "-") for each in symbols}
            wanted = {
                "venue": name, "symbols": [spelt(each) for each in symbols],
                "ports": ports_of(world.endpoints()), "checksums": checksums,
                "products": products if name == "coinbase" else {}}
            trust = str(folder / CA_FILE)
            process = await asyncio.create_subprocess_exec(
                str(PYTHON), str(PEER), json.dumps(wanted), stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE, limit=1 << 24,
                env=os.environ | {"SSL_CERT_FILE": trust, "REQUESTS_CA_BUNDLE": trust})
            try:
                yield Peer(world, name, process)
            finally:
                process.kill()
                await process.wait()


async def follow(peer: Peer, sides: tuple[str, ...] = ("bids", "asks")) -> Any:
    """Move the market, comparing at quiet points; return what the program had in the end."""
    symbols = SYMBOLS[peer.name]

    def begun(told: Any) -> bool:
        peer.venue.step(0.2)
        return len(told["books"]) == len(symbols)

    told = await peer.until(begun, "no book")
    for _ in range(QUIET_POINTS):
        for _ in range(6):
            peer.venue.step(0.1)
            await asyncio.sleep(0)
        for symbol in symbols:
            book = book_truth(peer, symbol)
            truth = {side: book[side] for side in sides}
            told = await peer.until(
                lambda told, symbol=symbol, truth=truth: same(told, symbol, truth),
                f"the book of {symbol} never equals the truth")
    assert peer.witness.updates > UPDATES_MIN
    return told


async def check_trades(peer: Peer) -> None:
    """Compare every trade from the first heard on, in order, taker's side and all."""
    for symbol in SYMBOLS[peer.name]:
        while len(peer.witness.trades[symbol]) < PRINTS:
            peer.venue.step(1.0)
            await asyncio.sleep(0.001)
        newest = list(peer.witness.trades[symbol].items())[-1]
        told = await peer.until(
            lambda told, symbol=symbol, newest=newest: heard_last(told, symbol, newest),
            f"the last trade of {symbol} was not heard")
        assert told["amiss"] == []
        heard = [each[1:] for each in told["trades"] if each[0] == spelt(symbol)]
        compare(peer, symbol, heard)


def heard_last(told: Any, symbol: str, newest: tuple[str, Trade]) -> bool:
    of_symbol = [each for each in told["trades"] if each[0] == spelt(symbol)]
    if not of_symbol or of_symbol[0][1] == "None":
        return bool(of_symbol) and float(of_symbol[-1][4]) == newest[1].price
    return any(int(first) <= int(newest[0]) <= int(last) for _, first, last, *_ in of_symbol)


def compare(peer: Peer, symbol: str, heard: list[list[str]]) -> None:
    """Compare trade by trade; Binance tells what one taker took at one price as one."""
    truth = {key: taker_or_maker(peer.name, trade)
             for key, trade in peer.witness.trades[symbol].items()}
    if heard[0][0] == "None":  # Kraken v1 does not number them
        said = list(truth.values())[-len(heard):]
        assert [Trade(side, float(price), float(size)) for _, _, side, price, size in heard] == said
        return
    told = list[str]()
    for first, last, side, price, size in heard:
        ids = [str(number) for number in range(int(first), int(last) + 1)
               if str(number) in truth]
        assert {(truth[each].side, truth[each].price) for each in ids} <= {(side, float(price))}
        if ids:
            assert sum(truth[each].size for each in ids) == pytest.approx(float(size), abs=1e-9)
        told += ids
    if peer.name == "coinbase":  # tells a batch newest first
        told.sort(key=int)
    assert told == list(truth)[-len(told):]
    assert len(told) > PRINTS // 2


@proves("cryptofeed", {
    "L2_BOOK": "every level of two books at 15 quiet points of thousands of updates",
    "TRADES": "takers, prices and sizes of all trades, in order",
}, "binance", "binance-usdm", "kraken", remark="checksums validated (Kraken v1 sends them)")
def test_validated_books_and_trades_are_the_truth(venue: str) -> None:
    async def body() -> None:
        async with a_peer(venue, checksums=True) as peer:
            await follow(peer)
            await check_trades(peer)

    run(body)


@proves("cryptofeed", {
    "L2_BOOK": "every level of two books at 15 quiet points of thousands of updates",
    "TRADES": "takers, prices and sizes of all trades, in order",
}, "okx", remark="not validated: the venue sends checksum 0 since 2026-06-23, and so do we")
def test_books_without_checksums_are_the_truth(venue: str) -> None:
    async def body() -> None:
        async with a_peer(venue, checksums=False) as peer:
            await follow(peer)
            await check_trades(peer)

    run(body)


def test_okx_is_refused_by_who_still_validates_its_dead_checksum() -> None:
    async def body() -> None:
        async with a_peer("okx", checksums=True) as peer:
            await peer.until(
                lambda told: any("BadChecksum" in line for line in told["amiss"]), "no complaint")

    run(body)


@proves("cryptofeed", {
    "L2_BOOK": "every bid of two books at 15 quiet points; of the asks those that changed",
    "TRADES": "sides, prices and sizes of all trades, in order",
}, "coinbase", remark="it looks for side \"ask\" in snapshots, where the venue says \"offer\"; "
    "its list of products needs a kind of key that the venue no longer issues")
def test_coinbase_is_followed_as_far_as_cryptofeed_can(venue: str) -> None:
    async def body() -> None:
        async with a_peer(venue, checksums=True) as peer:
            told = await follow(peer, sides=("bids",))
            for symbol in SYMBOLS[venue]:
                asks = levels(told["books"][spelt(symbol)]["asks"])
                assert len(asks) > 50
                assert asks.items() <= book_truth(peer, symbol)["asks"].items()
            await check_trades(peer)

    run(body)
