"""``top``: watch a running engine, straight from shared memory."""

import argparse
import sys
import time
from typing import Final

from engine.model.clock import SystemClock
from ops import client
from ops.screen.display import open_display
from ops.screen.terminal import Draw
from ops.screen.view import render

REFRESH_S: Final = 0.25


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    client.add_name(parser)
    parser.add_argument("--plain", action="store_true", help="lines in place of the screen")
    client.add_example(parser, "top")


def run(options: argparse.Namespace) -> int:
    """Show the engine until Ctrl-C; return 0, or 1 when it has left."""
    return watch(options, render)


def watch(options: argparse.Namespace, draw: Draw) -> int:
    """Show the engine as ``draw`` does until Ctrl-C; return 0, or 1 when it has left."""
    folder = client.engine_of(options.name)
    display = open_display(folder, SystemClock(), plain=options.plain, draw=draw)
    try:
        while folder.path.is_dir():
            display.refresh()
            time.sleep(REFRESH_S)
    except KeyboardInterrupt:
        return 0
    finally:
        display.close()
    print(f"the engine {folder.path.name} has left", file=sys.stderr)
    return 1
