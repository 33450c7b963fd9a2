"""The REST door of one simulated venue: requests in, answers out, and what goes wrong between.

Whoever sends no whole request in time is cut off, and there are never more than so many at once.
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler

from engine.model.fault import ANSWER, BOOK_REQUEST, CHANGE, REQUEST, Fault, Kind
from ops.sim.face import Answer, HttpRequest

if TYPE_CHECKING:
    from ops.sim.server import VenueServer

HOST: Final = "127.0.0.1"
BODY_SIZE_MAX: Final = 1 << 20
BODY_S: Final = 10.0  # for the body of a request, after its head
HEAD_NS: Final = 10_000_000_000  # for the first head on a connection
IDLE_S: Final = 75.0  # between two requests
CONNECTIONS_MAX: Final = 2_000
LATE_MAX: Final = 1_000  # requests that wait to be carried out
BOOK_PATHS: Final = ("depth", "books", "Depth", "book", "product_book")
BUSY: Final = 1 << 62
# answers a REST book request in place of the face; None: the face answers
Snapshots = Callable[[str, dict[str, str]], Awaitable[Answer | None]]


def _worth_telling(record: logging.LogRecord) -> bool:
    """Say whether a record of aiohttp's tells of a fault of ours, not of what a client sent."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


_LOGGER: Final = logging.getLogger("sim.rest")
_LOGGER.addFilter(_worth_telling)


class _Refused(asyncio.Protocol):
    """Takes a connection too many and drops it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hang up."""
        cast(asyncio.Transport, transport).abort()  # uvloop's is none by class


class RestDoor:
    """Listens, reads, lets the face answer; faults strike on the way in and on the way out."""

    def __init__(self, server: "VenueServer") -> None:
        self._server = server
        self._banned_until_ns = 0
        self._runner: web.AppRunner | None = None
        self._listener: asyncio.Server | None = None
        self._last_ns: dict[object, int] = {}  # when a connection was last heard of, or BUSY
        self._late: set[asyncio.Task[Answer | None]] = set()
        self.snapshots: Snapshots | None = None

    # --- life ----------------------------------------------------------------------------------

    async def open(
        self, routes: list[web.RouteDef], port: int, tls: ssl.SSLContext | None
    ) -> int:
        """Listen at ``port`` if it is free, at another if not; return which."""
        application = web.Application(
            client_max_size=BODY_SIZE_MAX, middlewares=[self._watched])
        application.add_routes([*routes, web.route("*", "/{path:.*}", self._serve)])
        self._runner = web.AppRunner(
            application, access_log=None, shutdown_timeout=0.1, handler_cancellation=True,
            keepalive_timeout=IDLE_S, lingering_time=1.0, logger=_LOGGER)
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        try:
            self._listener = await loop.create_server(self._protocol, HOST, port, ssl=tls)
        except OSError:
            self._listener = await loop.create_server(self._protocol, HOST, 0, ssl=tls)
        bound: int = self._listener.sockets[0].getsockname()[1]
        return bound

    def _protocol(self) -> asyncio.BaseProtocol:
        serve = self._runner.server if self._runner else None
        if serve is None or len(serve.connections) >= CONNECTIONS_MAX:
            return _Refused()
        return serve()

    async def close(self) -> None:
        """Stop listening; what was still to be carried out is not."""
        if self._listener is not None:
            self._listener.close()
        for task in self._late:
            task.cancel()
        if self._runner is not None:
            await self._runner.cleanup()

    def beat(self) -> None:
        """Once a second: cut off connections that send no whole request."""
        serve = self._runner.server if self._runner else None
        now_ns, there = self._server.clock.mono_ns(), serve.connections if serve else []
        self._last_ns = {each: self._last_ns.get(each, -now_ns) for each in there}
        for each in there:
            last_ns = self._last_ns[each]
            idle_ns = now_ns - abs(last_ns)
            if idle_ns > (HEAD_NS if last_ns < 0 else int(IDLE_S * 1e9)):
                each.force_close()

    def pardon(self) -> None:
        """Lift a ban."""
        self._banned_until_ns = 0

    # --- requests ------------------------------------------------------------------------------

    @web.middleware
    async def _watched(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Note when a connection brought its last whole request."""
        self._last_ns[request.protocol] = BUSY
        try:
            return await handler(request)
        finally:
            self._last_ns[request.protocol] = self._server.clock.mono_ns()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if (size := request.content_length or 0) > BODY_SIZE_MAX:
            raise web.HTTPRequestEntityTooLarge(BODY_SIZE_MAX, size)
        try:
            async with asyncio.timeout(BODY_S):
                body = await request.read()
        except TimeoutError:
            raise web.HTTPRequestTimeout from None
        asked = HttpRequest(
            request.method, request.path, request.rel_url.raw_query_string,
            {name: ",".join(request.query.getall(name)) for name in request.query},
            {name.lower(): value for name, value in request.headers.items()},
            body, request.remote or "")
        self._server.tally.requests += 1
        answer = await self._carried_out(asked)
        if answer is not None and answer.entry:
            answer = await self._told(answer)
        if answer is None and request.transport is not None:
            request.transport.abort()
        return _response(answer or Answer(b""))

    async def _carried_out(self, asked: HttpRequest) -> Answer | None:
        """Let the face answer, sooner or later; None for a request that never arrived."""
        refusal = self._unwilling()
        if refusal is not None:
            return refusal
        fault = self._strike(CHANGE) if asked.method != "GET" else None
        if fault is None:
            return await self._answer(asked)
        if fault.kind is Kind.REQUEST_LOST or len(self._late) >= LATE_MAX:
            return None
        # it arrives even if its sender gave up waiting meanwhile
        task = asyncio.create_task(self._later(asked, fault.ms / 1000))
        self._late.add(task)
        task.add_done_callback(self._late.discard)
        return await asyncio.shield(task)

    async def _later(self, asked: HttpRequest, seconds: float) -> Answer | None:
        await asyncio.sleep(seconds)
        return await self._answer(asked)

    async def _answer(self, asked: HttpRequest) -> Answer:
        server = self._server
        if server.settle is not None:
            server.settle()
        answer = await self._book(asked)
        if answer is None:
            since_ns = server.clock.mono_ns()
            answer = server.face.request(asked)
            server.tally.answered(since_ns)
        return answer

    async def _told(self, answer: Answer) -> Answer | None:
        """Deliver the answer to an order-entry request as the faults would; None: hang up."""
        fault = self._strike(ANSWER)
        if fault is None:
            return answer
        if fault.kind is Kind.ANSWER_NEVER:
            await asyncio.Event().wait()
        if fault.kind is Kind.ANSWER_LATE:
            await asyncio.sleep(fault.ms / 1000)
            return answer
        return None if fault.kind is Kind.ANSWER_LOST else self._server.face.refused(503, 0)

    def _strike(self, kinds: frozenset[Kind], symbol: str = "") -> Fault | None:
        server = self._server
        return server.faults.strike(server.name, symbol, kinds, server.clock.mono_ns())

    def _unwilling(self) -> Answer | None:
        """Refuse what faults refuse before the face sees it."""
        face, now_ns = self._server.face, self._server.clock.mono_ns()
        if face.floor.in_maintenance():
            return face.maintenance()
        if now_ns < self._banned_until_ns:
            return face.refused(418, -(-(self._banned_until_ns - now_ns) // 10**9))
        fault = self._strike(REQUEST)
        if fault is None:
            return None
        if fault.kind is Kind.HTTP_418:
            self._banned_until_ns = now_ns + int(fault.ms * 1e6)
            return face.refused(418, max(1, int(fault.ms / 1000)))
        limited = fault.kind is Kind.HTTP_429
        return face.refused(429 if limited else 500, 1 if limited else 0)

    async def _book(self, asked: HttpRequest) -> Answer | None:
        """Answer a book request as a fault or a recording would; None: the face answers."""
        server, (*_, before, last) = self._server, ("", *asked.path.split("/"))
        if last not in BOOK_PATHS:
            return None
        query = asked.query
        names = ("symbol", "instId", "pair", "product_id")
        symbol = next((query[name] for name in names if name in query), before)
        fault = self._strike(BOOK_REQUEST, symbol)
        if fault is None:
            return await self.snapshots(asked.path, dict(query)) if self.snapshots else None
        if fault.kind is Kind.NO_SNAPSHOT:
            await asyncio.Event().wait()
        if fault.kind is Kind.STALE_SNAPSHOT:
            return server.past.at_start(lambda: server.face.request(asked))
        at_ns = server.clock.mono_ns() - int(fault.ms * 1e6)
        return server.past.at(at_ns, lambda: server.face.request(asked))


def _response(answer: Answer) -> web.Response:
    is_json = answer.body[:1] in (b"{", b"[")
    return web.Response(
        body=answer.body, status=answer.status, headers={"Server": "nginx", **answer.headers},
        content_type="application/json" if is_json else "text/html",
    )
