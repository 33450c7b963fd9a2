"""The core: what each event and each trouble does to books, readers and the venue."""

from typing import Any

import pytest

from feeds.venue import Checksum, Link, Venue
from shm.layout import BookFault, BookState
from tests.feeds.synthetic import MS, SECOND, Bench, frame, venue

REST = venue(Link.FIRST_IS_NEXT, rest=True)
STREAM = venue(Link.PREVIOUS_IS_LAST)
NUMBERED = venue(Link.CONNECTION)
BOOK: dict[str, Any] = {"bids": [["10", "1"]], "asks": [["11", "1"]]}


def rest_bench(*natives: str) -> Bench:
    """Return books that are LIVE at update 100, snapshots fetched by REST."""
    bench = Bench(REST, *(natives or ("A", "B")))
    bench.core.opened(1, bench.natives)
    for native in bench.natives:
        bench.send(kind="change", symbol=native, first=100, last=100)
        bench.rest(native, last=100, **BOOK)
        assert bench.state(native) is BookState.LIVE
    bench.notes.wanted.clear()
    return bench


def stream_bench(rules: Venue = STREAM) -> Bench:
    """Return books A and B that are LIVE at update 100 on connection 1."""
    bench = Bench(rules, "A", "B")
    bench.core.opened(1, bench.natives)
    for at, native in enumerate(bench.natives):
        number = at if rules is NUMBERED else -1
        bench.send(kind="snapshot", symbol=native, last=100, number=number, **BOOK)
        assert bench.state(native) is BookState.LIVE
    return bench


# ------------------------------------------------------------ the way to LIVE
def test_a_rest_book_is_asked_for_once_when_its_stream_begins_to_flow() -> None:
    bench = Bench(REST, "A", "B")
    bench.core.opened(1, ["A", "B"])
    assert bench.notes.wanted == []
    for last in (101, 102, 103):
        bench.send(kind="change", symbol="A", first=last, last=last)
    assert bench.notes.wanted == ["A"]
    assert bench.state("A") is BookState.WAITING


def test_an_acknowledgement_asks_for_the_books_of_its_connection_that_were_not_asked_for() -> None:
    bench = Bench(REST, "A", "B", "C")
    bench.core.opened(1, ["A", "B"])
    bench.core.opened(2, ["C"])
    bench.send(kind="change", symbol="A", first=101, last=101)
    bench.send(kind="ack")
    assert bench.notes.wanted == ["A", "B"]


def test_a_snapshot_and_the_changes_kept_for_it_are_one_book() -> None:
    bench = Bench(REST, "A")
    bench.core.opened(1, ["A"])
    bench.send(kind="change", symbol="A", first=101, last=102, bids=[["10", "3"]])
    bench.send(kind="change", symbol="A", first=103, last=103, asks=[["12", "4"]])
    bench.rest("A", last=100, **BOOK)
    assert bench.book("A").top(9) == ([("10", "3")], [("11", "1"), ("12", "4")])
    assert bench.core.sync("A").last_id == 103
    assert bench.book("A").states[-1] == (BookState.LIVE, BookFault.NONE)


def test_a_snapshot_that_is_too_old_is_asked_for_again_after_a_delay() -> None:
    bench = Bench(REST, "A")
    bench.core.opened(1, ["A"])
    bench.send(kind="change", symbol="A", first=150, last=151)
    bench.rest("A", last=100, **BOOK)
    assert bench.state("A") is BookState.WAITING
    bench.wait(10 * MS)
    assert bench.notes.wanted == ["A"]
    bench.wait(300 * MS)
    assert bench.notes.wanted == ["A", "A"]


def test_a_rest_answer_to_no_question_is_ignored() -> None:
    bench = Bench(REST, "A")
    bench.core.opened(1, ["A"])
    bench.rest("A", last=100, **BOOK)
    assert bench.state("A") is BookState.WAITING, "it was asked for before this connection"
    bench = rest_bench("A")
    bench.send(kind="change", symbol="A", first=101, last=101, bids=[["10", "7"]])
    bench.rest("A", last=100, **BOOK)
    assert bench.book("A").top(1)[0] == [("10", "7")]
    bench.rest("Z", last=100, **BOOK)
    assert bench.core.unknown == 1


def test_a_rest_answer_that_does_not_decode_is_asked_for_again() -> None:
    bench = Bench(REST, "A")
    bench.core.opened(1, ["A"])
    bench.send(kind="change", symbol="A", first=101, last=101)
    bench.core.snapshot("A", b'{"kind":"snap', 0, bench.clock.mono_ns())
    assert bench.core.garbled == 1
    bench.wait(300 * MS)
    assert bench.notes.wanted == ["A", "A"]


def test_a_venue_that_never_answers_is_asked_again_and_again_but_rarer() -> None:
    bench = rest_bench("A")
    bench.send(kind="change", symbol="A", first=105, last=106)
    for _ in range(600):
        bench.core.snapshot_failed("A")
        bench.wait(1 * SECOND)
        bench.core.frame(1, frame(kind="alive"), 0, bench.clock.mono_ns())
    assert 20 <= len(bench.notes.wanted) <= 40
    assert bench.state("A") is BookState.GAPPED
    assert bench.notes.dropped == [], "the other books of the connection are good"


def test_the_depth_that_the_venue_confirms_is_the_depth_that_is_kept() -> None:
    bench = stream_bench()
    bench.send(kind="ack", symbol="A", depth=1)
    bench.send(kind="change", symbol="A", previous=100, last=101, bids=[["9", "1"]])
    assert bench.book("A").top(9)[0] == [("10", "1")]


# ------------------------------------------------------------ trouble
def test_a_gap_is_in_shared_memory_before_anything_is_asked_for() -> None:
    bench = stream_bench()
    order: list[object] = []
    bench.core._sink.state = lambda *args: order.append(args[:3])  # type: ignore[method-assign] # noqa: SLF001
    bench.notes.send = lambda *args: order.append(args)  # type: ignore[method-assign]
    bench.wait(4 * SECOND)
    bench.send(kind="change", symbol="A", previous=105, last=106)
    assert order == [(0, BookState.GAPPED, BookFault.GAP), (1, b"again A")]


def test_a_gap_of_one_symbol_leaves_the_others_alone() -> None:
    bench = stream_bench()
    bench.send(kind="change", symbol="A", previous=105, last=106, bids=[["10", "9"]])
    assert (bench.state("A"), bench.state("B")) == (BookState.GAPPED, BookState.LIVE)
    assert bench.notes.sent == [(1, b"again A")]
    bench.send(kind="change", symbol="A", previous=106, last=107, bids=[["10", "9"]])
    assert bench.book("A").top(1)[0] == [("10", "1")], "no untrusted change enters"
    bench.send(kind="snapshot", symbol="A", last=200, **BOOK)
    assert bench.state("A") is BookState.LIVE
    assert bench.core.sync("A").snapshots == 2


def test_a_missing_message_of_a_numbered_connection_gaps_all_its_books_and_only_those() -> None:
    bench = Bench(NUMBERED, "A", "B", "C")
    bench.core.opened(1, ["A", "B"])
    bench.core.opened(2, ["C"])
    bench.send(kind="snapshot", symbol="A", number=0, **BOOK)
    bench.send(kind="snapshot", symbol="B", number=1, **BOOK)
    bench.send(2, kind="snapshot", symbol="C", number=0, **BOOK)
    bench.send(kind="alive", number=3)
    assert [bench.state(it) for it in "ABC"] == [
        BookState.GAPPED, BookState.GAPPED, BookState.LIVE]
    assert bench.notes.sent == [(1, b"again A"), (1, b"again B")]
    bench.send(kind="snapshot", symbol="A", number=4, **BOOK)
    assert bench.state("A") is BookState.LIVE, "counting goes on from the number received"


@pytest.mark.parametrize("number", [0, 1])
def test_a_number_that_stands_or_falls_is_a_gap_too(number: int) -> None:
    bench = stream_bench(NUMBERED)
    bench.send(kind="alive", number=number)
    assert bench.state("A") is BookState.GAPPED


def test_a_book_that_is_crossed_after_a_whole_message_is_not_live() -> None:
    bench = stream_bench()
    bench.send(kind="change", symbol="A", previous=100, last=101, bids=[["11", "1"]])
    assert bench.state("A") is BookState.CROSSED
    assert bench.notes.sent == [(1, b"again A")]


def test_a_wrong_checksum_is_a_gapped_book() -> None:
    bench = Bench(venue(Link.ORDER_ONLY, checksum=Checksum.KRAKEN), "A")
    bench.core.opened(1, ["A"])
    bench.send(kind="snapshot", symbol="A", **BOOK)
    bench.send(kind="change", symbol="A", bids=[["9", "1"]], checksum=12345)
    assert bench.state("A") is BookState.GAPPED
    assert bench.core.sync("A").fault is BookFault.CHECKSUM
    assert bench.core.sync("A").gaps == 0


def test_a_change_kept_for_the_splice_that_is_unfit_keeps_the_book_from_live() -> None:
    bench = Bench(REST, "A")
    bench.core.opened(1, ["A"])
    bench.send(kind="change", symbol="A", first=101, last=101, bids=[["11", "1"]])
    bench.rest("A", last=100, **BOOK)
    assert bench.state("A") is BookState.CROSSED
    assert (BookState.LIVE, BookFault.NONE) not in bench.book("A").states


def test_level_text_that_does_not_parse_costs_one_book() -> None:
    bench = stream_bench()
    bench.send(kind="change", symbol="A", previous=100, last=101, bids=[["1x", "1"]])
    assert (bench.state("A"), bench.state("B")) == (BookState.GAPPED, BookState.LIVE)
    assert bench.core.sync("A").fault is BookFault.PARSE
    assert bench.core.garbled == 1


def test_a_broken_frame_costs_the_one_book_that_it_names_else_all_of_its_connection() -> None:
    bench = stream_bench()
    bench.raw(b'{"kind":"change","symbol":"B","bids":[["1')
    assert (bench.state("A"), bench.state("B")) == (BookState.LIVE, BookState.GAPPED)
    bench.raw(b'{"kind":"chan')
    assert bench.state("A") is BookState.GAPPED
    bench = stream_bench()
    bench.raw(b'{"kind":"change","symbol":"A","x":"B"')
    assert {bench.state("A"), bench.state("B")} == {BookState.GAPPED}


def test_a_pong_in_plain_text_is_a_sign_of_life_and_no_broken_frame() -> None:
    bench = stream_bench(venue(Link.PREVIOUS_IS_LAST, pong=b"pong"))
    bench.raw(b"pong")
    assert bench.core.garbled == 0
    assert bench.state("A") is BookState.LIVE


def test_the_venues_own_word_that_a_book_is_lost_is_believed_but_its_echo_is_not() -> None:
    bench = stream_bench()
    bench.send(kind="lost", symbol="A", text="unsubscribed")
    assert (bench.state("A"), bench.core.sync("A").fault) == (BookState.GAPPED, BookFault.VENUE)
    assert bench.notes.sent == [(1, b"again A")]
    bench.send(kind="lost", symbol="A", text="unsubscribed")
    assert bench.notes.sent == [(1, b"again A")], "that was the answer to our own request"


# ------------------------------------------------------------ connections
def test_a_lost_connection_makes_its_books_stale_and_asks_nobody() -> None:
    bench = stream_bench()
    bench.core.closed(1)
    assert (bench.state("A"), bench.core.sync("A").fault) == (BookState.STALE, BookFault.DISCONNECT)
    bench.wait(60 * SECOND)
    assert bench.notes.sent == []
    bench.core.opened(2, ["A", "B"])
    assert bench.state("A") is BookState.WAITING
    bench.send(2, kind="snapshot", symbol="A", last=7, **BOOK)
    assert bench.state("A") is BookState.LIVE


def test_what_arrives_late_from_a_lost_connection_is_ignored() -> None:
    bench = stream_bench()
    bench.core.closed(1)
    bench.core.closed(1)
    bench.send(kind="snapshot", symbol="A", last=7, **BOOK)
    assert bench.state("A") is BookState.STALE


def test_a_second_connection_takes_over_a_streamed_book_with_its_snapshot() -> None:
    bench = stream_bench()
    bench.core.opened(2, ["A", "B"])
    assert bench.state("A") is BookState.LIVE
    bench.send(2, kind="snapshot", symbol="A", last=500, **BOOK)
    bench.send(1, kind="change", symbol="A", previous=100, last=101, bids=[["10", "9"]])
    assert bench.book("A").top(1)[0] == [("10", "1")], "the old connection is not heard any more"
    bench.core.closed(1)
    assert (bench.state("A"), bench.state("B")) == (BookState.LIVE, BookState.STALE)
    assert bench.notes.sent == [(2, b"again B")], "its snapshot had not come yet"


def test_a_spliced_book_goes_on_over_either_connection_without_a_pause() -> None:
    bench = rest_bench("A")
    bench.core.opened(2, ["A"])
    for connection, last in ((1, 101), (2, 101), (2, 102), (1, 102), (2, 103)):
        bench.send(connection, kind="change", symbol="A", first=last, last=last)
    bench.core.closed(1)
    bench.send(2, kind="change", symbol="A", first=104, last=104)
    assert bench.state("A") is BookState.LIVE
    assert bench.book("A").updates == 4
    assert bench.notes.wanted == []


def test_silence_makes_books_stale_and_drops_the_connection_once() -> None:
    bench = stream_bench()
    bench.wait(4 * SECOND)
    bench.send(kind="alive")
    bench.wait(4 * SECOND)
    assert bench.state("A") is BookState.LIVE
    bench.wait(2 * SECOND)
    bench.wait(2 * SECOND)
    assert (bench.state("A"), bench.core.sync("A").fault) == (BookState.STALE, BookFault.SILENCE)
    assert [connection for connection, _ in bench.notes.dropped] == [1]
    assert bench.notes.sent == [], "a connection that is given up is not asked for books"


@pytest.mark.parametrize("first", ["a frame", "the tick"])
def test_a_feed_that_was_stopped_believes_nothing_that_waited_in_its_sockets(first: str) -> None:
    """Its age is unknown: it would be stamped as received now, and be LIVE."""
    bench = stream_bench()
    bench.wait(100 * MS)
    bench.clock.advance(5 * SECOND)  # stopped, then let run again
    if first == "the tick":
        bench.core.tick(bench.clock.mono_ns())
    bench.send(kind="change", symbol="A", previous=100, last=101, bids=[["10", "9"]])
    bench.send(kind="quote", symbol="A", last=102)
    assert (bench.state("A"), bench.state("B")) == (BookState.STALE, BookState.STALE)
    bench.send(kind="snapshot", symbol="A", last=103, **BOOK)
    assert bench.state("A") is BookState.STALE
    assert bench.book("A").top(1)[0] == [("10", "1")]
    assert bench.notes.dropped == [(1, "not let run for 5.0 s")]
    bench.core.closed(1)
    bench.core.opened(2, ["A", "B"])
    bench.send(2, kind="snapshot", symbol="A", last=200, **BOOK)
    assert bench.state("A") is BookState.LIVE


def test_a_rest_book_asked_for_before_a_stop_is_not_believed_after_it() -> None:
    bench = Bench(REST, "A")
    bench.core.opened(1, ["A"])
    bench.wait(100 * MS)
    bench.send(kind="change", symbol="A", first=100, last=100)
    bench.clock.advance(2 * SECOND)
    bench.core.tick(bench.clock.mono_ns())
    bench.rest("A", last=100, **BOOK)
    assert bench.state("A") is BookState.STALE


def test_a_request_of_the_venue_is_answered_and_its_goodbye_passed_on() -> None:
    bench = stream_bench()
    bench.send(kind="ping", text="here")
    bench.send(kind="goodbye", text="maintenance")
    assert bench.notes.sent == [(1, b"here")]
    assert bench.notes.rotated == [(1, "maintenance")]


def test_a_refusal_is_told_and_changes_no_book() -> None:
    bench = stream_bench()
    bench.send(kind="refused", symbol="A", text="too many")
    bench.send(kind="refused", text="bad request")
    assert bench.notes.changes[-2:] == [
        ("A", BookState.LIVE, BookFault.NONE, "refused: too many"),
        ("", BookState.EMPTY, BookFault.NONE, "refused: bad request"),
    ]


# ------------------------------------------------------------ the rest
def test_quotes_and_trades_go_through_and_unknown_symbols_are_counted() -> None:
    bench = stream_bench()
    for kind in ("quote", "trade", "change", "snapshot"):
        bench.send(kind=kind, symbol="A", previous=100, last=101, **BOOK)
        bench.send(kind=kind, symbol="Z", last=101, **BOOK)
    assert (len(bench.book("A").quotes), len(bench.book("A").trades)) == (1, 1)
    assert bench.core.unknown == 4
    assert bench.core.frames == 2 + 8


def test_one_symbol_in_trouble_many_times_is_asked_for_less_and_less_often() -> None:
    bench = stream_bench()
    for _ in range(200):
        bench.send(kind="change", symbol="A", previous=1, last=2)
        bench.send(kind="snapshot", symbol="A", last=100, **BOOK)
        bench.send(kind="alive")
        bench.wait(100 * MS)
    assert len(bench.notes.sent) < 15
    assert bench.state("B") is BookState.LIVE


# ------------------------------------------------------------ what looks alive and is not
def test_a_quote_older_than_the_last_is_dropped_and_a_new_snapshot_starts_over() -> None:
    bench = rest_bench("A")
    for number in (105, 103, 105, 106):
        bench.send(kind="quote", symbol="A", last=number)
    assert [quote.update_id for quote in bench.book("A").quotes] == [105, 105, 106]
    assert bench.core.late_quotes == 1
    bench.core.closed(1)
    bench.core.opened(2, ["A"])
    bench.send(2, kind="change", symbol="A", first=1, last=1)
    bench.rest("A", last=1, **BOOK)
    bench.send(2, kind="quote", symbol="A", last=2)
    assert bench.book("A").quotes[-1].update_id == 2


def test_a_book_whose_stream_never_speaks_does_not_stay_live_and_waits_for_the_stream() -> None:
    bench = Bench(REST, "A")
    bench.core.opened(1, ["A"])
    bench.send(kind="ack")
    bench.rest("A", last=100, **BOOK)
    assert bench.state("A") is BookState.LIVE
    for _ in range(20):
        bench.wait(4 * SECOND)
        bench.send(kind="alive")
    assert bench.state("A") is BookState.STALE
    bench.notes.wanted.clear()
    bench.wait(4 * SECOND)
    assert bench.notes.wanted == []
    bench.send(kind="change", symbol="A", first=101, last=101)
    assert bench.notes.wanted == ["A"]
    bench.rest("A", last=101, **BOOK)
    assert bench.state("A") is BookState.LIVE


def test_a_book_that_has_left_the_range_of_its_snapshot_gets_another() -> None:
    bench = rest_bench("A", "B")
    bench.book("A").short = True
    bench.wait(400 * MS)
    assert bench.notes.wanted == ["A"]
    assert bench.book("A").states[-1] == (BookState.GAPPED, BookFault.RANGE)
    assert bench.state("B") is BookState.LIVE
