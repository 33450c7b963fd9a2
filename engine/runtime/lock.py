"""One engine per name: a file lock taken before any folder, segment or socket is touched.

The lock lies outside the run folder and belongs to an open file description: control inherits it
from the launcher, so it is held until both are gone and the folder is clean.
"""

import errno
import fcntl
import os
import stat
from typing import Final

from engine.model.errors import AlreadyRunning, LockInvalid
from shm.segment import RunFolder

_PID_SIZE_MAX: Final = 20
_REMEDIES: Final = {
    errno.ENOENT: "right would be TRYPTO_SHM with a folder that is there, or none",
    errno.ENOTDIR: "right would be TRYPTO_SHM with a folder that is there, or none",
    errno.ELOOP: "a lock is a plain file; remove what lies there",
    errno.EISDIR: "a lock is a plain file; remove what lies there",
    errno.EACCES: "right would be a folder where this user may write, and no lock of another user",
    errno.ENOSPC: "the file system is full; free some of it, or stop another engine",
}


class EngineLock:
    """The held lock of one engine name."""

    def __init__(self, run: RunFolder, descriptor: int) -> None:
        """Wrap a descriptor that holds the lock; use ``take`` to get one."""
        self.run, self.descriptor = run, descriptor

    @classmethod
    def take(cls, run: RunFolder) -> "EngineLock":
        """Take the lock at once; raise AlreadyRunning when another engine holds it.

        Raises LockInvalid where no lock can be had at all.
        """
        try:
            while (descriptor := _locked(run)) is None:
                pass
            return cls(run, descriptor)
        except OSError as error:
            remedy = _REMEDIES.get(error.errno or 0, "right would be a folder like /dev/shm")
            raise LockInvalid(f"{run.lock_path}: {error.strerror}; {remedy}") from None

    def release(self) -> None:
        """Remove the file while still holding it, then let go."""
        if self.held():  # else it is another engine's
            self.run.lock_path.unlink(missing_ok=True)
        os.close(self.descriptor)

    def held(self) -> bool:
        """Return whether our lock is the one that others meet: its file may have been deleted."""
        return _is_still(self.descriptor, self.run)


def _locked(run: RunFolder) -> int | None:
    """Return a descriptor that holds the lock; None when its file was removed before we had it."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(run.lock_path, flags, 0o600)
    held = False
    try:
        _check_ours(descriptor, run)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_still(descriptor, run):
            _sign(descriptor, run)
            held = True
    except BlockingIOError:
        pid = os.pread(descriptor, _PID_SIZE_MAX, 0).decode(errors="replace") or "unknown"
        raise AlreadyRunning(
            f"an engine named {run.path.name!r} runs already: pid {pid}, folder {run.path};"
            " stop it, or start this one with --name"
        ) from None
    finally:
        if not held:
            os.close(descriptor)
    return descriptor if held else None


def _check_ours(descriptor: int, run: RunFolder) -> None:
    """Raise LockInvalid unless this is a plain file of this user."""
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode) or facts.st_uid != os.getuid():
        raise LockInvalid(f"{run.lock_path} is no plain file of user {os.getuid()}, but lies with"
                          f" user {facts.st_uid}; let its owner remove it")


def _sign(descriptor: int, run: RunFolder) -> None:
    """Write who holds the lock; leave no file behind when there is no space for that."""
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    except OSError:
        run.lock_path.unlink(missing_ok=True)
        raise


def _is_still(descriptor: int, run: RunFolder) -> bool:
    """Return whether the locked file is the one that the path names now."""
    ours = os.fstat(descriptor)
    try:
        named = run.lock_path.lstat()
    except FileNotFoundError:
        return False
    return (ours.st_ino, ours.st_dev) == (named.st_ino, named.st_dev)
