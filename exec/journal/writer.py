"""Appending: one writer per folder; a record survives our end at once, power loss once synced."""

import fcntl
import os
from pathlib import Path
from typing import Final, NamedTuple

from engine.model.clock import Clock
from engine.model.errors import AlreadyRunning, JournalCorrupt, StorageInvalid
from exec.journal.file import (
    HEADER_SIZE,
    PAYLOAD_SIZE_MAX,
    JournalFile,
    Spare,
    path_of,
    size_of,
    sync_folder,
)
from exec.journal.reader import check_end, files_of, follows

FILE_SIZE: Final = 64 << 20
LOCK: Final = "lock"
SPARE_SUFFIX: Final = ".spare"
SPARE_FROM: Final = 0.5  # of a file: the next one is allocated
NEXT_FROM: Final = 0.9  # of a file: the next one is begun, if it is allocated


class Journal:
    """The open journal of one execution process."""

    def __init__(
        self, folder: Path, clock: Clock, *, boot: int, file_size: int = FILE_SIZE
    ) -> None:
        """Open the journal in ``folder``, mode 0700, making it if there is none.

        Cuts a torn tail (``torn`` tells its bytes).  Raises AlreadyRunning where another process
        writes, JournalCorrupt for damage, NoSpace where no file can be allocated, StorageInvalid
        where the folder cannot be written to.
        """
        assert file_size >= HEADER_SIZE + size_of(PAYLOAD_SIZE_MAX)
        self._folder, self._clock, self._boot, self._size = folder, clock, boot, file_size
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageInvalid(f"{folder}: {error.strerror}; right would be a folder that we may"
                                 " write to") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise AlreadyRunning(f"{folder}: another process writes this journal") from None
        for left in folder.glob(f"*{SPARE_SUFFIX}"):
            left.unlink()  # of a life that was killed
        self.torn = 0
        self._synced = 0  # sequence up to which all is on the disk
        self._spare: Spare | None = None  # the next file, allocated
        self._unnamed = False  # whether the newest file's name is not on the disk yet
        self._behind: list[JournalFile] = []  # full files whose end is not synced yet
        try:
            self._file = self._open()
        except BaseException:
            os.close(self._lock)
            raise

    def _open(self) -> JournalFile:
        """Take the newest file up where it ends, after reading every one."""
        before: JournalFile | None = None
        paths = files_of(self._folder)
        for path in paths:
            last = path == paths[-1]
            file = JournalFile.open(path, writable=last)
            try:
                if before is not None:
                    follows(before, file)
                for _ in file.scan():
                    pass
                check_end(file, self._boot, last=last)
            except JournalCorrupt:
                file.close()
                raise
            if last:
                self.torn = file.adopt(self._boot)
                return file
            file.close()
            before = file
        return JournalFile.create(
            path_of(self._folder, 1), self._size, number=1, first=1, chain=0, boot=self._boot)

    @property
    def next_sequence(self) -> int:
        """Return the number that the next record gets; numbers never repeat in one journal."""
        return self._file.next_sequence

    def append(self, kind: int, payload: bytes, unix_ns: int = 0) -> int:
        """Write a record that survives our own end at once; return its sequence number.

        It bears ``unix_ns``, or the time of now.

        Raises ValueError for a payload over PAYLOAD_SIZE_MAX, NoSpace when a next file is due and
        cannot be allocated: then nothing was written and nothing may be sent.
        """
        if len(payload) > PAYLOAD_SIZE_MAX:
            raise ValueError(f"{len(payload)} bytes of payload, at most {PAYLOAD_SIZE_MAX}")
        if not self._file.fits(len(payload)):
            self._rotate()
        return self._file.append(kind, payload, unix_ns or self._clock.unix_ns())

    # --- durability ----------------------------------------------------------------------------

    def unsynced(self) -> "Unsynced | None":
        """Return what must reach the disk until all appended so far is there; None: nothing."""
        newest = self.next_sequence - 1
        if newest == self._synced:
            return None
        folder = self._folder if self._unnamed else None
        return Unsynced(newest, folder, (*self._behind, self._file))

    def synced(self, done: "Unsynced") -> None:
        """Take it as done, after ``Unsynced.wait`` returned."""
        self._synced = max(self._synced, done.newest)
        self._unnamed &= done.folder is None or self._file is not done.files[-1]
        for file in done.files[:-1]:
            self._behind.remove(file)
            file.close()

    def sync(self) -> int:
        """Return when all that was appended is on the disk, with the newest sequence number."""
        due = self.unsynced()
        if due is not None:
            due.wait()
            self.synced(due)
        return self._synced

    def close(self) -> None:
        """Sync and let go."""
        self.sync()
        self._file.close()
        for file in self._behind:
            file.close()
        if self._spare is not None:
            self._spare.drop()
        os.close(self._lock)

    # --- the next file -------------------------------------------------------------------------

    @property
    def needs_spare(self) -> bool:
        """Return whether the next file should be allocated soon, by ``allocate`` in a thread."""
        return self._spare is None and self._file.end > self._size * SPARE_FROM

    def allocate(self) -> Spare:
        """Allocate the next file: a thread may; raise NoSpace without room for it."""
        return Spare.allocate(self._next_path, self._size, SPARE_SUFFIX)

    def keep(self, spare: Spare) -> None:
        """Have it ready, unless it came too late."""
        if self._spare is None and spare.path == self._next_path:
            self._spare = spare
        else:
            spare.drop()

    @property
    def _next_path(self) -> Path:
        return path_of(self._folder, self._file.number + 1)

    def turn(self) -> None:
        """Begin the next file before this one is full, while nobody waits for an append."""
        if self._spare is not None and self._file.end > self._size * NEXT_FROM:
            self._rotate()

    def _rotate(self) -> None:
        full, spare = self._file, self._spare
        if spare is None:
            spare = Spare.allocate(self._next_path, self._size)
        self._spare = None
        self._file = spare.begin(number=full.number + 1, first=full.next_sequence,
                                 chain=full.chain, boot=self._boot)
        self._behind.append(full)
        self._unnamed = True


class Unsynced(NamedTuple):
    """What a thread can wait for while more is appended."""

    newest: int  # sequence
    folder: Path | None  # that must keep a new name
    files: tuple[JournalFile, ...]

    def wait(self) -> None:
        """Return when it is on the disk; raise OSError: then it may never be."""
        for file in self.files:
            file.sync()
        if self.folder is not None:
            sync_folder(self.folder)
