"""The control socket: receive, decode, dispatch, reply; what execution answers is replied later."""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from engine.control.protocol import AnyReply, AnyRequest, Refused, decode_request, encode
from engine.control.relay import HandOn, Relay
from engine.runtime.context import Context
from engine.runtime.guarded import GuardedRouter
from shm.counters import ControlCounter

SOCKET: Final = "control.ipc"
BATCH: Final = 32  # requests per wake-up: a flood does not keep the supervisor from looking


class Server:
    """The router on the control socket, on the event loop's thread."""

    def __init__(
        self, context: Context, answer: Callable[[AnyRequest], AnyReply | HandOn], relay: Relay
    ) -> None:
        self._context, self._answer, self._relay = context, answer, relay
        self._router = GuardedRouter(context.run.file(SOCKET), self.turn, self._lost)

    def _lost(self) -> None:
        self._context.log.error(
            "control socket lost; binding it again", path=str(self._router.path))

    def close(self) -> None:
        """Close the socket; requests not yet read are lost."""
        self._router.close()

    def turn(self) -> None:
        """Answer what has come; called by the descriptor and, to be sure, by time."""
        for _ in range(BATCH):
            received = self._router.receive()
            if received is None:
                return
            self._take(*received)
        asyncio.get_running_loop().call_soon(self.turn)

    def _take(self, peer: bytes, body: bytes) -> None:
        def tell(reply: AnyReply) -> None:
            self._router.reply(peer, encode(reply))

        reply = self._reply(body)
        if isinstance(reply, HandOn):
            self._relay.ask(reply, tell)
        else:
            tell(reply)

    def _reply(self, body: bytes) -> AnyReply | HandOn:
        try:
            request = decode_request(body)
        except (msgspec.DecodeError, RecursionError) as error:
            self._context.counters.count(ControlCounter.REQUESTS_REFUSED)
            self._context.log.warning("refused a request", size=len(body), reason=str(error))
            return Refused(f"not a request: {error}")
        self._context.counters.count(ControlCounter.REQUESTS)
        return self._answer(request)

    def probe(self) -> None:
        """Prove that the path leads here, or bind it again."""
        self._router.probe()
