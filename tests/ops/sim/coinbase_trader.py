"""A plain Advanced Trade client: signs tokens by itself, keeps what the user channel tells."""

import base64
import json
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from engine.model.clock import ManualClock, SystemClock
from ops.sim.credentials import ES256, Credentials
from tests.ops.sim.wire import Client, Venue

ROOT = "/api/v3/brokerage"


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def sign(credentials: Credentials, text: bytes) -> bytes:
    if credentials.kind != ES256:
        seed = base64.b64decode(credentials.secret)[:32]
        return ed25519.Ed25519PrivateKey.from_private_bytes(seed).sign(text)
    key = load_pem_private_key(credentials.secret.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    r, s = decode_dss_signature(key.sign(text, ec.ECDSA(SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


def token(credentials: Credentials, now_s: int, uri: str = "", **claims: Any) -> str:
    """Build a token as the official SDK does; ``claims`` replace its own."""
    alg = "ES256" if credentials.kind == ES256 else "EdDSA"
    header = {"alg": alg, "typ": "JWT", "kid": credentials.key, "nonce": "5eed"}
    body = {"sub": credentials.key, "iss": "cdp", "nbf": now_s, "exp": now_s + 120}
    parts = [header, body | ({"uri": uri} if uri else {}) | claims]
    signed = ".".join(encoded(json.dumps(part).encode()) for part in parts)
    return f"{signed}.{encoded(sign(credentials, signed.encode()))}"


class Trader:
    """One account's client."""

    def __init__(self, venue: Venue, account: str = "main", kind: str = ES256) -> None:
        self.venue, self.account = venue, account
        self.credentials = next(each for each in venue.world.credentials()["coinbase"]
                                if (each.account, each.kind) == (account, kind))
        self.headers: dict[str, str] = {}  # of the last answer
        self._ids = 0

    def token(self, uri: str = "", **claims: Any) -> str:
        return token(self.credentials, SystemClock().unix_ns() // 10**9, uri, **claims)

    async def call(
        self, method: str, path: str, body: object = None, *, query: str = "", bearer: str = "",
    ) -> tuple[int, Any]:
        """Make a signed call; return status and body."""
        bearer = bearer or self.token(f"{method} api.coinbase.com{ROOT}{path}")
        return await self._ask(method, f"{ROOT}{path}{query}", bearer, body)

    async def plain(self, path: str, query: str = "") -> Any:
        """Ask for a path that is not below Advanced Trade's."""
        bearer = self.token(f"GET api.coinbase.com{path}")
        status, body = await self._ask("GET", f"{path}{query}", bearer, None)
        assert status == 200, (status, body)
        return body

    async def _ask(self, method: str, path: str, bearer: str, body: object) -> tuple[int, Any]:
        root = self.venue.world.endpoints()["coinbase"]["rest"]
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                method, root + path, data=data,
                headers={"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"},
            ) as answer,
        ):
            self.headers = {name.lower(): text for name, text in answer.headers.items()}
            text = await answer.text()
            return answer.status, json.loads(text) if text[:1] in ("{", "[") else text

    def host(self) -> str:
        """Return host and port of the simulator's REST."""
        return urlsplit(self.venue.world.endpoints()["coinbase"]["rest"]).netloc

    async def get(self, path: str, query: str = "") -> Any:
        status, body = await self.call("GET", path, query=query)
        assert status == 200, (status, body)
        return body

    async def place(
        self, side: str, kind: str, product: str = "BTC-USD", client_id: str = "", **options: Any
    ) -> Any:
        """Place an order; return the whole answer."""
        self._ids += 1
        status, body = await self.call("POST", "/orders", {
            "client_order_id": client_id or f"{self.account}-{self._ids}", "product_id": product,
            "side": side, "order_configuration": {kind: options}})
        assert status == 200, (status, body)
        return body

    async def placed(self, *args: Any, **options: Any) -> str:
        """Place an order that must be taken; return its id."""
        body = await self.place(*args, **options)
        assert body["success"] is True, body
        order_id: str = body["success_response"]["order_id"]
        return order_id

    async def order(self, order_id: str) -> dict[str, Any]:
        body = await self.get(f"/orders/historical/{order_id}")
        order: dict[str, Any] = body["order"]
        return order

    async def cancel(self, *order_ids: str) -> list[dict[str, Any]]:
        status, body = await self.call("POST", "/orders/batch_cancel", {"order_ids": order_ids})
        assert status == 200, (status, body)
        results: list[dict[str, Any]] = body["results"]
        return results

    async def stream(self, *products: str) -> Client:
        """Connect and follow the account's orders."""
        client = await self.venue.connect()
        client.ask({"type": "subscribe", "channel": "user", "product_ids": products,
                    "jwt": self.token()})
        await client.settle()
        return client


def unlimited(venue: Venue) -> None:
    """Let a second pass for the rate limits with every call."""
    seconds = count(SystemClock().mono_ns(), 10**9)
    floor = venue.world.servers["coinbase"].face.floor
    floor.mono_ns = seconds.__next__  # type: ignore[method-assign]


def frozen(venue: Venue) -> ManualClock:
    """Let the rate limits go by a clock that the test moves."""
    clock = ManualClock(mono_ns=SystemClock().mono_ns() // 10**9 * 10**9)
    floor = venue.world.servers["coinbase"].face.floor
    floor.mono_ns = clock.mono_ns  # type: ignore[method-assign]
    return clock


def rows(frames: list[Any]) -> list[dict[str, Any]]:
    """Return the order rows of user-channel messages, oldest first."""
    return [row for frame in frames if frame.get("channel") == "user"
            for event in frame["events"] for row in event["orders"]]
