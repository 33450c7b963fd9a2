"""A client of the Kraken face that signs by itself: REST, and a v2 connection with a token."""

import base64
import hashlib
import hmac
import itertools
import json
from typing import Any, cast
from urllib.parse import urlencode

import aiohttp

from ops.sim.drive import Drive
from ops.sim.faces.kraken import Kraken
from tests.ops.sim.wire import Client, Venue

NONCES = itertools.count(1_760_000_000_000)


def api_sign(secret: str, path: str, nonce: str, body: bytes) -> str:
    """Sign as the documentation says."""
    digest = hashlib.sha256(nonce.encode() + body).digest()
    made = hmac.new(base64.b64decode(secret), path.encode() + digest, hashlib.sha512)
    return base64.b64encode(made.digest()).decode()


class Trader:
    """One account of a simulated Kraken."""

    def __init__(self, venue: Venue, account: str = "main") -> None:
        self.venue, self.account = venue, account
        issued = venue.world.credentials()["kraken"]
        self.keys = next(each for each in issued if each.account == account)

    @property
    def face(self) -> Kraken:
        """Return the face behind the sockets."""
        return cast(Kraken, self.venue.world.servers["kraken"].face)

    async def send(
        self, method: str, body: bytes, nonce: str, *, kind: str = "x-www-form-urlencoded",
        sign: str | None = None, key: str | None = None,
    ) -> tuple[int, Any]:
        """Post a body; signed rightly unless told otherwise."""
        path = f"/0/private/{method}"
        headers = {
            "API-Key": self.keys.key if key is None else key,
            "API-Sign": api_sign(self.keys.secret, path, nonce, body) if sign is None else sign,
            "Content-Type": f"application/{kind}",
        }
        url = self.venue.world.endpoints()["kraken"]["rest"] + path
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, data=body, headers=headers) as answer,
        ):
            text = await answer.text()
            return answer.status, json.loads(text) if text[:1] in ("{", "[") else text

    async def post(self, method: str, **fields: Any) -> Any:
        """Call a private method with a form; return the parsed answer."""
        nonce = str(next(NONCES))
        body = urlencode({"nonce": nonce} | fields).encode()
        return (await self.send(method, body, nonce))[1]

    async def post_json(self, method: str, **fields: Any) -> Any:
        """Call a private method with a JSON body."""
        nonce = str(next(NONCES))
        body = json.dumps({"nonce": nonce} | fields).encode()
        return (await self.send(method, body, nonce, kind="json"))[1]

    async def result(self, method: str, **fields: Any) -> Any:
        """Call a private method that must succeed."""
        answer = await self.post(method, **fields)
        assert answer["error"] == [], answer
        return answer["result"]

    async def error(self, method: str, **fields: Any) -> str:
        """Call a private method that must fail; return the error."""
        answer = await self.post(method, **fields)
        (text,) = answer["error"]
        assert "result" not in answer
        return str(text)

    async def add(self, kind: str = "limit", **fields: Any) -> Any:
        """Place an order of BTC/USD; return the answer."""
        row = {"pair": "XBTUSD", "type": "buy", "ordertype": kind, "volume": "0.01"} | fields
        if kind == "limit":
            row.setdefault("price", "1000")
        return await self.post("AddOrder", **row)

    async def added(self, kind: str = "limit", **fields: Any) -> str:
        """Place an order that must be taken; return its id."""
        answer = await self.add(kind, **fields)
        assert answer["error"] == [], answer
        return str(answer["result"]["txid"][0])

    async def connect(self) -> "Socket":
        """Open a v2 connection with a token."""
        token = (await self.result("GetWebSocketsToken"))["token"]
        client = await self.venue.connect()
        await client.settle()
        client.take()
        return Socket(client, token)

    def touch(self) -> tuple[float, float]:
        """Return best bid and ask of BTC/USD."""
        bids, asks = self.venue.truth("BTC/USD")
        return max(map(float, bids)), min(map(float, asks))

    def step(self, seconds: float) -> None:
        """Let the market move."""
        assert isinstance(self.venue.world.flow, Drive)
        self.venue.step(seconds)


class Socket:
    """A v2 connection with a token."""

    def __init__(self, client: Client, token: str) -> None:
        self.client, self.token = client, token

    async def ask(self, method: str, **params: Any) -> list[Any]:
        """Send a request; return every frame that came until it was served."""
        self.client.ask({"method": method, "params": params | {"token": self.token}, "req_id": 7})
        return await self.frames()

    async def frames(self) -> list[Any]:
        """Return the frames that came, parsed."""
        await self.client.settle()
        return self.client.take()

    async def answer(self, method: str, **params: Any) -> Any:
        """Send a request; return its one answer."""
        (answer,) = [each for each in await self.ask(method, **params) if "method" in each]
        assert answer["req_id"] == 7
        return answer

    async def add(self, **params: Any) -> Any:
        """Place an order of BTC/USD; return the answer."""
        row = {"symbol": "BTC/USD", "side": "buy", "order_type": "limit", "order_qty": 0.01,
               "limit_price": 1000.0} | params
        if row["order_type"] == "market":
            row.pop("limit_price")
        if "cash_order_qty" in row:
            row.pop("order_qty")
        return await self.answer("add_order", **row)


def reports(frames: list[Any]) -> list[Any]:
    """Return the rows of the executions channel, in order."""
    return [row for frame in frames if frame.get("channel") == "executions"
            for row in frame["data"]]
