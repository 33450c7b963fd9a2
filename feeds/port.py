"""The two sides of the core: what it asks of the world, and where trusted events go."""

from typing import Protocol

from feeds.venue import Delta, Quote, Snapshot, Trade
from shm.layout import BookFault, BookState


class Port(Protocol):
    """What the core asks of the world; every call returns at once."""

    def send(self, connection: int, frame: bytes) -> None:
        """Send ``frame`` on ``connection``, within the venue's rate; drop it if that is gone."""
        ...

    def want_snapshot(self, native: str) -> None:
        """Fetch a REST book and call ``snapshot`` or ``snapshot_failed``, unless that is under way.

        A request sent before the latest ``opened`` does not count: its answer may be too old.
        """
        ...

    def drop(self, connection: int, reason: str) -> None:
        """Abort ``connection`` and open another; ``closed`` follows."""
        ...

    def rotate(self, connection: int, reason: str) -> None:
        """Open another connection first, then close this one: the venue is about to."""
        ...

    def changed(self, native: str, state: BookState, fault: BookFault, reason: str) -> None:
        """Log a transition of one book; ``native`` is empty for news of a whole connection."""
        ...


class Books(Protocol):
    """Where trusted events go (``book/publish.py``); ``local`` is the instrument in this feed.

    Statuses are ``BookFault``: NONE when the message is in and the book is fit to be seen.
    After any other, nothing of the message was published.
    """

    def load(self, local: int, snapshot: Snapshot, recv_unix_ns: int, recv_mono_ns: int) -> int:
        """Replace the book."""
        ...

    def apply(self, local: int, change: Delta, recv_unix_ns: int, recv_mono_ns: int) -> int:
        """Change the book by one message."""
        ...

    def quote(self, local: int, quote: Quote, recv_unix_ns: int, recv_mono_ns: int) -> int:
        """Publish a best bid and offer."""
        ...

    def trade(self, local: int, trade: Trade, recv_unix_ns: int, recv_mono_ns: int) -> int:
        """Publish a print."""
        ...

    def state(self, local: int, state: int, fault: int, now_mono_ns: int) -> None:
        """Write the book's state word and wake its readers."""
        ...

    def is_short(self, local: int) -> bool:
        """Tell whether a new snapshot would show levels that are unknown now."""
        ...

    def truncate(self, local: int, depth: int) -> None:
        """Cut the book to ``depth`` levels per side after each message from now on."""
        ...
