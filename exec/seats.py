"""A venue's seat at the core: empty until its instruments are known, then a gateway sits in it.

The venue's own spelling of instruments comes with its feed's catalogue, and a venue that is down
has none; the others trade meanwhile.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from exec.core import ports as p
from exec.gate.approval import Approval
from exec.gate.checks import Proposed
from exec.records import Intended

Report = Callable[[p.Report], None]


class LiveGateway(p.Gateway, Protocol):
    """A gateway with a life of its own."""

    def run(self, report: Report) -> Awaitable[None]:
        """Keep everything up until closed or cancelled; raise what our own code fails with."""

    async def close(self) -> None:
        """Take no more orders, wait a little for answers, then let ``run`` return."""


class Seat:
    """Implements ``exec.core.ports.Gateway`` for a gateway that may not be there yet."""

    def __init__(self, venue: str) -> None:
        self.venue = venue
        self.gateway: LiveGateway | None = None

    def place(self, order: Intended, proposed: Proposed, approval: Approval) -> str:
        """Hand an order on; "" where nobody sits here."""
        return self.gateway.place(order, proposed, approval) if self.gateway else ""

    def cancel(self, order: Intended, venue_order: str) -> str:
        """Hand a cancel on; "" where nobody sits here."""
        return self.gateway.cancel(order, venue_order) if self.gateway else ""

    def cancel_all(self) -> None:
        """Cancel whatever rests on the account."""
        if self.gateway:
            self.gateway.cancel_all()

    def query(self, order: Intended, venue_order: str) -> None:
        """Ask what became of an order; the core asks again where nobody sits here."""
        if self.gateway:
            self.gateway.query(order, venue_order)

    def survey(self, since_unix_ns: int) -> None:
        """Ask for everything; the core asks again where nobody sits here."""
        if self.gateway:
            self.gateway.survey(since_unix_ns)

    def arm(self, timeout_ms: int) -> None:
        """Set or renew the venue's dead-man switch."""
        if self.gateway:
            self.gateway.arm(timeout_ms)
