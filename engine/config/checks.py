"""What no single key of a config shows: keys that contradict one another, or nothing at all."""

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from engine.config.tables import Sim, Table, Venue
from engine.config.trading import Ledger
from engine.model.address import address_fault
from engine.model.errors import ConfigInvalid
from engine.model.fault import parse as parse_fault
from engine.model.instrument import Kind, Pair
from engine.model.quanta import DECIMALS_SUM_MAX, DECIMALS_SUM_MIN
from engine.model.venues import TRADED, VENUES
from engine.toml_convert import Fault, closest

if TYPE_CHECKING:
    from engine.config import Config

_SYMBOL: Final = re.compile(r"[A-Z0-9]{1,12}/[A-Z0-9]{1,12}(:[A-Z0-9]{1,12})?")
_SYMBOL_RIGHT: Final = "right would be 'BTC/USDT', or 'BTC/USDT:USDT' for a perpetual"
_SILENCE_MS_MIN: Final = 500.0  # processes beat every 100 ms


def faults(config: "Config") -> Iterator[Fault]:
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
    yield from _mode_faults(config)
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
    yield from _ledger_faults(config.ledger)
    if config.sim is not None:
        yield from _sim_faults(config.sim, config)


def _ledger_faults(ledger: Ledger) -> Iterator[Fault]:
    """Yield what is no database of ours, and passwords where others would read them."""
    right = "right would be 'postgresql://user@host/database', or nothing for SQLite"
    try:
        url = urlsplit(ledger.url)
        known = not ledger.url or (url.scheme in ("postgresql", "postgres") and url.path > "/")
        spoken = url.password is not None or "password" in url.query
    except ValueError:
        known = spoken = False
    if spoken:  # the text is not repeated: it holds the password
        yield Fault(("ledger", "url"), "it holds a password, which others would read; right would"
                    " be password = 'env:NAME', or a line in ~/.pgpass")
    elif not known:
        yield Fault(("ledger", "url"), f"{ledger.url!r} is no database of ours; {right}")
    if ledger.password and not ledger.password.startswith(("env:", "file:")):
        yield Fault(("ledger", "password"), "a password stands here itself, which others would"
                    " read; right would be 'env:NAME' or 'file:/PATH'")
    elif ledger.password and not ledger.url:
        yield Fault(("ledger", "password"), f"SQLite has none; {right}")


def _mode_faults(config: "Config") -> Iterator[Fault]:
    """Yield what stands between a config and live orders."""
    if config.confirmed:
        yield Fault(("confirmed",), "no file may confirm live trading; right would be the option"
                    " --live ACCOUNT of start")
    for venue, account in config.accounts.items():
        if venue not in config.venues:
            yield Fault(("accounts", venue), "no such venue in [venues]; right would be"
                        f" {closest(venue, [*config.venues])}")
        for key, place in (("key", account.key), ("secret", account.secret),
                           ("passphrase", account.passphrase)):
            if place and not place.startswith(("env:", "file:")):
                yield Fault(("accounts", venue, key), "it stands here itself, which others would"
                            " read; right would be 'env:NAME' or 'file:/PATH'")
        for key, url, scheme in (("orders-url", account.orders_url, "ws"),
                                 ("user-url", account.user_url, "ws"),
                                 ("rest-url", account.rest_url, "http")):
            if url and (wrong := address_fault(url, scheme)):
                yield Fault(("accounts", venue, key), f"{url!r} {wrong}")
    if config.mode != "live":
        return
    for venue in config.venues:
        if venue not in TRADED:
            yield Fault(("mode",), f"'live', but no order can go to {venue}; right would be venues"
                        f" of {', '.join(TRADED)}, or mode = 'paper'")
        elif config.sim is None and venue not in config.accounts:
            yield Fault(("accounts", venue), "missing, and the mode is live; right would be a table"
                        f" [accounts.{venue}] with key, secret and fingerprint")


def _notional_faults(config: "Config") -> Iterator[Fault]:
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


def _value(config: "Config", path: tuple[str, str]) -> float:
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


def _sim_faults(sim: Sim, config: "Config") -> Iterator[Fault]:
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
