"""What tests compare with: books, accounts, orders and fills as exact decimal text."""

import msgspec

from engine.model.quanta import from_quanta, plain
from ops.sim.book import ASK, BID
from ops.sim.exchange.events import Fill
from ops.sim.exchange.exchange import Exchange
from ops.sim.exchange.orders import BUY, Order
from ops.sim.exchange.symbols import Symbol
from ops.sim.listing import Line
from ops.sim.rules import MONEY_DECIMALS


class Truth(msgspec.Struct, frozen=True):
    """One book at one instant, best first, numbers without trailing zeros."""

    venue: str
    symbol: str
    native: str
    last_id: int  # 0 where the venue numbers nothing
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]


class OrderTruth(msgspec.Struct, frozen=True):
    """One order; numbers without trailing zeros."""

    id: int
    client_id: str
    symbol: str  # native
    side: str  # buy or sell
    price: str
    size: str
    filled: str
    status: str


class FillTruth(msgspec.Struct, frozen=True):
    """One fill of one order; ``fee`` is negative for a rebate."""

    trade_id: int
    order_id: int
    client_id: str
    symbol: str
    side: str
    price: str
    size: str
    taker: bool
    fee: str
    fee_asset: str


class AccountTruth(msgspec.Struct, frozen=True):
    """One account: asset -> (free, locked), symbol -> signed position, orders and fills by age."""

    balances: dict[str, tuple[str, str]]
    positions: dict[str, str]
    orders: list[OrderTruth]
    fills: list[FillTruth]


def truth_of(line: Line) -> Truth:
    """Write a line's book down in full."""
    sides = [
        [(line.plain_price(price), line.plain_size(size))
         for price, size in line.book.top(side, len(line.book.sizes[side]))]
        for side in (BID, ASK)
    ]
    return Truth(line.venue, line.pair.name, line.native, line.last_id, sides[0], sides[1])


def money(amount: int) -> str:
    """Write an amount of any asset."""
    return plain(from_quanta(amount, MONEY_DECIMALS))


def account_truth_of(exchange: Exchange, account: str) -> AccountTruth:
    """Write down what an account holds and did."""
    listed = {name: each.symbol for name, each in exchange.listed.items()}
    client = exchange.accounts.by_name[account]
    return AccountTruth(
        {asset: (money(free), money(locked))
         for asset, (free, locked) in exchange.balances(account).items()},
        {name: plain(from_quanta(each.size, listed[name].size_decimals))
         for name, each in client.positions.items() if each.size},
        [_order(order, listed[order.symbol]) for order in exchange.orders(account)],
        [_fill(fill, listed[fill.symbol]) for fill in exchange.fills_since(account)],
    )


def _order(order: Order, symbol: Symbol) -> OrderTruth:
    return OrderTruth(
        order.id, order.client_id, order.symbol, _side(order.side),
        plain(from_quanta(order.price, symbol.price_decimals)),
        plain(from_quanta(order.size, symbol.size_decimals)),
        plain(from_quanta(order.filled, symbol.size_decimals)), order.status.value,
    )


def _fill(fill: Fill, symbol: Symbol) -> FillTruth:
    return FillTruth(
        fill.trade_id, fill.order_id, fill.client_id, fill.symbol, _side(fill.side),
        plain(from_quanta(fill.price, symbol.price_decimals)),
        plain(from_quanta(fill.size, symbol.size_decimals)),
        fill.taker, money(fill.fee), fill.fee_asset,
    )


def _side(side: int) -> str:
    return "buy" if side == BUY else "sell"
