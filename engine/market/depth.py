"""How much of a cross is worth taking: two books walked level by level, in exact integers.

Money is counted in millionths of the quote currency and always rounded against us, so a
profit of 1 is a profit.  ``unit`` is the number of price quanta times size quanta in one such
millionth: 10**(price decimals + size decimals - 6).
"""

from typing import Final

from engine.market.exact import (
    DIGITS_MAX,
    INT64_MAX,
    MICRO_DIGITS,
    MILLION,
    POWERS_OF_TEN,
    at_least,
    difference,
    is_less,
    mul_div,
    mul_div_up,
    multiple_of_both,
    product,
    quotient,
    total,
)
from engine.model.quanta import DECIMALS_SUM_MAX, DECIMALS_SUM_MIN
from shm.atomics import Words
from shm.jit import inlined, kernel
from shm.layout import INSTRUMENT, Veto, word_of

DECIMALS_MIN: Final = MICRO_DIGITS  # of price and size together
DECIMALS_MAX: Final = DIGITS_MAX + MICRO_DIGITS
assert (DECIMALS_MIN, DECIMALS_MAX) == (DECIMALS_SUM_MIN, DECIMALS_SUM_MAX)  # what configs may ask

# The words of ``terms``: under what conditions two books may be crossed.
(BUY_FEE, SELL_FEE, EDGE_MIN, EDGE_MAX, NOTIONAL_MAX, SIZE_MAX, LOT, SIZE_MIN, COST_MIN,
 PROCEEDS_MIN, UNIT) = range(11)
TERMS_WORDS: Final = 16

# The words of ``result``.  NUMBER and LIMIT are what the veto compared.
(SIZE, BUY_LIMIT, SELL_LIMIT, BUY_AVERAGE, SELL_AVERAGE, COST, PROCEEDS, PROFIT, GROSS_PPM,
 NET_PPM, TAKEN_PPM, NUMBER, LIMIT) = range(13)
RESULT_WORDS: Final = 16

TAKER_FEE: Final = word_of(INSTRUMENT, "taker_fee_ppm")
_LOT: Final = word_of(INSTRUMENT, "lot")
_SIZE_MIN: Final = word_of(INSTRUMENT, "size_min")
_NOTIONAL_MIN: Final = word_of(INSTRUMENT, "notional_min")
_PRICE_DECIMALS: Final = word_of(INSTRUMENT, "price_decimals")
_SIZE_DECIMALS: Final = word_of(INSTRUMENT, "size_decimals")
_VETO_EDGE: Final = int(Veto.EDGE)
_VETO_SIZE: Final = int(Veto.SIZE)
_VETO_NOTIONAL: Final = int(Veto.NOTIONAL)
_VETO_TOO_GOOD: Final = int(Veto.TOO_GOOD)


@inlined
def is_cross(bid: int, sell_fee: int, ask: int, buy_fee: int, edge_ppm: int) -> bool:
    """Return whether ``bid * (1 - sell fee) >= ask * (1 + buy fee) * (1 + edge)``, exactly."""
    return at_least(
        bid, (MILLION - sell_fee) * MILLION, ask, (MILLION + buy_fee) * (MILLION + edge_ppm)
    )


@inlined
def is_too_good(bid: int, sell_fee: int, ask: int, buy_fee: int, edge_ppm: int) -> bool:
    """Return whether the edge of ``is_cross`` is greater than ``edge_ppm``, exactly."""
    return not at_least(
        ask, (MILLION + buy_fee) * (MILLION + edge_ppm), bid, (MILLION - sell_fee) * MILLION
    )


@kernel
def terms_of(words: Words, buy_row: int, sell_row: int, terms: Words) -> None:
    """Fill in what the venues of both legs demand, from their rows of the instruments segment.

    EDGE_MIN, EDGE_MAX, NOTIONAL_MAX, SIZE_MAX and the config's share of COST_MIN stay the caller's.
    """
    terms[BUY_FEE], terms[SELL_FEE] = words[buy_row + TAKER_FEE], words[sell_row + TAKER_FEE]
    terms[LOT] = multiple_of_both(max(words[buy_row + _LOT], 1), max(words[sell_row + _LOT], 1))
    terms[SIZE_MIN] = max(words[buy_row + _SIZE_MIN], words[sell_row + _SIZE_MIN])
    terms[COST_MIN] = words[buy_row + _NOTIONAL_MIN]
    terms[PROCEEDS_MIN] = words[sell_row + _NOTIONAL_MIN]
    decimals = words[buy_row + _PRICE_DECIMALS] + words[buy_row + _SIZE_DECIMALS]
    terms[UNIT] = POWERS_OF_TEN[decimals - MICRO_DIGITS]


@inlined
def _profitable_size(
    asks: Words, ask_sizes: Words, ask_count: int, bids: Words, bid_sizes: Words, bid_count: int,
    terms: Words,
) -> int:
    """Return the size at which the marginal edge, the notional or the books end."""
    size, ask, bid = 0, 0, 0
    cap_high, cap_low = product(terms[NOTIONAL_MAX], terms[UNIT])
    spent_high, spent_low = product(0, 0)
    ask_left = ask_sizes[0] if ask_count > 0 else 0
    bid_left = bid_sizes[0] if bid_count > 0 else 0
    while ask < ask_count and bid < bid_count and size < terms[SIZE_MAX]:
        if not is_cross(bids[bid], terms[SELL_FEE], asks[ask], terms[BUY_FEE], terms[EDGE_MIN]):
            break
        step = min(ask_left, bid_left, terms[SIZE_MAX] - size)
        cost_high, cost_low = product(step, asks[ask])
        after_high, after_low = total(spent_high, spent_low, cost_high, cost_low)
        if is_less(cap_high, cap_low, after_high, after_low):
            left_high, left_low = difference(cap_high, cap_low, spent_high, spent_low)
            affordable, _ = quotient(left_high, left_low, asks[ask])
            size += affordable
            break
        spent_high, spent_low = after_high, after_low
        size += step
        ask_left -= step
        bid_left -= step
        if ask_left == 0:
            ask += 1
            ask_left = ask_sizes[ask] if ask < ask_count else 0
        if bid_left == 0:
            bid += 1
            bid_left = bid_sizes[bid] if bid < bid_count else 0
    return size


@inlined
def _take(prices: Words, sizes: Words, count: int, size: int) -> tuple[int, int, int, int]:
    """Take ``size`` from the best level on; return its 128-bit value, worst price, what is shown.

    What is shown counts all of the last level taken.
    """
    high, low = product(0, 0)
    left, worst, shown = size, 0, 0
    for level in range(count):
        if left == 0:
            break
        step = min(left, sizes[level])
        step_high, step_low = product(step, prices[level])
        high, low = total(high, low, step_high, step_low)
        left -= step
        worst = prices[level]
        shown += sizes[level]
    return high, low, worst, shown


@inlined
def _up(whole: int, exact: bool) -> int:
    return whole if exact or whole == INT64_MAX else whole + 1


@kernel
def cross(
    asks: Words, ask_sizes: Words, ask_count: int, bids: Words, bid_sizes: Words, bid_count: int,
    terms: Words, result: Words,
) -> int:
    """Size one cross, buying the asks of one book and selling to the bids of the other.

    asks, bids    effective levels, best first, in quanta (``engine.market.touch.read_side``)
    terms         see above; the walk ends where the next quantum earns less than EDGE_MIN
    result        see above; COST is rounded up, PROCEEDS down, averages against us
    returns       0, or the Veto: TOO_GOOD (at the touch), EDGE (nothing profitable), SIZE, NOTIONAL
    """
    result[SIZE] = 0
    if ask_count > 0 and bid_count > 0 and is_too_good(
        bids[0], terms[SELL_FEE], asks[0], terms[BUY_FEE], terms[EDGE_MAX]
    ):
        result[NUMBER], result[LIMIT] = _edge_ppm(asks, bids, terms), terms[EDGE_MAX]
        return _VETO_TOO_GOOD
    found = _profitable_size(asks, ask_sizes, ask_count, bids, bid_sizes, bid_count, terms)
    size = found - found % terms[LOT]
    result[SIZE] = size
    if found == 0:
        nobody = ask_count == 0 or bid_count == 0
        result[NUMBER] = -MILLION if nobody else _edge_ppm(asks, bids, terms)
        result[LIMIT] = terms[EDGE_MIN]
        return _VETO_EDGE
    if size == 0 or size < terms[SIZE_MIN]:
        result[NUMBER], result[LIMIT] = found, max(terms[SIZE_MIN], terms[LOT])
        return _VETO_SIZE
    high, low, result[BUY_LIMIT], buy_shown = _take(asks, ask_sizes, ask_count, size)
    whole, exact = quotient(high, low, terms[UNIT])
    cost = _up(whole, exact)
    whole, exact = quotient(high, low, size)
    result[BUY_AVERAGE] = _up(whole, exact)
    high, low, result[SELL_LIMIT], sell_shown = _take(bids, bid_sizes, bid_count, size)
    proceeds, _ = quotient(high, low, terms[UNIT])
    result[SELL_AVERAGE], _ = quotient(high, low, size)
    result[COST], result[PROCEEDS] = cost, proceeds
    if cost < terms[COST_MIN] or proceeds < terms[PROCEEDS_MIN] or cost == 0:
        result[NUMBER], result[LIMIT] = min(cost, proceeds), max(
            terms[COST_MIN], terms[PROCEEDS_MIN], 1
        )
        return _VETO_NOTIONAL
    # fees may be negative (rebates): both are rounded against us by rounding the remainder
    paid = mul_div_up(cost, MILLION + terms[BUY_FEE], MILLION)
    earned = mul_div(proceeds, MILLION - terms[SELL_FEE], MILLION)
    result[PROFIT] = earned - paid
    result[GROSS_PPM] = _ppm(proceeds - cost, cost)
    result[NET_PPM] = _ppm(earned - paid, paid)
    result[TAKEN_PPM] = mul_div(size, MILLION, min(buy_shown, sell_shown))
    return 0


@inlined
def _ppm(part: int, whole: int) -> int:
    """Return part / whole in parts per million, rounded down; ``whole`` is positive."""
    if part >= 0:
        return mul_div(part, MILLION, whole)
    return -mul_div_up(-part, MILLION, whole)


@inlined
def _edge_ppm(asks: Words, bids: Words, terms: Words) -> int:
    """Return the net edge at the touch in ppm, for people."""
    earned = mul_div(bids[0], MILLION - terms[SELL_FEE], MILLION)
    paid = mul_div_up(asks[0], MILLION + terms[BUY_FEE], MILLION)
    return _ppm(earned - paid, max(paid, 1))
