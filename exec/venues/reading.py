"""From a venue's texts to typed fields; every way in which that fails becomes DecodeError, once."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta

from engine.model.errors import DecodeError
from engine.model.quanta import to_quanta

T = TypeVar("T")

# A plain decimal number as venues write prices, sizes and money: no exponent; empty where absent.
Number = Annotated[str, Meta(pattern=r"^-?[0-9]{1,24}(\.[0-9]{1,24})?\Z")]
Blank = Annotated[str, Meta(pattern=r"^(-?[0-9]{1,24}(\.[0-9]{1,24})?)?\Z")]
Name = Annotated[str, Meta(min_length=1, max_length=128)]  # ids, symbols, assets
Word = Annotated[str, Meta(max_length=128)]  # the same, or nothing
ABSENT: Final = msgspec.Raw(b"")  # default of a raw field; compare by ``is``

NS_PER_S: Final = 1_000_000_000
NS_PER_MS: Final = 1_000_000
SHOWN: Final = 120  # of a text that could not be read
_MILLIS: Final = re.compile(r"[0-9]{1,13}", re.ASCII)
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z", re.ASCII)


def decoder(shape: type[T]) -> Callable[[bytes | msgspec.Raw], T]:
    """Return a decoder of JSON into ``shape`` that raises DecodeError and nothing else."""
    parse = msgspec.json.Decoder(shape).decode

    def decode(text: bytes | msgspec.Raw) -> T:
        try:
            return parse(text)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise DecodeError(f"{error}: {bytes(text)[:SHOWN]!r}") from None

    return decode


def quanta(text: str, decimals: int) -> int:
    """Return a Number in quanta, 0 for an empty one; raise DecodeError if too fine or negative."""
    if not text:
        return 0
    try:
        found = to_quanta(text, decimals)
    except ValueError as error:
        raise DecodeError(str(error)) from None
    if found < 0:
        raise DecodeError(f"{text!r} is negative")
    return found


def positive(text: str, decimals: int) -> int:
    """Return a price or the size of a fill in quanta; raise DecodeError unless above zero."""
    found = quanta(text, decimals)
    if not found:
        raise DecodeError(f"{text!r} is no price and no size")
    return found


def negated(text: str) -> str:
    """Return a Number with its other sign: venues that charge tell fees as negative amounts."""
    if text.startswith("-"):
        return text[1:]
    return f"-{text}" if text.strip("0.") else text


def ns_of_ms(text: str) -> int:
    """Return a time in ms since 1970 as ns; raise DecodeError for anything else."""
    if _MILLIS.fullmatch(text) is None:
        raise DecodeError(f"{text[:SHOWN]!r} is no time in ms")
    return int(text) * NS_PER_MS


def ns_of_iso(text: str) -> int:
    """Return a time like 2026-08-02T03:35:51.302928Z as Unix ns; or raise DecodeError."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise DecodeError(f"{text[:SHOWN]!r} is no time in UTC")
    try:
        seconds = int(datetime.fromisoformat(match[1]).replace(tzinfo=UTC).timestamp())
    except ValueError:
        raise DecodeError(f"{text!r} is no time") from None
    return seconds * NS_PER_S + int((match[2] or "").ljust(9, "0"))


def iso_ms(unix_ns: int) -> str:
    """Return a time as 2026-08-02T03:35:51.302Z."""
    seconds, rest = divmod(unix_ns, NS_PER_S)
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{rest // NS_PER_MS:03d}Z"
