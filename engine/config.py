"""The config: typed tables, every unit in its key, no default for what limits risk.

``load`` turns TOML into ``Config`` or raises ConfigInvalid with file, line, key and remedy.
``instruments`` derives the one table of instruments that every process of a run shares.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from engine.model.errors import ConfigInvalid
from engine.model.instrument import Instrument, Kind, Pair
from engine.model.venues import VENUES
from engine.toml_convert import Fault, closest, convert
from engine.toml_lines import line_of

Positive = Annotated[float, Meta(gt=0, le=1e12)]  # in millionths it fits a word
PositiveInt = Annotated[int, Meta(gt=0)]
NotNegative = Annotated[float, Meta(ge=0, le=1e12)]
NotNegativeInt = Annotated[int, Meta(ge=0)]
Ppm = Annotated[int, Meta(ge=-1_000_000, le=1_000_000)]
Decimals = Annotated[int, Meta(ge=0, le=15)]
Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,30}$")]


_SYMBOL: Final = re.compile(r"[A-Z0-9]{1,12}/[A-Z0-9]{1,12}(:[A-Z0-9]{1,12})?")
_SYMBOL_RIGHT: Final = "right would be 'BTC/USDT', or 'BTC/USDT:USDT' for a perpetual"
MONEY_DECIMALS: Final = (6, 24)  # of price and size together: money is counted in millionths
_SILENCE_MS_MIN: Final = 500.0  # processes beat every 100 ms
_FILE_SIZE_MAX: Final = 1 << 20


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
    start_max_s: Positive = 180.0  # the first start compiles


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


def load(path: Path) -> Config:
    """Read a config file; raise ConfigInvalid with file, line, key, what was found, what is right.

    Relative capture files are taken to lie beside the config.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_FILE_SIZE_MAX).decode("utf-8-sig")
    except OSError as error:
        raise ConfigInvalid(
            f"{path}: {error.strerror}; right would be the path of a TOML file") from None
    except UnicodeDecodeError as error:
        raise ConfigInvalid(
            f"{path}: not UTF-8 at byte {error.start}; right would be a TOML file") from None
    return parse(text, source=str(path), folder=path.parent)


def parse(text: str, *, source: str, folder: Path) -> Config:
    """Turn TOML text into a checked Config, as ``load`` does; ``source`` names it in errors."""
    try:
        raw = tomllib.loads(text)
    except RecursionError:
        raise ConfigInvalid(
            f"{source}: nested too deeply; right would be tables of plain values") from None
    except tomllib.TOMLDecodeError as error:
        found = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", str(error))
        line = found[1] if found and found[1] else text.count("\n") + 1
        said = str(error)[: found.start()] if found else str(error)
        raise ConfigInvalid(f"{source}:{line}: not TOML: {said}") from None
    try:
        config = _beside(convert(raw, Config), folder)
        for fault in _faults(config):
            raise fault
    except Fault as fault:
        raise ConfigInvalid(f"{source}:{line_of(text, fault.path)}: {fault}") from None
    return config


def _beside(config: Config, folder: Path) -> Config:
    """Make the paths of captures absolute: processes need not share a working folder."""
    if config.sim is None:
        return config
    files = [str((folder / Path(name).expanduser()).resolve()) for name in config.sim.captures]
    sim = msgspec.structs.replace(config.sim, captures=files)
    return msgspec.structs.replace(config, sim=sim)


def _faults(config: Config) -> Iterator[Fault]:
    """Yield what no single key shows, first things first."""
    for name, venue in config.venues.items():
        yield from _venue_faults(name, venue)
    groups = {Pair.parse(symbol).group for venue in config.venues.values()
              for symbol in venue.symbols}
    least, most = MONEY_DECIMALS
    for pair, quanta in config.pairs.items():
        if pair not in groups:
            yield Fault(("pairs", pair), f"no venue trades it; right would be"
                        f" {closest(pair, sorted(groups))}")
        if not least <= (both := quanta.price_decimals + quanta.size_decimals) <= most:
            yield Fault(("pairs", pair), f"price-decimals and size-decimals together are {both};"
                        f" right would be {least} to {most}")
    if config.mode != "dry_run":
        yield Fault(("mode",), f"{config.mode!r} cannot be had yet: this version sends no order;"
                    " right would be 'dry_run'")
    trades = config.books.trades
    if trades & (trades - 1):
        yield Fault(("books", "trades"), f"found {trades}; right would be a power of 2, such as"
                    f" {1 << trades.bit_length()}")
    for low, high in (
        (("detector", "notional-min"), ("detector", "notional-max")),
        (("supervision", "backoff-min-ms"), ("supervision", "backoff-max-ms")),
        (("books", "depth"), ("books", "levels-max")),
    ):
        lesser, greater = _value(config, low), _value(config, high)
        if lesser > greater:
            yield Fault(low, f"found {lesser}, more than {high[1]} = {greater}; right would be at"
                        " most that")
    if config.supervision.silence_max_ms < _SILENCE_MS_MIN:
        yield Fault(("supervision", "silence-max-ms"),
                    f"found {config.supervision.silence_max_ms}; right would be at least"
                    f" {_SILENCE_MS_MIN:.0f}: processes beat every 100 ms")
    if config.sim is not None:
        yield from _sim_faults(config.sim, config)


def _value(config: Config, path: tuple[str, str]) -> float:
    table: Table = getattr(config, path[0])
    value: float = getattr(table, path[1].replace("-", "_"))
    return value


def _venue_faults(name: str, venue: Venue) -> Iterator[Fault]:
    if name not in VENUES:
        yield Fault(("venues", name), f"unknown venue; right would be {closest(name, [*VENUES])}")
        return
    for index, symbol in enumerate(venue.symbols):
        path = ("venues", name, "symbols", index)
        if not _SYMBOL.fullmatch(symbol):
            yield Fault(path, f"{symbol!r} is not a symbol; {_SYMBOL_RIGHT}")
        elif symbol in venue.symbols[:index]:
            yield Fault(path, f"{symbol!r} stands here twice; right would be once")
        elif (pair := Pair.parse(symbol)).kind not in VENUES[name]:
            right = pair.group if pair.kind is Kind.PERPETUAL else f"{symbol}:{pair.quote}"
            yield Fault(path, f"{symbol!r} is a {pair.kind.name.lower()}, which {name} does not"
                        f" trade; right would be {right!r}, or another venue")
    for key, url, schemes in (("ws-url", venue.ws_url, ("ws://", "wss://")),
                              ("rest-url", venue.rest_url, ("http://", "https://"))):
        if url and not url.startswith(schemes):
            yield Fault(("venues", name, key),
                        f"found {url!r}; right would begin with {' or '.join(schemes)}")


def _sim_faults(sim: Sim, config: Config) -> Iterator[Fault]:
    if (sim.market == "captures") != bool(sim.captures):
        yield Fault(("sim", "captures"), f"found {len(sim.captures)} files with market"
                    f" = {sim.market!r}; right would be files and market = 'captures', or neither")
    for index, name in enumerate(sim.captures):
        if not Path(name).is_file():
            yield Fault(("sim", "captures", index), f"{name!r} is not a file")
    for index, fault in enumerate(sim.faults):
        venue = fault.partition(":")[0]
        if venue not in config.venues:
            yield Fault(("sim", "faults", index), f"{fault!r} names no venue of this config;"
                        f" right would be {closest(venue, [*config.venues])}")
