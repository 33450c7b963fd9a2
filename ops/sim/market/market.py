"""The invented market: what happens to every line, in the order of virtual time."""

from collections.abc import Iterator, Sequence
from heapq import heapify, heapreplace
from random import Random
from typing import Final

from engine.model.instrument import Kind
from ops.sim.face import Update
from ops.sim.listing import Line
from ops.sim.market.habits import HABITS
from ops.sim.market.ladder import Ladder, Tables
from ops.sim.market.perpetuals import Basis, Funding
from ops.sim.market.schedule import Schedule, share
from ops.sim.market.values import GRID_NS, GRID_S, Values
from ops.sim.market.view import Venue, View

NS: Final = 1_000_000_000
STRAINS_PER_S: Final = 1 / 60  # of each line
SLOW_PER_S: Final = 1 / 60  # of each venue
SLOW_S: Final = 2.0
_TICK: Final = -1  # in the place of a follower: the grid


class _Follower:
    """One line: its view of the price, its book, its schedule."""

    __slots__ = ("ladder", "line", "schedule", "view")

    def __init__(self, line: Line, view: View, ladder: Ladder, schedule: Schedule) -> None:
        self.line, self.view, self.ladder, self.schedule = line, view, ladder, schedule


class Market:
    """Drives lines.  What happens depends on the seed alone, never on how often it is asked."""

    def __init__(self, lines: Sequence[Line], *, seed: int, messages_per_s: float) -> None:
        """Give every line its first book; ``messages_per_s`` are book messages per venue."""
        self._random = Random(seed)  # noqa: S311  not a secret
        self._values = Values((line.pair for line in lines), self._random)
        self._venues: dict[str, Venue] = {}
        self._tables: dict[str, Tables] = {}
        self._bases: dict[Line, Basis] = {}
        self._followers: list[_Follower] = []
        self._queue: list[tuple[int, int]] = [(GRID_NS, _TICK)]  # (virtual ns, follower)
        for number, line in enumerate(lines):
            gap_s = sum(other.venue == line.venue for other in lines) / messages_per_s
            follower = self._follow(line, gap_s)
            follower.ladder.fill(follower.view.middle(0))
            self._followers.append(follower)
            first_ns = follower.schedule.next_ns(0, is_behind=False)
            self._queue.append((first_ns, number))
        heapify(self._queue)

    def _follow(self, line: Line, gap_s: float) -> _Follower:
        habit, fair = HABITS[line.venue], self._values.fairs[line.pair.group]
        if line.venue not in self._venues:
            self._venues[line.venue] = Venue(habit)
            self._tables[line.venue] = Tables(habit, share(habit, gap_s), self._random)
        venue, tables = self._venues[line.venue], self._tables[line.venue]
        basis = None
        if line.pair.kind is Kind.PERPETUAL:
            basis = self._bases[line] = Basis(line, fair, self._random)
        return _Follower(
            line, View(line, venue, fair, basis, self._random),
            Ladder(line, habit, tables, self._random),
            Schedule(habit, gap_s, self._random))

    @property
    def next_ns(self) -> int:
        """Return the virtual time of the next thing to happen."""
        return self._queue[0][0]

    def funding(self, line: Line, unix_ns: int) -> Funding:
        """Return a perpetual's mark, index and funding; KeyError for a line that is none."""
        return self._bases[line].funding(unix_ns)

    def advance(self, to_ns: int) -> Iterator[tuple[Line, Update]]:
        """Yield what happens up to virtual time ``to_ns``; each line's book has it applied.

        Who stops in the middle may go on later with another call: nothing is lost or repeated.
        """
        queue, followers = self._queue, self._followers
        while queue[0][0] <= to_ns:
            now_ns, number = queue[0]
            if number == _TICK:
                self._tick(now_ns)
                heapreplace(queue, (now_ns + GRID_NS, _TICK))
                continue
            follower = followers[number]
            ladder, schedule = follower.ladder, follower.schedule
            send = not schedule.is_quote
            prints = ladder.move(follower.view.middle(now_ns), send=send)
            next_ns = schedule.next_ns(now_ns, is_behind=ladder.is_behind)
            heapreplace(queue, (next_ns, number))
            yield follower.line, Update(ladder.changes, prints, send)

    def _tick(self, now_ns: int) -> None:
        self._values.tick()
        for basis in self._bases.values():
            basis.tick()
        random, followers = self._random.random, self._followers
        if random() < len(followers) * STRAINS_PER_S * GRID_S:
            followers[int(random() * len(followers))].view.strain()
        for venue in self._venues.values():
            venue.recover(now_ns)
            if random() < SLOW_PER_S * GRID_S:
                venue.slow_down(now_ns + int(SLOW_S * NS))
