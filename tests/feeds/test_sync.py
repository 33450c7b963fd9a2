"""Trust in one book: every rule by itself, every state by every call, then chaos from a seed."""

from collections.abc import Callable
from itertools import pairwise, product
from random import Random

import msgspec
import pytest

from feeds.sync import (
    ANSWER_NS_MAX,
    ASK_DELAY_MAX_NS,
    ASK_DELAY_MIN_NS,
    BEHIND_MAX,
    KEPT_BYTES_MAX,
    REPEATS_MAX,
    SETTLED_NS,
    BookSync,
    Step,
)
from feeds.venue import NO_CHECKSUM, NO_PREVIOUS, Checksum, Delta, Link, Snapshot, Venue
from shm.layout import BookFault, BookState
from tests.feeds.synthetic import MS, SECOND, Bench, Message, Server, venue

SPOT = venue(Link.FIRST_IS_NEXT, rest=True, overlap=1)
PERPETUAL = venue(Link.PREVIOUS_IS_LAST, rest=True, overlap=0)
LINKED = venue(Link.PREVIOUS_IS_LAST, checksum=Checksum.OKX)
TIMED = venue(Link.ORDER_ONLY)
SUMMED = venue(Link.ORDER_ONLY, checksum=Checksum.KRAKEN, truncate_depth=10)
NUMBERED = venue(Link.CONNECTION)
LEVELS = msgspec.Raw(b'[["1","2"]]')


def change(
    first: int = 0, last: int = 0, previous: int = NO_PREVIOUS, at: int = 0,
    checksum: int = NO_CHECKSUM, levels: msgspec.Raw = LEVELS,
) -> Delta:
    return Delta("A", levels, msgspec.Raw(b"[]"), first, last, previous, at, checksum)


def book_at(last: int, at: int = 0) -> Snapshot:
    return Snapshot("A", LEVELS, msgspec.Raw(b"[]"), last, 0, at)


def waiting(rules: Venue) -> BookSync:
    sync = BookSync(rules)
    sync.subscribed(0)
    return sync


def live(rules: Venue, last: int = 100) -> BookSync:
    sync = waiting(rules)
    assert sync.snapshot(book_at(last, at=last), 0) is not None
    return sync


# ------------------------------------------------------------ the splice of a REST snapshot
def test_changes_that_the_snapshot_contains_are_dropped_and_the_rest_returned_in_order() -> None:
    sync = waiting(SPOT)
    kept = [change(90, 95), change(96, 100), change(101, 104), change(105, 105)]
    assert [sync.change(it) for it in kept] == [Step.KEEP] * 4
    assert sync.snapshot(book_at(100), 0) == kept[2:]
    assert (sync.state, sync.last_id, sync.snapshots) == (BookState.LIVE, 105, 1)
    assert sync.change(change(106, 110)) is Step.APPLY


def test_a_spot_change_that_holds_the_number_after_the_snapshot_joins_it() -> None:
    sync = waiting(SPOT)
    sync.change(change(95, 103))
    assert sync.snapshot(book_at(100), 0) == [change(95, 103)]


def test_a_perpetual_change_that_holds_the_snapshots_own_number_joins_it() -> None:
    sync = waiting(PERPETUAL)
    for it in (change(80, 99, 70), change(95, 100, 99), change(140, 150, 100)):
        sync.change(it)
    on_top = sync.snapshot(book_at(100), 0)
    assert on_top is not None
    assert [it.last_id for it in on_top] == [100, 150]


def test_a_perpetual_change_that_names_the_snapshot_as_its_predecessor_joins_it() -> None:
    sync = waiting(PERPETUAL)
    sync.change(change(140, 150, 100))
    assert sync.snapshot(book_at(100), 0) == [change(140, 150, 100)]


@pytest.mark.parametrize("first", [102, 103, 1_000])
def test_a_snapshot_older_than_the_first_kept_change_is_not_joined_but_asked_for_again(
    first: int,
) -> None:
    sync = waiting(SPOT)
    sync.change(change(first, first + 5))
    sync.asked(0)
    assert sync.snapshot(book_at(100), 1 * SECOND) is None
    assert (sync.state, sync.fault) == (BookState.WAITING, BookFault.SNAPSHOT_OLD)
    assert not sync.due(1 * SECOND)
    assert sync.due(1 * SECOND + ASK_DELAY_MIN_NS)
    assert sync.snapshot(book_at(first + 2), 2 * SECOND) == [change(first, first + 5)]


def test_a_hole_among_the_kept_changes_makes_those_before_it_useless() -> None:
    sync = waiting(SPOT)
    for it in (change(90, 100), change(101, 102), change(110, 112), change(113, 113)):
        sync.change(it)
    assert sync.snapshot(book_at(100), 0) is None, "103 to 109 are nowhere"
    assert sync.snapshot(book_at(109), 0) == [change(110, 112), change(113, 113)]


def test_a_repeated_change_is_kept_once() -> None:
    sync = waiting(SPOT)
    assert [sync.change(change(101, 102)) for _ in range(2)] == [Step.KEEP, Step.IGNORE]
    assert sync.snapshot(book_at(100), 0) == [change(101, 102)]


def test_kept_changes_are_copies_that_outlive_their_frame() -> None:
    sync = waiting(SPOT)
    frame = bytearray(b'{"levels":[["1","2"]]}')
    levels = msgspec.json.decode(frame, type=dict[str, msgspec.Raw])["levels"]
    sync.change(change(101, 101, levels=levels))
    frame[:] = b"x" * len(frame)
    on_top = sync.snapshot(book_at(100), 0)
    assert on_top is not None
    assert bytes(on_top[0].bids) == b'[["1","2"]]'


def test_kept_changes_are_bounded_in_bytes_and_the_oldest_go_first() -> None:
    sync = waiting(SPOT)
    big = msgspec.Raw(b"[" + b" " * (1 << 20) + b"]")
    for at in range(40):
        sync.change(change(at, at, levels=big))
    on_top = sync.snapshot(book_at(39 - 10), 0)
    assert on_top is not None
    assert [it.last_id for it in on_top] == list(range(30, 40))
    sync.lose(BookState.GAPPED, BookFault.GAP, 0)
    for at in range(40):
        sync.change(change(at, at, levels=big))
    assert sync.snapshot(book_at(39 - (KEPT_BYTES_MAX >> 20) - 1), 0) is None


def test_after_a_snapshot_without_kept_changes_the_first_live_one_must_join_it() -> None:
    for first, last, step in ((90, 100, Step.IGNORE), (95, 101, Step.APPLY),
                              (101, 102, Step.APPLY), (102, 103, Step.GAP)):
        assert live(SPOT).change(change(first, last)) is step, (first, last)


def test_a_stream_that_stays_behind_its_snapshot_for_long_is_a_gap() -> None:
    sync = live(SPOT, last=9_999_999)
    steps = [sync.change(change(at, at)) for at in range(BEHIND_MAX + 1)]
    assert steps == [Step.IGNORE] * BEHIND_MAX + [Step.GAP]


# ------------------------------------------------------------ links
def test_the_first_number_must_be_the_next_one() -> None:
    sync = live(SPOT)
    sync.change(change(101, 105))
    assert sync.change(change(106, 106)) is Step.APPLY
    assert sync.change(change(108, 109)) is Step.GAP
    assert (sync.expected, sync.received) == (107, 108)


def test_a_change_applied_a_moment_ago_is_ignored() -> None:
    sync = live(SPOT)
    for at in range(101, 120):
        assert sync.change(change(at, at)) is Step.APPLY
    assert [sync.change(change(at, at)) for at in range(101, 120)] == [Step.IGNORE] * 19
    assert sync.change(change(120, 120)) is Step.APPLY


def test_an_old_number_that_was_never_applied_is_a_gap_and_no_repeat() -> None:
    sync = live(SPOT)
    sync.change(change(101, 999))  # a damaged number: in truth 109
    assert sync.change(change(110, 112)) is Step.GAP
    linked = live(LINKED)
    linked.change(change(0, 999, 100))
    assert linked.change(change(0, 112, 109)) is Step.GAP


def test_the_memory_of_repeats_is_bounded() -> None:
    sync = live(SPOT)
    for at in range(101, 101 + 2 * REPEATS_MAX):
        sync.change(change(at, at))
    assert sync.change(change(101, 101)) is Step.GAP


def test_the_predecessor_must_be_the_last_one_and_numbers_may_fall() -> None:
    sync = live(LINKED, last=10)
    documented = [(10, 15), (15, 15), (15, 3), (3, 5)]  # maintenance at OKX
    for previous, last in documented:
        assert sync.change(change(0, last, previous)) is Step.APPLY
    assert sync.change(change(0, 9, 6)) is Step.GAP


def test_a_missed_fall_of_the_numbers_is_a_gap() -> None:
    sync = live(LINKED, last=10)
    sync.change(change(0, 15, 10))
    assert sync.change(change(0, 5, 3)) is Step.GAP, "15 -> 3 was lost"


def test_a_change_without_predecessor_is_taken_only_with_a_checksum() -> None:
    assert live(LINKED).change(change(0, 9, NO_PREVIOUS, checksum=1)) is Step.APPLY
    assert live(LINKED).change(change(0, 9, NO_PREVIOUS)) is Step.GAP


def test_without_numbers_and_checksum_time_may_stand_but_not_run_backwards() -> None:
    sync = live(TIMED)
    assert [sync.change(change(at=at)) for at in (100, 101, 101, 150)] == [Step.APPLY] * 4
    assert sync.last_id == 150
    assert sync.change(change(at=149)) is Step.GAP


def test_with_a_checksum_order_is_left_to_the_checksum() -> None:
    sync = live(SUMMED)
    assert [sync.change(change(at=at)) for at in (101, 99, 0)] == [Step.APPLY] * 3


# ------------------------------------------------------------ states
def _lost(rules: Venue, state: BookState, fault: BookFault) -> BookSync:
    sync = live(rules)
    sync.lose(state, fault, 0)
    return sync


STATES: dict[BookState, Callable[[Venue], BookSync]] = {
    BookState.EMPTY: BookSync,
    BookState.WAITING: waiting,
    BookState.GAPPED: lambda rules: _lost(rules, BookState.GAPPED, BookFault.GAP),
    BookState.CROSSED: lambda rules: _lost(rules, BookState.CROSSED, BookFault.CROSSED),
    BookState.STALE: lambda rules: _lost(rules, BookState.STALE, BookFault.SILENCE),
}


@pytest.mark.parametrize(("state", "rules"), list(product(STATES, (SPOT, LINKED, NUMBERED))))
def test_no_state_but_live_applies_a_change(state: BookState, rules: Venue) -> None:
    sync = STATES[state](rules)
    assert sync.state is state
    step = sync.change(change(101, 101, 100))
    assert step is (Step.KEEP if rules is SPOT else Step.IGNORE)
    assert sync.state is state


@pytest.mark.parametrize("state", STATES)
def test_every_state_becomes_live_by_a_snapshot_and_waiting_by_a_subscription(
    state: BookState,
) -> None:
    sync = STATES[state](LINKED)
    sync.snapshot(book_at(7), 0)
    assert (sync.state, sync.fault, sync.last_id) == (BookState.LIVE, BookFault.NONE, 7)
    sync = STATES[state](LINKED)
    sync.subscribed(0)
    assert sync.state is BookState.WAITING


def test_a_streamed_snapshot_replaces_a_live_book() -> None:
    sync = live(LINKED)
    sync.change(change(0, 120, 100))
    assert sync.snapshot(book_at(5), 0) == ()
    assert (sync.last_id, sync.snapshots) == (5, 2)
    assert sync.change(change(0, 6, 5)) is Step.APPLY


def test_the_change_that_showed_the_gap_is_the_first_one_kept() -> None:
    sync = live(SPOT)
    gap = change(110, 115)
    assert sync.change(gap) is Step.GAP
    sync.lose(BookState.GAPPED, BookFault.GAP, 0, gap)
    assert sync.gaps == 1
    assert sync.snapshot(book_at(112), 0) == [gap]


def test_only_missing_updates_of_a_live_book_count_as_gaps() -> None:
    sync = live(SPOT)
    sync.lose(BookState.CROSSED, BookFault.CROSSED, 0)
    sync.lose(BookState.GAPPED, BookFault.GAP, 0)
    assert sync.gaps == 0


def test_a_new_subscription_forgets_what_was_kept() -> None:
    sync = waiting(SPOT)
    sync.change(change(101, 105))
    sync.subscribed(0)
    assert sync.snapshot(book_at(100), 0) == []


# ------------------------------------------------------------ asking again
def test_the_first_trouble_after_a_quiet_while_is_asked_about_at_once() -> None:
    sync = live(LINKED)
    assert not sync.due(SETTLED_NS)
    sync.lose(BookState.GAPPED, BookFault.GAP, SETTLED_NS)
    assert sync.due(SETTLED_NS)


def test_trouble_soon_after_trouble_waits_longer_each_time_up_to_a_bound() -> None:
    sync, now, waits = live(LINKED), 0, []
    for _ in range(20):
        sync.lose(BookState.GAPPED, BookFault.GAP, now)
        start = now
        while not sync.due(now):
            now += 10 * MS
        waits.append(now - start)
        sync.asked(now)
        sync.snapshot(book_at(100), now)
    assert waits[0] == 0
    assert all(later >= earlier for earlier, later in pairwise(waits))
    assert ASK_DELAY_MAX_NS <= waits[-1] <= ASK_DELAY_MAX_NS + 10 * MS


def test_an_unanswered_request_is_repeated_and_a_failed_one_sooner() -> None:
    sync = waiting(LINKED)
    sync.asked(0)
    assert not sync.due(ANSWER_NS_MAX)
    assert sync.due(ANSWER_NS_MAX + ASK_DELAY_MIN_NS)
    sync.unanswered(0)
    assert sync.due(ASK_DELAY_MIN_NS)


def test_faults_that_go_on_do_not_put_off_the_request() -> None:
    sync = live(LINKED)
    sync.asked(0)
    for at in range(0, ASK_DELAY_MIN_NS, 10 * MS):
        sync.lose(BookState.GAPPED, BookFault.GAP, at)
    assert sync.due(ASK_DELAY_MIN_NS)


def test_a_live_book_is_never_due() -> None:
    sync = live(SPOT)
    sync.unanswered(0)
    assert not sync.due(2**62)


# ------------------------------------------------------------ chaos
class _Network:
    """One socket and one REST path between ``Server`` and a core; loses, repeats and reorders."""

    def __init__(self, rules: Venue, seed: int) -> None:
        self.random = Random(seed)
        self.faults = 0.0
        self.rules = rules
        self.server = Server(rules, "A", self.random)
        self.bench = Bench(rules, "A")
        self.wire: list[Message] = []
        self.answers: list[tuple[int, Message]] = []  # (at round, REST body)
        self.number = 0
        self.round = 0
        self.live_rounds = 0
        self.bench.core.opened(1, ["A"])
        if not rules.decode_snapshot:
            self._push(self.server.snapshot())

    def play(self, rounds: int, faults: float) -> None:
        """Change the book ``rounds`` times and check after every frame and answer."""
        self.faults = faults
        for _ in range(rounds):
            self.round += 1
            self._push(self.server.change())
            while len(self.wire) > self.random.randint(0, 3):
                self._deliver()
                self._check()
            self._serve()
            self._check()
            self.bench.wait(100 * MS)
            self.live_rounds += self.bench.state("A") is BookState.LIVE

    def _push(self, message: Message) -> None:
        if self.rules.link is Link.CONNECTION:
            message.number, self.number = self.number, self.number + 1
        self.wire.append(message)

    def _deliver(self) -> None:
        kind = ""
        if self.random.random() < self.faults:
            kind = self.random.choice(("lose", "swap", "repeat", "cut", "late repeat"))
        if kind == "swap" and len(self.wire) > 1:
            self.wire[0], self.wire[1] = self.wire[1], self.wire[0]
        message = self.wire.pop(0)
        data = msgspec.json.encode(message)
        if kind == "cut":
            data = data[: self.random.randrange(len(data))]
        if kind == "late repeat":
            self.wire.insert(min(3, len(self.wire)), message)
        for _ in range({"lose": 0, "repeat": 2}.get(kind, 1)):
            self.bench.raw(data)

    def _serve(self) -> None:
        notes = self.bench.notes
        for _ in notes.wanted:  # the answer may be a book of some while ago, or never come
            if self.random.random() >= self.faults:
                due = self.round + self.random.randint(0, 4)
                self.answers.append((due, self.server.snapshot()))
        for _ in notes.sent:
            if self.random.random() >= self.faults:
                self._push(self.server.snapshot())
        notes.wanted.clear()
        notes.sent.clear()
        for due, body in [it for it in self.answers if it[0] <= self.round]:
            self.answers.remove((due, body))
            clock = self.bench.clock
            self.bench.core.snapshot(
                "A", msgspec.json.encode(body), clock.unix_ns(), clock.mono_ns())

    def _check(self) -> None:
        if self.bench.state("A") is BookState.LIVE:
            seen = self.bench.book("A").top(1_000)
            assert seen == self.server.states[self.bench.core.sync("A").last_id], self.round


CHAOS = {"spot": SPOT, "perpetual": PERPETUAL, "linked": LINKED, "summed": SUMMED,
         "numbered": NUMBERED}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("rules", CHAOS.values(), ids=CHAOS.keys())
def test_a_bad_network_never_makes_a_wrong_book_live_and_a_good_one_heals_it(
    rules: Venue, seed: int,
) -> None:
    network = _Network(rules, seed)
    network.play(300, faults=0.1)
    assert network.live_rounds > 0, "the test must have tested something"
    assert network.bench.core.sync("A").snapshots > 1
    network.play(450, faults=0.0)
    assert network.bench.state("A") is BookState.LIVE
    assert network.bench.book("A").top(1_000) == network.server.states[
        network.bench.core.sync("A").last_id]
    assert network.bench.core.sync("A").last_id >= network.server.step - 40
