"""Level text to whole quanta, one level at a time, without a Python object per level.

A position is an index into the text.  A step that meets what the grammar forbids returns
``FAIL``, a position behind every end, so that the steps after it fail too and one look at the
end of a level suffices; nothing reads at or behind ``end``.

number   DIGITS ["." DIGITS], in quotes or bare; bare ones may carry an exponent, as JSON allows
PAIRS    [[number, number, skipped...], ...]
OBJECTS  [{"price": number, "qty": number, skipped...}, ...], keys in any order
SIDED_*  the same with "buy"/"sell" in front, or "side": "bid"/"offer" among the keys

Exact or refused, with a BookFault: PARSE for what is not in the grammar, INEXACT for a value
between two quanta, OVERFLOW for one beyond 64 bits.  The first fault of a level counts.
"""

from typing import Final

import numpy as np

from engine.model.quanta import DECIMALS_MAX, INT64_MAX
from feeds.venue import LevelText
from shm.jit import inlined
from shm.layout import BookFault
from shm.text import Octets, hot, load_eight, octets, trailing_zeros

GARBAGE: Final = int(BookFault.PARSE)
INEXACT: Final = int(BookFault.INEXACT)
OVERFLOW: Final = int(BookFault.OVERFLOW)
FAIL: Final = 1 << 62  # a position that is behind every end
DONE: Final = -1  # the list of levels ended, and the text with it
BID: Final = 0
ASK: Final = 1

_PAIRS: Final = int(LevelText.PAIRS)
_SIDED_PAIRS: Final = int(LevelText.SIDED_PAIRS)
_SIDED_OBJECTS: Final = int(LevelText.SIDED_OBJECTS)
_OBJECTS: Final = int(LevelText.OBJECTS)

_QUOTE, _COMMA, _COLON, _POINT, _ZERO, _NINE = (ord(mark) for mark in '",:.09')
_OPEN, _CLOSE, _OPEN_OBJECT, _CLOSE_OBJECT, _ESCAPE = (ord(mark) for mark in "[]{}\\")
_PLUS, _MINUS, _EXPONENT, _LOWER_CASE = ord("+"), ord("-"), ord("e"), 0x20

POWER: Final = np.array([10**n for n in range(DECIMALS_MAX + 1)], np.int64)
_WHOLE_MAX: Final = np.array([INT64_MAX // 10**n - 1 for n in range(DECIMALS_MAX + 1)], np.int64)
_EXPONENT_MAX: Final = 1 << 20  # larger ones are garbage, not arithmetic
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


def _word(text: str) -> Octets:
    return np.frombuffer(text.encode(), np.uint8)


_PRICE, _QTY = _word("price"), _word("qty")
_SIDE, _PRICE_LEVEL, _NEW_QUANTITY = _word("side"), _word("price_level"), _word("new_quantity")
_BUY, _SELL, _BID, _OFFER = _word("buy"), _word("sell"), _word("bid"), _word("offer")


@inlined
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


@inlined
def _is_digit(mark: int) -> bool:
    return _ZERO <= mark <= _NINE


@inlined
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


@inlined
def number(
    text: Octets, at: int, end: int, decimals: int, bare: bool
) -> tuple[int, int, int, int]:
    """Read a number without sign; return (quanta, next position, decimals as sent, fault).

    decimals  of the quantum, 0 to DECIMALS_MAX
    bare      not in quotes: an exponent is allowed
    What does not fit the quick way (up to 7 whole and 8 decimal digits) goes the slow one.
    """
    if at + 8 < end:
        whole, count = _leading_digits(text, at)
        if 0 < count < 8 and whole <= _WHOLE_MAX[decimals]:
            at_point = at + count
            if text[at_point] != _POINT:
                if text[at_point] | _LOWER_CASE != _EXPONENT:
                    return whole * POWER[decimals], at_point, 0, 0
            elif at_point + 9 < end:
                part, sent = _leading_digits(text, at_point + 1)
                after = at_point + 1 + sent
                if 0 < sent <= decimals and not (
                    _is_digit(text[after]) or text[after] | _LOWER_CASE == _EXPONENT
                ):
                    quanta = whole * POWER[decimals] + part * POWER[decimals - sent]
                    return quanta, after, sent, 0
    return _number_slowly(text, at, end, decimals, bare)


@inlined
def _skip_space(text: Octets, at: int, end: int) -> int:
    while at < end and (text[at] == 0x20 or 0x09 <= text[at] <= 0x0A or text[at] == 0x0D):
        at += 1
    return at


@inlined
def _past(text: Octets, at: int, end: int, mark: int) -> int:
    """Step over white space and one ``mark``, or FAIL."""
    if at < end and text[at] != mark:
        at = _skip_space(text, at, end)
    return at + 1 if at < end and text[at] == mark else FAIL


@inlined
def _value(text: Octets, at: int, end: int, decimals: int) -> tuple[int, int, int, int]:
    """Read a number with or without quotes, like ``number``."""
    at = _skip_space(text, at, end)
    bare = at >= end or text[at] != _QUOTE
    quanta, at, sent, fault = number(text, at if bare else at + 1, end, decimals, bare)
    if not bare:
        at = at + 1 if at < end and text[at] == _QUOTE else FAIL
    return quanta, at, sent, fault


@inlined
def _string(text: Octets, at: int, end: int) -> tuple[int, int]:
    """Step over a string; return the position of its first byte and the one behind it."""
    first = _past(text, at, end, _QUOTE)
    at = first
    while at < end and text[at] != _QUOTE:
        at += 2 if text[at] == _ESCAPE else 1
    return first, (at + 1 if at < end else FAIL)


@inlined
def _skip_value(text: Octets, at: int, end: int) -> int:
    """Step over a string, a number or a word; FAIL at anything nested or empty."""
    at = _skip_space(text, at, end)
    if at < end and text[at] == _QUOTE:
        return _string(text, at, end)[1]
    first = at
    while at < end and (
        _is_digit(text[at]) or ord("a") <= text[at] | _LOWER_CASE <= ord("z")
        or text[at] == _POINT or text[at] == _MINUS or text[at] == _PLUS
    ):
        at += 1
    return at if at > first else FAIL


@inlined
def _is_word(text: Octets, first: int, after: int, word: Octets) -> bool:
    """Tell whether the string from ``first`` to its closing quote before ``after`` is ``word``."""
    if after - 1 - first != word.size:
        return False
    for index in range(word.size):  # noqa: SIM110  (a kernel knows no generators)
        if text[first + index] != word[index]:
            return False
    return True


@inlined
def _side(text: Octets, at: int, end: int, bid: Octets, ask: Octets) -> tuple[int, int]:
    """Read the word for the side; return it and the next position, or FAIL."""
    first, at = _string(text, at, end)
    if at <= end and _is_word(text, first, at, bid):
        return BID, at
    if at <= end and _is_word(text, first, at, ask):
        return ASK, at
    return BID, FAIL


@inlined
def _pair_level(
    text: Octets, at: int, end: int, sided: bool, price_decimals: int, size_decimals: int
) -> tuple[int, int, int, int, int, int]:
    side = BID
    at = _past(text, at, end, _OPEN)
    if sided:
        side, at = _side(text, at, end, _BUY, _SELL)
        at = _past(text, at, end, _COMMA)
    price, at, price_sent, price_fault = _value(text, at, end, price_decimals)
    at = _past(text, at, end, _COMMA)
    size, at, size_sent, size_fault = _value(text, at, end, size_decimals)
    after = _past(text, at, end, _CLOSE)
    while after == FAIL and at < end:
        at = _skip_value(text, _past(text, at, end, _COMMA), end)
        after = _past(text, at, end, _CLOSE)
    fault = price_fault if price_fault != 0 else size_fault
    if fault == 0 and after == FAIL:
        fault = GARBAGE
    return after, side, price, size, price_sent | size_sent << 8, fault


@hot
def _object_level(
    text: Octets, at: int, end: int, sided: bool, price_decimals: int, size_decimals: int
) -> tuple[int, int, int, int, int, int]:
    side, price, size, price_sent, size_sent, fault = BID, 0, 0, 0, 0, 0
    seen, wanted = 0, 7 if sided else 3  # bits: price, size, side
    at = _past(text, at, end, _OPEN_OBJECT)
    while at < end:
        first, after = _string(text, at, end)
        at = _past(text, after, end, _COLON)
        if at == FAIL:
            break
        if _is_word(text, first, after, _PRICE_LEVEL if sided else _PRICE):
            price, at, price_sent, code = _value(text, at, end, price_decimals)
            fault, seen = (fault if fault != 0 else code), seen | 1
        elif _is_word(text, first, after, _NEW_QUANTITY if sided else _QTY):
            size, at, size_sent, code = _value(text, at, end, size_decimals)
            fault, seen = (fault if fault != 0 else code), seen | 2
        elif sided and _is_word(text, first, after, _SIDE):
            side, at = _side(text, at, end, _BID, _OFFER)
            seen |= 4
        else:
            at = _skip_value(text, at, end)
        after = _past(text, at, end, _CLOSE_OBJECT)
        if after != FAIL:
            if seen != wanted:
                break
            return after, side, price, size, price_sent | size_sent << 8, fault
        at = _past(text, at, end, _COMMA)
    return FAIL, side, price, size, 0, fault if fault != 0 else GARBAGE


@inlined
def read_level(
    text: Octets, at: int, end: int, encoding: int, price_decimals: int, size_decimals: int
) -> tuple[int, int, int, int, int, int]:
    """Read the level at ``at``: (next position, side, price, size, decimals as sent, fault).

    encoding  a LevelText; only the SIDED ones set the side, for the others it is BID
    decimals as sent  of the price, plus those of the size << 8
    A fault other than 0 means that the rest is not to be used.
    """
    if encoding in (_PAIRS, _SIDED_PAIRS):
        return _pair_level(
            text, at, end, encoding == _SIDED_PAIRS, price_decimals, size_decimals)
    return _object_level(
        text, at, end, encoding == _SIDED_OBJECTS, price_decimals, size_decimals)


@inlined
def _end_or(text: Octets, at: int, end: int, otherwise: int) -> int:
    """Return DONE if the list closes at ``at`` and the text after it, else ``otherwise``."""
    after = _past(text, at, end, _CLOSE)
    if after == FAIL:
        return otherwise
    return DONE if _skip_space(text, after, end) == end else FAIL


@inlined
def first_level(text: Octets, end: int) -> int:
    """Return the position of the first level, DONE for an empty list, FAIL for no list."""
    at = _past(text, 0, end, _OPEN)
    return _end_or(text, at, end, at)


@inlined
def following_level(text: Octets, at: int, end: int) -> int:
    """Return the position of the level after the one that ended at ``at``, DONE, or FAIL."""
    if at < end and text[at] == _COMMA:
        return at + 1
    return _end_or(text, at, end, _past(text, at, end, _COMMA))


@hot
def read_number(text: object, decimals: int, bare: bool) -> tuple[int, int, int]:
    """Read a text that is one number and nothing else: (quanta, decimals as sent, fault)."""
    view = octets(text)
    quanta, at, sent, fault = number(view, 0, view.size, decimals, bare)
    return quanta, sent, GARBAGE if fault == 0 and at != view.size else fault
