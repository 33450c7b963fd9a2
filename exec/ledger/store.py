"""What a ledger's database must do, whichever it is: exactly once, or not at all.

A store writes, a reader only looks; ``sqlite`` and ``postgres`` open them, ``place`` says which.
Statements mark values with ``?``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import groupby
from typing import Any, NamedTuple, Protocol

from engine.model.errors import LedgerInvalid
from exec.ledger.schema import MIGRATIONS, TABLES

Value = str | int | None
Row = Mapping[str, Value]
Key = tuple[Value, ...]
Rows = dict[Key, dict[str, Value]]


class Position(NamedTuple):
    """How far the journal is in the ledger, and the hash of all records up to there."""

    sequence: int
    unix_ns: int
    chain: str


class Cursor(Protocol):
    """What both drivers' cursors have."""

    @property
    def rowcount(self) -> int:
        """Return how many rows the last statement changed."""
        ...

    def execute(self, text: str, values: Sequence[Any] = (), /) -> object:
        """Execute one statement."""
        ...

    def executemany(self, text: str, rows: list[tuple[Any, ...]], /) -> object:
        """Execute one statement for each of many rows."""
        ...


class Database(Protocol):
    """An open database; its errors are LedgerUnavailable or LedgerInvalid, never the driver's."""

    where: str  # for messages; no secret

    @property
    def alive(self) -> bool:
        """Return whether it may answer again after an error without being opened anew."""
        ...

    def transaction(self) -> AbstractContextManager[Cursor]:
        """Write all or nothing: after an error nothing was written, or nobody knows."""
        ...

    def select(self, text: str, values: Sequence[Value] = ()) -> list[dict[str, Value]]:
        """Return rows."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Store:
    """The one writer's view of a ledger whose tables are up to date."""

    def __init__(self, database: Database) -> None:
        self.database, self.where = database, database.where

    def position(self) -> Position:
        """Return how far the journal is in."""
        return position_of(self.database)

    def commit(
        self, appended: Iterable[tuple[str, Row]], current: Iterable[tuple[str, Row]],
        before: Position, now: Position,
    ) -> None:
        """Write rows and the position that they bring the ledger to, all or nothing.

        Raises LedgerUnavailable where the disk refuses or somebody holds the file, LedgerInvalid
        where the position is not ``before`` any more or a row cannot be: then nothing was
        written, unless the database is not ``alive`` after it: then ``position`` tells.
        """
        with self.database.transaction() as cursor:
            cursor.execute("UPDATE position SET sequence = ?, unix_ns = ?, chain = ?"
                           " WHERE sequence = ? AND chain = ?",
                           (*now, before.sequence, before.chain))
            if cursor.rowcount != 1:
                raise LedgerInvalid(f"{self.where}: somebody else moved its position")
            _write(cursor, appended, _insert)
            _write(cursor, current, _upsert)

    def sample(self, rows: Iterable[Row], *, kept_from_ns: int) -> None:
        """Add rows of ``system_metrics`` and forget those older than ``kept_from_ns``."""
        with self.database.transaction() as cursor:
            cursor.execute("DELETE FROM system_metrics WHERE unix_ns < ?", (kept_from_ns,))
            _write(cursor, (("system_metrics", row) for row in rows), _insert)

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()


def position_of(database: Database) -> Position:
    """Return how far the journal is in; raise LedgerInvalid where it does not say."""
    rows = database.select("SELECT sequence, unix_ns, chain FROM position")
    if len(rows) != 1:
        raise LedgerInvalid(f"{database.where}: it does not say how far it goes")
    found = rows[0]
    return Position(int(found["sequence"] or 0), int(found["unix_ns"] or 0), str(found["chain"]))


def rows_of(database: Database) -> dict[str, Rows]:
    """Return every row that the journal makes, by table and key, and the position."""
    keys = {name: table.key for name, table in TABLES.items()} | {"position": ("id",)}
    return {name: {tuple(row[column] for column in key): row
                   for row in database.select(f"SELECT * FROM {name}")}  # noqa: S608  (ours)
            for name, key in keys.items()}


def check_version(where: str, version: int, known: int = len(MIGRATIONS)) -> None:
    """Raise LedgerInvalid for a ledger that a newer engine wrote."""
    if version > known:
        raise LedgerInvalid(f"{where}: schema {version}, this engine knows {known}; run the newer"
                            " engine, or move the ledger away: it is made anew from the journal")


def _write(
    cursor: Cursor, rows: Iterable[tuple[str, Row]],
    statement: Callable[[str, Sequence[str]], str],
) -> None:
    """Write rows in their order, those of one shape together."""
    def shape(each: tuple[str, Row]) -> tuple[str, tuple[str, ...]]:
        return each[0], tuple(each[1])

    for (table, names), group in groupby(rows, shape):
        cursor.executemany(statement(table, names), [tuple(row.values()) for _, row in group])


def _insert(table: str, names: Sequence[str]) -> str:
    marks = ", ".join("?" * len(names))
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608  (ours)


def _upsert(table: str, names: Sequence[str]) -> str:
    key = TABLES[table].key
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name not in key)
    return f"{_insert(table, names)} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"

