"""What the venue servers count and time; plain numbers, so that a frame costs two additions."""

from engine.model.clock import Clock
from shm.counters import CounterBlock, SimCounter, SimHistogram


class Tally:
    """The figures of all venues of a world; published to shared memory where there is some."""

    def __init__(self, clock: Clock, block: CounterBlock | None) -> None:
        self._clock, self._block = clock, block
        self._told = dict.fromkeys(SimCounter, 0)
        self.connections = self.frames_sent = self.bytes_sent = self.frames_received = 0
        self.requests = self.orders = self.refusals = self.fills = 0

    def sent(self, frames: int, size: int) -> None:
        """Count frames that left, and their bytes without heads."""
        self.frames_sent += frames
        self.bytes_sent += size

    def answered(self, since_mono_ns: int) -> None:
        """Record how long an answer took to be made."""
        if self._block is not None:
            self._block.record(SimHistogram.ANSWER, self._clock.mono_ns() - since_mono_ns)

    def beat(self, late_ns: int, faults: int) -> None:
        """Publish what was counted since the last beat, and how late this one is."""
        if self._block is None:
            return
        self._block.record(SimHistogram.LATENESS, late_ns)
        for counter, value in (
            (SimCounter.CONNECTIONS, self.connections),
            (SimCounter.FRAMES_SENT, self.frames_sent), (SimCounter.BYTES_SENT, self.bytes_sent),
            (SimCounter.FRAMES_RECEIVED, self.frames_received),
            (SimCounter.REQUESTS, self.requests), (SimCounter.ORDERS, self.orders),
            (SimCounter.REFUSALS, self.refusals), (SimCounter.FILLS, self.fills),
            (SimCounter.FAULTS, faults),
        ):
            if value != self._told[counter]:
                self._block.count(counter, value - self._told[counter])
                self._told[counter] = value
