"""Keeping a ledger up with a live journal: whatever refuses is said, counted and tried again.

    journal/ ─ Follower ─▶ Ledger ─▶ Store          books.json: which journal, which ledger

A database that refuses keeps its rows waiting; one that cannot be used at all, or a session that
was lost in the middle of a commit, means to begin anew: the ledger's own position says what it
has.  Nothing here is waited for by anybody who trades.
"""

from typing import Final

from engine.config import Config
from engine.model.clock import Clock
from engine.model.errors import EngineError, LedgerInvalid, LedgerUnavailable, Transient
from engine.runtime import books_folder
from engine.runtime.books_folder import BooksFolder
from engine.runtime.log import Logger
from exec.journal.follower import Follower
from exec.ledger import place
from exec.ledger.metrics import KEPT_NS, Sampler
from exec.ledger.store import Store
from exec.ledger.writer import BATCH, Ledger
from shm.counters import CounterBlock, LedgerCounter, LedgerHistogram
from shm.segment import RunFolder

IDLE_S: Final = 0.02
LOOK_NS: Final = 1_000_000_000  # for other books
SAID_AGAIN_NS: Final = 60_000_000_000
_FIRST_NS: Final = 100_000_000  # the first pause after a refusal; each next one is twice as long
_TRANSIENT_NS_MAX: Final = 5_000_000_000
_FATAL_NS_MAX: Final = 60_000_000_000


class Keeper:
    """Follows one account's journal into its ledger, a little at each turn."""

    def __init__(
        self, run: RunFolder, config: Config, clock: Clock, log: Logger, counters: CounterBlock,
        sampler: Sampler | None, *, boot: int,
    ) -> None:
        """Open nothing yet; ``boot`` as in ``exec.journal``."""
        self._run, self._config, self._clock, self._log = run, config, clock, log
        self._counters, self._sampler, self._boot = counters, sampler, boot
        self._books: BooksFolder | None = None
        self._store: Store | None = None
        self._ledger: Ledger | None = None
        self._follower: Follower | None = None
        self.moved = False  # the run has other books now: leave, and come back for them
        self.idle = False  # all that the journal has is in the ledger
        self._looked_ns, self._sampled_ns = 0, clock.mono_ns()
        self._paused_until_ns, self._pause_ns = 0, _FIRST_NS
        self._said, self._said_ns, self._behind = "", 0, 0

    def turn(self) -> float:
        """Do what is due; return how many seconds nothing else is."""
        try:
            self._look()
            if self._books is None or self.moved:
                self.idle = True
                return IDLE_S
            now_ns = self._clock.mono_ns()
            paused = now_ns < self._paused_until_ns
            if self._ledger is None:
                if paused:
                    return IDLE_S
                self._open(self._books)
            return self._advance(paused=paused)
        except OSError as error:
            self._refused(LedgerUnavailable(f"{error.filename or 'the journal'}: {error.strerror}"))
        except EngineError as error:
            self._refused(error)
        return IDLE_S

    def close(self) -> None:
        """Let go of journal and ledger."""
        if self._follower is not None:
            self._follower.close()
        if self._store is not None:
            self._store.close()
        self._follower = self._store = self._ledger = None

    def _look(self) -> None:
        """See, once a second, which books this run has."""
        now_ns = self._clock.mono_ns()
        if self._books is not None and now_ns - self._looked_ns < LOOK_NS:
            return
        self._looked_ns = now_ns
        found = books_folder.of_run(self._run)
        if self._books is None:
            self._books = found
        elif found is not None and found != self._books:
            self.moved = True

    def _open(self, books: BooksFolder) -> None:
        where = place.place_of(books, self._config)
        place.note(books, where)
        self._store = where.open_store()
        self._ledger = Ledger(self._store)
        self._follower = Follower(books.journal, self._clock, boot=self._boot)
        self._log.info("keeping", journal=str(books.journal), ledger=self._store.where,
                       records=self._ledger.position)

    def _advance(self, *, paused: bool) -> float:
        ledger, follower = self._ledger, self._follower
        assert ledger is not None
        assert follower is not None
        if not paused:
            self._flush(ledger)  # what waited for a database that refused
        newest_ns = 0
        records = [] if ledger.full else follower.read(BATCH)
        for record in records:
            ledger.take(record)
            newest_ns = record.unix_ns
        if not records and not ledger.full:
            ledger.at_end()
        if not paused:
            self._flush(ledger, newest_ns)
            if len(records) < BATCH:
                self._well()
            self._sample()
        self._note_behind(ledger)
        self.idle = not records and not paused
        return 0.0 if len(records) == BATCH else IDLE_S

    def _flush(self, ledger: Ledger, newest_ns: int = 0) -> None:
        before, rows = ledger.position, ledger.waiting
        if ledger.read <= before:
            return
        begun_ns = self._clock.mono_ns()
        ledger.flush()
        count, record = self._counters.count, self._counters.record
        record(LedgerHistogram.COMMIT, self._clock.mono_ns() - begun_ns)
        if newest_ns:
            record(LedgerHistogram.APPEND_TO_COMMIT, self._clock.unix_ns() - newest_ns)
        count(LedgerCounter.RECORDS, ledger.position - before)
        count(LedgerCounter.ROWS, rows)
        count(LedgerCounter.TRANSACTIONS)
        self._note_behind(ledger)

    @property
    def _alive(self) -> bool:
        return self._store is not None and self._store.database.alive

    def _note_behind(self, ledger: Ledger) -> None:
        behind = max(0, ledger.read - ledger.position)
        self._counters.count(LedgerCounter.BEHIND, behind - self._behind)
        self._behind = behind

    def _sample(self) -> None:
        """Write what the counters show; a sample that is refused is lost, and counted."""
        now_ns = self._clock.mono_ns()
        every_ns = int(self._config.ledger.metrics_every_s * 1e9)
        if self._sampler is None or self._store is None or now_ns - self._sampled_ns < every_ns:
            return
        self._sampled_ns = now_ns
        try:
            self._store.sample(
                self._sampler.rows(), kept_from_ns=self._clock.unix_ns() - KEPT_NS)
        except (LedgerUnavailable, LedgerInvalid):
            self._counters.count(LedgerCounter.SAMPLES_LOST)
            raise
        self._counters.count(LedgerCounter.SAMPLES)

    def _refused(self, error: EngineError) -> None:
        """Count a refusal, say it once a minute, and pause; begin anew where nothing else helps."""
        now_ns = self._clock.mono_ns()
        self._counters.count(LedgerCounter.FAILURES)
        transient = isinstance(error, Transient)
        self.idle = False
        if self._ledger is None or not (transient and self._alive):
            self.close()
        self._paused_until_ns = now_ns + self._pause_ns
        limit_ns = _TRANSIENT_NS_MAX if transient else _FATAL_NS_MAX
        if str(error) != self._said or now_ns - self._said_ns >= SAID_AGAIN_NS:
            self._said, self._said_ns = str(error), now_ns
            self._log.error(
                "ledger waits", error=type(error).__name__, reason=str(error),
                behind=self._behind, again_s=self._pause_ns / 1e9,
                note="trading goes on; the journal has everything")
        self._pause_ns = min(self._pause_ns * 2, limit_ns)

    def _well(self) -> None:
        """Note that the ledger has all that the journal has."""
        if self._said:
            self._log.info("ledger caught up",
                           records=self._ledger.position if self._ledger else 0)
        self._said, self._pause_ns = "", _FIRST_NS
