"""What a fault of a local venue server is, and how a config or a command writes it.

    VENUE:KIND[:RATE][:MSms][:COUNTx][#SYMBOL][@FROM-[TO]]

    kraken:drop                       one frame in a hundred
    binance:delay:0.1:250ms@10-20     one in ten, by 250 ms, from second 10 to 20 of the server
    okx:halt#BTC-USDT@30-             from second 30 on, for one symbol
    *:answer_5xx:3x                   the next three answers, of any venue

The catalogue behind it is shared/RELIABILITY.md section 2.
"""

import re
from enum import StrEnum
from typing import Final

import msgspec

from engine.model.errors import ConfigInvalid

RATE_DEFAULT: Final = 0.01  # of kinds that strike by chance, unless a count is given
MS_MAX: Final = 86_400_000.0
SECONDS_MAX: Final = 1e18
_SPEC: Final = re.compile(
    r"(?P<venue>\*|[a-z-]+):(?P<kind>[a-z_0-9]+)(?P<options>(?::[^:#@]+)*)"
    r"(?:#(?P<symbol>[A-Z0-9/:-]+))?(?:@(?P<start>[0-9.]+)-(?P<end>[0-9.]*))?"
)
_OPTION: Final = re.compile(
    r"(?P<ms>-?[0-9]+(?:\.[0-9]+)?)ms|(?P<count>[0-9]+)x|(?P<rate>[0-9.]+(?:[eE]-?[0-9]+)?)")
_RIGHT: Final = "right would be VENUE:KIND[:RATE][:MSms][:COUNTx][#SYMBOL][@FROM-[TO]]"


class Kind(StrEnum):
    """What goes wrong; the value is the word in configs and control calls."""

    # market data, frame by frame
    DROP = "drop"  # a frame is lost
    DUPLICATE = "duplicate"  # a frame comes twice
    REORDER = "reorder"  # a frame comes after its successor
    TRUNCATE = "truncate"  # the second half of a frame's text is missing
    CORRUPT = "corrupt"  # the high bit of one byte flips: no longer UTF-8
    BLOAT = "bloat"  # 32 MiB of blanks follow a frame's text
    CHECKSUM = "checksum"  # the checksum is wrong; other frames pass
    DELAY = "delay"  # this frame and all behind it come late
    STALL = "stall"  # the connection says nothing for a while, and what was said meanwhile is lost
    HALF_OPEN = "half_open"  # for ever silent and deaf, without closing
    RESET = "reset"  # TCP RST in the middle of a frame
    DISCONNECT = "disconnect"  # closed with code 1001
    # REST books
    STALE_SNAPSHOT = "stale_snapshot"  # the book as it was at the start
    SNAPSHOT_LAG = "snapshot_lag"  # the book as it was ms ago
    NO_SNAPSHOT = "no_snapshot"  # a book request is never answered
    # REST requests
    HTTP_429 = "http_429"  # a request is refused with the venue's rate-limit answer
    HTTP_418 = "http_418"  # the address is banned for ms: every request is refused
    HTTP_500 = "http_500"  # a request fails before it does anything
    # requests that change something: REST other than GET, WebSocket of who proved to be somebody
    REQUEST_LOST = "request_lost"  # the connection closes before anything is done
    REQUEST_LATE = "request_late"  # carried out ms later
    # order entry: the request is carried out, and the client learns it late, wrong or never
    ANSWER_5XX = "answer_5xx"  # carried out, answered with the venue's 5xx; over WebSocket: never
    ANSWER_LOST = "answer_lost"  # carried out, and the connection closes instead of an answer
    ANSWER_NEVER = "answer_never"  # carried out, and the connection stays open without an answer
    ANSWER_LATE = "answer_late"  # answered ms later
    # private streams
    FILL_LATE = "fill_late"  # told ms later than it was
    FILL_DUPLICATE = "fill_duplicate"  # told twice
    FILL_LOST = "fill_lost"  # not told
    FILL_BEFORE_ACK = "fill_before_ack"  # told before the acceptance of its order
    # orders
    CANCEL_FILL_RACE = "cancel_fill_race"  # the order fills while its cancel is under way
    PARTIAL_THEN_END = "partial_then_end"  # half of it fills, the venue ends the rest
    OVERFILL = "overfill"  # an order of spot that fills whole fills a lot more than was asked for
    # the market as it is shown
    GLITCH = "glitch"  # a print at ten times the price, which nobody made
    CROSSED = "crossed"  # a bid stands above the best ask until the line's next change
    # the venue as a whole, for as long as the fault is in force
    MAINTENANCE = "maintenance"  # requests are refused, streams closed
    HALT = "halt"  # a symbol, or all, stands still: no orders, no cancels, no trades
    CANCEL_ONLY = "cancel_only"  # a symbol, or all, takes cancels alone
    POST_ONLY = "post_only"  # a symbol, or all, takes post-only orders and cancels
    FILTERS = "filters"  # tick and lot are ten times as coarse
    CLOCK_SKEW = "clock_skew"  # the venue's clock is ms ahead; behind, if negative
    KEYS_REVOKED = "keys_revoked"  # no API key is known
    USER_SILENT = "user_silent"  # private streams say nothing, market data goes on
    QUERY_LAG = "query_lag"  # queries do not find orders and fills of the last ms
    # the venue as a whole, once
    ID_REUSE = "id_reuse"  # it restarts: streams close, orders are gone, its ids begin again
    ORDERS_LOST = "orders_lost"  # every resting order is gone, and nobody is told
    ORDERS_CANCELLED = "orders_cancelled"  # every resting order is cancelled, by stream too
    BUST = "bust"  # the newest trade of spot is taken back; no venue's page has words for it


FRAME: Final = frozenset({
    Kind.DROP, Kind.DUPLICATE, Kind.REORDER, Kind.TRUNCATE, Kind.CORRUPT, Kind.BLOAT, Kind.CHECKSUM,
    Kind.DELAY, Kind.STALL, Kind.HALF_OPEN, Kind.RESET, Kind.DISCONNECT})
BOOK_REQUEST: Final = frozenset({Kind.STALE_SNAPSHOT, Kind.SNAPSHOT_LAG, Kind.NO_SNAPSHOT})
REQUEST: Final = frozenset({Kind.HTTP_429, Kind.HTTP_418, Kind.HTTP_500})
CHANGE: Final = frozenset({Kind.REQUEST_LOST, Kind.REQUEST_LATE})
ANSWER: Final = frozenset({
    Kind.ANSWER_5XX, Kind.ANSWER_LOST, Kind.ANSWER_NEVER, Kind.ANSWER_LATE})
FILL: Final = frozenset({
    Kind.FILL_LATE, Kind.FILL_DUPLICATE, Kind.FILL_LOST, Kind.FILL_BEFORE_ACK})
ORDER: Final = frozenset({Kind.CANCEL_FILL_RACE, Kind.PARTIAL_THEN_END, Kind.OVERFILL})
SHOWN: Final = frozenset({Kind.GLITCH, Kind.CROSSED})
OF_SYMBOL: Final = frozenset({Kind.HALT, Kind.CANCEL_ONLY, Kind.POST_ONLY, Kind.FILTERS})
STANDING: Final = OF_SYMBOL | {
    Kind.MAINTENANCE, Kind.CLOCK_SKEW, Kind.KEYS_REVOKED, Kind.USER_SILENT, Kind.QUERY_LAG}
ONCE: Final = frozenset({
    Kind.ID_REUSE, Kind.ORDERS_LOST, Kind.ORDERS_CANCELLED, Kind.BUST})
SYMBOL_KINDS: Final = FRAME | BOOK_REQUEST | FILL | ORDER | SHOWN | OF_SYMBOL


class Fault(msgspec.Struct, forbid_unknown_fields=True):
    """One fault in force."""

    venue: str  # "*": every venue
    kind: Kind
    rate: float = 1.0  # probability per frame, request, order or fill
    count: int = -1  # strikes left; -1: no end
    symbol: str = ""  # native or unified; empty: all
    ms: float = 500.0  # how long or late: DELAY, STALL, HTTP_418, *_LATE, *_LAG; far: CLOCK_SKEW
    start_s: float = 0.0  # in force from then, in seconds since the server's start
    end_s: float = SECONDS_MAX


def parse(spec: str) -> Fault:
    """Read "kraken:drop:0.01@10-20"; raise ConfigInvalid with what would be right."""
    match = _SPEC.fullmatch(spec)
    kinds = [kind.value for kind in Kind]
    if match is None or match["kind"] not in kinds:
        raise ConfigInvalid(f"fault {spec!r}: {_RIGHT} with KIND one of {', '.join(kinds)}")
    found: dict[str, str] = {}
    for option in match["options"].split(":")[1:]:
        read = _OPTION.fullmatch(option)
        if read is None or read.lastgroup in found:
            raise ConfigInvalid(f"fault {spec!r}: {option!r} is wrong here; {_RIGHT}")
        found[str(read.lastgroup)] = read[str(read.lastgroup)]
    kind = Kind(match["kind"])
    sure = kind in STANDING | ONCE or "count" in found
    try:
        return checked(Fault(
            match["venue"], kind, float(found.get("rate", 1 if sure else RATE_DEFAULT)),
            count=int(found.get("count", -1)), symbol=match["symbol"] or "",
            ms=float(found.get("ms", 500)), start_s=float(match["start"] or 0),
            end_s=float(match["end"] or SECONDS_MAX),
        ))
    except ValueError as error:
        raise ConfigInvalid(f"fault {spec!r}: {error}") from None


def checked(fault: Fault) -> Fault:
    """Return a fault that can be, one that strikes once with that count; ValueError if not."""
    kind = fault.kind
    if not 0 < fault.rate <= 1:
        raise ValueError(f"the rate lies in (0, 1], found {fault.rate}")
    if fault.rate < 1 and kind in STANDING:
        raise ValueError(f"{kind} holds while it is in force: it has no rate")
    if fault.count == 0 or fault.count < -1:
        raise ValueError(f"the count is 1 or more, or -1 for no end, found {fault.count}")
    if fault.count > 0 and kind in STANDING:
        raise ValueError(f"{kind} holds while it is in force: it has no count")
    if not abs(fault.ms) <= MS_MAX or (fault.ms < 0 and kind is not Kind.CLOCK_SKEW):
        raise ValueError(f"ms lies within a day, above 0 but for clock_skew, found {fault.ms}")
    if not 0 <= fault.start_s < fault.end_s:
        raise ValueError(f"FROM lies before TO, found {fault.start_s} and {fault.end_s}")
    if fault.symbol and kind not in SYMBOL_KINDS:
        raise ValueError(f"{kind} strikes whatever the symbol: it takes none")
    if kind in ONCE and fault.count < 0:
        fault.count = 1
    return fault
