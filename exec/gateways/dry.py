"""Dry run: a gateway that sends nothing.

Everything up to the wire is as in live: gate, plan, intent, durability.  Then ``place`` returns "",
the core journals Unsent, and the plan closes as missed.
"""

from collections.abc import Iterable, Mapping, Sequence
from random import Random

from engine.model.clock import Clock
from engine.runtime.log import Logger
from exec.core import ports as p
from exec.gate.approval import Approval
from exec.gate.checks import Proposed
from exec.gateways.codec import Listing
from exec.gateways.local import LocalGateway
from exec.paper.account import Account
from exec.paper.lanes import Latency
from exec.paper.rules import Market
from exec.paper.venue import told_of_account
from exec.records import Found, Intended
from exec.state.entries import money
from exec.state.state import State


class DryGateway(LocalGateway):
    """Implements ``exec.core.ports.Gateway`` without a venue: balances as configured, no orders."""

    def __init__(
        self, venue: str, listings: Sequence[Listing], market: Market, balances: Mapping[str, str],
        state: State, *, clock: Clock, log: Logger,
    ) -> None:
        """``balances``: exact decimal text by asset; ConfigInvalid where the journal has others."""
        amounts = {asset: money(text) for asset, text in balances.items()}
        super().__init__(
            Account(venue, listings, amounts, state), market, Latency.even(0, 0), clock=clock,
            random=Random(0), log=log)  # noqa: S311  nothing is drawn

    def place(self, order: Intended, proposed: Proposed, approval: Approval) -> str:
        """Send nothing and say so."""
        return ""

    def cancel(self, order: Intended, venue_order: str) -> str:
        """Send nothing and say so: no order was ever there."""
        return ""

    def cancel_all(self) -> None:
        """Do nothing: nothing rests."""

    def arm(self, timeout_ms: int) -> None:
        """Do nothing: there is nothing to cancel."""

    def _pass(self, now_ns: int) -> None:
        """Do nothing: there is no venue."""

    def _told_of(self, order: Intended, asked_unix_ns: int) -> Iterable[p.Report]:
        """Return that it never was there: a process that died may have left it in doubt."""
        return [p.Seen(self.venue, order.client_id, "", Found.ABSENT, "", 0, asked_unix_ns)]

    def _told_of_all(self, since_unix_ns: int) -> Iterable[p.Report]:
        return [p.Listing(self.venue, ()), *told_of_account(self._account)]
