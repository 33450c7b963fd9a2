"""A codec of few words, an approved order, and a venue on loopback that does what a test says."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any, TypeVar

import msgspec
import structlog
import uvloop

from engine.model.clock import SystemClock
from engine.model.errors import DecodeError
from exec.core import ports as p
from exec.gate.approval import Approval, Gate
from exec.gate.checks import Place, Proposal, Proposed, Purpose, Situation
from exec.gateways.codec import ORDERS, REST, USER, Answer, Codec, Outcome, Request
from exec.gateways.endpoints import Endpoints
from exec.gateways.gateway import Gateway
from exec.gateways.settings import Settings
from exec.records import Intended
from shm.layout import TradingState
from tests.exec.gate.test_checks import LIMITS
from tests.feeds.ws_server import TEXT, Peer, serving

MS = 1_000_000
DEADLINE_S = 8.0  # a test that hangs fails; no test depends on how fast it is
PROPOSED = Proposed("plain", "BTC/USDT", 1, 10_000, 10, 700, "USDT", 701)
SETTINGS = Settings(
    answer_ns_max=300 * MS, question_ns_max=400 * MS, backoff_ns_min=1 * MS,
    backoff_ns_max=20 * MS, proof_ns_max=300 * MS, goodbye_ns_max=200 * MS, tick_s=0.005)


def order(number: int = 1, **changes: Any) -> Intended:
    intended = Intended(
        number, 1, 0, "plain", "BTC/USDT", 1, 10_000, 10, 1, False, False, f"t1x{number}",
        1, 0, Purpose.OPERATOR)
    return msgspec.structs.replace(intended, **changes)


def approved(number: int = 1, *, admitted: bool = True) -> tuple[Intended, Proposed, Approval]:
    """Return an order with the gate's leave for it, ``admitted`` by the sender."""
    gate = Gate(LIMITS, life=1)
    judged = gate.judge(
        Proposal(Purpose.OPERATOR, "operator", (PROPOSED,)),
        Situation(0, False, TradingState.ACTIVE, (
            Place(touch=10_000, tick=10, lot=5, size_min=5, free=10_000, tokens=9,
                  reference=10_000),)))
    assert isinstance(judged, tuple)
    assert not admitted or gate.admits(judged[0], PROPOSED, Purpose.OPERATOR)
    return order(number, approval=judged[0].token), PROPOSED, judged[0]


class PlainCodec(Codec):
    """Texts are JSON: {"id", "live", "say": [[kind, client id]], "next"}; "pong" is nothing."""

    venue = "plain"
    orders_path = "/orders"
    user_path = "/user"
    silence_s_max = 30.0

    def __init__(self, *, orders: bool = True, time_path: str = "") -> None:
        self.orders_path = "/orders" if orders else ""
        self.time_path = time_path
        self.asked: list[str] = []  # how often what was made
        self.kept = 0

    def opening(self, channel: str, now_unix_ns: int) -> Sequence[Request]:
        return [self.say(channel, "login", "login")]

    def say(self, channel: str, purpose: str, request_id: str, client_id: str = "") -> Request:
        text = msgspec.json.encode({"id": request_id, "do": purpose, "order": client_id})
        return Request(
            channel=channel, purpose=purpose, id=request_id, client_id=client_id, text=text)

    def call(self, purpose: str, path: str, client_id: str = "", method: str = "GET") -> Request:
        return Request(channel=REST, purpose=purpose, client_id=client_id, method=method,
                       path=path, text=b"{}" if method == "POST" else b"")

    def place(self, order: Intended, now_unix_ns: int, *, rest: bool) -> Request:
        self.asked.append("place")
        if rest:
            return self.call("place", f"/place/{order.client_id}", order.client_id, "POST")
        return self.say(ORDERS, "place", f"p{order.order}", order.client_id)

    def cancel(
        self, order: Intended, venue_order: str, now_unix_ns: int, *, rest: bool
    ) -> Request:
        if rest:
            return self.call("cancel", f"/cancel/{order.client_id}", order.client_id, "DELETE")
        return self.say(ORDERS, "cancel", f"c{order.order}", order.client_id)

    def cancel_all(self, now_unix_ns: int) -> Sequence[Request]:
        return [self.call("cancel_all", "/all", method="DELETE")]

    def query(self, order: Intended, venue_order: str, now_unix_ns: int) -> Sequence[Request]:
        return [self.call("query", f"/{part}/{order.client_id}", order.client_id)
                for part in ("order", "fills")]

    def survey(self, since_unix_ns: int, now_unix_ns: int) -> Sequence[Request]:
        return [self.call("survey", path) for path in ("/open", "/fills", "/balances")]

    def arm(self, timeout_ms: int, now_unix_ns: int) -> Sequence[Request]:
        return [self.call("arm", f"/arm/{timeout_ms}", method="POST")]

    def frame(self, channel: str, text: bytes, now_unix_ns: int) -> Outcome:
        return self._read(text)

    def answer(self, request: Request, answer: Answer, asked_unix_ns: int) -> Outcome:
        if answer.status >= 400:
            return Outcome([self.report(request.purpose, request.client_id)])
        return self._read(answer.body)

    def _read(self, text: bytes) -> Outcome:
        if text == b"pong":
            return Outcome()
        try:
            said = msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise DecodeError(str(error)) from None
        reports = [self.report(*each) for each in said.get("say", [])]
        follow = [self.call("survey", path) for path in said.get("next", [])]
        return Outcome(reports, follow, said.get("id", ""), said.get("live", ()))

    def report(self, kind: str, client_id: str) -> p.Report:
        """Make one report; a refused request's purpose is a kind too."""
        made: dict[str, p.Report] = {
            "accepted": p.Accepted("plain", client_id, "v1"),
            "traded": p.Traded("plain", "BTC/USDT", client_id, "v1", "7", 1, 10_000, 10, "0",
                               "USDT", True, 0, "stream"),
            "refused": p.Ready("plain", client_id),
            "seen": p.Seen("plain", client_id, "v1", 1, "", 0, 0),
            "listing": p.Listing("plain", ()),
            "balance": p.Balance("plain", "USDT", "1", "0", "survey"),
            "place": p.Denied("plain", client_id, "no", "no"),
            "cancel": p.CancelDenied("plain", client_id, "no", "no"),
            "survey": p.Balance("plain", "none", "0", "0", "refused"),
            "query": p.Balance("plain", "none", "0", "0", "refused"),
            "cancel_all": p.Balance("plain", "none", "0", "0", "refused"),
            "arm": p.Balance("plain", "none", "0", "0", "refused"),
        }
        return made[kind]


class Flags:
    """The kill word."""

    def __init__(self) -> None:
        self.kill = False

    def killed(self) -> bool:
        return self.kill

    def paused(self, venue: str, symbol: str, strategy: str) -> tuple[bool, bool]:
        return False, False


T = TypeVar("T")
Reply = tuple[int, Mapping[str, str], bytes] | None  # None: cut the connection
Rest = Callable[[str, str], Awaitable[Reply]]
Script = Callable[[Peer], Awaitable[None]]


@asynccontextmanager
async def rest_serving(answer: Rest, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Answer REST requests by method and path; keep connections alive."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                lines = head.split("\r\n")
                method, path, _ = lines[0].split(" ")
                size = next((int(line.split(":")[1]) for line in lines
                             if line.lower().startswith("content-length:")), 0)
                await reader.readexactly(size)
                reply = await answer(method, path)
                if reply is None:
                    writer.transport.abort()
                    return
                status, headers, body = reply
                told = "".join(f"{name}: {text}\r\n" for name, text in headers.items())
                writer.write(f"HTTP/1.1 {status} X\r\n{told}Content-Length: {len(body)}\r\n\r\n"
                             .encode() + body)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client left
        finally:
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{port}"
    finally:
        server.close()


class Stage:
    """A gateway between a venue that misbehaves and a core that only listens."""

    def __init__(self, gateway: Gateway, flags: Flags) -> None:
        self.gateway, self.flags = gateway, flags
        self.told: list[p.Report] = []
        self.called: list[str] = []  # REST requests, as they came
        self.placed: list[str] = []  # orders that reached the venue over WebSocket

    async def until(self, true: Callable[[], object]) -> None:
        """Wait until something holds."""
        while not true():
            await asyncio.sleep(0.005)

    async def ready(self) -> None:
        await self.until(lambda: p.Ready("plain", "") in self.told)

    def of(self, *kinds: type[T]) -> list[T]:
        return [each for each in self.told if isinstance(each, kinds)]

    def place(self, number: int = 1) -> str:
        return self.gateway.place(*approved(number))


async def obliging(method: str, path: str) -> Reply:
    """Answer what a venue without any trouble would."""
    says = {"/open": '[["listing",""]]', "/balances": '[["balance",""]]',
            "/fills": '[["traded","t1x1"]]'}
    client_id = path.rsplit("/", 1)[-1]
    if path.startswith("/place"):
        return 200, {}, f'{{"say":[["accepted","{client_id}"]]}}'.encode()
    if path.startswith("/order/"):
        return 200, {}, f'{{"say":[["seen","{client_id}"]]}}'.encode()
    return 200, {}, f'{{"say":{says.get(path, "[]")}}}'.encode()


async def login(peer: Peer, channel: str) -> None:
    """Let the client in."""
    await peer.read_until(TEXT)
    peer.text(msgspec.json.encode({"id": "login", "live": [channel]}))


async def taking(peer: Peer) -> None:
    """Take every order."""
    await login(peer, ORDERS)
    while True:
        said = msgspec.json.decode(await peer.read_until(TEXT))
        peer.text(msgspec.json.encode({"id": said["id"], "say": [["accepted", said["order"]]]}))


async def telling(peer: Peer) -> None:
    """Keep a private stream up: pings are answered by reading on."""
    await login(peer, USER)
    while True:
        kind, payload = await peer.read()
        if kind == 9:
            peer.send(bytes([0x8A, len(payload)]) + payload)


def quiet_log() -> Any:
    """Return a logger that says what it says to the standard one, so that caplog has it."""
    return structlog.wrap_logger(
        logging.getLogger("gateway"), wrapper_class=structlog.make_filtering_bound_logger(0),
        processors=[structlog.processors.JSONRenderer()])


@asynccontextmanager
async def staged(
    orders: Script = taking, user: Script = telling, rest: Rest = obliging, *,
    codec: PlainCodec | None = None, settings: Settings = SETTINGS,
) -> AsyncIterator[Stage]:
    """Run a gateway against three scripts; what its ``run`` raises comes out at the end."""
    called: list[str] = []
    flags = Flags()

    async def noted(method: str, path: str) -> Reply:
        called.append(f"{method} {path}")
        return await rest(method, path)

    async with serving(orders) as at, serving(user) as user_at, rest_serving(noted) as rest_at:
        root = [url.rsplit("/", 1)[0] for url in (at, user_at)]
        gateway = Gateway(
            codec or PlainCodec(), Endpoints(root[0], root[1], rest_at), settings, flags=flags,
            clock=SystemClock(), random=Random(1), log=quiet_log())
        stage = Stage(gateway, flags)
        stage.called = called
        running = asyncio.create_task(gateway.run(stage.told.append))
        await asyncio.sleep(0)
        try:
            yield stage
        finally:
            await gateway.close()
            await running


def run(body: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run one asynchronous test."""
    uvloop.run(asyncio.wait_for(body(), DEADLINE_S))
