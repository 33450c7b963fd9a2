"""A config for recorded traffic: venues, symbols and decimals as the recordings have them."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec

from engine.config import MONEY_DECIMALS, Config, PairTable, Sim, Venue
from engine.model.errors import CaptureInvalid
from engine.model.instrument import Pair
from engine.runtime import spawn

SURVEY_MODULE = "feeds.recorded.survey"  # a worker's module: run it, never import it


class SurveyedSymbol(msgspec.Struct, frozen=True):
    """One symbol of a recording; ``name`` is empty where nothing tells its unified name."""

    native: str
    name: str
    price_decimals: int
    size_decimals: int


class SurveyedMarket(msgspec.Struct, frozen=True):
    """What one venue's recordings hold."""

    venue: str
    market: str
    symbols: list[SurveyedSymbol]


def survey(files: Sequence[str]) -> list[SurveyedMarket]:
    """Survey recordings in a process of its own; raise CaptureInvalid with its message."""
    done = subprocess.run(  # noqa: S603  (our own interpreter and module)
        spawn.command(SURVEY_MODULE, *files), stdin=subprocess.DEVNULL, capture_output=True,
        env=spawn.environment(), check=False)
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise CaptureInvalid(lines[-1] if lines else f"the survey ended with {done.returncode}")
    return msgspec.json.decode(done.stdout, type=list[SurveyedMarket])


def with_captures(config: Config, files: Sequence[str], *, speed: float, loop: bool) -> Config:
    """Return ``config`` with the venues and symbols of the recordings in place of its own."""
    paths = [str(Path(file).resolve()) for file in files]
    symbols: dict[str, list[str]] = {}
    pairs: dict[str, PairTable] = {}
    for market in survey(paths):
        names = symbols.setdefault(market.venue, [])
        for symbol in market.symbols:
            if not symbol.name or symbol.name in names:
                continue
            names.append(symbol.name)
            group = Pair.parse(symbol.name).group
            known = pairs.get(group, PairTable(price_decimals=0, size_decimals=0))
            price_decimals = max(known.price_decimals, symbol.price_decimals)
            pairs[group] = PairTable(
                price_decimals=price_decimals,
                size_decimals=max(known.size_decimals, symbol.size_decimals,
                                  MONEY_DECIMALS[0] - price_decimals))
    venues = {name: Venue(symbols=wanted) for name, wanted in symbols.items() if wanted}
    if not venues:
        raise CaptureInvalid(f"{', '.join(files)}: no symbol with a known name")
    before = config.sim or Sim()
    sim = msgspec.structs.replace(
        before, market="captures", captures=paths, speed=speed, loop=loop)
    return msgspec.structs.replace(config, venues=venues, pairs=pairs, sim=sim)
