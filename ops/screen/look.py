"""Finds an engine, looks at it again and again, and finds it again after a restart.

The first look compiles or loads machine code, which takes seconds on a cold machine: a thread
does it, so that whoever draws never waits and Ctrl-C is heard.
"""

import threading
from typing import Final

from engine.model.clock import Clock
from engine.model.errors import EngineError
from ops.attach import Engine
from ops.client import NoEngine
from ops.screen.sample import Sample, Sampler
from shm.segment import RunFolder

_RETRY_S: Final = 0.1


class Look:
    """Samples of the engine in ``run``, whether it is there already or not."""

    def __init__(self, run: RunFolder, clock: Clock) -> None:
        """Start looking for it."""
        self._run, self._clock = run, clock
        self._sampler: Sampler | None = None
        self._closed = threading.Event()
        self._finder: threading.Thread | None = None
        self.trouble = "starting"  # why there is no sample
        self._find()

    def sample(self) -> Sample | None:
        """Look once; return None, at once, while there is nothing to see: ``trouble`` says why."""
        sampler = self._sampler
        if sampler is None:
            self._find()
            return None
        sample = sampler.take()
        if not sample.running and self._is_replaced(sampler.engine):
            self._sampler, self.trouble = None, "the engine has left"
            return None
        return sample

    def close(self) -> None:
        """Stop looking."""
        self._closed.set()

    def _is_replaced(self, seen: Engine) -> bool:
        """Return whether the folder holds another run than the one seen, or none."""
        try:
            with Engine(self._run, self._clock) as current:
                return current.run_id != seen.run_id
        except EngineError:
            return True

    def _find(self) -> None:
        """Start the thread, unless one looks already."""
        if self._finder is None or not self._finder.is_alive():
            self._finder = threading.Thread(target=self._first_look, daemon=True)
            self._finder.start()

    def _first_look(self) -> None:
        while not self._closed.is_set():
            try:
                sampler = Sampler(Engine(self._run, self._clock))
                sampler.take()
            except EngineError as error:
                self.trouble = "starting" if isinstance(error, NoEngine) else str(error)
            else:
                self._sampler = sampler
                return
            self._closed.wait(_RETRY_S)
