"""The codec against the simulated Kraken: its reports make the account's truth, to the quantum.

random orders, cancels ─▶ codec ─▶ sockets ─▶ face ─▶ matching engine ───▶ the truth ledger
                 exec.state ◀─ records ◀─ reports ◀─ codec ◀─ sockets          equal
"""

import random
from collections.abc import Callable, Sequence
from typing import Any

import aiohttp
import pytest
from msgspec.structs import replace

from engine.model.clock import SystemClock
from engine.model.quanta import to_quanta
from exec import records as r
from exec.core import ports as p
from exec.core.sender import client_id
from exec.gateways.codec import ORDERS, REST, USER, Answer, Listing, Outcome, Request
from exec.records import Intended, Tif
from exec.signing.kraken import KrakenSigner
from exec.state.entries import money
from exec.state.orders import FINAL
from exec.state.orders import State as OrderState
from exec.state.state import State
from exec.venues.kraken import KrakenCodec, Nonces
from exec.venues.kraken.counter import Tier
from ops.sim.face import Face
from ops.sim.faces.kraken import ids
from tests.ops.sim.faces.kraken_patience import unlimited
from tests.ops.sim.wire import Client, Venue, a_venue, run

SYMBOLS = ("BTC/USD", "ETH/USD", "ETH/BTC")
BIRTH = 1_763_750_000
CLOCK = SystemClock()


class Wired:
    """A codec with its sockets, and the state that its reports make."""

    def __init__(self, venue: Venue, session: aiohttp.ClientSession) -> None:
        self.venue, self._session = venue, session
        keys = venue.world.credentials()["kraken"][0]
        self.account = keys.account
        exchange = self.face.floor.exchange
        self.listings = []
        for line in self.face.lines.values():
            symbol = exchange.listed[line.native].symbol
            self.listings.append(Listing(
                line.pair.name, line.native, line.pair.base, line.pair.quote, "",
                symbol.price_decimals, symbol.size_decimals))
        self.reserved = 0
        self.codec = self.fresh(keys.key, keys.secret)
        self.keys = keys
        self.sockets: dict[str, Client] = {}
        self.state = State()
        self.reports = list[p.Report]()
        self.loses = random.Random(0)
        self.loss, self.lost = 0.0, 0  # share of messages on the way that get lost; how many did
        self._write(r.Opened(r.SCHEMA, "e", "live", BIRTH, 1, "c", 1))
        for each in self.listings:
            self._write(r.Listed("kraken", each.symbol, each.native, each.base, each.quote, "",
                                 each.price_decimals, each.size_decimals))

    @property
    def face(self) -> Face:
        """Return the face behind the sockets."""
        return self.venue.world.servers["kraken"].face

    def fresh(self, key: str, secret: str) -> KrakenCodec:
        """Return a codec without a memory, as after a restart."""
        def owner(reserved: int) -> None:
            self.reserved = reserved

        return KrakenCodec("kraken", self.listings, KrakenSigner(key, secret),
                           Nonces(self.reserved, owner), Tier(10**9, 1.0))

    def _write(self, record: r.Record) -> None:
        self.state.apply(record, CLOCK.unix_ns())

    # --- sockets -------------------------------------------------------------------------------

    async def connect(self) -> set[str]:
        """Open both connections; return which of them the codec calls usable."""
        live = set[str]()
        for channel, path in ((USER, self.codec.user_path), (ORDERS, self.codec.orders_path)):
            asks = list(self.codec.opening(channel, CLOCK.unix_ns()))
            self.sockets[channel] = await self.venue.connect(path)
            await self.send(asks)
            live |= await self.listen()
        return live

    async def send(self, requests: Sequence[Request]) -> None:
        """Send requests, and those that follow from their answers, in their order."""
        waiting = list(requests)
        while waiting:
            request = waiting.pop(0)
            if request.channel != REST:
                self.sockets[request.channel].ask(request.text)
                continue
            url = self.venue.world.endpoints()["kraken"]["rest"] + request.path
            asked_ns = CLOCK.unix_ns()
            async with self._session.request(
                request.method, url, data=request.text, headers=dict(request.headers)
            ) as answer:
                names = {name.lower(): value for name, value in answer.headers.items()}
                said = Answer(answer.status, names, await answer.read())
            waiting.extend(self.take(self.codec.answer(request, said, asked_ns)).requests)

    async def listen(self) -> set[str]:
        """Take in what came over the sockets; return the channels that proved usable."""
        live = set[str]()
        for channel, client in self.sockets.items():
            await client.settle()
            frames, client.frames = client.frames, []
            for text in frames:
                if b'"sequence"' in text and self.loses.random() < self.loss:
                    self.lost += 1
                    continue
                said = self.take(self.codec.frame(channel, text, CLOCK.unix_ns()))
                live |= set(said.live)
                await self.send(said.requests)
        return live

    # --- records -------------------------------------------------------------------------------

    def take(self, outcome: Outcome) -> Outcome:
        """Book reports as the core does."""
        books: dict[type, Callable[[Any], None]] = {
            p.Accepted: self._accepted, p.Traded: self._traded, p.Denied: self._denied,
            p.Over: self._over, p.Moved: self._moved, p.Seen: self._seen}
        for report in outcome.reports:
            self.reports.append(report)
            if book := books.get(type(report)):
                book(report)
        return outcome

    def _order(self, report: Any) -> int:
        order = self.state.order_of("kraken", client_id=report.client_id,
                                    venue_order=report.venue_order)
        assert order is not None, f"not ours: {report}"
        return order.intent.order

    def _accepted(self, report: p.Accepted) -> None:
        self._write(r.Acknowledged(self._order(report), report.venue_order))

    def _denied(self, report: p.Denied) -> None:
        order = self.state.order_of("kraken", client_id=report.client_id)
        assert order is not None
        self._write(r.Rejected(order.intent.order, report.code, report.text))

    def _traded(self, report: p.Traded) -> None:
        self._write(r.Filled(
            self._order(report), "kraken", report.symbol, report.trade, report.side, report.price,
            report.size, report.fee, report.fee_asset, report.taker, report.venue_unix_ns,
            report.source))

    def _over(self, report: p.Over) -> None:
        self._write(r.Ended(self._order(report), report.how, report.filled, report.source))

    def _seen(self, report: p.Seen) -> None:
        order = self.state.order_of("kraken", client_id=report.client_id)
        assert order is not None
        number = order.intent.order
        if report.found is r.Found.ENDED:
            self._write(r.Ended(number, report.how, report.filled, "query"))
        else:
            self._write(r.Proven(number, report.found, report.venue_order, report.filled, "query"))

    def _moved(self, report: p.Moved) -> None:
        if ("kraken", report.reference) not in self.state.postings:
            self._write(r.Posted("kraken", report.asset, report.amount, report.kind,
                                 report.reference))

    def intend(self, symbol: str, side: int, price: int, size: int, tif: Tif) -> Intended:
        """Write an order down."""
        number = len(self.state.orders) + 1
        order = r.Intended(
            number, 0, 0, "kraken", symbol, side, price, size, tif, False, False,
            client_id(BIRTH, number), 1, CLOCK.unix_ns() + 5_000_000_000, "enter")
        self._write(order)
        self._write(r.Sent(number, "ws"))
        return order


class Chance:
    """Random orders near the touch, over both ways."""

    def __init__(self, seed: int, wired: Wired) -> None:
        self._chance, self._wired = random.Random(seed), wired

    async def act(self) -> None:
        """Do one thing."""
        wired = self._wired
        live = list(wired.state.live.values())
        rest = self._chance.random() < 0.3
        if live and self._chance.random() < 0.3:
            order = self._chance.choice(live)
            venue_order = order.venue_order if self._chance.random() < 0.5 else ""
            await wired.send([wired.codec.cancel(
                order.intent, venue_order, CLOCK.unix_ns(), rest=rest)])
            return
        await wired.send([wired.codec.place(self.order(), CLOCK.unix_ns(), rest=rest)])

    def order(self) -> Intended:
        """Return an order, written down."""
        wired, chance = self._wired, self._chance
        listing = chance.choice(wired.listings)
        line = wired.face.lines[listing.native]
        tick = 10 ** (listing.price_decimals - line.tick_decimals)
        middle = wired.face.floor.mid(listing.native)
        price = int(middle * chance.uniform(0.998, 1.002)) // tick * tick
        size = to_quanta("0.004", listing.size_decimals) * chance.randint(1, 200)
        if listing.base != "BTC":
            size *= 10
        return wired.intend(listing.symbol, chance.choice((1, -1)), price, size,
                            chance.choice((Tif.GTC, Tif.GTC, Tif.IOC, Tif.FOK)))


def compare(wired: Wired) -> None:
    """Compare the state with the truth ledger: fills, orders, and every balance."""
    truth = wired.venue.world.account_truth("kraken", wired.account)
    assert truth is not None
    decimals = {each.native: each for each in wired.listings}
    assert {key[2] for key in wired.state.trades} == {
        ids.exec_id(fill.trade_id, taker=fill.taker) for fill in truth.fills}
    ended = {"filled": OrderState.FILLED, "cancelled": OrderState.CANCELLED,
             "expired": OrderState.CANCELLED}
    mine = {order.intent.client_id: order for order in wired.state.orders.values()}
    for told in truth.orders:
        order, listing = mine.pop(told.client_id), decimals[told.symbol]
        assert order.booked == to_quanta(told.filled, listing.size_decimals), told
        assert (order.state in FINAL) == (told.status != "open"), (told, order)
        assert order.settled == (told.status != "open")
        if told.status != "open":
            assert order.state is ended[told.status], (told, order)
        assert order.venue_order == ids.order_id(told.id)
        assert not order.odd, order
    assert {order.state for order in mine.values()} <= {OrderState.REJECTED}


def moved(wired: Wired, before: dict[str, int]) -> dict[str, int]:
    """Return what each asset's total is now, by our books and from what it was."""
    return {asset: total + wired.state.holdings.get(("kraken", asset), 0)
            for asset, total in before.items()}


def totals(wired: Wired) -> dict[str, int]:
    """Return each asset's total by the truth ledger, in quanta of 10**-24."""
    truth = wired.venue.world.account_truth("kraken", wired.account)
    assert truth is not None
    return {asset: money(free) + money(locked)
            for asset, (free, locked) in truth.balances.items()}


@pytest.mark.parametrize("seed", [1, 2])
def test_a_random_history_reported_by_the_codec_makes_the_accounts_truth(seed: int) -> None:
    async def body() -> None:
        with unlimited():
            async with a_venue("kraken", *SYMBOLS) as venue, aiohttp.ClientSession() as session:
                wired = Wired(venue, session)
                before, chance = totals(wired), Chance(seed, wired)
                assert await wired.connect() == {USER, ORDERS}
                for turn in range(120):
                    await chance.act()
                    if turn % 4 == 0:
                        venue.step(0.2)
                    await wired.listen()
                compare(wired)
                assert len(wired.state.trades) > 30
                assert moved(wired, before) == totals(wired)
                await wired.send(wired.codec.cancel_all(CLOCK.unix_ns()))
                await wired.listen()
                compare(wired)
                assert not wired.state.live
                assert not [each for each in wired.reports if isinstance(each, p.Lost)]

    run(body)


def test_lost_messages_are_noticed_by_their_numbers_and_made_good() -> None:
    async def body() -> None:
        with unlimited():
            async with a_venue("kraken", *SYMBOLS) as venue, aiohttp.ClientSession() as session:
                wired = Wired(venue, session)
                chance = Chance(8, wired)
                await wired.connect()
                wired.loss = 0.05
                for _ in range(80):
                    await chance.act()
                    venue.step(0.1)
                    await wired.listen()
                wired.loss = 0.0
                fills = len(wired.state.trades)
                await wired.send(wired.codec.survey(CLOCK.unix_ns(), CLOCK.unix_ns()))
                for order in list(wired.state.live.values()):  # as the core asks when in doubt
                    await wired.send(wired.codec.query(
                        order.intent, order.venue_order, CLOCK.unix_ns()))
                await wired.listen()
                compare(wired)
                nothing = dict.fromkeys(totals(wired), 0)  # surveys see the first deposits too
                assert moved(wired, nothing) == totals(wired)
                assert wired.lost > 5
                assert fills > 20
                surveys = [each for each in wired.reports if isinstance(each, p.Listing)]
                assert 1 < len(surveys) <= wired.lost + 1

    run(body)


def test_queries_and_a_survey_of_a_codec_without_a_memory_say_the_same() -> None:
    async def body() -> None:
        since_ns = CLOCK.unix_ns()
        with unlimited():
            async with a_venue("kraken", *SYMBOLS) as venue, aiohttp.ClientSession() as session:
                wired = Wired(venue, session)
                chance = Chance(5, wired)
                for _ in range(70):  # nobody listens: orders go by REST, answers are all we have
                    await chance.act()
                    venue.step(0.1)
                assert not wired.state.trades
                wired.codec = wired.fresh(wired.keys.key, wired.keys.secret)
                await wired.send(wired.codec.survey(since_ns, CLOCK.unix_ns()))
                (listing,) = [each for each in wired.reports if isinstance(each, p.Listing)]
                assert not listing.failed
                listed = {each[0] for each in listing.orders}
                for order in list(wired.state.orders.values()):
                    if order.state is OrderState.REJECTED:
                        continue
                    await wired.send(wired.codec.query(order.intent, "", CLOCK.unix_ns()))
                    assert (order.intent.client_id in listed) == (order.state not in FINAL)
                compare(wired)
                assert len(wired.state.trades) > 15
                told = {each.asset: money(each.free) + money(each.locked)
                        for each in wired.reports if isinstance(each, p.Balance)}
                nothing = dict.fromkeys(told, 0)  # the first deposits are in the venue's ledger
                assert moved(wired, nothing) == totals(wired) == told

    run(body)


def test_an_order_that_never_was_is_absent_and_a_refused_one_denied() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue, aiohttp.ClientSession() as session:
            wired = Wired(venue, session)
            await wired.connect()
            listing = wired.listings[0]
            one = to_quanta("1", listing.size_decimals)
            never = replace(
                wired.intend("BTC/USD", 1, 10**9, one, Tif.GTC), deadline_unix_ns=1)
            await wired.send(wired.codec.query(never, "", CLOCK.unix_ns()))
            seen = wired.reports[-1]
            assert isinstance(seen, p.Seen)
            assert (seen.client_id, seen.found) == (never.client_id, r.Found.ABSENT)
            middle = wired.face.floor.mid("BTC/USD")
            tick = 10 ** (listing.price_decimals - wired.face.lines["BTC/USD"].tick_decimals)
            dear = wired.intend("BTC/USD", 1, middle // tick * tick, one * 50, Tif.GTC)
            for rest in (False, True):
                await wired.send([wired.codec.place(dear, CLOCK.unix_ns(), rest=rest)])
                await wired.listen()
                denied = wired.reports[-1]
                assert isinstance(denied, p.Denied), denied
                assert denied.code == "EOrder:Insufficient funds"

    run(body)


def test_the_dead_mans_switch_fires_when_it_is_not_renewed() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue, aiohttp.ClientSession() as session:
            wired = Wired(venue, session)
            await wired.connect()
            listing = wired.listings[0]
            tick = 10 ** (listing.price_decimals - wired.face.lines["BTC/USD"].tick_decimals)
            far = wired.face.floor.mid("BTC/USD") * 99 // 100 // tick * tick
            order = wired.intend(
                "BTC/USD", 1, far, to_quanta("0.01", listing.size_decimals), Tif.GTC)
            await wired.send([wired.codec.place(order, CLOCK.unix_ns(), rest=False)])
            await wired.send(wired.codec.arm(1_000, CLOCK.unix_ns()))
            await wired.listen()
            assert [each.state for each in wired.state.orders.values()] == [OrderState.OPEN]
            while wired.state.live:  # the test's own time limit ends it
                await wired.listen()
            states = [each.state for each in wired.state.orders.values()]
            assert states == [OrderState.CANCELLED]

    run(body)
