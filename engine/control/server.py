"""The control socket: receive, decode, dispatch, reply; and a probe of its own path.

A bind on ``ipc`` takes an address over without a word, and a deleted socket file leaves a server
that nobody reaches.  So control asks itself once a second through the path, and binds anew when
the answer does not come back.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from engine.control.protocol import (
    AnyReply,
    AnyRequest,
    Echo,
    Probe,
    Refused,
    decode_reply,
    decode_request,
    encode,
)
from engine.runtime.context import Context
from engine.runtime.wire import Dealer, Router
from shm.counters import ControlCounter

SOCKET: Final = "control.ipc"
BATCH: Final = 32  # requests per wake-up: a flood does not keep the supervisor from looking


class Server:
    """The router on the control socket, on the event loop's thread."""

    def __init__(self, context: Context, answer: Callable[[AnyRequest], AnyReply]) -> None:
        self._context, self._answer = context, answer
        self._path = context.run.file(SOCKET)
        self._probes_sent = self._probes_back = 0
        self._open()

    def _open(self) -> None:
        self._path.unlink(missing_ok=True)
        self._router, self._probe = Router(self._path), Dealer(self._path)
        self._probes_back = self._probes_sent
        asyncio.get_running_loop().add_reader(self._router.fileno(), self.turn)

    def close(self) -> None:
        """Close the socket; requests not yet read are lost."""
        asyncio.get_running_loop().remove_reader(self._router.fileno())
        self._router.close()
        self._probe.close()

    def turn(self) -> None:
        """Answer what has come; called by the descriptor and, to be sure, by time."""
        for _ in range(BATCH):
            received = self._router.receive()
            if received is None:
                return
            peer, body = received
            self._router.reply(peer, encode(self._reply(body)))
        asyncio.get_running_loop().call_soon(self.turn)

    def _reply(self, body: bytes) -> AnyReply:
        try:
            request = decode_request(body)
        except (msgspec.DecodeError, RecursionError) as error:
            self._context.counters.count(ControlCounter.REQUESTS_REFUSED)
            self._context.log.warning("refused a request", size=len(body), reason=str(error))
            return Refused(f"not a request: {error}")
        if not isinstance(request, Probe):
            self._context.counters.count(ControlCounter.REQUESTS)
        return self._answer(request)

    def probe(self) -> None:
        """Look whether the last probe came back, bind anew if not, and send the next."""
        while (body := self._probe.receive()) is not None:
            reply = decode_reply(body)
            if isinstance(reply, Echo):
                self._probes_back = reply.token
        if self._probes_back != self._probes_sent:
            self._context.log.error("control socket lost; binding it again", path=str(self._path))
            self.close()
            self._open()
        self._probe.close()
        self._probe = Dealer(self._path)  # an open connection would prove nothing about the path
        self._probes_sent += 1
        self._probe.send(encode(Probe(self._probes_sent)))
