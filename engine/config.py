"""The config: typed tables, every unit in its key, no default for what limits risk.

``load`` turns TOML into ``Config`` or raises ConfigInvalid with file, line, key and remedy.
``instruments`` derives the one table of instruments that every process of a run shares.
"""

import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from engine.model.address import address_fault
from engine.model.errors import ConfigInvalid
from engine.model.fault import parse as parse_fault
from engine.model.instrument import Instrument, Kind, Pair
from engine.model.quanta import DECIMALS_SUM_MAX, DECIMALS_SUM_MIN
from engine.model.venues import VENUES
from engine.toml_convert import Fault, closest, convert
from engine.toml_lines import line_of

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


_SYMBOL: Final = re.compile(r"[A-Z0-9]{1,12}/[A-Z0-9]{1,12}(:[A-Z0-9]{1,12})?")
_SYMBOL_RIGHT: Final = "right would be 'BTC/USDT', or 'BTC/USDT:USDT' for a perpetual"
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


class Execution(Table, frozen=True):
    """What execution demands of a signal."""

    edge_min_ppm: Ppm  # on the books as they are when the signal arrives
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
    except tomllib.TOMLDecodeError as error:
        found = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", str(error))
        line = found[1] if found and found[1] else text.count("\n") + 1
        said = str(error)[: found.start()] if found else str(error)
        raise ConfigInvalid(f"{source}:{line}: not TOML: {said}") from None
    except RecursionError:
        raise ConfigInvalid(f"{source}: lists or tables within one another without end; right would"
                            " be at most three deep") from None
    except ValueError as error:  # a whole number of thousands of digits
        raise ConfigInvalid(f"{source}: not TOML: {error}") from None
    try:
        config = _beside(convert(raw, Config), folder)
        for fault in _faults(config):
            raise fault
    except Fault as fault:
        raise ConfigInvalid(f"{source}:{line_of(text, fault.path)}: {fault}") from None
    return config


def _beside(config: Config, folder: Path) -> Config:
    """Make the paths of captures absolute: processes need not share a working folder."""
    _home(config.logs.folder, ("logs", "folder"))
    if config.sim is None:
        return config
    files = [str((folder / _home(name, ("sim", "captures", index))).resolve())
             for index, name in enumerate(config.sim.captures)]
    sim = msgspec.structs.replace(config.sim, captures=files)
    return msgspec.structs.replace(config, sim=sim)


def _home(name: str, path: tuple[str | int, ...]) -> Path:
    """Return ``name`` with ~ as the user's home; raise Fault for what can be no path."""
    if "\0" in name:
        raise Fault(path, f"found {name!r}; right would be a path, which holds no NUL")
    try:
        return Path(name).expanduser()
    except RuntimeError:
        raise Fault(path, f"found {name!r}; right would be a path: there is no such user") from None


def _faults(config: Config) -> Iterator[Fault]:
    """Yield what no single key shows, first things first."""
    for name, venue in config.venues.items():
        yield from _venue_faults(name, venue)
    groups = {Pair.parse(symbol).group for venue in config.venues.values()
              for symbol in venue.symbols}
    for pair in config.pairs:
        if pair not in groups:
            yield Fault(("pairs", pair), f"no venue trades it; right would be"
                        f" {closest(pair, sorted(groups))}")
    for pair, quanta in config.pairs.items():
        decimals = quanta.price_decimals + quanta.size_decimals
        if not DECIMALS_SUM_MIN <= decimals <= DECIMALS_SUM_MAX:
            yield Fault(("pairs", pair), "price-decimals and size-decimals together are"
                        f" {decimals}; right would be {DECIMALS_SUM_MIN} to {DECIMALS_SUM_MAX}")
    if config.mode != "dry_run":
        yield Fault(("mode",), f"{config.mode!r} cannot be had yet: this version sends no order;"
                    " right would be 'dry_run'")
    trades = config.books.trades
    if trades & (trades - 1):
        yield Fault(("books", "trades"), f"found {trades}; right would be a power of 2, such as"
                    f" {1 << trades.bit_length()}")
    yield from _notional_faults(config)
    for low, high in (
        (("detector", "edge-min-ppm"), ("detector", "edge-max-ppm")),
        (("supervision", "backoff-min-ms"), ("supervision", "backoff-max-ms")),
        (("books", "depth"), ("books", "levels-max")),
    ):
        least, most = _value(config, low), _value(config, high)
        if least > most:
            yield Fault(low, f"found {least}, more than {high[1]} = {most}; right would be at most"
                        " that")
    if config.supervision.silence_max_ms < _SILENCE_MS_MIN:
        yield Fault(("supervision", "silence-max-ms"),
                    f"found {config.supervision.silence_max_ms}; right would be at least"
                    f" {_SILENCE_MS_MIN:.0f}: processes beat every 100 ms")
    if config.sim is not None:
        yield from _sim_faults(config.sim, config)


def _notional_faults(config: Config) -> Iterator[Fault]:
    """Yield quote currencies without a limit, limits of none, and limits the wrong way round."""
    listed: dict[str, str] = {}
    for venue, wanted in config.venues.items():
        for symbol in wanted.symbols:
            listed.setdefault(Pair.parse(symbol).quote, f"{venue} lists {symbol}")
    limits = {"notional-min": config.detector.notional_min,
              "notional-max": config.detector.notional_max}
    for key, amounts in limits.items():
        for quote, where in listed.items():
            if quote not in amounts:
                yield Fault(("detector", key, quote), f"missing, and {where}; right would be a"
                            f" line {quote} = ... in [detector.{key}]")
        for quote in amounts:
            if quote not in listed:
                yield Fault(("detector", key, quote), "no venue lists a pair quoted in it; right"
                            f" would be {closest(quote, [*listed])}")
    for quote, least in config.detector.notional_min.items():
        most = config.detector.notional_max[quote]
        if least > most:
            yield Fault(("detector", "notional-min", quote), f"found {least}, more than"
                        f" notional-max.{quote} = {most}; right would be at most that")


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
        elif (pair := Pair.parse(symbol)).base == pair.quote:
            yield Fault(path, f"{symbol!r} is nothing against itself; {_SYMBOL_RIGHT}")
        elif pair.kind not in VENUES[name]:
            right = pair.group if pair.kind is Kind.PERPETUAL else f"{symbol}:{pair.quote}"
            yield Fault(path, f"{symbol!r} is a {pair.kind.name.lower()}, which {name} does not"
                        f" trade; right would be {right!r}, or another venue")
        elif pair.settle not in ("", pair.quote):
            yield Fault(path, f"{symbol!r} is settled in {pair.settle}: its sizes are contracts;"
                        f" right would be '{pair.group}:{pair.quote}', settled in what it is"
                        " quoted in")
    for key, url, scheme in (("ws-url", venue.ws_url, "ws"), ("rest-url", venue.rest_url, "http")):
        if url and (wrong := address_fault(url, scheme)):
            yield Fault(("venues", name, key), f"{url!r} {wrong}")


def _sim_faults(sim: Sim, config: Config) -> Iterator[Fault]:
    if (sim.market == "captures") != bool(sim.captures):
        yield Fault(("sim", "captures"), f"found {len(sim.captures)} files with market"
                    f" = {sim.market!r}; right would be files and market = 'captures', or neither")
    for index, name in enumerate(sim.captures):
        if not os.path.isfile(name):  # noqa: PTH113  (false, too, for a name too long to be one)
            yield Fault(("sim", "captures", index), f"{name!r} is not a file")
    for index, fault in enumerate(sim.faults):
        venue = fault.partition(":")[0]
        if venue not in ("*", *config.venues):
            yield Fault(("sim", "faults", index), f"{fault!r} names no venue of this config;"
                        f" right would be {closest(venue, [*config.venues])}")
        try:
            parse_fault(fault)
        except ConfigInvalid as error:
            yield Fault(("sim", "faults", index), str(error))
