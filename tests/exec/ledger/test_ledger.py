"""exec.ledger: every record of the journal once, whatever kills the writer; and the proof of it."""

import os
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bench.histories.campaign import lived
from bench.histories.world import World
from engine.model.clock import ManualClock
from engine.model.errors import AlreadyRunning, LedgerInvalid, LedgerUnavailable
from exec import records as r
from exec.journal.file import Record
from exec.journal.reader import files_of, read
from exec.journal.writer import Journal
from exec.ledger import sqlite, store
from exec.ledger import verify as verifying
from exec.ledger.fold import Fold
from exec.ledger.schema import MIGRATIONS, Migration
from exec.ledger.sqlite import SqliteDatabase, open_store
from exec.ledger.store import Rows
from exec.ledger.verify import Proof
from exec.ledger.writer import Ledger

SEEDS = (0, 3, 9, 14)
BTC = ("a", "BTC/USDT")


@cache
def history(seed: int) -> World:
    """Return a world whose core was killed, cut off and lied to; its journal is real."""
    return lived(seed)


def rows_of(path: Path) -> dict[str, Rows]:
    with closing(sqlite.open_reader(path)) as database:
        return store.rows_of(database)


def verify(path: Path, records: Iterable[Record]) -> Proof:
    with closing(sqlite.open_reader(path)) as database:
        return verifying.verify(database, records)


def connection(kept: store.Store) -> sqlite3.Connection:
    assert isinstance(kept.database, SqliteDatabase)
    return kept.database.connection


def written(path: Path, records: Sequence[Record], *, batch: int = 10**6) -> None:
    kept = open_store(path)
    ledger = Ledger(kept)
    for record in records:
        ledger.take(record)
        if record.sequence % batch == 0:
            ledger.flush()
    ledger.flush()
    kept.close()


def journal(*records: r.Record) -> list[Record]:
    begun: list[r.Record] = [
        r.Opened(r.SCHEMA, "e", "paper", 1_800_000_000, 1, "c", 7),
        r.Listed(*BTC, "BTCUSDT", "BTC", "USDT", "", 2, 5),
        r.Listed("p", "BTC/USDT:USDT", "BTCUSDT", "BTC", "USDT", "USDT", 1, 3)]
    return [Record(number, number * 1000, r.kind_of(each), r.encode(each))
            for number, each in enumerate([*begun, *records], start=1)]


def planned(plan: int, *legs: r.Leg) -> r.Planned:
    return r.Planned(plan, 5, 6, 1, legs, "unwind", (), 9, 2_000_000)


def intended(order: int, plan: int, leg: int, side: int, price: int, purpose: str) -> r.Intended:
    return r.Intended(order, plan, leg, *BTC, side, price, 100_000, r.Tif.IOC, False, False,
                      f"c{order}", 1, 2, purpose)


def filled(order: int, trade: str, side: int, price: int, size: int) -> r.Filled:
    return r.Filled(order, *BTC, trade, side, price, size, "0.06", "USDT", True, 5, "stream")


@pytest.mark.parametrize("seed", SEEDS)
def test_rows_say_what_the_journal_says_however_they_are_batched(
    seed: int, tmp_path: Path
) -> None:
    records = history(seed).stored
    written(tmp_path / "one", records)
    written(tmp_path / "many", records, batch=7)
    assert rows_of(tmp_path / "one") == rows_of(tmp_path / "many")
    proof = verify(tmp_path / "many", records)
    assert (proof.sequence, proof.behind) == (len(records), 0)
    assert proof.rows > len(records) // 3


@pytest.mark.parametrize("seed", SEEDS)
def test_rows_equal_what_the_venues_know(seed: int, tmp_path: Path) -> None:
    world = history(seed)
    written(tmp_path / "ledger", world.stored)
    rows = rows_of(tmp_path / "ledger")
    kinds = Counter(type(r.decode(each.payload)).__name__ for each in world.stored)
    assert len(rows["opportunities"]) == kinds["Decided"]
    assert len(rows["orders"]) == kinds["Intended"]
    assert len(rows["trades"]) == kinds["Planned"]
    booked = {(each["venue"], each["trade"]) for each in rows["fills"].values()
              if each["kind"] == "fill"}
    assert booked == {(name, str(fill.trade_id)) for name, venue in world.venues.items()
                      for fill in venue.fills}
    for order in rows["orders"].values():
        fills = [each for each in rows["fills"].values() if each["number"] == order["number"]]
        assert Decimal(str(order["filled"])) == sum(Decimal(str(each["size"])) for each in fills)
        assert Decimal(str(order["value"])) == sum(Decimal(str(each["value"])) for each in fills)
    flows = Counter[str]()
    for plan in rows["trades"].values():
        for asset, text in msgspec.json.decode(str(plan["flows"])).items():
            flows[asset] += Decimal(text)  # type: ignore[assignment]
    booked_money = Counter[str]()
    for balance in rows["balances"].values():
        booked_money[str(balance["asset"])] += Decimal(str(balance["booked"]))  # type: ignore[assignment]
    assert {k: v for k, v in flows.items() if v} == {k: v for k, v in booked_money.items() if v}


def test_a_plan_tells_slippage_from_leg_risk_and_both_from_fees(tmp_path: Path) -> None:
    leg = r.Leg(*BTC, 1, 6_000_000, 100_000, 6_100_000)
    records = journal(
        planned(4, leg), intended(5, 4, 0, 1, 6_010_000, "enter"),
        filled(5, "t1", 1, 6_010_000, 100_000),
        intended(7, 4, 0, -1, 5_900_000, "unwind"), filled(7, "t2", -1, 5_950_000, 100_000),
        r.PlanClosed(4, "unwound", 0, -720_000))
    written(tmp_path / "ledger", records)
    (plan,) = rows_of(tmp_path / "ledger")["trades"].values()
    assert msgspec.json.decode(str(plan["slippage"])) == {"USDT": "100"}
    assert msgspec.json.decode(str(plan["leg_risk"])) == {"USDT": "500"}
    assert msgspec.json.decode(str(plan["fees"])) == {"USDT": "0.12"}
    assert msgspec.json.decode(str(plan["flows"])) == {"USDT": "-600.12"}
    assert (plan["expected_micro"], plan["realised_micro"], plan["outcome"]) == (
        2_000_000, -720_000, "unwound")


def test_a_busted_trade_gets_an_opposite_row_and_a_repeated_one_none(tmp_path: Path) -> None:
    leg = r.Leg(*BTC, 1, 6_000_000, 100_000, 6_100_000)
    fill = filled(5, "t1", 1, 6_000_000, 40_000)
    records = journal(
        planned(4, leg), intended(5, 4, 0, 1, 6_000_000, "enter"), fill, fill,
        r.Busted(*BTC, "t1", "venue"), r.Busted(*BTC, "t1", "venue"))
    written(tmp_path / "ledger", records)
    rows = rows_of(tmp_path / "ledger")
    assert [(each["kind"], each["side"], each["size"], each["fee"])
            for each in rows["fills"].values()] == [
        ("fill", 1, "0.4", "0.06"), ("bust", -1, "0.4", "-0.06")]
    (plan,), (order,) = rows["trades"].values(), rows["orders"].values()
    assert (plan["flows"], plan["fees"], order["filled"], order["value"]) == ("{}", "{}", "0", "0")
    assert {each["booked"] for each in rows["balances"].values()} == {"0"}


def test_positions_balances_postings_and_lives_are_there(tmp_path: Path) -> None:
    place = ("p", "BTC/USDT:USDT")
    records = journal(
        r.Filled(0, *place, "x", -1, 60_000_0, 5, "0.1", "USDT", False, 5, "query"),
        r.Held(*place, -5, "survey"), r.Posted("p", "USDT", "-1.5", "funding", "f1"),
        r.Counted("p", "USDT", "10", "2", "survey"), r.Commanded("id", "kill", "{}", ""),
        r.Closed("asked"))
    written(tmp_path / "ledger", records)
    rows = rows_of(tmp_path / "ledger")
    (position,), (balance,) = rows["positions"].values(), rows["balances"].values()
    assert (position["size"], position["cost"], position["held"]) == ("-0.005", "-300", "-0.005")
    assert (balance["booked"], balance["free"], balance["locked"]) == ("-1.6", "10", "2")
    assert [each["amount"] for each in rows["postings"].values()] == ["-1.5"]
    (life,) = rows["lives"].values()
    assert (life["mode"], life["why"], life["ended_ns"]) == ("paper", "asked", len(records) * 1000)
    assert [each["kind"] for each in rows["audit"].values()] == ["opened", "commanded", "closed"]


# --- exactly once --------------------------------------------------------------------------------


def killed_after(path: Path, records: Sequence[Record], statements: int) -> bool:
    """Write a ledger in a process that kill -9 ends after so many statements; tell if it did."""
    child = os.fork()
    if not child:
        left = statements

        def trace(_text: str) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

        kept = open_store(path)
        connection(kept).set_trace_callback(trace)
        ledger = Ledger(kept)
        for record in records:
            ledger.take(record)
            if record.sequence % 5 == 0:
                ledger.flush()
        ledger.flush()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def test_kill_9_at_any_statement_repeats_and_loses_nothing(tmp_path: Path) -> None:
    records = history(9).stored
    written(tmp_path / "whole", records)
    expected, path = rows_of(tmp_path / "whole"), tmp_path / "killed"
    kills = 0
    for statements in range(40):  # each goes on where the last was killed
        kills += killed_after(path, records, statements)
        proof = verify(path, records)
        assert proof.sequence + proof.behind == len(records)
    assert kills == 40
    assert not killed_after(path, records, 10**9)
    assert rows_of(path) == expected


def test_a_disk_that_refuses_loses_nothing_and_the_rows_wait(tmp_path: Path) -> None:
    records, path = history(9).stored, tmp_path / "ledger"
    kept = open_store(path)
    ledger = Ledger(kept)
    for record in records[:-50]:
        ledger.take(record)
    (pages,) = connection(kept).execute("PRAGMA page_count").fetchone()
    connection(kept).execute(f"PRAGMA max_page_count = {pages}")  # full
    with pytest.raises(LedgerUnavailable):
        ledger.flush()
    assert ledger.position == 0
    for record in records[-50:]:
        ledger.take(record)
    connection(kept).execute("PRAGMA max_page_count = 1000000")
    ledger.flush()
    kept.close()
    assert verify(path, records).sequence == len(records)


def test_an_operators_open_transaction_delays_and_spoils_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exec.ledger.sqlite.BUSY_S", 0.01)
    records, path = history(9).stored, tmp_path / "ledger"
    kept = open_store(path)
    ledger = Ledger(kept)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LedgerUnavailable, match="locked"):
            ledger.catch_up(records)
        other.execute("ROLLBACK")
    ledger.flush()
    for record in records[ledger.read :]:
        ledger.take(record)
    ledger.flush()
    kept.close()
    assert verify(path, records).sequence == len(records)


def test_a_journal_of_several_files_goes_in_while_it_grows(tmp_path: Path) -> None:
    folder, path, clock = tmp_path / "journal", tmp_path / "ledger", ManualClock()
    growing = Journal(folder, clock, boot=1, file_size=1 << 17)
    records = history(9).stored
    for _ in range(5):  # the same life again and again, as far as files care
        for part in (records[:100], records[100:]):
            for record in part:
                growing.append(record.kind, record.payload)
            if growing.next_sequence < 2 * len(records):
                kept = open_store(path)
                Ledger(kept).catch_up(read(folder, boot=1))
                kept.close()
                proof = verify(path, read(folder, boot=1))
                assert (proof.sequence, proof.behind) == (growing.next_sequence - 1, 0)
        records = [each for each in records if isinstance(r.decode(each.payload), r.Decided)]
    proof = verify(path, read(folder, boot=1))
    assert proof.behind > 0
    assert len(files_of(folder)) > 1
    growing.close()


# --- refusals ------------------------------------------------------------------------------------


def test_a_second_writer_and_a_file_that_is_no_ledger_are_refused(tmp_path: Path) -> None:
    kept = open_store(tmp_path / "ledger")
    with pytest.raises(AlreadyRunning):
        open_store(tmp_path / "ledger")
    kept.close()
    open_store(tmp_path / "ledger").close()
    assert (tmp_path / "ledger").stat().st_mode & 0o777 == 0o600
    (tmp_path / "other").write_bytes(b"no database at all, but long enough to look like one" * 90)
    with pytest.raises(LedgerInvalid, match="move it away"):
        open_store(tmp_path / "other")
    with closing(sqlite3.connect(tmp_path / "another")) as database, database:
        database.execute("CREATE TABLE mine (a)")
    with pytest.raises(LedgerInvalid, match="no ledger"):
        open_store(tmp_path / "another")
    (tmp_path / "folder").mkdir()
    with pytest.raises(LedgerUnavailable):
        open_store(tmp_path / "folder" / "none" / "ledger")


def test_a_newer_schema_is_refused_untouched_and_an_older_one_is_kept_and_migrated(
    tmp_path: Path
) -> None:
    path, records = tmp_path / "ledger", history(9).stored
    written(path, records)
    newer = (*MIGRATIONS, Migration(("ALTER TABLE trades ADD COLUMN note TEXT",)))
    broken = (
        *MIGRATIONS, Migration(("ALTER TABLE trades ADD COLUMN note TEXT", "CREATE NONSENSE")))
    with pytest.raises(LedgerUnavailable, match="NONSENSE"):
        open_store(path, migrations=broken)
    open_store(path).close()  # half a migration is none
    open_store(path, migrations=newer).close()
    assert verify(tmp_path / "ledger.v1", records).sequence == len(records)
    before = path.read_bytes()
    with pytest.raises(LedgerInvalid, match="schema 2, this engine knows 1"):
        open_store(path)
    assert path.read_bytes() == before


def test_a_ledger_of_another_journal_or_ahead_of_it_is_refused(tmp_path: Path) -> None:
    path, records = tmp_path / "ledger", history(9).stored
    written(path, records)
    for wrong, word in ((history(3).stored, "not those of"), (records[:-1], "old journal"),
                        (records[1:], "first files")):
        kept = open_store(path)
        with pytest.raises(LedgerInvalid, match=word):
            Ledger(kept).catch_up(wrong)
        kept.close()


TAMPERINGS = (
    "UPDATE orders SET filled = filled || '1' WHERE number = (SELECT MAX(number) FROM orders)",
    "DELETE FROM orders WHERE number = (SELECT MIN(number) FROM orders)",
    "INSERT INTO fills SELECT sequence + 1000000, unix_ns, number, plan, venue, symbol, trade,"
    " kind, side, price, size, value, fee, fee_asset, taker, venue_unix_ns, source FROM fills"
    " LIMIT 1",
    "UPDATE trades SET realised_micro = realised_micro + 1 WHERE realised_micro IS NOT NULL",
    "UPDATE balances SET booked = '1' WHERE asset = 'BTC'",
    "UPDATE position SET sequence = sequence - 1",
    "UPDATE position SET chain = 'x'",
)


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_verify_finds_every_row_that_no_record_made(tampering: str, tmp_path: Path) -> None:
    path, records = tmp_path / "ledger", history(9).stored
    written(path, records)
    with closing(sqlite3.connect(path)) as database, database:
        assert database.execute(tampering).rowcount > 0
    with pytest.raises(LedgerInvalid):
        verify(path, records)


def test_what_happened_cannot_be_edited(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    written(path, history(9).stored)
    with closing(sqlite3.connect(path)) as database:
        for text in ("UPDATE fills SET unix_ns = 0", "DELETE FROM fills", "DELETE FROM audit",
                     "UPDATE opportunities SET refused = ''"):
            with pytest.raises(sqlite3.IntegrityError, match="only ever added"):
                database.execute(text)


def test_a_flipped_byte_of_the_file_is_found_or_harmless(tmp_path: Path) -> None:
    path, records = tmp_path / "ledger", history(9).stored
    written(path, records)
    whole, before = path.read_bytes(), rows_of(path)
    found = 0
    for at in range(40, len(whole), len(whole) // 60):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
        try:
            verify(path, records)
        except LedgerInvalid:
            found += 1
        else:
            assert rows_of(path) == before
    assert found > 20


def test_a_fold_forgets_what_is_written_and_nothing_else() -> None:
    fold: Any = Fold()
    for record in history(3).stored:
        fold.take(record.sequence, record.unix_ns, r.decode(record.payload))
    assert fold.waiting > 0
    fold.written()
    assert (fold.waiting, list(fold.rows()), fold.appended) == (0, [], [])
