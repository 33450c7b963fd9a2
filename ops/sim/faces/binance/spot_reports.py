"""What Binance spot writes of orders and fills: answers, queries, execution reports.

``unit`` is how many ns one unit of a timestamp has: clients may ask for us instead of ms.
Source: binance-spot-api-docs:rest-api.md, user-data-stream.md @ a5e0bc3, 2026-11-21.
"""

from typing import Any, Final

from ops.sim.exchange.events import Fill
from ops.sim.exchange.orders import BUY, Kind, Order, Status, Tif, Why
from ops.sim.faces.binance.numbers import Numbers
from ops.sim.faces.binance.spot_notes import (
    EXPIRY_REASONS,
    Amendment,
    Notes,
    PreventedMatch,
)

Row = dict[str, Any]
MS: Final = 1_000_000
NO_LIST: Final = -1  # orderListId of an order that is in none
NO_GROUP: Final = -1  # tradeGroupId of an account that is in none
ZERO: Final = "0.00000000"
TIFS: Final = {Tif.GTC: "GTC", Tif.IOC: "IOC", Tif.FOK: "FOK"}


def side_word(side: int) -> str:
    """Return BUY or SELL."""
    return "BUY" if side == BUY else "SELL"


def type_word(order: Order) -> str:
    """Return the venue's type of an order."""
    if order.kind is Kind.MARKET:
        return "MARKET"
    return "LIMIT_MAKER" if order.post_only else "LIMIT"


def status_word(order: Order) -> str:
    """Return where an order stands."""
    if order.status is Status.OPEN:
        return "PARTIALLY_FILLED" if order.filled else "NEW"
    if order.status is Status.FILLED:
        return "FILLED"
    if order.why is Why.SELF_TRADE:
        return "EXPIRED_IN_MATCH"
    cancelled = order.status is Status.CANCELLED and order.why is not Why.WITHDRAWN
    return "CANCELED" if cancelled else "EXPIRED"


class Reports:
    """Writes rows of one venue."""

    def __init__(self, numbers: Numbers, notes: Notes) -> None:
        self._numbers, self._notes = numbers, notes

    # --- answers to order entry ----------------------------------------------------------------

    def ack(self, order: Order, unit: int) -> Row:
        """Return the short answer to a placed order."""
        return {
            "symbol": order.symbol, "orderId": order.id, "orderListId": NO_LIST,
            "clientOrderId": order.client_id, "transactTime": order.updated_ns // unit,
        }

    def result(self, order: Order, unit: int) -> Row:
        """Return the answer that shows the order."""
        note = self._notes.of(order)
        return self.ack(order, unit) | self._amounts(order) | {
            "workingTime": order.created_ns // unit, "selfTradePreventionMode": note.stp,
        } | self._conditional(order)

    def full(
        self, order: Order, fills: list[Fill], matches: list[PreventedMatch], unit: int
    ) -> Row:
        """Return the answer that shows the order's fills too."""
        row = self.result(order, unit) | {"fills": [self._fill(fill) for fill in fills]}
        if matches:
            row["preventedMatches"] = [self._match_in_answer(match) for match in matches]
        return row

    def cancelled(self, order: Order, cancel_id: str, unit: int) -> Row:
        """Return the answer to a cancel, which has an id of its own."""
        return self.ack(order, unit) | self._amounts(order) | {
            "origClientOrderId": order.client_id, "clientOrderId": cancel_id,
            "selfTradePreventionMode": self._notes.of(order).stp,
        } | self._conditional(order)

    def amended(self, order: Order, old_id: str, execution_id: int, unit: int) -> Row:
        """Return the answer to a reduction in place."""
        numbers, native = self._numbers, order.symbol
        return {
            "transactTime": order.updated_ns // unit, "executionId": execution_id,
            "amendedOrder": {
                "symbol": native, "orderId": order.id, "orderListId": NO_LIST,
                "origClientOrderId": old_id, "clientOrderId": order.client_id,
                "price": numbers.price(native, order.price),
                "qty": numbers.size(native, order.size),
                "executedQty": numbers.size(native, order.filled),
                "preventedQty": numbers.size(native, order.prevented),
                "quoteOrderQty": numbers.value(native, self._notes.of(order).quote),
                "cumulativeQuoteQty": numbers.value(native, order.value),
                "status": status_word(order), "timeInForce": TIFS[order.tif],
                "type": type_word(order), "side": side_word(order.side),
                "workingTime": order.created_ns // unit,
                "selfTradePreventionMode": self._notes.of(order).stp,
            },
        }

    # --- queries -------------------------------------------------------------------------------

    def status(self, order: Order, unit: int) -> Row:
        """Return an order's row in queries."""
        note = self._notes.of(order)
        row = self.ack(order, unit)
        del row["transactTime"]
        row |= self._amounts(order) | {
            "stopPrice": ZERO, "icebergQty": ZERO, "time": order.created_ns // unit,
            "updateTime": order.updated_ns // unit, "isWorking": True,
            "workingTime": order.created_ns // unit, "selfTradePreventionMode": note.stp,
        } | self._conditional(order)
        if status_word(order) == "EXPIRED" and order.why is not None:
            row["expiryReason"] = EXPIRY_REASONS[order.why]
        return row

    def trade(self, fill: Fill, unit: int) -> Row:
        """Return a fill's row in myTrades."""
        numbers, native = self._numbers, fill.symbol
        return {
            "symbol": native, "id": fill.trade_id, "orderId": fill.order_id,
            "orderListId": NO_LIST, "price": numbers.price(native, fill.price),
            "qty": numbers.size(native, fill.size), "quoteQty": numbers.value(native, fill.value),
            "commission": numbers.money(fill.fee), "commissionAsset": fill.fee_asset,
            "time": fill.now_ns // unit, "isBuyer": fill.side == BUY,
            "isMaker": not fill.taker, "isBestMatch": True,
        }

    def match(self, match: PreventedMatch, unit: int) -> Row:
        """Return a row of myPreventedMatches."""
        row: Row = {
            "symbol": match.symbol, "preventedMatchId": match.id, "takerOrderId": match.taker_id,
            "makerSymbol": match.symbol, "makerOrderId": match.maker_id,
            "tradeGroupId": NO_GROUP, "selfTradePreventionMode": match.mode,
            "price": self._numbers.price(match.symbol, match.price),
            "transactTime": match.at_ns // unit,
        }
        return row | self._prevented(match)

    def amendment(self, order: Order, each: Amendment, unit: int) -> Row:
        """Return a row of order/amendments."""
        numbers = self._numbers
        return {
            "symbol": order.symbol, "orderId": order.id, "executionId": each.execution_id,
            "origClientOrderId": each.old_id, "newClientOrderId": each.new_id,
            "origQty": numbers.size(order.symbol, each.old_size),
            "newQty": numbers.size(order.symbol, each.new_size), "time": each.at_ns // unit,
        }

    # --- the user stream -----------------------------------------------------------------------

    def execution(
        self, order: Order, what: str, execution_id: int, now_ns: int, unit: int, *,
        client_id: str = "", original: str = "", fill: Fill | None = None,
    ) -> Row:
        """Return an executionReport; ``client_id`` of a cancel or amendment is its own."""
        numbers, native, note = self._numbers, order.symbol, self._notes.of(order)
        filled, value = (fill.filled, fill.filled_value) if fill else (order.filled, order.value)
        row: Row = {
            "e": "executionReport", "E": now_ns // unit, "s": native,
            "c": client_id or order.client_id, "S": side_word(order.side), "o": type_word(order),
            "f": TIFS[order.tif], "q": numbers.size(native, order.size),
            "p": numbers.price(native, order.price), "P": ZERO, "F": ZERO, "g": NO_LIST,
            "C": original, "x": what, "X": status_word(order), "r": "NONE", "i": order.id,
            "l": numbers.size(native, fill.size if fill else 0),
            "z": numbers.size(native, filled),
            "L": numbers.price(native, fill.price if fill else 0),
            "n": numbers.money(fill.fee) if fill else "0",
            "N": fill.fee_asset if fill else None, "T": now_ns // unit,
            "t": fill.trade_id if fill else -1, "I": execution_id,
            "w": order.status is Status.OPEN, "m": fill is not None and not fill.taker,
            "M": bool(fill), "O": order.created_ns // unit,
            "Z": numbers.value(native, value),
            "Y": numbers.value(native, fill.value if fill else 0),
            "Q": numbers.value(native, note.quote), "W": order.created_ns // unit,
            "V": note.stp,
        }
        if note.strategy:
            names = {"strategyId": "j", "strategyType": "J"}
            row |= {names[name]: number for name, number in note.strategy.items()}
        if row["X"] == "EXPIRED" and order.why is not None:
            row["eR"] = EXPIRY_REASONS[order.why]
        return row

    def prevention(self, order: Order, match: PreventedMatch) -> Row:
        """Return what an executionReport of a prevented self-trade has besides."""
        numbers, native = self._numbers, order.symbol
        taker = order.id == match.taker_id
        size = match.taker_size if taker else match.maker_size
        met = min(match.taker_size or match.maker_size, match.maker_size or match.taker_size)
        value = numbers.value_of(native, match.price, met)
        return {
            "v": match.id, "A": numbers.size(native, self._notes.of(order).prevented),
            "B": numbers.size(native, size), "u": NO_GROUP,
            "U": match.maker_id if taker else match.taker_id, "Cs": native,
            "pl": numbers.size(native, met), "pL": numbers.price(native, match.price),
            "pY": value,
        }

    # --- parts ---------------------------------------------------------------------------------

    def _amounts(self, order: Order) -> Row:
        numbers, native = self._numbers, order.symbol
        return {
            "price": numbers.price(native, order.price),
            "origQty": numbers.size(native, order.size),
            "executedQty": numbers.size(native, order.filled),
            "origQuoteOrderQty": numbers.value(native, self._notes.of(order).quote),
            "cummulativeQuoteQty": numbers.value(native, order.value),
            "status": status_word(order), "timeInForce": TIFS[order.tif],
            "type": type_word(order), "side": side_word(order.side),
        }

    def _conditional(self, order: Order) -> Row:
        """Return the fields that only some orders have."""
        note = self._notes.of(order)
        row: Row = dict(note.strategy)
        if note.match >= 0:
            row["preventedMatchId"] = note.match
            row["preventedQuantity"] = self._numbers.size(order.symbol, note.prevented)
        return row

    def _fill(self, fill: Fill) -> Row:
        return {
            "price": self._numbers.price(fill.symbol, fill.price),
            "qty": self._numbers.size(fill.symbol, fill.size),
            "commission": self._numbers.money(fill.fee), "commissionAsset": fill.fee_asset,
            "tradeId": fill.trade_id,
        }

    def _match_in_answer(self, match: PreventedMatch) -> Row:
        return {
            "preventedMatchId": match.id, "makerOrderId": match.maker_id,
            "price": self._numbers.price(match.symbol, match.price),
        } | self._prevented(match)

    def _prevented(self, match: PreventedMatch) -> Row:
        sizes = {"takerPreventedQuantity": match.taker_size,
                 "makerPreventedQuantity": match.maker_size}
        return {name: self._numbers.size(match.symbol, size)
                for name, size in sizes.items() if size}
