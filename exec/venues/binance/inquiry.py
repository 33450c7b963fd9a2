"""Asking Binance by REST: what became of an order, and what the account is and did.

One order: GET order; where it was filled, its trades, then what was found.  "Does not exist"
(-2013) is not believed alone: the open orders of its symbol and all orders since its birth are
asked too, and only then is it absent, as of when the first question left.  Asked before the
order's own deadline it means nothing, and nothing is reported.

Trades name the venue's order only; the client ids of orders that this codec has not met are asked
for before they are reported, as the core stops for a trade of an order that it does not know.
Source: shared/venues/binance.md (Private), 2026-11-21; RELIABILITY, fact 8.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from exec.core import ports as p
from exec.gateways.codec import Answer, Outcome, Request
from exec.records import Found, Intended
from exec.venues.binance import questions as q
from exec.venues.binance import rows
from exec.venues.binance.numbers import MS_NS, read
from exec.venues.binance.refusals import ORDER_ABSENT, ORDER_ARCHIVED, Failure
from exec.venues.binance.reports import Reports
from exec.venues.binance.wire import Wire

ROWS_MAX: Final = 1000  # of a page
BIRTH_MS: Final = 120_000  # how long before its deadline an order may have been born, and clocks


class Shape(NamedTuple):
    """Where one market has what, and what it costs."""

    root: str
    trades: str
    read_trades: Callable[[bytes], Sequence[rows.Trade]]
    span_ms: int  # the longest time that trades can be asked for
    weights: dict[str, int]


class Inquiry:
    """Writes questions and understands their answers."""

    def __init__(self, wire: Wire, reports: Reports, shape: Shape) -> None:
        self._wire, self._reports, self._shape = wire, reports, shape
        self._natives = {each.symbol: each.native for each in reports.listings.values()}

    # --- one order -----------------------------------------------------------------------------

    def query(self, order: Intended, venue_order: str, now_unix_ns: int) -> Request:
        """Ask what became of an order, by the venue's id where it is known."""
        by = (f"&orderId={int(venue_order)}" if venue_order
              else f"&origClientOrderId={quote(order.client_id, safe='')}")
        return self._get(q.Fate, "order", self._of(order) + by, now_unix_ns, "query",
                         client_id=order.client_id, order=order)

    def fate(
        self, asked: q.Fate, answer: Answer, failure: Failure | None, asked_unix_ns: int
    ) -> Outcome:
        """Understand it."""
        name = asked.order.client_id
        if failure is None:
            row = read(rows.ORDER, answer.body)
            seen = self._reports.seen(row, name, asked_unix_ns)
            if not seen.filled:
                return Outcome(reports=[seen])
            return Outcome(requests=[self._fills(asked.order, seen, row.order, 0, asked_unix_ns)])
        if failure.code == ORDER_ARCHIVED:
            return Outcome(reports=[p.Seen(
                self._reports.venue, name, "", Found.ENDED, "expired", 0, asked_unix_ns)])
        if failure.code != ORDER_ABSENT:
            return self.lost(asked, failure)
        if asked_unix_ns <= asked.order.deadline_unix_ns:
            return Outcome()
        return Outcome(requests=[self._get(
            q.StillOpen, "openOrders", self._of(asked.order), asked_unix_ns, "query",
            client_id=name, order=asked.order, first_asked_ns=asked_unix_ns)])

    def still_open(
        self, asked: q.StillOpen, answer: Answer, failure: Failure | None, asked_unix_ns: int
    ) -> Outcome:
        """Understand the second question about an order that was not found."""
        if failure is not None:
            return self.lost(asked, failure)
        page = read(rows.ORDERS, answer.body)
        found = self._pick(asked.order, page, asked_unix_ns)
        if found is not None:
            return found
        start_ms = max(0, asked.order.deadline_unix_ns // MS_NS - BIRTH_MS)
        return Outcome(requests=[self._among(asked, f"&startTime={start_ms}", asked_unix_ns)])

    def among(
        self, asked: q.Among, answer: Answer, failure: Failure | None, asked_unix_ns: int
    ) -> Outcome:
        """Understand the third; a full page has another behind it."""
        if failure is not None:
            return self.lost(asked, failure)
        page = read(rows.ORDERS, answer.body)
        found = self._pick(asked.order, page, asked_unix_ns)
        if found is not None:
            return found
        if len(page) >= ROWS_MAX:
            after = f"&orderId={max(row.order for row in page) + 1}"
            return Outcome(requests=[self._among(asked, after, asked_unix_ns)])
        return Outcome(reports=[
            self._reports.absent(asked.order.client_id, asked.first_asked_ns)])

    def _among(
        self, asked: q.StillOpen | q.Among, start: str, now_unix_ns: int
    ) -> Request:
        fields = f"{self._of(asked.order)}{start}&limit={ROWS_MAX}"
        return self._get(q.Among, "allOrders", fields, now_unix_ns, "query",
                         client_id=asked.client_id, order=asked.order,
                         first_asked_ns=asked.first_asked_ns)

    def _pick(
        self, order: Intended, page: Sequence[rows.Order], asked_unix_ns: int
    ) -> Outcome | None:
        """Return what a page says of an order, None where it is not in it."""
        for row in page:
            if row.client_id == order.client_id and row.symbol == self._natives[order.symbol]:
                seen = self._reports.seen(row, order.client_id, asked_unix_ns)
                if not seen.filled:
                    return Outcome(reports=[seen])
                return Outcome(requests=[self._fills(order, seen, row.order, 0, asked_unix_ns)])
        return None

    def _fills(
        self, order: Intended, seen: p.Seen, venue_order: int, after: int, now_unix_ns: int
    ) -> Request:
        page = f"&fromId={after}" if after else ""
        fields = f"{self._of(order)}&orderId={venue_order}{page}&limit={ROWS_MAX}"
        return self._get(
            q.FillsOf, self._shape.trades, fields, now_unix_ns, "query", weigh="trades of one",
            client_id=order.client_id, order=order, seen=seen, venue_order=venue_order)

    def fills(
        self, asked: q.FillsOf, answer: Answer, failure: Failure | None, asked_unix_ns: int
    ) -> Outcome:
        """Understand an order's trades; what was found of it comes after the last of them."""
        if failure is not None:
            return self.lost(asked, failure)
        page = self._shape.read_trades(answer.body)
        reports: list[p.Report] = [
            self._reports.trade(row, asked.client_id) for row in page
            if row.order == asked.venue_order]
        if len(page) >= ROWS_MAX:
            after = max(row.trade for row in page) + 1
            return Outcome(reports=reports, requests=[
                self._fills(asked.order, asked.seen, asked.venue_order, after, asked_unix_ns)])
        return Outcome(reports=[*reports, asked.seen])

    # --- the account ---------------------------------------------------------------------------

    def open_orders(self, now_unix_ns: int) -> Request:
        """Ask for all open orders of the account, of whatever symbol."""
        return self._get(q.OpenOrders, "openOrders", "", now_unix_ns, "survey",
                         weigh="openOrders of all")

    def listing(self, answer: Answer, failure: Failure | None) -> Outcome:
        """Understand them."""
        if failure is not None:
            return Outcome(reports=[p.Listing(self._reports.venue, (), failure.words)])
        found = read(rows.ORDERS, answer.body)
        return Outcome(reports=[self._reports.open_orders(found)])

    def trades_since(self, since_unix_ns: int, now_unix_ns: int) -> list[Request]:
        """Ask for the fills of every symbol, from a time on."""
        return [self._trades(native, since_unix_ns // MS_NS, now_unix_ns)
                for native in self._reports.listings]

    def _trades(
        self, native: str, start_ms: int, now_unix_ns: int, end_ms: int = 0, *, last: bool = False
    ) -> Request:
        end_ms = end_ms or start_ms + self._shape.span_ms - 1
        fields = (f"&symbol={quote(native, safe='')}&startTime={start_ms}&endTime={end_ms}"
                  f"&limit={ROWS_MAX}")
        return self._get(q.Trades, self._shape.trades, fields, now_unix_ns, "survey",
                         native=native, start_ms=start_ms, end_ms=end_ms, last=last)

    def trades(
        self, asked: q.Trades, answer: Answer, failure: Failure | None, asked_unix_ns: int
    ) -> Outcome:
        """Understand a symbol's fills.

        A full page may have left out the oldest or the newest, so its time is asked for again in
        halves; the pages do not say which.
        """
        if failure is not None:
            return self.lost(asked, failure)
        page = self._shape.read_trades(answer.body)
        native, start_ms, end_ms = asked.native, asked.start_ms, asked.end_ms
        following: list[Request] = []
        if not asked.last and end_ms < asked_unix_ns // MS_NS:
            following.append(self._trades(native, end_ms + 1, asked_unix_ns))
        if len(page) < ROWS_MAX:
            named = self._named(native, page, 0, asked_unix_ns)
            return Outcome(reports=named.reports, requests=[*named.requests, *following])
        if start_ms == end_ms:
            why = f"over {ROWS_MAX} fills of {native} in one ms"
            return Outcome(reports=[p.Lost(self._reports.venue, "", "survey", why)])
        middle_ms = (start_ms + min(end_ms, max(start_ms + 1, asked_unix_ns // MS_NS))) // 2
        halves = [
            self._trades(native, start_ms, asked_unix_ns, middle_ms, last=True),
            self._trades(native, middle_ms + 1, asked_unix_ns, end_ms, last=True)]
        return Outcome(requests=[*halves, *following])

    def names(
        self, asked: q.NamesOf, answer: Answer, failure: Failure | None, asked_unix_ns: int
    ) -> Outcome:
        """Understand which orders the trades were of; report those whose order is found nowhere."""
        if failure is not None:
            return self.lost(asked, failure)
        page = read(rows.ORDERS, answer.body)
        for row in page:
            if row.symbol == asked.native:
                self._reports.name(row.symbol, row.order, row.client_id)
        after = max(row.order for row in page) + 1 if len(page) >= ROWS_MAX else -1
        return self._named(asked.native, asked.trades, after, asked_unix_ns)

    def _named(
        self, native: str, trades: Sequence[rows.Trade], after: int, now_unix_ns: int
    ) -> Outcome:
        """Report trades whose orders have names; ask for the others, but for -1 report them too."""
        for row in trades:
            self._reports.check(row, native)
        names = self._reports.names
        reports = [self._reports.trade(row, names[native, row.order]) for row in trades
                   if (native, row.order) in names]
        unknown = tuple(row for row in trades if (native, row.order) not in names)
        lowest = max(after, min((row.order for row in unknown), default=0))
        if not unknown:
            return Outcome(reports=reports)
        if after < 0:
            return Outcome(reports=[
                *reports, *(self._reports.trade(row, "") for row in unknown)])
        fields = f"&symbol={quote(native, safe='')}&orderId={lowest}&limit={ROWS_MAX}"
        return Outcome(reports=reports, requests=[self._get(
            q.NamesOf, "allOrders", fields, now_unix_ns, "survey", native=native,
            trades=unknown)])

    # --- parts ---------------------------------------------------------------------------------

    def lost(self, asked: Request, failure: Failure) -> Outcome:
        """Report a question that was not answered."""
        return Outcome(reports=[p.Lost(
            self._reports.venue, asked.client_id, asked.purpose, failure.words)])

    def _of(self, order: Intended) -> str:
        return f"&symbol={quote(self._natives[order.symbol], safe='')}"

    def _get(
        self, kind: type[Request], name: str, fields: str, now_unix_ns: int, purpose: str, *,
        weigh: str = "", **more: Any,
    ) -> Request:
        return self._wire.rest(
            kind, "GET", f"{self._shape.root}/{name}", fields, now_unix_ns, purpose=purpose,
            weight=self._shape.weights[weigh or name], **more)
