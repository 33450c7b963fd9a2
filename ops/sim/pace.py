"""Waking up on time: a timerfd on the event loop, exact to tens of microseconds.

The loop's own timers count whole milliseconds (libuv), too coarse to play a recording back.
"""

import asyncio
import ctypes
import os
from collections.abc import Callable
from typing import Final

NS: Final = 1_000_000_000
CLOCK_MONOTONIC: Final = 1
TFD_TIMER_ABSTIME: Final = 1


class _Timespec(ctypes.Structure):
    _fields_ = (("tv_sec", ctypes.c_long), ("tv_nsec", ctypes.c_long))


class _Timer(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


class Alarm:
    """Calls ``ring`` on the loop at a monotonic time; setting it again moves it."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor: int = self._libc.timerfd_create(
            CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create failed")
        self._ring = ring
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._descriptor, self._expired)

    def set(self, mono_ns: int) -> None:
        """Ring at ``mono_ns``; a time that has passed rings at the loop's next turn."""
        seconds, rest = divmod(max(1, mono_ns), NS)
        timer = _Timer(_Timespec(0, 0), _Timespec(seconds, rest))
        if self._libc.timerfd_settime(
            self._descriptor, TFD_TIMER_ABSTIME, ctypes.byref(timer), None
        ):
            raise OSError(ctypes.get_errno(), "timerfd_settime failed")

    def close(self) -> None:
        """Never ring again."""
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)

    def _expired(self) -> None:
        try:
            os.read(self._descriptor, 8)
        except BlockingIOError:
            return  # it was set again meanwhile
        self._ring()
