"""Which change may enter a book: the venues' published rules, once each, as a pure machine.

    EMPTY ──subscribed()──▶ WAITING ──snapshot()──▶ LIVE ──lose()──▶ GAPPED CROSSED STALE
                               ▲                      ▲                        │  │
                               │                      └─────── snapshot() ─────┘  │
                               └─────────────────────────────── subscribed() ─────┘

Only a LIVE book applies changes.  Where the first state comes by REST, every other state keeps
copies of the changes, for the splice; where the stream brings it, they are ignored until then.

*Snapshot by REST* (Binance spot and USD-M; ``splice_overlap`` is 1 and 0):

1. Keep every change; a change that does not follow the one kept before makes those useless.
2. A snapshot older than the first change kept cannot be joined: ask for another.
3. Drop kept changes with last_id < snapshot.last_id + overlap.
4. The first one left must have first_id <= snapshot.last_id + overlap <= last_id, or, where
   changes name their predecessor, follow the snapshot exactly.
5. Apply the rest, then live ones by the venue's link.  If nothing was kept, rules 3 and 4 hold
   for the first live change; a stream that stays behind its snapshot for long is not believed.

*Link of live changes*: FIRST_IS_NEXT and PREVIOUS_IS_LAST as ``feeds/venue.py`` says; OKX may
continue with a smaller number (maintenance), so no number is required to grow.  A change that
names no predecessor where it should is taken only with a checksum (OKX before 2022-05 had no
seqId).  ORDER_ONLY takes all, except that a time that runs backwards is a reordering where
nothing else would show it (Coinbase Exchange; never seen in 5348 recorded updates of
2021-04-17).  CONNECTION is counted over all messages of a connection, by ``feeds/core.py``.

*Repeats*.  A change applied a moment ago is ignored, by its remembered id.  An unknown old id
is a gap and no repeat: a damaged number must not make a book deaf to all that follows.
"""

from collections import deque
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Final

from feeds.venue import (
    NO_CHECKSUM,
    NO_PREVIOUS,
    Checksum,
    Delta,
    Link,
    Snapshot,
    SnapshotFrom,
    Venue,
)
from shm.layout import BookFault, BookState

KEPT_BYTES_MAX: Final = 16 << 20  # level text of changes kept for one splice
REPEATS_MAX: Final = 64  # ids remembered to tell a repeat from damage
BEHIND_MAX: Final = 256  # live changes that may be older than the REST snapshot before them
ASK_DELAY_MIN_NS: Final = 250_000_000  # after the first failed try; doubles with each
ASK_DELAY_MAX_NS: Final = 30_000_000_000
ANSWER_NS_MAX: Final = 10_000_000_000  # then the request counts as lost
SETTLED_NS: Final = 10_000_000_000  # LIVE for so long: earlier tries are forgotten
UNPROVEN_NS_MAX: Final = 60_000_000_000  # a venue acknowledges streams that never speak
NEVER_NS: Final = 2**63 - 1


class Step(IntEnum):
    """What becomes of a change."""

    APPLY = 0
    IGNORE = 1  # already contained, or of a book that waits for its snapshot
    KEEP = 2  # copied, until a snapshot comes
    GAP = 3  # something is missing: the caller says so in shared memory, then calls lose()


class BookSync:
    """The trust in one book; owns no levels, reads no clock, sends nothing.

    ``change`` is a different method in different states, so that the one call per message of a
    live book tests nothing but the venue's link.
    """

    __slots__ = (
        "_asks", "_behind", "_due_mono_ns", "_follows", "_kept", "_kept_bytes", "_names_previous",
        "_numbered", "_overlap", "_recent", "_splices", "change", "expected", "fault", "gaps",
        "last_id", "live_since_mono_ns", "received", "snapshots", "state",
    )

    def __init__(self, venue: Venue) -> None:
        self.state = BookState.EMPTY
        self.fault = BookFault.NONE
        self.last_id = 0  # of the last message applied; where venues give none, its time in ns
        self.snapshots = 0  # applied; those after the first are resyncs
        self.gaps = 0  # times that LIVE ended by missing updates
        self.expected = self.received = 0  # the numbers of the last gap
        self.live_since_mono_ns = 0
        self._overlap = venue.splice_overlap
        self._splices = venue.snapshot_from is SnapshotFrom.REST
        self._numbered = venue.link in (Link.FIRST_IS_NEXT, Link.PREVIOUS_IS_LAST)
        self._names_previous = venue.link is Link.PREVIOUS_IS_LAST
        self._follows = self._link_rule(venue)
        self._kept: deque[Delta] = deque()
        self._kept_bytes = 0
        self._recent: deque[int] = deque(maxlen=REPEATS_MAX)
        self._behind = 0
        self._asks = 0
        self._due_mono_ns = NEVER_NS
        self.change: Callable[[Delta], Step] = self._keep if self._splices else self._ignore

    # ------------------------------------------------------------ state
    def subscribed(self, now_mono_ns: int) -> None:
        """Start over on a new connection; its subscription is the first request."""
        self._leave(BookState.WAITING, BookFault.NONE)
        self._asks = 0
        self._due_mono_ns = now_mono_ns + ANSWER_NS_MAX

    def lose(
        self, state: BookState, fault: BookFault, now_mono_ns: int, first: Delta | None = None
    ) -> None:
        """Leave LIVE (or the present trouble for another); a new snapshot is due.

        ``first`` is the change that showed a gap: the first that is kept for the next splice.
        """
        if self.state is BookState.LIVE:
            self.gaps += fault is BookFault.GAP
            if now_mono_ns - self.live_since_mono_ns >= SETTLED_NS:
                self._asks = 0
        self._leave(state, fault)
        if first is not None:
            self.change(first)
        self._due_mono_ns = min(self._due_mono_ns, now_mono_ns + self._delay_ns())

    def mistrust(self) -> None:
        """Leave LIVE and ask again only when the stream speaks: an ack proved nothing."""
        self._leave(BookState.STALE, BookFault.SILENCE)
        self._asks, self._due_mono_ns = 0, NEVER_NS

    def unproven(self, now_mono_ns: int) -> bool:
        """Tell whether a spliced book has been LIVE for long without one change of its stream."""
        return (
            self.state is BookState.LIVE
            and now_mono_ns - self.live_since_mono_ns > UNPROVEN_NS_MAX
            and self.change == self._first
        )

    def snapshot(self, snapshot: Snapshot, now_mono_ns: int) -> Sequence[Delta] | None:
        """Become LIVE at ``snapshot`` and return the changes to apply on top of it, in order.

        None: a REST snapshot that cannot be joined (rules 2 and 4), ask again when ``due``.
        Never pass a REST snapshot to a LIVE book: what it misses is no longer kept.
        """
        on_top: Sequence[Delta] = ()
        if self._splices:
            assert self.state is not BookState.LIVE
            join = snapshot.last_id + self._overlap
            on_top = [change for change in self._kept if change.last_id >= join]
            if on_top and not self._joins(on_top[0], snapshot.last_id):
                self.fault = BookFault.SNAPSHOT_OLD
                self._due_mono_ns = now_mono_ns + self._delay_ns()
                return None
            self._forget_kept()
        self.state, self.fault = BookState.LIVE, BookFault.NONE
        self.live_since_mono_ns = now_mono_ns
        self._due_mono_ns = NEVER_NS
        self.snapshots += 1
        self._recent.clear()
        self._recent.append(snapshot.last_id)
        self._recent.extend(change.last_id for change in on_top)
        self.last_id = on_top[-1].last_id if on_top else snapshot.last_id
        if not self._numbered:
            self.last_id = snapshot.venue_ns
        self._behind = 0
        self.change = self._follows if on_top or not self._splices else self._first
        return on_top

    # ------------------------------------------------------------ asking
    def due(self, now_mono_ns: int) -> bool:
        """Tell whether a snapshot should be asked for now."""
        return now_mono_ns >= self._due_mono_ns

    def asked(self, now_mono_ns: int) -> None:
        """Note a request; it counts as lost after ANSWER_NS_MAX and the present delay."""
        self._asks += 1
        self._due_mono_ns = now_mono_ns + ANSWER_NS_MAX + self._delay_ns()

    def unanswered(self, now_mono_ns: int) -> None:
        """Note that the request failed: the next is due after a delay that doubles each time."""
        if self.state is not BookState.LIVE:
            self._due_mono_ns = min(self._due_mono_ns, now_mono_ns + self._delay_ns())

    @property
    def never_asked(self) -> bool:
        """Tell whether the present trouble has not led to a request yet."""
        return self._asks == 0

    def _delay_ns(self) -> int:
        if self._asks == 0:
            return 0
        return min(ASK_DELAY_MIN_NS << min(self._asks - 1, 16), ASK_DELAY_MAX_NS)

    # ------------------------------------------------------------ change: outside LIVE
    def _leave(self, state: BookState, fault: BookFault) -> None:
        assert state is not BookState.LIVE
        self.state, self.fault = state, fault
        self._forget_kept()
        self.change = self._keep if self._splices else self._ignore

    def _ignore(self, _change: Delta) -> Step:
        return Step.IGNORE

    def _keep(self, change: Delta) -> Step:
        """Copy ``change`` (rule 1); the oldest go when there are too many bytes of them."""
        if self._kept:
            last = self._kept[-1]
            if change.last_id == last.last_id and change.first_id == last.first_id:
                return Step.IGNORE
            follows = (
                change.previous_id == last.last_id if self._names_previous
                else change.first_id == last.last_id + 1
            )
            if not follows:
                self._forget_kept()
        self._kept.append(Delta(
            change.symbol, change.bids.copy(), change.asks.copy(), change.first_id,
            change.last_id, change.previous_id, change.venue_ns, change.checksum,
        ))
        self._kept_bytes += len(change.bids) + len(change.asks)
        while self._kept_bytes > KEPT_BYTES_MAX:
            oldest = self._kept.popleft()
            self._kept_bytes -= len(oldest.bids) + len(oldest.asks)
        return Step.KEEP

    def _forget_kept(self) -> None:
        self._kept.clear()
        self._kept_bytes = 0

    # ------------------------------------------------------------ change: LIVE
    def _link_rule(self, venue: Venue) -> Callable[[Delta], Step]:
        if venue.link is Link.FIRST_IS_NEXT:
            return self._first_is_next
        if venue.link is Link.PREVIOUS_IS_LAST:
            return self._previous_is_last
        if venue.link is Link.ORDER_ONLY and venue.checksum is Checksum.NONE:
            return self._time_stands_or_goes_on
        return self._in_order

    def _first_is_next(self, change: Delta) -> Step:
        if change.first_id == self.last_id + 1 <= change.last_id:
            self.last_id = change.last_id
            self._recent.append(change.last_id)
            return Step.APPLY
        return self._repeat_or_gap(change, self.last_id + 1, change.first_id)

    def _previous_is_last(self, change: Delta) -> Step:
        if change.previous_id == self.last_id or (
            change.previous_id == NO_PREVIOUS and change.checksum != NO_CHECKSUM
        ):
            self.last_id = change.last_id
            self._recent.append(change.last_id)
            return Step.APPLY
        return self._repeat_or_gap(change, self.last_id, change.previous_id)

    def _time_stands_or_goes_on(self, change: Delta) -> Step:
        if change.venue_ns >= self.last_id:
            self.last_id = change.venue_ns
            return Step.APPLY
        return self._gap(self.last_id, change.venue_ns)

    def _in_order(self, change: Delta) -> Step:
        self.last_id = change.venue_ns
        return Step.APPLY

    def _first(self, change: Delta) -> Step:
        """Apply rules 3 and 4 to the first live change after a REST snapshot."""
        if change.last_id < self.last_id + self._overlap and self._behind < BEHIND_MAX:
            self._behind += 1
            return Step.IGNORE
        if not self._joins(change, self.last_id):
            return self._gap(self.last_id + self._overlap, change.first_id)
        self.last_id = change.last_id
        self._recent.append(change.last_id)
        self.change = self._follows
        return Step.APPLY

    def _joins(self, change: Delta, snapshot_id: int) -> bool:
        join = snapshot_id + self._overlap
        return change.first_id <= join <= change.last_id or (
            self._names_previous and change.previous_id == snapshot_id
        )

    def _repeat_or_gap(self, change: Delta, expected: int, received: int) -> Step:
        if change.last_id in self._recent and (
            not self._names_previous or change.previous_id in self._recent
        ):
            return Step.IGNORE
        return self._gap(expected, received)

    def _gap(self, expected: int, received: int) -> Step:
        self.expected, self.received = expected, received
        return Step.GAP
