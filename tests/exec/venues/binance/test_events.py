"""What the simulated venues do by themselves, as the codecs report it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import aiohttp

from engine.model.fault import Fault, Kind
from engine.model.quanta import from_quanta, plain
from exec.core import ports as p
from exec.gateways.codec import USER
from exec.records import Intended, Tif
from exec.state.orders import State as OrderState
from ops.sim.faces.binance import Binance, BinanceUsdm
from ops.sim.rules import MONEY_DECIMALS
from tests.exec.venues.binance.scene import Scene, a_scene, ask_about, rest_far_away, scene_at
from tests.ops.sim.faces.binance_usdm_client import LateClock, a_trader
from tests.ops.sim.wire import run

PERP = "BTC/USDT:USDT"


@asynccontextmanager
async def a_late_scene() -> AsyncIterator[tuple[Scene, BinanceUsdm, LateClock]]:
    async with a_trader() as (trader, clock), aiohttp.ClientSession() as http:
        scene = scene_at(trader.venue, http, clock=clock)
        await scene.line.open()
        yield scene, trader.face, clock


async def take(scene: Scene, symbol: str, side: int) -> Intended:
    """Buy or sell a little at once, whatever the price."""
    line, listing = scene.line, scene.listings[symbol]
    bids, asks = line.venue.truth(listing.native)
    limit = min(map(float, asks)) * 1.001 if side > 0 else max(map(float, bids)) * 0.999
    size = int(Decimal("0.01") * 10**listing.size_decimals)
    order = scene.account.intend(
        symbol, side, int(limit) * 10**listing.price_decimals, size, Tif.IOC)
    await line.send(line.codec.place(order, line.now_ns(), rest=False))
    await line.pump()
    return order


def test_funding_is_booked_once_by_stream_and_survey_and_the_wallet_agrees() -> None:
    async def body() -> None:
        async with a_late_scene() as (scene, face, _):
            line, account = scene.line, scene.account
            await take(scene, PERP, 1)
            for rate_ppm in (150, -70):
                face.floor.fund("BTCUSDT", rate_ppm)
            await line.pump()
            begun_ns = line.now_ns() - 60 * 10**9
            await line.send(*line.codec.survey(begun_ns, line.now_ns()))
            told = [each for each in account.heard if isinstance(each, p.Moved)]
            funded = {each.reference: each for each in told if each.kind == "funding"}
            assert len(funded) == 2
            assert len(told) > 2  # told again by later questions
            assert {each.amount.startswith("-") for each in funded.values()} == {True, False}
            paid_in = [each for each in told if each.kind == "deposit"]
            before = scene.before["USDT"] - sum(
                Decimal(each.amount) for each in {each.reference: each for each in paid_in
                                                  }.values() if each.asset == "USDT")
            free, locked = scene.truth().balances["USDT"]
            ours = account.held("USDT", before)
            assert abs(ours - Decimal(free) - Decimal(locked)) < Decimal("1e-15")
            assert Decimal(account.balances["USDT"][0]) == Decimal(free) + Decimal(locked)
            size = from_quanta(
                account.positions[PERP], scene.listings[PERP].size_decimals)
            assert plain(size) == scene.truth().positions["BTCUSDT"] == "0.01"

    run(body)


def test_an_armed_countdown_that_is_not_renewed_ends_what_rests() -> None:
    async def body() -> None:
        async with a_late_scene() as (scene, face, clock):
            line, state = scene.line, scene.account.state
            await rest_far_away(scene)
            for _ in range(3):
                await line.send(*line.codec.arm(5_000, line.now_ns()))
                clock.advance(4)
                face.tick()
            await line.pump()
            (order,) = state.orders.values()
            assert order.state is OrderState.OPEN
            clock.advance(2)
            face.tick()
            await line.pump()
            (order,) = state.orders.values()
            assert order.settled
            await rest_far_away(scene)
            await line.send(*line.codec.arm(5_000, line.now_ns()))
            await line.send(*line.codec.arm(0, line.now_ns()))
            clock.advance(60)
            face.tick()
            await line.pump()
            assert len(state.live) == 1

    run(body)


def test_a_listen_key_that_is_kept_lives_on_and_another_ends_the_stream() -> None:
    async def body() -> None:
        async with a_late_scene() as (scene, _, clock):
            line = scene.line
            for _ in range(3):
                clock.advance(31 * 60)
                await line.send(*line.codec.keep(line.now_ns()))
            await rest_far_away(scene)
            assert any(isinstance(each, p.Accepted) for each in scene.account.heard)
            clock.advance(61 * 60)
            (renewal,) = line.codec.keep(line.now_ns())
            await line.send(renewal)  # there is no such key any more
            await line.pump()
            assert any(isinstance(each, p.Ready) and each.unready for each in scene.account.heard)
            line.live.clear()
            await line.open(USER)
            await take(scene, PERP, -1)
            assert scene.account.state.trades

    run(body)


def test_money_from_outside_is_told_with_its_balance() -> None:
    async def body() -> None:
        async with a_scene("binance") as scene:
            line, account = scene.line, scene.account
            await line.open()
            face = line.venue.world.servers["binance"].face
            assert isinstance(face, Binance)
            for amount in (3, -1):
                face.floor.transfer("main", "BTC", amount * 10**MONEY_DECIMALS)
            face.tick()
            await line.pump()
            told = [(each.asset, Decimal(each.amount), each.kind) for each in account.heard
                    if isinstance(each, p.Moved)]
            assert told == [
                ("BTC", Decimal(3), "deposit"), ("BTC", Decimal(-1), "withdrawal")]
            assert account.balances["BTC"] == scene.truth().balances["BTC"]
            assert account.held("BTC", scene.before["BTC"]) == sum(
                map(Decimal, scene.truth().balances["BTC"]))

    run(body)


def test_an_order_carried_out_behind_a_5xx_is_lost_and_found() -> None:
    async def body() -> None:
        for name, symbol in (("binance", "BTC/USDT"), ("binance-usdm", PERP)):
            async with a_scene(name) as scene:
                line = scene.line
                await line.open()
                line.venue.world.faults.add(Fault(name, Kind.ANSWER_5XX, count=1))
                bids, _ = line.venue.truth(scene.listings[symbol].native)
                listing = scene.listings[symbol]
                order = scene.account.intend(
                    symbol, -1, int(max(map(float, bids)) * 0.999) * 10**listing.price_decimals,
                    10**listing.size_decimals // 100, Tif.IOC)
                await line.send(line.codec.place(order, line.now_ns(), rest=True))
                (found,) = scene.account.state.orders.values()
                assert found.state is OrderState.UNKNOWN
                await ask_about(scene, found)
                scene.check()
                assert scene.account.state.trades

    run(body)


def test_everything_that_rests_is_cancelled_even_what_is_not_ours() -> None:
    async def body() -> None:
        for name in ("binance", "binance-usdm"):
            async with a_scene(name) as scene:
                line = scene.line
                await line.open()
                for _ in range(2):
                    await rest_far_away(scene)
                line.codec._reports.listings.clear()  # noqa: SLF001  as if nothing were ours
                await line.send(*line.codec.cancel_all(line.now_ns()))
                assert all(each.status == "cancelled" for each in scene.truth().orders)
                assert len(scene.truth().orders) >= 2

    run(body)


def test_a_rate_limit_bars_for_as_long_as_the_venue_says() -> None:
    async def body() -> None:
        for name in ("binance", "binance-usdm"):
            async with a_scene(name) as scene:
                line, account = scene.line, scene.account
                await line.open()
                line.venue.world.faults.add(Fault(name, Kind.HTTP_429, count=1))
                await line.send(*line.codec.survey(line.now_ns(), line.now_ns())[:1])
                budgets = [each for each in account.heard if isinstance(each, p.Budget)]
                assert any(each.barred_ns >= 10**9 for each in budgets)
                used = [each for each in budgets if each.limit]
                assert used
                assert all(0 <= each.used <= each.limit for each in used)

    run(body)
