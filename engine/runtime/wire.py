"""The one door to ZeroMQ: sockets that lose by design, bounded and never waiting.

Every socket has linger 0, small high-water marks and a size limit on what may come in.  All are
``ipc`` below the run folder (0700), file mode 0600: another user cannot connect.  ``fileno`` is
edge-triggered: whoever watches it must call ``receive`` until that returns None.
"""

from pathlib import Path
from typing import Final

import zmq

from engine.model.errors import ConfigInvalid

MESSAGE_SIZE_MAX: Final = 64 * 1024  # bytes; a peer that sends more is disconnected
HIGH_WATER: Final = 64  # messages kept per peer; a signal older than that is worthless anyway
IPC_PATH_MAX: Final = 107  # bytes in sockaddr_un, less the final zero


class _Socket:
    """What all four have in common: options, descriptor, receive, close."""

    def __init__(self, kind: int, path: Path) -> None:
        if len(str(path).encode()) > IPC_PATH_MAX:
            raise ConfigInvalid(
                f"{path}: longer than the {IPC_PATH_MAX} bytes a local socket may have;"
                " right would be a shorter engine name or folder"
            )
        self.path = path
        self._socket: zmq.Socket[bytes] = zmq.Context.instance().socket(kind)
        for option, value in (
            (zmq.LINGER, 0), (zmq.SNDHWM, HIGH_WATER), (zmq.RCVHWM, HIGH_WATER),
            (zmq.MAXMSGSIZE, MESSAGE_SIZE_MAX), (zmq.HANDSHAKE_IVL, 1_000),
            (zmq.RECONNECT_IVL, 20), (zmq.RECONNECT_IVL_MAX, 500),
        ):
            self._socket.setsockopt(option, value)

    def _bind(self) -> None:
        """Bind, then keep others out; a bind on ipc silently takes over, so hold the lock."""
        self._socket.bind(f"ipc://{self.path}")
        self.path.chmod(0o600)

    def _connect(self) -> None:
        self._socket.connect(f"ipc://{self.path}")

    def fileno(self) -> int:
        """Return the descriptor to watch; it becomes readable at most once per batch."""
        return int(self._socket.getsockopt(zmq.FD))

    def wait(self, timeout_ms: int) -> bool:
        """Block until something can be received or the time is over; return which."""
        return bool(self._socket.poll(timeout_ms, zmq.POLLIN))

    def _receive(self) -> list[bytes] | None:
        try:
            return self._socket.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return None

    def _send(self, frames: list[bytes]) -> bool:
        try:
            self._socket.send_multipart(frames, zmq.NOBLOCK)
        except (zmq.Again, zmq.ZMQError) as error:
            if error.errno in (zmq.EAGAIN, zmq.EHOSTUNREACH):
                return False
            raise
        return True

    def close(self) -> None:
        """Close at once; what was not sent is lost."""
        self._socket.close(linger=0)


class Publisher(_Socket):
    """Broadcast records; a subscriber that cannot keep up makes ``send`` return False."""

    def __init__(self, path: Path, prefix: bytes) -> None:
        super().__init__(zmq.PUB, path)
        self._prefix = prefix
        self._socket.setsockopt(zmq.XPUB_NODROP, 1)  # a drop is our decision, and counted
        self._bind()

    def send(self, record: bytes) -> bool:
        """Send prefix and record as one frame; False: dropped, somebody's queue is full."""
        return self._send([self._prefix + record])


class Subscriber(_Socket):
    """Receive what a Publisher with the same prefix sends; other prefixes never arrive."""

    def __init__(self, path: Path, prefix: bytes) -> None:
        super().__init__(zmq.SUB, path)
        self._prefix_size = len(prefix)
        self._socket.setsockopt(zmq.SUBSCRIBE, prefix)
        self._connect()

    def receive(self) -> bytes | None:
        """Return the next record without its prefix, None when there is none now."""
        frames = self._receive()
        return None if frames is None else frames[0][self._prefix_size :]


class Router(_Socket):
    """The control socket's server side."""

    def __init__(self, path: Path) -> None:
        super().__init__(zmq.ROUTER, path)
        self._bind()

    def receive(self) -> tuple[bytes, bytes] | None:
        """Return (peer, body), None when there is none; anything but one frame is an empty body."""
        frames = self._receive()
        if frames is None:
            return None
        return frames[0], frames[1] if len(frames) == 2 else b""

    def reply(self, peer: bytes, body: bytes) -> bool:
        """Answer one peer; False: it is gone or does not read."""
        return self._send([peer, body])


class Dealer(_Socket):
    """The control socket's client side."""

    def __init__(self, path: Path) -> None:
        super().__init__(zmq.DEALER, path)
        self._connect()

    def send(self, body: bytes) -> bool:
        """Queue one request; False: nobody takes it."""
        return self._send([body])

    def receive(self) -> bytes | None:
        """Return the next reply, None when there is none now."""
        frames = self._receive()
        return None if frames is None else frames[-1]
