"""``pnl [--by GROUP]``: what trading made: realised against expected, fees, slippage, equity."""

import argparse

from ops import books


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = "example: trypto-engine pnl --by venue --since 1d"
    parser.add_argument("--by", choices=("strategy", "venue", "symbol", "day"), default="strategy",
                        help="one line for each (default: strategy)")
    parser.add_argument("--since", type=books.since_ns, default=0, metavar="T",
                        help="trades planned since then: 10m, 2h, 1d, or a time in UTC")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    books.add_place(parser)


def run(options: argparse.Namespace) -> int:
    """Print; return 0, or 1 where there is no ledger to read."""
    folder = str(books.folder_of(options.name, options.folder))
    return books.hand_over("exec.ledger.report", "pnl", folder, "--by", options.by,
                           "--since-ns", str(options.since), *["--json"] * options.json)
