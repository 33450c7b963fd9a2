"""Execution's own door: commands come in over <run>/exec.ipc, from control or, past it, from us.

    control ─ relay ─▶ exec.ipc ─▶ Door ─▶ Operator ─▶ Core
    CLI, where control is silent ─▲          ╰─▶ Flattener

It is served on the event loop's thread between two turns of the core: what an operator asks for
is done, or refused in words, before anything else happens.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from engine.control.protocol import AnyReply, Refused, decode_to_execution, encode
from engine.model.instrument import Instrument
from engine.runtime.guarded import GuardedRouter
from engine.runtime.log import Logger
from exec.core import ports as p
from exec.core.core import Core
from exec.core.settings import Settings
from exec.door.flatten import Flattener
from exec.door.operator import Operator
from exec.state.state import State

BATCH: Final = 32  # commands per wake-up: a flood does not keep the core from its turns
PROBE_NS: Final = 1_000_000_000


class Door:
    """The commands of one execution process; ``turn`` is called every 10 ms."""

    def __init__(
        self, core: Core, log: p.Log, state: State, books: p.Books, table: Sequence[Instrument],
        clock: p.Clock, path: Path, *, settings: Settings, kill: Callable[[str], None],
        killed: Callable[[], bool], say: Logger,
    ) -> None:
        """Bind ``path`` at once, watched by the running event loop.

        ``kill`` sets the kill word and acts on it, ``killed`` reads it.
        """
        self._clock, self._say = clock, say
        self._flattener = Flattener(
            core, log, state, books, table, clock, settings, say, killed)
        self._operator = Operator(
            core, log, state, books, table, self._flattener, kill, killed, say)
        self._probe_ns = clock.mono_ns() + PROBE_NS
        self._router = GuardedRouter(path, self.serve, self._lost)

    def _lost(self) -> None:
        self._say.error("execution's socket lost; binding it again", path=str(self._router.path))

    def turn(self) -> None:
        """Go on with a flatten; serve what no descriptor told of; prove the path."""
        self.serve()
        self._flattener.turn()
        now_ns = self._clock.mono_ns()
        if now_ns >= self._probe_ns:
            self._probe_ns = now_ns + PROBE_NS
            self._router.probe()

    def serve(self) -> None:
        """Answer what has come."""
        for _ in range(BATCH):
            received = self._router.receive()
            if received is None:
                return
            peer, body = received
            self._router.reply(peer, encode(self._reply(body)))
        asyncio.get_running_loop().call_soon(self.serve)

    def _reply(self, body: bytes) -> AnyReply:
        try:
            request = decode_to_execution(body)
        except (msgspec.DecodeError, RecursionError) as error:
            self._say.warning("refused a command", size=len(body), reason=str(error))
            return Refused(f"not a command to execution: {error}")
        return self._operator.obey(request)

    def close(self) -> None:
        """Close the socket; commands not yet read are lost."""
        self._router.close()
