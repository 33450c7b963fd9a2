"""The public trades of one venue, as its feed writes them into the ring."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from shm.ring import RecordRing

_AT_ONCE: Final = 256
_READS_MAX: Final = 64  # per turn; the rest waits for the next


class Print(NamedTuple):
    """One public trade, in quanta; ``side`` is the taker's."""

    symbol: str
    side: int
    price: int
    size: int


class Prints:
    """Reads on from where it stood; what was overwritten before it came is lost, and counted."""

    def __init__(self, ring: RecordRing, symbols: Mapping[int, str]) -> None:
        """``symbols`` are the venue's, by instrument index; others are left aside."""
        self._ring, self._symbols = ring, symbols
        self._cursor = ring.head
        self.lost = 0

    def skip(self) -> None:
        """Leave everything up to now unread: nobody waits in a queue."""
        self._cursor = self._ring.head

    def read(self) -> list[Print]:
        """Return what was printed since, oldest first."""
        found: list[Print] = []
        for _ in range(_READS_MAX):
            self._cursor, lost, records = self._ring.read(self._cursor, _AT_ONCE)
            self.lost += lost
            for record in records:
                symbol = self._symbols.get(int(record["instrument"]))
                if symbol is not None and record["price"] > 0 and record["size"] > 0:
                    found.append(Print(symbol, 1 if record["side"] > 0 else -1,
                                       int(record["price"]), int(record["size"])))
            if len(records) < _AT_ONCE:
                break
        return found
