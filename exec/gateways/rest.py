"""Execution's one door to aiohttp: signed requests over warm connections, each sent at most once.

Nothing is followed, remembered or unpacked: no redirects, no proxies from the environment, no
cookies, no compression (so no bomb), and a bound on every body.  Whether a request may leave is
asked when its connection is there, right before its first byte is written; aiohttp's own second
try, on a connection that the venue had closed meanwhile, is refused by the same question.
"""

import asyncio
import ssl
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from types import SimpleNamespace
from typing import Final

import aiohttp
from yarl import URL

from engine.model.errors import ConnectionLost, Refused
from exec.gateways.codec import Answer, Request

BODY_SIZE_MAX: Final = 16 << 20
CONNECTIONS: Final = 8
CONNECT_S_MAX: Final = 5.0
IDLE_S_MAX: Final = 30.0  # venues close idle connections after a minute or more: we are first
SECOND_NS: Final = 1_000_000_000


class Withheld(Refused):
    """Not one byte of a request left, and none will."""


class Unreached(Withheld):
    """Not one byte of it left, because there was no connection to the venue."""


class _Ticket:
    """Leave to send one request once."""

    __slots__ = ("_may_leave", "_written", "left", "withheld")

    def __init__(self, may_leave: Callable[[], bool]) -> None:
        self._may_leave, self.left = may_leave, False
        self.withheld = self._written = False

    def use(self) -> None:
        """Take it as leaving; raise Withheld if it may not, ConnectionLost if it did before."""
        if self.left:
            raise ConnectionLost("it is never sent twice")
        self._ask()

    def confirm(self) -> None:
        """Ask once more, where its bytes had to wait for the loop to turn: now they are written."""
        if not self._written:
            self._ask()
            self._written = True

    def _ask(self) -> None:
        self.left = self._may_leave()
        if not self.left:
            self.withheld = True
            raise Withheld("it may not leave any more")


class Rest:
    """One venue's REST interface."""

    def __init__(self, url: str, *, tls: ssl.SSLContext, in_order: bool) -> None:
        """``in_order``: one at a time, so requests arrive as they were handed over."""
        self._url, self._tls = url, tls
        self._turns = asyncio.Semaphore(1 if in_order else CONNECTIONS)  # first come, first served
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Open the session; connections come with the first requests."""
        trace = aiohttp.TraceConfig()
        trace.on_request_headers_sent.append(_before_first_byte)  # awaited before it writes
        trace.on_request_chunk_sent.append(_before_body)  # headers wait for their body till then
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=self._tls, limit=CONNECTIONS, keepalive_timeout=IDLE_S_MAX),
            cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, auto_decompress=False,
            headers={"Accept-Encoding": "identity", "User-Agent": "trypto-engine"},
            skip_auto_headers=("Content-Type",), trace_configs=[trace],
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S_MAX),
        )

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def ask(self, request: Request, may_leave: Callable[[], bool]) -> Answer:
        """Send a request, however the venue answers; its time is bounded by who cancels this.

        Raises Withheld (Unreached: for want of a connection) where not a byte left,
        ConnectionLost where any may have.
        """
        async with self._turns:
            return await self._ask(request, _Ticket(may_leave))

    async def _ask(self, request: Request, ticket: _Ticket) -> Answer:
        assert self._session is not None
        try:
            async with self._session.request(
                request.method, URL(self._url + request.path, encoded=True),
                data=request.text or None, headers=request.headers, allow_redirects=False,
                trace_request_ctx=ticket,
            ) as response:
                body = await _read(response)
                headers = {name.lower(): text for name, text in response.headers.items()}
                return Answer(response.status, headers, body)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            why = type(error).__name__  # nothing more: texts of errors hold paths and signatures
        if ticket.withheld:
            raise Withheld("it may not leave any more")
        if not ticket.left:
            raise Unreached(f"no connection: {why}")
        raise ConnectionLost(why)


def dated(answer: Answer) -> int:
    """Return the time of an answer's Date header, Unix ns to the second; 0 where it has none."""
    try:
        at = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return 0
    return int(at.timestamp()) * SECOND_NS if at.tzinfo else 0


async def _before_first_byte(
    _session: aiohttp.ClientSession, context: SimpleNamespace,
    _params: aiohttp.TraceRequestHeadersSentParams,
) -> None:
    ticket: _Ticket = context.trace_request_ctx
    ticket.use()


async def _before_body(
    _session: aiohttp.ClientSession, context: SimpleNamespace,
    _params: aiohttp.TraceRequestChunkSentParams,
) -> None:
    ticket: _Ticket = context.trace_request_ctx
    ticket.confirm()


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Return the body; raise ConnectionLost's kind of error for one that is too long or packed."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise aiohttp.ClientPayloadError("a packed body")
    body = bytearray()
    async for part in response.content.iter_any():
        body += part
        if len(body) > BODY_SIZE_MAX:
            raise aiohttp.ClientPayloadError("a body without an end")
    return bytes(body)
