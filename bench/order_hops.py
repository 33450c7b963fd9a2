"""Where the time goes between a signal and its first order's bytes: one row per hop.

Parts of a live core, its gateways and its journal are wrapped by stopwatches; a hop's time is its
own, without that of the hops inside it.  A stopwatch costs some 0.2 µs each, which no row leaves
out: the rows explain the whole, which ``bench.orders`` measures without them.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any, Final

import numpy as np

from bench.harness import tell

LOWEST: Final = 5.0  # percent of the signals: what the code costs when nobody disturbs it


class Hops:
    """Stopwatches that know of each other."""

    def __init__(self) -> None:
        self._rows: dict[str, list[int]] = defaultdict(list)
        self._now: dict[str, int] = defaultdict(int)
        self._inside = [0]  # ns of the hops inside each one that is under way
        self.is_on = False

    def watch(
        self, owner: object, path: str, name: str | Callable[..., str]
    ) -> None:
        """Time a method of an object or of its parts; ``name`` may be told by its arguments."""
        parts, _, method = path.rpartition(".")
        if parts:
            owner = attrgetter(parts)(owner)
        timed = getattr(owner, method)

        def stopwatch(*arguments: Any, **named: Any) -> Any:
            if not self.is_on:
                return timed(*arguments, **named)
            self._inside.append(0)
            start = time.monotonic_ns()
            try:
                return timed(*arguments, **named)
            finally:
                took = time.monotonic_ns() - start
                self._now[name if isinstance(name, str) else name(*arguments)] += (
                    took - self._inside.pop())
                self._inside[-1] += took

        setattr(owner, method, stopwatch)

    def end(self) -> None:
        """Take what was timed since the last end as one signal's."""
        for name, ns in self._now.items():
            self._rows[name].append(ns)
        self._now.clear()
        self._inside = [0]

    def tell(self, head: str) -> None:
        """Print a row per hop, the longest first."""
        rows = sorted(self._rows.items(), key=lambda each: -float(np.median(each[1])))
        for name, ns in rows:
            low, middle, high = np.percentile(ns, (LOWEST, 50.0, 99.0)) / 1e3
            tell(f"{head}: {name}", n=len(ns), low_us=f"{low:.2f}", p50_us=f"{middle:.2f}",
                 p99_us=f"{high:.2f}")


def watch_all(hops: Hops, core: object, log: object, gateways: Iterable[object]) -> None:
    """Put a stopwatch on every hop of a core."""
    hops.watch(core, "on_signal", "all else")
    hops.watch(core, "_desk.propose", "orders valued")
    hops.watch(core, "_desk.situation", "situation gathered")
    hops.watch(core, "_gate.judge", "judged")
    hops.watch(core, "sender._hand_over", "handed over: looked at once more")
    hops.watch(log, "append", lambda record: f"record {type(record).__name__}")
    for each in gateways:
        hops.watch(each, "place", "gateway")
        hops.watch(each, "_codec._real.place", "written and signed")
        hops.watch(each, "_traffic.leave", "door")
        for channel in vars(each)["_channels"].values():
            hops.watch(channel, "send", "socket")
