"""What Kraken says: results, and refusals as one table from the matching engine's reasons.

HTTP 200 with an ``error`` array is normal; 4xx and 5xx come from Cloudflare in front of it.
Source: shared/venues/kraken.md (Errors, Rate limits), 2026-11-21.  Texts that the page does not
have (a duplicate cl_ord_id, a halted market, an empty book) are the nearest documented ones.
"""

from typing import Final

from engine.model.errors import Refused
from ops.sim.exchange.filters import Mode, Reason, Refusal
from ops.sim.exchange.orders import Why
from ops.sim.face import Answer, to_json

INVALID: Final = "EGeneral:Invalid arguments"
UNKNOWN_METHOD: Final = "EGeneral:Unknown method"
UNKNOWN_PAIR: Final = "EQuery:Unknown asset pair"
UNKNOWN_ORDER: Final = "EOrder:Unknown order"
UNAVAILABLE: Final = "EService:Unavailable"
API_RATE: Final = "EAPI:Rate limit exceeded"
ORDER_RATE: Final = "EOrder:Rate limit exceeded"

REASONS: Final = {
    Reason.UNKNOWN_ACCOUNT: "EGeneral:Permission denied",
    Reason.UNKNOWN_SYMBOL: UNKNOWN_PAIR,
    Reason.UNKNOWN_ORDER: UNKNOWN_ORDER,
    Reason.ORDER_ENDED: UNKNOWN_ORDER,
    Reason.DUPLICATE_CLIENT_ID: "EOrder:Duplicate cl_ord_id",
    Reason.SHAPE: INVALID,
    Reason.MODE: UNAVAILABLE,  # by mode: see MODES
    Reason.TICK: "EOrder:Tick size check failed",
    Reason.PRICE_MIN: "EOrder:Invalid price",
    Reason.PRICE_MAX: "EOrder:Invalid price",
    Reason.BAND: "EOrder:Invalid price",
    Reason.LOT: f"{INVALID}:volume",
    Reason.SIZE_MIN: "EOrder:Order minimum not met",
    Reason.SIZE_MAX: f"{INVALID}:volume",
    Reason.NOTIONAL_MIN: "EOrder:Cost minimum not met",
    Reason.NOTIONAL_MAX: "EOrder:Invalid order",
    Reason.OPEN_ORDERS: "EOrder:Orders limit exceeded",
    Reason.WOULD_TAKE: "EOrder:Post only order",
    Reason.REDUCE_ONLY: "EOrder:Reduce only:No position exists",
    Reason.NO_LIQUIDITY: "EOrder:Invalid order",
    Reason.FUNDS: "EOrder:Insufficient funds",
    Reason.MARGIN: "EOrder:Insufficient margin",
    Reason.UNKNOWN_ASSET: "EQuery:Unknown asset",
    Reason.AMOUNT: INVALID,
}
MODES: Final = {
    Mode.POST_ONLY: "EService:Market in post_only mode",
    Mode.LIMIT_ONLY: "EService:Market in limit_only mode",
    Mode.CANCEL_ONLY: "EService:Market in cancel_only mode",
}
STATUSES: Final = {  # of a pair, in AssetPairs and the instrument channel
    Mode.OPEN: "online", Mode.POST_ONLY: "post_only", Mode.LIMIT_ONLY: "limit_only",
    Mode.CANCEL_ONLY: "cancel_only", Mode.HALTED: "maintenance",
}
WHYS: Final = {
    Why.ASKED: "User requested",
    Why.IOC: "Immediate or cancel order",
    Why.FOK: "Fill or kill order",
    Why.NO_LIQUIDITY: "Insufficient liquidity",
    Why.SELF_TRADE: "Self trade prevention",
    Why.MARGIN: "Insufficient margin",
    Why.WITHDRAWN: "Cancelled by the venue",
}
_CLOUDFLARE: Final = {418: (429, b"error code: 1015"), 429: (429, b"error code: 1015"),
                      500: (520, b"error code: 520"), 503: (502, b"error code: 502")}


class Declined(Refused):
    """A request gets an error text for an answer."""


def invalid(field: str) -> Declined:
    """Return the refusal of one argument."""
    return Declined(f"{INVALID}:{field}")


def declined(refusal: Refusal, mode: Mode) -> Declined:
    """Put the matching engine's refusal into Kraken's words."""
    if refusal.reason is Reason.MODE:
        return Declined(MODES.get(mode, UNAVAILABLE))
    return Declined(REASONS[refusal.reason])


def result(value: object) -> Answer:
    """Answer a REST request."""
    return to_json({"error": [], "result": value})


def error(text: str) -> Answer:
    """Refuse a REST request."""
    return to_json({"error": [text]})


def cloudflare(status: int, retry_s: int = 0) -> Answer:
    """Answer in place of Kraken, as Cloudflare does."""
    real, body = _CLOUDFLARE[status]
    return Answer(body, real, {"Retry-After": str(retry_s)} if retry_s else {})
