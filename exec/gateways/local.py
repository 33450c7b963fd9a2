"""What gateways without a wire share: their life, their questions, what is on its way to the core.

    the core asks ─▶ Lanes ─▶ the model answers ─▶ Lanes ─▶ turn ─▶ on_report

Reports are handed over by ``turn`` alone, so never from inside a call of the core.  ``run`` turns
when something is due, and often while the market matters; who owns time turns by itself.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from functools import partial
from random import Random
from typing import Final

from engine.model.clock import Clock
from engine.runtime.log import Logger
from exec.core import ports as p
from exec.paper.account import Account
from exec.paper.lanes import Lane, Lanes, Latency
from exec.paper.rules import Market
from exec.records import Intended

MS: Final = 1_000_000
SECOND_NS: Final = 1_000_000_000
IDLE_NS: Final = 100 * MS  # between turns when nothing is due
UNREADY_NS: Final = 10 * MS  # between looks for a first live book
GOODBYE_NS_MAX: Final = 300 * MS  # within what control grants a process to leave
TICK_S: Final = 0.005


class LocalGateway(ABC):
    """One account at one venue that answers by itself."""

    def __init__(
        self, account: Account, market: Market, latency: Latency, *, clock: Clock, random: Random,
        log: Logger,
    ) -> None:
        """Nobody is told anything before the first turn."""
        self.venue, self._account, self._market = account.venue, account, market
        self._latency, self._clock, self._log = latency, clock, log
        self._lanes = Lanes(random)
        self._report: Callable[[p.Report], None] | None = None
        self._lack: str | None = None  # as it was told; None: nothing was
        self._seen_live = self._closing = self._over = self._running = False
        self._wake = asyncio.Event()

    # --- what the model answers ----------------------------------------------------------------

    @abstractmethod
    def _told_of(self, order: Intended, asked_unix_ns: int) -> Iterable[p.Report]:
        """Return what the venue says of one order now."""

    @abstractmethod
    def _told_of_all(self, since_unix_ns: int) -> Iterable[p.Report]:
        """Return what a survey brings now."""

    @abstractmethod
    def _pass(self, now_ns: int) -> None:
        """Let time pass at the venue."""

    def _due_ns(self, now_ns: int) -> int:
        """Return when the venue must be looked at next."""
        return now_ns + IDLE_NS

    # --- what the core asks for ----------------------------------------------------------------

    def query(self, order: Intended, venue_order: str) -> None:
        """Ask what became of an order; reported as its fills and Seen."""
        asked_ns = self._clock.unix_ns()
        self._ask(lambda: self._told_of(order, asked_ns))

    def survey(self, since_unix_ns: int) -> None:
        """Ask for fills since, open orders, balances and positions."""
        self._ask(lambda: self._told_of_all(since_unix_ns))

    def _ask(self, answer: Callable[[], Iterable[p.Report]]) -> None:
        def arrive() -> None:
            found = [*answer()]
            due_ns = self._clock.mono_ns() + self._drawn(self._latency.ack_ns)
            for report in found:
                self._lanes.send(Lane.WORD, due_ns, partial(self._hand, report))

        self._leave(Lane.QUESTIONS, self._latency.order_ns, arrive)

    def _leave(self, lane: Lane, mean_ns: int, action: Callable[[], None]) -> None:
        """Let something arrive at the venue."""
        self._lanes.send(lane, self._clock.mono_ns() + self._drawn(mean_ns), action)
        self._wake.set()

    def _back(self, lane: Lane, report: p.Report) -> None:
        """Let a report arrive here."""
        due_ns = self._clock.mono_ns() + self._drawn(self._latency.ack_ns)
        self._lanes.send(lane, due_ns, partial(self._hand, report))

    def _drawn(self, mean_ns: int) -> int:
        return self._lanes.delay(mean_ns, self._latency.jitter_ns)

    def _hand(self, report: p.Report) -> None:
        assert self._report is not None, "something is due outside of a turn"
        self._report(report)

    # --- time ----------------------------------------------------------------------------------

    def turn(self, report: Callable[[p.Report], None]) -> None:
        """Let time pass: the market moves first, then arrives what is due, in order."""
        self._report, now_ns = report, self._clock.mono_ns()
        try:
            self._review()
            self._pass(now_ns)
            while (action := self._lanes.take(now_ns)) is not None:
                action()
        finally:
            self._report = None

    def _review(self) -> None:
        """Tell when readiness changed: a live book once, then until the end."""
        self._seen_live = self._seen_live or any(
            not self._market.quote(self.venue, symbol).distrust for symbol in self._account.listed)
        lack = "closing" if self._closing else "" if self._seen_live else "no live book yet"
        if lack != self._lack:
            self._lack = lack
            self._log.info("readiness", venue=self.venue, lack=lack)
            self._hand(p.Ready(self.venue, lack))

    def _wait_s(self) -> float:
        now_ns = self._clock.mono_ns()
        due_ns = self._due_ns(now_ns) if self._seen_live else now_ns + UNREADY_NS
        if self._lanes.next_ns is not None:
            due_ns = min(due_ns, self._lanes.next_ns)
        return max(0, due_ns - now_ns) / SECOND_NS

    # --- life ----------------------------------------------------------------------------------

    async def run(self, report: Callable[[p.Report], None]) -> None:
        """Turn until ``close``, or cancelled; raise what our own code fails with."""
        loop = asyncio.get_running_loop()
        self._running = True
        try:
            while not self._over:
                self.turn(report)
                self._wake.clear()
                timer = loop.call_later(self._wait_s(), self._wake.set)
                try:
                    await self._wake.wait()
                finally:
                    timer.cancel()
        except asyncio.CancelledError:
            self._closing = True
            self.turn(report)
            raise
        finally:
            self._running = False

    async def close(self) -> None:
        """Take no more orders, wait a little for what is on its way, then let ``run`` return."""
        self._closing = True
        self._wake.set()
        until_ns = self._clock.mono_ns() + GOODBYE_NS_MAX
        while self._running and (len(self._lanes) or self._lack != "closing"):
            if self._clock.mono_ns() >= until_ns:
                break
            await asyncio.sleep(TICK_S)
        self._over = True
        self._wake.set()
