"""Publish -> seen: how long a book takes from one process to the next, by wait strategy.

    publisher: book into its slot, stamp, updates ring, bell ──▶ consumer: wait, read ring, stamp

Two paces: a burst, and one so slow that a parking consumer sleeps each time (``woken`` is the
share of rings that cost the publisher a system call).
The publisher keeps a schedule and stamps what it really did; entries that a late consumer finds
together are each timed from their own stamp.  Left out: what the consumer does with the book.
"""

import argparse
import multiprocessing
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.harness import Target, machine, parameter, report
from shm.atomics import Words, load_acquire, peek, poke
from shm.bell import WaitStrategy, ring_bell, wait_bell
from shm.board import ControlView
from shm.book import HEAD_WORDS, PUBLISH_MONO_NS, BookSegment, publish_begin, publish_end
from shm.jit import kernel
from shm.layout import Bell
from shm.ring import WordRing, ring_push_word, ring_read, ring_size
from shm.segment import RunFolder, Segment
from shm.system import mono_ns

_DEPTH = 50
_CAPACITY = 4096
_TARGETS = {WaitStrategy.SPIN: Target("p50", 0.3), WaitStrategy.PARK: Target("p50", 8.0)}
_PATIENCE_NS = 100_000_000  # one wait; afterwards the consumer looks whether the other lives


@kernel
def _publish(
    books: Words, updates: Words, control: Words, bell_base: int, go: int, n: int, gap_ns: int
) -> int:
    while load_acquire(control, go) == 0:
        pass
    woken, due = 0, mono_ns() + gap_ns
    for number in range(n):
        while mono_ns() < due:
            pass
        slot = publish_begin(books, 0, _DEPTH)
        for at in range(HEAD_WORDS, HEAD_WORDS + 4 * _DEPTH):
            books[slot + at] = number + at
        stamp = mono_ns()
        books[slot + PUBLISH_MONO_NS] = stamp
        publish_end(books, 0, slot)
        ring_push_word(updates, stamp)
        woken += ring_bell(control, bell_base)
        due += gap_ns
    return woken


@kernel
def _consume(
    updates: Words, control: Words, bell_base: int, strategy: int, took_ns: Words, done: int
) -> int:
    """Fill ``took_ns`` from entry ``done`` on until a wait brings nothing; return the new count."""
    entries = np.empty(256, np.int64)
    cursor, seen = done, 0
    while cursor < took_ns.size:
        rings = wait_bell(control, bell_base, seen, strategy, _PATIENCE_NS)
        if rings == seen:
            return cursor
        seen = rings
        after, lost = ring_read(updates, cursor, entries)
        while after != cursor:
            now = mono_ns()
            for at in range(after - cursor - lost):
                took_ns[cursor + lost + at] = now - entries[at]
            cursor = after
            after, lost = ring_read(updates, cursor, entries)
    return cursor


def publish(path: Path, n: int, gap_ns: int) -> None:
    """Publish ``n`` books on schedule once the consumer says go: a process of its own."""
    folder = RunFolder(path)
    control, updates, books = (
        Segment.attach(folder, name, writable=True).words
        for name in ("control", "updates", "books")
    )
    view = ControlView(control)
    bell, go = view.bell(Bell.DETECTOR), view.bell(Bell.EXEC)
    poke(control, view.bell(Bell.RISK), _publish(books, updates, control, bell, go, n, gap_ns))


def measure(
    path: Path, strategy: WaitStrategy, n: int, gap_ns: int
) -> tuple[NDArray[np.int64], int]:
    """Return the ``n`` latencies in ns of one strategy, and how many rings woke a sleeper."""
    folder = RunFolder(path)
    folder.create()
    sizes = {
        "control": ControlView.SIZE,
        "updates": ring_size(WordRing.width, _CAPACITY),
        "books": BookSegment.size(_DEPTH, 1),
    }
    made = {name: Segment.create(folder, name, "bench", size, 1, 1) for name, size in sizes.items()}
    WordRing.format(made["updates"].words, _CAPACITY)
    for segment in made.values():
        segment.publish()
    control, updates = made["control"].words, made["updates"].words
    view = ControlView(control)
    bell, go = view.bell(Bell.DETECTOR), view.bell(Bell.EXEC)
    took_ns = np.zeros(n, np.int64)
    _consume(updates, control, bell, int(strategy), took_ns[:0], 0)  # compile outside
    other = multiprocessing.get_context("spawn").Process(
        target=publish, args=(path, n, gap_ns), daemon=True
    )
    other.start()
    try:
        poke(control, go, 1)
        done = 0
        while done < n:
            done = _consume(updates, control, bell, int(strategy), took_ns, done)
            if done < n and other.exitcode not in (None, 0):
                raise RuntimeError(f"the publisher left with exit code {other.exitcode}")
        other.join()
        woken = peek(control, view.bell(Bell.RISK))
    finally:
        other.kill()
        folder.remove()
    return took_ns, woken


def main(argv: Sequence[str] | None = None) -> int:
    """Print one line per strategy."""
    parser = argparse.ArgumentParser(prog="python -m bench.handover", description=__doc__)
    parser.add_argument("--samples", type=int, default=parameter("samples", 200, 20_000))
    parser.add_argument("--gaps-us", type=int, nargs="+", default=[20, 500], help="paces")
    wanted = parser.parse_args(argv)
    print(machine())
    for strategy in WaitStrategy:
        for gap_us in wanted.gaps_us:
            with tempfile.TemporaryDirectory(dir="/dev/shm") as root:
                path = Path(root) / "bench"
                took_ns, woken = measure(path, strategy, wanted.samples, gap_us * 1000)
            name = f"publish -> seen, {strategy.name.lower()}"
            report(name, took_ns, target=_TARGETS.get(strategy), gap_us=gap_us,
                   woken=f"{woken / took_ns.size:.0%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
