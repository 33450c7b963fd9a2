"""Coinbase's requests: each with a token of its own, and remembering what its answer is for.

Source: shared/venues/coinbase.md, Private, 2026-11-21.  A token names method, host and path
without the query.  The venue knows no deadline of a request but the end of its token: an order's
token ends with the order's deadline, in whole seconds.  Tokens begin a second ago, so that a venue
whose clock is behind ours by less takes them.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final
from urllib.parse import quote

import orjson

from engine.model.quanta import from_quanta, plain
from exec.core import ports as p
from exec.gateways.codec import REST, USER, Listing, Request
from exec.records import Intended, Side, Tif
from exec.signing.coinbase import LIFE_S, CoinbaseSigner
from exec.venues.coinbase import wire
from exec.venues.reading import NS_PER_S, iso_ms

HOST: Final = "api.coinbase.com"
ROOT: Final = "/api/v3/brokerage/"
ORDERS_PAGE: Final = 250
FILLS_PAGE: Final = 100
ACCOUNTS_PAGE: Final = 250
PAGES_MAX: Final = 200  # of one answer: what goes on for longer is no answer
BATCH: Final = 100  # cancels in one request
LIFE_NS_MAX: Final = 900 * NS_PER_S  # no order of ours is born so long before its deadline
BEHIND_S: Final = 1  # how far the venue's clock may be
OPEN: Final = "order_status=OPEN"
UNBORN: Final = "order_status=PENDING&order_status=QUEUED"  # which OPEN leaves out


class OrderAsked(Request, frozen=True, kw_only=True):
    """The question what became of one order, by its id."""

    order: Intended
    venue_order: str


class Scan(Request, frozen=True, kw_only=True):
    """The search for an order by our own id, among all since it was born."""

    order: Intended
    venue_order: str  # by which it was not found; empty where the venue never told one
    query: str
    page: int = 1


class OpenAsked(Request, frozen=True, kw_only=True):
    """The question which orders are open: to list them, or to cancel them all."""

    query: str
    found: tuple[tuple[str, str, str, int], ...] = ()
    page: int = 1


class FillsAsked(Request, frozen=True, kw_only=True):
    """The question for fills: of one order with what was ``seen`` of it, of some, or all since."""

    query: str
    orders: tuple[str, ...] = ()
    told: tuple[int, ...] = ()  # how much of each had filled by the user channel's word
    seen: p.Seen | None = None
    rows: tuple[wire.Fill, ...] = ()  # of the pages before
    page: int = 1


class NamesAsked(Request, frozen=True, kw_only=True):
    """The question whose orders fills are of; the page of fills goes on after it."""

    fills: FillsAsked
    rows: tuple[wire.Fill, ...]
    cursor: str


class AccountsAsked(Request, frozen=True, kw_only=True):
    """The question for balances."""

    page: int = 1


class Batch(Request, frozen=True, kw_only=True):
    """Cancels of up to a hundred orders: (client id, venue's id) each."""

    orders: tuple[tuple[str, str], ...]


class Requests:
    """Writes the requests of one account."""

    def __init__(
        self, signer: CoinbaseSigner, listings: Iterable[Listing], nonce: Callable[[], str],
        host: str,
    ) -> None:
        """``nonce`` gives a text that was never used before."""
        self._signer, self._nonce, self._host = signer, nonce, host
        self._listings = {each.symbol: each for each in listings}

    def listing(self, symbol: str) -> Listing:
        """Return an instrument."""
        return self._listings[symbol]

    def subscribe(self, channel: str, now_unix_ns: int) -> Request:
        """Return a subscription of the user connection."""
        token = self._signer.token(_begin_s(now_unix_ns), self._nonce())
        body = {"type": "subscribe", "channel": channel, "jwt": token}
        return Request(channel=USER, purpose="subscribe", text=orjson.dumps(body))

    # --- orders --------------------------------------------------------------------------------

    def place(self, order: Intended, now_unix_ns: int) -> Request:
        """Return an order."""
        listing = self._listings[order.symbol]
        terms = (f'"base_size":"{plain(from_quanta(order.size, listing.size_decimals))}",'
                 f'"limit_price":"{plain(from_quanta(order.price, listing.price_decimals))}"')
        if order.tif == Tif.GTC:
            kind = "limit_limit_gtc"
            terms += ',"post_only":true' if order.post_only else ',"post_only":false'
        else:
            kind = "sor_limit_ioc" if order.tif == Tif.IOC else "limit_limit_fok"
        side = "BUY" if order.side == Side.BUY else "SELL"
        body = (f'{{"client_order_id":"{order.client_id}","product_id":"{listing.native}",'
                f'"side":"{side}","order_configuration":{{"{kind}":{{{terms}}}}}}}')
        life_s = order.deadline_unix_ns // NS_PER_S - _begin_s(now_unix_ns)
        return Request(
            channel=REST, purpose="place", client_id=order.client_id, method="POST",
            path=f"{ROOT}orders", text=body.encode(), headers=self._headers(
                "POST", "orders", now_unix_ns, life_s=min(max(life_s, BEHIND_S + 1), LIFE_S)))

    def cancels(
        self, purpose: str, orders: Sequence[tuple[str, str]], now_unix_ns: int
    ) -> tuple[Batch, ...]:
        """Return the cancels of orders: (client id, venue's id) each."""
        verb, made = "orders/batch_cancel", list[Batch]()
        for start in range(0, len(orders), BATCH):
            part = tuple(orders[start : start + BATCH])
            ids = ",".join(f'"{venue_order}"' for _, venue_order in part)
            made.append(Batch(
                channel=REST, purpose=purpose, client_id=part[0][0], method="POST",
                path=ROOT + verb, text=f'{{"order_ids":[{ids}]}}'.encode(),
                headers=self._headers("POST", verb, now_unix_ns), orders=part))
        return tuple(made)

    # --- questions -----------------------------------------------------------------------------

    def order(self, order: Intended, venue_order: str, now_unix_ns: int) -> OrderAsked:
        """Return the question what became of an order, by its id."""
        verb = f"orders/historical/{venue_order}"
        return OrderAsked(
            channel=REST, purpose="query", client_id=order.client_id, method="GET",
            path=ROOT + verb, headers=self._headers("GET", verb, now_unix_ns), order=order,
            venue_order=venue_order)

    def scan(
        self, purpose: str, order: Intended, venue_order: str, now_unix_ns: int, *,
        cursor: str = "", page: int = 1,
    ) -> Scan:
        """Return the search for an order by its client id."""
        verb = "orders/historical/batch"
        born = iso_ms(order.deadline_unix_ns - LIFE_NS_MAX)
        query = (f"product_ids={self._listings[order.symbol].native}&start_date={born}"
                 f"&limit={ORDERS_PAGE}")
        return Scan(
            channel=REST, purpose=purpose, client_id=order.client_id, method="GET",
            path=_path(verb, query, cursor), headers=self._headers("GET", verb, now_unix_ns),
            order=order, venue_order=venue_order, query=query, page=page)

    def open_orders(
        self, purpose: str, query: str, now_unix_ns: int, *, cursor: str = "",
        found: tuple[tuple[str, str, str, int], ...] = (), page: int = 1,
    ) -> OpenAsked:
        """Return the question for a page of orders with some status."""
        verb = "orders/historical/batch"
        return OpenAsked(
            channel=REST, purpose=purpose, method="GET",
            path=_path(verb, f"{query}&limit={ORDERS_PAGE}", cursor),
            headers=self._headers("GET", verb, now_unix_ns), query=query, found=found, page=page)

    def fills(
        self, purpose: str, now_unix_ns: int, *, since_unix_ns: int = 0,
        orders: tuple[str, ...] = (), told: tuple[int, ...] = (), seen: p.Seen | None = None,
    ) -> FillsAsked:
        """Return the question for the fills of some orders, or of all since a time."""
        parts = [f"order_ids={each}" for each in orders]
        if since_unix_ns:
            parts.append(f"start_sequence_timestamp={iso_ms(since_unix_ns)}")
        query = "&".join([*parts, f"limit={FILLS_PAGE}"])
        verb = "orders/historical/fills"
        return FillsAsked(
            channel=REST, purpose=purpose, client_id=seen.client_id if seen else "",
            method="GET", path=_path(verb, query, ""),
            headers=self._headers("GET", verb, now_unix_ns), query=query, orders=orders,
            told=told, seen=seen)

    def more_fills(
        self, asked: FillsAsked, cursor: str, rows: tuple[wire.Fill, ...], now_unix_ns: int
    ) -> FillsAsked:
        """Return the question for the next page, remembering the rows so far."""
        verb = "orders/historical/fills"
        return FillsAsked(
            channel=REST, purpose=asked.purpose, client_id=asked.client_id, method="GET",
            path=_path(verb, asked.query, cursor),
            headers=self._headers("GET", verb, now_unix_ns), query=asked.query,
            orders=asked.orders, told=asked.told, seen=asked.seen, rows=rows,
            page=asked.page + 1)

    def names(
        self, asked: FillsAsked, rows: tuple[wire.Fill, ...], cursor: str,
        unknown: Sequence[str], now_unix_ns: int,
    ) -> NamesAsked:
        """Return the question for the client ids of orders."""
        verb = "orders/historical/batch"
        query = "&".join([*(f"order_ids={each}" for each in unknown),
                          f"limit={ORDERS_PAGE}"])
        return NamesAsked(
            channel=REST, purpose=asked.purpose, method="GET", path=_path(verb, query, ""),
            headers=self._headers("GET", verb, now_unix_ns), fills=asked, rows=rows,
            cursor=cursor)

    def accounts(self, now_unix_ns: int, *, cursor: str = "", page: int = 1) -> AccountsAsked:
        """Return the question for a page of balances."""
        return AccountsAsked(
            channel=REST, purpose="survey", method="GET",
            path=_path("accounts", f"limit={ACCOUNTS_PAGE}", cursor),
            headers=self._headers("GET", "accounts", now_unix_ns), page=page)

    def _headers(
        self, method: str, verb: str, now_unix_ns: int, *, life_s: int = LIFE_S
    ) -> dict[str, str]:
        headers = self._signer.headers(
            _begin_s(now_unix_ns), self._nonce(), method, self._host, ROOT + verb,
            life_s=life_s)
        headers["Content-Type"] = "application/json"
        return headers


def _begin_s(now_unix_ns: int) -> int:
    return now_unix_ns // NS_PER_S - BEHIND_S


def _path(verb: str, query: str, cursor: str) -> str:
    return f"{ROOT}{verb}?{query}" + (f"&cursor={quote(cursor, safe='')}" if cursor else "")
