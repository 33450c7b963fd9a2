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

from feeds.book.numbers import FAIL, GARBAGE, number, quick_number
from feeds.venue import LevelText
from shm.jit import fused, hot
from shm.text import Octets, load_eight

DONE: Final = -1  # the list of levels ended, and the text with it
BID: Final = 0
ASK: Final = 1

_PAIRS: Final = int(LevelText.PAIRS)
_SIDED_PAIRS: Final = int(LevelText.SIDED_PAIRS)
_SIDED_OBJECTS: Final = int(LevelText.SIDED_OBJECTS)
_OBJECTS: Final = int(LevelText.OBJECTS)

_QUOTE, _COMMA, _COLON, _POINT, _ZERO, _NINE = (ord(mark) for mark in '",:.09')
_OPEN, _CLOSE, _OPEN_OBJECT, _CLOSE_OBJECT, _ESCAPE = (ord(mark) for mark in "[]{}\\")
_PLUS, _MINUS, _LOWER_CASE = ord("+"), ord("-"), 0x20

_QUICK_SIZE: Final = 48  # bytes that ``_quick_pair`` may load


def _marks(text: str) -> tuple[np.uint64, np.uint64]:
    """Return marks as ``load_eight`` sees them, and the mask of so many bytes."""
    return np.uint64(int.from_bytes(text.encode(), "little")), np.uint64((1 << 8 * len(text)) - 1)


_BEGIN, _BEGIN_MASK = _marks('["')
_BETWEEN, _BETWEEN_MASK = _marks('","')
_FINISH, _FINISH_MASK = _marks('"]')


def _word(text: str) -> Octets:
    return np.frombuffer(text.encode(), np.uint8)


_PRICE, _QTY = _word("price"), _word("qty")
_SIDE, _PRICE_LEVEL, _NEW_QUANTITY = _word("side"), _word("price_level"), _word("new_quantity")
_BUY, _SELL, _BID, _OFFER = _word("buy"), _word("sell"), _word("bid"), _word("offer")


@fused
def _skip_space(text: Octets, at: int, end: int) -> int:
    while at < end and (text[at] == 0x20 or 0x09 <= text[at] <= 0x0A or text[at] == 0x0D):
        at += 1
    return at


@fused
def _past(text: Octets, at: int, end: int, mark: int) -> int:
    """Step over white space and one ``mark``, or FAIL."""
    if at < end and text[at] != mark:
        at = _skip_space(text, at, end)
    return at + 1 if at < end and text[at] == mark else FAIL


@fused
def _value(text: Octets, at: int, end: int, decimals: int) -> tuple[int, int, int, int]:
    """Read a number with or without quotes, like ``number``."""
    at = _skip_space(text, at, end)
    bare = at >= end or text[at] != _QUOTE
    quanta, at, sent, fault = number(text, at if bare else at + 1, end, decimals, bare)
    if not bare:
        at = at + 1 if at < end and text[at] == _QUOTE else FAIL
    return quanta, at, sent, fault


@fused
def _string(text: Octets, at: int, end: int) -> tuple[int, int]:
    """Step over a string; return the position of its first byte and the one behind it."""
    first = _past(text, at, end, _QUOTE)
    at = first
    while at < end and text[at] != _QUOTE:
        at += 2 if text[at] == _ESCAPE else 1
    return first, (at + 1 if at < end else FAIL)


@fused
def _skip_value(text: Octets, at: int, end: int) -> int:
    """Step over a string, a number or a word; FAIL at anything nested or empty."""
    at = _skip_space(text, at, end)
    if at < end and text[at] == _QUOTE:
        return _string(text, at, end)[1]
    first = at
    while at < end and (
        _ZERO <= text[at] <= _NINE or ord("a") <= text[at] | _LOWER_CASE <= ord("z")
        or text[at] == _POINT or text[at] == _MINUS or text[at] == _PLUS
    ):
        at += 1
    return at if at > first else FAIL


@fused
def _is_word(text: Octets, first: int, after: int, word: Octets) -> bool:
    """Tell whether the string from ``first`` to its closing quote before ``after`` is ``word``."""
    if after - 1 - first != word.size:
        return False
    for index in range(word.size):  # noqa: SIM110  (a kernel knows no generators)
        if text[first + index] != word[index]:
            return False
    return True


@fused
def _side(text: Octets, at: int, end: int, bid: Octets, ask: Octets) -> tuple[int, int]:
    """Read the word for the side; return it and the next position, or FAIL."""
    first, at = _string(text, at, end)
    if at <= end and _is_word(text, first, at, bid):
        return BID, at
    if at <= end and _is_word(text, first, at, ask):
        return ASK, at
    return BID, FAIL


@fused
def _quick_pair(
    text: Octets, at: int, end: int, price_decimals: int, size_decimals: int
) -> tuple[int, int, int, int]:
    """Read ``["price","size"]`` without white space or more, as venues mostly write it.

    Returns (next position, price, size, decimals as sent); FAIL sends all else the slow way.
    """
    if at + _QUICK_SIZE > end or load_eight(text, at) & _BEGIN_MASK != _BEGIN:
        return FAIL, 0, 0, 0
    price, at, price_sent = quick_number(text, at + 2, price_decimals)
    if at == FAIL or load_eight(text, at) & _BETWEEN_MASK != _BETWEEN:
        return FAIL, 0, 0, 0
    size, at, size_sent = quick_number(text, at + 3, size_decimals)
    if at == FAIL or load_eight(text, at) & _FINISH_MASK != _FINISH:
        return FAIL, 0, 0, 0
    return at + 2, price, size, price_sent | size_sent << 8


@hot
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


@fused
def read_level(
    text: Octets, at: int, end: int, encoding: int, price_decimals: int, size_decimals: int
) -> tuple[int, int, int, int, int, int]:
    """Read the level at ``at``: (next position, side, price, size, decimals as sent, fault).

    encoding  a LevelText; only the SIDED ones set the side, for the others it is BID
    decimals as sent  of the price, plus those of the size << 8
    A fault other than 0 means that the rest is not to be used.
    """
    if encoding == _PAIRS:
        after, price, size, sent = _quick_pair(text, at, end, price_decimals, size_decimals)
        if after != FAIL:
            return after, BID, price, size, sent, 0
    if encoding in (_PAIRS, _SIDED_PAIRS):
        return _pair_level(
            text, at, end, encoding == _SIDED_PAIRS, price_decimals, size_decimals)
    return _object_level(
        text, at, end, encoding == _SIDED_OBJECTS, price_decimals, size_decimals)


@fused
def _end_or(text: Octets, at: int, end: int, otherwise: int) -> int:
    """Return DONE if the list closes at ``at`` and the text after it, else ``otherwise``."""
    after = _past(text, at, end, _CLOSE)
    if after == FAIL:
        return otherwise
    return DONE if _skip_space(text, after, end) == end else FAIL


@fused
def first_level(text: Octets, end: int) -> int:
    """Return the position of the first level, DONE for an empty list, FAIL for no list."""
    at = _past(text, 0, end, _OPEN)
    return _end_or(text, at, end, at)


@fused
def following_level(text: Octets, at: int, end: int) -> int:
    """Return the position of the level after the one that ended at ``at``, DONE, or FAIL."""
    if at < end and text[at] == _COMMA:
        return at + 1
    return _end_or(text, at, end, _past(text, at, end, _COMMA))


@fused
def lone_number(text: Octets, decimals: int) -> tuple[int, int]:
    """Read a text that is one number, in quotes or not, and nothing else: (quanta, fault)."""
    end = text.size
    quanta, at, _, fault = _value(text, 0, end, decimals)
    return quanta, GARBAGE if fault == 0 and at != end else fault
