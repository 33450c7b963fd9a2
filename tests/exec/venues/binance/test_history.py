"""Reports about a random history, booked, are what the simulated venue holds and did."""

import asyncio
import random
from decimal import Decimal

import pytest

from engine.model.fault import Fault, Kind
from engine.model.quanta import from_quanta, plain
from exec.core import ports as p
from exec.records import Sent
from exec.state.orders import State as OrderState
from ops.sim.credentials import ED25519, HMAC
from ops.sim.faces.binance import Binance
from ops.sim.faces.binance import usdm as usdm_face
from ops.sim.faces.binance.limits import Limit
from ops.sim.faces.binance.spot_table import COM
from tests.exec.venues.binance.line import Account
from tests.exec.venues.binance.scene import MARKETS, a_scene, ask_about, rest_far_away, trade
from tests.ops.sim.wire import run

WIDE = (Limit("REQUEST_WEIGHT", "MINUTE", 1, 10**9), Limit("ORDERS", "DAY", 1, 10**9))


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Binance, "figures", COM._replace(limits=WIDE))
    monkeypatch.setattr(usdm_face, "LIMITS", WIDE)


@pytest.mark.parametrize(("name", "kind"), [
    ("binance", HMAC), ("binance", ED25519), ("binance-usdm", HMAC), ("binance-usdm", ED25519)])
def test_what_answers_and_the_stream_say_is_what_happened(name: str, kind: str) -> None:
    async def body() -> None:
        async with a_scene(name, kind) as scene:
            await scene.line.open()
            chance, heard = random.Random(name + kind), scene.account.heard
            await trade(scene, chance, 150)
            for _ in range(30):  # until the market has met an order of ours, too
                if any(isinstance(each, p.Traded) and not each.taker for each in heard):
                    break
                await trade(scene, chance, 10)
            await rest_far_away(scene)
            scene.check()
            words = {each.state for each in scene.account.state.orders.values()}
            assert words >= {OrderState.FILLED, OrderState.CANCELLED, OrderState.EXPIRED,
                             OrderState.OPEN, OrderState.REJECTED}
            state = scene.account.state
            assert any(not each.taker for each in heard if isinstance(each, p.Traded))
            line = scene.line
            await line.send(*line.codec.survey(line.now_ns() - 60 * 10**9, line.now_ns()))
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
                known = order.intent.client_id in {each.client_id for each in scene.truth().orders}
                await ask_about(scene, order)
                assert (order.state is OrderState.ABSENT) is not known
            scene.check()
            fresh = Account(name, [*scene.listings.values()])  # a new life: its names are gone
            line.codec._reports.names.clear()  # noqa: SLF001
            for order in account.state.orders.values():
                fresh.write(order.intent)
                fresh.write(Sent(order.intent.order, "ws"))
            line.account = fresh
            await line.send(*line.codec.survey(line.now_ns() - 60 * 10**9, line.now_ns()))
            assert fresh.state.trades.keys() == account.state.trades.keys()
            assert len(fresh.state.trades) > 5

    run(body)


FAULTS = [
    (Kind.ANSWER_5XX, 0.2), (Kind.HTTP_500, 0.1), (Kind.FILL_LATE, 0.2), (Kind.FILL_DUPLICATE, 0.3),
    (Kind.FILL_LOST, 0.3), (Kind.FILL_BEFORE_ACK, 0.3), (Kind.CANCEL_FILL_RACE, 0.3),
    (Kind.PARTIAL_THEN_END, 0.1), (Kind.ANSWER_LATE, 0.2), (Kind.QUERY_LAG, 0.2)]


@pytest.mark.parametrize("name", list(MARKETS))
def test_under_faults_questions_complete_what_answers_and_the_stream_left_open(name: str) -> None:
    async def body() -> None:
        async with a_scene(name) as scene:
            line, account = scene.line, scene.account
            await line.open()
            for kind, rate in FAULTS:
                line.venue.world.faults.add(Fault(name, kind, rate=rate, ms=30.0))
            await trade(scene, random.Random(4), 120)
            line.venue.world.faults.clear(name)
            await asyncio.sleep(0.1)  # what is late comes
            await line.pump()
            assert any(isinstance(each, p.Lost) for each in account.heard)
            for _ in range(2):
                for order in [*account.state.live.values()]:
                    await ask_about(scene, order)
            scene.check()
            assert len(account.state.trades) > 20

    run(body)
