"""``replay FILE... [--json] [--depth N]``: recorded frames through the feeds' own code.

The work is done by ``python -m feeds.recorded.report``, since a verb imports no worker.
"""

import argparse
import subprocess

from engine.runtime import spawn
from ops.client import add_example

REPORT_MODULE = "feeds.recorded.report"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("files", nargs="+", metavar="FILE",
                        help="captures, such as binance.spot.20240808.jsonl.gz")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--depth", default="50", metavar="N",
                        help="levels per side to print (default 50)")
    add_example(parser, "replay kraken.spot.20260802v2.jsonl.gz --depth 2")


def run(options: argparse.Namespace) -> int:
    """Print what the replay found; return 2 for files or numbers that cannot be used."""
    line = spawn.command(REPORT_MODULE, "--depth", options.depth, *(["--json"] * options.json),
                         "--", *options.files)
    done = subprocess.run(  # noqa: S603  (our own interpreter and module)
        line, stdin=subprocess.DEVNULL, env=spawn.environment(), check=False)
    return done.returncode
