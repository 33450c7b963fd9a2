"""``journal dump|verify [FOLDER]``: what execution wrote before it acted, record by record."""

import argparse
from pathlib import Path

from ops import books


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = "example: trypto-engine journal dump --first 100 --limit 20"
    tasks = parser.add_subparsers(dest="task", required=True)
    dump = tasks.add_parser("dump", help="print every record")
    dump.add_argument("--first", type=books.count, default=1, metavar="N",
                      help="from this record on (1)")
    dump.add_argument("--limit", type=books.count, metavar="N", help="so many records at most")
    verify = tasks.add_parser("verify", help="prove that no record is damaged or missing")
    for task, prints in ((dump, "one JSON object in each line"), (verify, "one JSON object")):
        task.add_argument("place", nargs="?", type=Path, metavar="FOLDER",
                          help="a journal's folder, or that of the books around it")
        task.add_argument("--name", help=books.NAME_HELP)
        task.add_argument("--json", action="store_true", help=f"print {prints}")


def run(options: argparse.Namespace) -> int:
    """Print; return 0, or 1 where the journal is damaged or there is none."""
    folder = books.folder_of(options.name, options.place) / "journal"
    words = ["--json"] * options.json
    if options.task == "dump":
        words += ["--first", str(options.first)]
        words += ["--limit", str(options.limit)] if options.limit else []
    return books.hand_over("exec.journal.report", options.task, str(folder), *words)
