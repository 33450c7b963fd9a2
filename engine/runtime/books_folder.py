"""Where the books of an account lie: its journal, its ledger; and how others find them.

    <storage folder>/<mode>-<account>/journal/*.journal
                                      ledger.sqlite3
    <storage folder>/latest.json      the books that were opened last
    <run folder>/books.json           those of this run

An account is known by its API keys: other keys, or another simulated world, have other books.
"""

import os
from pathlib import Path
from typing import Final

import msgspec

from engine.config import Config
from engine.model.errors import LedgerInvalid, StorageInvalid
from engine.runtime.log import state_folder
from shm.segment import RunFolder

IN_RUN: Final = "books.json"
LATEST: Final = "latest.json"


class BooksFolder(msgspec.Struct, frozen=True):
    """One account's books."""

    folder: str
    mode: str  # dry_run, paper or live
    account: str  # 12 hex digits, or "books" where no key is

    @property
    def journal(self) -> Path:
        """Return the journal's folder."""
        return Path(self.folder) / "journal"

    @property
    def ledger(self) -> Path:
        """Return the path of the SQLite ledger."""
        return Path(self.folder) / "ledger.sqlite3"


def storage(config: Config) -> Path:
    """Return the folder that holds the books of every account of an engine."""
    return storage_of(config.name, config.storage.folder)


def storage_of(engine: str, folder: str = "") -> Path:
    """Return the same by the engine's name."""
    if folder:
        return Path(folder).expanduser()
    return state_folder(engine) / "books"


def make(config: Config, account: str) -> BooksFolder:
    """Create the folder of an account's books, readable by us alone; raise StorageInvalid."""
    books = BooksFolder(str(storage(config) / f"{config.mode}-{account}"), config.mode, account)
    try:
        books.journal.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StorageInvalid(f"{books.journal}: {error.strerror}; right would be a folder that we"
                             " may write to, by [storage] folder") from None
    return books


def write(run: RunFolder, config: Config, books: BooksFolder) -> None:
    """Tell where the books of this run are, now and after it; raise OSError where that fails.

    What says so already is left alone: a restart needs no room on the disk.
    """
    for path in (run.file(IN_RUN), storage(config) / LATEST):
        if path.exists() and path.read_bytes() == msgspec.json.encode(books):
            continue
        new = path.with_name(f"{path.name}.new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(books))
        new.rename(path)


def of_run(run: RunFolder) -> BooksFolder | None:
    """Return the books of a run, None while execution has not opened any."""
    return _read(run.file(IN_RUN))


def latest(engine: str, folder: str = "") -> BooksFolder | None:
    """Return the books that an engine opened last, None if it never did."""
    return _read(storage_of(engine, folder) / LATEST)


def _read(path: Path) -> BooksFolder | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=BooksFolder)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise LedgerInvalid(f"{path}: {error}; right would be to delete it") from None
