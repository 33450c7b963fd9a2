"""What became of an account's orders: one order, the open ones, those of before, and the fills.

Source: shared/venues/okx.md, Private, 2026-11-21.  Newest first, a hundred at most; ``after``
means older than an id, ``before`` newer.  An order cancelled unfilled is remembered for 2 hours.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, NamedTuple

from ops.sim.exchange.events import Fill
from ops.sim.exchange.exchange import Exchange
from ops.sim.exchange.orders import Order, Status
from ops.sim.face import Answer, Query, count
from ops.sim.faces.okx.catalogue import KINDS
from ops.sim.faces.okx.errors import Failure, answer, empty, failure, refusal_of, wrong
from ops.sim.faces.okx.requests import TIFS, read_ids
from ops.sim.faces.okx.rows import MS, Rows, bill_id
from ops.sim.faces.okx.tickets import Tickets, state
from ops.sim.floor import Floor

PAGE: Final = 100
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
EMPTY_KEPT_MS: Final = 2 * HOUR_MS
AGES_MS: Final = {
    "trade/orders-history": 7 * DAY_MS, "trade/orders-history-archive": 90 * DAY_MS,
    "trade/fills": 3 * DAY_MS, "trade/fills-history": 90 * DAY_MS,
}
STATES: Final = ("live", "partially_filled", "filled", "canceled", "mmp_canceled")
NUMBERS: Final = ("after", "before", "begin", "end")


class Page(NamedTuple):
    """Which rows a question is about; 0 and empty for no bound."""

    kind: str
    native: str
    after: int
    before: int
    begin: int
    end: int
    limit: int

    def holds(self, number: int, at_ms: int) -> bool:
        """Return whether a row with this id and time belongs."""
        return (number > self.before and not (self.after and number >= self.after)
                and at_ms >= self.begin and not (self.end and at_ms > self.end))


class History:
    """Answers to questions about orders and fills."""

    def __init__(self, floor: Floor, rows: Rows, tickets: Tickets) -> None:
        self._floor, self._rows, self._tickets = floor, rows, tickets
        self._exchange: Exchange = floor.exchange

    def answer(self, verb: str, query: Query, account: str) -> Answer:
        """Answer one request; ``verb`` is the path below /api/v5/."""
        if verb == "trade/order":
            return self._one(query, account)
        page = read_page(query, kind_needed=verb not in ("trade/orders-pending", "trade/fills"))
        if isinstance(page, Failure):
            return refusal_of(page)
        if page.kind not in ("", "SPOT", "MARGIN") and self._floor.venue == "okx-us":
            return refusal_of(failure("51155"))
        if page.kind not in ("", "SPOT"):
            return answer([])
        if verb in ("trade/fills", "trade/fills-history"):
            return self._fills(verb, page, query, account)
        for name, known in (("ordType", TIFS), ("state", STATES)):
            if not set(_words(query, name)) <= set(known):
                return refusal_of(wrong(name))
        orders: Iterable[Order] = (
            reversed(self._exchange.open_orders(account, page.native))
            if verb == "trade/orders-pending" else self._ended(verb, page, account))
        wanted = (order for order in orders if self._matches(order, page, query))
        return answer([self._rows.queried(order) for order in islice(wanted, page.limit)])

    def _one(self, query: Query, account: str) -> Answer:
        native = query.get("instId", "")
        if not native:
            return refusal_of(empty("instId"))
        if native not in self._exchange.listed:
            return refusal_of(failure("51001"))
        ids = read_ids(dict(query))
        if isinstance(ids, Failure):
            return refusal_of(ids)
        order = self._exchange.order(account, order_id=ids[0], client_id=ids[1])
        if order is None or order.symbol != native:
            return refusal_of(failure("51603"))
        return answer([self._rows.queried(order)])

    def _ended(self, verb: str, page: Page, account: str) -> Iterator[Order]:
        """Yield what is no longer open and not too old; the archive has nothing unfilled."""
        now_ms, archive = self._floor.now_ns() // MS, verb == "trade/orders-history-archive"
        for order in reversed(self._exchange.orders(account, page.native)):
            age_ms = now_ms - order.updated_ns // MS
            kept_ms = AGES_MS[verb] if order.filled else 0 if archive else EMPTY_KEPT_MS
            if order.status is not Status.OPEN and age_ms < kept_ms:
                yield order

    def _matches(self, order: Order, page: Page, query: Query) -> bool:
        ticket = self._tickets.of(order)
        types, states = _words(query, "ordType"), _words(query, "state")
        return (page.holds(order.id, order.created_ns // MS)
                and (not types or ticket.order_type in types)
                and (not states or state(order, ticket) in states))

    def _fills(self, verb: str, page: Page, query: Query, account: str) -> Answer:
        oldest_ms = self._floor.now_ns() // MS - AGES_MS[verb]
        order_id = query.get("ordId", "")

        def wanted(fill: Fill) -> bool:
            at_ms = fill.now_ns // MS
            return (at_ms > oldest_ms and page.holds(bill_id(fill), at_ms)
                    and order_id in ("", str(fill.order_id)))

        fills = self._exchange.fills_since(account, 0, page.native)
        chosen = (fill for fill in reversed(fills) if wanted(fill))
        return answer([self._rows.fill(fill) for fill in islice(chosen, page.limit)])


def read_page(query: Query, *, kind_needed: bool) -> Page | Failure:
    """Read which rows a question is about."""
    kind = query.get("instType", "")
    if kind_needed and not kind:
        return empty("instType")
    if kind and kind not in KINDS:
        return wrong("instType")
    limit = count(query.get("limit") or None, default=PAGE, most=10**9)
    if limit is None:
        return wrong("limit")
    bounds = [query.get(name, "") for name in NUMBERS]
    for name, given in zip(NUMBERS, bounds, strict=True):
        if given and not (given.isascii() and given.isdigit() and len(given) <= PAGE):
            return wrong(name)
    after, before, begin, end = (int(given or 0) for given in bounds)
    native = query.get("instId", "")
    return Page(kind, native, after, before, begin, end, min(limit, PAGE))


def _words(query: Query, name: str) -> list[str]:
    return [each for each in query.get(name, "").split(",") if each]
