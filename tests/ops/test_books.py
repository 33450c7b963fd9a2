"""journal, ledger and pnl: what they print of a real journal, running or stopped, whole or not."""

import importlib
import os
import sqlite3
from collections import Counter
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bench.histories.campaign import lived
from bench.histories.world import World as Lived
from engine.model.clock import ManualClock, SystemClock
from engine.runtime import books_folder
from engine.runtime.books_folder import BooksFolder
from engine.runtime.machine import boot_id
from exec import records as r
from exec.journal.file import path_of
from exec.journal.reader import read
from exec.journal.writer import Journal
from exec.ledger import sqlite
from exec.ledger.writer import Ledger
from ops import books, cli
from tests.ops.world import World

CapFd = pytest.CaptureFixture[str]
OWN_PROCESS = {"test_a_stopped_engines_books_are_found_by_name_by_folder_and_by_being_the_newest"}


@pytest.fixture(autouse=True)
def read_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do here what verbs do in a process of their own, but for one test: it is faster."""
    def hand_over(module: str, *words: str) -> int:
        return int(importlib.import_module(module).main(words))

    if request.node.name not in OWN_PROCESS:
        monkeypatch.setattr(books, "hand_over", hand_over)


@pytest.fixture(scope="module")
def life() -> Lived:
    """Return a life full of faults: its journal is real, its venues know the truth."""
    return lived(9)


@pytest.fixture
def folder(life: Lived, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the books of the engine "demo", which is stopped."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("TRYPTO_SHM", str(tmp_path))
    found = BooksFolder(str(books_folder.storage_of("demo") / "paper-books"), "paper", "books")
    clock = ManualClock()
    journal = Journal(found.journal, clock, boot=boot_id(), file_size=1 << 17)
    for each in life.stored:
        clock.set(mono_ns=1, unix_ns=each.unix_ns)
        journal.append(each.kind, each.payload)
    journal.close()
    (books_folder.storage_of("demo") / books_folder.LATEST).write_bytes(msgspec.json.encode(found))
    return Path(found.folder)


def said(capfd: CapFd, *words: str, status: int = 0) -> str:
    assert cli.main([*words]) == status
    told = capfd.readouterr()
    if status:
        assert told.out == ""
        assert told.err.startswith(f"trypto-engine {words[0]}: ")
        assert told.err.count("\n") == 1, told.err
        return told.err
    assert told.err == ""
    return told.out


def found(capfd: CapFd, *words: str) -> Any:
    return msgspec.json.decode(said(capfd, *words, "--json"))


def test_a_stopped_engines_books_are_found_by_name_by_folder_and_by_being_the_newest(
    folder: Path, life: Lived, capfd: CapFd
) -> None:
    for where in ((), ("--name", "demo")):
        proof = found(capfd, "journal", "verify", *where)
        assert (proof["records"], proof["last"], proof["torn"]) == (
            len(life.stored), len(life.stored), 0)
    for place in (folder, folder / "journal"):
        assert found(capfd, "journal", "verify", str(place)) == proof
    assert proof["kinds"]["Filled"] == sum(len(venue.fills) for venue in life.venues.values())
    assert "whole" in said(capfd, "journal", "verify")
    assert found(capfd, "ledger", "--folder", str(folder)) == found(capfd, "ledger")


def test_a_dump_says_every_record_as_it_was_written(
    folder: Path, life: Lived, capfd: CapFd
) -> None:
    lines = said(capfd, "journal", "dump", "--json", str(folder)).splitlines()
    assert len(lines) == len(life.stored)
    for line, stored in zip(lines, life.stored, strict=True):
        told, record = msgspec.json.decode(line), r.decode(stored.payload)
        assert (told["sequence"], told["kind"]) == (stored.sequence, type(record).__name__)
        assert set(told["fields"]) == set(record.__struct_fields__)
    some = said(capfd, "journal", "dump", "--first", "60", "--limit", "2", str(folder))
    assert [line.split()[0] for line in some.splitlines()] == ["60", "61"]


def test_the_tables_hold_what_the_venues_know(folder: Path, life: Lived, capfd: CapFd) -> None:
    where = ("--folder", str(folder), "--limit", "100000")
    fills = found(capfd, "ledger", "fills", *where)
    assert {(each["venue"], each["trade"]) for each in fills} == {
        (name, str(fill.trade_id)) for name, venue in life.venues.items() for fill in venue.fills}
    seen = found(capfd, "ledger", "opportunities", *where)
    decided = [record for record in (r.decode(each.payload) for each in life.stored)
               if isinstance(record, r.Decided)]
    assert Counter(each["refused"] for each in seen) == Counter(
        record.refused for record in decided)
    trades = found(capfd, "ledger", "trades", *where)
    assert sum(not each["refused"] for each in seen) == len(trades)
    assert trades[0]["legs"][0]["venue"] in "ab"
    orders = found(capfd, "ledger", "orders", *where)
    assert len(orders) == sum(
        isinstance(r.decode(each.payload), r.Intended) for each in life.stored)
    assert len(found(capfd, "ledger", "orders", "--limit", "3")) == 3
    assert found(capfd, "ledger", "orders", "--since", "2035-01-01T00:00") == []


@pytest.mark.parametrize("table", [
    "opportunities", "orders", "fills", "trades", "positions", "balances", "audit", "metrics"])
def test_every_table_is_shown_to_people_too(table: str, folder: Path, capfd: CapFd) -> None:
    text = said(capfd, "ledger", table, "--folder", str(folder))
    if table in ("positions", "metrics"):
        assert text == f"no {table} in {folder / 'ledger.sqlite3'}\n"
    else:
        head, *rows = text.splitlines()
        assert head.split()[0] in ("time", "venue")
        assert 1 <= len(rows) <= 20


def test_a_refused_opportunity_names_its_check_and_both_numbers(
    folder: Path, life: Lived, capfd: CapFd
) -> None:
    text = said(capfd, "ledger", "opportunities", "--limit", "1000")
    refusal = next(record for record in (r.decode(each.payload) for each in life.stored)
                   if isinstance(record, r.Decided) and record.refused)
    assert f"{refusal.refused}: {refusal.number} against {refusal.limit}" in text
    assert "traded" in text
    assert folder.name not in text


def test_pnl_sums_what_the_fills_made_by_every_group(
    folder: Path, life: Lived, capfd: CapFd
) -> None:
    trades = found(capfd, "ledger", "trades", "--limit", "100000")
    whole = found(capfd, "pnl", "--folder", str(folder))["total"]
    closed = [each for each in trades if each["realised_micro"] is not None]
    assert whole["realised_micro"] == sum(each["realised_micro"] for each in closed)
    assert whole["expected_micro"] == sum(each["expected_micro"] for each in closed)
    assert whole["wins"] + whole["losses"] == sum(bool(each["realised_micro"]) for each in closed)
    for kind in ("fees", "slippage", "leg_risk"):
        total = sum(Decimal(each[kind].get("USDT", "0")) for each in trades)
        assert Decimal(whole[kind].get("USDT", "0")) == total, kind
    for by in ("strategy", "symbol", "day", "venue"):
        answer = found(capfd, "pnl", "--by", by)
        assert answer["total"] == whole
        assert sum(line["fills"] for line in answer["lines"]) == whole["fills"]
        fees = sum(Decimal(line["fees"]["USDT"]) for line in answer["lines"])
        assert fees == Decimal(whole["fees"]["USDT"])
    assert {line["name"] for line in answer["lines"]} == {"a", "b"}


def test_equity_is_what_the_venues_hold_at_the_newest_price(
    folder: Path, life: Lived, capfd: CapFd
) -> None:
    equity = found(capfd, "pnl", "--folder", str(folder))["equity"]
    held = {each["asset"]: each for each in equity["assets"]}
    balances = found(capfd, "ledger", "balances")
    for asset, holding in held.items():
        counted = [Decimal(each["free"]) + Decimal(each["locked"]) for each in balances
                   if each["asset"] == asset]
        assert Decimal(holding["total"]) == sum(counted)
        assert len(counted) == len(life.venues)
    worth = sum(each["value_micro"] for each in held.values())
    assert equity["value_micro"] == worth
    assert held["USDT"]["price"] == "1"
    text = said(capfd, "pnl")
    assert "equity" in text
    assert "win rate" in text


def test_a_running_engines_books_are_read_while_its_ledger_is_written(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: CapFd
) -> None:
    world = World(tmp_path, monkeypatch)
    mine = books_folder.make(world.config, "0123456789ab")
    books_folder.write(world.run, world.config, mine)
    journal = Journal(mine.journal, SystemClock(), boot=boot_id(), file_size=1 << 17)
    records = [*read(folder / "journal", boot=boot_id())]
    for each in records:
        journal.append(each.kind, each.payload)
    with closing(sqlite.open_store(mine.ledger)) as kept:  # the ledger process has it
        ledger = Ledger(kept)
        for each in [*read(mine.journal, boot=boot_id())][:-100]:
            ledger.take(each)
        ledger.flush()
        proof = found(capfd, "ledger", "verify")
        assert (proof["ledger"], proof["sequence"], proof["behind"]) == (
            str(mine.ledger), len(records) - 100, 100)
        assert "each exactly once" in said(capfd, "ledger", "verify", "--name", "demo")
    journal.close()


def test_a_ledger_that_was_left_behind_is_caught_up_before_it_is_shown(
    folder: Path, capfd: CapFd
) -> None:
    assert not (folder / "ledger.sqlite3").exists()
    assert found(capfd, "ledger", "verify")["behind"] == 0


# --- what is wrong --------------------------------------------------------------------------------


def test_a_damaged_byte_of_the_journal_is_named(folder: Path, capfd: CapFd) -> None:
    path = path_of(folder / "journal", 1)
    damaged = bytearray(path.read_bytes())
    damaged[5_000] ^= 4
    path.write_bytes(damaged)
    for words in (("journal", "verify"), ("ledger", "trades"), ("pnl",)):
        text = said(capfd, *words, status=1)
        assert f"{path}: record " in text
        assert "nothing was cut" in text


def test_a_ledger_that_was_tampered_with_does_not_verify(folder: Path, capfd: CapFd) -> None:
    said(capfd, "ledger", "verify")
    with closing(sqlite3.connect(folder / "ledger.sqlite3")) as database, database:
        database.execute("UPDATE orders SET filled = '7' WHERE number ="
                         " (SELECT MAX(number) FROM orders)")
    assert "filled is '7', the journal makes it" in said(capfd, "ledger", "verify", status=1)
    (folder / "ledger.sqlite3").unlink()
    said(capfd, "ledger", "verify")  # it is made anew


def test_a_newer_ledger_says_which_engine_to_run(folder: Path, capfd: CapFd) -> None:
    said(capfd, "ledger", "verify")
    with closing(sqlite3.connect(folder / "ledger.sqlite3")) as database:
        database.execute("PRAGMA user_version = 7")
    assert "schema 7, this engine knows 1; run the newer engine" in said(capfd, "pnl", status=1)


def test_no_books_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: CapFd
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("TRYPTO_SHM", str(tmp_path))
    assert "opened books yet" in said(capfd, "pnl", status=1)
    assert "the engine 'nobody' has not" in said(capfd, "ledger", "--name", "nobody", status=1)
    assert "holds no journal" in said(capfd, "journal", "verify", str(tmp_path), status=1)
    for name in ("a", "b"):
        (tmp_path / f"trypto-{os.getuid()}" / name).mkdir(parents=True)
    assert "2 engines run; say which with --name: a, b" in said(capfd, "pnl", status=1)


@pytest.mark.parametrize("words", [
    ["journal"], ["journal", "dumb"], ["journal", "dump", "--first", "0"], ["ledger", "taxes"],
    ["ledger", "--limit", "-1"], ["ledger", "--since", "yesterday"], ["pnl", "--by", "luck"],
])
def test_wrong_usage_is_status_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["journal", "ledger", "pnl"])
def test_help_has_an_example_that_parses(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main([verb, "--help"])
    assert f"example: trypto-engine {verb}" in capsys.readouterr().out


def test_ages_and_times_are_understood() -> None:
    now_ns = SystemClock.unix_ns()
    assert abs(now_ns - books.since_ns("2h") - 7_200 * 10**9) < 10**9
    assert books.since_ns("2026-11-21T20:00") == 1_795_291_200 * 10**9
    assert books.since_ns("2026-11-21T21:00+01:00") == 1_795_291_200 * 10**9
