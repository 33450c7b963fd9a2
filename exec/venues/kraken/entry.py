"""Orders and cancels on their way out, over WebSocket v2 or by REST.

Each request carries its order's own deadline: past it, the engine drops it.  Fees are asked for in
the quote.  Source: shared/venues/kraken.md (Private), 2026-11-21.
"""

from typing import Final
from urllib.parse import quote

from engine.model.quanta import from_quanta, plain
from exec.gateways.codec import ORDERS, Request
from exec.records import Intended, Tif
from exec.venues.kraken.names import Pairs
from exec.venues.kraken.numbers import Deadlines
from exec.venues.kraken.rest import Rest

PENDING_MAX: Final = 10_000  # requests whose answers are awaited
_TIF: Final = {Tif.GTC: "gtc", Tif.IOC: "ioc", Tif.FOK: "fok"}
_SIDE: Final = {1: "buy", -1: "sell"}
Kind = tuple[str, int, int, bool, bool]  # symbol, side, tif, post only, reduce only


class Pending:
    """What each numbered WebSocket request asked for: (purpose, client id or channel)."""

    def __init__(self) -> None:
        self._asked: dict[int, tuple[str, str]] = {}
        self._last = 0

    def add(self, purpose: str, subject: str) -> int:
        """Return the number of a new request."""
        self._last += 1
        self._asked[self._last] = (purpose, subject)
        if len(self._asked) > PENDING_MAX:
            del self._asked[next(iter(self._asked))]
        return self._last

    def find(self, number: int) -> tuple[str, str] | None:
        """Return what a request asked for; a cancel may be answered more than once."""
        return self._asked.get(number)


class Entry:
    """Writes orders and cancels from templates."""

    def __init__(self, pairs: Pairs, rest: Rest, pending: Pending) -> None:
        self._pairs, self._rest, self._pending = pairs, rest, pending
        self._deadlines = Deadlines()
        self._heads: dict[Kind, tuple[str, int, int]] = {}

    def place(self, order: Intended, token: str) -> Request:
        """Return an add_order."""
        kind = (order.symbol, order.side, order.tif, order.post_only, order.reduce_only)
        head, price_decimals, size_decimals = self._heads.get(kind) or self._head(kind)
        number = self._pending.add("place", order.client_id)
        text = (
            f'{head}"order_qty":{plain(from_quanta(order.size, size_decimals))},"limit_price":'
            f'{plain(from_quanta(order.price, price_decimals))},"cl_ord_id":"{order.client_id}",'
            f'"deadline":"{self._deadlines(order.deadline_unix_ns)}","token":"{token}"}},'
            f'"req_id":{number}}}')
        return Request(channel=ORDERS, purpose="place", client_id=order.client_id,
                       id=str(number), text=text.encode())

    def _head(self, kind: Kind) -> tuple[str, int, int]:
        symbol, side, tif, post_only, reduce_only = kind
        listing = self._pairs.by_symbol[symbol]
        flags = '"post_only":true,' * post_only + '"reduce_only":true,' * reduce_only
        head = (f'{{"method":"add_order","params":{{"order_type":"limit","side":"{_SIDE[side]}",'
                f'"symbol":"{listing.native}","time_in_force":"{_TIF[Tif(tif)]}",'
                f'"fee_preference":"quote",{flags}')
        made = self._heads[kind] = (head, listing.price_decimals, listing.size_decimals)
        return made

    def place_by_rest(self, order: Intended, now_unix_ns: int) -> Request:
        """Return an AddOrder."""
        listing = self._pairs.by_symbol[order.symbol]
        size = plain(from_quanta(order.size, listing.size_decimals))
        price = plain(from_quanta(order.price, listing.price_decimals))
        tif = "" if order.tif == Tif.GTC else f"&timeinforce={_TIF[Tif(order.tif)].upper()}"
        flags = "post%2Cfciq" if order.post_only else "fciq"
        fields = (
            f"pair={self._pairs.rest(order.symbol)}&type={_SIDE[order.side]}&ordertype=limit"
            f"&volume={size}&cl_ord_id={order.client_id}&price={price}{tif}&oflags={flags}"
            f"{'&reduce_only=true' * order.reduce_only}"
            f"&deadline={quote(self._deadlines(order.deadline_unix_ns))}")
        return self._rest.post("AddOrder", now_unix_ns, purpose="place", fields=fields,
                               client_id=order.client_id)

    def cancel(self, order: Intended, venue_order: str, token: str) -> Request:
        """Return a cancel_order."""
        name = f'"order_id":["{venue_order}"]' if venue_order else (
            f'"cl_ord_id":["{order.client_id}"]')
        number = self._pending.add("cancel", order.client_id)
        text = (f'{{"method":"cancel_order","params":{{{name},"token":"{token}"}},'
                f'"req_id":{number}}}')
        return Request(channel=ORDERS, purpose="cancel", client_id=order.client_id,
                       id=str(number), text=text.encode())

    def cancel_by_rest(self, order: Intended, venue_order: str, now_unix_ns: int) -> Request:
        """Return a CancelOrder."""
        fields = f"txid={venue_order}" if venue_order else f"cl_ord_id={order.client_id}"
        return self._rest.post("CancelOrder", now_unix_ns, purpose="cancel", fields=fields,
                               client_id=order.client_id)

    def command(self, method: str, token: str, *, purpose: str, extra: str = "") -> Request:
        """Return a request about the whole account."""
        number = self._pending.add(purpose, "")
        text = (f'{{"method":"{method}","params":{{{extra}"token":"{token}"}},'
                f'"req_id":{number}}}')
        return Request(channel=ORDERS, purpose=purpose, id=str(number), text=text.encode())
