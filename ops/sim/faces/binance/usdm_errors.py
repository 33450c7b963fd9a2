"""What USD-M answers when it refuses: its own codes and texts, and what each Reason becomes.

Source: developers.binance.com/docs/derivatives/usds-margined-futures/error-code, read 2026-11-21.
"""

from typing import Final

from engine.model.quanta import from_quanta, plain
from ops.sim.exchange.filters import Reason, Refusal
from ops.sim.faces.binance.errors import BAD_SYMBOL, NO_SUCH_ORDER, Problem, Refused
from ops.sim.rules import MONEY_DECIMALS

MANY_REQUESTS: Final = Problem(
    -1003, "Too many requests; current limit is {} requests per minute. Please use the websocket "
    "for live updates to avoid polling the API.", 429)
BANNED: Final = Problem(
    -1003, "Way too many requests; IP banned until {}. Please use the websocket for live updates "
    "to avoid bans.", 418)
OUTCOME_UNKNOWN: Final = Problem(
    -1000, "Unknown error, please check your request or try again later.", 503)
COMBINATION: Final = Problem(-1014, "Unsupported order combination.")
PRECISION: Final = Problem(-1111, "Precision is over the maximum defined for this asset.")
TIF_NOT_REQUIRED: Final = Problem(-1114, "TimeInForce parameter sent when not required.")
SYMBOL_STATUS: Final = Problem(-1122, "Invalid symbol status.")
LISTEN_KEY: Final = Problem(
    -1125, "This listenKey does not exist. Please use `POST /fapi/v1/listenKey` to recreate "
    "`listenKey`")
RESPONSE_TYPE: Final = Problem(-1136, "Invalid newOrderRespType.")
UNKNOWN_ORDER: Final = Problem(-2011, "Unknown order sent.")
REDUCE_ONLY: Final = Problem(-2022, "ReduceOnly Order is rejected.")
LEVERAGE_LOW: Final = Problem(
    -2028, "Leverage is smaller than permitted: insufficient margin balance.")
PRICE_ZERO: Final = Problem(-4001, "Price less than 0.")
QUANTITY_ZERO: Final = Problem(-4003, "Quantity less than zero.")
CLIENT_ID: Final = Problem(-4015, "Client order id is not valid.")
CLIENT_ID_LONG: Final = Problem(
    -4015, "Client order id length should not be more than 36 chars")
CLIENT_ID_TAKEN: Final = Problem(-4116, "clientOrderId is duplicated")
DEPTH_LIMIT: Final = Problem(-4021, "{} is not valid depth limit.")
LEVERAGE: Final = Problem(-4028, "Leverage {} is not valid")
SAME_MARGIN: Final = Problem(-4046, "No need to change margin type.")
MARGIN_OPEN_ORDERS: Final = Problem(
    -4047, "Margin type cannot be changed if there exists open orders.")
MARGIN_POSITION: Final = Problem(-4048, "Margin type cannot be changed if there exists position.")
SAME_MODE: Final = Problem(-4059, "No need to change position side.")
POSITION_SIDE: Final = Problem(-4060, "Invalid position side.")
OTHER_SIDE: Final = Problem(-4061, "Order's position side does not match user's setting.")
MODE_OPEN_ORDERS: Final = Problem(
    -4067, "Position side cannot be changed if there exists open orders.")
MODE_POSITION: Final = Problem(-4068, "Position side cannot be changed if there exists position.")
BATCH_SIZE: Final = Problem(-4082, "Invalid number of batch place orders.")
CANCEL_SIZE: Final = Problem(-4032, "Exceed maximum cancel order size.")
UPCOMING: Final = Problem(-4084, "Method is not allowed currently. Upcoming soon.")
ALGO_ORDER: Final = Problem(
    -4120, "Order type not supported for this endpoint. Please use the Algo Order API endpoints "
    "instead.")
NOTIONAL_MIN: Final = Problem(
    -4164, "Order's notional must be no smaller than {} (unless you choose reduce only)")
INTERVAL: Final = Problem(-4165, "Maximum time interval is {} days")
SAME_ASSET_MODE: Final = Problem(
    -4171, "Adjusted asset mode is currently set and does not need to be adjusted repeatedly.")
FOK_KILLED: Final = Problem(
    -5021, "Due to the order could not be filled immediately, the FOK order has been rejected.")
WOULD_TAKE: Final = Problem(
    -5022, "Due to the order could not be executed as maker, the Post Only order will be rejected.")
AMEND_STATUS: Final = Problem(
    -5024, "Symbol is not in trading status. Order amendment is not permitted.")
LIMIT_ONLY: Final = Problem(-5025, "Only limit order is supported.")
SAME_ORDER: Final = Problem(-5027, "No need to modify the order.")
AMEND_NOTIONAL: Final = Problem(-5029, "Order's notional must be no smaller than {}")
PRICE_MATCH: Final = Problem(-5037, "Invalid price match")
PRICE_MATCH_TYPE: Final = Problem(
    -5038, "Price match only supports order type: LIMIT, STOP AND TAKE_PROFIT")
STP_MODE: Final = Problem(-5039, "Invalid self trade prevention mode")
GOOD_TILL: Final = Problem(
    -5040, "The goodTillDate timestamp must be greater than the current time plus 600 seconds and "
    "smaller than 253402300799000 (UTC 9999-12-31 23:59:59)")
NO_DEPTH: Final = Problem(-5041, "No depth matches this BBO order")
BAND_UP: Final = Problem(-4016, "Price is higher than mark price multiplier cap.")
BAND_DOWN: Final = Problem(-4024, "Price is lower than mark price multiplier floor.")

REASONS: Final = {
    Reason.UNKNOWN_ACCOUNT: Problem(-1109, "Invalid account."),
    Reason.UNKNOWN_SYMBOL: BAD_SYMBOL,
    Reason.UNKNOWN_ORDER: NO_SUCH_ORDER,
    Reason.ORDER_ENDED: NO_SUCH_ORDER,
    Reason.DUPLICATE_CLIENT_ID: CLIENT_ID_TAKEN,
    Reason.SHAPE: COMBINATION,
    Reason.MODE: SYMBOL_STATUS,
    Reason.TICK: Problem(-4014, "Price not increased by tick size."),
    Reason.PRICE_MIN: Problem(-4013, "Price less than min price."),
    Reason.PRICE_MAX: Problem(-4002, "Price greater than max price."),
    Reason.BAND: BAND_UP,
    Reason.LOT: Problem(-4023, "Qty not increased by step size."),
    Reason.SIZE_MIN: Problem(-4004, "Quantity less than min quantity."),
    Reason.SIZE_MAX: Problem(-4005, "Quantity greater than max quantity."),
    Reason.NOTIONAL_MIN: NOTIONAL_MIN,
    Reason.NOTIONAL_MAX: Problem(
        -2027, "Exceeded the maximum allowable position at current leverage."),
    Reason.OPEN_ORDERS: Problem(-2025, "Reach max open order limit."),
    Reason.WOULD_TAKE: WOULD_TAKE,
    Reason.REDUCE_ONLY: REDUCE_ONLY,
    Reason.NO_LIQUIDITY: Problem(-2020, "Unable to fill."),
    Reason.FUNDS: Problem(-2018, "Balance is insufficient."),
    Reason.MARGIN: Problem(-2019, "Margin is insufficient."),
    Reason.UNKNOWN_ASSET: Problem(-1126, "This asset is not supported."),
    Reason.AMOUNT: Problem(-4055, "Amount must be positive."),
}


def refused(refusal: Refusal) -> Refused:
    """Return the matching engine's no in the venue's words."""
    problem = REASONS[refusal.reason]
    if refusal.reason is Reason.NOTIONAL_MIN:
        return Refused(problem, plain(from_quanta(refusal.limit, MONEY_DECIMALS)))
    if refusal.reason is Reason.BAND and refusal.got < refusal.limit:
        return Refused(BAND_DOWN)
    return Refused(problem)
