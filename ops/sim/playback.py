"""The recorded market: plays a tape to whoever subscribed, and keeps the book that it leads to.

Frames go out as they were recorded.  A REST book asked for before the recorded answer's place on
the tape waits for it; later ones, and snapshots of late subscribers, are written from the book.

Reading a frame back into the book takes longer than sending it (0.1 ms, of a large diff 5 ms and
more), and all frames behind it would be late.  So where the book is asked for by REST alone it is
brought up to date between frames, or when somebody asks.

Where a client trades, books and prints are told to the floor too: orders meet the recorded market,
and the recording never shows them.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import parse_qs, urlsplit

from engine.model.clock import Clock
from ops.sim.face import Answer, Query, Topic, Update
from ops.sim.listing import Line
from ops.sim.pace import Alarm
from ops.sim.recorded import BinanceReader, Reader, reader_of
from ops.sim.rest import BOOK_PATHS
from ops.sim.server import VenueServer
from ops.sim.tape import Item, Tape

AUDIENCE_S: Final = 3.0  # how long the first subscriber waits for the other venues'
SETTLE_S: Final = 0.2  # between the last venue's first subscription and the first frame
ITEMS_PER_TURN: Final = 256
CALM_NS: Final = 500_000  # no frame due for so long: time to read one back
UNREAD_MAX: Final = 1_000  # frames not yet read back; beyond, each new one costs an old one
QUEUE_SIZE_CALM: Final = 1 << 20  # faster than recorded: wait for clients with more than this
TRADES: Final = {"trade": "aggTrade", "aggTrade": "trade"}


class _Stage:
    """One venue on the tape."""

    def __init__(self, server: VenueServer) -> None:
        self.server = server
        self.reader: Reader = reader_of(server.name)
        self.books: dict[str, Answer] = {}  # recorded REST books, by native symbol
        self.book_ids: dict[str, int] = {}
        self.came = {native: asyncio.Event() for native in server.face.lines}
        self.kinds: set[str] = set()  # channels met so far
        server.rest.snapshots = self.snapshot

    def reset(self) -> None:
        """Go back to before the first frame."""
        self.reader = reader_of(self.server.name)
        self.server.muted.clear()
        for line in self.server.face.lines.values():
            line.book.clear()
            line.started, line.last_id = False, 0
            self.server.face.floor.recorded(line, None)
            self.came[line.native].clear()
        self.server.subscriptions = 0

    async def snapshot(self, _path: str, query: Query) -> Answer | None:
        """Wait for the recorded book, or leave it to the face once changes followed it."""
        native = query.get("symbol", "")
        line = self.server.face.lines.get(native)
        if line is None:
            return None
        if not line.started:
            await self.came[native].wait()
            return self.books[native]
        return self.books[native] if line.last_id == self.book_ids.get(native) else None


class Playback:
    """Plays a tape over the venues' servers."""

    def __init__(
        self, tape: Tape, servers: Mapping[str, VenueServer], clock: Clock, *, speed: float,
        loop: bool,
    ) -> None:
        self._tape, self._clock, self._speed, self._loop = tape, clock, speed, loop
        self._stages = {name: _Stage(server) for name, server in servers.items()}
        self._items: Iterator[Item] = iter(())
        self._next: Item | None = None
        self._origin_ns = 0  # mono time of the tape's start, at the present speed
        self._paused_ns = 0  # since when it stands still; 0 while it runs
        self._alarm: Alarm | None = None
        self._ended = asyncio.Event()
        self._unread: deque[tuple[_Stage, Line, Topic, bytes]] = deque()
        for stage in self._stages.values():
            stage.server.settle = stage.server.face.floor.settle = self.settle
        self.played = 0  # items so far

    async def run(self) -> None:
        """Play once or for ever; waits for an audience before each run."""
        self._alarm = Alarm(self._turn)
        try:
            while True:
                self._unread.clear()
                for stage in self._stages.values():
                    stage.reset()
                await self._audience()
                self._items = self._tape.items()
                self._next = next(self._items, None)
                self._origin_ns = self._clock.mono_ns()
                self._ended.clear()
                self._turn()
                await self._ended.wait()
                if not self._loop:
                    return
                for stage in self._stages.values():
                    stage.server.drop_all()
        finally:
            self._alarm.close()
            self._alarm = None

    def pause(self) -> None:
        """Stand still."""
        self._paused_ns = self._paused_ns or self._clock.mono_ns()

    def resume(self) -> None:
        """Go on from where it stood still."""
        if self._paused_ns:
            self._origin_ns += self._clock.mono_ns() - self._paused_ns
            self._paused_ns = 0
            self._turn()

    def settle(self) -> None:
        """Read back all frames that were sent, so that the books stand where they led."""
        while self._unread:
            _read(*self._unread.popleft())

    async def _audience(self) -> None:
        """Return when every recorded venue has a subscriber, or one has waited long enough."""
        waited_s = 0.0
        recorded = [stage for name, stage in self._stages.items() if name in self._tape.venues]
        while waited_s < AUDIENCE_S:
            there = [stage.server.subscriptions > 0 for stage in recorded]
            if all(there):
                break
            waited_s += 0.05 if any(there) else 0.0
            await asyncio.sleep(0.05)
        await asyncio.sleep(SETTLE_S)

    def _turn(self) -> None:
        """Send what is due, a bounded number at a time, and set the alarm for the rest."""
        if self._paused_ns or self._alarm is None:
            return
        now_ns = self._clock.mono_ns()
        if self._speed > 1 and self._crowded():
            self._origin_ns += 1_000_000
            self._alarm.set(now_ns + 1_000_000)
            return
        for _ in range(ITEMS_PER_TURN):
            if self._next is None:
                self._ended.set()
                return
            due_ns = self._origin_ns + int(self._next.at_ns / self._speed)
            if due_ns > now_ns:
                while self._unread and due_ns - self._clock.mono_ns() > CALM_NS:
                    _read(*self._unread.popleft())
                self._alarm.set(due_ns)
                return
            self._play(self._next)
            self._next = next(self._items, None)
        self._alarm.set(now_ns)

    def _crowded(self) -> bool:
        return any(stage.server.queued() > QUEUE_SIZE_CALM for stage in self._stages.values())

    def _play(self, item: Item) -> None:
        self.played += 1
        stage = self._stages.get(item.venue)
        if stage is None:
            return
        if item.is_rest:
            self.settle()
            _rest(stage, item)
            return
        topic = stage.reader.topic(item.text)
        line = stage.server.face.lines.get(topic[1]) if topic else None
        if topic is None or line is None:
            return
        stage.kinds.add(topic[0])
        stage.server.publish_recorded(topic, item.text)
        other = TRADES.get(topic[0])
        if other and other not in stage.kinds:  # only one kind of print was recorded
            stage.server.publish_recorded((other, topic[1]), item.text)
        if stage.reader.is_book(topic):
            stage.server.muted.add(topic)
        elif not stage.server.face.floor.opened(line.native):
            return
        self._unread.append((stage, line, topic, item.text))
        if not isinstance(stage.reader, BinanceReader):
            self.settle()
        elif len(self._unread) > UNREAD_MAX:
            _read(*self._unread.popleft())


def _read(stage: _Stage, line: Line, topic: Topic, text: bytes) -> None:
    """Let a frame change the book, and clients' orders meet what it tells."""
    face = stage.server.face
    if not stage.reader.is_book(topic):
        if topic[0] != "aggTrade" or "trade" not in stage.kinds:  # the same prints, put together
            face.floor.recorded_trades(line, stage.reader.trades(topic, text))
        return
    changes = stage.reader.apply(line, text)
    face.floor.recorded(line, changes)
    if face.any_depth and changes is None:
        face.restart(line)
    elif face.any_depth and changes:
        face.update(line, Update(changes, (), send=True))


def _rest(stage: _Stage, item: Item) -> None:
    url = urlsplit(item.url)
    native = parse_qs(url.query).get("symbol", [""])[0]
    line = stage.server.face.lines.get(native)
    is_book = url.path.rsplit("/", 1)[-1] in BOOK_PATHS
    if line is None or not is_book or not isinstance(stage.reader, BinanceReader):
        return
    if not line.started:
        stage.book_ids[native] = stage.reader.snapshot(line, item.text)
        stage.server.face.floor.recorded(line, None)
        stage.books[native] = Answer(item.text)
        stage.came[native].set()
