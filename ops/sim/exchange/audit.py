"""What must always hold, checked over a whole exchange; raises AssertionError with the numbers.

Used by the tests and by ``soak``.  Nothing here is needed to run a venue.
"""

from collections import Counter

from ops.sim.exchange.accounts import Account, Listed, needed
from ops.sim.exchange.book import Half
from ops.sim.exchange.exchange import Exchange
from ops.sim.exchange.ledger import HOUSE, Key
from ops.sim.exchange.orders import BUY, SELL, Order, Status


def audit(exchange: Exchange) -> None:
    """Check books, reservations, balances, positions and the ledger."""
    resting = dict[int, Order]()
    for listed in exchange.listed.values():
        audit_book(listed)
        for half in (listed.book.bids, listed.book.asks):
            for queue in half.queues.values():
                resting |= queue
    accounts = exchange.accounts.by_name.values()
    opened = {order.id: order for account in accounts for order in account.orders.values()}
    odd = opened.keys() ^ resting.keys()
    assert opened == resting, f"open but not resting, or the reverse: {odd}"
    for account in accounts:
        audit_account(exchange, account)
    audit_positions(exchange)
    totals = Counter[str]()
    for (_, asset), purse in exchange.ledger.purses():
        totals[asset] += sum(purse)
    assert not any(totals.values()), f"the sum over all owners is not 0: {totals}"


def audit_ledger(exchange: Exchange) -> None:
    """Check that opening balances plus every kept transaction give the balances."""
    assert exchange.ledger.replayed() == dict(exchange.ledger.purses()), "the journal disagrees"


def audit_book(listed: Listed) -> None:
    """Check one book: sorted, not crossed, nothing empty, queues in order of their places."""
    book, name = listed.book, listed.symbol.name
    assert not book.crossed, f"{name}: bid {book.bids.best()} reaches ask {book.asks.best()}"
    assert not book.changed, f"{name}: changes were not told"
    for half in (book.bids, book.asks):
        audit_half(half, name)


def audit_half(half: Half, name: str) -> None:
    """Check one side of a book."""
    prices = half.outside.keys() | half.queues.keys()
    assert half.keys == sorted(half.side * price for price in prices), f"{name}: keys"
    assert all(size > 0 for size in half.outside.values()), f"{name}: an empty outside level"
    for price, queue in half.queues.items():
        assert queue, f"{name}: an empty queue at {price}"
        before = 0
        for number, order in queue.items():
            assert number == order.id
            assert (order.status, order.price, order.side) == (Status.OPEN, price, half.side)
            assert order.remaining > 0, f"order {order.id} rests with nothing left"
            assert before <= order.ahead <= half.outside.get(price, 0), (
                f"order {order.id}: {order.ahead} ahead after {before}")
            before = order.ahead


def audit_account(exchange: Exchange, account: Account) -> None:
    """Check that what is locked is what orders and positions hold, and nothing is negative."""
    held = Counter[str]()
    counts = Counter[str]()
    for order in account.orders.values():
        symbol = exchange.listed[order.symbol].symbol
        assert order.reserved == needed(order, symbol), (
            f"order {order.id} holds {order.reserved}, needs {needed(order, symbol)}")
        held[order.asset] += order.reserved
        counts[order.symbol] += 1
    for name, position in account.positions.items():
        for side in (BUY, SELL):
            closing = sum(order.remaining for order in account.orders.values()
                          if order.reduces is position and order.side == side)
            assert closing <= position.closable(side), (
                f"{account.name} {name}: {closing} would reduce {position.closable(side)}")
        assert position.margin >= 0, f"{account.name} {name}: margin {position.margin}"
        held[exchange.listed[name].symbol.quote] += position.margin
    assert +counts == +Counter(account.open_counts), f"{account.name}: {account.open_counts}"
    for asset, (free, locked) in exchange.balances(account.name).items():
        assert free >= 0, f"{account.name}: {free} {asset} free"
        assert locked == held[asset], f"{account.name}: {locked} {asset} locked, {held[asset]} held"


def audit_positions(exchange: Exchange) -> None:
    """Check that contracts sum to 0 and that the ledger's open bucket is minus the entry costs."""
    opened = Counter[Key]()
    holders = {name: account.positions for name, account in exchange.accounts.by_name.items()}
    holders[HOUSE] = exchange.settlement.perpetuals.house
    for owner, positions in holders.items():
        for name, position in positions.items():
            assert position.size or not position.cost, f"{owner} {name}: cost without contracts"
            opened[owner, name] += position.size
            opened[owner, exchange.listed[name].symbol.quote] -= position.cost
    for (owner, asset), (_, _, in_open) in exchange.ledger.purses():
        assert in_open == opened[owner, asset], (
            f"{owner} {asset}: {in_open} open, positions say {opened[owner, asset]}")
