"""Perpetual positions against the ledger: profit, margin, funding, and what covers a loss.

Margin is initial margin on the entry cost, held as far as the balance goes.  Nobody is
liquidated: a realised loss beyond the balance first takes the account's margins, and the
insurance pays the rest, so a client's balance is never below 0.
"""

from ops.sim.exchange.accounts import Account, Accounts, kept
from ops.sim.exchange.events import Covered, Funded, PositionChanged, Sink
from ops.sim.exchange.fees import share, share_up
from ops.sim.exchange.filters import Reason, Refusal
from ops.sim.exchange.ledger import FEES, FREE, HOUSE, INSURANCE, LOCKED, OPEN, Cause, Ledger
from ops.sim.exchange.orders import Order
from ops.sim.exchange.positions import Position
from ops.sim.exchange.symbols import Symbol


class Perpetuals:
    """Settles fills and funding of positions."""

    def __init__(self, ledger: Ledger, accounts: Accounts, sink: Sink) -> None:
        self._ledger, self._accounts, self._sink = ledger, accounts, sink
        self.house: dict[str, Position] = {}  # by symbol

    def settle_house(
        self, now_ns: int, trade_id: int, symbol: Symbol, side: int, price: int, size: int
    ) -> None:
        """Book the outside flow's part of a trade: no fee, no margin."""
        position = self.house.setdefault(symbol.name, Position())
        profit = position.fill(side, size, symbol.value(price, 1))
        if profit:
            self._ledger.post(now_ns, Cause.SETTLE, trade_id, (
                (HOUSE, symbol.quote, OPEN, -profit), (HOUSE, symbol.quote, FREE, profit)))

    def settle(
        self, now_ns: int, trade_id: int, symbol: Symbol,
        order: Order, price: int, size: int, rate_ppm: int,
    ) -> tuple[int, int]:
        """Book an order's part of a trade; return its fee and the profit it realised.

        What the order held for the filled part is set free, then fee and profit are booked, then
        the position's margin is taken from what is free.
        """
        owner, quote, unit = order.account, symbol.quote, symbol.value(price, 1)
        position = self._accounts.by_name[owner].positions.setdefault(symbol.name, Position())
        profit = position.fill(order.side, size, unit)
        fee = share(unit * size, rate_ppm)
        freed = order.reserved - kept(order, symbol, order.remaining + size)
        order.reserved -= freed
        free = self._ledger.free(owner, quote) + freed + position.margin + profit - fee
        margin_ppm = self._accounts.by_name[owner].margins_ppm.get(
            symbol.name, symbol.margin_ppm)
        margin = max(0, min(free, share_up(abs(position.cost), margin_ppm)))
        locked = margin - position.margin - freed
        position.margin = margin
        self._ledger.post(now_ns, Cause.SETTLE, trade_id, (
            (owner, quote, OPEN, -profit), (owner, quote, FREE, profit - fee - locked),
            (owner, quote, LOCKED, locked), (FEES, quote, FREE, fee),
        ))
        self._sink(PositionChanged(
            now_ns, owner, symbol.name, position.size, position.cost, position.realised))
        return fee, profit

    def remargin(
        self, now_ns: int, account: Account, symbol: Symbol, margin_ppm: int
    ) -> Refusal | None:
        """Hold another initial margin for a position, and for what orders open from now on."""
        position = account.positions.get(symbol.name)
        if position is not None:
            more = share_up(abs(position.cost), margin_ppm) - position.margin
            available = self._accounts.available(account, symbol.quote)
            if more > max(0, available):
                return Refusal(Reason.MARGIN, more, available)
            position.margin += more
            self._ledger.post(now_ns, Cause.LOCK if more > 0 else Cause.RELEASE, 0, (
                (account.name, symbol.quote, FREE, -more),
                (account.name, symbol.quote, LOCKED, more)))
        account.margins_ppm[symbol.name] = margin_ppm
        return None

    def fund(self, now_ns: int, symbol: Symbol, mark: int, rate_ppm: int) -> None:
        """Let longs pay shorts ``rate_ppm`` of their value at ``mark``; the reverse if negative.

        The house is everybody's counterparty, so it bears what rounding leaves.
        """
        for account in self._accounts.by_name.values():
            position = account.positions.get(symbol.name)
            if position is None or not position.size:
                continue
            owed = share(symbol.value(mark, abs(position.size)), rate_ppm)
            received = -owed if position.size > 0 else owed
            position.funding += received
            self.house.setdefault(symbol.name, Position()).funding -= received
            self._ledger.post(now_ns, Cause.FUNDING, 0, (
                (account.name, symbol.quote, FREE, received),
                (HOUSE, symbol.quote, FREE, -received),
            ))
            self._sink(Funded(now_ns, account.name, symbol.name, symbol.quote, received))

    def cover(self, now_ns: int, account: Account, asset: str) -> None:
        """Make a negative balance whole; orders that held money were cancelled before."""
        name = account.name
        for position in self._accounts.settled_in(account, asset):
            taken = min(position.margin, max(0, -self._ledger.free(name, asset)))
            if taken:
                position.margin -= taken
                self._ledger.post(now_ns, Cause.RELEASE, 0, (
                    (name, asset, LOCKED, -taken), (name, asset, FREE, taken)))
        short = -self._ledger.free(name, asset)
        if short > 0:
            self._ledger.post(now_ns, Cause.COVER, 0, (
                (name, asset, FREE, short), (INSURANCE, asset, FREE, -short)))
            self._sink(Covered(now_ns, name, asset, short))
