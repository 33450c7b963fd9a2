"""Hand-made books in shared memory, public trades, and a paper venue or gateway upon them."""

from collections.abc import Sequence
from random import Random
from typing import Any, Final

import msgspec
import numpy as np
import structlog

from bench.histories.world import LIMITS
from engine.model.clock import ManualClock
from exec import records as r
from exec.books import LiveBooks
from exec.core import ports as p
from exec.gate.approval import Approval, Gate
from exec.gate.checks import Place, Proposal, Proposed, Purpose, Situation
from exec.gateways.codec import Listing
from exec.gateways.dry import DryGateway
from exec.gateways.paper import PaperGateway
from exec.paper.account import Account
from exec.paper.lanes import Latency
from exec.paper.prints import Prints
from exec.paper.venue import Venue
from exec.state import State, money
from shm.layout import TRADE, WORD, BookState, TradingState, words_in
from shm.ring import RecordRing, ring_size
from tests.engine.detect.world import Levels, World, make_config

MS: Final = 1_000_000
SECOND: Final = 1_000_000_000
START: Final = 1_800_000_000 * SECOND
BTC, PERP = "BTC/USDT", "BTC/USDT:USDT"
BIDS: Final[Levels] = [(9_990, 50), (9_980, 100)]
ASKS: Final[Levels] = [(10_000, 50), (10_010, 100)]
RICH: Final = {"BTC": "10", "USDT": "100000"}
LATENCY: Final = Latency(order_ns=3 * MS, ack_ns=2 * MS, cancel_ns=1 * MS)


class Flags:
    """The kill word; nothing is paused."""

    kill = False

    def killed(self) -> bool:
        return self.kill

    def paused(self, _venue: str, _symbol: str, _strategy: str) -> tuple[bool, bool]:
        return False, False


class Scene:
    """Venues that list BTC/USDT with prices of 0.01 and sizes of 0.00001; books are LIVE."""

    def __init__(
        self, venues: Sequence[str] = ("a", "b"), *, symbols: Sequence[str] = (BTC,),
        fees: tuple[int, int] = (1_000, 0), **settings: Any,
    ) -> None:
        """``fees``: taker's and maker's, in ppm."""
        self.world = World(make_config(
            {venue: [*symbols] for venue in venues}, decimals=(2, 5), **settings))
        self.clock = ManualClock(mono_ns=SECOND, unix_ns=START)
        self.books = LiveBooks(
            self.world.config, self.world.table, self.world.memory, self.clock)
        self.rings: dict[str, RecordRing] = {}
        for venue in venues:
            words = np.zeros(ring_size(words_in(TRADE), 64) // WORD, np.int64)
            RecordRing.format(words, 64)
            self.rings[venue] = RecordRing(words, TRADE)
        self.index = {(each.venue, each.name): each.index for each in self.world.table}
        for index in self.index.values():
            row = self.world.rows[index]
            row["taker_fee_ppm"], row["maker_fee_ppm"] = fees
        self.flags, self.told = Flags(), list[p.Report]()
        self.listed = [
            r.Listed(each.venue, each.name, each.name, each.pair.base, each.pair.quote,
                     each.pair.settle, each.price_decimals, each.size_decimals)
            for each in self.world.table]
        self._sent = 0
        self.beat()
        for venue, symbol in self.index:
            self.book(venue, BIDS, ASKS, symbol)

    # --- the market ----------------------------------------------------------------------------

    def beat(self) -> None:
        self.world.beat(self.clock.mono_ns())

    def pass_ns(self, ns: int) -> None:
        self.clock.advance(ns)
        self.beat()

    def book(self, venue: str, bids: Levels, asks: Levels, symbol: str = BTC) -> None:
        self.world.book(self.index[venue, symbol], bids, asks, now_ns=self.clock.mono_ns())

    def state(self, venue: str, state: BookState, symbol: str = BTC) -> None:
        self.world.state(self.index[venue, symbol], state)

    def print(self, venue: str, side: int, price: int, size: int, symbol: str = BTC) -> None:
        """Print a public trade; ``side`` is the taker's."""
        record = np.zeros(1, TRADE)
        record["price"], record["size"], record["side"] = price, size, side
        record["instrument"] = self.index[venue, symbol]
        self.rings[venue].push(record.view(np.int64))

    # --- orders --------------------------------------------------------------------------------

    def order(self, venue: str, side: int, price: int, size: int, **changes: Any) -> r.Intended:
        """Return an order IOC that may live for a minute."""
        self._sent += 1
        intended = r.Intended(
            self._sent, 1, 0, venue, changes.pop("symbol", BTC), side, price, size, r.Tif.IOC,
            False, False, f"t1x{self._sent}", 0, self.clock.unix_ns() + 60 * SECOND,
            Purpose.OPERATOR)
        return msgspec.structs.replace(intended, **changes)

    def listings(self, venue: str) -> list[Listing]:
        return [Listing(each.symbol, each.native, each.base, each.quote, each.settle,
                        each.price_decimals, each.size_decimals)
                for each in self.listed if each.venue == venue]

    def prints(self, venue: str) -> Prints:
        return Prints(self.rings[venue], {
            index: symbol for (where, symbol), index in self.index.items() if where == venue})

    def venue(
        self, name: str, balances: dict[str, str] | None = None, state: State | None = None
    ) -> Venue:
        """Return a venue without latency; what it says is in ``told``."""
        amounts = {asset: money(text) for asset, text in (balances or RICH).items()}
        journal = state or State()
        return Venue(
            Account(name, self.listings(name), amounts, journal), self.books, self.prints(name),
            journal, self.clock, answer=self.told.append, stream=self.told.append)

    def gateway(
        self, name: str, state: State | None = None, *, latency: Latency = LATENCY, seed: int = 1,
        balances: dict[str, str] | None = None,
    ) -> PaperGateway:
        return PaperGateway(
            name, self.listings(name), self.books, self.prints(name), balances or RICH,
            state or State(), latency, flags=self.flags, clock=self.clock, random=Random(seed),
            log=structlog.get_logger())

    def dry(self, name: str, state: State | None = None) -> DryGateway:
        return DryGateway(
            name, self.listings(name), self.books, RICH, state or State(), clock=self.clock,
            log=structlog.get_logger())

    # --- what was said -------------------------------------------------------------------------

    def take(self, kind: type[Any]) -> list[Any]:
        """Return what was told of a kind since, and forget all that was told."""
        found = [each for each in self.told if isinstance(each, kind)]
        self.told.clear()
        return found

    def fills(self) -> list[tuple[int, int]]:
        """Return price and size of the fills since, and forget all that was told."""
        return [(each.price, each.size) for each in self.take(p.Traded)]


def approved(order: r.Intended) -> tuple[r.Intended, Proposed, Approval]:
    """Return an order with what the gate gives with it."""
    proposed = Proposed(
        order.venue, order.symbol, order.side, order.price, order.size, 700, "USDT", 701)
    gate = Gate(LIMITS, life=1)
    judged = gate.judge(
        Proposal(Purpose.OPERATOR, "operator", (proposed,)),
        Situation(0, False, TradingState.ACTIVE, (
            Place(touch=order.price, reference=order.price, free=10_000, tokens=9),)))
    assert isinstance(judged, tuple), judged
    assert gate.admits(judged[0], proposed, order.purpose)
    return msgspec.structs.replace(order, approval=judged[0].token), proposed, judged[0]
