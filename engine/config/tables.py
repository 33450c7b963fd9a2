"""The tables that say what runs where: venues, books, detection, machine, supervision, logs."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

# Every number has an upper bound: what is derived from it (ns, millionths) fits a 64-bit word.
_DAY_S: Final = 86_400
Milliseconds = Annotated[float, Meta(gt=0, le=_DAY_S * 1000)]
Seconds = Annotated[float, Meta(gt=0, le=_DAY_S)]
Notional = Annotated[float, Meta(gt=0, le=1e12)]
NotionalMin = Annotated[float, Meta(ge=0, le=1e12)]
Rate = Annotated[float, Meta(ge=0.001, le=1_000_000)]
Core = Annotated[int, Meta(ge=0, le=1023)]  # as many as a kernel's affinity mask holds
Ppm = Annotated[int, Meta(ge=-1_000_000, le=1_000_000)]
DECIMALS_EACH_MAX: Final = 15
Decimals = Annotated[int, Meta(ge=0, le=DECIMALS_EACH_MAX)]
Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,30}$")]


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """Base of every table: a misspelt key is an error."""


class Books(Table, frozen=True):
    """How much of each book is kept and shown."""

    depth: Annotated[int, Meta(ge=1, le=1000)] = 50  # levels per side in shared memory
    levels_max: Annotated[int, Meta(ge=16, le=1_048_576)] = 16_384  # per side inside the feed
    trades: Annotated[int, Meta(ge=16, le=1_048_576)] = 1_024  # prints kept per feed, power of 2


class Venue(Table, frozen=True):
    """One market of one exchange: one feed process."""

    symbols: Annotated[list[str], Meta(min_length=1)]  # unified: "BTC/USDT", "BTC/USDT:USDT"
    ws_url: str = ""  # empty: the adapter's own, or the local server's
    rest_url: str = ""
    taker_fee_ppm: Ppm | None = None  # None: the adapter's published entry tier
    maker_fee_ppm: Ppm | None = None
    quotes: bool = True  # also take the best bid/offer stream where it is faster than the book
    connections: Annotated[int, Meta(ge=1, le=1)] = 1  # a second, redundant one is not offered yet
    cpu: Core | None = None


class PairTable(Table, frozen=True):
    """Quanta of one base/quote, common to all venues that list it."""

    price_decimals: Decimals = 8
    size_decimals: Decimals = 8


class Detector(Table, frozen=True):
    """When a cross becomes a signal."""

    edge_min_ppm: Ppm  # net of both taker fees, at the touch; 100 ppm is 1 basis point
    edge_max_ppm: Annotated[int, Meta(gt=0, le=1_000_000)]  # a better one is bad data
    notional_max: dict[str, Notional]  # per signal, by quote currency: {"USDT": 25000.0}
    notional_min: dict[str, NotionalMin]  # smaller ones are not worth two fees
    book_age_ms_max: Milliseconds  # an older book (by receive time) is not acted on
    expiry_ms: Milliseconds = 250.0  # a signal is worthless after this
    repeat_ms: Milliseconds = 1000.0  # an open window signals again after this, or on a better edge
    cpu: Core | None = None


class Wait(Table, frozen=True):
    """How processes without work wait."""

    strategy: Literal["spin", "yield", "park"] = "park"


class Machine(Table, frozen=True):
    """What the box allows; all off by default so that two cores suffice."""

    pin: Literal["off", "auto"] = "off"  # auto: one core each where there are enough
    lock_memory: bool = False


class Supervision(Table, frozen=True):
    """When a process counts as hung, and how often it may come back."""

    silence_max_ms: Milliseconds = 2_000.0
    restarts_max: Annotated[int, Meta(gt=0, le=10_000)] = 20
    restart_window_s: Seconds = 60.0
    backoff_min_ms: Milliseconds = 20.0
    backoff_max_ms: Milliseconds = 2_000.0
    start_max_s: Seconds = 180.0  # the first start compiles


class Sim(Table, frozen=True):
    """Local venue servers in place of the exchanges."""

    market: Literal["synthetic", "captures"] = "synthetic"
    captures: list[str] = []
    speed: Rate = 1.0
    loop: bool = True  # start over at the end of the recording
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 1
    messages_per_s: Rate = 50.0  # book messages per venue, synthetic market
    tls: bool = False
    accounts: Annotated[tuple[Name, ...], Meta(min_length=1)] = ("main", "other")  # at each venue
    balances: dict[str, NotionalMin] = {}  # at the start, by asset; others: worth 1,000,000 USD
    faults: list[str] = []  # "VENUE:KIND[:RATE]...", see engine/model/fault.py


class Logs(Table, frozen=True):
    """Where logs go."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    folder: str = ""  # empty: $XDG_STATE_HOME/trypto-engine/<name>/log
    file_mb_max: Annotated[int, Meta(gt=0, le=65_536)] = 64
    files_max: Annotated[int, Meta(gt=0, le=1000)] = 8
