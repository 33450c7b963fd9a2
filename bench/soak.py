"""Memory, descriptors and threads of every process while an hour of recorded traffic goes by.

    sim ──recordings in a loop, at --speed──▶ feeds ──▶ detector ──▶ exec        sampled from /proc

Fees are 0 and the threshold 1 bp, so that signals flow, too, and at each start of the recordings
every connection is cut and every book comes anew.  The time axis is recorded traffic, counted in
frames: where the box is slower than --speed, it simply takes longer.  Memory is what a process
has for itself: shared segments grow the resident size of all who map them and belong to none.
Flat means: after a warm-up, the line fitted through the samples climbs by no more than a limit.
Where the recordings are not at hand, the synthetic market is soaked with as many frames.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.engine import Started
from bench.harness import machine, parameter, tell
from bench.live_windows import CAPTURES, length_s
from feeds.recorded.capture import Capture
from shm.counters import FeedCounter
from shm.system import private_bytes

MIB: Final = 1 << 20
WARM: Final = 1 / 3  # of the run: caches fill, the allocator finds its size
CLIMB_MIB_MAX: Final = 1.0  # per hour of traffic
SAMPLES_MIN: Final = 8
FRAMES_PER_S: Final = 705.0  # of the recordings of 2024-08-08: what a second of traffic means
LIMITS: Final = """
[detector]
edge-min-ppm = 100
edge-max-ppm = 1000000
notional-max.USDT = 25000.0
notional-min.USDT = 10.0
book-age-ms-max = 2000.0
[execution]
edge-min-ppm = 100
"""
RECORDED: Final = '[venues.binance]\nsymbols = ["BTC/USDT"]\n' + LIMITS
SYNTHETIC: Final = """
[venues.binance]
symbols = ["BTC/USDT", "ETH/USDT"]
taker-fee-ppm = 0
[venues.kraken]
symbols = ["BTC/USDT", "ETH/USDT"]
taker-fee-ppm = 0
[sim]
messages-per-s = 1000.0
""" + LIMITS


class Sample(NamedTuple):
    """One process at one moment."""

    traffic_s: float
    pid: int
    private: int  # bytes
    resident: int  # bytes
    descriptors: int
    threads: int


def sample(pid: int, traffic_s: float) -> Sample:
    """Look at one process."""
    entry = Path(f"/proc/{pid}")
    resident = int((entry / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return Sample(traffic_s, pid, private_bytes(pid), resident,
                  sum(1 for _ in (entry / "fd").iterdir()),
                  sum(1 for _ in (entry / "task").iterdir()))


def soak(
    config: str, options: Sequence[str], frames_per_s: float, traffic_s: float, every_s: float
) -> dict[str, list[Sample]]:
    """Run an engine until so much traffic has gone by; return the samples of each process."""
    found: dict[str, list[Sample]] = {}
    with Started(config, *options) as engine:
        engine.until("the engine running", engine.is_running)
        feeds = [engine.view.block(f"feed:{venue}") for venue in engine.view.venues]

        def passed_s() -> float:
            return sum(feed.value(FeedCounter.FRAMES) for feed in feeds) / frames_per_s

        engine.until("a first frame", lambda: passed_s() > 0)
        now_s = 0.0
        while now_s < traffic_s:
            now_s = passed_s()
            for process in engine.view.processes:
                found.setdefault(process.name, []).append(sample(process.pid, now_s))
            due = time.monotonic() + every_s
            engine.until("the next sample", lambda due=due: time.monotonic() >= due)  # type: ignore[misc]
    return found


def climb_mib(samples: Sequence[Sample]) -> float:
    """Return by how much private memory climbs per hour of traffic, once warm."""
    warm_s = samples[0].traffic_s + WARM * (samples[-1].traffic_s - samples[0].traffic_s)
    warm = [it for it in samples if it.traffic_s >= warm_s]
    hours: NDArray[np.float64] = np.array([it.traffic_s for it in warm]) / 3600
    mib: NDArray[np.float64] = np.array([it.private for it in warm]) / MIB
    return float(np.polyfit(hours, mib, 1)[0])


def _quarters(samples: Sequence[Sample]) -> list[int]:
    """Return the positions of the first, the last and three samples between."""
    return [quarter * (len(samples) - 1) // 4 for quarter in range(5)]


def judge(name: str, samples: Sequence[Sample]) -> bool:
    """Print the row of one process; return whether it is flat."""
    first, last, climb = samples[0], samples[-1], climb_mib(samples)
    half = len(samples) // 2
    descriptors, threads = (
        (max(getattr(it, field) for it in samples[:half]),
         max(getattr(it, field) for it in samples[half:])) for field in ("descriptors", "threads"))
    restarts = len({it.pid for it in samples}) - 1
    flat = (climb <= CLIMB_MIB_MAX and descriptors[1] <= descriptors[0]
            and threads[1] <= threads[0] and not restarts)
    tell(f"soak {name}", target=f"climbs <= {CLIMB_MIB_MAX:g} MiB/h", met=flat,
         private_mib="->".join(f"{samples[at].private / MIB:.1f}" for at in _quarters(samples)),
         climb_mib_per_h=f"{climb:+.2f}",
         resident_mib=f"{first.resident / MIB:.1f}->{last.resident / MIB:.1f}",
         descriptors_max=f"{descriptors[0]}->{descriptors[1]}",
         threads_max=f"{threads[0]}->{threads[1]}", restarts=restarts)
    return flat


def main(argv: Sequence[str] | None = None) -> int:
    """Soak; return 1 when a process is not flat."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--capture", nargs="+", metavar="FILE", default=list(CAPTURES))
    parser.add_argument("--seconds", type=float, default=parameter("seconds", 20, 3600),
                        help="of recorded traffic (default: an hour)")
    parser.add_argument("--speed", type=float, default=20.0, help="times as fast as recorded")
    wanted = parser.parse_args(argv)
    print(machine())
    is_recorded = all(Path(file).is_file() for file in wanted.capture)
    if is_recorded:
        frames = sum(line.ch == "ws" and line.dir == "in"
                     for file in wanted.capture for line in Capture(file).lines())
        frames_per_s = frames / length_s(wanted.capture)
        config, options = RECORDED, ["--capture", *wanted.capture, "--speed", str(wanted.speed),
                                     "--fee-ppm", "0", "--edge-ppm", "100"]
    else:
        frames_per_s, config, options = FRAMES_PER_S, SYNTHETIC, []
    every_s = min(2.0, wanted.seconds / wanted.speed / SAMPLES_MIN)
    since = time.monotonic()
    found = soak(config, options, frames_per_s, wanted.seconds, every_s)
    took_s = time.monotonic() - since
    passed_s = max(samples[-1].traffic_s for samples in found.values())
    tell("soak", traffic="recorded" if is_recorded else "synthetic",
         traffic_minutes=f"{passed_s / 60:.1f}", wall_minutes=f"{took_s / 60:.1f}",
         frames=f"{passed_s * frames_per_s:,.0f}", samples=len(next(iter(found.values()))))
    flat = [judge(name, samples) for name, samples in found.items()]
    return 0 if all(flat) else 1


if __name__ == "__main__":
    sys.exit(main())
