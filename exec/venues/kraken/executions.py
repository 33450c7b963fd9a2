"""Rows of the executions channel: what they say of our orders and fills.

    new ─▶ Accepted    trade ─▶ Traded    filled, canceled, expired ─▶ Over    the rest: merged
Rows after the first tell only what changed, so they are merged by order_id.  An order that was told
as a whole and has no client id is somebody else's: it is reported with none.
Source: shared/venues/kraken.md (Private: executions channel), 2026-11-21.
"""

from collections.abc import Iterator
from typing import Final

from engine.model.errors import DecodeError
from exec.core import ports as p
from exec.venues.kraken.known import Known, Orders
from exec.venues.kraken.names import Pairs
from exec.venues.kraken.numbers import quanta, total, unix_ns_of
from exec.venues.kraken.wire import Execution, Fee

ENDS: Final = {"filled": "filled", "canceled": "cancelled", "expired": "expired"}
MERGED: Final = frozenset({"pending_new", "iceberg_refill", "amended", "restated", "status"})
WHOLE: Final = frozenset({"pending_new", "new"})
SIDES: Final = {"buy": 1, "sell": -1}
TAKER: Final = {"t": True, "m": False}


class Executions:
    """Reads rows in their order."""

    def __init__(self, venue: str, pairs: Pairs, orders: Orders) -> None:
        self._venue, self._pairs, self._orders = venue, pairs, orders

    def read(self, row: Execution) -> Iterator[p.Report]:
        """Yield what a row reports; raise DecodeError for what no row may say."""
        known = self._merge(row)
        if row.exec_type == "trade":
            yield self._traded(row, known)
        elif row.exec_type == "new":
            if not known.accepted and (known.client_id or known.told):
                known.accepted = True
                yield p.Accepted(self._venue, known.client_id, row.order_id)
        elif row.exec_type in ENDS:
            if known.listing is not None:
                yield p.Over(self._venue, known.client_id, row.order_id, ENDS[row.exec_type],
                             self._filled(row, known), "stream")
        elif row.exec_type not in MERGED:
            raise DecodeError(f"kraken: exec_type {row.exec_type[:40]!r}")

    def unclear(self, row: Execution) -> bool:
        """Return whether a row ends an order of which too little is known to say how."""
        known = self._orders.find(row.order_id)
        return row.exec_type in ENDS and (known is None or known.listing is None) and (
            not row.symbol)

    def _merge(self, row: Execution) -> Known:
        known = self._orders.note(row.order_id)
        known.client_id = row.cl_ord_id or known.client_id
        if row.fee_ccy_pref:
            known.fee_in_base = row.fee_ccy_pref == "fcib"
        if row.side:
            known.side = side_of(row.side)
        if row.symbol:
            known.listing = self._pairs.find(row.symbol)
            known.told = known.told or row.exec_type in WHOLE
        if known.listing is not None:
            decimals = known.listing.size_decimals
            if row.order_qty is not None:
                known.size = quanta(row.order_qty, decimals)
            if row.last_qty is not None:
                known.trade(row.exec_id, quanta(row.last_qty, decimals))
            told = 0 if row.cum_qty is None else quanta(row.cum_qty, decimals)
            known.filled = max(known.filled, told)
        return known

    def _filled(self, row: Execution, known: Known) -> int:
        """Return the cumulative size at an order's end."""
        if row.exec_type == "filled" and row.cum_qty is None:
            return max(known.size, known.filled)
        return known.filled

    def _traded(self, row: Execution, known: Known) -> p.Report:
        listing = known.listing
        if listing is None and row.symbol:  # an instrument that we do not trade: somebody did
            return p.Accepted(self._venue, known.client_id, row.order_id)
        taker = TAKER.get(row.liquidity_ind)
        if (listing is None or row.last_qty is None or row.last_price is None or taker is None
                or not known.side or not row.exec_id):
            raise DecodeError(f"kraken: a trade that does not tell all: {row.exec_id[:40]!r}")
        fee, asset = fee_of(row.fees, listing.quote)
        return p.Traded(
            self._venue, listing.symbol, known.client_id, row.order_id, row.exec_id, known.side,
            quanta(row.last_price, listing.price_decimals),
            quanta(row.last_qty, listing.size_decimals), fee, asset, taker,
            unix_ns_of(row.timestamp), "stream")


def side_of(word: str) -> int:
    """Return the sign of a side; raise DecodeError."""
    side = SIDES.get(word)
    if side is None:
        raise DecodeError(f"kraken: side {word[:40]!r}")
    return side


def fee_of(fees: list[Fee], quote: str) -> tuple[str, str]:
    """Return a fee and its asset; raise DecodeError for one in several assets."""
    if not fees:
        return "0", quote
    if len({fee.asset for fee in fees}) > 1:
        raise DecodeError("kraken: a fee in several assets")
    return total([fee.qty for fee in fees]), fees[0].asset
