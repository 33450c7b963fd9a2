"""A ledger in an SQLite file: one process, one connection that writes (RELIABILITY, fact 7).

WAL with NORMAL: a power cut may take back the newest transactions, position and rows together;
the journal still has them.
"""

import fcntl
import os
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, cast

from engine.model.errors import AlreadyRunning, LedgerInvalid, LedgerUnavailable
from exec.ledger.schema import MIGRATIONS, Migration
from exec.ledger.store import Store, Value, check_version

APPLICATION: Final = 0x54524C47  # tells our files from other people's databases
BUSY_S: Final = 1.0  # an operator's open transaction may last so long
_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
_TYPES: Final = {"BIGINT": "INTEGER", "NUMERIC": "TEXT", "JSON": "TEXT"}
_TYPE: Final = re.compile(rf"\b({'|'.join(_TYPES)})\b")


class SqliteDatabase:
    """One connection to one file."""

    alive = True  # a file does not hang up

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: int = -1) -> None:
        """Take an open connection, and the lock of the one who writes."""
        self.where, self.connection, self._lock = str(path), connection, lock
        connection.row_factory = sqlite3.Row

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Cursor]:
        """Write all or nothing."""
        cursor = self.connection.cursor()
        try:
            cursor.execute("BEGIN IMMEDIATE")
            yield cursor
            cursor.execute("COMMIT")
        except (sqlite3.DatabaseError, OverflowError) as error:
            raise self._told(error) from error
        finally:
            if self.connection.in_transaction:  # a full disk rolls back by itself
                cursor.execute("ROLLBACK")

    def select(self, text: str, values: Sequence[Value] = ()) -> list[dict[str, Value]]:
        """Return rows."""
        try:
            return [dict(row) for row in self.connection.execute(text, values)]
        except sqlite3.DatabaseError as error:
            raise self._told(error) from error

    def execute(self, text: str, values: Sequence[Value] = ()) -> None:
        """Execute a statement outside any transaction."""
        try:
            self.connection.execute(text, values)
        except sqlite3.DatabaseError as error:
            raise self._told(error) from error

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()
        if self._lock >= 0:
            os.close(self._lock)

    def _told(self, error: Exception) -> LedgerUnavailable | LedgerInvalid:
        """Return what a refusal means: another time, or never."""
        if isinstance(error, sqlite3.OperationalError):
            return LedgerUnavailable(f"{self.where}: {error}")
        if isinstance(error, sqlite3.IntegrityError | OverflowError):
            return LedgerInvalid(f"{self.where}: {error}")
        return LedgerInvalid(f"{self.where}: {error}; move it away, it is made anew from the"
                             " journal")


def open_store(path: Path, *, migrations: Sequence[Migration] = MIGRATIONS) -> Store:
    """Open or make the file, mode 0600, and bring its tables up to date.

    An older one is copied to ``<path>.v<version>`` first.  Raises LedgerInvalid for a newer one
    or one that is no ledger, AlreadyRunning where another process writes, and LedgerUnavailable
    where the disk refuses.
    """
    try:
        lock = os.open(path.with_name(path.name + ".lock"), _FLAGS, 0o600)
        os.close(os.open(path, _FLAGS, 0o600))
    except OSError as error:
        raise LedgerUnavailable(f"{path}: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise AlreadyRunning(f"{path}: another process writes this ledger") from None
    connection = sqlite3.connect(
        path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    database = SqliteDatabase(path, connection, lock)
    try:
        _prepare(database, path, migrations)
    except BaseException:
        database.close()
        raise
    return Store(database)


def open_reader(path: Path) -> SqliteDatabase:
    """Open a ledger to look at, at one moment of it; nothing is written.

    Raises LedgerUnavailable where there is none, LedgerInvalid for a file that SQLite finds
    damaged, or of another schema.
    """
    uri = f"{path.resolve().as_uri()}?mode=ro"
    try:
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_S)
    except sqlite3.OperationalError as error:
        raise LedgerUnavailable(f"{path}: {error}") from error
    database = SqliteDatabase(path, connection)
    try:
        version = _version(database, len(MIGRATIONS))
        if version != len(MIGRATIONS):
            raise LedgerInvalid(f"{path}: schema {version}, this engine writes {len(MIGRATIONS)};"
                                " start the engine once: it brings the ledger up to date")
        database.execute("BEGIN")
    except BaseException:
        database.close()
        raise
    return database


def check(database: SqliteDatabase) -> None:
    """Raise LedgerInvalid where SQLite finds the file damaged."""
    found = [str(row["integrity_check"]) for row in database.select("PRAGMA integrity_check")]
    if found != ["ok"]:
        raise LedgerInvalid(f"{database.where}: {found[0]}; move it away, it is made anew from the"
                            " journal")


def _prepare(database: SqliteDatabase, path: Path, migrations: Sequence[Migration]) -> None:
    version = _version(database, len(migrations))
    if 0 < version < len(migrations):
        copy = path.with_name(f"{path.name}.v{version}")
        copy.unlink(missing_ok=True)
        database.execute("VACUUM INTO ?", (str(copy),))
    for setting in (f"application_id = {APPLICATION}", "journal_mode = WAL",
                    "synchronous = NORMAL"):
        database.execute(f"PRAGMA {setting}")
    for number, migration in enumerate(migrations[version:], start=version + 1):
        with database.transaction() as cursor:
            for statement in (*migration.statements, *_guards(migration)):
                cursor.execute(_spelt(statement))
            cursor.execute(f"PRAGMA user_version = {number}")


def _version(database: SqliteDatabase, known: int) -> int:
    """Return the version of a ledger, 0 of an empty file; raise LedgerInvalid for what is none."""
    (owner,) = database.select("PRAGMA application_id")
    (version,) = database.select("PRAGMA user_version")
    (tables,) = database.select("SELECT COUNT(*) AS count FROM sqlite_master")
    found = cast("int", version["user_version"])
    if owner["application_id"] != APPLICATION and (tables["count"] or found):
        raise LedgerInvalid(f"{database.where}: a database, but no ledger of ours; move it away")
    check_version(database.where, found, known)
    return found


def _guards(migration: Migration) -> Iterator[str]:
    for table in migration.guarded:
        for verb in ("UPDATE", "DELETE"):
            yield (f"CREATE TRIGGER {table}_{verb.lower()} BEFORE {verb} ON {table} BEGIN"
                   f" SELECT RAISE(ABORT, 'rows of {table} are only ever added'); END")


def _spelt(statement: str) -> str:
    """Return a statement of the schema in SQLite's words."""
    text = _TYPE.sub(lambda found: _TYPES[found[0]], statement)
    return f"{text} STRICT" if text.startswith("CREATE TABLE") else text
