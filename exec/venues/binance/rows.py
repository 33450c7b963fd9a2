"""What Binance writes, as far as we read it; more fields may come, those here must be right.

Source: shared/venues/binance.md (Private), 2026-11-21; USD-M: trade/rest-api, account/rest-api
and user-data-streams.
"""

from collections.abc import Sequence
from typing import Final, Literal

from msgspec import Raw, Struct, field
from msgspec.json import Decoder

from exec.venues.binance.numbers import Count, Name, Number, Word, read

Side = Literal["BUY", "SELL"]
Status = Literal[
    "NEW", "PENDING_NEW", "PARTIALLY_FILLED", "PENDING_CANCEL", "FILLED", "CANCELED", "REJECTED",
    "EXPIRED", "EXPIRED_IN_MATCH", "NEW_INSURANCE", "NEW_ADL",
]
HOW: Final = {  # an order that ended, in the words of exec.core.ports.Over
    "FILLED": "filled", "CANCELED": "cancelled", "REJECTED": "expired", "EXPIRED": "expired",
    "EXPIRED_IN_MATCH": "expired",
}
ABSENT: Final = Raw(b"")  # default of a raw field; compare its bytes


# --- errors and limits -----------------------------------------------------------------------


class Retry(Struct, frozen=True):
    """What an error adds: until when nothing may be sent, Unix ms."""

    until_ms: Count = field(name="retryAfter", default=0)


class Problem(Struct, frozen=True):
    """An error; ``data`` is read only where the code says that it has a time to wait."""

    code: int
    msg: str
    data: Raw = ABSENT


class Rate(Struct, frozen=True):
    """One limit and how much of it is used."""

    kind: Name = field(name="rateLimitType")
    interval: Name
    number: Count = field(name="intervalNum")
    limit: Count
    count: Count


# --- orders ----------------------------------------------------------------------------------


class Fill(Struct, frozen=True):
    """A fill in the answer to an order: as good as always we took."""

    price: Number
    size: Number = field(name="qty")
    fee: Number = field(name="commission")
    fee_asset: Name = field(name="commissionAsset")
    trade: Count = field(name="tradeId")


class Placed(Struct, frozen=True):
    """The answer to an order: ACK has the ids alone, FULL (spot) the fills too."""

    order: Count = field(name="orderId")
    symbol: Name
    client_id: Name = field(name="clientOrderId")
    side: Side | None = None
    status: Status | None = None
    filled: Number = field(name="executedQty", default="0")
    time_ms: Count = field(name="transactTime", default=0)
    fills: tuple[Fill, ...] = ()


class Cancelled(Struct, frozen=True):
    """The answer to a cancel; on spot ``client_id`` is the cancel's own."""

    order: Count = field(name="orderId")
    symbol: Name
    client_id: Name = field(name="clientOrderId")
    status: Status
    filled: Number = field(name="executedQty")
    original: Word = field(name="origClientOrderId", default="")


class Order(Struct, frozen=True):
    """An order in queries."""

    order: Count = field(name="orderId")
    symbol: Name
    client_id: Word = field(name="clientOrderId")
    status: Status
    filled: Number = field(name="executedQty")


class _Trade(Struct, frozen=True):
    trade: Count = field(name="id")
    order: Count = field(name="orderId")
    symbol: Name
    price: Number
    size: Number = field(name="qty")
    fee: Number = field(name="commission")
    fee_asset: Word = field(name="commissionAsset")
    time_ms: Count = field(name="time")


class SpotTrade(_Trade, frozen=True, kw_only=True):
    """A row of myTrades."""

    buy: bool = field(name="isBuyer")
    maker: bool = field(name="isMaker")


class UsdmTrade(_Trade, frozen=True, kw_only=True):
    """A row of userTrades."""

    buy: bool = field(name="buyer")
    maker: bool
    realised: Number = field(name="realizedPnl")


Trade = SpotTrade | UsdmTrade


# --- money -----------------------------------------------------------------------------------


class SpotBalance(Struct, frozen=True):
    """One asset of the spot account."""

    asset: Name
    free: Number
    locked: Number


class SpotAccount(Struct, frozen=True):
    """The spot account."""

    balances: tuple[SpotBalance, ...]


class UsdmBalance(Struct, frozen=True):
    """One asset of the USD-M wallet, without the open profit."""

    asset: Name
    wallet: Number = field(name="balance")


class Position(Struct, frozen=True):
    """A row of positionRisk."""

    symbol: Name
    size: Number = field(name="positionAmt")


class Income(Struct, frozen=True):
    """Money that came or went; ``number`` is unique within its kind."""

    kind: Name = field(name="incomeType")
    income: Number
    asset: Name
    number: Count | Name = field(name="tranId")
    time_ms: Count = field(name="time")


class ServerTime(Struct, frozen=True):
    """The venue's clock."""

    time_ms: Count = field(name="serverTime")


class ListenKey(Struct, frozen=True):
    """The name of a user stream."""

    key: Name = field(name="listenKey")


# --- frames ----------------------------------------------------------------------------------


class Frame(Struct, frozen=True):
    """A text of the WebSocket API: an answer, or an event of a subscription."""

    id: Word | int | None = None
    status: int = 0
    result: Raw = ABSENT
    error: Problem | None = None
    rates: tuple[Rate, ...] = field(name="rateLimits", default=())
    event: Raw = ABSENT


class StreamFrame(Struct, frozen=True):
    """A text of USD-M's private stream: an event, wrapped or not, or a command's answer."""

    id: Word | int | None = None
    result: Raw = ABSENT
    code: int = 0
    msg: str = ""
    data: Raw = ABSENT
    kind: Word = field(name="e", default="")


class Kind(Struct, frozen=True):
    """What an event is."""

    kind: Name = field(name="e")


class Execution(Struct, frozen=True):
    """executionReport, and the order of ORDER_TRADE_UPDATE, which has no ``original``."""

    symbol: Name = field(name="s")
    client_id: Name = field(name="c")
    side: Side = field(name="S")
    what: Literal[
        "NEW", "CANCELED", "REPLACED", "REJECTED", "TRADE", "EXPIRED", "TRADE_PREVENTION",
        "CALCULATED", "AMENDMENT",
    ] = field(name="x")
    status: Status = field(name="X")
    order: Count = field(name="i")
    last_size: Number = field(name="l")
    last_price: Number = field(name="L")
    filled: Number = field(name="z")
    trade: int = field(name="t")
    maker: bool = field(name="m")
    time_ms: Count = field(name="T")
    original: Word = field(name="C", default="")
    reason: Word = field(name="r", default="NONE")
    fee: Number | None = field(name="n", default=None)
    realised: Number | None = field(name="rp", default=None)  # of USD-M alone
    fee_asset: Name | None = field(name="N", default=None)


class OrderUpdate(Struct, frozen=True):
    """ORDER_TRADE_UPDATE."""

    order: Execution = field(name="o")


class _Held(Struct, frozen=True):
    asset: Name = field(name="a")
    free: Number = field(name="f")
    locked: Number = field(name="l")


class AccountPosition(Struct, frozen=True):
    """outboundAccountPosition."""

    balances: tuple[_Held, ...] = field(name="B")


class BalanceUpdate(Struct, frozen=True):
    """balanceUpdate: money from or to outside."""

    asset: Name = field(name="a")
    change: Number = field(name="d")
    time_ms: Count = field(name="T")
    event_ms: Count = field(name="E")


class _Wallet(Struct, frozen=True):
    asset: Name = field(name="a")
    wallet: Number = field(name="wb")


class _Amount(Struct, frozen=True):
    symbol: Name = field(name="s")
    size: Number = field(name="pa")


class _AccountChange(Struct, frozen=True):
    why: Name = field(name="m")
    wallets: tuple[_Wallet, ...] = field(name="B", default=())
    positions: tuple[_Amount, ...] = field(name="P", default=())


class AccountUpdate(Struct, frozen=True):
    """ACCOUNT_UPDATE."""

    time_ms: Count = field(name="T")
    change: _AccountChange = field(name="a")


PROBLEM: Final = Decoder(Problem)
RETRY: Final = Decoder(Retry)
PLACED: Final = Decoder(Placed)
CANCELLED: Final = Decoder(Cancelled)
CANCELLED_ALL: Final = Decoder(tuple[Cancelled, ...])
ORDER: Final = Decoder(Order)
ORDERS: Final = Decoder(tuple[Order, ...])
SPOT_TRADES: Final = Decoder(tuple[SpotTrade, ...])
USDM_TRADES: Final = Decoder(tuple[UsdmTrade, ...])
SPOT_ACCOUNT: Final = Decoder(SpotAccount)
USDM_BALANCES: Final = Decoder(tuple[UsdmBalance, ...])
POSITIONS: Final = Decoder(tuple[Position, ...])
INCOMES: Final = Decoder(tuple[Income, ...])
LISTEN_KEY: Final = Decoder(ListenKey)
SERVER_TIME: Final = Decoder(ServerTime)
NAMES: Final = Decoder(tuple[str, ...])
FRAME: Final = Decoder(Frame)
STREAM_FRAME: Final = Decoder(StreamFrame)
KIND: Final = Decoder(Kind)
EXECUTION: Final = Decoder(Execution)
ORDER_UPDATE: Final = Decoder(OrderUpdate)
ACCOUNT_POSITION: Final = Decoder(AccountPosition)
BALANCE_UPDATE: Final = Decoder(BalanceUpdate)
ACCOUNT_UPDATE: Final = Decoder(AccountUpdate)


def spot_trades(text: bytes) -> Sequence[Trade]:
    """Read myTrades; raise DecodeError for anything else."""
    return read(SPOT_TRADES, text)


def usdm_trades(text: bytes) -> Sequence[Trade]:
    """Read userTrades; raise DecodeError for anything else."""
    return read(USDM_TRADES, text)
