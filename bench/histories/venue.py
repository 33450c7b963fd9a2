"""One simulated venue behind the core's ports: a real matching engine, a bad network."""

from random import Random
from typing import TYPE_CHECKING

import msgspec

from engine.model.quanta import from_quanta
from exec import records as r
from exec.core import ports as p
from exec.gate.approval import Approval
from exec.gate.checks import Proposed
from ops.sim.exchange.events import Ended, Event, Fill
from ops.sim.exchange.exchange import Exchange
from ops.sim.exchange.fees import FeeIn, Fees
from ops.sim.exchange.filters import Filters
from ops.sim.exchange.orders import BUY, SELL, Order, Request, Status, Tif
from ops.sim.exchange.symbols import Asset, spot

if TYPE_CHECKING:
    from bench.histories.world import World

MS = 1_000_000
MONEY = 18
ACCOUNT = "me"
RECORDS_MAX = 20_000  # no honest history is so long
SYMBOL = "BTC/USDT"
LOT = 10
TIFS = {r.Tif.GTC: Tif.GTC, r.Tif.IOC: Tif.IOC, r.Tif.FOK: Tif.FOK}


class Network(msgspec.Struct):
    """How often what goes wrong, in parts per thousand."""

    unsent: int = 0  # not a byte left
    lost_request: int = 0
    late_request: int = 0  # arrives after its deadline, most likely
    lost_answer: int = 0
    answer_5xx: int = 0
    lost_fill: int = 0  # of the stream
    late_fill: int = 0
    twice_fill: int = 0
    lost_over: int = 0
    lost_query: int = 0
    failed_listing: int = 0
    overfill: int = 0  # of orders that fill whole: a lot more than was asked for


class Venue:
    """An account at a matching engine, and a gateway to it."""

    def __init__(self, name: str, world: "World", network: Network, draw: Random) -> None:
        self.venue, self._world, self.network, self._draw = name, world, network, draw
        self.exchange = Exchange(self._hear)
        symbol = spot(SYMBOL, Asset("BTC", MONEY), Asset("USDT", MONEY), price_decimals=2,
                      size_decimals=5)
        self.exchange.list_symbol(symbol, Filters(tick=1, lot=LOT, size_min=LOT))
        self.exchange.open_account(ACCOUNT, Fees(500, 1000, FeeIn.QUOTE))
        for asset, amount in (("BTC", 50), ("USDT", 3_000_000)):
            self.exchange.deposit(0, ACCOUNT, asset, amount * 10**MONEY)
        self.first = {asset: sum(self.exchange.balance(ACCOUNT, asset))
                      for asset in ("BTC", "USDT")}
        self.arrived: dict[str, int] = {}  # client id -> how many requests reached the book
        self.fills: list[Fill] = []
        self.overfilled = 0
        self.cut = False  # the private stream and all answers are dead

    # --- the port ------------------------------------------------------------------------------

    def place(self, order: r.Intended, _proposed: Proposed, _approval: Approval) -> str:
        """Send an order into the bad network."""
        if self._bad(self.network.unsent):
            return ""
        assert self._world.journaled(order), f"sent without a durable intent: {order}"
        assert self._world.may_hedge(order), f"hedged too much, or beside a doubt: {order}"
        assert not self._world.doubtful(self.venue), f"sent on a book in doubt: {order}"
        assert order.order < RECORDS_MAX, "it never stops sending"
        if not self._bad(self.network.lost_request):
            wait = 12_000 * MS if self._bad(self.network.late_request) else self._latency()
            self._world.at(wait, lambda: self._arrive(order))
        self._lose_after(order, "place")
        return "ws"

    def resend(self, order: r.Intended) -> None:
        """Take an order past every rule of the house: for planted bugs."""
        assert self._world.journaled(order), f"sent without a durable intent: {order}"
        self._world.at(self._latency(), lambda: self._arrive(order))

    def _lose_after(self, order: r.Intended, request: str) -> None:
        """Give an answer up that has not come in time."""
        self._world.report_later(500 * MS, lambda: (
            None if (order.client_id, request) in self._world.answered
            else p.Lost(self.venue, order.client_id, request, "no answer in time")))

    def cancel(self, order: r.Intended, _venue_order: str) -> str:
        """Send a cancel."""
        if not self._bad(self.network.lost_request):
            self._world.at(self._latency(), lambda: self._arrive_cancel(order))
        return "ws"

    def cancel_all(self) -> None:
        """Send a cancel of everything."""
        self._world.at(self._latency(), self._cancel_all)

    def _cancel_all(self) -> None:
        self.exchange.cancel_all(self._world.unix_ns(), ACCOUNT)

    def query(self, order: r.Intended, _venue_order: str) -> None:
        """Ask about one order."""
        asked_ns = self._world.unix_ns()
        if not self._bad(self.network.lost_query):
            self._world.at(self._latency(), lambda: self._tell_of(order, asked_ns))

    def survey(self, since_unix_ns: int) -> None:
        """Ask about everything."""
        self._world.at(self._latency(), lambda: self._survey(since_unix_ns))

    def arm(self, timeout_ms: int) -> None:
        """Do nothing: this venue has no dead-man switch."""

    # --- what arrives --------------------------------------------------------------------------

    def _arrive(self, order: r.Intended) -> None:
        now_ns = self._world.unix_ns()
        if now_ns > order.deadline_unix_ns:
            self._answer(order, "place", p.Denied(self.venue, order.client_id, "-1021", "too late"))
            return
        placed = self.exchange.place(now_ns, Request(
            account=ACCOUNT, symbol=order.symbol, side=BUY if order.side > 0 else SELL,
            price=order.price, size=order.size, tif=TIFS[r.Tif(order.tif)],
            client_id=order.client_id))
        if not isinstance(placed, Order):
            denied = p.Denied(self.venue, order.client_id, "-2010", placed.reason.value)
            self._answer(order, "place", denied)
            return
        self.arrived[order.client_id] = self.arrived.get(order.client_id, 0) + 1
        if self.exchange.can_overfill(placed, LOT) and self._bad(self.network.overfill):
            self.exchange.overfill(now_ns, placed, LOT)
            self.overfilled += 1
        self._answer(order, "place", p.Accepted(self.venue, order.client_id, str(placed.id)))

    def _answer(self, order: r.Intended, request: str, report: p.Report) -> None:
        if self._bad(self.network.answer_5xx):
            report = p.Lost(self.venue, order.client_id, request, "503")
        elif self._bad(self.network.lost_answer):
            return
        self._world.answered.add((order.client_id, request))
        self._say(report, self._latency())

    def _arrive_cancel(self, order: r.Intended) -> None:
        found = self.exchange.cancel(
            self._world.unix_ns(), ACCOUNT, client_id=order.client_id)
        if not isinstance(found, Order):
            self._say(p.CancelDenied(self.venue, order.client_id, "-2011", found.reason.value),
                      self._latency())

    def _tell_of(self, order: r.Intended, asked_ns: int) -> None:
        found = self.exchange.order(ACCOUNT, client_id=order.client_id)
        wait = self._latency()
        if found is None:
            absent = p.Seen(self.venue, order.client_id, "", r.Found.ABSENT, "", 0, asked_ns)
            self._say(absent, wait)
            return
        for fill in self.fills:
            if fill.order_id == found.id:
                self._say(self._traded(fill, "query"), wait)
        state = r.Found.OPEN if found.status is Status.OPEN else r.Found.ENDED
        how = "filled" if found.status is Status.FILLED else found.status.value
        self._say(p.Seen(self.venue, order.client_id, str(found.id), state, how, found.filled,
                         asked_ns), wait)

    def _survey(self, since_unix_ns: int) -> None:
        wait = self._latency()
        if self._bad(self.network.failed_listing):
            self._say(p.Listing(self.venue, (), "timeout"), wait)
            return
        for fill in self.fills:
            if fill.now_ns >= since_unix_ns:
                self._say(self._traded(fill, "query"), wait)
        self._say(p.Listing(self.venue, tuple(
            (each.client_id, str(each.id), each.symbol, each.filled)
            for each in self.exchange.open_orders(ACCOUNT))), wait)
        for asset in ("BTC", "USDT"):
            free, locked = self.exchange.balance(ACCOUNT, asset)
            self._say(p.Balance(self.venue, asset, from_quanta(free, MONEY),
                                from_quanta(locked, MONEY), "query"), wait)

    # --- what the stream tells -----------------------------------------------------------------

    def _hear(self, event: Event) -> None:
        if isinstance(event, Fill) and event.account == ACCOUNT:
            self.fills.append(event)
            if self._bad(self.network.lost_fill):
                return
            late = self._bad(self.network.late_fill)
            wait = self._draw.randint(1, 30_000) * MS if late else self._latency()
            self._say(self._traded(event, "stream"), wait)
            if self._bad(self.network.twice_fill):
                self._say(self._traded(event, "stream"), wait + self._latency())
            order = self.exchange.order(ACCOUNT, order_id=event.order_id)
            if order is not None and event.filled == order.size:
                self._over(order.client_id, event.order_id, "filled", event.filled)
        elif isinstance(event, Ended) and event.order.account == ACCOUNT:
            how = "expired" if event.order.status is Status.EXPIRED else "cancelled"
            self._over(event.order.client_id, event.order.id, how, event.order.filled)

    def _over(self, client_id: str, order_id: int, how: str, filled: int) -> None:
        if not self._bad(self.network.lost_over):
            self._say(p.Over(self.venue, client_id, str(order_id), how, filled, "stream"),
                      self._latency())

    def _traded(self, fill: Fill, source: str) -> p.Traded:
        return p.Traded(
            self.venue, fill.symbol, fill.client_id, str(fill.order_id), str(fill.trade_id),
            fill.side, fill.price, fill.size, from_quanta(fill.fee, MONEY), fill.fee_asset,
            fill.taker, fill.now_ns, source)

    def _say(self, report: p.Report, wait_ns: int) -> None:
        self._world.report_later(wait_ns, lambda: None if self.cut else report)

    def _bad(self, ppk: int) -> bool:
        return self._draw.randrange(1000) < ppk

    def _latency(self) -> int:
        return self._draw.randint(1, 60) * MS
