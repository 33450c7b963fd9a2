"""A client of the simulated USD-M: signed REST, the WebSocket API, and a user stream it follows."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

import aiohttp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from yarl import URL

from engine.config import Sim
from engine.model.clock import SystemClock
from ops.sim.credentials import Credentials
from ops.sim.drive import Drive
from ops.sim.exchange.exchange import Exchange
from ops.sim.faces.binance import BinanceUsdm
from ops.sim.truth import AccountTruth
from ops.sim.world import World
from tests.ops.sim.wire import Client, Venue, plain

NAME = "binance-usdm"
BTC = "BTC/USDT:USDT"
NS = 10**9


class LateClock:
    """The machine's clock, which tests put forward instead of waiting."""

    def __init__(self) -> None:
        self._late_ns = 0

    def mono_ns(self) -> int:
        """Return the monotonic time."""
        return SystemClock.mono_ns() + self._late_ns

    def unix_ns(self) -> int:
        """Return the wall time."""
        return SystemClock.unix_ns() + self._late_ns

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._late_ns += int(seconds * NS)

    def begin_minute(self) -> None:
        """Go to where the next minute of the monotonic clock begins."""
        self.advance(60 - self.mono_ns() / NS % 60)


def sign(credentials: Credentials, payload: str) -> str:
    """Sign as the key's kind asks for."""
    if credentials.kind == "hmac":
        return hmac.new(
            credentials.secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
    private = load_pem_private_key(credentials.secret.encode(), None)
    assert isinstance(private, Ed25519PrivateKey)
    return base64.b64encode(private.sign(payload.encode())).decode()


class Reply:
    """One REST answer."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str]) -> None:
        self.status, self.body, self.headers = status, body, headers

    @property
    def code(self) -> tuple[int, int]:
        """Return HTTP status and the venue's error code."""
        return self.status, self.body["code"]


class Trader:
    """One account at one venue."""

    def __init__(self, venue: Venue, account: str = "main", kind: str = "hmac") -> None:
        self.venue, self.account = venue, account
        keys = venue.world.credentials()[venue.name]
        self.key = next(each for each in keys if (each.account, each.kind) == (account, kind))
        face = venue.world.servers[venue.name].face
        assert isinstance(face, BinanceUsdm)
        self.face = face

    @property
    def exchange(self) -> Exchange:
        """Return the matching engine behind the venue."""
        return self.face.floor.exchange

    def truth(self) -> AccountTruth:
        """Return what the account holds and did."""
        truth = self.venue.world.account_truth(self.venue.name, self.account)
        assert truth is not None
        return truth

    async def ask(self, verb: str, path: str, **params: Any) -> Reply:
        """Make a signed request; parameters of POST and PUT travel in the body."""
        stamp = params.pop("timestamp", self.face.now_ms())
        query = urlencode(params | {"timestamp": stamp})
        query += f"&signature={urlencode({'': sign(self.key, query)})[1:]}"
        return await self.raw(verb, path, query, self.key.key)

    async def raw(self, verb: str, path: str, query: str, key: str | None) -> Reply:
        """Send a request as it is."""
        url = self.venue.world.endpoints()[self.venue.name]["rest"] + "/fapi/" + path
        headers = {"X-MBX-APIKEY": key} if key is not None else {}
        body = None
        if verb in ("POST", "PUT"):
            body = query.encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        elif query:
            url += "?" + query
        async with (
            aiohttp.ClientSession() as session,
            session.request(verb, URL(url, encoded=True), data=body, headers=headers) as answer,
        ):
            text = await answer.text()
            return Reply(answer.status, json.loads(text), answer.headers)

    async def order(self, **params: Any) -> Reply:
        """Place an order; BTCUSDT and RESULT unless said otherwise."""
        first = {"symbol": "BTCUSDT", "newOrderRespType": "RESULT"}
        if params.get("type", "LIMIT") == "LIMIT":
            first |= {"type": "LIMIT", "timeInForce": "GTC"}
        return await self.ask("POST", "v1/order", **(first | params))

    async def listen(self, events: str = "") -> Client:
        """Open the user stream."""
        reply = await self.raw("POST", "v1/listenKey", "", self.key.key)
        key = reply.body["listenKey"]
        more = f"&events={events}" if events else ""
        client = await self.venue.connect(f"/private/ws?listenKey={key}{more}")
        await client.settle()
        return client

    def touch(self) -> tuple[float, float]:
        """Return best bid and ask of BTCUSDT."""
        bids, asks = self.venue.truth("BTCUSDT")
        return max(map(float, bids)), min(map(float, asks))


@asynccontextmanager
async def a_trader(
    *symbols: str, account: str = "main", kind: str = "hmac", sim: Sim | None = None
) -> AsyncIterator[tuple[Trader, LateClock]]:
    """Open a world of USD-M alone, whose clock can be put forward; return one who trades there."""
    clock = LateClock()
    world = World({NAME: symbols or (BTC,)}, sim or Sim(), clock)
    with TemporaryDirectory() as folder:
        await world.open(Path(folder))
        assert isinstance(world.flow, Drive)
        world.flow.pause()
        try:
            yield Trader(Venue(world, NAME), account, kind), clock
        finally:
            await world.close()


def ws_request(
    trader: Trader, method: str, request_id: object = 1, **params: Any
) -> dict[str, Any]:
    """Make a signed request of the WebSocket API."""
    credentials = trader.key
    signed = {"apiKey": credentials.key, "timestamp": trader.face.now_ms()} | params
    payload = "&".join(
        f"{name}={json.dumps(value) if isinstance(value, bool) else value}"
        for name, value in sorted(signed.items()))
    return {"id": request_id, "method": method,
            "params": signed | {"signature": sign(credentials, payload)}}


async def call(client: Client, *requests: object) -> list[Any]:
    """Send requests and return what came back."""
    client.take()
    client.ask(*requests)
    await client.settle()
    for _ in range(20):
        if len(client.frames) >= len(requests):
            break
        await asyncio.sleep(0.01)
    return client.take()


class Follower:
    """What a client knows of its account from the user stream alone."""

    def __init__(self) -> None:
        self.orders: dict[int, dict[str, Any]] = {}
        self.fills: dict[int, list[dict[str, Any]]] = {}  # by trade id: both sides may be ours
        self.wallets: dict[str, str] = {}
        self.positions: dict[str, str] = {}

    def take(self, client: Client) -> None:
        """Read all frames so far."""
        for frame in client.take():
            if frame["e"] == "ORDER_TRADE_UPDATE":
                order = frame["o"]
                self.orders[order["i"]] = order
                if order["x"] == "TRADE":
                    self.fills.setdefault(order["t"], []).append(order)
            elif frame["e"] == "ACCOUNT_UPDATE":
                self.wallets |= {row["a"]: plain(row["wb"]) for row in frame["a"]["B"]}
                self.positions |= {row["s"]: plain(row["pa"]) for row in frame["a"]["P"]}
