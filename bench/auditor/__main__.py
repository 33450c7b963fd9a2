"""``python -m bench.auditor JOURNAL_FOLDER``: audit a journal; exit status 1 on a violation."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.auditor.audit import audit, table
from bench.auditor.evidence import Evidence, ledger_of, truth_of
from bench.auditor.journal import Damaged, entries_of


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 when every invariant that can be judged holds, 1 if not, 2 for no journal."""
    parser = argparse.ArgumentParser(prog="python -m bench.auditor", description=__doc__)
    parser.add_argument("journal", type=Path, metavar="JOURNAL_FOLDER")
    parser.add_argument("--truth", type=Path, metavar="FILE.json",
                        help="the venues' own accounts: {venue: GET /sim/ledger/VENUE/ACCOUNT}")
    parser.add_argument("--ledger", type=Path, metavar="FILE", help="the SQLite database")
    parser.add_argument("--running", action="store_true",
                        help="the engine still trades: nothing needs to be settled")
    options = parser.parse_args(arguments)
    try:
        evidence = Evidence(
            venues=truth_of(options.truth) if options.truth else None,
            ledger=ledger_of(options.ledger) if options.ledger else None,
            settled=not options.running)
        result = audit(entries_of(options.journal), evidence)
    except (Damaged, OSError, msgspec.MsgspecError) as error:
        print(f"cannot be audited: {error}")
        return 2
    print(table(result))
    return 0 if result.passed else 1


if __name__ == "__main__":
    sys.exit(main())
