"""exec.ledger.keeper and its process: a ledger follows a live journal, whatever dies or refuses."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import numpy as np
import pytest
import structlog

from bench.histories.campaign import lived
from engine.config import Config, parse
from engine.model.clock import ManualClock, SystemClock
from engine.model.errors import LedgerUnavailable
from engine.runtime import books_folder
from engine.runtime.books_folder import BooksFolder
from engine.runtime.context import Context
from engine.runtime.machine import boot_id
from exec import records as r
from exec.journal.file import HEADER_SIZE, RECORD_SIZE, path_of, size_of
from exec.journal.follower import Follower
from exec.journal.reader import files_of, read
from exec.journal.writer import Journal
from exec.ledger import process, sqlite
from exec.ledger import verify as verifying
from exec.ledger.keeper import Keeper
from exec.ledger.metrics import Sampler
from exec.ledger.verify import Proof
from shm.counters import CounterBlock, LedgerCounter, LedgerHistogram
from shm.layout import WORD, ProcessState
from shm.segment import RunFolder
from tests.ops.world import CONFIG, World

BOOT = 7
SECOND = 1_000_000_000
Records = list[tuple[int, bytes]]


@pytest.fixture(scope="module")
def history() -> Records:
    """Return the records of a life full of faults, as the core wrote them."""
    return [(each.kind, each.payload) for each in lived(9).stored]


class Desk:
    """A keeper, the run and the books that it serves, and the lines that it logged."""

    def __init__(self, folder: Path, text: str = "", *, account: str = "books") -> None:
        self.config: Config = parse(
            CONFIG + f'\n[storage]\nfolder = "{folder / "store"}"\n{text}', source="t",
            folder=folder)
        self.run = RunFolder(folder / "run")
        self.run.path.mkdir()
        self.clock = ManualClock(mono_ns=SECOND, unix_ns=1_800_000_000 * SECOND)
        self.lines: list[dict[str, Any]] = []
        self.counters = CounterBlock(
            np.zeros(CounterBlock.size(1) // WORD, np.int64), 0)
        self.books = self.opened(account)
        self.keeper = self.born()

    def opened(self, account: str) -> BooksFolder:
        books = books_folder.make(self.config, account)
        books_folder.write(self.run, self.config, books)
        return books

    def born(self) -> Keeper:
        log = structlog.wrap_logger(None, processors=[self._log])
        return Keeper(self.run, self.config, self.clock, log, self.counters, None, boot=BOOT)

    def _log(self, _logger: object, level: str, event: Any) -> Any:
        self.lines.append({"level": level, **event})
        raise structlog.DropEvent

    def journal(self, size: int = 1 << 17) -> Journal:
        return Journal(self.books.journal, self.clock, boot=BOOT, file_size=size)

    def turns(self, count: int = 1, wait_ns: int = 0) -> None:
        for _ in range(count):
            self.keeper.turn()
            self.clock.advance(wait_ns)

    def count(self, *counters: LedgerCounter) -> list[int]:
        return [self.counters.value(each) for each in counters]

    def proof(self) -> Proof:
        with closing(sqlite.open_reader(self.books.ledger)) as database:
            return verifying.verify(database, read(self.books.journal, boot=BOOT))

    def refusals(self) -> list[str]:
        return [each["reason"] for each in self.lines if each["event"] == "ledger waits"]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.keeper.close()


def grow(journal: Journal, records: Records) -> None:
    for kind, payload in records:
        journal.append(kind, payload)


def test_a_journal_is_in_the_ledger_as_it_grows_and_across_its_files(
    desk: Desk, history: Records
) -> None:
    desk.turns()  # execution has written nothing yet
    journal = desk.journal()
    for at in range(0, len(history), 40):
        grow(journal, history[at : at + 40])
        desk.turns()
    more = [each for each in history if isinstance(r.decode(each[1]), r.Decided)]
    for _ in range(20):
        grow(journal, more)
        desk.turns()
    assert len(files_of(desk.books.journal)) > 2
    desk.turns()
    assert desk.keeper.idle
    proof = desk.proof()
    assert (proof.sequence, proof.behind) == (journal.next_sequence - 1, 0)
    records, behind, failures = desk.count(
        LedgerCounter.RECORDS, LedgerCounter.BEHIND, LedgerCounter.FAILURES)
    assert (records, behind, failures) == (proof.sequence, 0, 0)
    assert desk.counters.histogram(LedgerHistogram.COMMIT).count == desk.count(
        LedgerCounter.TRANSACTIONS)[0]


def held(desk: Desk) -> sqlite3.Connection:
    other = sqlite3.connect(desk.books.ledger, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    return other


def test_a_locked_database_is_said_counted_and_caught_up_with(
    desk: Desk, history: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exec.ledger.sqlite.BUSY_S", 0.001)
    journal = desk.journal()
    grow(journal, history[:100])
    desk.turns()
    other = held(desk)
    grow(journal, history[100:])
    desk.turns(400, SECOND // 20)
    assert len(desk.refusals()) == 1
    assert "locked" in desk.refusals()[0]
    failures, behind = desk.count(LedgerCounter.FAILURES, LedgerCounter.BEHIND)
    assert 5 < failures < 15  # back-off: 0.1 s doubled to 5 s, in 20 s
    assert behind == len(history) - 100
    other.execute("ROLLBACK")
    other.close()
    desk.turns(110, SECOND // 20)
    assert desk.proof().behind == 0
    assert desk.count(LedgerCounter.BEHIND) == [0]
    assert desk.lines[-1]["event"] == "ledger caught up"


def test_a_full_disk_and_a_database_made_read_only_lose_nothing(
    desk: Desk, history: Records
) -> None:
    journal = desk.journal()
    grow(journal, history[:50])
    desk.turns()
    for refuse, heal, word, part in (
        ("query_only = 1", "query_only = 0", "readonly", history[50:150]),
        ("max_page_count = 1", "max_page_count = 1000000", "full", history[150:]),
    ):
        store: Any = desk.keeper._store  # noqa: SLF001
        store.database.execute(f"PRAGMA {refuse}")
        grow(journal, part)
        desk.turns(3, SECOND // 20)
        assert word in desk.refusals()[-1]
        store.database.execute(f"PRAGMA {heal}")
        desk.turns(4, SECOND)
        assert desk.proof().behind == 0


def test_a_file_that_we_may_not_write_is_said_and_taken_up_once_we_may(
    desk: Desk, history: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_words: object) -> int:
        raise PermissionError(13, "Permission denied")

    grow(desk.journal(), history)
    with monkeypatch.context() as patch:
        patch.setattr("exec.ledger.sqlite.os.open", refuse)
        desk.turns(2)
    (refusal,) = desk.refusals()
    assert refusal.startswith(f"{desk.books.folder}/ledger.")
    assert refusal.endswith(": Permission denied")
    desk.turns(3, SECOND)
    assert desk.proof().behind == 0


def test_a_database_that_was_opened_and_refused_its_first_question_is_opened_again(
    desk: Desk, history: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_database: object) -> Any:
        raise LedgerUnavailable("busy")

    grow(desk.journal(), history)
    with monkeypatch.context() as patch:
        patch.setattr("exec.ledger.store.position_of", refuse)
        desk.turns(3, SECOND)
    desk.turns(3, 5 * SECOND)
    assert desk.refusals() == ["busy"]
    assert desk.proof().behind == 0


def test_metrics_are_sampled_while_records_never_stop_coming(
    desk: Desk, history: Records
) -> None:
    class Seen:
        def rows(self) -> list[Any]:
            return [{"unix_ns": desk.clock.unix_ns(), "process": "p", "metric": "m", "value": 1}]

    sampler: Any = Seen()
    desk.keeper._sampler = sampler  # noqa: SLF001
    journal = desk.journal()
    for record in history[:60]:
        grow(journal, [record])
        desk.turns(1, SECOND)
    assert desk.count(LedgerCounter.SAMPLES) == [5]  # every 10 s


def test_a_newer_schema_is_left_alone_and_the_ledger_made_anew_once_it_is_moved_away(
    desk: Desk, history: Records
) -> None:
    grow(desk.journal(), history)
    desk.turns()
    desk.keeper.close()
    with closing(sqlite3.connect(desk.books.ledger)) as database:
        database.execute("PRAGMA user_version = 9")
    before = desk.books.ledger.read_bytes()
    desk.keeper = desk.born()
    desk.turns(20, SECOND)
    assert "schema 9, this engine knows 1" in desk.refusals()[0]
    assert len(desk.refusals()) == 1
    assert desk.books.ledger.read_bytes() == before
    desk.books.ledger.rename(desk.books.ledger.with_suffix(".newer"))
    desk.turns(70, SECOND)
    assert desk.proof().behind == 0


def test_a_damaged_byte_of_the_journal_is_named_and_nothing_after_it_is_believed(
    desk: Desk, history: Records
) -> None:
    journal = desk.journal()
    grow(journal, history[:60])
    desk.turns()
    grow(journal, history[60:])
    journal.close()
    path = path_of(desk.books.journal, 1)
    damaged = bytearray(path.read_bytes())
    at = HEADER_SIZE + sum(size_of(len(payload)) for _, payload in history[:80])
    damaged[at + RECORD_SIZE] ^= 1  # the first of the payload
    path.write_bytes(damaged)
    desk.turns(5, SECOND)
    assert "record 81 at byte" in desk.refusals()[0]
    assert "is damaged" in desk.refusals()[0]
    assert desk.count(LedgerCounter.RECORDS) == [80]


def test_a_record_that_cannot_follow_is_named_and_ends_nothing(
    desk: Desk, history: Records
) -> None:
    journal = desk.journal()
    grow(journal, history[:60])
    stray = r.PlanClosed(12_345, "done", 0, 1)
    journal.append(r.kind_of(stray), r.encode(stray))
    desk.turns(3, SECOND)
    assert desk.refusals() == ["record 61, PlanClosed: it cannot follow those before it: KeyError"
                               "(12345)"]


def test_an_append_cut_short_is_waited_for_and_the_next_life_goes_on_after_it(
    desk: Desk, history: Records
) -> None:
    journal = desk.journal()
    grow(journal, history[:60])
    journal.close()
    path = path_of(desk.books.journal, 1)
    whole = path.read_bytes()
    end = len(whole.rstrip(b"\0")) + 7 & ~7
    path.write_bytes(whole[: end + 8] + b"torn away here" + whole[end + 22 :])
    desk.turns(30, SECOND)
    assert (desk.count(LedgerCounter.RECORDS), desk.refusals()) == ([60], [])
    journal = desk.journal()
    assert journal.torn > 0
    grow(journal, history[60:])
    desk.turns(2, SECOND)
    assert (desk.proof().behind, desk.refusals()) == (0, [])


def test_other_books_make_it_leave(desk: Desk, history: Records) -> None:
    grow(desk.journal(), history)
    desk.turns(1, 2 * SECOND)
    assert not desk.keeper.moved
    desk.opened("0123456789ab")
    desk.turns()
    assert desk.keeper.moved


def test_a_follower_that_another_file_follows_wrongly_says_so(tmp_path: Path) -> None:
    for name in ("a", "b"):
        journal = Journal(tmp_path / name, ManualClock(), boot=BOOT, file_size=1 << 17)
        for number in range(9):
            journal.append(1, f"{name}{number}".encode() * 20_000)
        journal.close()
    follower = Follower(tmp_path / "a", ManualClock(), boot=BOOT)
    path_of(tmp_path / "b", 2).rename(path_of(tmp_path / "a", 2))
    first = follower.read(100)
    assert first
    with pytest.raises(Exception, match="one of another journal"):
        follower.read(100)
    follower.close()


# --- killed ---------------------------------------------------------------------------------------

KEEP = """
import sys
from pathlib import Path
import numpy as np, structlog
from engine.config import parse
from engine.model.clock import SystemClock
from exec.ledger.keeper import Keeper
from shm.counters import CounterBlock
from shm.segment import RunFolder
folder = Path(sys.argv[1])
config = parse((folder / "config.toml").read_text(), source="t", folder=folder)
def quiet(*_words): raise structlog.DropEvent
keeper = Keeper(RunFolder(folder / "run"), config, SystemClock(),
                structlog.wrap_logger(None, processors=[quiet]),
                CounterBlock(np.zeros(CounterBlock.size(1) // 8, np.int64), 0), None, boot=7)
sys.stdout.write("born"); sys.stdout.flush()
while True:
    keeper.turn()
"""


def test_kill_9_of_the_writer_at_random_instants_books_every_record_once(
    desk: Desk, history: Records, tmp_path: Path
) -> None:
    text = CONFIG + f'\n[storage]\nfolder = "{tmp_path / "store"}"\n'
    (tmp_path / "config.toml").write_text(text)
    journal, draw, left = desk.journal(), Random(1), history
    positions = []
    for kill in range(8):
        child = subprocess.Popen([sys.executable, "-c", KEEP, str(tmp_path)],
                                 stdout=subprocess.PIPE)
        assert child.stdout is not None
        assert child.stdout.read(4) == b"born"
        until = time.monotonic() + draw.random() * 0.12
        part, left = left[: len(history) // 8 + 1], left[len(history) // 8 + 1 :]
        for record in part:
            grow(journal, [record])
            if time.monotonic() > until:
                child.send_signal(signal.SIGKILL)
        time.sleep(max(0.0, until - time.monotonic()))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        if desk.books.ledger.exists() and kill > 2:
            positions.append(desk.proof().sequence)
    assert positions == sorted(positions)
    assert positions[-1] > 0
    assert not left
    desk.keeper = desk.born()
    desk.turns(3)
    proof = desk.proof()
    assert (proof.sequence, proof.behind) == (len(history), 0)


# --- the process ----------------------------------------------------------------------------------


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return World(tmp_path, monkeypatch)


def context_of(world: World, name: str, log: Callable[..., Any]) -> Context:
    index = world.process(name)
    return Context(
        name=name, index=index, run=world.run, config=world.config, clock=SystemClock(),
        log=structlog.wrap_logger(None, processors=[log]), run_id=1, control=world.control,
        counters=world.counters(name))


def drop(*_words: object) -> Any:
    raise structlog.DropEvent


def test_the_process_writes_books_and_metrics_until_execution_is_gone(
    world: World, history: Records
) -> None:
    world.config = msgspec.structs.replace(
        world.config, ledger=msgspec.structs.replace(world.config.ledger, metrics_every_s=0.05))
    world.counters("exec").record(LedgerHistogram.COMMIT, 5_000)
    books = books_folder.make(world.config, "books")
    journal = Journal(books.journal, SystemClock(), boot=boot_id(), file_size=1 << 17)
    grow(journal, history[:200])

    async def scene() -> None:
        task = asyncio.create_task(process.work(context_of(world, "detector", drop)))
        await asyncio.sleep(0.05)
        books_folder.write(world.run, world.config, books)  # execution comes up later
        await asyncio.sleep(0.3)
        task.cancel()
        await asyncio.sleep(0.05)
        grow(journal, history[200:])  # and leaves later
        world.control.processes[world.process("exec")]["state"] = ProcessState.GONE
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scene())
    with closing(sqlite.open_reader(books.ledger)) as database:
        proof = verifying.verify(database, read(books.journal, boot=boot_id()))
        assert (proof.sequence, proof.behind) == (len(history), 0)
        rows = database.select("SELECT * FROM system_metrics WHERE process = 'exec'")
    found = {str(each["metric"]): each["value"] for each in rows}
    assert found["rss_bytes"] == 150 << 20
    assert found["signal_to_seen_ring_max_ns"] == 5_000


def test_samples_hold_what_moved_and_only_that(world: World) -> None:
    sampler = Sampler(context_of(world, "exec", drop))
    assert {each["process"] for each in sampler.rows()} >= {"exec", "detector", "feed:okx"}
    assert sampler.rows() == []
    world.counters("exec").count(LedgerCounter.ROWS, 3)
    (row,) = sampler.rows()
    assert (row["process"], row["metric"], row["value"]) == ("exec", "signals_wire", 3)
