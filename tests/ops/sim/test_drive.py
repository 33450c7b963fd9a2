"""The drive: frames come by themselves, and after a long sleep nothing is made up for."""

import asyncio
from itertools import pairwise

from engine.model.clock import ManualClock
from ops.sim.drive import LAG_NS_MAX, LOOK_EVERY, Drive
from ops.sim.face import Update
from ops.sim.faces.kraken import Kraken
from ops.sim.faults import Faults
from ops.sim.floor import Clients, Floor
from ops.sim.listing import Line, invented_line
from ops.sim.market import Market
from ops.sim.server import VenueServer
from tests.ops.sim.wire import SECOND, a_venue, run

RATE = 1000


class Counting(Kraken):
    """Counts updates instead of sending them."""

    updates = 0

    def update(self, line: Line, update: Update) -> None:
        """Count."""
        self.updates += 1


def a_drive(clock: ManualClock, kind: type[Counting] = Counting) -> tuple[Drive, Counting]:
    line = invented_line("kraken", "BTC/USD")
    market = Market([line], seed=1, messages_per_s=RATE)
    server = VenueServer("kraken", clock, Faults([], seed=1, start_mono_ns=0))
    floor = Floor("kraken", [line], clock, server.faults, Clients(1, ["main"], {}))
    face = kind([line], server, clock, floor)
    floor.face = server.face = face
    return Drive(market, {"kraken": floor}, clock), face


def test_what_the_machine_slept_through_is_left_out() -> None:
    async def body() -> None:
        clock = ManualClock(mono_ns=SECOND)
        drive, face = a_drive(clock)
        drive.start()
        clock.advance(3_600 * SECOND)
        while not face.updates:
            await asyncio.sleep(0.001)
        assert face.updates < 3 * RATE * LAG_NS_MAX / SECOND
        drive.stop()

    run(body)


def test_a_pause_takes_no_part_in_virtual_time() -> None:
    async def body() -> None:
        clock = ManualClock(mono_ns=SECOND)
        drive, face = a_drive(clock)
        drive.start()
        drive.pause()
        clock.advance(LAG_NS_MAX // 2)
        await asyncio.sleep(0.01)  # the alarm set before rings, and does nothing
        assert face.updates == 0
        drive.resume()
        await asyncio.sleep(0.01)
        assert face.updates == 0  # the clock stands where the pause ended
        drive.step(SECOND // 10)
        assert face.updates > 0
        drive.stop()

    run(body)


def test_frames_come_without_being_stepped() -> None:
    async def body() -> None:
        async with a_venue("kraken", "BTC/USD") as venue:
            client = await venue.connect()
            client.ask({"method": "subscribe",
                        "params": {"channel": "book", "symbol": ["BTC/USD"]}})
            await client.settle()
            client.frames.clear()
            venue.world.flow.resume()
            while len(client.frames) < 5:
                await asyncio.sleep(0.01)
            venue.world.flow.pause()
            await client.settle()
            client.frames.clear()
            await asyncio.sleep(0.05)
            await client.settle()
            assert not [frame for frame in client.frames if b'"book"' in frame]

    run(body)


class Slow(Counting):
    """Each update takes a millisecond of the clock."""

    def update(self, line: Line, update: Update) -> None:
        """Count, and let time pass."""
        super().update(line, update)
        assert isinstance(self.clock, ManualClock)
        self.clock.advance(SECOND // 1000)


def test_a_turn_ends_in_time_and_what_is_left_comes_with_the_next() -> None:
    async def body() -> None:
        clock = ManualClock(mono_ns=SECOND)
        drive, face = a_drive(clock, Slow)
        drive.start()
        clock.advance(LAG_NS_MAX)
        drive.resume()
        counts = [face.updates]
        while face.updates < RATE * LAG_NS_MAX // SECOND:
            await asyncio.sleep(0)
            if face.updates != counts[-1]:
                counts.append(face.updates)
        assert max(after - before for before, after in pairwise(counts)) <= LOOK_EVERY
        drive.stop()

    run(body)
