"""The few system calls that kernels make themselves: clocks, futex, yield.

They are calls to the C library by name, so the machine code stays cacheable, and the one
``timespec`` each needs lies on the stack of the kernel: no call allocates.
"""

import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing import signature
from numba.extending import intrinsic

from shm.atomics import Words, address_of
from shm.jit import inlined, kernel

_I32: Final = ir.IntType(32)
_I64: Final = ir.IntType(64)
_SECOND_NS: Final = 1_000_000_000
_PAGE_SIZE: Final = os.sysconf("SC_PAGE_SIZE")
_FUTEX_NUMBERS: Final = {"x86_64": 202, "aarch64": 98}  # system call numbers of Linux
_FUTEX: Final = _FUTEX_NUMBERS.get(platform.machine(), -1)  # -1: every call fails with ENOSYS
_FUTEX_WAIT: Final = 0  # shared between processes: without FUTEX_PRIVATE_FLAG
_FUTEX_WAKE: Final = 1
_EVERYBODY: Final = 2**31 - 1


def _libc(builder: Any, name: str, result: Any, arguments: Sequence[Any], *, more: bool) -> Any:
    """Declare a function of the C library; ``more`` for one with a variable argument list."""
    declared = ir.FunctionType(result, arguments, var_arg=more)
    return cgutils.get_or_insert_function(builder.module, declared, name)


def _clock(clock_id: int) -> Any:
    def typed(_typing: Any) -> Any:
        def code(_context: Any, builder: Any, _sig: Any, _args: Any) -> Any:
            spec = cgutils.alloca_once(builder, ir.ArrayType(_I64, 2))
            read = _libc(builder, "clock_gettime", _I32, [_I32, spec.type], more=False)
            builder.call(read, [ir.Constant(_I32, clock_id), spec])
            seconds = builder.load(cgutils.gep_inbounds(builder, spec, 0, 0))
            rest = builder.load(cgutils.gep_inbounds(builder, spec, 0, 1))
            return builder.add(builder.mul(seconds, ir.Constant(_I64, _SECOND_NS)), rest)

        return signature(types.int64), code

    return intrinsic(typed)


def _wait() -> Any:
    def typed(_typing: Any, _address: Any, _expected: Any, _timeout_ns: Any) -> Any:
        def code(_context: Any, builder: Any, _sig: Any, args: Any) -> Any:
            address, expected, timeout_ns = args
            spec = cgutils.alloca_once(builder, ir.ArrayType(_I64, 2))
            second = ir.Constant(_I64, _SECOND_NS)
            seconds = builder.sdiv(timeout_ns, second)
            builder.store(seconds, cgutils.gep_inbounds(builder, spec, 0, 0))
            rest = builder.sub(timeout_ns, builder.mul(seconds, second))
            builder.store(rest, cgutils.gep_inbounds(builder, spec, 0, 1))
            call = _libc(builder, "syscall", _I64, [_I64], more=True)
            number, wait = ir.Constant(_I64, _FUTEX), ir.Constant(_I64, _FUTEX_WAIT)
            return builder.call(call, [number, address, wait, expected, spec])

        return signature(types.int64, types.int64, types.int64, types.int64), code

    return intrinsic(typed)


def _wake() -> Any:
    def typed(_typing: Any, _address: Any) -> Any:
        def code(_context: Any, builder: Any, _sig: Any, args: Any) -> Any:
            call = _libc(builder, "syscall", _I64, [_I64], more=True)
            number, wake = ir.Constant(_I64, _FUTEX), ir.Constant(_I64, _FUTEX_WAKE)
            return builder.call(call, [number, args[0], wake, ir.Constant(_I64, _EVERYBODY)])

        return signature(types.int64, types.int64), code

    return intrinsic(typed)


def _yield() -> Any:
    def typed(_typing: Any) -> Any:
        def code(_context: Any, builder: Any, _sig: Any, _args: Any) -> Any:
            return builder.call(_libc(builder, "sched_yield", _I32, [], more=False), [])

        return signature(types.int32), code

    return intrinsic(typed)


def _leading_zeros() -> Any:
    def typed(_typing: Any, _value: Any) -> Any:
        def code(_context: Any, builder: Any, _sig: Any, args: Any) -> Any:
            return builder.ctlz(args[0], ir.Constant(ir.IntType(1), 0))

        return signature(types.int64, types.int64), code

    return intrinsic(typed)


if TYPE_CHECKING:

    def _zeros(value: int) -> int: ...
    def _mono() -> int: ...
    def _unix() -> int: ...
    def _futex_wait(address: int, expected: int, timeout_ns: int) -> int: ...
    def _futex_wake(address: int) -> int: ...
    def _sched_yield() -> int: ...
else:
    _zeros = _leading_zeros()
    _mono = _clock(time.CLOCK_MONOTONIC)
    _unix = _clock(time.CLOCK_REALTIME)
    _futex_wait = _wait()
    _futex_wake = _wake()
    _sched_yield = _yield()


@kernel
def mono_ns() -> int:
    """Return CLOCK_MONOTONIC in ns."""
    return _mono()


@kernel
def unix_ns() -> int:
    """Return CLOCK_REALTIME in ns."""
    return _unix()


@kernel
def sched_yield() -> int:
    """Let another thread of this core run; return 0."""
    return _sched_yield()


@inlined
def high_bit(value: int) -> int:
    """Return the position of the highest bit set in a positive number: 16 -> 4."""
    return 63 - _zeros(value)


@inlined
def futex_wait(words: Words, index: int, expected: int, timeout_ns: int) -> int:
    """Sleep until woken, but not at all unless the low half of the word is ``expected``'s.

    Returns 0 when woken, -1 when the word differed, the time was over or a signal came.
    """
    return _futex_wait(address_of(words, index), expected & 0xFFFFFFFF, max(timeout_ns, 0))


@inlined
def futex_wake(words: Words, index: int) -> int:
    """Wake whoever sleeps on the word; return how many."""
    return _futex_wake(address_of(words, index))


def private_bytes(pid: int | None = None) -> int:
    """Return the resident memory that is a process's own, ours by default: no shared segments.

    Every process maps the books, so plain resident size grows with their pages and hides a leak.
    """
    _, resident, shared, *_ = Path(f"/proc/{pid or 'self'}/statm").read_text().split()
    return (int(resident) - int(shared)) * _PAGE_SIZE
