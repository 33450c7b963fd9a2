"""The ledger process: the journal of execution into SQL, beside trading and never in its way.

The work is done in a thread of its own, so that a database that hangs stops no heartbeat.
"""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from engine.runtime import loop
from engine.runtime.context import Context
from engine.runtime.machine import boot_id
from exec.ledger.keeper import Keeper
from exec.ledger.metrics import Sampler
from shm.layout import ProcessState

LINGER_S: Final = 1.0  # after a stop, for the last words of execution


async def work(context: Context) -> int:
    """Keep the ledger until cancelled, or until the run has other books."""
    keeper = Keeper(context.run, context.config, context.clock, context.log, context.counters,
                    Sampler(context), boot=boot_id())
    events = asyncio.get_running_loop()
    thread = ThreadPoolExecutor(1, "ledger")
    turning: asyncio.Future[float] | None = None
    context.ready()
    try:
        while not keeper.moved:
            turning = events.run_in_executor(thread, keeper.turn)
            await asyncio.sleep(await asyncio.shield(turning))
        context.log.info("other books", why="the run has another account's; back in a moment")
    finally:
        if turning is not None:
            await asyncio.wait([turning])
        await events.run_in_executor(thread, _finish, context, keeper)
        thread.shutdown()
    return 0


def _finish(context: Context, keeper: Keeper) -> None:
    """Take what execution still appends while it leaves; then let go."""
    until_ns = context.clock.mono_ns() + int(LINGER_S * 1e9)
    row = context.control.processes[context.control.processes.index_of("exec")]
    while not keeper.moved and context.clock.mono_ns() < until_ns:
        gone = row["state"] not in (ProcessState.STARTING, ProcessState.READY)
        wait_s = keeper.turn()
        if gone and keeper.idle:
            break
        time.sleep(wait_s)
    keeper.close()


def main(context: Context) -> int:
    """Keep the ledger until told to stop; return 0."""
    return loop.run(context, work)
