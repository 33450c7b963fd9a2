"""The shapes of Coinbase's private texts.  Source: shared/venues/coinbase.md, Private, 2026-11-21.

Numbers are texts; what nobody here reads is left out.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from exec.venues.reading import Blank, Name, Number, Word

Cursor = Annotated[str, Meta(max_length=1024)]
Status = Literal[
    "PENDING", "OPEN", "FILLED", "CANCELLED", "EXPIRED", "FAILED", "QUEUED", "CANCEL_QUEUED",
    "EDIT_QUEUED"]
Side = Literal["BUY", "SELL"]
Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,64}\Z")]
Sequence = Annotated[int, Meta(ge=0, le=2**62)]


class _Wire(msgspec.Struct, frozen=True, gc=False):
    """Base of what Coinbase writes."""


class Frame(_Wire, frozen=True):
    """Any WebSocket text: an error, or events of one channel."""

    type: Word = ""
    message: str = ""
    channel: Word = ""
    sequence_num: Sequence | None = None
    events: list[msgspec.Raw] = []


class Subscriptions(_Wire, frozen=True):
    """All that the connection has, by channel."""

    subscriptions: dict[str, list[str]]


class UserOrder(_Wire, frozen=True):
    """An order as the user channel tells it: totals alone, no fills."""

    order_id: Id
    product_id: Name
    status: Status
    client_order_id: Word = ""
    cumulative_quantity: Blank = ""


class UserEvent(_Wire, frozen=True):
    """Open orders at first, changed ones later."""

    type: Literal["snapshot", "update"]
    orders: list[UserOrder] = []


class PlacedOrder(_Wire, frozen=True):
    """An order that was taken."""

    order_id: Id
    client_order_id: Word = ""


class Why(_Wire, frozen=True):
    """Why one was not."""

    error: Word = ""
    message: str = ""
    preview_failure_reason: Word = ""
    new_order_failure_reason: Word = ""


class Placed(_Wire, frozen=True):
    """The answer to an order: ``success`` alone counts."""

    success: bool
    success_response: PlacedOrder | None = None
    error_response: Why | None = None


class CancelResult(_Wire, frozen=True):
    """What became of one cancel."""

    success: bool
    order_id: Id
    failure_reason: Word = ""


class Cancelled(_Wire, frozen=True):
    """The answer to cancels."""

    results: list[CancelResult]


class Order(_Wire, frozen=True):
    """An order as REST tells it."""

    order_id: Id
    product_id: Name
    status: Status
    client_order_id: Word = ""
    filled_size: Blank = ""


class OneOrder(_Wire, frozen=True):
    """The answer to a question about one order."""

    order: Order


class Orders(_Wire, frozen=True):
    """A page of orders, newest first."""

    orders: list[Order]
    has_next: bool = False
    cursor: Cursor = ""


class Fill(_Wire, frozen=True):
    """A fill; ``size`` in quote units where the order was sized so."""

    trade_id: Id
    order_id: Id
    product_id: Name
    trade_time: Word
    trade_type: Literal["FILL"]
    price: Number
    size: Number
    commission: Number
    side: Side
    liquidity_indicator: Word = ""
    size_in_quote: bool = False


class Fills(_Wire, frozen=True):
    """A page of fills, newest first."""

    fills: list[Fill]
    cursor: Cursor = ""


class Amount(_Wire, frozen=True):
    """An amount of some asset."""

    value: Number


class Account(_Wire, frozen=True):
    """What the account holds of one asset."""

    currency: Name
    available_balance: Amount
    hold: Amount


class Accounts(_Wire, frozen=True):
    """A page of balances."""

    accounts: list[Account]
    has_next: bool = False
    cursor: Cursor = ""


class Time(_Wire, frozen=True):
    """The venue's clock."""

    ms: Word = msgspec.field(name="epochMillis")


class Problem(_Wire, frozen=True):
    """One of several errors."""

    id: Word = ""
    message: str = ""


class Failure(_Wire, frozen=True):
    """The body of an answer that is not about one order."""

    error: Word = ""
    message: str = ""
    errors: list[Problem] = []
