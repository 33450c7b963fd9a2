"""Coinbase's rows as reports.

Source: shared/venues/coinbase.md, Private and Fees, 2026-11-21.  Fees are in the quote asset.
Somebody else's doings on an instrument that we do not list are told as an order that the venue
has: all that need be known of it.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from engine.model.errors import DecodeError
from exec.core import ports as p
from exec.gateways.codec import Listing
from exec.records import Found, Side
from exec.venues import reading
from exec.venues.coinbase import wire

SIDES: Final = {"BUY": int(Side.BUY), "SELL": int(Side.SELL)}
ENDS: Final = {
    "FILLED": "filled", "CANCELLED": "cancelled", "EXPIRED": "expired", "FAILED": "expired"}
UNBORN: Final = ("PENDING", "QUEUED")  # taken, and not in the book yet


class Reports:
    """Writes reports of one account."""

    def __init__(self, venue: str, listings: Iterable[Listing]) -> None:
        self._venue = venue
        self._by_native: Mapping[str, Listing] = {each.native: each for each in listings}

    def listed(self, native: str) -> Listing | None:
        """Return an instrument by the venue's name."""
        return self._by_native.get(native)

    def told(self, row: wire.UserOrder) -> tuple[p.Accepted | None, int, p.Over | None]:
        """Return what the user channel tells: that it rests, how much filled, that it is over."""
        listing = self._by_native.get(row.product_id)
        here = p.Accepted(self._venue, row.client_order_id, row.order_id)
        if listing is None:
            return here, 0, None
        filled = reading.quanta(row.cumulative_quantity, listing.size_decimals)
        end = ENDS.get(row.status)
        if end:
            return None, filled, p.Over(
                self._venue, row.client_order_id, row.order_id, end, filled, "stream")
        return (None if row.status in UNBORN else here), filled, None

    def traded(self, row: wire.Fill, client_id: str, source: str) -> p.Report:
        """Return a fill."""
        listing = self._by_native.get(row.product_id)
        if listing is None:
            return p.Accepted(self._venue, client_id, row.order_id)
        price = reading.positive(row.price, listing.price_decimals)
        return p.Traded(
            self._venue, listing.symbol, client_id, row.order_id, row.trade_id, SIDES[row.side],
            price, self.size(row), row.commission, listing.quote,
            row.liquidity_indicator == "TAKER", reading.ns_of_iso(row.trade_time), source)

    def size(self, row: wire.Fill) -> int:
        """Return a fill's size in quanta, 0 on an instrument that is not listed."""
        listing = self._by_native.get(row.product_id)
        if listing is None:
            return 0
        if not row.size_in_quote:
            return reading.positive(row.size, listing.size_decimals)
        price = Decimal(row.price)
        if not price:
            raise DecodeError(f"trade {row.trade_id} has no price")
        return reading.positive(f"{Decimal(row.size) / price:f}", listing.size_decimals)

    def seen(self, row: wire.Order, client_id: str, asked_unix_ns: int) -> p.Seen:
        """Return what became of an order that was asked for."""
        listing = self._by_native.get(row.product_id)
        if listing is None or row.client_order_id != client_id:
            raise DecodeError(f"not the order {client_id} that was asked for")
        end = ENDS.get(row.status)
        return p.Seen(
            self._venue, client_id, row.order_id, int(Found.ENDED if end else Found.OPEN),
            end or "", reading.quanta(row.filled_size, listing.size_decimals), asked_unix_ns)

    def open_order(self, row: wire.Order) -> tuple[str, str, str, int]:
        """Return one line of the listing of open orders."""
        listing = self._by_native.get(row.product_id)
        if listing is None:
            return row.client_order_id, row.order_id, row.product_id, 0
        filled = reading.quanta(row.filled_size, listing.size_decimals)
        return row.client_order_id, row.order_id, listing.symbol, filled

    def balances(self, rows: Iterable[wire.Account]) -> tuple[p.Report, ...]:
        """Return balances."""
        return tuple(
            p.Balance(self._venue, row.currency, row.available_balance.value, row.hold.value,
                      "query") for row in rows)
