"""The only place that knows bytes: layouts, atomics, segments, books, rings, counters."""
