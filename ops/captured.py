"""A config for recorded traffic: venues, symbols and decimals as the recordings have them."""

import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from engine.config import DECIMALS_EACH_MAX, Config, Detector, PairTable, Sim, Venue
from engine.model.errors import CaptureInvalid
from engine.model.instrument import Pair
from engine.model.quanta import DECIMALS_SUM_MAX, DECIMALS_SUM_MIN
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
    files: list[str]


def survey(files: Sequence[str]) -> list[SurveyedMarket]:
    """Survey recordings in a process of its own; raise CaptureInvalid with its message."""
    done = subprocess.run(  # noqa: S603  (our own interpreter and module)
        spawn.command(SURVEY_MODULE, *files), stdin=subprocess.DEVNULL, capture_output=True,
        env=spawn.environment(), check=False)
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise CaptureInvalid(lines[-1] if lines else f"the survey ended with {done.returncode}")
    return msgspec.json.decode(done.stdout, type=list[SurveyedMarket])


def with_captures(
    config: Config, files: Sequence[str], *, speed: float, loop: bool, fee_ppm: int | None = None
) -> Config:
    """Return ``config`` with the venues and symbols of the recordings in place of its own.

    ``fee_ppm`` is the taker fee at every venue; None: each adapter's own.  Nothing trades on the
    past unless the mode is set afterwards.
    """
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
            pairs[group] = _widened(pairs.get(group), symbol, market)
    venues = {name: Venue(symbols=wanted, taker_fee_ppm=fee_ppm)
              for name, wanted in symbols.items() if wanted}
    if not venues:
        raise CaptureInvalid(f"{', '.join(files)}: no symbol with a known name")
    before = config.sim or Sim()
    sim = msgspec.structs.replace(
        before, market="captures", captures=paths, speed=speed, loop=loop)
    return msgspec.structs.replace(
        config, venues=venues, pairs=pairs, sim=sim, mode="dry_run",
        detector=_limited(config.detector, pairs))


def _widened(known: PairTable | None, symbol: SurveyedSymbol, market: SurveyedMarket) -> PairTable:
    """Return the quanta of a pair with those that ``symbol`` needs; raise CaptureInvalid."""
    price = max(symbol.price_decimals, known.price_decimals if known else 0)
    size = max(symbol.size_decimals, known.size_decimals if known else 0)
    size = max(size, DECIMALS_SUM_MIN - price)  # finer than needed loses nothing
    if max(price, size) > DECIMALS_EACH_MAX or price + size > DECIMALS_SUM_MAX:
        raise CaptureInvalid(
            f"{', '.join(market.files)}: {symbol.name}: prices with {price} decimals and sizes with"
            f" {size}; right would be at most {DECIMALS_EACH_MAX} each and {DECIMALS_SUM_MAX}"
            " together")
    return PairTable(price_decimals=price, size_decimals=size)


def _limited(detector: Detector, pairs: Iterable[str]) -> Detector:
    """Return ``detector`` with limits for every quote currency of ``pairs`` and no other.

    A recording can lose nobody money: a currency that the config does not know gets the widest
    limits that the config has for any.
    """
    quotes = dict.fromkeys(Pair.parse(pair).quote for pair in pairs)
    least, most = detector.notional_min, detector.notional_max
    return msgspec.structs.replace(
        detector,
        notional_min={quote: least.get(quote, min(least.values())) for quote in quotes},
        notional_max={quote: most.get(quote, max(most.values())) for quote in quotes})
