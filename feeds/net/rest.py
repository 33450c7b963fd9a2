"""The feeds' one door to aiohttp: books and catalogues inside the venue's request budget.

Nothing is followed, cached or unpacked: no redirects, no cookies, no proxies from the
environment, no compression (so no bomb), and a bound on every body.
"""

import asyncio
import ssl
from datetime import UTC
from email.utils import parsedate_to_datetime
from random import Random
from types import TracebackType
from typing import Final, Self

import aiohttp
from yarl import URL

from engine.model.clock import Clock
from engine.model.errors import ConnectionLost, RateLimited, VenueRefused
from feeds.net.budget import NS_PER_S, Backoff, Budget
from shm.counters import CounterBlock, FeedCounter

BODY_SIZE_MAX: Final = 64 << 20  # Binance's catalogue takes some 15 MB
TRIES: Final = 3
PATIENCE_NS: Final = 10 * NS_PER_S  # a longer wait is the caller's to plan
PAUSE_NS: Final = {429: 2 * NS_PER_S, 418: 120 * NS_PER_S}  # where Retry-After is missing
PAUSE_NS_MAX: Final = 3 * 86_400 * NS_PER_S  # the longest ban there is (Binance)


class Rest:
    """GET requests to one venue; use it as an asynchronous context manager."""

    def __init__(
        self, venue: str, url: str, *, budget: Budget, tls: ssl.SSLContext, clock: Clock,
        random: Random, counters: CounterBlock, silence_s_max: float = 10.0,
    ) -> None:
        self._venue, self._url, self._tls, self._silence_s_max = venue, url, tls, silence_s_max
        self._budget, self._clock, self._counters = budget, clock, counters
        self._backoff = Backoff(random, min_ns=NS_PER_S // 4, max_ns=4 * NS_PER_S)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the session."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._tls, limit=4),
            cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, auto_decompress=False,
            headers={"Accept-Encoding": "identity", "User-Agent": "trypto-engine"},
            timeout=aiohttp.ClientTimeout(
                total=6 * self._silence_s_max, sock_connect=self._silence_s_max / 2,
                sock_read=self._silence_s_max),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the session."""
        assert self._session is not None
        await self._session.close()

    async def get(self, path: str) -> bytes:
        """Return the body at ``path``, trying again where that can help.

        Raises ConnectionLost after TRIES tries, RateLimited when the venue or our budget asks
        for more patience than PATIENCE_NS, VenueRefused for any other answer than 200.
        """
        for tries_left in reversed(range(TRIES)):
            await self._turn()
            self._counters.count(FeedCounter.REST_REQUESTS)
            try:
                body = await self._once(path)
            except ConnectionLost:
                self._counters.count(FeedCounter.REST_FAILURES)
                if not tries_left:
                    raise
                await asyncio.sleep(self._backoff.next_ns() / NS_PER_S)
            except (RateLimited, VenueRefused):
                self._counters.count(FeedCounter.REST_FAILURES)
                raise
            else:
                self._backoff.reset()
                return body
        raise AssertionError("the last try returns or raises")

    async def _turn(self) -> None:
        while wait_ns := self._budget.take(self._clock.mono_ns()):
            self._counters.count(FeedCounter.RATE_LIMITED)
            if wait_ns > PATIENCE_NS:
                raise RateLimited(self._venue, wait_ns=wait_ns)
            await asyncio.sleep(wait_ns / NS_PER_S)

    async def _once(self, path: str) -> bytes:
        assert self._session is not None
        try:
            url = URL(self._url + path, encoded=True)
            async with self._session.get(url, allow_redirects=False) as response:
                if response.status in PAUSE_NS:
                    raise self._limited(response)
                body = await _read(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ConnectionLost(f"{self._url}{path}: {type(error).__name__} {error}") from None
        if response.status >= 500:
            raise ConnectionLost(f"{self._url}{path}: HTTP {response.status}")
        if response.status != 200 or body is None:
            start = (body or b"")[:200]
            raise VenueRefused(f"{self._url}{path}: HTTP {response.status} {start!r}")
        return body

    def _limited(self, response: aiohttp.ClientResponse) -> RateLimited:
        """Hold all requests for as long as the venue asks."""
        wait_ns = PAUSE_NS[response.status]
        text = response.headers.get("Retry-After", "")
        if text.isdecimal():
            wait_ns = int(text[:9]) * NS_PER_S
        elif text:
            wait_ns = _until(text, self._clock.unix_ns()) or wait_ns
        wait_ns = min(wait_ns, PAUSE_NS_MAX)
        self._budget.hold(self._clock.mono_ns() + wait_ns)
        return RateLimited(self._venue, wait_ns=wait_ns)


async def _read(response: aiohttp.ClientResponse) -> bytes | None:
    """Return the body; None when it is too long or packed although we asked for neither."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        return None
    body = bytearray()
    async for part in response.content.iter_any():
        body += part
        if len(body) > BODY_SIZE_MAX:
            return None
    return bytes(body)


def _until(text: str, now_unix_ns: int) -> int:
    """Return the ns from now to an HTTP date, 0 where it is none or past."""
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return 0
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(int(at.timestamp()) * NS_PER_S - now_unix_ns, 0)
