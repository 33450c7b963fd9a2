"""Hunt for torn reads: one process writes flat out, another reads flat out and checks content.

    writer ──▶ book slots / quote slots / ring ──▶ reader: is all of it of one version?

Every word that the writer stores is derived from the version, so a single stale or early word
is seen.  ``python -m bench.torn_reads --seconds 60`` is the long form; tests run the short one.
"""

import argparse
import multiprocessing
import sys
import tempfile
from collections.abc import Callable, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from bench.harness import machine, parameter, tell
from shm.atomics import Words, load_acquire, peek, poke
from shm.book import (
    ASK_COUNT,
    BID_COUNT,
    HEAD_WORDS,
    QUOTE_WORDS,
    SEQ,
    BookSegment,
    book_version,
    column_words,
    publish_begin,
    publish_end,
    publish_quote,
    read_book,
    read_quote,
    slot_words,
)
from shm.jit import inlined, kernel
from shm.ring import RecordRing, ring_head, ring_push, ring_read_records, ring_size
from shm.segment import RunFolder, Segment
from shm.system import mono_ns

SUBJECTS: Final = ("book", "quote", "ring")
RECORD: Final = np.dtype([("words", "i8", (8,))])  # as wide as a trade
_RECORD_WORDS: Final = 8
_CAPACITY: Final = 1024
_STEP: Final = 1_000_003
_COUNTS_MODULUS: Final = 7919  # a prime above any depth: counts wander over all values
_CHUNK: Final = 20_000  # publications between two looks at the stop word


class Hunt(NamedTuple):
    """What one hunt saw."""

    subject: str
    reads: int
    accepted: int
    torn: int
    published: int


@inlined
def _word(version: int, at: int) -> int:
    return version * _STEP + at


@inlined
def _levels(version: int, side: int, depth: int) -> int:
    return (version + side) * 31 % _COUNTS_MODULUS % (depth + 1)


@kernel
def write_book(words: Words, base: int, depth: int, stop_after: int) -> None:
    """Publish one book whose every word tells its version; ``stop_after`` words, then return.

    A ``stop_after`` short of the slot leaves the book as a writer killed there would.
    """
    slot = publish_begin(words, base, depth)
    version = (words[slot + SEQ] + 1) >> 1
    width = slot_words(depth)
    for at in range(1, min(width, stop_after)):
        words[slot + at] = _word(version, at)
    if stop_after < width:
        return
    words[slot + BID_COUNT] = _levels(version, 0, depth)
    words[slot + ASK_COUNT] = _levels(version, 1, depth)
    publish_end(words, base, slot)


@kernel
def book_is_whole(out: Words, version: int, depth: int) -> bool:
    """Return whether every word of the copy is of ``version``."""
    bids, asks = _levels(version, 0, depth), _levels(version, 1, depth)
    whole = out[SEQ] == 2 * version and out[BID_COUNT] == bids and out[ASK_COUNT] == asks
    for at in range(1, BID_COUNT):
        whole &= out[at] == _word(version, at)
    column = column_words(depth)
    for number in range(4):
        first = HEAD_WORDS + number * column
        for at in range(first, first + (bids if number < 2 else asks)):
            whole &= out[at] == _word(version, at)
    return bool(whole)


@kernel
def _write_books(words: Words, depth: int, count: int, gap_ns: int) -> None:
    width = slot_words(depth)
    due = mono_ns()
    for _ in range(count):
        write_book(words, 0, depth, width)
        due += gap_ns
        while gap_ns and mono_ns() < due:
            pass


@kernel
def _write_quotes(words: Words, depth: int, count: int, gap_ns: int) -> None:
    due = mono_ns()
    for at in range(count):
        first = words[0] + at + 1  # the status word ``state`` counts what this writer did
        publish_quote(
            words, 0, depth, first + 1, first + 2, first + 3, first + 5, first + 6, first + 7,
            first + 8, first + 9, first + 4,
        )
        due += gap_ns
        while gap_ns and mono_ns() < due:
            pass
    words[0] += count


@kernel
def _write_records(words: Words, _depth: int, count: int, gap_ns: int) -> None:
    record = np.empty(_RECORD_WORDS, np.int64)
    due = mono_ns()
    for _ in range(count):
        number = ring_head(words)
        for at in range(_RECORD_WORDS):
            record[at] = _word(number, at)
        ring_push(words, record)
        due += gap_ns
        while gap_ns and mono_ns() < due:
            pass


@kernel
def _read_books(words: Words, depth: int, until_ns: int, out: Words) -> tuple[int, int, int]:
    reads, accepted, torn, last = 0, 0, 0, 0
    while reads % 64 or mono_ns() < until_ns:
        reads += 1
        version = read_book(words, 0, depth, out)
        if version:
            accepted += 1
            torn += version < last or not book_is_whole(out, version, depth)
            last = version
    return reads, accepted, torn


@kernel
def _read_quotes(words: Words, depth: int, until_ns: int, out: Words) -> tuple[int, int, int]:
    reads, accepted, torn, last = 0, 0, 0, 0
    while reads % 64 or mono_ns() < until_ns:
        reads += 1
        version = read_quote(words, 0, depth, out)
        if version:
            accepted += 1
            whole = version >= last and out[SEQ] == 2 * version
            for at in range(1, 10):
                whole &= out[at] == version + at
            torn += not whole
            last = version
    return reads, accepted, torn


@kernel
def _read_records(words: Words, _depth: int, until_ns: int, out: Words) -> tuple[int, int, int]:
    reads, accepted, torn, cursor = 0, 0, 0, 0
    rows = out.reshape((out.size // _RECORD_WORDS, _RECORD_WORDS))
    while reads % 64 or mono_ns() < until_ns:
        reads += 1
        after, lost = ring_read_records(words, cursor, rows)
        first = cursor + lost
        for entry in range(after - first):
            accepted += 1
            whole = True
            for at in range(_RECORD_WORDS):
                whole &= rows[entry, at] == _word(first + entry, at)
            torn += not whole
        cursor = after
    return reads, accepted, torn


Writer = Callable[[Words, int, int, int], None]
Reader = Callable[[Words, int, int, Words], tuple[int, int, int]]
_WRITERS: Final[dict[str, Writer]] = {
    "book": _write_books, "quote": _write_quotes, "ring": _write_records,
}
_READERS: Final[dict[str, Reader]] = {
    "book": _read_books, "quote": _read_quotes, "ring": _read_records,
}


def create(folder: RunFolder, subject: str, depth: int) -> Segment:
    """Make the segments of a hunt: the subject, and one word that stops the writer."""
    is_ring = subject == "ring"
    size = ring_size(_RECORD_WORDS, _CAPACITY) if is_ring else BookSegment.size(depth, 1)
    segment = Segment.create(folder, "subject", "writer", size, run=1, epoch=1, depth=depth)
    if is_ring:
        RecordRing.format(segment.words, _CAPACITY)
    segment.publish()
    Segment.create(folder, "stop", "reader", 64, run=1, epoch=1).publish()
    return segment


def write(path: Path, subject: str, gap_ns: int) -> None:
    """Write flat out, or every ``gap_ns``, until the stop word is set: a process of its own."""
    folder = RunFolder(path)
    segment = Segment.attach(folder, "subject", writable=True)
    stop = Segment.attach(folder, "stop")
    chunk = _CHUNK if not gap_ns else max(min(_CHUNK, 10_000_000 // gap_ns), 1)
    while not peek(stop.words, 0):
        _WRITERS[subject](segment.words, segment.depth, chunk, gap_ns)


def start_writer(path: Path, subject: str, gap_ns: int = 0) -> BaseProcess:
    """Start a writer and return once it has published something new."""
    words = Segment.attach(RunFolder(path), "subject").words
    before = _published(words, subject)
    process = multiprocessing.get_context("spawn").Process(
        target=write, args=(path, subject, gap_ns), daemon=True
    )
    process.start()
    while _published(words, subject) == before:
        process.join(0.001)
        if process.exitcode is not None:
            raise RuntimeError(f"the writer left with exit code {process.exitcode}")
    return process


def _published(words: Words, subject: str) -> int:
    if subject == "book":
        return book_version(words, 0)
    return ring_head(words) if subject == "ring" else _state_count(words)


@kernel
def _state_count(words: Words) -> int:
    return load_acquire(words, 0)


def hunt(folder: RunFolder, subject: str, seconds: float, depth: int, gap_ns: int) -> Hunt:
    """Read for ``seconds`` against a writer in another process; return what was seen."""
    folder.create()
    create(folder, subject, depth)
    words = Segment.attach(folder, "subject").words
    stop = Segment.attach(folder, "stop", writable=True)
    out = np.zeros(max(int(slot_words(depth)), QUOTE_WORDS, 64 * _RECORD_WORDS), np.int64)
    _READERS[subject](words, depth, 0, out)  # compile outside the hunt
    writer = start_writer(folder.path, subject, gap_ns)
    try:
        before = _published(words, subject)
        reads, accepted, torn = _READERS[subject](
            words, depth, mono_ns() + int(seconds * 1e9), out
        )
        published = _published(words, subject) - before
    finally:
        poke(stop.words, 0, 1)
        writer.join()
        folder.remove()
    return Hunt(subject, reads, accepted, torn, published)


def main(argv: Sequence[str] | None = None) -> int:
    """Hunt in books, quotes and a ring; return 1 when anything was torn."""
    parser = argparse.ArgumentParser(prog="python -m bench.torn_reads", description=__doc__)
    seconds = parameter("seconds", smoke=1, full=20)
    parser.add_argument("--seconds", type=float, default=seconds, help="per subject")
    parser.add_argument("--rate", type=float, default=0.0, help="publications a second; 0: all")
    parser.add_argument("--depth", type=int, default=50, help="levels per side")
    wanted = parser.parse_args(argv)
    print(machine())
    torn = 0
    for subject in SUBJECTS:
        with tempfile.TemporaryDirectory(dir="/dev/shm") as root:
            folder = RunFolder(Path(root) / "hunt")
            gap_ns = int(1e9 / wanted.rate) if wanted.rate else 0
            seen = hunt(folder, subject, wanted.seconds, wanted.depth, gap_ns)
        tell(f"torn reads: {subject}", target="torn 0", met=seen.torn == 0,
             reads=f"{seen.reads:,}", accepted=f"{seen.accepted:,}", torn=f"{seen.torn:,}",
             published=f"{seen.published:,}", seconds=f"{wanted.seconds:g}")
        torn += seen.torn
    return 1 if torn else 0


if __name__ == "__main__":
    sys.exit(main())
