"""Order entry over WebSocket v2: every request carries a token, every answer its times.

Source: shared/venues/kraken.md (Private, Errors), 2026-11-21.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from ops.sim.exchange.orders import Order
from ops.sim.faces.kraken import ids
from ops.sim.faces.kraken.answers import INVALID, Declined, invalid
from ops.sim.faces.kraken.changes import CANCELS_MAX, amend, batch_of, cancel_each
from ops.sim.faces.kraken.finder import Finder
from ops.sim.faces.kraken.params import Params
from ops.sim.faces.kraken.switches import rest_times, timeout_of
from ops.sim.faces.kraken.trading import Trading
from ops.sim.faces.kraken.wishes import SOCKET_FIELDS, Wish, check_deadline, edited, from_socket
from ops.sim.floor import Floor

Reply = dict[str, Any]  # what an answer says beside method, req_id, success and times
AMEND_FIELDS: Final = frozenset({
    "order_id", "cl_ord_id", "order_qty", "limit_price", "limit_price_type", "post_only",
    "display_qty", "trigger_price", "trigger_price_type", "deadline", "token", "symbol",
})
EDIT_FIELDS: Final = SOCKET_FIELDS | {"order_id"}
CANCEL_FIELDS: Final = frozenset({"order_id", "cl_ord_id", "order_userref", "token"})
BATCH_FIELDS: Final = frozenset({"symbol", "orders", "validate", "deadline", "token"})


class Requests:
    """Answers the trading methods; one request may have several replies."""

    def __init__(self, floor: Floor, finder: Finder, trading: Trading) -> None:
        self._floor, self._finder, self._trading = floor, finder, trading
        self.methods: dict[str, Callable[[str, Params], Iterator[Reply]]] = {
            "add_order": self._add, "amend_order": self._amend, "edit_order": self._edit,
            "cancel_order": self._cancel, "cancel_all": self._cancel_all,
            "cancel_all_orders_after": self._cancel_after, "batch_add": self._batch_add,
            "batch_cancel": self._batch_cancel,
        }

    # --- placing -------------------------------------------------------------------------------

    def _wish(self, account: str, params: Params) -> Wish:
        name = params.text("symbol")
        instrument = self._finder.instruments.get(name)
        if instrument is None:
            raise Declined(f"Currency pair not supported {name}" if name else "Symbol(s) not found")
        return from_socket(account, params, instrument, self._floor.now_ns())

    def _add(self, account: str, params: Params) -> Iterator[Reply]:
        wish = self._wish(account, params)
        if wish.validate:
            self._trading.check(wish)
            yield {"result": _names(wish)}
            return
        order = self._trading.place(wish)
        yield {"result": {"order_id": ids.order_id(order.id)} | _names(wish)}

    def _batch_add(self, account: str, params: Params) -> Iterator[Reply]:
        """Place 2 to 15 orders of one pair; one with bad fields refuses all."""
        params.only(BATCH_FIELDS, "batch add")
        rows = batch_of(params, ("symbol", "validate", "deadline"))
        wishes = [self._wish(account, Params(row, strict=True)) for row in rows]
        if wishes[0].validate:
            for wish in wishes:
                self._trading.check(wish)
            yield {"result": [_names(wish) for wish in wishes]}
            return
        placed = self._trading.place_batch(wishes)
        yield {"result": [
            {"order_id": ids.order_id(order.id)} | _names(wish) if isinstance(order, Order)
            else {"error": str(order), "success": False} | _names(wish)
            for wish, order in zip(wishes, placed, strict=True)]}

    # --- changing ------------------------------------------------------------------------------

    def _amend(self, account: str, params: Params) -> Iterator[Reply]:
        params.only(AMEND_FIELDS, "amend order")
        check_deadline(params, self._floor.now_ns())
        txid = params.text("order_id")
        amend_id = amend(self._finder, self._trading, account, params, txid)
        name = {"order_id": txid} if txid else {"cl_ord_id": params.text("cl_ord_id")}
        yield {"result": {"amend_id": amend_id} | name}

    def _edit(self, account: str, params: Params) -> Iterator[Reply]:
        params.only(EDIT_FIELDS, "edit order")
        check_deadline(params, self._floor.now_ns())
        old = self._finder.order(account, params.text("order_id"), "")
        if params.text("symbol", old.symbol) != old.symbol:
            raise invalid("symbol")
        wish = edited(
            old, self._trading.tickets[old.id], self._finder.of(old), params,
            ("order_qty", "limit_price", "order_userref"), post_only=params.flag("post_only"))
        new = self._trading.edit(old, wish)
        yield {"result": {"order_id": ids.order_id(new.id),
                          "original_order_id": ids.order_id(old.id)}}

    # --- cancelling ----------------------------------------------------------------------------

    def _cancel(self, account: str, params: Params) -> Iterator[Reply]:
        """Cancel each order named: one reply per order."""
        params.only(CANCEL_FIELDS, "cancel order")
        order_ids, client_ids = params.texts("order_id"), params.texts("cl_ord_id")
        userrefs = _integers(params, "order_userref")
        if not 0 < len(order_ids) + len(client_ids) + len(userrefs) <= CANCELS_MAX:
            raise Declined(INVALID)
        for txid, client_id in [(each, "") for each in order_ids] + [
                ("", each) for each in client_ids]:
            name = {"order_id": txid} if txid else {"cl_ord_id": client_id}
            try:
                self._trading.cancel(self._finder.order(account, txid, client_id))
                yield {"result": name}
            except Declined as refusal:
                yield {"error": str(refusal)}
        for userref in userrefs:
            try:
                for order in self._finder.of_group(account, userref):
                    self._trading.cancel(order)
                    yield {"result": {"order_id": ids.order_id(order.id)}}
            except Declined as refusal:
                yield {"error": str(refusal)}

    def _batch_cancel(self, account: str, params: Params) -> Iterator[Reply]:
        """Cancel up to 50 orders; those that are not open do not count."""
        params.only({"orders", "cl_ord_id", "token"}, "batch cancel")
        named = [(each, "") for each in params.texts("orders")] + [
            ("", each) for each in params.texts("cl_ord_id")]
        yield {"orders_cancelled": cancel_each(self._finder, self._trading, account, named)}

    def _cancel_all(self, account: str, params: Params) -> Iterator[Reply]:
        params.only({"token"}, "cancel all")
        yield {"result": {"count": self._trading.cancel_all(account)}}

    def _cancel_after(self, account: str, params: Params) -> Iterator[Reply]:
        params.only({"timeout", "token"}, "cancel all orders after")
        timeout_s = timeout_of(params)
        self._trading.cancel_after(account, timeout_s)
        yield {"result": rest_times(self._floor.now_ns(), timeout_s)}


def _names(wish: Wish) -> dict[str, Any]:
    if wish.client_id:
        return {"cl_ord_id": wish.client_id}
    return {"order_userref": wish.userref}


def _integers(params: Params, name: str) -> list[int]:
    value = params.fields.get(name, [])
    if not isinstance(value, list) or not all(type(each) is int for each in value):
        raise Declined(f"{name.capitalize()} field must be a array")
    return value
