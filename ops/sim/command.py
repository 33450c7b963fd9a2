"""``trypto-engine sim``: the simulated venues alone; ``remote`` acts on those that run."""

import argparse
import asyncio
import contextlib
import fcntl
import gc
import json
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import uvloop

from engine.config import Config, Sim
from engine.model.clock import SystemClock
from engine.model.errors import ConfigInvalid
from engine.runtime.machine import quiet_collector
from ops import start
from ops.sim import remote
from ops.sim.world import World

LOCK: Final = "sim.lock"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--config", type=Path, metavar="F",
                        help="the config whose venues to simulate (default: five venues)")
    parser.add_argument("--capture", nargs="+", metavar="FILE", default=[],
                        help="play these recordings; venues and symbols are theirs")
    parser.add_argument("--speed", type=float, default=1.0, metavar="N",
                        help="play recordings N times as fast (default: as recorded)")
    parser.add_argument("--loop", action=argparse.BooleanOptionalAction, default=True,
                        help="start recordings over at their end (default: yes)")
    parser.add_argument("--folder", type=Path, metavar="D",
                        help="where endpoints.json goes; ports are used again from there")
    parser.set_defaults(name=None, fee_ppm=None, edge_ppm=None, mode=None, live=None)
    remote.add_actions(parser)


def run(options: argparse.Namespace) -> int:
    """Print where the venues listen, then serve until Ctrl-C; or do what is asked of others."""
    if options.action is not None:
        return int(options.act(options))
    config = start.wanted_config(options)
    with tempfile.TemporaryDirectory(prefix="trypto-sim-") as temporary:
        folder: Path = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        with (_only_one(folder),
              asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner):
            runner.run(_serve(config, folder))
    return 0


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Keep a second world out of the folder: it would take the addresses of the first away."""
    with (folder / LOCK).open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigInvalid(
                f"{folder}: other simulated venues run there; right would be another"
                " --folder") from None
        yield


async def _serve(config: Config, folder: Path) -> None:
    venues = {name: venue.symbols for name, venue in config.venues.items()}
    world = World(venues, config.sim or Sim(), SystemClock(), config.pairs)
    await world.open(folder)
    quiet_collector()
    gc.collect()
    gc.freeze()  # what is there now stays
    print(json.dumps(world.endpoints(), indent=1), flush=True)
    serving = asyncio.ensure_future(world.serve())
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
    try:
        await serving
    except asyncio.CancelledError:
        print("stopped", flush=True)
    finally:
        await world.close()
