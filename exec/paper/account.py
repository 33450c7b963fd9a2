"""Money and positions of one paper account, in whole quanta of 10**-24, exactly.

A fill moves them by the same arithmetic as ``exec.state``.  What rests locks what it may need, a
perpetual's position and orders their full value: a paper account borrows nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from engine.model.errors import ConfigInvalid
from engine.model.quanta import from_quanta, plain
from exec.gateways.codec import Listing
from exec.state.outstanding import MONEY_DECIMALS
from exec.state.positions import Position, change
from exec.state.state import State

PPM: Final = 1_000_000


def text(amount: int) -> str:
    """Return an amount as exact decimal text."""
    return plain(from_quanta(amount, MONEY_DECIMALS))


def fee_of(value: int, ppm: int) -> int:
    """Return so many ppm of a positive value, rounded against us; negative for a rebate."""
    return -(-value * ppm // PPM)


class Account:
    """One account at one venue."""

    def __init__(
        self, venue: str, listings: Sequence[Listing], balances: Mapping[str, int], state: State
    ) -> None:
        """Begin with ``balances``, moved by all that the journal booked here.

        Raises ConfigInvalid where the journal began with another balance: it cannot be told from
        money that vanished.
        """
        self.venue = venue
        self.listed = {each.symbol: each for each in listings}
        assets = {asset for each in self.listed.values()
                  for asset in ((each.settle,) if each.settle else (each.base, each.quote))}
        self.totals = {asset: balances.get(asset, 0) for asset in sorted(assets | {*balances})}
        for (where, asset), (total, then) in state.counts.items():
            if where == venue and asset in self.totals and total - then != self.totals[asset]:
                raise ConfigInvalid(
                    f"paper balance {asset}: found {text(self.totals[asset])}, but this journal"
                    f" began at {venue} with {text(total - then)}; right would be that, or another"
                    " journal")
        for (where, asset), amount in state.holdings.items():
            if where == venue:
                self.totals[asset] = self.totals.get(asset, 0) + amount
        self.positions = {
            symbol: Position(each.size, each.cost, each.realised)
            for (where, symbol), each in state.positions.items() if where == venue}
        self.locks: dict[str, tuple[str, int]] = {}  # client id -> asset and amount of what rests

    def value(self, symbol: str, price: int, size: int) -> int:
        """Return price times size in quanta of the quote."""
        listed = self.listed[symbol]
        scale: int = 10 ** (MONEY_DECIMALS - listed.price_decimals - listed.size_decimals)
        return price * size * scale

    def amount(self, symbol: str, size: int) -> int:
        """Return a size in quanta of the base."""
        scale: int = 10 ** (MONEY_DECIMALS - self.listed[symbol].size_decimals)
        return size * scale

    def size_of(self, symbol: str) -> int:
        """Return a perpetual's position, signed, in size quanta."""
        position = self.positions.get(symbol)
        return position.size if position else 0

    def needs(
        self, symbol: str, side: int, price: int, size: int, *, fee_ppm: int
    ) -> tuple[str, int]:
        """Return what an order pays with and how much of it; ``fee_ppm`` of its value comes on top.

        What closes a perpetual's position needs no more than its fee.
        """
        listed = self.listed[symbol]
        value = self.value(symbol, price, size)
        fee = max(0, fee_of(value, fee_ppm))
        if listed.settle:
            opens = max(0, size - max(0, -side * self.size_of(symbol)))
            return listed.settle, self.value(symbol, price, opens) + fee
        if side > 0:
            return listed.quote, value + fee
        return listed.base, self.amount(symbol, size)

    def locked(self, asset: str) -> int:
        """Return what open orders and positions hold of an asset."""
        orders = sum(amount for which, amount in self.locks.values() if which == asset)
        margin = sum(abs(each.cost) for symbol, each in self.positions.items()
                     if symbol in self.listed and self.listed[symbol].settle == asset)
        return orders + margin

    def free(self, asset: str) -> int:
        """Return what new orders may use; less than nothing where losses ate the margin."""
        return self.totals.get(asset, 0) - self.locked(asset)

    def told(self, asset: str) -> tuple[str, str]:
        """Return free and locked as a venue would say it: together all there is."""
        total = self.totals[asset]
        locked = min(self.locked(asset), max(0, total))
        return text(total - locked), text(locked)

    def book(
        self, symbol: str, side: int, price: int, size: int, fee_ppm: int, *, received: bool
    ) -> tuple[int, str]:
        """Book a fill; return its fee and the asset that it is taken in.

        ``received``: a spot fee is taken from what is received, else from the quote.
        """
        listed, value = self.listed[symbol], self.value(symbol, price, size)
        amount = self.amount(symbol, size)
        in_base = received and side > 0 and not listed.settle
        fee = fee_of(amount if in_base else value, fee_ppm)
        asset = listed.base if in_base else listed.settle or listed.quote
        self._add(asset, -fee)
        if listed.settle:
            position = self.positions.setdefault(symbol, Position())
            before = position.realised
            change(position, side * size, side * value)
            self._add(listed.settle, position.realised - before)
        else:
            self._add(listed.base, side * amount)
            self._add(listed.quote, -side * value)
        return fee, asset

    def _add(self, asset: str, amount: int) -> None:
        self.totals[asset] = self.totals.get(asset, 0) + amount
