"""A ledger in PostgreSQL: one schema per books folder, one session that writes, by its lock.

What is lost with a connection is unknown until the position is read again: the writer begins
anew then.  Every statement has a time limit, so that no server holds the ledger process for ever.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, LiteralString

import psycopg
from psycopg.rows import dict_row
from psycopg.types.string import TextLoader

from engine.model.errors import AlreadyRunning, LedgerInvalid, LedgerUnavailable
from exec.ledger.schema import MIGRATIONS, Migration
from exec.ledger.store import Cursor, Store, Value, check_version

_LIMITS: Final = {  # libpq's words
    "connect_timeout": "5", "tcp_user_timeout": "10000", "keepalives_idle": "5",
    "keepalives_interval": "2", "keepalives_count": "3", "application_name": "trypto-engine",
    "options": "-c statement_timeout=10000 -c lock_timeout=2000 -c timezone=UTC"
               " -c idle_in_transaction_session_timeout=30000"}
_NEVER: Final = (  # refusals that no time heals; all others are another time
    psycopg.errors.IntegrityError, psycopg.errors.DataError, psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn, psycopg.errors.RaiseException)
_GUARD: Final = """CREATE OR REPLACE FUNCTION only_added() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME; END $$"""


class _Cursor:
    """A cursor that takes ``?`` for a value."""

    def __init__(self, cursor: psycopg.Cursor[dict[str, Any]]) -> None:
        self._cursor = cursor

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount

    def execute(self, text: str, values: Sequence[Any] = (), /) -> object:
        return self._cursor.execute(_spelt(text), values or None)

    def executemany(self, text: str, rows: list[tuple[Any, ...]], /) -> object:
        self._cursor.executemany(_spelt(text), rows)
        return self


class PostgresDatabase:
    """One session."""

    def __init__(self, url: str, password: str, schema: str) -> None:
        """Connect; raise LedgerUnavailable where that fails, LedgerInvalid for what is no URL."""
        words: dict[str, str] = dict(_LIMITS)
        if password:
            words["password"] = password
        self.where = f"{url} schema {schema}"
        try:
            self._connection = psycopg.connect(
                url, autocommit=True, row_factory=dict_row, **words)  # type: ignore[arg-type]
        except psycopg.Error as error:
            raise self._told(error) from error
        for name in ("numeric", "json"):  # both come back as they were written
            self._connection.adapters.register_loader(name, TextLoader)
        self._run(f'SET search_path TO "{schema}"')

    @property
    def alive(self) -> bool:
        """Return whether the session still is."""
        return not self._connection.closed

    @contextmanager
    def transaction(self) -> Iterator[Cursor]:
        """Write all or nothing."""
        try:
            with self._connection.transaction(), self._connection.cursor() as cursor:
                yield _Cursor(cursor)
        except psycopg.Error as error:
            raise self._told(error) from error

    def select(self, text: str, values: Sequence[Value] = ()) -> list[dict[str, Value]]:
        """Return rows."""
        try:
            return self._connection.execute(_spelt(text), values or None).fetchall()
        except psycopg.Error as error:
            raise self._told(error) from error

    def look(self) -> None:
        """Only look from now on, at one moment of the ledger."""
        self._run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def close(self) -> None:
        """End the session."""
        self._connection.close()

    def _run(self, text: str) -> None:
        try:
            self._connection.execute(_spelt(text))
        except psycopg.Error as error:
            raise self._told(error) from error

    def _told(self, error: psycopg.Error) -> LedgerUnavailable | LedgerInvalid:
        text = " ".join(str(error).split())
        kind = LedgerInvalid if isinstance(error, _NEVER) else LedgerUnavailable
        return kind(f"{self.where}: {text}")


def open_store(
    url: str, password: str, schema: str, *, migrations: Sequence[Migration] = MIGRATIONS
) -> Store:
    """Connect, take the schema's lock, and bring its tables up to date.

    Raises LedgerInvalid for a newer ledger or a schema of somebody else's, AlreadyRunning where
    another session writes, LedgerUnavailable where the server refuses or is not there.
    """
    database = PostgresDatabase(url, password, schema)
    try:
        (lock,) = database.select(
            "SELECT pg_try_advisory_lock(hashtextextended(?, 0)) AS ours", (f"trypto {schema}",))
        if not lock["ours"]:
            raise AlreadyRunning(f"{database.where}: another process writes this ledger")
        _prepare(database, schema, migrations)
    except BaseException:
        database.close()
        raise
    return Store(database)


def open_reader(url: str, password: str, schema: str) -> PostgresDatabase:
    """Open a ledger to look at, at one moment of it; raise as ``open_store`` does."""
    database = PostgresDatabase(url, password, schema)
    try:
        version = _version(database, schema, len(MIGRATIONS))
        if version != len(MIGRATIONS):
            raise LedgerInvalid(
                f"{database.where}: schema {version}, this engine writes {len(MIGRATIONS)};"
                " start the engine once: it brings the ledger up to date")
        database.look()
    except BaseException:
        database.close()
        raise
    return database


def _prepare(database: PostgresDatabase, schema: str, migrations: Sequence[Migration]) -> None:
    version = _version(database, schema, len(migrations))
    if not version:
        with database.transaction() as cursor:
            cursor.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
            cursor.execute("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)")
            cursor.execute(_GUARD)
    for number, migration in enumerate(migrations[version:], start=version + 1):
        with database.transaction() as cursor:
            for statement in migration.statements:
                cursor.execute(statement)
            for table in migration.guarded:
                cursor.execute(
                    f"CREATE TRIGGER {table}_guard BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
                    " FOR EACH STATEMENT EXECUTE FUNCTION only_added()")
            cursor.execute("DELETE FROM schema_version")
            cursor.execute("INSERT INTO schema_version VALUES (?)", (number,))


def _version(database: PostgresDatabase, schema: str, known: int) -> int:
    """Return the version of a ledger, 0 where there is none; raise LedgerInvalid for others."""
    tables = {row["table_name"] for row in database.select(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = ?", (schema,))}
    if "schema_version" not in tables:
        if tables:
            raise LedgerInvalid(f"{database.where}: a schema, but no ledger of ours; rename it")
        return 0
    rows = database.select("SELECT version FROM schema_version")
    version = int(rows[0]["version"] or 0) if rows else 0
    check_version(database.where, version, known)
    return version


def _spelt(text: str) -> LiteralString:
    """Return a statement of ours, which holds no value, with psycopg's marks."""
    return text.replace("?", "%s")
