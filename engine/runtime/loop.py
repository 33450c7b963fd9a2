"""The event loop of processes that have one: uvloop, signals, a beat every 100 ms.

A beat from the loop proves that the loop turns: a callback that never returns stops the beats,
and control kills what does not beat.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import Final

import uvloop

from engine.runtime.context import Context

BEAT_S: Final = 0.1


async def _beat(context: Context, worker: "asyncio.Task[int]") -> None:
    """Beat until it is time to leave, then cancel the worker, unless a signal did already."""
    while not context.stopping:
        context.beat()
        await asyncio.sleep(BEAT_S)
    if context.leave():
        worker.cancel("stop")


async def _supervise(context: Context, worker: Callable[[Context], Awaitable[int]]) -> int:
    loop = asyncio.get_running_loop()

    async def work() -> int:
        return await worker(context)

    task = asyncio.create_task(work(), name=context.name)
    beats = asyncio.create_task(_beat(context, task), name="beat")

    def leave() -> None:
        if context.leave():
            task.cancel("signal")

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, leave)
    try:
        return await task
    except asyncio.CancelledError:
        if context.stopping:
            return 0
        raise
    finally:
        beats.cancel()


def run(context: Context, worker: Callable[[Context], Awaitable[int]]) -> int:
    """Run ``worker`` on uvloop until it returns or the engine stops; return its exit code.

    On stop the worker is cancelled: it cleans up in ``finally`` and within the engine's 3 s.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_supervise(context, worker))
