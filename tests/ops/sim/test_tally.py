"""The figures of the venue servers reach shared memory."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from engine.config import Sim
from engine.model.clock import SystemClock
from engine.model.fault import Fault, Kind
from ops.sim import world as worlds
from ops.sim.faces import FACES
from ops.sim.world import World
from shm.counters import CounterBlock, SimCounter, SimHistogram
from tests.ops.sim.plain_face import PlainFace
from tests.ops.sim.wire import SECOND, Venue, run


def test_the_sim_process_counts_what_it_sends_answers_takes_and_breaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FACES, "kraken", PlainFace)
    monkeypatch.setattr(worlds, "TICK_S", 0.01)
    block = CounterBlock(np.zeros(CounterBlock.size(1) // 8, np.int64), 0)

    async def body() -> None:
        world = World({"kraken": ["BTC/USD"]}, Sim(messages_per_s=200), SystemClock(), None, block)
        await world.open(tmp_path)
        world.flow.pause()
        venue = Venue(world, "kraken")
        server = world.servers["kraken"]
        key, touch = next(iter(server.face.floor.credentials)), server.face.lines["BTC/USD"].book
        client = await venue.connect("/")
        client.ask({"login": key}, {"book": "BTC/USD"})
        size = touch.touch().ask_size
        for price in (touch.touch().ask, 0, touch.touch().bid):
            client.ask({"place": {"side": "buy", "price": price, "size": size}})
        await client.settle()
        world.faults.add(Fault("kraken", Kind.DROP, count=2))
        venue.step(1.0)
        assert (await venue.get("/time"))[0] == 200
        await client.settle()
        await asyncio.sleep(0.05)
        value = block.value
        assert value(SimCounter.CONNECTIONS) == 1
        assert value(SimCounter.FRAMES_RECEIVED) == 5
        assert value(SimCounter.FRAMES_SENT) == len(client.frames) > 50
        assert value(SimCounter.BYTES_SENT) == sum(map(len, client.frames))
        assert value(SimCounter.REQUESTS) == 1
        assert (value(SimCounter.ORDERS), value(SimCounter.REFUSALS)) == (2, 1)
        assert value(SimCounter.FILLS) >= 1
        assert value(SimCounter.FAULTS) == 2
        answers = block.histogram(SimHistogram.ANSWER)
        assert answers.count == 6
        assert 0 < answers.max_ns < SECOND
        assert block.histogram(SimHistogram.LATENESS).count >= 3
        await world.close()

    run(body)
