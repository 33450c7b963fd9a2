"""Where an engine's books lie, for the verbs that read journal and ledger, running or stopped.

The reading is done by modules of ``exec`` in a process of their own, since a verb imports no
worker.
"""

import argparse
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from engine.model.clock import SystemClock
from engine.model.errors import Refused
from engine.runtime import books_folder, spawn
from engine.runtime.books_folder import BooksFolder
from engine.runtime.process import read_config
from ops import client
from shm.segment import RunFolder

NAME_HELP: Final = ("which engine, running or stopped (default: the one that runs, else the one"
                    " that opened its books last)")
_AGE: Final = re.compile(r"([0-9]+)([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class NoBooks(Refused):
    """No books lie there, or it is not clear which ones are meant."""


def add_place(parser: argparse.ArgumentParser) -> None:
    """Let the user say whose books are meant."""
    parser.add_argument("--name", help=NAME_HELP)
    parser.add_argument("--folder", type=Path, help="the folder of the books, in place of a name")


def folder_of(name: str | None, folder: Path | None) -> Path:
    """Return the folder that holds journal and ledger; raise NoBooks where there is none."""
    if folder is not None:
        return _given(folder)
    running = client.running()
    if name is None and len(running) > 1:
        raise NoBooks(f"{len(running)} engines run; say which with --name: {', '.join(running)}")
    if name is None and running:
        name = running[0]
    found = _of(name, running=name in running) if name is not None else _newest()
    if found is None:
        whose = "no engine" if name is None else f"the engine {name!r} has not"
        raise NoBooks(f"{whose} opened books yet: execution does it as it starts; where its config"
                      " has a [storage] folder and it is stopped, right would be --folder")
    if not Path(found.folder).is_dir():
        raise NoBooks(f"{found.folder} is gone; right would be --folder with where it went")
    return Path(found.folder)


def _of(name: str, *, running: bool) -> BooksFolder | None:
    """Return the books of an engine: those of its run, else the newest ones."""
    if not running:
        return books_folder.latest(name)
    run = RunFolder.of(name)
    found = books_folder.of_run(run)
    if found is not None:
        return found
    try:
        return books_folder.latest(name, read_config(run.path).storage.folder)
    except FileNotFoundError:  # it is starting
        return books_folder.latest(name)


def _newest() -> BooksFolder | None:
    """Return the books that any engine opened last, in the usual place."""
    parent = books_folder.storage_of("any").parent.parent
    found = sorted(parent.glob(f"*/books/{books_folder.LATEST}"),
                   key=lambda path: path.stat().st_mtime_ns)
    return books_folder.latest(found[-1].parent.parent.name) if found else None


def _given(folder: Path) -> Path:
    """Return the books' folder that is meant: itself, its journal, or where several lie."""
    for place in (folder, folder.absolute().parent):
        if (place / "journal").is_dir() and (place is folder or folder.name == "journal"):
            return place
    if (folder / books_folder.LATEST).is_file():
        found = books_folder.latest("", str(folder))
        if found is not None:
            return Path(found.folder)
    raise NoBooks(f"{folder} holds no journal; right would be the folder of an engine's books,"
                  " such as ~/.local/state/trypto-engine/demo/books/live-0123456789ab")


def since_ns(text: str) -> int:
    """Return the Unix ns that an age ("90s", "10m", "2h", "1d") or a time in UTC means."""
    age = _AGE.fullmatch(text)
    if age:
        return SystemClock.unix_ns() - int(age[1]) * _SECONDS[age[2]] * 10**9
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time; right would be 10m, 2h, 1d, or 2026-11-21T20:00") from None
    whole = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return int(whole * 10**6) * 1_000


def count(text: str) -> int:
    """Return a number of rows."""
    if not text.isdecimal() or not 1 <= int(text) <= 10**9:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of rows; right would be 20")
    return int(text)


def hand_over(module: str, *words: str, told: bytes = b"") -> int:
    """Let a module of ours do the reading, with ``told`` on its stdin; return its exit status."""
    done = subprocess.run(  # noqa: S603  (our own interpreter and module)
        spawn.command(module, *words), input=told,
        env=spawn.environment() | {"PYTHONUTF8": "1"}, check=False)
    return 1 if done.returncode < 0 else done.returncode
