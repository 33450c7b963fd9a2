"""exec.journal.durable: nothing is done before it is safe, all in order, none after a failure."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvloop

from engine.model.clock import ManualClock
from engine.model.errors import NoSpace
from exec.journal import durable as module
from exec.journal.durable import Durable, JournalUnsafe
from exec.journal.reader import files_of, read, verify
from exec.journal.writer import NEXT_FROM, SPARE_FROM, SPARE_SUFFIX, Journal

BOOT, SIZE = 7, 1 << 17
DEADLINE_S = 8.0


class Disk:
    """os.fdatasync: slow while it is held, broken when told so; counts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open, self.error, self.syncs = threading.Event(), OSError(), 0
        self.open.set()
        self.broken = False
        self.begun = threading.Event()
        monkeypatch.setattr(os, "fdatasync", self._sync)

    def _sync(self, _descriptor: int) -> None:
        self.begun.set()
        assert self.open.wait(DEADLINE_S)
        self.syncs += 1
        if self.broken:
            raise OSError(5, "Input/output error")


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


class Desk:
    def __init__(self, folder: Path, *, power: bool) -> None:
        self.journal = Journal(folder, ManualClock(), boot=BOOT, file_size=SIZE)
        self.failures: list[BaseException] = []
        self.warnings: list[NoSpace] = []
        self.durable = Durable(self.journal, power=power, failed=self.failures.append,
                               warn=self.warnings.append)
        self.done: list[int] = []
        self.noted = 0

    def write(self, size: int = 10) -> int:
        number = self.journal.append(1, b"x" * size)
        self.durable.when_durable(number, lambda: self.done.append(number))
        return number

    def note(self, number: int) -> None:
        self.noted = number

    async def until(self, true: Callable[[], object]) -> None:
        while not true():
            await asyncio.sleep(0.001)


@asynccontextmanager
async def a_desk(folder: Path, *, power: bool = True) -> AsyncIterator[Desk]:
    desk = Desk(folder, power=power)
    yield desk
    await desk.durable.close()
    desk.journal.close()


def run(body: Callable[[], Coroutine[Any, Any, None]]) -> None:
    uvloop.run(asyncio.wait_for(body(), DEADLINE_S))


def test_at_process_level_it_acts_within_the_call_and_nothing_is_synced(
    tmp_path: Path, disk: Disk
) -> None:
    async def body() -> None:
        async with a_desk(tmp_path, power=False) as desk:
            before = disk.syncs
            number = desk.write()
            assert desk.done == [number]
            assert disk.syncs == before

    run(body)


def test_at_power_level_nothing_is_done_before_the_sync_and_all_in_order_after_it(
    tmp_path: Path, disk: Disk
) -> None:
    async def body() -> None:
        async with a_desk(tmp_path) as desk:
            disk.open.clear()
            disk.begun.clear()
            numbers = [desk.write() for _ in range(5)]
            await desk.until(disk.begun.is_set)
            await asyncio.sleep(0.02)
            assert desk.done == []
            disk.open.set()
            await desk.until(lambda: len(desk.done) == 5)
            assert desk.done == numbers

    run(body)


def test_what_is_written_during_a_sync_waits_for_one_more_together(
    tmp_path: Path, disk: Disk
) -> None:
    async def body() -> None:
        async with a_desk(tmp_path) as desk:
            disk.open.clear()
            disk.begun.clear()
            first, before = desk.write(), disk.syncs
            await desk.until(disk.begun.is_set)
            others = [desk.write() for _ in range(500)]
            disk.open.set()
            await desk.until(lambda: desk.done)
            assert desk.done == [first] or disk.syncs == before + 2
            await desk.until(lambda: len(desk.done) == 501)
            assert desk.done == [first, *others]
            assert disk.syncs == before + 2

    run(body)


def test_a_sync_that_fails_lets_nothing_go_ever_again(tmp_path: Path, disk: Disk) -> None:
    async def body() -> None:
        async with a_desk(tmp_path) as desk:
            disk.broken = True
            desk.write()
            desk.write()
            await desk.until(lambda: desk.failures)
            disk.broken, before = False, disk.syncs
            desk.write()
            await asyncio.sleep(0.02)
            assert desk.done == []
            assert disk.syncs == before, "a failed sync is never tried again"
            (failure,) = desk.failures
            assert isinstance(failure, JournalUnsafe)
            assert "cannot be synced" in str(failure)
            assert str(tmp_path) in str(failure)

    run(body)


def test_what_an_action_raises_is_told_and_ends_all_others(tmp_path: Path, disk: Disk) -> None:
    async def body() -> None:
        async with a_desk(tmp_path) as desk:
            error = RuntimeError("boom")

            def fail() -> None:
                raise error

            desk.durable.when_durable(desk.journal.append(1, b""), fail)
            desk.write()
            await desk.until(lambda: desk.failures)
            await asyncio.sleep(0.02)
            assert (desk.failures, desk.done) == ([error], [])

    run(body)


def test_an_action_may_write_and_wait_for_more(tmp_path: Path, disk: Disk) -> None:
    async def body() -> None:
        async with a_desk(tmp_path) as desk:
            desk.durable.when_durable(desk.journal.append(1, b""), lambda: desk.note(desk.write()))
            await desk.until(lambda: desk.done)
            assert desk.done == [2] == [desk.noted]

    run(body)


def test_a_close_lets_what_waits_be_done_first_and_nothing_after(
    tmp_path: Path, disk: Disk
) -> None:
    async def body() -> None:
        async with a_desk(tmp_path) as desk:
            disk.open.clear()
            numbers = [desk.write() for _ in range(3)]
            closing = asyncio.create_task(desk.durable.close())
            await asyncio.sleep(0.02)
            assert not closing.done()
            disk.open.set()
            await closing
            assert desk.done == numbers
            desk.write()
            assert desk.done == numbers

    run(body)


def test_too_many_that_wait_end_it_instead_of_growing(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAITING_MAX", 10)

    async def body() -> None:
        async with a_desk(tmp_path) as desk:
            disk.open.clear()
            for _ in range(11):
                desk.write()
            assert [type(each) for each in desk.failures] == [JournalUnsafe]
            disk.open.set()
            await asyncio.sleep(0.02)
            assert desk.done == []

    run(body)


def test_a_file_that_fills_up_during_a_sync_is_synced_with_the_next_group(
    tmp_path: Path, disk: Disk
) -> None:
    async def body() -> None:
        async with a_desk(tmp_path) as desk:
            disk.open.clear()
            disk.begun.clear()
            numbers = [desk.write(20_000)]
            await desk.until(disk.begun.is_set)
            disk.open.set()
            numbers += [desk.write(20_000) for _ in range(20)]
            await desk.until(lambda: len(desk.done) == 21)
            assert desk.done == numbers
        assert verify(tmp_path, boot=BOOT).last == 21

    run(body)


def test_the_next_file_is_allocated_by_a_thread_and_begun_before_an_append_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []
    allocate = os.posix_fallocate

    def noted(descriptor: int, offset: int, size: int) -> None:
        threads.append(threading.current_thread().name)
        allocate(descriptor, offset, size)

    async def body() -> None:
        async with a_desk(tmp_path, power=False) as desk:
            monkeypatch.setattr(os, "posix_fallocate", noted)
            payload = SIZE // 100
            for _ in range(400):
                desk.write(payload)
                desk.durable.turn()
                await asyncio.sleep(0)
                await desk.until(lambda: not desk.journal.needs_spare)
            assert len(files_of(tmp_path)) >= 4
            assert len(threads) >= 4
            assert all(name.startswith("journal") for name in threads)
            assert len([*read(tmp_path, boot=BOOT)]) == 400
        assert not [*tmp_path.glob(f"*{SPARE_SUFFIX}")]

    assert SPARE_FROM < NEXT_FROM
    run(body)


def test_without_room_for_the_next_file_it_warns_and_goes_on_in_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int, _offset: int, _size: int) -> None:
        raise OSError(28, "No space left on device")

    async def body() -> None:
        async with a_desk(tmp_path, power=False) as desk:
            monkeypatch.setattr(os, "posix_fallocate", full)
            for _ in range(60):
                desk.write(SIZE // 100)
                desk.durable.turn()
                await asyncio.sleep(0)
            await desk.until(lambda: desk.warnings)
            assert len(desk.warnings) == 1, "it is not tried at every turn"
            assert len(desk.done) == 60
            with pytest.raises(NoSpace):
                _fill(desk)
            assert desk.failures == []

    run(body)


def _fill(desk: Desk) -> None:
    for _ in range(100):
        desk.write(SIZE // 100)


def test_a_spare_of_a_killed_life_is_removed_and_one_that_comes_late_is_dropped(
    tmp_path: Path
) -> None:
    (tmp_path / f"0000000009{SPARE_SUFFIX}").write_bytes(b"x")
    journal = Journal(tmp_path, ManualClock(), boot=BOOT, file_size=SIZE)
    assert not [*tmp_path.glob(f"*{SPARE_SUFFIX}")]
    spare = journal.allocate()
    for _ in range(120):
        journal.append(1, b"x" * (SIZE // 100))
    assert len(files_of(tmp_path)) == 2
    journal.keep(spare)
    assert not [*tmp_path.glob(f"*{SPARE_SUFFIX}")]
    for _ in range(120):
        journal.append(1, b"x" * (SIZE // 100))
    journal.close()
    assert verify(tmp_path, boot=BOOT).records == 240
