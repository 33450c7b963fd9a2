"""Reports about a random history, booked, are what the simulated venue holds and did."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import aiohttp
import msgspec
import pytest

from engine.model.quanta import from_quanta, plain
from exec.core import ports as p
from exec.gateways.codec import Listing
from exec.orders import FINAL
from exec.orders import State as OrderState
from exec.records import CancelAsked, Doubted, Intended, Sent, Tif
from exec.signing.binance import BinanceSigner
from exec.state import Order
from exec.venues.binance import BinanceSpot, BinanceUsdm
from exec.venues.binance.reports import trade_name
from ops.sim.credentials import ED25519, HMAC
from ops.sim.faces.binance import Binance
from ops.sim.faces.binance import BinanceUsdm as UsdmFace
from ops.sim.faces.binance import usdm as usdm_face
from ops.sim.faces.binance.limits import Limit
from ops.sim.faces.binance.spot_table import COM
from ops.sim.truth import AccountTruth
from tests.exec.venues.binance.line import Account, Line, now_ns
from tests.ops.sim.wire import a_venue, run

WIDE = (Limit("REQUEST_WEIGHT", "MINUTE", 1, 10**9), Limit("ORDERS", "DAY", 1, 10**9))
MARKETS = {"binance": ("BTC/USDT", "ETH/BTC"), "binance-usdm": ("BTC/USDT:USDT",)}
WORDS = {OrderState.FILLED: "filled", OrderState.CANCELLED: "cancelled",
         OrderState.EXPIRED: "expired", OrderState.OPEN: "open"}


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Binance, "figures", COM._replace(limits=WIDE))
    monkeypatch.setattr(usdm_face, "LIMITS", WIDE)


class Scene:
    """A line, its account, and the venue's own truth."""

    def __init__(self, line: Line, listings: dict[str, Listing]) -> None:
        self.line, self.account, self.listings = line, line.account, listings
        self.before = {asset: Decimal(free) + Decimal(locked)
                       for asset, (free, locked) in self.truth().balances.items()}

    def truth(self) -> AccountTruth:
        found = self.line.venue.world.account_truth(self.line.venue.name, "main")
        assert found is not None
        return found

    def order(self, chance: random.Random) -> Intended:
        listing = chance.choice([*self.listings.values()])
        bids, asks = self.line.venue.truth(listing.native)
        bid, ask = max(map(float, bids)), min(map(float, asks))
        tick = 10 ** max(0, listing.price_decimals - (6 if listing.quote == "BTC" else 1))
        price = round(chance.uniform(bid * 0.9995, ask * 1.0005) * 10**listing.price_decimals)
        lot = 10 ** max(0, listing.size_decimals - (1 if listing.quote == "BTC" else 3))
        size = chance.randint(1, 90 if listing.quote == "BTC" else 200) * lot
        tif = chance.choice([Tif.GTC, Tif.GTC, Tif.GTC, Tif.IOC, Tif.IOC, Tif.FOK])
        return self.account.intend(
            listing.symbol, chance.choice([1, -1]), price // tick * tick, size, tif,
            post_only=tif is Tif.GTC and chance.random() < 0.3)

    def check(self) -> None:
        """Compare orders, fills, money and positions with the venue's own."""
        truth, state = self.truth(), self.account.state
        by_name = {each.client_id: each for each in truth.orders}
        venue = self.line.codec.venue
        natives = {each.symbol: each for each in self.listings.values()}
        for order in state.orders.values():
            theirs = by_name.pop(order.intent.client_id, None)
            if theirs is None:
                assert order.state in (OrderState.REJECTED, OrderState.ABSENT), order
                continue
            assert WORDS[order.state] == theirs.status, (order, theirs)
            decimals = natives[order.intent.symbol].size_decimals
            assert plain(from_quanta(order.booked, decimals)) == theirs.filled
            assert order.venue_order in ("", str(theirs.id))
        assert not by_name
        trades = {}
        for (_, symbol, trade), each in state.trades.items():
            listing = natives[symbol]
            trades[listing.native, trade] = (
                "buy" if each.side > 0 else "sell",
                plain(from_quanta(each.price, listing.price_decimals)),
                plain(from_quanta(each.size, listing.size_decimals)),
                Decimal(each.fee).scaleb(-24).normalize(), each.fee_asset)
        assert trades == {
            (f.symbol, trade_name(f.trade_id, maker=not f.taker)): (
                f.side, f.price, f.size, Decimal(f.fee).normalize(), f.fee_asset)
            for f in truth.fills}
        for asset, (free, locked) in truth.balances.items():
            ours = self.account.held(asset, self.before.get(asset, Decimal(0)))
            # a perpetual's profit is rounded by each side at its own last decimal
            allowed = Decimal("1e-15") if ":" in next(iter(natives)) else 0
            assert abs(ours - Decimal(free) - Decimal(locked)) <= allowed, asset
        for listing in self.listings.values():
            position = state.positions.get((venue, listing.symbol))
            size = from_quanta(position.size if position else 0, listing.size_decimals)
            if listing.settle:
                assert plain(size) == truth.positions.get(listing.native, "0")


@asynccontextmanager
async def a_scene(name: str, kind: str = HMAC) -> AsyncIterator[Scene]:
    async with a_venue(name, *MARKETS[name]) as venue, aiohttp.ClientSession() as http:
        key = next(each for each in venue.world.credentials()[name]
                   if (each.account, each.kind) == ("main", kind))
        face = venue.world.servers[name].face
        assert isinstance(face, Binance | UsdmFace)
        listings = {}
        for symbol, (native, listed) in zip(
                MARKETS[name], face.floor.exchange.listed.items(), strict=True):
            found = listed.symbol
            listings[symbol] = Listing(
                symbol, native, found.base, found.quote, found.quote if ":" in symbol else "",
                found.price_decimals, found.size_decimals)
        make = BinanceUsdm if ":" in MARKETS[name][0] else BinanceSpot
        codec = make(name, BinanceSigner(key.key, key.secret), [*listings.values()])
        line = Line(venue, http, codec, Account(name, [*listings.values()]))
        yield Scene(line, listings)


async def trade(scene: Scene, chance: random.Random, steps: int, *, deaf: bool = False) -> None:
    """Place and cancel at random, over both channels; the market moves in between."""
    line, state = scene.line, scene.account.state
    for number in range(steps):
        rest = chance.random() < 0.3 and not deaf
        resting = [each for each in state.live.values() if each.state not in FINAL]
        if resting and chance.random() < 0.3:
            order = chance.choice(resting)
            name = order.venue_order if chance.random() < 0.7 else ""
            scene.account.write(CancelAsked(order.intent.order, "at random"))
            await line.send(line.codec.cancel(order.intent, name, now_ns(), rest=rest))
        else:
            await line.send(line.codec.place(scene.order(chance), now_ns(), rest=rest))
        if number % 4 == 0:
            line.venue.step(0.3)
        if number % 7 == 0:
            await line.pump(deaf=deaf)
    await line.pump(deaf=deaf)


def state_of(order: Order) -> OrderState:
    """Return where an order stands by now."""
    return order.state


async def rest_far_away(scene: Scene) -> None:
    """Leave one order of each instrument that nothing will meet."""
    for listing in scene.listings.values():
        bids, _ = scene.line.venue.truth(listing.native)
        price = int(min(map(float, bids))) * 10**listing.price_decimals or 1
        size = int(Decimal("0.2") * 10**listing.size_decimals)
        order = scene.account.intend(listing.symbol, 1, price, size, Tif.GTC)
        await scene.line.send(scene.line.codec.place(order, now_ns(), rest=False))
    await scene.line.pump()


@pytest.mark.parametrize(("name", "kind"), [
    ("binance", HMAC), ("binance", ED25519), ("binance-usdm", HMAC), ("binance-usdm", ED25519)])
def test_what_answers_and_the_stream_say_is_what_happened(name: str, kind: str) -> None:
    async def body() -> None:
        async with a_scene(name, kind) as scene:
            await scene.line.open()
            await trade(scene, random.Random(name + kind), 150)
            await rest_far_away(scene)
            scene.check()
            words = {each.state for each in scene.account.state.orders.values()}
            assert words >= {OrderState.FILLED, OrderState.CANCELLED, OrderState.EXPIRED,
                             OrderState.OPEN, OrderState.REJECTED}
            state = scene.account.state
            assert any(not each.taker for each in scene.account.heard if isinstance(each, p.Traded))
            await scene.line.send(*scene.line.codec.survey(now_ns() - 60 * 10**9, now_ns()))
            scene.check()
            (listing,) = [each for each in scene.account.heard if isinstance(each, p.Listing)]
            assert not listing.failed
            assert {each[0] for each in listing.orders} == {
                each.intent.client_id for each in state.orders.values()
                if each.state is OrderState.OPEN}
            for asset, (free, locked) in scene.truth().balances.items():
                ours = scene.account.balances[asset]
                assert sum(map(Decimal, ours)) == Decimal(free) + Decimal(locked)
            for symbol, found in scene.listings.items():
                if found.settle:
                    size = scene.account.positions[symbol]
                    assert plain(from_quanta(size, found.size_decimals)) == (
                        scene.truth().positions.get(found.native, "0"))

    run(body)


@pytest.mark.parametrize("name", list(MARKETS))
def test_of_orders_whose_every_answer_was_lost_the_questions_alone_tell_all(name: str) -> None:
    async def body() -> None:
        async with a_scene(name) as scene:
            line, account = scene.line, scene.account
            await line.open()
            await trade(scene, random.Random(3), 40, deaf=True)
            for order in [*account.state.live.values()]:
                late = order.intent
                await line.send(*line.codec.query(late, "", now_ns()))
            for order in [*account.state.orders.values()]:
                if order.state in (OrderState.SENT, OrderState.UNKNOWN, OrderState.CANCELLING):
                    assert not order.venue_order
                    assert order.intent.client_id not in {
                        each.client_id for each in scene.truth().orders}
                    overdue = msgspec.structs.replace(
                        order.intent, deadline_unix_ns=now_ns() - 10**9)
                    account.write(Doubted(order.intent.order, "lost"))
                    await line.send(*line.codec.query(overdue, "", now_ns()))
                    assert state_of(order) is OrderState.ABSENT
            scene.check()
            fresh = Account(name, [*scene.listings.values()])  # a new life: its names are gone
            line.codec._reports.names.clear()  # noqa: SLF001
            for order in account.state.orders.values():
                fresh.write(order.intent)
                fresh.write(Sent(order.intent.order, "ws"))
            line.account = fresh
            await line.send(*line.codec.survey(now_ns() - 60 * 10**9, now_ns()))
            assert fresh.state.trades.keys() == account.state.trades.keys()
            assert len(fresh.state.trades) > 5

    run(body)
