"""After minutes of live trading: journal, ledger, shared memory and the venues' truth, compared.

    start's own config ─▶ engine trades live on the simulated venues ─▶ pause ─▶ nothing in flight
    journal, SQL ledger, portfolio segment, venues' accounts ─▶ bench.auditor: to the last unit

``python -m bench.agreement --minutes 10``; exit status 1 where anything differs.
"""

import argparse
import sys
import time
import urllib.request
from collections.abc import Sequence
from typing import Final

import msgspec

from bench.auditor.audit import Audit, audit, table
from bench.auditor.evidence import Evidence, VenueAccount, ledger_of
from bench.auditor.journal import entries_of
from bench.engine import NotReached, Started
from bench.fault_campaign.shown import shown
from bench.harness import machine
from engine.config.shipped import shipped
from engine.control.protocol import Pause
from engine.runtime import books_folder
from engine.runtime.books_folder import BooksFolder
from engine.runtime.served import served
from ops import client

ACCOUNT: Final = "main"
QUIET_S: Final = 3.0  # the latest of late fills, and a turn of ledger and portfolio
SETTLE_S: Final = 120.0
ANSWER_S: Final = 5.0


def config() -> str:
    """Return start's own config without its name."""
    lines = shipped("demo.toml").read_text().splitlines()
    return "\n".join(line for line in lines if not line.startswith("name ="))


def truth(engine: Started, venues: Sequence[str]) -> dict[str, VenueAccount]:
    """Ask every simulated venue for the account as it knows it."""
    found = {}
    for venue in venues:
        at = served(engine.run.path, venue)
        assert at is not None, venue
        url = f"{at.rest.rstrip('/')}/sim/ledger/{venue}/{ACCOUNT}"
        with urllib.request.urlopen(url, timeout=ANSWER_S) as answer:  # noqa: S310  (loopback)
            found[venue] = msgspec.json.decode(answer.read(), type=VenueAccount)
    return found


def settled(engine: Started) -> bool:
    """Return whether nothing is in flight and everybody has told of it."""
    held = engine.view.portfolio()
    return held is not None and not held.live_count and not held.open_plans


def compare(engine: Started, books: BooksFolder, venues: Sequence[str]) -> Audit:
    """Compare the four once the ledger has caught up with the journal."""
    newest = 0
    for entry in entries_of(books.journal):
        newest = entry.sequence
    engine.until("the ledger", lambda: bool(
        (rows := ledger_of(books.ledger)["position"]) and rows[0]["sequence"] >= newest),
        patience_s=SETTLE_S)
    return audit(entries_of(books.journal), Evidence(
        venues=truth(engine, venues), ledger=ledger_of(books.ledger),
        portfolio=shown(engine.run)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Trade, stop, compare; return 0 when all four agree."""
    parser = argparse.ArgumentParser(prog="python -m bench.agreement", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    options = parser.parse_args(arguments)
    print(machine())
    with Started(config()) as engine:
        try:
            engine.until("running", engine.is_running)
            time.sleep(options.minutes * 60)
            client.ask(engine.run, Pause())
            engine.until("nothing in flight", lambda: settled(engine), patience_s=SETTLE_S)
            time.sleep(QUIET_S)
            books = books_folder.of_run(engine.run)
            assert books is not None
            held = engine.view.portfolio()
            assert held is not None
            result = compare(engine, books, engine.view.venues)
        except NotReached as error:
            print(error, file=sys.stderr)
            return 1
    print(f"{options.minutes:g} minutes: {held.plan_count} plans, {held.order_count} orders,"
          f" {held.fill_count} fills, profit {held.profit:.2f},"
          f" trading {held.trading_state.name.lower()}")
    print(table(result))
    return 0 if result.passed else 1


if __name__ == "__main__":
    sys.exit(main())
