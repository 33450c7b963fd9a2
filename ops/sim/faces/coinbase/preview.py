"""Order previews: what an order or an edit would do and cost, by the book as it stands.

Source: shared/venues/coinbase.md names the calls; fields after coinbase's API reference (2026-11).
A preview judges limits and money like the matching engine, and changes nothing.
"""

from typing import Any, Final, NamedTuple

from ops.sim.book import ASK, BID
from ops.sim.exchange.accounts import Listed
from ops.sim.exchange.fees import PPM, share
from ops.sim.exchange.filters import AMEND_CHECKS, CHECKS, Check, Reason, Refusal, Situation, review
from ops.sim.exchange.orders import BUY, Order, Request
from ops.sim.face import Answer, json_object, to_json
from ops.sim.faces.coinbase import reasons
from ops.sim.faces.coinbase.entry import Entry, Unreadable
from ops.sim.faces.coinbase.names import uuid_named
from ops.sim.faces.coinbase.reasons import NO_PREVIEW_REASON, Failure, invalid
from ops.sim.faces.coinbase.rows import average, size_text
from ops.sim.floor import Floor
from ops.sim.listing import Line
from ops.sim.truth import money

FUTURES_ONLY: Final = (
    "order_margin_total", "leverage", "long_leverage", "short_leverage",
    "current_liquidation_buffer", "projected_liquidation_buffer", "max_leverage")


class Outlook(NamedTuple):
    """What taking from the public book would bring: size and its value in quote quanta."""

    size: int
    value: int


class Preview:
    """Answers what would happen."""

    def __init__(self, floor: Floor, entry: Entry, lines: dict[str, Line]) -> None:
        self._floor, self._entry, self._lines = floor, entry, lines

    def place(self, account: str, body: bytes) -> Answer:
        """Preview a new order."""
        asked = json_object(body)
        if asked is None:
            return invalid("request body is not a JSON object")
        try:
            wanted = self._entry.read(account, asked, "")
        except Unreadable as error:
            return invalid(str(error))
        if isinstance(wanted, Failure):
            return to_json(_order_body([wanted.preview]))
        request = wanted.request
        listed = self._floor.exchange.listed[request.symbol]
        failure = self._failure(request, listed, CHECKS)
        seen = self._outlook(request, listed)
        fees = self._floor.exchange.accounts.by_name[account].fees
        fee = share(seen.value, fees.taker_ppm)
        line = self._lines[request.symbol]
        return to_json(_order_body([failure.preview] if failure else []) | {
            "order_total": money(seen.value + request.side * fee),
            "commission_total": money(fee),
            "quote_size": money(seen.value),
            "base_size": size_text(listed.symbol, seen.size),
            "best_bid": line.price(line.book.touch().bid),
            "best_ask": line.price(line.book.touch().ask),
            "preview_id": uuid_named("preview", account, str(self._floor.now_ns())),
        })

    def edit(self, account: str, body: bytes) -> Answer:
        """Preview an edit."""
        found = self._entry.find(account, body)
        if isinstance(found, Answer):
            return found
        order, price, size = found
        error = self._entry.edit_problem(order, price, size)
        request = _edited(order, price or order.price, size or order.size)
        listed = self._floor.exchange.listed[order.symbol]
        if error is None:
            failure = self._failure(request, listed, AMEND_CHECKS, order.reserved)
            if failure is not None:
                error = {"edit_failure_reason": "COMMANDER_REJECTED_EDIT_ORDER",
                         "preview_failure_reason": failure.preview}
        value = listed.symbol.value(request.price, request.size)
        fee = share(value, order.fees.taker_ppm)
        line = self._lines[order.symbol]
        return to_json({
            "errors": [error] if error else [],
            "slippage": "0",
            "order_total": money(value + order.side * fee),
            "commission_total": money(fee),
            "quote_size": money(value),
            "base_size": size_text(listed.symbol, request.size),
            "best_bid": line.price(line.book.touch().bid),
            "best_ask": line.price(line.book.touch().ask),
            "average_filled_price": average(order.value, order.filled, listed.symbol),
            "order_margin_total": "",
        })

    def _failure(
        self, request: Request, listed: Listed, checks: tuple[Check, ...], held: int = 0
    ) -> Failure | None:
        """Return why the request would be refused; ``held`` is what its order holds already."""
        exchange = self._floor.exchange
        account = exchange.accounts.by_name[request.account]
        situation = Situation(
            listed.symbol, listed.filters, self._floor.mid(request.symbol),
            account.open_counts.get(request.symbol, 0))
        refusal = review(request, situation, checks)
        best = self._best(request)
        crosses = best and request.price * request.side >= best * request.side
        if refusal is None and request.post_only and crosses:
            refusal = Refusal(Reason.WOULD_TAKE, request.price, best)
        if refusal is None and not request.price and not best:
            refusal = Refusal(Reason.NO_LIQUIDITY)
        if refusal is None:
            seen, symbol = self._outlook(request, listed), listed.symbol
            buys = request.side == BUY
            needed = (seen.value * (PPM + account.fees.worst_ppm) // PPM if buys
                      else symbol.amount(seen.size))
            free, _ = exchange.balance(request.account, symbol.quote if buys else symbol.base)
            if needed > free + held:
                refusal = Refusal(Reason.FUNDS, needed, free)
        return reasons.failure_of(refusal, listed.filters.mode) if refusal else None

    def _best(self, request: Request) -> int:
        """Return the best opposite price in the symbol's quanta, 0 without one."""
        line = self._lines[request.symbol]
        touch = line.book.touch()
        symbol = self._floor.exchange.listed[request.symbol].symbol
        best: int = touch.ask if request.side == BUY else touch.bid
        return int(best * 10 ** (symbol.price_decimals - line.price_decimals))

    def _outlook(self, request: Request, listed: Listed) -> Outlook:
        """Return what the order would come to: at its limit, or along the public book."""
        symbol = listed.symbol
        if request.price:
            return Outlook(request.size, symbol.value(request.price, request.size))
        line = self._lines[request.symbol]
        by_price = 10 ** (symbol.price_decimals - line.price_decimals)
        by_size = 10 ** (symbol.size_decimals - line.size_decimals)
        side = ASK if request.side == BUY else BID
        size = value = 0
        for price, shown in line.book.top(side, len(line.book.sizes[side])):
            one = symbol.value(price * by_price, 1)
            most = shown * by_size
            left = (request.size - size if request.size else (request.quote - value) // one)
            size, value = size + min(most, left), value + min(most, left) * one
            if left <= most:
                break
        return Outlook(size - size % listed.filters.lot, value)


def _edited(order: Order, price: int, size: int) -> Request:
    return Request(
        account=order.account, symbol=order.symbol, side=order.side, price=price, size=size,
        post_only=order.post_only)


def _order_body(errors: list[str]) -> dict[str, Any]:
    """Return an order preview that tells nothing but why it is bad."""
    errs = [each for each in errors if each != NO_PREVIEW_REASON] or (
        ["PREVIEW_INVALID_ORDER_CONFIG"] if errors else [])
    figures = ("order_total", "commission_total", "quote_size", "base_size", "slippage")
    return dict.fromkeys(figures, "0") | dict.fromkeys(FUTURES_ONLY, "") | {
        "errs": errs, "warning": [], "best_bid": "", "best_ask": "", "is_max": False,
        "preview_id": "", "pnl_configuration": None,
    }
