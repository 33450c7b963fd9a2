"""engine.runtime.lock: one engine per name, whoever races."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.model.errors import AlreadyRunning, LockInvalid
from engine.runtime.lock import EngineLock
from shm.segment import RunFolder

RACER = """
import sys
from pathlib import Path
from engine.model.errors import AlreadyRunning
from engine.runtime.lock import EngineLock
from shm.segment import RunFolder
run = RunFolder(Path(sys.argv[1]))
held = 0
for _ in range(int(sys.argv[2])):
    try:
        lock = EngineLock.take(run)
    except AlreadyRunning:
        continue
    run.path.mkdir(parents=True)  # fails when anybody else is inside
    run.path.rmdir()
    lock.release()
    held += 1
print(held)
"""


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "trypto-1" / "test")


def test_a_second_engine_is_refused_by_name_pid_and_folder(run: RunFolder) -> None:
    lock = EngineLock.take(run)
    with pytest.raises(AlreadyRunning) as caught:
        EngineLock.take(run)
    message = str(caught.value)
    assert "'test'" in message
    assert f"pid {os.getpid()}" in message
    assert str(run.path) in message
    lock.release()


def test_a_released_lock_leaves_no_file_and_can_be_taken_again(run: RunFolder) -> None:
    EngineLock.take(run).release()
    assert not run.lock_path.exists()
    EngineLock.take(run).release()


def test_a_file_without_a_holder_is_no_lock(run: RunFolder) -> None:
    run.lock_path.write_text("12345")
    lock = EngineLock.take(run)
    assert run.lock_path.read_text() == str(os.getpid())
    lock.release()


def test_a_lock_is_held_until_every_process_that_inherited_it_is_gone(run: RunFolder) -> None:
    lock = EngineLock.take(run)
    heir = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[lock.descriptor])
    os.close(lock.descriptor)
    with pytest.raises(AlreadyRunning):
        EngineLock.take(run)
    heir.communicate(b"\n")
    EngineLock.take(run).release()


def test_racing_engines_are_never_inside_together(run: RunFolder) -> None:
    racers = [
        subprocess.Popen([sys.executable, "-c", RACER, str(run.path), "300"],
                         stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    held = [int(racer.communicate()[0]) for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0, 0]
    assert sum(held) > 0
    assert not run.lock_path.exists()


def test_a_full_file_system_is_told_and_leaves_no_lock_file(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    run.lock_path.touch()  # what a killed engine left
    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        with pytest.raises(LockInvalid, match="No space left on device; the file system is full"):
            EngineLock.take(run)
    assert not run.lock_path.exists()
    EngineLock.take(run).release()


def test_whatever_lies_in_the_way_of_a_lock_is_told_by_path_and_left_alone(
    run: RunFolder, tmp_path: Path
) -> None:
    path = run.lock_path
    path.mkdir()
    with pytest.raises(LockInvalid, match=f"{path}: Is a directory; .* remove what lies there"):
        EngineLock.take(run)
    path.rmdir()
    target = tmp_path / "victim"
    target.write_text("dear")
    path.symlink_to(target)
    with pytest.raises(LockInvalid, match="remove what lies there"):
        EngineLock.take(run)
    assert target.read_text() == "dear"
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(LockInvalid, match="is no plain file of user"):
        EngineLock.take(run)


def test_a_missing_folder_for_locks_is_told(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "absent" / "trypto-1" / "test")
    with pytest.raises(LockInvalid, match="No such file or directory; right would be TRYPTO_SHM"):
        EngineLock.take(run)


def test_a_lock_file_of_another_user_is_refused(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.lock_path.touch()
    monkeypatch.setattr(os, "getuid", lambda: run.lock_path.stat().st_uid + 1)
    with pytest.raises(LockInvalid, match="let its owner remove it"):
        EngineLock.take(run)
    assert run.lock_path.exists()


def test_a_deleted_lock_is_noticed_and_the_one_that_follows_is_left_alone(run: RunFolder) -> None:
    first = EngineLock.take(run)
    assert first.held()
    run.lock_path.unlink()
    assert not first.held()
    second = EngineLock.take(run)
    first.release()
    assert second.held()
    second.release()
    assert not run.lock_path.exists()
