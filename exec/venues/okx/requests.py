"""OKX's requests: signed, final, and remembering what their answers are for.

Source: shared/venues/okx.md, Private, 2026-11-21.  The id of a request over WebSocket holds the
order's client id, so that an answer without rows still says whom it is about.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import orjson

from engine.model.quanta import from_quanta, plain
from exec.core import ports as p
from exec.gateways.codec import ORDERS, REST, USER, Listing, Request
from exec.records import Intended, Side, Tif
from exec.signing.okx import OkxSigner
from exec.venues.reading import NS_PER_MS, NS_PER_S, iso_ms

ROOT: Final = "/api/v5/"
PAGE: Final = 100
PAGES_MAX: Final = 200  # of one answer: what goes on for longer is no answer
BATCH: Final = 20
RECENT_NS: Final = 2 * 86_400 * NS_PER_S  # fills: 3 days, less a margin; older ones are history
SWITCH_S_MIN, SWITCH_S_MAX = 10, 120
ORDER_TYPES: Final = {int(Tif.GTC): "limit", int(Tif.IOC): "ioc", int(Tif.FOK): "fok"}
CANCEL_COUNT_DIGITS: Final = 4


class OrderAsked(Request, frozen=True, kw_only=True):
    """The question what became of one order."""

    native: str
    venue_order: str  # empty where the venue never told it


class OpenAsked(Request, frozen=True, kw_only=True):
    """The question which orders are open: to list them, or to cancel them all."""

    found: tuple[tuple[str, str, str, int], ...] = ()
    page: int = 1


class FillsAsked(Request, frozen=True, kw_only=True):
    """The question for fills: of one order, with what was ``seen`` of it, or all since a time."""

    verb: str
    query: str
    seen: p.Seen | None = None
    sum: int = 0  # of the pages before
    page: int = 1


class Batch(Request, frozen=True, kw_only=True):
    """The cancels of up to twenty orders."""

    client_ids: tuple[str, ...]


class Requests:
    """Writes the requests of one account."""

    def __init__(self, signer: OkxSigner, listings: Iterable[Listing], mode: str) -> None:
        """``mode`` is tdMode: cash, or cross where the account is of another kind."""
        self._signer, self._mode = signer, mode
        self._listings = {each.symbol: each for each in listings}
        self._cancels = 0

    def native(self, symbol: str) -> str:
        """Return the venue's spelling."""
        return self._listings[symbol].native

    # --- channels ------------------------------------------------------------------------------

    def login(self, channel: str, now_unix_ns: int) -> Request:
        """Return the login of a connection."""
        body = {"op": "login", "args": [self._signer.login(now_unix_ns // NS_PER_S)]}
        return Request(channel=channel, purpose="login", text=orjson.dumps(body))

    @staticmethod
    def subscribe() -> Request:
        """Return the subscription of orders and balances; repeated balances are not wanted."""
        args = [{"channel": "orders", "instType": "SPOT"},
                {"channel": "account", "extraParams": '{"updateInterval":"0"}'}]
        body = {"id": "subscribe", "op": "subscribe", "args": args}
        return Request(channel=USER, purpose="subscribe", id="subscribe", text=orjson.dumps(body))

    # --- orders --------------------------------------------------------------------------------

    def place(self, order: Intended, now_unix_ns: int, *, rest: bool) -> Request:
        """Return an order: over WebSocket where the instrument's code is known."""
        listing, client_id = self._listings[order.symbol], order.client_id
        price = plain(from_quanta(order.price, listing.price_decimals))
        size = plain(from_quanta(order.size, listing.size_decimals))
        side = "buy" if order.side == Side.BUY else "sell"
        kind = "post_only" if order.post_only else ORDER_TYPES[order.tif]
        deadline = order.deadline_unix_ns // NS_PER_MS
        if rest or not listing.code:
            body = (f'{{"instId":"{listing.native}","side":"{side}","ordType":"{kind}",'
                    f'"sz":"{size}","tdMode":"{self._mode}","tgtCcy":"base_ccy","px":"{price}",'
                    f'"clOrdId":"{client_id}"}}')
            asked = self._post("trade/order", body, now_unix_ns, "place", client_id)
            headers = {**asked.headers, "expTime": str(deadline)}
            return Request(
                channel=REST, purpose="place", client_id=client_id, method="POST",
                path=asked.path, text=asked.text, headers=headers)
        text = (f'{{"id":"p{client_id}","op":"order","args":[{{"side":"{side}",'
                f'"instIdCode":{listing.code},"tdMode":"{self._mode}","ordType":"{kind}",'
                f'"px":"{price}","sz":"{size}","clOrdId":"{client_id}"}}],'
                f'"expTime":"{deadline}"}}')
        return Request(
            channel=ORDERS, purpose="place", client_id=client_id, id=f"p{client_id}",
            text=text.encode())

    def cancel(
        self, order: Intended, venue_order: str, now_unix_ns: int, *, rest: bool
    ) -> Request:
        """Return a cancel, by the venue's id where it is known."""
        listing, client_id = self._listings[order.symbol], order.client_id
        which = f'"ordId":"{venue_order}"' if venue_order else f'"clOrdId":"{client_id}"'
        if rest or not listing.code:
            body = f'{{"instId":"{listing.native}",{which}}}'
            return self._post("trade/cancel-order", body, now_unix_ns, "cancel", client_id)
        self._cancels = (self._cancels + 1) % 10**CANCEL_COUNT_DIGITS
        request_id = f"c{self._cancels:0{CANCEL_COUNT_DIGITS}}{client_id}"
        text = (f'{{"id":"{request_id}","op":"cancel-order",'
                f'"args":[{{"instIdCode":{listing.code},{which}}}]}}')
        return Request(
            channel=ORDERS, purpose="cancel", client_id=client_id, id=request_id,
            text=text.encode())

    def batches(
        self, found: Sequence[tuple[str, str, str]], now_unix_ns: int
    ) -> tuple[Request, ...]:
        """Return cancels of orders: (client id, venue's id, venue's instrument) each."""
        made = []
        for start in range(0, len(found), BATCH):
            part = found[start : start + BATCH]
            rows = ",".join(
                f'{{"ordId":"{venue_order}","instId":"{native}"}}'
                for _, venue_order, native in part)
            verb, body = "trade/cancel-batch-orders", f"[{rows}]"
            made.append(Batch(
                channel=REST, purpose="cancel_all", method="POST", path=ROOT + verb,
                text=body.encode(), headers=self._headers("POST", verb, body, now_unix_ns),
                client_ids=tuple(client_id for client_id, _, _ in part)))
        return tuple(made)

    def arm(self, timeout_ms: int, now_unix_ns: int) -> Request:
        """Return the dead-man switch, in whole seconds within what the venue allows; 0: off."""
        seconds = -(-timeout_ms // 1000)
        if seconds:
            seconds = min(max(seconds, SWITCH_S_MIN), SWITCH_S_MAX)
        body = f'{{"timeOut":"{seconds}"}}'
        return self._post("trade/cancel-all-after", body, now_unix_ns, "arm", "")

    # --- questions -----------------------------------------------------------------------------

    def order(self, order: Intended, venue_order: str, now_unix_ns: int) -> OrderAsked:
        """Return the question what became of an order."""
        native = self.native(order.symbol)
        which = f"ordId={venue_order}" if venue_order else f"clOrdId={order.client_id}"
        verb = f"trade/order?instId={native}&{which}"
        return OrderAsked(
            channel=REST, purpose="query", client_id=order.client_id, method="GET",
            path=ROOT + verb, headers=self._headers("GET", verb, "", now_unix_ns),
            native=native, venue_order=venue_order)

    def open_orders(
        self, purpose: str, now_unix_ns: int, *, after: str = "",
        found: tuple[tuple[str, str, str, int], ...] = (), page: int = 1,
    ) -> OpenAsked:
        """Return the question which orders are open, older than ``after``."""
        verb = "trade/orders-pending?instType=SPOT" + (f"&after={after}" if after else "")
        return OpenAsked(
            channel=REST, purpose=purpose, method="GET", path=ROOT + verb,
            headers=self._headers("GET", verb, "", now_unix_ns), found=found, page=page)

    def fills_since(self, since_unix_ns: int, now_unix_ns: int) -> FillsAsked:
        """Return the question which fills there were since a time."""
        query = f"instType=SPOT&begin={since_unix_ns // NS_PER_MS}"
        return self._fills("survey", "", _fills_verb(since_unix_ns, now_unix_ns), query,
                           now_unix_ns)

    def fills_of(
        self, native: str, seen: p.Seen, since_unix_ns: int, now_unix_ns: int
    ) -> FillsAsked:
        """Return the question for the fills of one order, born after ``since_unix_ns``."""
        query = f"instType=SPOT&instId={native}&ordId={seen.venue_order}"
        return self._fills("query", seen.client_id, _fills_verb(since_unix_ns, now_unix_ns),
                           query, now_unix_ns, seen=seen)

    def more_fills(self, asked: FillsAsked, after: str, total: int, now_unix_ns: int) -> FillsAsked:
        """Return the question for the next page: fills older than ``after``."""
        return self._fills(
            asked.purpose, asked.client_id, asked.verb, asked.query, now_unix_ns, seen=asked.seen,
            after=after, total=total, page=asked.page + 1)

    def balances(self, now_unix_ns: int) -> Request:
        """Return the question for all balances."""
        return Request(
            channel=REST, purpose="survey", method="GET", path=f"{ROOT}account/balance",
            headers=self._headers("GET", "account/balance", "", now_unix_ns))

    # --- parts ---------------------------------------------------------------------------------

    def _fills(
        self, purpose: str, client_id: str, verb: str, query: str, now_unix_ns: int, *,
        seen: p.Seen | None = None, after: str = "", total: int = 0, page: int = 1,
    ) -> FillsAsked:
        path = f"{verb}?{query}" + (f"&after={after}" if after else "")
        return FillsAsked(
            channel=REST, purpose=purpose, client_id=client_id, method="GET", path=ROOT + path,
            headers=self._headers("GET", path, "", now_unix_ns), verb=verb, query=query,
            seen=seen, sum=total, page=page)

    def _post(
        self, verb: str, body: str, now_unix_ns: int, purpose: str, client_id: str
    ) -> Request:
        return Request(
            channel=REST, purpose=purpose, client_id=client_id, method="POST", path=ROOT + verb,
            text=body.encode(), headers=self._headers("POST", verb, body, now_unix_ns))

    def _headers(self, method: str, verb: str, body: str, now_unix_ns: int) -> dict[str, str]:
        headers = self._signer.headers(iso_ms(now_unix_ns), method, ROOT + verb, body)
        headers["Content-Type"] = "application/json"
        return headers


def _fills_verb(since_unix_ns: int, now_unix_ns: int) -> str:
    recent = now_unix_ns - since_unix_ns < RECENT_NS
    return "trade/fills" if recent else "trade/fills-history"
