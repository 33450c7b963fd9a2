"""The config: typed tables, every unit in its key, no default for what limits risk.

``load`` turns TOML into ``Config`` or raises ConfigInvalid with file, line, key and remedy.
``Config.instruments()`` derives the one table of instruments that every process of a run shares.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from engine.model.instrument import Instrument, Pair

Positive = Annotated[float, Meta(gt=0)]
PositiveInt = Annotated[int, Meta(gt=0)]
NotNegative = Annotated[float, Meta(ge=0)]
NotNegativeInt = Annotated[int, Meta(ge=0)]
Ppm = Annotated[int, Meta(ge=-1_000_000, le=1_000_000)]
Decimals = Annotated[int, Meta(ge=0, le=15)]
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
    connections: Annotated[int, Meta(ge=1, le=16)] = 1
    cpu: NotNegativeInt | None = None


class PairTable(Table, frozen=True):
    """Quanta of one base/quote, common to all venues that list it."""

    price_decimals: Decimals = 8
    size_decimals: Decimals = 8


class Detector(Table, frozen=True):
    """When a cross becomes a signal."""

    edge_min_ppm: Ppm  # net of both taker fees, at the touch; 100 ppm is 1 basis point
    notional_max: Positive  # per signal, in the quote currency
    notional_min: NotNegative  # smaller ones are not worth two fees
    book_age_ms_max: Positive  # an older book (by receive time) is not acted on
    expiry_ms: Positive = 250.0  # a signal is worthless after this
    repeat_ms: Positive = 1000.0  # an open window signals again after this, or on a better edge
    cpu: NotNegativeInt | None = None


class Execution(Table, frozen=True):
    """What execution demands of a signal."""

    edge_min_ppm: Ppm  # on the books as they are when the signal arrives
    cpu: NotNegativeInt | None = None


class Wait(Table, frozen=True):
    """How processes without work wait."""

    strategy: Literal["spin", "yield", "park"] = "park"


class Machine(Table, frozen=True):
    """What the box allows; all off by default so that two cores suffice."""

    pin: Literal["off", "auto"] = "off"  # auto: one core each where there are enough
    lock_memory: bool = False


class Supervision(Table, frozen=True):
    """When a process counts as hung, and how often it may come back."""

    silence_max_ms: Positive = 2_000.0
    restarts_max: PositiveInt = 20
    restart_window_s: Positive = 60.0
    backoff_min_ms: Positive = 20.0
    backoff_max_ms: Positive = 2_000.0
    start_max_s: Positive = 60.0


class Sim(Table, frozen=True):
    """Local venue servers in place of the exchanges."""

    market: Literal["synthetic", "captures"] = "synthetic"
    captures: list[str] = []
    speed: Positive = 1.0
    loop: bool = True  # start over at the end of the recording
    seed: int = 1
    messages_per_s: Positive = 50.0  # book messages per venue, synthetic market
    tls: bool = False
    faults: list[str] = []  # "VENUE:KIND[:RATE]", see ops/sim/faults.py


class Logs(Table, frozen=True):
    """Where logs go."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    folder: str = ""  # empty: $XDG_STATE_HOME/trypto-engine/<name>/log
    file_mb_max: PositiveInt = 64
    files_max: PositiveInt = 8


class Config(Table, frozen=True):
    """The whole config of one engine."""

    name: Name
    venues: Annotated[dict[Name, Venue], Meta(min_length=1)]
    detector: Detector
    execution: Execution
    mode: Literal["dry_run", "paper", "live"] = "dry_run"
    pairs: dict[str, PairTable] = {}
    books: Books = Books()
    wait: Wait = Wait()
    machine: Machine = Machine()
    supervision: Supervision = Supervision()
    logs: Logs = Logs()
    sim: Sim | None = None  # present: local servers instead of the exchanges


def instruments(config: Config) -> list[Instrument]:
    """Return the run's table, in config order: index i stands at position i."""
    groups: dict[str, int] = {}
    table: list[Instrument] = []
    for venue_index, (venue, wanted) in enumerate(config.venues.items()):
        for local_index, symbol in enumerate(wanted.symbols):
            pair = Pair.parse(symbol)
            quanta = config.pairs.get(pair.group, PairTable())
            table.append(Instrument(
                index=len(table), local_index=local_index, venue=venue, venue_index=venue_index,
                pair=pair, group_index=groups.setdefault(pair.group, len(groups)),
                price_decimals=quanta.price_decimals, size_decimals=quanta.size_decimals,
            ))
    return table
