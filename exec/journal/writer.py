"""Appending: one writer per folder; a record survives our end at once, power loss once synced."""

import fcntl
import os
from pathlib import Path
from typing import Final

from engine.model.clock import Clock
from engine.model.errors import AlreadyRunning, JournalCorrupt
from exec.journal.file import (
    HEADER_SIZE,
    PAYLOAD_SIZE_MAX,
    JournalFile,
    path_of,
    size_of,
)
from exec.journal.reader import check_end, files_of, follows

FILE_SIZE: Final = 64 << 20
LOCK: Final = "lock"


class Journal:
    """The open journal of one execution process."""

    def __init__(
        self, folder: Path, clock: Clock, *, boot: int, file_size: int = FILE_SIZE
    ) -> None:
        """Open the journal in ``folder``, mode 0700, making it if there is none.

        Cuts a torn tail (``torn`` tells its bytes).  Raises AlreadyRunning where another process
        writes, JournalCorrupt for damage, NoSpace where no file can be allocated.
        """
        assert file_size >= HEADER_SIZE + size_of(PAYLOAD_SIZE_MAX)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder, self._clock, self._boot, self._size = folder, clock, boot, file_size
        self._lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise AlreadyRunning(f"{folder}: another process writes this journal") from None
        self.torn = 0
        self._synced = 0  # sequence up to which all is on the disk
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

    def sync(self) -> int:
        """Return when all that was appended is on the disk, with the newest sequence number."""
        newest = self.next_sequence - 1
        if newest == self._synced:
            return newest
        while self._behind:
            self._behind[0].sync()
            self._behind.pop(0).close()
        self._file.sync()
        self._synced = newest
        return newest

    def close(self) -> None:
        """Sync and let go."""
        self.sync()
        self._file.close()
        os.close(self._lock)

    def _rotate(self) -> None:
        full = self._file
        path = path_of(self._folder, full.number + 1)
        self._file = JournalFile.create(
            path, self._size, number=full.number + 1, first=full.next_sequence,
            chain=full.chain, boot=self._boot)
        self._behind.append(full)
