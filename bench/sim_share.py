"""What the simulator costs the default engine: every process's share of a core, as users start it.

    trypto-engine start, configs/demo.toml ──▶ /proc/<pid>/stat of each process, twice

The simulator is no bottleneck while it leaves most of a core to others and keeps its rate: the
shares stand beside the messages that the feeds received in the same time.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.engine import Started
from bench.harness import machine, parameter, tell
from shm.counters import FeedCounter

CONFIG: Final = Path(__file__).resolve().parent.parent / "configs" / "demo.toml"
SHARE_MAX: Final = 0.25  # of one core
CLOCK_TICKS: Final = os.sysconf("SC_CLK_TCK")


def used_s(pid: int) -> float:
    """Return the processor time that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def main(argv: Sequence[str] | None = None) -> int:
    """Run the default engine for a while; return 1 when the simulator takes too much."""
    parser = argparse.ArgumentParser(prog="python -m bench.sim_share", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=parameter("seconds", 3, 20))
    wanted = parser.parse_args(argv)
    print(machine())
    lines = CONFIG.read_text().splitlines(keepends=True)
    config = "".join(line for line in lines if not line.startswith("name ="))
    with Started(config) as engine:
        engine.until("the engine running", engine.is_running)
        feeds = [engine.view.block(f"feed:{venue}") for venue in engine.view.venues]
        pids = {process.name: process.pid for process in engine.view.processes}
        before = {name: used_s(pid) for name, pid in pids.items()}
        frames = sum(feed.value(FeedCounter.FRAMES) for feed in feeds)
        since = time.monotonic()
        due = since + wanted.seconds
        engine.until("the end", lambda: time.monotonic() >= due)
        passed_s = time.monotonic() - since
        shares = {name: (used_s(pid) - before[name]) / passed_s for name, pid in pids.items()}
        frames = sum(feed.value(FeedCounter.FRAMES) for feed in feeds) - frames
    met = shares["sim"] <= SHARE_MAX
    tell("sim share", target=f"sim <= {SHARE_MAX:.0%} of a core", met=met,
         **{name.replace(":", "_"): f"{share:.1%}" for name, share in shares.items()},
         all=f"{sum(shares.values()):.1%}", frames_per_s=f"{frames / passed_s:,.0f}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
