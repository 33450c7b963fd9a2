"""Order entry: place, preview, edit, cancel.

Source: shared/venues/coinbase.md "Orders (Advanced REST)", 2026-11-21.  A ``client_order_id``
used before creates nothing: the answer is the order that has it.  A market order's ``quote_size``
includes its fee.  Stop and bracket configurations are refused, as are those for futures: the
matching engine has none.  The venue never lets two orders of one user trade: both shrink.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from engine.model.quanta import to_quanta
from ops.sim.exchange.exchange import Exchange
from ops.sim.exchange.fees import PPM
from ops.sim.exchange.filters import Filters, Refusal
from ops.sim.exchange.orders import BUY, SELL, Kind, Order, Request, Stp, Tif
from ops.sim.exchange.symbols import Symbol
from ops.sim.face import Answer, iso, json_object, strings, to_json
from ops.sim.faces.coinbase import reasons
from ops.sim.faces.coinbase.names import number_of, uuid_named, uuid_of
from ops.sim.faces.coinbase.reasons import Failure, invalid
from ops.sim.faces.coinbase.rows import price_text, side_text, size_text
from ops.sim.faces.coinbase.tickets import EDITS_KEPT, GTD, Ticket, Tickets
from ops.sim.floor import Floor
from ops.sim.rules import MONEY_DECIMALS

CANCELS_MAX: Final = 100  # in one request
CLIENT_ID_SIZE_MAX: Final = 128
FAR_NS: Final = 10 * 366 * 24 * 3600 * 10**9  # a later end is taken for a mistake
SIDES: Final = {"BUY": BUY, "SELL": SELL}
MARKET: Final = "market_market_ioc"
LIMITS: Final = {
    "limit_limit_gtc": Tif.GTC, GTD: Tif.GTC, "limit_limit_fok": Tif.FOK, "sor_limit_ioc": Tif.IOC}
_DECIMAL: Final = re.compile(r"\d{1,19}(\.\d{1,19})?")


class Unreadable(ValueError):
    """A request that cannot be read: HTTP 400."""


class Wanted(NamedTuple):
    """What a new order asks for."""

    request: Request
    ticket: Ticket


class Entry:
    """Turns requests of one account after another into the floor's operations."""

    def __init__(self, floor: Floor, tickets: Tickets) -> None:
        self._floor, self._tickets = floor, tickets

    @property
    def _exchange(self) -> Exchange:
        return self._floor.exchange

    def place(self, account: str, body: bytes) -> Answer:
        """Take a new order."""
        asked = json_object(body)
        client_id = asked.get("client_order_id") if asked else None
        if asked is None:
            return invalid("request body is not a JSON object")
        if not isinstance(client_id, str) or not 0 < len(client_id) <= CLIENT_ID_SIZE_MAX:
            return invalid("client_order_id is required")
        before = self._exchange.registry.find(account, client_id=client_id)
        if before is not None:
            return _placed(before)
        configuration = asked.get("order_configuration")
        try:
            wanted = self.read(account, asked, client_id)
        except Unreadable as error:
            return invalid(str(error))
        if isinstance(wanted, Failure):
            return reasons.failed(wanted, configuration)
        self._tickets.placing = wanted.ticket
        placed = self._floor.place(wanted.request)
        self._tickets.placing = None
        if isinstance(placed, Order):
            return _placed(placed)
        mode = self._floor.filters(wanted.request.symbol).mode
        return reasons.failed(reasons.failure_of(placed, mode), configuration)

    def cancel(self, account: str, body: bytes) -> Answer:
        """Cancel up to a hundred orders; each has a result of its own."""
        asked = json_object(body)
        names = strings(asked.get("order_ids")) if asked else None
        if not names:
            return invalid("order_ids is required")
        if len(names) > CANCELS_MAX:
            return invalid(f"Too many orderIDs entered, limit is {CANCELS_MAX}")
        return to_json({"results": [self._cancel(account, name) for name in names]})

    def _cancel(self, account: str, name: str) -> dict[str, Any]:
        number = number_of(name)
        order = self._known(account, number)
        done = self._floor.cancel(account, order_id=number) if order else None
        reason = reasons.NO_CANCEL_REASON
        if order is None:
            reason = "UNKNOWN_CANCEL_ORDER"
        elif isinstance(done, Refusal):
            reason = reasons.cancel_reason(done, order)
        return {"success": isinstance(done, Order), "failure_reason": reason, "order_id": name}

    def _known(self, account: str, number: int) -> Order | None:
        """Return an order that the venue itself knows, however late queries are."""
        return self._exchange.registry.find(account, order_id=number) if number else None

    def edit(self, account: str, body: bytes) -> Answer:
        """Give a resting limit order another price or total size."""
        found = self.find(account, body)
        if isinstance(found, Answer):
            return found
        order, price, size = found
        error = self.edit_problem(order, price, size)
        if error is None:
            done = self._floor.amend(account, order_id=order.id, price=price, size=size)
            if isinstance(done, Order):
                self._edited(order)
                return to_json({"success": True, "errors": []})
            error = reasons.edit_error(done)
        return to_json({"success": False, "errors": [error]})

    def _edited(self, order: Order) -> None:
        ticket, symbol = self._tickets.of(order), self._exchange.listed[order.symbol].symbol
        size, price = size_text(symbol, order.size), price_text(symbol, order.price)
        for each in ticket.configuration.values():
            each |= {"base_size": size, "limit_price": price}
        ticket.edits = [*ticket.edits[1 - EDITS_KEPT:], {
            "price": price, "size": size, "replace_accept_timestamp": iso(order.updated_ns)}]

    def find(self, account: str, body: bytes) -> tuple[Order, int, int] | Answer:
        """Read an edit: the order and its new price and size, 0 for what stays."""
        asked = json_object(body)
        name = asked.get("order_id") if asked else None
        if asked is None or not isinstance(name, str):
            return invalid("order_id is required")
        number = number_of(name)
        order = self._known(account, number)
        if order is None:
            return to_json({"success": False, "errors": [_edit_error("ORDER_NOT_FOUND")]})
        symbol = self._exchange.listed[order.symbol].symbol
        try:
            price = _number(asked, "price", symbol.price_decimals, optional=True)
            size = _number(asked, "size", symbol.size_decimals, optional=True)
        except Unreadable as error:
            return invalid(str(error))
        if price is None or size is None:
            field = "PRICE" if price is None else "SIZE"
            return to_json({"success": False, "errors": [_edit_error(
                f"INVALID_EDITED_{field}", f"PREVIEW_INVALID_{field}_PRECISION")]})
        return order, price, size

    def edit_problem(self, order: Order, price: int, size: int) -> dict[str, str] | None:
        """Return what bars an edit before the matching engine sees it."""
        if order.kind is not Kind.LIMIT or self._tickets.of(order).end_ns:
            return _edit_error("ONLY_LIMIT_ORDER_EDITS_SUPPORTED")
        if not order.remaining:
            return _edit_error("ONLY_OPEN_ORDERS_CAN_BE_EDITED")
        if size and size <= order.filled + order.prevented:
            return _edit_error("CANNOT_EDIT_TO_BELOW_FILLED_SIZE")
        if price in (0, order.price) and size in (0, order.size):
            return _edit_error("EDIT_REQUEST_EQUAL_TO_ORIGINAL_REQUEST")
        return None

    # --- reading -------------------------------------------------------------------------------

    def read(
        self, account: str, asked: Mapping[str, Any], client_id: str
    ) -> Wanted | Failure:
        """Read a new order; raise Unreadable for what is no order at all."""
        product, side = asked.get("product_id"), asked.get("side")
        configuration = asked.get("order_configuration")
        if not isinstance(product, str) or not isinstance(side, str):
            raise Unreadable("product_id and side are required")
        if not isinstance(configuration, dict) or len(configuration) != 1:
            raise Unreadable("order_configuration must have exactly one type")
        ((name, options),) = configuration.items()
        if not isinstance(options, dict) or any(
                isinstance(each, dict | list) for each in options.values()):
            raise Unreadable(f"{name} must be an object of plain values")
        listed = self._exchange.listed.get(product)
        portfolio = asked.get("retail_portfolio_id")
        if listed is None:
            return reasons.UNKNOWN_PRODUCT
        if side not in SIDES:
            return reasons.WRONG_SIDE
        if portfolio and portfolio != uuid_named("portfolio", account):
            return reasons.WRONG_PORTFOLIO
        about = {"account": account, "symbol": product, "side": SIDES[side],
                 "client_id": client_id, "stp": Stp.DECREMENT}
        ticket = Ticket(configuration={name: dict(options)})
        if name == MARKET:
            return self._market(about, ticket, options, listed.symbol, listed.filters)
        if name not in LIMITS:
            return reasons.UNSUPPORTED
        return self._limit(about, ticket, name, options, listed.symbol)

    def _limit(
        self, about: dict[str, Any], ticket: Ticket, name: str, options: dict[str, Any],
        symbol: Symbol,
    ) -> Wanted | Failure:
        price = _number(options, "limit_price", symbol.price_decimals)
        size = _number(options, "base_size", symbol.size_decimals)
        post_only = options.get("post_only") or False
        if not isinstance(post_only, bool):
            raise Unreadable("post_only must be a boolean")
        if price is None or size is None:
            return reasons.PRICE_PRECISION if price is None else reasons.SIZE_PRECISION
        if not price:
            return reasons.LIMIT_PRICE
        if not size:
            return reasons.BASE_TOO_SMALL
        if name == GTD:
            end_ns = time_of(options.get("end_time"))
            if end_ns is None:
                return reasons.NO_END
            if end_ns <= self._floor.now_ns():
                return reasons.PAST_END
            if end_ns > self._floor.now_ns() + FAR_NS:
                return reasons.FAR_END
            ticket.end_ns = end_ns
        if post_only and LIMITS[name] is not Tif.GTC:
            return reasons.UNSUPPORTED
        return Wanted(Request(
            price=price, size=size, tif=LIMITS[name], post_only=post_only, **about), ticket)

    def _market(
        self, about: dict[str, Any], ticket: Ticket, options: dict[str, Any], symbol: Symbol,
        filters: Filters,
    ) -> Wanted | Failure:
        if ("quote_size" in options) == ("base_size" in options):
            raise Unreadable("market orders have either quote_size or base_size")
        if "base_size" in options:
            size = _number(options, "base_size", symbol.size_decimals)
            if size is None:
                return reasons.SIZE_PRECISION
            if not size:
                return reasons.BASE_TOO_SMALL
            return Wanted(Request(kind=Kind.MARKET, tif=Tif.IOC, size=size, **about), ticket)
        if about["side"] != BUY:
            return reasons.UNSUPPORTED
        spend = _number(options, "quote_size", symbol.price_decimals)
        if spend is None or spend % filters.tick:
            return reasons.QUOTE_PRECISION
        quote: int = spend * 10 ** (MONEY_DECIMALS - symbol.price_decimals)
        if quote < max(filters.notional_min, 1):
            return reasons.QUOTE_TOO_SMALL
        taker_ppm = self._exchange.accounts.by_name[about["account"]].fees.taker_ppm
        quote = max(quote * PPM // (PPM + taker_ppm), filters.notional_min)
        ticket.in_quote = True
        return Wanted(Request(kind=Kind.MARKET, tif=Tif.IOC, quote=quote, **about), ticket)


def time_of(value: object) -> int | None:
    """Read an RFC 3339 time as Unix ns; None if it is not one."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return round(at.timestamp() * 1e6) * 1000 if at.tzinfo else None


def _number(
    options: Mapping[str, Any], field: str, decimals: int, *, optional: bool = False
) -> int | None:
    """Read a decimal text; None if it is too fine, 0 if it may be missing; raise Unreadable."""
    text = options.get(field)
    if optional and text in (None, ""):
        return 0
    if not isinstance(text, str) or not _DECIMAL.fullmatch(text):
        raise Unreadable(f"{field} must be a decimal number")
    try:
        return to_quanta(text, decimals)
    except ValueError:
        return None


def _placed(order: Order) -> Answer:
    return to_json({"success": True, "success_response": {
        "order_id": uuid_of(order.id), "product_id": order.symbol,
        "side": side_text(order.side), "client_order_id": order.client_id,
    }})


def _edit_error(reason: str, preview: str = reasons.NO_PREVIEW_REASON) -> dict[str, str]:
    return {"edit_failure_reason": reason, "preview_failure_reason": preview}
