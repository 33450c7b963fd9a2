"""engine.config: every wrong config is refused by line, key and remedy."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import msgspec.inspect
import pytest

from engine.config import (
    Account,
    Books,
    Config,
    Detector,
    Execution,
    Ledger,
    Logs,
    Machine,
    PairTable,
    Paper,
    Risk,
    Sim,
    Storage,
    Supervision,
    Venue,
    Wait,
    instruments,
    load,
    parse,
)
from engine.config.shipped import limits_of
from engine.config.trading import RiskLimits
from engine.model.errors import ConfigInvalid
from engine.model.venues import VENUES

GOOD = """\
name = "test"

[venues.binance]
symbols = ["BTC/USDT", "ETH/USDT"]

[venues.binance-usdm]
symbols = [
    "BTC/USDT:USDT",  # a comment, with commas
]

[detector]
edge-min-ppm = 1
edge-max-ppm = 10000
book-age-ms-max = 100

[detector.notional-max]
USDT = 1000.0

[detector.notional-min]
USDT = 0.0

[execution]
edge-min-ppm = 0
"""


def parsed(text: str) -> Config:
    return parse(text, source="x.toml", folder=Path("/nowhere"))


def test_a_good_config_becomes_the_table_of_instruments_in_its_own_order() -> None:
    table = instruments(parsed(GOOD))
    assert [(each.index, each.local_index, each.venue_index, each.group_index, each.name)
            for each in table] == [
        (0, 0, 0, 0, "BTC/USDT"), (1, 1, 0, 1, "ETH/USDT"), (2, 0, 1, 0, "BTC/USDT:USDT")]


def test_a_resolved_config_survives_the_way_to_a_child() -> None:
    config = parsed(GOOD + '[pairs."BTC/USDT"]\nprice-decimals = 2\n[sim]\nspeed = 2.0\n')
    assert msgspec.json.decode(msgspec.json.encode(config), type=Config) == config


@pytest.mark.parametrize(("old", "new", "message"), [
    # wrong keys
    ("symbols = [\"BTC", "symbolz = [\"BTC", "x.toml:4: venues.binance.symbolz: unknown key; right"
     " would be 'symbols'"),
    ("[detector]", "[detecter]", "x.toml:11: detecter: unknown key; right would be 'detector'"),
    ("book-age-ms-max = 100\n", "", "x.toml:11: detector.book-age-ms-max: missing; right would be a"
     " line book-age-ms-max = ... in [detector]"),
    ("[detector.notional-max]\nUSDT = 1000.0\n", "", "x.toml:11: detector.notional-max: missing;"
     " right would be a table [detector.notional-max]"),
    # wrong types and values
    ("USDT = 1000.0", "USDT = '1'", "x.toml:17: detector.notional-max.USDT: found '1';"
     " right would be a number"),
    ("USDT = 1000.0", "USDT = -1.0", "x.toml:17: detector.notional-max.USDT: found -1.0;"
     " right would be a number > 0.0"),
    ("USDT = 1000.0", "USDT = inf", "x.toml:17: detector.notional-max.USDT: found inf;"
     " right would be a finite number"),
    ("USDT = 1000.0", "USDT = nan", "x.toml:17: detector.notional-max.USDT: found nan;"),
    ("[detector.notional-max]\nUSDT = 1000.0\n", "notional-max = 1000.0\n", "x.toml:16:"
     " detector.notional-max: found 1000.0; right would be a table"),
    ("edge-min-ppm = 0", "edge-min-ppm = true", "x.toml:23: execution.edge-min-ppm: found True;"
     " right would be a whole number"),
    ("edge-min-ppm = 0", "edge-min-ppm = 1000001", "x.toml:23: execution.edge-min-ppm: found"
     " 1000001; right would be a whole number <= 1000000"),
    ("symbols = [\"BTC/USDT\", \"ETH/USDT\"]", "symbols = []", "x.toml:4: venues.binance.symbols:"
     " found []; right would be a list of length >= 1"),
    ('name = "test"', 'name = "Test"', "x.toml:1: name: found 'Test'; right would be text"
     " matching regex"),
    ('name = "test"', 'name = "test"\nmode = "life"', "x.toml:2: mode: found 'life'; right would be"
     " 'live'"),
    # venues and symbols
    ("[venues.binance]", "[venues.binanse]", "x.toml:3: venues.binanse: unknown venue; right would"
     " be 'binance'"),
    ("[venues.binance]", "[venues.NYSE]", "x.toml:3: venues.NYSE: found the name 'NYSE'"),
    ('"ETH/USDT"', '"eth-usdt"', "x.toml:4: venues.binance.symbols[1]: 'eth-usdt' is not a symbol;"
     " right would be 'BTC/USDT'"),
    ('"ETH/USDT"', '"BTC/USDT"', "x.toml:4: venues.binance.symbols[1]: 'BTC/USDT' stands here"
     " twice"),
    ('"ETH/USDT"', '"ETH/USDT:USDT"', "x.toml:4: venues.binance.symbols[1]: 'ETH/USDT:USDT' is a"
     " perpetual, which binance does not trade; right would be 'ETH/USDT'"),
    ('"BTC/USDT:USDT"', '"BTC/USDT"', "x.toml:8: venues.binance-usdm.symbols[0]: 'BTC/USDT' is a"
     " spot, which binance-usdm does not trade; right would be 'BTC/USDT:USDT'"),
    ('"BTC/USDT:USDT"', '"BTC/USD:BTC"', "x.toml:8: venues.binance-usdm.symbols[0]: 'BTC/USD:BTC'"
     " is settled in BTC: its sizes are contracts; right would be 'BTC/USD:USD'"),
    ("symbols = [\n", "ws-url = 'http://x'\nsymbols = [\n", "x.toml:7: venues.binance-usdm.ws-url:"
     " 'http://x' is no address to use; right would be wss://HOST[:PORT]/PATH"),
    ("symbols = [\n", "ws-url = 'ws://example.com/x'\nsymbols = [\n", "x.toml:7:"
     " venues.binance-usdm.ws-url: 'ws://example.com/x' is not encrypted; right would be"
     " wss://example.com"),
    ("symbols = [\n", "rest-url = \"https://a\\u0000b/\"\nsymbols = [\n", "x.toml:7:"
     " venues.binance-usdm.rest-url: 'https://a"),
    ('"ETH/USDT"', '"USDT/USDT"', "x.toml:4: venues.binance.symbols[1]: 'USDT/USDT' is nothing"
     " against itself; right would be 'BTC/USDT'"),
    # what no single key shows
    ("USDT = 0.0", "USDT = 1001.0", "x.toml:20: detector.notional-min.USDT: found 1001.0, more"
     " than notional-max.USDT = 1000.0; right would be at most that"),
    ("edge-max-ppm = 10000", "edge-max-ppm = 0", "x.toml:13: detector.edge-max-ppm: found 0; right"
     " would be a whole number >= 1"),
    ("edge-min-ppm = 1\n", "edge-min-ppm = 10001\n", "x.toml:12: detector.edge-min-ppm: found"
     " 10001, more than edge-max-ppm = 10000"),
    ('"ETH/USDT"', '"ETH/BTC"', "x.toml:19: detector.notional-min.BTC: missing, and binance lists"
     " ETH/BTC; right would be a line BTC = ... in [detector.notional-min]"),
    ("USDT = 1000.0", "USDT = 1000.0\nUSTD = 1.0", "x.toml:18: detector.notional-max.USTD: no venue"
     " lists a pair quoted in it; right would be 'USDT'"),
    ("[execution]", "[books]\ntrades = 1000\n[execution]", "x.toml:23: books.trades: found 1000;"
     " right would be a power of 2, such as 1024"),
    ("[execution]", "[books]\nlevels-max = 40\n[execution]", "x.toml:22: books.depth: found 50,"
     " more than levels-max = 40"),
    ("[execution]", "[supervision]\nsilence-max-ms = 100\n[execution]", "x.toml:23:"
     " supervision.silence-max-ms: found 100.0; right would be at least 500"),
    ("[execution]", "[pairs.'BTC/USD']\n[execution]", "x.toml:22: pairs.BTC/USD: no venue trades"
     " it; right would be 'BTC/USDT'"),
    ('name = "test"', 'name = "test"\nmode = "live"', "x.toml:1: accounts.binance: missing, and the"
     " mode is live; right would be a table [accounts.binance] with key, secret and fingerprint"),
    ('name = "test"', 'name = "test"\naccounts.binance = {key = "env:A",'
     ' fingerprint = "0123456789ab", secret = "hunter2"}', "x.toml:2: accounts.binance.secret: it"
     " stands here itself, which others would"
     " read; right would be 'env:NAME' or 'file:/PATH'"),
    ('name = "test"', 'name = "test"\nconfirmed = "0123456789ab"', "x.toml:2: confirmed: no"
     " file may confirm live trading"),
    ("[execution]", "[ledger]\nurl = 'mysql://x/y'\n[execution]", "x.toml:23: ledger.url:"
     " 'mysql://x/y' is no database of ours; right would be 'postgresql://user@host/database'"),
    ("[execution]", "[ledger]\nurl = 'postgresql://me:hunter2@h/d'\n[execution]", "x.toml:23:"
     " ledger.url: it holds a password, which others would read; right would be password ="),
    ("[execution]", "[ledger]\nurl = 'postgresql://me@h/d?password=hunter2'\n[execution]",
     "x.toml:23: ledger.url: it holds a password"),
    ("[execution]", "[ledger]\nurl = 'postgresql://me@h/d'\npassword = 'hunter2'\n[execution]",
     "x.toml:24: ledger.password: a password stands here itself, which others would read; right"),
    ("[execution]", "[ledger]\npassword = 'env:P'\n[execution]", "x.toml:23: ledger.password:"
     " SQLite has none"),
    ("[execution]", "[sim]\nmarket = 'captures'\n[execution]", "x.toml:22: sim.captures: found 0"
     " files with market = 'captures'"),
    ("[execution]", "[sim]\nmarket = 'captures'\ncaptures = ['no.gz']\n[execution]", "x.toml:24:"
     " sim.captures[0]: '/nowhere/no.gz' is not a file"),
    ("[execution]", "[sim]\nfaults = ['okx:drop']\n[execution]", "x.toml:23: sim.faults[0]:"
     " 'okx:drop' names no venue of this config; right would be one of binance, binance-usdm"),
    ("[execution]", "[pairs.'BTC/USDT']\nprice-decimals = 2\nsize-decimals = 3\n[execution]",
     "x.toml:22: pairs.BTC/USDT: price-decimals and size-decimals together are 5; right would be 6"
     " to 24"),
    ("[execution]", "[pairs.'BTC/USDT']\nprice-decimals = 15\nsize-decimals = 10\n[execution]",
     "x.toml:22: pairs.BTC/USDT: price-decimals and size-decimals together are 25"),
    ("[execution]", "[sim]\nfaults = ['binance:nonsense']\n[execution]", "x.toml:23:"
     " sim.faults[0]: fault 'binance:nonsense': right would be"
     " VENUE:KIND[:RATE][:MSms][:COUNTx][#SYMBOL][@FROM-[TO]]"),
    # numbers and paths that no process could live with
    ("book-age-ms-max = 100", "book-age-ms-max = 1e300", "x.toml:14: detector.book-age-ms-max:"
     " found 1e+300; right would be a number <= 86400000.0"),
    ("USDT = 1000.0", "USDT = 1e20", "x.toml:17: detector.notional-max.USDT: found 1e+20;"
     " right would be a number <= 1000000000000.0"),
    ("[execution]", "[execution]\ncpu = 100000000000000000000", "x.toml:23: execution.cpu: found"
     " 100000000000000000000; right would be a whole number <= 1023"),
    ("[execution]", "[execution]\ncpu = 4000", "x.toml:23: execution.cpu: found 4000; right would"
     " be a whole number <= 1023"),
    ("[execution]", "[logs]\nfiles-max = 100000000000000000000000\n[execution]", "x.toml:23:"
     " logs.files-max: found 100000000000000000000000; right would be a whole number <= 1000"),
    ("[execution]", "[logs]\nfolder = \"a\\u0000b\"\n[execution]", "x.toml:23: logs.folder: found"
     " 'a\\x00b'; right would be a path, which holds no NUL"),
    ("[execution]", "[logs]\nfolder = '~no-such-user/x'\n[execution]", "x.toml:23: logs.folder:"
     " found '~no-such-user/x'; right would be a path: there is no such user"),
    ("[execution]", "[sim]\nmarket = 'captures'\ncaptures = [\"\\u0000\"]\n[execution]",
     "x.toml:24: sim.captures[0]: found '\\x00'"),
    ("[execution]\nedge-min-ppm = 0\n", "", "x.toml:1: execution: missing; right would be a table"
     " [execution]"),
    # no TOML at all
    ("[execution]", "a = " + "[" * 5000, "x.toml: lists or tables within one another without end"),
    ("[execution]", "a = " + "9" * 5000, "x.toml: not TOML: Exceeds the limit"),
    ("[detector]", "[detector", "x.toml:11: not TOML: Expected ']' at the end of a table"),
    ("[execution]", "[detector]", "x.toml:22: not TOML: Cannot declare ('detector',) twice"),
    ("edge-min-ppm = 0", "edge-min-ppm = ", "x.toml:23: not TOML: Invalid value"),
])
def test_a_wrong_config_names_line_key_and_remedy(old: str, new: str, message: str) -> None:
    assert GOOD.count(old) == 1
    with pytest.raises(ConfigInvalid) as caught:
        parsed(GOOD.replace(old, new))
    assert str(caught.value).startswith(message)


def test_every_number_of_a_config_has_an_upper_bound() -> None:
    def unbounded(kind: msgspec.inspect.Type, path: str) -> Iterator[str]:
        match kind:
            case msgspec.inspect.StructType(fields=fields):
                for field in fields:
                    yield from unbounded(field.type, f"{path}.{field.encode_name}")
            case msgspec.inspect.DictType(value_type=inner) | msgspec.inspect.ListType(
                    item_type=inner):
                yield from unbounded(inner, f"{path}[]")
            case msgspec.inspect.UnionType(types=kinds):
                for each in kinds:
                    yield from unbounded(each, path)
            case msgspec.inspect.IntType(le=None) | msgspec.inspect.FloatType(le=None):
                yield path

    assert [*unbounded(msgspec.inspect.type_info(Config), "")] == []


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_bytes(GOOD.encode("utf-8-sig"))
    assert load(path) == parsed(GOOD)


def test_no_prefix_of_a_config_starts_an_engine_by_surprise() -> None:
    complete = parsed(GOOD)
    for size in range(len(GOOD)):
        try:
            config = parsed(GOOD[:size])
        except ConfigInvalid:
            continue
        # only what is cut behind the last value may still be whole
        assert config == complete


@pytest.mark.parametrize(("content", "message"), [
    (None, "No such file or directory; right would be the path of a TOML file"),
    (b"\xff", "not UTF-8 at byte 0"),
    (b"", ":1: name: missing"),
])
def test_a_file_that_is_no_config_is_named(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "x.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigInvalid) as caught:
        load(path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)


def test_captures_lie_beside_the_config_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "a.gz").touch()
    path = tmp_path / "x.toml"
    path.write_text(GOOD + "[sim]\nmarket = 'captures'\ncaptures = ['a.gz']\n")
    sim = load(path).sim
    assert sim is not None
    assert sim.captures == [str(tmp_path / "a.gz")]


CONFIGS = Path(__file__).resolve().parents[2] / "configs"


def keys(kind: type) -> Iterator[tuple[str, type]]:
    """Yield the keys of a table with what they hold."""
    for field in msgspec.structs.fields(kind):
        yield field.encode_name, field.type


def explained(text: str) -> dict[str, set[str]]:
    """Return the keys of each table, commented out or not, that have a remark on their line."""
    found: dict[str, set[str]] = {}
    table = ""
    for line in text.splitlines():
        bare = line.removeprefix("# ")
        if head := re.match(r"\[([a-z]+)", bare):
            table = head[1]
        elif (key := re.match(r"([a-z][a-z-]*) = ", bare)) and "  # " in bare:
            found.setdefault(table, set()).add(key[1])
    return found


def test_the_demo_config_is_good_and_explains_every_key_there_is() -> None:
    path = CONFIGS / "demo.toml"
    config = load(path)
    assert set(config.venues) <= set(VENUES)
    assert config.sim is not None
    found = explained(path.read_text())
    tables = {"venues": Venue, "accounts": Account, "pairs": PairTable, "books": Books,
              "detector": Detector, "execution": Execution, "paper": Paper, "ledger": Ledger,
              "storage": Storage, "wait": Wait, "machine": Machine, "supervision": Supervision,
              "logs": Logs, "sim": Sim}
    beside = {"name", "mode", "risk", "confirmed"}  # confirmed: by no file
    assert {name for name, _ in keys(Config)} == {*tables, *beside}
    for table, kind in tables.items():
        known = {name for name, _ in keys(kind)}
        assert known - {"notional-max", "notional-min", "symbols"} <= found[table] <= known, table


@pytest.mark.parametrize("profile", ["conservative", "moderate", "aggressive"])
def test_a_profile_sets_every_limit_and_looser_ones_are_looser(profile: str) -> None:
    limits = limits_of(Risk(profile=profile))  # type: ignore[arg-type]
    first = limits_of(Risk(profile="conservative"))
    for name, _ in keys(RiskLimits):
        field = name.replace("-", "_")
        if field not in ("cancel_reserve_ppm", "repeats_window_s"):
            assert getattr(limits, field) >= getattr(first, field), field
    assert limits_of(Risk(profile=profile, loss_day_max=7.0)).loss_day_max == 7.0  # type: ignore[arg-type]


def test_the_example_of_live_trading_loads_and_no_secret_stands_in_it() -> None:
    config = load(CONFIGS / "live.toml")
    assert (config.mode, config.sim, config.risk.profile) == ("live", None, "conservative")
    assert config.accounts.keys() == config.venues.keys()
    for account in config.accounts.values():
        for text in filter(None, (account.key, account.secret, account.passphrase)):
            assert text.startswith(("env:", "file:/"))
    assert limits_of(config.risk).loss_day_max == 50.0


def test_the_example_of_paper_trading_loads_without_a_key() -> None:
    config = load(CONFIGS / "paper.toml")
    assert (config.mode, config.sim, config.accounts) == ("paper", None, {})
    assert config.paper.balances["USDT"] == 10_000.0
