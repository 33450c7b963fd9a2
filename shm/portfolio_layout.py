"""What execution tells of itself: orders, balances, positions, figures, as shared memory holds it.

Written by execution alone, off its hot path, whole copies in turn: see ``shm.portfolio``.  Money,
prices and sizes are exact decimal text; ``*_micro`` are millionths of the reference currency.  The
head counts all balances, positions and orders there are; rows hold as many as fit, the dearest
balances and positions, the live orders and then the newest.
"""

from enum import IntEnum
from typing import Final

import numpy as np

from shm.record import record

BALANCES_MAX: Final = 256
POSITIONS_MAX: Final = 64
ORDERS_MAX: Final = 128  # live ones first, then the newest


class OrderState(IntEnum):
    """Where an order stands, as ``exec.state.orders.State`` numbers it."""

    INTENDED = 1
    SENT = 2
    OPEN = 3
    CANCELLING = 4
    UNKNOWN = 5  # nobody knows yet: counts as open at its worst
    FILLED = 6
    CANCELLED = 7
    EXPIRED = 8
    REJECTED = 9
    UNSENT = 10
    ABSENT = 11


class OrderTif(IntEnum):
    """How long an order stays, as ``exec.records.Tif`` numbers it."""

    GTC = 0
    IOC = 1
    FOK = 2


# profit: of closed plans, since the books began, on this UTC day and within the last hour;
# unhedged: of open plans; gross: what live orders may still fill; why: who set the trading state,
# a colon, and why; unready: a line "venue: why" for each venue that orders may not go to now
PORTFOLIO_HEAD: Final = record(
    ("seq", "i8"), ("trading_state", "i8"), ("life", "i8"), ("records", "i8"),
    ("unix_ns", "i8"), ("mono_ns", "i8"), ("balances", "i8"), ("positions", "i8"),
    ("orders", "i8"), ("live_orders", "i8"), ("unknown_orders", "i8"), ("open_plans", "i8"),
    ("plans", "i8"), ("fills", "i8"), ("profit_micro", "i8"), ("profit_day_micro", "i8"),
    ("profit_hour_micro", "i8"), ("losses_in_row", "i8"), ("unhedged_micro", "i8"),
    ("gross_micro", "i8"), ("equity_micro", "i8"),
    ("mode", "S16"), ("account", "S16"), ("why", "S256"), ("unready", "S256"),
    size=768,
)
# total: the venue's word, moved by what was booked since; reserved: what live orders may use of it
BALANCE: Final = record(
    ("venue", "S32"), ("asset", "S16"), ("total", "S48"), ("reserved", "S48"),
    ("value_micro", "i8"), ("counted_unix_ns", "i8"), size=192,
)
# cost: what the size cost, signed as the size; realised: what closings made
POSITION: Final = record(
    ("venue", "S32"), ("symbol", "S32"), ("size", "S48"), ("cost", "S48"), ("realised", "S48"),
    ("value_micro", "i8"), size=256,
)
# state: OrderState; tif: OrderTif
ORDER: Final = record(
    ("number", "i8"), ("plan", "i8"), ("side", "i8"), ("state", "i8"), ("tif", "i8"),
    ("born_unix_ns", "i8"), ("changed_unix_ns", "i8"), ("venue", "S32"), ("symbol", "S32"),
    ("client_id", "S32"), ("venue_order", "S48"), ("purpose", "S16"), ("price", "S32"),
    ("size", "S32"), ("filled", "S32"), ("strategy", "S16"),
    size=384,
)
PORTFOLIO: Final = np.dtype([
    ("head", PORTFOLIO_HEAD), ("balances", BALANCE, (BALANCES_MAX,)),
    ("positions", POSITION, (POSITIONS_MAX,)), ("orders", ORDER, (ORDERS_MAX,)),
])
