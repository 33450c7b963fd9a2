"""Books: readers get the last complete one, whatever became of the writer."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.torn_reads import book_is_whole, create, start_writer, write_book
from shm.book import (
    ASK_COUNT,
    BID_COUNT,
    HEAD_WORDS,
    INDEX,
    SEQ,
    BookSegment,
    adopt,
    book_state,
    book_version,
    column_words,
    is_live,
    publish_begin,
    publish_end,
    publish_quote,
    quote_version,
    read_book,
    read_quote,
    set_state,
    slot_words,
)
from shm.layout import SLOTS, BookFault, BookState, book_dtype, slot_dtype
from shm.segment import RunFolder, Segment

ROOT = Path(__file__).resolve().parents[2]
DEPTH = 12
INSIDE_FOR_EVER = """
import signal, sys
from pathlib import Path
from bench.torn_reads import write_book
from shm.segment import RunFolder, Segment
words = Segment.attach(RunFolder(Path(sys.argv[1])), "subject", writable=True).words
write_book(words, 0, 12, 20)
print("inside", flush=True)
signal.pause()
"""


@pytest.fixture
def books() -> BookSegment:
    return BookSegment(np.zeros(BookSegment.size(DEPTH, 3) // 8, np.int64), DEPTH, 3)


def _out() -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.zeros(slot_words(DEPTH), np.int64)


@pytest.mark.parametrize("depth", [1, 7, 8, 9, 32, 50, 1000])
def test_kernels_compute_the_offsets_that_the_layout_declares(depth: int) -> None:
    books = BookSegment(np.zeros(BookSegment.size(depth, 2) // 8, np.int64), depth, 2)
    slot = publish_begin(books.words, books.base(1), depth)
    column = column_words(depth)
    books.words[slot + BID_COUNT] = books.words[slot + ASK_COUNT] = depth
    for number in range(4):
        books.words[slot + HEAD_WORDS + number * column] = 10 + number
        books.words[slot + HEAD_WORDS + number * column + depth - 1] += 100
    publish_end(books.words, books.base(1), slot)
    publish_quote(books.words, books.base(1), depth, 1, 2, 3, 4, 50, 60, 70, 80, 9)
    record = books.records[1]
    assert record["index"]["version"] == 1
    seen = record["slots"][1]
    for number, name in enumerate(("bid_price", "bid_size", "ask_price", "ask_size")):
        assert seen[name].sum() == 110 + number
    assert record["quotes"][1].tolist() == (2, 1, 2, 3, 9, 4, 50, 60, 70, 80)
    assert not books.words[: books.base(1)].any()
    assert books.read(1)[1] == seen


def test_a_book_never_published_reads_as_version_0(books: BookSegment) -> None:
    assert read_book(books.words, books.base(0), DEPTH, _out()) == 0
    assert read_quote(books.words, books.base(0), DEPTH, _out()) == 0


def test_every_publication_is_a_version_of_its_own(books: BookSegment) -> None:
    out, base = _out(), books.base(2)
    for version in range(1, 3 * SLOTS):
        write_book(books.words, base, DEPTH, slot_words(DEPTH))
        assert read_book(books.words, base, DEPTH, out) == version
        assert book_version(books.words, base) == version
        assert book_is_whole(out, version, DEPTH)


def test_the_checker_sees_a_copy_of_two_versions() -> None:
    books = BookSegment(np.zeros(BookSegment.size(DEPTH, 1) // 8, np.int64), DEPTH, 1)
    copies = []
    for _ in range(2):
        write_book(books.words, 0, DEPTH, slot_words(DEPTH))
        out = _out()
        read_book(books.words, 0, DEPTH, out)
        copies.append(out)
    old, new = copies
    counted = np.flatnonzero(new)
    for at in counted:
        torn = new.copy()
        torn[at] = old[at]
        assert not book_is_whole(torn, 2, DEPTH), at


def test_only_the_counted_levels_are_copied(books: BookSegment) -> None:
    slot = publish_begin(books.words, books.base(0), DEPTH)
    books.words[slot + 1 : slot + slot_words(DEPTH)] = 7
    books.words[slot + BID_COUNT], books.words[slot + ASK_COUNT] = 2, 0
    publish_end(books.words, books.base(0), slot)
    _, copy = books.read(0)
    assert copy["bid_price"].tolist()[:3] == copy["bid_size"].tolist()[:3] == [7, 7, 0]
    assert copy["ask_price"].sum() == copy["ask_size"].sum() == 0


@pytest.mark.parametrize("count", [-1, DEPTH + 1, 2**62])
def test_a_nonsense_count_moves_no_reader_out_of_the_slot(books: BookSegment, count: int) -> None:
    slot = publish_begin(books.words, books.base(0), DEPTH)
    books.words[slot + BID_COUNT] = books.words[slot + ASK_COUNT] = count
    publish_end(books.words, books.base(0), slot)
    fenced = np.full(slot_words(DEPTH) + 64, -3, np.int64)
    assert read_book(books.words, books.base(0), DEPTH, fenced[: slot_words(DEPTH)]) == 1
    assert (fenced[slot_words(DEPTH) :] == -3).all()


def test_a_writer_that_dies_at_any_store_leaves_the_last_complete_book() -> None:
    width, out = slot_words(DEPTH), _out()
    for complete in range(1, 2 * SLOTS):
        for stores in range(width):
            words = np.zeros(BookSegment.size(DEPTH, 1) // 8, np.int64)
            for _ in range(complete):
                write_book(words, 0, DEPTH, width)
            write_book(words, 0, DEPTH, stores)  # its last act
            assert read_book(words, 0, DEPTH, out) == complete
            assert book_is_whole(out, complete, DEPTH)
            write_book(words, 0, DEPTH, width)  # its successor
            assert read_book(words, 0, DEPTH, out) == complete + 1
            assert book_is_whole(out, complete + 1, DEPTH)


def test_a_writer_killed_between_closing_the_slot_and_announcing_it_is_repaired() -> None:
    words, out = np.zeros(BookSegment.size(DEPTH, 1) // 8, np.int64), _out()
    for _ in range(SLOTS + 1):
        write_book(words, 0, DEPTH, slot_words(DEPTH))
    words[INDEX] -= 1
    assert read_book(words, 0, DEPTH, out) == SLOTS
    assert book_is_whole(out, SLOTS, DEPTH)
    write_book(words, 0, DEPTH, slot_words(DEPTH))
    assert read_book(words, 0, DEPTH, out) == SLOTS + 1


def test_a_reader_that_finds_no_complete_slot_gives_up_instead_of_hanging(
    books: BookSegment,
) -> None:
    slot = publish_begin(books.words, books.base(0), DEPTH)
    books.words[books.base(0) + INDEX] = 1  # announced, never closed: no writer of ours does it
    assert books.words[slot + SEQ] == 1
    assert read_book(books.words, books.base(0), DEPTH, _out()) == 0


def test_a_process_killed_inside_a_slot_leaves_the_last_book_to_others(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "trypto-0" / "run")
    folder.create()
    words = create(folder, "book", DEPTH).words
    for _ in range(3):
        write_book(words, 0, DEPTH, slot_words(DEPTH))
    with subprocess.Popen(
        [sys.executable, "-c", INSIDE_FOR_EVER, str(folder.path)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "inside\n"
        writer.kill()
    assert writer.returncode == -signal.SIGKILL
    out = _out()
    assert read_book(words, 0, DEPTH, out) == 3
    assert book_is_whole(out, 3, DEPTH)


def test_writers_killed_at_any_instant_leave_a_whole_book_and_go_on_from_it(
    tmp_path: Path,
) -> None:
    folder = RunFolder(tmp_path / "trypto-0" / "run")
    folder.create()
    create(folder, "book", 50)
    words = Segment.attach(folder, "subject").words
    out, last = np.zeros(slot_words(50), np.int64), 0
    for _ in range(3):
        writer = start_writer(folder.path, "book")
        writer.kill()
        writer.join()
        version = read_book(words, 0, 50, out)
        assert version > last
        assert book_is_whole(out, version, 50)
        last = version


def test_a_quote_is_published_beside_the_book(books: BookSegment) -> None:
    for version in range(1, 2 * SLOTS):
        publish_quote(books.words, books.base(1), DEPTH, 1, 2, 3, version, 5, 6, 7, 8, 9)
        assert quote_version(books.words, books.base(1), DEPTH) == version
        seen, quote = books.read_quote(1)
        assert seen == version
        assert quote.tolist() == (2 * version, 1, 2, 3, 9, version, 5, 6, 7, 8)
    assert book_version(books.words, books.base(1)) == 0


def test_a_book_is_live_only_for_the_epoch_that_vouches(books: BookSegment) -> None:
    words, base = books.words, books.base(1)
    adopt(words, base, 4, 100)
    assert not is_live(words, base, 4)
    set_state(words, base, BookState.LIVE, BookFault.NONE, 200)
    assert is_live(words, base, 4)
    assert not is_live(words, base, 5)  # control has seen that feed die
    books.adopt(5, 300)  # its successor
    assert not is_live(words, base, 5)
    assert book_state(words, base) == BookState.EMPTY


def test_the_fault_stays_for_people_after_the_book_is_live_again(books: BookSegment) -> None:
    words, base = books.words, books.base(0)
    set_state(words, base, BookState.GAPPED, BookFault.CHECKSUM, 100)
    set_state(words, base, BookState.LIVE, BookFault.NONE, 200)
    status = books.records[0]["status"]
    assert (status["state"], status["fault"]) == (BookState.LIVE, BookFault.CHECKSUM)
    assert status["since_mono_ns"] == 200


def test_there_are_no_books_beyond_the_last(books: BookSegment) -> None:
    for local in (-1, 3):
        with pytest.raises(IndexError, match="of 3"):
            books.base(local)
    with pytest.raises(ValueError, match="less than 4 books"):
        BookSegment(books.words, DEPTH, 4)
    assert books.records.dtype == book_dtype(DEPTH)
    assert books.read(0)[1].dtype == slot_dtype(DEPTH)
