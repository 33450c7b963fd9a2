"""The end of every operation: losses are covered, then what changed is told once."""

from collections.abc import Iterable

from ops.sim.exchange.accounts import Account, Accounts, Listed
from ops.sim.exchange.events import BalanceChanged, LevelChanged, Sink
from ops.sim.exchange.ledger import Ledger
from ops.sim.exchange.matching import Matching
from ops.sim.exchange.orders import BUY, SELL, Status, Why
from ops.sim.exchange.perpetuals import Perpetuals


class Aftermath:
    """Leaves books and balances as the next operation may find them."""

    def __init__(
        self, ledger: Ledger, accounts: Accounts, listed: dict[str, Listed],
        matching: Matching, perpetuals: Perpetuals, sink: Sink,
    ) -> None:
        self._ledger, self._accounts, self._listed = ledger, accounts, listed
        self._matching, self._perpetuals, self._sink = matching, perpetuals, sink

    def finish(self, now_ns: int, listed: Iterable[Listed] = ()) -> None:
        """End an operation that may have changed the books of ``listed``."""
        books = {each.symbol.name: each for each in listed}
        clients = self._accounts.by_name
        for name, asset in list(self._ledger.touched):
            if name in clients and self._ledger.free(name, asset) < 0:
                books |= self._cover(now_ns, clients[name], asset)
            if name in clients and asset in self._listed:
                books |= self._trim(now_ns, clients[name], self._listed[asset])
        for symbol, each in books.items():
            for side, price in each.book.changed:
                total = each.book.half(side).total(price)
                self._sink(LevelChanged(now_ns, symbol, side, price, total))
            each.book.changed.clear()
        for name, asset in self._ledger.touched:
            if name in clients and asset not in self._listed:
                free, locked, _ = self._ledger.purse(name, asset)
                self._sink(BalanceChanged(now_ns, name, asset, free, locked))
        self._ledger.touched.clear()

    def _trim(self, now_ns: int, account: Account, listed: Listed) -> dict[str, Listed]:
        """Expire reduce-only orders that a smaller position has no room for, oldest kept."""
        symbol, books = listed.symbol.name, dict[str, Listed]()
        position = account.positions[symbol]
        room = {side: position.closable(side) for side in (BUY, SELL)}
        for order in list(account.orders.values()):
            if order.reduces is not position:
                continue
            if order.remaining <= room[order.side]:
                room[order.side] -= order.remaining
            else:
                books[symbol] = listed
                self._matching.pull(now_ns, listed, order, Status.EXPIRED, Why.REDUCE_ONLY)
        return books

    def _cover(self, now_ns: int, account: Account, asset: str) -> dict[str, Listed]:
        """Pay a loss from what orders hold, newest first, then from margins and the insurance."""
        books = dict[str, Listed]()
        for order in reversed(list(account.orders.values())):
            if self._ledger.free(account.name, asset) >= 0:
                break
            if order.asset == asset and order.reserved:
                books[order.symbol] = listed = self._listed[order.symbol]
                self._matching.pull(now_ns, listed, order, Status.EXPIRED, Why.MARGIN)
        self._perpetuals.cover(now_ns, account, asset)
        return books
