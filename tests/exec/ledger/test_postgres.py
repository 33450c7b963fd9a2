"""exec.ledger.postgres against a real server: the same rows, exactly once, and clear refusals."""

import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import psycopg
import pytest

from bench.histories.campaign import lived
from engine.model.errors import AlreadyRunning, LedgerInvalid, LedgerUnavailable
from exec.journal.file import Record
from exec.journal.reader import read
from exec.ledger import place, pnl, postgres, report, sqlite, views
from exec.ledger import store as stores
from exec.ledger.place import Place
from exec.ledger.schema import MIGRATIONS, Migration
from exec.ledger.verify import Proof, verify
from exec.ledger.writer import Ledger
from shm.counters import LedgerCounter
from tests.exec.ledger.server import Server, binaries
from tests.exec.ledger.test_keeper import SECOND, Desk, grow

pytestmark = pytest.mark.skipif(
    binaries() is None, reason="no PostgreSQL server here (Debian: apt install postgresql)")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    programs = binaries()
    assert programs is not None
    made = Server(programs)
    yield made
    made.stop()


@pytest.fixture
def schema(request: pytest.FixtureRequest) -> str:
    return f"s{abs(hash(request.node.name)) % 10**9}"


@cache
def history(seed: int) -> Sequence[Record]:
    return lived(seed).stored


def proof(server: Server, schema: str, records: Sequence[Record]) -> Proof:
    with closing(postgres.open_reader(server.url, "", schema)) as database:
        return verify(database, records)


def write(server: Server, schema: str, records: Sequence[Record]) -> None:
    with closing(postgres.open_store(server.url, "", schema)) as kept:
        Ledger(kept).catch_up(records)


def command(server: Server, text: str) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(text)


@pytest.mark.parametrize("seed", [3, 9])
def test_its_rows_are_those_of_sqlite_to_the_last_digit(
    server: Server, schema: str, seed: int, tmp_path: Path
) -> None:
    write(server, schema, history(seed))
    with closing(sqlite.open_store(tmp_path / "ledger")) as kept:
        Ledger(kept).catch_up(history(seed))
    assert proof(server, schema, history(seed)).behind == 0
    with (closing(postgres.open_reader(server.url, "", schema)) as theirs,
          closing(sqlite.open_reader(tmp_path / "ledger")) as ours):
        assert stores.rows_of(theirs) == stores.rows_of(ours)
        (total,) = theirs.select("SELECT SUM(value * side) AS total, COUNT(*) AS n FROM fills")
        assert total["n"]  # a trader may compute with them


def test_kill_9_of_the_writer_at_random_instants_books_every_record_once(
    server: Server, schema: str
) -> None:
    records, draw, kills = history(9), Random(3), 0
    for _ in range(12):
        child = os.fork()
        if not child:
            try:
                kept = postgres.open_store(server.url, "", schema)
                ledger = Ledger(kept)
                for record in records:
                    ledger.take(record)
                    ledger.flush()
            finally:
                os._exit(0)
        time.sleep(0.03 + draw.random() * 0.1)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        kills += os.WIFSIGNALED(status)
        wait_for_the_lock(server, schema)
    assert kills >= 6
    write(server, schema, records)
    assert proof(server, schema, records).sequence == len(records)


def wait_for_the_lock(server: Server, schema: str) -> None:
    """Wait until the server has noticed the end of the last writer."""
    for _ in range(200):
        try:
            postgres.open_store(server.url, "", schema).close()
        except AlreadyRunning:
            time.sleep(0.02)
        else:
            return
    raise AssertionError("the server keeps a dead writer's lock")


def test_a_second_writer_a_newer_schema_and_a_foreign_one_are_refused(
    server: Server, schema: str
) -> None:
    records = history(3)
    with closing(postgres.open_store(server.url, "", schema)) as kept:
        Ledger(kept).catch_up(records)
        with pytest.raises(AlreadyRunning):
            postgres.open_store(server.url, "", schema)
    newer = (*MIGRATIONS, Migration(("ALTER TABLE trades ADD COLUMN note TEXT",)))
    broken = (*MIGRATIONS, Migration(("ALTER TABLE trades ADD COLUMN note TEXT", "CREATE X")))
    with pytest.raises(LedgerUnavailable, match="syntax error"):
        postgres.open_store(server.url, "", schema, migrations=broken)
    assert proof(server, schema, records).behind == 0  # half a migration is none
    postgres.open_store(server.url, "", schema, migrations=newer).close()
    for opened in (postgres.open_store, postgres.open_reader):
        with pytest.raises(LedgerInvalid, match="schema 2, this engine"):
            opened(server.url, "", schema)
    command(server, f"CREATE SCHEMA {schema}x; CREATE TABLE {schema}x.mine (a BIGINT)")
    with pytest.raises(LedgerInvalid, match="no ledger of ours"):
        postgres.open_store(server.url, "", f"{schema}x")


@pytest.mark.parametrize("tampering", [
    "UPDATE {}.balances SET booked = booked + 0.000000000000000001",
    "DELETE FROM {}.orders WHERE number = (SELECT MIN(number) FROM {}.orders)",
    "UPDATE {}.trades SET leg_risk = '{{\"USDT\": \"1\"}}' WHERE plan ="
    " (SELECT MAX(plan) FROM {}.trades)",
    "UPDATE {}.position SET sequence = sequence - 1",
])
def test_verify_finds_what_no_record_made_and_what_happened_cannot_be_edited(
    server: Server, schema: str, tampering: str
) -> None:
    write(server, schema, history(9))
    for verb in ("UPDATE {}.fills SET side = 1", "DELETE FROM {}.audit", "TRUNCATE {}.fills"):
        with pytest.raises(psycopg.errors.RaiseException, match="only ever added"):
            command(server, verb.format(schema))
    command(server, tampering.format(schema, schema))
    with pytest.raises(LedgerInvalid):
        proof(server, schema, history(9))


def test_a_server_that_crashes_and_a_session_that_is_ended_lose_and_double_nothing(
    server: Server, tmp_path: Path
) -> None:
    desk = Desk(tmp_path, f'[ledger]\nurl = "{server.url}"\n')
    journal, records = desk.journal(), [(each.kind, each.payload) for each in history(9)]
    third = len(records) // 3
    grow(journal, records[:third])
    desk.turns(2)
    command(server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'trypto-engine'")
    grow(journal, records[third : 2 * third])
    desk.turns(3, SECOND)
    assert "terminating connection" in desk.refusals()[0]
    assert desk.count(LedgerCounter.BEHIND) == [0]
    server.crash()
    grow(journal, records[2 * third :])
    desk.turns(4, SECOND)
    assert "connection" in desk.refusals()[-1]
    server.start()
    desk.turns(10, 5 * SECOND)
    schema = place.place_of(desk.books, desk.config).schema
    assert schema == "demo_dry_run_books"
    assert proof(server, schema, history_of(desk)).behind == 0
    desk.keeper.close()
    with closing(place.noted(Path(desk.books.folder)).open_reader()) as found:
        assert verify(found, history_of(desk)).sequence == len(records)


def history_of(desk: Desk) -> list[Record]:

    return [*read(desk.books.journal, boot=7)]


def test_every_report_says_of_it_what_it_says_of_sqlite(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[list[Any]] = []
    for name, text in (("p", f'[ledger]\nurl = "{server.url}"\n'), ("s", "")):
        (tmp_path / name).mkdir()
        desk = Desk(tmp_path / name, text, account=f"report{name}")
        grow(desk.journal(), [(each.kind, each.payload) for each in history(9)])
        desk.turns(2)
        store: Any = desk.keeper._store  # noqa: SLF001
        store.sample([{"unix_ns": at, "process": "exec", "metric": "accepted", "value": at}
                      for at in (7, 8)], kept_from_ns=0)
        desk.keeper.close()
        answers: list[Any] = []
        tasks = [("show", "--table", table) for table in views.VIEWS]
        tasks += [("pnl", "--by", by) for by in pnl.GROUPS]
        for task, *words in [*tasks, ("verify",)]:
            assert not report.main([task, desk.books.folder, *words, "--json"])
            answers.append(msgspec.json.decode(capsys.readouterr().out))
            if isinstance(answers[-1], dict):
                assert (server.url in answers[-1].pop("ledger")) == (name == "p")
                answers[-1].pop("journal", None)
        told.append(answers)
    assert told[0] == told[1]
    assert told[0][7] == [
        {"process": "exec", "metric": "accepted", "value": 8, "unix_ns": 8}]


def test_a_database_that_only_reads_is_another_time(server: Server, schema: str) -> None:
    write(server, schema, history(3)[:50])
    with closing(postgres.open_store(server.url, "", schema)) as kept:
        database: Any = kept.database
        database._run("SET default_transaction_read_only = on")  # noqa: SLF001
        with pytest.raises(LedgerUnavailable, match="read-only transaction"):
            Ledger(kept).catch_up(history(3))
        assert database.alive


def test_a_password_comes_from_where_the_config_says_and_is_told_to_nobody(
    server: Server, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = "canary-7f3a"
    command(server, f"DO $$ BEGIN CREATE USER clerk PASSWORD '{canary}'; EXCEPTION"
                    " WHEN duplicate_object THEN NULL; END $$;"
                    " GRANT CREATE ON DATABASE postgres TO clerk")
    where = Place("unused", server.url_of("clerk"), "env:LEDGER_WORD", schema)
    monkeypatch.setenv("LEDGER_WORD", canary)
    with closing(where.open_store()) as kept:
        Ledger(kept).catch_up(history(3))
        assert canary not in repr(kept.where)
    monkeypatch.setenv("LEDGER_WORD", f"{canary}-wrong")
    with pytest.raises(LedgerUnavailable, match="password authentication failed") as caught:
        where.open_store()
    assert canary not in str(caught.value)
    monkeypatch.delenv("LEDGER_WORD")
    with pytest.raises(Exception, match="the environment has no LEDGER_WORD"):
        where.open_store()


def test_without_the_package_it_is_said_which_one_is_missing(
    monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "exec.ledger.postgres", None)
    with pytest.raises(LedgerUnavailable, match=r"pip install 'trypto-engine\[postgres\]'"):
        Place("unused", "postgresql://x@/y").open_store()
