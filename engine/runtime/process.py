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
from typing import Final, cast

import msgspec

from engine.config import Config
from engine.model.clock import SystemClock
from engine.model.errors import EngineError
from engine.runtime import log, machine
from engine.runtime.context import Context
from engine.runtime.spawn import PARENT_VARIABLE
from shm.board import ControlView
from shm.counters import CounterBlock
from shm.segment import RunFolder, Segment

CONFIG_FILE: Final = "config.json"
UNPINNED: Final = ("control", "template", "sim", "guard")  # they may share what the others leave
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
    """Attach to the run in ``folder`` as process ``name``.

    Raises LayoutMismatch or SegmentInvalid where the run is not ours.
    """
    config, run, clock = read_config(folder), RunFolder(folder), SystemClock()
    segment = Segment.attach(run, "control", writable=True)
    control = ControlView(segment.words)
    index = control.processes.index_of(name)
    counters = Segment.attach(run, "counters", writable=True)
    logger, writer = log.open_log(
        process=name, run=segment.run, engine=config.name, logs=config.logs, clock=clock)
    count = control.engine["process_count"]
    names = [control.processes[each].text("name") for each in range(count)]
    core = _settle(config, names, name, logger)
    context = Context(
        name=name, index=index, run=run, config=config, clock=clock, log=logger,
        run_id=segment.run, control=control, counters=CounterBlock(counters.words, index),
    )
    context.enter(cpu=core)
    return context, writer


def run(name: str, folder: Path, entry: str) -> int:
    """Enter, call the entry, return its exit code, or 1 with the reason logged and on stderr."""
    logger: log.Logger | None = None
    writer: log.Writer | None = None
    try:
        context, writer = enter(name, folder)
        logger = context.log
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: context.leave())
        return entry_of(entry)(context)
    except EngineError as error:
        if logger is not None:
            logger.error("left", error=type(error).__name__, reason=str(error))
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201  (the verdict)
    except Exception as error:  # the one broad except: it ends the process
        if logger is not None:
            logger.exception("crashed")
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201  (the verdict)
    finally:
        if writer is not None:
            writer.close()
    return 1


def main(arguments: list[str]) -> int:
    """Be the process named by the arguments until it ends; return its exit code."""
    name, folder, entry = arguments
    faulthandler.enable()
    machine.no_core_dumps()
    machine.name_process(name)
    if not machine.die_with_parent(signal.SIGTERM, int(os.environ[PARENT_VARIABLE])):
        return ORPHANED
    return run(name, Path(folder), entry)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
