"""Exact products of two words: 128-bit compares and divisions, built from 64-bit halves.

Prices and sizes are whole quanta up to 2**63, fees are parts per million, so every decision
about money is a comparison or a quotient of products that need more than one word.  All
arguments are non-negative ``int64``; a pair ``(high, low)`` is one unsigned 128-bit number.
Floats never appear here.
"""

from typing import Any, Final

import numpy as np

from shm.jit import kernel

INT64_MAX: Final = 2**63 - 1
MILLION: Final = 1_000_000
MICRO_DIGITS: Final = 6  # money is counted in millionths of the quote currency
DIGITS_MAX: Final = 18  # 10**18 is the greatest power of ten in a word
POWERS_OF_TEN: Final = np.array([10**digits for digits in range(DIGITS_MAX + 1)], np.int64)

# Numba turns uint64 op int64 into a float, so every constant that meets a uint64 is one.  Any:
# to the reader of a kernel's result these are plain ints.
_u64: Any = np.uint64
_i64: Any = np.int64
_0, _1, _32, _64 = _u64(0), _u64(1), _u64(32), _u64(64)
_LOW: Final = _u64(2**32 - 1)
_BASE: Final = _u64(2**32)
_TOP: Final = _u64(2**63)


@kernel
def product(a: int, b: int) -> tuple[int, int]:
    """Return ``a * b`` as (high, low), two uint64."""
    a64, b64 = _u64(a), _u64(b)
    a1, a0 = a64 >> _32, a64 & _LOW
    b1, b0 = b64 >> _32, b64 & _LOW
    low = a0 * b0
    middle = a1 * b0 + (low >> _32)  # at most (2**32 - 1)**2 + 2**32 - 1: no carry out
    other = a0 * b1 + (middle & _LOW)
    high = a1 * b1 + (middle >> _32) + (other >> _32)
    return high, (other << _32) | (low & _LOW)


@kernel
def total(a_high: int, a_low: int, b_high: int, b_low: int) -> tuple[int, int]:
    """Return the sum of two 128-bit numbers; it wraps at 2**128."""
    low = _u64(a_low) + _u64(b_low)
    carry = _1 if low < _u64(a_low) else _0
    return _u64(a_high) + _u64(b_high) + carry, low


@kernel
def difference(a_high: int, a_low: int, b_high: int, b_low: int) -> tuple[int, int]:
    """Return a - b of two 128-bit numbers, a not less than b."""
    borrow = _1 if _u64(a_low) < _u64(b_low) else _0
    return _u64(a_high) - _u64(b_high) - borrow, _u64(a_low) - _u64(b_low)


@kernel
def is_less(a_high: int, a_low: int, b_high: int, b_low: int) -> bool:
    """Return whether a < b of two 128-bit numbers."""
    return bool(_u64(a_high) < _u64(b_high)
                or (_u64(a_high) == _u64(b_high) and _u64(a_low) < _u64(b_low)))


@kernel
def at_least(a: int, b: int, c: int, d: int) -> bool:
    """Return whether ``a * b >= c * d``, exactly."""
    left_high, left_low = product(a, b)
    right_high, right_low = product(c, d)
    return bool(left_high > right_high or (left_high == right_high and left_low >= right_low))


@kernel
def quotient(high: int, low: int, divisor: int) -> tuple[int, bool]:
    """Return floor((high, low) / divisor) and whether it left no remainder; divisor > 0.

    A quotient above INT64_MAX comes back as INT64_MAX, not exact.  Knuth's algorithm D with
    two 32-bit digits (The Art of Computer Programming, volume 2, section 4.3.1).
    """
    high64, low64, by = _u64(high), _u64(low), _u64(divisor)
    if high64 == _0:
        whole = low64 // by
        if whole >= _TOP:
            return INT64_MAX, False
        return _i64(whole), bool(whole * by == low64)
    if high64 >= by:
        return INT64_MAX, False
    shift = _0
    while by < _TOP:  # divisors are powers of ten or prices: rarely more than 40 turns
        by <<= _1
        shift += _1
    if shift > _0:
        high64 = (high64 << shift) | (low64 >> (_64 - shift))
        low64 <<= shift
    by1, by0 = by >> _32, by & _LOW
    digit1, left = high64 // by1, high64 % by1
    next1 = low64 >> _32
    while digit1 >= _BASE or digit1 * by0 > ((left << _32) | next1):
        digit1 -= _1
        left += by1
        if left >= _BASE:
            break
    middle = ((high64 << _32) | next1) - digit1 * by  # wraps back into range
    digit0, left = middle // by1, middle % by1
    next0 = low64 & _LOW
    while digit0 >= _BASE or digit0 * by0 > ((left << _32) | next0):
        digit0 -= _1
        left += by1
        if left >= _BASE:
            break
    whole = (digit1 << _32) + digit0
    rest = ((middle << _32) | next0) - digit0 * by
    if whole >= _TOP:
        return INT64_MAX, False
    return _i64(whole), bool(rest == _0)


@kernel
def mul_div(a: int, b: int, divisor: int) -> int:
    """Return floor(a * b / divisor), INT64_MAX where that does not fit; divisor > 0."""
    high, low = product(a, b)
    whole, _ = quotient(high, low, divisor)
    return whole


@kernel
def mul_div_up(a: int, b: int, divisor: int) -> int:
    """Return ceil(a * b / divisor), INT64_MAX where that does not fit; divisor > 0."""
    high, low = product(a, b)
    whole, exact = quotient(high, low, divisor)
    return whole if exact or whole == INT64_MAX else whole + 1


@kernel
def multiple_of_both(a: int, b: int) -> int:
    """Return the least common multiple of two positive numbers, INT64_MAX where it does not fit."""
    x, y = a, b
    while y:
        x, y = y, x % y
    return mul_div(a, b, x)
