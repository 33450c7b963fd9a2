"""The detector: wakes on changed books, scans only what they can affect, emits signals.

plan.py     what the kernels know: one bundle of arrays, its columns named
kernels.py  updates to touches to windows; a window that may be acted on becomes a signal
emit.py     the signal record, and when each hop of it happened
cross.py    the detector as an object: scan one event, sweep everything, watch
process.py  its process: wait, scan, tell execution by both lanes, beat

No signal is made from a book that is not LIVE, is not of its feed's epoch, whose feed shows no
life for ``silence-max-ms``, or that was received ``book-age-ms-max`` ago; of a fresh quote over a
book that stands still only the quote's own size counts.  The limits on money are per quote
currency.  A cross better than ``edge-max-ppm`` is bad data.

2026-11-21  A signal expires counted from when its books were looked at, not from when its record
            was made: a detector that was not let run in between makes expired signals.
2026-11-21  The update rings are drained on arrays at hand: with a plan for each ring a turn over
            twelve feeds took 7 us instead of 2.5 (``bench.scan``).
"""
