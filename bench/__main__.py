"""``make bench``: every benchmark after the other, each alone in a process of its own.

    python -m bench [NAME...] [--json FILE] [--smoke] [--list]

Prints the machine once, one table of all rows with the project's targets beside, and the facts
that are no durations.  Exit status 1 when a benchmark failed; a missed target is told, not fatal,
since it may be the machine's fault.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from bench.harness import ROWS_FILE, Row, machine
from engine.runtime import spawn

COLUMNS: Final = ("mean", "p50", "p99", "p99.9", "max")
NAME_WIDTH: Final = 46
LAST_WORDS: Final = 12  # lines of a failed benchmark that are shown


class Bench(NamedTuple):
    """One benchmark: a module with a ``main``, and how the suite calls it."""

    module: str
    meaning: str
    arguments: Sequence[str] = ()  # of the suite; a smoke run uses none
    in_suite: bool = True


BENCHES: Final = {
    "book": Bench("bench.book", "a frame decoded, parsed, applied and published"),
    "scan": Bench("bench.scan", "one symbol scanned over 12 venues; a depth walk"),
    "handover": Bench("bench.handover", "published here, seen by another process"),
    "torn_reads": Bench("bench.torn_reads", "a hunt for torn reads", ("--seconds", "5")),
    "wire": Bench("bench.wire", "a frame from picows to a signal, one process per stage"),
    "orders": Bench("bench.orders", "from a signal to its orders' bytes; gate, kill, journal"),
    "order_rate": Bench("bench.order_rate", "orders a second through one simulated venue",
                        in_suite=False),
    "sim_load": Bench("bench.sim_load", "the simulated venues at 20,000 book messages a second",
                      in_suite=False),
    "sim_share": Bench("bench.sim_share", "what the simulator costs the default engine",
                       in_suite=False),
    "live_windows": Bench("bench.live_windows", "windows of a recording that the engine sees",
                          in_suite=False),
    "soak": Bench("bench.soak", "memory over an hour of recorded traffic", in_suite=False),
    "trading_truth": Bench("bench.trading_truth", "the books while a client of ours trades",
                           in_suite=False),
    "kill_campaign": Bench("bench.kill_campaign", "200 times kill -9", in_suite=False),
}


class Run(msgspec.Struct):
    """What one benchmark did."""

    name: str
    seconds: float
    exit_code: int
    rows: list[Row]


class Report(msgspec.Struct):
    """What ``--json`` writes."""

    machine: str
    started: str  # UTC
    load: tuple[float, float, float]  # of 1, 5 and 15 minutes, before the first benchmark
    runs: list[Run]


def run_one(name: str, *, smoke: bool) -> Run:
    """Run one benchmark; show its last words when it fails."""
    bench = BENCHES[name]
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows"
        environment = os.environ | {"PYTHONPATH": spawn.ROOT, ROWS_FILE: str(rows)}
        if smoke:
            environment["TRYPTO_BENCH"] = "smoke"
        since = time.monotonic()
        done = subprocess.run(  # noqa: S603  (our own interpreter and module)
            spawn.command(bench.module, *(() if smoke else bench.arguments)), env=environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False)
        seconds = time.monotonic() - since
        lines = rows.read_bytes().splitlines() if rows.exists() else []
    if done.returncode:
        print(f"{name} ended with exit status {done.returncode}:")
        print("\n".join(f"  {line}" for line in done.stdout.splitlines()[-LAST_WORDS:]))
    return Run(name, round(seconds, 1), done.returncode,
               [msgspec.json.decode(line, type=Row) for line in lines])


def table(runs: Iterable[Run]) -> str:
    """Return all distributions in one table, then all other facts; times in µs."""
    head = f"{'µs':<{NAME_WIDTH}}{'n':>10}" + "".join(f"{name:>11}" for name in COLUMNS)
    lines, facts = [f"{head}  target"], []
    for run in runs:
        for row in run.rows:
            promise = f"{row.target}: {'met' if row.met else 'MISSED'}" if row.target else ""
            told = "  ".join(f"{key}={value}" for key, value in row.facts.items())
            if not row.us:
                facts.append(f"{row.name:<{NAME_WIDTH}}  {told}  {promise}".rstrip())
                continue
            figures = "".join(f"{row.us[name]:>11.3f}" for name in COLUMNS)
            lines.append(f"{_label(row):<{NAME_WIDTH}}{row.n:>10}{figures}  {promise}".rstrip())
    return "\n".join([*lines, "", *facts] if facts else lines)


def _label(row: Row) -> str:
    """Return a row's name with what tells it from others of that name."""
    gap = row.facts.get("gap_us")
    return f"{row.name}, every {gap} µs" if gap else row.name


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; return 1 when a benchmark failed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which (default: the suite)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every row there, too")
    parser.add_argument("--smoke", action="store_true", help="everything small: does it run?")
    parser.add_argument("--list", action="store_true", help="say what there is")
    wanted = parser.parse_args(arguments)
    if wanted.list:
        for name, bench in BENCHES.items():
            print(f"{name:<14} {bench.meaning}{'' if bench.in_suite else ' (by name only)'}")
        return 0
    if unknown := [name for name in wanted.names if name not in BENCHES]:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    names = wanted.names or [name for name, bench in BENCHES.items() if bench.in_suite]
    told = Report(machine(), f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", os.getloadavg(), [])
    print(f"{told.machine}\nload average before: {' '.join(f'{load:.2f}' for load in told.load)}")
    for name in names:
        run = run_one(name, smoke=wanted.smoke)
        told.runs.append(run)
        print(f"{name} took {run.seconds:g} s", flush=True)
    print(f"\n{table(told.runs)}")
    if wanted.json:
        wanted.json.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=1))
    rows = [row for run in told.runs for row in run.rows if row.target]
    print(f"\n{sum(row.met for row in rows)} of {len(rows)} targets met")
    return 1 if any(run.exit_code for run in told.runs) else 0


if __name__ == "__main__":
    sys.exit(main())
