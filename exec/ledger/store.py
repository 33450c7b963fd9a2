"""The ledger's database file: one process, one connection that writes (RELIABILITY, fact 7).

WAL with NORMAL: a power cut may take back the newest transactions, position and rows together;
the journal still has them.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from engine.model.errors import AlreadyRunning, LedgerInvalid, LedgerUnavailable
from exec.ledger.schema import APPLICATION, MIGRATIONS, TABLES

Row = Mapping[str, str | int | None]
Key = tuple[str | int | None, ...]
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
BUSY_S = 1.0  # an operator's open transaction may last so long


class Position(NamedTuple):
    """How far the journal is in the ledger, and the hash of all records up to there."""

    sequence: int
    unix_ns: int
    chain: str


class Store:
    """An open ledger that can be written."""

    def __init__(
        self, path: Path, *, migrations: Sequence[Sequence[str]] = MIGRATIONS
    ) -> None:
        """Open or make the file, mode 0600, and bring its tables up to date.

        An older one is copied to ``<path>.v<version>`` first.  Raises LedgerInvalid for a newer
        one or one that is no ledger, AlreadyRunning where another process writes, and
        LedgerUnavailable where the disk refuses.
        """
        self.path = path  # ``database`` is the one connection: nobody else writes
        try:
            descriptor = os.open(path.with_name(path.name + ".lock"), _FLAGS, 0o600)
            os.close(os.open(path, _FLAGS, 0o600))
        except OSError as error:
            raise LedgerUnavailable(f"{path}: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise AlreadyRunning(f"{path}: another process writes this ledger") from None
        self._lock = descriptor
        self.database = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
        try:
            self._prepare(migrations)
        except BaseException:
            self.close()
            raise

    def _prepare(self, migrations: Sequence[Sequence[str]]) -> None:
        try:
            (version,) = self.database.execute("PRAGMA user_version").fetchone()
            (owner,) = self.database.execute("PRAGMA application_id").fetchone()
            (tables,) = self.database.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            raise LedgerUnavailable(f"{self.path}: {error}") from error
        except sqlite3.DatabaseError as error:
            raise LedgerInvalid(
                f"{self.path}: {error}; move it away, it is made anew from the journal") from error
        if owner != APPLICATION and (tables or version):
            raise LedgerInvalid(f"{self.path}: a database, but no ledger of ours")
        if version > len(migrations):
            raise LedgerInvalid(
                f"{self.path}: schema {version}, this engine knows {len(migrations)}; run the"
                " newer engine, or move the file away: it is made anew from the journal")
        if 0 < version < len(migrations):
            copy = self.path.with_name(f"{self.path.name}.v{version}")
            copy.unlink(missing_ok=True)
            self._say("VACUUM INTO ?", (str(copy),))
        for setting in ("journal_mode = WAL", "synchronous = NORMAL"):
            self._say(f"PRAGMA {setting}")
        for number, statements in enumerate(migrations[version:], start=version + 1):
            self._together([*((each, ()) for each in statements),
                            (f"PRAGMA user_version = {number}", ())])

    def _say(self, text: str, values: tuple[str, ...] = ()) -> None:
        try:
            self.database.execute(text, values)
        except sqlite3.OperationalError as error:
            raise LedgerUnavailable(f"{self.path}: {error}") from error

    def position(self) -> Position:
        """Return how far the journal is in."""
        row = self.database.execute("SELECT sequence, unix_ns, chain FROM position").fetchone()
        if row is None:
            raise LedgerInvalid(f"{self.path}: it does not say how far it goes")
        return Position(*row)

    def commit(
        self, appended: Iterable[tuple[str, Row]], current: Iterable[tuple[str, Row]],
        before: Position, now: Position,
    ) -> None:
        """Write rows and the position that they bring the ledger to, all or nothing.

        Raises LedgerUnavailable where the disk refuses or somebody holds the file, LedgerInvalid
        where the position is not ``before`` any more or a row cannot be: then nothing was written.
        """
        statements = [
            ("UPDATE position SET sequence = ?, unix_ns = ?, chain = ? "
             "WHERE sequence = ? AND chain = ?", (*now, before.sequence, before.chain)),
            *(_insert(table, row) for table, row in appended),
            *(_upsert(table, row) for table, row in current)]
        self._together(statements)

    def _together(self, statements: Sequence[tuple[str, tuple[Any, ...]]]) -> None:
        """Execute in one transaction; the first one, if an UPDATE, must change one row."""
        try:
            self.database.execute("BEGIN IMMEDIATE")
            for index, (text, values) in enumerate(statements):
                done = self.database.execute(text, values)
                if not index and text.startswith("UPDATE") and done.rowcount != 1:
                    raise LedgerInvalid(f"{self.path}: somebody else moved its position")
            self.database.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise LedgerUnavailable(f"{self.path}: {error}") from error
        except (sqlite3.DatabaseError, OverflowError) as error:
            raise LedgerInvalid(f"{self.path}: {error}") from error
        finally:
            if self.database.in_transaction:  # a full disk rolls back by itself
                self.database.execute("ROLLBACK")

    def close(self) -> None:
        """Let go of the file."""
        self.database.close()
        os.close(self._lock)


def rows_of(path: Path) -> dict[str, dict[Key, dict[str, str | int | None]]]:
    """Return every row of a ledger by table and key, with its position; nothing is written.

    Raises LedgerInvalid for a file that SQLite finds damaged, or of another schema.
    """
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True,
                                     isolation_level=None)) as database:
            database.execute("BEGIN")  # one moment of a ledger that is being written
            database.row_factory = sqlite3.Row
            (version,) = database.execute("PRAGMA user_version").fetchone()
            if version != len(MIGRATIONS):
                raise LedgerInvalid(
                    f"{path}: schema {version}, this engine writes {len(MIGRATIONS)}")
            found = [str(each[0]) for each in database.execute("PRAGMA integrity_check")]
            if found != ["ok"]:
                raise LedgerInvalid(f"{path}: {found[0]}; move it away, it is made anew")
            keys = {name: table.key for name, table in TABLES.items()} | {"position": ("id",)}
            return {
                name: {tuple(row[column] for column in key): dict(row)
                       for row in database.execute(f"SELECT * FROM {name}")}  # noqa: S608 (ours)
                for name, key in keys.items()}
    except sqlite3.DatabaseError as error:
        raise LedgerInvalid(f"{path}: {error}; move it away, it is made anew") from error


def _insert(table: str, row: Row) -> tuple[str, tuple[Any, ...]]:
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    return f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values())  # noqa: S608


def _upsert(table: str, row: Row) -> tuple[str, tuple[Any, ...]]:
    text, values = _insert(table, row)
    key = TABLES[table].key
    changes = ", ".join(f"{name} = excluded.{name}" for name in row if name not in key)
    return f"{text} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}", values
