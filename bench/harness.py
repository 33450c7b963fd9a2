"""What every benchmark shares: sizes that shrink under test, percentiles, one line of report.

No latency travels without its machine and its sample count.  A benchmark prints its lines for
people; the suite (``python -m bench``) reads the same rows from the file that ROWS_FILE names.
"""

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

PERCENTS: Final = (50.0, 99.0, 99.9)
ROWS_FILE: Final = "TRYPTO_BENCH_ROWS"  # one Row as JSON is appended per line printed


class Target(NamedTuple):
    """What the project promises of a row."""

    statistic: str  # "mean", "p50", ...
    at_most_us: float


class Row(msgspec.Struct, frozen=True):
    """One line of a benchmark: a distribution, or facts alone."""

    name: str
    n: int = 0
    us: dict[str, float] = {}  # mean, p50, p99, p99.9, max; empty without a distribution
    facts: dict[str, str] = {}
    target: str = ""  # the promise in words; empty: none
    met: bool = True


def parameter(name: str, smoke: int, full: int) -> int:
    """Return ``smoke`` when TRYPTO_BENCH=smoke, so that tests run every benchmark, else ``full``.

    TRYPTO_BENCH_<NAME>=<number> overrides both.
    """
    chosen = smoke if os.environ.get("TRYPTO_BENCH") == "smoke" else full
    return int(os.environ.get(f"TRYPTO_BENCH_{name.upper()}", chosen))


def machine() -> str:
    """Describe where this runs: processor, cores, kernel, Python, NumPy, Numba."""
    model = platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return (
        f"{model}, {len(os.sched_getaffinity(0))} cores, Linux {platform.release()}, "
        f"Python {platform.python_version()}, NumPy {version('numpy')}, Numba {version('numba')}"
    )


def percentiles(ns: ArrayLike) -> dict[str, float]:
    """Return mean, p50, p99, p99.9 and max of durations in ns."""
    sample: NDArray[np.float64] = np.asarray(ns, np.float64)
    if not sample.size:
        raise ValueError("no sample was taken")
    found = np.percentile(sample, PERCENTS, method="higher")
    named = {f"p{percent:g}": float(value) for percent, value in zip(PERCENTS, found, strict=True)}
    return {"mean": float(sample.mean()), **named, "max": float(sample.max())}


def report(name: str, ns: ArrayLike, *, target: Target | None = None, **facts: object) -> None:
    """Print one aligned line: name, sample count, percentiles in µs, the facts, the target."""
    sample = np.asarray(ns)
    us = {key: value / 1e3 for key, value in percentiles(sample).items()}
    row = Row(
        name, sample.size, us, _words(facts),
        target=f"{target.statistic} <= {target.at_most_us:g}" if target else "",
        met=target is None or us[target.statistic] <= target.at_most_us)
    columns = "  ".join(f"{key} {value:9.3f}" for key, value in us.items())
    _say(row, f"{name:<36} n={row.n:<9} µs: {columns}")


def tell(name: str, *, target: str = "", met: bool = True, **facts: object) -> None:
    """Print one line of facts, and whether they keep the promise that ``target`` words."""
    row = Row(name, facts=_words(facts), target=target, met=met)
    _say(row, f"{name:<36}")


def _words(facts: dict[str, object]) -> dict[str, str]:
    return {key: str(value) for key, value in facts.items()}


def _say(row: Row, line: str) -> None:
    told = "  ".join(f"{key}={value}" for key, value in row.facts.items())
    promise = f"[{row.target}: {'met' if row.met else 'MISSED'}]" if row.target else ""
    print("  ".join(filter(None, (line, told, promise))).rstrip(), flush=True)
    if path := os.environ.get(ROWS_FILE):
        with Path(path).open("ab") as file:
            file.write(msgspec.json.encode(row) + b"\n")
