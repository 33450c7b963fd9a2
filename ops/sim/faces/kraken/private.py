"""REST below /0/private: who asks, how often, and the order methods.

Source: shared/venues/kraken.md (Private, Rate limits), 2026-11-21.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from ops.sim.credentials import Credentials
from ops.sim.exchange.orders import Order
from ops.sim.face import Answer, HttpRequest
from ops.sim.faces.kraken import answers, ids
from ops.sim.faces.kraken.answers import API_RATE, UNKNOWN_METHOD, Declined, invalid
from ops.sim.faces.kraken.auth import TOKEN_LIFE_S, Keyring, Tokens
from ops.sim.faces.kraken.changes import amend, batch_of, cancel_each
from ops.sim.faces.kraken.finder import Finder
from ops.sim.faces.kraken.limits import Counters
from ops.sim.faces.kraken.params import Params, body_of
from ops.sim.faces.kraken.queries import Queries
from ops.sim.faces.kraken.switches import rest_times, timeout_of
from ops.sim.faces.kraken.trading import Trading, describe
from ops.sim.faces.kraken.wishes import Wish, check_deadline, edited, from_rest
from ops.sim.floor import Floor

PREFIX: Final = "/0/private/"


class Private:
    """Answers signed requests."""

    def __init__(
        self, floor: Floor, finder: Finder, trading: Trading, queries: Queries,
        counters: Counters, tokens: Tokens,
    ) -> None:
        self._floor, self._finder, self._trading = floor, finder, trading
        self._queries, self._counters, self._tokens = queries, counters, tokens
        self.keyring = Keyring()
        self._entries: Mapping[str, Callable[[str, Params], Any]] = {
            "AddOrder": self._add, "AddOrderBatch": self._add_batch, "AmendOrder": self._amend,
            "EditOrder": self._edit, "CancelOrder": self._cancel,
            "CancelOrderBatch": self._cancel_batch, "CancelAll": self._cancel_all,
            "CancelAllOrdersAfter": self._cancel_after,
        }

    def answer(self, request: HttpRequest) -> Answer:
        """Answer any request below the prefix."""
        method = request.path.removeprefix(PREFIX)
        try:
            fields = body_of(request)
            holder = self.keyring.check(
                self._floor.credentials, request, fields.get("nonce", ""))
            if not self._counters.call(holder.key, method, self._floor.mono_ns()):
                raise Declined(API_RATE)
            return self._dispatch(method, holder, Params(fields))
        except Declined as refusal:
            answer = answers.error(str(refusal))
            return answer._replace(entry=method in self._entries)

    def _dispatch(self, method: str, holder: Credentials, params: Params) -> Answer:
        if method == "GetWebSocketsToken":
            token = self._tokens.issue(holder, self._floor.mono_ns())
            return answers.result({"token": token, "expires": TOKEN_LIFE_S})
        if method in self._queries.methods:
            return answers.result(self._queries.methods[method](holder.account, params))
        if method in self._entries:
            done = self._entries[method](holder.account, params)
            return answers.result(done)._replace(entry=True)
        raise Declined(UNKNOWN_METHOD)

    # --- placing -------------------------------------------------------------------------------

    def _wish(self, account: str, params: Params) -> Wish:
        instrument = self._finder.pair(params.text("pair"))
        return from_rest(account, params, instrument, self._floor.now_ns())

    def _add(self, account: str, params: Params) -> dict[str, Any]:
        wish = self._wish(account, params)
        descr = {"order": describe(
            wish.instrument, wish.side, wish.kind, wish.size, wish.price)}
        if wish.validate:
            self._trading.check(wish)
            return {"descr": descr}
        order = self._trading.place(wish)
        return {"descr": _descr(wish, order), "txid": [ids.order_id(order.id)]}

    def _add_batch(self, account: str, params: Params) -> dict[str, Any]:
        """Place 2 to 15 orders of one pair; one with bad fields refuses all."""
        rows = batch_of(params, ("pair", "validate", "deadline"))
        wishes = [self._wish(account, Params(row)) for row in rows]
        if wishes[0].validate:
            for wish in wishes:
                self._trading.check(wish)
            return {"orders": [{"descr": {"order": describe(
                wish.instrument, wish.side, wish.kind, wish.size, wish.price)}}
                for wish in wishes]}
        placed = self._trading.place_batch(wishes)
        return {"orders": [
            {"txid": ids.order_id(order.id), "descr": _descr(wish, order)}
            if isinstance(order, Order) else {"error": str(order)}
            for wish, order in zip(wishes, placed, strict=True)]}

    # --- changing ------------------------------------------------------------------------------

    def _amend(self, account: str, params: Params) -> dict[str, str]:
        check_deadline(params, self._floor.now_ns())
        txid = params.text("txid")
        return {"amend_id": amend(self._finder, self._trading, account, params, txid)}

    def _edit(self, account: str, params: Params) -> dict[str, Any]:
        check_deadline(params, self._floor.now_ns())
        instrument = self._finder.pair(params.text("pair"))
        old = self._finder.by_txid_or_userref(account, params.text("txid"))
        if old.symbol != instrument.native:
            raise invalid("pair")
        wish = edited(old, self._trading.tickets[old.id], instrument, params,
                      ("volume", "price", "userref"), post_only="post" in params.texts("oflags"))
        new = self._trading.edit(old, wish)
        return {
            "descr": _descr(wish, new), "txid": ids.order_id(new.id),
            "originaltxid": ids.order_id(old.id), "volume": instrument.size(new.size),
            "price": instrument.price(new.price), "orders_cancelled": 0 if new is old else 1,
            "status": "ok",
        }

    # --- cancelling ----------------------------------------------------------------------------

    def _cancel(self, account: str, params: Params) -> dict[str, int]:
        orders = self._finder.to_cancel(
            account, params.text("txid"), params.text("cl_ord_id"))
        for order in orders:
            self._trading.cancel(order)
        return {"count": len(orders)}

    def _cancel_batch(self, account: str, params: Params) -> dict[str, int]:
        """Cancel up to 50 orders; those that are not open do not count."""
        rows = [row.get("txid") or row.get("cl_ord_id") if isinstance(row, dict) else row
                for row in _list(params, "orders")]
        named = [(str(row), "") for row in rows] + [
            ("", str(row)) for row in _list(params, "cl_ord_ids")]
        return {"count": cancel_each(self._finder, self._trading, account, named)}

    def _cancel_all(self, account: str, _params: Params) -> dict[str, int]:
        return {"count": self._trading.cancel_all(account)}

    def _cancel_after(self, account: str, params: Params) -> dict[str, str]:
        timeout_s = timeout_of(params)
        self._trading.cancel_after(account, timeout_s)
        return rest_times(self._floor.now_ns(), timeout_s)


def _descr(wish: Wish, order: Order) -> dict[str, str]:
    return {"order": describe(wish.instrument, wish.side, wish.kind, order.size, order.price)}


def _list(params: Params, name: str) -> list[Any]:
    value = params.fields.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise invalid(name)
    return value
