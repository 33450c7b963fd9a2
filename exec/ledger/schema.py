"""The tables of the ledger, and the steps from each version to the next.

Prices, sizes and money are exact decimal text; profits are millionths of the reference currency;
times are Unix ns; ``sequence`` is the journal's number of the record that made a row.  Amounts of
several assets are JSON objects of decimal texts by asset.
"""

from typing import Final, NamedTuple


class Table(NamedTuple):
    """What a row is known by, and whether rows are only ever added."""

    key: tuple[str, ...]
    appended: bool


TABLES: Final = {
    "lives": Table(("life",), appended=False),
    "instruments": Table(("venue", "symbol"), appended=False),
    "opportunities": Table(("sequence",), appended=True),
    "plans": Table(("plan",), appended=False),
    "orders": Table(("number",), appended=False),
    "fills": Table(("sequence",), appended=True),
    "postings": Table(("sequence",), appended=True),
    "positions": Table(("venue", "symbol"), appended=False),
    "balances": Table(("venue", "asset"), appended=False),
    "audit": Table(("sequence",), appended=True),
}
APPLICATION: Final = 0x54524C47  # tells our files from other people's databases
_FIRST: Final = (
    f"PRAGMA application_id = {APPLICATION}",
    """CREATE TABLE position (
        id INTEGER PRIMARY KEY CHECK (id = 1), sequence INTEGER NOT NULL,
        unix_ns INTEGER NOT NULL, chain TEXT NOT NULL) STRICT""",
    "INSERT INTO position VALUES (1, 0, 0, '')",
    """CREATE TABLE lives (
        life INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, unix_ns INTEGER NOT NULL,
        engine TEXT NOT NULL, mode TEXT NOT NULL, birth INTEGER NOT NULL, config TEXT NOT NULL,
        pid INTEGER NOT NULL, ended_ns INTEGER, why TEXT) STRICT""",
    """CREATE TABLE instruments (
        venue TEXT NOT NULL, symbol TEXT NOT NULL, native TEXT NOT NULL, base TEXT NOT NULL,
        quote TEXT NOT NULL, settle TEXT NOT NULL, price_decimals INTEGER NOT NULL,
        size_decimals INTEGER NOT NULL, PRIMARY KEY (venue, symbol)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE opportunities (
        sequence INTEGER PRIMARY KEY, unix_ns INTEGER NOT NULL, run INTEGER NOT NULL,
        signal INTEGER NOT NULL, strategy INTEGER NOT NULL, window INTEGER NOT NULL,
        legs TEXT NOT NULL, net_edge_ppm INTEGER NOT NULL, expected_micro INTEGER NOT NULL,
        refused TEXT NOT NULL, number INTEGER NOT NULL, bound INTEGER NOT NULL) STRICT""",
    """CREATE TABLE plans (
        plan INTEGER PRIMARY KEY, unix_ns INTEGER NOT NULL, run INTEGER NOT NULL,
        signal INTEGER NOT NULL, strategy INTEGER NOT NULL, policy TEXT NOT NULL,
        legs TEXT NOT NULL, expected_micro INTEGER NOT NULL, outcome TEXT, residual INTEGER,
        realised_micro INTEGER, closed_ns INTEGER, flows TEXT NOT NULL, fees TEXT NOT NULL,
        slippage TEXT NOT NULL, leg_risk TEXT NOT NULL) STRICT""",
    """CREATE TABLE orders (
        number INTEGER PRIMARY KEY, plan INTEGER NOT NULL, leg INTEGER NOT NULL,
        venue TEXT NOT NULL, symbol TEXT NOT NULL, side INTEGER NOT NULL, price TEXT NOT NULL,
        size TEXT NOT NULL, tif TEXT NOT NULL, purpose TEXT NOT NULL, client_id TEXT NOT NULL,
        venue_order TEXT NOT NULL, state TEXT NOT NULL, filled TEXT NOT NULL,
        value TEXT NOT NULL, odd INTEGER NOT NULL, unix_ns INTEGER NOT NULL,
        changed_ns INTEGER NOT NULL, UNIQUE (venue, client_id)) STRICT""",
    """CREATE TABLE fills (
        sequence INTEGER PRIMARY KEY, unix_ns INTEGER NOT NULL, number INTEGER NOT NULL,
        plan INTEGER NOT NULL, venue TEXT NOT NULL, symbol TEXT NOT NULL, trade TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('fill', 'bust')), side INTEGER NOT NULL,
        price TEXT NOT NULL, size TEXT NOT NULL, value TEXT NOT NULL, fee TEXT NOT NULL,
        fee_asset TEXT NOT NULL, taker INTEGER, venue_unix_ns INTEGER, source TEXT NOT NULL
        ) STRICT""",
    "CREATE INDEX fills_of_orders ON fills (number)",
    """CREATE TABLE postings (
        sequence INTEGER PRIMARY KEY, unix_ns INTEGER NOT NULL, venue TEXT NOT NULL,
        asset TEXT NOT NULL, amount TEXT NOT NULL, kind TEXT NOT NULL, reference TEXT NOT NULL
        ) STRICT""",
    """CREATE TABLE positions (
        venue TEXT NOT NULL, symbol TEXT NOT NULL, size TEXT NOT NULL, cost TEXT NOT NULL,
        realised TEXT NOT NULL, held TEXT, unix_ns INTEGER NOT NULL,
        PRIMARY KEY (venue, symbol)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE balances (
        venue TEXT NOT NULL, asset TEXT NOT NULL, booked TEXT NOT NULL, free TEXT, locked TEXT,
        counted_ns INTEGER, unix_ns INTEGER NOT NULL, PRIMARY KEY (venue, asset)
        ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE audit (
        sequence INTEGER PRIMARY KEY, unix_ns INTEGER NOT NULL, kind TEXT NOT NULL,
        fields TEXT NOT NULL) STRICT""",
    *(f"""CREATE TRIGGER {table}_{verb.lower()} BEFORE {verb} ON {table}
          BEGIN SELECT RAISE(ABORT, 'rows of {table} are only ever added'); END"""
      for table in ("opportunities", "fills", "postings", "audit")
      for verb in ("UPDATE", "DELETE")),
)
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (_FIRST,)  # never changed, only added to
