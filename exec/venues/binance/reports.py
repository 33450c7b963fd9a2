"""Binance's rows in the core's words.

An order or trade of an instrument that we do not count is somebody else's: it is reported as an
order that the venue has, which the core does not know and stops for.
"""

from collections.abc import Sequence
from typing import Final

from engine.model.errors import DecodeError
from exec.core import ports as p
from exec.gateways.codec import Listing
from exec.records import Found, Side
from exec.venues.binance import rows
from exec.venues.binance.numbers import filled, is_zero, positive, unix_ns

NAMES_MAX: Final = 100_000  # of orders, the oldest are forgotten first
STREAM, ANSWER, QUERY = "stream", "answer", "query"


def trade_name(trade: int, *, buy: bool) -> str:
    """Return what a trade is called here: the venue's id and our side of it, 56b or 56s.

    Both sides of a self-trade have the same id, and USD-M prevents none of FOK orders.  Not by
    maker or taker: the answer to an order does not tell which of them a fill was.
    """
    return f"{trade}b" if buy else f"{trade}s"


class Reports:
    """Writes the reports of one account."""

    def __init__(self, venue: str, listings: Sequence[Listing]) -> None:
        self.venue = venue
        self.listings = {each.native: each for each in listings}
        self.names: dict[tuple[str, int], str] = {}  # native, venue order -> client id

    def name(self, native: str, order: int, client_id: str) -> None:
        """Remember which client id an order has: trades do not tell."""
        if len(self.names) >= NAMES_MAX:
            del self.names[next(iter(self.names))]
        self.names[native, order] = client_id

    def listing(self, native: str) -> Listing:
        """Return an instrument that must be ours."""
        found = self.listings.get(native)
        if found is None:
            raise DecodeError(f"{native!r} was not asked about")
        return found

    # --- answers -------------------------------------------------------------------------------

    def placed(self, row: rows.Placed, client_id: str) -> list[p.Report]:
        """Return what the answer to an order means."""
        listing = self.listing(row.symbol)
        if row.client_id != client_id:
            raise DecodeError(f"{row.client_id!r} answers for {client_id!r}")
        venue_order = str(row.order)
        if row.status == "REJECTED":
            return [p.Denied(self.venue, client_id, row.status, "rejected", business=True)]
        self.name(row.symbol, row.order, client_id)
        reports: list[p.Report] = [p.Accepted(self.venue, client_id, venue_order)]
        if row.fills and row.side is None:
            raise DecodeError("fills of an order without a side")
        buy = row.side == "BUY"
        reports += [p.Traded(
            self.venue, listing.symbol, client_id, venue_order, trade_name(fill.trade, buy=buy),
            Side.BUY if buy else Side.SELL,
            positive(fill.price, listing.price_decimals),
            positive(fill.size, listing.size_decimals), fill.fee, fill.fee_asset,
            taker=True, venue_unix_ns=unix_ns(row.time_ms), source=ANSWER)
            for fill in row.fills]
        if row.status is not None and row.status in rows.HOW:
            reports.append(self._over(listing, client_id, row.order, rows.HOW[row.status],
                                      row.filled, ANSWER))
        return reports

    def cancelled(self, row: rows.Cancelled, client_id: str = "") -> list[p.Report]:
        """Return what the answer to a cancel means; without a ``client_id`` of any order."""
        found = row.original or row.client_id
        if client_id and found != client_id:
            raise DecodeError(f"{found!r} answers for {client_id!r}")
        listing, how = self.listings.get(row.symbol), rows.HOW.get(row.status)
        if listing is None or how is None:  # somebody else's; or its end is still to come
            return []
        return [self._over(listing, found, row.order, how, row.filled, ANSWER)]

    # --- queries -------------------------------------------------------------------------------

    def seen(self, row: rows.Order, client_id: str, asked_unix_ns: int) -> p.Seen:
        """Return what a query for one order found."""
        listing, how = self.listing(row.symbol), rows.HOW.get(row.status, "")
        if row.client_id != client_id:
            raise DecodeError(f"{row.client_id!r} answers for {client_id!r}")
        self.name(row.symbol, row.order, row.client_id)
        return p.Seen(
            self.venue, client_id, str(row.order), Found.ENDED if how else Found.OPEN, how,
            filled(row.filled, listing.size_decimals), asked_unix_ns)

    def absent(self, client_id: str, asked_unix_ns: int) -> p.Seen:
        """Return that an order was found nowhere."""
        return p.Seen(self.venue, client_id, "", Found.ABSENT, "", 0, asked_unix_ns)

    @staticmethod
    def check(row: rows.Trade, native: str) -> None:
        """Refuse a trade of another symbol than asked for."""
        if row.symbol != native:
            raise DecodeError(f"a trade of {row.symbol!r} among those of {native!r}")

    def trade(self, row: rows.Trade, client_id: str) -> p.Traded:
        """Return a fill that a query brought."""
        listing = self.listing(row.symbol)
        return p.Traded(
            self.venue, listing.symbol, client_id, str(row.order),
            trade_name(row.trade, buy=row.buy),
            Side.BUY if row.buy else Side.SELL, positive(row.price, listing.price_decimals),
            positive(row.size, listing.size_decimals), row.fee,
            row.fee_asset or self._fee_asset(listing, row.fee), not row.maker,
            unix_ns(row.time_ms), QUERY,
            row.realised if isinstance(row, rows.UsdmTrade) else "")

    def open_orders(self, found: Sequence[rows.Order]) -> p.Listing:
        """Return all that rests."""
        orders = []
        for row in found:
            listing = self.listings.get(row.symbol)
            size = filled(row.filled, listing.size_decimals) if listing else 0
            if row.client_id:
                self.name(row.symbol, row.order, row.client_id)
            orders.append((row.client_id, str(row.order),
                           listing.symbol if listing else row.symbol, size))
        return p.Listing(self.venue, tuple(orders))

    # --- the user stream -----------------------------------------------------------------------

    def execution(self, row: rows.Execution) -> list[p.Report]:
        """Return what happened to an order."""
        listing, renamed = self.listings.get(row.symbol), row.what == "REPLACED"
        client_id = row.client_id if renamed else row.original or row.client_id
        known = p.Accepted(self.venue, client_id, str(row.order))
        if listing is None:
            return [known]
        self.name(row.symbol, row.order, client_id)
        if row.what == "TRADE" or (row.what == "CALCULATED" and row.trade > 0):
            return self._traded(row, listing, client_id)
        if row.what == "REJECTED":
            return [p.Denied(self.venue, client_id, row.reason, row.reason, business=True)]
        how = {"CANCELED": "cancelled", "EXPIRED": "expired"}.get(row.what)
        if row.what == "TRADE_PREVENTION":  # one that only shrank says the rest at its end
            how = rows.HOW.get(row.status)
            known_too: list[p.Report] = [] if how is None else [
                self._over(listing, client_id, row.order, how, row.filled, STREAM)]
            return known_too
        if how is None:
            return [known]
        return [self._over(listing, client_id, row.order, how, row.filled, STREAM)]

    def _traded(
        self, row: rows.Execution, listing: Listing, client_id: str
    ) -> list[p.Report]:
        if row.trade <= 0:
            raise DecodeError(f"a trade numbered {row.trade}")
        fee = row.fee or "0"
        reports: list[p.Report] = [p.Traded(
            self.venue, listing.symbol, client_id, str(row.order),
            trade_name(row.trade, buy=row.side == "BUY"),
            Side.BUY if row.side == "BUY" else Side.SELL,
            positive(row.last_price, listing.price_decimals),
            positive(row.last_size, listing.size_decimals), fee,
            row.fee_asset or self._fee_asset(listing, fee), not row.maker,
            unix_ns(row.time_ms), STREAM, (row.realised or "") if listing.settle else "")]
        if row.status == "FILLED":
            reports.append(
                self._over(listing, client_id, row.order, "filled", row.filled, STREAM))
        return reports

    # --- parts ---------------------------------------------------------------------------------

    def _over(
        self, listing: Listing, client_id: str, order: int, how: str, size: str, source: str
    ) -> p.Over:
        return p.Over(self.venue, client_id, str(order), how,
                      filled(size, listing.size_decimals), source)

    @staticmethod
    def _fee_asset(listing: Listing, fee: str) -> str:
        """Return an asset for a fee that has none, because it is nothing."""
        if not is_zero(fee):
            raise DecodeError(f"a fee of {fee} of nothing")
        return listing.settle or listing.quote
