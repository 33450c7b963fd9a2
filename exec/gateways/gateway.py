"""One account at one venue: its channels kept up, its requests bounded in time, its readiness told.

    place, cancel ─▶ Codec ─▶ Traffic.leave ─▶ Channel (WebSocket) or Rest
    Channel, Rest ─▶ Traffic ─▶ Codec ─▶ Outbox ─▶ the core's on_report

It knows no venue and decides nothing about orders: no place is ever sent twice, and what was not
answered is reported as lost.  Its survey after a reconnect is the core's to ask for.
"""

import asyncio
import ssl
from collections.abc import Callable
from random import Random
from typing import Final

from engine.model.clock import Clock
from engine.model.errors import EngineError
from engine.runtime.log import Logger
from engine.runtime.served import tls_context
from exec.core import ports as p
from exec.gate.approval import Approval
from exec.gate.checks import Proposed
from exec.gateways.codec import ORDERS, REST, USER, Codec, Request
from exec.gateways.endpoints import Endpoints
from exec.gateways.outbox import Outbox
from exec.gateways.pending import Group, Warrant
from exec.gateways.questions import Questions
from exec.gateways.readiness import Readiness
from exec.gateways.rest import Rest
from exec.gateways.settings import SECOND_NS, Settings
from exec.gateways.socket import Channel, Timing
from exec.gateways.traffic import CLOCK, Traffic
from exec.records import Intended

WEBSOCKET: Final = "ws"  # what ``place`` and ``cancel`` return, as records.Sent has it
CANCEL_ALL_TRIES: Final = 5
CANCEL_ALL_WAIT_NS: Final = SECOND_NS // 2
WARM_AGAIN_NS: Final = SECOND_NS // 4
RENEWALS: Final = 3  # of the dead-man switch within its time


class Gateway:
    """Implements ``exec.core.ports.Gateway`` over any codec."""

    def __init__(
        self, codec: Codec, endpoints: Endpoints, settings: Settings, *, flags: p.Flags,
        clock: Clock, random: Random, log: Logger,
    ) -> None:
        """Nothing is sent, and nobody told, before ``run``."""
        self.venue = codec.venue
        self._codec, self._settings, self._clock, self._log = codec, settings, clock, log
        self._bases = {ORDERS: endpoints.orders_url, USER: endpoints.user_url}
        tls = tls_context(endpoints.ca_file)
        self._rest = Rest(endpoints.rest_url, tls=tls, in_order=codec.rest_in_order)
        names = (ORDERS, USER) if codec.orders_path else (USER,)
        self._channels = {name: self._channel(name, random, tls) for name in names}
        self._outbox = Outbox(self._fail)
        self.readiness = Readiness(codec, self._channels, settings)
        self._questions = Questions(
            self._begin, per_s=codec.rest_weight_per_s, burst=codec.rest_weight_burst,
            gap_ns=int(codec.question_gap_s * SECOND_NS))
        self._traffic = Traffic(
            codec, self._channels, self._rest, self._outbox, self.readiness, settings,
            flags.killed, clock, log, self._fail, self._questions.spend)
        self._first: dict[str, list[Request]] = {}  # texts to be said on a channel that opens
        self._over: asyncio.Future[None] | None = None
        self._lack: str | None = None  # as it was told; None: nothing was
        self._keep_ns = 0  # when it is due
        self._warmed_ns = -settings.warm_every_ns  # when the time was asked for last
        self._armed_ms, self._arm_ns = 0, 0
        self._cancel_all_due, self._cancel_all_tries, self._cancel_all_ns = False, 0, 0

    def _channel(self, name: str, random: Random, tls: ssl.SSLContext) -> Channel:
        codec, settings = self._codec, self._settings
        silence_ns = min(int(codec.silence_s_max * SECOND_NS), settings.silence_ns_max)
        ping_ns = int(codec.ping_every_s * SECOND_NS) or silence_ns
        timing = Timing(
            silence_ns_max=silence_ns, proof_ns_max=settings.proof_ns_max,
            ping_every_ns=min(ping_ns, silence_ns // 3),
            backoff_ns_min=settings.backoff_ns_min, backoff_ns_max=settings.backoff_ns_max)
        return Channel(name, self, timing, ping=codec.ping, clock=self._clock, random=random,
                       tls=tls, log=self._log)

    # --- what the core asks for ----------------------------------------------------------------

    def place(self, order: Intended, proposed: Proposed, approval: Approval) -> str:
        """Hand an order's bytes to a socket; return the channel, or "" when not a byte left.

        Refuses, with "", what the gate did not approve or the kill word forbids.
        """
        rest = not self.readiness.orders_live
        if self._over is None or (
                rest and ORDERS in self._channels and not self._settings.rest_fallback):
            return ""
        try:
            request = self._codec.place(order, self._clock.unix_ns(), rest=rest)
        except (EngineError, ValueError) as error:
            return self._not_made(error)
        return self._leave(request, Warrant(order, proposed, approval))

    def cancel(self, order: Intended, venue_order: str) -> str:
        """Ask for a cancel, by REST where the channel is down; return the channel, or ""."""
        if self._over is None:
            return ""
        rest = not self.readiness.orders_live
        try:
            request = self._codec.cancel(order, venue_order, self._clock.unix_ns(), rest=rest)
        except (EngineError, ValueError) as error:
            return self._not_made(error)
        return self._leave(request, None)

    def _not_made(self, error: Exception) -> str:
        self._log.error("no request to be made", why=f"{type(error).__name__}: {error}"[:200])
        return ""

    def _leave(self, request: Request, warrant: Warrant | None) -> str:
        if not self._traffic.leave(request, warrant=warrant):
            return ""
        return REST if request.channel == REST else WEBSOCKET

    def cancel_all(self) -> None:
        """Cancel whatever rests on the account, ours or not; tried again where that fails."""
        now_ns = self._clock.mono_ns()
        self._cancel_all_due, self._cancel_all_tries = True, CANCEL_ALL_TRIES
        self._cancel_all_ns = now_ns
        if self._over is not None:
            self._cancel_all_turn(now_ns)

    def query(self, order: Intended, venue_order: str) -> None:
        """Ask what became of an order; reported as Seen and, for its fills, Traded."""
        self._questions.ask(Group(
            "query", lambda now_ns: self._codec.query(order, venue_order, now_ns),
            order.client_id))
        self._questions_turn(self._clock.mono_ns())

    def survey(self, since_unix_ns: int) -> None:
        """Ask for open orders, fills since, balances and positions; a part alone is not told."""
        self._questions.ask(Group(
            "survey", lambda now_ns: self._codec.survey(since_unix_ns, now_ns)))
        self._questions_turn(self._clock.mono_ns())

    def _begin(self, group: Group) -> None:
        group.waiting = 1  # until all that is to be asked now was asked
        for request in group.make(self._clock.unix_ns()):
            if not self._traffic.leave(request, group=group):
                group.why = "a part could not be asked for"
        self._traffic.release(group)

    def _questions_turn(self, now_ns: int) -> None:
        if self._over is not None:
            self._questions.turn(now_ns, barred=self.readiness.barred(now_ns))

    def arm(self, timeout_ms: int) -> None:
        """Set the dead-man switch and renew it from now on; 0 disarms it."""
        self._armed_ms = timeout_ms
        if self._over is not None:
            self._arm_turn(self._clock.mono_ns())

    # --- life ----------------------------------------------------------------------------------

    async def run(self, report: Callable[[p.Report], None]) -> None:
        """Keep everything up until ``close``, or cancelled; raise what our own code fails with."""
        loop = asyncio.get_running_loop()
        self._over = loop.create_future()
        await self._rest.open()
        self._outbox.open(report)
        tasks = [loop.create_task(each.run()) for each in self._channels.values()]
        tasks.append(loop.create_task(self._ticks()))
        for task in tasks:
            task.add_done_callback(self._ended)
        try:
            await self._over
        finally:
            self.readiness.closing = True
            self._review()
            for task in tasks:
                task.cancel()
            ending = self._traffic.abandon("the gateway closes")
            await asyncio.gather(*tasks, *ending, return_exceptions=True)
            await self._rest.close()
            self._over = None
            self._outbox.drain()

    async def close(self) -> None:
        """Take no more orders, wait a little for answers about orders, then let ``run`` return."""
        self.readiness.closing = True
        self._review()
        until_ns = self._clock.mono_ns() + self._settings.goodbye_ns_max
        while self._traffic.pending.orders() and self._clock.mono_ns() < until_ns:
            await asyncio.sleep(self._settings.tick_s)
        if self._over is not None and not self._over.done():
            self._over.set_result(None)

    def _fail(self, error: BaseException) -> None:
        if self._over is not None and not self._over.done():
            self._over.set_exception(error)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    # --- time ----------------------------------------------------------------------------------

    async def _ticks(self) -> None:
        while True:
            self.turn()
            await asyncio.sleep(self._settings.tick_s)

    def turn(self) -> None:
        """Let time pass: requests expire, channels show life, tokens and switches are renewed."""
        now_ns = self._clock.mono_ns()
        self._traffic.expire(now_ns)
        for name, channel in self._channels.items():
            channel.turn(now_ns)
            if self.readiness.refused_for_ns(name, now_ns) > self._settings.proof_ns_max:
                channel.abort("refused")
        if now_ns >= self._keep_ns:
            self._keep_ns = now_ns + SECOND_NS
            if not self.readiness.barred(now_ns):
                for request in self._codec.keep(self._clock.unix_ns()):
                    self._traffic.leave(request)
        self._warm_turn(now_ns)
        if self._armed_ms and now_ns >= self._arm_ns:
            self._arm_turn(now_ns)
        self._cancel_all_turn(now_ns)
        self._questions_turn(now_ns)
        self._review()

    def _warm_turn(self, now_ns: int) -> None:
        """Ask for the time now and then, and soon after REST has failed."""
        doubted = self._traffic.rest_doubted or not self.readiness.rest_answers
        wait_ns = WARM_AGAIN_NS if doubted else self._settings.warm_every_ns
        if not self._codec.time_path or now_ns - self._warmed_ns < wait_ns:
            return
        self._warmed_ns, self._traffic.rest_doubted = now_ns, False
        self._traffic.leave(Request(
            channel=REST, purpose=CLOCK, method="GET", path=self._codec.time_path))

    def _arm_turn(self, now_ns: int) -> None:
        self._arm_ns = now_ns + self._armed_ms * 1_000_000 // RENEWALS
        for request in self._codec.arm(self._armed_ms, self._clock.unix_ns()):
            self._traffic.leave(request)

    def _cancel_all_turn(self, now_ns: int) -> None:
        """Send what cancels everything when it is due; what fails is due again, but not for ever.

        To send it twice does no harm, unless so late that it meets orders of a later decision.
        """
        traffic = self._traffic
        self._cancel_all_due |= traffic.cancel_all_failed
        traffic.cancel_all_failed = False
        if not self._cancel_all_due or now_ns < self._cancel_all_ns:
            return
        self._cancel_all_due = False
        if not self._cancel_all_tries:
            self._log.error("cancel-all failed", tries=CANCEL_ALL_TRIES)
            return
        self._cancel_all_ns = now_ns + CANCEL_ALL_WAIT_NS
        left = [traffic.leave(each) for each in self._codec.cancel_all(self._clock.unix_ns())]
        self._cancel_all_due = not all(left)
        self._cancel_all_tries -= any(left)  # what never left was no try

    def _review(self) -> None:
        """Tell when readiness changed."""
        lack = self.readiness.lack(self._clock.mono_ns())
        if lack != self._lack:
            self._lack = lack
            self._log.info("readiness", venue=self.venue, lack=lack)
            self._outbox.put(p.Ready(self.venue, lack))

    # --- channels ------------------------------------------------------------------------------

    async def prepare(self, channel: str) -> str:
        """Ask by REST for what must be known before a channel opens; return its address, or ""."""
        loop = asyncio.get_running_loop()
        self._traffic.openers[channel].clear()
        if self.readiness.barred(self._clock.mono_ns()):
            return ""
        self._first[channel] = []
        for request in self._codec.opening(channel, self._clock.unix_ns()):
            if request.channel != REST:
                self._first[channel].append(request)
                continue
            done: asyncio.Future[bool] = loop.create_future()
            if not self._traffic.leave(request, done=done) or not await done:
                return ""
        path = self._codec.orders_path if channel == ORDERS else self._codec.user_path
        return self._bases[channel] + path

    def opened(self, channel: str) -> None:
        """Say what must be said first, then what followed from what was asked for by REST."""
        waiting = self._traffic.openers[channel]
        if not all(self._traffic.leave(each) for each in (*self._first[channel], *waiting)):
            self._channels[channel].abort("what must be said first could not be")
        waiting.clear()

    def text(self, channel: str, text: bytes) -> None:
        """Take a text in."""
        self._traffic.text(channel, text)
        self._review()

    def gone(self, channel: str, why: str) -> None:
        """Report what had left by it as lost, and that no orders may go."""
        self._traffic.gone(channel, why)
        self._review()
