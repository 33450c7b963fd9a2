"""What Kraken's texts hold, as far as it is used; anything else is a DecodeError.

Source: shared/venues/kraken.md (Private), 2026-11-21.  Rows of the executions channel after the
first tell only what changed.
"""

from decimal import Decimal
from typing import Annotated, Final, TypeVar

import msgspec

from engine.model.errors import DecodeError

_T = TypeVar("_T")
Id = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9-]{1,40}\Z")]  # it goes into our requests
Text = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9+/=_.-]{1,500}\Z")]
NOTHING: Final = msgspec.Raw(b"null")


class Frame(msgspec.Struct, gc=False):
    """A WebSocket text: an answer has a ``method``, a message a ``channel``."""

    method: str = ""
    channel: str = ""
    type: str = ""
    success: bool | None = None
    error: str = ""
    result: msgspec.Raw = NOTHING
    data: msgspec.Raw = NOTHING
    sequence: int = 0
    req_id: int = 0
    excess: str = msgspec.field(default="", name="Error")


class Result(msgspec.Struct, gc=False):
    """What an answer over WebSocket brings."""

    channel: str = ""
    order_id: Id = ""
    cl_ord_id: str = ""
    maxratecount: int = 0


class Fee(msgspec.Struct, gc=False):
    """A part of a fill's fee; positive is charged."""

    asset: str
    qty: Decimal


class Execution(msgspec.Struct, gc=False):
    """A row of the executions channel."""

    order_id: Id
    exec_type: str
    cl_ord_id: str = ""
    symbol: str = ""
    side: str = ""
    order_qty: Decimal | None = None
    cum_qty: Decimal | None = None
    exec_id: Id = ""
    fee_ccy_pref: str = ""
    last_qty: Decimal | None = None
    last_price: Decimal | None = None
    liquidity_ind: str = ""
    fees: list[Fee] = []
    timestamp: str = ""
    ratecounter: int | None = None


class Movement(msgspec.Struct, gc=False):
    """A row of the balances channel's updates; those of its snapshot have no ``ledger_id``."""

    asset: str
    ledger_id: str = ""
    type: str = ""
    amount: Decimal = Decimal(0)
    fee: Decimal = Decimal(0)


class Status(msgspec.Struct, gc=False):
    """A row of the status channel."""

    system: str


class Reply(msgspec.Struct, gc=False):
    """A REST answer."""

    error: list[str] = []
    result: msgspec.Raw = NOTHING


class Token(msgspec.Struct, gc=False):
    """Of GetWebSocketsToken."""

    token: Text


class Time(msgspec.Struct, gc=False):
    """Of the public Time."""

    unixtime: int


class Description(msgspec.Struct, gc=False):
    """What an order was to be."""

    pair: str
    type: str


class OrderRow(msgspec.Struct, gc=False):
    """Of OpenOrders, ClosedOrders and QueryOrders."""

    status: str
    descr: Description
    vol: Decimal
    vol_exec: Decimal
    cl_ord_id: str | None = None
    trades: list[Id] = []
    oflags: str = ""


class TradeRow(msgspec.Struct, gc=False):
    """Of TradesHistory and QueryTrades."""

    ordertxid: Id
    pair: str
    time: Decimal
    type: str
    price: Decimal
    vol: Decimal
    fee: Decimal
    maker: bool = False


class Placed(msgspec.Struct, gc=False):
    """Of AddOrder."""

    txid: list[Id]


class OpenOrders(msgspec.Struct, gc=False):
    """All open orders, by id."""

    open: dict[Id, OrderRow]


class ClosedOrders(msgspec.Struct, gc=False):
    """A page of ended orders, by id."""

    closed: dict[Id, OrderRow]


class TradesHistory(msgspec.Struct, gc=False):
    """A page of trades, newest first, by id, and how many there are."""

    trades: dict[Id, TradeRow]
    count: int = 0  # 0: not told


class Holding(msgspec.Struct, gc=False):
    """One asset of BalanceEx."""

    balance: Decimal
    hold_trade: Decimal = Decimal(0)


class LedgerRow(msgspec.Struct, gc=False):
    """One entry of Ledgers."""

    type: str
    asset: str
    amount: Decimal
    fee: Decimal
    time: Decimal = Decimal(0)  # Unix s


class Ledgers(msgspec.Struct, gc=False):
    """A page of ledger entries by id, and how many there are."""

    ledger: dict[str, LedgerRow]
    count: int = 0


frames: Final = msgspec.json.Decoder(Frame)
results: Final = msgspec.json.Decoder(Result | None)
executions: Final = msgspec.json.Decoder(list[Execution])
movements: Final = msgspec.json.Decoder(list[Movement])
statuses: Final = msgspec.json.Decoder(list[Status])
replies: Final = msgspec.json.Decoder(Reply)
tokens: Final = msgspec.json.Decoder(Token)
times: Final = msgspec.json.Decoder(Time)
placements: Final = msgspec.json.Decoder(Placed)
orders: Final = msgspec.json.Decoder(dict[Id, OrderRow])
open_orders: Final = msgspec.json.Decoder(OpenOrders)
closed_orders: Final = msgspec.json.Decoder(ClosedOrders)
trades: Final = msgspec.json.Decoder(dict[Id, TradeRow])
histories: Final = msgspec.json.Decoder(TradesHistory)
holdings: Final = msgspec.json.Decoder(dict[str, Holding])
ledgers: Final = msgspec.json.Decoder(Ledgers)


def parse(decoder: "msgspec.json.Decoder[_T]", text: bytes | msgspec.Raw) -> _T:
    """Return what a text holds; raise DecodeError for anything that it may not."""
    try:
        return decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"kraken: {error}") from error
