"""The one door to Numba: ``kernel`` compiles a function once and keeps the machine code on disk.

Numba notices a change only in the file that defines a function, never in the files whose
functions were inlined into it or whose constants it used, so a mended ``atomics.py`` or a moved
field in ``layout.py`` would leave old machine code, with old offsets, in every other room.
Hence the cache folder carries a hash over their sources: another source, another folder.
"""

import contextlib
import fcntl
import hashlib
import os
import pickle
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core.caching import FunctionCache

F = TypeVar("F", bound=Callable[..., Any])

_ROOT = Path(__file__).resolve().parent.parent
_ROOMS = ("shm", "feeds", "engine", "gpu", "exec")  # whose kernels other files use


def _sources_hash() -> str:
    """Hash every source of the rooms that have kernels."""
    digest = hashlib.sha256(sys.version.encode())
    for room in _ROOMS:
        for path in sorted((_ROOT / room).rglob("*.py")):
            digest.update(path.relative_to(_ROOT).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def cache_folder() -> Path:
    """Return the folder of today's machine code: below ``XDG_CACHE_HOME``, else below /tmp."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    folder = home / "trypto-engine" / f"numba-{_sources_hash()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    parent = Path(tempfile.gettempdir()) / f"trypto-engine-{os.getuid()}"
    parent.mkdir(mode=0o700, exist_ok=True)
    facts = parent.lstat()
    if facts.st_uid != os.getuid() or facts.st_mode & 0o022:  # machine code is not for guests
        parent = Path(tempfile.mkdtemp(prefix="trypto-engine-"))
    (parent / folder.name).mkdir(exist_ok=True)
    return parent / folder.name


if "NUMBA_CACHE_DIR" not in os.environ:
    os.environ["NUMBA_CACHE_DIR"] = str(cache_folder())
    numba.config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"]  # others may have imported it before


class _Cache(FunctionCache):  # type: ignore[misc]
    """Numba's machine code on disk, safe for several processes at once and after any crash.

    An index per function says which file holds which argument types.  Two processes that add
    types at once would take the same file, and the index would give one the other's code, at
    every start to come: so one writer at a time.  What cannot be read (the box lost power) or
    written (the disk is full) is no error: it is compiled again.
    """

    def load_overload(self, sig: object, target_context: object) -> object:
        """Return the code for these argument types, None where there is none."""
        try:
            return super().load_overload(sig, target_context)
        except (OSError, EOFError, pickle.UnpicklingError):
            with contextlib.suppress(OSError), _alone():
                self.flush()
            return None

    def save_overload(self, sig: object, data: object) -> None:
        """Keep the code for these argument types."""
        with contextlib.suppress(OSError), _alone():
            super().save_overload(sig, data)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Keep other processes from writing machine code meanwhile."""
    with (Path(numba.config.CACHE_DIR) / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def jitted(function: F, **options: Any) -> F:
    """Hand ``function`` to Numba with our error model and our cache."""
    dispatcher: Any = numba.njit(error_model="numpy", **options)(function)
    dispatcher._cache = _Cache(function)  # noqa: SLF001  (what njit(cache=True) does)
    compiled: F = dispatcher
    return compiled


def kernel(function: F) -> F:
    """Compile ``function`` to machine code without the interpreter lock; cached on disk.

    The wrapper keeps the type for the reader and for mypy; the plain function stays
    reachable as ``.py_func``, which tests use as one of the twins.
    """
    return jitted(function, nogil=True)


def inlined(function: F) -> F:
    """Like ``kernel``, for small functions that only other kernels call."""
    return jitted(function, nogil=True, inline="never")


def hot(function: F) -> F:
    """Compile for calls of a few microseconds: keeps the interpreter lock, counts no references.

    Giving the lock away costs 50 ns, and taking it back may cost 5 ms where another thread runs.
    Without Numba's own runtime nothing is allocated, and arrays pass from kernel to kernel
    without atomic counts (134 of them stood in one loop, and cost a third of its time).
    """
    return jitted(function, _nrt=False)


def fused(function: F) -> F:
    """Compile a part of a ``hot`` kernel that must not cost a call.

    LLVM leaves out of line what it finds large, and a call hands over each array as seven words
    and each tuple through memory.
    """
    return jitted(function, _nrt=False, forceinline=True)


def entry(function: Callable[..., Any], *arguments: Any) -> Callable[..., Any]:
    """Compile or load a kernel for exactly these Numba types; return it without its dispatcher.

    Measured on 2 cores of an EPYC (Numba 0.68, 2026-11-21): a dispatched call with one array
    takes 200 ns, an undispatched one 70, each further array 20.  The result checks the count of
    its arguments, and that arrays have the right item size; for the rest the caller answers, so
    it belongs behind one typed method.
    """
    dispatcher: Any = function
    dispatcher.compile(arguments)
    entry_point: Callable[..., Any] = dispatcher.overloads[arguments].entry_point
    return entry_point
