"""A plain Binance spot client for tests: signs by the venue's page, not by the simulator's code."""

import base64
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import urlencode

import aiohttp
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from engine.config import Sim
from ops.sim.credentials import ED25519, HMAC, Credentials
from tests.ops.sim.wire import Client, Venue, a_venue


class Reply(NamedTuple):
    """One REST answer."""

    status: int
    body: Any
    headers: dict[str, str]


def sign(key: Credentials, text: str) -> str:
    """Sign as the venue's page says."""
    if key.kind == HMAC:
        return hmac.new(key.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    private = load_pem_private_key(key.secret.encode(), None)
    assert isinstance(private, ed25519.Ed25519PrivateKey)
    return base64.b64encode(private.sign(text.encode())).decode()


class Trader:
    """One account of a venue, over REST and the WebSocket API."""

    def __init__(self, venue: Venue, http: aiohttp.ClientSession, account: str = "main") -> None:
        self.venue, self.account, self._http = venue, account, http
        self.keys = {key.kind: key for key in venue.world.credentials()[venue.name]
                     if key.account == account}
        self.key = self.keys[HMAC]
        self._numbers = itertools.count(1)

    async def ask(
        self, method: str, path: str, *, signed: bool = True, body: bool = False,
        key: Credentials | None = None, root: str = "/api/v3", **params: Any,
    ) -> Reply:
        """Make a request; ``body`` sends the parameters as a form."""
        key = key or self.key
        headers = {"X-MBX-APIKEY": key.key} if signed else {}
        if signed:
            params.setdefault("timestamp", int(time.time() * 1000))
        text = urlencode(params)
        if signed:
            text += "&" + urlencode({"signature": sign(key, text)})
        return await self.raw(method, root + path, text, headers, body=body)

    async def raw(
        self, method: str, path: str, text: str, headers: dict[str, str], *, body: bool = False
    ) -> Reply:
        """Send a request as it is."""
        url = self.venue.world.endpoints()[self.venue.name]["rest"] + path
        if body:
            headers = headers | {"Content-Type": "application/x-www-form-urlencoded"}
        async with self._http.request(
            method, url if body or not text else f"{url}?{text}", headers=headers,
            data=text if body else None,
        ) as answer:
            is_json = answer.content_type == "application/json"
            reply = await (answer.json() if is_json else answer.text())
            return Reply(answer.status, reply, dict(answer.headers))

    async def order(self, symbol: str = "BTCUSDT", **params: Any) -> Reply:
        """Place a limit order unless told otherwise."""
        return await self.ask("POST", "/order", symbol=symbol, **params)

    async def limit(
        self, side: str, price: str, quantity: str, symbol: str = "BTCUSDT", **params: Any
    ) -> Reply:
        """Place a limit order."""
        wanted = {"side": side, "type": "LIMIT", "timeInForce": "GTC", "price": price,
                  "quantity": quantity} | params
        return await self.order(symbol, **wanted)

    def signed(self, params: dict[str, Any], key: Credentials | None = None) -> dict[str, Any]:
        """Return parameters of the WebSocket API, signed."""
        key = key or self.key
        params = {"apiKey": key.key, "timestamp": int(time.time() * 1000)} | params
        text = "&".join(f"{name}={words(params[name])}" for name in sorted(params))
        return params | {"signature": sign(key, text)}

    async def connect(self, query: str = "") -> Client:
        """Open the WebSocket API."""
        return await self.venue.connect("/ws-api/v3" + query)

    async def call(self, client: Client, method: str, /, **params: Any) -> dict[str, Any]:
        """Make one request over the WebSocket API; events that came before stay."""
        number = next(self._numbers)
        client.ask({"id": number, "method": method, "params": params})
        await client.settle()
        answers = [frame for frame in map(_parsed, client.frames) if frame.get("id") == number]
        client.frames = [frame for frame in client.frames if _parsed(frame).get("id") != number]
        (answer,) = answers
        return answer

    async def sign_and_call(self, client: Client, method: str, /, **params: Any) -> dict[str, Any]:
        """Make one signed request over the WebSocket API."""
        return await self.call(client, method, **self.signed(params))

    async def listen(self) -> Client:
        """Open a connection with a user stream."""
        client = await self.connect()
        answer = await self.sign_and_call(client, "userDataStream.subscribe.signature")
        assert answer["result"] == {"subscriptionId": 0}, answer
        return client

    def ed25519(self) -> Credentials:
        """Return the account's Ed25519 key."""
        return self.keys[ED25519]


def words(value: object) -> str:
    """Write a value as it is signed."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _parsed(frame: bytes) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(frame)
    return parsed


def events(client: Client) -> list[dict[str, Any]]:
    """Take the user events that came."""
    return [frame["event"] for frame in client.take() if "event" in frame]


@asynccontextmanager
async def a_trader(
    name: str = "binance", *symbols: str, account: str = "main", sim: Sim | None = None
) -> AsyncIterator[Trader]:
    """Open a venue and a client of it."""
    async with (a_venue(name, *(symbols or ("BTC/USDT",)), sim=sim) as venue,
                aiohttp.ClientSession() as http):
        yield Trader(venue, http, account)


def best(trader: Trader, symbol: str = "BTCUSDT") -> tuple[float, float]:
    """Return best bid and ask of the public book."""
    bids, asks = trader.venue.truth(symbol)
    return max(map(float, bids)), min(map(float, asks))
