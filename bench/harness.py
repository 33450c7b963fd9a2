"""What every benchmark shares: sizes that shrink under test, percentiles, one line of report.

No latency travels without its machine and its sample count.
"""

import os
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

PERCENTS = (50.0, 99.0, 99.9)


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


def report(name: str, ns: ArrayLike, **facts: object) -> None:
    """Print one aligned line: name, sample count, percentiles in µs, then the facts."""
    sample = np.asarray(ns)
    columns = [f"{key} {value / 1e3:9.3f}" for key, value in percentiles(sample).items()]
    told = "  ".join(f"{key}={value}" for key, value in facts.items())
    print(f"{name:<32} n={sample.size:<9} µs: {'  '.join(columns)}  {told}".rstrip(), flush=True)
