"""What shared memory showed, as rows: every counter that moved, memory, and what was timed."""

from collections.abc import Iterator
from typing import Final

from engine.runtime.context import Context
from exec.ledger.store import Row
from shm.counters import REGISTRY, CounterBlock
from shm.segment import Segment

KEPT_NS: Final = 86_400 * 1_000_000_000  # a day: some 100 rows each time


class Sampler:
    """Looks at all processes of a run."""

    def __init__(self, context: Context) -> None:
        words = Segment.attach(context.run, "counters").words
        self._clock, self._table = context.clock, context.control.processes
        names = [self._table[at].text("name")
                 for at in range(context.control.engine["process_count"])]
        self._blocks = {name: (at, CounterBlock(words, at)) for at, name in enumerate(names)
                        if name.partition(":")[0] in REGISTRY}
        self._before: dict[tuple[str, str], int] = {}

    def rows(self) -> list[Row]:
        """Return a row for each number that is not what the last sample showed."""
        unix_ns = self._clock.unix_ns()
        rows: list[Row] = []
        for name in self._blocks:
            for metric, value in self._numbers(name):
                if self._before.get((name, metric), 0) != value:
                    self._before[name, metric] = value
                    rows.append({"unix_ns": unix_ns, "process": name, "metric": metric,
                                 "value": value})
        return rows

    def _numbers(self, name: str) -> Iterator[tuple[str, int]]:
        at, block = self._blocks[name]
        row = self._table[at]
        yield from ((field, row[field]) for field in ("rss_bytes", "restarts"))
        counters, histograms = REGISTRY[name.partition(":")[0]]
        for counter in counters:
            yield counter.name.lower(), block.value(counter)
        for timed in histograms:
            histogram = block.histogram(timed)
            if histogram.count:
                word = timed.name.lower()
                yield f"{word}_count", histogram.count
                yield f"{word}_p50_ns", histogram.percentile_ns(50)
                yield f"{word}_p99_ns", histogram.percentile_ns(99)
                yield f"{word}_max_ns", histogram.max_ns
