"""A subscription that shall always be there, whatever becomes of its connections.

A socket that is lost is replaced after a back-off with full jitter, within the venue's connect
budget; one that is worn (by age, by the venue's word) has its successor open before it closes.
"""

import asyncio
from typing import Final

from feeds.net.budget import NS_PER_S, Backoff
from feeds.net.connection import Route, Socket, Wiring, connect

BACKOFF_MIN_NS: Final = NS_PER_S // 10
BACKOFF_MAX_NS: Final = 15 * NS_PER_S
SETTLED_NS: Final = 5 * NS_PER_S  # open for so long: earlier failures are forgotten
OVERLAP_S: Final = 5.0  # a worn socket stays so long beside its successor
LIFETIME_PART: Final = 0.95  # of the venue's lifetime; up to 5 percent less by jitter


class Line:
    """One route of a feed, kept up until ``run`` is cancelled."""

    def __init__(
        self, wiring: Wiring, route: Route, *, backoff_min_ns: int = BACKOFF_MIN_NS,
        backoff_max_ns: int = BACKOFF_MAX_NS, overlap_s: float = OVERLAP_S,
    ) -> None:
        self._wiring, self._route, self._overlap_s = wiring, route, overlap_s
        self._backoff = Backoff(wiring.random, min_ns=backoff_min_ns, max_ns=backoff_max_ns)
        self._tries = 0  # since the line was last settled

    async def run(self) -> None:
        """Hold a socket open for ever; raise what fails in our own code."""
        socket = await self._open()
        while True:
            await socket.ended
            if self._wiring.clock.mono_ns() - socket.opened_mono_ns >= SETTLED_NS:
                self._tries = 0
                self._backoff.reset()
            if socket.worn:
                successor = await self._open()
                await asyncio.sleep(self._overlap_s)
                socket.close()
                await socket.gone()
            else:
                reason = await socket.gone()
                self._wiring.log.warning("connection lost", connection=socket.number, reason=reason)
                successor = await self._open()
            socket = successor

    async def _open(self) -> Socket:
        """Return an open socket, however many tries it takes."""
        wiring, url = self._wiring, self._route.url
        while True:
            if self._tries:
                await asyncio.sleep(self._backoff.next_ns() / NS_PER_S)
            self._tries += 1
            while wait_ns := wiring.connects.take(wiring.clock.mono_ns()):
                await asyncio.sleep(wait_ns / NS_PER_S)
            socket = await connect(wiring, self._route)
            if isinstance(socket, Socket):
                wiring.log.info("connected", connection=socket.number, url=url, tries=self._tries)
                self._wear_out_in_time(socket)
                return socket
            if self._tries & (self._tries - 1) == 0:  # the 1st, 2nd, 4th, 8th, ...
                wiring.log.warning("no connection", url=url, tries=self._tries, reason=socket)

    def _wear_out_in_time(self, socket: Socket) -> None:
        lifetime_s = self._wiring.venue.limits.lifetime_s
        if lifetime_s:
            part = LIFETIME_PART - self._wiring.random.uniform(0.0, 1.0 - LIFETIME_PART)
            timer = asyncio.get_running_loop().call_later(lifetime_s * part, socket.wear_out, "age")
            socket.ended.add_done_callback(lambda _: timer.cancel())  # or it holds the socket
