"""Coinbase Advanced Trade: orders by REST, the user channel over WebSocket.  No dead-man switch.

Source: shared/venues/coinbase.md, 2026-11-21.

    stream  totals grew ─▶ fills of the order ─▶ Traded..., Over
    query   the order by its id, else found by ours ─▶ its fills ─▶ Traded..., Seen
    survey  fills since ─▶ whose they are ─▶ Traded... ─▶ open orders ─▶ Listing; and accounts

Every message of a connection is numbered: one that is missing ends it (DecodeError).
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from engine.model.errors import DecodeError
from exec.core import ports as p
from exec.gateways.codec import USER, Answer, Codec, Listing, Outcome, Request
from exec.records import Found, Intended
from exec.signing.coinbase import CoinbaseSigner
from exec.venues.coinbase import codes, wire
from exec.venues.coinbase.progress import Progress
from exec.venues.coinbase.reports import Reports
from exec.venues.coinbase.requests import (
    HOST,
    OPEN,
    PAGES_MAX,
    ROOT,
    UNBORN,
    AccountsAsked,
    Batch,
    FillsAsked,
    NamesAsked,
    OpenAsked,
    OrderAsked,
    Requests,
    Scan,
)
from exec.venues.reading import NS_PER_MS, decoder, ns_of_ms

FOLLOWED: Final = ("heartbeats", "user")
LATE_MAX: Final = 50  # orders in one question for fills
_frame = decoder(wire.Frame)
_subscriptions = decoder(wire.Subscriptions)
_event = decoder(wire.UserEvent)
_placed = decoder(wire.Placed)
_cancelled = decoder(wire.Cancelled)
_order = decoder(wire.OneOrder)
_orders = decoder(wire.Orders)
_fills = decoder(wire.Fills)
_accounts = decoder(wire.Accounts)
_time = decoder(wire.Time)


class CoinbaseCodec(Codec):
    """One account at coinbase."""

    venue = "coinbase"
    user_path = "/"
    silence_s_max = 5.0  # heartbeats come every second
    time_path = f"{ROOT}time"
    rest_weight_per_s = 15.0  # of 30, which orders share
    rest_weight_burst = 30

    def __init__(
        self, signer: CoinbaseSigner, listings: Iterable[Listing], nonce: Callable[[], str], *,
        host: str = HOST,
    ) -> None:
        """``nonce`` gives each token a text never used before; ``host`` is what tokens name."""
        listings = tuple(listings)
        self._requests = Requests(signer, listings, nonce, host)
        self._reports = Reports(self.venue, listings)
        self._progress = Progress()
        self._next = 0  # number of the connection's next message
        self._answers: dict[type[Request], Callable[..., Outcome]] = {
            Batch: self._batch, OrderAsked: self._order, Scan: self._scan,
            OpenAsked: self._open, FillsAsked: self._fills, NamesAsked: self._named,
            AccountsAsked: self._balances}

    # --- requests ------------------------------------------------------------------------------

    def opening(self, channel: str, now_unix_ns: int) -> Sequence[Request]:
        """Subscribe heartbeats and orders, each with a token of its own."""
        if channel != USER:
            return ()
        self._next = 0
        return tuple(self._requests.subscribe(each, now_unix_ns) for each in FOLLOWED)

    def keep(self, now_unix_ns: int) -> Sequence[Request]:
        """Ask again for fills that the user channel told of and nobody knows yet."""
        late = self._progress.late(now_unix_ns, LATE_MAX)
        return (self._ask_fills(late, now_unix_ns),) if late else ()

    def place(self, order: Intended, now_unix_ns: int, *, rest: bool) -> Request:
        """Return an order; REST is all there is."""
        return self._requests.place(order, now_unix_ns)

    def cancel(
        self, order: Intended, venue_order: str, now_unix_ns: int, *, rest: bool
    ) -> Request:
        """Return a cancel; where the venue's id is unknown, the search for it, then the cancel."""
        if not venue_order:
            return self._requests.scan("cancel", order, "", now_unix_ns)
        return self._requests.cancels(
            "cancel", [(order.client_id, venue_order)], now_unix_ns)[0]

    def cancel_all(self, now_unix_ns: int) -> Sequence[Request]:
        """Ask for what is open or about to be; it is cancelled by hundreds."""
        return tuple(self._requests.open_orders("cancel_all", each, now_unix_ns)
                     for each in (OPEN, UNBORN))

    def query(self, order: Intended, venue_order: str, now_unix_ns: int) -> Sequence[Request]:
        """Ask for an order by its id, or look for it by ours; then for its fills."""
        if venue_order:
            return (self._requests.order(order, venue_order, now_unix_ns),)
        return (self._requests.scan("query", order, "", now_unix_ns),)

    def survey(self, since_unix_ns: int, now_unix_ns: int) -> Sequence[Request]:
        """Ask for balances and fills; open orders follow the last page of fills."""
        return (self._requests.accounts(now_unix_ns),
                self._requests.fills("survey", now_unix_ns, since_unix_ns=since_unix_ns))

    def clock(self, body: bytes) -> tuple[int, int]:
        """Return the venue's Unix time in an answer of ``time_path``, and its resolution, in ns."""
        return ns_of_ms(_time(body).ms), NS_PER_MS

    # --- WebSocket -----------------------------------------------------------------------------

    def frame(self, channel: str, text: bytes, now_unix_ns: int) -> Outcome:
        """Return what a text means; raise DecodeError for what cannot be one of the venue's."""
        frame = _frame(text)
        if frame.type == "error":
            return Outcome((p.Ready(self.venue, f"user channel: {frame.message[:120]}"),))
        if frame.sequence_num != self._next:
            raise DecodeError(f"message {frame.sequence_num}, {self._next} was due")
        self._next += 1
        if frame.channel == "user":
            return self._heard([_event(each) for each in frame.events], now_unix_ns)
        if frame.channel == "subscriptions":
            have = [_subscriptions(each).subscriptions for each in frame.events]
            return Outcome(live=(USER,) if any("user" in each for each in have) else ())
        if frame.channel != "heartbeats":
            raise DecodeError(f"channel {frame.channel!r}, which nobody asked for")
        return Outcome()

    def _heard(self, events: list[wire.UserEvent], now_unix_ns: int) -> Outcome:
        reports, grown = list[p.Report](), list[str]()
        for row in (row for event in events for row in event.orders):
            self._progress.name(row.order_id, row.client_order_id)
            here, filled, over = self._reports.told(row)
            if here is not None:
                reports.append(here)
            over, ask = self._progress.tell(row.order_id, filled, over, now_unix_ns)
            if over is not None:
                reports.append(over)
            if ask:
                grown.append(row.order_id)
        requests = [self._ask_fills(tuple(grown[start : start + LATE_MAX]), now_unix_ns)
                    for start in range(0, len(grown), LATE_MAX)]
        return Outcome(reports, requests)

    def _ask_fills(self, venue_orders: tuple[str, ...], now_unix_ns: int) -> FillsAsked:
        return self._requests.fills(
            "fills", now_unix_ns, orders=venue_orders, told=self._progress.told(venue_orders))

    # --- REST ----------------------------------------------------------------------------------

    def answer(self, request: Request, answer: Answer, asked_unix_ns: int) -> Outcome:
        """Return what an answer means; one that cannot be read leaves everything open."""
        read = self._answers.get(type(request), self._place)
        spent = codes.budget(self.venue, answer.headers)
        try:
            if not isinstance(request, OrderAsked) or answer.status != 404:
                codes.check(answer)
            outcome = read(request, answer, asked_unix_ns)
        except codes.Failed as failed:
            outcome = self._failed(request, failed)
        except DecodeError as error:
            outcome = self._failed(request, codes.Failed(
                "", f"unreadable: {error}", status=answer.status, proven=False))
        return Outcome((*outcome.reports, *spent), outcome.requests)

    def _failed(self, request: Request, failed: codes.Failed) -> Outcome:
        """Return what it means that a request brought nothing."""
        purpose, why = request.purpose, str(failed)
        wait = codes.wait(self.venue, failed)
        if isinstance(request, Batch):
            return Outcome([report for client_id, _ in request.orders
                            for report in codes.verdict(
                                self.venue, "cancel", client_id, failed)])
        if purpose == "place":
            return Outcome(codes.verdict(self.venue, purpose, request.client_id, failed))
        if purpose == "fills":
            return Outcome(wait)  # asked for again by ``keep``
        if purpose == "survey" and not isinstance(request, AccountsAsked):
            return Outcome((p.Listing(self.venue, (), why), *wait))
        return Outcome((p.Lost(self.venue, request.client_id, purpose, why), *wait))

    def _place(self, request: Request, answer: Answer, asked_unix_ns: int) -> Outcome:
        placed = _placed(answer.body)
        if not placed.success:
            raise codes.reason_of(placed.error_response)
        there = placed.success_response
        if there is None or there.client_order_id not in ("", request.client_id):
            raise DecodeError(f"{request.client_id} was taken, and nothing is said of it")
        self._progress.name(there.order_id, request.client_id)
        return Outcome((p.Accepted(self.venue, request.client_id, there.order_id),))

    def _batch(self, request: Batch, answer: Answer, asked_unix_ns: int) -> Outcome:
        """Read what became of cancels: one that was taken has not happened yet."""
        results = {each.order_id: each for each in _cancelled(answer.body).results}
        if results.keys() != {venue_order for _, venue_order in request.orders}:
            raise DecodeError("the answer to cancels is about other orders")
        return Outcome([
            report for client_id, venue_order in request.orders
            if not results[venue_order].success for report in codes.verdict(
                self.venue, "cancel", client_id, codes.cancel_reason(results[venue_order]))])

    # --- questions -----------------------------------------------------------------------------

    def _order(self, request: OrderAsked, answer: Answer, asked_unix_ns: int) -> Outcome:
        if answer.status == 404:
            return Outcome(requests=(self._requests.scan(
                "query", request.order, request.venue_order, asked_unix_ns),))
        row = _order(answer.body).order
        return self._found(row, request.client_id, asked_unix_ns)

    def _found(self, row: wire.Order, client_id: str, asked_unix_ns: int) -> Outcome:
        seen = self._reports.seen(row, client_id, asked_unix_ns)
        self._progress.name(row.order_id, client_id)
        return self._fills_then(seen, asked_unix_ns) if seen.filled else Outcome((seen,))

    def _fills_then(self, seen: p.Seen, asked_unix_ns: int) -> Outcome:
        return Outcome(requests=(self._requests.fills(
            "query", asked_unix_ns, orders=(seen.venue_order,), told=(seen.filled,),
            seen=seen),))

    def _scan(self, request: Scan, answer: Answer, asked_unix_ns: int) -> Outcome:
        """Look for an order by our id; it is absent where no page and no fill has it."""
        page = _orders(answer.body)
        for row in page.orders:
            if row.client_order_id != request.client_id:
                continue
            if request.purpose == "query":
                return self._found(row, request.client_id, asked_unix_ns)
            return Outcome(requests=self._requests.cancels(
                "cancel", [(request.client_id, row.order_id)], asked_unix_ns))
        if cursor := _cursor(page, request.page):
            return Outcome(requests=(self._requests.scan(
                request.purpose, request.order, request.venue_order, asked_unix_ns,
                cursor=cursor, page=request.page + 1),))
        if request.purpose == "cancel":
            return Outcome((p.CancelDenied(
                self.venue, request.client_id, "not_found", "no order has this client id"),))
        seen = p.Seen(self.venue, request.client_id, request.venue_order, int(Found.ABSENT), "",
                      0, asked_unix_ns)
        return self._fills_then(seen, asked_unix_ns) if request.venue_order else Outcome((seen,))

    def _open(self, request: OpenAsked, answer: Answer, asked_unix_ns: int) -> Outcome:
        """Read a page of open orders: to be listed, or to be cancelled."""
        page = _orders(answer.body)
        found = (*request.found, *(self._reports.open_order(row) for row in page.orders))
        requests: tuple[Request, ...] = ()
        if cursor := _cursor(page, request.page):
            requests = (self._requests.open_orders(
                request.purpose, request.query, asked_unix_ns, cursor=cursor, found=found,
                page=request.page + 1),)
        if request.purpose == "survey":
            return Outcome(() if requests else (p.Listing(self.venue, found),), requests)
        here = [(row.client_order_id, row.order_id) for row in page.orders]
        batches = self._requests.cancels("cancel_all", here, asked_unix_ns)
        return Outcome(requests=(*batches, *requests))

    def _fills(self, request: FillsAsked, answer: Answer, asked_unix_ns: int) -> Outcome:
        page = _fills(answer.body)
        rows = tuple(page.fills)
        if request.orders and any(row.order_id not in request.orders for row in rows):
            raise DecodeError("fills of other orders than were asked for")
        unknown = sorted({row.order_id for row in rows
                          if self._progress.name_of(row.order_id) is None})
        if unknown and request.seen is None:
            return Outcome(requests=(self._requests.names(
                request, rows, page.cursor, unknown, asked_unix_ns),))
        return self._book(request, rows, page.cursor, asked_unix_ns)

    def _named(self, request: NamesAsked, answer: Answer, asked_unix_ns: int) -> Outcome:
        """Learn whose fills are; one whose order nobody names is a stranger's."""
        for row in _orders(answer.body).orders:
            self._progress.name(row.order_id, row.client_order_id)
        return self._book(request.fills, request.rows, request.cursor, asked_unix_ns)

    def _book(
        self, request: FillsAsked, rows: tuple[wire.Fill, ...], cursor: str, asked_unix_ns: int
    ) -> Outcome:
        """Report a page of fills; after the last comes what they were asked for."""
        source = "stream" if request.purpose == "fills" else "query"
        client_id = request.client_id
        reports = [self._reports.traded(
            row, client_id or self._progress.name_of(row.order_id) or "", source) for row in rows]
        if cursor:
            if request.page >= PAGES_MAX:
                raise DecodeError(f"fills without an end: {request.page} pages")
            kept = (*request.rows, *rows) if request.orders else ()
            return Outcome(reports, (self._requests.more_fills(
                request, cursor, kept, asked_unix_ns),))
        if not request.orders:
            return Outcome(reports, (self._requests.open_orders("survey", OPEN, asked_unix_ns),))
        return self._known(request, reports, (*request.rows, *rows), asked_unix_ns)

    def _known(
        self, request: FillsAsked, reports: list[p.Report], rows: tuple[wire.Fill, ...],
        asked_unix_ns: int,
    ) -> Outcome:
        """Compare fills with what was told; tell the ends of orders whose fills are all known."""
        again = list[str]()
        sums = dict.fromkeys(request.orders, 0)
        for row in rows:
            sums[row.order_id] += self._reports.size(row)
        for venue_order, told in zip(request.orders, request.told, strict=True):
            over, more = self._progress.know(venue_order, sums[venue_order], told)
            if over is not None:
                reports.append(over)
            if more:
                again.append(venue_order)
        if request.seen is not None:
            reports.append(_after_fills(request.seen, sums[request.orders[0]]))
        requests = (self._ask_fills(tuple(again), asked_unix_ns),) if again else ()
        return Outcome(reports, requests)

    def _balances(self, request: AccountsAsked, answer: Answer, asked_unix_ns: int) -> Outcome:
        page = _accounts(answer.body)
        requests: tuple[Request, ...] = ()
        if cursor := _cursor(page, request.page):
            requests = (self._requests.accounts(
                asked_unix_ns, cursor=cursor, page=request.page + 1),)
        return Outcome(self._reports.balances(page.accounts), requests)


def _cursor(page: wire.Orders | wire.Accounts, number: int) -> str:
    """Return where the next page begins, empty after the last."""
    if not page.has_next:
        return ""
    if not page.cursor or number >= PAGES_MAX:
        raise DecodeError(f"page {number} has another after it, and no way there")
    return page.cursor


def _after_fills(seen: p.Seen, total: int) -> p.Seen:
    """Return what was seen; an order that is forgotten but for its fills had ended."""
    if seen.found != Found.ABSENT or not total:
        return seen
    return p.Seen(seen.venue, seen.client_id, seen.venue_order, int(Found.ENDED), "cancelled",
                  total, seen.asked_unix_ns)
