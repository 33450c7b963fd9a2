"""What no venue's matching engine should do, and some did: fill too much, take a trade back.

Both are balanced transactions of the truth ledger, at the outside flow's expense.  Of spot alone:
what a perpetual's position would have been otherwise is nobody's to say.
"""

from typing import TYPE_CHECKING

from ops.sim.exchange.events import Fill
from ops.sim.exchange.ledger import FEES, FREE, HOUSE, Cause
from ops.sim.exchange.orders import BUY, Order, Status

if TYPE_CHECKING:
    from ops.sim.exchange.exchange import Exchange


def can_overfill(exchange: "Exchange", order: Order, size: int) -> bool:
    """Return whether an order has filled whole, of spot, and more of it could be paid for."""
    symbol = exchange.listed[order.symbol].symbol
    if symbol.perpetual or order.status is not Status.FILLED:
        return False
    return exchange.balance(order.account, order.asset)[0] >= _worth(exchange, order, size)


def overfill(exchange: "Exchange", now_ns: int, order: Order, size: int) -> None:
    """Fill ``size`` more of an order than was asked for; see ``can_overfill``."""
    listed = exchange.listed[order.symbol]
    exchange.accounts.hold(now_ns, order, _worth(exchange, order, size))
    exchange.settlement.trade(
        now_ns, listed, order, None, side=order.side, price=_price(exchange, order), size=size)
    exchange.accounts.hold(now_ns, order, 0)


def _price(exchange: "Exchange", order: Order) -> int:
    return order.price or exchange.listed[order.symbol].last


def _worth(exchange: "Exchange", order: Order, size: int) -> int:
    """Return what more of an order costs, and as much again for its fee."""
    symbol = exchange.listed[order.symbol].symbol
    if order.side == BUY:
        return 2 * symbol.value(_price(exchange, order), size)
    return 2 * symbol.amount(size)


def bust(exchange: "Exchange", now_ns: int) -> Fill | None:
    """Take the newest trade of a client back that can be paid back; return its fill."""
    names = exchange.accounts.by_name
    fills = [fill for name in names for fill in exchange.registry.fills_of(name)]
    for fill in sorted(fills, key=lambda each: (each.now_ns, each.trade_id), reverse=True):
        symbol = exchange.listed[fill.symbol].symbol
        amount = symbol.amount(fill.size)
        got, paid = (symbol.base, symbol.quote) if fill.side == BUY else (
            symbol.quote, symbol.base)
        back, given = (amount, fill.value) if fill.side == BUY else (fill.value, amount)
        if symbol.perpetual or exchange.balance(fill.account, got)[0] < back + abs(fill.fee):
            continue
        exchange.ledger.post(now_ns, Cause.BUST, fill.trade_id, (
            (fill.account, got, FREE, -back), (HOUSE, got, FREE, back),
            (fill.account, paid, FREE, given), (HOUSE, paid, FREE, -given),
            (fill.account, fill.fee_asset, FREE, fill.fee),
            (FEES, fill.fee_asset, FREE, -fill.fee)))
        exchange.registry.unfill(fill)
        order = exchange.registry.find(fill.account, order_id=fill.order_id)
        if order is not None:
            order.filled -= fill.size
            order.value -= fill.value
        return fill
    return None
