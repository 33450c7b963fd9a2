"""Order entry: place, amend and cancel, one row of the answer for each order asked about.

Source: shared/venues/okx.md, Private, 2026-11-21.  Both doors, REST and WebSocket, come here.
"""

from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import replace

from engine.model.quanta import from_quanta, plain
from ops.sim.exchange.filters import Reason, Refusal
from ops.sim.exchange.orders import BUY, Kind, Order, Request, Why
from ops.sim.exchange.symbols import Symbol
from ops.sim.faces.okx.errors import Failure, failure, refused
from ops.sim.faces.okx.limits import Limits
from ops.sim.faces.okx.requests import (
    Asked,
    Body,
    Change,
    read_change,
    read_ids,
    read_order,
    text,
)
from ops.sim.faces.okx.rows import MS
from ops.sim.faces.okx.tickets import Tickets
from ops.sim.floor import Floor
from ops.sim.truth import money

Row = dict[str, Any]
Native = str | Failure  # which instrument, or why none is named
OPEN_ORDERS_MAX: Final = 4000  # of an account, all instruments together
BATCH_MAX: Final = 20
SLIPPAGE_GUARD: Final = "27"  # the source of a cancellation


class Desk:
    """Carries out what clients ask for."""

    def __init__(self, floor: Floor, tickets: Tickets, limits: Limits) -> None:
        self._floor, self._tickets, self._limits = floor, tickets, limits
        self._exchange = floor.exchange

    # --- operations ----------------------------------------------------------------------------

    def place(self, account: str, body: Body, native: Native, *, batch: bool = False) -> Row:
        """Place an order; a row whose sCode is 0 if it was taken."""
        done = self._place(account, body, native, batch)
        row = {"clOrdId": text(body, "clOrdId")[:32], "ordId": "", "tag": text(body, "tag")[:16],
               "ts": str(self._now_ms())}
        if isinstance(done, Order):
            row |= {"ordId": str(done.id), "ts": str(done.created_ns // MS)}
        return row | _verdict(done)

    def amend(self, account: str, body: Body, native: Native, *, batch: bool = False) -> Row:
        """Change an order's price or total size."""
        done = self._amend(account, body, native, batch)
        return self._ids(account, body) | {"reqId": text(body, "reqId")[:32]} | _verdict(done)

    def cancel(self, account: str, body: Body, native: Native, *, batch: bool = False) -> Row:
        """Cancel an order."""
        done = self._cancel(account, body, native, batch)
        verdict = _verdict(done)
        del verdict["subCode"]
        return self._ids(account, body) | verdict

    def _place(self, account: str, body: Body, native: Native, batch: bool) -> Order | Failure:
        symbol = self._admit("place", account, native, batch)
        if isinstance(symbol, Failure):
            return symbol
        asked = read_order(body, account, symbol, self._floor.mid(symbol.name))
        if isinstance(asked, Failure):
            return asked
        if len(self._exchange.accounts.by_name[account].orders) >= OPEN_ORDERS_MAX:
            return failure("51025")
        if asked.slippage:
            asked = self._bounded(asked, symbol)
        self._tickets.issue(asked.ticket)
        placed = self._floor.place(asked.request)
        if isinstance(placed, Refusal) and placed.reason is Reason.FUNDS and asked.may_shrink:
            placed = self._place_smaller(asked, symbol)
        self._tickets.issue(None)
        if isinstance(placed, Order):
            return placed
        if placed.reason is Reason.SIZE_MAX and asked.ticket.order_type == "market":
            return failure("51202")
        asset = symbol.quote if asked.request.side == BUY else symbol.base
        return self._named(placed, symbol, asset)

    def _bounded(self, asked: Asked, symbol: Symbol) -> Asked:
        """Let a market order trade no further from the middle than its slippage."""
        mid, filters = self._floor.mid(symbol.name), self._floor.filters(symbol.name)
        request = asked.request
        if not mid:
            return asked
        worst = int(mid * (1 + request.side * asked.slippage)) // filters.tick * filters.tick
        if request.side != BUY:
            worst += filters.tick
        size = request.size or request.quote // symbol.value(mid, 1) // filters.lot * filters.lot
        asked.ticket.cancel_source = SLIPPAGE_GUARD
        bounded = replace(request, kind=Kind.LIMIT, price=worst, size=size, quote=0)
        return asked._replace(request=bounded, may_shrink=False)

    def _place_smaller(self, asked: Asked, symbol: Symbol) -> Order | Refusal:
        """Place a market order again, for as much as the balance covers."""
        request, ticket = asked.request, asked.ticket
        asset = symbol.quote if request.side == BUY else symbol.base
        free = self._exchange.balance(request.account, asset)[0]
        smaller: Request
        if request.side == BUY:
            smaller = replace(request, size=0, quote=free)
            if ticket.size:
                ticket.size = money(free)
        else:
            lot = self._floor.filters(symbol.name).lot
            size = free // symbol.base_factor
            smaller = replace(request, size=size - size % lot, quote=0)
            ticket.size = ""
        if not (smaller.size or smaller.quote):
            return Refusal(Reason.FUNDS)
        self._tickets.issue(ticket)
        placed = self._floor.place(smaller)
        if isinstance(placed, Refusal) and placed.reason is Reason.SIZE_MIN:
            return Refusal(Reason.FUNDS)
        return placed

    def _amend(self, account: str, body: Body, native: Native, batch: bool) -> Order | Failure:
        symbol = self._admit("amend", account, native, batch)
        if isinstance(symbol, Failure):
            return symbol
        order = self._find(account, body, symbol.name, "51503")
        if isinstance(order, Failure):
            return order
        change = read_change(body, symbol)
        if isinstance(change, Failure):
            return change
        ticket = self._tickets.of(order)
        ticket.request_id, ticket.amended = change.request_id, True
        if order.filled and 0 < change.size <= order.filled and order.remaining:
            done = self._close(order, change)
        else:
            done = self._floor.amend(
                account, order_id=order.id, price=change.price, size=change.size)
        ticket.request_id, ticket.amended = "", False
        if isinstance(done, Order):
            return done
        if change.cancel_on_fail:
            self._floor.cancel(account, order_id=order.id)
        asset = symbol.quote if order.side == BUY else symbol.base
        gone = done.reason in (Reason.ORDER_ENDED, Reason.UNKNOWN_ORDER)
        return failure("51503") if gone else self._named(done, symbol, asset)

    def _close(self, order: Order, change: Change) -> Order | Refusal:
        """End an order whose new size is no more than what filled: it counts as filled."""
        ticket = self._tickets.of(order)
        ticket.closed = change.size_text
        done = self._floor.cancel(order.account, order_id=order.id, why=Why.WITHDRAWN)
        if isinstance(done, Refusal):
            ticket.closed = ""
        return done

    def _cancel(self, account: str, body: Body, native: Native, batch: bool) -> Order | Failure:
        symbol = self._admit("cancel", account, native, batch)
        if isinstance(symbol, Failure):
            return symbol
        order = self._find(account, body, symbol.name, "51400")
        if isinstance(order, Failure):
            return order
        done = self._floor.cancel(account, order_id=order.id)
        return done if isinstance(done, Order) else self._named(done, symbol, "")

    # --- parts ---------------------------------------------------------------------------------

    def _admit(
        self, operation: str, account: str, native: Native, batch: bool
    ) -> Symbol | Failure:
        """Count a request and find its symbol."""
        name = native if isinstance(native, str) else ""
        if (over := self._limits.entry(operation, account, name, batch=batch)) is not None:
            return over
        if isinstance(native, Failure):
            return native
        listed = self._exchange.listed.get(native)
        if listed is not None:
            return listed.symbol
        abroad = self._floor.venue == "okx-us" and native.count("-") > 1
        return failure("51155" if abroad else "51001")

    def _find(self, account: str, body: Body, native: str, code: str) -> Order | Failure:
        ids = read_ids(body)
        if isinstance(ids, Failure):
            return ids
        order = self._exchange.registry.find(account, order_id=ids[0], client_id=ids[1])
        return order if order and order.symbol == native else failure(code)

    def _ids(self, account: str, body: Body) -> Row:
        """Return an answer's ids: the order's own where it is known, else those asked for."""
        row = {"clOrdId": text(body, "clOrdId")[:32], "ordId": text(body, "ordId")[:32],
               "ts": str(self._now_ms())}
        ids = read_ids(body)
        order = None if isinstance(ids, Failure) else self._exchange.registry.find(
            account, order_id=ids[0], client_id=ids[1])
        if order is not None:
            row |= {"clOrdId": order.client_id, "ordId": str(order.id)}
        return row

    def _named(self, refusal: Refusal, symbol: Symbol, asset: str) -> Failure:
        price_min = self._floor.filters(symbol.name).price_min
        return refused(
            refusal, native=symbol.name, asset=asset,
            price_min=plain(from_quanta(price_min, symbol.price_decimals)))

    def _now_ms(self) -> int:
        return self._floor.now_ns() // MS


Operation = Callable[..., Row]


def _verdict(done: Order | Failure) -> Row:
    if isinstance(done, Order):
        return {"sCode": "0", "sMsg": "", "subCode": ""}
    return {"sCode": done.code, "sMsg": done.text, "subCode": done.sub}


def outcome(rows: list[Row]) -> str:
    """Return the code over all rows: 0 all well, 1 none, 2 some."""
    well = sum(row["sCode"] == "0" for row in rows)
    return "0" if well == len(rows) else "2" if well else "1"
