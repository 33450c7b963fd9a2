"""A trading account on a busy day: real state, journal, books and gate, over a made-up market.

Five venues of two symbols each, books in memory of the layout that runs use; 10,000 plans that
closed in the last 24 hours, 50 that are open, 200 live orders, 40 balances.
"""

import mmap
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from engine.config import Config, instruments
from engine.model.clock import SystemClock
from engine.model.instrument import Instrument
from engine.runtime.memory import Memory
from exec import records as r
from exec.books import LiveBooks
from exec.core import ports as p
from exec.core.core import Core, Signal
from exec.core.recovery import begin
from exec.core.sender import WhenDurable, client_id
from exec.core.settings import Settings
from exec.flags import RunFlags
from exec.gate.limits import Limits
from exec.journal.log import JournalLog
from exec.journal.writer import Journal
from exec.state.state import State
from shm.board import ControlView
from shm.book import (
    ASK_COUNT,
    BID_COUNT,
    HEAD_WORDS,
    PUBLISH_MONO_NS,
    RECV_MONO_NS,
    column_words,
    publish_begin,
    publish_end,
    publish_quote,
    set_state,
)
from shm.layout import BookState, EngineState, InstrumentStatus, Strategy, TradingState

VENUES: Final = ("binance", "okx", "kraken", "coinbase", "binance-usdm")
SYMBOLS: Final = {"BTC/USDT": 6_000_000, "ETH/USDT": 300_000}  # and the middle of their books
PRICE_DECIMALS, SIZE_DECIMALS = 2, 5
PASSED, OPEN, LIVE_PER_PLAN = 10_000, 50, 4
ASSETS: Final = ("USDT", "BTC", "ETH", "USDC", "BNB", "SOL", "XRP", "EUR")
SIZE: Final = 1_000
PLENTY: Final = 10**15
MS: Final = 1_000_000
SECOND: Final = 1_000_000_000
DAY_NS: Final = 86_400 * SECOND
ALIVE_NS: Final = 2**62  # feeds that beat then are alive for ever
LIMITS: Final = Limits(
    order_notional_max=PLENTY, plan_notional_max=PLENTY, price_collar_ppm=50_000, edge_min_ppm=1,
    edge_max_ppm=10**6, profit_max=PLENTY, signal_age_ns_max=SECOND, venue_gross_max=PLENTY,
    asset_net_max=PLENTY, strategy_gross_max=PLENTY, total_gross_max=PLENTY,
    open_orders_max=10_000, unhedged_max=PLENTY, orders_per_s_max=1_000_000,
    cancel_reserve_ppm=200_000, loss_day_max=PLENTY, loss_hour_max=PLENTY,
    losses_in_row_max=10**6, cautious_ppm=500_000, loss_plan_max=PLENTY, turnover_day_max=PLENTY,
    plans_open_max=10_000, drift_ppm_max=10**6, rejects_max=10_000, executions_max=10_000,
    repeats_window_ns=SECOND)
SETTINGS: Final = Settings(
    engine="bench", mode="live", config="c", limits=LIMITS, policy="best", order="together",
    plan_deadline_ns=3_600 * SECOND, collar_ppm=30_000, slack_ppm=3_000, attempts_max=8,
    retry_ns=100 * MS, hold_max=0, answer_max_ns=3_600 * SECOND, proof_margin_ns=SECOND,
    request_life_ns=5 * SECOND, query_first_ns=50 * MS, query_max_ns=2 * SECOND,
    survey_ns=3_600 * SECOND, drift_surveys_max=2, dead_man_ms=0, breaker_failures_max=10**6,
    breaker_open_ns=SECOND, fee_reserve_ppm=2_000, cool_down_ns=0)


def place_of(venue: str, symbol: str) -> str:
    """Return what a pair is called at a venue: its perpetual at Binance USD-M."""
    return f"{symbol}:USDT" if venue == "binance-usdm" else symbol


def _config() -> Config:
    return msgspec.convert({
        "name": "bench",
        "venues": {name: {"symbols": [place_of(name, each) for each in SYMBOLS]}
                   for name in VENUES},
        "pairs": {each: {"price-decimals": PRICE_DECIMALS, "size-decimals": SIZE_DECIMALS}
                  for each in SYMBOLS},
        "detector": {"edge-min-ppm": 0, "edge-max-ppm": 10**6, "notional-max": {"USDT": 1e6},
                     "notional-min": {"USDT": 10.0}, "book-age-ms-max": 86_400_000.0},
        "execution": {"edge-min-ppm": 0}, "wait": {"strategy": "yield"},
    }, Config)


class Market:
    """Books of which Binance's best ask always lies below OKX's best bid."""

    def __init__(self) -> None:
        config = _config()
        self.table: Sequence[Instrument] = instruments(config)
        control = np.frombuffer(mmap.mmap(-1, ControlView.SIZE), np.int64)  # forked ones share it
        self.memory = memory = Memory.plain(config, self.table)._replace(
            control=ControlView(control))
        self.depth = config.books.depth
        memory.control.engine["state"] = EngineState.RUNNING
        memory.control.engine["trading_state"] = TradingState.ACTIVE
        memory.control.strategies[Strategy.CROSS]["enabled"] = 1
        for at in range(len(VENUES)):
            memory.control.venues[at]["enabled"] = 1
            memory.control.processes[at]["heartbeat_mono_ns"] = ALIVE_NS
        for each in self.table:
            row = memory.rows[each.index]
            row["price_decimals"], row["size_decimals"] = PRICE_DECIMALS, SIZE_DECIMALS
            row["status"], row["enabled"] = InstrumentStatus.TRADING, 1
            row["tick"], row["lot"], row["size_min"], row["taker_fee_ppm"] = 1, 1, 1, 1_000
            books = memory.feeds[each.venue_index].books
            set_state(books.words, books.base(each.local_index), BookState.LIVE, 0, 1)
        self.publish()
        self.clock = SystemClock()
        self.books = LiveBooks(config, self.table, memory, self.clock)
        self.books.walk(VENUES[0], "BTC/USDT", 1, 1)  # compiles

    def publish(self) -> None:
        """Let every feed publish its book anew, as received now."""
        now_ns = SystemClock().mono_ns()
        for each in self.table:
            middle = SYMBOLS[each.name.partition(":")[0]] + each.venue_index * 500
            books = self.memory.feeds[each.venue_index].books
            self._book(books.words, books.base(each.local_index), middle, now_ns)

    def _book(self, words: "np.typing.NDArray[np.int64]", base: int, mid: int, now: int) -> None:
        slot, column = publish_begin(words, base, self.depth), column_words(self.depth)
        words[slot + RECV_MONO_NS] = words[slot + PUBLISH_MONO_NS] = now
        words[slot + BID_COUNT] = words[slot + ASK_COUNT] = self.depth
        steps = np.arange(1, self.depth + 1) * 10
        for side, prices in enumerate((mid - steps, mid + steps)):
            at = slot + HEAD_WORDS + 2 * side * column
            words[at : at + self.depth] = prices
            words[at + column : at + column + self.depth] = 100_000
        publish_end(words, base, slot)
        publish_quote(words, base, self.depth, now, now, 1, 0, mid - 10, 100_000, mid + 10,
                      100_000, 2)


def at_once(_number: int, action: Callable[[], None]) -> None:
    """Act: the records are as safe as the level ``process`` makes them."""
    action()


class Account:
    """State, journal, flags and core, as an execution process has them."""

    def __init__(
        self, market: Market, folder: Path, passed: int = PASSED, *, busy: bool = True
    ) -> None:
        """Begin with so many plans that closed in the last day; nothing is open unless ``busy``."""
        self.market, self.clock = market, SystemClock()
        self.journal = Journal(folder / "journal", self.clock, boot=1)
        self.state = State()
        self.log = JournalLog(self.journal, self.state, self.clock)
        self.control = market.memory.control
        self.flags = RunFlags(self.control, market.memory.rows, market.table)
        self._since_ns = self.clock.unix_ns()
        begin(self.log, self.state, SETTINGS, [
            r.Listed(each.venue, each.name, each.name, each.pair.base, each.pair.quote,
                     "USDT" if ":" in each.name else "", PRICE_DECIMALS, SIZE_DECIMALS)
            for each in market.table], unix_ns=self._since_ns, pid=1)
        self._make_past(passed)
        if busy:
            self._make_present()
        self._sequence = 0

    def start(
        self, gateways: Mapping[str, p.Gateway], when_durable: WhenDurable = at_once
    ) -> None:
        """Give it a core."""
        self.core = Core(
            self.log, self.state, {**gateways}, self.market.books, self.flags, self.clock, SETTINGS,
            when_durable)

    # --- what was before -----------------------------------------------------------------------

    def _make_past(self, passed: int) -> None:
        """Let plans have closed, the last 24 hours long, each with two orders and two fills."""
        for at in range(passed):
            now = self._since_ns - DAY_NS * (passed - at) // max(passed, 1)
            for record in self._closed_plan(at % 7 < 4):
                self.journal.append(r.kind_of(record), r.encode(record), now)
                self.state.apply(record, now)

    def _closed_plan(self, won: bool) -> Iterator[r.Record]:
        plan = self.log.next_sequence
        buy, sell = self._leg("binance", 1), self._leg("okx", -1)
        yield r.Planned(plan, 9, plan, Strategy.CROSS, (buy, sell), "best", (), DAY_NS, 1_000)
        for index, leg in enumerate((buy, sell)):
            order = self.log.next_sequence
            yield self._intent(order, plan, index, leg, r.Tif.IOC)
            yield r.Sent(order, "ws")
            yield r.Acknowledged(order, f"v{order}")
            yield r.Filled(order, leg.venue, leg.symbol, f"p{order}", leg.side, leg.price, SIZE,
                           "0.0006", "USDT", True, 1, "stream")
        yield r.PlanClosed(plan, "done", 0, 1_000 if won else -900)

    def _make_present(self) -> None:
        """Let plans be open, each with orders that rest, part of which is filled; and balances."""
        for at in range(OPEN):
            plan = self.log.next_sequence
            legs = (self._leg("binance", 1), self._leg("okx", -1))
            self.log.append(r.Planned(
                plan, 9, plan, Strategy.CROSS, legs, "best", (), DAY_NS, 1_000))
            for index in range(LIVE_PER_PLAN):
                venue = VENUES[(at + index) % len(VENUES)]
                leg = self._leg(venue, 1 if index % 2 else -1, away=20_000 + 100 * at)
                order = self.log.next_sequence
                self.log.append(self._intent(order, plan, index % 2, leg, r.Tif.GTC))
                self.log.append(r.Sent(order, "ws"))
                self.log.append(r.Acknowledged(order, f"v{order}"))
                self.log.append(r.Filled(
                    order, leg.venue, leg.symbol, f"p{order}", leg.side, leg.price, SIZE // 10,
                    "0.0006", "USDT", False, 1, "stream"))
        for venue in VENUES:
            for asset in ASSETS:
                self.log.append(r.Counted(venue, asset, "100000000", "0", "survey"))

    def _leg(self, venue: str, side: int, *, away: int = 0) -> r.Leg:
        """Return a leg that crosses the book by 20 quanta, or lies ``away`` behind it."""
        price = SYMBOLS["BTC/USDT"] + VENUES.index(venue) * 500 + side * (20 - away)
        return r.Leg(venue, place_of(venue, "BTC/USDT"), side, price, SIZE, price)

    def _intent(self, order: int, plan: int, index: int, leg: r.Leg, tif: r.Tif) -> r.Intended:
        return r.Intended(
            order, plan, index, leg.venue, leg.symbol, leg.side, leg.price, leg.size, tif, False,
            False, client_id(self.state.birth, order), 1, self._since_ns, "enter")

    # --- what happens --------------------------------------------------------------------------

    def signal(self, buy: str = "binance", sell: str = "okx") -> Signal:
        """Return a new signal: buy at one venue, sell at another."""
        self._sequence += 1
        legs = tuple(
            r.LegSeen(leg.venue, leg.symbol, leg.side, leg.price, leg.size, 1)
            for leg in (self._leg(buy, 1), self._leg(sell, -1)))
        now = self.clock.mono_ns()
        return Signal(1, self._sequence, Strategy.CROSS, 1, now, now + SECOND // 2, legs, 800,
                      10_000)
