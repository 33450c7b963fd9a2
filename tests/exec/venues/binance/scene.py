"""A codec at a simulated venue, its account's books, and their comparison with the venue's own."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import aiohttp
import msgspec

from engine.model.quanta import from_quanta, plain
from exec.gateways.codec import Listing
from exec.records import CancelAsked, Doubted, Intended, Tif
from exec.signing.binance import BinanceSigner
from exec.state.entries import Order
from exec.state.orders import FINAL
from exec.state.orders import State as OrderState
from exec.venues.binance import BinanceSpot, BinanceUsdm
from exec.venues.binance.reports import trade_name
from ops.sim.credentials import HMAC
from ops.sim.faces.binance import Binance
from ops.sim.faces.binance import BinanceUsdm as UsdmFace
from ops.sim.truth import AccountTruth
from tests.exec.venues.binance.line import Account, Line
from tests.ops.sim.faces.binance_usdm_client import LateClock
from tests.ops.sim.wire import Venue, a_venue

MARKETS = {"binance": ("BTC/USDT", "ETH/BTC"), "binance-usdm": ("BTC/USDT:USDT",)}
WORDS = {OrderState.FILLED: "filled", OrderState.CANCELLED: "cancelled",
         OrderState.EXPIRED: "expired", OrderState.OPEN: "open"}


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
        """Compare orders, fills, money and positions with the venue's own, to the last unit."""
        truth, state = self.truth(), self.account.state
        by_name = {each.client_id: each for each in truth.orders}
        venue = self.line.codec.venue
        natives = {each.symbol: each for each in self.listings.values()}
        for order in state.orders.values():
            theirs = by_name.pop(order.intent.client_id, None)
            if theirs is None:
                assert order.state in (OrderState.REJECTED, OrderState.ABSENT), order
                continue
            # an order that the venue withdrew is cancelled there, and told as expired
            ends = {theirs.status, "expired"} if theirs.status == "cancelled" else {theirs.status}
            assert WORDS[order.state] in ends, (order, theirs)
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
            (f.symbol, trade_name(f.trade_id, buy=f.side == "buy")): (
                f.side, f.price, f.size, Decimal(f.fee).normalize(), f.fee_asset)
            for f in truth.fills}
        for asset, (free, locked) in truth.balances.items():
            ours = self.account.held(asset, self.before.get(asset, Decimal(0)))
            assert ours == Decimal(free) + Decimal(locked), asset
        for listing in self.listings.values():
            position = state.positions.get((venue, listing.symbol))
            size = from_quanta(position.size if position else 0, listing.size_decimals)
            if listing.settle:
                assert plain(size) == truth.positions.get(listing.native, "0")


@asynccontextmanager
async def a_scene(name: str, kind: str = HMAC) -> AsyncIterator[Scene]:
    """Open a venue and a codec of it."""
    async with a_venue(name, *MARKETS[name]) as venue, aiohttp.ClientSession() as http:
        yield scene_at(venue, http, kind)


def scene_at(
    venue: Venue, http: aiohttp.ClientSession, kind: str = HMAC, clock: LateClock | None = None
) -> Scene:
    """Return a codec with the key of the venue's main account, by the venue's clock."""
    name = venue.name
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
    account = Account(name, [*listings.values()], *([clock.unix_ns] if clock else []))
    return Scene(Line(venue, http, codec, account), listings)


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
            await line.send(line.codec.cancel(order.intent, name, line.now_ns(), rest=rest))
        else:
            await line.send(line.codec.place(scene.order(chance), line.now_ns(), rest=rest))
        if number % 4 == 0:
            line.venue.step(0.3)
        if number % 7 == 0:
            await line.pump(deaf=deaf)
    await line.pump(deaf=deaf)


async def rest_far_away(scene: Scene) -> None:
    """Leave one order of each instrument that nothing will meet."""
    line = scene.line
    for listing in scene.listings.values():
        bids, _ = line.venue.truth(listing.native)
        least = 10 ** max(0, listing.price_decimals - 4)  # what every tick here goes into
        price = int(max(map(float, bids)) * 0.98 * 10**listing.price_decimals) // least * least
        size = int(Decimal("0.2") * 10**listing.size_decimals)
        order = scene.account.intend(listing.symbol, 1, price, size, Tif.GTC)
        await line.send(line.codec.place(order, line.now_ns(), rest=False))
    await line.pump()


async def ask_about(scene: Scene, order: Order) -> None:
    """Ask what became of an order whose deadline is long over."""
    line = scene.line
    if order.state in (OrderState.SENT, OrderState.CANCELLING):
        scene.account.write(Doubted(order.intent.order, "not answered"))
    overdue = msgspec.structs.replace(order.intent, deadline_unix_ns=line.now_ns() - 10**9)
    await line.send(*line.codec.query(overdue, order.venue_order, line.now_ns()))
