"""The engine's books against those of the local servers, level by level, while the flow rests.

    POST /sim/pause ──► GET /sim/truth of every book ──► the engine's books reach it ──► resume

What the servers sent before the pause is still under way, so the books may take a moment; they
must arrive by the changes alone: one that needed a new snapshot for it was wrong.
"""

import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

import msgspec

from engine.config import Config, instruments
from engine.model.instrument import Instrument
from engine.model.quanta import from_quanta, plain
from engine.runtime.served import FILE
from feeds.venues import venue_of
from ops.sim.truth import Truth
from shm.book import BookSegment

DRAIN_S: Final = 10.0
POLL_S: Final = 0.005
_Levels = list[tuple[str, str]]


class Untrue(Exception):
    """A book of the engine is not the venue's."""


def compare(folder: Path, config: Config, books: list[BookSegment]) -> int:
    """Hold the servers of the run in ``folder`` still and compare; return the levels compared.

    Raise Untrue for a book that differs, to the published depth, when everything has arrived,
    OSError when the servers do not answer.
    """
    urls = msgspec.json.decode((folder / FILE).read_bytes(), type=dict[str, dict[str, str]])
    rest = {venue: line["rest"] for venue, line in urls.items()}
    one = next(iter(rest.values()))  # all venues of a run are one world, that one address stops
    _call(f"{one}/sim/pause", "POST")
    try:
        # before the truth is asked for: whatever is told from here on must follow by changes
        before = [_snapshots(segment) for segment in books]
        table = instruments(config)
        truths = [_truth(rest[it.venue], it) for it in table]
        until = time.monotonic() + DRAIN_S
        while wrong := next(_differences(config, table, truths, books), ""):
            if time.monotonic() > until:
                raise Untrue(wrong)
            time.sleep(POLL_S)
        if [_snapshots(segment) for segment in books] != before:
            raise Untrue("a book needed another snapshot to become the venue's")
    finally:
        _call(f"{one}/sim/resume", "POST")
    return sum(
        min(len(side), _depth(config, it)) for it, truth in zip(table, truths, strict=True)
        for side in (truth.bids, truth.asks))


def _call(url: str, method: str) -> bytes:
    request = urllib.request.Request(url, method=method)  # noqa: S310  (our own local servers)
    with urllib.request.urlopen(request, timeout=DRAIN_S) as answer:  # noqa: S310
        body: bytes = answer.read()
    return body


def _truth(rest_url: str, it: Instrument) -> Truth:
    return msgspec.json.decode(
        _call(f"{rest_url}/sim/truth/{it.venue}/{quote(it.name, safe='/:')}", "GET"), type=Truth)


def _snapshots(segment: BookSegment) -> list[int]:
    counts: list[int] = segment.records["status"]["snapshots"].tolist()
    return counts


def _depth(config: Config, it: Instrument) -> int:
    vouched = venue_of(it.venue).vouched_depth or config.books.depth
    return min(vouched, config.books.depth)


def _differences(
    config: Config, table: list[Instrument], truths: list[Truth], books: list[BookSegment],
) -> Iterator[str]:
    """Yield what is wrong, book by book."""
    for it, truth in zip(table, truths, strict=True):
        _, slot = books[it.venue_index].read(it.local_index)
        for side, true in (("bid", truth.bids), ("ask", truth.asks)):
            count = int(slot[f"{side}_count"])
            found: _Levels = [
                (plain(from_quanta(price, it.price_decimals)),
                 plain(from_quanta(size, it.size_decimals)))
                for price, size in zip(slot[f"{side}_price"][:count].tolist(),
                                       slot[f"{side}_size"][:count].tolist(), strict=True)]
            wanted = true[:_depth(config, it)]
            if found != wanted:
                at = next((at for at, pair in enumerate(zip(found, wanted, strict=False))
                           if pair[0] != pair[1]), min(len(found), len(wanted)))
                yield (f"{it.venue} {it.name}, {side} {at}: {found[at:at + 1]} is not the "
                       f"venue's {wanted[at:at + 1]}; update {int(slot['update_id'])}, the "
                       f"venue's is {truth.last_id}")
