"""The engine's state as plain lines, where there is no terminal for a screen."""

from engine.control.protocol import Status, StatusReply
from engine.model.clock import Clock
from engine.model.errors import ConnectionLost
from ops import client
from shm.segment import RunFolder

ASK_EVERY_NS = 1_000_000_000
SAY_EVERY_NS = 10_000_000_000
PATIENCE_S = 0.2


class PlainLines:
    """Say one line when the state changes, and every 10 s while it does not."""

    def __init__(self, run: RunFolder, clock: Clock) -> None:
        self._run, self._clock = run, clock
        self._asked_ns, self._said_ns, self._said = 0, 0, ""

    def refresh(self) -> None:
        """Ask for the status once a second and say what is new."""
        now = self._clock.mono_ns()
        if now - self._asked_ns < ASK_EVERY_NS:
            return
        self._asked_ns = now
        try:
            reply = client.ask(self._run, Status(), timeout_s=PATIENCE_S)
        except ConnectionLost:
            return  # it starts, or it stops; the launcher tells which
        if not isinstance(reply, StatusReply):
            return
        state = f"{reply.state}, trading {reply.trading_state}" + ", paused" * reply.paused
        ready = sum(each.state == "ready" for each in reply.processes)
        live = sum(each.books_live for each in reply.venues)
        line = (f"{reply.name}: {state}; {ready} of {len(reply.processes)} processes ready,"
                f" {live} of {sum(each.books for each in reply.venues)} books live")
        if line != self._said or now - self._said_ns >= SAY_EVERY_NS:
            self._said, self._said_ns = line, now
            print(line, flush=True)

    def close(self) -> None:
        """Leave the lines where they are."""
