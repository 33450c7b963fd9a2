"""``start``: run an engine in the foreground until Ctrl-C, ``stop`` or the given time."""

import argparse
import os
from pathlib import Path

import msgspec

from engine.config import Config, Name, Rate, load
from engine.config.shipped import limits_of, shipped
from engine.model.clock import SystemClock
from engine.model.errors import ConfigInvalid
from engine.runtime import machine
from engine.runtime.books_folder import storage_of
from engine.runtime.lock import EngineLock
from engine.runtime.log import log_folder
from engine.runtime.wire import IPC_PATH_MAX
from ops import books
from ops.captured import with_captures
from ops.client import SOCKET, add_example
from ops.launcher import Launcher
from ops.screen.display import open_display
from ops.sim.tape import Tape
from shm.segment import RunFolder

DEMO = "demo.toml"
ADMISSION = "exec.admission"  # which names the account, and refuses what may not go live


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--config", type=Path, metavar="F",
                        help="the config (default: five simulated venues)")
    parser.add_argument("--capture", nargs="+", metavar="FILE", default=[],
                        help="play these recordings; venues and symbols are theirs")
    parser.add_argument("--speed", type=_speed, default=1.0, metavar="N",
                        help="play recordings N times as fast (default: as recorded)")
    parser.add_argument("--loop", action=argparse.BooleanOptionalAction, default=True,
                        help="start recordings over at their end (default: yes)")
    parser.add_argument("--fee-ppm", type=_ppm, metavar="N",
                        help="taker fee of every venue of the recordings (default: the venues')")
    parser.add_argument("--edge-ppm", type=_ppm, metavar="N",
                        help="net edge that detector and execution ask for, in the config's place")
    parser.add_argument("--for", type=_positive, dest="seconds", metavar="SECONDS",
                        help="stop by itself after this time")
    parser.add_argument("--mode", choices=("dry_run", "paper", "live"),
                        help="in place of the config's mode; going live takes the config's")
    parser.add_argument("--live", metavar="ACCOUNT",
                        help="confirm live trading with this account, 12 digits that a start"
                             " without it names")
    parser.add_argument("--name", metavar="N", help="the engine's name, in place of the config's")
    parser.add_argument("--plain", action="store_true", help="lines in place of the screen")
    add_example(parser, "start", "start --config configs/paper.toml --for 60",
                "start --config live.toml --live 0123456789ab")


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


def _speed(text: str) -> float:
    try:
        return msgspec.convert(float(text), Rate)
    except msgspec.ValidationError:
        raise argparse.ArgumentTypeError(f"{text} is not within 0.001 and 1000000") from None


def _ppm(text: str) -> int:
    value = int(text)
    if not -1_000_000 <= value <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text} is not within -1000000 and 1000000 ppm")
    return value


def run(options: argparse.Namespace) -> int:
    """Run the engine; return 0 after a stop, 1 when it could not run or be kept running."""
    config = wanted_config(options)
    check_here(config)
    folder, clock = RunFolder.of(config.name), SystemClock()
    if len(str(folder.file(SOCKET))) > IPC_PATH_MAX:
        raise ConfigInvalid(f"{folder.file(SOCKET)}: longer than the {IPC_PATH_MAX} bytes that a"
                            " local socket may have; right would be a shorter --name")
    if config.mode == "live" and config.sim is None and (wrong := books.hand_over(
            ADMISSION, str(folder.path), told=msgspec.json.encode(config))):
        return wrong  # it said why
    lock = EngineLock.take(folder)
    try:
        display = open_display(folder, clock, plain=options.plain)
    except BaseException:  # Ctrl-C as well: the lock's file may not stay
        lock.release()
        raise
    try:
        return Launcher(
            config=config, lock=lock, clock=clock, refresh=display.refresh,
            say=display.say, seconds=options.seconds,
        ).run()
    finally:
        display.close()


def wanted_config(options: argparse.Namespace) -> Config:
    """Return the config that the options ask for; raise ConfigInvalid or CaptureInvalid."""
    config = load(options.config or shipped(DEMO))
    if options.capture:
        config = with_captures(config, options.capture, speed=options.speed, loop=options.loop,
                               fee_ppm=options.fee_ppm)
    elif options.fee_ppm is not None:
        raise ConfigInvalid("--fee-ppm goes with --capture; right would be taker-fee-ppm in each"
                            " [venues] table of the config")
    config = _with_mode(config, options.mode, options.live)
    if options.edge_ppm is not None:
        replace, edge_ppm = msgspec.structs.replace, options.edge_ppm
        if edge_ppm > config.detector.edge_max_ppm:
            raise ConfigInvalid(f"--edge-ppm {edge_ppm}: more than detector.edge-max-ppm ="
                                f" {config.detector.edge_max_ppm}; right would be at most that")
        config = replace(config, detector=replace(config.detector, edge_min_ppm=edge_ppm),
                         execution=replace(config.execution, edge_min_ppm=edge_ppm))
    if options.name is not None:
        try:
            name = msgspec.convert(options.name, Name)
        except msgspec.ValidationError:
            raise ConfigInvalid(f"--name {options.name}: right would be lower-case letters,"
                                " digits, - and _, at most 31") from None
        config = msgspec.structs.replace(config, name=name)
    return config


def _with_mode(config: Config, mode: str | None, account: str | None) -> Config:
    """Return the config in the wanted mode; raise ConfigInvalid where it would go live by it."""
    if mode is not None and mode != config.mode:
        if mode == "live":
            raise ConfigInvalid(f"--mode live: the config says {config.mode!r}; right would be"
                                " mode = 'live' in the config: live takes both")
        config = msgspec.structs.replace(config, mode=mode)
    if config.mode != "live" or config.sim is not None:
        if account is not None:
            raise ConfigInvalid("--live: nothing goes live here: the mode is"
                                f" {config.mode!r}{' on simulated venues' if config.sim else ''};"
                                " right would be to leave it out")
        return config
    return msgspec.structs.replace(config, confirmed=account or "")


def check_here(config: Config) -> None:
    """Raise ConfigInvalid or CaptureInvalid for what this machine or this version cannot do."""
    limits_of(config.risk)
    cores = machine.allowed_cores()
    for key, core in (
        ("detector.cpu", config.detector.cpu), ("execution.cpu", config.execution.cpu),
        *((f"venues.{name}.cpu", venue.cpu) for name, venue in config.venues.items()),
    ):
        if core is not None and core not in cores:
            raise ConfigInvalid(f"{key}: found {core}; right would be a core that this machine"
                                f" gives us: {', '.join(map(str, cores))}")
    if config.sim is not None and config.sim.captures:
        Tape(config.sim.captures)
    _check_folder(log_folder(config.name, config.logs), "logs go there", "logs.folder")
    _check_folder(storage_of(config.name, config.storage.folder), "journal and ledger go there",
                  "storage.folder")


def _check_folder(folder: Path, why: str, key: str) -> None:
    """Make a folder; raise ConfigInvalid where that or writing in it is not ours to do."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        reason = error.strerror
    else:
        reason = "" if os.access(folder, os.W_OK | os.X_OK) else "no permission to write"
    if reason:
        raise ConfigInvalid(f"{folder}: {reason}; {why}: right would be {key} with a folder that"
                            " you may write, or XDG_STATE_HOME")
