"""Orders and fills as Coinbase writes them: REST rows and rows of the user channel.

Source: shared/venues/coinbase.md "Private", 2026-11-21, and the samples it names (ccxt, JKorf,
Nautilus).  All numbers are text; only totals are told of an order, and a finished one has no
``leaves_quantity``.
"""

from typing import Any, Final

from engine.model.quanta import from_quanta, plain
from ops.sim.exchange.events import Fill
from ops.sim.exchange.orders import BUY, Kind, Order, Status
from ops.sim.exchange.symbols import Symbol
from ops.sim.face import iso
from ops.sim.faces.coinbase.names import uuid_named, uuid_of
from ops.sim.faces.coinbase.reasons import ending
from ops.sim.faces.coinbase.tickets import Ticket, status_of, time_in_force
from ops.sim.rules import MONEY_DECIMALS
from ops.sim.truth import money

RATIO_DECIMALS: Final = 16  # of averages and percentages
NEVER: Final = "0001-01-01T00:00:00Z"


def price_text(symbol: Symbol, price: int) -> str:
    """Write a price."""
    return plain(from_quanta(price, symbol.price_decimals))


def size_text(symbol: Symbol, size: int) -> str:
    """Write a size."""
    return plain(from_quanta(size, symbol.size_decimals))


def side_text(side: int) -> str:
    """Write a side."""
    return "BUY" if side == BUY else "SELL"


def ratio(numerator: int, denominator: int) -> str:
    """Write a quotient, rounded down; 0 of nothing."""
    scaled = numerator * 10**RATIO_DECIMALS // denominator if denominator else 0
    return plain(from_quanta(scaled, RATIO_DECIMALS))


def average(value: int, size: int, symbol: Symbol) -> str:
    """Write the average price of ``size`` that was worth ``value``."""
    return ratio(value * 10**symbol.size_decimals, size * 10**MONEY_DECIMALS)


def order_row(order: Order, ticket: Ticket, symbol: Symbol) -> dict[str, Any]:
    """Write an order as REST does."""
    return {
        "order_id": uuid_of(order.id),
        "product_id": order.symbol,
        "user_id": uuid_named("user", order.account),
        "order_configuration": ticket.configuration,
        "side": side_text(order.side),
        "client_order_id": order.client_id,
        "status": status_of(order, ticket),
        "time_in_force": time_in_force(order, ticket),
        "created_time": iso(order.created_ns),
        "completion_percentage": ratio(100 * order.filled, order.size),
        "filled_size": size_text(symbol, order.filled),
        "average_filled_price": average(order.value, order.filled, symbol),
        "fee": "",
        "number_of_fills": str(ticket.fills),
        "filled_value": money(order.value),
        "pending_cancel": False,
        "size_in_quote": ticket.in_quote,
        "total_fees": money(ticket.fees),
        "size_inclusive_of_fees": ticket.in_quote,
        "total_value_after_fees": _after_fees(order, ticket),
        "trigger_status": "INVALID_ORDER_TYPE",
        "order_type": "MARKET" if order.kind is Kind.MARKET else "LIMIT",
        "reject_reason": "REJECT_REASON_UNSPECIFIED",
        "settled": order.status is Status.FILLED,
        "product_type": "SPOT",
        "reject_message": "",
        "cancel_message": ending(order),
        "order_placement_source": "RETAIL_ADVANCED",
        "outstanding_hold_amount": money(order.reserved),
        "is_liquidation": False,
        "last_fill_time": iso(ticket.last_fill_ns) if ticket.last_fill_ns else None,
        "edit_history": ticket.edits,
        "leverage": "",
        "margin_type": "UNKNOWN_MARGIN_TYPE",
        "retail_portfolio_id": uuid_named("portfolio", order.account),
        "originating_order_id": "",
        "attached_order_id": "",
        "attached_order_configuration": None,
    }


def user_row(order: Order, ticket: Ticket, symbol: Symbol, status: str = "") -> dict[str, Any]:
    """Write an order as the user channel does; ``status`` where it is not the order's own."""
    limit = order.kind is Kind.LIMIT
    return {
        "avg_price": average(order.value, order.filled, symbol),
        "cancel_reason": ending(order),
        "client_order_id": order.client_id,
        "completion_percentage": ratio(100 * order.filled, order.size),
        "contract_expiry_type": "UNKNOWN_CONTRACT_EXPIRY_TYPE",
        "cumulative_quantity": size_text(symbol, order.filled),
        "filled_value": money(order.value),
        "leaves_quantity": size_text(
            symbol, order.remaining if order.status is Status.OPEN else 0),
        "limit_price": price_text(symbol, order.price) if limit else "0",
        "number_of_fills": str(ticket.fills),
        "order_id": uuid_of(order.id),
        "order_side": side_text(order.side),
        "order_type": "Limit" if limit else "Market",
        "outstanding_hold_amount": money(order.reserved),
        "post_only": "true" if order.post_only else "false",
        "product_id": order.symbol,
        "product_type": "SPOT",
        "reject_reason": "",
        "retail_portfolio_id": uuid_named("portfolio", order.account),
        "risk_managed_by": "UNKNOWN_RISK_MANAGEMENT_TYPE",
        "status": status or status_of(order, ticket),
        "stop_price": "",
        "time_in_force": time_in_force(order, ticket),
        "total_fees": money(ticket.fees),
        "total_value_after_fees": _after_fees(order, ticket),
        "trigger_status": "INVALID_ORDER_TYPE",
        "creation_time": iso(order.created_ns),
        "end_time": iso(ticket.end_ns) if ticket.end_ns else NEVER,
        "start_time": NEVER,
    }


def fill_row(fill: Fill, symbol: Symbol, *, in_quote: bool) -> dict[str, Any]:
    """Write a fill; of an order sized in quote units the size is in quote units too."""
    return {
        "entry_id": uuid_named("entry", str(fill.trade_id), str(fill.order_id)),
        "trade_id": uuid_of(fill.trade_id),
        "order_id": uuid_of(fill.order_id),
        "trade_time": iso(fill.now_ns),
        "trade_type": "FILL",
        "price": price_text(symbol, fill.price),
        "size": money(fill.value) if in_quote else size_text(symbol, fill.size),
        "commission": money(fill.fee),
        "product_id": fill.symbol,
        "sequence_timestamp": iso(fill.now_ns),
        "liquidity_indicator": "TAKER" if fill.taker else "MAKER",
        "size_in_quote": in_quote,
        "user_id": uuid_named("user", fill.account),
        "side": side_text(fill.side),
        "retail_portfolio_id": uuid_named("portfolio", fill.account),
    }


def _after_fees(order: Order, ticket: Ticket) -> str:
    return money(order.value + order.side * ticket.fees)
