"""A core between a venue that says what a test says, and books that show what a test sets."""

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from bench.histories.world import SETTINGS, middle_of
from exec import records as r
from exec.core import ports as p
from exec.core.core import Core, Signal
from exec.core.recovery import begin, replay
from exec.core.settings import Settings
from exec.gate.approval import Approval
from exec.gate.checks import Proposed, Refusal
from exec.journal.file import Record as Stored
from exec.state import Order
from shm.layout import Strategy, TradingState

SYMBOL = "BTC/USDT"
PERPETUAL = "BTC/USDT:USDT"
START_NS = 1_800_000_000 * 10**9
MS = 1_000_000
S = 1_000 * MS
ASK, BID = 6_000_100, 6_000_000  # of both venues, unless a test moves them
DEEP = 10_000


_R = TypeVar("_R", bound=r.Record)


class Venue:
    """A gateway that keeps what it is told."""

    def __init__(self, venue: str, rig: "Rig") -> None:
        self.venue, self._rig = venue, rig
        self.placed: list[r.Intended] = []
        self.cancelled: list[r.Intended] = []
        self.asked: list[r.Intended] = []
        self.surveys = self.cancelled_all = 0
        self.takes = True  # False: not a byte leaves

    def place(self, order: r.Intended, _proposed: Proposed, _approval: Approval) -> str:
        """Keep an order."""
        if self.takes:
            self.placed.append(order)
        return "ws" if self.takes else ""

    def cancel(self, order: r.Intended, _venue_order: str) -> str:
        """Keep a cancel."""
        self.cancelled.append(order)
        return "ws"

    def cancel_all(self) -> None:
        """Count it."""
        self.cancelled_all += 1

    def query(self, order: r.Intended, _venue_order: str) -> None:
        """Keep a question."""
        self.asked.append(order)

    def survey(self, _since_unix_ns: int) -> None:
        """Count it."""
        self.surveys += 1

    def arm(self, _timeout_ms: int) -> None:
        """Have no dead-man switch."""


class Rig:
    """The core, what it is plugged into, and the venues' words."""

    def __init__(self, stored: Sequence[Stored] = (), *, now_ns: int = START_NS, **changes: Any
                 ) -> None:
        self.now_ns = now_ns
        self.stored = [*stored]
        self.venues = {name: Venue(name, self) for name in "ab"}
        self.touches = {(venue, symbol): (BID, ASK)
                        for venue in "ab" for symbol in (SYMBOL, PERPETUAL)}
        self.depths = dict.fromkeys(self.touches, DEEP)
        self.kill = False
        limits = msgspec.structs.replace(SETTINGS.limits, **{
            name: value for name, value in changes.items()
            if name in SETTINGS.limits.__struct_fields__})
        self.settings: Settings = msgspec.structs.replace(SETTINGS, limits=limits, **{
            name: value for name, value in changes.items()
            if name in SETTINGS.__struct_fields__})
        self.state = replay(self.stored)
        begin(self, self.state, self.settings, [
            r.Listed(venue, symbol, symbol, "BTC", "USDT", "USDT" if symbol == PERPETUAL else "",
                     2, 5)
            for venue, symbol in self.touches], unix_ns=self.now_ns, pid=1)
        self.core = Core(
            self, self.state, dict(self.venues), self, self, self, self.settings,
            lambda _number, action: action())
        self._sequence = len(self.stored)
        for name in self.venues:
            self.tell(p.Ready(name, ""))
            self.tell(p.Listing(name, ()))
            for asset in ("BTC", "USDT"):
                if (name, asset) not in self.state.counts:
                    self.append(r.Counted(name, asset, "1000000", "0", "query"))

    # --- what the core is plugged into ---------------------------------------------------------

    @property
    def next_sequence(self) -> int:
        """Return the number of the next record."""
        return len(self.stored) + 1

    def append(self, record: r.Record) -> int:
        """Write and apply a record."""
        self.stored.append(Stored(
            self.next_sequence, self.now_ns, r.kind_of(record), r.encode(record)))
        self.state.apply(record, self.now_ns)
        return len(self.stored)

    def mono_ns(self) -> int:
        """Return the time since the start."""
        return self.now_ns - START_NS

    def unix_ns(self) -> int:
        """Return the time."""
        return self.now_ns

    def quote(self, venue: str, symbol: str) -> p.Quote:
        """Return the touch as it was set."""
        bid, ask = self.touches[venue, symbol]
        return p.Quote(bid, ask, 0, 1)

    def middle(self, venues: tuple[str, ...], symbol: str) -> int:
        """Return the median middle."""
        return middle_of(self, venues, symbol)

    def walk(self, venue: str, symbol: str, side: int, size: int) -> tuple[int, int, int]:
        """Return one level of the depth that was set."""
        bid, ask = self.touches[venue, symbol]
        there, price = min(size, self.depths[venue, symbol]), ask if side > 0 else bid
        return there, price, there * price

    def rules(self, _venue: str, _symbol: str) -> tuple[int, int, int, int]:
        """Return tick, lot and the least size."""
        return 1, 10, 10, 0

    def taker_fee_ppm(self, _venue: str, _symbol: str) -> int:
        """Return the fee."""
        return 1_000

    def rate(self, asset: str) -> int:
        """Return fixed rates."""
        return {"USDT": 10**6, "BTC": 60_000 * 10**6}[asset]

    def killed(self) -> bool:
        """Return the kill word."""
        return self.kill

    def paused(self, _venue: str, _symbol: str, _strategy: str) -> tuple[bool, bool]:
        """Return that nothing is paused."""
        return False, False

    # --- what tests do -------------------------------------------------------------------------

    def tell(self, report: p.Report) -> None:
        """Let a venue say something."""
        self.core.on_report(report)

    def wait(self, ns: int) -> None:
        """Let time pass, in one step."""
        self.now_ns += ns
        self.core.on_timer()

    def signal(self, size: int = 100, *, buy: str = "a", sell: str = "b") -> Refusal | None:
        """Bring a signal to buy at one venue and sell at the other."""
        self._sequence += 1
        legs = (r.LegSeen(buy, SYMBOL, 1, ASK, size, 1), r.LegSeen(sell, SYMBOL, -1, BID, size, 1))
        now = self.mono_ns()
        return self.core.on_signal(Signal(
            1, self._sequence, Strategy.CROSS, 1, now, now + 300 * MS, legs, 100, 1))

    def last(self, venue: str) -> r.Intended:
        """Return the order that a venue got last."""
        return self.venues[venue].placed[-1]

    def order(self, intent: r.Intended) -> Order:
        """Return how an order stands."""
        return self.state.orders[intent.order]

    def accept(self, intent: r.Intended) -> None:
        """Acknowledge an order."""
        self.tell(p.Accepted(intent.venue, intent.client_id, f"v{intent.order}"))

    def fill(self, intent: r.Intended, size: int, *, price: int = 0, realised: str = "") -> None:
        """Fill some of an order."""
        self.tell(p.Traded(
            intent.venue, intent.symbol, intent.client_id, f"v{intent.order}",
            f"t{len(self.stored)}", intent.side, price or intent.price, size, "0", "USDT", True,
            self.now_ns, "stream", realised))

    def end(self, intent: r.Intended, how: str = "expired") -> None:
        """End an order with what it filled so far."""
        self.tell(p.Over(intent.venue, intent.client_id, f"v{intent.order}", how,
                         self.order(intent).booked, "stream"))

    def trading(self) -> TradingState:
        """Return the trading state."""
        return self.core.trading.now

    def records(self, kind: type[_R]) -> list[_R]:
        """Return what the journal holds of a kind."""
        found = (r.decode(each.payload) for each in self.stored)
        return [each for each in found if isinstance(each, kind)]
