"""How each venue says no, and in which asset it takes its fee.

Sources: shared/venues/{binance,okx,kraken,coinbase}.md, Errors, 2026-11-21; binance-spot-api-docs:
errors.md @ a5e0bc3.  A venue that is not named here refuses in our own words.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final

import msgspec


class Reason(Enum):
    """Why a venue does not take an order, or a cancel."""

    LATE = "it came after its deadline"
    HALTED = "the market is halted, or its book is not known"
    NUMBERS = "price and size must be above nothing"
    TICK = "the price is not on a tick"
    LOT = "the size is not on a lot"
    SIZE_MIN = "the size is below the least"
    NOTIONAL_MIN = "the value is below the least"
    OPEN_ORDERS = "too many open orders"
    WOULD_TAKE = "a post-only order would take"
    REDUCE_ONLY = "it would not reduce a position"
    FUNDS = "not enough of what it pays with"
    UNKNOWN_ORDER = "no such order is open"

    @property
    def business(self) -> bool:
        """Return whether it is about the order, and not about the venue or the way there."""
        return self not in (Reason.LATE, Reason.HALTED, Reason.OPEN_ORDERS)


class Manner(msgspec.Struct, frozen=True):
    """One venue's ways."""

    words: Mapping[Reason, tuple[str, str]]  # code and text
    fee_received: bool = False  # spot fees are taken from what is received; else from the quote


_R = Reason
_FILTER: Final = "Filter failure: {}"
_BINANCE: Final = Manner(
    {
        _R.LATE: ("-1021", "Timestamp for this request is outside of the recvWindow."),
        _R.HALTED: ("-1013", "Market is closed."),
        _R.NUMBERS: ("-1013", "Invalid price."),
        _R.TICK: ("-1013", _FILTER.format("PRICE_FILTER")),
        _R.LOT: ("-1013", _FILTER.format("LOT_SIZE")),
        _R.SIZE_MIN: ("-1013", _FILTER.format("LOT_SIZE")),
        _R.NOTIONAL_MIN: ("-1013", _FILTER.format("NOTIONAL")),
        _R.OPEN_ORDERS: ("-1013", _FILTER.format("MAX_NUM_ORDERS")),
        _R.WOULD_TAKE: ("-2010", "Order would immediately match and take."),
        _R.REDUCE_ONLY: ("-2010", "Unsupported order combination"),
        _R.FUNDS: ("-2010", "Account has insufficient balance for requested action."),
        _R.UNKNOWN_ORDER: ("-2011", "Unknown order sent."),
    }, fee_received=True)
_USDM: Final = Manner({
    _R.LATE: ("-1021", "Timestamp for this request is outside of the recvWindow."),
    _R.HALTED: ("-1122", "Invalid symbol status."),
    _R.NUMBERS: ("-4003", "Quantity less than zero."),
    _R.TICK: ("-4014", "Price not increased by tick size."),
    _R.LOT: ("-4023", "Qty not increased by step size."),
    _R.SIZE_MIN: ("-4004", "Quantity less than min quantity."),
    _R.NOTIONAL_MIN: ("-4164", "Order's notional must be no smaller than the minimum (unless you"
                               " choose reduce only)"),
    _R.OPEN_ORDERS: ("-2025", "Reach max open order limit."),
    _R.WOULD_TAKE: ("-5022", "Due to the order could not be executed as maker, the Post Only order"
                             " will be rejected."),
    _R.REDUCE_ONLY: ("-2022", "ReduceOnly Order is rejected."),
    _R.FUNDS: ("-2019", "Margin is insufficient."),
    _R.UNKNOWN_ORDER: ("-2011", "Unknown order sent."),
})
_OKX: Final = Manner(
    {
        _R.LATE: ("50036", "The expTime can't be earlier than the current system time. Please"
                           " adjust the expTime and try again."),
        _R.HALTED: ("51022", "Contract suspended."),
        _R.NUMBERS: ("51000", "Parameter sz error"),
        _R.TICK: ("51150", "The precision of the number of trades or the price exceeds the limit."),
        _R.LOT: ("51121", "Order quantity must be a multiple of the lot size."),
        _R.SIZE_MIN: ("51020", "Your order should meet or exceed the minimum order amount."),
        _R.NOTIONAL_MIN: (
            "50122", "Order amount should be greater than the min available amount."),
        _R.OPEN_ORDERS: (
            "51174", "Order failed. The number of pending orders reached the upper limit."),
        _R.WOULD_TAKE: ("51511", "The order price does not meet the requirement of post-only."),
        _R.REDUCE_ONLY: (
            "51139", "Reduce-only feature is unavailable for spot transactions under spot mode."),
        _R.FUNDS: ("51008", "Order failed. Insufficient balance in account."),
        _R.UNKNOWN_ORDER: (
            "51400", "Cancellation failed as the order has been filled, canceled or does not"
                     " exist."),
    }, fee_received=True)
_KRAKEN: Final = Manner({reason: (code, code) for reason, code in {
    _R.LATE: "EService:Deadline elapsed",
    _R.HALTED: "EService:Unavailable",
    _R.NUMBERS: "EGeneral:Invalid arguments:volume",
    _R.TICK: "EOrder:Tick size check failed",
    _R.LOT: "EGeneral:Invalid arguments:volume",
    _R.SIZE_MIN: "EOrder:Order minimum not met",
    _R.NOTIONAL_MIN: "EOrder:Cost minimum not met",
    _R.OPEN_ORDERS: "EOrder:Orders limit exceeded",
    _R.WOULD_TAKE: "EOrder:Post only order",
    _R.REDUCE_ONLY: "EOrder:Reduce only:No position exists",
    _R.FUNDS: "EOrder:Insufficient funds",
    _R.UNKNOWN_ORDER: "EOrder:Unknown order",
}.items()})
_COINBASE: Final = Manner({
    _R.LATE: ("PREVIEW_END_TIME_IS_IN_THE_PAST", "END_TIME_IS_IN_THE_PAST"),
    _R.HALTED: ("ORDER_ENTRY_DISABLED", "order entry is disabled"),
    _R.NUMBERS: ("INVALID_LIMIT_PRICE", "invalid limit price"),
    _R.TICK: ("INVALID_PRICE_PRECISION", "Too many decimals in order price"),
    _R.LOT: ("INVALID_SIZE_PRECISION", "Too many decimals in order amount"),
    _R.SIZE_MIN: ("PREVIEW_INVALID_BASE_SIZE_TOO_SMALL", "order is below the minimum size"),
    _R.NOTIONAL_MIN: ("PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL", "order is below the minimum size"),
    _R.OPEN_ORDERS: ("COMMANDER_REJECTED_NEW_ORDER", "TOO_MANY_OPEN_ORDERS"),
    _R.WOULD_TAKE: ("INVALID_LIMIT_PRICE_POST_ONLY", "post only order would take liquidity"),
    _R.REDUCE_ONLY: ("UNSUPPORTED_ORDER_CONFIGURATION", "source is not enabled for trading"),
    _R.FUNDS: ("INSUFFICIENT_FUND", "Insufficient balance in source account"),
    _R.UNKNOWN_ORDER: ("UNKNOWN_CANCEL_ORDER", "order is not open"),
})
_PLAIN: Final = Manner({reason: (reason.name, reason.value) for reason in Reason})
_MANNERS: Final[Mapping[str, Manner]] = {
    "binance": _BINANCE, "binance-us": _BINANCE, "binance-usdm": _USDM, "okx": _OKX,
    "okx-us": _OKX, "kraken": _KRAKEN, "coinbase": _COINBASE, "coinbase-exchange": _COINBASE,
}


def manner_of(venue: str) -> Manner:
    """Return a venue's ways."""
    return _MANNERS.get(venue, _PLAIN)
