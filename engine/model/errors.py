"""The tree of errors raised on purpose; the branch says what the caller must do.

EngineError
├── Transient  wait, then try again        ConnectionLost, RateLimited, LedgerUnavailable
├── Resync     drop the book, resnapshot   SequenceGap, ChecksumMismatch, DecodeError
├── Refused    tell the caller, go on      VenueRefused, UnknownInstrument
└── Fatal      leave the process           LayoutMismatch, SegmentInvalid, ConfigInvalid,
                                           AlreadyRunning, LockInvalid, NoSpace,
                                           KeyInvalid, JournalCorrupt, LedgerInvalid,
                                           CaptureInvalid
"""


class EngineError(Exception):
    """Base of all we raise on purpose."""


class Transient(EngineError):
    """Wait, then try again."""


class Resync(EngineError):
    """Drop the book and ask for a new snapshot."""


class Refused(EngineError):
    """Tell the caller and go on."""


class Fatal(EngineError):
    """Leave the process; trying again cannot help."""


class ConnectionLost(Transient):
    """The venue is not there, or went away."""


class RateLimited(Transient):
    """The venue asks for patience."""

    def __init__(self, venue: str, *, wait_ns: int) -> None:
        super().__init__(f"{venue}: rate limited for {wait_ns / 1e9:.3f} s")
        self.venue, self.wait_ns = venue, wait_ns


class LedgerUnavailable(Transient):
    """The ledger's disk or database refuses for now; nothing is lost, the journal has it all."""


class SequenceGap(Resync):
    """The venue's update numbers jumped: at least one update never reached us."""

    def __init__(self, *, symbol: str, expected: int, received: int) -> None:
        super().__init__(f"{symbol}: expected update {expected}, received {received}")
        self.symbol, self.expected, self.received = symbol, expected, received


class ChecksumMismatch(Resync):
    """The book differs from the venue's."""

    def __init__(self, *, symbol: str, venue: int, ours: int) -> None:
        super().__init__(f"{symbol}: checksum {venue} at the venue, {ours} here")
        self.symbol, self.venue, self.ours = symbol, venue, ours


class DecodeError(Resync):
    """A frame that the protocol sheet does not allow."""


class VenueRefused(Refused):
    """The venue answered no."""


class UnknownInstrument(Refused):
    """No venue of this engine lists it under that name."""


class LayoutMismatch(Fatal):
    """A segment was written by another version of the code."""


class SegmentInvalid(Fatal):
    """A segment or run folder that is truncated, unfinished, foreign or no segment at all."""


class ConfigInvalid(Fatal):
    """The config asks for something that cannot be; the message names file, key and remedy."""


class JournalCorrupt(Fatal):
    """A journal holds something that nobody appended; nothing is guessed, nothing is cut."""


class StorageInvalid(Fatal):
    """The folder of the books cannot be written to; the message names it and a remedy."""


class LedgerInvalid(Fatal):
    """A ledger that does not follow from its journal, or of a newer engine; it can be remade."""


class KeyInvalid(Fatal):
    """An API key's secret cannot sign, or others could have read it; the text never shows it."""


class CaptureInvalid(Fatal):
    """A capture file that cannot be read; the message names file and line."""


class AlreadyRunning(Fatal):
    """Another engine holds this name."""


class LockInvalid(Fatal):
    """The lock of a name cannot be had; the message names its path and a remedy."""


class NoSpace(Fatal):
    """A file system is too small for what must be allocated there beforehand."""

    def __init__(
        self, path: str, *, needed_bytes: int, free_bytes: int,
        remedy: str = "enlarge the file system, configure fewer symbols or less depth, or stop "
        "another engine",
    ) -> None:
        super().__init__(f"{path}: {needed_bytes} bytes needed, {free_bytes} free; {remedy}")
        self.needed_bytes, self.free_bytes = needed_bytes, free_bytes
