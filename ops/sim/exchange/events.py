"""What happened, one event at a time, in order: faces turn these into user and public streams.

The sink gets each event while it happens, so ``order`` shows the order as of the event; a face
that delays a message writes it first and sends it later.  A sink asks nothing of the exchange
that changes it, and does not raise: it is called in the middle of an operation.
"""

from collections.abc import Callable

import msgspec

from ops.sim.exchange.filters import Refusal
from ops.sim.exchange.orders import Order, Request


class _Event(msgspec.Struct, frozen=True, gc=False):
    now_ns: int


class Accepted(_Event, frozen=True, gc=False):
    """An order got its id; fills, if any, follow."""

    order: Order


class Rejected(_Event, frozen=True, gc=False):
    """A request was refused; it has no order id."""

    request: Request
    refusal: Refusal


class Amended(_Event, frozen=True, gc=False):
    """An order has a new price or size; fills, if any, follow."""

    order: Order
    kept_priority: bool


class Ended(_Event, frozen=True, gc=False):
    """An order was cancelled or expired: see its status and why."""

    order: Order


class Prevented(_Event, frozen=True, gc=False):
    """Two orders of one account met and did not trade; each shrank by ``size``, if it is not 0."""

    taker: Order
    maker: Order
    size: int


class Fill(_Event, frozen=True, gc=False):
    """One order's part in a trade."""

    trade_id: int
    account: str
    order_id: int
    client_id: str
    symbol: str
    side: int
    price: int
    size: int
    value: int  # in quote quanta
    taker: bool
    fee: int  # negative: a rebate
    fee_asset: str
    pnl: int  # realised by this fill of a perpetual, before its fee
    filled: int  # of the order, this fill included
    filled_value: int


class BalanceChanged(_Event, frozen=True, gc=False):
    """An account's balance after an operation, once per asset that moved."""

    account: str
    asset: str
    free: int
    locked: int


class PositionChanged(_Event, frozen=True, gc=False):
    """A position after a fill; the average entry is ``cost / size``."""

    account: str
    symbol: str
    size: int
    cost: int
    realised: int


class Transferred(_Event, frozen=True, gc=False):
    """Money came from outside (positive) or left (negative)."""

    account: str
    asset: str
    amount: int


class Funded(_Event, frozen=True, gc=False):
    """A funding payment: received (positive) or paid (negative)."""

    account: str
    symbol: str
    asset: str
    amount: int


class Covered(_Event, frozen=True, gc=False):
    """The insurance paid what an account could not."""

    account: str
    asset: str
    amount: int


class Traded(_Event, frozen=True, gc=False):
    """A public trade; ``side`` is the taker's."""

    trade_id: int
    symbol: str
    side: int
    price: int
    size: int


class LevelChanged(_Event, frozen=True, gc=False):
    """A level's new total, outside flow and clients together; 0 removes it."""

    symbol: str
    side: int
    price: int
    size: int


OrderEvent = Accepted | Rejected | Amended | Ended | Prevented | Fill
AccountEvent = BalanceChanged | PositionChanged | Transferred | Funded | Covered
PublicEvent = Traded | LevelChanged
Event = OrderEvent | AccountEvent | PublicEvent
Sink = Callable[[Event], None]
