"""Paper trading: a gateway to a venue that is modelled on the live book (``exec.paper``)."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from random import Random
from typing import Final

from engine.model.clock import Clock
from engine.runtime.log import Logger
from exec.core import ports as p
from exec.gate.approval import Approval
from exec.gate.checks import Proposed
from exec.gateways.codec import Listing
from exec.gateways.local import IDLE_NS, MS, LocalGateway
from exec.gateways.pending import Warrant
from exec.paper.account import Account
from exec.paper.lanes import Lane, Latency
from exec.paper.prints import Prints
from exec.paper.rules import Market
from exec.paper.venue import Venue
from exec.records import Intended
from exec.state import State, money

CHANNEL: Final = "paper"  # as records.Sent has it
POLL_NS: Final = 2 * MS  # between looks at the books while an order rests in one
TURNS: Final = 3  # within the time of a dead-man switch


class PaperGateway(LocalGateway):
    """Implements ``exec.core.ports.Gateway`` over a modelled venue."""

    def __init__(
        self, venue: str, listings: Sequence[Listing], market: Market, prints: Prints,
        balances: Mapping[str, str], state: State, latency: Latency, *, flags: p.Flags,
        clock: Clock, random: Random, log: Logger, poll_ns: int = POLL_NS,
    ) -> None:
        """``balances``: exact decimal text by asset; ConfigInvalid where the journal has others.

        ``state`` as the journal left it: the account goes on from it, and what it had open is
        ended, for it rested in a process that is dead.
        """
        amounts = {asset: money(text) for asset, text in balances.items()}
        account = Account(venue, listings, amounts, state)
        super().__init__(account, market, latency, clock=clock, random=random, log=log)
        self.book = Venue(
            account, market, prints, state, clock, answer=partial(self._back, Lane.ANSWERS),
            stream=partial(self._back, Lane.STREAM))
        self._flags, self._poll_ns = flags, poll_ns
        self._armed_ns = self._turned_ns = 0

    def place(self, order: Intended, proposed: Proposed, approval: Approval) -> str:
        """Let an order leave; return the channel, or "" when it did not.

        Refuses, with "", what the gate did not approve or the kill word forbids.
        """
        allowed = order.venue == self.venue and Warrant(order, proposed, approval).redeem()
        if not allowed or self._closing or self._flags.killed():
            return ""
        self._leave(Lane.ORDERS, self._latency.order_ns, partial(self.book.place, order))
        return CHANNEL

    def cancel(self, order: Intended, venue_order: str) -> str:
        """Let a cancel leave, behind all that left before it; return the channel."""
        self._leave(Lane.ORDERS, self._latency.cancel_ns, partial(self.book.cancel, order))
        return CHANNEL

    def cancel_all(self) -> None:
        """Cancel whatever rests on the account."""
        self._leave(Lane.ORDERS, self._latency.cancel_ns, self.book.cancel_all)

    def arm(self, timeout_ms: int) -> None:
        """Let the venue cancel everything when this process did not turn for so long; 0: never."""
        self._armed_ns = timeout_ms * MS
        self._turned_ns = self._clock.mono_ns()

    def _pass(self, now_ns: int) -> None:
        if self._armed_ns and now_ns - self._turned_ns > self._armed_ns:
            self._log.error("dead-man switch", venue=self.venue, late_ns=now_ns - self._turned_ns)
            self.book.cancel_all()
        self._turned_ns = now_ns
        self.book.observe()

    def _due_ns(self, now_ns: int) -> int:
        wait_ns = self._poll_ns if self.book.watches else IDLE_NS
        return now_ns + min(wait_ns, self._armed_ns // TURNS or wait_ns)

    def _told_of(self, order: Intended, asked_unix_ns: int) -> Iterable[p.Report]:
        return self.book.told_of(order, asked_unix_ns)

    def _told_of_all(self, since_unix_ns: int) -> Iterable[p.Report]:
        return self.book.told_of_all(since_unix_ns)
