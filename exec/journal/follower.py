"""Following a journal while it is written: every record once, across rotations and deaths.

The writer stores a record's length and checksum last and makes the next file before it stops
using this one, so whoever looks for the next file first and reads this one then misses nothing.
What is no record may become one, or be cut by the writer's next life; what stays is damage.
"""

from itertools import islice
from pathlib import Path
from typing import Final

from engine.model.clock import Clock
from engine.model.errors import JournalCorrupt
from exec.journal.file import JournalFile, Record, path_of
from exec.journal.reader import check_end, files_of, follows

BEGUN_NS_MAX: Final = 1_000_000_000  # a record takes microseconds to write
IDLE_NS: Final = 10_000_000_000  # after which the rest of the file is looked at, once


class Follower:
    """Where one reader is in a journal that may not be there yet."""

    def __init__(self, folder: Path, clock: Clock, *, boot: int) -> None:
        """Start at the first record; ``boot`` is the machine's present one."""
        self._folder, self._clock, self._boot = folder, clock, boot
        self._file: JournalFile | None = None
        self._end, self._since_ns, self._checked = 0, 0, False

    def read(self, count_max: int) -> list[Record]:
        """Return the next records, none where there are none yet.

        Raises JournalCorrupt for what nobody appended, a missing file included; the records
        before it were returned.
        """
        found: list[Record] = []
        while (file := self._current()) is not None:
            following = path_of(self._folder, file.number + 1)
            ended = following.exists()  # looked for first: now nothing is added to this one
            found = list(islice(file.more(), count_max))
            if found or not ended:
                break
            self._go_on(file, following)
        if not found:
            self._look()
        return found

    def close(self) -> None:
        """Unmap."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _current(self) -> JournalFile | None:
        if self._file is None and (paths := files_of(self._folder)):
            self._file = JournalFile.open(paths[0])
        return self._file

    def _go_on(self, file: JournalFile, path: Path) -> None:
        following = JournalFile.open(path)
        try:
            follows(file, following)
        except JournalCorrupt:
            following.close()
            raise
        file.close()
        self._file = following

    def _look(self) -> None:
        """Raise JournalCorrupt where the file does not go on, but not because nobody wrote."""
        file, now_ns = self._file, self._clock.mono_ns()
        if file is None:
            return
        if file.end != self._end:
            self._end, self._since_ns, self._checked = file.end, now_ns, False
        limit_ns = BEGUN_NS_MAX if file.begun() else IDLE_NS
        if self._checked or now_ns - self._since_ns < limit_ns:
            return
        self._checked = True
        check_end(file, self._boot, last=True)
