"""What a fault of a local venue server is, and how a config writes it.

"VENUE:KIND[:RATE][@FROM-TO]", seconds since the server's start.  The catalogue is
shared/RELIABILITY.md section 2.
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
    HTTP_429 = "http_429"  # a request is refused with the venue's rate-limit answer
    HTTP_418 = "http_418"  # the address is banned for ms: every request is refused
    HTTP_500 = "http_500"  # a request fails before it does anything
    # order entry: the request is carried out, and the client learns it late, wrong or never
    ANSWER_5XX = "answer_5xx"  # carried out, answered with the venue's 5xx; over WebSocket: never
    ANSWER_LOST = "answer_lost"  # carried out, and the connection closes instead of an answer
    ANSWER_LATE = "answer_late"  # answered ms later
    # private streams
    FILL_LATE = "fill_late"  # told ms later than it was
    FILL_DUPLICATE = "fill_duplicate"  # told twice
    FILL_LOST = "fill_lost"  # not told
    FILL_BEFORE_ACK = "fill_before_ack"  # told before the acceptance of its order
    # orders
    CANCEL_FILL_RACE = "cancel_fill_race"  # the order fills while its cancel is under way
    PARTIAL_THEN_END = "partial_then_end"  # half of it fills, the venue ends the rest
    # the venue as a whole, for as long as the fault is in force
    MAINTENANCE = "maintenance"  # requests are refused, streams closed
    HALT = "halt"  # a symbol, or all, takes no orders and no cancels
    FILTERS = "filters"  # tick and lot are ten times as coarse
    CLOCK_SKEW = "clock_skew"  # the venue's clock is ms ahead
    ID_REUSE = "id_reuse"  # once: the venue restarts, orders are gone, its ids begin again


_KINDS: Final = list(Kind)
FRAME: Final = frozenset(_KINDS[: _KINDS.index(Kind.STALE_SNAPSHOT)])
BOOK_REQUEST: Final = frozenset({Kind.STALE_SNAPSHOT, Kind.NO_SNAPSHOT})
REQUEST: Final = frozenset({Kind.HTTP_429, Kind.HTTP_418, Kind.HTTP_500})
ANSWER: Final = frozenset({Kind.ANSWER_5XX, Kind.ANSWER_LOST, Kind.ANSWER_LATE})
FILL: Final = frozenset({
    Kind.FILL_LATE, Kind.FILL_DUPLICATE, Kind.FILL_LOST, Kind.FILL_BEFORE_ACK})


class Fault(msgspec.Struct, forbid_unknown_fields=True):
    """One fault in force."""

    venue: str  # "*": every venue
    kind: Kind
    rate: float = 1.0  # probability per frame or request
    count: int = -1  # strikes left; -1: no end
    symbol: str = ""  # native; empty: all
    ms: float = 500.0  # how long: DELAY, STALL, HTTP_418, *_LATE; how far: CLOCK_SKEW
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
