"""Everything about the account, in an order in which each answer explains the next.

    TradesHistory, page by page ─▶ QueryOrders: whose they were ─▶ OpenOrders ─▶ BalanceEx
                                                            ╰─▶ Ledgers, where some may be missed
Fills are reported before the open orders, and those before the balances; one that fails ends the
survey with a failed listing.  Pages come newest first: trades that happen meanwhile shift rows to
later pages, where they come twice and never get lost.
Source: shared/venues/kraken.md (Private, Rate limits), 2026-11-21.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from engine.model.errors import DecodeError
from exec.core import ports as p
from exec.gateways.codec import Outcome, Request
from exec.venues.kraken import wire
from exec.venues.kraken.known import Orders
from exec.venues.kraken.movements import moved
from exec.venues.kraken.names import asset_of
from exec.venues.kraken.numbers import amount, difference
from exec.venues.kraken.rest import Rest, method_of
from exec.venues.kraken.rows import Rows

PAGES_MAX: Final = 1_000
PAGE: Final = 50  # rows
KINDS: Final = ("deposit", "withdrawal")  # of ledger entries that the balances channel tells too
SURVEY: Final = "survey"
SECOND_NS: Final = 1_000_000_000


class Surveys:
    """One survey at a time; answers to an older one are read all the same, but ask no more."""

    def __init__(self, venue: str, rest: Rest, rows: Rows, orders: Orders) -> None:
        self._venue, self._rest, self._rows, self._orders = venue, rest, rows, orders
        self._number, self._since_s, self._pages = 0, 0, 0
        self._unfinished = False  # then the next one looks as far back as this one did
        self._unread: dict[str, wire.TradeRow] = {}  # trades of orders not known yet
        self._kinds: list[str] = []  # of ledger entries left to ask for
        self._offset = 0
        self.gap = True  # the balances channel may have told of money while nobody listened

    def begin(self, since_unix_ns: int, now_unix_ns: int, *, ledgers: bool) -> Request:
        """Return the first question of a new survey; ledger entries wait without ``ledgers``."""
        self._number += 1
        since_s = since_unix_ns // SECOND_NS - 1
        self._since_s = min(since_s, self._since_s) if self._unfinished else since_s
        self._unfinished, self._pages, self._offset, self._unread = True, 0, 0, {}
        self.gap = self.gap or bool(self._kinds)
        self._kinds = [*KINDS] if self.gap and ledgers else []
        self.gap = self.gap and not ledgers
        return self._trades(now_unix_ns)

    def _trades(self, now_unix_ns: int) -> Request:
        offset = f"&ofs={self._offset}" if self._offset else ""
        return self._ask("TradesHistory", now_unix_ns,
                         f"start={self._since_s}&consolidate_taker=false{offset}")

    def _ask(self, method: str, now_unix_ns: int, fields: str = "") -> Request:
        return self._rest.post(method, now_unix_ns, purpose=SURVEY, fields=fields,
                               number=f"s{self._number}")

    def answer(self, request: Request, result: msgspec.Raw, asked_unix_ns: int) -> Outcome:
        """Read an answer; ask the next question."""
        method = method_of(request)
        if method == "BalanceEx":
            self._unfinished = self._unfinished and request.id != f"s{self._number}"
            rows = wire.parse(wire.holdings, result)
            return Outcome(reports=self._balances(rows), requests=self._ledgers(
                request, asked_unix_ns))
        if method == "OpenOrders":
            listing = self._listing(wire.parse(wire.open_orders, result).open)
            return Outcome(reports=[listing],
                           requests=self._follow(request, "BalanceEx", asked_unix_ns))
        if method == "Ledgers":
            return self._moved(request, wire.parse(wire.ledgers, result), asked_unix_ns)
        if method == "TradesHistory":
            return self._history(request, wire.parse(wire.histories, result), asked_unix_ns)
        if method != "QueryOrders":
            raise DecodeError(f"kraken: {method} is no part of a survey")
        if request.id != f"s{self._number}":
            return Outcome()
        for venue_order, row in wire.parse(wire.orders, result).items():
            self._rows.order(venue_order, row)
        unread, self._unread = self._unread, {}
        return Outcome(reports=self._rows.trades(unread),
                       requests=self._after_page(request, asked_unix_ns))

    def failed(self, request: Request, why: str) -> p.Report:
        """Return what a survey reports that did not come through."""
        return p.Listing(self._venue, (), f"{method_of(request)}: {why}")

    def _follow(self, request: Request, method: str, now_unix_ns: int) -> list[Request]:
        current = request.id == f"s{self._number}"
        return [self._ask(method, now_unix_ns)] if current else []

    # --- trades --------------------------------------------------------------------------------

    def _history(
        self, request: Request, page: wire.TradesHistory, now_unix_ns: int
    ) -> Outcome:
        """Report the trades of a page, once it is known whose orders they belong to."""
        if request.id != f"s{self._number}":
            return Outcome()
        self._pages += 1
        self._offset += len(page.trades)
        if _last(len(page.trades), self._offset, page.count):
            self._offset = 0
        if self._pages > PAGES_MAX:
            raise DecodeError("kraken: a history without end")
        strange = sorted({row.ordertxid for row in page.trades.values()
                          if self._orders.find(row.ordertxid) is None})
        if not strange:
            return Outcome(reports=self._rows.trades(page.trades),
                           requests=self._after_page(request, now_unix_ns))
        self._unread = page.trades
        return Outcome(requests=[self._ask(
            "QueryOrders", now_unix_ns, "txid=" + "%2C".join(strange))])

    def _after_page(self, request: Request, now_unix_ns: int) -> list[Request]:
        if self._offset:
            return [self._trades(now_unix_ns)]
        return self._follow(request, "OpenOrders", now_unix_ns)

    # --- open orders, money --------------------------------------------------------------------

    def _listing(self, rows: Mapping[str, wire.OrderRow]) -> p.Listing:
        listed = list[tuple[str, str, str, int]]()
        for venue_order, row in rows.items():
            known = self._rows.order(venue_order, row)
            symbol = known.listing.symbol if known.listing else row.descr.pair
            listed.append((known.client_id, venue_order, symbol, known.filled))
        return p.Listing(self._venue, tuple(listed))

    def _balances(self, rows: Mapping[str, wire.Holding]) -> list[p.Report]:
        return [
            p.Balance(self._venue, asset, difference(row.balance, row.hold_trade),
                      amount(row.hold_trade), SURVEY)
            for code, row in rows.items() if (asset := asset_of(code))]

    def _ledgers(self, request: Request, now_unix_ns: int) -> list[Request]:
        if request.id != f"s{self._number}" or not self._kinds:
            return []
        offset = f"&ofs={self._offset}" if self._offset else ""
        return [self._ask("Ledgers", now_unix_ns,
                          f"type={self._kinds[0]}&start={self._since_s}{offset}")]

    def _moved(self, request: Request, page: wire.Ledgers, now_unix_ns: int) -> Outcome:
        reports = [
            moved(self._venue, asset, row.type, row.amount, row.fee, name,
                  int(row.time * 10**9))
            for name, row in page.ledger.items() if (asset := asset_of(row.asset))]
        if request.id != f"s{self._number}":
            return Outcome(reports=reports)
        self._pages += 1
        self._offset += len(page.ledger)
        if self._pages > PAGES_MAX:
            raise DecodeError("kraken: a ledger without end")
        if _last(len(page.ledger), self._offset, page.count):
            self._kinds.pop(0)
            self._offset = 0
        return Outcome(reports=reports, requests=self._ledgers(request, now_unix_ns))


def _last(rows: int, read: int, count: int) -> bool:
    """Return whether a page was the last, by its rows where the venue does not count."""
    return not rows or (read >= count if count else rows < PAGE)
