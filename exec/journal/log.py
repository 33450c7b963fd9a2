"""The core's log: each record goes into the journal, then at once into the state."""

from engine.model.clock import Clock
from exec import records as r
from exec.journal.writer import Journal
from exec.state.state import State


class JournalLog:
    """Implements ``exec.core.ports.Log``; journal and state bear the same times."""

    def __init__(self, journal: Journal, state: State, clock: Clock) -> None:
        """Take over a journal and the state that its records make."""
        self._journal, self._state, self._clock = journal, state, clock

    @property
    def next_sequence(self) -> int:
        """Return the number that the next record gets."""
        return self._journal.next_sequence

    def append(self, record: r.Record) -> int:
        """Write a record and apply it; return its number.  Raises NoSpace: nothing may be sent."""
        unix_ns = self._clock.unix_ns()
        number = self._journal.append(r.kind_of(record), r.encode(record), unix_ns)
        self._state.apply(record, unix_ns)
        return number
