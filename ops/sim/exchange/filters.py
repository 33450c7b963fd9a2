"""What a venue refuses before it matches, each refusal by name with the two numbers compared.

Faces map the names to their venue's codes.  A limit of 0 is no limit.
"""

from collections.abc import Callable
from enum import Enum
from typing import Final

import msgspec

from ops.sim.exchange.fees import PPM
from ops.sim.exchange.orders import BUY, SELL, Kind, Request, Tif
from ops.sim.exchange.symbols import Symbol


class Reason(Enum):
    """Every way to say no."""

    UNKNOWN_ACCOUNT = "unknown account"
    UNKNOWN_SYMBOL = "unknown symbol"
    UNKNOWN_ORDER = "unknown order"
    ORDER_ENDED = "order already ended"  # got: its id
    DUPLICATE_CLIENT_ID = "client order id already used"  # got: the id of the order that has it
    SHAPE = "these options do not go together"
    MODE = "the symbol does not take this now"
    TICK = "price not on a tick"
    PRICE_MIN = "price too low"
    PRICE_MAX = "price too high"
    BAND = "price too far from the reference"
    LOT = "size not on a lot"
    SIZE_MIN = "size too small"
    SIZE_MAX = "size too large"
    NOTIONAL_MIN = "value too small"
    NOTIONAL_MAX = "value too large"
    OPEN_ORDERS = "too many open orders"
    WOULD_TAKE = "a post-only order would take"  # limit: the best opposite price
    REDUCE_ONLY = "a reduce-only order would not reduce"
    NO_LIQUIDITY = "nothing to trade with"
    FUNDS = "insufficient balance"
    MARGIN = "insufficient margin"
    UNKNOWN_ASSET = "unknown asset"
    AMOUNT = "amount must be above 0"


class Refusal(msgspec.Struct, frozen=True):
    """A named no; ``got`` is what came, ``limit`` what it was compared with."""

    reason: Reason
    got: int = 0
    limit: int = 0


class Mode(Enum):
    """What a symbol takes from clients; the outside flow is its driver's to stop."""

    OPEN = "open"
    POST_ONLY = "post only"
    LIMIT_ONLY = "limit only"
    CANCEL_ONLY = "cancel only"
    HALTED = "halted"  # not even cancels


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """A symbol's limits, in its price, size and quote quanta."""

    tick: int = 1
    lot: int = 1
    price_min: int = 0
    price_max: int = 0
    band_down_ppm: int = 0  # below the reference price
    band_up_ppm: int = 0
    band_by_side: bool = False  # buys are bounded above alone, sells below alone
    size_min: int = 0
    size_max: int = 0
    market_size_max: int = 0
    notional_min: int = 0
    notional_max: int = 0
    open_orders_max: int = 0  # per account
    mode: Mode = Mode.OPEN


class Situation(msgspec.Struct, frozen=True, gc=False):
    """What a request is judged against."""

    symbol: Symbol
    filters: Filters
    reference: int  # price a market order is valued at and a band is around; 0 if unknown
    open_orders: int


Check = Callable[[Request, Situation], Refusal | None]


def well_formed(request: Request, _at: Situation) -> Refusal | None:
    """Refuse options that do not go together, and a side or sign that does not exist."""
    market = request.kind is Kind.MARKET
    sized = (request.size > 0) + (request.quote > 0) == 1 and min(request.size, request.quote) >= 0
    ok = (
        request.side in (BUY, SELL)
        and sized
        and (request.price == 0 if market else request.price > 0 and not request.quote)
        and not (request.post_only and (market or request.tif is not Tif.GTC))
    )
    return None if ok else Refusal(Reason.SHAPE)


def mode_allows(request: Request, at: Situation) -> Refusal | None:
    """Refuse what the symbol does not take now."""
    mode = at.filters.mode
    if mode is Mode.OPEN:
        return None
    if mode is Mode.POST_ONLY and request.post_only:
        return None
    if mode is Mode.LIMIT_ONLY and request.kind is Kind.LIMIT:
        return None
    return Refusal(Reason.MODE)


def price_fits(request: Request, at: Situation) -> Refusal | None:
    """Bound a limit price."""
    price, filters = request.price, at.filters
    if request.kind is Kind.MARKET:
        return None
    if price % filters.tick:
        return Refusal(Reason.TICK, price, filters.tick)
    if price < filters.price_min:
        return Refusal(Reason.PRICE_MIN, price, filters.price_min)
    if filters.price_max and price > filters.price_max:
        return Refusal(Reason.PRICE_MAX, price, filters.price_max)
    return None


def within_band(request: Request, at: Situation) -> Refusal | None:
    """Refuse a limit price too far from the reference, as PERCENT_PRICE does."""
    price, reference = request.price, at.reference
    if request.kind is Kind.MARKET or not reference:
        return None
    up, down = at.filters.band_up_ppm, at.filters.band_down_ppm
    if at.filters.band_by_side:
        up, down = (up, 0) if request.side == BUY else (0, down)
    if up and price > (highest := reference * (PPM + up) // PPM):
        return Refusal(Reason.BAND, price, highest)
    if down and price < (lowest := -(-reference * (PPM - down) // PPM)):
        return Refusal(Reason.BAND, price, lowest)
    return None


def size_fits(request: Request, at: Situation) -> Refusal | None:
    """Bound the size; a market order by quote is bounded by its value alone."""
    size, filters = request.size, at.filters
    if not size:
        return None
    if size % filters.lot:
        return Refusal(Reason.LOT, size, filters.lot)
    if size < filters.size_min:
        return Refusal(Reason.SIZE_MIN, size, filters.size_min)
    size_max = filters.size_max
    if request.kind is Kind.MARKET:
        size_max = filters.market_size_max or size_max
    if size_max and size > size_max:
        return Refusal(Reason.SIZE_MAX, size, size_max)
    return None


def notional_fits(request: Request, at: Situation) -> Refusal | None:
    """Bound the value at the limit price, of a market order at the reference price.

    What only closes a position may be worth less than the least.
    """
    filters = at.filters
    price = request.price or at.reference
    value = request.quote or at.symbol.value(price, request.size)
    if price and value < filters.notional_min and not request.reduce_only:
        return Refusal(Reason.NOTIONAL_MIN, value, filters.notional_min)
    if filters.notional_max and value > filters.notional_max:
        return Refusal(Reason.NOTIONAL_MAX, value, filters.notional_max)
    return None


def few_enough(request: Request, at: Situation) -> Refusal | None:
    """Bound the open orders of one account; orders that never rest do not count."""
    limit = at.filters.open_orders_max
    if limit and at.open_orders >= limit and rests(request):
        return Refusal(Reason.OPEN_ORDERS, at.open_orders + 1, limit)
    return None


def rests(request: Request) -> bool:
    """Return whether what does not fill would stay."""
    return request.kind is Kind.LIMIT and request.tif is Tif.GTC


CHECKS: Final[tuple[Check, ...]] = (  # their order is policy
    well_formed, mode_allows, price_fits, within_band, size_fits, notional_fits, few_enough,
)
AMEND_CHECKS: Final[tuple[Check, ...]] = tuple(check for check in CHECKS if check is not few_enough)


def review(
    request: Request, at: Situation, checks: tuple[Check, ...] = CHECKS
) -> Refusal | None:
    """Return the first refusal, None if the request passes."""
    for check in checks:
        refusal = check(request, at)
        if refusal is not None:
            return refusal
    return None
