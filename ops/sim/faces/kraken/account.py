"""Rows of the account queries: orders, trades, ledger entries, as REST prints them.

Source: shared/venues/kraken.md and the samples it names, 2026-11-21.
"""

from typing import Any, Final

from ops.sim.exchange.events import Fill
from ops.sim.exchange.orders import BUY, Kind, Order, Status
from ops.sim.faces.kraken import ids, names
from ops.sim.faces.kraken.answers import WHYS
from ops.sim.faces.kraken.instruments import Instrument, balance_decimals, money
from ops.sim.faces.kraken.journal import Entry
from ops.sim.faces.kraken.tickets import Ticket
from ops.sim.faces.kraken.trading import describe

NOTHING: Final = "0.00000"
POSITION: Final = "TKH2SE-M7IF5-CFI7LT"  # what Kraken prints where there is no margin position
WORDS: Final = {BUY: "buy", -BUY: "sell"}
STATUSES: Final = {
    Status.OPEN: "open", Status.FILLED: "closed", Status.CANCELLED: "canceled",
    Status.EXPIRED: "canceled",
}


def seconds(unix_ns: int) -> float:
    """Return Unix seconds with Kraken's digits; a time, not money."""
    return unix_ns // 1000 / 1e6


def order_status(order: Order, ticket: Ticket) -> str:
    """Return the status of an order: expired is only what had a date."""
    return "expired" if ticket.lapsed else STATUSES[order.status]


def order_reason(order: Order, ticket: Ticket) -> str | None:
    """Return why an order ended, None if it was filled."""
    if order.why is None:
        return None
    return "Order expired" if ticket.lapsed else WHYS[order.why]


def order_row(
    order: Order, ticket: Ticket, instrument: Instrument, *, trades: bool
) -> dict[str, Any]:
    """Return one order of OpenOrders, ClosedOrders or QueryOrders."""
    limit, open_now = order.kind is Kind.LIMIT, order.status is Status.OPEN
    flags = [ticket.fee_preference] + ["post"] * order.post_only + ["viqc"] * bool(ticket.cash)
    row: dict[str, Any] = {"refid": None, "userref": None if order.client_id else ticket.userref}
    if order.client_id:
        row["cl_ord_id"] = order.client_id
    row["status"] = order_status(order, ticket)
    if not open_now:
        row["reason"] = order_reason(order, ticket)
    row["opentm"] = seconds(order.created_ns)
    if not open_now:
        row["closetm"] = seconds(order.updated_ns)
    row |= {
        "starttm": 0, "expiretm": ticket.expires_ns // 10**9,
        "descr": {
            "pair": instrument.altname, "type": WORDS[order.side], "ordertype": order.kind.value,
            "price": instrument.price(order.price) if limit else "0", "price2": "0",
            "leverage": "none",
            "order": describe(instrument, order.side, order.kind, order.size, order.price),
            "close": "",
        },
        "vol": instrument.size(order.size), "vol_exec": instrument.size(order.filled),
        "cost": money(order.value), "fee": money(ticket.fee),
        "price": instrument.long_price(instrument.average(order.value, order.filled)),
        "stopprice": NOTHING, "limitprice": NOTHING, "misc": "amended" if ticket.amended else "",
        "oflags": ",".join(flags),
    }
    if trades and ticket.trades:
        row["trades"] = ticket.trades
    return row


def trade_row(
    fills: list[Fill], instrument: Instrument, kind: Kind, *, ledgers: bool
) -> dict[str, Any]:
    """Return one trade of TradesHistory or QueryTrades: a fill, or those of one taker order."""
    first, value = fills[0], sum(fill.value for fill in fills)
    size = sum(fill.size for fill in fills)
    row = {
        "ordertxid": ids.order_id(first.order_id), "postxid": POSITION, "pair": instrument.key,
        "time": seconds(first.now_ns), "type": WORDS[first.side], "ordertype": kind.value,
        "price": instrument.long_price(instrument.average(value, size)), "cost": money(value),
        "fee": money(sum(fill.fee for fill in fills)), "vol": instrument.size(size),
        "margin": NOTHING, "leverage": "0", "misc": "", "trade_id": first.trade_id,
        "maker": not first.taker,
    }
    if ledgers:
        row["ledgers"] = [
            ids.ledger_id(fill.trade_id, leg, taker=fill.taker)
            for fill in fills for leg in (0, 1)]
    return row


def ledger_row(entry: Entry) -> dict[str, Any]:
    """Return one entry of Ledgers."""
    least = balance_decimals(entry.asset)
    return {
        "refid": entry.ref, "time": seconds(entry.at_ns), "type": entry.kind, "subtype": "",
        "aclass": "currency", "asset": names.code(entry.asset),
        "amount": money(entry.amount, least), "fee": money(entry.fee, least),
        "balance": money(entry.balance, least),
    }
