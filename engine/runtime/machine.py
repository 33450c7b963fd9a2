"""What the box gives a process: cores, locked memory, a quiet collector, one thread per library."""

import ctypes
import gc
import os
import resource
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

# Libraries that would start a thread per core in each of our processes.
THREAD_ENVIRONMENT: Final[Mapping[str, str]] = {
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2",
}
NO_CORE: Final = -1
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NAME: Final = 15
_PR_SET_CHILD_SUBREAPER: Final = 36
_MCL_CURRENT_AND_FUTURE: Final = 1 | 2
_libc: Final = ctypes.CDLL(None, use_errno=True)


def plan_cores(
    names: Sequence[str], wanted: Mapping[str, int | None], allowed: Sequence[int], *, auto: bool
) -> dict[str, int]:
    """Give each process of ``names`` a core or NO_CORE.

    A core that the config names goes to that process if the machine allows it.  With ``auto``
    the others get one each, but only if after that one core is left for everything else.
    """
    plan = dict.fromkeys(names, NO_CORE)
    for name in names:
        core = wanted.get(name)
        if core is not None and core in allowed:
            plan[name] = core
    free = [core for core in allowed if core not in plan.values()]
    rest = [name for name in names if plan[name] == NO_CORE]
    if auto and len(free) > len(rest):
        plan.update(zip(rest, free[1:], strict=False))  # the first is for the kernel and control
    return plan


def allowed_cores() -> list[int]:
    """Return the cores that affinity and cgroup leave us."""
    return sorted(os.sched_getaffinity(0))


def pin(core: int) -> None:
    """Stay on one core."""
    os.sched_setaffinity(0, {core})


def lock_memory() -> str:
    """Keep all pages in memory; return why not, in words, or nothing."""
    if _libc.mlockall(_MCL_CURRENT_AND_FUTURE) == 0:
        return ""
    reason = os.strerror(ctypes.get_errno())
    return f"{reason}; right would be a higher limit: ulimit -l, or LimitMEMLOCK=infinity"


def die_with_parent(signal_number: int, parent_pid: int) -> bool:
    """Ask for a signal when the parent's main thread ends; False: it has ended already."""
    if _libc.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    return os.getppid() == parent_pid


def name_process(name: str) -> None:
    """Let ps and top show which of our processes this is; the kernel keeps 15 bytes."""
    _libc.prctl(_PR_SET_NAME, name.encode(), 0, 0, 0)


def adopt_orphans() -> None:
    """Become the parent of grandchildren whose parent dies, so that none is lost."""
    if _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def no_core_dumps() -> None:
    """Keep the memory of a crashed process, which may hold secrets, off the disk."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def quiet_collector() -> None:
    """Collect seldom: the steady state allocates little that forms cycles."""
    gc.set_threshold(50_000, 20, 100)


def boot_id() -> int:
    """Return a number that is another one after each boot of this machine."""
    text = Path("/proc/sys/kernel/random/boot_id").read_text()
    return int(text.replace("-", ""), 16) >> 65  # 63 bits
