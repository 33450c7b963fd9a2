"""Orders written from prepared texts: per instrument, side, and how long the order stays.

What ``Wire.signed`` would write of the same parameters, byte for byte, without a dict or a sort.
Never a market order: a limit with a protective price, GTC, IOC, FOK, or post-only.
Source: shared/venues/binance.md (Private), 2026-11-21; USD-M: trade/rest-api (New Order).
"""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

from engine.model.quanta import from_quanta, plain
from exec.gateways.codec import ORDERS, Listing, Request
from exec.records import Intended, Tif
from exec.venues.binance.numbers import MS_NS
from exec.venues.binance.wire import Wire, until

PLACE = "p-"  # a frame's id says what it asked for, and for which order
_Kind = tuple[str, int, int, bool, bool]


class _Texts(NamedTuple):
    """The parts of an order's request that do not change, around those that do."""

    price_decimals: int
    size_decimals: int
    middle: str  # between recvWindow and timestamp, sorted, as it is signed
    middle_json: str
    type: str
    rest_head: str  # between timestamp and client id
    rest_tail: str  # after the price


class Entry:
    """Writes the orders of one account."""

    def __init__(
        self, wire: Wire, listings: Sequence[Listing], path: str, reply: str,
        post_only: tuple[str, str], *, weight: int,
    ) -> None:
        """``reply`` is newOrderRespType, ``post_only`` (type, timeInForce) of such orders."""
        self._wire, self._path, self._reply = wire, path, reply
        self._post_only, self._weight = post_only, weight
        self._listings = {each.symbol: each for each in listings}
        self._kept: dict[_Kind, _Texts] = {}

    def place(self, order: Intended, now_unix_ns: int, *, rest: bool) -> Request:
        """Return the request that places an order."""
        kind = (order.symbol, order.side, order.tif, order.post_only, order.reduce_only)
        texts = self._kept.get(kind)
        if texts is None:
            texts = self._kept[kind] = self._prepare(order)
        price = plain(from_quanta(order.price, texts.price_decimals))
        size = plain(from_quanta(order.size, texts.size_decimals))
        timestamp_ms, window_ms = until(order.deadline_unix_ns, now_unix_ns)
        name, wire, reply = order.client_id, self._wire, self._reply
        if rest:
            fields = (f"{texts.rest_head}{quote(name, safe='')}&newOrderRespType={reply}"
                      f"&type={texts.type}&quantity={size}&price={price}{texts.rest_tail}")
            return wire.rest(
                Request, "POST", self._path, fields, timestamp_ms * MS_NS,
                window_ms=window_ms, purpose="place", client_id=name, weight=self._weight)
        number, signer = PLACE + name, wire.signer
        if signer.ed25519:
            who = proof = ""
        else:
            who = f'"apiKey":"{signer.key}",'
            proof = signer.signature(
                f"apiKey={signer.key}&newClientOrderId={name}&newOrderRespType={reply}"
                f"&price={price}&quantity={size}&recvWindow={window_ms}{texts.middle}"
                f"&timestamp={timestamp_ms}&type={texts.type}")
            proof = f',"signature":"{proof}"'
        text = (
            f'{{"id":"{number}","method":"order.place","params":{{{who}"newClientOrderId":"{name}"'
            f',"newOrderRespType":"{reply}","price":"{price}","quantity":"{size}"'
            f',"recvWindow":{window_ms}{texts.middle_json},"timestamp":{timestamp_ms}'
            f',"type":"{texts.type}"{proof}}}}}')
        return Request(channel=ORDERS, purpose="place", client_id=name, id=number,
                       text=text.encode(), weight=self._weight)

    def _prepare(self, order: Intended) -> _Texts:
        listing = self._listings[order.symbol]
        side = "BUY" if order.side > 0 else "SELL"
        kind, tif = self._post_only if order.post_only else ("LIMIT", Tif(order.tif).name)
        signed = {"side": side, "symbol": listing.native}
        if tif:
            signed["timeInForce"] = tif
        reduce_only = order.reduce_only and bool(listing.settle)  # spot has nothing to reduce
        reduce = "&reduceOnly=true" if reduce_only else ""
        return _Texts(
            listing.price_decimals, listing.size_decimals,
            reduce + "".join(f"&{name}={value}" for name, value in signed.items()),
            (',"reduceOnly":true' if reduce_only else "")
            + "".join(f',"{name}":"{value}"' for name, value in signed.items()),
            kind,
            f"&symbol={quote(listing.native, safe='')}&side={side}&newClientOrderId=",
            (f"&timeInForce={tif}" if tif else "") + reduce,
        )
