"""Decimal text to whole quanta, exactly: the innermost loop of a feed.

number   DIGITS ["." DIGITS]; a bare one may carry an exponent, as JSON allows

A position is an index into the text; ``FAIL`` lies behind every end.  A value between two quanta
is INEXACT, one beyond 64 bits OVERFLOW, what is not in the grammar PARSE; 0 is no fault.
"""

from typing import Final

import numpy as np

from engine.model.quanta import DECIMALS_MAX, INT64_MAX
from shm.jit import fused, hot
from shm.layout import BookFault
from shm.text import Octets, load_eight, trailing_zeros

GARBAGE: Final = int(BookFault.PARSE)
INEXACT: Final = int(BookFault.INEXACT)
OVERFLOW: Final = int(BookFault.OVERFLOW)
FAIL: Final = 1 << 62

_POINT, _ZERO, _NINE = ord("."), ord("0"), ord("9")
_PLUS, _MINUS, _EXPONENT, _LOWER_CASE = ord("+"), ord("-"), ord("e"), 0x20

POWER: Final = np.array([10**n for n in range(DECIMALS_MAX + 1)], np.int64)
_WHOLE_MAX: Final = np.array([INT64_MAX // 10**n - 1 for n in range(DECIMALS_MAX + 1)], np.int64)
_EXPONENT_MAX: Final = 1 << 20  # larger ones are garbage, not arithmetic
_QUICK_SIZE: Final = 17  # bytes that ``quick_number`` may load
_SENT_MAX: Final = 255  # decimals as sent are kept in a byte

_ZEROS: Final = np.uint64(0x3030303030303030)  # "00000000"
_TO_HIGH_BIT: Final = np.uint64(0x7676767676767676)  # 0x76 + 10 sets the high bit of a byte
_HIGH_BITS: Final = np.uint64(0x8080808080808080)
_BYTE_PAIRS: Final = np.uint64(0x00FF00FF00FF00FF)
_HALVES: Final = np.uint64(0x0000FFFF0000FFFF)
_TENS: Final = np.uint64(10 * (1 << 8) + 1)
_HUNDREDS: Final = np.uint64(100 * (1 << 16) + 1)
_TEN_THOUSANDS: Final = np.uint64(10_000 * (1 << 32) + 1)
_8, _16, _32 = np.uint64(8), np.uint64(16), np.uint64(32)


@fused
def _leading_digits(text: Octets, at: int) -> tuple[int, int]:
    """Return value and count of the digits that the 8 bytes at ``at`` begin with.

    All eight at once: the first byte that is no digit is found by its high bit, the digits
    before it are moved to the top, and three multiplications join neighbours to pairs,
    fours, eight.
    """
    word = load_eight(text, at) ^ _ZEROS
    count = trailing_zeros(((word + _TO_HIGH_BIT) | word) & _HIGH_BITS) >> 3
    if count == 0:
        return 0, 0
    word = word << np.uint64(64 - 8 * count)
    word = (word * _TENS >> _8) & _BYTE_PAIRS
    word = (word * _HUNDREDS >> _16) & _HALVES
    return int(np.int64(word * _TEN_THOUSANDS >> _32)), count


@fused
def _is_digit(mark: int) -> bool:
    return _ZERO <= mark <= _NINE


@hot
def _exponent(text: Octets, at: int, end: int) -> tuple[int, int]:
    """Read the digits of an exponent, signed; return it and the next position, or FAIL."""
    negative = at < end and text[at] == _MINUS
    if at < end and (text[at] == _MINUS or text[at] == _PLUS):
        at += 1
    if at >= end or not _is_digit(text[at]):
        return 0, FAIL
    exponent = 0
    while at < end and _is_digit(text[at]):
        if exponent > _EXPONENT_MAX:
            return 0, FAIL
        exponent = exponent * 10 + int(np.int64(text[at])) - _ZERO
        at += 1
    return (-exponent if negative else exponent), at


@hot
def _scaled(mantissa: int, huge: bool, shift: int) -> tuple[int, int]:
    """Return (mantissa * 10**shift, fault); ``mantissa`` has no trailing zeros.

    ``huge`` tells that the mantissa itself did not fit: then the value is either beyond 64
    bits, or its last digit, which is not 0, lies below the quantum.
    """
    if mantissa == 0 and not huge:
        return 0, 0
    if shift < 0:
        return 0, INEXACT
    if huge or shift > DECIMALS_MAX or mantissa > INT64_MAX // POWER[shift]:
        return 0, OVERFLOW
    return mantissa * POWER[shift], 0


@hot
def _number_slowly(
    text: Octets, at: int, end: int, decimals: int, bare: bool
) -> tuple[int, int, int, int]:
    """Read any number of the grammar digit by digit; the definition of ``number``."""
    mantissa, zeros, huge = 0, 0, False  # zeros: read but not yet in the mantissa
    digits, fraction, has_point = 0, 0, False
    while at < end:
        if text[at] == _POINT and not has_point and digits > 0:
            has_point, digits = True, 0
        elif _is_digit(text[at]):
            digit = int(np.int64(text[at])) - _ZERO
            digits += 1
            fraction += 1 if has_point else 0
            zeros += 1
            if digit > 0:
                fits = zeros <= DECIMALS_MAX and mantissa <= (INT64_MAX - digit) // POWER[zeros]
                if huge or (mantissa > 0 and not fits):
                    huge = True
                else:
                    mantissa = mantissa * POWER[zeros] + digit if mantissa > 0 else digit
                zeros = 0
        else:
            break
        at += 1
    if digits == 0:
        return 0, FAIL, 0, GARBAGE
    exponent = 0
    if at < end and text[at] | _LOWER_CASE == _EXPONENT:
        if not bare:
            return 0, FAIL, 0, GARBAGE
        exponent, at = _exponent(text, at + 1, end)
        if at == FAIL:
            return 0, FAIL, 0, GARBAGE
    quanta, fault = _scaled(mantissa, huge, decimals + exponent - fraction + zeros)
    return quanta, at, min(max(0, fraction - exponent), _SENT_MAX), fault


@fused
def quick_number(text: Octets, at: int, decimals: int) -> tuple[int, int, int]:
    """Read a number of up to 7 whole and 8 decimal digits; FAIL sends all else the slow way.

    Returns (quanta, next position, decimals as sent).  Loads up to 17 bytes from ``at`` on.  The
    caller must see a mark behind the number that cannot belong to one.
    """
    whole, count = _leading_digits(text, at)
    if not 0 < count < 8 or whole > _WHOLE_MAX[decimals]:
        return 0, FAIL, 0
    at += count
    if text[at] != _POINT:
        return whole * POWER[decimals], at, 0
    part, sent = _leading_digits(text, at + 1)
    if not 0 < sent <= decimals:
        return 0, FAIL, 0
    return whole * POWER[decimals] + part * POWER[decimals - sent], at + 1 + sent, sent


@hot
def number(
    text: Octets, at: int, end: int, decimals: int, bare: bool
) -> tuple[int, int, int, int]:
    """Read a number without sign; return (quanta, next position, decimals as sent, fault).

    decimals  of the quantum, 0 to DECIMALS_MAX
    bare      not in quotes: an exponent is allowed
    """
    if at + _QUICK_SIZE < end:
        quanta, after, sent = quick_number(text, at, decimals)
        if after != FAIL and not (
            _is_digit(text[after]) or text[after] | _LOWER_CASE == _EXPONENT
        ):
            return quanta, after, sent, 0
    return _number_slowly(text, at, end, decimals, bare)
