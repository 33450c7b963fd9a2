"""Binance's numbers and texts, read by one strict grammar: plain decimals, no exponent, ASCII."""

import re
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta

from engine.model.errors import DecodeError
from engine.model.quanta import INT64_MAX

# A plain decimal number with as many decimals as exec.state can count.
Number = Annotated[str, Meta(pattern=r"^-?[0-9]{1,20}(\.[0-9]{1,24})?\Z")]
# Symbols, assets, client ids, words: no control characters; a Word may be nothing.
Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f-\x9f]*\Z")]
Word = Annotated[str, Meta(max_length=64, pattern=r"^[^\x00-\x1f\x7f-\x9f]*\Z")]
Count = Annotated[int, Meta(ge=0, le=INT64_MAX)]  # ids and times
TEXT_MAX: Final = 200
MS_NS: Final = 1_000_000
YEAR_MS: Final = 365 * 86_400_000
TIME_MS_MAX: Final = 200 * YEAR_MS  # what still fits 64 bits as ns
_DIGITS: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
_T = TypeVar("_T")


def read(decoder: "msgspec.json.Decoder[_T]", text: bytes | msgspec.Raw) -> _T:
    """Return what a JSON text says; raise DecodeError and nothing else."""
    try:
        return decoder.decode(text)
    except (ValueError, RecursionError) as error:  # msgspec's own errors are ValueErrors
        start = bytes(text)[:TEXT_MAX]
        raise DecodeError(f"{shown(str(error))}: {shown(repr(start))}") from None


def quanta(text: str, decimals: int) -> int:
    """Return a Number in units of 10**-decimals; raise DecodeError unless exact and 64 bits."""
    whole, _, fraction = text.partition(".")
    if fraction[decimals:].strip("0"):
        raise DecodeError(f"{text!r} has more than {decimals} decimals")
    found = int(whole + fraction[:decimals].ljust(decimals, "0"))
    if abs(found) > INT64_MAX:
        raise DecodeError(f"{text!r} with {decimals} decimals does not fit 64 bits")
    return found


def positive(text: str, decimals: int) -> int:
    """Return a price or the size of a fill in quanta; raise DecodeError unless above zero."""
    found = quanta(text, decimals)
    if found <= 0:
        raise DecodeError(f"{text!r} is no price and no size")
    return found


def filled(text: str, decimals: int) -> int:
    """Return a cumulative size in quanta; raise DecodeError for a negative one."""
    found = quanta(text, decimals)
    if found < 0:
        raise DecodeError(f"{text!r} is no size")
    return found


def is_zero(text: str) -> bool:
    """Return whether a Number is nothing."""
    return not text.strip("-0.")


def unix_ns(time_ms: int) -> int:
    """Return a time of the venue in ns; raise DecodeError for one that is none."""
    if time_ms > TIME_MS_MAX:
        raise DecodeError(f"{time_ms} is no time in ms")
    return time_ms * MS_NS


def whole(text: str) -> int | None:
    """Return a count as headers write it, None for anything else."""
    return int(text) if _DIGITS.fullmatch(text) else None


def shown(text: str) -> str:
    """Return the venue's words fit for a journal: short, and without control characters."""
    return "".join(each if each.isprintable() else "?" for each in text[:TEXT_MAX])
