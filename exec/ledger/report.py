"""``python -m exec.ledger.report show|verify|pnl FOLDER``: a ledger for people, or as JSON.

Reads while the ledger process writes.  Where none runs, what the journal has and the ledger has
not yet is written first: a run that was killed has its last moments there too.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from engine.model.errors import AlreadyRunning, EngineError, LedgerUnavailable
from engine.runtime.machine import boot_id
from exec.journal import reader
from exec.ledger import pnl, views
from exec.ledger.place import Place, noted
from exec.ledger.store import Database
from exec.ledger.verify import verify
from exec.ledger.writer import Ledger
from exec.text import amounts, cents, columns, when


def main(arguments: Sequence[str]) -> int:
    """Print; return 1 and one line of what is wrong where there is nothing whole to show."""
    parser = argparse.ArgumentParser(prog="trypto-engine ledger")
    parser.add_argument("task", choices=("show", "verify", "pnl"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--table", choices=views.VIEWS, default="trades")
    parser.add_argument("--by", choices=pnl.GROUPS, default="strategy")
    parser.add_argument("--limit", type=int, default=20)
    parser.add_argument("--since-ns", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    verb = "pnl" if options.task == "pnl" else "ledger"
    try:
        where = noted(options.folder)
        _catch_up(options.folder, where, verb)
        with closing(where.open_reader()) as database:
            sys.stdout.write(_said(options, database) + "\n")
    except EngineError as error:
        sys.stderr.write(f"trypto-engine {verb}: {error}\n")
        return 1
    except BrokenPipeError:  # whoever read our output has enough
        sys.stderr.close()
        return 1
    except OSError as error:
        sys.stderr.write(f"trypto-engine {verb}: {error}\n")
        return 1
    return 0


def _catch_up(folder: Path, where: Place, verb: str) -> None:
    """Write what is missing, unless a ledger process does; a refusal is told, not fatal."""
    journal = folder / "journal"
    if not reader.files_of(journal):
        raise LedgerUnavailable(f"{journal} holds no journal; right would be the folder of an"
                                " engine's books, or --name")
    try:
        with closing(where.open_store()) as store:
            Ledger(store).catch_up(reader.read(journal, boot=boot_id()))
    except AlreadyRunning:
        return
    except LedgerUnavailable as error:
        sys.stderr.write(f"trypto-engine {verb}: it may be behind its journal: {error}\n")


def _said(options: argparse.Namespace, database: Database) -> str:
    if options.task == "verify":
        return _verified(database, options.folder / "journal", json=options.json)
    if options.task == "pnl":
        answer = pnl.answer(database, options.by, options.since_ns)
        return _encoded(answer) if options.json else _pnl_text(answer)
    found = views.rows(database, options.table, since_ns=options.since_ns, limit=options.limit)
    if options.json:
        return _encoded(found)
    view = views.VIEWS[options.table]
    if not found:
        return f"no {options.table} in {database.where}"
    return columns(view.head, [view.cells(row) for row in found])


def _verified(database: Database, journal: Path, *, json: bool) -> str:
    proof = verify(database, reader.read(journal, boot=boot_id()))
    if json:
        return _encoded({"ledger": database.where, "journal": str(journal), **proof._asdict()})
    behind = f"; {proof.behind} newer records are on their way" if proof.behind else ""
    return (f"{database.where}: {proof.rows} rows follow from {proof.sequence} records of"
            f" {journal}, each exactly once{behind}\nchain {proof.chain}")


def _pnl_text(answer: pnl.Answer) -> str:
    head = (answer.by, "trades", "won", "lost", "rate", "expected", "realised", "volume", "fees",
            "slippage", "leg risk")
    whole = answer.total
    rows = [_pnl_cells(line) for line in (*answer.lines, whole)]
    lines = [f"{answer.ledger}, {answer.records} records, to {when(answer.unix_ns)}",
             "in USD, USDT and USDC as one, other assets at their newest prices; exact: --json", "",
             columns(head, rows)]
    if whole.open:
        lines.append(f"{whole.open} of them open, with no result yet")
    if answer.by == "venue":
        lines.append("a trade counts at each venue that filled a part of it; total counts it once")
    for kind, value in whole.valued_micro.items():
        if value is None:
            lines.append(f"{kind.replace('_', ' ')}, not all of it with a price:"
                         f" {amounts(getattr(whole, kind))}")
    equity = answer.equity
    holdings = [(each.asset, each.total, each.price or "-",
                 when(each.priced_ns) if each.priced_ns else "-", cents(each.value_micro))
                for each in equity.assets]
    lines += ["", columns(("asset", "held", "price", "priced", "value"), holdings)]
    told = f", unrealised {cents(equity.unrealised_micro)}" if equity.unrealised_micro else ""
    lines.append(f"equity {cents(equity.value_micro)}{told}")
    if equity.unpriced:
        lines.append(f"without a price, not counted: {', '.join(equity.unpriced)}")
    return "\n".join(lines)


def _pnl_cells(line: pnl.Line) -> list[str]:
    rate = "-" if line.win_rate is None else f"{line.win_rate:.0%}"
    volume, *costs = (line.valued_micro[kind] for kind in pnl.SUMS)
    return [line.name, str(line.trades), str(line.wins), str(line.losses), rate,
            cents(line.expected_micro), cents(line.realised_micro),
            cents(volume).partition(".")[0], *map(cents, costs)]


def _encoded(value: Any) -> str:
    return msgspec.json.encode(value).decode()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
