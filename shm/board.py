"""Latest values: the control segment (engine, bells, processes, flags) and the instruments.

Every number is one word with one writer, loaded with acquire and stored with release order, so
who sees a new state also sees what was stored before it.  Names are written once, before
anybody else looks.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from shm.atomics import Words, load_relaxed, peek, poke, store_relaxed, store_release
from shm.jit import kernel
from shm.layout import (
    BELL,
    BELLS,
    CONTROL,
    ENGINE,
    INSTRUMENT,
    PROCESS,
    PROCESSES_MAX,
    STRATEGIES_MAX,
    STRATEGY_FLAG,
    VENUE_FLAG,
    VENUES_MAX,
    Dtype,
    word_of,
    words_in,
)

HEARTBEAT: Final = word_of(PROCESS, "heartbeat_mono_ns")
PROGRESS: Final = word_of(PROCESS, "progress")


@kernel
def beat(words: Words, process_base: int, now_mono: int, progress: int) -> None:
    """Add to our progress and stamp our heartbeat."""
    done = load_relaxed(words, process_base + PROGRESS) + progress  # ours alone to write
    store_relaxed(words, process_base + PROGRESS, done)
    # SYNC POINT: release of the heartbeat; its partner is the acquire in ``Row.__getitem__``
    store_release(words, process_base + HEARTBEAT, now_mono)


class Row:
    """One record by field names: numbers atomically, text as text.

    ``base`` is its first word, for kernels.
    """

    def __init__(self, words: Words, base: int, dtype: Dtype) -> None:
        self.words, self.base, self._dtype = words, base, dtype
        self._record: NDArray[np.void] = words[base : base + words_in(dtype)].view(dtype)

    def __getitem__(self, field: str) -> int:
        """Load a number; raise KeyError for a field that is not there."""
        # SYNC POINT: acquire; its partner is the release in ``__setitem__`` or ``beat``
        return peek(self.words, self.base + word_of(self._dtype, field))

    def __setitem__(self, field: str, value: int) -> None:
        """Store a number; only its one writer may."""
        # SYNC POINT: release; its partner is the acquire in ``__getitem__`` or in a kernel
        poke(self.words, self.base + word_of(self._dtype, field), int(value))  # no enum: one kernel

    def text(self, field: str) -> str:
        """Return a text field."""
        return bytes(self._record[0][field]).decode()

    def set_text(self, field: str, value: str) -> None:
        """Store a text; raise ValueError when it does not fit."""
        encoded, size = value.encode(), self._dtype[field].itemsize
        if len(encoded) > size:
            raise ValueError(f"{field} {value!r} is longer than {size} bytes")
        self._record[0][field] = encoded


class _Rows:
    """Equal records one after the other from word ``first`` on."""

    def __init__(self, words: Words, first: int, count: int, dtype: Dtype) -> None:
        self.words, self._first, self._count, self._dtype = words, first, count, dtype
        if words.size < first + count * words_in(dtype):
            raise ValueError(f"{words.size} words hold less than {count} rows")

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Row:
        return Row(self.words, self.base(index), self._dtype)

    def base(self, index: int) -> int:
        """Return the first word of a row; raise IndexError when there is none."""
        if not 0 <= index < self._count:
            raise IndexError(f"row {index} of {self._count}")
        return self._first + index * words_in(self._dtype)

    @property
    def records(self) -> NDArray[np.void]:
        """Return the structured view of all rows, zero-copy."""
        end = self._first + self._count * words_in(self._dtype)
        return self.words[self._first : end].view(self._dtype)

    def index_of(self, name: str) -> int:
        """Return the row of that name; raise KeyError when there is none."""
        found = np.flatnonzero(self.records["name"] == name.encode())
        if not found.size:
            raise KeyError(name)
        return int(found[0])


class ControlView:
    """The control segment: ``engine`` is a row; ``processes``, ``venues``, ``strategies`` rows.

    ``ControlView.SIZE`` is what the segment needs in bytes.
    """

    SIZE: Final = CONTROL.itemsize

    def __init__(self, words: Words) -> None:
        self.words = words
        self.engine = Row(words, word_of(CONTROL, "engine"), ENGINE)
        self.bells = _Rows(words, word_of(CONTROL, "bells"), BELLS, BELL)
        self.processes = _Rows(words, word_of(CONTROL, "processes"), PROCESSES_MAX, PROCESS)
        self.venues = _Rows(words, word_of(CONTROL, "venues"), VENUES_MAX, VENUE_FLAG)
        strategies = word_of(CONTROL, "strategies")
        self.strategies = _Rows(words, strategies, STRATEGIES_MAX, STRATEGY_FLAG)

    def bell(self, bell: int) -> int:
        """Return the first word of a doorbell, for the kernels of ``shm.bell``."""
        return self.bells.base(bell)


class InstrumentTable(_Rows):
    """The instruments segment: row i is the instrument with index i."""

    def __init__(self, words: Words, count: int) -> None:
        super().__init__(words, 0, count, INSTRUMENT)

    @staticmethod
    def size(count: int) -> int:
        """Return the bytes that so many instruments take."""
        return count * INSTRUMENT.itemsize
