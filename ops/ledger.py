"""``ledger [TABLE|verify]``: opportunities, orders, fills, trades and the rest, as SQL has them."""

import argparse
from typing import Final

from ops import books

TABLES: Final = ("opportunities", "orders", "fills", "trades", "positions", "balances", "audit",
                 "metrics")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = "example: trypto-engine ledger opportunities --since 10m --limit 50"
    parser.add_argument(
        "what", nargs="?", default="trades", choices=(*TABLES, "verify"), metavar="WHAT",
        help=f"{', '.join(TABLES)} (default: trades; opportunities also shows what was refused,"
             " and why), or verify: prove that every row follows from the journal")
    parser.add_argument("--limit", type=books.count, metavar="N",
                        help="the newest N rows (20; of metrics, positions, balances all)")
    parser.add_argument("--since", type=books.since_ns, default=0, metavar="T",
                        help="rows since then: 10m, 2h, 1d, or a time in UTC")
    parser.add_argument("--json", action="store_true", help="print one JSON array of whole rows")
    books.add_place(parser)


def run(options: argparse.Namespace) -> int:
    """Print; return 0, or 1 where the ledger does not follow from its journal or is not there."""
    folder = str(books.folder_of(options.name, options.folder))
    words = ["--json"] * options.json
    if options.what == "verify":
        return books.hand_over("exec.ledger.report", "verify", folder, *words)
    few = options.what in ("metrics", "positions", "balances")
    limit = options.limit or (10**9 if few else 20)
    return books.hand_over(
        "exec.ledger.report", "show", folder, "--table", options.what, "--limit", str(limit),
        "--since-ns", str(options.since), *words)
