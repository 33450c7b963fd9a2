"""Every order and fill that is still remembered, found by id, by client id, by account."""

from collections import deque
from collections.abc import Iterator

from ops.sim.exchange.accounts import Account
from ops.sim.exchange.events import Fill
from ops.sim.exchange.orders import ClientIds, Order, Status


class Registry:
    """Open orders for ever; of ended orders, and of fills per account, the newest ``keep``."""

    def __init__(self, client_ids: ClientIds, *, keep: int) -> None:
        self._policy, self._keep = client_ids, keep
        self._by_id: dict[int, Order] = {}
        self._by_account: dict[str, dict[int, Order]] = {}
        self._by_client: dict[tuple[str, str], int] = {}  # the newest order of that client id
        self._ended: deque[int] = deque()
        self._fills: dict[str, deque[Fill]] = {}

    def taken(self, account: str, client_id: str) -> int | None:
        """Return the id of the order that makes ``client_id`` unusable, None if it is usable."""
        order_id = self._by_client.get((account, client_id)) if client_id else None
        if order_id is None or self._policy is ClientIds.UNIQUE_EVER:
            return order_id
        order = self._by_id.get(order_id)
        return order_id if order and order.status is Status.OPEN else None

    def open(self, account: Account, order: Order) -> None:
        """Remember a new order."""
        self._by_id[order.id] = order
        self._by_account.setdefault(order.account, {})[order.id] = order
        account.orders[order.id] = order
        account.open_counts[order.symbol] = account.open_counts.get(order.symbol, 0) + 1
        if order.client_id:
            self._by_client[order.account, order.client_id] = order.id

    def rename(self, order: Order, client_id: str) -> None:
        """Give an order another client id; the old one names it no longer."""
        key = (order.account, order.client_id)
        if self._by_client.get(key) == order.id:
            del self._by_client[key]
        order.client_id = client_id
        self._by_client[order.account, client_id] = order.id

    def end(self, account: Account, order: Order) -> None:
        """Note that an order is no longer open; forget the oldest ended one if there are many."""
        del account.orders[order.id]
        account.open_counts[order.symbol] -= 1
        self._ended.append(order.id)
        if len(self._ended) > self._keep:
            self._forget(self._by_id.pop(self._ended.popleft()))

    def _forget(self, order: Order) -> None:
        del self._by_account[order.account][order.id]
        key = (order.account, order.client_id)
        if self._policy is ClientIds.UNIQUE_OPEN and self._by_client.get(key) == order.id:
            del self._by_client[key]

    def clear(self) -> None:
        """Forget everything; no order may be open."""
        for each in (self._by_id, self._by_account, self._by_client, self._ended, self._fills):
            each.clear()

    def fill(self, fill: Fill) -> None:
        """Remember a fill."""
        fills = self._fills.get(fill.account)
        if fills is None:
            fills = self._fills[fill.account] = deque(maxlen=self._keep)
        fills.append(fill)

    def unfill(self, fill: Fill) -> None:
        """Forget a fill that was taken back."""
        self._fills[fill.account].remove(fill)

    def fills_of(self, account: str) -> Iterator[Fill]:
        """Yield an account's remembered fills, oldest first."""
        return iter(self._fills.get(account, ()))

    def find(self, account: str, *, order_id: int = 0, client_id: str = "") -> Order | None:
        """Return an account's order by either id; the newest of a client id used again."""
        order = self._by_id.get(order_id or self._by_client.get((account, client_id), 0))
        return order if order and order.account == account else None

    def orders(self, account: str) -> Iterator[Order]:
        """Yield an account's remembered orders, oldest first."""
        return iter(self._by_account.get(account, {}).values())

    def fills_since(self, account: str, trade_id: int, symbol: str = "") -> list[Fill]:
        """Return an account's fills after ``trade_id``, oldest first; of one symbol if given."""
        found = list[Fill]()
        for fill in reversed(self._fills.get(account, ())):
            if symbol and fill.symbol != symbol:
                continue
            if fill.trade_id <= trade_id:
                break
            found.append(fill)
        return found[::-1]
