"""A world in one thread: virtual time, two venues, a market, a core that may die at any record."""

import heapq
from collections.abc import Callable
from random import Random
from statistics import median

import msgspec

from bench.histories.twin import counted_anew, sums_of
from bench.histories.venue import ACCOUNT, MONEY, MS, SYMBOL, Network, Venue
from exec import records as r
from exec.core import ports as p
from exec.core.core import Core, Signal
from exec.core.recovery import begin, replay
from exec.core.settings import Settings
from exec.gate.limits import Limits
from exec.journal.file import Record as Stored
from exec.orders import State as OrderState
from exec.state import MONEY_DECIMALS, State
from shm.layout import Strategy, TradingState, Veto

START_NS = 1_800_000_000 * 10**9
PLENTY = 10**15
CALM_STEPS = 15  # of 4.1 s: a minute
LIMITS = Limits(
    order_notional_max=PLENTY, plan_notional_max=PLENTY, price_collar_ppm=50_000,
    edge_min_ppm=-10**6, edge_max_ppm=10**6, profit_max=PLENTY, signal_age_ns_max=500 * MS,
    venue_gross_max=PLENTY,
    asset_net_max=PLENTY, strategy_gross_max=PLENTY, total_gross_max=PLENTY, open_orders_max=50,
    unhedged_max=PLENTY, orders_per_s_max=1_000, cancel_reserve_ppm=200_000, loss_day_max=PLENTY,
    loss_hour_max=PLENTY, losses_in_row_max=10**6,
    loss_plan_max=PLENTY, turnover_day_max=PLENTY, plans_open_max=10**6, drift_ppm_max=10**6,
    rejects_max=10**6, executions_max=10**6, repeats_window_ns=60_000 * MS, cautious_ppm=500_000)
SETTINGS = Settings(
    engine="t", mode="paper", config="c", limits=LIMITS, policy="best", order="together",
    plan_deadline_ns=40_000 * MS, collar_ppm=30_000, slack_ppm=3_000, attempts_max=8,
    retry_ns=100 * MS, hold_max=0,
    answer_max_ns=2_000 * MS, proof_margin_ns=1_000 * MS, request_life_ns=5_000 * MS,
    query_first_ns=50 * MS, query_max_ns=2_000 * MS, survey_ns=1_000 * MS, drift_surveys_max=2,
    dead_man_ms=0, breaker_failures_max=10**6, breaker_open_ns=1_000 * MS, fee_reserve_ppm=2_000,
    cool_down_ns=0)


class Crash(BaseException):
    """kill -9, as a simulated process feels it."""


class World:
    """Everything of one seed."""

    def __init__(
        self, seed: int, network: Network, *, core: type[Core] = Core, crashes: int = 0,
        order: str = "together",
    ) -> None:
        self.draw, self._now = Random(seed), START_NS  # noqa: S311
        self._events: list[tuple[int, int, int, Callable[[], None]]] = []
        self._serial = self._generation = 0
        self.stored: list[Stored] = []
        self._shadow = State()
        self._doubtful_ns: dict[str, int] = {}  # by venue: until when
        self.answered: set[tuple[str, str]] = set()
        self._core_type = core
        self._settings = msgspec.structs.replace(SETTINGS, order=order)
        self.crashes = crashes
        self._fuse = -1
        self.venues = {name: Venue(name, self, network, Random(f"{seed}{name}"))  # noqa: S311
                       for name in "ab"}
        self.mid = 6_000_000
        self._sequence = 0
        self.kill = False
        self.halts: list[str] = []
        self.refusals: dict[str, int] = {}
        for name in self.venues:
            self._quote(name)
        self.core = self._born()

    # --- time ----------------------------------------------------------------------------------

    def mono_ns(self) -> int:
        """Return virtual time since the start."""
        return self._now - START_NS

    def unix_ns(self) -> int:
        """Return virtual time."""
        return self._now

    def at(self, wait_ns: int, action: Callable[[], None]) -> None:
        """Act later, whether the core lives then or not."""
        self._push(wait_ns, -1, action)

    def report_later(self, wait_ns: int, make: Callable[[], p.Report | None]) -> None:
        """Report to this life of the core; a dead one hears nothing."""
        def act() -> None:
            report = make()
            if report is not None:
                self.core.on_report(report)

        self._push(wait_ns, self._generation, act)

    def _push(self, wait_ns: int, generation: int, action: Callable[[], None]) -> None:
        self._serial += 1
        heapq.heappush(self._events, (self._now + wait_ns, self._serial, generation, action))

    def run(self, ns: int, *, trade: bool) -> None:
        """Let time pass: market moves and signals, timers every 20 ms, whatever is due between."""
        until = self._now + ns
        next_turn = self._now
        while self._now < until:
            if self._events and self._events[0][0] <= next_turn:
                self._now, _, generation, action = heapq.heappop(self._events)
                if generation in (-1, self._generation):
                    self._guard(action)
                continue
            self._now = next_turn
            next_turn += (20 if trade else 250) * MS
            self._guard(self.core.on_timer)
            self._move(trade=trade)
            if trade:
                self._act()

    def _guard(self, action: Callable[[], None]) -> None:
        try:
            action()
        except Crash:
            self._fuse = -1
            self._generation += 1  # whatever was to be told to the dead is told to nobody
            self.core = self._born()

    def _move(self, *, trade: bool) -> None:
        self.mid += self.draw.randint(-300, 300)
        self._quote(self.draw.choice((*self.venues,)))
        if trade and self.draw.random() < 0.06:  # a book is not to be believed for a while
            name, ns = self.draw.choice((*self.venues,)), self.draw.randint(1, 60) * MS
            self.at(self.draw.randint(0, 19) * MS, lambda: self._distrust(name, ns))

    def _act(self) -> None:
        """Bring a signal now and then, and light the fuse of a crash."""
        if self.draw.random() < 0.2:
            self._guard(self._signal)
        if self.crashes and self._fuse < 0 and self.draw.random() < 0.05:
            self.crashes -= 1
            self._fuse = self.draw.randint(0, 12)

    def _distrust(self, name: str, ns: int) -> None:
        self._doubtful_ns[name] = self._now + ns

    def doubtful(self, venue: str) -> bool:
        """Return whether a venue's book is not to be believed now."""
        return self._now < self._doubtful_ns.get(venue, 0)

    def _quote(self, name: str) -> None:
        """Move all that a venue's market shows."""
        shift = self.draw.randint(-900, 900)
        exchange, now = self.venues[name].exchange, self._now
        book = exchange.listed[SYMBOL].book
        for side in (1, -1):
            for price in [*book.half(side).outside]:
                exchange.set_level(now, SYMBOL, side, price, 0)
            for step in range(1, 6):
                price = self.mid + shift - side * step * 120
                exchange.set_level(now, SYMBOL, side, price, self.draw.randint(1, 40) * 10)

    def _signal(self) -> None:
        """Signal whatever cross the books show, most of them worth nothing any more on arrival."""
        pairs = [("a", "b"), ("b", "a")]
        buy, sell = self.draw.choice(pairs)
        ask, bid = self.quote(buy, SYMBOL).ask, self.quote(sell, SYMBOL).bid
        if not ask or not bid:
            return
        self._sequence += 1
        size = self.draw.randint(1, 60) * 10
        legs = (r.LegSeen(buy, SYMBOL, 1, ask, size, 1), r.LegSeen(sell, SYMBOL, -1, bid, size, 1))
        now = self.mono_ns()
        refusal = self.core.on_signal(Signal(
            1, self._sequence, Strategy.CROSS, 1, now, now + 300 * MS, legs, 100, 1))
        if refusal is not None:
            self.refusals[refusal.check] = self.refusals.get(refusal.check, 0) + 1

    # --- journal -------------------------------------------------------------------------------

    @property
    def next_sequence(self) -> int:
        """Return the number of the next record."""
        return len(self.stored) + 1

    def append(self, record: r.Record) -> int:
        """Write and apply a record, unless the process dies before or after."""
        if self._fuse == 0 and self.draw.random() < 0.5:
            raise Crash  # before it is written
        payload = r.encode(record)
        self.stored.append(Stored(self.next_sequence, self._now, r.kind_of(record), payload))
        if self._fuse == 0:
            raise Crash  # after it was written, before anybody acted on it
        self._fuse -= self._fuse > 0
        self.state.apply(record, self._now)
        if isinstance(record, r.StateChanged):
            self.halts.append(record.why)
        return len(self.stored)

    def journaled(self, order: r.Intended) -> bool:
        """Return whether the journal holds an order that is about to leave."""
        if len(self.stored) < order.order:
            return False
        written = r.decode(self.stored[order.order - 1].payload)
        return isinstance(written, r.Intended) and written.client_id == order.client_id

    def may_hedge(self, order: r.Intended) -> bool:
        """Return whether a hedge is no more than is missing, whatever else may fill yet.

        By the journal: every other order of its plan has ended, but for the one that went first.
        """
        if order.purpose not in ("chase", "unwind"):
            return True
        state = self._written()
        plan = state.plans[order.plan]
        others = [state.orders[each] for each in plan.orders if each != order.order]
        alone = plan.planned.turns == "riskier-first"
        filled = sum(each.booked * each.intent.side for each in others)
        return order.size <= -filled * order.side and all(
            each.settled for each in others[alone:])

    def _written(self) -> State:
        """Return what the journal makes, by a fold that goes on where it stood."""
        for stored in self.stored[self._shadow.records :]:
            self._shadow.apply(r.decode(stored.payload), stored.unix_ns)
        return self._shadow

    def _born(self) -> Core:
        self.state = replay(self.stored)
        begin(self, self.state, self._settings, [
            r.Listed(name, SYMBOL, SYMBOL, "BTC", "USDT", "", 2, 5) for name in self.venues],
            unix_ns=self._now, pid=1)
        core = self._core_type(
            self, self.state, dict(self.venues), self, self, self, self._settings,
            lambda _number, action: self._durable(action))
        for name in self.venues:
            self.report_later(10 * MS, lambda name=name: p.Ready(name, ""))  # type: ignore[misc]
        return core

    def _durable(self, action: Callable[[], None]) -> None:
        """Let the journal be synced at once, or a moment later."""
        if self.draw.random() < 0.7:
            action()
        else:
            self._push(self.draw.randint(0, 8) * MS, self._generation, action)

    # --- books and flags -----------------------------------------------------------------------

    def quote(self, venue: str, symbol: str) -> p.Quote:
        """Return the touch of the matching engine's own book."""
        book = self.venues[venue].exchange.listed[symbol].book
        distrust = Veto.NOT_LIVE if self.doubtful(venue) else Veto.NONE
        return p.Quote(book.bids.best(), book.asks.best(), distrust, 1)

    def middle(self, venues: tuple[str, ...], symbol: str) -> int:
        """Return the median middle of the books that are believed."""
        return middle_of(self, venues, symbol)

    def walk(self, venue: str, symbol: str, side: int, size: int) -> tuple[int, int, int]:
        """Walk that book."""
        taken = worst = cost = 0
        for price, there in self.venues[venue].exchange.depth(symbol, -side, 100):
            if taken == size:
                break
            more = min(size - taken, there)
            taken, worst, cost = taken + more, price, cost + price * more
        return taken, worst, cost

    def rules(self, _venue: str, _symbol: str) -> tuple[int, int, int, int]:
        """Return tick, lot and the least size."""
        return 1, 10, 10, 0

    def taker_fee_ppm(self, _venue: str, _symbol: str) -> int:
        """Return the fee of every venue here."""
        return 1000

    def rate(self, asset: str) -> int:
        """Return fixed rates."""
        return {"USDT": 10**6, "BTC": 60_000 * 10**6}[asset]

    def killed(self) -> bool:
        """Return the kill word."""
        return self.kill

    def paused(self, _venue: str, _symbol: str, _strategy: str) -> tuple[bool, bool]:
        """Return that nothing is paused."""
        return False, False

    # --- the end -------------------------------------------------------------------------------

    def calm(self) -> None:
        """Let all faults stop and time pass: now everything must come right by itself."""
        self.crashes, self._fuse = 0, -1
        for venue in self.venues.values():
            venue.network, venue.cut = Network(), False
        self._rest()
        if self.state.trading == TradingState.HALTED:  # an operator looks and lets it go on
            self.core.resume(TradingState.ACTIVE, "looked at", "operator")
            self._rest()

    def _rest(self) -> None:
        """Let a minute pass, or less where nothing is open and nothing is on its way any more."""
        for _ in range(CALM_STEPS):
            self.run(4_100 * MS, trade=False)
            if not (self.state.live or self.state.open_plans or self._events):
                return

    def errors(self) -> list[str]:
        """Return what is wrong, by the venues' truth alone."""
        found = []
        for name, venue in self.venues.items():
            booked = sorted((key[2], trade.size, trade.price, trade.side)
                            for key, trade in self.state.trades.items() if key[0] == name)
            truth = sorted((str(fill.trade_id), fill.size, fill.price, fill.side)
                           for fill in venue.fills)
            if booked != truth:
                found.append(f"{name}: fills booked {len(booked)}, true {len(truth)}")
            twice = [client for client, count in venue.arrived.items() if count > 1]
            found += [f"{name}: order {client} placed twice" for client in twice]
            unknown = [client for client in venue.arrived
                       if (name, client) not in self.state.by_client]
            found += [f"{name}: order {client} is not in the journal" for client in unknown]
            for asset, first in venue.first.items():
                moved = sum(venue.exchange.balance(ACCOUNT, asset)) - first
                ours = self.state.holdings.get((name, asset), 0)
                if moved * 10 ** (MONEY_DECIMALS - MONEY) != ours:
                    found.append(f"{name}: {asset} moved {moved}, booked {ours}")
            if open_orders := venue.exchange.open_orders(ACCOUNT):
                found.append(f"{name}: {len(open_orders)} orders rest")
        changes = (each for each in map(r.decode, (each.payload for each in self.stored))
                   if isinstance(each, r.StateChanged))
        if any(each.overfilled for each in self.venues.values()) and not any(
                " filled " in each.why for each in changes):
            found.append("an overfill halted nobody")
        found += self._false_ends()
        doubts = [each for each in self.state.orders.values() if each.state is OrderState.UNKNOWN]
        found += [f"order {each.intent.order} is in doubt still" for each in doubts]
        found += [f"order {number} is not settled" for number in self.state.live]
        if self.state.open_plans:
            found.append(f"plans {sorted(self.state.open_plans)} are open still")
        again = replay(self.stored)
        if again.digest() != self.state.digest():
            found.append("a replay differs from the living state")
        if not sums_of(self.state) == sums_of(again) == counted_anew(self.state):
            found.append("a sum that the state keeps is not what counting anew gives")
        net = sum(trade.size * trade.side for trade in self.state.trades.values())
        if abs(net) > 10 * len(self.state.plans):
            found.append(f"{net} size quanta are unhedged")
        return found

    def _false_ends(self) -> list[str]:
        """Return orders that the journal says never were in a book, although they were."""
        found = []
        for stored in self.stored:
            record = r.decode(stored.payload)
            if isinstance(record, r.Unsent | r.Rejected) or (
                    isinstance(record, r.Proven) and record.found == r.Found.ABSENT):
                intent = self.state.orders[record.order].intent
                if intent.client_id in self.venues[intent.venue].arrived:
                    found.append(f"order {record.order} reached the book, and the journal says"
                                 f" {type(record).__name__}")
            elif isinstance(record, r.Ended):
                intent = self.state.orders[record.order].intent
                if any(fill.client_id == intent.client_id and fill.now_ns > stored.unix_ns
                       for fill in self.venues[intent.venue].fills):
                    found.append(f"order {record.order} filled after the journal ended it")
        return found


def middle_of(books: p.Books, venues: tuple[str, ...], symbol: str) -> int:
    """Return what ``Books.middle`` is to return, from quotes alone."""
    quotes = [books.quote(venue, symbol) for venue in venues]
    found = [each.bid + each.ask for each in quotes
             if each.bid and each.ask and not each.distrust]
    return int(median(found)) // 2 if found else 0
