"""``kill [REASON]``: set the kill word; when the socket is silent, by a file in the run folder."""

import argparse
import sys

from engine.control.protocol import KILL_FILE, Kill
from engine.model.errors import ConnectionLost
from ops import client


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
        try:
            path.write_text(options.reason or "an operator")
        except OSError as why:
            print(f"NOT KILLED: {error}; {path} cannot be left either: {why.strerror};"
                  f" stop the engine, or end its processes by hand", file=sys.stderr)
            return 1
        print(f"not confirmed: {error}; left {path}, which control obeys as soon as it looks",
              file=sys.stderr)
        return 1
