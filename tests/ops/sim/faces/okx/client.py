"""A client of the simulated OKX that holds a key: signs requests, logs in, remembers pushes."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import aiohttp

from engine.config import Sim
from ops.sim.credentials import Credentials
from ops.sim.face import iso
from ops.sim.faces.okx.face import Okx
from tests.ops.sim.wire import Client, Venue, a_venue

PRIVATE = "/ws/v5/private"
Row = dict[str, Any]


def signature(secret: str, text: str) -> str:
    """Return base64 HMAC-SHA256, written apart from the simulator's own."""
    digest = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


class Trader:
    """One account at one venue."""

    def __init__(self, venue: Venue, account: str = "main") -> None:
        self.venue, self.account = venue, account
        face = venue.world.servers[venue.name].face
        assert isinstance(face, Okx)
        self.face = face
        self.floor = face.floor
        self.key: Credentials = next(
            key for key in self.floor.credentials.values() if key.account == account)

    def headers(self, method: str, target: str, body: str, off_s: float = 0) -> dict[str, str]:
        """Sign a request, by a clock that is ``off_s`` ahead."""
        at = iso(self.floor.now_ns() + int(off_s * 1e9))[:-4] + "Z"
        return {
            "OK-ACCESS-KEY": self.key.key, "OK-ACCESS-PASSPHRASE": self.key.passphrase,
            "OK-ACCESS-TIMESTAMP": at,
            "OK-ACCESS-SIGN": signature(self.key.secret, at + method + target + body),
        }

    async def call(
        self, method: str, verb: str, body: object = None, *,
        query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None,
        raw: str | None = None, kind: str = "application/json",
    ) -> tuple[int, Any]:
        """Make a signed request; return status and answer."""
        target = f"/api/v5/{verb}" + (f"?{urlencode(query)}" if query else "")
        text = raw if raw is not None else "" if body is None else json.dumps(body)
        signed = self.headers(method, target, text) | dict(headers or {})
        if method == "POST":
            signed["Content-Type"] = kind
        url = self.venue.world.endpoints()[self.venue.name]["rest"] + target
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, data=text or None, headers=signed) as answer,
        ):
            return answer.status, await answer.json()

    async def get(self, verb: str, **query: str) -> list[Row]:
        """Read; the answer must be a good one."""
        _, answer = await self.call("GET", verb, query=query)
        assert answer["code"] == "0", answer
        rows: list[Row] = answer["data"]
        return rows

    async def post(self, verb: str, body: object) -> Any:
        """Write; return the whole answer."""
        return (await self.call("POST", verb, body))[1]

    async def place(self, side: str = "buy", kind: str = "limit", **fields: Any) -> Row:
        """Place an order on BTC-USDT; return the answer's row."""
        answer = await self.post("trade/order", order(side, kind, **fields))
        assert answer["data"], answer
        row: Row = answer["data"][0]
        return row

    async def query(self, order_id: str, native: str = "BTC-USDT") -> Row:
        """Ask for one order."""
        return (await self.get("trade/order", instId=native, ordId=order_id))[0]

    async def stream(self, *args: Row) -> Client:
        """Open a private connection, log in, and subscribe."""
        client = await self.venue.connect(PRIVATE)
        client.ask(self.login())
        if args:
            client.ask({"op": "subscribe", "args": list(args)})
        await client.settle()
        return client

    def login(self, **changed: str) -> Row:
        """Return a login request."""
        at = changed.get("timestamp", str(self.floor.now_ns() // 10**9))
        arg = {"apiKey": self.key.key, "passphrase": self.key.passphrase, "timestamp": at,
               "sign": signature(self.key.secret, f"{at}GET/users/self/verify")}
        return {"op": "login", "args": [arg | changed]}

    def touch(self, native: str = "BTC-USDT") -> tuple[str, str]:
        """Return the best bid and ask as text."""
        line = self.face.lines[native]
        touch = line.book.touch()
        return line.plain_price(touch.bid), line.plain_price(touch.ask)


def order(side: str = "buy", kind: str = "limit", **fields: Any) -> Row:
    """Return the body of an order that rests far away, unless ``fields`` say otherwise."""
    body: Row = {"instId": "BTC-USDT", "tdMode": "cash", "side": side, "ordType": kind,
                 "sz": "0.01"}
    if kind != "market":
        body["px"] = "50000" if side == "buy" else "80000"
    return {name: value for name, value in (body | fields).items() if value is not None}


@asynccontextmanager
async def a_trader(
    *symbols: str, name: str = "okx", sim: Sim | None = None
) -> AsyncIterator[Trader]:
    """Open a venue and be its first client."""
    async with a_venue(name, *(symbols or ("BTC/USDT",)), sim=sim) as venue:
        yield Trader(venue)


def pushes(client: Client, channel: str) -> list[Row]:
    """Return the pushes of a channel so far, and forget all frames."""
    return [frame for frame in client.take()
            if "data" in frame and frame.get("arg", {}).get("channel") == channel]
