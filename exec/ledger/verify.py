"""The proof that a ledger follows from its journal: its rows are made anew and compared.

The chain shows that both speak of the same records; the comparison finds every row that was
changed, added, lost or doubled since, whoever did it.
"""

from collections.abc import Iterable
from typing import NamedTuple

from engine.model.errors import LedgerInvalid
from exec.journal.file import Record
from exec.ledger.schema import TABLES
from exec.ledger.sqlite import SqliteDatabase, check
from exec.ledger.store import Database, Rows, rows_of
from exec.ledger.writer import Reading


class Proof(NamedTuple):
    """What was compared and found equal."""

    sequence: int  # of the newest record in the ledger
    behind: int  # records of the journal that are not in it yet
    rows: int
    chain: str


def verify(database: Database, records: Iterable[Record]) -> Proof:
    """Compare a ledger with a whole journal; raise LedgerInvalid, naming the first difference."""
    where = database.where
    if isinstance(database, SqliteDatabase):
        check(database)
    kept = rows_of(database)
    position = kept["position"].get((1,))
    if position is None:
        raise LedgerInvalid(f"{where}: it does not say how far it goes")
    sequence, reading, behind = position["sequence"], Reading(), 0
    assert isinstance(sequence, int)
    for record in records:
        if record.sequence <= sequence:
            reading.take(record)
        else:
            behind += 1
    made = (reading.at.sequence, reading.at.unix_ns, reading.at.chain)
    if made != (sequence, position["unix_ns"], position["chain"]):
        raise LedgerInvalid(f"{where}: its chain at record {sequence} is not the journal's")
    count = 0
    for table, expected in _expected(reading).items():
        _compare(where, table, expected, kept[table])
        count += len(expected)
    return Proof(sequence, behind, count, reading.at.chain)


def _expected(reading: Reading) -> dict[str, Rows]:
    expected: dict[str, Rows] = {table: {} for table in TABLES}
    for table, row in [*reading.fold.appended, *reading.fold.rows()]:
        expected[table][tuple(row[name] for name in TABLES[table].key)] = dict(row)
    return expected


def _compare(where: str, table: str, expected: Rows, kept: Rows) -> None:
    for key in kept.keys() - expected.keys():
        raise LedgerInvalid(f"{where}: {table} has a row {key} that no record made")
    for key, row in expected.items():
        found = kept.get(key)
        if found is None:
            raise LedgerInvalid(f"{where}: {table} lacks the row {key}")
        for name, value in row.items():
            if found[name] != value:
                raise LedgerInvalid(
                    f"{where}: {table} {key}: {name} is {found[name]!r}, the journal makes it"
                    f" {value!r}")
