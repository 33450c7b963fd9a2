"""Random operations against the exchange, checked after each: ``python -m ops.sim.exchange.soak``.

Prints operations per second with and without the checks, and how often each thing happened, so
that a run that exercised nothing is seen.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from engine.model.clock import SystemClock
from ops.sim.exchange.audit import audit, audit_book, audit_ledger
from ops.sim.exchange.events import (
    Covered,
    Event,
    Fill,
    Funded,
    Rejected,
    Sink,
    Transferred,
)
from ops.sim.exchange.exchange import Exchange
from ops.sim.exchange.fees import FeeIn, Fees
from ops.sim.exchange.filters import Filters
from ops.sim.exchange.ledger import EXTERNAL, FEES, Key
from ops.sim.exchange.orders import BUY, SELL, Kind, Request, Stp, Tif
from ops.sim.exchange.symbols import Asset, Symbol, perpetual, spot

AUDIT_EVERY: Final = 200  # a whole audit; books and balances touched are checked after each
RATED_MAX: Final = 200_000  # operations timed without checks
MIDDLE: Final = 1_000
ASSETS: Final = ("BTC", "USDT", "BNB")
COIN, PERP = "BTC/USDT", "BTC/USDT:USDT"
CLIENTS: Final = {
    "ann": Fees(1000, 1000, FeeIn.RECEIVED),
    "bob": Fees(1600, 2600, FeeIn.QUOTE),
    "cat": Fees(-50, 333, FeeIn.BASE),
    "dan": Fees(750, 750, FeeIn.THIRD, "BNB"),
    "eve": Fees(-100, 500, FeeIn.QUOTE),
}
STPS: Final = tuple(Stp)
ORDER_SHAPES: Final = (  # (kind, time in force, post only), often what is often asked
    *((Kind.LIMIT, Tif.GTC, False),) * 5, (Kind.LIMIT, Tif.GTC, True),
    (Kind.LIMIT, Tif.IOC, False), (Kind.LIMIT, Tif.FOK, False), (Kind.MARKET, Tif.IOC, False),
)


class Shadow:
    """Balances worked out from events alone: the second opinion on the ledger."""

    def __init__(self) -> None:
        self.owned = Counter[Key]()
        self.fees = Counter[str]()
        self.seen = Counter[str]()
        self.symbols: dict[str, Symbol] = {}

    def hear(self, event: Event) -> None:
        """Book what an event says about money."""
        self.seen[type(event).__name__] += 1
        if isinstance(event, Fill):
            symbol = self.symbols[event.symbol]
            self.owned[event.account, symbol.quote] -= event.side * event.value
            self.owned[event.account, symbol.base] += event.side * symbol.amount(event.size)
            self.owned[event.account, event.fee_asset] -= event.fee
            self.fees[event.fee_asset] += event.fee
        elif isinstance(event, Transferred | Funded | Covered):
            self.owned[event.account, event.asset] += event.amount
        elif isinstance(event, Rejected):
            self.seen[f"Rejected: {event.refusal.reason.value}"] += 1

    def agree(self, exchange: Exchange) -> None:
        """Compare with the ledger, account by account and asset by asset."""
        for (owner, asset), purse in exchange.ledger.purses():
            if owner == FEES:
                assert sum(purse) == self.fees[asset], f"fees in {asset}"
            elif not owner.startswith("*"):
                assert sum(purse) == self.owned[owner, asset], f"{owner} {asset}"


class Soak:
    """One exchange, spot and perpetual, five clients of different fees, and the outside flow."""

    def __init__(
        self, seed: int, *, keep: int = 20_000, rich: int = 100, sink: Sink | None = None
    ) -> None:
        """Give each client ``rich`` times the worth of a large order; tell ``sink`` or a shadow."""
        self.random = Random(seed)  # noqa: S311  not a secret
        self.shadow = Shadow()
        self.exchange = exchange = Exchange(sink or self.shadow.hear, epoch=1, keep=keep)
        btc, usdt = Asset("BTC", 8), Asset("USDT", 8)
        filters = Filters(size_max=1000, open_orders_max=40, notional_min=200_000)
        exchange.list_symbol(spot(COIN, btc, usdt, price_decimals=2, size_decimals=4), filters)
        exchange.list_symbol(
            perpetual(PERP, usdt, price_decimals=1, size_decimals=3, margin_ppm=100_000), filters)
        exchange.set_rate("BNB", "USDT", 1, 600)
        self.shadow.symbols = {name: each.symbol for name, each in exchange.listed.items()}
        self.now_ns = 0
        self.fair = {COIN: MIDDLE, PERP: MIDDLE}
        self.wage = {
            "USDT": rich * MIDDLE * 100 * 100, "BTC": rich * 10 * 10_000, "BNB": rich * 10_000}
        for name, fees in CLIENTS.items():
            exchange.open_account(name, fees)
            for asset, amount in self.wage.items():
                exchange.deposit(0, name, asset, amount)
        self._names = tuple(CLIENTS)
        self._deeds: tuple[tuple[Callable[[], None], int], ...] = (
            (self._place, 40), (self._level, 30), (self._print, 8), (self._cancel, 10),
            (self._amend, 8), (self._cancel_all, 1), (self._money, 2), (self._fund, 1),
        )
        self._choices = [deed for deed, weight in self._deeds for _ in range(weight)]

    def step(self) -> None:
        """Do one random thing."""
        self.now_ns += 1
        self.random.choice(self._choices)()

    def check(self) -> None:
        """Check what every operation must leave true."""
        for listed in self.exchange.listed.values():
            audit_book(listed)
        for name in self._names:
            for free, locked in self.exchange.balances(name).values():
                assert free >= 0 <= locked

    def check_all(self) -> None:
        """Check everything, against the events too."""
        audit(self.exchange)
        self.shadow.agree(self.exchange)

    def _symbol(self) -> str:
        return COIN if self.random.random() < 0.6 else PERP

    def _near(self, symbol: str, spread: int = 12) -> int:
        return self.fair[symbol] + self.random.randint(-spread, spread)

    def _place(self) -> None:
        random, symbol = self.random, self._symbol()
        kind, tif, post_only = random.choice(ORDER_SHAPES)
        size, quote = random.randint(1, 100), 0
        if kind is Kind.MARKET and random.random() < 0.3:
            size, quote = 0, random.randint(1, 50) * MIDDLE * 100
        self.exchange.place(self.now_ns, Request(
            account=random.choice(self._names), symbol=symbol,
            side=random.choice((BUY, SELL)), kind=kind,
            price=0 if kind is Kind.MARKET else self._near(symbol), size=size, quote=quote,
            tif=tif, post_only=post_only, stp=random.choice(STPS),
            reduce_only=symbol == PERP and not quote and random.random() < 0.25,
            client_id=str(random.randint(1, 60)) if random.random() < 0.3 else "",
        ))

    def _level(self) -> None:
        random, symbol = self.random, self._symbol()
        if random.random() < 0.05:  # the market moves, sometimes through resting orders
            self.fair[symbol] = min(1100, max(900, self.fair[symbol] + random.randint(-6, 6)))
        side = random.choice((BUY, SELL))
        price = self.fair[symbol] - side * random.randint(0, 12)
        size = random.choice((0, random.randint(1, 60)))
        self.exchange.set_level(self.now_ns, symbol, side, price, size)

    def _print(self) -> None:
        symbol = self._symbol()
        side = self.random.choice((BUY, SELL))
        best = self.exchange.depth(symbol, -side, 1)
        price = best[0][0] + side * self.random.randint(-1, 2) if best else self._near(symbol)
        self.exchange.print_trade(self.now_ns, symbol, side, price, self.random.randint(1, 60))

    def _open(self) -> tuple[str, int] | None:
        name = self.random.choice(self._names)
        orders = self.exchange.open_orders(name)
        return (name, self.random.choice(orders).id) if orders else None

    def _cancel(self) -> None:
        found = self._open()
        if found:
            self.exchange.cancel(self.now_ns, found[0], order_id=found[1])

    def _amend(self) -> None:
        found = self._open()
        if found:
            order = self.exchange.order(found[0], order_id=found[1])
            assert order is not None
            moves = self.random.random() < 0.5
            self.exchange.amend(
                self.now_ns, found[0], order_id=found[1], size=self.random.randint(1, 100),
                price=self._near(order.symbol) if moves else 0)

    def _cancel_all(self) -> None:
        self.exchange.cancel_all(
            self.now_ns, self.random.choice(self._names), self.random.choice(("", COIN, PERP)))

    def _money(self) -> None:
        name, asset = self.random.choice(self._names), self.random.choice(ASSETS)
        free, wage = self.exchange.balance(name, asset)[0], self.wage[asset]
        if free < wage // 4:  # who trades at random pays spreads and fees, and goes broke
            self.exchange.deposit(self.now_ns, name, asset, self.random.randint(0, wage // 4))
        else:
            self.exchange.withdraw(self.now_ns, name, asset, self.random.randint(0, free))

    def _fund(self) -> None:
        self.exchange.set_mark(PERP, self._near(PERP, 3))
        self.exchange.set_margin(
            self.now_ns, self.random.choice(self._names), PERP,
            self.random.choice((50_000, 100_000, 250_000)))
        self.exchange.fund(self.now_ns, PERP, self.random.randint(-9000, 9000))


def _quiet_levels(seed: int) -> Callable[[], None]:
    """Return what sets one level of an outside book of 400 a side that no client is in."""
    soak, random = Soak(seed), Random(seed)  # noqa: S311  not a secret
    for price in range(1, 401):
        soak.exchange.set_level(0, COIN, BUY, MIDDLE - price, 5)
        soak.exchange.set_level(0, COIN, SELL, MIDDLE + price, 5)

    def set_one() -> None:
        side = BUY if random.random() < 0.5 else SELL
        away = 1 + int(random.random() * 400)
        size = int(random.random() * 3)  # a third of them deletes
        soak.exchange.set_level(0, COIN, side, MIDDLE - side * away, size)

    return set_one


def _rate(clock: SystemClock, deed: Callable[[], object], turns: int) -> float:
    began_ns = clock.mono_ns()
    for _ in range(turns):
        deed()
    return turns * 1e9 / (clock.mono_ns() - began_ns)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the soak, print its figures, return 0; an AssertionError is a found bug."""
    parser = argparse.ArgumentParser(prog="python -m ops.sim.exchange.soak", description=__doc__)
    parser.add_argument("--operations", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    clock = SystemClock()
    soak = Soak(options.seed)
    began_ns = clock.mono_ns()
    for number in range(options.operations):
        soak.step()
        soak.check()
        if number % AUDIT_EVERY == 0:
            soak.check_all()
    soak.check_all()
    audit_ledger(soak.exchange)
    checked_s = (clock.mono_ns() - began_ns) / 1e9
    turns = min(options.operations, RATED_MAX)
    print(f"{options.operations} operations, seed {options.seed}: every invariant held")
    print(f"checked {checked_s:.1f} s; of {turns} unchecked, their invention included:")
    bare = Soak(options.seed)
    print(f"  {_rate(clock, bare.step, turns):,.0f} mixed operations/s")
    print(f"  {_rate(clock, _quiet_levels(options.seed), turns):,.0f} outside levels/s")
    print(f"ledger: {soak.exchange.ledger.count:,} transactions")
    for asset in ASSETS:
        outside = -sum(soak.exchange.ledger.purse(EXTERNAL, asset))
        fees = sum(soak.exchange.ledger.purse(FEES, asset))
        print(f"{asset}: {outside:,} brought in, {fees:,} of it fees, sum over all owners 0")
    for name, times in sorted(soak.shadow.seen.items()):
        print(f"  {name:50} {times:>12,}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
