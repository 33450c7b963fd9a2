"""The real protocols in trouble: what a fault does to the ledger, and what ccxt takes it for.

A venue's own words for trouble are known to its clients: each refusal must arrive as the kind of
error that ccxt made of the real venue's, and whatever was carried out must be in the ledger.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import ccxt
import pytest

from engine.model.fault import Fault, Kind
from tests.clients.proofs import VENUES
from tests.clients.stage import Stage, a_stage, run
from tests.clients.test_ccxt_orders import AMOUNT, PACE
from tests.clients.trader import ACCOUNT, Trader

TICKS_S: Final = 0.25  # faults that stand begin and end within it
Errors = tuple[type[Exception], ...]
TOO_MANY: Final[Errors] = (ccxt.RateLimitExceeded, ccxt.DDoSProtection)
# a server that fails or is away: ccxt has several words, by venue
AWAY: Final[Errors] = (ccxt.OperationFailed, ccxt.OnMaintenance, ccxt.ExchangeError)
HALTED: Final[Errors] = (ccxt.ExchangeError, ccxt.ExchangeNotAvailable)


class Trial:
    """One venue, its client, and faults that strike it one after another."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.trader = stage, Trader(stage, AMOUNT)
        self.client: Any = stage.client
        self.faults = stage.world.faults

    async def refused(self, kind: Kind, errors: Errors, call: Callable[[], Awaitable[Any]],
                      **more: Any) -> Exception:
        """Expect one call to fail, struck by ``kind`` once, or for as long as that stands."""
        before = self.faults.struck.get(f"{self.stage.name}:{kind}", 0)
        self.stage.world.add_fault(Fault(self.stage.name, kind, **more))
        if "count" not in more:
            await asyncio.sleep(TICKS_S)
        with pytest.raises(errors) as caught:
            await call()
        self.stage.world.lift(self.stage.name, None)
        if "count" not in more:
            await asyncio.sleep(TICKS_S)
        assert self.faults.struck[f"{self.stage.name}:{kind}"] == before + 1
        return caught.value

    async def order(self) -> Any:
        """Rest an order far below the touch."""
        return await self.client.create_order(
            self.trader.symbol, "limit", "buy", AMOUNT, self.trader.price(0.97))

    def orders(self, status: str = "") -> int:
        """Return how many orders the ledger has."""
        return sum(status in ("", each.status) for each in self.trader.truth().orders)


@pytest.mark.parametrize("venue", VENUES)
def test_refusals_are_what_the_venues_are_and_executed_orders_are_in_the_ledger(
    venue: str,
) -> None:
    async def body() -> None:
        async with a_stage(venue, account=ACCOUNT, **PACE.get(venue, {})) as stage:
            it = Trial(stage)
            await it.client.load_markets()
            # refused before anything is done
            await it.refused(Kind.HTTP_429, TOO_MANY, it.order, count=1)
            await it.refused(Kind.HTTP_500, (*AWAY, *TOO_MANY), it.order, count=1)
            await it.refused(Kind.MAINTENANCE, AWAY, it.order)
            await it.refused(Kind.HALT, HALTED, it.order)
            await it.refused(Kind.CANCEL_ONLY, HALTED, it.order)
            await it.refused(Kind.KEYS_REVOKED, (
                ccxt.AuthenticationError, ccxt.ExchangeError), it.order)
            if venue != "kraken":  # its requests carry a nonce, no time
                await it.refused(Kind.CLOCK_SKEW, (
                    ccxt.InvalidNonce, ccxt.RequestTimeout, ccxt.AuthenticationError,
                    ccxt.ExchangeError), it.order, ms=300_000)
            await it.refused(Kind.REQUEST_LOST, (ccxt.NetworkError,), it.order, count=1)
            assert it.orders() == 0
            # carried out, and not told
            await it.refused(Kind.ANSWER_5XX, (*AWAY, ccxt.NetworkError), it.order, count=1)
            await it.refused(Kind.ANSWER_LOST, (ccxt.NetworkError,), it.order, count=1)
            assert it.orders("open") == 2
            found = await it.client.fetch_open_orders(it.trader.symbol)
            assert len(found) == 2
            # a cancel that comes too late
            lost = found[0]["id"]
            await it.refused(
                Kind.CANCEL_FILL_RACE, (ccxt.OrderNotFound, ccxt.InvalidOrder, ccxt.ExchangeError),
                lambda: it.client.cancel_order(lost, it.trader.symbol), count=1)
            assert (it.orders("open"), it.orders("filled")) == (1, 1)
            order = await it.client.fetch_order(lost, it.trader.symbol)
            assert (order["status"], order["filled"]) == ("closed", AMOUNT)
            # half of it fills, the venue ends the rest
            stage.world.add_fault(Fault(venue, Kind.PARTIAL_THEN_END, count=1))
            half = await it.client.create_order(
                it.trader.symbol, "limit", "buy", AMOUNT, it.trader.price(1.002),
                {"timeInForce": "IOC"})
            order = await it.client.fetch_order(half["id"], it.trader.symbol)
            assert order["status"] in ("canceled", "expired")
            assert order["filled"] == AMOUNT / 2

    run(body)


@pytest.mark.parametrize("venue", VENUES)
def test_a_halt_and_coarser_steps_show_in_the_catalogue_while_they_last(venue: str) -> None:
    async def body() -> None:
        async with a_stage(venue, account=ACCOUNT, **PACE.get(venue, {})) as stage:
            client, symbol = stage.client, stage.symbols[0]
            before = (await client.load_markets())[symbol]
            for kind in (Kind.HALT, Kind.FILTERS):
                stage.world.add_fault(Fault(venue, kind))
            await asyncio.sleep(TICKS_S)
            during = (await client.load_markets(True))[symbol]
            assert not during["active"]
            assert during["precision"]["price"] == pytest.approx(before["precision"]["price"] * 10)
            assert during["precision"]["amount"] == pytest.approx(
                before["precision"]["amount"] * 10)
            stage.world.lift("*", None)
            await asyncio.sleep(TICKS_S)
            after = (await client.load_markets(True))[symbol]
            assert (after["active"], after["precision"]) == (before["active"], before["precision"])

    run(body)


@pytest.mark.parametrize("venue", ["binance", "binance-usdm", "okx", "kraken", "coinbase"])
def test_a_fill_is_told_late_twice_or_never_by_the_venues_stream(venue: str) -> None:
    async def body() -> None:
        async with a_stage(venue, account=ACCOUNT, **PACE.get(venue, {})) as stage:
            it = Trial(stage)
            await it.client.load_markets()
            told: list[bool] = []

            async def follow() -> None:
                while True:
                    orders = await it.client.watch_orders(
                        None if venue == "kraken" else it.trader.symbol)
                    told.extend(
                        float(each["filled"] or each["info"].get("cum_qty") or 0) > 0
                        for each in orders)

            following = asyncio.ensure_future(follow())
            await it.order()
            while not told:
                await asyncio.sleep(0.05)
                if not told:
                    await it.order()
            for kind in (Kind.FILL_LOST, Kind.FILL_LATE):
                told.clear()
                stage.world.add_fault(Fault(venue, kind, count=1, ms=700))
                await it.client.create_order(
                    it.trader.symbol, "limit", "buy", AMOUNT, it.trader.price(1.002))
                await asyncio.sleep(0.3)
                assert not any(told), kind
                await asyncio.sleep(0.8)
                assert any(told) == (kind is Kind.FILL_LATE), kind
            following.cancel()
            assert it.orders("filled") == 2

    run(body)
