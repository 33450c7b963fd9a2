"""REST against a server on loopback: budgets, the venue's patience, bounds on everything."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from random import Random

import numpy as np
import pytest
from aiohttp import web

from engine.model.clock import ManualClock
from engine.model.errors import ConnectionLost, RateLimited, VenueRefused
from engine.runtime.served import tls_context
from feeds.net import rest
from feeds.net.budget import NS_PER_S, Backoff, Budget
from feeds.net.rest import PATIENCE_NS, TRIES, Rest
from shm.counters import CounterBlock, FeedCounter

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Fixture:
    """A Rest with a clock that stands still, and what the server was asked for."""

    def __init__(self, url: str, silence_s_max: float = 5.0) -> None:
        self.clock = ManualClock(mono_ns=10**15, unix_ns=1_700_000_000 * NS_PER_S)
        self.counters = CounterBlock(np.zeros(CounterBlock.size(1) // 8, np.int64), 0)
        self.budget = Budget(per_second=1.0, burst=50)
        self.rest = Rest(
            "binance", url, budget=self.budget, tls=tls_context(), clock=self.clock,
            random=Random(1), counters=self.counters, silence_s_max=silence_s_max)


Client = Callable[[Fixture], Awaitable[None]]


def serve(handler: Handler, client: Client, silence_s_max: float = 5.0) -> Fixture:
    """Run ``client`` against a server with one handler for all paths."""

    async def both() -> Fixture:
        application = web.Application()
        application.router.add_get("/{path:.*}", handler)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        fixture = Fixture(f"http://{host}:{port}", silence_s_max)
        try:
            async with asyncio.timeout(20.0), fixture.rest:
                await client(fixture)
        finally:
            await runner.cleanup()
        return fixture

    return asyncio.run(both())


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries follow at once; how long they would wait is ``test_budget``'s."""
    monkeypatch.setattr(Backoff, "next_ns", lambda _self: 0)


def test_the_path_arrives_as_written_and_the_body_as_sent() -> None:
    seen = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.raw_path, request.headers["Accept-Encoding"]))
        return web.Response(body=b'{"lastUpdateId":1}')

    async def client(it: Fixture) -> None:
        path = "/api/v3/depth?symbol=%E5%B8%81%E5%AE%89&limit=1000"
        assert await it.rest.get(path) == b'{"lastUpdateId":1}'

    serve(handler, client)
    assert seen == [("/api/v3/depth?symbol=%E5%B8%81%E5%AE%89&limit=1000", "identity")]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_is_tried_again_and_then_given_up(status: int) -> None:
    async def handler(_request: web.Request) -> web.Response:
        return web.Response(status=status)

    async def client(it: Fixture) -> None:
        with pytest.raises(ConnectionLost, match=str(status)):
            await it.rest.get("/x")

    assert serve(handler, client).counters.value(FeedCounter.REST_REQUESTS) == TRIES


def test_a_server_that_recovers_is_believed() -> None:
    answers = iter([500, 200])

    async def handler(_request: web.Request) -> web.Response:
        return web.Response(status=next(answers), body=b"ok")

    async def client(it: Fixture) -> None:
        assert await it.rest.get("/x") == b"ok"

    serve(handler, client)


@pytest.mark.parametrize(("status", "retry_after", "wait_s"), [
    (429, "7", 7), (418, "120", 120), (429, None, 2), (418, None, 120), (429, "soon", 2),
    (429, format_datetime(datetime.fromtimestamp(1_700_000_033, UTC), usegmt=True), 33),
    (429, "99999999999999", 3 * 86_400),
])
def test_when_the_venue_asks_for_patience_nothing_is_sent_before(
    status: int, retry_after: str | None, wait_s: int
) -> None:
    requests = 0

    async def handler(_request: web.Request) -> web.Response:
        nonlocal requests
        requests += 1
        return web.Response(
            status=status, headers={"Retry-After": retry_after} if retry_after else {})

    async def client(it: Fixture) -> None:
        with pytest.raises(RateLimited) as caught:
            await it.rest.get("/x")
        assert caught.value.wait_ns == wait_s * NS_PER_S
        assert it.budget.take(it.clock.mono_ns()) == wait_s * NS_PER_S
        if wait_s * NS_PER_S > PATIENCE_NS:
            with pytest.raises(RateLimited):
                await it.rest.get("/y")

    serve(handler, client)
    assert requests == 1


@pytest.mark.parametrize("status", [301, 302, 307, 400, 403, 404, 451])
def test_any_other_answer_is_a_refusal_and_redirects_are_not_followed(status: int) -> None:
    async def handler(request: web.Request) -> web.Response:
        assert request.path == "/x"
        return web.Response(
            status=status, headers={"Location": "/elsewhere"}, body=b'{"code":-1121}')

    async def client(it: Fixture) -> None:
        with pytest.raises(VenueRefused, match=rf"{status}.*-1121"):
            await it.rest.get("/x")

    assert serve(handler, client).counters.value(FeedCounter.REST_REQUESTS) == 1


def test_a_body_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "BODY_SIZE_MAX", 100_000)

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(1_000):
            await response.write(b"x" * 10_000)
        return response

    async def client(it: Fixture) -> None:
        with pytest.raises(VenueRefused):
            await it.rest.get("/x")

    serve(handler, client)


def test_a_packed_body_that_nobody_asked_for_is_refused() -> None:
    async def handler(_request: web.Request) -> web.Response:
        return web.Response(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})

    async def client(it: Fixture) -> None:
        with pytest.raises(VenueRefused):
            await it.rest.get("/x")

    serve(handler, client)


def test_a_venue_that_never_answers_is_given_up() -> None:
    async def handler(_request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async def client(it: Fixture) -> None:
        with pytest.raises(ConnectionLost):
            await it.rest.get("/x")

    fixture = serve(handler, client, silence_s_max=0.05)
    assert fixture.counters.value(FeedCounter.REST_FAILURES) == TRIES


def test_a_connection_cut_in_mid_body_is_tried_again() -> None:
    cut = iter([True, False])

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "10"})
        await response.prepare(request)
        await response.write(b"01234")
        if next(cut):
            assert request.transport is not None
            request.transport.abort()
        else:
            await response.write(b"56789")
        return response

    async def client(it: Fixture) -> None:
        assert await it.rest.get("/x") == b"0123456789"

    serve(handler, client)


def test_a_budget_that_is_spent_for_long_is_said_without_a_request() -> None:
    async def handler(_request: web.Request) -> web.Response:
        raise AssertionError

    async def client(it: Fixture) -> None:
        it.budget.hold(it.clock.mono_ns() + PATIENCE_NS + 1)
        with pytest.raises(RateLimited):
            await it.rest.get("/x")

    fixture = serve(handler, client)
    assert fixture.counters.value(FeedCounter.REST_REQUESTS) == 0
    assert fixture.counters.value(FeedCounter.RATE_LIMITED) == 1


def test_nobody_listening_is_a_lost_connection() -> None:
    async def client() -> None:
        it = Fixture("http://127.0.0.1:1")
        async with it.rest:
            with pytest.raises(ConnectionLost):
                await it.rest.get("/x")

    asyncio.run(client())
