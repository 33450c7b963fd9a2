"""Kraken's numbers and times, exactly: JSON numbers are read as decimals, never as floats."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Context, Decimal
from typing import Final

from engine.model.errors import DecodeError
from engine.model.quanta import INT64_MAX

DIGITS_MAX: Final = 40
EXPONENT_MAX: Final = 24  # in both directions: what money can be counted in
_EXACT: Final = Context(prec=4 * EXPONENT_MAX + 2 * DIGITS_MAX)
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_MICROSECOND: Final = timedelta(microseconds=1)


def quanta(value: Decimal, decimals: int) -> int:
    """Return a number in units of 10**-decimals; raise DecodeError unless exact, and of 64 bits."""
    sign, digits, exponent = _parts(value)
    up: int = 10 ** max(0, exponent + decimals)
    down: int = 10 ** max(0, -exponent - decimals)
    found, rest = divmod(digits * up, down)
    if rest:
        raise DecodeError(f"{value} has more than {decimals} decimals")
    if found > INT64_MAX:
        raise DecodeError(f"{value} with {decimals} decimals does not fit 64 bits")
    return -found if sign else found


def amount(value: Decimal) -> str:
    """Return exact decimal text; raise DecodeError for what no amount of money is."""
    _parts(value)
    return f"{value:f}"


def difference(value: Decimal, other: Decimal) -> str:
    """Return exact decimal text of one amount less another; raise DecodeError."""
    _parts(value)
    _parts(other)
    return amount(_EXACT.subtract(value, other))


def total(values: Sequence[Decimal]) -> str:
    """Return exact decimal text of a sum; raise DecodeError."""
    found = Decimal(0)
    for value in values:
        _parts(value)
        found = _EXACT.add(found, value)
    return amount(found)


def _parts(value: Decimal) -> tuple[int, int, int]:
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int) or len(digits) > DIGITS_MAX or abs(exponent) > EXPONENT_MAX:
        raise DecodeError("a number that is no amount of anything")
    return sign, int("".join(map(str, digits))), exponent


def unix_ns_of(text: str) -> int:
    """Read an RFC 3339 time; raise DecodeError."""
    try:
        return (datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND * 1000
    except (ValueError, TypeError):  # TypeError: no time zone
        raise DecodeError(f"{text[:40]!r} is no RFC 3339 time") from None


class Deadlines:
    """Writes times as RFC 3339 with milliseconds; the date is made once a second."""

    def __init__(self) -> None:
        self._second, self._text = -1, ""

    def __call__(self, unix_ns: int) -> str:
        """Return the text of a time, rounded down."""
        second, rest = divmod(unix_ns, 10**9)
        if second != self._second:
            at = _EPOCH + timedelta(seconds=second)
            self._second, self._text = second, f"{at:%Y-%m-%dT%H:%M:%S}"
        return f"{self._text}.{rest // 10**6:03d}Z"
