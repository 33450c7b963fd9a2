"""How USD-M writes numbers, orders and fills.

Prices and quantities carry the contract's own decimals, money at least eight, and more where an
exact amount needs them.  Shapes from developers.binance.com/docs/derivatives/usds-margined-futures
(trade/rest-api, trade/websocket-api), read 2026-11-21.
"""

from typing import Final, NamedTuple

from engine.model.quanta import from_quanta
from ops.sim.exchange.events import Fill
from ops.sim.exchange.exchange import Exchange
from ops.sim.exchange.orders import BUY, Kind, Order, Status, Stp, Tif, Why
from ops.sim.exchange.symbols import Symbol
from ops.sim.listing import Line
from ops.sim.rules import MONEY_DECIMALS

MONEY_SHOWN: Final = 8
RATIO_DECIMALS: Final = 8
STP_WORDS: Final = {
    "NONE": Stp.NONE, "EXPIRE_TAKER": Stp.EXPIRE_TAKER, "EXPIRE_MAKER": Stp.EXPIRE_MAKER,
    "EXPIRE_BOTH": Stp.EXPIRE_BOTH,
}
STP_NAMES: Final = {mode: word for word, mode in STP_WORDS.items()}
TIF_NAMES: Final = {Tif.GTC: "GTC", Tif.IOC: "IOC", Tif.FOK: "FOK"}


class Terms(NamedTuple):
    """What a client asked of an order that the matching engine does not know."""

    price_match: str = "NONE"
    good_till_ms: int = 0  # 0: not GTD


PLAIN: Final = Terms()


def shown(quanta: int, decimals: int, least: int) -> str:
    """Return the exact decimal text of ``quanta`` with at least ``least`` decimals."""
    whole, _, fraction = from_quanta(quanta, decimals).partition(".")
    fraction = fraction.rstrip("0").ljust(least, "0")
    return f"{whole}.{fraction}" if fraction else whole


def money(amount: int) -> str:
    """Write an amount of any asset."""
    return shown(amount, MONEY_DECIMALS, MONEY_SHOWN)


def rate(ppm: int, decimals: int) -> str:
    """Write a rate: 200 ppm is 0.0002."""
    return shown(ppm, 6, decimals)


def side_of(side: int) -> str:
    """Write a side."""
    return "BUY" if side == BUY else "SELL"


def status_of(order: Order) -> str:
    """Name where an order stands."""
    if order.status is Status.OPEN:
        return "PARTIALLY_FILLED" if order.filled else "NEW"
    if order.status is Status.EXPIRED:
        return "EXPIRED_IN_MATCH" if order.why is Why.SELF_TRADE else "EXPIRED"
    return "FILLED" if order.status is Status.FILLED else "CANCELED"


def tif_of(order: Order, terms: Terms) -> str:
    """Name how long an order stays."""
    if order.post_only:
        return "GTX"
    return "GTD" if terms.good_till_ms else TIF_NAMES[order.tif]


class Numbers:
    """Writes the numbers of one contract."""

    def __init__(self, line: Line, symbol: Symbol) -> None:
        self.symbol = symbol
        self._tick, self._lot = line.tick_decimals, line.lot_decimals

    def price(self, quanta: int) -> str:
        """Write a price."""
        return shown(quanta, self.symbol.price_decimals, self._tick)

    def mark(self, quanta: int) -> str:
        """Write a mark or index price: eight decimals."""
        return shown(quanta, self.symbol.price_decimals, MONEY_SHOWN)

    def size(self, quanta: int) -> str:
        """Write a quantity."""
        return shown(quanta, self.symbol.size_decimals, self._lot)

    def value(self, amount: int) -> str:
        """Write a quote amount that a trade moved."""
        return shown(amount, MONEY_DECIMALS, min(MONEY_SHOWN, self._tick + self._lot))

    def average(self, value: int, size: int) -> str:
        """Write ``value`` per contract, cut after eight decimals; 0 without any."""
        if not size:
            return shown(0, 0, self._tick)
        scale: int = 10 ** (self.symbol.size_decimals + RATIO_DECIMALS)
        quanta = abs(value) * scale // (abs(size) * 10**MONEY_DECIMALS)
        return shown(quanta, RATIO_DECIMALS, self._tick)


class Rows:
    """Writes orders and fills as REST and the WebSocket API tell them."""

    def __init__(self, lines: dict[str, Line], exchange: Exchange) -> None:
        self.numbers = {native: Numbers(line, exchange.listed[native].symbol)
                        for native, line in lines.items()}

    def order(self, order: Order, terms: Terms, *, accepted: bool = False) -> dict[str, object]:
        """Return an order's row, ``accepted``: as it stood before it met any other."""
        numbers = self.numbers[order.symbol]
        filled, value = (0, 0) if accepted else (order.filled, order.value)
        kind = "LIMIT" if order.kind is Kind.LIMIT else "MARKET"
        return {
            "orderId": order.id, "symbol": order.symbol,
            "status": "NEW" if accepted else status_of(order),
            "clientOrderId": order.client_id, "price": numbers.price(order.price),
            "avgPrice": numbers.average(value, filled), "origQty": numbers.size(order.size),
            "executedQty": numbers.size(filled), "cumQuote": numbers.value(value),
            "timeInForce": tif_of(order, terms), "type": kind, "reduceOnly": order.reduce_only,
            "closePosition": False, "side": side_of(order.side), "positionSide": "BOTH",
            "stopPrice": numbers.price(0), "workingType": "CONTRACT_PRICE",
            "priceProtect": False, "origType": kind, "priceMatch": terms.price_match,
            "selfTradePreventionMode": STP_NAMES[order.stp],
            "goodTillDate": terms.good_till_ms, "updateTime": order.updated_ns // 1_000_000,
        }

    def entered(
        self, order: Order, terms: Terms, *, accepted: bool = False
    ) -> dict[str, object]:
        """Return the answer to placing, changing or cancelling an order."""
        row = self.order(order, terms, accepted=accepted)
        return row | {"cumQty": row["executedQty"]}

    def queried(self, order: Order, terms: Terms) -> dict[str, object]:
        """Return the answer to a query for an order."""
        return self.order(order, terms) | {"time": order.created_ns // 1_000_000}

    def fill(self, fill: Fill) -> dict[str, object]:
        """Return a row of userTrades."""
        numbers = self.numbers[fill.symbol]
        return {
            "symbol": fill.symbol, "id": fill.trade_id, "orderId": fill.order_id,
            "side": side_of(fill.side), "price": numbers.price(fill.price),
            "qty": numbers.size(fill.size), "realizedPnl": money(fill.pnl),
            "quoteQty": numbers.value(fill.value), "commission": money(fill.fee),
            "commissionAsset": fill.fee_asset, "time": fill.now_ns // 1_000_000,
            "positionSide": "BOTH", "buyer": fill.side == BUY, "maker": not fill.taker,
        }
