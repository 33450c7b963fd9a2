"""The config: typed tables, every unit in its key, no default for what limits risk.

``load`` turns TOML into ``Config`` or raises ConfigInvalid with file, line, key and remedy.
``instruments`` derives the one table of instruments that every process of a run shares.
``tables`` and ``trading`` declare the tables, ``checks`` finds what contradicts itself, ``shipped``
knows the files that come with the package.
"""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from engine.config.checks import faults
from engine.config.tables import (
    DECIMALS_EACH_MAX,
    Books,
    Detector,
    Logs,
    Machine,
    Name,
    PairTable,
    Rate,
    Sim,
    Supervision,
    Table,
    Venue,
    Wait,
)
from engine.config.trading import Account, Execution, Ledger, Paper, Risk, Storage
from engine.model.errors import ConfigInvalid
from engine.model.instrument import Instrument, Pair
from engine.toml_convert import Fault, convert
from engine.toml_lines import line_of

__all__ = [
    "DECIMALS_EACH_MAX", "Account", "Books", "Config", "Detector", "Execution", "Ledger", "Logs",
    "Machine", "Name", "PairTable", "Paper", "Rate", "Risk", "Sim", "Storage", "Supervision",
    "Table", "Venue", "Wait", "instruments", "load", "parse",
]
_FILE_SIZE_MAX: Final = 1 << 20


class Config(Table, frozen=True):
    """The whole config of one engine."""

    name: Name
    venues: Annotated[dict[Name, Venue], Meta(min_length=1)]
    detector: Detector
    execution: Execution
    risk: Risk = Risk(profile="conservative")
    mode: Literal["dry_run", "paper", "live"] = "dry_run"
    accounts: dict[Name, Account] = msgspec.field(default_factory=dict)  # by venue, for live
    paper: Paper = Paper()
    ledger: Ledger = Ledger()
    storage: Storage = Storage()
    pairs: dict[str, PairTable] = msgspec.field(default_factory=dict)
    books: Books = Books()
    wait: Wait = Wait()
    machine: Machine = Machine()
    supervision: Supervision = Supervision()
    logs: Logs = Logs()
    sim: Sim | None = None  # present: local servers instead of the exchanges
    confirmed: str = ""  # the account that --live named; never from a file


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
        for fault in faults(config):
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
