"""The only place that knows bytes: layouts, atomics, segments, books, rings, bells, counters.

Vocabulary.  A *segment* is one mapped file: header, then words.  A *record* is one dtype of
``layout`` at a *base*, its first word.  A *slot* is one complete copy of a book, a *version*
the number of its publication.  A *ring* broadcasts *entries* to readers with *cursors*; who
falls a whole ring behind is *lapped*.  A *bell* is what a consumer waits on.

Files, from the bottom up: ``layout`` (every byte), ``jit`` and ``atomics`` (the doors to Numba
and LLVM), ``system`` (clocks, futex), ``segment``, then one idea each: ``book``, ``ring``,
``bell``, ``metrics`` and ``counters``, ``board``, ``portfolio`` with its ``portfolio_layout``.

How it is used: the owner calls ``Segment.create``, fills in what must stand there from the
start and calls ``publish``; others call ``Segment.attach``.  Each word has one writer.  Kernels
take words and a base; the classes are for people, start-up and tests.

Decisions.
2026-11-21  Slots are seqlocks behind an index.  With a reader that does not look twice, 40,413
            of 2,678,144 reads were torn; with ours none of millions (``bench.torn_reads``).
2026-11-21  Producers never write ``sleeping``: one killed between clearing it and waking would
            leave the consumer asleep; now the next ring heals.  The price is a system call per
            ring until the woken consumer runs.
2026-11-21  Copies are LLVM's memcpy: a book of 50 levels is read in 24 ns instead of 115, because
            a loop over words that might overlap is not vectorised.
2026-11-21  PARK spins 50 us before it sleeps (``bell.WaitStrategy``).
2026-11-21  FIFOs are opened for both directions by both ends: nobody can hang up, so a dead
            consumer costs its producers neither a signal nor an error.
"""
