"""Random operations on three trading floors, checked after each: ``python -m ops.sim.soak``.

    binance       invented spot         clients, flow, faults ─▶ Floor ─▶ public books, money
    binance-usdm  invented perpetual    after each operation: books in order and not crossed,
    kraken        recorded spot         public = matching engine, money constant but for fees

``ops.sim.exchange.soak`` does the same to the matching engine alone.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from engine.model.clock import ManualClock, SystemClock
from engine.model.fault import Fault
from engine.model.fault import Kind as FaultKind
from engine.model.instrument import Pair
from ops.sim.book import ASK, BID, Book, Change
from ops.sim.exchange.audit import audit, audit_book, audit_ledger
from ops.sim.exchange.events import Event
from ops.sim.exchange.ledger import EXTERNAL, FEES
from ops.sim.exchange.orders import BUY, SELL, Kind, Request
from ops.sim.exchange.soak import ORDER_SHAPES, STPS, Shadow
from ops.sim.face import Answer, Face, Print, Query, Session, Topic, Update
from ops.sim.faults import Faults
from ops.sim.floor import Clients, Floor
from ops.sim.listing import Line, invented_line, native_of
from ops.sim.recorded import RecordedTrade

AUDIT_EVERY: Final = 200
ACCOUNTS: Final = ("ann", "bob", "cat")
SPREAD: Final = 12  # ticks that orders and levels lie around the fair price
STEP_NS: Final = 10_000_000
SPOILS: Final = (FaultKind.PARTIAL_THEN_END, FaultKind.CANCEL_FILL_RACE)
RULES: Final = (FaultKind.HALT, FaultKind.FILTERS, FaultKind.POST_ONLY, FaultKind.CANCEL_ONLY)
ENDS: Final = (FaultKind.ID_REUSE, FaultKind.ORDERS_LOST, FaultKind.ORDERS_CANCELLED)


class Replica(Face):
    """A face that keeps the public book as a client would, from updates alone."""

    def __init__(self, lines: Sequence[Line], clock: ManualClock, floor: Floor) -> None:
        super().__init__(lines, self, clock, floor)
        self.books = {line.native: Book() for line in lines}
        self.shadow = Shadow()

    def wanted(self, topic: Topic) -> bool:
        """Want nothing: there are no clients."""
        return False

    def publish(self, topic: Topic, body: bytes) -> None:
        """Send nowhere."""

    def text(self, session: Session, message: bytes) -> None:
        """Hear nobody."""

    def rest(self, path: str, query: Query) -> Answer:
        """Answer nobody."""
        return Answer(b"", 404)

    def update(self, line: Line, update: Update) -> None:
        """Follow the public book."""
        self.books[line.native].apply(update.changes)
        self.shadow.seen["public print"] += len(update.prints)

    def heard(self, event: Event) -> None:
        """Book what events say of money."""
        self.shadow.hear(event)


class Stage:
    """One venue with one line, its market, its clients, and its troubles."""

    def __init__(self, line: Line, fair: int, size_max: int, seed: int) -> None:
        """Trade ``line`` around ``fair``, a price in ticks; sizes up to ``size_max`` lots."""
        self.random = Random(f"{seed}:{line.venue}")  # noqa: S311  not a secret
        self.line, self.native, self.fair, self.size_max = line, line.native, fair, size_max
        self._home = fair
        self.clock = ManualClock(mono_ns=1, unix_ns=1_790_000_000 * 10**9)
        self.faults = Faults([], seed=seed, start_mono_ns=0)
        self.floor = Floor(
            line.venue, [line], self.clock, self.faults, Clients(seed, ACCOUNTS, {}))
        self.face = self.floor.face = Replica([line], self.clock, self.floor)
        self.exchange = self.floor.exchange
        symbol = self.exchange.listed[self.native].symbol
        self.price_by: int = 10 ** (symbol.price_decimals - line.tick_decimals)
        self.size_by: int = 10 ** (symbol.size_decimals - line.lot_decimals)
        self.face.shadow.symbols[self.native] = symbol
        for (owner, asset), purse in self.exchange.ledger.purses():
            self.face.shadow.owned[owner, asset] = sum(purse)
        self._first = {asset: self.exchange.balance("ann", asset)[0]
                       for asset in sorted(self.exchange.assets)}
        self._fees = Counter[str]()
        deeds: tuple[tuple[Callable[[], None], int], ...] = (
            (self._place, 38), (self._market, 34), (self._cancel, 9), (self._amend, 8),
            (self._cancel_all, 1), (self._money, 3), (self._fund, 1), (self._trouble, 2),
            (self._wait, 4))
        self._choices = [deed for deed, weight in deeds for _ in range(weight)]

    def step(self) -> None:
        """Do one random thing."""
        self.clock.advance(STEP_NS)
        self.random.choice(self._choices)()

    # --- what is checked -----------------------------------------------------------------------

    def check(self) -> None:
        """Check what every operation must leave true."""
        listed, line = self.exchange.listed[self.native], self.line
        audit_book(listed)
        if line.outside is not line.book:
            self._same_books()
        totals, fees = Counter[str](), Counter[str]()
        for (owner, asset), purse in self.exchange.ledger.purses():
            totals[asset] += sum(purse)
            if owner == FEES:
                fees[asset] += sum(purse)
            elif owner in ACCOUNTS and asset != self.native:
                assert purse[0] >= 0 <= purse[1], f"{owner} {asset}: {purse}"
        assert not any(totals.values()), f"money out of nothing: {totals}"
        for asset, earned in fees.items():
            assert earned >= self._fees[asset], f"fees in {asset} fell to {earned}"
        self._fees = fees

    def _same_books(self) -> None:
        """Compare what the public sees, and its market, with the matching engine."""
        listed, line = self.exchange.listed[self.native], self.line
        halted = self.floor.frozen(self.native)
        for side, half in ((BID, listed.book.bids), (ASK, listed.book.asks)):
            public = {price: half.total(price) for price in half.prices()}
            assert line.book.sizes[side] == public, f"{self.native} side {side}"
            assert halted or line.outside.sizes[side] == half.outside, f"{self.native} outside"
        told = self.face.books[self.native]
        assert told.sizes == line.book.sizes, f"{self.native}: updates lead elsewhere"

    def check_all(self) -> None:
        """Check everything, against the events too."""
        audit(self.exchange)
        self.face.shadow.agree(self.exchange)

    # --- the market ----------------------------------------------------------------------------

    def _market(self) -> None:
        if self.random.random() < 0.1:
            self.fair = min(self._home + 900, max(
                self._home - 900, self.fair + self.random.randint(-8, 8)))
        if self.line.recorded:
            self._recorded()
        else:
            self._flow()

    def _changes(self, prints: list[Print]) -> list[Change]:
        """Move the market's book towards the fair price; append what traded to ``prints``."""
        book, changes, random = self.line.outside, list[Change](), self.random

        def put(side: int, price: int, size: int) -> None:
            book.set(side, price, size)
            changes.append(Change(side, price, size))

        for side, taker in ((ASK, BUY), (BID, SELL)):
            for price, size in book.top(side, 100):
                if (price - self.fair) * (1 if side == ASK else -1) > 0:
                    break
                if random.random() < 0.5:
                    prints.append(Print(taker, price, size))
                put(side, price, 0)
        for _ in range(random.randint(1, 4)):
            side = random.choice((BID, ASK))
            away = 1 + random.randint(0, SPREAD)
            price = self.fair + (away if side == ASK else -away)
            put(side, price, random.choice((0, random.randint(1, self.size_max))))
        touch = book.touch()
        if random.random() < 0.2 and touch.bid and touch.ask:
            taker = random.choice((BUY, SELL))
            side, price, size = (ASK, touch.ask, touch.ask_size) if taker == BUY else (
                BID, touch.bid, touch.bid_size)
            traded = random.randint(1, size)
            prints.append(Print(taker, price, traded))
            put(side, price, size - traded)
        return changes

    def _flow(self) -> None:
        prints: list[Print] = []
        changes = self._changes(prints)
        send = self.random.random() < 0.8
        if self.line.outside is self.line.book:
            self.face.books[self.native].apply(changes)  # what passes through is told as it is
        self.floor.flow(self.line, Update(changes, prints, send))

    def _recorded(self) -> None:
        prints: list[Print] = []
        changes = self._changes(prints)
        trades = [RecordedTrade(each.side, self.line.plain_price(each.price),
                                self.line.plain_size(each.size)) for each in prints]
        fresh = self.random.random() < 0.02
        first, second = ((), trades) if self.random.random() < 0.5 else (trades, ())
        self.floor.recorded_trades(self.line, first)
        self.floor.recorded(self.line, None if fresh else changes)
        self.floor.recorded_trades(self.line, second)

    # --- clients -------------------------------------------------------------------------------

    def _near(self) -> int:
        return (self.fair + self.random.randint(-SPREAD, SPREAD)) * self.price_by

    def _size(self) -> int:
        return self.random.randint(1, 2 * self.size_max) * self.size_by

    def _place(self) -> None:
        random = self.random
        kind, tif, post_only = random.choice(ORDER_SHAPES)
        size, quote, market = self._size(), 0, kind is Kind.MARKET
        if market and random.random() < 0.3:
            symbol = self.exchange.listed[self.native].symbol
            size, quote = 0, symbol.value(self.fair * self.price_by, size)
        self.floor.place(Request(
            account=random.choice(ACCOUNTS), symbol=self.native, kind=kind, tif=tif,
            side=random.choice((BUY, SELL)), price=0 if market else self._near(),
            size=size, quote=quote, post_only=post_only, stp=random.choice(STPS),
            reduce_only=market and random.random() < 0.2,
            client_id=str(random.randint(1, 60)) if random.random() < 0.3 else ""))

    def _open(self) -> tuple[str, int] | None:
        name = self.random.choice(ACCOUNTS)
        orders = self.exchange.open_orders(name)
        return (name, self.random.choice(orders).id) if orders else None

    def _cancel(self) -> None:
        if found := self._open():
            self.floor.cancel(found[0], order_id=found[1])

    def _amend(self) -> None:
        if found := self._open():
            moves = self.random.random() < 0.5
            self.floor.amend(found[0], order_id=found[1], size=self._size(),
                             price=self._near() if moves else 0)

    def _cancel_all(self) -> None:
        self.floor.cancel_all(
            self.random.choice(ACCOUNTS), self.random.choice(("", self.native)))

    def _money(self) -> None:
        name, asset = self.random.choice(ACCOUNTS), self.random.choice(list(self._first))
        free, first = self.exchange.balance(name, asset)[0], self._first[asset]
        amount = self.random.randint(0, first // 2)
        self.floor.transfer(name, asset, amount if free < first // 4 else -min(amount, free // 2))

    def _fund(self) -> None:
        if self.exchange.listed[self.native].symbol.perpetual:
            self.floor.fund(self.native, self.random.randint(-9000, 9000))

    # --- troubles ------------------------------------------------------------------------------

    def _wait(self) -> None:
        """Let standing faults begin and end."""
        self.clock.advance(10 * STEP_NS)
        self.faults.standing(self.clock.mono_ns())
        self.floor.tick()

    def _trouble(self) -> None:
        random, now_s = self.random, self.faults.seconds(self.clock.mono_ns())
        dice = random.random()
        venue = self.line.venue
        if dice < 0.6:
            fault = Fault(venue, random.choice(SPOILS), count=random.randint(1, 5))
        elif dice < 0.97:
            fault = Fault(venue, random.choice(RULES), start_s=now_s, end_s=now_s + 0.5)
        else:
            fault = Fault(venue, random.choice(ENDS), count=1)
        self.faults.add(fault)


class Soak:
    """All three stages."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311  not a secret
        pair = Pair.parse("ETH/USD")
        recorded = Line("kraken", pair, native_of("kraken", pair), price_decimals=2,
                        size_decimals=4, started=False)
        recorded.tick_decimals, recorded.lot_decimals = 2, 4
        self.stages = [
            Stage(invented_line("binance", "BTC/USDT"), 640_000, 5_000, seed),
            Stage(invented_line("binance-usdm", "ETH/USDT:USDT"), 240_000, 5_000, seed),
            Stage(recorded, 240_000, 30_000, seed),
        ]

    def run(self, operations: int) -> None:
        """Do so many operations, each checked; AssertionError is a found bug."""
        for number in range(operations):
            stage = self.random.choice(self.stages)
            stage.step()
            stage.check()
            if number % AUDIT_EVERY == 0:
                stage.check_all()
        for stage in self.stages:
            stage.check_all()
            audit_ledger(stage.exchange)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the soak, print its figures, return 0; an AssertionError is a found bug."""
    parser = argparse.ArgumentParser(prog="python -m ops.sim.soak", description=__doc__)
    parser.add_argument("--operations", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    clock = SystemClock()
    soak, began_ns = Soak(options.seed), clock.mono_ns()
    soak.run(options.operations)
    took_s = (clock.mono_ns() - began_ns) / 1e9
    print(f"{options.operations:,} operations, seed {options.seed}: every invariant held")
    print(f"{took_s:.1f} s, {options.operations / took_s:,.0f} checked operations/s")
    for stage in soak.stages:
        ledger = stage.exchange.ledger
        print(f"{stage.line.venue} {stage.native}: {ledger.count:,} transactions")
        for asset in sorted(stage.exchange.assets):
            outside, fees = -sum(ledger.purse(EXTERNAL, asset)), sum(ledger.purse(FEES, asset))
            print(f"  {asset}: {outside:,} brought in, {fees:,} of it fees, sum over all owners 0")
        for name, times in sorted((stage.face.shadow.seen + Counter(stage.faults.struck)).items()):
            print(f"  {name:50} {times:>12,}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
