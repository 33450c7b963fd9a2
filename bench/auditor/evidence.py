"""What an audit may look at beside the journal: the venues' truth, the ledger, the portfolio.

All as plain values: exact decimal texts, numbers and names, whoever gathered them.
"""

import hashlib
import sqlite3
import struct
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from bench.auditor.journal import Entry

_CHAINED: Final = struct.Struct("<QQH")
TABLES: Final = ("position", "lives", "opportunities", "trades", "orders", "fills", "postings",
                 "positions", "balances", "audit")


class VenueOrder(msgspec.Struct, frozen=True):
    """An order as the venue itself knows it; numbers are decimal texts."""

    id: int
    client_id: str
    symbol: str  # native
    side: str
    price: str
    size: str
    filled: str
    status: str  # open, filled, cancelled, expired


class VenueFill(msgspec.Struct, frozen=True):
    """A fill as the venue itself knows it."""

    trade_id: int
    order_id: int
    client_id: str
    symbol: str
    side: str
    price: str
    size: str
    taker: bool
    fee: str
    fee_asset: str


class VenueAccount(msgspec.Struct, frozen=True):
    """An account's truth at a venue: ``balances`` are asset -> (free, locked)."""

    balances: dict[str, tuple[str, str]] = {}
    positions: dict[str, str] = {}
    orders: list[VenueOrder] = []
    fills: list[VenueFill] = []
    opening: dict[str, str] = {}  # asset -> total before the first order, where known


class Portfolio(msgspec.Struct, frozen=True):
    """What the shared-memory segment shows, written as texts."""

    sequence: int  # the newest record that is in it
    state: int  # trading state
    totals: dict[str, dict[str, str]]  # venue -> asset -> what is held there
    positions: dict[str, dict[str, str]]  # venue -> symbol -> signed size
    orders: list[int]  # numbers of the orders that are not settled


class Evidence(msgspec.Struct, frozen=True):
    """Everything; what is None was not given, and what needs it is not judged."""

    venues: dict[str, VenueAccount] | None = None
    ledger: Mapping[str, list[dict[str, Any]]] | None = None  # by table
    portfolio: Portfolio | None = None
    orders_per_s_max: int = 0  # 0: not given
    open_orders_max: int = 0
    secrets: tuple[str, ...] = ()  # that may stand nowhere
    settled: bool = True  # whether calm had come before: then nothing may be left in doubt


class Chain(NamedTuple):
    """The newest record and the hash of all up to it, as the ledger keeps it."""

    sequence: int
    text: str


def truth_of(path: Path) -> dict[str, VenueAccount]:
    """Read ``{venue: account}`` from JSON; raise msgspec.DecodeError for anything else."""
    return msgspec.json.decode(path.read_bytes(), type=dict[str, VenueAccount])


def ledger_of(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Read every row of a ledger of one moment; nothing is written."""
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True,
                                 isolation_level=None)) as database:
        database.row_factory = sqlite3.Row
        database.execute("BEGIN")
        return {table: [dict(row) for row in database.execute(f"SELECT * FROM {table}")]  # noqa: S608 (our names)
                for table in TABLES}


def chain_of(entries: Iterable[Entry], upto: int) -> Chain:
    """Return the hash chain that a ledger must carry after record ``upto``."""
    text, last = "", 0
    for entry in entries:
        if entry.sequence > upto:
            break
        head = _CHAINED.pack(entry.sequence, entry.unix_ns, entry.kind)
        text = hashlib.sha256(text.encode() + head + entry.payload).hexdigest()
        last = entry.sequence
    return Chain(last, text)
