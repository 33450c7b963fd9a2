"""``cancel NUMBER``: cancel one order.  Safe to repeat."""

import argparse

from engine.control.protocol import Cancel
from ops import client


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("order", type=_number, metavar="NUMBER", help="as `orders` shows it")
    client.add_json(parser)
    client.add_name(parser)
    client.add_example(parser, "cancel 1234")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:20]) < 2**63):
        raise argparse.ArgumentTypeError(f"{text!r} is no order's number; `orders` shows them")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Cancel; return 0 when the cancel left, 1 when it did not."""
    return client.tell(options.name, Cancel(options.order), as_json=options.json)
