"""From the journal into the ledger: every record once, whatever kills the writer.

At its start the writer reads the journal from the first record on: up to the stored position that
makes only its memory, and proves by the hash chain that the ledger came from this journal; what
follows becomes rows.
"""

import hashlib
import struct
from collections.abc import Iterable
from typing import Final

import msgspec

from engine.model.errors import LedgerInvalid, LedgerUnavailable
from exec import records as r
from exec.journal.file import Record
from exec.ledger.fold import Fold
from exec.ledger.store import Position, Store

BATCH: Final = 1_000  # rows in one transaction
WAITING_MAX: Final = 100_000  # rows that may wait for a disk that refuses
_HEAD: Final = struct.Struct("<QQH")


def chained(chain: str, record: Record) -> str:
    """Return the hash of a record and all before it."""
    head = _HEAD.pack(record.sequence, record.unix_ns, record.kind)
    return hashlib.sha256(chain.encode() + head + record.payload).hexdigest()


class Reading:
    """Follows a journal from its first record, and knows where it is."""

    def __init__(self) -> None:
        self.fold, self.at = Fold(), Position(0, 0, "")

    def take(self, record: Record) -> None:
        """Take the next record; raise LedgerInvalid for a gap, or what none of ours can be."""
        if record.sequence != self.at.sequence + 1:
            raise LedgerInvalid(
                f"record {record.sequence} follows {self.at.sequence}: the journal's first files"
                " are missing; restore them")
        try:
            decoded = r.decode(record.payload)
        except msgspec.DecodeError as error:
            raise LedgerInvalid(f"record {record.sequence}: {error}") from error
        try:
            self.fold.take(record.sequence, record.unix_ns, decoded)
        except (LookupError, ValueError, AssertionError) as error:
            raise LedgerInvalid(f"record {record.sequence}, {type(decoded).__name__}: it cannot"
                                f" follow those before it: {error!r}") from error
        self.at = Position(record.sequence, record.unix_ns, chained(self.at.chain, record))


class Ledger:
    """The one writer of a ledger."""

    def __init__(self, store: Store) -> None:
        self._store, self._reading = store, Reading()
        self._stored = store.position()

    @property
    def position(self) -> int:
        """Return up to which record the journal is in the ledger."""
        return self._stored.sequence

    @property
    def read(self) -> int:
        """Return up to which record the journal was read; the rest waits for ``flush``."""
        return self._reading.at.sequence

    @property
    def waiting(self) -> int:
        """Return how many rows wait for ``flush``."""
        return self._reading.fold.waiting

    @property
    def full(self) -> bool:
        """Return whether so many rows wait that ``take`` would refuse."""
        return self.waiting > WAITING_MAX

    def catch_up(self, records: Iterable[Record]) -> None:
        """Take a whole journal, from its first record on; write what is new.

        Raises LedgerInvalid where the ledger did not come from it or goes beyond it,
        LedgerUnavailable where the disk refuses: what was read waits for ``flush``.
        """
        for record in records:
            self.take(record)
            if self._reading.fold.waiting >= BATCH:
                self.flush()
        self.at_end()
        self.flush()

    def at_end(self) -> None:
        """Note that the journal ends here; raise LedgerInvalid where the ledger goes beyond it."""
        if self._reading.at.sequence < self._stored.sequence:
            raise LedgerInvalid(
                f"{self._store.where}: it holds {self._stored.sequence} records, the journal"
                f" {self._reading.at.sequence}: an old journal was restored, or another one; move"
                " the ledger away, it is made anew")

    def take(self, record: Record) -> None:
        """Take the next record; it is in the ledger after ``flush``."""
        reading = self._reading
        if self.full:
            raise LedgerUnavailable(f"{self._store.where}: {self.waiting} rows wait for it")
        reading.take(record)
        if reading.at.sequence > self._stored.sequence:
            return
        reading.fold.written()
        if reading.at.sequence == self._stored.sequence and reading.at != self._stored:
            raise LedgerInvalid(
                f"{self._store.where}: its first {self._stored.sequence} records are not those of"
                " this journal; move it away, it is made anew")

    def flush(self) -> None:
        """Write what waits, all or nothing; after an error it goes on waiting."""
        reading = self._reading
        if reading.at.sequence <= self._stored.sequence:
            return
        self._store.commit(reading.fold.appended, reading.fold.rows(), self._stored, reading.at)
        self._stored = reading.at
        reading.fold.written()
