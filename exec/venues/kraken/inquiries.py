"""What became of one order: asked of all places where it could be, one after the other.

    QueryOrders ─ found ───────────────────────▶ QueryTrades, if it traded ─▶ Traded, Seen
        ╰─ Unknown order ─▶ OpenOrders ─ none ─▶ ClosedOrders ─ none ─▶ Seen absent
Open orders are asked before closed ones, so that an order that ends meanwhile is not missed.
Absence counts from when the first question left, and is looked for only after the order's own
deadline.  Trades that were reported are not asked for again; the others come before Seen: then
nothing is missing when the end is reported.  Source: shared/venues/kraken.md (Private), 2026-11-21.
"""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote

import msgspec

from engine.model.errors import DecodeError
from exec.core import ports as p
from exec.gateways.codec import Outcome, Request
from exec.records import Found
from exec.venues.kraken import wire
from exec.venues.kraken.refusals import Refusal
from exec.venues.kraken.rest import Rest, method_of
from exec.venues.kraken.rows import Rows

INQUIRIES_MAX: Final = 1_000  # under way; the oldest is forgotten and will be asked again
TRADES_PER_QUERY: Final = 20
UNKNOWN: Final = "Unknown order"
QUERY: Final = "query"


class _Inquiry(msgspec.Struct):
    client_id: str
    deadline_unix_ns: int  # of the order: before it, absence proves nothing
    asked_unix_ns: int = 0  # when its first question left
    seen: list[p.Seen] = []
    trades: list[str] = []  # not asked for yet


class Inquiries:
    """Questions under way; a request's ``id`` tells to which of them it belongs."""

    def __init__(self, venue: str, rest: Rest, rows: Rows) -> None:
        self._venue, self._rest, self._rows = venue, rest, rows
        self._inquiries: dict[str, _Inquiry] = {}
        self._last = 0

    def begin(
        self, client_id: str, venue_order: str, now_unix_ns: int, *, deadline_unix_ns: int = 0
    ) -> Request:
        """Return the first question about an order, by the venue's id where it is known."""
        self._last += 1
        number = f"q{self._last}"
        self._inquiries[number] = _Inquiry(client_id, deadline_unix_ns)
        if len(self._inquiries) > INQUIRIES_MAX:
            del self._inquiries[next(iter(self._inquiries))]
        name = f"txid={venue_order}" if venue_order else f"cl_ord_id={quote(client_id)}"
        return self._ask("QueryOrders", number, client_id, now_unix_ns,
                         f"{name}&trades=true&consolidate_taker=false")

    def _ask(
        self, method: str, number: str, client_id: str, now_unix_ns: int, fields: str
    ) -> Request:
        return self._rest.post(method, now_unix_ns, purpose=QUERY, client_id=client_id,
                               number=number, fields=fields)

    def answer(self, request: Request, result: msgspec.Raw, asked_unix_ns: int) -> Outcome:
        """Take an answer in; return what is asked next, or what is known by now."""
        inquiry = self._inquiries.get(request.id)
        if inquiry is None:
            return Outcome(reports=[p.Lost(self._venue, request.client_id, QUERY, "forgotten")])
        inquiry.asked_unix_ns = inquiry.asked_unix_ns or asked_unix_ns
        method = method_of(request)
        if method == "QueryTrades":
            rows = wire.parse(wire.trades, result)
            return self._next(request.id, inquiry, asked_unix_ns, self._rows.trades(rows))
        found = self._found(method, result, inquiry.client_id)
        if not found:
            return self._elsewhere(method, request.id, inquiry, asked_unix_ns)
        for venue_order, row in found.items():
            row.cl_ord_id = row.cl_ord_id or inquiry.client_id
            inquiry.seen.append(self._rows.seen(venue_order, row, inquiry.asked_unix_ns))
            if row.vol_exec and not row.trades and method != "QueryOrders":
                del self._inquiries[request.id]
                return Outcome(requests=[self.begin(  # lists name no trades
                    inquiry.client_id, venue_order, asked_unix_ns)])
            inquiry.trades.extend(self._rows.untold(venue_order, row))
        return self._next(request.id, inquiry, asked_unix_ns, [])

    @staticmethod
    def _found(
        method: str, result: msgspec.Raw, client_id: str
    ) -> Mapping[str, wire.OrderRow]:
        if method == "QueryOrders":
            return wire.parse(wire.orders, result)
        if method == "OpenOrders":
            rows = wire.parse(wire.open_orders, result).open
        elif method == "ClosedOrders":
            rows = wire.parse(wire.closed_orders, result).closed
        else:
            raise DecodeError(f"kraken: {method} is no question about an order")
        return {name: row for name, row in rows.items() if row.cl_ord_id == client_id}

    def refused(
        self, request: Request, refusal: Refusal, asked_unix_ns: int
    ) -> Sequence[Request] | None:
        """Return what is asked instead where an order is unknown; None for any other refusal."""
        inquiry = self._inquiries.get(request.id)
        if inquiry is None or method_of(request) != "QueryOrders" or UNKNOWN not in refusal.text:
            self._inquiries.pop(request.id, None)
            return None
        inquiry.asked_unix_ns = inquiry.asked_unix_ns or asked_unix_ns
        return self._elsewhere("QueryOrders", request.id, inquiry, asked_unix_ns).requests

    def _elsewhere(
        self, method: str, number: str, inquiry: _Inquiry, now_unix_ns: int
    ) -> Outcome:
        """Ask at the next place; say that the order is absent after the last."""
        following = {"QueryOrders": "OpenOrders", "OpenOrders": "ClosedOrders"}.get(method)
        if inquiry.asked_unix_ns <= inquiry.deadline_unix_ns:
            del self._inquiries[number]
            return Outcome()  # it may still arrive: asked again later
        if following is not None and inquiry.client_id:
            return Outcome(requests=[self._ask(
                following, number, inquiry.client_id, now_unix_ns,
                f"cl_ord_id={quote(inquiry.client_id)}&trades=true&consolidate_taker=false")])
        del self._inquiries[number]
        if following is not None:
            return Outcome()  # somebody else's, and gone
        return Outcome(reports=[p.Seen(
            self._venue, inquiry.client_id, "", Found.ABSENT, "", 0, inquiry.asked_unix_ns)])

    def _next(
        self, number: str, inquiry: _Inquiry, now_unix_ns: int, reports: list[p.Report]
    ) -> Outcome:
        """Ask for trades that are left; report what was seen after the last of them."""
        if inquiry.trades:
            some = inquiry.trades[:TRADES_PER_QUERY]
            del inquiry.trades[:TRADES_PER_QUERY]
            ask = self._ask("QueryTrades", number, inquiry.client_id, now_unix_ns,
                            "txid=" + "%2C".join(some))
            return Outcome(reports=reports, requests=[ask])
        del self._inquiries[number]
        return Outcome(reports=[*reports, *inquiry.seen])
