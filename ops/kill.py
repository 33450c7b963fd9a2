"""``kill [REASON]``: leave the kill file, set the kill word, then tell whoever still answers.

The word, set here, lets nothing leave execution any more, whoever is dead; by the file the next
control of this engine stays killed.  Control tells everybody; where it is silent execution is
told itself, or the guard.
"""

import argparse
import sys

from engine.control.protocol import (
    EXEC_SOCKET,
    GUARD_SOCKET,
    KILL_FILE,
    AnyReply,
    Done,
    Kill,
)
from engine.model.errors import ConnectionLost, LayoutMismatch, SegmentInvalid
from ops import client
from shm.board import ControlView
from shm.segment import RunFolder, Segment


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("reason", nargs="?", default="", help="for the log")
    client.add_json(parser)
    client.add_name(parser)
    client.add_example(parser, 'kill "prices look wrong"')


def run(options: argparse.Namespace) -> int:
    """Kill; return 0 when somebody confirmed it, 1 when only word or file could be left."""
    folder = client.engine_of(options.name)
    unleft, unset = _leave_file(folder, options.reason), set_word(folder)
    try:
        return client.show(folder, _ask(folder, Kill(options.reason)), as_json=options.json)
    except ConnectionLost as error:
        path = folder.file(KILL_FILE)
        if unset and unleft:
            print(f"NOT KILLED: {error}; {path} cannot be left either: {unleft}; nor can the kill"
                  f" word be set: {unset}; stop the engine, or end its processes by hand",
                  file=sys.stderr)
            return 1
        word = f"the kill word is not set ({unset})" if unset else "the kill word is set"
        left = f"{path} could not be left ({unleft})" if unleft else (
            f"left {path}, which control obeys as soon as it looks")
        print(f"not confirmed: {error}; {left}; {word}", file=sys.stderr)
        return 1


def set_word(folder: RunFolder) -> str:
    """Set the kill word in shared memory, past its writer; return why not, or ""."""
    try:
        segment = Segment.attach(folder, "control", writable=True)
    except (SegmentInvalid, LayoutMismatch, OSError) as error:
        return str(error)
    ControlView(segment.words).engine["kill"] = 1
    return ""


def _leave_file(folder: RunFolder, reason: str) -> str:
    """Leave the kill file for a control that looks, now or after a restart; return why not."""
    path = folder.file(KILL_FILE)
    try:
        if not path.exists():
            new = path.with_suffix(".new")
            new.write_text(reason or "an operator")
            new.rename(path)  # control never reads half a reason
    except OSError as error:
        return str(error.strerror)
    return ""


def _ask(folder: RunFolder, request: Kill) -> AnyReply:
    """Tell control, else execution, else the guard; raise ConnectionLost when none answers."""
    try:
        return client.ask(folder, request)
    except ConnectionLost as error:
        for socket in (EXEC_SOCKET, GUARD_SOCKET):
            if not folder.file(socket).exists():
                continue
            try:
                reply = client.ask(folder, request, socket=socket)
            except ConnectionLost:
                continue
            return Done(f"{reply.text}; control is silent") if isinstance(reply, Done) else reply
        raise error from None
