"""``flatten [ASSET]``: cancel everything, then trade back what trading moved."""

import argparse
import sys
import uuid

from engine.control.protocol import Flatten
from ops import client


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("asset", nargs="?", default="", help="such as BTC (default: all)")
    parser.add_argument("--yes", action="store_true", help="do not ask whether that is meant")
    client.add_json(parser)
    client.add_name(parser)
    client.add_example(parser, "flatten BTC", "flatten --yes")


def run(options: argparse.Namespace) -> int:
    """Flatten; return 0 when it has begun, 1 when it was refused, 2 when nobody confirmed it."""
    folder = client.engine_of(options.name)
    what = options.asset or "every asset"
    if not options.yes:
        if not sys.stdin.isatty():
            print("trypto-engine flatten: nobody to ask whether that is meant; right would be"
                  " --yes", file=sys.stderr)
            return 2
        asked = f"cancel every order of {folder.path.name} and trade {what} back? [yes/no] "
        if input(asked).strip().lower() not in ("y", "yes"):
            print("nothing was done", file=sys.stderr)
            return 2
    request = Flatten(options.asset, uuid.uuid4().hex)
    return client.show(folder, client.ask(folder, request), as_json=options.json)
