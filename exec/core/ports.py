"""What the core is plugged into: journal, venues, books, clock; and what venues report.

A gateway never raises into the core and never retries an order: whatever happens to a request is
a report.  A request whose bytes may have left and that was not answered is reported ``Lost``.
"""

from typing import Protocol, TypeAlias

import msgspec

from exec.gate.approval import Approval
from exec.gate.checks import Proposed
from exec.records import Intended, Record


class _Report(msgspec.Struct, frozen=True, gc=False):
    """Something that a venue said, or failed to say; prices and sizes in quanta."""

    venue: str


class Accepted(_Report, frozen=True):
    """The venue has the order."""

    client_id: str
    venue_order: str


class Denied(_Report, frozen=True):
    """The venue refused the order: proof that it never was in the book.

    ``business``: for what the order was (no funds, too small, off its grid, would trade although
    post-only), by a venue that works; else for the venue, the key or the way there.
    """

    client_id: str
    code: str
    text: str
    business: bool = False


class Traded(_Report, frozen=True):
    """A fill, from whatever channel; ``client_id`` may be empty, ``venue_order`` is not."""

    symbol: str
    client_id: str
    venue_order: str
    trade: str
    side: int
    price: int
    size: int
    fee: str
    fee_asset: str
    taker: bool
    venue_unix_ns: int
    source: str
    realised: str = ""  # what the venue says that it made, of a perpetual; "": it says nothing


class Over(_Report, frozen=True):
    """An order rests no more; ``filled`` is the venue's cumulative size."""

    client_id: str
    venue_order: str
    how: str  # cancelled, expired or filled
    filled: int
    source: str


class CancelDenied(_Report, frozen=True):
    """The venue did not cancel: most often the order had ended."""

    client_id: str
    code: str
    text: str


class Lost(_Report, frozen=True):
    """No answer within its time, a 5xx, a connection that died: anything may have happened."""

    client_id: str
    request: str  # place, cancel or query
    why: str


class Seen(_Report, frozen=True):
    """What the venue said of one order that was asked for."""

    client_id: str
    venue_order: str
    found: int  # records.Found; ABSENT only where every place it could be was asked
    how: str  # of an ended one
    filled: int
    asked_unix_ns: int  # when the question left: absence counts only after the deadline


class Listing(_Report, frozen=True):
    """All open orders of the account, or why that is not known."""

    orders: tuple[tuple[str, str, str, int], ...]  # client id, venue order, symbol, filled
    failed: str = ""  # a failed or partial listing says nothing of absence


class Balance(_Report, frozen=True):
    """What the venue says that we hold of one asset, exact decimal text."""

    asset: str
    free: str
    locked: str
    source: str


class Holding(_Report, frozen=True):
    """What the venue says of a perpetual's position, signed, in size quanta."""

    symbol: str
    size: int
    source: str


class Moved(_Report, frozen=True):
    """Money that moved without a trade: funding, deposit, withdrawal, dust."""

    asset: str
    amount: str
    kind: str
    reference: str
    unix_ns: int = 0  # by the venue; 0: just now


class Taken(_Report, frozen=True):
    """The venue took a trade back."""

    symbol: str
    trade: str


class Ready(_Report, frozen=True):
    """Whether orders may go there: empty, or what is missing (stream, login, clock, ban)."""

    unready: str


class Budget(_Report, frozen=True):
    """What the venue's headers say of its limits; ``barred_ns`` is how long nothing may go."""

    used: int
    limit: int
    barred_ns: int


Report: TypeAlias = (
    Accepted | Denied | Traded | Over | CancelDenied | Lost | Seen | Listing | Balance | Holding
    | Moved | Taken | Ready | Budget
)


class Log(Protocol):
    """The journal as the core writes it; every append is applied to the state at once."""

    @property
    def next_sequence(self) -> int:
        """Return the number that the next record gets."""

    def append(self, record: Record) -> int:
        """Write a record; return its number.  Raises NoSpace: then nothing may be sent."""


class Gateway(Protocol):
    """One account at one venue.  Calls return at once; what comes of them is reported."""

    venue: str

    def place(self, order: Intended, proposed: Proposed, approval: Approval) -> str:
        """Hand an order's bytes to a socket; return the channel, or "" when not a byte left.

        Refuses, with "", what the gate did not approve or the kill word forbids.
        """

    def cancel(self, order: Intended, venue_order: str) -> str:
        """Ask for a cancel; return the channel, or "" when not a byte left."""

    def cancel_all(self) -> None:
        """Cancel whatever rests on the account, ours or not."""

    def query(self, order: Intended, venue_order: str) -> None:
        """Ask what became of an order; reported as Seen and, for its fills, Traded."""

    def survey(self, since_unix_ns: int) -> None:
        """Ask for open orders, fills since, balances and positions; reported one by one."""

    def arm(self, timeout_ms: int) -> None:
        """Set or renew the venue's dead-man switch, where it has one; 0 disarms it."""


class Quote(msgspec.Struct, frozen=True, gc=False):
    """One book's touch as the core sees it; 0 where a side is empty."""

    bid: int
    ask: int
    distrust: int  # shm.layout.Veto; 0: to be believed
    version: int


class Books(Protocol):
    """The live books of the run."""

    def quote(self, venue: str, symbol: str) -> Quote:
        """Return the touch now."""

    def middle(self, venues: tuple[str, ...], symbol: str) -> int:
        """Return the median middle of the books that are believed, 0 where none is."""

    def walk(self, venue: str, symbol: str, side: int, size: int) -> tuple[int, int, int]:
        """Return how much of ``size`` the book holds, the worst price, and the whole cost.

        The cost is in price times size quanta.
        """

    def rules(self, venue: str, symbol: str) -> tuple[int, int, int, int]:
        """Return tick, lot, least size, and least notional in millionths of the quote."""

    def taker_fee_ppm(self, venue: str, symbol: str) -> int:
        """Return the taker's fee."""

    def rate(self, asset: str) -> int:
        """Return millionths of the reference currency for one unit of an asset; 0 if unknown."""


class Flags(Protocol):
    """What operators and the supervisor say."""

    def killed(self) -> bool:
        """Return whether the kill word is set."""

    def paused(self, venue: str, symbol: str, strategy: str) -> tuple[bool, bool]:
        """Return whether the place, and whether the strategy, is paused."""


class Clock(Protocol):
    """Both clocks; ages by the first, records and venues by the second."""

    def mono_ns(self) -> int:
        """Return the monotonic time."""

    def unix_ns(self) -> int:
        """Return the wall clock."""
