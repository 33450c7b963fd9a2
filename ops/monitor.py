"""``monitor``: watch orders, positions, balances and profit, straight from shared memory."""

import argparse

from ops import client
from ops.screen.monitor import render
from ops.top import watch


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    client.add_name(parser)
    parser.add_argument("--plain", action="store_true", help="lines in place of the screen")
    client.add_example(parser, "monitor")


def run(options: argparse.Namespace) -> int:
    """Show what execution does until Ctrl-C; return 0, or 1 when the engine has left."""
    return watch(options, render)
