"""The control process: creates the segments, supervises the children, answers the socket.

``python -m engine.control.process FOLDER LOCK_DESCRIPTOR``, started by the launcher, which left
the resolved config in the folder.  Whatever happens, no child outlives it: it asks them to
leave, the kernel does where it cannot (PR_SET_PDEATHSIG).  It looks for its own parent itself:
the kernel's signal comes with the death of the launcher's main thread, and while other threads of
it still die, nothing says whether it will clean up or we have to.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Final

from engine.control import segments
from engine.control.commands import Commands
from engine.control.presence import Presence
from engine.control.protocol import KILL_FILE, Status
from engine.control.relay import Relay
from engine.control.roles import CONTROL, roles
from engine.control.server import Server
from engine.control.starter import Starter
from engine.control.supervisor import TICK_NS, Child, Supervisor
from engine.model.clock import SystemClock
from engine.model.errors import EngineError
from engine.runtime import loop, machine, process, spawn
from engine.runtime.context import Context
from engine.runtime.lock import EngineLock
from shm.bell import ring_bell
from shm.layout import BELLS, EngineState
from shm.segment import RunFolder

CANNOT_START: Final = 4  # exit code: trying again would not help
FOLDER_LOST: Final = 5  # exit code: start again in a fresh folder
CHILDREN_LEAVE_S: Final = 1.2  # of the 3 s in which a stop must be over
PROBE_TURNS: Final = 10  # one probe of the control socket a second


async def work(context: Context) -> int:
    """Run the engine until a stop is asked for; children are gone when this returns."""
    commands = Commands(context)
    children = [Child(role, context.control.processes[index])
                for index, role in enumerate(roles(context.config), 1)]
    starter = Starter(context, [child.role for child in children])
    supervisor = Supervisor(context, children, starter, commands.halt)
    commands.supervisor = supervisor
    relay = Relay(context)
    server = Server(context, commands.answer, relay)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, commands.kill, "SIGUSR1")
    context.process["pid"] = os.getpid()
    launcher = int(os.environ[spawn.PARENT_VARIABLE])
    presence = Presence(context.run, context.config)
    try:
        supervisor.start()
        commands.answer(Status())  # what a status and a stop run is compiled before READY too
        _ring_all(context)
        context.ready()
        turns = 0
        while True:
            supervisor.turn()
            commands.look()
            server.turn()
            relay.turn()
            if turns % PROBE_TURNS == 0:
                if (lost := presence.lost()) is not None:
                    commands.leave_to_the_next(f"{lost} was deleted by somebody")
                    context.leave()
                    return FOLDER_LOST
                server.probe()
            turns += 1
            if commands.stop_asked or os.getppid() != launcher:
                context.leave()
                return 0
            await asyncio.sleep(TICK_NS / 1e9)
    finally:
        context.control.engine["state"] = EngineState.STOPPING
        context.control.engine["stop"] = 1
        _ring_all(context)
        await supervisor.stop(CHILDREN_LEAVE_S)
        starter.close()
        relay.close()
        server.close()
        commands.close()


def _ring_all(context: Context) -> None:
    """Let whoever is parked look up."""
    for bell in range(BELLS):
        ring_bell(context.control.words, context.control.bell(bell))


def entry(context: Context) -> int:
    """Be control; the runtime has attached the segments that ``main`` created."""
    return loop.run(context, work)


def main(arguments: list[str]) -> int:
    """Create the segments, be control, leave a clean folder behind after a clean stop."""
    folder, descriptor = Path(arguments[0]), int(arguments[1])
    machine.no_core_dumps()
    machine.adopt_orphans()
    os.set_inheritable(descriptor, False)
    signal.signal(signal.SIGUSR1, lambda _number, _frame: (folder / KILL_FILE).touch())
    launcher = int(os.environ[spawn.PARENT_VARIABLE])
    run, clock = RunFolder(folder), SystemClock()
    exit_code = process.ORPHANED
    if os.getppid() == launcher:
        try:
            segments.create(run, process.read_config(folder), run_id=clock.unix_ns(), clock=clock)
        except (EngineError, OSError) as error:
            print(f"trypto-engine: {error}", file=sys.stderr)  # noqa: T201  (for the person)
            return CANNOT_START
        exit_code = process.run(CONTROL, folder, "engine.control.process:entry")
    if os.getppid() != launcher:  # nobody else is left to clean up; the lock is still held
        lock = EngineLock(run, descriptor)
        if lock.held():
            run.remove()
        lock.release()
    return exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
