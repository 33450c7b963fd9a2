"""The truth ledger: append-only double entry; every transaction sums to 0 per asset.

    owner       free  locked  open        an owner is a client's account, or one of the venue's:
    alice USDT    70      30     0        HOUSE      the outside flow, of unlimited balance
    *fees USDT     2       0     0        FEES       what the venue earned, less its rebates
    *external   -102       0     0        EXTERNAL   the world that money comes from and goes to
    sum            0                      INSURANCE  pays what a bankrupt account cannot

*open* holds what perpetuals exchanged but not settled: contracts under the symbol's own name,
and minus the entry cost under the settlement asset.  Realised profit moves from open to free.

The newest ``keep`` transactions stay readable; older ones are folded into the opening balances,
so a simulator that runs for days does not grow, and opening plus kept equals the balances.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Final

import msgspec

FREE: Final = 0
LOCKED: Final = 1
OPEN: Final = 2

HOUSE: Final = "*house"
FEES: Final = "*fees"
EXTERNAL: Final = "*external"
INSURANCE: Final = "*insurance"

Entry = tuple[str, str, int, int]  # owner, asset, bucket, amount
Key = tuple[str, str]  # owner, asset
Purse = list[int]  # free, locked, open


class Cause(Enum):
    """Why money moved."""

    TRANSFER = "transfer"
    LOCK = "lock"
    RELEASE = "release"
    TRADE = "trade"
    FEE = "fee"
    SETTLE = "settle"  # realised profit, fee and margin of a perpetual
    FUNDING = "funding"
    COVER = "cover"
    BUST = "bust"  # a trade taken back


class Transaction(msgspec.Struct, frozen=True, gc=False):
    """One balanced set of postings; ``about`` is the order or trade id behind it."""

    id: int
    now_ns: int
    cause: Cause
    about: int
    entries: Sequence[Entry]


class Ledger:
    """Balances and how they came to be."""

    def __init__(self, *, keep: int) -> None:
        self._purses: dict[Key, Purse] = {}
        self._opening: dict[Key, Purse] = {}
        self._kept: deque[Transaction] = deque()
        self._keep = keep
        self.count = 0  # transactions ever
        self.touched: dict[Key, None] = {}  # since the owner of the operation last cleared it

    def post(self, now_ns: int, cause: Cause, about: int, entries: Sequence[Entry]) -> None:
        """Append one transaction and move the balances; zero amounts may be among the entries."""
        sums: dict[str, int] = {}
        purses = self._purses
        for owner, asset, bucket, amount in entries:
            sums[asset] = sums.get(asset, 0) + amount
            key = (owner, asset)
            purse = purses.get(key)
            if purse is None:
                purse = purses[key] = [0, 0, 0]
            purse[bucket] += amount
            self.touched[key] = None
        assert not any(sums.values()), f"{cause} {about} does not balance: {sums}"
        self.count += 1
        self._kept.append(Transaction(self.count, now_ns, cause, about, entries))
        if len(self._kept) > self._keep:
            _apply(self._opening, self._kept.popleft())

    def free(self, owner: str, asset: str) -> int:
        """Return what the owner can use."""
        purse = self._purses.get((owner, asset))
        return purse[FREE] if purse else 0

    def purse(self, owner: str, asset: str) -> Purse:
        """Return a copy of (free, locked, open)."""
        return list(self._purses.get((owner, asset), (0, 0, 0)))

    def purses(self) -> Iterator[tuple[Key, Purse]]:
        """Yield every balance that ever existed."""
        for key, purse in self._purses.items():
            yield key, list(purse)

    def transactions(self) -> Iterator[Transaction]:
        """Yield what is kept, oldest first."""
        return iter(self._kept)

    def replayed(self) -> dict[Key, Purse]:
        """Return the balances as opening plus every kept transaction: equal to ``purses``."""
        purses = {key: list(purse) for key, purse in self._opening.items()}
        for transaction in self._kept:
            _apply(purses, transaction)
        return purses


def _apply(purses: dict[Key, Purse], transaction: Transaction) -> None:
    for owner, asset, bucket, amount in transaction.entries:
        purses.setdefault((owner, asset), [0, 0, 0])[bucket] += amount
