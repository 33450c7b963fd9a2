"""exec.journal: what was appended is read back, or it is said why not; nothing is guessed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.model.clock import ManualClock, SystemClock
from engine.model.errors import AlreadyRunning, JournalCorrupt, NoSpace, StorageInvalid
from exec.journal.file import HEADER_SIZE, PAYLOAD_SIZE_MAX, Record, path_of, size_of
from exec.journal.follower import Follower
from exec.journal.reader import Summary, files_of, read, verify
from exec.journal.writer import Journal

BOOT = 7
SIZE = 1 << 17


def opened(folder: Path, *, boot: int = BOOT) -> Journal:
    return Journal(folder, ManualClock(), boot=boot, file_size=SIZE)


def filled(folder: Path, payloads: list[bytes]) -> list[Record]:
    journal, records = opened(folder), []
    for number, payload in enumerate(payloads):
        kind = number % 5
        sequence = journal.append(kind, payload)
        records.append(Record(sequence, 0, kind, payload))
    journal.close()
    return records


def contents(folder: Path, *, boot: int = BOOT) -> list[Record]:
    return [record._replace(unix_ns=0) for record in read(folder, boot=boot)]


@settings(max_examples=30, deadline=None)
@given(payloads=st.lists(st.binary(max_size=9_000), max_size=60))
def test_what_goes_in_comes_out_whatever_it_is_and_however_many_files_it_takes(
    tmp_path_factory: pytest.TempPathFactory, payloads: list[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("j")
    records = filled(folder, payloads)
    assert contents(folder) == records
    taken = sum(size_of(len(each)) for each in payloads)
    assert len(files_of(folder)) >= 1 + taken // SIZE


def test_numbers_go_on_after_a_restart_and_across_files(tmp_path: Path) -> None:
    filled(tmp_path, [b"x" * 30_000] * 10)
    journal = opened(tmp_path)
    assert (journal.next_sequence, journal.torn) == (11, 0)
    assert journal.append(1, b"more") == 11
    journal.close()
    assert [each.sequence for each in read(tmp_path, boot=BOOT)] == [*range(1, 12)]
    assert verify(tmp_path, boot=BOOT) == Summary(len(files_of(tmp_path)), 11, 1, 11, 0)


def test_an_append_that_a_kill_cut_short_anywhere_is_cut_and_all_before_it_stays(
    tmp_path: Path
) -> None:
    records = filled(tmp_path, [b"first", b"second"])
    path, end = path_of(tmp_path, 1), HEADER_SIZE + size_of(5) + size_of(6)
    whole = path.read_bytes()
    journal = opened(tmp_path)
    journal.append(3, b"the third one")
    journal.close()
    third = path.read_bytes()[end : end + size_of(13)]
    for cut in range(8, len(third)):  # length and checksum come last
        torn = bytes(8) + third[8:cut]
        path.write_bytes(whole[:end] + torn + whole[end + len(torn) :])
        assert contents(tmp_path) == records
        journal = opened(tmp_path)
        assert journal.torn == len(torn.rstrip(b"\0"))
        assert journal.append(4, b"anew") == 3
        journal.close()
        assert contents(tmp_path) == [*records, Record(3, 0, 4, b"anew")]


def test_every_flipped_byte_is_noticed_and_nothing_is_cut(tmp_path: Path) -> None:
    filled(tmp_path, [b"first", b"second record", b"", b"4"])
    path = path_of(tmp_path, 1)
    whole = path.read_bytes()
    end = len(whole.rstrip(b"\0"))
    records = contents(tmp_path)
    for at in range(end):
        damaged = bytearray(whole)
        damaged[at] ^= 0x20
        path.write_bytes(damaged)
        try:
            assert contents(tmp_path) == records  # a byte of the padding, which means nothing
            assert damaged[at] == 0x20
            continue
        except JournalCorrupt:
            pass
        with pytest.raises(JournalCorrupt):
            opened(tmp_path)
        assert path.read_bytes() == bytes(damaged)


def test_after_a_loss_of_power_an_unfinished_tail_is_cut_but_never_a_middle(
    tmp_path: Path
) -> None:
    records = filled(tmp_path, [b"first", b"second", b"third"])
    path = path_of(tmp_path, 1)
    whole = path.read_bytes()
    last = HEADER_SIZE + size_of(5) + size_of(6)
    tail = whole[: last + 8] + bytes(len(whole) - last - 8)  # its page never came
    path.write_bytes(tail)
    with pytest.raises(JournalCorrupt, match="record 3"):
        opened(tmp_path)
    assert contents(tmp_path, boot=BOOT + 1) == records[:2]
    journal = opened(tmp_path, boot=BOOT + 1)
    assert (journal.torn > 0, journal.next_sequence) == (True, 3)
    journal.close()
    middle = HEADER_SIZE + size_of(5)
    path.write_bytes(whole[:middle] + bytes(16) + whole[middle + 16 :])
    with pytest.raises(JournalCorrupt, match=f"record 2 at byte {middle} is damaged; whole records"
                                             f" go on at byte {last}"):
        opened(tmp_path, boot=BOOT + 1)


def test_a_missing_or_foreign_file_is_named(tmp_path: Path) -> None:
    filled(tmp_path, [b"x" * 60_000] * 6)
    first, second, *_ = files_of(tmp_path)
    kept = second.read_bytes()
    second.unlink()
    with pytest.raises(JournalCorrupt, match="a file is missing"):
        list(read(tmp_path, boot=BOOT))
    with pytest.raises(JournalCorrupt, match="a file is missing"):
        opened(tmp_path)
    second.write_bytes(kept[:20])
    with pytest.raises(JournalCorrupt, match="too short for a journal"):
        opened(tmp_path)
    second.write_bytes(b"x" * SIZE)
    with pytest.raises(JournalCorrupt, match="no journal header"):
        opened(tmp_path)
    assert first.exists()


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    with pytest.raises(AlreadyRunning, match="another process writes"):
        opened(tmp_path)
    journal.close()
    opened(tmp_path).close()


def test_a_full_disk_shows_before_anything_is_written_and_the_journal_stays_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int, _offset: int, _size: int) -> None:
        raise OSError(28, "No space left on device")

    journal = opened(tmp_path)
    payload = b"x" * PAYLOAD_SIZE_MAX
    journal.append(1, payload)
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(NoSpace, match="No space left on device"):
        journal.append(1, payload)
    assert journal.append(2, b"a small one still fits") == 2
    journal.close()
    assert [each.sequence for each in read(tmp_path, boot=BOOT)] == [1, 2]
    assert not [*tmp_path.glob("*.new")]


def test_too_large_a_payload_is_refused(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    with pytest.raises(ValueError, match="at most 65536"):
        journal.append(1, bytes(PAYLOAD_SIZE_MAX + 1))
    journal.close()


WRITE_FOR_EVER = """
import sys
from pathlib import Path
from engine.model.clock import SystemClock
from exec.journal.writer import Journal
journal = Journal(Path(sys.argv[1]), SystemClock(), boot=7, file_size=1 << 17)
while True:
    sequence = journal.append(1, b"%d" % journal.next_sequence * 50)
    sys.stdout.write(f"{sequence}\\n")
    sys.stdout.flush()
"""


def test_what_was_appended_survives_kill_9(tmp_path: Path) -> None:
    for _ in range(3):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITE_FOR_EVER, str(tmp_path)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        for _ in range(400):
            said = writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read().split(b"\n")
        writer.wait()
        newest = int(rest[-2]) if len(rest) > 1 else int(said)
        records = [*read(tmp_path, boot=BOOT)]
        assert len(records) >= newest
        assert all(each.payload == b"%d" % each.sequence * 50 for each in records)


def test_a_folder_that_takes_no_lock_is_named_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    with pytest.raises(StorageInvalid, match=f"{tmp_path}: Is a directory; right would be"):
        opened(tmp_path)


def test_whoever_follows_gets_every_record_once_though_the_writer_is_killed_again_and_again(
    tmp_path: Path
) -> None:
    follower, followed = Follower(tmp_path, SystemClock(), boot=BOOT), list[Record]()
    for _ in range(3):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITE_FOR_EVER, str(tmp_path)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        for _ in range(1_500):
            writer.stdout.readline()
            followed += follower.read(7)
        writer.send_signal(signal.SIGKILL)
        writer.stdout.close()
        writer.wait()
    while more := follower.read(1_000):
        followed += more
    follower.close()
    assert len(files_of(tmp_path)) > 3
    assert followed == [*read(tmp_path, boot=BOOT)]
