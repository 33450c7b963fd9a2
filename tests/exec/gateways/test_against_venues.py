"""Core, journal, gateways, codecs against simulated venues: nothing is lost, nothing doubled."""

import asyncio
from itertools import count
from pathlib import Path

import pytest
import uvloop

from exec.gateways.codec import Codec, Listing
from exec.gateways.keys import ApiKey
from exec.signing.binance import BinanceSigner
from exec.signing.coinbase import CoinbaseSigner
from exec.signing.kraken import KrakenSigner
from exec.signing.okx import OkxSigner
from exec.venues.binance.spot import BinanceSpot
from exec.venues.coinbase.codec import CoinbaseCodec
from exec.venues.kraken.codec import KrakenCodec
from exec.venues.kraken.nonces import Nonces
from exec.venues.okx.codec import OkxCodec
from ops.sim.faces.okx.catalogue import FIRST_CODE
from tests.exec.gateways.engine import MakeCodec, an_engine

DEADLINE_S = 240.0  # a test that hangs fails; no test depends on how fast it is


def okx(name: str, key: ApiKey, listings: tuple[Listing, ...]) -> Codec:
    return OkxCodec(OkxSigner(key.key, key.secret, key.passphrase), listings, venue=name)


def binance(name: str, key: ApiKey, listings: tuple[Listing, ...]) -> Codec:
    return BinanceSpot(name, BinanceSigner(key.key, key.secret), listings)


def kraken(name: str, key: ApiKey, listings: tuple[Listing, ...]) -> Codec:
    reserved: list[int] = []
    return KrakenCodec(
        name, listings, KrakenSigner(key.key, key.secret), Nonces(0, reserved.append))


def coinbase(name: str, key: ApiKey, listings: tuple[Listing, ...]) -> Codec:
    numbers = count(1)
    return CoinbaseCodec(
        CoinbaseSigner(key.key, key.secret), listings, lambda: f"{next(numbers):x}")


VENUES: dict[str, dict[str, MakeCodec]] = {
    "okx and binance": {"okx": okx, "binance": binance},
    "kraken and coinbase": {"kraken": kraken, "coinbase": coinbase},
}
CODES = {"okx": str(FIRST_CODE)}
TROUBLES = {
    "answers": ("*:answer_lost:0.1", "*:answer_5xx:0.1", "*:answer_late:0.1:1000ms"),
    "fills": ("*:fill_late:0.3:600ms", "*:fill_duplicate:0.3", "*:cancel_fill_race:0.7",
              "*:fill_before_ack:0.2"),
    "all": ("*:answer_lost:0.05", "*:answer_never:0.05", "*:request_lost:0.05", "*:fill_lost:0.1",
            "*:fill_late:0.1", "*:cancel_fill_race:0.3", "*:http_500:0.1", "*:request_late:0.05"),
}


@pytest.mark.parametrize("venues", VENUES)
@pytest.mark.parametrize("trouble", TROUBLES)
def test_every_order_and_fill_is_as_the_venue_has_it(
    venues: str, trouble: str, tmp_path: Path
) -> None:
    async def body() -> None:
        async with an_engine(
            VENUES[venues], CODES, tmp_path, *TROUBLES[trouble], tls=trouble == "fills"
        ) as engine:
            await engine.trade(20)
            struck = dict(engine.world.faults.struck)
            await engine.settle()
            assert engine.errors() == [], f"halts: {engine.halts}"
            assert sum(len(engine.truth(name).fills) for name in engine.lines) > 5
            assert struck, "no fault struck"

    uvloop.run(asyncio.wait_for(body(), DEADLINE_S))


def test_a_venue_whose_clock_goes_wrong_takes_no_orders_until_it_is_right_again(
    tmp_path: Path
) -> None:
    async def body() -> None:
        async with an_engine({"okx": okx}, CODES, tmp_path, "okx:clock_skew:5000ms") as engine:
            while "clock is +" not in engine.core.unready["okx"]:
                await asyncio.sleep(0.02)
            refusal = engine.signal()
            assert refusal is not None
            assert refusal.check == "venue_unready"
            engine.world.lift("*", None)
            while engine.core.unready["okx"]:
                await asyncio.sleep(0.02)

    uvloop.run(asyncio.wait_for(body(), DEADLINE_S))
