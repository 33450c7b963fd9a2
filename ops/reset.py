"""``reset REASON``: take back a kill or a halt, renew the restart budgets, trade again."""

import argparse

from engine.control.protocol import Reset
from ops import client

REASON_MAX = 200  # characters that control takes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("reason", type=_reason, help="why it is safe to go on; for the log")
    parser.add_argument("--breakers", action="store_true", help="close every venue's breaker too")
    parser.add_argument("--accept", action="store_true", help=(
        "book what a venue holds more or less than was booked: you moved it, or looked into it"))
    client.add_json(parser)
    client.add_name(parser)
    client.add_example(parser, 'reset "looked at, a venue was down"', 'reset "mended" --breakers',
                       'reset "I took 5000 USDT out" --accept')


def _reason(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("say why it is safe to go on")
    return text[:REASON_MAX]


def run(options: argparse.Namespace) -> int:
    """Ask control; return 0 when it took effect, 1 when it was refused or is to be repeated."""
    return client.tell(
        options.name, Reset(options.reason, options.breakers, options.accept), as_json=options.json)
