"""Kraken spot as ``exec.gateways.codec`` wants it: the doors; what lies behind is in its parts.

Every text is either understood or a DecodeError; a hole in a private channel's numbers leads to a
new subscription and a survey.  Source: shared/venues/kraken.md, 2026-11-21.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from engine.model.errors import DecodeError
from exec.core import ports as p
from exec.gateways.codec import ORDERS, REST, USER, Answer, Codec, Listing, Outcome, Request
from exec.records import Intended
from exec.signing.kraken import KrakenSigner
from exec.venues.kraken import wire
from exec.venues.kraken.counter import Counter, Tier
from exec.venues.kraken.entry import Entry, Pending
from exec.venues.kraken.executions import Executions
from exec.venues.kraken.inquiries import QUERY, Inquiries
from exec.venues.kraken.known import Orders
from exec.venues.kraken.movements import movements
from exec.venues.kraken.names import Pairs
from exec.venues.kraken.refusals import (
    CALLS,
    SECOND_NS,
    SESSION,
    Refusal,
    refusal_of,
    refusal_of_status,
)
from exec.venues.kraken.rest import Nonce, Rest
from exec.venues.kraken.rows import Rows
from exec.venues.kraken.sessions import BALANCES, EXECUTIONS, Sessions
from exec.venues.kraken.surveys import SURVEY, Surveys

PATH: Final = "/v2"
PING_EVERY_S: Final = 20.0  # the venue closes after about a minute without activity
SILENCE_S_MAX: Final = 10.0  # a heartbeat comes every second: page, Keepalive
ARM_MAX_S: Final = 86_399
ONLINE: Final = "online"
QUERY_COST: Final = 3  # of the REST counter: QueryOrders, QueryTrades
SURVEY_COST: Final = 5  # one page of trades, whose they were, open orders, balances
LEDGERS_COST: Final = 4
INTERMEDIATE: Final = Tier()
OVERLAP_NS: Final = 60_000_000_000  # a survey after a hole looks so far back


class KrakenCodec(Codec):
    """One account at Kraken spot."""

    orders_path = user_path = PATH
    ping_every_s = PING_EVERY_S
    silence_s_max = SILENCE_S_MAX
    rest_in_order = True
    time_path = "/0/public/Time"
    rest_weight_per_s = 0.33  # of the lowest tier
    rest_weight_burst = 15
    question_gap_s = 3.0  # one answer costs as much as comes back in so long

    def __init__(
        self, venue: str, listings: Sequence[Listing], signer: KrakenSigner, nonce: Nonce,
        tier: Tier = INTERMEDIATE,
    ) -> None:
        """``nonce`` returns rising numbers, in this life and above those of earlier ones."""
        self.venue = venue
        pairs, self._orders = Pairs(listings), Orders()
        self._rest, self._pending = Rest(signer, nonce, Counter(tier)), Pending()
        self._entry = Entry(pairs, self._rest, self._pending)
        self._sessions = Sessions(self._rest, self._pending)
        rows = Rows(venue, pairs, self._orders)
        self._executions = Executions(venue, pairs, self._orders)
        self._inquiries = Inquiries(venue, self._rest, rows)
        self._surveys = Surveys(venue, self._rest, rows, self._orders)
        self._last: dict[str, int] = {}  # number of the newest message, by channel of Kraken's
        self._rate_max = 0
        self._system = ONLINE
        self._owed_ns = 0  # since when a survey is owed, after a hole in what was told

    # --- what leaves ---------------------------------------------------------------------------

    def opening(self, channel: str, now_unix_ns: int) -> Sequence[Request]:
        """Ask for a token; the subscriptions follow from its answer, for the open socket."""
        if channel == USER:
            self._surveys.gap = True
        return self._sessions.open(channel, now_unix_ns)

    def clock(self, body: bytes) -> tuple[int, int]:
        """Return the time that the public Time method tells, to the second."""
        refusal, result = self._read(Answer(200, {}, body), 0)
        if refusal is not None:
            return 0, 0
        return wire.parse(wire.times, result).unixtime * SECOND_NS, SECOND_NS

    def ping(self) -> bytes:
        """Return Kraken's own ping; a socket without news is dropped after a minute."""
        return b'{"method":"ping"}'

    def keep(self, now_unix_ns: int) -> Sequence[Request]:
        """Ask again for tokens and subscriptions that do not come, and what is owed for holes."""
        due = self._sessions.keep(now_unix_ns)
        if self._owed_ns:
            due.extend(self.survey(self._owed_ns, now_unix_ns))
        return due

    def place(self, order: Intended, now_unix_ns: int, *, rest: bool) -> Request:
        """Return add_order, or AddOrder when told to or without a token."""
        token = self._sessions.token(ORDERS)
        if rest or not token:
            return self._entry.place_by_rest(order, now_unix_ns)
        return self._entry.place(order, token)

    def cancel(
        self, order: Intended, venue_order: str, now_unix_ns: int, *, rest: bool
    ) -> Request:
        """Return cancel_order, or CancelOrder when told to or without a token."""
        token = self._sessions.token(ORDERS)
        if rest or not token:
            return self._entry.cancel_by_rest(order, venue_order, now_unix_ns)
        return self._entry.cancel(order, venue_order, token)

    def cancel_all(self, now_unix_ns: int) -> Sequence[Request]:
        """Cancel everything both ways: one of them may be dead, and twice does no harm."""
        both = [self._rest.post("CancelAll", now_unix_ns, purpose="cancel_all")]
        token = self._sessions.token(ORDERS)
        if token:
            both.insert(0, self._entry.command("cancel_all", token, purpose="cancel_all"))
        return both

    def query(self, order: Intended, venue_order: str, now_unix_ns: int) -> Sequence[Request]:
        """Return the first question about an order, the others follow; none while none may leave.

        Before the order's deadline little is proven: such a question leaves room for a survey.
        """
        early = now_unix_ns <= order.deadline_unix_ns
        if self._rest.counter.room(now_unix_ns) < QUERY_COST + early * SURVEY_COST:
            return []
        return [self._inquiries.begin(order.client_id, venue_order, now_unix_ns,
                                      deadline_unix_ns=order.deadline_unix_ns)]

    def survey(self, since_unix_ns: int, now_unix_ns: int) -> Sequence[Request]:
        """Return the first question about everything, the others follow; none without room."""
        room = self._rest.counter.room(now_unix_ns)
        if room < SURVEY_COST:
            return []
        since_unix_ns = min(since_unix_ns, self._owed_ns or since_unix_ns)
        self._owed_ns = 0
        return [self._surveys.begin(
            since_unix_ns, now_unix_ns, ledgers=room >= SURVEY_COST + LEDGERS_COST)]

    def arm(self, timeout_ms: int, now_unix_ns: int) -> Sequence[Request]:
        """Set cancel_all_orders_after, over WebSocket where it stands; 0 calls it off."""
        seconds = min(-(-timeout_ms // 1000), ARM_MAX_S)
        if self._sessions.live(ORDERS):
            return [self._entry.command(
                "cancel_all_orders_after", self._sessions.token(ORDERS), purpose="arm",
                extra=f'"timeout":{seconds},')]
        return [self._rest.post("CancelAllOrdersAfter", now_unix_ns, purpose="arm",
                                fields=f"timeout={seconds}")]

    # --- what comes over WebSocket -------------------------------------------------------------

    def frame(self, channel: str, text: bytes, now_unix_ns: int) -> Outcome:
        """Return what a text means; raise DecodeError for one that Kraken does not send."""
        frame = wire.parse(wire.frames, text)
        if frame.channel == EXECUTIONS:
            return self._executed(channel, frame, now_unix_ns)
        if frame.method:
            return self._answered(channel, frame, now_unix_ns)
        if frame.channel == BALANCES:
            rows = wire.parse(wire.movements, frame.data)
            if channel == ORDERS:
                return Outcome()  # the other connection reads them
            return Outcome(reports=movements(self.venue, rows),
                           requests=self._numbered(frame, now_unix_ns))
        if frame.channel == "status":
            return Outcome(reports=self._status(wire.parse(wire.statuses, frame.data)))
        if frame.channel == "heartbeat":
            return Outcome()
        if frame.excess:
            return Outcome(reports=self._waits(refusal_of(frame.excess, now_unix_ns)))
        raise DecodeError(f"kraken: neither answer nor message: {text[:80]!r}")

    def _executed(self, channel: str, frame: wire.Frame, now_unix_ns: int) -> Outcome:
        reports, requests = list[p.Report](), list[Request]()
        rate = None
        for row in wire.parse(wire.executions, frame.data):
            if self._executions.unclear(row):
                requests.append(self._inquiries.begin(row.cl_ord_id, row.order_id, now_unix_ns))
            else:
                reports.extend(self._executions.read(row))
            rate = rate if row.ratecounter is None else row.ratecounter
        if rate is not None and self._rate_max:
            reports.append(p.Budget(self.venue, max(0, rate), self._rate_max, 0))
        requests.extend(self._numbered(frame, now_unix_ns))
        return Outcome(reports=reports, requests=requests)

    def _numbered(self, frame: wire.Frame, now_unix_ns: int) -> list[Request]:
        """Check a message's number; return what makes good a hole: subscription and survey."""
        last = self._last.get(frame.channel, 0)
        if frame.type == "snapshot":
            self._last[frame.channel] = frame.sequence
            return []
        self._last[frame.channel] = max(last, frame.sequence)
        if frame.sequence <= last + 1:
            return []
        self._surveys.gap = True
        self._owed_ns = self._owed_ns or now_unix_ns - OVERLAP_NS
        return [self._sessions.unsubscribe(USER, frame.channel),
                self._sessions.subscribe(USER, frame.channel),
                *self.survey(self._owed_ns, now_unix_ns)]

    def _status(self, rows: list[wire.Status]) -> list[p.Report]:
        reports = list[p.Report]()
        for row in rows:
            if row.system != self._system:
                why = "" if row.system == ONLINE else f"the venue is in {row.system[:40]}"
                reports.append(p.Ready(self.venue, why))
            self._system = row.system
        return reports

    def _answered(self, channel: str, frame: wire.Frame, now_unix_ns: int) -> Outcome:
        if frame.method == "pong":
            return Outcome()
        asked = self._pending.find(frame.req_id)
        if asked is None:
            return Outcome()  # of an earlier life, or asked by nobody: it proves nothing
        purpose, subject = asked
        number = str(frame.req_id)
        if frame.success is not True:
            refusal = refusal_of(frame.error, now_unix_ns)
            reports = self._failed(purpose, subject, refusal)
            return Outcome(reports=reports, answers=number,
                           requests=self._renewed(channel, refusal, now_unix_ns))
        result = wire.parse(wire.results, frame.result) or wire.Result()
        if purpose == "place":
            if not result.order_id:
                raise DecodeError("kraken: an order without an id")
            return Outcome(answers=number, reports=[self._accepted(subject, result.order_id)])
        if purpose == "subscribe":
            return self._subscribed(channel, result, number)
        return Outcome(answers=number)

    def _subscribed(self, channel: str, result: wire.Result, number: str) -> Outcome:
        if channel == USER:
            self._last[result.channel] = 0
            self._rate_max = result.maxratecount or self._rate_max
        usable = self._sessions.acknowledged(channel, result.channel)
        return Outcome(answers=number, live=(channel,) if usable else ())

    def _renewed(self, channel: str, refusal: Refusal, now_unix_ns: int) -> Sequence[Request]:
        if refusal.text.startswith(SESSION):
            return self._sessions.lost(channel, now_unix_ns)
        return ()

    # --- what comes by REST --------------------------------------------------------------------

    def answer(self, request: Request, answer: Answer, asked_unix_ns: int) -> Outcome:
        """Return what a REST answer means; HTTP 200 may carry errors, and W... are warnings."""
        assert request.channel == REST, request
        refusal, result = self._read(answer, asked_unix_ns)
        if refusal is not None:
            return self._refused(request, refusal, asked_unix_ns)
        try:
            return self._understood(request, result, asked_unix_ns)
        except DecodeError:
            if request.purpose in ("place", "cancel"):
                return Outcome(reports=[p.Lost(
                    self.venue, request.client_id, request.purpose, "unreadable answer")])
            raise

    @staticmethod
    def _read(answer: Answer, asked_unix_ns: int) -> tuple[Refusal | None, msgspec.Raw]:
        if answer.status != 200:
            retry = answer.headers.get("retry-after", "")
            return refusal_of_status(answer.status, retry), wire.NOTHING
        try:
            reply = wire.parse(wire.replies, answer.body)
        except DecodeError:
            return Refusal("unreadable", "unreadable answer", False, 0), wire.NOTHING
        errors = [text for text in reply.error if not text.startswith("W")]
        return (refusal_of(errors[0], asked_unix_ns) if errors else None), reply.result

    def _understood(
        self, request: Request, result: msgspec.Raw, asked_unix_ns: int
    ) -> Outcome:
        purpose = request.purpose
        if purpose == QUERY:
            return self._inquiries.answer(request, result, asked_unix_ns)
        if purpose == SURVEY:
            return self._surveys.answer(request, result, asked_unix_ns)
        if purpose == "login":
            token = wire.parse(wire.tokens, result).token
            return Outcome(requests=self._sessions.got(request.id, token, asked_unix_ns))
        if purpose == "place":
            txids = wire.parse(wire.placements, result).txid
            if len(txids) != 1:
                raise DecodeError(f"kraken: {len(txids)} ids of one order")
            return Outcome(reports=[self._accepted(request.client_id, txids[0])])
        return Outcome()

    def _refused(self, request: Request, refusal: Refusal, asked_unix_ns: int) -> Outcome:
        if refusal.text.startswith(CALLS):
            self._rest.counter.fill(asked_unix_ns)
        if request.purpose == QUERY:
            following = self._inquiries.refused(request, refusal, asked_unix_ns)
            if following is not None:
                return Outcome(requests=following)
        if request.purpose == SURVEY:
            why = refusal.text or refusal.code
            return Outcome(reports=[
                self._surveys.failed(request, why), *self._waits(refusal)])
        return Outcome(reports=self._failed(request.purpose, request.client_id, refusal))

    def _accepted(self, client_id: str, venue_order: str) -> p.Report:
        known = self._orders.note(venue_order)
        known.client_id, known.accepted = client_id, True
        return p.Accepted(self.venue, client_id, venue_order)

    # --- refusals, both ways -------------------------------------------------------------------

    def _failed(self, purpose: str, client_id: str, refusal: Refusal) -> list[p.Report]:
        """Return what a refusal reports: sure ones end the matter, others leave it open."""
        code, text = refusal.code, refusal.text
        report: p.Report
        if purpose == "place" and refusal.sure:
            report = p.Denied(self.venue, client_id, code, text, refusal.business)
        elif purpose == "cancel" and refusal.sure:
            report = p.CancelDenied(self.venue, client_id, code, text)
        elif purpose in ("login", "subscribe"):
            report = p.Ready(self.venue, f"{purpose}: {text or code}"[:200])
        elif purpose == "unsubscribe":
            return self._waits(refusal)
        else:
            report = p.Lost(self.venue, client_id, purpose, text or code)
        return [report, *self._waits(refusal)]

    def _waits(self, refusal: Refusal) -> list[p.Report]:
        if not refusal.wait_ns:
            return []
        return [p.Budget(self.venue, 0, 0, refusal.wait_ns)]
