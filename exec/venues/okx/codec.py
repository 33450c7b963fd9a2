"""OKX, spot: order entry and the account's streams over /ws/v5/private, questions by REST.

Source: shared/venues/okx.md, 2026-11-21.

    query   trade/order ─▶ fills of the order ─▶ Traded..., Seen
    survey  fills since ─▶ Traded... ─▶ orders-pending ─▶ Listing      account/balance ─▶ Balance...

Fills come before the listing, so that a listing tells that all of the survey is in.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from engine.model.errors import DecodeError
from exec.core import ports as p
from exec.gateways.codec import ORDERS, USER, Answer, Codec, Listing, Outcome, Request
from exec.records import Found, Intended
from exec.signing.okx import OkxSigner
from exec.venues.okx import codes, wire
from exec.venues.okx.reports import Reports
from exec.venues.okx.requests import (
    CANCEL_COUNT_DIGITS,
    PAGE,
    PAGES_MAX,
    Batch,
    FillsAsked,
    OpenAsked,
    OrderAsked,
    Requests,
)
from exec.venues.reading import ABSENT, NS_PER_MS, decoder, ns_of_ms

OPERATIONS: Final = {"order": "place", "cancel-order": "cancel"}
QUIET_EVENTS: Final = frozenset({"channel-conn-count", "notice", "unsubscribe"})
CHANNELS: Final = frozenset({"orders", "account"})
_PONG: Final = b"pong"
_frame = decoder(wire.Frame)
_envelope = decoder(wire.Envelope)
_entries = decoder(list[wire.Entry])
_orders = decoder(list[wire.Order])
_fills = decoder(list[wire.Fill])
_accounts = decoder(list[wire.Account])
_times = decoder(list[wire.Time])


class Failed(Exception):
    """A REST request that brought nothing: the venue's code, and whether it proves anything."""

    def __init__(self, code: str, text: str, status: int) -> None:
        super().__init__(f"HTTP {status}, {code}: {text}")
        self.code, self.text, self.status = code, text, status


class OkxCodec(Codec):
    """One account at okx or okx-us."""

    venue = "okx"
    orders_path = "/ws/v5/private"
    user_path = "/ws/v5/private"
    ping_every_s = 20.0  # the venue closes after 30 s of silence
    silence_s_max = 45.0
    time_path = "/api/v5/public/time"
    rest_weight_burst = 20  # each path has its own counter, the smallest of 10 in 2 s

    def __init__(
        self, signer: OkxSigner, listings: Iterable[Listing], *, venue: str = "okx",
        mode: str = "cash",
    ) -> None:
        """Trade ``listings``; a listing's ``code`` is instIdCode, without which REST is used."""
        listings = tuple(listings)
        self.venue = venue
        self._requests = Requests(signer, listings, mode)
        self._reports = Reports(venue, listings)
        self._subscribed: set[str] = set()
        self._answers: dict[type[Request], Callable[..., Outcome]] = {
            OrderAsked: self._order, FillsAsked: self._fills, OpenAsked: self._open,
            Batch: self._batch}

    # --- requests ------------------------------------------------------------------------------

    def opening(self, channel: str, now_unix_ns: int) -> Sequence[Request]:
        """Log in; the subscription follows the login's answer."""
        if channel not in (ORDERS, USER):
            return ()
        if channel == USER:
            self._subscribed.clear()
        return (self._requests.login(channel, now_unix_ns),)

    def ping(self) -> bytes:
        """Return the text ping."""
        return b"ping"

    def place(self, order: Intended, now_unix_ns: int, *, rest: bool) -> Request:
        """Return an order, refused by the venue after its deadline (expTime)."""
        return self._requests.place(order, now_unix_ns, rest=rest)

    def cancel(
        self, order: Intended, venue_order: str, now_unix_ns: int, *, rest: bool
    ) -> Request:
        """Return a cancel."""
        return self._requests.cancel(order, venue_order, now_unix_ns, rest=rest)

    def cancel_all(self, now_unix_ns: int) -> Sequence[Request]:
        """Ask for the open orders, which are then cancelled by twenties: spot has nothing else."""
        return (self._requests.open_orders("cancel_all", now_unix_ns),)

    def query(self, order: Intended, venue_order: str, now_unix_ns: int) -> Sequence[Request]:
        """Ask for an order; its fills are asked for when the answer is in."""
        return (self._requests.order(order, venue_order, now_unix_ns),)

    def survey(self, since_unix_ns: int, now_unix_ns: int) -> Sequence[Request]:
        """Ask for balances and fills; open orders follow the last page of fills."""
        return (self._requests.balances(now_unix_ns),
                self._requests.fills_since(since_unix_ns, now_unix_ns))

    def arm(self, timeout_ms: int, now_unix_ns: int) -> Sequence[Request]:
        """Set or renew cancel-all-after."""
        return (self._requests.arm(timeout_ms, now_unix_ns),)

    def clock(self, body: bytes) -> tuple[int, int]:
        """Return the venue's Unix time in an answer of ``time_path``, and its resolution, in ns."""
        envelope = _envelope(body)
        times = _times(envelope.data) if envelope.code == "0" else []
        if len(times) != 1:
            raise DecodeError(f"no time: {body[:120]!r}")
        return ns_of_ms(times[0].ts), NS_PER_MS

    # --- WebSocket -----------------------------------------------------------------------------

    def frame(self, channel: str, text: bytes, now_unix_ns: int) -> Outcome:
        """Return what a text means; raise DecodeError for what cannot be one of the venue's."""
        if text == _PONG:
            return Outcome()
        frame = _frame(text)
        if frame.op:
            return self._entered(frame)
        if frame.event:
            return self._event(channel, frame)
        if frame.arg is None or frame.data is ABSENT:
            raise DecodeError(f"neither event nor answer nor push: {text[:120]!r}")
        if frame.arg.channel == "orders":
            rows = _orders(frame.data)
            return Outcome([report for row in rows for report in self._reports.pushed(row)])
        if frame.arg.channel == "account":
            return Outcome(self._reports.balances(_accounts(frame.data), "stream"))
        raise DecodeError(f"a push of {frame.arg.channel!r}, which nobody asked for")

    def _entered(self, frame: wire.Frame) -> Outcome:
        """Read the answer to an order or a cancel."""
        purpose = OPERATIONS.get(frame.op, "")
        client_id = _client_id(frame.id, purpose)
        if not client_id:
            raise DecodeError(f"{frame.id!r} is not the id of any {frame.op!r} of ours")
        rows = _entries(frame.data) if frame.data is not ABSENT else []
        if not rows:
            if frame.code == "0":
                raise DecodeError(f"{frame.id!r} went well, and nothing is said of the order")
            return Outcome(self._verdict(purpose, client_id, frame.code, frame.msg, row=False),
                           answers=frame.id)
        return Outcome(self._row(purpose, client_id, rows), answers=frame.id)

    def _row(
        self, purpose: str, client_id: str, rows: list[wire.Entry], status: int = 200
    ) -> tuple[p.Report, ...]:
        """Return what the one row of an answer says: a cancel that was taken has not happened."""
        row = rows[0]
        if len(rows) > 1 or row.cl_ord_id not in ("", client_id):
            raise DecodeError(f"an answer about {client_id} speaks of {row.cl_ord_id!r}")
        if row.s_code != "0":
            return self._verdict(purpose, client_id, row.s_code, row.s_msg, row=True,
                                 status=status)
        if purpose == "cancel":
            return ()
        if not row.ord_id:
            raise DecodeError(f"{client_id} was accepted without an order id")
        return (p.Accepted(self.venue, client_id, row.ord_id),)

    def _event(self, channel: str, frame: wire.Frame) -> Outcome:
        if frame.event == "login" and frame.code == "0":
            if channel == USER:
                return Outcome(requests=(self._requests.subscribe(),))
            return Outcome(live=(channel,))
        if frame.event == "subscribe" and frame.arg is not None:
            self._subscribed.add(frame.arg.channel)
            return Outcome(live=(USER,) if self._subscribed >= CHANNELS else ())
        if frame.event in QUIET_EVENTS:
            return Outcome()
        if frame.event not in ("error", "login", "channel-conn-count-error"):
            raise DecodeError(f"an event {frame.event[:40]!r}")
        for purpose in OPERATIONS.values():
            if client_id := _client_id(frame.id, purpose):
                return Outcome(
                    self._verdict(purpose, client_id, frame.code, frame.msg, row=False),
                    answers=frame.id)
        why = f"{channel}: {frame.event} {frame.code} {frame.msg[:120]}"
        return Outcome((p.Ready(self.venue, why),), answers=frame.id)

    def _verdict(
        self, purpose: str, client_id: str, code: str, text: str, *, row: bool, status: int = 200
    ) -> tuple[p.Report, ...]:
        return codes.verdict(
            self.venue, purpose, client_id, code, text, row=row, status=status)

    # --- REST ----------------------------------------------------------------------------------

    def answer(self, request: Request, answer: Answer, asked_unix_ns: int) -> Outcome:
        """Return what an answer means; one that cannot be read leaves everything open."""
        read = self._answers.get(type(request), self._plain)
        try:
            return read(request, answer, asked_unix_ns)
        except Failed as failed:
            return self._failed(request, failed)
        except DecodeError as error:
            status = answer.status
            return self._failed(request, Failed("", f"unreadable: {error}", status), read=False)

    def _failed(self, request: Request, failed: Failed, *, read: bool = True) -> Outcome:
        """Return what it means that a request brought nothing."""
        purpose, why = request.purpose, str(failed)
        wait = codes.budget(self.venue, failed.code, failed.status)
        if purpose in ("place", "cancel") and read:
            return Outcome(self._verdict(
                purpose, request.client_id, failed.code, failed.text, row=False,
                status=failed.status))
        if isinstance(request, Batch):
            lost = [p.Lost(self.venue, each, "cancel", why) for each in request.client_ids]
            return Outcome((*lost, *wait))
        if purpose == "survey" and isinstance(request, OpenAsked | FillsAsked):
            return Outcome((p.Listing(self.venue, (), why), *wait))
        return Outcome((p.Lost(self.venue, request.client_id, purpose, why), *wait))

    def _plain(self, request: Request, answer: Answer, asked_unix_ns: int) -> Outcome:
        """Read the answer to a place, a cancel, a switch or the question for balances."""
        if request.purpose in ("place", "cancel"):
            rows = _entries(_rows(answer, partly=True))
            if not rows:
                raise DecodeError("nothing is said of the order")
            return Outcome(self._row(request.purpose, request.client_id, rows, answer.status))
        data = _rows(answer)
        if request.purpose == "arm":
            return Outcome()
        return Outcome(self._reports.balances(_accounts(data), "query"))

    def _order(self, request: OrderAsked, answer: Answer, asked_unix_ns: int) -> Outcome:
        try:
            rows = _orders(_rows(answer))
        except Failed as failed:
            if failed.code != codes.ABSENT or failed.status >= 500:
                raise
            seen = p.Seen(self.venue, request.client_id, request.venue_order,
                          int(Found.ABSENT), "", 0, asked_unix_ns)
            if not request.venue_order:
                return Outcome((seen,))
            return Outcome(requests=(self._requests.fills_of(
                request.native, seen, 0, asked_unix_ns),))
        if len(rows) != 1 or rows[0].inst_id != request.native \
                or rows[0].cl_ord_id != request.client_id:
            raise DecodeError(f"not the order {request.client_id} that was asked for")
        seen = self._reports.seen(rows[0], asked_unix_ns)
        if not seen.filled:
            return Outcome((seen,))
        born_ns = ns_of_ms(rows[0].c_time) if rows[0].c_time else 0
        return Outcome(requests=(self._requests.fills_of(
            request.native, seen, born_ns, asked_unix_ns),))

    def _fills(self, request: FillsAsked, answer: Answer, asked_unix_ns: int) -> Outcome:
        """Read a page of fills; after the last comes what they were asked for."""
        rows = _fills(_rows(answer))
        if request.seen is not None and any(
                row.ord_id != request.seen.venue_order for row in rows):
            raise DecodeError(f"fills of other orders than {request.seen.venue_order}")
        reports = [self._reports.fill(row) for row in rows]
        total = request.sum + sum(each.size for each in reports if isinstance(each, p.Traded))
        if len(rows) >= PAGE:
            if request.page >= PAGES_MAX:
                raise DecodeError(f"fills without an end: {request.page} pages")
            return Outcome(reports, (self._requests.more_fills(
                request, rows[-1].bill_id, total, asked_unix_ns),))
        if request.seen is None:
            return Outcome(reports, (self._requests.open_orders("survey", asked_unix_ns),))
        return Outcome([*reports, _after_fills(request.seen, total)])

    def _open(self, request: OpenAsked, answer: Answer, asked_unix_ns: int) -> Outcome:
        """Read a page of open orders: to be listed, or to be cancelled."""
        rows = _orders(_rows(answer))
        found = (*request.found, *(self._reports.open_order(row) for row in rows))
        requests: tuple[Request, ...] = ()
        reports: tuple[p.Report, ...] = ()
        if len(rows) >= PAGE:
            if request.page >= PAGES_MAX:
                raise DecodeError(f"open orders without an end: {request.page} pages")
            requests = (self._requests.open_orders(
                request.purpose, asked_unix_ns, after=rows[-1].ord_id, found=found,
                page=request.page + 1),)
        elif request.purpose == "survey":
            reports = (p.Listing(self.venue, found),)
        if request.purpose == "cancel_all":
            batches = self._requests.batches(
                [(row.cl_ord_id, row.ord_id, row.inst_id) for row in rows], asked_unix_ns)
            requests = (*batches, *requests)
        return Outcome(reports, requests)

    def _batch(self, request: Batch, answer: Answer, asked_unix_ns: int) -> Outcome:
        rows = _entries(_rows(answer, partly=True))
        if len(rows) != len(request.client_ids):
            raise DecodeError(f"{len(rows)} answers to {len(request.client_ids)} cancels")
        reports = [
            report for client_id, row in zip(request.client_ids, rows, strict=True)
            for report in self._row("cancel", client_id, [row], answer.status)]
        return Outcome(reports)


def _rows(answer: Answer, *, partly: bool = False) -> bytes:
    """Return the rows of a good answer; raise Failed for another, DecodeError for no answer.

    ``partly``: rows of an answer in which some or all failed are good too; each tells by itself.
    """
    if answer.status >= 500:
        raise Failed("", "no answer", answer.status)
    envelope = _envelope(answer.body)
    data = b"" if envelope.data is ABSENT else bytes(envelope.data)
    if envelope.code == "0" or (partly and envelope.code in ("1", "2")):
        return data
    raise Failed(envelope.code, envelope.msg, answer.status)


def _client_id(request_id: str, purpose: str) -> str:
    """Return whom the id of a request is about; empty if it is none of ours."""
    if purpose == "place" and request_id[:1] == "p":
        return request_id[1:]
    if purpose == "cancel" and request_id[:1] == "c":
        return request_id[1 + CANCEL_COUNT_DIGITS:]
    return ""


def _after_fills(seen: p.Seen, total: int) -> p.Seen:
    """Return what was seen; an order that is forgotten but for its fills had ended."""
    if seen.found != Found.ABSENT or not total:
        return seen
    return p.Seen(seen.venue, seen.client_id, seen.venue_order, int(Found.ENDED), "cancelled",
                  total, seen.asked_unix_ns)
