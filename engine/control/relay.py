"""Requests that execution answers: handed on over its own socket, each with a deadline.

Control never waits for execution: it may hang, and then supervision is needed most.  Each request
has a connection of its own, which ends with the answer or with the deadline, so that a late answer
is nobody's.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from engine.control.protocol import (
    EXEC_SOCKET,
    AnyReply,
    Refused,
    Reset,
    Trading,
    Unanswered,
    decode_reply,
    encode,
)
from engine.runtime.context import Context
from engine.runtime.wire import Dealer
from shm.layout import ProcessState

WAITING_MAX: Final = 16  # requests that wait for execution at a time
DEADLINE_NS: Final = 1_500_000_000  # less than the operator's own
EXEC: Final = "exec"


def _as_it_is(reply: AnyReply) -> AnyReply:
    return reply


class HandOn(msgspec.Struct, frozen=True):
    """A request that execution is to answer; ``then`` makes the reply of what it answered."""

    request: Trading | Reset
    then: Callable[[AnyReply], AnyReply] = _as_it_is


class _Waiting(msgspec.Struct, eq=False):
    asked: HandOn
    dealer: Dealer
    deadline_ns: int
    tell: Callable[[AnyReply], None]


class Relay:
    """Hands requests on, on the event loop's thread."""

    def __init__(self, context: Context) -> None:
        self._context, self._clock = context, context.clock
        self._row = context.control.processes[context.control.processes.index_of(EXEC)]
        self._path = context.run.file(EXEC_SOCKET)
        self._waiting: set[_Waiting] = set()

    def ask(self, asked: HandOn, tell: Callable[[AnyReply], None]) -> None:
        """Hand a request on; ``tell`` is called once, now or later, whatever becomes of it."""
        verb = type(asked.request).__name__
        if len(self._waiting) >= WAITING_MAX:
            tell(asked.then(Refused(
                f"{WAITING_MAX} requests wait for execution; {verb} was not handed on")))
            return
        if self._state is not ProcessState.READY and not isinstance(asked.request, Reset):
            tell(asked.then(Unanswered(
                f"execution is {self._state.name.lower()}, {verb} was not handed on: see"
                " `status`")))
            return
        waiting = _Waiting(
            asked, Dealer(self._path), self._clock.mono_ns() + DEADLINE_NS, tell)
        self._waiting.add(waiting)
        asyncio.get_running_loop().add_reader(waiting.dealer.fileno(), self._look, waiting)
        waiting.dealer.send(encode(asked.request))
        self._look(waiting)  # the descriptor tells of each change once

    @property
    def _state(self) -> ProcessState:
        return ProcessState(self._row["state"])

    def turn(self) -> None:
        """Give up what was not answered in time."""
        now_ns = self._clock.mono_ns()
        for waiting in [*self._waiting]:
            self._look(waiting)
            if waiting in self._waiting and now_ns >= waiting.deadline_ns:
                verb = type(waiting.asked.request).__name__
                self._context.log.error(
                    "execution did not answer", verb=verb, state=self._state.name.lower())
                self._end(waiting, Unanswered(
                    f"execution ({self._state.name.lower()}) did not answer within"
                    f" {DEADLINE_NS / 1e9:g} s, nobody knows whether {verb} took effect: see"
                    " `orders`"))

    def _look(self, waiting: _Waiting) -> None:
        if waiting not in self._waiting:
            return
        body = waiting.dealer.receive()
        if body is None:
            return
        try:
            reply: AnyReply = decode_reply(body)
        except msgspec.DecodeError as error:
            reply = Refused(f"execution's answer is of another version: {error}")
        self._end(waiting, reply)

    def _end(self, waiting: _Waiting, reply: AnyReply) -> None:
        self._waiting.discard(waiting)
        asyncio.get_running_loop().remove_reader(waiting.dealer.fileno())
        waiting.dealer.close()
        waiting.tell(waiting.asked.then(reply))

    def close(self) -> None:
        """Give up everything."""
        for waiting in [*self._waiting]:
            self._end(waiting, Unanswered("the engine stops; nobody knows what became of it"))
