"""``pause [TARGET]``: emit no signals; market data keeps flowing.  Safe to repeat."""

import argparse

from engine.control.protocol import Pause
from ops import client


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "target", nargs="?", default="", help="a venue, symbol or strategy (default: everything)")
    client.add_name(parser)
    client.add_example(parser, "pause kraken", "pause BTC/USDT")


def run(options: argparse.Namespace) -> int:
    """Ask control; return 0 when it took effect, 1 when it was refused."""
    return client.tell(options.name, Pause(options.target))
