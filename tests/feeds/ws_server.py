"""A WebSocket server on a bare socket, so that a test can send any bytes and cut at any byte."""

import asyncio
import base64
import hashlib
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10


def frame(opcode: int, payload: bytes, *, fin: bool = True) -> bytes:
    """Return one unmasked frame, as servers send them."""
    first = opcode | (0x80 if fin else 0)
    if len(payload) < 126:
        return bytes([first, len(payload)]) + payload
    if len(payload) < 65536:
        return bytes([first, 126]) + struct.pack(">H", len(payload)) + payload
    return bytes([first, 127]) + struct.pack(">Q", len(payload)) + payload


class Peer:
    """One accepted connection after its handshake."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._writer.write(data)

    def text(self, payload: bytes) -> None:
        """Send one text message."""
        self.send(frame(TEXT, payload))

    async def read(self) -> tuple[int, bytes]:
        """Return the next frame's opcode and payload; raise IncompleteReadError at the end."""
        first, second = await self._reader.readexactly(2)
        size = second & 0x7F
        if size == 126:
            size = struct.unpack(">H", await self._reader.readexactly(2))[0]
        mask = await self._reader.readexactly(4)
        masked = await self._reader.readexactly(size)
        return first & 0x0F, bytes(byte ^ mask[at % 4] for at, byte in enumerate(masked))

    async def read_until(self, opcode: int) -> bytes:
        """Return the payload of the next frame of that kind."""
        while True:
            got, payload = await self.read()
            if got == opcode:
                return payload

    async def gone(self) -> None:
        """Wait until the client has left."""
        while await self._reader.read(65536):
            pass

    def reset(self) -> None:
        """Cut the connection without a word."""
        self._writer.transport.abort()


Script = Callable[[Peer], Awaitable[None]]


@asynccontextmanager
async def serving(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Run ``script`` on every connection; give the server's address."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        key = next(line.split(b": ")[1] for line in request.split(b"\r\n")
                   if line.lower().startswith(b"sec-websocket-key"))
        digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11")  # noqa: S324
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(digest.digest()) + b"\r\n\r\n")
        try:
            await script(Peer(reader, writer))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client left: what a script that reads on waits for
        finally:
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"ws{'s' if tls else ''}://127.0.0.1:{port}/stream"
    finally:
        server.close()
