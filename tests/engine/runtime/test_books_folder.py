"""engine.runtime.books_folder: where the books are, told once and without need of room."""

import errno
import os
from pathlib import Path

import pytest

from engine.config import load
from engine.config.shipped import shipped
from engine.model.errors import StorageInvalid
from engine.runtime import books_folder
from shm.segment import RunFolder


def test_a_restart_on_a_full_disk_writes_nothing_that_stands_there_already(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    config, run = load(shipped("demo.toml")), RunFolder(tmp_path / "run")
    run.path.mkdir()
    books = books_folder.make(config, "books")
    books_folder.write(run, config, books)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", full)
        books_folder.write(run, config, books)
    assert books_folder.of_run(run) == books


def test_a_folder_that_cannot_be_made_is_named_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trypto-engine").write_text("a file where a folder should be")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with pytest.raises(StorageInvalid, match=r"Not a directory; right would be .*\[storage\]"):
        books_folder.make(load(shipped("demo.toml")), "books")
