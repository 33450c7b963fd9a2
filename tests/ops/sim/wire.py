"""A plain client for the simulated venues, and a world that moves only when told to."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import uvloop
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from engine.config import Sim
from engine.model.clock import SystemClock
from ops.sim.drive import Drive
from ops.sim.world import World

SECOND = 1_000_000_000
DEADLINE_S = 40.0  # a test that hangs fails; no test depends on how fast it is


def run(body: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run one asynchronous test."""
    uvloop.run(asyncio.wait_for(body(), DEADLINE_S))


class Client(WSListener):
    """Keeps every text frame; ``settle`` returns when all that was sent before has come."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[bytes] = []
        self.transport: WSTransport
        self.closed = asyncio.Event()
        self.pings = 0
        self._pong = asyncio.Event()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Keep texts, answer pings and the close."""
        if frame.msg_type == WSMsgType.TEXT:
            self.frames.append(frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.PONG:
            self._pong.set()
        elif frame.msg_type == WSMsgType.PING:
            self.pings += 1
            transport.send_pong(frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Note the end."""
        self.closed.set()

    def ask(self, *requests: object) -> None:
        """Send requests: bytes as they are, all else as JSON."""
        for request in requests:
            text = request if isinstance(request, bytes) else json.dumps(request).encode()
            self.transport.send(WSMsgType.TEXT, text)

    async def settle(self) -> None:
        """Return when all that the venue sent until now has come."""
        self._pong.clear()
        self.transport.send_ping(b"settle")
        await self._pong.wait()

    def take(self) -> list[Any]:
        """Return the frames so far, parsed, and forget them."""
        frames, self.frames = self.frames, []
        return [json.loads(frame) for frame in frames]


class Venue:
    """One simulated venue as a client sees it."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name

    async def connect(self, path: str | None = None) -> Client:
        """Open a WebSocket at the venue's own path, or at another one."""
        url = self.world.endpoints()[self.name]["ws"]
        if path is not None:
            url = f"ws://{urlsplit(url).netloc}{path}"
        transport, client = await ws_connect(Client, url, enable_auto_pong=False)
        assert isinstance(client, Client)
        client.transport = transport
        return client

    async def get(self, path: str) -> tuple[int, Any]:
        """Ask the venue's REST; return status and body."""
        url = self.world.endpoints()[self.name]["rest"] + path
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text[:1] in ("{", "[") else text

    async def call(self, verb: str, path: str, body: object = None) -> tuple[int, Any]:
        """Make a control call."""
        root = urlsplit(self.world.endpoints()[self.name]["rest"]).netloc
        async with (
            aiohttp.ClientSession() as session,
            session.request(verb, f"http://{root}/sim{path}", json=body) as answer,
        ):
            return answer.status, await answer.json()

    def step(self, seconds: float) -> None:
        """Let the invented market move."""
        assert isinstance(self.world.flow, Drive)
        self.world.flow.step(int(seconds * SECOND))
        self.world.flow.pause()  # what waits goes out

    def truth(self, symbol: str) -> tuple[dict[str, str], dict[str, str]]:
        """Return the venue's own book as price -> size."""
        truth = self.world.truth(self.name, symbol)
        assert truth is not None
        return dict(truth.bids), dict(truth.asks)


@asynccontextmanager
async def a_world(
    venues: Mapping[str, Sequence[str]], sim: Sim | None = None, folder: Path | None = None
) -> AsyncIterator[World]:
    """Open a world; an invented market stands still until it is stepped."""
    world = World(venues, sim or Sim(), SystemClock())
    with TemporaryDirectory() as temporary:
        await world.open(folder or Path(temporary))
        if isinstance(world.flow, Drive):
            world.flow.pause()
        try:
            yield world
        finally:
            await world.close()


@asynccontextmanager
async def a_venue(name: str, *symbols: str, sim: Sim | None = None) -> AsyncIterator[Venue]:
    """Open a world of one venue."""
    async with a_world({name: symbols}, sim) as world:
        yield Venue(world, name)


def plain(number: str | float) -> str:
    """Drop trailing zeros."""
    text = str(number)
    return text.rstrip("0").rstrip(".") if "." in text else text


class Book:
    """A reference replayer: two dicts of plain decimal text."""

    def __init__(self) -> None:
        self.bids: dict[str, str] = {}
        self.asks: dict[str, str] = {}

    def set(self, side: dict[str, str], price: str, size: str) -> None:
        """Set or remove a level."""
        if float(size):
            side[plain(price)] = plain(size)
        else:
            side.pop(plain(price), None)

    def apply(self, bids: Sequence[Sequence[str]], asks: Sequence[Sequence[str]]) -> None:
        """Set levels of both sides; what follows price and size is left aside."""
        for side, rows in ((self.bids, bids), (self.asks, asks)):
            for row in rows:
                self.set(side, row[0], row[1])

    def both(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return bids and asks."""
        return self.bids, self.asks
