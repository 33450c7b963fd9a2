"""Books as they were: at the server's start, and, while a fault asks for it, some time ago."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, TypeVar

from ops.sim.book import Book
from ops.sim.listing import Line

KEPT_MAX: Final = 100  # states of all lines, a tick apart
_T = TypeVar("_T")


class _State(NamedTuple):
    at_ns: int
    books: dict[str, tuple[Book, int]]  # book and its id, by native symbol


class Past:
    """The earlier states of one venue's lines."""

    def __init__(self, lines: Mapping[str, Line], mono_ns: int) -> None:
        """Keep what the books are now as their first state."""
        self._lines = lines
        self._first = _State(mono_ns, _copies(lines))
        self._kept: deque[_State] = deque(maxlen=KEPT_MAX)

    def keep(self, mono_ns: int, lag_ns: int) -> None:
        """Keep the present state; forget what is older than anybody will ask for."""
        while len(self._kept) > 1 and self._kept[1].at_ns <= mono_ns - lag_ns:
            self._kept.popleft()
        self._kept.append(_State(mono_ns, _copies(self._lines)))

    def forget(self) -> None:
        """Keep nothing but the first state."""
        self._kept.clear()

    def at_start(self, ask: Callable[[], _T]) -> _T:
        """Call ``ask`` while the books are what they were at first."""
        return self._while(self._first, ask)

    def at(self, mono_ns: int, ask: Callable[[], _T]) -> _T:
        """Call ``ask`` while the books are what they were at a time, or as near as is kept."""
        before = [state for state in self._kept if state.at_ns <= mono_ns]
        oldest = self._kept[0] if self._kept else self._first
        return self._while(before[-1] if before else oldest, ask)

    def _while(self, state: _State, ask: Callable[[], _T]) -> _T:
        now = {native: (line.book, line.last_id) for native, line in self._lines.items()}
        self._become(state.books)
        try:
            return ask()
        finally:
            self._become(now)

    def _become(self, books: Mapping[str, tuple[Book, int]]) -> None:
        for native, (book, last_id) in books.items():
            if native in self._lines:
                self._lines[native].book, self._lines[native].last_id = book, last_id


def _copies(lines: Mapping[str, Line]) -> dict[str, tuple[Book, int]]:
    return {native: (line.book.copy(), line.last_id) for native, line in lines.items()}
