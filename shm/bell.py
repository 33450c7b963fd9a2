"""Doorbells: how a consumer without work waits, and what its producers pay to wake it.

    producer                              consumer
    store data                            sleeping = 1
    rings += 1            (seq_cst)       rings still as seen?   (seq_cst)
    sleeping?  -> wake                    then sleep
                                          sleeping = 0

Either the producer sees ``sleeping`` or the consumer sees the new ``rings``: both look after
they stored, in the single order of seq_cst, so no ring is lost; and only a sleeper costs a
system call.  Producers only ever read ``sleeping``, so one that dies at any instruction delays
the consumer until the next ring or its time limit, whichever is first.
"""

import contextlib
import os
from enum import IntEnum
from pathlib import Path
from typing import Final

import numpy as np

from shm.atomics import (
    Words,
    add_seq_cst,
    load_acquire,
    load_relaxed,
    load_seq_cst,
    store_seq_cst,
)
from shm.jit import kernel
from shm.layout import BELL, word_of, words_in
from shm.system import futex_wait, futex_wake, mono_ns, sched_yield

RINGS: Final = word_of(BELL, "rings")
SLEEPING: Final = word_of(BELL, "sleeping")
PATIENCE_NS: Final = 50_000  # a parking consumer spins so long first: see ``WaitStrategy.PARK``
_LOOKS: Final = 64  # loads between two looks at the clock


class WaitStrategy(IntEnum):
    """How to wait; ``WaitStrategy[name.upper()]`` for the config's word.

    SPIN owns a core and sees a ring in fractions of a microsecond.  YIELD takes a core that
    nobody else wants, and waits out a whole time slice where somebody does.  PARK sleeps; being
    woken costs the producer a system call and the consumer the scheduler, and on a virtual
    machine a halted core (30 us at the median, measured 2026-11-21 by ``bench.handover``).  So it
    spins for about as long as that costs before it sleeps: a burst is read at spinning speed, and
    what is wasted is at most what is saved.
    """

    SPIN = 0
    YIELD = 1
    PARK = 2


_YIELD: Final = int(WaitStrategy.YIELD)
_PARK: Final = int(WaitStrategy.PARK)


@kernel
def ring_bell(words: Words, bell_base: int) -> int:
    """Ring after storing; any producer may.  Return 1 if somebody had to be woken, else 0."""
    # SYNC POINT: adds, then looks; its partner is ``wait_bell``, which stores, then looks.  As a
    # release it also publishes what was stored before to whoever acquires ``rings``
    add_seq_cst(words, bell_base + RINGS, 1)
    if load_seq_cst(words, bell_base + SLEEPING) == 0:
        return 0
    futex_wake(words, bell_base + RINGS)
    return 1


@kernel
def bell_rings(words: Words, bell_base: int) -> int:
    """Return how often the bell was rung."""
    # SYNC POINT: acquire of rings; its partner is the add in ``ring_bell``
    return load_acquire(words, bell_base + RINGS)


@kernel
def wait_bell(words: Words, bell_base: int, seen: int, strategy: int, timeout_ns: int) -> int:
    """Wait until the bell was rung beyond ``seen``; return the count to pass as the next ``seen``.

    Returns ``seen`` itself when ``timeout_ns`` passed, or, parked, on a signal: callers loop and
    look at what else concerns them.  Look for work before waiting on the count returned.
    """
    if load_relaxed(words, bell_base + SLEEPING) != 0:
        store_seq_cst(words, bell_base + SLEEPING, 0)  # a predecessor was killed asleep
    deadline = mono_ns() + timeout_ns
    until = min(deadline, mono_ns() + PATIENCE_NS) if strategy == _PARK else deadline
    while True:
        for _ in range(_LOOKS):
            # SYNC POINT: acquire of rings; its partner is the add in ``ring_bell``
            rings = load_acquire(words, bell_base + RINGS)
            if rings != seen:
                return rings
            if strategy == _YIELD:
                sched_yield()
        now = mono_ns()
        if now >= until:
            break
    if strategy == _PARK and now < deadline:
        # SYNC POINT: stores, then looks; its partner is ``ring_bell``
        store_seq_cst(words, bell_base + SLEEPING, 1)
        if load_seq_cst(words, bell_base + RINGS) == seen:
            futex_wait(words, bell_base + RINGS, seen, deadline - now)
        store_seq_cst(words, bell_base + SLEEPING, 0)
    return load_acquire(words, bell_base + RINGS)


@kernel
def _arm(words: Words, bell_base: int, seen: int) -> bool:
    # SYNC POINT: stores, then looks; its partner is ``_ring``
    store_seq_cst(words, bell_base + SLEEPING, 1)
    if load_seq_cst(words, bell_base + RINGS) == seen:
        return True
    store_seq_cst(words, bell_base + SLEEPING, 0)
    return False


@kernel
def _disarm(words: Words, bell_base: int) -> int:
    store_seq_cst(words, bell_base + SLEEPING, 0)
    return load_acquire(words, bell_base + RINGS)


@kernel
def _ring(words: Words, bell_base: int) -> bool:
    # SYNC POINT: adds, then looks; its partner is ``_arm``
    add_seq_cst(words, bell_base + RINGS, 1)
    return load_seq_cst(words, bell_base + SLEEPING) != 0


def warm_bells() -> None:
    """Compile what the ends of a FIFO run: the first ring may be the one that matters."""
    words = np.zeros(words_in(BELL), np.int64)
    _ring(words, 0)
    _arm(words, 0, 0)
    _disarm(words, 0)


class _Fifo:
    """An open FIFO and its bell; opened for both directions, so neither end can hang up."""

    def __init__(self, path: Path, words: Words, bell_base: int) -> None:
        self._words, self._base = words, bell_base
        self._descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def close(self) -> None:
        """Close this end."""
        os.close(self._descriptor)


class FifoBell(_Fifo):
    """The consumer's end of a bell, for a process with an event loop.

    Register ``fileno()`` for reading.  When it is readable: ``rings = bell.disarm()``, work, and
    before returning to the loop ``bell.arm(rings)``; False means that it was rung meanwhile, so
    disarm and work again.
    """

    def fileno(self) -> int:
        """Return the descriptor for the event loop."""
        return self._descriptor

    def arm(self, seen: int) -> bool:
        """Ask for a byte at the next ring; return False if it was rung beyond ``seen`` already."""
        return _arm(self._words, self._base, seen)

    def disarm(self) -> int:
        """Ask for no more bytes, drop those that came, return how often the bell was rung."""
        rings = _disarm(self._words, self._base)
        with contextlib.suppress(BlockingIOError):
            os.read(self._descriptor, 65_536)
        return rings


class FifoRinger(_Fifo):
    """A producer's end: one byte, and only when the consumer sleeps."""

    def ring(self) -> None:
        """Ring after storing."""
        if _ring(self._words, self._base):
            with contextlib.suppress(BlockingIOError):  # full of bytes: it is readable already
                os.write(self._descriptor, b"\0")
