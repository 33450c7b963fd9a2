"""A simulated venue over TLS, what it did, and ccxt pointed at it.

    Drive (stepped by hand) ─▶ face ─▶ TLS sockets ─▶ ccxt, its own urls and defaults
                          └─▶ Witness: every update, print and touch, to compare with

Nothing of a client is changed but the address that a name resolves to, and the trusted authority.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import aiohttp
import ccxt.pro
import uvloop

from engine.config import Sim
from engine.runtime.served import CA_FILE
from ops.sim.book import Touch
from ops.sim.credentials import ED25519
from ops.sim.face import BUY, Update
from ops.sim.listing import Line
from ops.sim.rest import HOST
from ops.sim.world import World
from tests.clients.addresses import Loopback, ports_of
from tests.ops.sim.wire import Venue, a_world

TEST_S_MAX: Final = 60.0  # then a test is taken to hang
SETTLE_S_MAX: Final = 10.0
SYMBOLS: Final = {
    "binance": ["BTC/USDT", "ETH/BTC"], "binance-usdm": ["BTC/USDT:USDT", "XRP/USDT:USDT"],
    "okx": ["BTC/USDT", "ETH/BTC"], "kraken": ["BTC/USD", "ETH/BTC"],
    "coinbase": ["BTC/USD", "ETH/BTC"],
}
CCXT_NAMES: Final = {"binance-usdm": "binanceusdm"}  # others are spelt alike
BESIDE: Final = {  # ccxt asks both of Binance's hosts for markets and coins
    "binance": ["binance-usdm"], "binance-usdm": ["binance"]}


class Trade(NamedTuple):
    """One public trade as the venue counts it."""

    side: str
    price: float
    size: float


class Witness:
    """Remembers what one venue's face was given to publish."""

    def __init__(self, world: World, name: str) -> None:
        self.updates = 0
        self.trades: dict[str, dict[str, Trade]] = {}  # symbol -> trade id -> trade
        self.touches: dict[str, set[tuple[float, float]]] = {}  # symbol -> every best bid and ask
        self._face = world.servers[name].face
        self._update: Callable[[Line, Update], None] = self._face.update
        self._face.update = self._see  # type: ignore[method-assign]
        for line in self._face.lines.values():
            self.touches[line.pair.name] = {_touch(line, line.book.touch())}
            self.trades[line.pair.name] = {}

    def _see(self, line: Line, update: Update) -> None:
        self.updates += 1
        self.touches[line.pair.name].add(_touch(line, line.book.touch()))
        for each in update.prints:
            self.trades[line.pair.name][str(each.trade_id)] = Trade(
                "buy" if each.side == BUY else "sell", float(line.price(each.price)),
                float(line.size(each.size)))
        self._update(line, update)


def _touch(line: Line, touch: Touch) -> tuple[float, float]:
    return float(line.price(touch.bid)), float(line.price(touch.ask))


class Stage:
    """One venue, its witness, and a ccxt client of it."""

    def __init__(self, world: World, name: str, client: Any) -> None:
        self.world, self.name, self.client = world, name, client
        self.venue = Venue(world, name)
        self.witness = Witness(world, name)
        self.symbols = SYMBOLS[name]

    def line(self, symbol: str) -> Line:
        """Return the venue's line of a unified symbol."""
        line = self.world.servers[self.name].line(symbol)
        assert line is not None
        return line

    def book(self, symbol: str, depth: int | None = None) -> dict[str, list[list[float]]]:
        """Return the truth about a book as a client holds it: best first, floats."""
        truth = self.world.truth(self.name, symbol)
        assert truth is not None
        return {
            "bids": [[float(price), float(size)] for price, size in truth.bids[:depth]],
            "asks": [[float(price), float(size)] for price, size in truth.asks[:depth]]}

    async def settle(self, reached: Callable[[], bool], what: str) -> None:
        """Wait until the client has taken in all that was sent; fail if it never does."""
        waited_s = 0.0
        while not reached():
            assert waited_s < SETTLE_S_MAX, f"{self.name}: {what}"
            await asyncio.sleep(0.01)
            waited_s += 0.01


def same_book(client: Any, truth: dict[str, list[list[float]]]) -> bool:
    """Return whether a ccxt book holds the levels of the truth, no more and no fewer."""
    return all([level[:2] for level in client[side]] == truth[side] for side in ("bids", "asks"))


def keys_of(world: World, name: str, account: str) -> dict[str, str]:
    """Return an account's key as ccxt takes it."""
    held = world.servers[name].face.floor.credentials.values()
    key = next(each for each in held if each.account == account and each.kind != ED25519)
    return {"apiKey": key.key, "secret": key.secret, "password": key.passphrase}


def plain_urls(urls: Any, hostname: str | None, ports: Mapping[str, int]) -> Any:
    """Return ccxt's table of urls with the simulator's address in place of each host it plays."""
    if isinstance(urls, dict):
        return {name: plain_urls(url, hostname, ports) for name, url in urls.items()}
    parts = urlsplit(urls.replace("{hostname}", hostname or ""))
    port = ports.get(parts.hostname or "")
    if port is None:
        return urls
    return parts._replace(
        scheme=parts.scheme.removesuffix("s"), netloc=f"{HOST}:{port}").geturl()


@asynccontextmanager
async def a_stage(
    name: str, messages_per_s: float = 200.0, account: str = "", *, tls: bool = True, **config: Any
) -> AsyncIterator[Stage]:
    """Open a venue over TLS with its ccxt client; the market moves when stepped.

    With an ``account`` the client has its key; ``config`` is ccxt's own.  Without TLS the client
    gets the simulator's urls in place of the venue's.
    """
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        names = [name, *BESIDE.get(name, [])]
        venues = {each: SYMBOLS[each] for each in names}
        sim = Sim(tls=tls, messages_per_s=messages_per_s)
        async with a_world(venues, sim, folder) as world:
            ports = ports_of(world.endpoints())
            trust = ssl.create_default_context(cafile=str(folder / CA_FILE)) if tls else True
            connector = aiohttp.TCPConnector(ssl=trust, resolver=Loopback(ports))
            async with aiohttp.ClientSession(connector=connector) as session:
                keys = keys_of(world, name, account) if account else {}
                client = getattr(ccxt.pro, CCXT_NAMES.get(name, name))(
                    {"session": session, **keys, **config})
                if not tls:
                    client.urls["api"] = plain_urls(client.urls["api"], client.hostname, ports)
                client.timeout_on_exit = 0  # ms that ccxt sleeps after all is closed
                try:
                    yield Stage(world, name, client)
                finally:
                    await client.close()


def run(body: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run one asynchronous test."""
    uvloop.run(asyncio.wait_for(body(), TEST_S_MAX))
