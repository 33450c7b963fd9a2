"""``kill [REASON]``: set the kill word; when the socket is silent, by a file in the run folder."""

import argparse
import sys

from engine.control.protocol import Kill
from engine.model.errors import ConnectionLost
from ops import client

KILL_FILE = "kill"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("reason", nargs="?", default="", help="for the log")
    client.add_name(parser)


def run(options: argparse.Namespace) -> int:
    """Kill; return 0 when control confirmed it, 1 when only the file could be left for it."""
    try:
        return client.tell(options.name, Kill(options.reason))
    except ConnectionLost as error:
        path = client.engine_of(options.name).file(KILL_FILE)
        path.write_text(options.reason or "an operator")
        print(f"not confirmed: {error}; left {path}, which control obeys as soon as it looks",
              file=sys.stderr)
        return 1
