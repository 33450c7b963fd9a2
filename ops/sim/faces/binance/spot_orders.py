"""Reads order requests of Binance spot: what each type needs, and what it may not have.

Source: binance-spot-api-docs:rest-api.md (New order) @ a5e0bc3, 2026-11-21.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from random import Random
from typing import Final, NamedTuple

from ops.sim.exchange.orders import BUY, SELL, Kind, Request, Tif
from ops.sim.exchange.symbols import Symbol
from ops.sim.faces.binance.errors import (
    BAD_SIDE,
    BAD_SYMBOL,
    BAD_TIF,
    BAD_TYPE,
    EITHER,
    ILLEGAL,
    INVALID,
    MANDATORY,
    NOT_REQUIRED,
    Problem,
    Refused,
)
from ops.sim.faces.binance.params import Params, quanta
from ops.sim.faces.binance.spot_notes import STP_WORDS
from ops.sim.faces.binance.spot_reasons import (
    BAD_PRICE,
    BAD_QUANTITY,
    BAD_STP,
    FILTER,
    REJECTED,
)
from ops.sim.rules import MONEY_DECIMALS

CLIENT_ID: Final = re.compile(r"[a-zA-Z0-9_-]{1,36}")
CLIENT_ID_RANGE: Final = "^[a-zA-Z0-9-_]{1,36}$"
BAD_STRATEGY: Final = Problem(-1134, "`strategyType` was less than 1000000.")
STRATEGY_TYPE_MIN: Final = 1_000_000
SIDES: Final = {"BUY": BUY, "SELL": SELL}
TIFS: Final = {"GTC": Tif.GTC, "IOC": Tif.IOC, "FOK": Tif.FOK}
TYPES: Final = ("LIMIT", "LIMIT_MAKER", "MARKET")
UNSUPPORTED: Final = {  # types and options that no symbol here has, in the venue's words
    "STOP_LOSS": "Stop loss orders are not supported for this symbol.",
    "STOP_LOSS_LIMIT": "Stop loss limit orders are not supported for this symbol.",
    "TAKE_PROFIT": "Take profit orders are not supported for this symbol.",
    "TAKE_PROFIT_LIMIT": "Take profit limit orders are not supported for this symbol.",
    "icebergQty": "Iceberg orders are not supported for this symbol.",
    "trailingDelta": "Trailing stop orders are not supported for this symbol.",
    "pegPriceType": "Pegged orders are not supported for this symbol.",
}
REPLIES: Final = {"ACK": "ACK", "RESULT": "RESULT", "FULL": "FULL"}
LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Ticket(NamedTuple):
    """An order as asked for, and how its answer is wanted."""

    request: Request
    reply: str  # ACK, RESULT or FULL
    stp: str
    strategy: dict[str, int]


class Reader:
    """Reads the parameters of orders; ``stp`` is (default, allowed)."""

    def __init__(
        self, symbols: Mapping[str, Symbol], stp: tuple[str, tuple[str, ...]], seed: str
    ) -> None:
        self.symbols = symbols
        self._stp_default, self._stp_allowed = stp
        self._random = Random(seed)  # noqa: S311  not a secret

    def symbol(self, params: Params) -> str:
        """Return the symbol, which must be listed."""
        native = params.required("symbol")
        if native not in self.symbols:
            raise Refused(BAD_SYMBOL)
        return native

    def new_id(self) -> str:
        """Make a client order id as the venue does."""
        return "".join(self._random.choices(LETTERS, k=22))

    def client_id(self, params: Params, name: str = "newClientOrderId") -> str:
        """Return the client id sent, or a new one."""
        value = params.text(name)
        if value is None:
            return self.new_id()
        if not CLIENT_ID.fullmatch(value):
            raise Refused(ILLEGAL, name, CLIENT_ID_RANGE)
        return value

    def ticket(self, account: str, params: Params) -> Ticket:
        """Return the order that the parameters ask for; refuse what does not make one."""
        native = self.symbol(params)
        side = self._word(params, "side", SIDES, BAD_SIDE)
        kind = self._type(params)
        self._unsupported(params)
        symbol, market = self.symbols[native], kind == "MARKET"
        size, quote = self._amount(params, symbol, market=market)
        price = 0 if market else self._price(params, symbol)
        request = Request(
            account=account, symbol=native, side=side, price=price, size=size, quote=quote,
            kind=Kind.MARKET if market else Kind.LIMIT, tif=self._tif(params, kind),
            post_only=kind == "LIMIT_MAKER", stp=STP_WORDS[stp := self._stp(params)],
            client_id=self.client_id(params))
        default = "ACK" if kind == "LIMIT_MAKER" else "FULL"
        reply = params.choice("newOrderRespType", REPLIES, INVALID) or default
        return Ticket(request, reply, stp, self._strategy(params))

    @staticmethod
    def _word(params: Params, name: str, words: Mapping[str, int], problem: Problem) -> int:
        params.required(name)
        found = params.choice(name, words, problem)
        assert found is not None
        return found

    @staticmethod
    def _type(params: Params) -> str:
        kind = params.required("type")
        if kind in UNSUPPORTED:
            raise Refused(REJECTED, UNSUPPORTED[kind])
        if kind not in TYPES:
            raise Refused(BAD_TYPE)
        return kind

    @staticmethod
    def _unsupported(params: Params) -> None:
        for name in ("icebergQty", "trailingDelta", "pegPriceType"):
            if params.text(name) is not None:
                raise Refused(REJECTED, UNSUPPORTED[name])
        if params.text("stopPrice") is not None:
            raise Refused(NOT_REQUIRED, "stopPrice")

    @staticmethod
    def _amount(params: Params, symbol: Symbol, *, market: bool) -> tuple[int, int]:
        """Return (size, quote), one of which is 0."""
        quote = params.decimal("quoteOrderQty")
        if quote is not None and not market:
            raise Refused(NOT_REQUIRED, "quoteOrderQty")
        quantity = params.decimal("quantity")
        if quantity is not None and quote is not None:
            raise Refused(NOT_REQUIRED, "quoteOrderQty")
        if quote is not None:
            return 0, _above_0(quote, MONEY_DECIMALS, "NOTIONAL", BAD_QUANTITY)
        if quantity is None and market:
            raise Refused(EITHER, "quantity", "quoteOrderQty")
        if quantity is None:
            raise Refused(MANDATORY, "quantity")
        return _above_0(quantity, symbol.size_decimals, "LOT_SIZE", BAD_QUANTITY), 0

    @staticmethod
    def _price(params: Params, symbol: Symbol) -> int:
        params.required("price")
        price = params.decimal("price")
        assert price is not None
        return _above_0(price, symbol.price_decimals, "PRICE_FILTER", BAD_PRICE)

    @staticmethod
    def _tif(params: Params, kind: str) -> Tif:
        if kind == "LIMIT":
            params.required("timeInForce")
        tif = params.choice("timeInForce", TIFS, BAD_TIF)
        if tif is not None and kind != "LIMIT":
            raise Refused(NOT_REQUIRED, "timeInForce")
        if kind == "MARKET" and params.text("price") is not None:
            raise Refused(NOT_REQUIRED, "price")
        return tif or Tif.GTC

    def _stp(self, params: Params) -> str:
        mode = params.text("selfTradePreventionMode")
        if mode is None:
            return self._stp_default
        if mode not in STP_WORDS:
            raise Refused(INVALID, "selfTradePreventionMode")
        if mode not in self._stp_allowed:
            raise Refused(BAD_STP)
        return mode

    @staticmethod
    def _strategy(params: Params) -> dict[str, int]:
        numbers = {"strategyId": params.whole("strategyId"),
                   "strategyType": params.whole("strategyType")}
        kind = numbers["strategyType"]
        if kind is not None and kind < STRATEGY_TYPE_MIN:
            raise Refused(BAD_STRATEGY)
        return {name: value for name, value in numbers.items() if value is not None}


def _above_0(value: Decimal, decimals: int, name: str, zero: Problem) -> int:
    """Return a number in quanta; between two of them it fails the filter of that name."""
    if not value:
        raise Refused(zero)
    found = quanta(value, decimals)
    if found is None:
        raise Refused(FILTER, name)
    return found
