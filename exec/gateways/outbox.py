"""Reports on their way to the core, one at a time and in order, never from inside its own calls.

The core calls a gateway, and a gateway's reports call the core: a report that comes up while the
core is inside a call waits until the loop turns, so each entry of the core runs to its end.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from exec.core.ports import Report

WAITING_MAX: Final = 200_000  # reports; more means that the core does not take them


class Outbox:
    """Hands reports over; what the core raises ends the gateway."""

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        self._failed = failed
        self._waiting: deque[Report] = deque()
        self._report: Callable[[Report], None] | None = None
        self._draining = self._scheduled = False

    def open(self, report: Callable[[Report], None]) -> None:
        """Name who is told; what waits is told with the next turn of the loop."""
        self._report = report
        self._schedule()

    def put(self, report: Report) -> None:
        """Let a report be told, at the latest with the next turn of the loop."""
        if len(self._waiting) >= WAITING_MAX:
            raise OverflowError(f"{WAITING_MAX} reports wait for the core")
        self._waiting.append(report)
        self._schedule()

    def drain(self) -> None:
        """Tell what waits now: only where no call of the core can be under way."""
        if self._draining or self._report is None:
            return
        self._draining = True
        try:
            while self._waiting:
                self._report(self._waiting.popleft())
        finally:
            self._draining = False

    def _schedule(self) -> None:
        if not self._scheduled and not self._draining and self._report is not None:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._scheduled = False
        try:
            self.drain()
        except BaseException as error:  # noqa: BLE001  handed on: it ends the gateway
            self._failed(error)
