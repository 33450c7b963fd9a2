"""Rest and sockets at the doors: nothing followed, nothing unpacked, nobody trusted unseen."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from engine.model.errors import ConfigInvalid, ConnectionLost
from engine.runtime.served import tls_context
from exec.core import ports as p
from exec.gateways import rest as rest_door
from exec.gateways.codec import ORDERS, REST, Answer, Request
from exec.gateways.endpoints import Endpoints, simulated
from exec.gateways.rest import Rest, Unreached, Withheld
from ops.sim.certificates import server_context
from tests.exec.gateways.plain import Reply, login, rest_serving, run, staged
from tests.feeds.ws_server import CLOSE, CONTINUATION, TEXT, Peer, frame, serving

GET = Request(channel=REST, purpose="query", method="GET", path="/a?b=%2B1")
POST = Request(channel=REST, purpose="place", method="POST", path="/p", text=b"{}")


async def asked(
    answer: Callable[[str, str], Awaitable[Reply]], request: Request = GET, *,
    may_leave: Callable[[], bool] = lambda: True, server: ssl.SSLContext | None = None,
    trusted: ssl.SSLContext | None = None,
) -> Answer:
    async with rest_serving(answer, server) as url:
        rest = Rest(url, tls=trusted or tls_context(), in_order=False)
        await rest.open()
        try:
            return await rest.ask(request, may_leave)
        finally:
            await rest.close()


def test_a_request_goes_out_exactly_as_it_was_signed() -> None:
    async def body() -> None:
        seen: list[str] = []

        async def answer(method: str, path: str) -> Reply:
            seen.append(f"{method} {path}")
            return 200, {"X-Used": "3"}, b"[]"

        assert await asked(answer) == Answer(
            200, {"x-used": "3", "content-length": "2"}, b"[]")
        assert seen == ["GET /a?b=%2B1"]

    run(body)


def test_no_redirect_is_followed_no_cookie_kept_and_no_proxy_asked(
    monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

    async def body() -> None:
        async def answer(method: str, path: str) -> Reply:
            return 302, {"Location": "http://127.0.0.1:1/", "Set-Cookie": "a=b"}, b""

        assert (await asked(answer)).status == 302

    run(body)


@pytest.mark.parametrize("reply", [
    (200, {"Content-Encoding": "gzip"}, b"\x1f\x8b"), (200, {}, b"x" * 5_000), None])
def test_a_body_that_is_packed_too_long_or_missing_is_no_answer(
    reply: Reply, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest_door, "BODY_SIZE_MAX", 4_000)

    async def body() -> None:
        async def answer(method: str, path: str) -> Reply:
            return reply

        with pytest.raises(ConnectionLost):
            await asked(answer, POST)

    run(body)


def test_requests_in_order_arrive_as_they_were_handed_over_one_at_a_time() -> None:
    async def body() -> None:
        seen: list[str] = []
        busy = 0

        async def answer(method: str, path: str) -> Reply:
            nonlocal busy
            busy += 1
            assert busy == 1
            seen.append(path)
            await asyncio.sleep(0.01 if len(seen) % 2 else 0)
            busy -= 1
            return 200, {}, b"{}"

        async with rest_serving(answer) as url:
            rest = Rest(url, tls=tls_context(), in_order=True)
            await rest.open()
            asks = []
            for number in range(12):
                request = Request(
                    channel=REST, purpose="query", method="GET", path=f"/{number}")
                asks.append(asyncio.create_task(rest.ask(request, lambda: True)))
                await asyncio.sleep(0.004)
            await asyncio.gather(*asks)
            await rest.close()
        assert seen == [f"/{number}" for number in range(12)]

    run(body)


def test_what_may_not_leave_does_not() -> None:
    async def body() -> None:
        seen: list[str] = []

        async def answer(method: str, path: str) -> Reply:
            seen.append(path)
            return 200, {}, b""

        with pytest.raises(Withheld):
            await asked(answer, POST, may_leave=lambda: False)
        assert seen == []

    run(body)


def test_an_unknown_authority_is_refused_before_a_byte_of_the_request_leaves(
    tmp_path: Path
) -> None:
    async def body() -> None:
        seen: list[str] = []

        async def answer(method: str, path: str) -> Reply:
            seen.append(path)
            return 200, {}, b"ok"

        server = server_context(tmp_path)
        with pytest.raises(Unreached):
            await asked(answer, POST, server=server)
        assert seen == []
        trusted = tls_context(str(tmp_path / "sim-ca.pem"))
        assert (await asked(answer, POST, server=server, trusted=trusted)).body == b"ok"

    run(body)


def test_a_socket_of_an_unknown_authority_is_never_logged_in_to(tmp_path: Path) -> None:
    async def body() -> None:
        texts: list[bytes] = []

        async def orders(peer: Peer) -> None:
            texts.append(await peer.read_until(TEXT))

        async with serving(orders, server_context(tmp_path)) as url, staged() as stage:
            stage.gateway._bases[ORDERS] = url.rsplit("/", 1)[0]  # noqa: SLF001
            await stage.ready()
            stage.gateway._channels[ORDERS].abort("to come again")  # noqa: SLF001
            await asyncio.sleep(0.2)
            assert not stage.gateway.readiness.orders_live
        assert texts == []

    run(body)


def test_addresses_in_clear_may_only_stay_on_this_machine(tmp_path: Path) -> None:
    for wrong in (("ws://example.com", "wss://a.b", "https://a.b"),
                  ("wss://a.b", "wss://a.b", "http://example.com"),
                  ("https://a.b", "wss://a.b", "https://a.b")):
        with pytest.raises(ConfigInvalid):
            Endpoints(*wrong)
    assert simulated(tmp_path, "okx") is None
    (tmp_path / "endpoints.json").write_text(
        '{"okx": {"ws": "ws://127.0.0.1:7/ws/v5/public", "rest": "http://127.0.0.1:8"}}')
    assert simulated(tmp_path, "kraken") is None
    at = simulated(tmp_path, "okx")
    assert at == Endpoints("ws://127.0.0.1:7", "ws://127.0.0.1:7", "http://127.0.0.1:8")


def test_fragments_are_joined_and_farewells_answered() -> None:
    async def body() -> None:
        async def orders(peer: Peer) -> None:
            await login(peer, ORDERS)
            await peer.read_until(TEXT)
            peer.send(frame(TEXT, b'{"id":"p1","say":[["acc', fin=False))
            peer.send(frame(CONTINUATION, b'epted","t1x1"]]}'))
            peer.send(frame(CLOSE, b"\x03\xe8"))
            await peer.read_until(CLOSE)

        async with staged(orders) as stage:
            await stage.ready()
            stage.place()
            await stage.until(lambda: stage.of(p.Accepted))
        assert stage.of(p.Lost) == []

    run(body)


@pytest.mark.parametrize("garbage", [
    frame(2, b"binary"), frame(CONTINUATION, b"late"), b"\x81\xff" + b"\xff" * 8, b"\xf1\x01x",
    frame(TEXT, b"[" * 100_000)])
def test_garbage_ends_the_connection_and_nothing_else(garbage: bytes) -> None:
    async def body() -> None:
        connections = 0

        async def orders(peer: Peer) -> None:
            nonlocal connections
            connections += 1
            await login(peer, ORDERS)
            if connections == 1:
                await peer.read_until(TEXT)
                peer.send(garbage)
            await peer.gone()

        async with staged(orders) as stage:
            await stage.ready()
            stage.place()
            await stage.until(lambda: stage.of(p.Lost))
            await stage.until(lambda: connections == 2 and stage.gateway.readiness.orders_live)
        assert len(stage.of(p.Lost)) == 1

    run(body)
