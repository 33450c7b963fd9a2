"""The least that can stand in for a gateway: a codec's requests over real sockets, and a journal.

``Account`` turns reports into records as the core does, without deciding anything.
"""

import time
from collections.abc import Callable, Sequence
from decimal import Decimal

import aiohttp
from yarl import URL

from exec import records as r
from exec.core import ports as p
from exec.gateways.codec import ORDERS, REST, USER, Answer, Listing, Request
from exec.state.outstanding import MONEY_DECIMALS
from exec.state.state import State
from exec.venues.binance.market import BinanceCodec
from tests.ops.sim.wire import Client, Venue, plain


class Account:
    """What reports make of an account: exec.state, and the last word on money and positions."""

    def __init__(
        self, venue: str, listings: Sequence[Listing], now_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self.venue, self.state, self.number, self.now_ns = venue, State(), 1, now_ns
        self.heard: list[p.Report] = []
        self.balances: dict[str, tuple[str, str]] = {}
        self.positions: dict[str, int] = {}
        self.write(r.Opened(1, "t", "live", 1, 1, "", 1))
        for each in listings:
            self.write(r.Listed(venue, each.symbol, each.native, each.base, each.quote,
                                each.settle, each.price_decimals, each.size_decimals))

    def write(self, record: r.Record) -> None:
        """Apply a record."""
        self.state.apply(record, self.now_ns())

    def intend(self, symbol: str, side: int, price: int, size: int, tif: int, *,
               post_only: bool = False, reduce_only: bool = False) -> r.Intended:
        """Write down an order that is about to leave."""
        self.number += 1
        order = r.Intended(
            self.number, 0, 0, self.venue, symbol, side, price, size, tif, post_only, reduce_only,
            f"t1x{self.number}", 1, self.now_ns() + 5 * 10**9, "enter")
        self.write(order)
        self.write(r.Sent(self.number, "ws"))
        return order

    def hear(self, report: p.Report) -> None:
        """Book a report."""
        self.heard.append(report)
        if isinstance(report, p.Lost) and not report.client_id:
            return
        if isinstance(report, p.Balance):
            self.balances[report.asset] = (plain(report.free), plain(report.locked))
        elif isinstance(report, p.Holding):
            self.positions[report.symbol] = report.size
        elif isinstance(report, p.Moved):
            if (report.venue, report.reference) not in self.state.postings:
                self.write(r.Posted(report.venue, report.asset, report.amount, report.kind,
                                    report.reference))
        elif isinstance(report, p.Accepted | p.Denied | p.Traded | p.Over | p.CancelDenied | p.Lost
                        | p.Seen):
            self._of_order(report)

    def _of_order(
        self, report: p.Accepted | p.Denied | p.Traded | p.Over | p.CancelDenied | p.Lost | p.Seen
    ) -> None:
        venue_order = "" if isinstance(
            report, p.Denied | p.CancelDenied | p.Lost) else report.venue_order
        order = self.state.order_of(
            self.venue, client_id=report.client_id, venue_order=venue_order)
        assert order is not None, report
        number = order.intent.order
        if isinstance(report, p.Accepted):
            self.write(r.Acknowledged(number, report.venue_order))
        elif isinstance(report, p.Denied):
            self.write(r.Rejected(number, report.code, report.text))
        elif isinstance(report, p.Traded):
            self.write(r.Filled(
                number, report.venue, report.symbol, report.trade, report.side, report.price,
                report.size, report.fee, report.fee_asset, report.taker, report.venue_unix_ns,
                report.source, report.realised))
        elif isinstance(report, p.Over):
            self.write(r.Ended(number, report.how, report.filled, report.source))
        elif isinstance(report, p.CancelDenied):
            self.write(r.CancelRefused(number, report.code, report.text))
        elif isinstance(report, p.Lost):
            self.write(r.Doubted(number, report.why))
        elif report.found == r.Found.ENDED:
            self.write(r.Ended(number, report.how, report.filled, "query"))
        else:
            self.write(r.Proven(number, report.found, report.venue_order, report.filled, "query"))

    def held(self, asset: str, before: Decimal) -> Decimal:
        """Return what we hold of an asset by our own books."""
        booked = self.state.holdings.get((self.venue, asset), 0)
        return before + Decimal(booked).scaleb(-MONEY_DECIMALS)


class Line:
    """One codec at one simulated venue."""

    def __init__(
        self, venue: Venue, http: aiohttp.ClientSession, codec: BinanceCodec, account: Account
    ) -> None:
        self.venue, self.codec, self.account = venue, codec, account
        self._http, self.now_ns = http, account.now_ns
        self.clients: dict[str, Client] = {}
        self.live: set[str] = set()
        self.answered: list[str] = []

    async def open(self, *channels: str) -> None:
        """Open channels; each must prove itself."""
        for channel in channels or (ORDERS, USER):
            frames = []
            for request in self.codec.opening(channel, self.now_ns()):
                if request.channel == REST:
                    await self.send(request)
                else:
                    frames.append(request)
            path = self.codec.orders_path if channel == ORDERS else self.codec.user_path
            self.clients[channel] = await self.venue.connect(path)
            for request in frames:
                await self.send(request)
            await self.pump()
            assert channel in self.live, self.account.heard

    async def send(self, *requests: Request) -> None:
        """Send requests; REST answers are understood at once."""
        for request in requests:
            if request.channel != REST:
                self.clients[request.channel].ask(request.text)
                continue
            asked_ns = self.now_ns()
            outcome = self.codec.answer(request, await self.rest(request), asked_ns)
            await self._take(outcome.reports, outcome.requests, outcome.live)

    async def rest(self, request: Request) -> Answer:
        """Return what REST says."""
        root = self.venue.world.endpoints()[self.venue.name]["rest"]
        async with self._http.request(
            request.method, URL(root + request.path, encoded=True),
            data=request.text or None, headers=dict(request.headers),
        ) as answer:
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return Answer(answer.status, headers, await answer.read())

    async def pump(self, *, deaf: bool = False) -> None:
        """Understand all that came; ``deaf``: lose it instead."""
        for _ in range(3):
            for channel, client in self.clients.items():
                await client.settle()
                frames, client.frames = client.frames, []
                for text in () if deaf else frames:
                    outcome = self.codec.frame(channel, text, self.now_ns())
                    if outcome.answers:
                        self.answered.append(outcome.answers)
                    await self._take(outcome.reports, outcome.requests, outcome.live)

    async def _take(
        self, reports: Sequence[p.Report], requests: Sequence[Request], live: Sequence[str]
    ) -> None:
        for report in reports:
            self.account.hear(report)
        self.live.update(live)
        await self.send(*requests)
