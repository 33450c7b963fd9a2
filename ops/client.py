"""The control socket from outside: find an engine, ask it one thing, with a deadline."""

import argparse
import os
import sys
from pathlib import Path

import msgspec

from engine.control import protocol
from engine.control.protocol import AnyReply, AnyRequest, Done, decode_reply, encode
from engine.model.errors import ConnectionLost, Refused
from engine.runtime.wire import Dealer
from shm.segment import RunFolder

SOCKET = "control.ipc"
TIMEOUT_S = 2.0


class NoEngine(Refused):
    """No engine runs under that name, or it is not clear which one is meant."""


def engine_of(name: str | None) -> RunFolder:
    """Return the folder of the engine ``name``, or of the only one that runs; else NoEngine."""
    if name is not None:
        run = RunFolder.of(name)
        if not run.path.is_dir():
            raise NoEngine(f"no engine named {name!r} runs: {run.path} is not there{_others()}")
        return run
    found = running()
    if len(found) == 1:
        return RunFolder.of(found[0])
    if not found:
        raise NoEngine("no engine runs; start one with: trypto-engine start")
    raise NoEngine(f"{len(found)} engines run; say which with --name: {', '.join(found)}")


def running() -> list[str]:
    """Return the names of this user's engines, by their folders."""
    parent = RunFolder.of("any").path.parent
    found = parent.iterdir() if parent.is_dir() else ()
    return sorted(each.name for each in found if each.is_dir())


def _others() -> str:
    found = running()
    return f"; running: {', '.join(found)}" if found else ""


def ask(
    run: RunFolder, request: AnyRequest, *, timeout_s: float | None = None, socket: str = SOCKET
) -> AnyReply:
    """Send one request and return the reply; raise ConnectionLost when none comes in time.

    ``socket`` is control's, or where control is silent execution's or the guard's own.
    """
    path: Path = run.file(socket)
    timeout_s = TIMEOUT_S if timeout_s is None else timeout_s
    dealer = Dealer(path)
    try:
        dealer.send(encode(request))
        body = dealer.receive() if dealer.wait(int(timeout_s * 1000)) else None
    finally:
        dealer.close()
    if body is None:
        raise ConnectionLost(f"{path}: no answer within {timeout_s:g} s; is the engine starting,"
                             f" or was it killed? (uid {os.getuid()})")
    try:
        reply: AnyReply = decode_reply(body)
    except msgspec.DecodeError as error:
        raise ConnectionLost(f"{path}: an answer of another version: {error}") from None
    return reply


def add_name(parser: argparse.ArgumentParser) -> None:
    """Let the user say which engine is meant."""
    parser.add_argument("--name", help="which engine (default: the only one that runs)")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Let a program read the reply."""
    parser.add_argument("--json", action="store_true", help="print the reply as one JSON object")


def add_example(parser: argparse.ArgumentParser, *lines: str) -> None:
    """Show how a verb is used, below its help."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "\n".join(("examples:", *(f"  trypto-engine {line}" for line in lines)))


def tell(name: str | None, request: AnyRequest, *, as_json: bool = False) -> int:
    """Send a request, print what took effect; return 0 when it did and 1 when it did not."""
    run = engine_of(name)
    return show(run, ask(run, request), as_json=as_json)


def show(run: RunFolder, reply: AnyReply, *, as_json: bool = False) -> int:
    """Print a reply; return 0 when it took effect and 1 when it did not, or nobody knows."""
    done = isinstance(reply, Done)
    if as_json:
        print(encode(reply).decode())
    elif isinstance(reply, Done):
        print(f"{run.path.name}: {reply.text}")
    elif isinstance(reply, protocol.Refused):
        print(f"{run.path.name}: refused: {reply.text}", file=sys.stderr)
    elif isinstance(reply, protocol.Unanswered):
        print(f"{run.path.name}: {reply.text}", file=sys.stderr)
    else:
        print(f"{run.path.name}: unexpected reply {reply}", file=sys.stderr)
    return 0 if done else 1
