"""Whether the guard must act: what it sees of execution, and since when it sees no good."""

from typing import Final

import msgspec

from shm.layout import ProcessState

TICK_NS: Final = 50_000_000  # how often the guard looks
KILL_GRACE_NS: Final = 500_000_000  # execution beats every 100 ms: five are missing
TOLD: Final = 2  # ticks: time in which the guard itself did not run proves nothing about others


class Sight(msgspec.Struct, frozen=True):
    """What there is to be seen of execution now."""

    state: ProcessState
    beat_ns: int  # its latest heartbeat, monotonic
    killed: bool  # the kill word
    maybe_open: bool  # whether orders of ours may rest at a venue


class Watch:
    """Judges what it is shown, tick by tick."""

    def __init__(self, after_ns: int) -> None:
        """``after_ns``: for how long execution may be dead or hang, and nobody minds."""
        self._after_ns = after_ns
        self._was_ready = False
        self._looked_ns = self._beat_ns = 0
        self._silent_ns = self._down_ns = 0

    @property
    def alive(self) -> bool:
        """Return whether execution is READY, and beat lately."""
        return not self._down_ns and self._silent_ns < KILL_GRACE_NS

    def look(self, sight: Sight, now_ns: int) -> str:
        """Return why everything is to be cancelled, "" for no reason."""
        passed_ns = min(now_ns - self._looked_ns, TOLD * TICK_NS) if self._looked_ns else 0
        self._looked_ns = now_ns
        ready = sight.state is ProcessState.READY
        beats = sight.beat_ns != self._beat_ns
        self._beat_ns = sight.beat_ns
        self._was_ready |= ready
        self._silent_ns = 0 if beats else self._silent_ns + passed_ns
        self._down_ns = 0 if ready else self._down_ns + max(passed_ns, 1)
        return self._judge(sight, ready=ready)

    def _judge(self, sight: Sight, *, ready: bool) -> str:
        bad_ns = max(self._silent_ns if ready else self._down_ns, 0)
        what = "hangs" if ready else f"is {sight.state.name.lower().replace('_', ' ')}"
        if sight.killed and bad_ns >= KILL_GRACE_NS:
            return f"killed while execution {what}"
        if not sight.maybe_open:
            return ""
        if sight.state is ProcessState.GIVEN_UP:
            return "execution was given up"
        if self._was_ready and bad_ns >= self._after_ns:
            return f"execution {what} for more than {self._after_ns / 1e9:g} s"
        return ""
