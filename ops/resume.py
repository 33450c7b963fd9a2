"""``resume [TARGET]``: take back a pause.  Safe to repeat."""

import argparse

from engine.control.protocol import Resume
from ops import client


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "target", nargs="?", default="", help="a venue, symbol or strategy (default: everything)")
    client.add_name(parser)
    client.add_example(parser, "resume kraken", "resume")


def run(options: argparse.Namespace) -> int:
    """Ask control; return 0 when it took effect, 1 when it was refused."""
    return client.tell(options.name, Resume(options.target))
