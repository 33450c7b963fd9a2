"""Which database a ledger is, and how whoever looks at it after a run finds it.

The ledger process leaves ``ledger.json`` beside the journal; it holds where a password is, never
the password.
"""

import importlib
import os
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final, cast

import msgspec

from engine.model.errors import LedgerInvalid, LedgerUnavailable
from exec.gateways.keys import found
from exec.ledger import sqlite
from exec.ledger.store import Database, Store

if TYPE_CHECKING:  # a command that only reads needs no kernels
    from engine.config import Config
    from engine.runtime.books_folder import BooksFolder

NOTE: Final = "ledger.json"


class Place(msgspec.Struct, frozen=True):
    """One ledger: an SQLite file, or with a URL a schema in PostgreSQL."""

    path: str
    url: str = ""
    password: str = ""  # "env:NAME" or "file:/PATH"
    schema: str = ""

    def open_store(self) -> Store:
        """Open it to write; raise as ``sqlite.open_store`` does, KeyInvalid without password."""
        if not self.url:
            return sqlite.open_store(Path(self.path))
        return cast(
            "Store", _postgres().open_store(self.url, self._secret(), self.schema))

    def open_reader(self) -> Database:
        """Open it to look at one moment of it; raise as ``sqlite.open_reader`` does."""
        if not self.url:
            return sqlite.open_reader(Path(self.path))
        return cast(
            "Database", _postgres().open_reader(self.url, self._secret(), self.schema))

    def _secret(self) -> str:
        return found(self.password, os.environ) if self.password else ""


def place_of(books: "BooksFolder", config: "Config") -> Place:
    """Return where the ledger of these books is by the config."""
    wanted = config.ledger
    schema = f"{config.name}_{books.mode}_{books.account}" if wanted.url else ""
    return Place(str(books.ledger), wanted.url, wanted.password, schema)


def note(books: "BooksFolder", place: Place) -> None:
    """Leave word in the books' folder; raise LedgerUnavailable where the disk refuses."""
    path = Path(books.folder) / NOTE
    new = path.with_suffix(".new")
    try:
        new.touch(mode=0o600)
        new.write_bytes(msgspec.json.encode(place))
        new.rename(path)
    except OSError as error:
        raise LedgerUnavailable(f"{path}: {error.strerror}") from error


def noted(folder: Path) -> Place:
    """Return where the ledger of a books' folder is: as it was noted, else SQLite beside it."""
    path = folder / NOTE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Place)
    except FileNotFoundError:
        return Place(str(folder / "ledger.sqlite3"))
    except (OSError, msgspec.DecodeError) as error:
        raise LedgerInvalid(f"{path}: {error}; right would be to delete it") from None


def _postgres() -> ModuleType:
    try:
        return importlib.import_module("exec.ledger.postgres")
    except ImportError as error:  # psycopg is an extra
        raise LedgerUnavailable(
            f"PostgreSQL needs a package that is not here: {error}; right would be"
            " pip install 'trypto-engine[postgres]'") from None
