"""Overfills and trades taken back, by each venue's own way of telling: the account halts, rightly.

No venue's page has words for a trade that is taken back: balances say it, and surveys find it.
"""

import asyncio
from pathlib import Path

import pytest
import uvloop
from msgspec.structs import replace

from engine.model.fault import parse
from exec import records as r
from exec.journal import reader
from exec.state.entries import money
from shm.layout import TradingState
from tests.exec.gateways import engine as engines
from tests.exec.gateways.engine import MS, Engine, an_engine
from tests.exec.gateways.test_against_venues import CODES, DEADLINE_S, VENUES


async def halted(engine: Engine) -> None:
    while engine.state.trading != TradingState.HALTED:
        await asyncio.sleep(0.02)


async def still(engine: Engine) -> None:
    """Wait until nothing is in flight and no plan is open."""
    while engine.state.live or engine.state.open_plans:
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.5)


def odds(engine: Engine, folder: Path) -> list[r.Odd]:
    journal = reader.read(folder / "journal", boot=engine.boot)
    found = [r.decode(each.payload) for each in journal]
    return [each for each in found if isinstance(each, r.Odd) and each.event == "overfill"]


@pytest.mark.parametrize(("venues", "venue"), [
    (pair, venue) for pair, names in VENUES.items() for venue in names])
def test_an_overfill_is_booked_whole_hedged_and_halts(
    venues: str, venue: str, tmp_path: Path
) -> None:
    async def body() -> None:
        async with an_engine(VENUES[venues], CODES, tmp_path, f"{venue}:overfill:1x") as engine:
            while engine.state.trading != TradingState.HALTED:
                engine.signal()
                await asyncio.sleep(0.1)
            assert engine.halts[0].startswith(f"{venue} filled ")
            await still(engine)
            (odd,) = odds(engine, tmp_path)
            order = engine.state.orders[odd.order]
            lot = engine._steps(venue)[1]  # noqa: SLF001
            filters = engine.world.servers[venue].face.floor.filters(engine.lines[venue].native)
            assert order.booked == order.intent.size + lot * filters.lot
            assert engine.errors() == []  # to the last unit, the lot too much included

    uvloop.run(asyncio.wait_for(body(), DEADLINE_S))


@pytest.mark.parametrize("venues", VENUES)
def test_a_trade_that_is_taken_back_without_a_word_is_drift_of_just_that_much(
    venues: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "FAST", replace(
        engines.FAST, survey_ns=1_000 * MS, drift_surveys_max=2))

    async def body() -> None:
        async with an_engine(VENUES[venues], CODES, tmp_path) as engine:
            name = next(iter(engine.lines))
            while not any(key[0] == name for key in engine.state.trades):
                engine.signal()
                await asyncio.sleep(0.1)
            await still(engine)
            assert not engine.halts
            assert engine.errors() == []
            before = {fill.trade_id: fill for fill in engine.truth(name).fills}
            engine.world.add_fault(parse(f"{name}:bust"))
            await halted(engine)
            (gone,) = [fill for number, fill in before.items() if number not in {
                fill.trade_id for fill in engine.truth(name).fills}]
            base = money(gone.size) * (1 if gone.side == "buy" else -1)
            value = money(gone.size) * money(gone.price) // 10**24 * (
                1 if gone.side == "buy" else -1)
            off = {"BTC": -base, "USDT": value}
            off[gone.fee_asset] += money(gone.fee)
            assert engine.halts[0].startswith(f"{name} says ")
            assert any(f": {off[asset]} quanta of 10**-24" in engine.halts[0] for asset in off)
            for asset, moved in off.items():  # the venue's truth is ours but for that trade
                begun = sum(map(money, engine.begin[name].balances[asset]))
                stands = sum(map(money, engine.truth(name).balances[asset]))
                booked = engine.state.holdings.get((name, asset), 0) - engine.booked.get(
                    (name, asset), 0)
                assert stands - begun == booked + moved

    uvloop.run(asyncio.wait_for(body(), DEADLINE_S))
