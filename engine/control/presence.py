"""Whether the run folder still holds what this run made.

A cleaner of /dev/shm, or a person, may delete files that everybody still maps: all goes on, and
whoever attaches later finds nothing, or something else.  So control looks for them, and when one
is gone the engine starts again in a fresh folder.  Sockets are bound anew by their owners now and
then, so a file counts as gone only when two looks in a row miss it; the folder at once.
"""

from pathlib import Path

from engine.config import Config
from engine.control.commands import EVENTS_SOCKET
from engine.control.segments import plans
from engine.runtime.memory import EXEC_BELL, SIGNALS_SOCKET
from engine.runtime.process import CONFIG_FILE
from shm.segment import RunFolder


class Presence:
    """What lay in the folder when the run began, by inode; sockets, once seen, by their names."""

    def __init__(self, run: RunFolder, config: Config) -> None:
        """Note the files that are there now."""
        names = [*(plan.name for plan in plans(config)), EXEC_BELL, CONFIG_FILE]
        self._files = {run.file(name): _inode(run.file(name)) for name in names}
        self._folder = run.path
        self._sockets = [run.file(name) for name in (EVENTS_SOCKET, SIGNALS_SOCKET)]
        self._seen: set[Path] = set()
        self._missed: Path | None = None

    def lost(self) -> Path | None:
        """Look; return what is gone for good."""
        if not self._folder.is_dir():
            return self._folder
        there = {path for path in self._sockets if _inode(path)}
        missing = [path for path, inode in self._files.items() if _inode(path) != inode]
        missing += self._seen - there
        self._seen |= there
        before, self._missed = self._missed, missing[0] if missing else None
        return before if before in missing else None


def _inode(path: Path) -> int:
    """Return the inode of what a path names, 0 for nothing."""
    try:
        return path.lstat().st_ino
    except OSError:
        return 0
