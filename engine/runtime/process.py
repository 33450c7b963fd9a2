"""The entry of every child: ``python -m engine.runtime.process NAME FOLDER MODULE:FUNCTION``.

Reads the resolved config, attaches the control segment, pins, opens the log, then calls the
entry with a Context.  ``run`` holds the one broad ``except`` of a process: what nobody has a
remedy for is logged, said on the last line of stderr (control keeps it as the verdict) and ends
the process.
"""

import faulthandler
import importlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Final, cast

import msgspec

from engine.config import Config
from engine.model.clock import SystemClock
from engine.model.errors import EngineError, LayoutMismatch
from engine.runtime import log, machine
from engine.runtime.context import Context
from shm.board import ControlView
from shm.counters import CounterBlock
from shm.segment import RunFolder

PARENT_VARIABLE: Final = "TRYPTO_PARENT"  # the pid that must be our parent
CONFIG_FILE: Final = "config.json"
UNPINNED: Final = ("control", "sim")  # they may share what the others leave
ORPHANED: Final = 3  # exit code: the parent died before we could ask to be told

Entry = Callable[[Context], int]


def read_config(folder: Path) -> Config:
    """Return the resolved config that the launcher left in the run folder."""
    return msgspec.json.decode((folder / CONFIG_FILE).read_bytes(), type=Config)


def entry_of(text: str) -> Entry:
    """Import ``module:function``."""
    module, _, function = text.partition(":")
    return cast("Entry", getattr(importlib.import_module(module), function))


def _settle(config: Config, names: list[str], name: str, logger: log.Logger) -> int:
    """Pin, lock and quieten this process as the config says; return its core or NO_CORE."""
    machine.no_core_dumps()
    machine.quiet_collector()
    wanted = {f"feed:{venue}": table.cpu for venue, table in config.venues.items()}
    wanted |= {"detector": config.detector.cpu, "exec": config.execution.cpu}
    plan = machine.plan_cores(
        [each for each in names if each not in UNPINNED], wanted, machine.allowed_cores(),
        auto=config.machine.pin == "auto")
    core = plan.get(name, machine.NO_CORE)
    if core != machine.NO_CORE:
        machine.pin(core)
    if config.machine.lock_memory and (reason := machine.lock_memory()):
        logger.warning("memory not locked", reason=reason)
    return core


def enter(name: str, folder: Path) -> tuple[Context, log.Writer]:
    """Attach to the run in ``folder`` as process ``name``; raise LayoutMismatch where we cannot."""
    config = read_config(folder)
    clock = SystemClock()
    run = RunFolder(folder)
    control = ControlView.attach(run, writable=True)
    row = control.row_of(name)
    logger, writer = log.open_log(
        process=name, run=control.run, engine=config.name, logs=config.logs, clock=clock)
    core = _settle(config, control.process_names(), name, logger)
    context = Context(
        name=name, row=row, run=run, config=config, clock=clock, log=logger, control=control,
        counters=CounterBlock.attach(run, row), engine_words=control.engine_words,
        process_words=control.process_words(row),
    )
    context.enter(cpu=core)
    return context, writer


def run(context: Context, entry: Entry) -> int:
    """Call the entry; return its exit code, or 1 with the reason logged and said on stderr."""

    def leave(_number: int, _frame: FrameType | None) -> None:
        context.leave()

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    try:
        return entry(context)
    except EngineError as error:
        context.log.error("left", error=type(error).__name__, reason=str(error))
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201  (the verdict)
    except Exception as error:  # noqa: BLE001  (the one broad except: it ends the process)
        context.log.exception("crashed")
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201  (the verdict)
    return 1


def main(arguments: list[str]) -> int:
    """Be the process named by the arguments until it ends; return its exit code."""
    name, folder, entry = arguments
    faulthandler.enable()
    if not machine.die_with_parent(signal.SIGTERM, int(os.environ[PARENT_VARIABLE])):
        return ORPHANED
    context, writer = enter(name, Path(folder))
    try:
        return run(context, entry_of(entry))
    finally:
        writer.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
