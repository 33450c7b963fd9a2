"""Every refusal of the matching engine in Binance spot's codes and texts.

Source: binance-spot-api-docs:errors.md @ a5e0bc3, 2026-11-21.
"""

from typing import Final

from ops.sim.exchange.filters import Reason, Refusal
from ops.sim.exchange.orders import Kind, Request
from ops.sim.faces.binance.errors import BAD_SYMBOL, Problem, Refused

FILTER: Final = Problem(-1013, "Filter failure: {}")
CLOSED: Final = Problem(-1013, "Market is closed.")
BAD_QUANTITY: Final = Problem(-1013, "Invalid quantity.")
BAD_PRICE: Final = Problem(-1013, "Invalid price.")
BAD_STP: Final = Problem(
    -1013, "This symbol does not allow the specified self-trade prevention mode.")
COMPOSITION: Final = Problem(-1014, "Unsupported order combination.")
REJECTED: Final = Problem(-2010, "{}")
CANCEL_REJECTED: Final = Problem(-2011, "{}")
AMEND_REJECTED: Final = Problem(-2038, "{}")
UNKNOWN: Final = "Unknown order sent."
NO_CHANGE: Final = "The requested action would change no state; rejecting."
INCREASE: Final = "Order amend (quantity increase) is not supported."

FILTERS: Final = {
    Reason.TICK: "PRICE_FILTER",
    Reason.PRICE_MIN: "PRICE_FILTER",
    Reason.PRICE_MAX: "PRICE_FILTER",
    Reason.LOT: "LOT_SIZE",
    Reason.SIZE_MIN: "LOT_SIZE",
    Reason.SIZE_MAX: "LOT_SIZE",
    Reason.OPEN_ORDERS: "MAX_NUM_ORDERS",
}
TEXTS: Final = {  # of -2010
    Reason.DUPLICATE_CLIENT_ID: "Duplicate order sent.",
    Reason.WOULD_TAKE: "Order would immediately match and take.",
    Reason.FUNDS: "Account has insufficient balance for requested action.",
    Reason.MARGIN: "Account has insufficient balance for requested action.",
    Reason.NO_LIQUIDITY: "Order book liquidity is less than symbol minimum quantity.",
    Reason.UNKNOWN_ORDER: UNKNOWN,
    Reason.ORDER_ENDED: UNKNOWN,
    Reason.UNKNOWN_ACCOUNT: "This account may not place or cancel orders.",
    Reason.UNKNOWN_ASSET: "This action is disabled on this account.",
    Reason.AMOUNT: "This action is disabled on this account.",
    Reason.REDUCE_ONLY: "Unsupported order combination",
}


class Words:
    """The names of the filters that .com and .US call differently."""

    def __init__(self, *, notional: str, band: str) -> None:
        self._filters = FILTERS | {
            Reason.NOTIONAL_MIN: notional, Reason.NOTIONAL_MAX: notional, Reason.BAND: band}

    def refused(self, refusal: Refusal, request: Request) -> Refused:
        """Return the venue's words for a refused order."""
        reason, market = refusal.reason, request.kind is Kind.MARKET
        if reason is Reason.SIZE_MIN and request.quote:
            text = "Order book liquidity is less than `LOT_SIZE` filter minimum quantity."
            return Refused(REJECTED, text)
        if name := self._filters.get(reason):
            oversized = reason is Reason.SIZE_MAX and market
            return Refused(FILTER, "MARKET_LOT_SIZE" if oversized else name)
        if reason is Reason.MODE:
            return Refused(CLOSED)
        if reason is Reason.UNKNOWN_SYMBOL:
            return Refused(BAD_SYMBOL)
        if reason is Reason.SHAPE:
            return Refused(COMPOSITION)
        return Refused(REJECTED, TEXTS[reason])

    def amend_refused(self, refusal: Refusal, request: Request) -> Refused:
        """Return the venue's words for a refused amendment."""
        if refusal.reason in (Reason.UNKNOWN_ORDER, Reason.ORDER_ENDED):
            return Refused(AMEND_REJECTED, UNKNOWN)
        return Refused(AMEND_REJECTED, self.refused(refusal, request).text)


def cancel_refused(refusal: Refusal) -> Refused:
    """Return the venue's words for a refused cancel."""
    text = "Market is closed." if refusal.reason is Reason.MODE else UNKNOWN
    return Refused(CANCEL_REJECTED, text)
