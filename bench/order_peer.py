"""A venue for stopwatches, in a process of its own: says what arrived, and when.

    python -m bench.order_peer [FOLDER]

Prints its WebSocket and REST addresses; ends when its stdin does.  A WebSocket text is answered by
the monotonic time of its arrival in ns, a space, and the text; a REST request by the time alone.
With FOLDER it speaks TLS by a certificate made there.
"""

import asyncio
import mmap
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import uvloop
from aiohttp import web
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_create_server

from engine.runtime import spawn
from ops.sim.certificates import server_context

HOST: Final = "127.0.0.1"


class _Clock(WSListener):
    """One connection."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Greet, so that the client knows the connection as usable."""
        transport.send(WSMsgType.TEXT, b"0 hello")

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Say when a text came, and what it was."""
        now_ns = time.monotonic_ns()
        if frame.msg_type == WSMsgType.TEXT:
            transport.send(WSMsgType.TEXT, b"%d %b" % (now_ns, frame.get_payload_as_bytes()))
        elif frame.msg_type == WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()


async def _arrived(_request: web.Request) -> web.Response:
    return web.Response(body=b"%d" % time.monotonic_ns())


async def _serve(folder: Path | None) -> None:
    tls = server_context(folder) if folder else None
    listening = await ws_create_server(lambda _request: _Clock(), HOST, 0, ssl=tls)
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", _arrived)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0, ssl_context=tls)
    await site.start()
    secure = "s" if tls else ""
    ports = listening.sockets[0].getsockname()[1], runner.addresses[0][1]
    print(f"ws{secure}://{HOST}:{ports[0]} http{secure}://{HOST}:{ports[1]}", flush=True)
    gone = asyncio.Event()
    asyncio.get_running_loop().add_reader(0, gone.set)
    await gone.wait()


class Addresses(NamedTuple):
    """Where it listens."""

    websocket: str
    rest: str


def shared(size: int) -> mmap.mmap:
    """Return memory that processes forked from here have in common."""
    return mmap.mmap(-1, size)


@contextmanager
def running(folder: Path | None = None) -> Iterator[Addresses]:
    """Run it as a process of its own."""
    arguments = [str(folder)] if folder else []
    process = subprocess.Popen(  # noqa: S603  (our own interpreter and module)
        spawn.command("bench.order_peer", *arguments),
        env=os.environ | {"PYTHONPATH": spawn.ROOT}, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Addresses(*process.stdout.readline().split())
    finally:
        process.communicate()


if __name__ == "__main__":
    uvloop.run(_serve(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
