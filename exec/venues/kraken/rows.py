"""Orders and trades as REST tells of them.

Source: shared/venues/kraken.md (Private), 2026-11-21, and the samples it names.
"""

from collections.abc import Mapping
from typing import Final

from engine.model.errors import DecodeError
from exec.core import ports as p
from exec.records import Found
from exec.venues.kraken.executions import side_of
from exec.venues.kraken.known import Known, Orders
from exec.venues.kraken.names import Pairs
from exec.venues.kraken.numbers import amount, quanta
from exec.venues.kraken.wire import OrderRow, TradeRow

RESTING: Final = frozenset({"pending", "open"})
ENDS: Final = {"closed": "filled", "canceled": "cancelled", "expired": "expired"}


class Rows:
    """Reads them; what they tell of orders is kept for later rows."""

    def __init__(self, venue: str, pairs: Pairs, orders: Orders) -> None:
        self._venue, self._pairs, self._orders = venue, pairs, orders

    def order(self, venue_order: str, row: OrderRow) -> Known:
        """Take in what a row says of an order."""
        known = self._orders.note(venue_order)
        known.client_id = row.cl_ord_id or known.client_id
        known.listing = self._pairs.find(row.descr.pair)
        known.side, known.told = side_of(row.descr.type), True
        known.fee_in_base = "fcib" in row.oflags
        if known.listing is not None:
            decimals = known.listing.size_decimals
            known.size = quanta(row.vol, decimals)
            known.filled = max(known.filled, quanta(row.vol_exec, decimals))
        return known

    def seen(self, venue_order: str, row: OrderRow, asked_unix_ns: int) -> p.Seen:
        """Return the evidence in a row."""
        known = self.order(venue_order, row)
        if known.listing is None:
            raise DecodeError(f"kraken: an order of ours in {row.descr.pair[:40]!r}")
        how = ENDS.get(row.status, "")
        if not how and row.status not in RESTING:
            raise DecodeError(f"kraken: order status {row.status[:40]!r}")
        filled = quanta(row.vol_exec, known.listing.size_decimals)
        return p.Seen(self._venue, known.client_id, venue_order,
                      Found.ENDED if how else Found.OPEN, how, filled, asked_unix_ns)

    def untold(self, venue_order: str, row: OrderRow) -> list[str]:
        """Return an order's trades that nobody reported, as far as its filled size needs them."""
        known = self.order(venue_order, row)
        if known.listing is not None and (
                known.traded >= quanta(row.vol_exec, known.listing.size_decimals)):
            return []
        return [trade for trade in row.trades if trade not in known.trades]

    def trades(self, rows: Mapping[str, TradeRow]) -> list[p.Report]:
        """Return fills, oldest first; those of instruments that we do not trade as strangers."""
        ordered = sorted(rows.items(), key=lambda each: quanta(each[1].time, 9))
        return [self._trade(trade, row) for trade, row in ordered]

    def _trade(self, trade: str, row: TradeRow) -> p.Report:
        known = self._orders.find(row.ordertxid)
        client_id = known.client_id if known else ""
        listing = self._pairs.find(row.pair)
        if listing is None:
            return p.Accepted(self._venue, client_id, row.ordertxid)
        size = quanta(row.vol, listing.size_decimals)
        if known is not None:
            known.trade(trade, size)
        asset = listing.base if known and known.fee_in_base else listing.quote
        return p.Traded(
            self._venue, listing.symbol, client_id, row.ordertxid, trade, side_of(row.type),
            quanta(row.price, listing.price_decimals), size,
            amount(row.fee), asset, not row.maker, quanta(row.time, 9), "query")
