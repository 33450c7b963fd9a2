"""What no client should send: each sender bears its own mistakes, everybody else goes on."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from random import Random
from urllib.parse import quote, urlsplit

import aiohttp
import pytest
from picows import WSMsgType

from engine.config import Sim
from ops.sim import rest, server
from ops.sim.connection import Connection
from ops.sim.faces import FACES
from tests.ops.sim.plain_face import PlainFace
from tests.ops.sim.wire import Client, Venue, a_venue, run

UPGRADE = (b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
Body = Callable[[Venue], Awaitable[None]]


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> Callable[[Body], None]:
    """Return what runs a test against a plain venue, and asks afterwards whether it lives."""
    monkeypatch.setitem(FACES, "kraken", PlainFace)

    def tried(body: Body) -> None:
        async def opened() -> None:
            async with a_venue("kraken", "BTC/USD") as venue:
                await body(venue)
                await alive(venue)

        run(opened)

    return tried


async def alive(venue: Venue) -> None:
    """Fail unless both ports answer."""
    assert (await venue.call("GET", f"/truth/{venue.name}/BTC/USD"))[0] in (200, 404)
    await (await venue.connect()).settle()


@asynccontextmanager
async def dialled(
    venue: Venue, port: str
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open a bare TCP connection to the "rest" or "ws" port."""
    where = urlsplit(venue.world.endpoints()[venue.name][port])
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    try:
        yield reader, writer
    finally:
        writer.close()


@pytest.mark.parametrize(("port", "text"), [
    ("rest", b"\x16\x03\x01\x02\x00\x01\x00"), ("rest", b"NONSENSE\r\n\r\n"),
    ("rest", b"GET / HTTP/9.9\r\n\r\n"), ("rest", b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n"),
    ("rest", b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n"),
    ("rest", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"),
    ("rest", b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    ("ws", b"\x16\x03\x01\x02\x00\x01\x00" + b"\r\n\r\n"), ("ws", b"NONSENSE\r\n\r\n"),
    ("ws", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"),
    ("ws", UPGRADE.replace(b"13", b"12")), ("ws", UPGRADE.replace(b"GET /", b"GET /\xff\xfe")),
    ("ws", UPGRADE + b"\xf1\xff" + b"\xff" * 8 + b"aaaa"),  # reserved bits, 2**64 bytes
])
def test_what_is_no_http_is_answered_or_hung_up(
    port: str, text: bytes, plain: Callable[[Body], None]
) -> None:
    async def body(venue: Venue) -> None:
        async with dialled(venue, port) as (reader, writer):
            writer.write(text)
            said = await reader.read(1 << 16)
            if text.startswith(b"GET /\xff"):
                return  # a path that is odd, and nothing worse
            assert not said or said.split()[1] in (b"400", b"404", b"408", b"101", b"426"), said
            if said.startswith(b"HTTP/1.1 101"):
                assert not (await reader.read(1 << 16)).startswith(b"\x81")

    plain(body)


def test_an_oversized_body_is_refused_before_it_is_read(plain: Callable[[Body], None]) -> None:
    async def body(venue: Venue) -> None:
        url = venue.world.endpoints()["kraken"]["rest"] + "/orders"
        async with aiohttp.ClientSession() as session:
            async with session.post(url, data=b"x" * (rest.BODY_SIZE_MAX + 1)) as answer:
                assert answer.status == 413
            async with session.post(url, data=b"x" * rest.BODY_SIZE_MAX) as answer:
                assert answer.status == 401
        async with dialled(venue, "rest") as (reader, writer):
            writer.write(b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n")
            assert b" 413 " in await reader.readline()

    plain(body)


def test_who_dribbles_is_cut_off_and_who_is_slow_to_ask_again_is_not(
    plain: Callable[[Body], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "HEAD_NS", 50_000_000)
    monkeypatch.setattr(rest, "BODY_S", 0.05)
    monkeypatch.setattr(server, "HANDSHAKE_S", 0.05)

    async def body(venue: Venue) -> None:
        world = venue.world
        async with (dialled(venue, "rest") as head, dialled(venue, "rest") as post,
                    dialled(venue, "rest") as silent, dialled(venue, "rest") as good,
                    dialled(venue, "ws") as upgrade):
            good[1].write(b"GET /time HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b" 200 " in await good[0].readuntil(b"}")
            head[1].write(b"GET /time HTTP/1.1\r\nHost: x\r\nX-")
            post[1].write(b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nabc")
            upgrade[1].write(UPGRADE[:40])
            world.servers["kraken"].rest.beat()
            for _ in range(4):
                await asyncio.sleep(0.03)
                world.servers["kraken"].rest.beat()
                for _, writer in (head, upgrade):
                    if not writer.transport.is_closing():
                        writer.write(b"a")
            for reader, _ in (head, silent, upgrade):
                with suppress(ConnectionError):
                    assert await reader.read() == b""
            assert b" 408 " in await post[0].readline()
            good[1].write(b"GET /time HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b" 200 " in await good[0].readline()

    plain(body)


def test_there_are_never_more_connections_than_so_many(
    plain: Callable[[Body], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "CONNECTIONS_MAX", 20)
    monkeypatch.setattr(rest, "CONNECTIONS_MAX", 20)

    async def body(venue: Venue) -> None:
        clients = [await venue.connect() for _ in range(20)]
        with pytest.raises(Exception, match="503"):
            await venue.connect()
        opened = [await asyncio.open_connection(
            "127.0.0.1", urlsplit(venue.world.endpoints()["kraken"]["rest"]).port)
            for _ in range(40)]
        await asyncio.sleep(0.02)
        async with dialled(venue, "rest") as (reader, writer):
            writer.write(b"GET /time HTTP/1.1\r\nHost: x\r\n\r\n")
            with suppress(ConnectionError):
                assert await reader.read(100) == b""
        for _, writer in opened:
            writer.close()
        await clients[0].settle()
        clients[0].transport.disconnect()
        await clients[0].closed.wait()
        await asyncio.sleep(0.02)

    plain(body)


def test_clients_that_do_not_read_cost_no_more_together_than_so_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "QUEUES_SIZE_MAX", 1 << 20)

    async def body() -> None:
        async with a_venue("binance", "BTC/USDT", sim=Sim(messages_per_s=2000)) as venue:
            slow, good = [await venue.connect() for _ in range(5)], await venue.connect()
            for client in (*slow, good):
                client.ask({"method": "SUBSCRIBE", "params": ["btcusdt@depth"], "id": 1})
                await client.settle()
            for client in slow:
                client.transport.underlying_transport.pause_reading()
            venue_server = venue.world.servers["binance"]
            while len(venue_server.connections) > 5:
                venue.step(0.5)
                await good.settle()
                venue_server.tick()
            left = sum(each.queued() for each in venue_server.connections)
            assert left <= 1 << 20
            await good.settle()
            assert not good.closed.is_set()

    run(body)


def test_a_face_that_fails_costs_only_the_one_who_asked(
    plain: Callable[[Body], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Oops(Exception):
        """A bug of ours."""

    def fail(*_: object) -> None:
        raise Oops

    async def body(venue: Venue) -> None:
        other, client = await venue.connect(), await venue.connect()
        with monkeypatch.context() as broken:
            broken.setattr(PlainFace, "text", fail)
            broken.setattr(PlainFace, "rest", fail)
            client.ask({"book": "BTC/USD"})
            await client.closed.wait()
            assert (await venue.get("/time"))[0] == 500
        await other.settle()
        assert not other.closed.is_set()

    plain(body)


GARBAGE = [
    b"", b"null", b"true", b"0", b'"x"', b"[]", b"{}", b"{", b"\xff\xfe", b"\x00" * 50,
    b"[" * 50_000, b'{"a":' * 10_000, b"9" * 10_000, b'{"id":1e999}', b'{"id":NaN}',
    b'{"method":null,"params":{}}', b'{"method":"SUBSCRIBE","params":[[],{},null,1],"id":{}}',
    b'{"method":"SUBSCRIBE","params":["\\u0000@depth"],"id":1}',
    b'{"method":"subscribe","params":{"channel":["book"],"symbol":"BTC/USD"}}',
    b'{"method":"subscribe","params":{"channel":"book","symbol":[{}],"depth":"x"}}',
    b'{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD"],"depth":-1}}',
    b'{"op":"subscribe","args":[{"channel":"books","instId":{}}]}', b'{"op":"subscribe","args":{}}',
    b'{"op":"login","args":[{}]}', b'{"op":"login","args":[[]]}', b'{"op":{},"args":[null]}',
    b'{"op":"order","id":[],"args":[{"instId":1,"sz":{},"px":"x"}]}',
    b'{"type":"subscribe","product_ids":[{}],"channels":[{"name":[]}]}',
    b'{"type":"subscribe","product_ids":"BTC-USD","channel":{},"jwt":[]}',
    b'{"type":"subscribe","channels":["level2",{}]}', b'{"event":"subscribe","pair":{}}',
    b'{"id":1,"method":"order.place","params":{"symbol":[],"quantity":"-0","timestamp":"x"}}',
    b'{"id":1,"method":"session.logon","params":[]}',
    b'{"method":"add_order","params":{"token":1}}',
]
PATHS = [
    "/", "//", "/%00", "/api/v3/depth?symbol=%FF", "/api/v3/depth?symbol=BTCUSDT&limit=1e9",
    "/api/v3/depth?symbol=BTCUSDT&symbol=BTCUSDT",
    "/api/v3/order?timestamp=x&signature=" + "f" * 64,
    "/fapi/v1/depth?limit=%D9%A1", "/api/v5/market/books?instId=&sz=%EF%BC%91",
    "/0/public/Depth?pair=%0A&count=-1", "/0/private/Balance", "/products//book?level=9",
    "/api/v3/brokerage/market/product_book?product_id=BTC-USD&limit=00",
    "/api/v3/exchangeInfo?symbols=[[",
    "/api/v5/account/balance?ccy=" + "A" * 4000,
]


@pytest.mark.parametrize("name", FACES)
def test_garbage_is_answered_and_no_face_stumbles(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    symbol = "BTC/USDT:USDT" if name == "binance-usdm" else "BTC/USDT"
    random = Random(3)

    async def body() -> None:
        async with a_venue(name, symbol, sim=Sim()) as venue:
            first = await venue.connect()
            native = next(iter(venue.world.servers[name].face.lines)).encode()
            for text in GARBAGE:
                for each in (text, text.replace(b"BTC/USD", native), _bent(text, random)):
                    client = await venue.connect()
                    client.transport.send(WSMsgType.TEXT, each)
                    await _told_or_closed(client)
                    client.transport.disconnect()
            url = venue.world.endpoints()[name]["rest"]
            async with aiohttp.ClientSession() as session:
                for path in PATHS:
                    for method in ("GET", "POST", "DELETE", "PUT"):
                        body = random.choice(GARBAGE[:12])
                        async with session.request(
                            method, url + quote(path, safe="/?&=%[]"), data=body,
                        ) as answer:
                            assert answer.status < 500, (method, path)
            await first.settle()

    with caplog.at_level(logging.WARNING):
        run(body)
    wrong = [each for each in caplog.records if each.exc_info or each.levelno >= logging.ERROR]
    assert not wrong, [each.exc_text or each.getMessage() for each in wrong]


def _bent(text: bytes, random: Random) -> bytes:
    """Return the text with a few bytes changed."""
    bent = bytearray(text[:2_000] or b"{")
    for _ in range(3):
        bent[random.randrange(len(bent))] = random.randrange(256)
    return bytes(bent)


async def _told_or_closed(client: Client) -> None:
    """Wait until the venue has read what was sent, or hung up."""
    settled = asyncio.ensure_future(client.settle())
    closed = asyncio.ensure_future(client.closed.wait())
    await asyncio.wait((settled, closed), return_when=asyncio.FIRST_COMPLETED)
    for task in (settled, closed):
        task.cancel()


def test_no_session_is_kept_of_who_has_left(plain: Callable[[Body], None]) -> None:
    async def body(venue: Venue) -> None:
        venue_server = venue.world.servers["kraken"]
        key = next(iter(venue_server.face.floor.credentials))
        for _ in range(50):
            client = await venue.connect()
            client.ask({"login": key}, {"book": "BTC/USD"})
            await client.settle()
            client.transport.disconnect()
            await client.closed.wait()
        await asyncio.sleep(0.05)
        assert not venue_server.connections
        assert not venue_server.wanted(("book", "BTC/USD"))
        assert not venue_server.wanted(("@orders", "main"))
        gone = Connection(venue_server, "/", "", 1)
        gone.subscribe(("book", "BTC/USD"), "late")  # a late request of somebody who has left
        assert not venue_server.wanted(("book", "BTC/USD"))

    plain(body)
