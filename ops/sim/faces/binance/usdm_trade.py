"""Orders on USD-M: place, modify, cancel, query, in batches, and the dead-man switch.

Source: developers.binance.com/docs/derivatives/usds-margined-futures/trade/rest-api, 2026-11-21.
A FOK order that cannot fill and a post-only one that would take are refused and leave no trace.
A modified order that its new price or quantity would end is cancelled instead.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final, TypedDict

import orjson

from engine.model.quanta import plain
from ops.sim.book import ASK, BID
from ops.sim.exchange.filters import Mode, Reason, Refusal
from ops.sim.exchange.orders import BUY, Kind, Order, Request, Status, Stp, Tif, Why
from ops.sim.faces.binance.door import Ask
from ops.sim.faces.binance.errors import EITHER, INVALID, MANDATORY, NO_SUCH_ORDER, Refused
from ops.sim.faces.binance.limits import Limits
from ops.sim.faces.binance.params import Params
from ops.sim.faces.binance.usdm_errors import (
    AMEND_NOTIONAL,
    AMEND_STATUS,
    BATCH_SIZE,
    CANCEL_SIZE,
    FOK_KILLED,
    LIMIT_ONLY,
    SAME_ORDER,
    SYMBOL_STATUS,
    UNKNOWN_ORDER,
    refused,
)
from ops.sim.faces.binance.usdm_request import SIDES, Reader
from ops.sim.faces.binance.usdm_text import PLAIN, Rows, Terms, money
from ops.sim.floor import Floor
from ops.sim.listing import Line

BATCH_MAX: Final = 5
CANCELS_MAX: Final = 10
TERMS_MAX: Final = 100_000  # as many ended orders as the matching engine remembers
COUNTDOWN_MAX_MS: Final = 1 << 40
ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
CANCELLED_ALL: Final = {"code": 200, "msg": "The operation of cancel all open order is done."}


class Trading:
    """The order desk of the face."""

    def __init__(
        self, floor: Floor, lines: dict[str, Line], limits: Limits, rows: Rows
    ) -> None:
        self._floor, self._lines, self._limits, self._rows = floor, lines, limits, rows
        self.reader = Reader(floor, lines)
        self._terms: dict[int, Terms] = {}  # by order id, oldest first
        self._arriving: tuple[str, str, Terms] | None = None  # of the order being placed
        self._good_till: dict[int, tuple[str, int]] = {}  # order id -> account, Unix ms
        self._countdowns: dict[tuple[str, str], int] = {}  # account, symbol -> mono ns
        self._named = 0

    # --- what else is known of an order --------------------------------------------------------

    def terms(self, order: Order) -> Terms:
        """Return what the client asked of an order beside what the matching engine knows."""
        if self._arriving and self._arriving[:2] == (order.account, order.client_id):
            return self._arriving[2]
        return self._terms.get(order.id, PLAIN)

    def _remember(self, order: Order, terms: Terms) -> None:
        self._terms.pop(order.id, None)  # a venue that restarted may use an id again
        self._good_till.pop(order.id, None)
        if terms == PLAIN:
            return
        if len(self._terms) >= TERMS_MAX:
            del self._terms[next(iter(self._terms))]
        self._terms[order.id] = terms
        if terms.good_till_ms and order.status is Status.OPEN:
            self._good_till[order.id] = (order.account, terms.good_till_ms)

    def _client_id(self, account: str) -> str:
        self._named += 1
        entropy = hashlib.sha512(
            f"{account}:{self._floor.now_ns()}:{self._named}".encode()).digest()
        return "".join(ALPHABET[each % len(ALPHABET)] for each in entropy[:22])

    # --- place ---------------------------------------------------------------------------------

    def place(self, ask: Ask) -> object:
        """Place one order."""
        self._limits.order(self._floor.mono_ns(), ask.account)
        return self._place(ask.account, ask.params)

    def test(self, ask: Ask) -> object:
        """Read an order and place nothing."""
        self.reader.order(ask.account, ask.params, "test")
        ask.params.done()
        return {}

    def _place(self, account: str, params: Params) -> dict[str, object]:
        wanted = self.reader.order(account, params, self._client_id(account))
        params.done()
        request = wanted.request
        if request.tif is Tif.FOK and self._fillable(request) < request.size:
            raise Refused(FOK_KILLED)
        self._arriving = (account, request.client_id, wanted.terms)
        try:
            placed = self._floor.place(request)
        finally:
            self._arriving = None
        if isinstance(placed, Refusal):
            raise refused(placed)
        self._remember(placed, wanted.terms)
        if placed.why is Why.FOK:
            raise Refused(FOK_KILLED)
        return self._rows.entered(placed, wanted.terms, accepted=wanted.accepted)

    def _fillable(self, request: Request) -> int:
        """Return what of a limit order the public book could fill now, up to its size."""
        line = self._lines[request.symbol]
        symbol = self._floor.exchange.listed[request.symbol].symbol
        by_price = 10 ** (symbol.price_decimals - line.price_decimals)
        by_size: int = 10 ** (symbol.size_decimals - line.size_decimals)
        found = 0
        side = ASK if request.side == BUY else BID
        for price, size in line.book.top(side, len(line.book.prices[side])):
            if found >= request.size or (price * by_price - request.price) * request.side > 0:
                break
            found += size * by_size
        return found

    # --- modify --------------------------------------------------------------------------------

    def modify(self, ask: Ask) -> object:
        """Give a resting order a new price and quantity."""
        self._limits.order(self._floor.mono_ns(), ask.account)
        return self._modify(ask.account, ask.params)

    def _modify(self, account: str, params: Params) -> dict[str, object]:
        native = self.reader.symbol(params)
        order = self._held(account, native, params)
        if order is None or order.status is not Status.OPEN:
            raise Refused(NO_SUCH_ORDER)
        side = SIDES.get(params.required("side"))
        if side != order.side:
            raise Refused(INVALID, "side")
        if order.kind is not Kind.LIMIT:
            raise Refused(LIMIT_ONLY)
        if self._floor.filters(native).mode is Mode.HALTED:
            raise Refused(AMEND_STATUS)
        symbol = self._floor.exchange.listed[native].symbol
        terms = self.terms(order)._replace(price_match=self.reader.price_match(params))
        price = self.reader.price(params, symbol, order.side, terms)
        size = self.reader.size(params, symbol)
        params.done()
        if (price, size) == (order.price, order.size):
            raise Refused(SAME_ORDER)
        if size > order.filled:
            changed = self._floor.amend(
                account, order_id=order.id, price=price, size=size, keeps_place=False,
                stp=Stp.NONE)
            if isinstance(changed, Refusal) and changed.reason is Reason.NOTIONAL_MIN:
                raise Refused(AMEND_NOTIONAL, plain(money(changed.limit)))
            if isinstance(changed, Refusal) and changed.reason is not Reason.WOULD_TAKE:
                raise refused(changed)
        if size <= order.filled or isinstance(changed, Refusal):
            self._floor.cancel(account, order_id=order.id)
        self._remember(order, terms)
        return self._rows.entered(order, terms)

    # --- cancel --------------------------------------------------------------------------------

    def cancel(self, ask: Ask) -> object:
        """Cancel one order by either id."""
        native = self.reader.symbol(ask.params)
        order = self._held(ask.account, native, ask.params)
        ask.params.done()
        return self._cancel(order)

    def _cancel(self, order: Order | None) -> dict[str, object]:
        if order is None:
            raise Refused(UNKNOWN_ORDER)
        cancelled = self._floor.cancel(order.account, order_id=order.id)
        if isinstance(cancelled, Refusal):
            raise Refused(
                SYMBOL_STATUS if cancelled.reason is Reason.MODE else UNKNOWN_ORDER)
        return self._rows.entered(order, self.terms(order))

    def cancel_all(self, ask: Ask) -> object:
        """Cancel every open order of a contract."""
        native = self.reader.symbol(ask.params)
        ask.params.done()
        self._floor.cancel_all(ask.account, native)
        return CANCELLED_ALL

    def countdown(self, ask: Ask) -> object:
        """Cancel all orders of a contract in a while, unless this is asked again before."""
        native = self.reader.symbol(ask.params)
        ms = ask.params.whole("countdownTime", most=COUNTDOWN_MAX_MS)
        if ms is None:
            raise Refused(MANDATORY, "countdownTime")
        ask.params.done()
        if ms:
            deadline_ns = self._floor.mono_ns() + ms * 1_000_000
            self._countdowns[ask.account, native] = deadline_ns
        else:
            self._countdowns.pop((ask.account, native), None)
        return {"symbol": native, "countdownTime": str(ms)}

    def tick(self) -> None:
        """Cancel what countdowns and good-till dates have run out for."""
        now_ns, now_ms = self._floor.mono_ns(), self._floor.now_ns() // 1_000_000
        for (account, native), deadline_ns in list(self._countdowns.items()):
            if now_ns >= deadline_ns:
                del self._countdowns[account, native]
                self._floor.cancel_all(account, native, why=Why.WITHDRAWN)
        for order_id, (account, until_ms) in list(self._good_till.items()):
            order = self._floor.exchange.registry.find(account, order_id=order_id)
            if order is None or order.status is not Status.OPEN:
                del self._good_till[order_id]
            elif now_ms >= until_ms:
                self._floor.cancel(account, order_id=order_id, why=Why.WITHDRAWN)

    # --- batches -------------------------------------------------------------------------------

    def place_batch(self, ask: Ask) -> object:
        """Place up to five orders; each gets its own answer."""
        return self._batch(ask, self._place)

    def modify_batch(self, ask: Ask) -> object:
        """Modify up to five orders; each gets its own answer."""
        return self._batch(ask, self._modify)

    def _batch(
        self, ask: Ask, action: Callable[[str, Params], dict[str, object]]
    ) -> list[dict[str, object]]:
        items = _json_list(ask.params.required("batchOrders"), "batchOrders")
        ask.params.done()
        if not 1 <= len(items) <= BATCH_MAX:
            raise Refused(BATCH_SIZE)
        if not all(isinstance(item, dict) for item in items):
            raise Refused(INVALID, "batchOrders")
        answers = list[dict[str, object]]()
        for item in items:
            try:
                self._limits.order(self._floor.mono_ns(), ask.account)
                answers.append(action(ask.account, Params(texts(item))))
            except Refused as problem:
                answers.append(problem.body())
        return answers

    def cancel_batch(self, ask: Ask) -> object:
        """Cancel up to ten orders by ids of either kind."""
        params = ask.params
        native = self.reader.symbol(params)
        ids = params.text("orderIdList") or params.text("orderidlist")
        names = params.text("origClientOrderIdList") or params.text("origclientorderidlist")
        params.done()
        if ids is None and names is None:
            raise Refused(EITHER, "orderIdList", "origClientOrderIdList")
        wanted = _json_list(ids or names or "", "orderIdList" if ids else "origClientOrderIdList")
        if not 1 <= len(wanted) <= CANCELS_MAX:
            raise Refused(CANCEL_SIZE)
        answers = list[dict[str, object]]()
        for each in wanted:
            name = "orderId" if ids else "origClientOrderId"
            try:
                answers.append(self._cancel(
                    self._held(ask.account, native, Params({name: str(each)}))))
            except Refused as problem:
                answers.append(problem.body())
        return answers

    # --- queries -------------------------------------------------------------------------------

    def query(self, ask: Ask) -> object:
        """Return one order, open or ended."""
        return self._queried(ask, must_be_open=False)

    def open_order(self, ask: Ask) -> object:
        """Return one order that is open."""
        return self._queried(ask, must_be_open=True)

    def _queried(self, ask: Ask, *, must_be_open: bool) -> dict[str, object]:
        native = self.reader.symbol(ask.params)
        order = self._found(ask.account, native, ask.params)
        ask.params.done()
        if order is None or (must_be_open and order.status is not Status.OPEN):
            raise Refused(NO_SUCH_ORDER)
        return self._rows.queried(order, self.terms(order))

    def open_orders(self, ask: Ask) -> object:
        """Return the open orders, of one contract or of all."""
        native = self.reader.optional_symbol(ask.params)
        ask.params.done()
        orders = self._floor.exchange.open_orders(ask.account, native)
        return [self._rows.queried(order, self.terms(order)) for order in orders]

    def _found(self, account: str, native: str, params: Params) -> Order | None:
        """Return the order that a request names, as queries see it."""
        order = self._floor.exchange.order(account, **_named(params))
        return order if order is not None and order.symbol == native else None

    def _held(self, account: str, native: str, params: Params) -> Order | None:
        """Return the order that a request names, whatever queries see by now."""
        order = self._floor.exchange.registry.find(account, **_named(params))
        return order if order is not None and order.symbol == native else None


class _Named(TypedDict, total=False):
    """An order by one of its ids."""

    order_id: int
    client_id: str


def _named(params: Params) -> _Named:
    """Return which order a request names; the order id prevails."""
    order_id, client_id = params.whole("orderId"), params.text("origClientOrderId")
    if order_id is not None:
        return {"order_id": order_id}
    if client_id is None:
        raise Refused(EITHER, "orderId", "origClientOrderId")
    return {"client_id": client_id}


def texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Return JSON parameters as they would stand in a query string; null is not sent."""
    return {
        name: value if isinstance(value, str) else orjson.dumps(value).decode()
        for name, value in values.items() if value is not None
    }


def _json_list(text: str, name: str) -> list[Any]:
    try:
        items = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Refused(INVALID, name) from None
    if not isinstance(items, list):
        raise Refused(INVALID, name)
    return items
