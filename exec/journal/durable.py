"""When what was written down may be acted on: at once, or once a group of records is on the disk.

    append ─▶ when_durable(number, action) ─ process ─▶ action
                                           ╰─ power ─▶ a thread syncs the group ─▶ actions, in order

*process*: a record survives the end of our process as soon as it is appended.  *power*: it
survives the machine's.  While one group is being synced the next one gathers, so that any number
of orders waits for two syncs at most.  A sync that failed is never tried again, since the kernel
forgets what it could not write: nothing is acted on any more, and the owner is told.

The journal's next file is allocated by the same thread, long before it is needed.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from engine.model.errors import Fatal, NoSpace
from exec.journal.file import Spare
from exec.journal.writer import Journal, Unsynced

WAITING_MAX: Final = 10_000  # actions; more means that the disk does not keep up
RETRY_TURNS: Final = 1_000  # between attempts to allocate a file, in turns of the owner


class JournalUnsafe(Fatal):
    """The journal cannot be made durable: nothing more may be sent by this process."""


class Durable:
    """Acts on records of one journal when they are as safe as the level demands."""

    def __init__(
        self, journal: Journal, *, power: bool, failed: Callable[[BaseException], None],
        warn: Callable[[NoSpace], None],
    ) -> None:
        """``failed`` is told once, of JournalUnsafe or what an action raised; ``warn`` of no room.

        Needs a running event loop from its first ``power`` action or ``turn`` on.
        """
        self._journal, self._power, self._failed, self._warn = journal, power, failed, warn
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._waiting: deque[tuple[int, Callable[[], None]]] = deque()
        self._syncing = self._allocating = False
        self._idle: asyncio.Future[None] | None = None
        self._patience = 0  # turns until a file is asked for again
        self.over = ""  # why nothing is acted on any more

    def when_durable(self, number: int, action: Callable[[], None]) -> None:
        """Act once the record ``number`` and all before it are safe; never after a failure."""
        if self.over:
            return
        if not self._power:
            action()
        elif len(self._waiting) >= WAITING_MAX:
            self._end(JournalUnsafe(f"{WAITING_MAX} orders wait for the journal's disk"))
        else:
            self._waiting.append((number, action))
            self._sync()

    def turn(self) -> None:
        """Let a moment pass in which nobody waits: the next file is made ready, then begun."""
        self._journal.turn()
        self._patience = max(0, self._patience - 1)
        if self._journal.needs_spare and not (self._allocating or self.over or self._patience):
            self._allocating = True
            loop = asyncio.get_running_loop()
            self._thread.submit(self._journal.allocate).add_done_callback(
                lambda made: loop.call_soon_threadsafe(self._allocated, made))

    async def close(self) -> None:
        """Return when everything that waited was acted on, or never will be; act on no more."""
        while not self.over and (self._waiting or self._syncing):
            self._idle = asyncio.get_running_loop().create_future()
            await self._idle
        self.over = self.over or "closed"
        await asyncio.get_running_loop().run_in_executor(None, self._thread.shutdown)
        await asyncio.sleep(0)  # what the thread did last is told

    # --- the thread and back -------------------------------------------------------------------

    def _sync(self) -> None:
        if self._syncing or self.over:
            return
        due = self._journal.unsynced()
        if due is None:
            self._act()
            return
        self._syncing = True
        loop = asyncio.get_running_loop()
        self._thread.submit(due.wait).add_done_callback(
            lambda done: loop.call_soon_threadsafe(self._synced, due, done))

    def _synced(self, due: Unsynced, done: "Future[None]") -> None:
        self._syncing = False
        error = done.exception()
        if error is not None:
            self._end(JournalUnsafe(
                f"{due.files[-1].path.parent}: the journal cannot be synced: {error}; nothing"
                " more is sent: mend the disk, then start again"))
        else:
            self._journal.synced(due)
            self._act(due.newest)
            if self._waiting:
                self._sync()
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)

    def _act(self, newest: int | None = None) -> None:
        """Do what waited for records up to ``newest``, or for any."""
        while self._waiting and not self.over:
            number, action = self._waiting[0]
            if newest is not None and number > newest:
                return
            self._waiting.popleft()
            try:
                action()
            except BaseException as error:  # noqa: BLE001  handed on: it ends the owner
                self._end(error)

    def _end(self, error: BaseException) -> None:
        self.over = str(error) or type(error).__name__
        self._waiting.clear()
        self._failed(error)

    def _allocated(self, made: "Future[Spare]") -> None:
        self._allocating = False
        error = made.exception()
        if error is None:
            self._journal.keep(made.result())
        elif isinstance(error, NoSpace):
            self._patience = RETRY_TURNS
            self._warn(error)
        else:
            self._end(error)
