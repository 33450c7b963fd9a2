"""What leaves and what comes back: one function that sends, one that ends every request.

``leave`` alone hands bytes to a socket.  A place needs its warrant there, and the kill word is read
there, by REST once more when the connection is ready for the first byte.  Whatever ends a request
(answer, time-out, lost connection, an error page, a text that is not understood) becomes reports.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from engine.model.clock import Clock
from engine.model.errors import ConnectionLost, DecodeError
from engine.runtime.log import Logger
from exec.core import ports as p
from exec.gateways.codec import REST, USER, Answer, Codec, Outcome, Request
from exec.gateways.outbox import Outbox
from exec.gateways.pending import PAGES_MAX, Entry, Group, Pending, Warrant
from exec.gateways.readiness import Readiness
from exec.gateways.rest import Rest, Unreached, Withheld, dated
from exec.gateways.settings import Settings
from exec.gateways.socket import Channel

PLACE: Final = "place"
CANCEL: Final = "cancel"
CANCEL_ALL: Final = "cancel_all"
OF_ORDERS: Final = frozenset({PLACE, CANCEL})
CLOCK: Final = "clock"  # our own purpose: the venue's time, and a warm connection
FIRST: Final = frozenset({"login", "subscribe"})  # what makes a channel usable
OPENERS_MAX: Final = 100  # texts that wait for their channel to open
SECOND_NS: Final = 1_000_000_000
PAUSE_NS: Final = {429: 2 * SECOND_NS, 418: 120 * SECOND_NS}  # where nobody says for how long
PAUSE_S_MAX: Final = 3 * 86_400  # the longest ban there is (Binance)


class Counts(msgspec.Struct):
    """What happened so far."""

    left: int = 0
    answered: int = 0
    lost: int = 0
    strays: int = 0  # answers that nobody waited for any more
    garbled: int = 0  # texts that were not understood


class Traffic:
    """All requests of one account at one venue."""

    def __init__(
        self, codec: Codec, channels: dict[str, Channel], rest: Rest, outbox: Outbox,
        readiness: Readiness, settings: Settings, killed: Callable[[], bool], clock: Clock,
        log: Logger, failed: Callable[[BaseException], None], spend: Callable[[int], None],
    ) -> None:
        self._codec, self._channels, self._rest, self._outbox = codec, channels, rest, outbox
        self._readiness, self._settings, self._killed = readiness, settings, killed
        self._clock, self._log, self._failed, self._spend = clock, log, failed, spend
        self._answer_ns = settings.answer_ns_max
        self.pending, self.counts = Pending(), Counts()
        self.cancel_all_failed = False
        self.rest_doubted = False  # a request was lost: whether REST works is to be asked
        self.openers: dict[str, list[Request]] = {name: [] for name in channels}

    # --- out -----------------------------------------------------------------------------------

    def leave(
        self, request: Request, *, warrant: Warrant | None = None, group: Group | None = None,
        done: "asyncio.Future[bool] | None" = None,
    ) -> bool:
        """Hand a request to its socket now; return False when not a byte of it left, or will."""
        now_ns, by_rest = self._clock.mono_ns(), request.channel == REST
        if self.pending.full or not self._may_leave(request, warrant, now_ns):
            return False
        if group is not None and group.asked >= PAGES_MAX:
            return False
        of_order = request.purpose in OF_ORDERS
        patience_ns = self._answer_ns if of_order else self._settings.question_ns_max
        waits = by_rest or (
            bool(request.id) and request.purpose not in FIRST)  # those: proven, or given up
        assert waits or not of_order, "nothing could answer it"
        entry = Entry(
            request, now_ns + patience_ns, self._clock.unix_ns(), warrant, group, waits)
        entry.done = done
        if by_rest:
            entry.left = False
            entry.task = asyncio.get_running_loop().create_task(self._ask(entry))
            entry.task.add_done_callback(self._ended)
            self.pending.add(entry)
        elif not self._write(entry):
            return False
        self.counts.left += 1
        if by_rest and request.purpose != CLOCK:  # that is public
            self._spend(request.weight)
        if group is not None and waits:
            group.waiting += 1
            group.asked += 1
        return True

    def _may_leave(self, request: Request, warrant: Warrant | None, now_ns: int) -> bool:
        if request.purpose == PLACE and (
                warrant is None or warrant.order.venue != self._codec.venue
                or self._readiness.closing or self._killed() or not warrant.redeem()):
            return False
        return not self._readiness.barred(now_ns)

    def _write(self, entry: Entry) -> bool:
        request = entry.request
        channel = self._channels.get(request.channel)
        if channel is None or not (channel.proven or request.purpose in FIRST):
            return False
        if entry.waits:
            self.pending.add(entry)  # its answer cannot come before it is known
        if channel.send(request.text):
            return True
        self.pending.finish(entry)
        return False

    def _first_byte(self, entry: Entry) -> bool:
        """Return whether a REST request may leave still; from now on it may have.

        Asked again where its bytes had to wait after that.
        """
        if not entry.over:
            entry.left = self._may_leave(
                entry.request, entry.warrant, self._clock.mono_ns())
        return not entry.over and entry.left

    async def _ask(self, entry: Entry) -> None:
        try:
            answer = await self._rest.ask(entry.request, lambda: self._first_byte(entry))
        except (Withheld, ConnectionLost) as error:
            self.rest_doubted |= isinstance(error, Unreached | ConnectionLost)
            self.give_up(entry, str(error))
        else:
            self._readiness.rest_answers = True
            self._answered(entry, answer)
        self._outbox.drain()

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(error)

    # --- back ----------------------------------------------------------------------------------

    def text(self, channel: str, text: bytes) -> None:
        """Take a text of a channel in; one that is not understood ends the connection."""
        try:
            outcome = self._codec.frame(channel, text, self._clock.unix_ns())
        except DecodeError as error:
            self.counts.garbled += 1
            self._log.warning("text not understood", channel=channel, why=str(error)[:200])
            self._channels[channel].abort("a text that was not understood")
            return
        entry = None
        if outcome.answers:
            entry = self.pending.answered(channel, outcome.answers)
            self.counts.strays += entry is None
        self._take(outcome, entry, channel)
        self._outbox.drain()

    def _answered(self, entry: Entry, answer: Answer) -> None:
        """Take a REST answer in."""
        if not self.pending.finish(entry):
            return  # given up meanwhile, and reported so
        request, status = entry.request, answer.status
        self._read_clock(entry, answer)
        if request.purpose == CLOCK:
            self.counts.answered += 1
            return
        try:
            outcome = self._codec.answer(request, answer, entry.asked_unix_ns)
        except DecodeError as error:
            self._log.warning("answer not understood", purpose=request.purpose, status=status,
                              why=str(error)[:200])
            self._bar_if_told(answer, ())
            self._lose(entry, f"HTTP {status}, not understood")
            return
        self._bar_if_told(answer, outcome.reports)
        if status >= 500:  # the venue itself does not know, whatever its words are taken for
            outcome = Outcome([each for each in outcome.reports if isinstance(each, p.Budget)])
            self._take(outcome, None, USER)
            self._lose(entry, f"HTTP {status}")
        else:
            if status >= 400 and entry.group is not None and entry.group.purpose == "survey":
                entry.group.why = f"HTTP {status}"
            self._take(outcome, entry, USER, good=status < 400)

    def _take(
        self, outcome: Outcome, entry: Entry | None, channel: str, *, good: bool = True
    ) -> None:
        group = entry.group if entry is not None else None
        for report in outcome.reports:
            if isinstance(report, p.Ready):  # readiness is told by the gateway alone
                good &= not report.unready
                self._readiness.refuse(channel, report.unready[:200], self._clock.mono_ns())
                continue
            if isinstance(report, p.Budget) and report.barred_ns:
                self._bar(report.barred_ns)
            if group is not None and not isinstance(report, p.Traded | p.Budget):
                group.hold(report)
            else:
                self._outbox.put(report)
                good &= not isinstance(report, p.Lost)
        for name in outcome.live:
            if name in self._channels:
                self._channels[name].prove()
                self._readiness.accept(name)
        for request in outcome.requests:
            self._follow(request, group)
        if entry is not None:
            self.counts.answered += 1
            self._conclude(entry, good=good)

    def _follow(self, request: Request, group: Group | None) -> None:
        """Send what follows from an answer; what is to be said on a closed channel waits for it."""
        if request.channel != REST and not self._channels[request.channel].open:
            waiting = self.openers[request.channel]
            if len(waiting) < OPENERS_MAX:
                waiting.append(request)
        elif not self.leave(request, group=group) and group is not None:
            group.why = "a part could not be asked for"

    def _read_clock(self, entry: Entry, answer: Answer) -> None:
        at_ns, resolution_ns = 0, SECOND_NS
        if entry.request.purpose == CLOCK and answer.status == 200:
            try:
                at_ns, resolution_ns = self._codec.clock(answer.body)
            except DecodeError as error:
                self._log.warning("clock not understood", why=str(error)[:200])
        if not at_ns:
            at_ns, resolution_ns = dated(answer), SECOND_NS
        if at_ns:
            self._readiness.offset.add(
                at_ns, resolution_ns, entry.asked_unix_ns, self._clock.unix_ns())

    def _bar_if_told(self, answer: Answer, reports: Sequence[p.Report]) -> None:
        """Obey 429 and 418 even where the codec read no time out of them."""
        pause_ns = PAUSE_NS.get(answer.status)
        if pause_ns is None or any(
                isinstance(each, p.Budget) and each.barred_ns for each in reports):
            return
        after = answer.headers.get("retry-after", "")
        if after.isdecimal():
            pause_ns = min(int(after[:9]), PAUSE_S_MAX) * SECOND_NS
        self._bar(pause_ns)
        self._outbox.put(p.Budget(self._codec.venue, 0, 0, pause_ns))

    def _bar(self, for_ns: int) -> None:
        self._log.warning("barred", venue=self._codec.venue, ms=for_ns // 1_000_000)
        self._readiness.bar(self._clock.mono_ns(), for_ns)

    # --- ends ----------------------------------------------------------------------------------

    def expire(self, now_ns: int) -> None:
        """Give up what was not answered in time."""
        for entry in self.pending.expired(now_ns):
            self._lose(entry, "no answer in time")

    def gone(self, channel: str, why: str) -> None:
        """Give up what had left by a connection that is gone."""
        for entry in self.pending.of_channel(channel):
            self._lose(entry, why)
        self.openers[channel].clear()

    def abandon(self, why: str) -> "list[asyncio.Task[None]]":
        """Give everything up; return the tasks that end with it."""
        entries = self.pending.everything()
        for entry in entries:
            self._lose(entry, why)
        return [each.task for each in entries if each.task is not None]

    def give_up(self, entry: Entry, why: str) -> None:
        """Report a request as lost, unless it ended before."""
        if self.pending.finish(entry):
            self._lose(entry, why)

    def _lose(self, entry: Entry, why: str) -> None:
        """Report what became of a request without an answer that can be believed."""
        request, venue = entry.request, self._codec.venue
        self.counts.lost += 1
        if entry.task is not None and entry.task is not asyncio.current_task():
            entry.task.cancel()
        if request.purpose in (PLACE, CANCEL):
            if entry.left:
                self._outbox.put(p.Lost(venue, request.client_id, request.purpose, why))
            elif request.purpose == PLACE:
                self._outbox.put(p.Denied(venue, request.client_id, "unsent", why))
            else:
                self._outbox.put(p.CancelDenied(venue, request.client_id, "unsent", why))
        elif request.purpose == CLOCK:
            self._readiness.rest_answers = False
        else:
            self._log.warning("request lost", purpose=request.purpose, why=why)
        if entry.group is not None:
            entry.group.why = why
        self._conclude(entry, good=False)

    def _conclude(self, entry: Entry, *, good: bool) -> None:
        if entry.request.purpose == CANCEL_ALL and not good:
            self.cancel_all_failed = True
        if entry.done is not None and not entry.done.done():
            entry.done.set_result(good)
        if entry.group is not None:
            self.release(entry.group)

    def release(self, group: Group) -> None:
        """Note that one part of a group ended; tell the whole with the last of them."""
        group.waiting -= 1
        if group.waiting:
            return
        venue = self._codec.venue
        if group.purpose == "query":
            for report in group.held:
                self._outbox.put(report)
            if group.why:
                self._outbox.put(p.Lost(venue, group.client_id, "query", group.why))
        elif group.why or not any(isinstance(each, p.Listing) for each in group.held):
            self._outbox.put(p.Listing(venue, (), group.why or "no list of open orders came"))
        else:  # fills were told as they came; the list last: with it the survey is over
            for report in sorted(group.held, key=lambda each: isinstance(each, p.Listing)):
                self._outbox.put(report)
