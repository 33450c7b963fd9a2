"""Files in /dev/shm as arrays of words: create, attach, close, unlink.

Control creates every segment before it starts a child and removes them after the last one
left, so a segment's inode lives as long as its run.  Space is allocated up front: a full
/dev/shm is an error here and never a bus error later.  ``ready`` in the header is released
last; a file without it is somebody's unfinished or abandoned work.
"""

import contextlib
import errno
import mmap
import os
import shutil
import stat
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.model.clock import SystemClock
from engine.model.errors import LayoutMismatch, NoSpace, SegmentInvalid
from shm.atomics import Words, peek, poke
from shm.layout import HEADER, LAYOUT_HASH, MAGIC, WORD, word_of, words_in

_MAGIC: Final = word_of(HEADER, "magic")
_READY: Final = word_of(HEADER, "ready")
_SHM: Final = "/dev/shm"


class RunFolder:
    """Where one engine's segments, sockets and FIFOs lie: ``/dev/shm/trypto-<uid>/<name>/``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of(cls, name: str) -> "RunFolder":
        """Return the folder of the engine ``name``; TRYPTO_SHM replaces /dev/shm for tests."""
        root = Path(os.environ.get("TRYPTO_SHM") or _SHM)
        return cls(root / f"trypto-{os.getuid()}" / name)

    @property
    def lock_path(self) -> Path:
        """Return the lock file's path: outside the folder, so that removing it keeps the lock."""
        return self.path.parent.parent / f".{self.path.parent.name}-{self.path.name}.lock"

    def file(self, name: str) -> Path:
        """Return the path of one file in the folder."""
        return self.path / name

    def create(self) -> None:
        """Make the folder, mode 0700; raise SegmentInvalid when anybody else could be inside."""
        for folder in (self.path.parent, self.path):
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except FileExistsError:
                pass  # no folder: told below
            except OSError as error:
                raise SegmentInvalid(f"{folder}: {error.strerror}") from None
            _check_private(folder)

    def make_fifo(self, name: str) -> Path:
        """Make a FIFO, mode 0600, for a consumer with an event loop; return its path."""
        path = self.file(name)
        os.mkfifo(path, 0o600)
        return path

    def remove(self) -> None:
        """Remove the folder with all it holds, and its parent when that is empty then.

        Raises SegmentInvalid where others could have chosen what that would remove.
        """
        if not os.path.lexists(self.path.parent):
            return
        _check_private(self.path.parent)
        if self.path.is_dir() and not self.path.is_symlink():
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(self.path)
        else:
            self.path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # another engine's folder is there, or it is gone
            self.path.parent.rmdir()


def _check_private(folder: Path) -> None:
    """Raise SegmentInvalid unless this is a folder, no link, of this user and nobody else."""
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid():
        raise SegmentInvalid(f"{folder} is not a folder of user {os.getuid()}; remove it")
    if facts.st_mode & 0o077:
        raise SegmentInvalid(f"{folder} is open to others; right would be chmod 0700")


class Segment:
    """One mapped file: a header, then ``words``.

    The mapping lives until ``close`` was called and the last view of it is gone.
    """

    def __init__(self, path: Path, mapped: mmap.mmap) -> None:
        self.path = path
        whole = np.frombuffer(mapped, np.int64)
        self.header: NDArray[np.void] = whole[: words_in(HEADER)].view(HEADER)
        self.words: Words = whole[words_in(HEADER) :]

    @classmethod
    def create(
        cls, folder: RunFolder, name: str, owner: str, size: int, run: int, epoch: int,
        depth: int = 0,
    ) -> "Segment":
        """Make segment ``name`` with ``size`` zeroed bytes after the header, mode 0600.

        The kind is the part of ``name`` before the first dot; ``owner`` is the process that
        writes.  Raises NoSpace, or SegmentInvalid when the file is there already.
        """
        if len(owner.encode()) > HEADER["owner"].itemsize:
            raise ValueError(f"owner {owner!r} is longer than {HEADER['owner'].itemsize} bytes")
        path, total = folder.file(name), HEADER.itemsize + -(-size // WORD) * WORD
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            raise SegmentInvalid(f"{path} is left from another run; remove its folder") from None
        try:
            os.posix_fallocate(descriptor, 0, total)
            flags = mmap.MAP_SHARED | mmap.MAP_POPULATE
            segment = cls(path, mmap.mmap(descriptor, total, flags=flags))
        except OSError as error:
            path.unlink()
            if error.errno not in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.ENOMEM):
                raise
            facts = os.statvfs(folder.path)
            free_bytes = facts.f_bavail * facts.f_frsize
            raise NoSpace(str(path), needed_bytes=total, free_bytes=free_bytes) from error
        finally:
            os.close(descriptor)
        header = segment.header[0]
        header["magic"], header["layout_hash"], header["size"] = MAGIC, LAYOUT_HASH, total
        header["run"], header["epoch"], header["depth"] = run, epoch, depth
        header["writer_pid"], header["created_unix_ns"] = os.getpid(), SystemClock.unix_ns()
        header["kind"], header["owner"] = name.partition(".")[0].encode(), owner.encode()
        return segment

    def publish(self) -> None:
        """Let others attach: everything stored so far is visible to them."""
        # SYNC POINT: release of ``ready``; its partner is the acquire in ``attach``
        poke(self.header.view(np.int64), _READY, 1)

    @classmethod
    def attach(cls, folder: RunFolder, name: str, *, writable: bool = False) -> "Segment":
        """Map an existing segment, read-only unless asked otherwise.

        Raises LayoutMismatch when other code wrote it, SegmentInvalid when it is absent,
        truncated, unfinished or no segment.
        """
        path = folder.file(name)
        access = (os.O_RDWR if writable else os.O_RDONLY) | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(path, access)
        except FileNotFoundError:
            raise SegmentInvalid(f"{path} is not there: no such engine is running") from None
        except OSError as error:
            raise SegmentInvalid(f"{path} can not be opened: {error.strerror}") from error
        try:
            size = os.fstat(descriptor).st_size
            if size < HEADER.itemsize or size % WORD:
                raise SegmentInvalid(f"{path} is truncated: {size} bytes hold no segment")
            protection = mmap.PROT_READ | (mmap.PROT_WRITE if writable else 0)
            flags = mmap.MAP_SHARED | mmap.MAP_POPULATE
            segment = cls(path, mmap.mmap(descriptor, size, flags=flags, prot=protection))
        finally:
            os.close(descriptor)
        segment._check(size)
        return segment

    def _check(self, size: int) -> None:
        header, words = self.header[0], self.header.view(np.int64)
        # SYNC POINT: acquire of ``ready``; its partner is the release in ``publish``
        if peek(words, _READY) != 1:
            raise SegmentInvalid(f"{self.path} is unfinished: its creator has not published it")
        if header["magic"] != MAGIC:
            raise SegmentInvalid(f"{self.path} is no segment: magic {int(words[_MAGIC]):#x}")
        if header["layout_hash"] != LAYOUT_HASH:
            raise LayoutMismatch(
                f"{self.path} has layout {int(header['layout_hash']):#x}, this code "
                f"{LAYOUT_HASH:#x}: restart the engine and its tools from one version"
            )
        if header["size"] != size:
            raise SegmentInvalid(f"{self.path} has {size} bytes, its header says {header['size']}")

    @property
    def depth(self) -> int:
        """Return the levels per side of a books segment; 0 in others."""
        return int(self.header[0]["depth"])

    @property
    def run(self) -> int:
        """Return the id of the run that made it."""
        return int(self.header[0]["run"])

    @property
    def bytes(self) -> NDArray[np.uint8]:
        """Return the bytes after the header."""
        return self.words.view(np.uint8)

    def close(self) -> None:
        """Let go of the mapping; views handed out keep it alive until they are gone."""
        del self.words, self.header

    def unlink(self) -> None:
        """Remove the file; those who mapped it keep their mapping."""
        self.path.unlink(missing_ok=True)
