"""Drives the invented market in real time: virtual time follows the clock while not paused."""

from collections.abc import Sequence
from typing import Final, Protocol

from engine.model.clock import Clock
from ops.sim.floor import Floor
from ops.sim.market import Market
from ops.sim.pace import Alarm

LAG_NS_MAX: Final = 100_000_000  # after a longer sleep of the machine, what was missed is left out
GRAIN_NS: Final = 1_000_000  # what falls into one millisecond is sent together
BUSY_GRAIN_NS: Final = 2_000_000  # and into two where that is much: each write costs
BUSY: Final = 16  # updates in one turn
TURN_NS_MAX: Final = 5_000_000  # then others have theirs: requests are answered under any load
LOOK_EVERY: Final = 16  # updates between two looks at the clock


class Holds(Protocol):
    """What can keep frames back, to send them together."""

    def hold(self) -> None:
        """Keep what is sent from now on until ``release``."""

    def release(self) -> None:
        """Send all that was kept, by one write per connection."""


class Drive:
    """Turns the market's events into frames when they are due."""

    def __init__(
        self, market: Market, floors: dict[str, Floor], clock: Clock,
        servers: Sequence[Holds] = (),
    ) -> None:
        """Take the ``servers`` whose frames of one turn shall leave together."""
        self._market, self._floors, self._clock = market, floors, clock
        self._servers = servers
        self._virtual_ns = 0
        self._origin_ns: int | None = None  # mono time of virtual 0; None while paused
        self._alarm: Alarm | None = None

    def start(self) -> None:
        """Begin, on the running loop."""
        self._alarm = Alarm(self._turn)
        self.resume()

    def stop(self) -> None:
        """End."""
        if self._alarm is not None:
            self._alarm.close()
            self._alarm = None

    def pause(self) -> None:
        """Stop the flow and send what waits, so that clients can equal the truth."""
        self._origin_ns = None
        for floor in self._floors.values():
            for line in floor.face.lines.values():
                floor.face.flush(line)

    def resume(self) -> None:
        """Let it flow again from where it stopped."""
        if self._origin_ns is None:
            self._origin_ns = self._clock.mono_ns() - self._virtual_ns
            self._turn()

    def step(self, ns: int) -> None:
        """Move virtual time on by hand while paused: for tests."""
        self._run_to(self._virtual_ns + ns)

    def _turn(self) -> None:
        if self._origin_ns is None or self._alarm is None:
            return
        now_ns = self._clock.mono_ns()
        if now_ns - self._origin_ns - self._virtual_ns > LAG_NS_MAX:
            self._origin_ns = now_ns - self._virtual_ns - LAG_NS_MAX
        count = self._run_to(now_ns - self._origin_ns, until_mono_ns=now_ns + TURN_NS_MAX)
        grain_ns = BUSY_GRAIN_NS if count > BUSY else GRAIN_NS
        self._alarm.set(self._origin_ns + max(self._market.next_ns, self._virtual_ns + grain_ns))

    def _run_to(self, virtual_ns: int, until_mono_ns: int | None = None) -> int:
        """Let happen what is due, at most until a time of the clock; return how much it was.

        What is sent meanwhile leaves together.
        """
        for server in self._servers:
            server.hold()
        try:
            return self._happen(virtual_ns, until_mono_ns)
        finally:
            for server in self._servers:
                server.release()

    def _happen(self, virtual_ns: int, until_mono_ns: int | None) -> int:
        floors, count = self._floors, 0
        for line, update in self._market.advance(virtual_ns):
            floors[line.venue].flow(line, update)
            count += 1
            if not count % LOOK_EVERY and until_mono_ns is not None and (
                self._clock.mono_ns() > until_mono_ns
            ):
                virtual_ns = min(virtual_ns, self._market.next_ns - 1)
                break
        self._virtual_ns = virtual_ns
        return count
