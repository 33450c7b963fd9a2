"""One engine per name: a file lock taken before any folder, segment or socket is touched.

The lock lies outside the run folder and belongs to an open file description: control inherits it
from the launcher, so it is held until both are gone and the folder is clean.
"""

import fcntl
import os
from typing import Final

from engine.model.errors import AlreadyRunning
from shm.segment import RunFolder

_PID_SIZE_MAX: Final = 20


class EngineLock:
    """The held lock of one engine name."""

    def __init__(self, run: RunFolder, descriptor: int) -> None:
        """Wrap a descriptor that holds the lock; use ``take`` to get one."""
        self.run, self.descriptor = run, descriptor

    @classmethod
    def take(cls, run: RunFolder) -> "EngineLock":
        """Take the lock at once; raise AlreadyRunning when another engine holds it."""
        path = run.lock_path
        while True:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(path, flags, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pid = os.pread(descriptor, _PID_SIZE_MAX, 0).decode() or "unknown"
                os.close(descriptor)
                raise AlreadyRunning(
                    f"an engine named {run.path.name!r} runs already: pid {pid}, folder {run.path};"
                    " stop it, or start this one with --name"
                ) from None
            if _is_still(descriptor, run):
                break
            os.close(descriptor)  # its last holder removed the file between our open and our lock
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        return cls(run, descriptor)

    def release(self) -> None:
        """Remove the file while still holding it, then let go."""
        self.run.lock_path.unlink(missing_ok=True)
        os.close(self.descriptor)


def _is_still(descriptor: int, run: RunFolder) -> bool:
    """Return whether the locked file is the one that the path names now."""
    ours = os.fstat(descriptor)
    try:
        named = run.lock_path.lstat()
    except FileNotFoundError:
        return False
    return (ours.st_ino, ours.st_dev) == (named.st_ino, named.st_dev)

