"""Order entry at Binance spot: place, test, cancel, cancel all, replace, reduce in place.

Source: binance-spot-api-docs:rest-api.md (Trading endpoints) @ a5e0bc3, 2026-11-21.
"""

from typing import Final

from ops.sim.exchange.fees import PPM
from ops.sim.exchange.filters import Reason, Refusal, Situation, review
from ops.sim.exchange.orders import BUY, Order, Request
from ops.sim.faces.binance.door import Ask
from ops.sim.faces.binance.errors import EITHER, Problem, Refused
from ops.sim.faces.binance.limits import Limits
from ops.sim.faces.binance.numbers import fixed
from ops.sim.faces.binance.params import Params, quanta
from ops.sim.faces.binance.spot_notes import Notes
from ops.sim.faces.binance.spot_orders import Reader, Ticket
from ops.sim.faces.binance.spot_reasons import (
    AMEND_REJECTED,
    BAD_QUANTITY,
    CANCEL_REJECTED,
    FILTER,
    INCREASE,
    NO_CHANGE,
    UNKNOWN,
    Words,
    cancel_refused,
)
from ops.sim.faces.binance.spot_reports import Reports, Row, status_word
from ops.sim.faces.binance.spot_stream import Act, UserStream
from ops.sim.floor import Floor

AMENDS_MAX: Final = 10  # MAX_NUM_ORDER_AMENDS
BAD_RESTRICTIONS: Final = Problem(-1145, "Invalid cancelRestrictions")
RESTRICTED: Final = "Order was not canceled due to cancel restrictions."
OPEN_WORDS: Final = frozenset({"NEW", "PARTIALLY_FILLED"})
RESTRICTIONS: Final = {"ONLY_NEW": "NEW", "ONLY_PARTIALLY_FILLED": "PARTIALLY_FILLED"}
BAD_MODE: Final = Problem(-1130, "Data sent for parameter '{}' is not valid.")
REPLACE_MODES: Final = {"STOP_ON_FAILURE": True, "ALLOW_FAILURE": False}
LIMIT_MODES: Final = {"DO_NOTHING": False, "CANCEL_ONLY": True}
HALF_REPLACED: Final = Problem(-2021, "Order cancel-replace partially failed.", 409)
NOT_REPLACED: Final = Problem(-2022, "Order cancel-replace failed.")
WRONG_CLIENT_ID: Final = Problem(-2039, "Client order ID is not correct for this order ID.")


class Trading:
    """Carries out the requests of clients."""

    def __init__(
        self, floor: Floor, reader: Reader, words: Words, limits: Limits, notes: Notes,
        reports: Reports, stream: UserStream, *, told: bool,
    ) -> None:
        """``told``: who places too many orders learns when to try again."""
        self._floor, self._reader, self._words, self._limits = floor, reader, words, limits
        self._notes, self._reports, self._stream = notes, reports, stream
        self._told = told

    # --- place ---------------------------------------------------------------------------------

    def place(self, ask: Ask) -> object:
        """Place an order."""
        ticket = self._reader.ticket(ask.account, ask.params)
        ask.params.done()
        self._limits.order(self._floor.mono_ns(), ask.account, told=self._told)
        return self._placed(ticket, ask.unit)

    def _placed(self, ticket: Ticket, unit: int) -> Row:
        request = ticket.request
        quote = self._floor.exchange.listed[request.symbol].symbol.quote
        free, _ = self._floor.exchange.balance(request.account, quote)
        if request.side == BUY and request.quote > free:
            raise self._words.refused(Refusal(Reason.FUNDS, request.quote, free), request)
        with self._stream.acting(Act(ticket=ticket)) as act:
            placed = self._floor.place(request)
        if isinstance(placed, Refusal):
            raise self._words.refused(placed, request)
        if ticket.reply == "ACK":
            return self._reports.ack(placed, unit)
        if ticket.reply == "RESULT":
            return self._reports.result(placed, unit)
        fills = [fill for fill in act.fills if fill.order_id == placed.id]
        return self._reports.full(placed, fills, act.matches, unit)

    def test(self, ask: Ask) -> object:
        """Judge an order by everything but the account's money; place nothing."""
        rates = ask.params.flag("computeCommissionRates")
        ticket = self._reader.ticket(ask.account, ask.params)
        ask.params.done()
        request, exchange = ticket.request, self._floor.exchange
        listed = exchange.listed[request.symbol]
        account = exchange.accounts.by_name[ask.account]
        open_orders = account.open_counts.get(request.symbol, 0)
        refusal = review(request, Situation(
            listed.symbol, listed.filters, listed.reference, open_orders))
        if refusal is not None:
            raise self._words.refused(refusal, request)
        return self.commission(ask.account, "ForOrder") if rates else {}

    def commission(self, account: str, suffix: str = "") -> Row:
        """Return the rates an account pays."""
        fees = self._floor.exchange.accounts.by_name[account].fees
        zero = fixed(0, 6)
        rates = {"maker": fixed(fees.maker_ppm, 6), "taker": fixed(fees.taker_ppm, 6)}
        none = dict.fromkeys(rates, zero)
        sides = {} if suffix else {"buyer": zero, "seller": zero}
        return {
            f"standardCommission{suffix}": rates | sides,
            f"specialCommission{suffix}": none | sides, f"taxCommission{suffix}": none | sides,
            "discount": {"enabledForAccount": False, "enabledForSymbol": False,
                         "discountAsset": "BNB", "discount": fixed(PPM // 4, 6)},
        }

    # --- cancel --------------------------------------------------------------------------------

    def cancel(self, ask: Ask) -> object:
        """Cancel one order by either id."""
        params = ask.params
        native = self._reader.symbol(params)
        order_id, client_id = self.ids(params)
        wanted = self._restriction(params)
        cancel_id = self._reader.client_id(params)
        params.done()
        order = self._cancelled(ask.account, native, (order_id, client_id), cancel_id, wanted)
        return self._reports.cancelled(order, cancel_id, ask.unit)

    def _cancelled(
        self, account: str, native: str, ids: tuple[int, str], cancel_id: str, wanted: str | None
    ) -> Order:
        order = self._known(account, native, *ids)
        if order is None:
            raise Refused(CANCEL_REJECTED, UNKNOWN)
        if wanted is not None and status_word(order) in OPEN_WORDS - {wanted}:
            raise Refused(CANCEL_REJECTED, RESTRICTED)
        with self._stream.acting(Act(cancel_id=cancel_id)):
            cancelled = self._floor.cancel(account, order_id=order.id)
        if isinstance(cancelled, Refusal):
            raise cancel_refused(cancelled)
        return cancelled

    def cancel_all(self, ask: Ask) -> object:
        """Cancel all orders of a symbol; there must be one."""
        native = self._reader.symbol(ask.params)
        ask.params.done()
        cancel_id = self._reader.new_id()
        with self._stream.acting(Act(cancel_id=cancel_id)):
            orders = self._floor.cancel_all(ask.account, native)
        if not orders:
            raise Refused(CANCEL_REJECTED, UNKNOWN)
        return [self._reports.cancelled(order, cancel_id, ask.unit) for order in orders]

    @staticmethod
    def _restriction(params: Params) -> str | None:
        return params.choice("cancelRestrictions", RESTRICTIONS, BAD_RESTRICTIONS)

    # --- cancel and place ----------------------------------------------------------------------

    def replace(self, ask: Ask) -> object:
        """Cancel an order and place another one."""
        params = ask.params
        params.required("cancelReplaceMode")
        stop = params.choice("cancelReplaceMode", REPLACE_MODES, BAD_MODE)
        over = params.choice("orderRateLimitExceededMode", LIMIT_MODES, BAD_MODE)
        ticket = self._reader.ticket(ask.account, params)
        ids = self.ids(params, "cancelOrderId", "cancelOrigClientOrderId")
        wanted = self._restriction(params)
        cancel_id = self._reader.client_id(params, "cancelNewClientOrderId")
        params.done()
        limited: Refused | None = None
        try:
            self._limits.order(self._floor.mono_ns(), ask.account, told=self._told)
        except Refused as refused:
            if not over:
                raise
            limited = refused
        try:
            order = self._cancelled(ask.account, ticket.request.symbol, ids, cancel_id, wanted)
            cancelled, cancel_failed = self._reports.cancelled(order, cancel_id, ask.unit), False
        except Refused as refused:
            cancelled, cancel_failed = refused.body(), True
        if cancel_failed and stop:
            status = limited.status if limited else NOT_REPLACED.status
            raise Refused(NOT_REPLACED._replace(status=status), data=_outcome(
                "FAILURE", cancelled, "NOT_ATTEMPTED", None))
        try:
            if limited is not None:
                raise limited
            placed, place_failed = self._placed(ticket, ask.unit), False
        except Refused as refused:
            placed, place_failed = refused.body(), True
        outcome = _outcome("FAILURE" if cancel_failed else "SUCCESS", cancelled,
                           "FAILURE" if place_failed else "SUCCESS", placed)
        if cancel_failed and place_failed:
            raise Refused(NOT_REPLACED, data=outcome)
        if cancel_failed or place_failed:
            status = 429 if limited and stop else HALF_REPLACED.status
            raise Refused(HALF_REPLACED._replace(status=status), data=outcome)
        return outcome

    # --- reduce in place -----------------------------------------------------------------------

    def amend(self, ask: Ask) -> object:
        """Make an order smaller; it keeps its place and gets a new client id."""
        params = ask.params
        native = self._reader.symbol(params)
        ids = self.ids(params)
        params.required("newQty")
        quantity = params.decimal("newQty")
        new_id = self._reader.client_id(params)
        params.done()
        order = self._known(ask.account, native, *ids)
        if order is None:
            raise Refused(AMEND_REJECTED, UNKNOWN)
        if not quantity:
            raise Refused(BAD_QUANTITY)
        symbol = self._floor.exchange.listed[native].symbol
        size = quanta(quantity, symbol.size_decimals)
        if size is None:
            raise Refused(FILTER, "LOT_SIZE")
        self._may_amend(order, size, new_id)
        old_id, act = order.client_id, Act(new_id=new_id, old_size=order.size)
        with self._stream.acting(act):
            amended = self._floor.amend(ask.account, order_id=order.id, size=size)
        if isinstance(amended, Refusal):
            raise self._words.amend_refused(amended, Request(
                account=ask.account, symbol=native, side=order.side, size=size))
        self._floor.rename(amended, new_id)
        return self._reports.amended(amended, old_id, act.execution_id, ask.unit)

    def _may_amend(self, order: Order, size: int, new_id: str) -> None:
        if status_word(order) not in OPEN_WORDS:
            raise Refused(AMEND_REJECTED, UNKNOWN)
        if size == order.size:
            raise Refused(AMEND_REJECTED, NO_CHANGE)
        if size > order.size:
            raise Refused(AMEND_REJECTED, INCREASE)
        if len(self._notes.of(order).amendments) >= AMENDS_MAX:
            raise Refused(AMEND_REJECTED, "Filter failure: MAX_NUM_ORDER_AMENDS")
        if self._floor.exchange.registry.taken(order.account, new_id) not in (None, order.id):
            raise Refused(AMEND_REJECTED, "Duplicate order sent.")

    # --- shared --------------------------------------------------------------------------------

    @staticmethod
    def ids(
        params: Params, by_id: str = "orderId", by_client: str = "origClientOrderId"
    ) -> tuple[int, str]:
        """Return order id and client id, one of which must be sent."""
        order_id, client_id = params.whole(by_id), params.text(by_client)
        if order_id is None and client_id is None:
            raise Refused(EITHER, by_client, by_id)
        return order_id or 0, client_id or ""

    def find(self, account: str, native: str, order_id: int, client_id: str) -> Order | None:
        """Return an order of a symbol as queries find it, which may lag."""
        order = self._known(account, native, order_id, client_id)
        return order and self._floor.exchange.order(account, order_id=order.id)

    def _known(self, account: str, native: str, order_id: int, client_id: str) -> Order | None:
        """Return an order of a symbol; with both ids given they must belong together."""
        order = self._floor.exchange.registry.find(
            account, order_id=order_id, client_id="" if order_id else client_id)
        if order is None or order.symbol != native:
            return None
        if order_id and client_id and order.client_id != client_id:
            raise Refused(WRONG_CLIENT_ID)
        return order


def _outcome(cancel: str, cancelled: object, place: str, placed: object) -> Row:
    return {"cancelResult": cancel, "newOrderResult": place, "cancelResponse": cancelled,
            "newOrderResponse": placed}
