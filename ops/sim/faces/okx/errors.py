"""OKX's error codes: HTTP status and text of each, and what the matching engine's refusals are.

Source: shared/venues/okx.md, Errors, 2026-11-21; statuses from the documentation's own table,
English texts as ccxt 4.5.90 quotes them (wording may differ from the venue's).
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import orjson

from ops.sim.exchange.filters import Reason, Refusal
from ops.sim.face import Answer

DONE: Final = "has been filled, canceled or does not exist."


class Failure(NamedTuple):
    """One named no: ``code`` as on the wire, ``sub`` the row's subCode."""

    code: str
    text: str
    sub: str = ""


TEXTS: Final = {
    "50000": "Body for a POST request cannot be empty.",
    "50001": "Service temporarily unavailable. Please try again later.",
    "50002": "JSON syntax error",
    "50006": "Invalid Content-Type. Please use \"application/JSON\".",
    "50011": "Too Many Requests",
    "50026": "System error. Try again later",
    "50036": "The expTime can't be earlier than the current system time. Please adjust the "
             "expTime and try again.",
    "50061": "You've reached the maximum order rate limit for this account.",
    "50101": "APIKey does not match current environment.",
    "50102": "Timestamp request expired",
    "50103": 'Request header "OK-ACCESS-KEY" can not be empty.',
    "50104": 'Request header "OK-ACCESS-PASSPHRASE" can not be empty.',
    "50105": 'Request header "OK-ACCESS-PASSPHRASE" incorrect.',
    "50106": 'Request header "OK-ACCESS-SIGN" can not be empty.',
    "50107": 'Request header "OK-ACCESS-TIMESTAMP" can not be empty.',
    "50111": "Invalid OK-ACCESS-KEY",
    "50112": "Invalid OK-ACCESS-TIMESTAMP",
    "50113": "Invalid Sign",
    "50115": "Invalid request method.",
    "50119": "API key doesn't exist",
    "51001": "Instrument ID, Instrument ID code, or Spread ID doesn't exist.",
    "51003": "Either client order ID or order ID is required.",
    "51005": "Your order amount exceeds the max order amount.",
    "51010": "You can't complete this request under your current account mode.",
    "51015": "Instrument ID does not match instrument type.",
    "51016": "Client order ID already exists.",
    "51020": "Your order should meet or exceed the minimum order amount.",
    "51022": "Contract suspended.",
    "51025": "Order count exceeds the limit.",
    "51071": "You've reached the maximum limit for tag level cancel all after timers.",
    "51111": "Maximum 20 orders can be placed in bulk.",
    "51121": "Order quantity must be a multiple of the lot size.",
    "51139": "Reduce-only feature is unavailable for spot transactions under spot mode.",
    "51140": "Purchase failed due to insufficient sell orders, please try later.",
    "51150": "The precision of the number of trades or the price exceeds the limit.",
    "51155": "You can't trade this pair or borrow this crypto due to local compliance "
             "restrictions. ",
    "51201": "The value of a market order can't exceed 1,000,000 USDT.",
    "51202": "Market order amount exceeds the maximum amount.",
    "51204": "The price for the limit order can not be empty.",
    "51400": f"Cancellation failed as the order {DONE}",
    "51406": "The number of orders to be canceled exceeds the maximum of 20.",
    "51500": "Either order price, quantity or take profit/stop loss is required.",
    "51501": "The number of orders to be amended exceeds the maximum of 20.",
    "51503": f"Order modification failed as the order {DONE}",
    "51511": "The order price does not meet the requirement of post-only.",
    "51603": "Order does not exist",
    "54036": "You can't place FOK orders with STP mode cancel both.",
    "60004": "Invalid timestamp",
    "60005": "Invalid apiKey",
    "60006": "Timestamp request expired",
    "60007": "Invalid sign",
    "60009": "Login failed.",
    "60011": "Please log in",
    "60013": "Invalid args",
    "60014": "Requests too frequent",
    "60024": "Wrong passphrase",
    "60031": "The WebSocket endpoint does not support multiple account batch login.",
    "60032": "API key doesn't exist",
    "64003": "Your trading fee tier doesn't support access to this channel",
}
STATUSES: Final = {  # all others: 200
    "50000": 400, "50001": 503, "50002": 400, "50006": 400, "50011": 429, "50014": 400,
    "50026": 500, "50115": 405, "51000": 400, "51406": 400, "51501": 400,
} | {str(code): 401 for code in (*range(50101, 50108), 50111, 50112, 50113, 50119)}

# Reasons that one operation alone names, or that all name alike.
CODES: Final = {
    Reason.UNKNOWN_ACCOUNT: "50119", Reason.UNKNOWN_SYMBOL: "51001",
    Reason.UNKNOWN_ORDER: "51400", Reason.ORDER_ENDED: "51400",
    Reason.DUPLICATE_CLIENT_ID: "51016", Reason.SHAPE: "51000", Reason.MODE: "51022",
    Reason.TICK: "51150", Reason.PRICE_MIN: "51122", Reason.PRICE_MAX: "51116",
    Reason.BAND: "51006", Reason.LOT: "51121", Reason.SIZE_MIN: "51020",
    Reason.SIZE_MAX: "51005", Reason.NOTIONAL_MIN: "50122", Reason.NOTIONAL_MAX: "51185",
    Reason.OPEN_ORDERS: "51174", Reason.WOULD_TAKE: "51511", Reason.REDUCE_ONLY: "51139",
    Reason.NO_LIQUIDITY: "51140", Reason.FUNDS: "51008", Reason.MARGIN: "51008",
    Reason.UNKNOWN_ASSET: "51012", Reason.AMOUNT: "51000",
}


def failure(code: str) -> Failure:
    """Return a failure whose text needs no detail."""
    return Failure(code, TEXTS[code])


def wrong(parameter: str) -> Failure:
    """Return 51000: a parameter that cannot be."""
    return Failure("51000", f"Parameter {parameter} error")


def empty(parameter: str) -> Failure:
    """Return 50014: a parameter that is missing."""
    return Failure("50014", f"Parameter {parameter} can not be empty")


def refused(refusal: Refusal, *, native: str, asset: str, price_min: str) -> Failure:
    """Name the matching engine's no as the venue does; the rest fills the texts."""
    code = CODES[refusal.reason]
    if code == "51008":
        return Failure(code, f"Order failed. Insufficient {asset} balance in account.", "1000")
    texts = {
        "50122": "Order amount should be greater than the min available amount.",
        "51000": "Parameter sz error",
        "51006": "Order price is not within the price limit.",
        "51012": "Token doesn't exist.",
        "51116": "Order price or trigger price exceeds the limit.",
        "51122": f"Order price should be higher than the min price {price_min}.",
        "51174": f"Order failed. The number of {native} pending orders reached the upper limit "
                 f"of {refusal.limit} (orders).",
        "51185": "The maximum value allowed per order is exceeded.",
    }
    return Failure(code, texts[code]) if code in texts else failure(code)


def answer(rows: Sequence[object]) -> Answer:
    """Wrap the rows of a successful read."""
    return Answer(orjson.dumps({"code": "0", "msg": "", "data": rows}))


def refusal_of(why: Failure) -> Answer:
    """Wrap the failure of a whole request, with its documented HTTP status."""
    body = {"msg": why.text, "code": why.code, "data": []}
    return Answer(orjson.dumps(body), STATUSES.get(why.code, 200))
