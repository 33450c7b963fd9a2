"""What execution does about the kill word, and when it is told to leave: cancel, and go on so.

That nothing leaves is no business of this module: the word is read before every send.  What had
left just before may reach its venue after the cancel-all, so that is repeated, with patience that
grows, for as long as an order of ours may rest.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from engine.model.errors import NoSpace
from engine.runtime.log import Logger
from exec.core.core import Core
from exec.core.ports import Clock
from exec.state.state import State
from shm.layout import TradingState

AGAIN_NS: Final = 500_000_000
AGAIN_NS_MAX: Final = 8_000_000_000
LEAVE_LOOK_S: Final = 0.01


class Killing:
    """Watches the kill word; ``turn`` is called every 10 ms and with the bell."""

    def __init__(
        self, core: Core, state: State, killed: Callable[[], bool], clock: Clock, say: Logger
    ) -> None:
        self._core, self._state, self._killed = core, state, killed
        self._clock, self._say = clock, say
        self._seen = False
        self._wait_ns = self._due_ns = 0

    def turn(self) -> None:
        """Cancel everything when the word is set, again while anything of ours may rest."""
        if not self._killed():
            self._seen = False
            return
        now_ns = self._clock.mono_ns()
        if not self._seen:
            self._seen, self._wait_ns = True, AGAIN_NS
            self._cancel(now_ns)
            self._say.error("killed", live_orders=len(self._state.live))
            self._write_down()
        elif self._state.live and now_ns >= self._due_ns:
            self._wait_ns = min(2 * self._wait_ns, AGAIN_NS_MAX)
            self._cancel(now_ns)
            self._write_down()

    def _cancel(self, now_ns: int) -> None:
        self._due_ns = now_ns + self._wait_ns
        cancel_all(self._core, "killed", self._say)

    def _write_down(self) -> None:
        """Let the journal keep it: a restart stays killed until a reset."""
        try:
            self._core.trading.tighten(TradingState.EMERGENCY, "the kill word is set")
        except NoSpace as error:
            self._say.error("killed, but the journal takes nothing", reason=str(error))

    async def leave(self, within_s: float) -> int:
        """Cancel all if an order of ours may rest; return how many are left, after a while."""
        if not self._state.live:
            return 0
        cancel_all(self._core, "execution leaves", self._say)
        until_ns = self._clock.mono_ns() + int(within_s * 1e9)
        while self._state.live and self._clock.mono_ns() < until_ns:
            await asyncio.sleep(LEAVE_LOOK_S)
        return len(self._state.live)


def cancel_all(core: Core, why: str, say: Logger, venue: str = "") -> None:
    """Cancel everything, whether the journal takes it or not."""
    try:
        core.sender.cancel_all(why, venue)
    except NoSpace as error:
        say.error("cancelled, but the journal takes nothing", why=why, reason=str(error))
