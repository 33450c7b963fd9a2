"""What a fault of a local venue server is, and how a config writes it.

"VENUE:KIND[:RATE][@FROM-TO]", seconds since the server's start.
"""

import re
from enum import StrEnum
from typing import Final

import msgspec

from engine.model.errors import ConfigInvalid

RATE_DEFAULT: Final = 0.01
_SPEC: Final = re.compile(
    r"(?P<venue>\*|[a-z-]+):(?P<kind>[a-z_0-9]+)(:(?P<rate>[0-9.eE-]+))?"
    r"(@(?P<start>[0-9.]+)-(?P<end>[0-9.]+))?"
)


class Kind(StrEnum):
    """What goes wrong; the value is the word in configs and control calls."""

    DROP = "drop"  # a frame is lost
    DUPLICATE = "duplicate"  # a frame comes twice
    REORDER = "reorder"  # a frame comes after its successor
    TRUNCATE = "truncate"  # the second half of a frame's text is missing
    CORRUPT = "corrupt"  # the high bit of one byte flips: no longer UTF-8
    CHECKSUM = "checksum"  # the checksum is wrong; other frames pass
    DELAY = "delay"  # this frame and all behind it come late
    STALL = "stall"  # the connection says nothing for a while, and what was said meanwhile is lost
    HALF_OPEN = "half_open"  # for ever silent and deaf, without closing
    RESET = "reset"  # TCP RST in the middle of a frame
    DISCONNECT = "disconnect"  # closed with code 1001
    STALE_SNAPSHOT = "stale_snapshot"  # REST: the book as it was at the start
    NO_SNAPSHOT = "no_snapshot"  # REST: a book request is never answered
    HTTP_429 = "http_429"
    HTTP_500 = "http_500"


FRAME: Final = frozenset(list(Kind)[: list(Kind).index(Kind.STALE_SNAPSHOT)])
BOOK_REQUEST: Final = frozenset({Kind.STALE_SNAPSHOT, Kind.NO_SNAPSHOT})
REQUEST: Final = frozenset({Kind.HTTP_429, Kind.HTTP_500})


class Fault(msgspec.Struct, forbid_unknown_fields=True):
    """One fault in force."""

    venue: str  # "*": every venue
    kind: Kind
    rate: float = 1.0  # probability per frame or request
    count: int = -1  # strikes left; -1: no end
    symbol: str = ""  # native; empty: all
    ms: float = 500.0  # how long, for DELAY and STALL
    start_s: float = 0.0  # in force from then, in seconds since the server's start
    end_s: float = 1e18


def parse(spec: str) -> Fault:
    """Read "kraken:drop:0.01@10-20"; raise ConfigInvalid with what would be right."""
    match = _SPEC.fullmatch(spec)
    kinds = [kind.value for kind in Kind]
    if match is None or match["kind"] not in kinds:
        raise ConfigInvalid(
            f"fault {spec!r}: right would be VENUE:KIND[:RATE][@FROM-TO] with KIND one of "
            + ", ".join(kinds)
        )
    try:
        fault = Fault(
            match["venue"], Kind(match["kind"]), float(match["rate"] or RATE_DEFAULT),
            start_s=float(match["start"] or 0), end_s=float(match["end"] or 1e18),
        )
    except ValueError as error:
        raise ConfigInvalid(f"fault {spec!r}: {error}") from None
    if not 0 < fault.rate <= 1 or fault.start_s >= fault.end_s:
        raise ConfigInvalid(f"fault {spec!r}: the rate lies in (0, 1], and FROM before TO")
    return fault
