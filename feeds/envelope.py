"""From raw frames to typed fields, and every way in which that fails becomes DecodeError, once."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta

from engine.model.errors import DecodeError
from feeds.venue import Frame

T = TypeVar("T")

# A plain decimal number as venues write prices and sizes: no sign, no exponent.
Number = Annotated[str, Meta(pattern=r"^[0-9]+(\.[0-9]+)?\Z", max_length=40)]
# Text that counts: trade ids, checksums; 18 digits fit 64 bits.
Digits = Annotated[str, Meta(pattern=r"^[0-9]{1,18}\Z")]
Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Millis = Annotated[int, Meta(ge=0, le=9_000_000_000_000)]  # to the year 2255: in ns still 63 bits

NS_PER_MS: Final = 1_000_000
ABSENT: Final = msgspec.Raw(b"")  # default of a raw field; compare by ``is``

_NUMBER: Final = re.compile(rb"[0-9]+(?:\.[0-9]+)?")
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d):([0-5]\d|60)(?:\.(\d{1,9}))?Z", re.ASCII)


def malformed(frame: Frame | msgspec.Raw, why: object) -> DecodeError:
    """Return the error for ``frame``, with its beginning for the person at night."""
    return DecodeError(f"{why}: {bytes(frame)[:120]!r}")


def decoder(shape: type[T], *, strict: bool = True) -> Callable[[Frame | msgspec.Raw], T]:
    """Return a decoder of JSON into ``shape`` that raises DecodeError and nothing else.

    Not ``strict``: numbers may come as text.
    """
    parse = msgspec.json.Decoder(shape, strict=strict).decode

    def decode(frame: Frame | msgspec.Raw) -> T:
        try:
            return parse(frame)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise malformed(frame, error) from None

    return decode


def number(raw: msgspec.Raw) -> str:
    """Return the text of a JSON number exactly as sent; raise DecodeError for anything else."""
    text = bytes(raw)
    if _NUMBER.fullmatch(text) is None:
        raise DecodeError(f"{text[:40]!r} is not a plain number")
    return text.decode("ascii")


def unix_ns(text: str) -> int:
    """Return ns since the Unix epoch of ``2026-08-02T03:35:51.660084Z``; raise DecodeError."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise DecodeError(f"{text[:40]!r} is not a UTC time")
    minute, second, fraction = match.groups("0")
    return _minute_ns(minute) + int(second) * 1_000_000_000 + int(fraction.ljust(9, "0"))


@lru_cache(maxsize=64)
def _minute_ns(text: str) -> int:
    """Return ns at the start of a minute: the part that hundreds of messages share."""
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000_000
    except ValueError as error:
        raise DecodeError(f"{text!r}: {error}") from None
