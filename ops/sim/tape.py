"""Recorded captures as one tape: lines of several files in the order and at the pace of their time.

Captures that overlap in time, or come from one venue, share a track and keep their distances;
what has nothing in common starts together.  Silence of more than ``GAP_NS_MAX`` is cut short
(the Kraken capture holds two sessions 48 minutes apart).
"""

import gzip
import heapq
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from engine.model.errors import CaptureInvalid

GAP_NS_MAX: Final = 5_000_000_000
GAP_NS_LEFT: Final = 1_000_000_000
VENUES: Final = {
    "binance.spot": "binance", "binancetr.spot": "binance", "binanceus.spot": "binance-us",
    "binance.usdm": "binance-usdm", "okx.spot": "okx", "okx.mixed": "okx",
    "kraken.spot": "kraken", "coinbase.spot": "coinbase-exchange",
}
OLD_URLS: Final = {"kraken": "/v2"}  # what a recorded socket's url must hold to be served


class Entry(msgspec.Struct, gc=False):
    """One line of a capture."""

    t: int
    ch: str
    dir: str
    url: str
    m: str


class Item(NamedTuple):
    """One recorded message from a venue, at ``at_ns`` since the tape's start."""

    at_ns: int
    venue: str
    is_rest: bool
    url: str
    text: bytes


class Capture:
    """One file; opening it reads it once, to know its time span and that it is whole."""

    def __init__(self, path: Path) -> None:
        market = ".".join(path.name.split(".")[:2])
        if market not in VENUES:
            raise CaptureInvalid(f"{path}: no server for market {market!r}; there are "
                                 + ", ".join(VENUES))
        self.path, self.venue = path, VENUES[market]
        needed, first, last = OLD_URLS.get(self.venue, ""), 0, 0
        for entry in self.entries():
            first, last = first or entry.t, max(last, entry.t)
            if entry.ch == "ws" and needed not in entry.url:
                raise CaptureInvalid(f"{path}: the protocol of {entry.url} is not served any more")
        if not last:
            raise CaptureInvalid(f"{path}: no messages")
        self.first_ns, self.last_ns = first, last

    def entries(self) -> Iterator[Entry]:
        """Yield the lines of the file; raise CaptureInvalid with the line that is wrong."""
        parse, number = msgspec.json.Decoder(Entry).decode, 1
        opened = gzip.open if self.path.suffix == ".gz" else open
        try:
            with opened(self.path, "rb") as lines:
                for line in lines:
                    yield parse(line)
                    number += 1
        except (OSError, EOFError, zlib.error, msgspec.MsgspecError) as error:
            raise CaptureInvalid(f"{self.path}, line {number}: {error}") from None


class Tape:
    """All captures, ready to be played any number of times."""

    def __init__(self, paths: Sequence[str]) -> None:
        if not paths:
            raise CaptureInvalid("no captures: sim.captures names none")
        self._tracks: list[list[Capture]] = []
        for capture in sorted((Capture(Path(path)) for path in paths), key=lambda c: c.first_ns):
            related = [track for track in self._tracks if _related(capture, track)]
            self._tracks = [track for track in self._tracks if track not in related]
            self._tracks.append([*(other for track in related for other in track), capture])

    @property
    def venues(self) -> set[str]:
        """Return the venues that were recorded."""
        return {capture.venue for track in self._tracks for capture in track}

    def items(self) -> Iterator[Item]:
        """Yield everything the venues sent, in order."""
        return heapq.merge(*map(_play, self._tracks), key=lambda item: item.at_ns)


def _related(capture: Capture, track: Sequence[Capture]) -> bool:
    return any(
        other.venue == capture.venue
        or (other.first_ns <= capture.last_ns and capture.first_ns <= other.last_ns)
        for other in track
    )


def _timed(capture: Capture) -> Iterator[tuple[int, Capture, Entry]]:
    latest = 0
    for entry in capture.entries():
        latest = max(latest, entry.t)  # a line's time never goes back: order is the file's
        if entry.dir == "in":
            yield latest, capture, entry


def _play(track: Sequence[Capture]) -> Iterator[Item]:
    merged = heapq.merge(*map(_timed, track), key=lambda line: line[0])
    before, at_ns = None, 0
    for t, capture, entry in merged:
        gap = 0 if before is None else t - before
        before = t
        at_ns += gap if gap <= GAP_NS_MAX else GAP_NS_LEFT
        yield Item(at_ns, capture.venue, entry.ch == "http", entry.url, entry.m.encode())
