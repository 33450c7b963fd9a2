"""Decimal text to whole quanta and back, exactly; the slow twin of ``feeds/book/levels.py``."""

from decimal import Decimal, InvalidOperation

INT64_MAX = 2**63 - 1
DECIMALS_MAX = 18
DECIMALS_SUM_MIN = 6  # of price and size together: a millionth of the quote can be counted
DECIMALS_SUM_MAX = 24  # and the power of ten that counts it fits a word


def to_quanta(text: str, decimals: int) -> int:
    """Return ``text`` in units of 10**-decimals; raise ValueError unless that is exact and fits."""
    try:
        scaled = Decimal(text).scaleb(decimals)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a decimal number") from None
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        raise ValueError(f"{text!r} has more than {decimals} decimals")
    quanta = int(scaled)
    if abs(quanta) > INT64_MAX:
        raise ValueError(f"{text!r} with {decimals} decimals does not fit 64 bits")
    return quanta


def from_quanta(quanta: int, decimals: int) -> str:
    """Return the exact decimal text of ``quanta``, with all ``decimals`` digits: 150, 2 -> 1.50."""
    sign, digits = ("-" if quanta < 0 else ""), str(abs(quanta)).rjust(decimals + 1, "0")
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}" if decimals else sign + digits


def plain(text: str) -> str:
    """Drop trailing zeros of a decimal text: 1.500 -> 1.5, 100.00 -> 100."""
    return text.rstrip("0").rstrip(".") if "." in text else text
