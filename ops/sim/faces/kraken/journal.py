"""What REST tells of the past: the ledger entries of each account, newest kept.

A trade makes two entries, one per asset; the fee stands with the asset that paid it.
"""

from collections import deque
from typing import Final, NamedTuple

from ops.sim.exchange.events import Fill, Transferred
from ops.sim.exchange.orders import BUY
from ops.sim.faces.kraken import ids
from ops.sim.faces.kraken.instruments import Instrument
from ops.sim.floor import Floor

ENTRIES_MAX: Final = 50_000  # per account


class Entry(NamedTuple):
    """One movement of one asset; ``balance`` is the total after it."""

    id: str
    ref: str
    at_ns: int
    kind: str  # trade, deposit or withdrawal
    asset: str
    amount: int
    fee: int
    balance: int


class Journal:
    """The ledgers of all accounts."""

    def __init__(self, floor: Floor, accounts: list[str]) -> None:
        self._floor, self._deposits = floor, 0
        self.entries = {name: deque[Entry](maxlen=ENTRIES_MAX) for name in accounts}
        for name in accounts:
            for asset, (free, locked) in sorted(floor.exchange.balances(name).items()):
                self.transferred(Transferred(floor.now_ns(), name, asset, free + locked))

    def transferred(self, event: Transferred) -> list[Entry]:
        """Note a deposit or a withdrawal."""
        self._deposits += 1
        number = ids.deposit_id(self._deposits)
        kind = "deposit" if event.amount > 0 else "withdrawal"
        return self._note(event.account, [Entry(
            number, number, event.now_ns, kind, event.asset, event.amount, 0,
            self._total(event.account, event.asset))])

    def filled(self, fill: Fill, instrument: Instrument) -> list[Entry]:
        """Note both sides of a fill."""
        bought = 1 if fill.side == BUY else -1
        legs = ((instrument.base, bought * instrument.symbol.amount(fill.size)),
                (instrument.quote, -bought * fill.value))
        ref = ids.exec_id(fill.trade_id, taker=fill.taker)
        return self._note(fill.account, [
            Entry(ids.ledger_id(fill.trade_id, leg, taker=fill.taker), ref, fill.now_ns, "trade",
                  asset, amount, fill.fee if asset == fill.fee_asset else 0,
                  self._total(fill.account, asset))
            for leg, (asset, amount) in enumerate(legs)])

    def _note(self, account: str, entries: list[Entry]) -> list[Entry]:
        self.entries[account].extend(entries)
        return entries

    def _total(self, account: str, asset: str) -> int:
        free, locked = self._floor.exchange.balance(account, asset)
        return free + locked
