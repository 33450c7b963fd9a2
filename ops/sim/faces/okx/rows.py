"""Orders and fills as the rows of answers and pushes: every value a text, empty where absent.

Source: shared/venues/okx.md, Private, 2026-11-21, and the documentation's own samples: their keys,
in their order.  A charged fee is negative.
"""

from decimal import Decimal
from typing import Any, Final

from engine.model.quanta import from_quanta, plain
from ops.sim.exchange.events import Fill
from ops.sim.exchange.exchange import Exchange
from ops.sim.exchange.orders import BUY, Kind, Order
from ops.sim.exchange.symbols import Symbol
from ops.sim.faces.okx.tickets import Ticket, Tickets, cancel_source, received, state
from ops.sim.rules import MONEY_DECIMALS
from ops.sim.truth import money

MS: Final = 1_000_000
REASONS: Final = {
    "1": "Order canceled by user", "13": "FOK order not completely filled",
    "14": "IOC order partially canceled", "20": "Cancel all after triggered",
    "31": "Post-only order would take liquidity", "32": "Self trade prevention",
}
NO_ALGO: Final = {
    "slOrdPx": "", "slTriggerPx": "", "slTriggerPxType": "", "tpOrdPx": "", "tpTriggerPx": "",
    "tpTriggerPxType": "",
}


class Rows:
    """Writes rows of one venue's orders."""

    def __init__(self, exchange: Exchange, tickets: Tickets) -> None:
        self._exchange, self._tickets = exchange, tickets

    def symbol(self, native: str) -> Symbol:
        """Return a listed symbol."""
        return self._exchange.listed[native].symbol

    def queried(self, order: Order) -> dict[str, Any]:
        """Return an order as REST tells it: its last fill, however old."""
        ticket, symbol = self._tickets.of(order), self.symbol(order.symbol)
        return {
            **self._common(order, ticket, symbol),
            **_filled(ticket.last, symbol),
            "avgPx": average_price(order, symbol),
            "attachAlgoClOrdId": "", "cancelSourceReason": REASONS.get(
                cancel_source(order, ticket), ""),
            "lever": "", "posSide": "net", **NO_ALGO,
        }

    def pushed(self, order: Order, fill: Fill | None, usd: Decimal) -> dict[str, Any]:
        """Return an order as its channel tells it; ``fill`` is what this push is about."""
        ticket, symbol = self._tickets.of(order), self.symbol(order.symbol)
        asset = received(order, symbol.base, symbol.quote)[0]
        size = Decimal(from_quanta(order.size, symbol.size_decimals))
        price = Decimal(from_quanta(
            order.price or self._exchange.listed[order.symbol].last, symbol.price_decimals))
        return {
            **self._common(order, ticket, symbol),
            **_filled(fill, symbol),
            "avgPx": average_price(order, symbol) or "0",
            "fillFee": money(-fill.fee) if fill else "0",
            "fillFeeCcy": asset if fill else "",
            "execType": ("T" if fill.taker else "M") if fill else "",
            "fillNotionalUsd": usd_text(Decimal(money(order.value)) * usd) if fill else "",
            "notionalUsd": usd_text(size * price * usd),
            "fillPnl": "0", "fillPxVol": "", "fillPxUsd": "", "fillMarkVol": "", "fillFwdPx": "",
            "fillMarkPx": "", "fillIdxPx": "",
            "amendResult": "0" if ticket.amended else "",
            "amendSource": "1" if ticket.amended else "", "reqId": ticket.request_id,
            "lastPx": plain(from_quanta(
                self._exchange.listed[order.symbol].last, symbol.price_decimals)),
            "attachAlgoClOrdId": "", "code": "0", "msg": "", "lever": "0", "posSide": "",
            **NO_ALGO,
        }

    def _common(self, order: Order, ticket: Ticket, symbol: Symbol) -> dict[str, Any]:
        paid_in, other = received(order, symbol.base, symbol.quote)
        market = order.kind is Kind.MARKET or ticket.order_type == "market"
        return {
            "accFillSz": size_text(order.filled, symbol), "algoClOrdId": "", "algoId": "",
            "attachAlgoOrds": [], "cTime": str(order.created_ns // MS),
            "cancelSource": cancel_source(order, ticket), "category": "normal", "ccy": "",
            "clOrdId": order.client_id, "fee": money(-ticket.fee), "feeCcy": paid_in,
            "instId": order.symbol, "instType": "SPOT", "isTpLimit": "false",
            "linkedAlgoOrd": {"algoId": ""}, "ordId": str(order.id),
            "ordType": ticket.order_type, "pnl": "0",
            "px": "" if market else price_text(order.price, symbol), "pxType": "", "pxUsd": "",
            "pxVol": "", "quickMgnType": "", "rebate": "0", "rebateCcy": other,
            "reduceOnly": "false", "side": side_text(order.side), "source": "",
            "state": state(order, ticket), "stpId": "", "stpMode": ticket.stp,
            "sz": ticket.closed or ticket.size or size_text(order.size, symbol),
            "tag": ticket.tag, "tdMode": "cash", "tgtCcy": ticket.target if market else "",
            "tradeQuoteCcy": symbol.quote, "uTime": str(order.updated_ns // MS),
        }

    def fill(self, fill: Fill) -> dict[str, Any]:
        """Return a fill as REST tells it."""
        symbol = self.symbol(fill.symbol)
        order = self._exchange.registry.find(fill.account, order_id=fill.order_id)
        rate = Decimal(0)
        if order is not None:
            ppm = order.fees.taker_ppm if fill.taker else order.fees.maker_ppm
            rate = Decimal(-ppm).scaleb(-6)
        at_ms = str(fill.now_ns // MS)
        return {
            "side": side_text(fill.side), "fillSz": size_text(fill.size, symbol),
            "fillPx": price_text(fill.price, symbol), "fillPxVol": "", "fillFwdPx": "",
            "fee": money(-fill.fee), "fillPnl": "0", "ordId": str(fill.order_id),
            "feeRate": decimal_text(rate), "instType": "SPOT", "fillPxUsd": "",
            "instId": fill.symbol, "clOrdId": fill.client_id, "posSide": "net",
            "billId": str(bill_id(fill)), "subType": "1" if fill.side == BUY else "2",
            "fillMarkVol": "", "tag": self._tickets.of(order).tag if order else "",
            "fillTime": at_ms, "execType": "T" if fill.taker else "M", "fillIdxPx": "",
            "tradeId": str(fill.trade_id), "fillMarkPx": "", "feeCcy": fill.fee_asset,
            "ts": at_ms, "tradeQuoteCcy": symbol.quote,
        }


def _filled(fill: Fill | None, symbol: Symbol) -> dict[str, str]:
    if fill is None:
        return {"fillPx": "", "fillSz": "0", "fillTime": "", "tradeId": ""}
    return {
        "fillPx": price_text(fill.price, symbol), "fillSz": size_text(fill.size, symbol),
        "fillTime": str(fill.now_ns // MS), "tradeId": str(fill.trade_id),
    }


def bill_id(fill: Fill) -> int:
    """Return the number of a fill in an account's bills: rising as trades do."""
    return fill.trade_id * 2 + (fill.side == BUY)


def average_price(order: Order, symbol: Symbol) -> str:
    """Return the mean price of what filled, empty before the first fill."""
    if not order.filled:
        return ""
    value = Decimal(order.value).scaleb(-MONEY_DECIMALS)
    exact = value / Decimal(order.filled).scaleb(-symbol.size_decimals)
    return decimal_text(round(exact, symbol.price_decimals + 8))


def price_text(price: int, symbol: Symbol) -> str:
    """Write a price without trailing zeros."""
    return plain(from_quanta(price, symbol.price_decimals))


def size_text(size: int, symbol: Symbol) -> str:
    """Write a size without trailing zeros."""
    return plain(from_quanta(size, symbol.size_decimals))


def side_text(side: int) -> str:
    """Return the venue's word for a side."""
    return "buy" if side == BUY else "sell"


def usd_text(amount: Decimal) -> str:
    """Write a worth in USD."""
    return decimal_text(round(amount, 8))


def decimal_text(number: Decimal) -> str:
    """Write a number plainly: no exponent, no trailing zeros."""
    return plain(f"{number:f}")
