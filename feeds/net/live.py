"""A live feed: the core's port to sockets and REST, and the clock that drives it.

    Line ─ Socket ──frames, openings, closings──▶ Core ──▶ Publisher ──▶ shared memory
              ▲                                     │
              └───────send, drop, rotate────────────┤ Port
    Rest ◀──────────────want_snapshot───────────────┘

Everything happens on one event loop; a task that dies takes the feed with it.
"""

import asyncio
import ssl
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from random import Random
from typing import Final

from engine.model.clock import Clock
from engine.model.errors import Refused, Transient
from engine.runtime.log import Logger
from feeds.catalog import Listed
from feeds.core import Core
from feeds.net.connection import Route, Wiring
from feeds.net.endpoints import Endpoints
from feeds.net.line import Line
from feeds.net.rest import Rest
from feeds.port import Books
from feeds.venue import Venue
from shm.counters import CounterBlock, FeedCounter, FeedHistogram
from shm.layout import BookFault, BookState

TICK_S: Final = 0.1


def routes_of(
    venue: Venue, endpoints: Endpoints, natives: Sequence[str], *, quotes: bool
) -> Iterator[Route]:
    """Yield what must be connected, as many symbols on each as the venue allows."""
    count = venue.limits.symbols_per_connection
    for start in range(0, len(natives), count):
        part = natives[start : start + count]
        yield Route(endpoints.ws_url, part, partial(_requests, venue, part, quotes=quotes))
        if endpoints.prints_url:  # carries no books: its loss leaves them alone
            yield Route(endpoints.prints_url, (), partial(venue.subscribe_prints, part))


def _requests(venue: Venue, natives: Sequence[str], *, quotes: bool) -> Iterator[bytes]:
    yield from venue.subscribe(natives)
    if quotes:
        yield from venue.subscribe_quotes(natives)


class Live:
    """All books of one venue, kept up from the network until ``run`` is cancelled."""

    def __init__(
        self, *, venue: Venue, listed: Iterable[Listed], books: Books, rest: Rest, clock: Clock,
        tls: ssl.SSLContext, random: Random, log: Logger, counters: CounterBlock,
    ) -> None:
        self.core = Core(venue, listed, books, self, clock)
        self.frame, self.alive, self.closed = self.core.frame, self.core.alive, self.core.closed
        self._venue, self._rest, self._clock = venue, rest, clock
        self._log, self._counters = log, counters
        self._wiring = Wiring(
            venue=venue, sink=self, clock=clock, random=random, tls=tls, log=log,
            counters=counters)
        self._group = asyncio.TaskGroup()
        self._asked: dict[str, asyncio.Task[None]] = {}
        self._told = dict.fromkeys(_CORE_COUNTS, 0)
        self._left_mono_ns: dict[str, int] = {}  # when books that are not LIVE left it

    async def run(self, routes: Iterable[Route]) -> None:
        """Keep every route up; raise what fails in our own code."""
        try:
            async with self._group as group:
                for route in routes:
                    group.create_task(Line(self._wiring, route).run())
                group.create_task(self._tick())
        finally:
            for socket in list(self._wiring.sockets.values()):
                socket.close()

    async def _tick(self) -> None:
        while True:
            self.core.tick(self._clock.mono_ns())
            self._count()
            await asyncio.sleep(TICK_S)

    def _count(self) -> None:
        """Carry over what the core and the sockets counted since the last tick."""
        for counter, field in _CORE_COUNTS.items():
            total = getattr(self.core, field)
            self._counters.count(counter, total - self._told[counter])
            self._told[counter] = total
        for socket in self._wiring.sockets.values():
            self._counters.count(FeedCounter.BYTES, socket.bytes)
            socket.bytes = 0

    # ------------------------------------------------------------ Sink
    def opened(self, connection: int, natives: Iterable[str]) -> None:
        """Forget snapshots asked for before: they may be older than the new stream.

        Not those of books that go on over another connection: somebody waits for them.
        """
        for native in natives:
            if self.core.carries(native):
                continue
            if task := self._asked.pop(native, None):
                task.cancel()
        self.core.opened(connection, natives)

    # ------------------------------------------------------------ Port
    def send(self, connection: int, frame: bytes) -> None:
        """Send ``frame`` within the venue's rate; drop it if the connection is gone."""
        if socket := self._wiring.sockets.get(connection):
            socket.send(frame)

    def want_snapshot(self, native: str) -> None:
        """Fetch a REST book, unless that is under way."""
        if native not in self._asked:
            self._asked[native] = self._group.create_task(self._fetch(native))

    def drop(self, connection: int, reason: str) -> None:
        """Cut the connection; its line opens another."""
        if socket := self._wiring.sockets.get(connection):
            socket.abort(reason)

    def rotate(self, connection: int, reason: str) -> None:
        """Have the connection's line open another one, then close this one."""
        if socket := self._wiring.sockets.get(connection):
            socket.wear_out(reason)

    def changed(self, native: str, state: BookState, fault: BookFault, reason: str) -> None:
        """Log and count a transition."""
        self._log.info(
            "book", native=native, state=state.name, fault=fault.name, reason=reason)
        if not native or reason.startswith("refused"):
            self._counters.count(FeedCounter.REJECTED)
        elif state is BookState.LIVE:
            if since := self._left_mono_ns.pop(native, 0):
                self._counters.record(FeedHistogram.RESYNC, self._clock.mono_ns() - since)
        elif state in (BookState.GAPPED, BookState.STALE, BookState.CROSSED):
            self._left_mono_ns.setdefault(native, self._clock.mono_ns())
            if fault is BookFault.SILENCE:
                self._counters.count(FeedCounter.SILENCES)

    # ------------------------------------------------------------ REST
    async def _fetch(self, native: str) -> None:
        asked_mono_ns = self._clock.mono_ns()
        try:
            body = await self._rest.get(self._venue.snapshot_path(native))
        except (Transient, Refused) as error:
            self._log.warning("no snapshot", native=native, reason=str(error))
            del self._asked[native]
            self.core.snapshot_failed(native)
            return
        del self._asked[native]
        now = self._clock.mono_ns()
        self._counters.record(FeedHistogram.REST_SNAPSHOT, now - asked_mono_ns)
        self.core.snapshot(native, body, self._clock.unix_ns(), now)


_CORE_COUNTS: Final = {
    FeedCounter.FRAMES: "frames",
    FeedCounter.DECODE_ERRORS: "garbled",
    FeedCounter.UNKNOWN_SYMBOLS: "unknown",
}
