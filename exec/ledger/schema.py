"""The tables of the ledger, and the steps from each version to the next.

Prices, sizes and money are exact decimals; profits are millionths of the reference currency;
times are Unix ns; ``sequence`` is the journal's number of the record that made a row.  Amounts of
several assets are JSON objects of decimal texts by asset.

Written as PostgreSQL has it; SQLite keeps decimals and JSON as text, which both give back as it
was.  ``system_metrics`` alone does not follow from the journal: it is what shared memory showed.
"""

from typing import Final, NamedTuple


class Table(NamedTuple):
    """What a row is known by, and whether rows are only ever added."""

    key: tuple[str, ...]
    appended: bool


class Migration(NamedTuple):
    """The step to the next version."""

    statements: tuple[str, ...]
    guarded: tuple[str, ...] = ()  # tables whose rows are only ever added, from now on


TABLES: Final = {
    "lives": Table(("life",), appended=False),
    "instruments": Table(("venue", "symbol"), appended=False),
    "opportunities": Table(("sequence",), appended=True),
    "trades": Table(("plan",), appended=False),
    "orders": Table(("number",), appended=False),
    "fills": Table(("sequence",), appended=True),
    "postings": Table(("sequence",), appended=True),
    "positions": Table(("venue", "symbol"), appended=False),
    "balances": Table(("venue", "asset"), appended=False),
    "audit": Table(("sequence",), appended=True),
}
_FIRST: Final = (
    """CREATE TABLE position (
        id BIGINT PRIMARY KEY CHECK (id = 1), sequence BIGINT NOT NULL,
        unix_ns BIGINT NOT NULL, chain TEXT NOT NULL)""",
    "INSERT INTO position VALUES (1, 0, 0, '')",
    """CREATE TABLE lives (
        life BIGINT PRIMARY KEY, sequence BIGINT NOT NULL, unix_ns BIGINT NOT NULL,
        engine TEXT NOT NULL, mode TEXT NOT NULL, birth BIGINT NOT NULL, config TEXT NOT NULL,
        pid BIGINT NOT NULL, ended_ns BIGINT, why TEXT)""",
    """CREATE TABLE instruments (
        venue TEXT NOT NULL, symbol TEXT NOT NULL, native TEXT NOT NULL, base TEXT NOT NULL,
        quote TEXT NOT NULL, settle TEXT NOT NULL, price_decimals BIGINT NOT NULL,
        size_decimals BIGINT NOT NULL, PRIMARY KEY (venue, symbol))""",
    """CREATE TABLE opportunities (
        sequence BIGINT PRIMARY KEY, unix_ns BIGINT NOT NULL, run BIGINT NOT NULL,
        signal BIGINT NOT NULL, strategy BIGINT NOT NULL, window_number BIGINT NOT NULL,
        legs JSON NOT NULL, net_edge_ppm BIGINT NOT NULL, expected_micro BIGINT NOT NULL,
        refused TEXT NOT NULL, number BIGINT NOT NULL, bound BIGINT NOT NULL)""",
    """CREATE TABLE trades (
        plan BIGINT PRIMARY KEY, unix_ns BIGINT NOT NULL, run BIGINT NOT NULL,
        signal BIGINT NOT NULL, strategy BIGINT NOT NULL, policy TEXT NOT NULL,
        legs JSON NOT NULL, expected_micro BIGINT NOT NULL, outcome TEXT, residual BIGINT,
        realised_micro BIGINT, closed_ns BIGINT, flows JSON NOT NULL, fees JSON NOT NULL,
        slippage JSON NOT NULL, leg_risk JSON NOT NULL)""",
    """CREATE TABLE orders (
        number BIGINT PRIMARY KEY, plan BIGINT NOT NULL, leg BIGINT NOT NULL,
        venue TEXT NOT NULL, symbol TEXT NOT NULL, side BIGINT NOT NULL, price NUMERIC NOT NULL,
        size NUMERIC NOT NULL, tif TEXT NOT NULL, purpose TEXT NOT NULL, client_id TEXT NOT NULL,
        venue_order TEXT NOT NULL, state TEXT NOT NULL, filled NUMERIC NOT NULL,
        value NUMERIC NOT NULL, odd BIGINT NOT NULL, unix_ns BIGINT NOT NULL,
        changed_ns BIGINT NOT NULL, UNIQUE (venue, client_id))""",
    """CREATE TABLE fills (
        sequence BIGINT PRIMARY KEY, unix_ns BIGINT NOT NULL, number BIGINT NOT NULL,
        plan BIGINT NOT NULL, venue TEXT NOT NULL, symbol TEXT NOT NULL, trade TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('fill', 'bust')), side BIGINT NOT NULL,
        price NUMERIC NOT NULL, size NUMERIC NOT NULL, value NUMERIC NOT NULL,
        fee NUMERIC NOT NULL, fee_asset TEXT NOT NULL, taker BIGINT, venue_unix_ns BIGINT,
        source TEXT NOT NULL)""",
    "CREATE INDEX fills_of_orders ON fills (number)",
    """CREATE TABLE postings (
        sequence BIGINT PRIMARY KEY, unix_ns BIGINT NOT NULL, venue TEXT NOT NULL,
        asset TEXT NOT NULL, amount NUMERIC NOT NULL, kind TEXT NOT NULL,
        reference TEXT NOT NULL)""",
    """CREATE TABLE positions (
        venue TEXT NOT NULL, symbol TEXT NOT NULL, size NUMERIC NOT NULL, cost NUMERIC NOT NULL,
        realised NUMERIC NOT NULL, held NUMERIC, unix_ns BIGINT NOT NULL,
        PRIMARY KEY (venue, symbol))""",
    """CREATE TABLE balances (
        venue TEXT NOT NULL, asset TEXT NOT NULL, booked NUMERIC NOT NULL, free NUMERIC,
        locked NUMERIC, booked_then NUMERIC, counted_ns BIGINT, unix_ns BIGINT NOT NULL,
        PRIMARY KEY (venue, asset))""",
    """CREATE TABLE audit (
        sequence BIGINT PRIMARY KEY, unix_ns BIGINT NOT NULL, kind TEXT NOT NULL,
        fields JSON NOT NULL)""",
    """CREATE TABLE system_metrics (
        unix_ns BIGINT NOT NULL, process TEXT NOT NULL, metric TEXT NOT NULL,
        value BIGINT NOT NULL, PRIMARY KEY (unix_ns, process, metric))""",
)
MIGRATIONS: Final[tuple[Migration, ...]] = (  # never changed once shipped, only added to
    Migration(_FIRST, tuple(name for name, table in TABLES.items() if table.appended)),
)
