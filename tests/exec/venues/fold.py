"""What reports make of exec.state by the shortest way, and how that compares with the truth."""

from collections.abc import Callable
from typing import Any

from engine.model.quanta import to_quanta
from exec import records as r
from exec.core import ports as p
from exec.gateways.codec import Listing
from exec.state.entries import Order, money
from exec.state.orders import State as OrderState
from exec.state.state import State
from ops.sim.truth import AccountTruth

ENDED = {OrderState.CANCELLED, OrderState.EXPIRED, OrderState.FILLED}
NEVER = {OrderState.REJECTED, OrderState.ABSENT}


class Fold:
    """One account: orders go in, reports go in, exec.state comes of it."""

    def __init__(self, venue: str, listings: tuple[Listing, ...]) -> None:
        self.venue, self.state, self.now_ns = venue, State(), 0
        self.listings = {each.symbol: each for each in listings}
        self.heard: list[p.Report] = []
        self.traded: dict[str, p.Traded] = {}
        self.strangers: list[str] = []
        self.balances: dict[str, tuple[str, str]] = {}  # of the newest survey
        self.listing: p.Listing | None = None
        self.apply(r.Opened(r.SCHEMA, "e", "paper", 1_790_000_000, 1, "c", 1))
        for each in listings:
            self.apply(r.Listed(venue, each.symbol, each.native, each.base, each.quote, "",
                                each.price_decimals, each.size_decimals))
        self._act: dict[type, Callable[[Any], None]] = {
            p.Accepted: self._accepted, p.Denied: self._denied, p.Traded: self._traded,
            p.Over: self._over, p.CancelDenied: self._cancel_denied, p.Lost: self._lost,
            p.Seen: self._seen, p.Listing: self._listed, p.Balance: self._balance,
        }

    def apply(self, record: r.Record) -> None:
        """Append a record."""
        self.state.apply(record, self.now_ns)

    def intend(self, order: r.Intended) -> None:
        """Send an order."""
        self.apply(order)
        self.apply(r.Sent(order.order, "ws"))

    def hear(self, report: p.Report) -> None:
        """Take a report in."""
        self.heard.append(report)
        act = self._act.get(type(report))
        if act is not None:
            act(report)

    def take(self) -> list[p.Report]:
        """Return what was heard since the last time."""
        heard, self.heard = self.heard, []
        return heard

    def _of(self, client_id: str, venue_order: str = "") -> Order | None:
        return self.state.order_of(self.venue, client_id=client_id, venue_order=venue_order)

    def _accepted(self, report: p.Accepted) -> None:
        order = self._of(report.client_id)
        if order is None:
            self.strangers.append(report.venue_order)
        else:
            self.apply(r.Acknowledged(order.intent.order, report.venue_order))

    def _denied(self, report: p.Denied) -> None:
        order = self._of(report.client_id)
        assert order is not None
        self.apply(r.Rejected(order.intent.order, report.code, report.text))

    def _traded(self, report: p.Traded) -> None:
        before = self.traded.setdefault(report.trade, report)
        assert _facts(before) == _facts(report)  # stream and query tell the same
        order = self._of(report.client_id, report.venue_order)
        self.apply(r.Filled(
            order.intent.order if order else 0, self.venue, report.symbol, report.trade,
            report.side, report.price, report.size, report.fee, report.fee_asset, report.taker,
            report.venue_unix_ns, report.source, report.realised))

    def _over(self, report: p.Over) -> None:
        order = self._of(report.client_id, report.venue_order)
        if order is not None:
            self.apply(r.Ended(order.intent.order, report.how, report.filled, report.source))

    def _cancel_denied(self, report: p.CancelDenied) -> None:
        order = self._of(report.client_id)
        if order is not None:
            self.apply(r.CancelRefused(order.intent.order, report.code, report.text))

    def _lost(self, report: p.Lost) -> None:
        order = self._of(report.client_id)
        if order is not None and report.request != "query":
            self.apply(r.Doubted(order.intent.order, report.why))

    def _seen(self, report: p.Seen) -> None:
        order = self._of(report.client_id)
        assert order is not None
        found = r.Found(report.found)
        if found is r.Found.ENDED:
            self.apply(r.Ended(order.intent.order, report.how, report.filled, "query"))
        elif found is r.Found.OPEN or (
                order.state is OrderState.UNKNOWN
                and report.asked_unix_ns > order.intent.deadline_unix_ns):
            self.apply(r.Proven(order.intent.order, found, report.venue_order, report.filled, "q"))

    def _listed(self, report: p.Listing) -> None:
        self.listing = report

    def _balance(self, report: p.Balance) -> None:
        if report.source == "query":
            self.balances[report.asset] = (report.free, report.locked)

    # --- against the truth ---------------------------------------------------------------------

    def compare(
        self, begin: AccountTruth, end: AccountTruth, name: Callable[[int], str]
    ) -> None:
        """Fail unless orders, fills, money and the survey are the venue's own, to the last unit.

        ``name`` writes a number of the exchange as the venue does.
        """
        (listing,) = self.listings.values()
        truth = {order.client_id: order for order in end.orders}
        for order in self.state.orders.values():
            there, state = truth.pop(order.intent.client_id, None), order.state
            if there is None:
                assert state in NEVER, (order, "is not at the venue")
                continue
            filled = to_quanta(there.filled, listing.size_decimals)
            assert (order.booked, order.venue_filled) == (filled, filled), (order, there)
            allowed = {OrderState.OPEN} if there.status == "open" else ENDED
            assert state in allowed, (order, there)
            assert not order.odd, (order, there)
        assert not truth, "orders that nobody sent"
        assert self.strangers == []
        assert sorted(_facts(each) for each in self.traded.values()) == sorted(
            (name(fill.trade_id), name(fill.order_id), fill.client_id,
             1 if fill.side == "buy" else -1, to_quanta(fill.price, listing.price_decimals),
             to_quanta(fill.size, listing.size_decimals), money(fill.fee), fill.fee_asset,
             fill.taker) for fill in end.fills)
        for asset, (free, locked) in end.balances.items():
            first = sum(map(money, begin.balances[asset]))
            held = self.state.holdings.get((self.venue, asset), 0)
            assert first + held == money(free) + money(locked), asset
            told = self.balances.get(asset, ("0", "0"))
            assert [*map(money, told)] == [money(free), money(locked)], asset
        assert self.listing is not None
        assert self.listing.failed == ""
        assert {row[0]: row[1:] for row in self.listing.orders} == {
            order.client_id: (name(order.id), listing.symbol,
                              to_quanta(order.filled, listing.size_decimals))
            for order in end.orders if order.status == "open"}


def _facts(report: p.Traded) -> tuple[Any, ...]:
    return (report.trade, report.venue_order, report.client_id, report.side, report.price,
            report.size, money(report.fee), report.fee_asset, report.taker)
