"""The kill word against simulated venues: not an order byte after it, cancel-all right behind it.

    trading ─▶ Core ─▶ Gateway ─▶ socket ─▶ venue
    the word ─▶ read before each send; Killing, every 10 ms ─▶ cancel-all ─▶ venue

``pytest -o log_cli=true`` prints how long it took; the test fails by what happens, not by how fast.
"""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
import uvloop

from exec.door.killing import Killing
from exec.gateways.pending import Entry
from exec.gateways.traffic import CANCEL_ALL, PLACE
from exec.state.orders import FINAL
from shm.layout import TradingState
from tests.exec.gateways.engine import Engine, an_engine
from tests.exec.gateways.plain import quiet_log
from tests.exec.gateways.test_against_venues import CODES, VENUES

DEADLINE_S = 120.0
TURN_S = 0.01


class Wire:
    """What leaves, and when: requests by their purpose, at the moment of their first byte."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.left: list[tuple[int, str]] = []
        for gateway in engine.gateways.values():
            traffic = gateway._traffic  # noqa: SLF001
            self._note(vars(traffic), "_write", traffic._write)  # noqa: SLF001
            self._note(vars(traffic), "_first_byte", traffic._first_byte)  # noqa: SLF001

    def _note(
        self, attributes: dict[str, object], name: str, before: Callable[[Entry], bool]
    ) -> None:
        def noted(entry: Entry) -> bool:
            left = before(entry)
            if left:
                self.left.append((self.engine.clock.mono_ns(), entry.request.purpose))
            return left

        attributes[name] = noted

    def first(self, purpose: str, since_ns: int) -> int:
        return min((at for at, what in self.left if what == purpose and at >= since_ns), default=0)


@pytest.mark.parametrize("venues", VENUES)
@pytest.mark.parametrize("seed", range(3))
def test_no_order_byte_leaves_after_the_word_and_nothing_rests_soon(
    venues: str, seed: int, tmp_path: Path
) -> None:
    async def body() -> None:
        async with an_engine(VENUES[venues], CODES, tmp_path, seed=seed) as engine:
            wire = Wire(engine)
            killing = Killing(engine.core, engine.state, engine.killed, engine.clock, quiet_log())

            async def turns() -> None:
                while True:
                    killing.turn()
                    await asyncio.sleep(TURN_S)

            turning = asyncio.create_task(turns())
            trading = asyncio.create_task(engine.trade(1_000))
            await asyncio.sleep(1.0 + Random(seed).random())
            word_ns = engine.clock.mono_ns()
            engine.kill = True
            while not wire.first(CANCEL_ALL, word_ns) or any(
                    each.state not in FINAL for each in engine.state.orders.values()):
                await asyncio.sleep(0.001)
            all_ns = engine.clock.mono_ns()
            await asyncio.sleep(0.2)
            trading.cancel()
            turning.cancel()
            before = [at for at, what in wire.left if what == PLACE and at < word_ns]
            assert len(before) > 3, "nothing was traded"
            assert wire.first(PLACE, word_ns) == 0
            assert engine.state.trading == TradingState.EMERGENCY
            for name in engine.lines:
                assert all(each.status != "open" for each in engine.truth(name).orders)
            took = (wire.first(CANCEL_ALL, word_ns) - word_ns) / 1e6
            logging.getLogger("kill").warning(
                "%s: first byte of cancel-all after %.1f ms, last order ended after %.0f ms, order"
                " bytes after the word: 0", venues, took, (all_ns - word_ns) / 1e6)

    uvloop.run(asyncio.wait_for(body(), DEADLINE_S))


