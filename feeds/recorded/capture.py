"""Recorded traffic: JSON lines in receive order, gzip, zstd or plain; one market per file.

    {"t": unix ns, "ch": "ws"|"http", "dir": "in"|"out", "url": "...", "m": "raw text"}

``"ev":"connect"`` marks a socket being opened, ``"c"`` its number where there are several.  The
file's name begins with the market: ``binance.spot.20240808.jsonl.gz``.  Whatever is wrong with
a file becomes CaptureInvalid with the file, the line and what would be right.
"""

import gzip
import importlib
import zlib
from collections.abc import Iterator
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import IO, Final, Literal, cast
from urllib.parse import parse_qsl, urlsplit

import msgspec

from engine.model.errors import CaptureInvalid
from feeds.venue import SnapshotFrom, Venue
from feeds.venues import reader_of

FORMS: Final = (".jsonl.gz", ".jsonl.zst", ".jsonl")
_RIGHT: Final = (
    'right would be {"t": ns, "ch": "ws" or "http", "dir": "in" or "out", "url": "...", "m": "..."}'
)
_PROBE: Final = "PROBE"  # a symbol that no venue has, to learn where a path holds the symbol


class Line(msgspec.Struct, gc=False):
    """One line of a capture; ``m`` is the message exactly as it was received."""

    t: int  # local receive time, unix ns
    ch: Literal["ws", "http"]
    dir: Literal["in", "out"]
    url: str
    m: str
    ev: str = ""
    c: int = 0  # which socket


_parse = msgspec.json.Decoder(Line).decode


class Capture:
    """One file: its market, the venue that reads its protocol, and its lines."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        name = self.path.name
        form = next((form for form in FORMS if name.endswith(form)), None)
        parts = name.removesuffix(form or "").split(".")
        if form is None or len(parts) < 2 or not all(parts[:2]):
            raise CaptureInvalid(
                f"{path}: not the name of a capture; right would be <venue>.<market>.<day>"
                f"{' or '.join(FORMS)}, such as binance.spot.20240808.jsonl.gz"
            )
        if not self.path.is_file():
            raise CaptureInvalid(f"{path}: no such file; right would be the path of a capture")
        self.market = ".".join(parts[:2])

    @cached_property
    def venue(self) -> Venue:
        """Return what decodes this recording, chosen by the url of its first socket."""
        url = next((line.url for line in self.lines() if line.ch == "ws"), None)
        try:
            if url is None:
                raise CaptureInvalid("no line of a socket; right would be recorded frames")
            return reader_of(self.market, url)
        except CaptureInvalid as error:
            raise CaptureInvalid(f"{self.path}: {error}") from None

    def lines(self) -> Iterator[Line]:
        """Yield the lines in order; raise CaptureInvalid where the file breaks or ends early."""
        number = 1
        try:
            with closing(_opened(self.path)) as file:
                for text in file:
                    yield _parse(text)
                    number += 1
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise CaptureInvalid(
                f"{self.path}: line {number}: {error}; right would be a file copied whole"
            ) from None
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise CaptureInvalid(f"{self.path}: line {number}: {error}; {_RIGHT}") from None
        except OSError as error:
            raise CaptureInvalid(
                f"{self.path}: {error.strerror or error}; right would be a readable file"
            ) from None

    def snapshot_symbol(self, url: str) -> str:
        """Return the native symbol whose REST book the answer to ``url`` is, "" for any other.

        Recordings name hosts and versions of their day, so only what the adapter's own path is
        sure of counts: its last part, and the query's key that holds the symbol.
        """
        if self.venue.snapshot_from is not SnapshotFrom.REST:
            return ""
        own = urlsplit(self.venue.snapshot_path(_PROBE))
        key = next((key for key, value in parse_qsl(own.query) if value == _PROBE), "")
        asked = urlsplit(url)
        if _last_part(asked.path) != _last_part(own.path):
            return ""
        return dict(parse_qsl(asked.query)).get(key, "")

    def is_catalogue(self, url: str) -> bool:
        """Tell whether the answer to ``url`` is (a page of) the venue's list of instruments."""
        own = _last_part(urlsplit(self.venue.catalogue_path(())).path)
        return bool(own) and own == _last_part(urlsplit(url).path)


def _last_part(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def _opened(path: Path) -> IO[bytes]:
    if path.suffix == ".gz":
        return cast(IO[bytes], gzip.open(path))
    if path.suffix == ".zst":
        return _opened_zstd(path)
    return path.open("rb")


def _opened_zstd(path: Path) -> IO[bytes]:
    """Open by the optional package, since the standard library reads zstd from 3.14 on."""
    try:
        zstandard = importlib.import_module("zstandard")
    except ImportError:
        raise CaptureInvalid(
            f"{path}: zstd needs the package zstandard; right would be `pip install zstandard`, "
            "or the same capture as .jsonl.gz"
        ) from None
    return cast(IO[bytes], zstandard.open(path, "rb"))
