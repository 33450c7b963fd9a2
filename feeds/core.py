"""The heart of a feed: frames in, trusted books out.  Live and replay run exactly this.

    frame ─▶ decode ─▶ events ─▶ BookSync: may it enter? ─▶ Publisher: parse, apply, publish
                                      │ no
                                      ▼
              1. the state word in shared memory   2. what is known of the book is dropped
              3. a new snapshot of that symbol alone is asked for, through the Port

Nothing here waits, sends or reads a clock by itself: connections, REST and time are the
caller's.  Calls come from one thread.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from engine.model.clock import Clock
from engine.model.errors import DecodeError
from feeds.catalog import Listed
from feeds.port import Books, Port
from feeds.sync import BookSync, Step
from feeds.venue import (
    Alive,
    BookLost,
    Delta,
    Event,
    Frame,
    Goodbye,
    Numbered,
    Quote,
    Rejected,
    Reply,
    Snapshot,
    SnapshotFrom,
    Subscribed,
    Trade,
    Venue,
)
from shm.layout import BookFault, BookState

STALL_NS: Final = 1_000_000_000  # ticks come ten times a second; see ``Core._stalled``


class _Line:
    """One connection: what it carries, and when it was last heard."""

    __slots__ = ("dropped", "heard_mono_ns", "natives", "next_number", "number")

    def __init__(self, number: int, natives: frozenset[str], now_mono_ns: int) -> None:
        self.number = number
        self.natives = natives
        self.heard_mono_ns = now_mono_ns
        self.next_number: int | None = None  # Link.CONNECTION alone; None before the first
        self.dropped = False  # the port was told; nothing that still comes is believed


class _Book:
    """One symbol: its trust, its place in the segment, and the connection that carries it."""

    __slots__ = ("line", "local", "native", "quote_id", "sync")

    def __init__(self, native: str, local: int, sync: BookSync) -> None:
        self.native, self.local, self.sync = native, local, sync
        self.line: _Line | None = None
        self.quote_id = 0  # of the last quote taken: an older one would show a past touch


class Core:
    """All books of one venue's market."""

    def __init__(
        self, venue: Venue, listed: Iterable[Listed], books: Books, port: Port, clock: Clock
    ) -> None:
        self.unknown = 0  # events of symbols that this engine does not take
        self.garbled = 0  # frames and level texts that the protocol does not allow
        self.late_quotes = 0  # older than one already published: by another line, or reordered
        self.frames = 0
        self._turned_mono_ns = 0  # when the last tick was; 0 in a replay, that has none
        self._venue, self._sink, self._port, self._clock = venue, books, port, clock
        self._decode = venue.decode
        self._splices = venue.snapshot_from is SnapshotFrom.REST
        self._silence_ns = int(venue.keep_alive.silence_max_s * 1e9)
        self._lines: dict[int, _Line] = {}
        self._books = {
            it.native: _Book(it.native, it.instrument.local_index, BookSync(venue))
            for it in listed
        }
        self._handlers: dict[type[Any], Callable[[Any, _Line, int, int], None]] = {
            Delta: self._change, Quote: self._quote, Trade: self._trade,
            Snapshot: self._streamed_snapshot, Numbered: self._numbered, Alive: self._nothing,
            Subscribed: self._subscribed, Rejected: self._rejected, BookLost: self._book_lost,
            Reply: self._reply, Goodbye: self._goodbye,
        }

    def sync(self, native: str) -> BookSync:
        """Return the trust in one book: state, last id, snapshots; raise KeyError if not taken."""
        return self._books[native].sync

    def carries(self, native: str) -> bool:
        """Tell whether a connection carries this book now; False for one not taken."""
        book = self._books.get(native)
        return book is not None and book.line is not None

    # ------------------------------------------------------------ what the caller reports
    def opened(self, connection: int, natives: Iterable[str]) -> None:
        """Take ``connection`` as open and subscribed to ``natives``.

        A book that another connection still carries stays as it is: with ids it goes on from
        either, without it moves to the new connection with that one's snapshot.
        """
        now = self._clock.mono_ns()
        line = _Line(connection, frozenset(natives), now)
        self._lines[connection] = line
        for book in self._carried(line):
            if book.line is None:
                book.line = line
                self._sink.state(book.local, BookState.WAITING, book.sync.fault, now)
                book.sync.subscribed(now)
                self._port.changed(book.native, BookState.WAITING, BookFault.NONE, "subscribed")

    def closed(self, connection: int) -> None:
        """Take ``connection`` as gone; its books are STALE unless another one carries them."""
        line = self._lines.pop(connection, None)
        if line is None:
            return
        now = self._clock.mono_ns()
        for book in self._books.values():
            if book.line is not line:
                continue
            others = [other for other in self._lines.values() if book.native in other.natives]
            book.line = others[-1] if others else None
            if not (self._splices and others):
                self._lose(book, BookState.STALE, BookFault.DISCONNECT, now, "disconnected")

    def frame(
        self, connection: int, frame: Frame, recv_unix_ns: int, recv_mono_ns: int
    ) -> None:
        """Take one frame; what it does to books and memory is done when this returns."""
        if 0 < self._turned_mono_ns < recv_mono_ns - STALL_NS:
            self._stalled(recv_mono_ns)
        line = self._lines.get(connection)
        if line is None or line.dropped:
            return  # late: the connection was already taken as gone
        line.heard_mono_ns = recv_mono_ns
        self.frames += 1
        try:
            events: Sequence[Event] = self._decode(frame)
        except DecodeError as error:
            self._garbled(line, frame, recv_mono_ns, error)
            return
        handlers = self._handlers
        for event in events:
            handlers[type(event)](event, line, recv_unix_ns, recv_mono_ns)

    def alive(self, connection: int, recv_mono_ns: int) -> None:
        """Take a control frame as a sign of life of ``connection``."""
        line = self._lines.get(connection)
        if line is not None:
            line.heard_mono_ns = recv_mono_ns

    def snapshot(self, native: str, body: bytes, recv_unix_ns: int, recv_mono_ns: int) -> None:
        """Take the answer to ``want_snapshot``; one that nobody needs any more is ignored."""
        book = self._books.get(native)
        if book is None or self._venue.decode_snapshot is None:
            self.unknown += 1
        elif book.line is None or book.line.dropped:
            return
        elif not book.sync.never_asked and book.sync.state is not BookState.LIVE:
            try:
                snapshot = self._venue.decode_snapshot(native, body)
            except DecodeError as error:
                self.garbled += 1
                self._port.changed(native, book.sync.state, BookFault.PARSE, str(error))
                book.sync.unanswered(recv_mono_ns)
            else:
                self._load(book, snapshot, recv_unix_ns, recv_mono_ns)

    def snapshot_failed(self, native: str) -> None:
        """Take it that ``want_snapshot`` brought nothing; ``tick`` asks again, later each time."""
        self._books[native].sync.unanswered(self._clock.mono_ns())

    def tick(self, now_mono_ns: int) -> None:
        """Notice silence and ask for the snapshots that are due; call it some ten times a second.

        A book is never given up: after a while it is asked for every 40 s.
        """
        if 0 < self._turned_mono_ns < now_mono_ns - STALL_NS:
            self._stalled(now_mono_ns)
        self._turned_mono_ns = now_mono_ns
        for line in self._lines.values():
            silent_ns = now_mono_ns - line.heard_mono_ns
            if silent_ns > self._silence_ns:
                self._drop(line, now_mono_ns, f"silent for {silent_ns / 1e9:.1f} s")
        for book in self._books.values():
            sync = book.sync
            if sync.unproven(now_mono_ns):
                self._sink.state(book.local, BookState.STALE, BookFault.SILENCE, now_mono_ns)
                sync.mistrust()
                self._port.changed(
                    book.native, BookState.STALE, BookFault.SILENCE, "its stream never spoke")
            elif sync.state is BookState.LIVE and self._splices and self._sink.is_short(book.local):
                reason = "prices moved to where the snapshot did not reach"
                self._lose(book, BookState.GAPPED, BookFault.RANGE, now_mono_ns, reason)
            if sync.due(now_mono_ns):
                self._ask(book, now_mono_ns)

    # ------------------------------------------------------------ events, the frequent ones first
    def _change(self, change: Delta, line: _Line, recv_unix_ns: int, recv_mono_ns: int) -> None:
        book = self._books.get(change.symbol)
        if book is None:
            self.unknown += 1
            return
        if book.line is not line and not self._splices:
            return  # the old connection of a book that moved, or the new one before its snapshot
        step = book.sync.change(change)
        if step is Step.APPLY:
            fault = self._sink.apply(book.local, change, recv_unix_ns, recv_mono_ns)
            if fault:
                self._unfit(book, fault, recv_mono_ns)
        elif step is Step.GAP:
            sync = book.sync
            reason = f"expected update {sync.expected}, received {sync.received}"
            self._lose(book, BookState.GAPPED, BookFault.GAP, recv_mono_ns, reason, change)
        elif step is Step.KEEP and book.sync.never_asked:
            self._ask(book, recv_mono_ns)  # the stream flows: now a snapshot can be joined to it

    def _quote(self, quote: Quote, _line: _Line, recv_unix_ns: int, recv_mono_ns: int) -> None:
        book = self._books.get(quote.symbol)
        if book is None:
            self.unknown += 1
            return
        number = quote.update_id or quote.venue_ns
        if number < book.quote_id:
            self.late_quotes += 1
            return
        book.quote_id = number
        if self._sink.quote(book.local, quote, recv_unix_ns, recv_mono_ns):
            self.garbled += 1

    def _trade(self, trade: Trade, _line: _Line, recv_unix_ns: int, recv_mono_ns: int) -> None:
        book = self._books.get(trade.symbol)
        if book is None:
            self.unknown += 1
        elif self._sink.trade(book.local, trade, recv_unix_ns, recv_mono_ns):
            self.garbled += 1

    def _streamed_snapshot(
        self, snapshot: Snapshot, line: _Line, recv_unix_ns: int, recv_mono_ns: int
    ) -> None:
        book = self._books.get(snapshot.symbol)
        if book is None:
            self.unknown += 1
            return
        book.line = line
        self._load(book, snapshot, recv_unix_ns, recv_mono_ns)

    def _numbered(
        self, event: Numbered, line: _Line, _recv_unix_ns: int, recv_mono_ns: int
    ) -> None:
        """Count the frames of a connection: one that is missing may have held any symbol."""
        expected, line.next_number = line.next_number, event.number + 1
        if expected is None or event.number == expected:
            return
        reason = f"expected message {expected} of the connection, received {event.number}"
        for book in self._books.values():
            if book.line is line:
                self._lose(book, BookState.GAPPED, BookFault.GAP, recv_mono_ns, reason)

    def _subscribed(
        self, event: Subscribed, line: _Line, _recv_unix_ns: int, recv_mono_ns: int
    ) -> None:
        """Take the depth that the venue confirmed; where books come by REST, ask for them now."""
        named = self._books.get(event.symbol)
        if named is not None and event.depth:
            self._sink.truncate(named.local, event.depth)
        if self._splices:
            for book in (named,) if named else self._carried(line):
                if book.sync.state is BookState.WAITING and book.sync.never_asked:
                    self._ask(book, recv_mono_ns)

    def _rejected(
        self, event: Rejected, _line: _Line, _recv_unix_ns: int, _recv_mono_ns: int
    ) -> None:
        """Pass on the venue's reason; a book that misses its snapshot asks again by itself."""
        book = self._books.get(event.symbol)
        state, fault = (book.sync.state, book.sync.fault) if book else (BookState.EMPTY, 0)
        self._port.changed(event.symbol, state, BookFault(fault), f"refused: {event.reason}")

    def _book_lost(
        self, event: BookLost, line: _Line, _recv_unix_ns: int, recv_mono_ns: int
    ) -> None:
        """Believe the venue, unless it is the echo of our own resubscription."""
        book = self._books.get(event.symbol)
        if book and book.line is line and book.sync.state is BookState.LIVE:
            self._lose(book, BookState.GAPPED, BookFault.VENUE, recv_mono_ns, event.reason)

    def _reply(self, event: Reply, line: _Line, _recv_unix_ns: int, _recv_mono_ns: int) -> None:
        self._port.send(line.number, event.text)

    def _goodbye(
        self, event: Goodbye, line: _Line, _recv_unix_ns: int, _recv_mono_ns: int
    ) -> None:
        self._port.rotate(line.number, event.reason)

    def _nothing(self, _event: Alive, _line: _Line, _unix_ns: int, _mono_ns: int) -> None:
        """Take a sign of life: ``frame`` noted its time."""

    # ------------------------------------------------------------ trouble and its end
    def _stalled(self, now_mono_ns: int) -> None:
        """Give up every connection: this process was not let run, and cannot tell by how much.

        What waited in the sockets meanwhile would be stamped as received now, however old it is.
        """
        stalled_ns = now_mono_ns - self._turned_mono_ns
        self._turned_mono_ns = now_mono_ns
        for line in self._lines.values():
            self._drop(line, now_mono_ns, f"not let run for {stalled_ns / 1e9:.1f} s")

    def _drop(self, line: _Line, now_mono_ns: int, reason: str) -> None:
        """Believe no book of ``line`` and nothing that still comes of it; have it cut."""
        if line.dropped:
            return
        line.dropped = True
        for book in self._books.values():
            if book.line is line:
                self._lose(book, BookState.STALE, BookFault.SILENCE, now_mono_ns, reason)
        self._port.drop(line.number, reason)

    def _carried(self, line: _Line) -> list[_Book]:
        return [book for native, book in self._books.items() if native in line.natives]

    def _load(
        self, book: _Book, snapshot: Snapshot, recv_unix_ns: int, recv_mono_ns: int
    ) -> None:
        """Put ``snapshot`` in place and the kept changes on top; LIVE only when all are fit."""
        on_top = book.sync.snapshot(snapshot, recv_mono_ns)
        if on_top is None:
            reason = f"snapshot {snapshot.last_id} is older than the changes kept"
            self._port.changed(book.native, book.sync.state, BookFault.SNAPSHOT_OLD, reason)
            return
        book.quote_id = 0  # a venue that starts over counts anew
        fault = self._sink.load(book.local, snapshot, recv_unix_ns, recv_mono_ns)
        for change in on_top:
            if fault:
                break
            fault = self._sink.apply(book.local, change, recv_unix_ns, recv_mono_ns)
        if fault:
            self._unfit(book, fault, recv_mono_ns)
            return
        self._sink.state(book.local, BookState.LIVE, BookFault.NONE, recv_mono_ns)
        self._port.changed(book.native, BookState.LIVE, BookFault.NONE, "snapshot")

    def _unfit(self, book: _Book, fault: int, now_mono_ns: int) -> None:
        state = BookState.CROSSED if fault == BookFault.CROSSED else BookState.GAPPED
        if fault == BookFault.PARSE:
            self.garbled += 1
        self._lose(book, state, BookFault(fault), now_mono_ns, "after a message")

    def _garbled(
        self, line: _Line, frame: Frame, now_mono_ns: int, error: DecodeError
    ) -> None:
        """Distrust the one book that a broken frame names, or all that its connection carries."""
        pong = self._venue.keep_alive.pong
        if pong is not None and frame == pong:
            return
        self.garbled += 1
        text = bytes(frame)
        carried = [book for book in self._books.values() if book.line is line]
        named = [book for book in carried if b'"%b"' % book.native.encode() in text]
        for book in named if len(named) == 1 else carried:
            if self._splices and book.sync.state is not BookState.LIVE:
                continue  # the ids of the changes kept tell whether one is missing
            self._lose(book, BookState.GAPPED, BookFault.PARSE, now_mono_ns, str(error))

    def _lose(
        self, book: _Book, state: BookState, fault: BookFault, now_mono_ns: int, reason: str,
        first: Delta | None = None,
    ) -> None:
        """Say so in shared memory before anything else happens, then ask for a snapshot."""
        self._sink.state(book.local, state, fault, now_mono_ns)
        book.sync.lose(state, fault, now_mono_ns, first)
        self._port.changed(book.native, state, fault, reason)
        if book.sync.due(now_mono_ns):
            self._ask(book, now_mono_ns)

    def _ask(self, book: _Book, now_mono_ns: int) -> None:
        """Ask for a new snapshot of this symbol; without a connection there is nobody to ask."""
        if book.line is None or book.line.dropped:
            return
        book.sync.asked(now_mono_ns)
        if self._splices:
            self._port.want_snapshot(book.native)
            return
        for frame in self._venue.resubscribe(book.native):
            self._port.send(book.line.number, frame)
