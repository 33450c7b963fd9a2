"""The alarm: never early, once per setting, and it can be moved."""

import asyncio
import time

from ops.sim.pace import Alarm
from tests.ops.sim.wire import run


def test_an_alarm_rings_at_its_time_and_not_before() -> None:
    async def body() -> None:
        rang: list[int] = []
        alarm = Alarm(lambda: rang.append(time.monotonic_ns()))
        due = time.monotonic_ns() + 3_000_000
        alarm.set(due)
        while not rang:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.005)
        assert len(rang) == 1
        assert rang[0] >= due
        alarm.close()

    run(body)


def test_a_time_that_has_passed_rings_soon_and_a_new_time_replaces_the_old() -> None:
    async def body() -> None:
        rang = asyncio.Event()
        alarm = Alarm(rang.set)
        alarm.set(time.monotonic_ns() + 3_600 * 10**9)
        alarm.set(1)
        await rang.wait()
        rang.clear()
        alarm.set(time.monotonic_ns() + 1_000_000)
        alarm.close()
        await asyncio.sleep(0.005)
        assert not rang.is_set()

    run(body)
