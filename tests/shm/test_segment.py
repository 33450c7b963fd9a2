"""Segments: what attaches is whole, of this layout and finished; everything else says why."""

import os
import resource
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.model.errors import LayoutMismatch, NoSpace, SegmentInvalid
from shm.layout import HEADER, LAYOUT_HASH
from shm.segment import RunFolder, Segment

ROOT = Path(__file__).resolve().parents[2]
CREATE_LARGE = """
import sys
from pathlib import Path
from engine.model.errors import NoSpace
from shm.segment import RunFolder, Segment
folder = RunFolder(Path(sys.argv[1]) / "trypto-0" / "run")
folder.create()
try:
    Segment.create(folder, "books.x", "feed:x", 1 << 20, 1, 1)
except NoSpace as error:
    print(error.needed_bytes, error.free_bytes, list(folder.path.iterdir()))
"""


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path / "trypto-0" / "test")
    made.create()
    return made


def _made(folder: RunFolder, *, publish: bool = True) -> Segment:
    segment = Segment.create(folder, "books.kraken", "feed:kraken", 640, 7, 3, depth=10)
    if publish:
        segment.publish()
    return segment


def test_what_the_owner_writes_is_what_an_attached_reader_sees(folder: RunFolder) -> None:
    owner = _made(folder)
    reader = Segment.attach(folder, "books.kraken")
    owner.words[79] = 42
    assert reader.words[79] == 42
    assert reader.words.size == 80
    assert reader.bytes.size == 640


def test_a_writer_that_attached_is_seen_by_the_owner(folder: RunFolder) -> None:
    owner = _made(folder)
    Segment.attach(folder, "books.kraken", writable=True).words[0] = 5
    assert owner.words[0] == 5


def test_the_header_tells_kind_owner_run_epoch_and_depth(folder: RunFolder) -> None:
    _made(folder)
    reader = Segment.attach(folder, "books.kraken")
    header = reader.header[0]
    assert (header["kind"], header["owner"]) == (b"books", b"feed:kraken")
    assert (reader.run, int(header["epoch"]), reader.depth) == (7, 3, 10)
    assert header["writer_pid"] == os.getpid()
    assert header["size"] == HEADER.itemsize + 640


def test_attaching_is_read_only_unless_asked_otherwise(folder: RunFolder) -> None:
    _made(folder)
    reader = Segment.attach(folder, "books.kraken")
    with pytest.raises(ValueError, match="read-only"):
        reader.words[0] = 1


def test_files_are_private_to_the_user(folder: RunFolder) -> None:
    segment = _made(folder)
    fifo = folder.make_fifo("exec.bell")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (segment.path, fifo, folder.path)]
    assert modes == [0o600, 0o600, 0o700]


def test_a_segment_that_was_not_published_can_not_be_attached(folder: RunFolder) -> None:
    segment = _made(folder, publish=False)
    with pytest.raises(SegmentInvalid, match="unfinished"):
        Segment.attach(folder, "books.kraken")
    segment.publish()
    Segment.attach(folder, "books.kraken")


def test_another_layout_is_refused_with_both_hashes(folder: RunFolder) -> None:
    _made(folder).header[0]["layout_hash"] = 0x1234
    with pytest.raises(LayoutMismatch) as caught:
        Segment.attach(folder, "books.kraken")
    assert "0x1234" in str(caught.value)
    assert f"{LAYOUT_HASH:#x}" in str(caught.value)


@pytest.mark.parametrize("size", [0, 8, HEADER.itemsize - 8])
def test_a_file_shorter_than_a_header_is_called_truncated(folder: RunFolder, size: int) -> None:
    os.truncate(_made(folder).path, size)
    with pytest.raises(SegmentInvalid, match=f"truncated: {size} bytes"):
        Segment.attach(folder, "books.kraken")


@pytest.mark.parametrize("size", [HEADER.itemsize, HEADER.itemsize + 632, HEADER.itemsize + 648])
def test_a_file_of_another_size_than_its_header_says_is_refused(
    folder: RunFolder, size: int
) -> None:
    os.truncate(_made(folder).path, size)
    with pytest.raises(SegmentInvalid, match=f"{size} bytes, its header says 896"):
        Segment.attach(folder, "books.kraken")


def test_a_file_that_is_no_segment_is_refused(folder: RunFolder) -> None:
    words = np.ones(64, np.int64)
    folder.file("books.kraken").write_bytes(words.tobytes())
    with pytest.raises(SegmentInvalid, match="no segment: magic 0x1"):
        Segment.attach(folder, "books.kraken")


def test_an_absent_segment_says_that_no_engine_is_running(folder: RunFolder) -> None:
    with pytest.raises(SegmentInvalid, match="no such engine"):
        Segment.attach(folder, "books.kraken")


def test_a_link_in_place_of_a_segment_is_not_followed(folder: RunFolder) -> None:
    _made(folder)
    folder.file("books.okx").symlink_to("books.kraken")
    with pytest.raises(SegmentInvalid, match="can not be opened"):
        Segment.attach(folder, "books.okx")


def test_an_owner_that_does_not_fit_the_header_is_refused_and_never_cut(folder: RunFolder) -> None:
    with pytest.raises(ValueError, match="longer than 32 bytes"):
        Segment.create(folder, "books.x", "feed:" + "x" * 28, 64, 1, 1)
    assert list(folder.path.iterdir()) == []


def test_a_stale_file_is_never_reused(folder: RunFolder) -> None:
    _made(folder).words[0] = 1
    with pytest.raises(SegmentInvalid, match="left from another run"):
        _made(folder)
    assert Segment.attach(folder, "books.kraken").words[0] == 1


def test_a_closed_segment_leaves_the_views_that_were_handed_out(folder: RunFolder) -> None:
    segment = _made(folder)
    view = segment.words[:1]
    segment.close()
    view[0] = 9
    assert Segment.attach(folder, "books.kraken").words[0] == 9


def test_closing_the_last_view_unmaps_the_file(folder: RunFolder) -> None:
    segment = _made(folder)
    assert str(segment.path) in Path("/proc/self/maps").read_text()
    segment.close()
    assert str(segment.path) not in Path("/proc/self/maps").read_text()


def test_an_unlinked_segment_stays_with_those_who_mapped_it(folder: RunFolder) -> None:
    segment = _made(folder)
    reader = Segment.attach(folder, "books.kraken")
    segment.unlink()
    segment.unlink()
    segment.words[0] = 3
    assert reader.words[0] == 3
    assert not segment.path.exists()


def test_removing_the_last_run_folder_removes_its_parent(tmp_path: Path) -> None:
    one, two = (RunFolder(tmp_path / "trypto-0" / name) for name in ("one", "two"))
    one.create()
    two.create()
    _made(one)
    one.remove()
    assert two.path.exists()
    two.remove()
    two.remove()
    assert list(tmp_path.iterdir()) == []


def test_the_lock_lies_outside_the_folder_that_it_guards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRYPTO_SHM", raising=False)
    folder, root, uid = RunFolder.of("main"), Path("/dev").joinpath("shm"), os.getuid()
    assert folder.path == root / f"trypto-{uid}" / "main"
    assert folder.lock_path == root / f".trypto-{uid}-main.lock"


def test_a_test_engine_lives_where_trypto_shm_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TRYPTO_SHM", str(tmp_path))
    assert RunFolder.of("main").path.is_relative_to(tmp_path)


def test_a_folder_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    (tmp_path / "trypto-0").mkdir(mode=0o755)
    with pytest.raises(SegmentInvalid, match="chmod 0700"):
        RunFolder(tmp_path / "trypto-0" / "test").create()


def test_a_link_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "trypto-0").symlink_to("elsewhere")
    with pytest.raises(SegmentInvalid, match="not a folder of user"):
        RunFolder(tmp_path / "trypto-0" / "test").create()


def _ran(command: list[str], before: Callable[[], None] | None = None) -> str:
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, preexec_fn=before
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_full_file_system_is_an_error_with_both_numbers_and_leaves_nothing(
    tmp_path: Path,
) -> None:
    mount = f"mount -t tmpfs -o size=256k tmpfs {tmp_path}"
    can_mount = shutil.which("unshare") and not subprocess.run(
        ["unshare", "-Urm", "sh", "-c", mount], capture_output=True, check=False
    ).returncode
    if not can_mount:
        pytest.skip("this machine lets nobody mount a small file system")
    run = f'{mount} && exec "$0" -c "$1" {tmp_path}'
    seen = _ran(["unshare", "-Urm", "sh", "-c", run, sys.executable, CREATE_LARGE])
    needed, free, left = seen.split(maxsplit=2)
    assert int(needed) == (1 << 20) + HEADER.itemsize
    assert 0 < int(free) <= 256 * 1024
    assert left.strip() == "[]"


def test_a_file_size_limit_is_the_same_error(tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, 65_536))

    seen = _ran([sys.executable, "-c", CREATE_LARGE, str(tmp_path)], limit)
    assert seen.startswith(str((1 << 20) + HEADER.itemsize))
    assert seen.strip().endswith("[]")


def test_no_space_names_the_numbers_and_the_remedy() -> None:
    message = str(NoSpace("/x", needed_bytes=10, free_bytes=3))
    assert "10 bytes needed, 3 free" in message
    assert "fewer symbols" in message


def test_a_folder_in_hands_of_others_is_never_removed(tmp_path: Path) -> None:
    dear = tmp_path / "home" / "demo"
    dear.mkdir(parents=True)
    (tmp_path / "trypto-1").symlink_to(tmp_path / "home")
    with pytest.raises(SegmentInvalid, match="is not a folder of user"):
        RunFolder(tmp_path / "trypto-1" / "demo").remove()
    (tmp_path / "home").chmod(0o777)
    with pytest.raises(SegmentInvalid, match="is open to others"):
        RunFolder(tmp_path / "home" / "demo").remove()
    assert dear.is_dir()


def test_a_file_in_the_way_of_a_run_folder_is_removed_and_one_above_it_is_told(
    tmp_path: Path
) -> None:
    run = RunFolder(tmp_path / "trypto-1" / "demo")
    (tmp_path / "trypto-1").mkdir(mode=0o700)
    run.path.touch()
    run.remove()
    run.create()
    run.remove()
    assert [*tmp_path.iterdir()] == []
    (tmp_path / "trypto-1").touch()
    for refused in (run.create, run.remove):
        with pytest.raises(SegmentInvalid, match=r"trypto-1 is not a folder of user"):
            refused()
