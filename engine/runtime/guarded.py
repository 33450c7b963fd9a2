"""A bound local socket that proves again and again that its path still leads to it.

A bind on ``ipc`` takes an address over without a word, and a deleted socket file leaves a server
that nobody reaches.  So its owner asks itself through the path, and binds anew when the answer
does not come back.  Only the owner of the run's lock, or its one process of a role, may bind.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from engine.runtime.wire import Dealer, Router

_PROBE: Final = b"\0probe "  # no request begins so


class GuardedRouter:
    """A router, watched by the running event loop."""

    def __init__(
        self, path: Path, ready: Callable[[], None], lost: Callable[[], None]
    ) -> None:
        """``ready`` is called when something has come, ``lost`` when the path led elsewhere."""
        self.path, self._ready, self._lost = path, ready, lost
        self._sent = self._back = 0
        self._open()

    def _open(self) -> None:
        self.path.unlink(missing_ok=True)
        self._router, self._probe = Router(self.path), Dealer(self.path)
        self._back = self._sent
        asyncio.get_running_loop().add_reader(self._router.fileno(), self._ready)

    def close(self) -> None:
        """Close the socket; requests not yet read are lost."""
        asyncio.get_running_loop().remove_reader(self._router.fileno())
        self._router.close()
        self._probe.close()

    def receive(self) -> tuple[bytes, bytes] | None:
        """Return (peer, body), None when there is none now; probes are answered here."""
        while (received := self._router.receive()) is not None:
            peer, body = received
            if not body.startswith(_PROBE):
                return received
            self._router.reply(peer, body)
        return None

    def reply(self, peer: bytes, body: bytes) -> bool:
        """Answer one peer; False: it is gone or does not read."""
        return self._router.reply(peer, body)

    def probe(self) -> None:
        """Look whether the last probe came back, bind anew if not, and send the next."""
        while (body := self._probe.receive()) is not None:
            self._back = int(body.removeprefix(_PROBE))
        if self._back != self._sent:
            self._lost()
            self.close()
            self._open()
        self._probe.close()
        self._probe = Dealer(self.path)  # an open connection would prove nothing about the path
        self._sent += 1
        self._probe.send(_PROBE + str(self._sent).encode())
