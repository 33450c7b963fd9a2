"""Orders and fills of the past, and pages of them.

Source: shared/venues/coinbase.md "Orders (Advanced REST)" and quirks, 2026-11-21: array parameters
are plural and repeated, a singular ``product_id`` is ignored, OPEN is not mixed with other
statuses.  Newest first; a cursor is the last row's id.
"""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, Final, TypeVar

from ops.sim.exchange.events import Fill
from ops.sim.exchange.orders import Kind, Order
from ops.sim.face import Answer, Query, count, to_json
from ops.sim.faces.coinbase.entry import time_of
from ops.sim.faces.coinbase.names import number_of, uuid_of
from ops.sim.faces.coinbase.reasons import invalid, refused
from ops.sim.faces.coinbase.rows import fill_row, order_row, side_text
from ops.sim.faces.coinbase.tickets import Tickets, status_of, time_in_force
from ops.sim.floor import Floor

ORDERS_MAX: Final = 1_000  # in one page
FILLS_MAX: Final = 3_000
FILLS_PAGE: Final = 100  # unless asked for
STATUSES: Final = {
    "PENDING", "OPEN", "FILLED", "CANCELLED", "EXPIRED", "FAILED", "UNKNOWN_ORDER_STATUS",
    "QUEUED", "CANCEL_QUEUED", "EDIT_QUEUED"}
_T = TypeVar("_T")


class History:
    """What an account ordered and traded."""

    def __init__(self, floor: Floor, tickets: Tickets) -> None:
        self._floor, self._tickets = floor, tickets

    def order(self, account: str, name: str) -> Answer:
        """Tell of one order."""
        number = number_of(name)
        order = self._floor.exchange.order(account, order_id=number) if number else None
        if order is None:
            return refused("unknown", "order with this orderID was not found", 404)
        return to_json({"order": self._row(order)})

    def orders(self, account: str, query: Query) -> Answer:
        """Tell of all orders that pass the filters."""
        limit = count(query.get("limit"), default=ORDERS_MAX, most=ORDERS_MAX)
        statuses = _list(query, "order_status")
        span = _span(query, "start_date", "end_date")
        if limit is None:
            return invalid(f"limit must be a number within 1..{ORDERS_MAX}")
        if span is None:
            return invalid("start_date and end_date must be RFC 3339 times")
        if unknown := statuses - STATUSES:
            return invalid(f"order_status {min(unknown)} does not exist")
        if "OPEN" in statuses and len(statuses) > 1:
            return invalid("Cannot query OPEN orders with additional order_status")
        before = self._cursor(query)
        if before is None:
            return invalid("invalid cursor")
        wanted = self._filter(query, statuses, span)
        newest = reversed(self._floor.exchange.orders(account))
        page, more = _page(
            (order for order in newest if (not before or order.id < before) and wanted(order)),
            limit)
        return to_json({
            "orders": [self._row(order) for order in page], "sequence": "0", "has_next": more,
            "cursor": uuid_of(page[-1].id) if more else ""})

    def fills(self, account: str, query: Query) -> Answer:
        """Tell of all fills that pass the filters."""
        limit = count(query.get("limit"), default=FILLS_PAGE, most=FILLS_MAX)
        span = _span(query, "start_sequence_timestamp", "end_sequence_timestamp")
        before = _entry_cursor(query)
        if limit is None or span is None or before is None:
            return invalid("limit, cursor or times are malformed")
        orders, trades = _numbers(query, "order_ids"), _numbers(query, "trade_ids")
        products = _list(query, "product_ids")
        page, more = _page(
            (fill for fill in reversed(self._floor.exchange.fills_since(account))
             if (not before[0] or (fill.trade_id, fill.order_id) < before)
             and span[0] <= fill.now_ns < span[1]
             and (orders is None or fill.order_id in orders)
             and (trades is None or fill.trade_id in trades)
             and (not products or fill.symbol in products)),
            limit)
        cursor = f"{uuid_of(page[-1].trade_id)},{uuid_of(page[-1].order_id)}" if more else ""
        return to_json({"fills": [self._fill(fill) for fill in page], "cursor": cursor})

    def _row(self, order: Order) -> dict[str, Any]:
        symbol = self._floor.exchange.listed[order.symbol].symbol
        return order_row(order, self._tickets.of(order), symbol)

    def _fill(self, fill: Fill) -> dict[str, Any]:
        exchange = self._floor.exchange
        order = exchange.order(fill.account, order_id=fill.order_id)
        in_quote = order is not None and self._tickets.of(order).in_quote
        return fill_row(fill, exchange.listed[fill.symbol].symbol, in_quote=in_quote)

    @staticmethod
    def _cursor(query: Query) -> int | None:
        text = query.get("cursor", "")
        return (number_of(text) or None) if text else 0

    def _filter(
        self, query: Query, statuses: set[str], span: tuple[int, int]
    ) -> Callable[[Order], bool]:
        ids, products = _numbers(query, "order_ids"), _list(query, "product_ids")
        lasts, types = _list(query, "time_in_forces"), _list(query, "order_types")
        side, assets = query.get("order_side", ""), _list(query, "asset_filters")
        spot = query.get("product_type", "SPOT") in ("SPOT", "UNKNOWN_PRODUCT_TYPE")

        def wanted(order: Order) -> bool:
            ticket = self._tickets.of(order)
            symbol = self._floor.exchange.listed[order.symbol].symbol
            return (
                spot
                and (ids is None or order.id in ids)
                and (not products or order.symbol in products)
                and (not statuses or status_of(order, ticket) in statuses)
                and (not lasts or time_in_force(order, ticket) in lasts)
                and (not types or ("MARKET" if order.kind is Kind.MARKET else "LIMIT") in types)
                and side in ("", side_text(order.side), "UNKNOWN_ORDER_SIDE")
                and (not assets or bool({symbol.base, symbol.quote} & assets))
                and span[0] <= order.created_ns < span[1]
            )
        return wanted


def _page(rows: Iterable[_T], limit: int) -> tuple[list[_T], bool]:
    """Return the first ``limit`` rows, and whether there are more."""
    page = list(islice(rows, limit + 1))
    return page[:limit], len(page) > limit


def _list(query: Query, name: str) -> set[str]:
    return {each for each in query.get(name, "").split(",") if each}


def _numbers(query: Query, name: str) -> set[int] | None:
    """Return the numbers behind a list of UUIDs, None if the filter is not used."""
    names = _list(query, name)
    return {number_of(each) for each in names} if names else None


def _span(query: Query, first: str, last: str) -> tuple[int, int] | None:
    """Return the begin (included) and end (excluded) of a time filter, Unix ns."""
    begin = time_of(query[first]) if query.get(first) else 0
    end = time_of(query[last]) if query.get(last) else 1 << 63
    return None if begin is None or end is None else (begin, end)


def _entry_cursor(query: Query) -> tuple[int, int] | None:
    """Return the trade and the order that a page of fills goes on before; zeros: the newest."""
    text = query.get("cursor", "")
    if not text:
        return 0, 0
    trade, _, order = text.partition(",")
    return (number_of(trade), number_of(order)) if number_of(trade) else None
