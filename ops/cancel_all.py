"""``cancel-all [VENUE]``: cancel everything, whoever still answers.

Control hands it on to execution; where control is silent execution is asked itself, and where
execution is, too, the guard, which has connections of its own.
"""

import argparse

from engine.control.protocol import (
    EXEC_SOCKET,
    GUARD_SOCKET,
    AnyReply,
    CancelAll,
    Unanswered,
)
from engine.model.errors import ConnectionLost
from ops import client
from shm.segment import RunFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("venue", nargs="?", default="", help="one venue (default: every one)")
    client.add_json(parser)
    client.add_name(parser)
    client.add_example(parser, "cancel-all", "cancel-all kraken")


def run(options: argparse.Namespace) -> int:
    """Cancel; return 0 when somebody took it on, 1 when it was refused or nobody answers."""
    folder = client.engine_of(options.name)
    return client.show(folder, _ask(folder, CancelAll(options.venue)), as_json=options.json)


def _ask(folder: RunFolder, request: CancelAll) -> AnyReply:
    """Ask control, then execution, then the guard; raise ConnectionLost when none answers."""
    try:
        reply = client.ask(folder, request)
    except ConnectionLost:
        try:
            return client.ask(folder, request, socket=EXEC_SOCKET)
        except ConnectionLost:
            return client.ask(folder, request, socket=GUARD_SOCKET)
    if not isinstance(reply, Unanswered):
        return reply
    try:
        return client.ask(folder, request, socket=GUARD_SOCKET)
    except ConnectionLost as error:
        return Unanswered(f"{reply.text}; nor does the guard answer: {error}")
