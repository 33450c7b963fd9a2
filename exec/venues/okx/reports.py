"""OKX's rows as reports.

Source: shared/venues/okx.md, Private streams, 2026-11-21.  A charged fee is negative there and
positive here.  Somebody else's doings on an instrument that we do not list are told as an order
that the venue has: all that need be known of it.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from engine.model.errors import DecodeError
from exec.core import ports as p
from exec.gateways.codec import Listing
from exec.records import Found, Side
from exec.venues import reading
from exec.venues.okx import wire

SIDES: Final = {"buy": int(Side.BUY), "sell": int(Side.SELL)}
ENDS: Final = {"filled": "filled", "canceled": "cancelled", "mmp_canceled": "cancelled"}
EXPIRED: Final = ("13", "14")  # sources of a cancellation: rests of fok and ioc orders


class Reports:
    """Writes reports of one account."""

    def __init__(self, venue: str, listings: Iterable[Listing]) -> None:
        self._venue = venue
        self._by_native: Mapping[str, Listing] = {each.native: each for each in listings}

    def symbol(self, native: str) -> str:
        """Return an instrument's unified name, the venue's own where we do not list it."""
        listing = self._by_native.get(native)
        return listing.symbol if listing else native

    def pushed(self, row: wire.Order) -> tuple[p.Report, ...]:
        """Return what a push of the orders channel means."""
        listing = self._by_native.get(row.inst_id)
        here = p.Accepted(self._venue, row.cl_ord_id, row.ord_id)
        if listing is None:
            return (here,)
        end = ENDS.get(row.state)
        found: list[p.Report] = [] if end else [here]
        if row.trade_id and row.fill_sz.strip("0."):
            found.append(self._traded(row, listing))
        if end:
            found.append(p.Over(
                self._venue, row.cl_ord_id, row.ord_id, _how(row, end),
                reading.quanta(row.acc_fill_sz, listing.size_decimals), "stream"))
        return tuple(found)

    def _traded(self, row: wire.Order, listing: Listing) -> p.Traded:
        if not (row.fill_fee and row.fill_fee_ccy and row.exec_type):
            raise DecodeError(f"trade {row.trade_id} of order {row.ord_id} lacks its fee or role")
        return p.Traded(
            self._venue, listing.symbol, row.cl_ord_id, row.ord_id, row.trade_id, SIDES[row.side],
            reading.positive(row.fill_px, listing.price_decimals),
            reading.positive(row.fill_sz, listing.size_decimals),
            reading.negated(row.fill_fee), row.fill_fee_ccy, row.exec_type == "T",
            reading.ns_of_ms(row.fill_time), "stream")

    def fill(self, row: wire.Fill) -> p.Report:
        """Return a fill that REST told of."""
        listing = self._by_native.get(row.inst_id)
        if listing is None:
            return p.Accepted(self._venue, row.cl_ord_id, row.ord_id)
        return p.Traded(
            self._venue, listing.symbol, row.cl_ord_id, row.ord_id, row.trade_id, SIDES[row.side],
            reading.positive(row.fill_px, listing.price_decimals),
            reading.positive(row.fill_sz, listing.size_decimals),
            reading.negated(row.fee), row.fee_ccy, row.exec_type == "T",
            reading.ns_of_ms(row.fill_time or row.ts), "query")

    def seen(self, row: wire.Order, asked_unix_ns: int) -> p.Seen:
        """Return what became of an order that was asked for."""
        listing = self._by_native.get(row.inst_id)
        if listing is None:
            raise DecodeError(f"nobody asked for an order on {row.inst_id}")
        end = ENDS.get(row.state)
        return p.Seen(
            self._venue, row.cl_ord_id, row.ord_id, int(Found.ENDED if end else Found.OPEN),
            _how(row, end) if end else "",
            reading.quanta(row.acc_fill_sz, listing.size_decimals), asked_unix_ns)

    def open_order(self, row: wire.Order) -> tuple[str, str, str, int]:
        """Return one line of the listing of open orders."""
        listing = self._by_native.get(row.inst_id)
        filled = reading.quanta(row.acc_fill_sz, listing.size_decimals) if listing else 0
        return row.cl_ord_id, row.ord_id, self.symbol(row.inst_id), filled

    def balances(self, accounts: Iterable[wire.Account], source: str) -> tuple[p.Report, ...]:
        """Return balances; free and locked make up ``cashBal``."""
        return tuple(
            p.Balance(self._venue, each.ccy, *_split(each), source)
            for account in accounts for each in account.details)


def _how(row: wire.Order, end: str) -> str:
    return "expired" if row.cancel_source in EXPIRED and end == "cancelled" else end


def _split(detail: wire.Detail) -> tuple[str, str]:
    """Return what is free and what is locked; where one is missing, the rest of all."""
    if detail.avail_bal and detail.frozen_bal:
        return detail.avail_bal, detail.frozen_bal
    locked = detail.frozen_bal or "0"
    return f"{Decimal(detail.cash_bal) - Decimal(locked):f}", locked
