"""``place VENUE SYMBOL buy|sell SIZE PRICE``: one order by hand, judged by the gate."""

import argparse
import re
import sys
import uuid
from typing import Final

from engine.control.protocol import Place, Unanswered
from engine.model.errors import ConnectionLost
from ops import client

_AMOUNT: Final = re.compile(r"[0-9]{1,20}(\.[0-9]{1,18})?")
_ID: Final = re.compile(r"[0-9a-zA-Z-]{1,40}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("venue", help="a venue of the config")
    parser.add_argument("symbol", help="such as BTC/USDT, or BTC/USDT:USDT for a perpetual")
    parser.add_argument("side", choices=("buy", "sell"))
    parser.add_argument("size", type=amount, help="in base units, exact decimal text")
    parser.add_argument("price", type=amount, help="the worst price that it may have")
    parser.add_argument(
        "--tif", choices=("gtc", "ioc", "fok"), default="gtc",
        help="gtc rests, ioc takes what it can at once, fok all or nothing (default: gtc)")
    parser.add_argument("--id", type=_command_id,
                        help="the same one twice is acted on once (default: a new one)")
    client.add_json(parser)
    client.add_name(parser)
    client.add_example(parser, "place okx BTC/USDT buy 0.01 64000",
                       "place binance BTC/USDT sell 0.01 63950.5 --tif ioc")


def amount(text: str) -> str:
    """Return exact decimal text; raise ArgumentTypeError for anything else."""
    if not _AMOUNT.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no amount; right would be 0.01")
    return text


def _command_id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r}: right would be at most 40 letters, digits and hyphens")
    return text


def run(options: argparse.Namespace) -> int:
    """Place; return 0 when the order was handed on, 1 when it was refused or nobody knows."""
    command_id = options.id or uuid.uuid4().hex
    folder = client.engine_of(options.name)
    request = Place(options.venue, options.symbol, options.side, options.price, options.size,
                    options.tif, command_id)
    again = f"to repeat it safely: the same with --id {command_id}"
    try:
        reply = client.ask(folder, request)
    except ConnectionLost as error:
        raise ConnectionLost(f"{error}; {again}") from None
    status = client.show(folder, reply, as_json=options.json)
    if isinstance(reply, Unanswered):
        print(again, file=sys.stderr)
    return status
