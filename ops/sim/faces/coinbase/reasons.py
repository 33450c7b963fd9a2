"""Every refusal in Coinbase's words: new orders, edits and cancels.

Source: shared/venues/coinbase.md "Errors", 2026-11-21; the enums of coinbase's API reference.  An
order's refusal comes with HTTP 200; ``error`` is filled though deprecated, and of the two reasons
the one that says nothing begins with UNKNOWN_.
"""

from typing import Any, Final, NamedTuple

from ops.sim.exchange.filters import Mode, Reason, Refusal
from ops.sim.exchange.orders import Order, Status, Why
from ops.sim.face import Answer, to_json

NO_PREVIEW_REASON: Final = "UNKNOWN_PREVIEW_FAILURE_REASON"
NO_NEW_REASON: Final = "UNKNOWN_FAILURE_REASON"
NO_CANCEL_REASON: Final = "UNKNOWN_CANCEL_FAILURE_REASON"


class Failure(NamedTuple):
    """Why an order was not taken."""

    new: str = NO_NEW_REASON
    preview: str = NO_PREVIEW_REASON
    message: str = ""

    @property
    def code(self) -> str:
        """Return the reason that says something."""
        return self.new if self.new != NO_NEW_REASON else self.preview


UNSUPPORTED: Final = Failure(
    "UNSUPPORTED_ORDER_CONFIGURATION", "PREVIEW_INVALID_ORDER_CONFIG",
    "source is not enabled for trading")
UNKNOWN_PRODUCT: Final = Failure(
    "INVALID_PRODUCT_ID", "PREVIEW_INVALID_PRODUCT_ID", "invalid product_id")
WRONG_SIDE: Final = Failure("INVALID_SIDE", "PREVIEW_INVALID_SIDE", "invalid side")
WRONG_PORTFOLIO: Final = Failure(
    "INVALID_REQUEST", message="account is not available")
PRICE_PRECISION: Final = Failure(
    "INVALID_PRICE_PRECISION", "PREVIEW_INVALID_PRICE_PRECISION",
    "Too many decimals in order price")
SIZE_PRECISION: Final = Failure(
    "INVALID_SIZE_PRECISION", "PREVIEW_INVALID_SIZE_PRECISION",
    "Too many decimals in order amount")
BASE_TOO_SMALL: Final = Failure(
    preview="PREVIEW_INVALID_BASE_SIZE_TOO_SMALL", message="order is below the minimum size")
QUOTE_PRECISION: Final = Failure(
    preview="PREVIEW_INVALID_QUOTE_SIZE_PRECISION", message="Too many decimals in order amount")
QUOTE_TOO_SMALL: Final = Failure(
    preview="PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL", message="order is below the minimum size")
NO_END: Final = Failure(
    preview="PREVIEW_INVALID_END_TIME", message="GTD_ORDERS_MUST_HAVE_END_TIME")
PAST_END: Final = Failure(
    preview="PREVIEW_END_TIME_IS_IN_THE_PAST", message="END_TIME_IS_IN_THE_PAST")
FAR_END: Final = Failure(
    preview="PREVIEW_END_TIME_TOO_FAR_IN_FUTURE", message="END_TIME_TOO_FAR_IN_FUTURE")
_TWICE: Final = Failure("DUPLICATE_CLIENT_ORDER_ID", message="client_order_id was used before")
LIMIT_PRICE: Final = Failure(
    "INVALID_LIMIT_PRICE", "PREVIEW_INVALID_LIMIT_PRICE", "invalid limit price")
_CLOSED: Final = Failure(
    "ORDER_ENTRY_DISABLED", "PREVIEW_NOT_ALLOWED_BY_MARKET_STATE", "order entry is disabled")
_HALTED: Final = Failure(
    "TRADING_DISABLED", "PREVIEW_PRODUCT_TRADING_HALTED", "trading is disabled")
_POOR: Final = Failure(
    "INSUFFICIENT_FUND", "PREVIEW_INSUFFICIENT_FUND", "Insufficient balance in source account")

FAILURES: Final[dict[Reason, Failure]] = {
    Reason.UNKNOWN_ACCOUNT: Failure("INVALID_REQUEST", message="account is not available"),
    Reason.UNKNOWN_SYMBOL: UNKNOWN_PRODUCT,
    Reason.UNKNOWN_ORDER: Failure(
        "INVALID_REQUEST", message="order with this orderID was not found"),
    Reason.ORDER_ENDED: Failure("INVALID_REQUEST", message="order is not open"),
    Reason.DUPLICATE_CLIENT_ID: _TWICE,
    Reason.SHAPE: UNSUPPORTED,
    Reason.MODE: _CLOSED,
    Reason.TICK: PRICE_PRECISION,
    Reason.PRICE_MIN: LIMIT_PRICE,
    Reason.PRICE_MAX: LIMIT_PRICE,
    Reason.BAND: Failure(
        "LIMIT_PRICE_TOO_FAR_FROM_MARKET", "PREVIEW_LIMIT_PRICE_TOO_FAR_FROM_MARKET",
        "limit price is too far from the market"),
    Reason.LOT: SIZE_PRECISION,
    Reason.SIZE_MIN: BASE_TOO_SMALL,
    Reason.SIZE_MAX: Failure(
        preview="PREVIEW_INVALID_BASE_SIZE_TOO_LARGE", message="order is above the maximum size"),
    Reason.NOTIONAL_MIN: QUOTE_TOO_SMALL,
    Reason.NOTIONAL_MAX: Failure(
        preview="PREVIEW_INVALID_QUOTE_SIZE_TOO_LARGE", message="order is above the maximum size"),
    Reason.OPEN_ORDERS: Failure(
        "COMMANDER_REJECTED_NEW_ORDER", message="TOO_MANY_OPEN_ORDERS"),
    Reason.WOULD_TAKE: Failure(
        "INVALID_LIMIT_PRICE_POST_ONLY", "PREVIEW_INVALID_LIMIT_PRICE_POST_ONLY",
        "post only order would take liquidity"),
    Reason.REDUCE_ONLY: UNSUPPORTED,
    Reason.NO_LIQUIDITY: Failure(
        "INVALID_NO_LIQUIDITY", "PREVIEW_INVALID_NO_LIQUIDITY", "no liquidity"),
    Reason.FUNDS: _POOR,
    Reason.MARGIN: _POOR,
    Reason.UNKNOWN_ASSET: Failure("INELIGIBLE_PAIR", message="account is not available"),
    Reason.AMOUNT: SIZE_PRECISION,
}
EDITS: Final[dict[Reason, str]] = {
    Reason.UNKNOWN_ORDER: "ORDER_NOT_FOUND",
    Reason.ORDER_ENDED: "ONLY_OPEN_ORDERS_CAN_BE_EDITED",
    Reason.TICK: "INVALID_EDITED_PRICE",
    Reason.PRICE_MIN: "INVALID_EDITED_PRICE",
    Reason.PRICE_MAX: "INVALID_EDITED_PRICE",
    Reason.BAND: "INVALID_EDITED_PRICE",
    Reason.WOULD_TAKE: "INVALID_EDITED_PRICE",
    Reason.LOT: "INVALID_EDITED_SIZE",
    Reason.SIZE_MIN: "INVALID_EDITED_SIZE",
    Reason.SIZE_MAX: "INVALID_EDITED_SIZE",
    Reason.NOTIONAL_MIN: "INVALID_EDITED_SIZE",
    Reason.NOTIONAL_MAX: "INVALID_EDITED_SIZE",
}
_ENDINGS: Final[dict[Why | None, str]] = {  # the venue's first; the rest is our wording
    Why.ASKED: "User requested cancel",
    Why.IOC: "The remainder could not be filled immediately",
    Why.FOK: "The order could not be filled entirely",
    Why.NO_LIQUIDITY: "Not enough liquidity",
    Why.SELF_TRADE: "Self trade prevention",
    Why.MARGIN: "Insufficient funds",
    Why.WITHDRAWN: "Cancelled by the venue",
}


def failure_of(refusal: Refusal, mode: Mode) -> Failure:
    """Say why a new order was refused; ``mode`` is its product's."""
    if refusal.reason is Reason.MODE and mode is Mode.HALTED:
        return _HALTED
    return FAILURES[refusal.reason]


def failed(failure: Failure, configuration: object) -> Answer:
    """Return the body of a refused order."""
    return to_json({
        "success": False,
        "error_response": {
            "error": failure.code, "message": failure.message, "error_details": failure.message,
            "preview_failure_reason": failure.preview, "new_order_failure_reason": failure.new,
        },
        "order_configuration": configuration,
    })


def edit_error(refusal: Refusal) -> dict[str, str]:
    """Say why an edit was refused."""
    reason = EDITS.get(refusal.reason, "COMMANDER_REJECTED_EDIT_ORDER")
    return {"edit_failure_reason": reason,
            "preview_failure_reason": FAILURES[refusal.reason].preview}


def cancel_reason(refusal: Refusal, order: Order | None) -> str:
    """Say why a cancel was refused; ``order`` is the one it was for."""
    if refusal.reason is Reason.MODE:
        return "COMMANDER_REJECTED_CANCEL_ORDER"
    if order is None:
        return "UNKNOWN_CANCEL_ORDER"
    if order.status is Status.FILLED:
        return "ORDER_IS_FULLY_FILLED"
    return "DUPLICATE_CANCEL_REQUEST" if order.why is Why.ASKED else "UNKNOWN_CANCEL_ORDER"


def ending(order: Order) -> str:
    """Say why an order ended without being filled; empty while it did not."""
    return _ENDINGS.get(order.why, "")


def refused(error: str, message: str, status: int) -> Answer:
    """Return an answer that is not about one order: a status and three words for it."""
    body: dict[str, Any] = {"error": error, "error_details": message, "message": message}
    return to_json(body, status)


def invalid(message: str) -> Answer:
    """Return the answer to a request that could not be read."""
    return refused("INVALID_ARGUMENT", message, 400)
